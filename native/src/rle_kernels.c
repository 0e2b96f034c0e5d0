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

static void join2_portable(uint8_t *restrict dst, const uint8_t *restrict row0, const uint8_t *restrict row1,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dst[2 * i] = row0[i];
        dst[2 * i + 1] = row1[i];
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
    static const mga_rle_kernels PORTABLE = {split_portable, equal_portable, join2_portable, join3_portable};
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

static inline __m256i AVX2 load32(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void AVX2 store32(uint8_t *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

static inline uint32_t AVX2 equal32(const uint8_t *x)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load32(x), load32(x + 1)));
}

static void AVX2 equal_avx2(uint64_t *map, const uint8_t *x, size_t count)
{
    for (size_t i = 0; i < count; i += 64)
        map[i / 64] = equal32(x + i) | (uint64_t)equal32(x + i + 32) << 32;
}

static void AVX2 join2_avx2(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, size_t count)
{
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m256i a = _mm256_permute4x64_epi64(load32(row0 + i), 0xD8);
        __m256i b = _mm256_permute4x64_epi64(load32(row1 + i), 0xD8);
        store32(dst + 2 * i, _mm256_unpacklo_epi8(a, b));
        store32(dst + 2 * i + 32, _mm256_unpackhi_epi8(a, b));
    }
    join2_portable(dst + 2 * i, row0 + i, row1 + i, count - i);
}

static inline __m256i AVX2 twice(__m128i v)
{
    return _mm256_broadcastsi128_si256(v);
}

/* Byte i of row k goes to place 3 i + k of 48, and 3 i + k modulo 16 is another place for each i: so each row is put in
 * order once, and each third of the 48 takes every place from one of the three. */
static void AVX2 join3_avx2(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, const uint8_t *row2, size_t count)
{
    const __m256i order0 = twice(_mm_setr_epi8(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5));
    const __m256i order1 = twice(_mm_setr_epi8(5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10));
    const __m256i order2 = twice(_mm_setr_epi8(10, 5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15));
    const __m256i second = twice(_mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0));
    const __m256i third = twice(_mm_setr_epi8(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0));
    size_t i = 0;
    for (; i + 32 <= count; i += 32) { /* both halves of the registers do the same */
        __m256i a = _mm256_shuffle_epi8(load32(row0 + i), order0);
        __m256i b = _mm256_shuffle_epi8(load32(row1 + i), order1);
        __m256i c = _mm256_shuffle_epi8(load32(row2 + i), order2);
        __m256i x = _mm256_blendv_epi8(_mm256_blendv_epi8(a, b, second), c, third);
        __m256i y = _mm256_blendv_epi8(_mm256_blendv_epi8(b, c, second), a, third);
        __m256i z = _mm256_blendv_epi8(_mm256_blendv_epi8(c, a, second), b, third);
        store32(dst + 3 * i, _mm256_permute2x128_si256(x, y, 0x20));
        store32(dst + 3 * i + 32, _mm256_permute2x128_si256(z, x, 0x30));
        store32(dst + 3 * i + 64, _mm256_permute2x128_si256(y, z, 0x31));
    }
    join3_portable(dst + 3 * i, row0 + i, row1 + i, row2 + i, count - i);
}

const mga_rle_kernels *mga_rle_kernels_best(void)
{
    static const mga_rle_kernels WITH_AVX2 = {split_avx2, equal_avx2, join2_avx2, join3_avx2};
    return __builtin_cpu_supports("avx2") ? &WITH_AVX2 : mga_rle_kernels_portable();
}

#else

const mga_rle_kernels *mga_rle_kernels_best(void)
{
    return mga_rle_kernels_portable();
}

#endif
