/* One regular sample of a lossless line on its way in. What stands here is inlined into the loops of both decoders, by
 * line and by sample: nothing is called from those, so that everything stays in registers. */
#ifndef MGA_JLS_REGULAR_H
#define MGA_JLS_REGULAR_H

#include "jls_lossless.h"

#define INLINE static inline __attribute__((always_inline))

/* A block on its way: the lines from its first sample on, and what the loops need. */
typedef struct {
    jls_state *state;
    jls_decode_block *prepared;
    const jls_thirds *thirds;
    uint16_t *current; /* the sample to the left of the first */
    const uint16_t *previous;
} jls_block;

/* What the line above says about so many samples. */
INLINE void jls_prepare(const jls_block *o, size_t count)
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
INLINE int64_t jls_third(const jls_block *o, size_t at, int64_t ra, int32_t reach, bool clamped)
{
    if (!clamped)
        return o->prepared->third[at] - ra;
    int32_t d = o->previous[at] - (int32_t)ra;
    d = d < -reach ? -reach : d;
    return o->prepared->third[at] + (d > reach ? reach : d);
}

/* The median of T.87 A.4.1, less ra. */
INLINE int32_t jls_median(const jls_decode_block *b, size_t at, int32_t ra)
{
    int32_t step = b->above[at] - ra;
    step = step < b->least[at] ? b->least[at] : step;
    return step > b->most[at] ? b->most[at] : step;
}

/* A reader in registers. */
typedef struct {
    const uint8_t *raw;
    uint64_t position;
    uint32_t all;     /* mapped errors, or-ed */
    uint32_t longest; /* code that can be read here: one load is sure to give 56 bits */
} jls_codes;

INLINE jls_codes jls_codes_of(const jls_reader *r, const jls_coding *c)
{
    uint32_t hmax = c->limit - c->qbpp - 1;
    return (jls_codes){r->raw, r->position, r->all, hmax < 56 ? hmax : 56};
}

/* Takes the next mapped error of a context; false when its code is too long for here. */
INLINE bool jls_take(jls_codes *o, const jls_context *x, uint32_t *m)
{
    uint64_t bits = jls_peek(o->raw, o->position);
    uint32_t zeros = (uint32_t)__builtin_clzll(bits | 1);
    int32_t room = x->code.room;
    uint32_t length = zeros + 34 - (uint32_t)room;
    if (__builtin_expect(length > o->longest, 0))
        return false;
    o->position += length;
    /* zeros, then 33 of the bits behind the one: without the last `room` of them, the mapped error */
    uint64_t wide = (bits << zeros >> 30) + ((uint64_t)(zeros - 1) << 33);
    *m = (uint32_t)(wide >> room);
    o->all |= *m;
    return true;
}

/* Makes a sample of a mapped error and of what the neighbours predict, and updates the context. */
INLINE int64_t jls_restore(jls_context *x, const jls_steps *steps, uint32_t m, int32_t sign, int32_t predicted,
                           int32_t maxval)
{
    int32_t px = predicted - sign + ((int32_t)x->bc[1] ^ sign);
    px = px < 0 ? 0 : px;
    px = px > maxval ? maxval : px;
    int32_t half = (int32_t)(m >> 1);
    int32_t odd = -(int32_t)((m ^ x->code.inverted) & 1);
    int32_t e = half ^ odd;
    int64_t restored = (int64_t)((uint32_t)(px - sign + (e ^ sign)) & (uint32_t)maxval);
    jls_update(x, steps, e, (uint32_t)(half - odd));
    return restored;
}

#endif
