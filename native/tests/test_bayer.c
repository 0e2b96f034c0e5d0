/* Every filter order against a plain reading of the mean of the nearest; nothing outside is touched. */
#include <string.h>

#include "check.h"
#include "mga.h"
#include "random.h"

static uint32_t mirrored(int64_t at, uint32_t size)
{
    return (uint32_t)(at < 0 ? -at : at >= size ? 2 * ((int64_t)size - 1) - at : at);
}

/* 0 red, 1 green, 2 blue: what stands in front of a pixel. */
static uint32_t filter_of(uint32_t filters, uint32_t row, uint32_t column)
{
    static const uint8_t SQUARES[][4] = {{0, 1, 1, 2}, {1, 0, 2, 1}, {1, 2, 0, 1}, {2, 1, 1, 0}};
    return SQUARES[filters][row % 2 * 2 + column % 2];
}

/* The pixels of this colour that are nearest: itself, beside it, or at its corners. */
static uint8_t mean(const uint8_t *src, const mga_bayer_params *p, uint32_t row, uint32_t column, uint32_t colour)
{
    for (int far = 0; far < 3; far++) {
        uint32_t sum = 0;
        uint32_t count = 0;
        for (int y = -1; y <= 1; y++)
            for (int x = -1; x <= 1; x++) {
                uint32_t r = mirrored((int64_t)row + y, p->rows);
                uint32_t c = mirrored((int64_t)column + x, p->columns);
                if (abs(x) + abs(y) != far || filter_of(p->filters, r, c) != colour)
                    continue;
                sum += src[(size_t)r * p->stride + c];
                count++;
            }
        if (count)
            return (uint8_t)((sum + count / 2) / count);
    }
    CHECK(0);
    return 0;
}

static void check_picture(uint32_t rows, uint32_t columns, uint32_t filters, uint32_t pad, mga_random *random)
{
    mga_bayer_params p = {rows, columns, filters, columns + pad};
    size_t size = (size_t)(rows - 1) * p.stride + columns;
    size_t bytes = (size_t)3 * rows * columns;
    uint8_t *src = exactly(size);
    uint8_t *got = exactly(bytes);
    for (size_t i = 0; i < size; i++) {
        uint64_t dice = mga_random_next(random);
        src[i] = dice % 4 == 0 ? 255 : dice % 4 == 1 ? 0 : (uint8_t)(dice >> 8);
    }
    CHECK(mga_bayer_convert(got, bytes, src, size, &p) == (int64_t)bytes);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t column = 0; column < columns; column++)
            for (uint32_t k = 0; k < 3; k++)
                CHECK(got[3 * ((size_t)row * columns + column) + k] == mean(src, &p, row, column, k));
    CHECK(mga_bayer_convert(got, bytes - 1, src, size, &p) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_bayer_convert(got, bytes, src, size - 1, &p) == MGA_ERR_ARG_SRC_SIZE);
    p.stride = columns - 1;
    CHECK(mga_bayer_convert(got, bytes, src, size, &p) == MGA_ERR_ARG_RANGE);
    p.stride = 0;
    CHECK(pad || mga_bayer_convert(got, bytes, src, size, &p) == (int64_t)bytes);
    free(got);
    free(src);
}

int main(void)
{
    static const uint32_t SIDES[][2] = {{2, 2}, {2, 3}, {3, 2}, {3, 3}, {5, 8}, {4, 33}};
    mga_random random = mga_random_seed(13);
    for (uint32_t filters = 0; filters <= MGA_BAYER_BG; filters++)
        for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++)
            for (uint32_t pad = 0; pad < 3; pad++)
                check_picture(SIDES[i][0], SIDES[i][1], filters, pad, &random);
    uint8_t four[4] = {0};
    uint8_t out[12];
    const mga_bayer_params good = {2, 2, MGA_BAYER_RG, 0};
    CHECK(mga_bayer_convert(NULL, 12, four, 4, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_bayer_convert(out, 12, NULL, 4, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_bayer_convert(out, 12, four, 4, NULL) == MGA_ERR_ARG_NULL);
    const mga_bayer_params bad[] = {{1, 4, MGA_BAYER_RG, 0},     {4, 1, MGA_BAYER_RG, 0},
                                    {2, 65536, MGA_BAYER_RG, 0}, {65536, 2, MGA_BAYER_RG, 0},
                                    {2, 2, MGA_BAYER_BG + 1, 0}, {65535, 65535, MGA_BAYER_RG, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(mga_bayer_convert(out, 12, four, 4, &bad[i]) == MGA_ERR_ARG_FORMAT);
    return 0;
}
