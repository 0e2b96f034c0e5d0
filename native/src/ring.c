#include "ring.h"

#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u

uint64_t mga_clock_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock and a valid pointer */
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t stride_of(uint64_t frame_bytes)
{
    return (frame_bytes + MGA_SLOT_ALIGN - 1) / MGA_SLOT_ALIGN * MGA_SLOT_ALIGN;
}

int64_t mga_ring_bytes(uint64_t frame_bytes, uint32_t slots)
{
    if (frame_bytes < 1 || frame_bytes > MGA_FRAME_BYTES_MAX || slots < 1 || slots > MGA_SLOTS_MAX)
        return MGA_ERR_ARG_RANGE;
    return (int64_t)(stride_of(frame_bytes) * slots);
}

static bool make_wake(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made =
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(wake, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return made;
}

int64_t mga_ring_open(mga_ring *ring, void *memory, size_t memory_size, uint64_t frame_bytes, uint32_t slots)
{
    int64_t need = mga_ring_bytes(frame_bytes, slots);
    if (need < 0)
        return need;
    if (!memory)
        return MGA_ERR_ARG_NULL;
    if (memory_size < (uint64_t)need)
        return MGA_ERR_ARG_DST_SIZE;
    memset(ring, 0, sizeof *ring);
    ring->memory = memory;
    ring->stride = (size_t)stride_of(frame_bytes);
    ring->frame_bytes = (size_t)frame_bytes;
    ring->slots = slots;
    ring->free = slots == 64 ? UINT64_MAX : ((uint64_t)1 << slots) - 1;
    ring->counters.first = 1;
    ring->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ring->event_fd < 0)
        return MGA_ERR_DEV_EVENT;
    if (pthread_mutex_init(&ring->lock, NULL) != 0) {
        (void)close(ring->event_fd);
        return MGA_ERR_DEV_MEMORY;
    }
    if (!make_wake(&ring->wake)) {
        (void)pthread_mutex_destroy(&ring->lock);
        (void)close(ring->event_fd);
        return MGA_ERR_DEV_MEMORY;
    }
    return MGA_OK;
}

void mga_ring_close(mga_ring *ring)
{
    (void)pthread_cond_destroy(&ring->wake);
    (void)pthread_mutex_destroy(&ring->lock);
    (void)close(ring->event_fd);
}

/* Lock and unlock cannot fail: a plain mutex, initialised, never locked twice by one thread. */
static void enter(mga_ring *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
}

static void leave(mga_ring *ring)
{
    (void)pthread_mutex_unlock(&ring->lock);
}

/* The counter of the eventfd is 0 or 1, so neither call can block or overflow. */
static void raise_event(const mga_ring *ring)
{
    (void)!eventfd_write(ring->event_fd, 1);
}

static void clear_event(const mga_ring *ring)
{
    eventfd_t value;
    (void)!eventfd_read(ring->event_fd, &value);
}

/* --- the producer ----------------------------------------------------------------------------------------------- */

int mga_ring_claim(mga_ring *ring, bool wait, uint32_t *slot)
{
    int got = 0;
    enter(ring);
    while (wait && ring->free == 0 && !ring->stop_asked)
        (void)pthread_cond_wait(&ring->wake, &ring->lock);
    if (ring->stop_asked) {
        got = -1;
    } else if (ring->free != 0) {
        *slot = (uint32_t)__builtin_ctzll(ring->free);
        ring->free &= ring->free - 1;
        ring->full = false;
        got = 1;
    } else {
        ring->counters.overruns += !ring->full;
        ring->full = true;
    }
    leave(ring);
    return got;
}

void mga_ring_publish(mga_ring *ring, uint32_t slot, uint64_t number, uint64_t timestamp_ns)
{
    enter(ring);
    mga_counters *c = &ring->counters;
    ring->queue[(ring->head + c->waiting) % MGA_SLOTS_MAX] = (mga_frame){.number = number,
                                                                         .timestamp_ns = timestamp_ns,
                                                                         .offset = (uint64_t)slot * ring->stride,
                                                                         .slot = slot,
                                                                         .lost = c->lost,
                                                                         .damaged = c->damaged,
                                                                         .restarts = c->restarts};
    if (c->waiting == 0)
        raise_event(ring);
    c->waiting++;
    c->last = number;
    if (c->waiting > c->high_water)
        c->high_water = c->waiting;
    leave(ring);
}

void mga_ring_unclaim(mga_ring *ring, uint32_t slot)
{
    enter(ring);
    ring->free |= (uint64_t)1 << slot;
    leave(ring);
}

void mga_ring_drop(mga_ring *ring, uint64_t count)
{
    enter(ring);
    ring->counters.dropped += count;
    ring->counters.last += count;
    leave(ring);
}

void mga_ring_lose(mga_ring *ring, uint64_t count)
{
    enter(ring);
    ring->counters.lost += count;
    ring->counters.last += count;
    leave(ring);
}

void mga_ring_damage(mga_ring *ring)
{
    enter(ring);
    ring->counters.damaged++;
    ring->counters.last++;
    leave(ring);
}

void mga_ring_restarted(mga_ring *ring)
{
    enter(ring);
    ring->counters.restarts++;
    leave(ring);
}

bool mga_ring_sleep_until(mga_ring *ring, uint64_t deadline_ns)
{
    const struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                                      .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    enter(ring);
    while (!ring->stop_asked && mga_clock_ns() < deadline_ns)
        (void)pthread_cond_timedwait(&ring->wake, &ring->lock, &deadline);
    bool go_on = !ring->stop_asked;
    leave(ring);
    return go_on;
}

bool mga_ring_stopping(mga_ring *ring)
{
    enter(ring);
    bool stopping = ring->stop_asked;
    leave(ring);
    return stopping;
}

void mga_ring_finish(mga_ring *ring, int64_t failure)
{
    enter(ring);
    if (!ring->finished && ring->counters.waiting == 0)
        raise_event(ring);
    ring->finished = true;
    ring->failure = failure;
    leave(ring);
}

bool mga_ring_finished(mga_ring *ring)
{
    enter(ring);
    bool finished = ring->finished;
    leave(ring);
    return finished;
}

/* --- the consumer ----------------------------------------------------------------------------------------------- */

int64_t mga_ring_take(mga_ring *ring, mga_frame *frame)
{
    int64_t got = 0;
    enter(ring);
    mga_counters *c = &ring->counters;
    if (c->waiting > 0) {
        *frame = ring->queue[ring->head];
        ring->head = (ring->head + 1) % MGA_SLOTS_MAX;
        ring->taken |= (uint64_t)1 << frame->slot;
        c->waiting--;
        c->delivered++;
        if (c->waiting == 0 && !ring->finished)
            clear_event(ring);
        got = 1;
    } else if (ring->finished) {
        got = ring->failure;
        ring->reported = true;
    }
    leave(ring);
    return got;
}

int64_t mga_ring_give_back(mga_ring *ring, uint32_t slot)
{
    int64_t status = MGA_ERR_ARG_SLOT;
    enter(ring);
    uint64_t bit = slot < ring->slots ? (uint64_t)1 << slot : 0;
    if (ring->taken & bit) {
        ring->taken &= ~bit;
        ring->free |= bit;
        (void)pthread_cond_signal(&ring->wake);
        status = MGA_OK;
    }
    leave(ring);
    return status;
}

bool mga_ring_ended(mga_ring *ring)
{
    enter(ring);
    bool ended = ring->finished && ring->counters.waiting == 0 && (ring->failure == MGA_OK || ring->reported);
    leave(ring);
    return ended;
}

void mga_ring_ask_stop(mga_ring *ring)
{
    enter(ring);
    ring->stop_asked = true;
    (void)pthread_cond_signal(&ring->wake);
    leave(ring);
}

void mga_ring_counters(mga_ring *ring, mga_counters *counters)
{
    enter(ring);
    *counters = ring->counters;
    leave(ring);
}
