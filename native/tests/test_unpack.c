/* Samples packed here bit by bit come back; nothing outside of a line is read or written; each argument is checked. */
#include <string.h>

#include "check.h"
#include "mga.h"
#include "random.h"

typedef struct {
    uint32_t packing, bits, bytes;
} kind;

static const kind KINDS[] = {
    {MGA_PACKING_8, 1, 1},          {MGA_PACKING_8, 8, 1},       {MGA_PACKING_16_LITTLE, 10, 2},
    {MGA_PACKING_16_LITTLE, 16, 2}, {MGA_PACKING_16_BIG, 12, 2}, {MGA_PACKING_16_BIG, 16, 2},
    {MGA_PACKING_DENSE, 9, 2},      {MGA_PACKING_DENSE, 10, 2},  {MGA_PACKING_DENSE, 11, 2},
    {MGA_PACKING_DENSE, 12, 2},     {MGA_PACKING_DENSE, 13, 2},  {MGA_PACKING_DENSE, 14, 2},
    {MGA_PACKING_GIGE, 10, 2},      {MGA_PACKING_GIGE, 12, 2},
};

static void put_bit(uint8_t *p, size_t bit, uint32_t value)
{
    p[bit / 8] |= (uint8_t)((value & 1) << bit % 8);
}

/* Sample i of a run, into zeros. */
static void pack(uint8_t *run, size_t i, const kind *k, uint32_t v)
{
    uint32_t low = k->bits - 8;
    switch (k->packing) {
    case MGA_PACKING_8: run[i] = (uint8_t)v; break;
    case MGA_PACKING_16_LITTLE:
        run[2 * i] = (uint8_t)v;
        run[2 * i + 1] = (uint8_t)(v >> 8);
        break;
    case MGA_PACKING_16_BIG:
        run[2 * i] = (uint8_t)(v >> 8);
        run[2 * i + 1] = (uint8_t)v;
        break;
    case MGA_PACKING_DENSE:
        for (uint32_t bit = 0; bit < k->bits; bit++)
            put_bit(run, i * k->bits + bit, v >> bit);
        break;
    default:
        run[i / 2 * 3 + (i % 2 ? 2 : 0)] = (uint8_t)(v >> low);
        run[i / 2 * 3 + 1] |= (uint8_t)((v & ((1u << low) - 1)) << (i % 2 ? 4 : 0));
        break;
    }
}

static size_t run_bytes(const kind *k, size_t samples)
{
    if (k->packing == MGA_PACKING_DENSE)
        return (samples * k->bits + 7) / 8;
    return k->packing == MGA_PACKING_GIGE ? (samples * 3 + 1) / 2 : samples * k->bytes;
}

static void check_picture(const kind *k, uint32_t rows, uint32_t columns, uint32_t pad, mga_random *random)
{
    size_t samples = (size_t)rows * columns;
    size_t line = run_bytes(k, columns);
    mga_unpack_params p = {rows, columns, k->packing, k->bits, pad ? (uint32_t)line + pad - 1 : 0};
    size_t src_bytes = pad ? (rows - 1) * (size_t)p.stride + line : run_bytes(k, samples);
    uint8_t *src = exactly(src_bytes);
    uint8_t *want = exactly(samples * k->bytes);
    uint8_t *got = exactly(samples * k->bytes);
    memset(src, 0, src_bytes);
    for (size_t i = 0; i < samples; i++) {
        uint64_t dice = mga_random_next(random);
        uint32_t v = dice % 8 == 0 ? 0 : dice % 8 == 1 ? (1u << k->bits) - 1 : (uint32_t)(dice >> 8) % (1u << k->bits);
        uint8_t *run = pad ? src + i / columns * p.stride : src;
        pack(run, pad ? i % columns : i, k, v);
        want[i * k->bytes] = (uint8_t)v;
        if (k->bytes == 2)
            want[2 * i + 1] = (uint8_t)(v >> 8);
    }
    CHECK(mga_samples_unpack(got, samples * k->bytes, src, src_bytes, &p) == (int64_t)(samples * k->bytes));
    CHECK(memcmp(got, want, samples * k->bytes) == 0);
    CHECK(mga_samples_unpack(got, samples * k->bytes, src, src_bytes - 1, &p) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_samples_unpack(got, samples * k->bytes - 1, src, src_bytes, &p) == MGA_ERR_ARG_DST_SIZE);
    p.stride = (uint32_t)line - 1;
    CHECK(!p.stride || mga_samples_unpack(got, samples * k->bytes, src, src_bytes, &p) == MGA_ERR_ARG_RANGE);
    free(got);
    free(want);
    free(src);
}

static void check_arguments(void)
{
    uint8_t src[8] = {0, 4};
    uint8_t dst[8];
    mga_unpack_params good = {2, 2, MGA_PACKING_16_LITTLE, 10, 0};
    CHECK(mga_samples_unpack(dst, 8, src, 8, &good) == MGA_ERR_DATA_SAMPLE);
    good.bits = 11;
    CHECK(mga_samples_unpack(dst, 8, src, 8, &good) == 8);
    CHECK(mga_samples_unpack(NULL, 8, src, 8, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_samples_unpack(dst, 8, NULL, 8, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_samples_unpack(dst, 8, src, 8, NULL) == MGA_ERR_ARG_NULL);
    const mga_unpack_params bad[] = {
        {0, 2, MGA_PACKING_8, 8, 0},     {65536, 1, MGA_PACKING_8, 8, 0},     {2, 0, MGA_PACKING_8, 8, 0},
        {1, 65536, MGA_PACKING_8, 8, 0}, {2, 2, MGA_PACKING_8, 9, 0},         {2, 2, MGA_PACKING_8, 0, 0},
        {2, 2, MGA_PACKING_DENSE, 8, 0}, {2, 2, MGA_PACKING_DENSE, 15, 0},    {2, 2, MGA_PACKING_GIGE, 11, 0},
        {2, 2, MGA_PACKING_GIGE, 8, 0},  {2, 2, MGA_PACKING_16_BIG, 17, 0},   {2, 2, MGA_PACKING_GIGE + 1, 12, 0},
        {2, 2, UINT32_MAX, 8, 0},        {65535, 65535, MGA_PACKING_8, 8, 0}, {40000, 20000, MGA_PACKING_DENSE, 12, 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(mga_samples_unpack(dst, 8, src, 8, &bad[i]) == MGA_ERR_ARG_FORMAT);
    mga_unpack_params far = {65535, 2, MGA_PACKING_8, 8, UINT32_MAX}; /* beyond 32 bits */
    CHECK(mga_samples_unpack(dst, 8, src, 8, &far) == MGA_ERR_ARG_SRC_SIZE);
}

int main(void)
{
    static const uint32_t SIDES[][2] = {{1, 1}, {1, 2}, {2, 1},  {3, 3},  {5, 7},
                                        {2, 8}, {3, 9}, {2, 16}, {4, 33}, {3, 257}};
    mga_random random = mga_random_seed(3);
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
        for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++)
            for (uint32_t pad = 0; pad < 4; pad++)
                check_picture(&KINDS[k], SIDES[i][0], SIDES[i][1], pad, &random);
    check_arguments();
    return 0;
}
