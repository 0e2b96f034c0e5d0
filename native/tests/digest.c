/* What the core makes, as one line for each case: the same on every processor, whatever its word and byte order. The
 * pictures are made of integers here, so that they are the same too. scripts/cross compares the lines. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "mga.h"
#include "pattern.h"
#include "random.h"

enum { CASES = 600, DX_GRID_ROWS = 24 };

typedef struct {
    mga_format format;
    size_t bytes, bound, work_bytes;
    uint8_t *native, *coded, *back, *work;
} bench;

static uint64_t digest(const uint8_t *p, size_t size)
{
    uint64_t hash = 0xCBF29CE484222325u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001B3u;
    return hash;
}

static mga_format format_of(uint64_t bits, int number)
{
    mga_format f = {0};
    f.rows = (uint32_t)(1 + bits % 12);
    f.columns = (uint32_t)(1 + (bits >> 8) % (number % 16 ? 90 : 1500));
    f.samples_per_pixel = bits >> 20 & 1 ? 3 : 1;
    f.bits_stored = (uint32_t)(2 + (bits >> 21) % 15);
    f.bits_allocated = f.bits_stored > 8 || bits >> 30 & 1 ? 16 : 8;
    f.pixel_representation = bits >> 31 & 1;
    f.planar_configuration = bits >> 32 & 1;
    return f;
}

/* Flats, slopes, small steps and noise in turn; signed samples have their sign in all bits. With `inside` in the middle
 * half of the range, where loss has room. */
static void fill(const bench *b, mga_random *random, bool inside)
{
    const mga_format *f = &b->format;
    uint32_t sign = f->pixel_representation ? 1u << (f->bits_stored - 1) : 0;
    uint32_t stored = (1u << f->bits_stored) - 1;
    uint32_t quarter = (stored + 1) / 4;
    uint32_t mask = inside ? stored / 2 : stored;
    uint32_t base = !inside ? 0 : sign ? 0 - quarter : quarter;
    uint32_t step = f->bits_allocated / 8;
    uint32_t value = 0;
    uint64_t kind = 0;
    for (size_t i = 0; i < b->bytes; i += step) {
        uint64_t bits = mga_random_next(random);
        if (bits >> 58 == 0)
            kind = bits >> 8;
        if (kind % 4 == 1)
            value = (uint32_t)bits;
        else if (kind % 4 == 2)
            value += (uint32_t)(bits % 5) - 2;
        else if (kind % 4 == 3)
            value += (uint32_t)(kind >> 8) % 3;
        uint32_t x = ((((value & mask) + base) & stored) ^ sign) - sign;
        b->native[i] = (uint8_t)x;
        if (step == 2)
            b->native[i + 1] = (uint8_t)(x >> 8);
    }
}

static void tell(const bench *b, const char *codec, uint32_t near, int64_t size, int64_t decoded)
{
    const mga_format *f = &b->format;
    CHECK(size > 0 && decoded == (int64_t)b->bytes);
    CHECK(near || memcmp(b->native, b->back, b->bytes) == 0);
    (void)printf(
        "%s near=%u rows=%u columns=%u samples=%u allocated=%u stored=%u signed=%u planar=%u %lld %016llx %016llx\n",
        codec, near, f->rows, f->columns, f->samples_per_pixel, f->bits_allocated, f->bits_stored,
        f->pixel_representation, f->planar_configuration, (long long)size,
        (unsigned long long)digest(b->coded, (size_t)size), (unsigned long long)digest(b->back, b->bytes));
}

static void run_rle(const bench *b)
{
    int64_t size = mga_rle_encode(b->coded, b->bound, b->native, b->bytes, &b->format, b->work, b->work_bytes);
    tell(b, "rle", 0, size,
         mga_rle_decode(b->back, b->bytes, b->coded, (size_t)size, &b->format, b->work, b->work_bytes));
}

static void run_jpl(const bench *b)
{
    int64_t size = mga_jpl_encode(b->coded, b->bound, b->native, b->bytes, &b->format, b->work, b->work_bytes);
    tell(b, "jpl", 0, size,
         mga_jpl_decode(b->back, b->bytes, b->coded, (size_t)size, &b->format, b->work, b->work_bytes));
}

static void run_jls(const bench *b, uint32_t near)
{
    uint32_t most = (1u << b->format.bits_stored) / 4;
    mga_jls_params p = {near < most ? near : most};
    int64_t size = mga_jls_encode(b->coded, b->bound, b->native, b->bytes, &b->format, &p, b->work, b->work_bytes);
    tell(b, "jls", p.near, size,
         mga_jls_decode(b->back, b->bytes, b->coded, (size_t)size, &b->format, b->work, b->work_bytes));
}

static size_t largest(int64_t a, int64_t b, int64_t c)
{
    int64_t most = a > b ? a : b;
    most = most > c ? most : c;
    CHECK(most > 0);
    return (size_t)most;
}

static void run_codecs(int number, mga_random *random)
{
    mga_format f = format_of(mga_random_next(random), number);
    bench b = {.format = f, .bytes = (size_t)mga_format_bytes(&f)};
    b.bound = largest(mga_rle_encode_bound(&f), mga_jpl_encode_bound(&f), mga_jls_encode_bound(&f));
    b.work_bytes = largest(mga_rle_work_bytes(&f), mga_jpl_work_bytes(&f), mga_jls_work_bytes(&f));
    b.native = exactly(b.bytes);
    b.back = exactly(b.bytes);
    b.coded = exactly(b.bound);
    b.work = exactly(b.work_bytes);
    fill(&b, random, false);
    run_rle(&b);
    run_jpl(&b);
    run_jls(&b, 0);
    fill(&b, random, true);
    run_jls(&b, 1 + (uint32_t)number % 5);
    free(b.work);
    free(b.coded);
    free(b.back);
    free(b.native);
}

static void run_preview(int number, mga_random *random)
{
    mga_format f = format_of(mga_random_next(random), number);
    bench b = {.format = f, .bytes = (size_t)mga_format_bytes(&f)};
    uint8_t small[3 * 5 * 7];
    mga_thumbnail_params p = {.rows = f.rows < 5 ? f.rows : 5, .columns = f.columns < 7 ? f.columns : 7};
    p.colour = f.samples_per_pixel == 3 && number % 2 ? MGA_COLOUR_YBR_FULL : (uint32_t)number % 2;
    b.native = exactly(b.bytes);
    fill(&b, random, false);
    CHECK(mga_window_find(b.native, b.bytes, &f, 0.01, &p.window) == MGA_OK);
    int64_t size = mga_thumbnail(small, sizeof small, b.native, b.bytes, &f, &p);
    CHECK(size > 0);
    (void)printf("preview %d %d %d %016llx\n", number, p.window.low, p.window.high,
                 (unsigned long long)digest(small, (size_t)size));
    free(b.native);
}

/* A picture of a device, a detector's frame, and its table, in every format. */
static void run_pixels(int number, mga_random *random)
{
    enum { ROWS = 5, ROOM = 3 * 3 * ROWS * 90 };
    uint8_t src[ROOM];
    uint8_t dst[ROOM];
    uint64_t dice = mga_random_next(random);
    uint32_t columns = 2 * (uint32_t)(1 + dice % 45);
    for (size_t i = 0; i < ROOM; i++)
        src[i] = (uint8_t)(mga_random_next(random) >> 8);
    mga_plane planes[3] = {{src, 900, 0}, {src + 900, 900, 0}, {src + 1800, 900, 0}};
    mga_colour_params colour = {ROWS, columns, (uint32_t)number % 8, (uint32_t)(2 + (dice >> 8) % 4),
                                (uint32_t)(dice >> 16) % 3};
    size_t count = colour.layout == MGA_LAYOUT_NV12 ? 2 : colour.layout == MGA_LAYOUT_I420 ? 3 : 1;
    planes[0].size = count == 1 ? ROOM : 900;
    int64_t size = mga_colour_convert(dst, ROOM, planes, count, &colour);
    CHECK(size > 0);
    (void)printf("colour %u %u %u %016llx\n", colour.layout, colour.space, colour.result,
                 (unsigned long long)digest(dst, (size_t)size));
    mga_unpack_params packed = {ROWS, columns - 1, (uint32_t)number % 5, number % 5 ? 12 : 8, 0};
    size = mga_samples_unpack(dst, ROOM, src, ROOM, &packed);
    CHECK(size > 0 || size == MGA_ERR_DATA_SAMPLE);
    (void)printf("unpack %u %lld %016llx\n", packed.packing, (long long)size,
                 (unsigned long long)digest(dst, (size_t)2 * ROWS * (columns - 1) / (number % 5 ? 1 : 2)));
    mga_bayer_params bayer = {ROWS, columns, (uint32_t)number % 4, 0};
    size = mga_bayer_convert(dst, ROOM, src, ROOM, &bayer);
    CHECK(size > 0);
    (void)printf("bayer %u %016llx\n", bayer.filters, (unsigned long long)digest(dst, (size_t)size));
    mga_format f = {ROWS, columns, 1, 16, (uint32_t)(9 + dice % 8), 0, 0};
    size_t bytes = (size_t)mga_format_bytes(&f);
    mga_flat_params flat = {src + bytes, bytes, src + 2 * bytes, bytes, 100};
    const uint32_t dead[] = {0, 1, columns, columns + 1, 2 * columns + 1};
    CHECK(mga_flat_correct(dst, ROOM, src, bytes, &f, &flat) == (int64_t)bytes);
    CHECK(mga_defects_replace(dst, bytes, &f, dead, 5) == 5);
    f.bits_stored = 9;
    CHECK(mga_table_apply(dst + bytes, ROOM - bytes, dst, bytes, &f, src, 1024, 16) == (int64_t)bytes);
    (void)printf("detector %u %016llx\n", columns, (unsigned long long)digest(dst, 2 * bytes));
}

/* Parts of frames, the difference of two, and a table of either width, in every format; lines padded. */
static void run_parts(int number, mga_random *random)
{
    enum { ROOM = 3 * 2 * 12 * 96, PAD = 5 };
    uint8_t src[ROOM], dst[ROOM];
    uint64_t dice = mga_random_next(random);
    mga_format f = format_of(dice, 1);
    uint32_t lines = f.rows * (f.planar_configuration ? f.samples_per_pixel : 1);
    size_t bytes = (size_t)mga_format_bytes(&f);
    uint32_t stride = (uint32_t)(bytes / lines) + PAD;
    for (size_t i = 0; i < ROOM; i++)
        src[i] = (uint8_t)(mga_random_next(random) >> 8);
    mga_region part = {(uint32_t)(dice >> 40) % f.rows, (uint32_t)(dice >> 44) % f.columns, 1, 1};
    part.rows += (uint32_t)(dice >> 50) % (f.rows - part.top);
    part.columns += (uint32_t)(dice >> 54) % (f.columns - part.left);
    int64_t size = mga_region_crop(dst, ROOM, src, ROOM, &f, stride, &part);
    CHECK(size > 0);
    (void)printf("crop %d %016llx\n", number, (unsigned long long)digest(dst, (size_t)size));
    int32_t value[3] = {1, 0, f.pixel_representation ? -1 : 1};
    memcpy(dst, src, bytes);
    CHECK(mga_region_blackout(dst, bytes, &f, &part, 1, value) == MGA_OK);
    (void)printf("blackout %d %lld %016llx\n", number, (long long)mga_frame_difference(dst, bytes, src, bytes, &f),
                 (unsigned long long)digest(dst, bytes));
    uint32_t wide = (uint32_t)number % 2;
    size_t entries = ((size_t)1 << f.bits_stored) << wide;
    uint8_t *table = exactly(entries);
    for (size_t i = 0; i < entries; i++)
        table[i] = (uint8_t)(mga_random_next(random) >> 8);
    uint8_t *through = exactly(2 * bytes);
    size = mga_table_apply(through, 2 * bytes, src, bytes, &f, table, entries, 8u << wide);
    CHECK(size > 0);
    (void)printf("table %d %016llx\n", number, (unsigned long long)digest(through, (size_t)size));
    free(through);
    free(table);
    mga_unpack_params packed = {f.rows, f.columns, MGA_PACKING_DENSE + (uint32_t)number % 2, 10, 0};
    packed.bits = packed.packing == MGA_PACKING_GIGE ? 10 + 2 * (uint32_t)(dice >> 60 & 1) : 9 + (uint32_t)number % 6;
    packed.stride = 2 * f.columns + PAD;
    size = mga_samples_unpack(dst, ROOM, src, ROOM, &packed);
    CHECK(size > 0);
    (void)printf("packed %u %u %016llx\n", packed.packing, packed.bits, (unsigned long long)digest(dst, (size_t)size));
}

/* The test pictures, without the time that is burnt in. */
static void run_patterns(uint32_t rows, uint32_t columns)
{
    size_t bytes = (size_t)rows * columns * 3;
    uint8_t *picture = exactly(bytes);
    for (uint32_t samples = 1; samples <= 3; samples += 2) {
        mga_pattern_us *us = mga_pattern_us_make(rows, columns, samples, 7);
        CHECK(us);
        mga_pattern_us_draw(us, picture, 3, 0.1);
        (void)printf("pattern us %u %016llx\n", samples, (unsigned long long)digest(picture, bytes / 3 * samples));
        mga_pattern_us_free(us);
    }
    mga_pattern_dx *dx = mga_pattern_dx_make(rows, columns, 7);
    CHECK(dx);
    for (int row = 0; row < DX_GRID_ROWS; row++)
        CHECK(mga_pattern_dx_prepare(dx));
    mga_pattern_dx_draw(dx, picture, 3);
    (void)printf("pattern dx %016llx\n", (unsigned long long)digest(picture, (size_t)rows * columns * 2));
    mga_pattern_dx_free(dx);
    free(picture);
}

int main(void)
{
    mga_random random = mga_random_seed(19);
    for (int i = 0; i < CASES; i++)
        run_codecs(i, &random);
    for (int i = 0; i < CASES / 10; i++)
        run_preview(i, &random);
    for (int i = 0; i < CASES / 5; i++)
        run_pixels(i, &random);
    for (int i = 0; i < CASES / 5; i++)
        run_parts(i, &random);
    run_patterns(240, 320);
    return 0;
}
