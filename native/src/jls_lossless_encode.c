#include "jls_lossless.h"

#define INLINE static inline __attribute__((always_inline))

/* Samples from `from` on that are equal to x. */
static size_t run_length(const uint16_t *from, size_t most, uint16_t x)
{
    size_t n = 0;
    uint64_t four = x * 0x0001000100010001u;
    for (; n + 4 <= most; n += 4) {
        uint64_t v;
        memcpy(&v, from + n, sizeof v);
        if (v != four)
            break;
    }
    while (n < most && from[n] == x)
        n++;
    return n;
}

/* A run from sample i on, and the sample that ends it; gives the one behind. */
static size_t put_run(jls_state *s, const uint16_t *current, const uint16_t *previous, size_t i, size_t count,
                      jls_symbols *symbols)
{
    uint16_t ra = current[i];
    size_t end = i + run_length(current + i + 1, count - i, ra);
    uint32_t *index = &s->run_index[s->component];
    jls_put_run(symbols, &s->coding, index, end - i, end < count);
    if (end == count)
        return end;
    jls_scalar_interrupt(s, symbols, *index, ra, previous[end + 1], current[end + 1]);
    *index -= *index > 0;
    return end + 1;
}

typedef struct {
    uint16_t t1, t2, t3, maxval;
} limits;

static inline uint16_t least_of(uint16_t x, uint16_t y)
{
    return x < y ? x : y;
}

static inline uint16_t most_of(uint16_t x, uint16_t y)
{
    return x > y ? x : y;
}

/* Contexts, predictions and errors of up to a block of samples. True when any prediction is so near to 0 or MAXVAL that
 * C may have to be limited, or any error so large that it may have to be reduced to the range. */
INLINE bool predict(jls_encode_block *restrict b, const uint16_t *restrict current, const uint16_t *restrict previous,
                    size_t count, limits t)
{
    const uint16_t t1 = t.t1;
    const uint16_t t2 = t.t2;
    const uint16_t t3 = t.t3;
    const uint16_t maxval = t.maxval;
    const uint16_t half = maxval / 2;
    uint16_t room = 128;
    uint16_t spread = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t ra = current[i];
        uint16_t x = current[i + 1];
        uint16_t rc = previous[i];
        uint16_t rb = previous[i + 1];
        uint16_t rd = previous[i + 2];
        int16_t q1 = jls_quantise(rd, rb, t1, t2, t3);
        int16_t q2 = jls_quantise(rb, rc, t1, t2, t3);
        int16_t q3 = jls_quantise(rc, ra, t1, t2, t3);
        int16_t q = (int16_t)(q1 * 81 + q2 * 9 + q3);
        int16_t sign = (int16_t)(q >> 15);
        b->context[i] = (uint16_t)((uint16_t)((q ^ sign) - sign) * sizeof(jls_context));
        uint16_t high = most_of(ra, rb);
        uint16_t low = least_of(ra, rb);
        uint16_t px = (uint16_t)(ra + rb - rc);
        px = rc >= high ? low : rc <= low ? high : px;
        int16_t e = (int16_t)(x - px);
        b->error[i] = (int16_t)((e ^ sign) - sign);
        uint16_t below = least_of(px, 128);
        uint16_t above = least_of((uint16_t)(maxval - px), 128);
        b->low[i] = (int16_t) - (sign ? above : below);
        b->high[i] = (int16_t)(sign ? below : above);
        uint16_t counts = (uint16_t) - (q != 0); /* samples of a run are not predicted */
        uint16_t least = (uint16_t)(least_of(below, above) | ~counts);
        uint16_t size = (uint16_t)(most_of(x, px) - least_of(x, px)) & counts;
        room = least_of(room, least);
        spread = most_of(spread, size);
    }
    return room < 128 || half < 128 || spread > half - 128;
}

/* Lists predicted samples in turn, `at` of them behind `end`; stops before a run. Nothing is called from here, so that
 * everything stays in registers. */
INLINE size_t regular(jls_state *s, const jls_encode_block *b, size_t at, size_t end, jls_symbols *symbols,
                      bool limited)
{
    const uint32_t shift = 32 - s->coding.precision;
    size_t listed = symbols->count;
    for (; at < end; at++) {
        uint64_t q = b->context[at];
        if (__builtin_expect(q == 0, 0))
            break;
        jls_context *x = (jls_context *)(void *)((uint8_t *)s->contexts + q);
        int32_t c = (int32_t)x->bc[1];
        if (limited) {
            c = c < b->low[at] ? b->low[at] : c;
            c = c > b->high[at] ? b->high[at] : c;
        }
        int32_t e = b->error[at] - c;
        if (limited)
            e = (int32_t)((uint32_t)e << shift) >> shift;
        symbols->e[listed] = e;
        symbols->a[listed] = x->a;
        symbols->b[listed] = x->bc[0];
        symbols->n[listed++] = x->n;
        jls_count(x, &s->steps, e, (uint32_t)(e < 0 ? -e : e));
    }
    symbols->count = listed;
    return at;
}

typedef struct {
    bool (*predict)(jls_encode_block *b, const uint16_t *current, const uint16_t *previous, size_t count, limits t);
    size_t (*regular)(jls_state *s, const jls_encode_block *b, size_t at, size_t end, jls_symbols *symbols);
    size_t (*limited)(jls_state *s, const jls_encode_block *b, size_t at, size_t end, jls_symbols *symbols);
} encode_kernels;

static bool predict_portable(jls_encode_block *b, const uint16_t *current, const uint16_t *previous, size_t count,
                             limits t)
{
    return predict(b, current, previous, count, t);
}

static size_t regular_portable(jls_state *s, const jls_encode_block *b, size_t at, size_t end, jls_symbols *symbols)
{
    return regular(s, b, at, end, symbols, false);
}

static size_t limited_portable(jls_state *s, const jls_encode_block *b, size_t at, size_t end, jls_symbols *symbols)
{
    return regular(s, b, at, end, symbols, true);
}

static const encode_kernels PORTABLE = {predict_portable, regular_portable, limited_portable};

#if defined(__x86_64__)

JLS_FAST static bool predict_fast(jls_encode_block *b, const uint16_t *current, const uint16_t *previous, size_t count,
                                  limits t)
{
    return predict(b, current, previous, count, t);
}

JLS_FAST static size_t regular_fast(jls_state *s, const jls_encode_block *b, size_t at, size_t end,
                                    jls_symbols *symbols)
{
    return regular(s, b, at, end, symbols, false);
}

JLS_FAST static size_t limited_fast(jls_state *s, const jls_encode_block *b, size_t at, size_t end,
                                    jls_symbols *symbols)
{
    return regular(s, b, at, end, symbols, true);
}

static const encode_kernels *best(void)
{
    static const encode_kernels FAST = {predict_fast, regular_fast, limited_fast};
    return jls_has_fast() ? &FAST : &PORTABLE;
}

#else

static const encode_kernels *best(void)
{
    return &PORTABLE;
}

#endif

/* From sample i on to the end of its block, or of a run. */
static size_t encode_block(const encode_kernels *kernels, jls_state *s, jls_encode_block *b, const jls_lines *l,
                           size_t i, jls_symbols *symbols)
{
    const uint16_t *current = l->current[0];
    const uint16_t *previous = l->previous[0];
    if (previous[i + 2] == current[i] && previous[i + 1] == current[i] && previous[i] == current[i])
        return put_run(s, current, previous, i, l->count, symbols);
    const jls_coding *c = &s->coding;
    limits t = {(uint16_t)c->t1, (uint16_t)c->t2, (uint16_t)c->t3, (uint16_t)c->maxval};
    size_t end = l->count - i < JLS_BLOCK ? l->count - i : JLS_BLOCK;
    bool near_limits = kernels->predict(b, current + i, previous + i, end, t);
    size_t at = 0;
    while (at < end) {
        at = (near_limits ? kernels->limited : kernels->regular)(s, b, at, end, symbols);
        if (at < end)
            at = put_run(s, current, previous, i + at, l->count, symbols) - i;
    }
    return i + at;
}

int64_t jls_lossless_encode(jls_state *state, jls_encode_block *block, const jls_lines *lines, jls_symbols *symbols,
                            jls_flush flush, void *owner)
{
    const encode_kernels *kernels = best();
    state->component = lines->component;
    for (size_t i = 0; i < lines->count;) {
        i = encode_block(kernels, state, block, lines, i, symbols);
        if (symbols->count >= JLS_BLOCK && !flush(owner))
            return MGA_ERR_ARG_DST_SIZE;
    }
    return flush(owner) ? MGA_OK : MGA_ERR_ARG_DST_SIZE;
}
