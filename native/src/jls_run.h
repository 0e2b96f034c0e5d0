/* The context of the sample that ends a run (T.87 A.7.2): `by_left` is RItype, 1 when ra and rb are the same. */
#ifndef MGA_JLS_RUN_H
#define MGA_JLS_RUN_H

#include "jls.h"

/* TEMP of T.87 A.7.2.2: what k is made of. */
static inline uint32_t jls_run_a(const jls_run_context *x, bool by_left)
{
    return by_left ? x->a + (x->n >> 1) : x->a;
}

/* k of that, with the default RESET. */
static inline uint32_t jls_run_k(const jls_run_context *x, const jls_steps *steps, uint32_t a)
{
    return 33 - jls_golomb_room(steps->reciprocal[x->n - 1], a);
}

/* The error of a mapped one (T.87 A.7.2.2). */
static inline int32_t jls_run_error(const jls_run_context *x, uint32_t m, uint32_t k, bool by_left)
{
    bool often = 2 * x->negatives >= x->n;
    uint32_t map = (m + by_left) & 1;
    int32_t e = (int32_t)(m + by_left + map) / 2;
    return (k != 0 || often) == (map != 0) ? -e : e;
}

/* T.87 A.7.2.3. */
static inline void jls_run_update(jls_run_context *x, uint32_t reset, uint32_t m, int32_t e, bool by_left)
{
    x->negatives += e < 0;
    x->a += (m + 1 - by_left) >> 1;
    if (x->n == reset) {
        x->a >>= 1;
        x->n >>= 1;
        x->negatives >>= 1;
    }
    x->n++;
}

#endif
