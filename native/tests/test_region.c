/* Regions are cut out and blacked out sample by sample as they should be; what leaves the frame is refused. */
#include <string.h>

#include "check.h"
#include "mga.h"

/* Where sample k of a pixel stands in a frame whose lines are `stride` bytes apart. */
static size_t place(const mga_format *f, size_t stride, uint32_t row, uint32_t column, uint32_t k)
{
    size_t bytes = f->bits_allocated / 8;
    size_t line = (f->planar_configuration ? (size_t)k * f->rows : 0) + row;
    return line * stride + (f->planar_configuration ? column : column * f->samples_per_pixel + k) * bytes;
}

static size_t line_bytes(const mga_format *f)
{
    return (size_t)f->columns * (f->bits_allocated / 8) * (f->planar_configuration ? 1 : f->samples_per_pixel);
}

static void check_crop(const mga_format *f, const mga_region *r, uint32_t pad)
{
    mga_format small = *f;
    small.rows = r->rows;
    small.columns = r->columns;
    size_t bytes = (size_t)mga_format_bytes(&small);
    size_t lines = (size_t)f->rows * (f->planar_configuration ? f->samples_per_pixel : 1);
    size_t stride = line_bytes(f) + pad;
    size_t size = (lines - 1) * stride + line_bytes(f);
    uint8_t *src = exactly(size);
    uint8_t *dst = exactly(bytes);
    for (size_t i = 0; i < size; i++)
        src[i] = (uint8_t)(i * 29 + (i >> 8));
    uint32_t said = pad ? (uint32_t)stride : 0;
    CHECK(mga_region_crop(dst, bytes, src, size, f, said, r) == (int64_t)bytes);
    for (uint32_t row = 0; row < r->rows; row++)
        for (uint32_t column = 0; column < r->columns; column++)
            for (uint32_t k = 0; k < f->samples_per_pixel; k++)
                CHECK(memcmp(dst + place(&small, line_bytes(&small), row, column, k),
                             src + place(f, stride, r->top + row, r->left + column, k), f->bits_allocated / 8) == 0);
    CHECK(mga_region_crop(dst, bytes - 1, src, size, f, said, r) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_region_crop(dst, bytes, src, size - 1, f, said, r) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_region_crop(dst, bytes, src, size, f, UINT32_MAX, r) == MGA_ERR_ARG_SRC_SIZE || lines == 1);
    CHECK(line_bytes(f) < 2 || mga_region_crop(dst, bytes, src, size, f, 1, r) == MGA_ERR_ARG_RANGE);
    free(dst);
    free(src);
}

static void check_blackout(const mga_format *f, const mga_region *r, size_t count)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    int32_t half = 1 << (f->bits_stored - 1);
    int32_t value[3] = {f->pixel_representation ? -half : 0, half - 1,
                        f->pixel_representation ? half - 1 : 2 * half - 1};
    uint8_t *frame = exactly(bytes);
    uint8_t *want = exactly(bytes);
    for (size_t i = 0; i < bytes; i++)
        frame[i] = want[i] = (uint8_t)(i * 29);
    for (size_t i = 0; i < count; i++)
        for (uint32_t row = 0; row < r[i].rows; row++)
            for (uint32_t column = 0; column < r[i].columns; column++)
                for (uint32_t k = 0; k < f->samples_per_pixel; k++) {
                    size_t at = place(f, line_bytes(f), r[i].top + row, r[i].left + column, k);
                    want[at] = (uint8_t)value[k];
                    if (f->bits_allocated == 16)
                        want[at + 1] = (uint8_t)((uint32_t)value[k] >> 8);
                }
    CHECK(mga_region_blackout(frame, bytes, f, r, count, value) == MGA_OK && memcmp(frame, want, bytes) == 0);
    value[f->samples_per_pixel - 1] = f->pixel_representation ? half : 2 * half;
    CHECK(mga_region_blackout(frame, bytes, f, r, count, value) == MGA_ERR_ARG_RANGE);
    value[f->samples_per_pixel - 1] = f->pixel_representation ? -half - 1 : -1;
    CHECK(mga_region_blackout(frame, bytes, f, r, count, value) == MGA_ERR_ARG_RANGE);
    CHECK(mga_region_blackout(frame, bytes - 1, f, r, count, value) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(memcmp(frame, want, bytes) == 0);
    free(want);
    free(frame);
}

static void check_arguments(void)
{
    const mga_format f = {4, 5, 1, 8, 8, 0, 0};
    uint8_t frame[20] = {0};
    uint8_t dst[20];
    const mga_region good = {1, 1, 3, 4};
    const int32_t black[1] = {0};
    const mga_region bad[] = {{0, 0, 0, 1},          {0, 0, 1, 0},          {4, 0, 1, 1},
                              {0, 5, 1, 1},          {1, 0, 4, 1},          {0, 1, 1, 5},
                              {0, 0, 5, 1},          {0, 0, 1, 6},          {2, 0, UINT32_MAX, 1},
                              {0, 2, 1, UINT32_MAX}, {UINT32_MAX, 0, 1, 1}, {0, UINT32_MAX, 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(mga_region_crop(dst, 20, frame, 20, &f, 0, &bad[i]) == MGA_ERR_ARG_RANGE);
        CHECK(mga_region_blackout(frame, 20, &f, &bad[i], 1, black) == MGA_ERR_ARG_RANGE);
    }
    mga_region many[MGA_REGIONS_MAX + 1];
    for (size_t i = 0; i <= MGA_REGIONS_MAX; i++)
        many[i] = good;
    CHECK(mga_region_blackout(frame, 20, &f, many, MGA_REGIONS_MAX, black) == MGA_OK);
    CHECK(mga_region_blackout(frame, 20, &f, many, MGA_REGIONS_MAX + 1, black) == MGA_ERR_ARG_RANGE);
    CHECK(mga_region_blackout(NULL, 20, &f, &good, 1, black) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_blackout(frame, 20, NULL, &good, 1, black) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_blackout(frame, 20, &f, NULL, 1, black) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_blackout(frame, 20, &f, &good, 1, NULL) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_crop(NULL, 20, frame, 20, &f, 0, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_crop(dst, 20, NULL, 20, &f, 0, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_crop(dst, 20, frame, 20, NULL, 0, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_region_crop(dst, 20, frame, 20, &f, 0, NULL) == MGA_ERR_ARG_NULL);
}

int main(void)
{
    const mga_region regions[] = {{0, 0, 7, 11}, {6, 10, 1, 1}, {2, 3, 4, 5}, {0, 4, 7, 1}};
    for (uint32_t samples = 1; samples <= 3; samples += 2)
        for (uint32_t bits = 8; bits <= 16; bits += 8)
            for (uint32_t flags = 0; flags < 4; flags++) {
                mga_format f = {7, 11, samples, bits, bits - (flags & 1u) * 3, flags & 1u, flags >> 1};
                for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
                    check_crop(&f, &regions[i], (uint32_t)i * 3);
                    check_blackout(&f, &regions[i], 1);
                }
                check_blackout(&f, regions + 1, 3);
                check_blackout(&f, regions, 4);
            }
    check_arguments();
    return 0;
}
