/* The pattern source: pictures that move like the real thing, with number and time burnt in so that loss shows. */
#include <stdlib.h>

#include "pattern.h"
#include "source.h"

typedef struct {
    mga_pattern_params params;
    mga_pattern_us *us;
    mga_pattern_dx *dx;
} pattern_self;

static uint32_t samples_of(uint32_t kind)
{
    return kind == MGA_PATTERN_US_RGB ? 3 : 1;
}

static uint32_t sample_bytes_of(uint32_t kind)
{
    return kind == MGA_PATTERN_DX16 ? 2 : 1;
}

/* In the thread: a daemon must be ready long before the tables are. */
static int64_t prepare(mga_source *source)
{
    pattern_self *self = source->self;
    const mga_pattern_params *p = &self->params;
    if (p->kind == MGA_PATTERN_DX16)
        self->dx = mga_pattern_dx_make(p->rows, p->columns, p->seed);
    else
        self->us = mga_pattern_us_make(p->rows, p->columns, samples_of(p->kind), p->seed);
    while (self->dx && mga_pattern_dx_prepare(self->dx))
        if (mga_ring_stopping(&source->ring))
            break;
    return self->dx || self->us ? MGA_OK : MGA_ERR_DEV_MEMORY;
}

static int64_t fill(mga_source *source, uint8_t *dst, uint64_t number, uint64_t timestamp_ns)
{
    pattern_self *self = source->self;
    const mga_pattern_params *p = &self->params;
    double nominal_hz = p->rate_hz > 0.0 ? p->rate_hz : 30.0; /* the picture depends on the number alone */
    if (self->dx)
        mga_pattern_dx_draw(self->dx, dst, number);
    else
        mga_pattern_us_draw(self->us, dst, number, (double)(number - 1) / nominal_hz);
    const mga_canvas canvas = {dst, p->rows, p->columns, samples_of(p->kind), sample_bytes_of(p->kind)};
    mga_canvas_stamp(&canvas, number, timestamp_ns);
    return MGA_OK;
}

static void dispose(mga_source *source)
{
    pattern_self *self = source->self;
    mga_pattern_us_free(self->us);
    mga_pattern_dx_free(self->dx);
    free(self);
}

static const mga_source_kind PATTERN = {.prepare = prepare, .fill = fill, .dispose = dispose};

static int64_t check(const mga_pattern_params *p)
{
    if (p->kind > MGA_PATTERN_DX16)
        return MGA_ERR_ARG_RANGE;
    if (p->rows < MGA_PATTERN_SIDE_MIN || p->rows > MGA_PATTERN_SIDE_MAX || p->columns < MGA_PATTERN_SIDE_MIN ||
        p->columns > MGA_PATTERN_SIDE_MAX)
        return MGA_ERR_ARG_FORMAT;
    return MGA_OK;
}

int64_t mga_pattern_open(mga_source **out, void *memory, size_t memory_size, const mga_pattern_params *params)
{
    if (!out || !params)
        return MGA_ERR_ARG_NULL;
    int64_t status = check(params);
    if (status < 0)
        return status;
    pattern_self *self = calloc(1, sizeof *self);
    if (!self)
        return MGA_ERR_DEV_MEMORY;
    self->params = *params;
    const mga_source_setup setup = {
        .memory = memory,
        .memory_size = memory_size,
        .frame_bytes =
            (uint64_t)params->rows * params->columns * samples_of(params->kind) * sample_bytes_of(params->kind),
        .slots = params->slots,
        .rate_hz = params->rate_hz,
        .frames = params->frames,
    };
    status = mga_source_make(out, &PATTERN, self, &setup);
    if (status < 0)
        free(self);
    return status;
}
