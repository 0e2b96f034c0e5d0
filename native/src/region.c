/* A part of a frame for itself, and parts that nobody is to see. */
#include "bytes.h"
#include "format.h"
#include "lines.h"

typedef struct {
    size_t pixel_bytes; /* in one plane */
    uint32_t planes;
} layout;

static layout layout_of(const mga_format *f)
{
    size_t bytes = mga_sample_bytes(f);
    return f->planar_configuration ? (layout){bytes, f->samples_per_pixel} : (layout){bytes * f->samples_per_pixel, 1};
}

static int is_inside(const mga_region *r, const mga_format *f)
{
    return r->rows >= 1 && r->columns >= 1 && r->top < f->rows && r->rows <= f->rows - r->top && r->left < f->columns &&
           r->columns <= f->columns - r->left;
}

int64_t mga_region_crop(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                        uint32_t stride, const mga_region *region)
{
    int64_t whole = mga_format_bytes(format);
    if (whole < 0)
        return whole;
    if (!dst || !src || !region)
        return MGA_ERR_ARG_NULL;
    layout l = layout_of(format);
    size_t line_bytes = format->columns * l.pixel_bytes;
    size_t step = stride ? stride : line_bytes;
    if (step < line_bytes || !is_inside(region, format))
        return MGA_ERR_ARG_RANGE;
    if ((uint64_t)format->rows * l.planes * step > SIZE_MAX ||
        !mga_lines_fit(format->rows * l.planes, line_bytes, step, src_size))
        return MGA_ERR_ARG_SRC_SIZE;
    size_t kept = region->columns * l.pixel_bytes;
    uint64_t need = (uint64_t)region->rows * l.planes * kept;
    if (dst_size < need)
        return MGA_ERR_ARG_DST_SIZE;
    uint8_t *out = dst;
    for (uint32_t plane = 0; plane < l.planes; plane++)
        for (uint32_t row = 0; row < region->rows; row++, out += kept) {
            size_t line = (size_t)plane * format->rows + region->top + row;
            memcpy(out, (const uint8_t *)src + line * step + region->left * l.pixel_bytes, kept);
        }
    return (int64_t)need;
}

static int is_possible(const mga_format *f, int32_t value)
{
    int32_t half = (int32_t)(1u << (f->bits_stored - 1));
    return f->pixel_representation ? value >= -half && value < half : value >= 0 && value < 2 * half;
}

/* A pixel, or in a plane its sample, as often as a line needs it. */
static void fill(uint8_t *line, const uint8_t *pixel, size_t pixel_bytes, uint32_t columns)
{
    for (uint32_t column = 0; column < columns; column++)
        memcpy(line + column * pixel_bytes, pixel, pixel_bytes);
}

int64_t mga_region_blackout(void *frame, size_t frame_size, const mga_format *format, const mga_region *regions,
                            size_t count, const int32_t *value)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (!frame || !regions || !value)
        return MGA_ERR_ARG_NULL;
    if (frame_size != (size_t)need)
        return MGA_ERR_ARG_SRC_SIZE;
    if (count > MGA_REGIONS_MAX)
        return MGA_ERR_ARG_RANGE;
    for (size_t i = 0; i < count; i++)
        if (!is_inside(&regions[i], format))
            return MGA_ERR_ARG_RANGE;
    uint8_t pixel[6];
    size_t bytes = mga_sample_bytes(format);
    for (size_t k = 0; k < format->samples_per_pixel; k++) {
        if (!is_possible(format, value[k]))
            return MGA_ERR_ARG_RANGE;
        pixel[k * bytes] = (uint8_t)value[k];
        if (bytes == 2)
            mga_put16_little(pixel + k * bytes, (uint16_t)value[k]);
    }
    layout l = layout_of(format);
    for (size_t i = 0; i < count * l.planes; i++) {
        const mga_region *r = &regions[i / l.planes];
        size_t plane = i % l.planes;
        for (uint32_t row = 0; row < r->rows; row++) {
            size_t at = (plane * format->rows + r->top + row) * format->columns + r->left;
            fill((uint8_t *)frame + at * l.pixel_bytes, pixel + plane * l.pixel_bytes, l.pixel_bytes, r->columns);
        }
    }
    return MGA_OK;
}
