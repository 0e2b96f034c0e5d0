#include "canvas.h"

#include <stdio.h>
#include <string.h>

#include "mark.h"

static const char FONT_CHARACTERS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-/%";

/* 5 x 7 dots, one byte per row, bit 4 is the left dot. */
static const uint8_t FONT[sizeof FONT_CHARACTERS - 1][MGA_GLYPH_ROWS] = {
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},      {14, 17, 1, 6, 8, 16, 31},
    {30, 1, 1, 14, 1, 1, 30},     {2, 6, 10, 18, 31, 2, 2},     {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},       {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},   {14, 17, 17, 31, 17, 17, 17}, {30, 17, 17, 30, 17, 17, 30},
    {14, 17, 16, 16, 16, 17, 14}, {30, 17, 17, 17, 17, 17, 30}, {31, 16, 16, 30, 16, 16, 31},
    {31, 16, 16, 30, 16, 16, 16}, {14, 17, 16, 23, 17, 17, 15}, {17, 17, 17, 31, 17, 17, 17},
    {14, 4, 4, 4, 4, 4, 14},      {7, 2, 2, 2, 2, 18, 12},      {17, 18, 20, 24, 20, 18, 17},
    {16, 16, 16, 16, 16, 16, 31}, {17, 27, 21, 21, 17, 17, 17}, {17, 17, 25, 21, 19, 17, 17},
    {14, 17, 17, 17, 17, 17, 14}, {30, 17, 17, 30, 16, 16, 16}, {14, 17, 17, 17, 21, 18, 13},
    {30, 17, 17, 30, 20, 18, 17}, {15, 16, 16, 14, 1, 1, 30},   {31, 4, 4, 4, 4, 4, 4},
    {17, 17, 17, 17, 17, 17, 14}, {17, 17, 17, 17, 17, 10, 4},  {17, 17, 17, 21, 21, 27, 17},
    {17, 17, 10, 4, 10, 17, 17},  {17, 17, 10, 4, 4, 4, 4},     {31, 1, 2, 4, 8, 16, 31},
    {0, 0, 0, 0, 0, 12, 12},      {0, 12, 12, 0, 12, 12, 0},    {0, 0, 0, 14, 0, 0, 0},
    {1, 1, 2, 4, 8, 16, 16},      {24, 25, 2, 4, 8, 19, 3},
};

static uint8_t grey_of(mga_colour c)
{
    return (uint8_t)((77 * c.red + 150 * c.green + 29 * c.blue) >> 8);
}

void mga_canvas_dot(const mga_canvas *canvas, int32_t row, int32_t column, mga_colour colour)
{
    if (row < 0 || column < 0 || (uint32_t)row >= canvas->rows || (uint32_t)column >= canvas->columns)
        return;
    size_t pixel = (size_t)row * canvas->columns + (size_t)column;
    uint8_t *p = canvas->data + pixel * canvas->samples * canvas->bytes;
    if (canvas->samples == 3) {
        p[0] = colour.red;
        p[1] = colour.green;
        p[2] = colour.blue;
    } else {
        memset(p, grey_of(colour), canvas->bytes); /* both bytes of 16 bits: 255 becomes 65535 */
    }
}

void mga_canvas_box(const mga_canvas *canvas, int32_t row, int32_t column, int32_t rows, int32_t columns,
                    mga_colour colour)
{
    for (int32_t y = row; y < row + rows; y++)
        for (int32_t x = column; x < column + columns; x++)
            mga_canvas_dot(canvas, y, x, colour);
}

void mga_canvas_text(const mga_canvas *canvas, int32_t row, int32_t column, int32_t scale, const char *text,
                     mga_colour colour)
{
    for (; *text; text++, column += MGA_GLYPH_COLUMNS * scale) {
        const char *found = strchr(FONT_CHARACTERS, *text);
        if (!found)
            continue;
        const uint8_t *glyph = FONT[found - FONT_CHARACTERS];
        for (int32_t y = 0; y < MGA_GLYPH_ROWS; y++)
            for (int32_t x = 0; x < 5; x++)
                if (glyph[y] >> (4 - x) & 1)
                    mga_canvas_box(canvas, row + y * scale, column + x * scale, scale, scale, colour);
    }
}

int32_t mga_canvas_text_scale(const mga_canvas *canvas)
{
    return canvas->columns < 160 ? 0 : (int32_t)(1 + canvas->columns / 900);
}

void mga_canvas_stamp(const mga_canvas *canvas, uint64_t number, uint64_t timestamp_ns)
{
    static const mga_colour WHITE = {255, 255, 255};
    static const mga_colour BLACK = {0, 0, 0};
    int32_t scale = mga_canvas_text_scale(canvas);
    if (scale > 0) {
        uint64_t ms = timestamp_ns / 1000000u;
        char text[48];
        int length = snprintf(text, sizeof text, "%07llu  %llu.%03u S", (unsigned long long)number,
                              (unsigned long long)(ms / 1000u), (unsigned)(ms % 1000u));
        int32_t width = length * MGA_GLYPH_COLUMNS * scale;
        int32_t column = (int32_t)canvas->columns - width - 4 * scale;
        mga_canvas_box(canvas, 2 * scale, column - 2 * scale, 11 * scale, width + 4 * scale, BLACK);
        mga_canvas_text(canvas, 4 * scale, column, scale, text, WHITE);
    }
    mga_mark_draw(canvas, number, timestamp_ns);
}
