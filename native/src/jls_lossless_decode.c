#include "jls_regular.h"
#include "jls_run.h"

/* Room of the context that stands for a run: no code is so short that it would be read there. */
#define RUN (-100)

/* Samples that are filled at a time. */
#define JLS_RUN_FILL 16u
typedef uint16_t samples __attribute__((vector_size(2 * JLS_RUN_FILL)));

/* As long as this a run's length is one word of bits: ones, a zero, and the remainder. */
#define SHORT_ONES 24u

/* How long the run is that begins here, at most `left`; SIZE_MAX when no encoder writes such bits. */
INLINE size_t run_length(jls_reader *r, uint32_t *index, size_t left, bool *interrupted)
{
    uint64_t bits = jls_peek(r->raw, r->position);
    uint32_t ones = (uint32_t)__builtin_clzll(~bits | 1);
    uint32_t last = *index + ones;
    if (__builtin_expect(ones <= SHORT_ONES && last <= JLS_RUN_INDEX_MAX, 1)) {
        size_t whole = (size_t)JLS_RUN_SAMPLES[last] - JLS_RUN_SAMPLES[*index];
        if (whole < left) {
            uint32_t length = JLS_RUN_BITS[last] + 1u;
            r->position += ones + length;
            *index = last;
            *interrupted = true;
            whole += (size_t)(bits << ones >> (64 - length));
            return whole < left ? whole : SIZE_MAX;
        }
    }
    size_t count = jls_get_run(r, index, left, interrupted);
    return *interrupted && count >= left ? SIZE_MAX : count;
}

/* Copies the sample to the left over `count` more; JLS_RUN_FILL may be too many, but not behind a line's slack. */
INLINE void fill(uint16_t *left, size_t count)
{
    const samples same = *left - (samples){0};
    size_t i = 0;
    do {
        memcpy(left + 1 + i, &same, sizeof same);
    } while ((i += JLS_RUN_FILL) < count);
}

/* The mapped error of the sample that ends a run (T.87 A.7.2.2); -1 when no encoder writes such bits. */
INLINE int64_t ending(jls_reader *r, const jls_coding *c, uint32_t index, uint32_t k)
{
    uint32_t limit = c->limit - JLS_RUN_BITS[index] - 1;
    uint64_t bits = jls_peek(r->raw, r->position);
    uint32_t zeros = (uint32_t)__builtin_clzll(bits | 1);
    if (__builtin_expect(zeros >= limit - c->qbpp - 1 || zeros + k >= 56, 0))
        return jls_get_golomb(r, c, limit, k);
    r->position += zeros + 1 + k;
    return (int64_t)((uint64_t)zeros << k | bits << zeros << 1 >> 1 >> (63 - k));
}

/* The sample that ends a run (T.87 A.7.2), or -1. */
INLINE int32_t interruption(jls_state *s, jls_reader *r, uint32_t index, int32_t ra, int32_t rb)
{
    bool by_left = ra == rb;
    jls_run_context *x = &s->runs[by_left];
    uint32_t k = jls_run_k(x, &s->steps, jls_run_a(x, by_left));
    int64_t m = ending(r, &s->coding, index, k);
    if (m < 0 || m > s->coding.range)
        return -1;
    int32_t e = jls_run_error(x, (uint32_t)m, k, by_left);
    jls_run_update(x, JLS_RESET, (uint32_t)m, e, by_left);
    return (int32_t)((uint32_t)(ra > rb ? rb - e : rb + e) & s->coding.maxval);
}

/* A run from sample i on, and the sample that ends it; gives the one behind, or SIZE_MAX when no encoder writes such
 * bits. */
INLINE size_t run(jls_state *s, jls_reader *r, const jls_lines *l, size_t i)
{
    uint16_t *current = l->current[0] + i;
    uint32_t *index = &s->run_index[s->component];
    bool interrupted = false;
    size_t count = run_length(r, index, l->count - i, &interrupted);
    if (count == SIZE_MAX)
        return SIZE_MAX;
    fill(current, count);
    i += count;
    if (!interrupted)
        return i;
    int32_t x = interruption(s, r, *index, *current, l->previous[0][i + 1]);
    if (x < 0)
        return SIZE_MAX;
    current[count + 1] = (uint16_t)x;
    *index -= *index > 0;
    return i + 1;
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
    size_t (*run)(jls_state *s, jls_reader *r, const jls_lines *l, size_t i);
    void (*prepare)(const jls_block *o, size_t count);
    size_t (*regular)(const jls_block *o, size_t at, size_t end, jls_reader *r);
    size_t (*clamped)(const jls_block *o, size_t at, size_t end,
                      jls_reader *r); /* where differences beyond reach exist */
} jls_decode_kernels;

static size_t run_portable(jls_state *s, jls_reader *r, const jls_lines *l, size_t i)
{
    return run(s, r, l, i);
}

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

static const jls_decode_kernels PORTABLE = {run_portable, prepare_portable, regular_portable, clamped_portable};

#if defined(__x86_64__)

JLS_FAST static size_t run_fast(jls_state *s, jls_reader *r, const jls_lines *l, size_t i)
{
    return run(s, r, l, i);
}

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
    static const jls_decode_kernels FAST = {run_fast, prepare_fast, regular_fast, clamped_fast};
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
        return kernels->run(s, r, l, i);
    size_t end = l->count - i < JLS_DECODE_BLOCK ? l->count - i : JLS_DECODE_BLOCK;
    kernels->prepare(&o, end);
    r->all = 0;
    size_t at = 0;
    while (at < end) {
        at = (o.thirds->clamped ? kernels->clamped : kernels->regular)(&o, at, end, r);
        if (at >= end)
            break;
        size_t next = is_run(l, i + at) ? kernels->run(s, r, l, i + at) : jls_scalar_decode_one(s, l, i + at, r);
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
