/* The frame ring: one producer thread, one consumer, a fixed number of equal slots in memory of the caller.
 *
 * A slot is in exactly one place: in `free`, with the producer, in the queue, or in `taken`. The producer takes a free
 * slot, fills it without holding the lock, and queues it. The consumer takes from the queue in order and gives back in
 * any order. The producer never waits for the consumer unless it asks to (a source that is paced by its consumer):
 * a live device does not wait either, and what does not fit is counted, never overwritten.
 *
 * One mutex guards everything but the pixels. It is held for tens of nanoseconds per frame, so lock-free code would buy
 * nothing and cost proof. The eventfd is changed under the same mutex: it is readable exactly while a frame waits or
 * the producer has finished. Waits use CLOCK_MONOTONIC, so setting the wall clock disturbs nothing. */
#ifndef MGA_RING_H
#define MGA_RING_H

#include <pthread.h>
#include <stdbool.h>

#include "mga.h"

#define MGA_SLOT_ALIGN 4096u /* a page: slots can be handed to DMA or O_DIRECT */

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* for the producer: a slot was given back, or stop was asked */
    uint8_t *memory;
    size_t stride;
    size_t frame_bytes;
    uint32_t slots;
    int event_fd;
    uint64_t free;  /* bit per slot */
    uint64_t taken; /* bit per slot */
    mga_frame queue[MGA_SLOTS_MAX];
    uint32_t head;
    bool full; /* the last claim found no room: one overrun, however many frames it costs */
    bool stop_asked;
    bool finished;
    int64_t failure; /* what ended the producer, MGA_OK when nothing did */
    bool reported;   /* the consumer was told of the failure */
    mga_counters counters;
} mga_ring;

uint64_t mga_clock_ns(void);

int64_t mga_ring_open(mga_ring *ring, void *memory, size_t memory_size, uint64_t frame_bytes, uint32_t slots);
void mga_ring_close(mga_ring *ring);

/* For the producer. claim: 1 and *slot; 0 = no room; -1 = stop was asked. */
int mga_ring_claim(mga_ring *ring, bool wait, uint32_t *slot);
void mga_ring_publish(mga_ring *ring, uint32_t slot, uint64_t number, uint64_t timestamp_ns);
void mga_ring_unclaim(mga_ring *ring, uint32_t slot);
void mga_ring_drop(mga_ring *ring, uint64_t count);
void mga_ring_lose(mga_ring *ring, uint64_t count);
void mga_ring_damage(mga_ring *ring);
void mga_ring_restarted(mga_ring *ring);
/* false = stop was asked. */
bool mga_ring_sleep_until(mga_ring *ring, uint64_t deadline_ns);
bool mga_ring_stopping(mga_ring *ring);
void mga_ring_finish(mga_ring *ring, int64_t failure);
bool mga_ring_finished(mga_ring *ring);

/* For the consumer. */
int64_t mga_ring_take(mga_ring *ring, mga_frame *frame);
int64_t mga_ring_give_back(mga_ring *ring, uint32_t slot);
bool mga_ring_ended(mga_ring *ring);
void mga_ring_ask_stop(mga_ring *ring);
void mga_ring_counters(mga_ring *ring, mga_counters *counters);

static inline uint8_t *mga_ring_slot(const mga_ring *ring, uint32_t slot)
{
    return ring->memory + (size_t)slot * ring->stride;
}

#endif
