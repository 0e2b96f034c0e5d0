/* A source: a ring and the thread that fills it. What differs between sources is a table of functions: one that is
 * paced here has `fill`, one with a pace of its own has `run` (device.h). */
#ifndef MGA_SOURCE_H
#define MGA_SOURCE_H

#include "ring.h"

typedef struct {
    /* Slow preparation, in the thread, before the first frame. May be null. */
    int64_t (*prepare)(mga_source *source);
    /* Writes frame `number` (from 1) to dst. MGA_OK, or what ended the source. */
    int64_t (*fill)(mga_source *source, uint8_t *dst, uint64_t number, uint64_t timestamp_ns);
    /* Instead of both: delivers frames until stop is asked or something ends it. */
    int64_t (*run)(mga_source *source);
    /* Wakes what `run` waits for, because stop was asked; from another thread. With `run`. */
    void (*wake)(mga_source *source);
    /* Frees what self owns. */
    void (*dispose)(mga_source *source);
} mga_source_kind;

struct mga_source {
    mga_ring ring;
    const mga_source_kind *kind;
    void *self; /* of the kind */
    double rate_hz;
    uint64_t frames; /* 0 = endless */
    pthread_t thread;
    pthread_mutex_t lifecycle; /* start and stop exclude each other */
    bool started;
    bool joined;
};

/* What every kind of source is opened with. */
typedef struct {
    void *memory;
    size_t memory_size;
    uint64_t frame_bytes;
    uint32_t slots;
    double rate_hz;
    uint64_t frames; /* 0 = endless */
} mga_source_setup;

/* Makes a source around self; on failure self is still the caller's. */
int64_t mga_source_make(mga_source **out, const mga_source_kind *kind, void *self, const mga_source_setup *setup);

#endif
