#include "jpl_kernels.h"

#include "bytes.h"

/* Adds a word of 1..56 bits; the eight bytes at *out are overwritten, whole ones stay. */
static inline void put_bits(uint8_t **out, jpl_carry *carry, uint64_t word, unsigned bits)
{
    carry->bits = carry->bits << bits | word;
    carry->count += bits;
    mga_put64_big(*out, carry->bits << ((64 - carry->count) & 63));
    *out += carry->count >> 3;
    carry->count &= 7;
}

/* --- portable --------------------------------------------------------------------------------------------------- */

/* Bit length of the magnitude (T.81 table H.2); -32768 stands for 32768. */
static inline unsigned category(int d)
{
    unsigned magnitude = (unsigned)(d < 0 ? -d : d);
    return magnitude ? 32u - (unsigned)__builtin_clz(magnitude) : 0;
}

static inline unsigned symbol(uint64_t *word, int d, const jpl_codes *codes)
{
    unsigned c = category(d);
    unsigned extra = jpl_extra_bits(c);
    uint32_t low = (uint32_t)(d + (d >> 15)) & ((1u << extra) - 1); /* d, or d - 1 when negative (T.81 F.1.2.1.1) */
    *word = (uint64_t)codes->code[c] << extra | low;
    return codes->length[c] + extra;
}

static void count_portable(uint32_t counts[JPL_CATEGORIES], const int16_t *differences, size_t n)
{
    for (size_t i = 0; i < n; i++)
        counts[category(differences[i])]++;
}

static size_t pack_portable(uint8_t *out, jpl_carry *carry, const int16_t *differences, size_t n,
                            const jpl_codes *codes)
{
    uint8_t *at = out;
    jpl_carry state = *carry;
    size_t i = 0;
    for (; i + 2 <= n; i += 2) {
        uint64_t first;
        uint64_t second;
        unsigned bits1 = symbol(&first, differences[i], codes);
        unsigned bits2 = symbol(&second, differences[i + 1], codes);
        if (bits1 + bits2 > 56) {
            put_bits(&at, &state, first, bits1);
            put_bits(&at, &state, second, bits2);
        } else {
            put_bits(&at, &state, first << bits2 | second, bits1 + bits2);
        }
    }
    if (i < n) {
        uint64_t word;
        unsigned bits = symbol(&word, differences[i], codes);
        put_bits(&at, &state, word, bits);
    }
    *carry = state;
    return (size_t)(at - out);
}

const jpl_kernels *jpl_kernels_portable(void)
{
    static const jpl_kernels PORTABLE = {count_portable, pack_portable};
    return &PORTABLE;
}

/* --- x86 with AVX2 ---------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))

static inline __m256i AVX2 load_words(const int16_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline uint32_t AVX2 sum_words(__m256i counters)
{
    __m256i pairs = _mm256_madd_epi16(counters, _mm256_set1_epi16(1));
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    four = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return (uint32_t)_mm_cvtsi128_si32(four) + (uint32_t)_mm_extract_epi32(four, 1);
}

/* above[k] = how many magnitudes have more than `low + k` bits; 32768 is not seen, it is negative. Returns all
 * magnitudes or-ed. */
static inline __m256i AVX2 count_above(uint32_t above[8], const int16_t *differences, size_t n, int low)
{
    __m256i counters[8];
    __m256i limits[8];
    __m256i any = _mm256_setzero_si256();
    for (int k = 0; k < 8; k++) {
        counters[k] = _mm256_setzero_si256();
        limits[k] = _mm256_set1_epi16((short)((1 << (low + k)) - 1));
    }
    for (size_t i = 0; i < n; i += 16) {
        __m256i magnitude = _mm256_abs_epi16(load_words(differences + i));
        any = _mm256_or_si256(any, magnitude);
        for (int k = 0; k < 8; k++)
            counters[k] = _mm256_sub_epi16(counters[k], _mm256_cmpgt_epi16(magnitude, limits[k]));
    }
    for (int k = 0; k < 8; k++)
        above[k] = sum_words(counters[k]);
    return any;
}

static void AVX2 count_avx2(uint32_t counts[JPL_CATEGORIES], const int16_t *differences, size_t n)
{
    size_t whole = n / 16 * 16;
    uint32_t above[17] = {0}; /* [k]: at least category k + 1 */
    __m256i any = count_above(above, differences, whole, 0);
    if (_mm256_movemask_epi8(_mm256_srai_epi16(any, 15))) { /* 32768 is there */
        count_portable(counts, differences, n);
        return;
    }
    if (_mm256_movemask_epi8(_mm256_cmpgt_epi16(any, _mm256_set1_epi16(255))))
        count_above(above + 8, differences, whole, 8);
    counts[0] += (uint32_t)whole - above[0];
    for (size_t k = 1; k < JPL_CATEGORIES; k++)
        counts[k] += above[k - 1] - above[k];
    count_portable(counts, differences + whole, n - whole);
}

/* Two tables of 8 words become one of 16. */
static inline __m256i AVX2 look_up(__m256i low, __m256i high, __m256i index)
{
    __m256 a = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, index));
    __m256 b = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, index));
    return _mm256_castps_si256(_mm256_blendv_ps(a, b, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28))));
}

typedef struct {
    __m256i words, bits; /* four of 64 bits, each the codes of two differences */
} pairs;

/* Eight differences. tables: a code in the low half, the bits of the whole symbol in the high half. */
static inline pairs AVX2 join_pairs(__m128i differences, __m256i low, __m256i high)
{
    const __m256i one = _mm256_set1_epi32(1);
    __m256i d = _mm256_cvtepi16_epi32(differences);
    __m256i exponent = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_abs_epi32(d))), 23);
    __m256i category = _mm256_max_epi32(_mm256_sub_epi32(exponent, _mm256_set1_epi32(126)), _mm256_setzero_si256());
    __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, category), one);
    __m256i extra = _mm256_and_si256(_mm256_add_epi32(d, _mm256_srai_epi32(d, 31)), mask);
    __m256i entry = look_up(low, high, category);
    __m256i code = _mm256_and_si256(entry, _mm256_set1_epi32(0xFFFF));
    __m256i word = _mm256_or_si256(_mm256_sllv_epi32(code, category), extra);
    __m256i bits = _mm256_srli_epi32(entry, 16);

    __m256i second_bits = _mm256_srli_epi64(bits, 32);
    __m256i first = _mm256_sllv_epi64(_mm256_and_si256(word, _mm256_set1_epi64x(0xFFFFFFFF)), second_bits);
    __m256i both = _mm256_add_epi32(bits, second_bits); /* the upper half is masked by the caller */
    return (pairs){_mm256_or_si256(first, _mm256_srli_epi64(word, 32)), both};
}

/* Sixteen differences as four words of four codes each, in the order 0 2 1 3. False: a word has more than 56 bits. */
static inline bool AVX2 join_fours(uint64_t words[4], uint64_t bits[4], const int16_t *differences, __m256i low,
                                   __m256i high)
{
    __m256i d = load_words(differences);
    pairs a = join_pairs(_mm256_castsi256_si128(d), low, high);
    pairs b = join_pairs(_mm256_extracti128_si256(d, 1), low, high);
    const __m256i half = _mm256_set1_epi64x(0xFFFFFFFF);
    __m256i second_bits = _mm256_and_si256(_mm256_unpackhi_epi64(a.bits, b.bits), half);
    __m256i first = _mm256_sllv_epi64(_mm256_unpacklo_epi64(a.words, b.words), second_bits);
    __m256i word = _mm256_or_si256(first, _mm256_unpackhi_epi64(a.words, b.words));
    __m256i sum = _mm256_add_epi32(_mm256_and_si256(_mm256_unpacklo_epi64(a.bits, b.bits), half), second_bits);
    _mm256_store_si256((__m256i *)(void *)words, word);
    _mm256_store_si256((__m256i *)(void *)bits, sum);
    return _mm256_movemask_epi8(_mm256_cmpgt_epi32(sum, _mm256_set1_epi32(56))) == 0;
}

static size_t AVX2 pack_avx2(uint8_t *out, jpl_carry *carry, const int16_t *differences, size_t n,
                             const jpl_codes *codes)
{
    if (codes->length[16])
        return pack_portable(out, carry, differences, n, codes); /* the table in registers ends at 15 */
    uint32_t table[16] __attribute__((aligned(32)));
    for (unsigned c = 0; c < 16; c++)
        table[c] = codes->code[c] | (codes->length[c] + c) << 16;
    const __m256i low = _mm256_load_si256((const __m256i *)(const void *)table);
    const __m256i high = _mm256_load_si256((const __m256i *)(const void *)(table + 8));
    uint64_t words[4] __attribute__((aligned(32)));
    uint64_t bits[4] __attribute__((aligned(32)));
    uint8_t *at = out;
    jpl_carry state = *carry;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        if (!join_fours(words, bits, differences + i, low, high)) {
            at += pack_portable(at, &state, differences + i, 16, codes);
            continue;
        }
        put_bits(&at, &state, words[0], (unsigned)bits[0]);
        put_bits(&at, &state, words[2], (unsigned)bits[2]);
        put_bits(&at, &state, words[1], (unsigned)bits[1]);
        put_bits(&at, &state, words[3], (unsigned)bits[3]);
    }
    at += pack_portable(at, &state, differences + i, n - i, codes);
    *carry = state;
    return (size_t)(at - out);
}

const jpl_kernels *jpl_kernels_best(void)
{
    static const jpl_kernels WITH_AVX2 = {count_avx2, pack_avx2};
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? &WITH_AVX2 : jpl_kernels_portable();
}

#else

const jpl_kernels *jpl_kernels_best(void)
{
    return jpl_kernels_portable();
}

#endif
