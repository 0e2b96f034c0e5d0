/* RLE Lossless: round trips, exact buffers, hostile input, and both sets of kernels against each other. */
#include <string.h>

#include "bytes.h"
#include "check.h"
#include "mga.h"
#include "random.h"
#include "rle_kernels.h"

static mga_format format_of(uint32_t rows, uint32_t columns, uint32_t samples, uint32_t bits, uint32_t planar)
{
    return (mga_format){rows, columns, samples, bits, bits, 0, planar};
}

/* Runs and noise in turn. */
static void fill(uint8_t *p, size_t count, mga_random *random)
{
    size_t i = 0;
    while (i < count) {
        uint64_t bits = mga_random_next(random);
        size_t run = (size_t)(bits % 4 == 0 ? 1 + bits / 4 % 300 : 1 + bits / 4 % 4);
        for (size_t k = 0; k < run && i < count; k++)
            p[i++] = (uint8_t)(bits >> 56);
    }
}

static void check_round_trip(const mga_format *f, mga_random *random)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    size_t bound = (size_t)mga_rle_encode_bound(f);
    size_t work_bytes = (size_t)mga_rle_work_bytes(f);
    uint8_t *native = exactly(bytes);
    uint8_t *coded = exactly(bound);
    uint8_t *work = exactly(work_bytes);
    fill(native, bytes, random);
    int64_t size = mga_rle_encode(coded, bound, native, bytes, f, work, work_bytes);
    CHECK(size >= 64 && size % 2 == 0 && (size_t)size <= bound);

    uint8_t *fitting = exactly((size_t)size);
    CHECK(mga_rle_encode(fitting, (size_t)size, native, bytes, f, work, work_bytes) == size);
    CHECK(memcmp(fitting, coded, (size_t)size) == 0);
    uint8_t *back = exactly(bytes);
    CHECK(mga_rle_decode(back, bytes, fitting, (size_t)size, f, work, work_bytes) == (int64_t)bytes);
    CHECK(memcmp(back, native, bytes) == 0);

    size_t less = (size_t)(mga_random_next(random) % (uint64_t)size);
    uint8_t *tight = exactly(less);
    CHECK(mga_rle_encode(tight, less, native, bytes, f, work, work_bytes) == MGA_ERR_ARG_DST_SIZE);
    memcpy(tight, coded, less);
    int64_t status = mga_rle_decode(back, bytes, tight, less, f, work, work_bytes);
    CHECK(status < 0 || less + 1 == (size_t)size); /* the last byte may be padding */
    free(tight);
    free(back);
    free(fitting);
    free(work);
    free(coded);
    free(native);
}

static void test_round_trips(void)
{
    mga_random random = mga_random_seed(1);
    for (int i = 0; i < 1500; i++) {
        uint64_t bits = mga_random_next(&random);
        mga_format f = format_of((uint32_t)(1 + bits % 5), (uint32_t)(1 + (bits >> 8) % 400), bits >> 20 & 1 ? 3 : 1,
                                 bits >> 21 & 1 ? 16 : 8, (uint32_t)(bits >> 22 & 1));
        check_round_trip(&f, &random);
    }
    mga_format wide = format_of(2, 65535, 3, 16, 0);
    check_round_trip(&wide, &random);
}

/* Damaged frames: anything may come out, as long as it stays inside and ends. */
static void test_hostile_input(void)
{
    mga_random random = mga_random_seed(2);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = mga_random_next(&random);
        mga_format f = format_of((uint32_t)(1 + bits % 4), (uint32_t)(1 + (bits >> 8) % 400), bits >> 20 & 1 ? 3 : 1,
                                 bits >> 21 & 1 ? 16 : 8, 0);
        size_t planes = (size_t)f.samples_per_pixel * f.bits_allocated / 8;
        size_t bytes = (size_t)mga_format_bytes(&f);
        size_t size = 64 + (size_t)(bits >> 24) % 300;
        size_t work_bytes = (size_t)mga_rle_work_bytes(&f);
        uint8_t *coded = exactly(size);
        uint8_t *back = exactly(bytes);
        uint8_t *work = exactly(work_bytes);
        fill(coded, size, &random);
        uint32_t header[16] = {(uint32_t)planes};
        for (size_t k = 1; k <= planes; k++)
            header[k] = (uint32_t)(64 + (k - 1) * (size - 64) / planes + (bits >> 50) % 2);
        if (bits >> 60) /* mostly a believable header */
            memcpy(coded, header, sizeof header);
        int64_t status = mga_rle_decode(back, bytes, coded, size, &f, work, work_bytes);
        CHECK(status == (int64_t)bytes || status <= MGA_ERR_DATA_HEADER);
        int64_t beside = mga_rle_beside(coded, size, &f);
        CHECK(status == (int64_t)bytes ? beside == 0 : status == MGA_ERR_DATA_BESIDE ? beside > 0 : beside < 0);
        free(work);
        free(back);
        free(coded);
    }
}

/* What stands behind the packets of a plane, or in front of the first one, is padding, or it is told; the frame is
 * whole in either case. */
static void test_bytes_beside(void)
{
    mga_random random = mga_random_seed(4);
    for (int i = 0; i < 3000; i++) {
        uint64_t bits = mga_random_next(&random);
        mga_format f = format_of((uint32_t)(1 + bits % 5), (uint32_t)(1 + (bits >> 8) % 400), bits >> 20 & 1 ? 3 : 1,
                                 bits >> 21 & 1 ? 16 : 8, (uint32_t)(bits >> 22 & 1));
        size_t planes = (size_t)f.samples_per_pixel * f.bits_allocated / 8;
        size_t bytes = (size_t)mga_format_bytes(&f);
        size_t bound = (size_t)mga_rle_encode_bound(&f);
        size_t work_bytes = (size_t)mga_rle_work_bytes(&f);
        uint8_t *native = exactly(bytes);
        uint8_t *back = exactly(bytes);
        uint8_t *coded = exactly(bound);
        uint8_t *work = exactly(work_bytes);
        fill(native, bytes, &random);
        size_t size = (size_t)mga_rle_encode(coded, bound, native, bytes, &f, work, work_bytes);
        CHECK(mga_rle_beside(coded, size, &f) == 0);

        size_t more = 1 + (size_t)(bits >> 24) % 400;
        size_t where = (size_t)(bits >> 40) % (planes + 1); /* in front of this segment */
        size_t at = where < planes ? mga_get32_little(coded + 4 * (where + 1)) : size;
        uint8_t *longer = exactly(size + more);
        memcpy(longer, coded, at);
        memset(longer + at, bits >> 50 & 1 ? 128 : 0, more);
        memcpy(longer + at + more, coded + at, size - at);
        for (size_t k = where; k < planes; k++)
            mga_put32_little(longer + 4 * (k + 1), mga_get32_little(coded + 4 * (k + 1)) + (uint32_t)more);
        CHECK(mga_rle_beside(longer, size + more, &f) == 0);
        CHECK(mga_rle_decode(back, bytes, longer, size + more, &f, work, work_bytes) == (int64_t)bytes);
        CHECK(memcmp(back, native, bytes) == 0);

        size_t odd = (size_t)(bits >> 51) % more;
        longer[at + odd] = (uint8_t)(bits >> 32 | 1);
        memset(back, 0, bytes);
        int64_t beside = mga_rle_beside(longer, size + more, &f);
        CHECK(beside == (int64_t)odd + 1 || beside == (int64_t)odd + 2); /* the segment was padded already */
        CHECK(mga_rle_decode(back, bytes, longer, size + more, &f, work, work_bytes) == MGA_ERR_DATA_BESIDE);
        CHECK(memcmp(back, native, bytes) == 0);
        free(longer);
        free(work);
        free(coded);
        free(back);
        free(native);
    }
}

static void test_arguments(void)
{
    uint8_t native[6] = {0};
    uint8_t coded[200];
    static uint8_t work[1 << 14];
    mga_format f = format_of(2, 3, 1, 8, 0);
    CHECK(mga_rle_encode(NULL, 200, native, 6, &f, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_rle_encode(coded, 200, NULL, 6, &f, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_rle_encode(coded, 200, native, 6, NULL, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_rle_encode(coded, 200, native, 6, &f, NULL, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_rle_encode(coded, 200, native, 5, &f, work, sizeof work) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_rle_encode(coded, 63, native, 6, &f, work, sizeof work) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_rle_encode(coded, 200, native, 6, &f, work, 10) == MGA_ERR_ARG_WORK_SIZE);
    CHECK(mga_rle_decode(native, 5, coded, 200, &f, work, sizeof work) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_rle_beside(NULL, 200, &f) == MGA_ERR_ARG_NULL);
    CHECK(mga_rle_beside(coded, 200, NULL) == MGA_ERR_ARG_NULL);
    CHECK(mga_rle_encode_bound(NULL) == MGA_ERR_ARG_NULL);
    f.samples_per_pixel = 2;
    CHECK(mga_rle_encode_bound(&f) == MGA_ERR_ARG_FORMAT);
    CHECK(mga_rle_work_bytes(&f) == MGA_ERR_ARG_FORMAT);
}

static void test_kernels_agree(void)
{
    const mga_rle_kernels *plain = mga_rle_kernels_portable();
    const mga_rle_kernels *best = mga_rle_kernels_best();
    mga_random random = mga_random_seed(3);
    for (size_t count = 1; count < 300; count++) {
        uint8_t *source = exactly(3 * count);
        uint8_t *a = exactly(3 * count);
        uint8_t *b = exactly(3 * count);
        fill(source, 3 * count, &random);
        for (size_t step = 1; step <= 3; step++) {
            plain->split(a, source + (step - 1) / 2, count, step);
            best->split(b, source + (step - 1) / 2, count, step);
            CHECK(memcmp(a, b, count) == 0);
        }
        plain->join2(a, source, source + count, count);
        best->join2(b, source, source + count, count);
        CHECK(memcmp(a, b, 2 * count) == 0);
        plain->join3(a, source, source + count, source + 2 * count, count);
        best->join3(b, source, source + count, source + 2 * count, count);
        CHECK(memcmp(a, b, 3 * count) == 0);

        uint8_t row[300 + MGA_RLE_SLACK] = {0};
        uint64_t map_a[6] = {0};
        uint64_t map_b[6] = {0};
        memcpy(row, source, count);
        plain->equal(map_a, row, count);
        best->equal(map_b, row, count);
        CHECK(memcmp(map_a, map_b, sizeof map_a) == 0);
        for (size_t i = 0; i + 1 < count; i++)
            CHECK((map_a[i / 64] >> i % 64 & 1) == (row[i] == row[i + 1]));
        free(b);
        free(a);
        free(source);
    }
}

int main(void)
{
    test_kernels_agree();
    test_arguments();
    test_round_trips();
    test_hostile_input();
    test_bytes_beside();
    return 0;
}
