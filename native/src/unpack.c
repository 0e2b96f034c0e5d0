/* Samples of one colour out of what devices pack them into. Without a stride the packed formats know no lines: the
 * first sample of a line may begin inside of the byte that the last one ended in (GenICam PFNC; GigE Vision likewise
 * goes on inside of its three bytes). So a line, or the whole picture, is one run of samples. */
#include "bytes.h"
#include "format.h"
#include "lines.h"

#define GIGE_BYTES 3u /* of two pixels */

typedef struct {
    uint32_t fewest, most; /* bits that may be asked for */
    uint32_t sample_bytes; /* of what is written */
} packing;

static const packing PACKINGS[] = {
    [MGA_PACKING_8] = {1, 8, 1},      [MGA_PACKING_16_LITTLE] = {1, 16, 2}, [MGA_PACKING_16_BIG] = {1, 16, 2},
    [MGA_PACKING_DENSE] = {9, 14, 2}, [MGA_PACKING_GIGE] = {10, 12, 2},
};

static void put64_little(uint8_t *p, uint64_t v)
{
    v = MGA_LITTLE(64, v);
    memcpy(p, &v, sizeof v);
}

static uint64_t run_bytes(const mga_unpack_params *p, uint64_t samples)
{
    switch (p->packing) {
    case MGA_PACKING_8: return samples;
    case MGA_PACKING_DENSE: return (samples * p->bits + 7) / 8;
    case MGA_PACKING_GIGE: return (samples * GIGE_BYTES + 1) / 2;
    default: return 2 * samples;
    }
}

/* The bits that any sample of the run has; wide copies let the compiler vectorise. */
static uint32_t copy_bytes(uint8_t *restrict dst, const uint8_t *restrict src, size_t samples)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < samples; i++) {
        seen |= src[i];
        dst[i] = src[i];
    }
    return seen;
}

static uint32_t copy_little(uint8_t *restrict dst, const uint8_t *restrict src, size_t samples)
{
    uint16_t seen = 0;
    for (size_t i = 0; i < samples; i++) {
        uint16_t v = mga_get16_little(src + 2 * i);
        seen |= v;
        mga_put16_little(dst + 2 * i, v);
    }
    return seen;
}

static uint32_t copy_big(uint8_t *restrict dst, const uint8_t *restrict src, size_t samples)
{
    uint16_t seen = 0;
    for (size_t i = 0; i < samples; i++) {
        uint16_t v = __builtin_bswap16(mga_get16_little(src + 2 * i));
        seen |= v;
        mga_put16_little(dst + 2 * i, v);
    }
    return seen;
}

static uint32_t dense_one(const uint8_t *run, size_t i, uint32_t bits)
{
    size_t at = i * bits / 8; /* of its first bit; it has at most 14, so three bytes hold it */
    size_t end = ((i + 1) * bits + 7) / 8;
    uint32_t held = 0;
    for (size_t k = at; k < end; k++)
        held |= (uint32_t)run[k] << (8 * (k - at));
    return held >> (i * bits % 8) & ((1u << bits) - 1u);
}

/* Four samples out of the lowest bits of a word, each into 16 bits of its own. */
static uint64_t spread(uint64_t v, uint32_t bits)
{
    const uint64_t mask = (1u << bits) - 1u;
    const uint32_t up = 16 - bits;
    return (v & mask) | (v << up & mask << 16) | (v << 2 * up & mask << 32) | (v << 3 * up & mask << 48);
}

static void take_dense(uint8_t *restrict dst, const uint8_t *restrict src, size_t samples, uint32_t bits)
{
    const size_t bytes = (samples * bits + 7) / 8;
    const uint32_t half = bits / 2; /* where the fifth of eight samples begins: bytes, and bits */
    const uint32_t rest = bits % 2 * 4;
    size_t i = 0;
    for (const uint8_t *p = src; i + 8 <= samples && (size_t)(p - src) + half + 8 <= bytes; i += 8, p += bits) {
        put64_little(dst + 2 * i, spread(mga_get64_little(p), bits));
        put64_little(dst + 2 * i + 8, spread(mga_get64_little(p + half) >> rest, bits));
    }
    for (; i < samples; i++)
        mga_put16_little(dst + 2 * i, (uint16_t)dense_one(src, i, bits));
}

/* A constant number of low bits lets the compiler do without shifts by a register. */
static inline __attribute__((always_inline)) void take_gige(uint8_t *restrict dst, const uint8_t *restrict src,
                                                            size_t samples, uint32_t low)
{
    const uint32_t mask = (1u << low) - 1u;
    for (size_t i = 0; i < samples / 2; i++) {
        const uint8_t *three = src + i * GIGE_BYTES;
        uint32_t first = (uint32_t)three[0] << low | (three[1] & mask);
        uint32_t second = (uint32_t)three[2] << low | (three[1] >> 4 & mask);
        mga_put32_little(dst + 4 * i, first | second << 16);
    }
    if (samples % 2) { /* the last one has its high bits and the byte of low bits */
        const uint8_t *two = src + samples / 2 * GIGE_BYTES;
        mga_put16_little(dst + 2 * samples - 2, (uint16_t)((uint32_t)two[0] << low | (two[1] & mask)));
    }
}

static uint32_t take(const mga_unpack_params *p, uint8_t *dst, const uint8_t *src, size_t samples)
{
    switch (p->packing) {
    case MGA_PACKING_8: return copy_bytes(dst, src, samples);
    case MGA_PACKING_16_LITTLE: return copy_little(dst, src, samples);
    case MGA_PACKING_16_BIG: return copy_big(dst, src, samples);
    case MGA_PACKING_DENSE: take_dense(dst, src, samples, p->bits); return 0;
    default: p->bits == 10 ? take_gige(dst, src, samples, 2) : take_gige(dst, src, samples, 4); return 0;
    }
}

static int is_known(const mga_unpack_params *p)
{
    return p->rows >= 1 && p->rows <= MGA_SIDE_MAX && p->columns >= 1 && p->columns <= MGA_SIDE_MAX &&
           p->packing <= MGA_PACKING_GIGE && p->bits >= PACKINGS[p->packing].fewest &&
           p->bits <= PACKINGS[p->packing].most && (p->packing != MGA_PACKING_GIGE || p->bits != 11);
}

int64_t mga_samples_unpack(void *dst, size_t dst_size, const void *src, size_t src_size,
                           const mga_unpack_params *params)
{
    if (!dst || !src || !params)
        return MGA_ERR_ARG_NULL;
    if (!is_known(params))
        return MGA_ERR_ARG_FORMAT;
    uint64_t samples = (uint64_t)params->rows * params->columns;
    uint64_t need = samples * PACKINGS[params->packing].sample_bytes;
    if (need > MGA_FRAME_BYTES_MAX)
        return MGA_ERR_ARG_FORMAT;
    uint32_t runs = params->stride ? params->rows : 1;
    samples /= runs;
    uint64_t bytes = run_bytes(params, samples);
    if (params->stride && params->stride < bytes)
        return MGA_ERR_ARG_RANGE;
    if (!mga_lines_fit(runs, bytes, params->stride, src_size))
        return MGA_ERR_ARG_SRC_SIZE;
    if (dst_size < need)
        return MGA_ERR_ARG_DST_SIZE;
    uint32_t seen = 0;
    for (uint32_t run = 0; run < runs; run++)
        seen |= take(params, (uint8_t *)dst + need / runs * run, (const uint8_t *)src + (size_t)params->stride * run,
                     (size_t)samples);
    return seen >> params->bits ? MGA_ERR_DATA_SAMPLE : (int64_t)need;
}
