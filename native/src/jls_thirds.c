/* The tables of third differences that a decoder of lossless lines looks contexts up in. */
#include "jls_lossless.h"

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
