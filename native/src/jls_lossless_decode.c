#include "jls_regular.h"

/* Room of the context that stands for a run: no code is so short that it would be read there. */
#define RUN (-100)

/* A run from sample i on, and the sample that ends it; gives the one behind, or SIZE_MAX when no encoder writes such
 * bits. */
static size_t get_run(jls_state *s, jls_reader *r, uint16_t *current, const uint16_t *previous, size_t i, size_t count)
{
    uint16_t ra = current[i];
    uint32_t *index = &s->run_index[s->component];
    bool interrupted = false;
    size_t end = i + jls_get_run(r, index, count - i, &interrupted);
    if (interrupted && end >= count)
        return SIZE_MAX;
    for (size_t p = i; p < end; p++)
        current[p + 1] = ra;
    if (!interrupted)
        return end;
    int32_t x = jls_scalar_interrupted(s, r, *index, ra, previous[end + 1]);
    if (x < 0)
        return SIZE_MAX;
    current[end + 1] = (uint16_t)x;
    *index -= *index > 0;
    return end + 1;
}

/* Decodes prepared samples in turn, `at` of them behind `end`; stops before a run and before a long code. */
INLINE size_t regular(const jls_block *o, size_t at, size_t end, jls_reader *r, bool clamped)
{
    jls_state *const s = o->state;
    const jls_decode_block *const b = o->prepared;
    const jls_thirds thirds = *o->thirds;
    const int32_t maxval = (int32_t)s->coding.maxval;
    uint16_t *const current = o->current + 1;
    jls_codes codes = jls_codes_of(r, &s->coding);
    int64_t ra = o->current[at]; /* what becomes an address is as wide as one */
    for (; at < end; at++) {
        int64_t d = jls_third(o, at, ra, thirds.reach, clamped);
        uint8_t *row = (uint8_t *)s + b->row[at];
        jls_context *x = (jls_context *)(void *)(row + 8 * (int64_t)thirds.context[d]);
        uint32_t m;
        if (!jls_take(&codes, x, &m))
            break;
        int32_t predicted = (int32_t)ra + jls_median(b, at, (int32_t)ra);
        ra = jls_restore(x, &s->steps, m, thirds.sign[d], predicted, maxval);
        current[at] = (uint16_t)ra;
    }
    r->position = codes.position;
    r->all = codes.all;
    return at;
}

typedef struct {
    void (*prepare)(const jls_block *o, size_t count);
    size_t (*regular)(const jls_block *o, size_t at, size_t end, jls_reader *r);
    size_t (*clamped)(const jls_block *o, size_t at, size_t end,
                      jls_reader *r); /* where differences beyond reach exist */
} jls_decode_kernels;

static void prepare_portable(const jls_block *o, size_t count)
{
    jls_prepare(o, count);
}

static size_t regular_portable(const jls_block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, false);
}

static size_t clamped_portable(const jls_block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, true);
}

static const jls_decode_kernels PORTABLE = {prepare_portable, regular_portable, clamped_portable};

#if defined(__x86_64__)

JLS_FAST static void prepare_fast(const jls_block *o, size_t count)
{
    jls_prepare(o, count);
}

JLS_FAST static size_t regular_fast(const jls_block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, false);
}

JLS_FAST static size_t clamped_fast(const jls_block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, true);
}

static const jls_decode_kernels *best(void)
{
    static const jls_decode_kernels FAST = {prepare_fast, regular_fast, clamped_fast};
    return jls_has_fast() ? &FAST : &PORTABLE;
}

#else

static const jls_decode_kernels *best(void)
{
    return &PORTABLE;
}

#endif

/* Is sample i in a run? All differences are 0 then (T.87 A.3.3). */
static bool is_run(const jls_lines *l, size_t i)
{
    const uint16_t *previous = l->previous[0] + i;
    uint16_t ra = l->current[0][i];
    return previous[2] == ra && previous[1] == ra && previous[0] == ra;
}

/* From sample i on to the end of its block, or of a run; SIZE_MAX when no encoder writes such bits. */
static size_t decode_block(const jls_decode_kernels *kernels, const jls_block *whole, const jls_lines *l, size_t i,
                           jls_reader *r)
{
    jls_state *s = whole->state;
    const jls_block o = {s, whole->prepared, whole->thirds, l->current[0] + i, l->previous[0] + i};
    if (is_run(l, i))
        return get_run(s, r, l->current[0], l->previous[0], i, l->count);
    size_t end = l->count - i < JLS_DECODE_BLOCK ? l->count - i : JLS_DECODE_BLOCK;
    kernels->prepare(&o, end);
    r->all = 0;
    size_t at = 0;
    while (at < end) {
        at = (o.thirds->clamped ? kernels->clamped : kernels->regular)(&o, at, end, r);
        if (at >= end)
            break;
        size_t next = is_run(l, i + at) ? get_run(s, r, l->current[0], l->previous[0], i + at, l->count)
                                        : jls_scalar_decode_one(s, l, i + at, r);
        if (next == SIZE_MAX)
            return SIZE_MAX;
        at = next - i;
    }
    return r->all > 2 * s->coding.range ? SIZE_MAX : i + at;
}

int64_t jls_lossless_decode(jls_state *state, jls_decode_block *prepared, const jls_thirds *thirds,
                            const jls_lines *lines, jls_reader *reader)
{
    const jls_decode_kernels *kernels = best();
    const jls_block whole = {.state = state, .prepared = prepared, .thirds = thirds};
    state->component = lines->component;
    state->contexts[0].code.room = RUN;
    for (size_t i = 0; i < lines->count;) {
        i = decode_block(kernels, &whole, lines, i, reader);
        if (i == SIZE_MAX)
            return MGA_ERR_DATA_CODE;
    }
    return MGA_OK;
}
