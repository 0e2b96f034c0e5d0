/* The life of a source and its pace.
 *
 * Frame n is due at start + (n - 1) / rate. A thread that wakes late makes up for it at once, as the hardware buffers
 * of a device would; only when it is behind by more than the whole ring would hold are frames skipped and counted as
 * dropped. With rate 0 the consumer sets the pace and nothing is ever dropped. */
#include "source.h"

#include <signal.h>
#include <stdlib.h>

#define RATE_MIN_HZ 0.001
#define RATE_MAX_HZ 1000.0

static bool rate_is_valid(double rate_hz)
{
    return rate_hz == 0.0 || (rate_hz >= RATE_MIN_HZ && rate_hz <= RATE_MAX_HZ);
}

int64_t mga_source_make(mga_source **out, const mga_source_kind *kind, void *self, const mga_source_setup *setup)
{
    if (!rate_is_valid(setup->rate_hz))
        return MGA_ERR_ARG_RANGE;
    mga_source *source = calloc(1, sizeof *source);
    if (!source)
        return MGA_ERR_DEV_MEMORY;
    int64_t status = mga_ring_open(&source->ring, setup->memory, setup->memory_size, setup->frame_bytes, setup->slots);
    if (status >= 0 && pthread_mutex_init(&source->lifecycle, NULL) != 0) {
        mga_ring_close(&source->ring);
        status = MGA_ERR_DEV_MEMORY;
    }
    if (status < 0) {
        free(source);
        return status;
    }
    source->kind = kind;
    source->self = self;
    source->rate_hz = setup->rate_hz;
    source->frames = setup->frames;
    *out = source;
    return MGA_OK;
}

static uint64_t due_ns(const mga_source *source, uint64_t start_ns, uint64_t number)
{
    return start_ns + (uint64_t)((double)(number - 1) * 1e9 / source->rate_hz);
}

/* How many frames from `number` on are lost because nobody could have buffered them. */
static uint64_t missed(const mga_source *source, uint64_t start_ns, uint64_t number)
{
    uint64_t now = mga_clock_ns();
    uint64_t reach = source->ring.slots;
    if (now <= due_ns(source, start_ns, number + reach))
        return 0;
    uint64_t current = (uint64_t)((double)(now - start_ns) * source->rate_hz / 1e9) + 1; /* due now */
    uint64_t lost = current - reach > number ? current - reach - number : 0;
    if (source->frames && lost > source->frames - number)
        lost = source->frames - number; /* the last frame is always shown */
    return lost;
}

static int64_t produce(mga_source *source, uint64_t number)
{
    mga_ring *ring = &source->ring;
    uint32_t slot = 0;
    int got = mga_ring_claim(ring, source->rate_hz == 0.0, &slot);
    if (got == 0)
        mga_ring_drop(ring, 1);
    if (got <= 0)
        return got; /* -1 = stop was asked */
    uint64_t timestamp_ns = mga_clock_ns();
    int64_t status = source->kind->fill(source, mga_ring_slot(ring, slot), number, timestamp_ns);
    if (status < 0)
        mga_ring_unclaim(ring, slot);
    else
        mga_ring_publish(ring, slot, number, timestamp_ns);
    return status;
}

static int64_t run_paced(mga_source *source)
{
    mga_ring *ring = &source->ring;
    int64_t status = source->kind->prepare ? source->kind->prepare(source) : MGA_OK;
    uint64_t start_ns = mga_clock_ns();
    for (uint64_t number = 1; status >= 0 && (source->frames == 0 || number <= source->frames); number++) {
        if (source->rate_hz > 0.0) {
            uint64_t lost = missed(source, start_ns, number);
            if (lost > 0) {
                mga_ring_drop(ring, lost);
                number += lost;
            }
            if (!mga_ring_sleep_until(ring, due_ns(source, start_ns, number)))
                break;
        }
        status = produce(source, number);
        if (mga_ring_stopping(ring))
            break;
    }
    return status;
}

static void *run(void *argument)
{
    mga_source *source = argument;
    int64_t status = source->kind->run ? source->kind->run(source) : run_paced(source);
    if (mga_ring_stopping(&source->ring))
        status = MGA_OK; /* whatever stopping interrupted is no failure */
    mga_ring_finish(&source->ring, status < 0 ? status : MGA_OK);
    return NULL;
}

int64_t mga_source_start(mga_source *source)
{
    if (!source)
        return MGA_ERR_ARG_NULL;
    int64_t status = MGA_ERR_ARG_STATE;
    (void)pthread_mutex_lock(&source->lifecycle);
    if (!source->started) {
        sigset_t all;
        sigset_t before;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the threads of the caller */
        status = pthread_create(&source->thread, NULL, run, source) == 0 ? MGA_OK : MGA_ERR_DEV_THREAD;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        source->started = status == MGA_OK;
    }
    (void)pthread_mutex_unlock(&source->lifecycle);
    return status;
}

int64_t mga_source_stop(mga_source *source)
{
    if (!source)
        return MGA_ERR_ARG_NULL;
    (void)pthread_mutex_lock(&source->lifecycle);
    mga_ring_ask_stop(&source->ring);
    if (source->kind->wake)
        source->kind->wake(source);
    if (source->started && !source->joined) {
        (void)pthread_join(source->thread, NULL);
        source->joined = true;
    } else if (!source->started) {
        source->started = true; /* a stopped source cannot be started any more */
        source->joined = true;
        mga_ring_finish(&source->ring, MGA_OK);
    }
    (void)pthread_mutex_unlock(&source->lifecycle);
    return MGA_OK;
}

void mga_source_close(mga_source *source)
{
    if (!source)
        return;
    (void)mga_source_stop(source);
    source->kind->dispose(source);
    mga_ring_close(&source->ring);
    (void)pthread_mutex_destroy(&source->lifecycle);
    free(source);
}

int64_t mga_source_fileno(mga_source *source)
{
    return source ? source->ring.event_fd : MGA_ERR_ARG_NULL;
}

int64_t mga_source_take(mga_source *source, mga_frame *frame)
{
    return source && frame ? mga_ring_take(&source->ring, frame) : MGA_ERR_ARG_NULL;
}

int64_t mga_source_give_back(mga_source *source, uint32_t slot)
{
    return source ? mga_ring_give_back(&source->ring, slot) : MGA_ERR_ARG_NULL;
}

int64_t mga_source_ended(mga_source *source)
{
    return source ? (int64_t)mga_ring_ended(&source->ring) : MGA_ERR_ARG_NULL;
}

int64_t mga_source_counters(mga_source *source, mga_counters *counters)
{
    if (!source || !counters)
        return MGA_ERR_ARG_NULL;
    mga_ring_counters(&source->ring, counters);
    return MGA_OK;
}
