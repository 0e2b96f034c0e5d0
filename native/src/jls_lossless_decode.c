#include "jls_lossless.h"

#define INLINE static inline __attribute__((always_inline))

#define LOADED 56u /* bits that one load is sure to give */
#define RUN (-100) /* room of the context that stands for a run: no code is so short that it would be read there */

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

/* A block on its way: the lines from its first sample on, and what the loops need. */
typedef struct {
    jls_state *state;
    jls_decode_block *prepared;
    const jls_thirds *thirds;
    uint16_t *current; /* the sample to the left of the first */
    const uint16_t *previous;
} block;

/* What the line above says about so many samples. */
INLINE void prepare(const block *o, size_t count)
{
    jls_decode_block *restrict b = o->prepared;
    const uint16_t *restrict previous = o->previous;
    const uint16_t t1 = (uint16_t)o->state->coding.t1;
    const uint16_t t2 = (uint16_t)o->state->coding.t2;
    const uint16_t t3 = (uint16_t)o->state->coding.t3;
    const int32_t middle = o->thirds->reach;
    const int32_t table = 2 * middle + 1; /* entries */
    const int32_t counts = o->thirds->clamped ? 0 : -1;
    for (size_t i = 0; i < count; i++) {
        uint16_t rc = previous[i];
        uint16_t rb = previous[i + 1];
        uint16_t rd = previous[i + 2];
        int16_t q1 = jls_quantise(rd, rb, t1, t2, t3);
        int16_t q2 = jls_quantise(rb, rc, t1, t2, t3);
        int32_t q = (int16_t)(q1 * 81 + q2 * 9);
        int32_t change = rb - rc;
        b->row[i] =
            (uint32_t)(q < 0 ? -q : q) * (uint32_t)sizeof(jls_context) + (uint32_t)offsetof(jls_state, contexts);
        b->third[i] = (rc & counts) + middle + (q < 0 ? table : 0) + (q == 0 ? 2 * table : 0);
        b->above[i] = rb;
        b->least[i] = change < 0 ? change : 0;
        b->most[i] = change > 0 ? change : 0;
    }
}

/* The entry of the third difference. */
INLINE int64_t third(const block *o, size_t at, int64_t ra, int32_t reach, bool clamped)
{
    if (!clamped)
        return o->prepared->third[at] - ra;
    int32_t d = o->previous[at] - (int32_t)ra;
    d = d < -reach ? -reach : d;
    return o->prepared->third[at] + (d > reach ? reach : d);
}

/* The median of T.87 A.4.1, less ra. */
INLINE int32_t median(const jls_decode_block *b, size_t at, int32_t ra)
{
    int32_t step = b->above[at] - ra;
    step = step < b->least[at] ? b->least[at] : step;
    return step > b->most[at] ? b->most[at] : step;
}

/* Decodes prepared samples in turn, `at` of them behind `end`; stops before a run and before a code that is longer than
 * one load. Nothing is called from here, so that everything stays in registers. */
INLINE size_t regular(const block *o, size_t at, size_t end, jls_reader *r, bool clamped)
{
    jls_state *const s = o->state;
    const jls_decode_block *const b = o->prepared;
    const jls_thirds thirds = *o->thirds;
    const uint32_t hmax = s->coding.limit - s->coding.qbpp - 1;
    const uint32_t longest = hmax < LOADED ? hmax : LOADED;
    const int32_t maxval = (int32_t)s->coding.maxval;
    const uint8_t *const raw = r->raw;
    uint16_t *const current = o->current + 1;
    uint64_t position = r->position;
    uint32_t all = r->all;
    int64_t ra = o->current[at]; /* what becomes an address is as wide as one */
    for (; at < end; at++) {
        int64_t d = third(o, at, ra, thirds.reach, clamped);
        uint8_t *row = (uint8_t *)s + b->row[at];
        jls_context *x = (jls_context *)(void *)(row + 8 * (int64_t)thirds.context[d]);
        int32_t sign = thirds.sign[d];
        uint64_t bits = jls_peek(raw, position);
        uint32_t zeros = (uint32_t)__builtin_clzll(bits | 1);
        int32_t room = x->code.room; /* far below 0 in the context that stands for a run */
        uint32_t length = zeros + 34 - (uint32_t)room;
        if (__builtin_expect(length > longest, 0))
            break;
        position += length;
        /* zeros, then 33 of the bits behind the one: without the last `room` of them, the mapped error */
        uint64_t wide = (bits << zeros >> 30) + ((uint64_t)(zeros - 1) << 33);
        uint32_t m = (uint32_t)(wide >> room);
        all |= m;
        int32_t px = (int32_t)ra + median(b, at, (int32_t)ra) - sign + ((int32_t)x->bc[1] ^ sign);
        px = px < 0 ? 0 : px;
        px = px > maxval ? maxval : px;
        int32_t half = (int32_t)(m >> 1);
        int32_t odd = -(int32_t)((m ^ x->code.inverted) & 1);
        int32_t e = half ^ odd;
        ra = (int64_t)((uint32_t)(px - sign + (e ^ sign)) & (uint32_t)maxval);
        current[at] = (uint16_t)ra;
        jls_update(x, &s->steps, e, (uint32_t)(half - odd));
    }
    r->position = position;
    r->all = all;
    return at;
}

typedef struct {
    void (*prepare)(const block *o, size_t count);
    size_t (*regular)(const block *o, size_t at, size_t end, jls_reader *r);
    size_t (*clamped)(const block *o, size_t at, size_t end, jls_reader *r); /* where differences beyond reach exist */
} jls_decode_kernels;

static void prepare_portable(const block *o, size_t count)
{
    prepare(o, count);
}

static size_t regular_portable(const block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, false);
}

static size_t clamped_portable(const block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, true);
}

static const jls_decode_kernels PORTABLE = {prepare_portable, regular_portable, clamped_portable};

#if defined(__x86_64__)

JLS_FAST static void prepare_fast(const block *o, size_t count)
{
    prepare(o, count);
}

JLS_FAST static size_t regular_fast(const block *o, size_t at, size_t end, jls_reader *r)
{
    return regular(o, at, end, r, false);
}

JLS_FAST static size_t clamped_fast(const block *o, size_t at, size_t end, jls_reader *r)
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

#define REACH_LEAST 1023 /* default thresholds are below */

/* The greatest difference that the tables of a frame have room for. */
static int32_t room_of(const mga_format *f)
{
    uint64_t samples = (uint64_t)f->rows * f->columns * f->samples_per_pixel;
    int32_t most = (1 << f->bits_allocated) - 1;
    return most <= REACH_LEAST || samples > 2 * (uint64_t)most ? most : REACH_LEAST;
}

size_t jls_thirds_bytes(const mga_format *f)
{
    return jls_padded(2 * 3 * (2 * (size_t)room_of(f) + 1));
}

/* Tables are as large as they must be, or as large as they may: filling them takes time, too. */
bool jls_thirds_fill(jls_thirds *t, int8_t *memory, const mga_format *f, const jls_coding *c)
{
    int32_t most = (int32_t)c->maxval;
    const int32_t from[6] = {0, 1, (int32_t)c->t1, (int32_t)c->t2, (int32_t)c->t3, INT32_MAX};
    t->clamped = most > room_of(f);
    t->reach = t->clamped ? from[4] : most;
    if (t->reach > room_of(f))
        return false;
    size_t entries = 2 * (size_t)t->reach + 1;
    t->context = memory;
    t->sign = memory + 3 * entries;
    memset(t->sign, 0, entries);
    memset(t->sign + entries, -1, entries);
    memset(t->sign + 2 * entries, -1, (size_t)t->reach);
    memset(t->sign + 2 * entries + t->reach, 0, (size_t)t->reach + 1);
    int8_t *middle = memory + t->reach;
    for (int32_t q = 0; q < 5; q++) {
        int32_t last = from[q + 1] - 1 < t->reach ? from[q + 1] - 1 : t->reach;
        if (last < from[q])
            continue;
        size_t count = (size_t)(last - from[q] + 1);
        for (int32_t table = 0; table < 3; table++, middle += entries) {
            memset(middle + from[q], table == 1 ? -2 * q : 2 * q, count);
            memset(middle - last, table == 0 ? -2 * q : 2 * q, count);
        }
        middle -= 3 * entries;
    }
    return true;
}

/* Is sample i in a run? All differences are 0 then (T.87 A.3.3). */
static bool is_run(const jls_lines *l, size_t i)
{
    const uint16_t *previous = l->previous[0] + i;
    uint16_t ra = l->current[0][i];
    return previous[2] == ra && previous[1] == ra && previous[0] == ra;
}

/* From sample i on to the end of its block, or of a run; SIZE_MAX when no encoder writes such bits. */
static size_t decode_block(const jls_decode_kernels *kernels, const block *whole, const jls_lines *l, size_t i,
                           jls_reader *r)
{
    jls_state *s = whole->state;
    const block o = {s, whole->prepared, whole->thirds, l->current[0] + i, l->previous[0] + i};
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
    const block whole = {.state = state, .prepared = prepared, .thirds = thirds};
    state->component = lines->component;
    state->contexts[0].code.room = RUN;
    for (size_t i = 0; i < lines->count;) {
        i = decode_block(kernels, &whole, lines, i, reader);
        if (i == SIZE_MAX)
            return MGA_ERR_DATA_CODE;
    }
    return MGA_OK;
}
