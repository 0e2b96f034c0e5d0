/* The ring under two real threads: order, accounting, stop. Meant for ThreadSanitizer, runs everywhere. */
#include <poll.h>
#include <string.h>

#include "check.h"
#include "ring.h"

#define FRAMES 3000u
#define FRAME_BYTES 64u

typedef struct {
    mga_ring ring;
    bool wait;
    uint64_t frames;
} bench;

/* Fills each slot with the number, as a source would. */
static void *produce(void *argument)
{
    bench *b = argument;
    for (uint64_t number = 1; number <= b->frames; number++) {
        uint32_t slot = 0;
        int got = mga_ring_claim(&b->ring, b->wait, &slot);
        if (got < 0)
            break;
        if (got == 0) {
            mga_ring_drop(&b->ring, 1);
            continue;
        }
        memset(mga_ring_slot(&b->ring, slot), (int)(number & 255u), FRAME_BYTES);
        mga_ring_publish(&b->ring, slot, number, mga_clock_ns());
    }
    mga_ring_finish(&b->ring, MGA_OK);
    return NULL;
}

static void check_balance(mga_ring *ring)
{
    mga_counters c;
    mga_ring_counters(ring, &c);
    CHECK(c.delivered + c.waiting + c.dropped == c.last - c.first + 1);
}

static bool readable(const mga_ring *ring, int timeout_ms)
{
    struct pollfd p = {.fd = ring->event_fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static void open_bench(bench *b, uint32_t slots, bool wait, uint64_t frames)
{
    size_t bytes = (size_t)mga_ring_bytes(FRAME_BYTES, slots);
    memset(b, 0, sizeof *b);
    b->wait = wait;
    b->frames = frames;
    CHECK(mga_ring_open(&b->ring, exactly(bytes), bytes, FRAME_BYTES, slots) == MGA_OK);
}

static void close_bench(bench *b)
{
    mga_ring_close(&b->ring);
    free(b->ring.memory);
}

/* Takes until the end, holding up to `hold` frames and giving them back youngest first. */
static uint64_t consume(bench *b, uint32_t hold)
{
    mga_frame held[MGA_SLOTS_MAX];
    uint32_t count = 0;
    uint64_t taken = 0;
    uint64_t before = 0;
    while (!mga_ring_ended(&b->ring)) {
        CHECK(readable(&b->ring, 10000));
        mga_frame frame;
        if (mga_ring_take(&b->ring, &frame) == 1) {
            const uint8_t *data = b->ring.memory + frame.offset;
            CHECK(frame.number > before);
            CHECK(data[0] == (frame.number & 255u) && data[FRAME_BYTES - 1] == data[0]);
            before = frame.number;
            taken++;
            held[count++] = frame;
        }
        check_balance(&b->ring);
        while (count >= hold && count > 0)
            CHECK(mga_ring_give_back(&b->ring, held[--count].slot) == MGA_OK);
    }
    while (count > 0)
        CHECK(mga_ring_give_back(&b->ring, held[--count].slot) == MGA_OK);
    return taken;
}

static void test_two_threads(uint32_t slots, uint32_t hold, bool wait)
{
    bench b;
    pthread_t thread;
    open_bench(&b, slots, wait, FRAMES);
    CHECK(pthread_create(&thread, NULL, produce, &b) == 0);
    uint64_t taken = consume(&b, hold);
    CHECK(pthread_join(thread, NULL) == 0);
    mga_counters c;
    mga_ring_counters(&b.ring, &c);
    CHECK(c.delivered == taken && c.waiting == 0 && c.first == 1 && c.last == FRAMES);
    CHECK(c.delivered + c.dropped == FRAMES);
    CHECK(!wait || c.dropped == 0);
    CHECK(c.high_water <= slots);
    close_bench(&b);
}

/* The consumer is gone: a producer that waits for room must still end. */
static void test_stop_ends_a_waiting_producer(void)
{
    bench b;
    pthread_t thread;
    open_bench(&b, 2, true, FRAMES);
    CHECK(pthread_create(&thread, NULL, produce, &b) == 0);
    CHECK(readable(&b.ring, 10000));
    uint64_t asked = mga_clock_ns();
    mga_ring_ask_stop(&b.ring);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(mga_clock_ns() - asked < 1000000000u);
    check_balance(&b.ring);
    close_bench(&b);
}

/* Two consumers, one who watches the counters all the time, and one who stops the producer at any moment. */
typedef struct {
    bench *bench;
    uint8_t *seen; /* by number: frames are given once, so nobody else writes to the same place */
    uint64_t taken;
    uint32_t hold;
} consumer;

static void *consume_some(void *argument)
{
    consumer *c = argument;
    mga_ring *ring = &c->bench->ring;
    mga_frame held[MGA_SLOTS_MAX];
    uint32_t count = 0;
    uint64_t before = 0;
    while (!mga_ring_ended(ring)) {
        mga_frame frame;
        if (mga_ring_take(ring, &frame) == 1) {
            const uint8_t *data = ring->memory + frame.offset;
            CHECK(frame.number > before && frame.number <= c->bench->frames);
            CHECK(data[0] == (frame.number & 255u) && data[FRAME_BYTES - 1] == data[0]);
            before = frame.number;
            c->seen[frame.number]++;
            c->taken++;
            held[count++] = frame;
        }
        check_balance(ring);
        while (count > c->hold)
            CHECK(mga_ring_give_back(ring, held[--count].slot) == MGA_OK);
    }
    while (count > 0)
        CHECK(mga_ring_give_back(ring, held[--count].slot) == MGA_OK);
    return NULL;
}

static void *watch(void *argument)
{
    mga_ring *ring = argument;
    mga_counters before = {.first = 1};
    while (!mga_ring_ended(ring)) {
        mga_counters c;
        mga_ring_counters(ring, &c);
        CHECK(c.delivered + c.waiting + c.dropped == c.last - c.first + 1);
        CHECK(c.first == 1 && c.last >= before.last && c.delivered >= before.delivered && c.dropped >= before.dropped);
        CHECK(c.waiting <= ring->slots && c.high_water <= ring->slots && c.high_water >= before.high_water);
        before = c;
    }
    return NULL;
}

static void test_stress(uint32_t slots, bool wait, uint64_t stop_after_ns)
{
    bench b;
    pthread_t threads[4];
    open_bench(&b, slots, wait, FRAMES);
    uint8_t *seen = calloc(FRAMES + 1, 1);
    CHECK(seen);
    consumer consumers[2] = {{&b, seen, 0, 0}, {&b, seen, 0, slots / 2}};
    CHECK(pthread_create(&threads[0], NULL, watch, &b.ring) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[1 + i], NULL, consume_some, &consumers[i]) == 0);
    CHECK(pthread_create(&threads[3], NULL, produce, &b) == 0);
    if (stop_after_ns) {
        (void)mga_ring_sleep_until(&b.ring, mga_clock_ns() + stop_after_ns);
        mga_ring_ask_stop(&b.ring);
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    mga_counters c;
    mga_ring_counters(&b.ring, &c);
    uint64_t frames = 0;
    for (uint64_t number = 1; number <= FRAMES; number++) {
        CHECK(seen[number] <= (number <= c.last));
        frames += seen[number];
    }
    CHECK(c.waiting == 0 && c.delivered == frames && c.delivered == consumers[0].taken + consumers[1].taken);
    CHECK(c.dropped == c.last - c.delivered && (!wait || c.dropped == 0));
    CHECK(stop_after_ns || c.last == FRAMES);
    CHECK(b.ring.taken == 0 && __builtin_popcountll(b.ring.free) == (int)slots);
    free(seen);
    close_bench(&b);
}

static void test_event_follows_the_frames(void)
{
    bench b;
    mga_frame frame;
    uint32_t slot = 9;
    open_bench(&b, 1, false, 0);
    CHECK(!readable(&b.ring, 0));
    CHECK(mga_ring_take(&b.ring, &frame) == 0);
    CHECK(mga_ring_claim(&b.ring, false, &slot) == 1 && slot == 0);
    CHECK(!readable(&b.ring, 0));
    mga_ring_publish(&b.ring, slot, 1, 5);
    CHECK(readable(&b.ring, 0));
    CHECK(mga_ring_claim(&b.ring, false, &slot) == 0 && mga_ring_claim(&b.ring, false, &slot) == 0);
    mga_ring_drop(&b.ring, 2);
    CHECK(mga_ring_take(&b.ring, &frame) == 1 && frame.number == 1 && frame.timestamp_ns == 5 && frame.offset == 0);
    CHECK(!readable(&b.ring, 0));
    CHECK(mga_ring_give_back(&b.ring, 1) == MGA_ERR_ARG_SLOT && mga_ring_give_back(&b.ring, 64) == MGA_ERR_ARG_SLOT);
    CHECK(mga_ring_give_back(&b.ring, 0) == MGA_OK && mga_ring_give_back(&b.ring, 0) == MGA_ERR_ARG_SLOT);
    mga_ring_finish(&b.ring, MGA_ERR_DEV_READ);
    CHECK(readable(&b.ring, 0) && !mga_ring_ended(&b.ring));
    CHECK(mga_ring_take(&b.ring, &frame) == MGA_ERR_DEV_READ);
    CHECK(mga_ring_ended(&b.ring) && readable(&b.ring, 0));
    mga_counters c;
    mga_ring_counters(&b.ring, &c);
    CHECK(c.last == 3 && c.dropped == 2 && c.overruns == 1 && c.delivered == 1);
    close_bench(&b);
}

static void test_arguments(void)
{
    mga_ring ring;
    uint8_t memory[16];
    CHECK(mga_ring_bytes(1, 1) == 4096 && mga_ring_bytes(4097, 2) == 16384);
    CHECK(mga_ring_bytes(0, 1) == MGA_ERR_ARG_RANGE && mga_ring_bytes(1, 0) == MGA_ERR_ARG_RANGE);
    CHECK(mga_ring_bytes(1, 65) == MGA_ERR_ARG_RANGE && mga_ring_bytes(UINT64_MAX, 1) == MGA_ERR_ARG_RANGE);
    CHECK(mga_ring_open(&ring, NULL, 4096, 1, 1) == MGA_ERR_ARG_NULL);
    CHECK(mga_ring_open(&ring, memory, sizeof memory, 1, 1) == MGA_ERR_ARG_DST_SIZE);
}

int main(void)
{
    test_arguments();
    test_event_follows_the_frames();
    test_two_threads(1, 1, true);
    test_two_threads(4, 3, true);
    test_two_threads(64, 64, true);
    test_two_threads(2, 1, false);
    test_two_threads(64, 5, false);
    test_stop_ends_a_waiting_producer();
    for (uint32_t round = 0; round < 24; round++)
        test_stress(1 + round * 7 % MGA_SLOTS_MAX, round % 3 == 0, round % 2 ? 1 + round * 30000u : 0);
    return 0;
}
