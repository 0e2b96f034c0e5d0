/* Small pictures of frames for previews and contact sheets: box averages, window, colour to RGB. Lossy by nature, so
 * nothing made here ever becomes Pixel Data. */
#include <math.h>

#include "format.h"

#define BINS 256u /* of the histogram: the high byte of a 16-bit level */

/* Stored value as an unsigned level: bits above high_bit are cut off, signed values are moved up (order is kept). */
static inline uint32_t level_of(const uint8_t *p, uint32_t bytes, uint32_t mask, uint32_t sign)
{
    uint32_t v = bytes == 2 ? (uint32_t)p[0] | (uint32_t)p[1] << 8 : p[0];
    return (v & mask) ^ sign;
}

static uint32_t mask_of(const mga_format *f)
{
    return (1u << f->bits_stored) - 1u;
}

static uint32_t sign_of(const mga_format *f)
{
    return f->pixel_representation ? 1u << (f->bits_stored - 1u) : 0u;
}

static int64_t check_source(const void *src, size_t src_size, const mga_format *format)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (!src)
        return MGA_ERR_ARG_NULL;
    return src_size == (size_t)need ? MGA_OK : MGA_ERR_ARG_SRC_SIZE;
}

int64_t mga_window_find(const void *src, size_t src_size, const mga_format *format, double tail, mga_window *window)
{
    int64_t status = check_source(src, src_size, format);
    if (status < 0)
        return status;
    if (!window)
        return MGA_ERR_ARG_NULL;
    if (!(tail >= 0.0 && tail < 0.5))
        return MGA_ERR_ARG_RANGE;
    uint32_t bytes = mga_sample_bytes(format);
    uint32_t shift = format->bits_stored > 8 ? format->bits_stored - 8 : 0;
    uint64_t counts[BINS] = {0};
    size_t samples = src_size / bytes;
    for (size_t i = 0; i < samples; i++)
        counts[level_of((const uint8_t *)src + i * bytes, bytes, mask_of(format), sign_of(format)) >> shift]++;
    uint64_t cut = (uint64_t)(tail * (double)samples);
    uint64_t below = 0;
    uint64_t above = 0;
    uint32_t low = 0;
    uint32_t high = BINS - 1;
    while (low < high && (below += counts[low]) <= cut)
        low++;
    while (high > low && (above += counts[high]) <= cut)
        high--;
    int32_t base = (int32_t)sign_of(format);
    window->low = (int32_t)(low << shift) - base;
    window->high = (int32_t)(((high + 1) << shift) - 1) - base;
    if (window->high <= window->low) /* one level in the whole frame: show it as black */
        window->high = window->low + 1;
    return MGA_OK;
}

typedef struct {
    uint32_t top, bottom, left, right;
} box;

/* Rows or columns [at, next) of the source that cell i of n covers; never empty. */
static void cell_range(uint32_t i, uint32_t n, uint32_t size, uint32_t *from, uint32_t *to)
{
    *from = (uint32_t)((uint64_t)i * size / n);
    *to = (uint32_t)((uint64_t)(i + 1) * size / n);
    if (*to <= *from)
        *to = *from + 1;
}

static double box_mean(const uint8_t *src, const mga_format *f, const box *b, uint32_t sample)
{
    uint32_t bytes = mga_sample_bytes(f);
    size_t step = f->planar_configuration ? 1 : f->samples_per_pixel;
    size_t base = f->planar_configuration ? (size_t)sample * f->rows * f->columns : sample;
    uint32_t mask = mask_of(f);
    uint32_t sign = sign_of(f);
    uint64_t sum = 0;
    for (uint32_t row = b->top; row < b->bottom; row++)
        for (uint32_t column = b->left; column < b->right; column++)
            sum += level_of(src + (base + ((size_t)row * f->columns + column) * step) * bytes, bytes, mask, sign);
    double area = (double)(b->bottom - b->top) * (b->right - b->left);
    return (double)sum / area - sign;
}

static uint8_t to_byte(double level)
{
    return level <= 0.0 ? 0 : level >= 255.0 ? 255 : (uint8_t)lrint(level);
}

/* YBR_FULL to RGB (PS3.3 C.7.6.3.1.2). */
static void to_rgb(const double ybr[3], uint8_t *out)
{
    double cb = ybr[1] - 128.0;
    double cr = ybr[2] - 128.0;
    out[0] = to_byte(ybr[0] + 1.402 * cr);
    out[1] = to_byte(ybr[0] - 0.344136 * cb - 0.714136 * cr);
    out[2] = to_byte(ybr[0] + 1.772 * cb);
}

static void put_cell(uint8_t *out, const uint8_t *src, const mga_format *f, const box *b, const mga_thumbnail_params *p)
{
    double span = (double)p->window.high - p->window.low;
    double values[3] = {0.0, 0.0, 0.0};
    for (uint32_t k = 0; k < f->samples_per_pixel; k++)
        values[k] = (box_mean(src, f, b, k) - p->window.low) * 255.0 / span;
    if (p->colour == MGA_COLOUR_YBR_FULL) {
        to_rgb(values, out);
        return;
    }
    for (uint32_t k = 0; k < f->samples_per_pixel; k++)
        out[k] = p->colour == MGA_COLOUR_INVERTED ? (uint8_t)(255 - to_byte(values[k])) : to_byte(values[k]);
}

static int64_t check_thumbnail(const mga_format *f, const mga_thumbnail_params *p)
{
    if (p->rows < 1 || p->rows > f->rows || p->columns < 1 || p->columns > f->columns ||
        p->window.high <= p->window.low)
        return MGA_ERR_ARG_RANGE;
    if (p->colour > MGA_COLOUR_YBR_FULL || (p->colour == MGA_COLOUR_YBR_FULL && f->samples_per_pixel != 3))
        return MGA_ERR_ARG_FORMAT;
    return MGA_OK;
}

int64_t mga_thumbnail(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                      const mga_thumbnail_params *params)
{
    int64_t status = check_source(src, src_size, format);
    if (status < 0)
        return status;
    if (!dst || !params)
        return MGA_ERR_ARG_NULL;
    status = check_thumbnail(format, params);
    if (status < 0)
        return status;
    uint32_t samples = format->samples_per_pixel;
    uint64_t need = (uint64_t)params->rows * params->columns * samples;
    if (dst_size < need)
        return MGA_ERR_ARG_DST_SIZE;
    uint8_t *out = dst;
    for (uint32_t row = 0; row < params->rows; row++) {
        box b;
        cell_range(row, params->rows, format->rows, &b.top, &b.bottom);
        for (uint32_t column = 0; column < params->columns; column++, out += samples) {
            cell_range(column, params->columns, format->columns, &b.left, &b.right);
            put_cell(out, src, format, &b, params);
        }
    }
    return (int64_t)need;
}
