/* What encoder and decoder of RLE Lossless share (PS3.5 Annex G). */
#ifndef MGA_RLE_H
#define MGA_RLE_H

#include "format.h"
#include "rle_kernels.h"

#define RLE_HEADER_BYTES 64u
#define RLE_PACKET_MAX 128u
#define RLE_PLANES_MAX 6u /* 3 samples of 16 bits; the header has room for 15 */
#define RLE_STRIP 2048u   /* pixels that are decoded at a time: all their planes and they fit into the first cache */
#define RLE_ALIGN 64u

/* Segment k of a frame is byte plane k: sample by sample, the most significant byte first (PS3.5 G.2). */
typedef struct {
    size_t rows, columns;
    size_t planes;       /* segments */
    size_t sample_bytes; /* planes of one sample */
    size_t pixel_step;   /* bytes from a sample to the same sample of the next pixel */
    size_t sample_step;  /* bytes from a sample to the next sample of its pixel */
} rle_layout;

static inline rle_layout rle_layout_of(const mga_format *f)
{
    size_t bytes = mga_sample_bytes(f);
    size_t plane_bytes = (size_t)f->rows * f->columns * bytes;
    int by_plane = f->planar_configuration == 1;
    return (rle_layout){
        .rows = f->rows,
        .columns = f->columns,
        .planes = f->samples_per_pixel * bytes,
        .sample_bytes = bytes,
        .pixel_step = by_plane ? bytes : f->samples_per_pixel * bytes,
        .sample_step = by_plane ? plane_bytes : bytes,
    };
}

/* Where plane k begins in a native frame; its bytes are pixel_step apart. */
static inline size_t rle_plane_offset(const rle_layout *l, size_t k)
{
    return k / l->sample_bytes * l->sample_step + (l->sample_bytes - 1 - k % l->sample_bytes);
}

/* Most bytes that one coded row can take: literals only. */
static inline size_t rle_row_bound(size_t columns)
{
    return columns + (columns + RLE_PACKET_MAX - 1) / RLE_PACKET_MAX;
}

static inline size_t rle_padded(size_t bytes)
{
    return (bytes + MGA_RLE_SLACK + RLE_ALIGN - 1) / RLE_ALIGN * RLE_ALIGN;
}

/* Checks shared by both directions. MGA_OK or MGA_ERR_ARG_*. */
int64_t rle_check(const void *dst, const void *src, const mga_format *format, const void *work, size_t work_size);
/* The working memory, aligned. */
uint8_t *rle_align(void *work);

#endif
