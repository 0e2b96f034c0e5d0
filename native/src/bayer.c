/* Colour of sensors that have one filter in front of each pixel: what a pixel lacks is the mean of the nearest that
 * have it, two or four. Beyond the edges the picture is mirrored about its outermost line, which keeps the filters in
 * their order. */
#include "format.h"
#include "lines.h"

/* A line has green and one other colour in turn; the third is in the lines above and below. */
typedef struct {
    const uint8_t *up, *here, *down;
    uint32_t columns;
    uint32_t green; /* of even (0) or odd (1) columns */
    uint32_t own;   /* sample of the line's other colour: 0 red, 2 blue */
} line;

static void put(uint8_t *out, const line *l, uint32_t left, uint32_t at, uint32_t right)
{
    uint32_t beside = (uint32_t)l->here[left] + l->here[right];
    uint32_t above = (uint32_t)l->up[at] + l->down[at];
    uint32_t corners = (uint32_t)l->up[left] + l->up[right] + l->down[left] + l->down[right];
    int green = at % 2 == l->green;
    out[l->own] = green ? (uint8_t)((beside + 1) / 2) : l->here[at];
    out[1] = green ? l->here[at] : (uint8_t)((beside + above + 2) / 4);
    out[2 - l->own] = (uint8_t)(green ? (above + 1) / 2 : (corners + 2) / 4);
}

static void convert_line(uint8_t *out, const line *l)
{
    const uint32_t last = l->columns - 1;
    put(out, l, 1, 0, 1);
    for (uint32_t at = 1; at < last; at++)
        put(out + (size_t)3 * at, l, at - 1, at, at + 1);
    put(out + (size_t)3 * last, l, last - 1, last, last - 1);
}

int64_t mga_bayer_convert(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_bayer_params *params)
{
    if (!dst || !src || !params)
        return MGA_ERR_ARG_NULL;
    const mga_bayer_params p = *params;
    uint64_t need = 3 * (uint64_t)p.rows * p.columns;
    if (p.rows < 2 || p.rows > MGA_SIDE_MAX || p.columns < 2 || p.columns > MGA_SIDE_MAX || p.filters > MGA_BAYER_BG ||
        need > MGA_FRAME_BYTES_MAX)
        return MGA_ERR_ARG_FORMAT;
    size_t stride = p.stride ? p.stride : p.columns;
    if (stride < p.columns)
        return MGA_ERR_ARG_RANGE;
    if (!mga_lines_fit(p.rows, p.columns, stride, src_size))
        return MGA_ERR_ARG_SRC_SIZE;
    if (dst_size < need)
        return MGA_ERR_ARG_DST_SIZE;
    const uint32_t green_first = p.filters == MGA_BAYER_GR || p.filters == MGA_BAYER_GB;
    const uint32_t blue_first = p.filters == MGA_BAYER_GB || p.filters == MGA_BAYER_BG;
    for (uint32_t row = 0; row < p.rows; row++) {
        const uint8_t *here = (const uint8_t *)src + row * stride;
        const line l = {row ? here - stride : here + stride,
                        here,
                        row + 1 < p.rows ? here + stride : here - stride,
                        p.columns,
                        (row + 1 + green_first) % 2,
                        (row + blue_first) % 2 ? 2 : 0};
        convert_line((uint8_t *)dst + (size_t)3 * row * p.columns, &l);
    }
    return (int64_t)need;
}
