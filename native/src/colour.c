/* Colour of devices: a line at a time, in blocks, each taken apart into three rows of bytes, turned by a matrix and put
 * together again. */
#include <string.h>

#include "colour_matrices.h"
#include "format.h"
#include "lines.h"
#include "rle_kernels.h"

#define BLOCK 1024u /* pixels; even, so that pairs stay together */
#define PLANES_MAX 3u

typedef struct {
    uint8_t y[BLOCK], u[BLOCK], v[BLOCK];
} rows;

typedef struct {
    const mga_colour_params *params;
    const mga_plane *planes;
    uint64_t strides[PLANES_MAX];
    const mga_matrix *matrix;
    const mga_pixel_kernels *pixel;
    const mga_rle_kernels *bytes;
} job;

/* What the layouts are made of: bytes of a group of pixels, its width, and its height, in each plane. */
typedef struct {
    uint32_t bytes, width, height;
} group;

static const struct {
    uint32_t planes;
    group groups[PLANES_MAX];
} LAYOUTS[] = {
    [MGA_LAYOUT_RGB24] = {1, {{3, 1, 1}}},
    [MGA_LAYOUT_BGR24] = {1, {{3, 1, 1}}},
    [MGA_LAYOUT_BGRX32] = {1, {{4, 1, 1}}},
    [MGA_LAYOUT_YUYV] = {1, {{4, 2, 1}}},
    [MGA_LAYOUT_UYVY] = {1, {{4, 2, 1}}},
    [MGA_LAYOUT_YYUV] = {1, {{4, 2, 1}}},
    [MGA_LAYOUT_NV12] = {2, {{1, 1, 1}, {2, 2, 2}}},
    [MGA_LAYOUT_I420] = {3, {{1, 1, 1}, {1, 2, 2}, {1, 2, 2}}},
};

static const mga_pair PAIRS[] = {
    [MGA_LAYOUT_YUYV] = {0, 16, 8, 24},
    [MGA_LAYOUT_UYVY] = {8, 24, 0, 16},
    [MGA_LAYOUT_YYUV] = {0, 8, 16, 24},
};

static const uint8_t *line_of(const job *j, size_t plane, uint32_t row, uint32_t column)
{
    const group *g = &LAYOUTS[j->params->layout].groups[plane];
    return (const uint8_t *)j->planes[plane].data + row / g->height * j->strides[plane] +
           (size_t)(column / g->width) * g->bytes;
}

static void split4(rows *out, const uint8_t *src, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out->v[i] = src[4 * i];
        out->u[i] = src[4 * i + 1];
        out->y[i] = src[4 * i + 2];
    }
}

static void take(const job *j, rows *out, uint32_t row, uint32_t column, size_t count)
{
    const uint8_t *first = line_of(j, 0, row, column);
    const size_t pairs = (count + 1) / 2;
    switch (j->params->layout) {
    case MGA_LAYOUT_RGB24:
    case MGA_LAYOUT_BGR24: {
        int turned = j->params->layout == MGA_LAYOUT_BGR24;
        j->bytes->split(out->y, first + (turned ? 2 : 0), count, 3);
        j->bytes->split(out->u, first + 1, count, 3);
        j->bytes->split(out->v, first + (turned ? 0 : 2), count, 3);
        break;
    }
    case MGA_LAYOUT_BGRX32: split4(out, first, count); break;
    case MGA_LAYOUT_NV12: {
        memcpy(out->y, first, count);
        const uint8_t *chroma = line_of(j, 1, row, column);
        for (size_t i = 0; i < pairs; i++) {
            out->u[2 * i] = out->u[2 * i + 1] = chroma[2 * i];
            out->v[2 * i] = out->v[2 * i + 1] = chroma[2 * i + 1];
        }
        break;
    }
    case MGA_LAYOUT_I420:
        memcpy(out->y, first, count);
        j->pixel->twice(out->u, line_of(j, 1, row, column), pairs);
        j->pixel->twice(out->v, line_of(j, 2, row, column), pairs);
        break;
    default: j->pixel->halve(out->y, out->u, out->v, first, pairs, &PAIRS[j->params->layout]); break;
    }
}

static size_t put(const job *j, uint8_t *dst, const rows *in, size_t count)
{
    if (j->params->result == MGA_RESULT_YBR_FULL_422) {
        j->pixel->pair(dst, in->y, in->u, in->v, count / 2);
        return 2 * count;
    }
    j->bytes->join3(dst, in->y, in->u, in->v, count);
    return 3 * count;
}

static int is_known(const mga_colour_params *p)
{
    return p->rows >= 1 && p->rows <= MGA_SIDE_MAX && p->columns >= 1 && p->columns <= MGA_SIDE_MAX &&
           p->layout <= MGA_LAYOUT_I420 && p->space <= MGA_SPACE_709_VIDEO && p->result <= MGA_RESULT_YBR_FULL_422 &&
           (p->layout <= MGA_LAYOUT_BGRX32 || p->space > MGA_SPACE_RGB_VIDEO) &&
           (p->result != MGA_RESULT_YBR_FULL_422 || p->columns % 2 == 0);
}

static int64_t check_planes(job *j, size_t count)
{
    const mga_colour_params *p = j->params;
    if (count != LAYOUTS[p->layout].planes)
        return MGA_ERR_ARG_RANGE;
    for (size_t k = 0; k < count; k++) {
        const group *g = &LAYOUTS[p->layout].groups[k];
        const mga_plane *plane = &j->planes[k];
        uint32_t lines = (p->rows + g->height - 1) / g->height;
        uint64_t line_bytes = (uint64_t)((p->columns + g->width - 1) / g->width) * g->bytes;
        j->strides[k] = plane->stride ? plane->stride : line_bytes;
        if (!plane->data)
            return MGA_ERR_ARG_NULL;
        if (j->strides[k] < line_bytes)
            return MGA_ERR_ARG_RANGE;
        if (!mga_lines_fit(lines, line_bytes, j->strides[k], plane->size))
            return MGA_ERR_ARG_SRC_SIZE;
    }
    return MGA_OK;
}

int64_t mga_colour_convert(void *dst, size_t dst_size, const mga_plane *planes, size_t count,
                           const mga_colour_params *params)
{
    if (!dst || !planes || !params)
        return MGA_ERR_ARG_NULL;
    uint64_t need = (uint64_t)params->rows * params->columns * (params->result == MGA_RESULT_YBR_FULL_422 ? 2 : 3);
    if (!is_known(params) || need > MGA_FRAME_BYTES_MAX)
        return MGA_ERR_ARG_FORMAT;
    job j = {.params = params,
             .planes = planes,
             .matrix = mga_colour_matrix(params->space, params->result != MGA_RESULT_RGB),
             .pixel = mga_pixel_kernels_best(),
             .bytes = mga_rle_kernels_best()};
    int64_t status = check_planes(&j, count);
    if (status < 0)
        return status;
    if (dst_size < need)
        return MGA_ERR_ARG_DST_SIZE;
    rows r;
    uint8_t *out = dst;
    for (uint32_t row = 0; row < params->rows; row++)
        for (uint32_t column = 0; column < params->columns; column += BLOCK) {
            size_t here = params->columns - column < BLOCK ? params->columns - column : BLOCK;
            take(&j, &r, row, column, here);
            if (j.matrix)
                j.pixel->turn(r.y, r.u, r.v, here, j.matrix);
            out += put(&j, out, &r, here);
        }
    return (int64_t)need;
}
