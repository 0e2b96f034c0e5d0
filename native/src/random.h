/* xorshift64*: fast, good enough for speckle and noise, the same picture for the same seed on every machine. */
#ifndef MGA_RANDOM_H
#define MGA_RANDOM_H

#include <stdint.h>

typedef struct {
    uint64_t state;
} mga_random;

static inline mga_random mga_random_seed(uint64_t seed)
{
    /* splitmix64 once, so that neighbouring seeds differ and the state is never 0 */
    uint64_t z = seed + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (mga_random){(z ^ (z >> 31)) | 1u};
}

static inline uint64_t mga_random_next(mga_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545F4914F6CDD1Du;
}

/* Sum of the four bytes of the low half, centred: nearly normal, standard deviation 147.8. */
#define MGA_RANDOM_SUM4_DEVIATION 147.8
static inline int32_t mga_random_sum4(uint32_t bits)
{
    uint32_t pairs = (bits & 0x00FF00FFu) + (bits >> 8 & 0x00FF00FFu);
    return (int32_t)(pairs & 0xFFFFu) + (int32_t)(pairs >> 16) - 510;
}

static inline double mga_random_normal(mga_random *r)
{
    uint64_t bits = mga_random_next(r);
    return (mga_random_sum4((uint32_t)bits) + mga_random_sum4((uint32_t)(bits >> 32))) /
           (MGA_RANDOM_SUM4_DEVIATION * 1.41421356);
}

#endif
