/* Whole sources: patterns of every size in exact memory, replay of files, stop at any moment. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "mga.h"
#include "ring.h"

static mga_format format_of(const mga_pattern_params *p)
{
    uint32_t bits = p->kind == MGA_PATTERN_DX16 ? 16 : 8;
    return (mga_format){p->rows, p->columns, p->kind == MGA_PATTERN_US_RGB ? 3 : 1, bits, bits, 0, 0};
}

static mga_source *open_pattern(const mga_pattern_params *p, uint8_t **memory)
{
    mga_format f = format_of(p);
    size_t bytes = (size_t)mga_ring_bytes((uint64_t)mga_format_bytes(&f), p->slots);
    mga_source *source = NULL;
    *memory = exactly(bytes);
    CHECK(mga_pattern_open(&source, *memory, bytes, p) == MGA_OK);
    return source;
}

static int64_t take(mga_source *source, mga_frame *frame)
{
    struct pollfd p = {.fd = (int)mga_source_fileno(source), .events = POLLIN};
    CHECK(poll(&p, 1, 20000) == 1);
    return mga_source_take(source, frame);
}

static void check_pattern(const mga_pattern_params *p)
{
    uint8_t *memory = NULL;
    mga_source *source = open_pattern(p, &memory);
    mga_format f = format_of(p);
    CHECK(mga_source_start(source) == MGA_OK);
    CHECK(mga_source_start(source) == MGA_ERR_ARG_STATE);
    for (uint64_t number = 1; number <= p->frames; number++) {
        mga_frame frame;
        mga_mark mark = {0};
        CHECK(take(source, &frame) == 1 && frame.number == number);
        CHECK(mga_mark_read(memory + frame.offset, (size_t)mga_format_bytes(&f), &f, &mark) == MGA_OK);
        CHECK(mark.number == number && mark.timestamp_ms == (uint32_t)(frame.timestamp_ns / 1000000u));
        CHECK(mga_source_give_back(source, frame.slot) == MGA_OK);
    }
    mga_frame none;
    CHECK(take(source, &none) == 0 && mga_source_ended(source) == 1);
    mga_source_close(source);
    free(memory);
}

static void test_patterns(void)
{
    static const uint32_t SIDES[][2] = {{16, 16}, {16, 700}, {700, 16}, {97, 161}, {480, 640}, {301, 1203}};
    for (uint32_t kind = 0; kind <= MGA_PATTERN_DX16; kind++)
        for (size_t i = 0; i < sizeof SIDES / sizeof SIDES[0]; i++) {
            if (kind == MGA_PATTERN_DX16 && i % 3 != 0)
                continue; /* its tables are slow to make under a sanitizer */
            mga_pattern_params p = {
                .kind = kind, .rows = SIDES[i][0], .columns = SIDES[i][1], .slots = 2, .frames = 3, .seed = i};
            check_pattern(&p);
        }
}

static void test_stop_at_any_moment(void)
{
    static const double RATES[] = {0.0, 0.001, 200.0, 1000.0};
    for (int i = 0; i < 24; i++) {
        mga_pattern_params p = {
            .kind = (uint32_t)i % 3, .rows = 64, .columns = 64, .slots = 1, .rate_hz = RATES[i % 4]};
        uint8_t *memory = NULL;
        mga_source *source = open_pattern(&p, &memory);
        mga_frame frame;
        CHECK(mga_source_start(source) == MGA_OK);
        if (i % 5 == 0)
            CHECK(take(source, &frame) == 1);
        uint64_t asked = mga_clock_ns();
        CHECK(mga_source_stop(source) == MGA_OK && mga_source_stop(source) == MGA_OK);
        CHECK(mga_clock_ns() - asked < 1000000000u);
        mga_source_close(source);
        free(memory);
    }
}

static void test_live_source_accounts(void)
{
    mga_pattern_params p = {
        .kind = MGA_PATTERN_US_MONO, .rows = 16, .columns = 16, .slots = 2, .rate_hz = 1000, .frames = 150};
    uint8_t *memory = NULL;
    mga_source *source = open_pattern(&p, &memory);
    mga_counters c = {0};
    CHECK(mga_source_start(source) == MGA_OK);
    while (!mga_source_ended(source)) {
        mga_frame frame;
        if (take(source, &frame) == 1) {
            (void)usleep(3000);
            CHECK(mga_source_give_back(source, frame.slot) == MGA_OK);
        }
        CHECK(mga_source_counters(source, &c) == MGA_OK);
        CHECK(c.delivered + c.waiting + c.dropped == c.last - c.first + 1);
    }
    CHECK(mga_source_counters(source, &c) == MGA_OK);
    CHECK(c.last == 150 && c.waiting == 0 && c.dropped > 0 && c.delivered + c.dropped == 150);
    mga_source_close(source);
    free(memory);
}

static void test_replay(void)
{
    int fd = memfd_create("frames", MFD_CLOEXEC);
    uint8_t frames[7 * 1000];
    for (size_t i = 0; i < sizeof frames; i++)
        frames[i] = (uint8_t)(i / 1000);
    CHECK(fd >= 0 && write(fd, frames, sizeof frames) == (ssize_t)sizeof frames);
    mga_replay_params p = {.fd = fd, .slots = 3, .offset = 1000, .frame_bytes = 1000, .frames = 7};
    size_t bytes = (size_t)mga_ring_bytes(1000, 3);
    uint8_t *memory = exactly(bytes);
    mga_source *source = NULL;
    mga_frame frame;
    CHECK(mga_replay_open(&source, memory, bytes, &p) == MGA_OK);
    CHECK(close(fd) == 0); /* the source has its own */
    CHECK(mga_source_start(source) == MGA_OK);
    for (uint8_t i = 1; i < 7; i++) {
        CHECK(take(source, &frame) == 1 && frame.number == i && memory[frame.offset] == i &&
              memory[frame.offset + 999] == i);
        CHECK(mga_source_give_back(source, frame.slot) == MGA_OK);
    }
    CHECK(take(source, &frame) == MGA_ERR_DEV_SHORT && mga_source_ended(source) == 1);
    mga_source_close(source);
    free(memory);
}

/* A source that is stopped before it is started has ended, and stays so. */
static void test_stop_before_start(void)
{
    mga_pattern_params p = {.kind = MGA_PATTERN_US_MONO, .rows = 16, .columns = 16, .slots = 1};
    uint8_t *memory = NULL;
    mga_source *source = open_pattern(&p, &memory);
    mga_frame frame;
    CHECK(mga_source_ended(source) == 0 && mga_source_stop(source) == MGA_OK);
    CHECK(take(source, &frame) == 0 && mga_source_ended(source) == 1);
    CHECK(mga_source_start(source) == MGA_ERR_ARG_STATE);
    mga_source_close(source);
    free(memory);
}

static void test_unreadable_file(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    mga_replay_params p = {.fd = fd, .slots = 1, .frame_bytes = 10, .frames = 1};
    uint8_t *memory = exactly(4096);
    mga_source *source = NULL;
    mga_frame frame;
    CHECK(fd >= 0 && mga_replay_open(&source, memory, 4096, &p) == MGA_OK && close(fd) == 0);
    CHECK(mga_source_start(source) == MGA_OK);
    CHECK(take(source, &frame) == MGA_ERR_DEV_READ && mga_source_ended(source) == 1);
    mga_source_close(source);
    free(memory);
}

static void test_arguments(void)
{
    mga_source *source = NULL;
    uint8_t memory[8192];
    mga_pattern_params p = {.kind = MGA_PATTERN_US_MONO, .rows = 16, .columns = 16, .slots = 1};
    CHECK(mga_pattern_open(NULL, memory, sizeof memory, &p) == MGA_ERR_ARG_NULL);
    CHECK(mga_pattern_open(&source, NULL, sizeof memory, &p) == MGA_ERR_ARG_NULL);
    CHECK(mga_pattern_open(&source, memory, 4095, &p) == MGA_ERR_ARG_DST_SIZE);
    p.kind = 9;
    CHECK(mga_pattern_open(&source, memory, sizeof memory, &p) == MGA_ERR_ARG_RANGE);
    mga_replay_params r = {.fd = -1, .slots = 1, .frame_bytes = 10, .frames = 1};
    CHECK(mga_replay_open(&source, memory, sizeof memory, &r) == MGA_ERR_DEV_EVENT);
    r.frames = UINT64_MAX;
    CHECK(mga_replay_open(&source, memory, sizeof memory, &r) == MGA_ERR_ARG_RANGE);
    p = (mga_pattern_params){.kind = MGA_PATTERN_DX16, .rows = 15, .columns = 16, .slots = 1};
    CHECK(mga_pattern_open(&source, memory, sizeof memory, &p) == MGA_ERR_ARG_FORMAT);
    p = (mga_pattern_params){.kind = MGA_PATTERN_DX16, .rows = 16, .columns = 16, .slots = 1, .rate_hz = 1e9};
    CHECK(mga_pattern_open(&source, memory, sizeof memory, &p) == MGA_ERR_ARG_RANGE);
    CHECK(mga_replay_open(&source, memory, sizeof memory, NULL) == MGA_ERR_ARG_NULL);
    r = (mga_replay_params){.fd = 0, .slots = 1, .offset = -1, .frame_bytes = 10, .frames = 1};
    CHECK(mga_replay_open(&source, memory, sizeof memory, &r) == MGA_ERR_ARG_RANGE);
    r = (mga_replay_params){.fd = 0, .slots = 1, .frame_bytes = 10, .frames = 1};
    CHECK(mga_replay_open(&source, memory, 10, &r) == MGA_ERR_ARG_DST_SIZE); /* its descriptor is closed again */
    CHECK(mga_source_counters(NULL, NULL) == MGA_ERR_ARG_NULL);
    CHECK(source == NULL);
    CHECK(mga_source_start(NULL) == MGA_ERR_ARG_NULL && mga_source_take(NULL, NULL) == MGA_ERR_ARG_NULL);
    CHECK(mga_source_stop(NULL) == MGA_ERR_ARG_NULL && mga_source_ended(NULL) == MGA_ERR_ARG_NULL);
    mga_source_close(NULL);
}

static void test_sync(void)
{
    int fd = open(".", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && mga_sync_file_system(fd) == 0);
    close(fd);
    CHECK(mga_sync_file_system(fd) == MGA_ERR_DEV_SYNC);
}

int main(void)
{
    test_sync();
    test_arguments();
    test_replay();
    test_unreadable_file();
    test_stop_before_start();
    test_patterns();
    test_live_source_accounts();
    test_stop_at_any_moment();
    return 0;
}
