/* A device that plays a script: every loss is counted, once and in the right place, and the balance holds. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "device.h"

#define ROWS 4u
#define COLUMNS 6u
#define PADDED 8u

typedef struct {
    uint64_t counter;
    bool damaged;
    size_t missing; /* bytes at the end */
    uint8_t sample;
    int64_t ends; /* < 0: instead of a frame */
} step;

typedef struct {
    mga_device device;
    const step *script;
    size_t steps;
    size_t at;
    unsigned held; /* buffers not given back */
    unsigned started, stopped;
    unsigned *disposed;
    uint8_t buffer[ROWS * PADDED];
} player;

static int64_t start(mga_device *device)
{
    ((player *)device)->started++;
    return MGA_OK;
}

static int64_t next(mga_device *device, mga_device_frame *frame)
{
    player *p = (player *)device;
    CHECK(p->held == 0);
    if (p->at == p->steps) {
        struct pollfd poll_fd = {.fd = device->stop_fd, .events = POLLIN};
        CHECK(poll(&poll_fd, 1, 60000) == 1); /* only stop ends it now */
        return 0;
    }
    const step *s = &p->script[p->at++];
    if (s->ends < 0)
        return mga_trouble_say(&device->trouble, s->ends, 19, "the script");
    memset(p->buffer, s->sample, sizeof p->buffer);
    *frame =
        (mga_device_frame){.counter = s->counter, .timestamp_ns = 1000 * s->counter, .count = 1, .damaged = s->damaged};
    frame->planes[0] = (mga_plane){p->buffer, sizeof p->buffer - s->missing, PADDED};
    p->held = 1;
    return 1;
}

static int64_t release(mga_device *device, const mga_device_frame *frame)
{
    (void)frame;
    ((player *)device)->held--;
    return MGA_OK;
}

static void stop(mga_device *device)
{
    ((player *)device)->stopped++;
}

static void dispose(mga_device *device)
{
    player *p = (player *)device;
    (*p->disposed)++;
    mga_device_finish(device);
    free(p);
}

static const mga_device_kind PLAYER = {start, next, release, stop, dispose};

static mga_source *play(const step *script, size_t steps, uint32_t bits, uint32_t slots, uint64_t modulus,
                        unsigned *disposed, uint8_t **memory)
{
    player *p = calloc(1, sizeof *p);
    CHECK(p && mga_device_init(&p->device, &PLAYER) == MGA_OK);
    p->script = script;
    p->steps = steps;
    p->disposed = disposed;
    p->device.agreed.format = (mga_format){ROWS, COLUMNS, 1, 8, bits, 0, 0};
    p->device.pixels = (mga_pixels){.way = MGA_WAY_SAMPLES, .samples = {ROWS, COLUMNS, MGA_PACKING_8, bits, 0}};
    p->device.modulus = modulus;
    size_t bytes = (size_t)mga_ring_bytes(ROWS * COLUMNS, slots);
    *memory = exactly(bytes);
    mga_source *source = NULL;
    CHECK(mga_device_source(&source, &p->device, *memory, bytes - 1, slots) == MGA_ERR_ARG_DST_SIZE && !source);
    CHECK(mga_device_source(&source, &p->device, *memory, bytes, slots) == MGA_OK);
    CHECK(mga_source_start(source) == MGA_OK);
    return source;
}

static mga_counters counters_of(mga_source *source)
{
    mga_counters c;
    CHECK(mga_source_counters(source, &c) == MGA_OK);
    CHECK(c.delivered + c.waiting + c.dropped + c.lost + c.damaged == c.last - c.first + 1);
    return c;
}

static void wait_for_last(mga_source *source, uint64_t last)
{
    for (int i = 0; i < 5000 && counters_of(source).last < last; i++)
        (void)usleep(1000);
    CHECK(counters_of(source).last == last);
}

static mga_frame expect(mga_source *source, const uint8_t *memory, uint64_t number, uint8_t sample)
{
    mga_frame frame = {0};
    struct pollfd p = {.fd = (int)mga_source_fileno(source), .events = POLLIN};
    CHECK(poll(&p, 1, 60000) == 1 && mga_source_take(source, &frame) == 1);
    CHECK(frame.number == number);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        CHECK(memory[frame.offset + i] == sample);
    CHECK(mga_source_give_back(source, frame.slot) == MGA_OK);
    return frame;
}

static void end(mga_source *source, uint8_t *memory, const unsigned *disposed)
{
    mga_source_close(source);
    CHECK(*disposed == 1);
    free(memory);
}

static void test_every_loss_is_counted_once(void)
{
    static const step SCRIPT[] = {
        {.counter = 65533, .sample = 1}, {.counter = 65535, .sample = 2}, /* 65534 never came */
        {.counter = 1, .sample = 3},     {.counter = 2, .damaged = true}, /* said by the device */
        {.counter = 3, .missing = 2},                                     /* padding of the last line */
        {.counter = 4, .missing = 3},                                     /* and the last samples */
        {.counter = 5, .sample = 255},                                    /* 7 bits are agreed on */
        {.counter = 8, .sample = 4},     {.counter = 2, .sample = 5},     {.counter = 3, .sample = 6}, /* counts anew */
    };
    unsigned disposed = 0;
    uint8_t *memory = NULL;
    mga_source *source = play(SCRIPT, sizeof SCRIPT / sizeof *SCRIPT, 7, 16, 65535, &disposed, &memory);
    static const struct {
        uint64_t number;
        uint8_t sample;
        uint64_t lost, damaged, restarts; /* until then */
    } COME[] = {{1, 1, 0, 0, 0},  {3, 2, 1, 0, 0},  {4, 3, 1, 0, 0}, {6, 0, 1, 1, 0},
                {11, 4, 3, 3, 0}, {12, 5, 3, 3, 1}, {13, 6, 3, 3, 1}};
    for (size_t i = 0; i < sizeof COME / sizeof *COME; i++) {
        mga_frame frame = expect(source, memory, COME[i].number, COME[i].sample);
        CHECK(frame.lost == COME[i].lost && frame.damaged == COME[i].damaged && frame.restarts == COME[i].restarts);
    }
    mga_counters c = counters_of(source);
    CHECK(c.lost == 3 && c.damaged == 3 && c.dropped == 0 && c.restarts == 1 && c.last == 13);
    CHECK(mga_source_stop(source) == MGA_OK && mga_source_ended(source) == 1);
    end(source, memory, &disposed);
}

static void test_a_full_ring_drops(void)
{
    static const step SCRIPT[] = {{.counter = 0, .sample = 1},
                                  {.counter = 1, .sample = 2},
                                  {.counter = 2, .sample = 3},
                                  {.counter = 4, .sample = 4}};
    unsigned disposed = 0;
    uint8_t *memory = NULL;
    mga_source *source = play(SCRIPT, 4, 8, 2, 0, &disposed, &memory);
    wait_for_last(source, 5);
    mga_counters c = counters_of(source);
    CHECK(c.waiting == 2 && c.dropped == 2 && c.lost == 1 && c.overruns == 1);
    (void)expect(source, memory, 1, 1);
    (void)expect(source, memory, 2, 2);
    end(source, memory, &disposed);
}

static void test_what_ended_it_is_told_behind_the_last_frame(void)
{
    static const step SCRIPT[] = {{.counter = 7, .sample = 9}, {.ends = MGA_ERR_DEV_GONE}};
    unsigned disposed = 0;
    uint8_t *memory = NULL;
    mga_source *source = play(SCRIPT, 2, 8, 2, 0, &disposed, &memory);
    (void)expect(source, memory, 1, 9);
    struct pollfd p = {.fd = (int)mga_source_fileno(source), .events = POLLIN};
    CHECK(poll(&p, 1, 60000) == 1);
    mga_frame frame;
    mga_trouble trouble;
    CHECK(mga_source_take(source, &frame) == MGA_ERR_DEV_GONE);
    CHECK(mga_source_trouble(source, &trouble) == MGA_OK && trouble.number == 19);
    CHECK(strcmp(trouble.what, "the script") == 0);
    end(source, memory, &disposed);
}

static void test_stop_wakes_a_device_that_waits(void)
{
    for (int i = 0; i < 50; i++) {
        unsigned disposed = 0;
        uint8_t *memory = NULL;
        mga_source *source = play(NULL, 0, 8, 1, 0, &disposed, &memory);
        uint64_t asked = mga_clock_ns();
        CHECK(mga_source_stop(source) == MGA_OK && mga_source_ended(source) == 1);
        CHECK(mga_clock_ns() - asked < 1000000000u);
        end(source, memory, &disposed);
    }
}

int main(void)
{
    test_every_loss_is_counted_once();
    test_a_full_ring_drops();
    test_what_ended_it_is_told_behind_the_last_frame();
    test_stop_wakes_a_device_that_waits();
    return 0;
}
