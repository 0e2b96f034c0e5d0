/* Lines of a PNG picture as they were before its filters (PNG, third edition, 9). */
#include <string.h>

#include "mga.h"

enum { NONE, SUB, UP, AVERAGE, PAETH };

/* Whichever of left (a), above (b) and above left (c) is nearest to a + b - c, in this order (9.4). */
static uint8_t paeth(int a, int b, int c)
{
    int pa = b - c, pb = a - c, pc = pa + pb;
    pa = pa < 0 ? -pa : pa;
    pb = pb < 0 ? -pb : pb;
    pc = pc < 0 ? -pc : pc;
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

/* One line; the bytes left of it are 0, and so is `above` of the first one. False for a filter that PNG has not. */
static int unfilter(uint8_t *out, const uint8_t *in, const uint8_t *above, size_t bytes, size_t pixel, int filter)
{
    size_t first = pixel < bytes ? pixel : bytes;
    switch (filter) {
    case NONE: memcpy(out, in, bytes); return 1;
    case SUB:
        memcpy(out, in, first);
        for (size_t i = first; i < bytes; i++)
            out[i] = (uint8_t)(in[i] + out[i - pixel]);
        return 1;
    case UP:
        for (size_t i = 0; i < bytes; i++)
            out[i] = (uint8_t)(in[i] + (above ? above[i] : 0));
        return 1;
    case AVERAGE:
        for (size_t i = 0; i < bytes; i++)
            out[i] = (uint8_t)(in[i] + ((i < first ? 0 : out[i - pixel]) + (above ? above[i] : 0)) / 2);
        return 1;
    case PAETH:
        for (size_t i = 0; i < bytes; i++) {
            int left = i < first ? 0 : out[i - pixel], up = above ? above[i] : 0;
            out[i] = (uint8_t)(in[i] + paeth(left, up, i < first || !above ? 0 : above[i - pixel]));
        }
        return 1;
    default: return 0;
    }
}

int64_t mga_png_unfilter(void *dst, size_t dst_size, size_t done, const void *src, size_t src_size, size_t line_bytes,
                         uint32_t pixel_bytes)
{
    if (!dst || !src)
        return MGA_ERR_ARG_NULL;
    if (line_bytes < 1 || line_bytes > MGA_FRAME_BYTES_MAX || pixel_bytes < 1 || pixel_bytes > 8)
        return MGA_ERR_ARG_RANGE;
    if (done % line_bytes || done > dst_size)
        return MGA_ERR_ARG_RANGE;
    if (src_size % (line_bytes + 1))
        return MGA_ERR_ARG_SRC_SIZE;
    size_t lines = src_size / (line_bytes + 1);
    if (lines > (dst_size - done) / line_bytes)
        return MGA_ERR_ARG_DST_SIZE;
    uint8_t *out = (uint8_t *)dst + done;
    const uint8_t *in = src, *above = done ? out - line_bytes : NULL;
    for (size_t line = 0; line < lines; line++, in += line_bytes + 1, above = out, out += line_bytes)
        if (!unfilter(out, in + 1, above, line_bytes, pixel_bytes, in[0]))
            return MGA_ERR_DATA_CODE;
    return (int64_t)(done + lines * line_bytes);
}
