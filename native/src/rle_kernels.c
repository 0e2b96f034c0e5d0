#include "rle_kernels.h"

#include "bytes.h"

/* --- portable --------------------------------------------------------------------------------------------------- */

static void split_strided(uint8_t *restrict dst, const uint8_t *restrict src, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i++)
        dst[i] = src[i * step];
}

static void split_pairs(uint8_t *restrict dst, const uint8_t *restrict src, size_t count)
{
    for (size_t i = 0; i < count; i++) /* a constant step lets the compiler vectorise */
        dst[i] = src[i * 2];
}

static void split_portable(uint8_t *dst, const uint8_t *src, size_t count, size_t step)
{
    if (step == 1)
        memcpy(dst, src, count);
    else if (step == 2)
        split_pairs(dst, src, count);
    else
        split_strided(dst, src, count, step);
}

/* One bit for each of 8 bytes that are equal in a and b. */
static uint64_t equal8(const uint8_t *x)
{
    const uint64_t low7 = 0x7F7F7F7F7F7F7F7Fu;
    uint64_t different = mga_get64_little(x) ^ mga_get64_little(x + 1);
    uint64_t zero = ~(((different & low7) + low7) | different | low7); /* 80H where the bytes are equal */
    return ((zero >> 7) * 0x0102040810204080u) >> 56;
}

static void equal_portable(uint64_t *map, const uint8_t *x, size_t count)
{
    for (size_t i = 0; i < count; i += 64) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 8; k++)
            word |= equal8(x + i + (size_t)8 * k) << (8 * k);
        map[i / 64] = word;
    }
}

static void join3_portable(uint8_t *restrict dst, const uint8_t *row0, const uint8_t *row1, const uint8_t *row2,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dst[3 * i] = row0[i];
        dst[3 * i + 1] = row1[i];
        dst[3 * i + 2] = row2[i];
    }
}

const mga_rle_kernels *mga_rle_kernels_portable(void)
{
    static const mga_rle_kernels PORTABLE = {split_portable, equal_portable, join3_portable};
    return &PORTABLE;
}

/* --- x86 with AVX2 ---------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

static inline __m128i AVX2 load16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void AVX2 store16(uint8_t *p, __m128i v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

static void AVX2 split_triples(uint8_t *dst, const uint8_t *src, size_t count)
{
    const __m128i first = _mm_setr_epi8(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i second = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1);
    const __m128i third = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13);
    size_t i = 0;
    for (; i + 17 <= count; i += 16) { /* the 48 bytes read end at most two bytes behind pixel i + 15 */
        const uint8_t *s = src + 3 * i;
        __m128i v = _mm_or_si128(_mm_shuffle_epi8(load16(s), first), _mm_shuffle_epi8(load16(s + 16), second));
        store16(dst + i, _mm_or_si128(v, _mm_shuffle_epi8(load16(s + 32), third)));
    }
    for (; i < count; i++)
        dst[i] = src[3 * i];
}

static void AVX2 split_avx2(uint8_t *dst, const uint8_t *src, size_t count, size_t step)
{
    if (step == 3)
        split_triples(dst, src, count);
    else
        split_portable(dst, src, count, step);
}

static inline uint32_t AVX2 equal32(const uint8_t *x)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)x);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(x + 1));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b));
}

static void AVX2 equal_avx2(uint64_t *map, const uint8_t *x, size_t count)
{
    for (size_t i = 0; i < count; i += 64)
        map[i / 64] = equal32(x + i) | (uint64_t)equal32(x + i + 32) << 32;
}

/* 16 of the 48 output bytes: each source byte goes where its index is not -1. */
static inline void AVX2 mix(uint8_t *dst, const __m128i rows[3], __m128i index0, __m128i index1, __m128i index2)
{
    __m128i v = _mm_or_si128(_mm_shuffle_epi8(rows[0], index0), _mm_shuffle_epi8(rows[1], index1));
    store16(dst, _mm_or_si128(v, _mm_shuffle_epi8(rows[2], index2)));
}

static void AVX2 join3_avx2(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, const uint8_t *row2, size_t count)
{
    const __m128i a0 = _mm_setr_epi8(0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5);
    const __m128i a1 = _mm_setr_epi8(-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1);
    const __m128i a2 = _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1);
    const __m128i b0 = _mm_setr_epi8(-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1);
    const __m128i b1 = _mm_setr_epi8(5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10);
    const __m128i b2 = _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1);
    const __m128i c0 = _mm_setr_epi8(-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1);
    const __m128i c1 = _mm_setr_epi8(-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1);
    const __m128i c2 = _mm_setr_epi8(10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m128i rows[3] = {load16(row0 + i), load16(row1 + i), load16(row2 + i)};
        mix(dst + 3 * i, rows, a0, a1, a2);
        mix(dst + 3 * i + 16, rows, b0, b1, b2);
        mix(dst + 3 * i + 32, rows, c0, c1, c2);
    }
    join3_portable(dst + 3 * i, row0 + i, row1 + i, row2 + i, count - i);
}

const mga_rle_kernels *mga_rle_kernels_best(void)
{
    static const mga_rle_kernels WITH_AVX2 = {split_avx2, equal_avx2, join3_avx2};
    return __builtin_cpu_supports("avx2") ? &WITH_AVX2 : mga_rle_kernels_portable();
}

#else

const mga_rle_kernels *mga_rle_kernels_best(void)
{
    return mga_rle_kernels_portable();
}

#endif
