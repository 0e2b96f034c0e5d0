#include "jls_kernels.h"

#include "jls_fast.h"

#define INLINE static inline __attribute__((always_inline))
#define FLOAT_FRACTION 23

/* The smallest k with n << k >= a (T.87 A.5.1): how far their exponents as floating point numbers are apart, rounded
 * up. Both are below 2^24, so they are exact. */
INLINE uint32_t golomb(uint32_t a, uint32_t n)
{
    union {
        float number;
        int32_t bits;
    } x = {(float)(int32_t)a}, y = {(float)(int32_t)n};
    int32_t k = (x.bits - y.bits + (1 << FLOAT_FRACTION) - 1) >> FLOAT_FRACTION;
    return (uint32_t)(k < 0 ? 0 : k);
}

/* Symbols as h zeros, a one and k bits; the word holds the one and the bits, the length counts all. */
INLINE void codes(jls_writer *w, const jls_symbols *s, uint32_t hmax, uint32_t qbpp)
{
    uint32_t *restrict code = w->code;
    uint32_t *restrict length = w->length;
    for (size_t i = 0; i < s->count; i++) {
        uint32_t k = golomb(s->a[i], s->n[i]);
        uint32_t inverted = ((2 * s->b[i] + 1 - s->n[i]) & (s->a[i] - s->n[i] - 1)) >> 31;
        uint32_t m = jls_fold(s->e[i]) ^ inverted;
        uint32_t h = m >> k;
        bool escape = h >= hmax;
        m = escape ? m - 1 : m;
        h = escape ? hmax : h;
        k = escape ? qbpp : k;
        uint32_t one = 1u << k;
        code[i] = one | (m & (one - 1));
        length[i] = h + 1 + k;
    }
}

/* Four code words as one, and how long it is; the lengths tell whether that fits. */
INLINE void join_fours(jls_writer *w, size_t fours)
{
    const uint32_t *restrict code = w->code;
    const uint32_t *restrict length = w->length;
    uint64_t *restrict word = w->word;
    uint32_t *restrict size = w->size;
    for (size_t i = 0; i < fours; i++) {
        uint64_t first = (uint64_t)code[4 * i] << (length[4 * i + 1] & 63) | code[4 * i + 1];
        uint64_t second = (uint64_t)code[4 * i + 2] << (length[4 * i + 3] & 63) | code[4 * i + 3];
        uint32_t behind = length[4 * i + 2] + length[4 * i + 3];
        word[i] = first << (behind & 63) | second;
        size[i] = length[4 * i] + length[4 * i + 1] + behind;
    }
}

/* Bits on their way into bytes. */
typedef struct {
    uint64_t bits; /* at the top, up to seven of them */
    uint32_t used;
    uint8_t *at;
} packer;

/* Adds up to 56 bits. */
INLINE void put_word(packer *p, uint64_t word, uint32_t size)
{
    p->used += size;
    p->bits |= word << (64 - p->used);
    jls_put64(p->at, p->bits);
    p->at += p->used / 8;
    p->bits <<= p->used & 56;
    p->used %= 8;
}

/* Adds code words one by one, of any length. */
INLINE void put_codes(packer *p, const uint32_t *code, const uint32_t *length, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t size = length[i];
        for (; size > 56; size -= 32) /* leading zeros first; what is left is at most 32 bits long */
            put_word(p, 0, 32);
        put_word(p, code[i], size);
    }
}

INLINE size_t pack(jls_writer *w, size_t count)
{
    packer p = {w->bits, w->bit_count, w->raw};
    const size_t fours = count / 4;
    join_fours(w, fours);
    for (size_t i = 0; i < fours; i++)
        if (__builtin_expect(w->size[i] <= 56, 1))
            put_word(&p, w->word[i], w->size[i]);
        else
            put_codes(&p, w->code + 4 * i, w->length + 4 * i, 4);
    put_codes(&p, w->code + 4 * fours, w->length + 4 * fours, count % 4);
    w->bits = p.bits;
    w->bit_count = p.used;
    return (size_t)(p.at - w->raw);
}

INLINE bool stuff(jls_writer *w, size_t bytes)
{
    const uint8_t *from = w->raw;
    const uint8_t *from_end = from + bytes;
    uint8_t *at = w->at;
    uint32_t held = w->held;
    uint32_t count = w->held_count;
    bool after_ff = w->after_ff;
    while (from < from_end) {
        if (!after_ff && from_end - from >= 8 && w->end - at >= 8) {
            uint64_t v = jls_get64(from);
            uint64_t word = count ? (uint64_t)held << (64 - count) | v >> count : v;
            if (!jls_has_ff(word)) {
                jls_put64(at, word);
                at += 8;
                from += 8;
                held = (uint32_t)v & ((1u << count) - 1);
                continue;
            }
        }
        held = held << 8 | *from++;
        count += 8;
        for (;;) {
            uint32_t room = after_ff ? 7 : 8;
            if (count < room)
                break;
            if (at == w->end)
                return false;
            count -= room;
            uint8_t byte = (uint8_t)(held >> count);
            held &= (1u << count) - 1;
            *at++ = byte;
            after_ff = byte == 0xFF;
        }
    }
    w->at = at;
    w->held = held;
    w->held_count = count;
    w->after_ff = after_ff;
    return true;
}

INLINE void widen(uint16_t *restrict line, const uint8_t *restrict from, size_t count, size_t step)
{
    if (step == 1)
        for (size_t i = 0; i < count; i++) /* a constant step lets the compiler vectorise */
            line[i] = from[i];
    else
        for (size_t i = 0; i < count; i++)
            line[i] = from[3 * i];
}

INLINE void join(uint16_t *restrict line, const uint8_t *restrict from, size_t count, size_t step)
{
    if (step == 2)
        for (size_t i = 0; i < count; i++)
            line[i] = (uint16_t)(from[2 * i] | from[2 * i + 1] << 8);
    else
        for (size_t i = 0; i < count; i++)
            line[i] = (uint16_t)(from[6 * i] | from[6 * i + 1] << 8);
}

INLINE bool mask(uint16_t *line, size_t count, const mga_format *f, uint32_t precision)
{
    const uint16_t coded = (uint16_t)((1u << precision) - 1);
    const uint16_t stored = (uint16_t)((1u << f->bits_stored) - 1);
    const uint16_t sign = (uint16_t)(f->pixel_representation ? 1u << (f->bits_stored - 1) : 0);
    const uint16_t allocated = (uint16_t)((1u << f->bits_allocated) - 1);
    uint16_t above = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t x = line[i] & stored;
        above |= (uint16_t)((uint16_t)((x ^ sign) - sign) ^ line[i]);
        line[i] &= coded;
    }
    return (above & allocated) == 0;
}

INLINE void weave(uint8_t *restrict to, const uint16_t *const *lines, size_t count, uint32_t sign)
{
    const uint16_t *restrict first = lines[0];
    const uint16_t *restrict second = lines[1];
    const uint16_t *restrict third = lines[2];
    for (size_t i = 0; i < count; i++) {
        to[3 * i] = (uint8_t)((first[i] ^ sign) - sign);
        to[3 * i + 1] = (uint8_t)((second[i] ^ sign) - sign);
        to[3 * i + 2] = (uint8_t)((third[i] ^ sign) - sign);
    }
}

static void codes_portable(jls_writer *w, const jls_symbols *s, uint32_t hmax, uint32_t qbpp)
{
    codes(w, s, hmax, qbpp);
}

static size_t pack_portable(jls_writer *w, size_t count)
{
    return pack(w, count);
}

static bool stuff_portable(jls_writer *w, size_t bytes)
{
    return stuff(w, bytes);
}

static void widen_portable(uint16_t *line, const uint8_t *from, size_t count, size_t step)
{
    widen(line, from, count, step);
}

static void join_portable(uint16_t *line, const uint8_t *from, size_t count, size_t step)
{
    join(line, from, count, step);
}

static bool mask_portable(uint16_t *line, size_t count, const mga_format *f, uint32_t precision)
{
    return mask(line, count, f, precision);
}

static void weave_portable(uint8_t *to, const uint16_t *const *lines, size_t count, uint32_t sign)
{
    weave(to, lines, count, sign);
}

static const jls_kernels PORTABLE = {codes_portable, pack_portable, stuff_portable, widen_portable,
                                     join_portable,  mask_portable, weave_portable};

#if defined(__x86_64__)

JLS_FAST static void codes_fast(jls_writer *w, const jls_symbols *s, uint32_t hmax, uint32_t qbpp)
{
    codes(w, s, hmax, qbpp);
}

JLS_FAST static size_t pack_fast(jls_writer *w, size_t count)
{
    return pack(w, count);
}

JLS_FAST static bool stuff_fast(jls_writer *w, size_t bytes)
{
    return stuff(w, bytes);
}

JLS_FAST static void widen_fast(uint16_t *line, const uint8_t *from, size_t count, size_t step)
{
    widen(line, from, count, step);
}

JLS_FAST static void join_fast(uint16_t *line, const uint8_t *from, size_t count, size_t step)
{
    join(line, from, count, step);
}

JLS_FAST static bool mask_fast(uint16_t *line, size_t count, const mga_format *f, uint32_t precision)
{
    return mask(line, count, f, precision);
}

JLS_FAST static void weave_fast(uint8_t *to, const uint16_t *const *lines, size_t count, uint32_t sign)
{
    weave(to, lines, count, sign);
}

const jls_kernels *jls_kernels_best(void)
{
    static const jls_kernels FAST = {codes_fast, pack_fast, stuff_fast, widen_fast, join_fast, mask_fast, weave_fast};
    return jls_has_fast() ? &FAST : &PORTABLE;
}

#else

const jls_kernels *jls_kernels_best(void)
{
    return &PORTABLE;
}

#endif
