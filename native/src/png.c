/* Lines of a PNG picture as they were before its filters (PNG, third edition, 9). */
#include <string.h>

#include "mga.h"

enum { NONE, SUB, UP, AVERAGE, PAETH };

typedef struct {
    uint8_t *out;
    const uint8_t *in;
    const uint8_t *above; /* null for the first line */
    size_t bytes;
    size_t pixel; /* bytes from a pixel to the next */
} line;

/* Left, above and above left of byte i; what is beside the picture is 0 (9.2). */
static int left(const line *l, size_t i)
{
    return i < l->pixel ? 0 : l->out[i - l->pixel];
}

static int up(const line *l, size_t i)
{
    return l->above ? l->above[i] : 0;
}

static int up_left(const line *l, size_t i)
{
    return i < l->pixel || !l->above ? 0 : l->above[i - l->pixel];
}

static int distance(int from, int to)
{
    return from < to ? to - from : from - to;
}

/* Whichever of a, b and c is nearest to a + b - c, in this order (9.4). */
static int paeth(int a, int b, int c)
{
    int to_a = distance(b, c);
    int to_b = distance(a, c);
    int to_c = distance(a + b, 2 * c);
    if (to_a <= to_b && to_a <= to_c)
        return a;
    return to_b <= to_c ? b : c;
}

static void add_left(const line *l)
{
    for (size_t i = 0; i < l->bytes; i++)
        l->out[i] = (uint8_t)(l->in[i] + left(l, i));
}

static void add_up(const line *l)
{
    for (size_t i = 0; i < l->bytes; i++)
        l->out[i] = (uint8_t)(l->in[i] + up(l, i));
}

static void add_average(const line *l)
{
    for (size_t i = 0; i < l->bytes; i++)
        l->out[i] = (uint8_t)(l->in[i] + (left(l, i) + up(l, i)) / 2);
}

static void add_paeth(const line *l)
{
    for (size_t i = 0; i < l->bytes; i++)
        l->out[i] = (uint8_t)(l->in[i] + paeth(left(l, i), up(l, i), up_left(l, i)));
}

/* False for a filter that PNG has not. */
static int unfilter(const line *l, int filter)
{
    switch (filter) {
    case NONE: memcpy(l->out, l->in, l->bytes); return 1;
    case SUB: add_left(l); return 1;
    case UP: add_up(l); return 1;
    case AVERAGE: add_average(l); return 1;
    case PAETH: add_paeth(l); return 1;
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
    const uint8_t *in = src;
    line l = {(uint8_t *)dst + done, NULL, NULL, line_bytes, pixel_bytes};
    l.above = done ? l.out - line_bytes : NULL;
    for (size_t i = 0; i < lines; i++, in += line_bytes + 1) {
        l.in = in + 1;
        if (!unfilter(&l, in[0]))
            return MGA_ERR_DATA_CODE;
        l.above = l.out;
        l.out += line_bytes;
    }
    return (int64_t)(done + lines * line_bytes);
}
