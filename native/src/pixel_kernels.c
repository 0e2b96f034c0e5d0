#include "pixel_kernels.h"

#include "bytes.h"
#include "mga.h"

#define INLINE static inline __attribute__((always_inline))
/* What makes an exact half of the decimal coefficients of PS3.3 C.7.6.3.1.2 a half or more here, and nothing else:
 * eight hundred-thousandths. Where the coefficients are exact it changes nothing. */
#define HAIR 84
#define HALF ((1 << (MGA_MATRIX_BITS - 1)) + HAIR)
#define GAIN_BITS 14
#define FLAT_BLOCK 512u

INLINE uint8_t clip(int32_t v)
{
    v >>= MGA_MATRIX_BITS;
    return (uint8_t)(v < 0 ? 0 : v > UINT8_MAX ? UINT8_MAX : v);
}

INLINE void turn(uint8_t *restrict a, uint8_t *restrict b, uint8_t *restrict c, size_t count, const mga_matrix *m)
{
    const mga_matrix k = *m;
    const size_t all = (count + MGA_TURN_GROUP - 1) / MGA_TURN_GROUP * MGA_TURN_GROUP;
    for (size_t i = 0; i < all; i++) { /* whole vectors, without a loop for the rest */
        int32_t x = a[i];
        int32_t y = b[i];
        int32_t z = c[i];
        a[i] = clip(k.rows[0][0] * x + k.rows[0][1] * y + k.rows[0][2] * z + k.rows[0][3] + HALF);
        b[i] = clip(k.rows[1][0] * x + k.rows[1][1] * y + k.rows[1][2] * z + k.rows[1][3] + HALF);
        c[i] = clip(k.rows[2][0] * x + k.rows[2][1] * y + k.rows[2][2] * z + k.rows[2][3] + HALF);
    }
}

/* A pair is one word of four bytes, lowest first. */
INLINE void halve(uint8_t *restrict y, uint8_t *restrict u, uint8_t *restrict v, const uint8_t *restrict src,
                  size_t pairs, const mga_pair *at)
{
    const mga_pair to = *at;
    for (size_t i = 0; i < pairs; i++) {
        uint32_t word = mga_get32_little(src + 4 * i);
        mga_put16_little(y + 2 * i, (uint16_t)((word >> to.first & 0xFF) | (word >> to.second & 0xFF) << 8));
        mga_put16_little(u + 2 * i, (uint16_t)((word >> to.u & 0xFF) * 0x101));
        mga_put16_little(v + 2 * i, (uint16_t)((word >> to.v & 0xFF) * 0x101));
    }
}

INLINE void twice(uint8_t *restrict dst, const uint8_t *restrict src, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dst[2 * i] = dst[2 * i + 1] = src[i];
}

INLINE void pair(uint8_t *restrict dst, const uint8_t *restrict y, const uint8_t *restrict u, const uint8_t *restrict v,
                 size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        uint32_t shared = (uint32_t)(mga_get16_little(u + 2 * i) & 0xFF) | (uint32_t)mga_get16_little(v + 2 * i) << 8;
        mga_put32_little(dst + 4 * i, mga_get16_little(y + 2 * i) | shared << 16);
    }
}

/* |x - offset| * gain is below 2^32 - 2^13, whatever they are. */
INLINE uint16_t flat_one(uint32_t x, uint32_t offset, uint32_t gain, int32_t pedestal, int32_t most)
{
    uint32_t apart = x < offset ? offset - x : x - offset;
    int32_t scaled = (int32_t)((apart * gain + (1u << (GAIN_BITS - 1))) >> GAIN_BITS);
    int32_t v = (x < offset ? -scaled : scaled) + pedestal;
    return (uint16_t)(v < 0 ? 0 : v > most ? most : v);
}

INLINE void flat(uint8_t *dst, const uint8_t *src, const uint8_t *offset, const uint8_t *gain, size_t count,
                 const mga_flat_limits *limits)
{
    const int32_t pedestal = (int32_t)limits->pedestal;
    const int32_t most = (int32_t)limits->most;
    uint8_t dark[2 * FLAT_BLOCK] = {0};
    uint8_t one[2 * FLAT_BLOCK];
    uint8_t out[2 * FLAT_BLOCK]; /* dst may be src, which would keep the compiler from vectorising */
    for (size_t i = 0; i < FLAT_BLOCK && !gain; i++)
        mga_put16_little(one + 2 * i, MGA_GAIN_ONE);
    for (size_t at = 0; at < count; at += FLAT_BLOCK) {
        size_t block = count - at < FLAT_BLOCK ? count - at : FLAT_BLOCK;
        const uint8_t *o = offset ? offset + 2 * at : dark;
        const uint8_t *g = gain ? gain + 2 * at : one;
        for (size_t i = 0; i < block; i++)
            mga_put16_little(out + 2 * i, flat_one(mga_get16_little(src + 2 * (at + i)), mga_get16_little(o + 2 * i),
                                                   mga_get16_little(g + 2 * i), pedestal, most));
        memcpy(dst + 2 * at, out, 2 * block);
    }
}

static void turn_portable(uint8_t *a, uint8_t *b, uint8_t *c, size_t count, const mga_matrix *m)
{
    turn(a, b, c, count, m);
}

static void halve_portable(uint8_t *y, uint8_t *u, uint8_t *v, const uint8_t *src, size_t pairs, const mga_pair *at)
{
    halve(y, u, v, src, pairs, at);
}

static void twice_portable(uint8_t *dst, const uint8_t *src, size_t count)
{
    twice(dst, src, count);
}

static void pair_portable(uint8_t *dst, const uint8_t *y, const uint8_t *u, const uint8_t *v, size_t pairs)
{
    pair(dst, y, u, v, pairs);
}

static void flat_portable(uint8_t *dst, const uint8_t *src, const uint8_t *offset, const uint8_t *gain, size_t count,
                          const mga_flat_limits *limits)
{
    flat(dst, src, offset, gain, count, limits);
}

const mga_pixel_kernels *mga_pixel_kernels_portable(void)
{
    static const mga_pixel_kernels PORTABLE = {turn_portable, halve_portable, twice_portable, pair_portable,
                                               flat_portable};
    return &PORTABLE;
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

static void AVX2 turn_avx2(uint8_t *a, uint8_t *b, uint8_t *c, size_t count, const mga_matrix *m)
{
    turn(a, b, c, count, m);
}

static void AVX2 halve_avx2(uint8_t *y, uint8_t *u, uint8_t *v, const uint8_t *src, size_t pairs, const mga_pair *at)
{
    halve(y, u, v, src, pairs, at);
}

static void AVX2 twice_avx2(uint8_t *dst, const uint8_t *src, size_t count)
{
    twice(dst, src, count);
}

static void AVX2 pair_avx2(uint8_t *dst, const uint8_t *y, const uint8_t *u, const uint8_t *v, size_t pairs)
{
    pair(dst, y, u, v, pairs);
}

static void AVX2 flat_avx2(uint8_t *dst, const uint8_t *src, const uint8_t *offset, const uint8_t *gain, size_t count,
                           const mga_flat_limits *limits)
{
    flat(dst, src, offset, gain, count, limits);
}

const mga_pixel_kernels *mga_pixel_kernels_best(void)
{
    static const mga_pixel_kernels WITH_AVX2 = {turn_avx2, halve_avx2, twice_avx2, pair_avx2, flat_avx2};
    return __builtin_cpu_supports("avx2") ? &WITH_AVX2 : mga_pixel_kernels_portable();
}

#else

const mga_pixel_kernels *mga_pixel_kernels_best(void)
{
    return mga_pixel_kernels_portable();
}

#endif
