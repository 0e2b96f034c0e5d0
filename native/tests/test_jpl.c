/* JPEG Lossless: round trips, exact buffers, hostile input, codes, and both sets of kernels against each other. */
#include <string.h>

#include "check.h"
#include "jpl_huffman.h"
#include "jpl_kernels.h"
#include "jpl_reader.h"
#include "mga.h"
#include "random.h"

enum { CANARY = 32 };

static mga_format format_of(uint64_t bits)
{
    mga_format f = {0};
    f.rows = (uint32_t)(1 + bits % 5);
    f.columns = (uint32_t)(1 + (bits >> 8) % 300);
    f.samples_per_pixel = bits >> 20 & 1 ? 3 : 1;
    f.bits_stored = (uint32_t)(1 + (bits >> 21) % 16);
    f.bits_allocated = f.bits_stored > 8 || bits >> 30 & 1 ? 16 : 8;
    f.pixel_representation = bits >> 31 & 1;
    f.planar_configuration = bits >> 32 & 1;
    return f;
}

/* Samples of the bits stored, signed ones with their sign in all bits: noise, steps, or next to nothing. */
static void fill(uint8_t *p, const mga_format *f, mga_random *random)
{
    size_t bytes = f->bits_allocated / 8;
    size_t count = (size_t)f->rows * f->columns * f->samples_per_pixel;
    uint32_t top = (1u << f->bits_stored) - 1;
    uint64_t kind = mga_random_next(random) % 3;
    uint32_t value = top / 2;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = mga_random_next(random);
        if (kind == 0)
            value = (uint32_t)bits & top;
        else
            value = (value + (uint32_t)(kind == 1 ? bits % 7 : bits % 97 == 0)) & top;
        uint32_t stored = f->pixel_representation && value > top / 2 ? value | ~top : value;
        memcpy(p + i * bytes, &stored, bytes);
    }
}

/* The destination may have exactly `size` bytes; what stands behind is not touched. */
static void check_destination(const mga_format *f, const uint8_t *native, size_t bytes, const uint8_t *coded,
                              size_t size, uint8_t *work, size_t work_bytes, size_t room)
{
    uint8_t *out = exactly(room + CANARY);
    memset(out, 0xA5, room + CANARY);
    int64_t got = mga_jpl_encode(out, room, native, bytes, f, work, work_bytes);
    CHECK(got == (room < size ? MGA_ERR_ARG_DST_SIZE : (int64_t)size));
    if (room >= size)
        CHECK(memcmp(out, coded, size) == 0);
    for (size_t i = room; i < room + CANARY; i++)
        CHECK(out[i] == 0xA5);
    free(out);
}

static void check_round_trip(const mga_format *f, mga_random *random)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    size_t bound = (size_t)mga_jpl_encode_bound(f);
    size_t work_bytes = (size_t)mga_jpl_work_bytes(f);
    uint8_t *native = exactly(bytes);
    uint8_t *coded = exactly(bound);
    uint8_t *work = exactly(work_bytes);
    fill(native, f, random);
    int64_t size = mga_jpl_encode(coded, bound, native, bytes, f, work, work_bytes);
    CHECK(size > 0 && size % 2 == 0 && (size_t)size <= bound);
    uint8_t *fitting = exactly((size_t)size);
    memcpy(fitting, coded, (size_t)size);
    uint8_t *back = exactly(bytes);
    CHECK(mga_jpl_decode(back, bytes, fitting, (size_t)size, f, work, work_bytes) == (int64_t)bytes);
    CHECK(memcmp(back, native, bytes) == 0);
    CHECK(mga_jpl_decode(back, bytes - 1, fitting, (size_t)size, f, work, work_bytes) == MGA_ERR_ARG_DST_SIZE);
    size_t less = (size_t)(mga_random_next(random) % (uint64_t)size);
    check_destination(f, native, bytes, coded, (size_t)size, work, work_bytes, less);
    check_destination(f, native, bytes, coded, (size_t)size, work, work_bytes, (size_t)size);
    free(back);
    free(fitting);
    free(work);
    free(coded);
    free(native);
}

static void test_round_trips(void)
{
    mga_random random = mga_random_seed(1);
    for (int i = 0; i < 2000; i++) {
        mga_format f = format_of(mga_random_next(&random));
        check_round_trip(&f, &random);
    }
    mga_format wide = {3, 65535, 3, 16, 16, 0, 0}; /* large tables, many blocks */
    check_round_trip(&wide, &random);
    mga_format large = {300, 400, 1, 16, 12, 1, 0};
    check_round_trip(&large, &random);
    check_round_trip(&large, &random);
}

/* Any answer but a crash or a wild write: a status of the data, or a frame. */
static void try_decode(const mga_format *f, const uint8_t *coded, size_t size, uint8_t *work, size_t work_bytes)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    uint8_t *copy = exactly(size);
    uint8_t *back = exactly(bytes);
    memcpy(copy, coded, size);
    int64_t status = mga_jpl_decode(back, bytes, copy, size, f, work, work_bytes);
    CHECK(status == (int64_t)bytes || (status < MGA_ERR_DATA_HEADER + 1 && status > MGA_ERR_DEV_MEMORY));
    free(back);
    free(copy);
}

/* Thirty small streams: every destination, every truncation, every single bit. */
static void test_small_streams(void)
{
    mga_random random = mga_random_seed(2);
    for (int i = 0; i < 30; i++) {
        mga_format f = format_of(mga_random_next(&random));
        f.columns = 1 + f.columns % 12;
        size_t bytes = (size_t)mga_format_bytes(&f);
        size_t bound = (size_t)mga_jpl_encode_bound(&f);
        size_t work_bytes = (size_t)mga_jpl_work_bytes(&f);
        uint8_t *native = exactly(bytes);
        uint8_t *coded = exactly(bound);
        uint8_t *work = exactly(work_bytes);
        fill(native, &f, &random);
        size_t size = (size_t)mga_jpl_encode(coded, bound, native, bytes, &f, work, work_bytes);
        for (size_t room = 0; room < size + 20; room++)
            check_destination(&f, native, bytes, coded, size, work, work_bytes, room);
        for (size_t cut = 0; cut < size; cut++)
            try_decode(&f, coded, cut, work, work_bytes);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            coded[bit / 8] ^= (uint8_t)(1u << bit % 8);
            try_decode(&f, coded, size, work, work_bytes);
            coded[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(work);
        free(coded);
        free(native);
    }
}

static void test_arguments(void)
{
    uint8_t native[6] = {0};
    uint8_t coded[200];
    mga_format f = {2, 3, 1, 8, 8, 0, 0};
    size_t need = (size_t)mga_jpl_work_bytes(&f);
    uint8_t *work = exactly(need);
    CHECK(mga_jpl_encode(NULL, 200, native, 6, &f, work, need) == MGA_ERR_ARG_NULL);
    CHECK(mga_jpl_encode(coded, 200, NULL, 6, &f, work, need) == MGA_ERR_ARG_NULL);
    CHECK(mga_jpl_encode(coded, 200, native, 6, NULL, work, need) == MGA_ERR_ARG_NULL);
    CHECK(mga_jpl_encode(coded, 200, native, 6, &f, NULL, need) == MGA_ERR_ARG_NULL);
    CHECK(mga_jpl_encode(coded, 200, native, 5, &f, work, need) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_jpl_encode(coded, 200, native, 6, &f, work, need - 1) == MGA_ERR_ARG_WORK_SIZE);
    CHECK(mga_jpl_decode(native, 6, coded, 0, &f, work, need) == MGA_ERR_DATA_TRUNCATED);
    CHECK(mga_jpl_encode_bound(NULL) == MGA_ERR_ARG_NULL);
    f.samples_per_pixel = 2;
    CHECK(mga_jpl_encode_bound(&f) == MGA_ERR_ARG_FORMAT);
    CHECK(mga_jpl_work_bytes(&f) == MGA_ERR_ARG_FORMAT);
    free(work);
}

static uint64_t cost(const uint32_t *counts, const jpl_codes *codes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < JPL_CATEGORIES; i++)
        bits += (uint64_t)counts[i] * codes->length[i];
    return bits;
}

/* Powers of three want 17 bits; whatever the counts, the code is one, all ones are free, and entropy is near. */
static void test_codes(void)
{
    mga_random random = mga_random_seed(4);
    for (int i = 0; i < 3000; i++) {
        uint32_t counts[JPL_CATEGORIES];
        uint32_t power = 1;
        for (size_t k = 0; k < JPL_CATEGORIES; k++) {
            uint64_t bits = mga_random_next(&random);
            counts[k] = i == 0 ? power : (uint32_t)(bits >> 40 & (bits & 1 ? 0 : (1u << bits % 24) - 1));
            power *= 3;
        }
        counts[i % 17] |= 1;
        jpl_huffman huffman;
        jpl_codes codes;
        jpl_huffman_make(&huffman, counts);
        CHECK(jpl_huffman_is_code(&huffman));
        jpl_huffman_codes(&codes, &huffman);
        uint64_t total = 0;
        for (size_t k = 0; k < JPL_CATEGORIES; k++) {
            CHECK((codes.length[k] > 0) == (counts[k] > 0));
            CHECK(!codes.length[k] || codes.code[k] != (1u << codes.length[k]) - 1);
            total += counts[k];
        }
        CHECK(cost(counts, &codes) <= 5 * total); /* codes of equal lengths would take that */
        if (i == 0)
            CHECK(codes.length[0] == JPL_CODE_BITS && codes.length[16] == 1);
    }
}

static void test_kernels_agree(void)
{
    const jpl_kernels *plain = jpl_kernels_portable();
    const jpl_kernels *best = jpl_kernels_best();
    mga_random random = mga_random_seed(3);
    int16_t *differences = exactly(JPL_BLOCK * sizeof(int16_t));
    uint8_t *a = exactly(JPL_PACK_BYTES);
    uint8_t *b = exactly(JPL_PACK_BYTES);
    for (int i = 0; i < 3000; i++) {
        uint64_t bits = mga_random_next(&random);
        size_t n = bits % 11 == 0 ? JPL_BLOCK : (size_t)(bits % 100);
        unsigned wide = (unsigned)(bits >> 20) % 17;
        for (size_t k = 0; k < n; k++)
            differences[k] = (int16_t)(uint16_t)((int16_t)(uint16_t)mga_random_next(&random) >> (16 - wide) % 16);
        if (bits >> 40 & 1 && n > 0)
            differences[n / 2] = INT16_MIN;
        uint32_t counts[2][JPL_CATEGORIES] = {{0}};
        plain->count(counts[0], differences, n);
        best->count(counts[1], differences, n);
        CHECK(memcmp(counts[0], counts[1], sizeof counts[0]) == 0);
        counts[0][bits >> 50 & 15] += 1;
        jpl_huffman huffman;
        jpl_codes codes;
        jpl_huffman_make(&huffman, counts[0]);
        jpl_huffman_codes(&codes, &huffman);
        jpl_carry carry_a = {bits & 7, 3};
        jpl_carry carry_b = carry_a;
        size_t size = plain->pack(a, &carry_a, differences, n, &codes);
        CHECK(best->pack(b, &carry_b, differences, n, &codes) == size);
        CHECK(memcmp(a, b, size) == 0 && carry_a.count == carry_b.count);
        CHECK(((carry_a.bits ^ carry_b.bits) & ((1u << carry_a.count) - 1)) == 0);
    }
    free(b);
    free(a);
    free(differences);
}

int main(void)
{
    test_kernels_agree();
    test_codes();
    test_arguments();
    test_round_trips();
    test_small_streams();
    return 0;
}
