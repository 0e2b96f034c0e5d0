#include "jls_lossless.h"

#define INLINE static inline __attribute__((always_inline))

/* Most zeros of a code that one load holds together with its other bits: 57 less the one and 16 bits. */
#define ZEROS_LOADED 40u

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

/* What the line above says about up to a block of samples. */
INLINE void prepare(jls_decode_block *restrict b, const uint16_t *restrict previous, size_t count, const jls_coding *c)
{
    const uint16_t t1 = (uint16_t)c->t1;
    const uint16_t t2 = (uint16_t)c->t2;
    const uint16_t t3 = (uint16_t)c->t3;
    const int32_t middle = (int32_t)c->maxval;
    const int32_t turned = 2 * middle + 1; /* from the table to the one of negated differences */
    for (size_t i = 0; i < count; i++) {
        uint16_t rc = previous[i];
        uint16_t rb = previous[i + 1];
        uint16_t rd = previous[i + 2];
        int16_t q1 = jls_quantise(rd, rb, t1, t2, t3);
        int16_t q2 = jls_quantise(rb, rc, t1, t2, t3);
        int16_t q = (int16_t)(q1 * 81 + q2 * 9);
        int16_t sign = (int16_t)(q >> 15);
        b->sign[i] = sign;
        b->context[i] = (uint16_t)((uint16_t)((q ^ sign) - sign) * sizeof(jls_context));
    }
    for (size_t i = 0; i < count; i++) {
        int32_t rc = previous[i];
        int32_t change = previous[i + 1] - rc;
        b->index[i] = rc + middle + (turned & b->sign[i]);
        b->least[i] = change < 0 ? change : 0;
        b->most[i] = change > 0 ? change : 0;
    }
}

/* Decodes prepared samples in turn, `at` of them behind `end`; stops before a run and before a code that is longer than
 * one load. Nothing is called from here, so that everything stays in registers. */
INLINE size_t regular(jls_state *s, const jls_decode_block *b, const int16_t *differences, uint16_t *current,
                      const uint16_t *previous, size_t at, size_t end, jls_reader *r)
{
    const uint32_t hmax = s->coding.limit - s->coding.qbpp - 1;
    const uint32_t zeros_max = hmax < ZEROS_LOADED ? hmax : ZEROS_LOADED;
    const int32_t maxval = (int32_t)s->coding.maxval;
    const uint8_t *raw = r->raw;
    uint64_t position = r->position;
    uint32_t all = r->all;
    int64_t ra = current[at]; /* what becomes an address is as wide as one */
    for (; at < end; at++) {
        int64_t q = b->context[at] + (int64_t)differences[b->index[at] - ra];
        int32_t sign = b->sign[at];
        if (__builtin_expect(q <= 0, 0)) {
            if (q == 0)
                break;
            q = -q;
            sign = -1;
        }
        jls_context *x = (jls_context *)(void *)((uint8_t *)s->contexts + q);
        uint64_t bits = jls_peek(raw, position);
        uint32_t k = x->code.k & 31u;
        uint32_t zeros = (uint32_t)__builtin_clzll(bits | 1);
        if (__builtin_expect(zeros >= zeros_max, 0))
            break;
        /* the one and k bits, less the one, and the zeros above: ((zeros - 1) << k) + (1 << k) + low */
        uint32_t m = ((zeros - 1) << k) + (uint32_t)(bits << zeros >> (63 - k));
        position += zeros + 1 + k;
        all |= m;
        int32_t step = previous[at + 1] - (int32_t)ra; /* the median of T.87 A.4.1, less ra */
        step = step < b->least[at] ? b->least[at] : step;
        step = step > b->most[at] ? b->most[at] : step;
        int32_t px = (int32_t)ra + step + ((x->c ^ sign) - sign);
        px = px < 0 ? 0 : px;
        px = px > maxval ? maxval : px;
        int32_t e = jls_unfold(m ^ x->code.inverted);
        ra = (int64_t)(((uint32_t)px + ((uint32_t)(e ^ sign) - (uint32_t)sign)) & (uint32_t)maxval);
        current[at + 1] = (uint16_t)ra;
        jls_update(x, s->reciprocals, e, e < 0 ? 0u - (uint32_t)e : (uint32_t)e);
    }
    r->position = position;
    r->all = all;
    return at;
}

typedef struct {
    void (*prepare)(jls_decode_block *b, const uint16_t *previous, size_t count, const jls_coding *c);
    size_t (*regular)(jls_state *s, const jls_decode_block *b, const int16_t *differences, uint16_t *current,
                      const uint16_t *previous, size_t at, size_t end, jls_reader *r);
} jls_decode_kernels;

static void prepare_portable(jls_decode_block *b, const uint16_t *previous, size_t count, const jls_coding *c)
{
    prepare(b, previous, count, c);
}

static size_t regular_portable(jls_state *s, const jls_decode_block *b, const int16_t *differences, uint16_t *current,
                               const uint16_t *previous, size_t at, size_t end, jls_reader *r)
{
    return regular(s, b, differences, current, previous, at, end, r);
}

static const jls_decode_kernels PORTABLE = {prepare_portable, regular_portable};

#if defined(__x86_64__)

JLS_FAST static void prepare_fast(jls_decode_block *b, const uint16_t *previous, size_t count, const jls_coding *c)
{
    prepare(b, previous, count, c);
}

JLS_FAST static size_t regular_fast(jls_state *s, const jls_decode_block *b, const int16_t *differences,
                                    uint16_t *current, const uint16_t *previous, size_t at, size_t end, jls_reader *r)
{
    return regular(s, b, differences, current, previous, at, end, r);
}

static const jls_decode_kernels *best(void)
{
    static const jls_decode_kernels FAST = {prepare_fast, regular_fast};
    return jls_has_fast() ? &FAST : &PORTABLE;
}

#else

static const jls_decode_kernels *best(void)
{
    return &PORTABLE;
}

#endif

void jls_lossless_differences(int16_t *differences, const jls_coding *c)
{
    int32_t most = (int32_t)c->maxval;
    for (int32_t d = -most; d <= most; d++) {
        uint32_t size = (uint32_t)(d < 0 ? -d : d);
        int32_t q = (size > 0) + (size >= c->t1) + (size >= c->t2) + (size >= c->t3);
        q = (d < 0 ? -q : q) * (int32_t)sizeof(jls_context);
        differences[d + most] = (int16_t)q;
        differences[d + 3 * most + 1] = (int16_t)-q;
    }
}

/* From sample i on to the end of its block, or of a run; SIZE_MAX when no encoder writes such bits. */
static size_t decode_block(const jls_decode_kernels *kernels, jls_state *s, jls_decode_block *b,
                           const int16_t *differences, const jls_lines *l, size_t i, jls_reader *r)
{
    uint16_t *current = l->current[0];
    const uint16_t *previous = l->previous[0];
    if (previous[i + 2] == current[i] && previous[i + 1] == current[i] && previous[i] == current[i])
        return get_run(s, r, current, previous, i, l->count);
    size_t end = l->count - i < JLS_DECODE_BLOCK ? l->count - i : JLS_DECODE_BLOCK;
    kernels->prepare(b, previous + i, end, &s->coding);
    r->all = 0;
    size_t at = 0;
    while (at < end) {
        at = kernels->regular(s, b, differences, current + i, previous + i, at, end, r);
        if (at >= end)
            break;
        bool run = b->context[at] + differences[b->index[at] - current[i + at]] == 0;
        size_t next = run ? get_run(s, r, current, previous, i + at, l->count) : jls_scalar_decode_one(s, l, i + at, r);
        if (next == SIZE_MAX)
            return SIZE_MAX;
        at = next - i;
    }
    return r->all > 2 * s->coding.range ? SIZE_MAX : i + at;
}

int64_t jls_lossless_decode(jls_state *state, jls_decode_block *block, const int16_t *differences,
                            const jls_lines *lines, jls_reader *reader)
{
    const jls_decode_kernels *kernels = best();
    state->component = lines->component;
    for (size_t i = 0; i < lines->count;) {
        i = decode_block(kernels, state, block, differences, lines, i, reader);
        if (i == SIZE_MAX)
            return MGA_ERR_DATA_CODE;
    }
    return MGA_OK;
}
