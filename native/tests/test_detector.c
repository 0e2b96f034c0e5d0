/* Dark frame, gain, dead pixels and tables: against their definitions in wider arithmetic, and each argument. */
#include <string.h>

#include "check.h"
#include "mga.h"
#include "pixel_kernels.h"
#include "random.h"

static uint16_t get(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static void put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void fill(uint8_t *p, size_t samples, mga_random *random)
{
    for (size_t i = 0; i < samples; i++) {
        uint64_t dice = mga_random_next(random);
        put(p + 2 * i, dice % 8 == 0 ? 0 : dice % 8 == 1 ? 65535 : (uint32_t)(dice >> 8));
    }
}

static uint32_t corrected(int64_t x, int64_t offset, int64_t gain, int64_t pedestal, int64_t most)
{
    int64_t apart = x < offset ? offset - x : x - offset;
    int64_t scaled = (apart * gain * 2 + MGA_GAIN_ONE) / (2 * MGA_GAIN_ONE);
    int64_t v = (x < offset ? -scaled : scaled) + pedestal;
    return (uint32_t)(v < 0 ? 0 : v > most ? most : v);
}

static void check_flat(uint32_t columns, uint32_t bits, uint32_t pedestal, mga_random *random)
{
    const mga_format f = {3, columns, 1, 16, bits, 0, 0};
    size_t bytes = (size_t)mga_format_bytes(&f);
    uint8_t *frame[4];
    for (size_t k = 0; k < 4; k++) {
        frame[k] = exactly(bytes);
        fill(frame[k], bytes / 2, random);
    }
    for (uint32_t given = 0; given < 4; given++) {
        mga_flat_params p = {given & 1 ? frame[1] : NULL, bytes, given & 2 ? frame[2] : NULL, bytes, pedestal};
        CHECK(mga_flat_correct(frame[3], bytes, frame[0], bytes, &f, &p) == (int64_t)bytes);
        for (size_t i = 0; i < bytes / 2; i++)
            CHECK(get(frame[3] + 2 * i) == corrected(get(frame[0] + 2 * i), p.offset ? get(frame[1] + 2 * i) : 0,
                                                     p.gain ? get(frame[2] + 2 * i) : MGA_GAIN_ONE, pedestal,
                                                     (1 << bits) - 1));
        uint8_t *again = exactly(bytes);
        memcpy(again, frame[0], bytes);
        CHECK(mga_flat_correct(again, bytes, again, bytes, &f, &p) == (int64_t)bytes); /* in place */
        CHECK(memcmp(again, frame[3], bytes) == 0);
        mga_flat_limits limits = {(1u << bits) - 1, pedestal};
        mga_pixel_kernels_portable()->flat(again, frame[0], p.offset, p.gain, bytes / 2, &limits);
        CHECK(memcmp(again, frame[3], bytes) == 0);
        free(again);
    }
    for (size_t k = 0; k < 4; k++)
        free(frame[k]);
}

static void check_flat_arguments(void)
{
    const mga_format f = {1, 2, 1, 16, 12, 0, 0};
    uint8_t x[4] = {0};
    mga_flat_params p = {x, 4, x, 4, 4095};
    CHECK(mga_flat_correct(x, 4, x, 4, &f, &p) == 4);
    CHECK(mga_flat_correct(NULL, 4, x, 4, &f, &p) == MGA_ERR_ARG_NULL);
    CHECK(mga_flat_correct(x, 4, NULL, 4, &f, &p) == MGA_ERR_ARG_NULL);
    CHECK(mga_flat_correct(x, 4, x, 4, NULL, &p) == MGA_ERR_ARG_NULL);
    CHECK(mga_flat_correct(x, 4, x, 4, &f, NULL) == MGA_ERR_ARG_NULL);
    CHECK(mga_flat_correct(x, 3, x, 4, &f, &p) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_flat_correct(x, 4, x, 3, &f, &p) == MGA_ERR_ARG_SRC_SIZE);
    p.offset_size = 2;
    CHECK(mga_flat_correct(x, 4, x, 4, &f, &p) == MGA_ERR_ARG_SRC_SIZE);
    p = (mga_flat_params){x, 4, x, 5, 0};
    CHECK(mga_flat_correct(x, 4, x, 4, &f, &p) == MGA_ERR_ARG_SRC_SIZE);
    p = (mga_flat_params){x, 4, x, 4, 4096};
    CHECK(mga_flat_correct(x, 4, x, 4, &f, &p) == MGA_ERR_ARG_RANGE);
    const mga_format bad[] = {{1, 4, 1, 8, 8, 0, 0}, {1, 2, 1, 16, 12, 1, 0}, {1, 2, 3, 16, 16, 0, 0}};
    for (size_t i = 0; i < 3; i++)
        CHECK(mga_flat_correct(x, 4, x, 4, &bad[i], &p) == MGA_ERR_ARG_FORMAT);
}

/* A frame of 9 x 10 whose samples are 10 * row + column, with holes. */
static void check_defects(uint32_t bits)
{
    const mga_format f = {9, 10, 1, bits, bits, 0, 0};
    const uint32_t bytes = bits / 8;
    const uint32_t dead[] = {0, 44, 45, 54, 55, 89};
    uint8_t frame[180] = {0};
    for (uint32_t i = 0; i < 90; i++)
        frame[i * bytes] = (uint8_t)i;
    for (size_t i = 0; i < 6; i++)
        memset(frame + dead[i] * bytes, 0xFF, bytes);
    size_t size = (size_t)90 * bytes;
    CHECK(mga_defects_replace(frame, size, &f, dead, 6) == 6);
    CHECK(frame[0] == (1 + 10 + 11 + 1) / 3);
    CHECK(frame[44 * bytes] == (33 + 34 + 35 + 43 + 53 + 2) / 5);
    CHECK(frame[55 * bytes] == (46 + 56 + 64 + 65 + 66 + 2) / 5);
    CHECK(frame[89 * bytes] == (78 + 79 + 88 + 1) / 3);
    const uint32_t unsorted[] = {4, 3};
    const uint32_t twice[] = {4, 4};
    const uint32_t outside[] = {90};
    CHECK(mga_defects_replace(frame, size, &f, unsorted, 2) == MGA_ERR_ARG_RANGE);
    CHECK(mga_defects_replace(frame, size, &f, twice, 2) == MGA_ERR_ARG_RANGE);
    CHECK(mga_defects_replace(frame, size, &f, outside, 1) == MGA_ERR_ARG_RANGE);
    CHECK(mga_defects_replace(frame, size, &f, dead, 0) == 0);
    CHECK(mga_defects_replace(frame, size - 1, &f, dead, 1) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_defects_replace(NULL, size, &f, dead, 1) == MGA_ERR_ARG_NULL);
    CHECK(mga_defects_replace(frame, size, NULL, dead, 1) == MGA_ERR_ARG_NULL);
    CHECK(mga_defects_replace(frame, size, &f, NULL, 1) == MGA_ERR_ARG_NULL);
    const mga_format colour = {3, 10, 3, 8, 8, 0, 0};
    const mga_format sign = {9, 10, 1, 8, 8, 1, 0};
    CHECK(mga_defects_replace(frame, 90, &colour, dead, 1) == MGA_ERR_ARG_FORMAT);
    CHECK(mga_defects_replace(frame, 90, &sign, dead, 1) == MGA_ERR_ARG_FORMAT);
}

/* One good pixel at the end of a line: who is within its reach gets its value, who is not is refused. */
static void check_reach(void)
{
    const mga_format f = {1, 12, 1, 8, 8, 0, 0};
    uint32_t dead[11];
    uint8_t frame[12] = {0};
    for (uint32_t i = 0; i < 11; i++)
        dead[i] = i + 1;
    frame[0] = 77;
    CHECK(mga_defects_replace(frame, 12, &f, dead, 11) == MGA_ERR_ARG_RANGE);
    CHECK(mga_defects_replace(frame, 12, &f, dead, MGA_DEFECT_REACH) == MGA_DEFECT_REACH);
    CHECK(frame[1] == 77 && frame[3] == 77 && frame[MGA_DEFECT_REACH] == 0); /* the last one had a nearer neighbour */
}

static void check_table(const mga_format *f, uint32_t entry_bits, mga_random *random)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    size_t width = f->bits_allocated / 8;
    size_t samples = bytes / width;
    size_t entry = entry_bits / 8;
    size_t size = entry << f->bits_stored;
    uint8_t *src = exactly(bytes);
    uint8_t *dst = exactly(samples * entry);
    uint8_t *table = exactly(size);
    for (size_t i = 0; i < bytes; i++)
        src[i] = (uint8_t)mga_random_next(random);
    for (size_t i = 0; i < size; i++)
        table[i] = (uint8_t)mga_random_next(random);
    CHECK(mga_table_apply(dst, samples * entry, src, bytes, f, table, size, entry_bits) == (int64_t)(samples * entry));
    for (size_t i = 0; i < samples; i++) {
        uint32_t v = (width == 2 ? get(src + 2 * i) : src[i]) & ((1u << f->bits_stored) - 1);
        if (f->pixel_representation)
            v = (v + (1u << (f->bits_stored - 1))) & ((1u << f->bits_stored) - 1);
        CHECK(memcmp(dst + i * entry, table + v * entry, entry) == 0);
    }
    if (entry == width) { /* in place */
        uint8_t *again = exactly(bytes);
        memcpy(again, src, bytes);
        CHECK(mga_table_apply(again, bytes, again, bytes, f, table, size, entry_bits) == (int64_t)bytes);
        CHECK(memcmp(again, dst, bytes) == 0);
        free(again);
    }
    CHECK(mga_table_apply(dst, samples * entry - 1, src, bytes, f, table, size, entry_bits) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_table_apply(dst, samples * entry, src, bytes - 1, f, table, size, entry_bits) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_table_apply(dst, samples * entry, src, bytes, f, table, size - 1, entry_bits) == MGA_ERR_ARG_RANGE);
    CHECK(mga_table_apply(dst, samples * entry, src, bytes, f, table, size, 12) == MGA_ERR_ARG_FORMAT);
    CHECK(mga_table_apply(NULL, samples * entry, src, bytes, f, table, size, entry_bits) == MGA_ERR_ARG_NULL);
    CHECK(mga_table_apply(dst, samples * entry, NULL, bytes, f, table, size, entry_bits) == MGA_ERR_ARG_NULL);
    CHECK(mga_table_apply(dst, samples * entry, src, bytes, NULL, table, size, entry_bits) == MGA_ERR_ARG_NULL);
    CHECK(mga_table_apply(dst, samples * entry, src, bytes, f, NULL, size, entry_bits) == MGA_ERR_ARG_NULL);
    free(table);
    free(dst);
    free(src);
}

int main(void)
{
    static const uint32_t COLUMNS[] = {1, 2, 15, 33, 171, 700};
    mga_random random = mga_random_seed(11);
    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++)
        for (uint32_t bits = 1; bits <= 16; bits += 3) {
            check_flat(COLUMNS[i], bits, 0, &random);
            check_flat(COLUMNS[i], bits, (1u << bits) - 1, &random);
        }
    check_flat_arguments();
    check_defects(8);
    check_defects(16);
    check_reach();
    for (uint32_t bits = 8; bits <= 16; bits += 8)
        for (uint32_t stored = 1; stored <= bits; stored += 5)
            for (uint32_t flags = 0; flags < 4; flags++) {
                mga_format f = {3, 7, flags & 2 ? 3 : 1, bits, stored, flags & 1, 0};
                check_table(&f, 8, &random);
                check_table(&f, 16, &random);
            }
    return 0;
}
