/* The replay source: frames of a file, read by the thread straight into the slots. The file must be a regular file (or
 * a memory file): reads are positioned, and only a hung file system could delay a stop. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "source.h"

#define READ_BYTES_MAX                                                                                                 \
    (1u << 20) /* between two looks at the stop flag: a millisecond from a cache, tens from a card                     \
                */

typedef struct {
    int fd;
    int64_t offset;
    uint64_t frame_bytes;
    uint64_t frames; /* in the file */
} replay_self;

static int64_t read_all(mga_source *source, const replay_self *self, uint8_t *dst, int64_t offset)
{
    uint64_t done = 0;
    while (done < self->frame_bytes) {
        uint64_t left = self->frame_bytes - done;
        size_t wanted = left < READ_BYTES_MAX ? (size_t)left : READ_BYTES_MAX;
        ssize_t got = pread(self->fd, dst + done, wanted, offset + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return MGA_ERR_DEV_READ;
        if (got == 0 || mga_ring_stopping(&source->ring))
            return MGA_ERR_DEV_SHORT;
        done += (uint64_t)got;
    }
    return MGA_OK;
}

static int64_t fill(mga_source *source, uint8_t *dst, uint64_t number, uint64_t timestamp_ns)
{
    (void)timestamp_ns;
    const replay_self *self = source->self;
    uint64_t index = (number - 1) % self->frames;
    return read_all(source, self, dst, self->offset + (int64_t)(index * self->frame_bytes));
}

static void dispose(mga_source *source)
{
    replay_self *self = source->self;
    (void)close(self->fd);
    free(self);
}

static const mga_source_kind REPLAY = {.fill = fill, .dispose = dispose};

static int64_t check(const mga_replay_params *p)
{
    if (p->frames < 1 || p->offset < 0 || p->repeat > 1 || p->frame_bytes < 1 || p->frame_bytes > MGA_FRAME_BYTES_MAX)
        return MGA_ERR_ARG_RANGE;
    if (p->frames > ((uint64_t)INT64_MAX - (uint64_t)p->offset) / p->frame_bytes)
        return MGA_ERR_ARG_RANGE; /* the last offset must fit */
    return MGA_OK;
}

int64_t mga_replay_open(mga_source **out, void *memory, size_t memory_size, const mga_replay_params *params)
{
    if (!out || !params)
        return MGA_ERR_ARG_NULL;
    int64_t status = check(params);
    if (status < 0)
        return status;
    replay_self *self = malloc(sizeof *self);
    if (!self)
        return MGA_ERR_DEV_MEMORY;
    *self = (replay_self){fcntl(params->fd, F_DUPFD_CLOEXEC, 0), params->offset, params->frame_bytes, params->frames};
    if (self->fd < 0) {
        free(self);
        return MGA_ERR_DEV_EVENT;
    }
    const mga_source_setup setup = {
        .memory = memory,
        .memory_size = memory_size,
        .frame_bytes = params->frame_bytes,
        .slots = params->slots,
        .rate_hz = params->rate_hz,
        .frames = params->repeat ? 0 : params->frames,
    };
    status = mga_source_make(out, &REPLAY, self, &setup);
    if (status < 0) {
        (void)close(self->fd);
        free(self);
    }
    return status;
}
