/* Dead pixels from a list. Good pixels are read only and listed ones written only, so the order does not matter. */
#include <stdbool.h>

#include "bytes.h"
#include "format.h"

typedef struct {
    uint8_t *frame;
    const uint32_t *defects;
    size_t count;
    uint32_t rows, columns, bytes;
} plan;

typedef struct {
    uint32_t sum, good;
} mean;

static bool is_listed(const plan *p, uint32_t pixel)
{
    size_t from = 0;
    size_t to = p->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (p->defects[middle] < pixel)
            from = middle + 1;
        else
            to = middle;
    }
    return from < p->count && p->defects[from] == pixel;
}

static void add(const plan *p, mean *m, int64_t row, int64_t column)
{
    if (row < 0 || row >= p->rows || column < 0 || column >= p->columns)
        return;
    uint32_t pixel = (uint32_t)row * p->columns + (uint32_t)column;
    if (is_listed(p, pixel))
        return;
    m->sum += p->bytes == 2 ? mga_get16_little(p->frame + (size_t)2 * pixel) : p->frame[pixel];
    m->good++;
}

/* All pixels whose larger distance, along the line or across it, is `distance`. */
static mean ring(const plan *p, uint32_t pixel, int64_t distance)
{
    mean m = {0, 0};
    int64_t row = pixel / p->columns;
    int64_t column = pixel % p->columns;
    for (int64_t k = -distance; k <= distance; k++) {
        add(p, &m, row - distance, column + k);
        add(p, &m, row + distance, column + k);
    }
    for (int64_t k = 1 - distance; k < distance; k++) {
        add(p, &m, row + k, column - distance);
        add(p, &m, row + k, column + distance);
    }
    return m;
}

static bool replace(const plan *p, uint32_t pixel)
{
    mean m = {0, 0};
    for (int64_t distance = 1; distance <= MGA_DEFECT_REACH && !m.good; distance++)
        m = ring(p, pixel, distance);
    if (!m.good)
        return false;
    uint32_t v = (m.sum + m.good / 2) / m.good;
    if (p->bytes == 2)
        mga_put16_little(p->frame + (size_t)2 * pixel, (uint16_t)v);
    else
        p->frame[pixel] = (uint8_t)v;
    return true;
}

int64_t mga_defects_replace(void *frame, size_t frame_size, const mga_format *format, const uint32_t *defects,
                            size_t count)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (format->samples_per_pixel != 1 || format->pixel_representation)
        return MGA_ERR_ARG_FORMAT;
    if (!frame || !defects)
        return MGA_ERR_ARG_NULL;
    if (frame_size != (size_t)need)
        return MGA_ERR_ARG_SRC_SIZE;
    plan p = {frame, defects, count, format->rows, format->columns, mga_sample_bytes(format)};
    for (size_t i = 0; i < count; i++)
        if (defects[i] >= (uint64_t)p.rows * p.columns || (i && defects[i] <= defects[i - 1]))
            return MGA_ERR_ARG_RANGE;
    for (size_t i = 0; i < count; i++)
        if (!replace(&p, defects[i]))
            return MGA_ERR_ARG_RANGE;
    return (int64_t)count;
}
