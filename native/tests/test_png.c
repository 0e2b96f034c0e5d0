/* Lines filtered as the Standard's own sentences say come back, all at once and line by line; lies are refused. */
#include <string.h>

#include "check.h"
#include "mga.h"

enum { FILTERS = 5, ROWS = 11 };

static int at(const uint8_t *frame, size_t line_bytes, int row, long column)
{
    return row < 0 || column < 0 ? 0 : frame[(size_t)row * line_bytes + (size_t)column];
}

static int nearest(int a, int b, int c)
{
    int p = a + b - c;
    if (abs(p - a) <= abs(p - b) && abs(p - a) <= abs(p - c))
        return a;
    return abs(p - b) <= abs(p - c) ? b : c;
}

/* Filter type and bytes of each line; line `row` has filter (row + turn) % 5. */
static void filter(uint8_t *out, const uint8_t *frame, size_t line_bytes, size_t pixel, int turn)
{
    for (int row = 0; row < ROWS; row++) {
        int kind = (row + turn) % FILTERS;
        *out++ = (uint8_t)kind;
        for (long i = 0; i < (long)line_bytes; i++) {
            int a = at(frame, line_bytes, row, i - (long)pixel), b = at(frame, line_bytes, row - 1, i);
            int c = at(frame, line_bytes, row - 1, i - (long)pixel);
            int by[FILTERS] = {0, a, b, (a + b) / 2, nearest(a, b, c)};
            *out++ = (uint8_t)(at(frame, line_bytes, row, i) - by[kind]);
        }
    }
}

static void check_size(size_t line_bytes, uint32_t pixel, int turn)
{
    size_t bytes = ROWS * line_bytes, coded = ROWS * (line_bytes + 1);
    uint8_t *frame = exactly(bytes), *lines = exactly(coded), *back = exactly(bytes);
    uint32_t state = (uint32_t)(line_bytes * 31 + pixel);
    for (size_t i = 0; i < bytes; i++)
        frame[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> (i % 3 ? 24 : 30));
    filter(lines, frame, line_bytes, pixel, turn);
    CHECK(mga_png_unfilter(back, bytes, 0, lines, coded, line_bytes, pixel) == (int64_t)bytes);
    CHECK(memcmp(back, frame, bytes) == 0);
    memset(back, 0xA5, bytes);
    for (size_t row = 0; row < ROWS; row++)
        CHECK(mga_png_unfilter(back, bytes, row * line_bytes, lines + row * (line_bytes + 1), line_bytes + 1,
                               line_bytes, pixel) == (int64_t)((row + 1) * line_bytes));
    CHECK(memcmp(back, frame, bytes) == 0);
    CHECK(mga_png_unfilter(back, bytes - 1, 0, lines, coded, line_bytes, pixel) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_png_unfilter(back, bytes, line_bytes, lines, coded, line_bytes, pixel) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_png_unfilter(back, bytes, 0, lines, coded - 1, line_bytes, pixel) == MGA_ERR_ARG_SRC_SIZE);
    lines[(ROWS - 1) * (line_bytes + 1)] = FILTERS;
    CHECK(mga_png_unfilter(back, bytes, 0, lines, coded, line_bytes, pixel) == MGA_ERR_DATA_CODE);
    free(back);
    free(lines);
    free(frame);
}

int main(void)
{
    const size_t lines[] = {1, 2, 3, 6, 7, 24, 257};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        for (uint32_t pixel = 1; pixel <= 8; pixel++)
            for (int turn = 0; turn < FILTERS; turn++)
                check_size(lines[i], pixel, turn);
    uint8_t byte[2] = {0, 0};
    CHECK(mga_png_unfilter(byte, 1, 0, byte, 0, 1, 1) == 0);
    CHECK(mga_png_unfilter(NULL, 1, 0, byte, 2, 1, 1) == MGA_ERR_ARG_NULL);
    CHECK(mga_png_unfilter(byte, 1, 0, NULL, 2, 1, 1) == MGA_ERR_ARG_NULL);
    CHECK(mga_png_unfilter(byte, 1, 0, byte, 2, 0, 1) == MGA_ERR_ARG_RANGE);
    CHECK(mga_png_unfilter(byte, 1, 0, byte, 2, SIZE_MAX, 1) == MGA_ERR_ARG_RANGE);
    CHECK(mga_png_unfilter(byte, 1, 0, byte, 2, 1, 0) == MGA_ERR_ARG_RANGE);
    CHECK(mga_png_unfilter(byte, 1, 0, byte, 2, 1, 9) == MGA_ERR_ARG_RANGE);
    CHECK(mga_png_unfilter(byte, 2, 1, byte, 3, 2, 1) == MGA_ERR_ARG_RANGE);
    CHECK(mga_png_unfilter(byte, 1, 2, byte, 0, 1, 1) == MGA_ERR_ARG_RANGE);
    return 0;
}
