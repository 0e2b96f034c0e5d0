/* Lossless pixels of three components interleaved by sample. The contexts of all three depend on the pixel to the left
 * alone, so they are found side by side. */
#include "jls_regular.h"

#define PER_PIXEL 3u

/* Decodes prepared pixels in turn, `at` of them behind `end`; stops before a run, and before a long code, that of
 * *component. */
INLINE size_t pixels(const jls_block *o, size_t at, size_t end, jls_reader *r, size_t *component)
{
    jls_state *const s = o->state;
    const jls_thirds thirds = *o->thirds;
    const int32_t maxval = (int32_t)s->coding.maxval;
    jls_codes codes = jls_codes_of(r, &s->coding);
    int64_t ra[PER_PIXEL] = {o[0].current[at], o[1].current[at], o[2].current[at]};
    size_t j = 0;
    for (; at < end && j == 0; at++) {
        jls_context *x[PER_PIXEL];
        int32_t sign[PER_PIXEL];
        uintptr_t regular = 0;
        for (j = 0; j < PER_PIXEL; j++) {
            int64_t d = jls_third(&o[j], at, ra[j], 0, false);
            uint8_t *row = (uint8_t *)s + o[j].prepared->row[at];
            x[j] = (jls_context *)(void *)(row + 8 * (int64_t)thirds.context[d]);
            sign[j] = thirds.sign[d];
            regular |= (uintptr_t)x[j] ^ (uintptr_t)s->contexts;
        }
        j = 0;
        if (!regular)
            break;
        for (uint32_t m; j < PER_PIXEL && jls_take(&codes, x[j], &m); j++) {
            int32_t predicted = (int32_t)ra[j] + jls_median(o[j].prepared, at, (int32_t)ra[j]);
            ra[j] = jls_restore(x[j], &s->steps, m, sign[j], predicted, maxval);
            o[j].current[at + 1] = (uint16_t)ra[j];
        }
        if (j < PER_PIXEL)
            break;
        j = 0;
    }
    *component = j;
    r->position = codes.position;
    r->all = codes.all;
    return at;
}

typedef struct {
    void (*prepare)(const jls_block *o, size_t count);
    size_t (*pixels)(const jls_block *o, size_t at, size_t end, jls_reader *r, size_t *component);
} jls_pixel_kernels;

static void prepare_portable(const jls_block *o, size_t count)
{
    jls_prepare(o, count);
}

static size_t pixels_portable(const jls_block *o, size_t at, size_t end, jls_reader *r, size_t *component)
{
    return pixels(o, at, end, r, component);
}

static const jls_pixel_kernels PORTABLE = {prepare_portable, pixels_portable};

#if defined(__x86_64__)

JLS_FAST static void prepare_fast(const jls_block *o, size_t count)
{
    jls_prepare(o, count);
}

JLS_FAST static size_t pixels_fast(const jls_block *o, size_t at, size_t end, jls_reader *r, size_t *component)
{
    return pixels(o, at, end, r, component);
}

static const jls_pixel_kernels *best(void)
{
    static const jls_pixel_kernels FAST = {prepare_fast, pixels_fast};
    return jls_has_fast() ? &FAST : &PORTABLE;
}

#else

static const jls_pixel_kernels *best(void)
{
    return &PORTABLE;
}

#endif

/* From pixel i on to the end of its block, or of a run that leads beyond; SIZE_MAX when no encoder writes such bits. */
static size_t decode_block(const jls_pixel_kernels *kernels, jls_state *s, jls_decode_block *prepared,
                           const jls_thirds *thirds, const jls_lines *l, size_t i, jls_reader *r)
{
    jls_block o[PER_PIXEL];
    size_t end = l->count - i < JLS_DECODE_BLOCK ? l->count - i : JLS_DECODE_BLOCK;
    for (size_t j = 0; j < PER_PIXEL; j++) {
        o[j] = (jls_block){s, prepared + j, thirds, l->current[j] + i, l->previous[j] + i};
        kernels->prepare(&o[j], end);
    }
    r->all = 0;
    size_t at = 0;
    while (at < end) {
        size_t component = 0;
        at = kernels->pixels(o, at, end, r, &component);
        if (at >= end)
            break;
        size_t next = jls_scalar_decode_rest(s, l, i + at, component, r);
        if (next == SIZE_MAX)
            return SIZE_MAX;
        at = next - i;
    }
    return r->all > 2 * s->coding.range ? SIZE_MAX : i + at;
}

int64_t jls_pixel_decode(jls_state *state, jls_decode_block *prepared, const jls_thirds *thirds, const jls_lines *lines,
                         jls_reader *reader)
{
    const jls_pixel_kernels *kernels = best();
    state->component = 0;
    for (size_t i = 0; i < lines->count;) {
        i = decode_block(kernels, state, prepared, thirds, lines, i, reader);
        if (i == SIZE_MAX)
            return MGA_ERR_DATA_CODE;
    }
    return MGA_OK;
}
