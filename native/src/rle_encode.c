/* RLE Lossless encoder (PS3.5 Annex G): the PackBits of each row of each byte plane.
 *
 * Runs of three or more become replicate packets, everything else literals, as G.3.1 demands. A row is coded without
 * any checks when the destination has room for the longest row; near its end it is coded into working memory first and
 * copied if it fits, so that the smallest sufficient destination always suffices and nothing is ever written behind it.
 */
#include "bytes.h"
#include "rle.h"

#include <string.h>

typedef struct {
    uint8_t *plane; /* one row of one byte plane, with slack */
    uint64_t *map;  /* its equality bits, two zero words behind */
    uint8_t *row;   /* one coded row, with slack */
} encode_work;

static size_t map_bytes(size_t columns)
{
    return rle_padded((columns / 64 + 3) * sizeof(uint64_t));
}

int64_t mga_rle_work_bytes(const mga_format *format)
{
    int64_t status = mga_format_bytes(format);
    if (status < 0)
        return status;
    size_t columns = format->columns;
    size_t encode = rle_padded(columns) + map_bytes(columns) + rle_padded(rle_row_bound(columns));
    size_t decode = RLE_PLANES_MAX * rle_padded(RLE_STRIP);
    return (int64_t)(RLE_ALIGN + (encode > decode ? encode : decode));
}

int64_t mga_rle_encode_bound(const mga_format *format)
{
    int64_t status = mga_format_bytes(format);
    if (status < 0)
        return status;
    rle_layout l = rle_layout_of(format);
    uint64_t segment = (uint64_t)l.rows * rle_row_bound(l.columns);
    return (int64_t)(RLE_HEADER_BYTES + l.planes * (segment + segment % 2));
}

int64_t rle_check(const void *dst, const void *src, const mga_format *format, const void *work, size_t work_size)
{
    int64_t need = mga_rle_work_bytes(format);
    if (need < 0)
        return need;
    if (!dst || !src || !work)
        return MGA_ERR_ARG_NULL;
    return work_size < (uint64_t)need ? MGA_ERR_ARG_WORK_SIZE : MGA_OK;
}

uint8_t *rle_align(void *work)
{
    uint8_t *p = work;
    return p + (RLE_ALIGN - (uintptr_t)p % RLE_ALIGN) % RLE_ALIGN;
}

/* 64 equality bits from position i on. */
static inline uint64_t bits_from(const uint64_t *map, size_t i)
{
    unsigned shift = i % 64;
    uint64_t bits = map[i / 64] >> shift;
    return shift ? bits | map[i / 64 + 1] << (64 - shift) : bits;
}

/* The first i >= from at which three equal bytes begin, or count. */
static inline size_t find_run(const uint64_t *map, size_t from, size_t count)
{
    while (from < count) {
        uint64_t bits = bits_from(map, from);
        uint64_t runs = bits & bits >> 1;
        if (runs)
            return from + (size_t)__builtin_ctzll(runs);
        from += 63; /* bit 63 lacked its neighbour */
    }
    return count;
}

/* The first position behind the run at i. The zero bits at the end of the map stop it. */
static inline size_t find_end(const uint64_t *map, size_t i)
{
    for (;;) {
        uint64_t differ = ~bits_from(map, i);
        if (differ)
            return i + (size_t)__builtin_ctzll(differ) + 1;
        i += 64;
    }
}

/* Copies more than needed: source and destination have slack. Nothing, a pair and a few bytes take the same way: how
 * many there are is what no processor can guess. */
static inline uint8_t *put_literals(uint8_t *out, const uint8_t *x, size_t count)
{
    size_t pair = (count == 2) & (x[0] == x[1]); /* alone, it is shorter as a replicate */
    while (count > RLE_PACKET_MAX) {
        *out = RLE_PACKET_MAX - 1;
        memcpy(out + 1, x, RLE_PACKET_MAX);
        out += 1 + RLE_PACKET_MAX;
        x += RLE_PACKET_MAX;
        count -= RLE_PACKET_MAX;
    }
    *out = (uint8_t)(count - 1 - 2 * pair);
    memcpy(out + 1, x, 16);
    if (count > 16)
        memcpy(out + 17, x + 16, RLE_PACKET_MAX - 16);
    return out + count + (count > 0) - pair;
}

static inline __attribute__((always_inline)) uint8_t *put_runs(uint8_t *out, const uint8_t *x, size_t count,
                                                               const uint64_t *map)
{
    size_t literal = 0; /* where the bytes begin that are not coded yet */
    size_t at = 0;
    while ((at = find_run(map, at, count)) < count) {
        size_t end = find_end(map, at);
        size_t left = end - at;
        out = put_literals(out, x + literal, at - literal);
        while (left > RLE_PACKET_MAX) {
            *out++ = (uint8_t)(257 - RLE_PACKET_MAX);
            *out++ = x[at];
            left -= RLE_PACKET_MAX;
        }
        out[0] = (uint8_t)(257 - left);
        out[1] = x[at];
        out += left > 1 ? 2 : 0;
        literal = end - (left == 1); /* one byte may be left over */
        at = end;
    }
    return put_literals(out, x + literal, count - literal);
}

typedef uint8_t *(*put_row_function)(uint8_t *out, const uint8_t *x, size_t count, const uint64_t *map);

static uint8_t *put_row_portable(uint8_t *out, const uint8_t *x, size_t count, const uint64_t *map)
{
    return put_runs(out, x, count, map);
}

#if defined(__x86_64__)
/* The same with the shifts and the counting of zeros that newer processors have. */
static __attribute__((target("avx2,bmi,bmi2,lzcnt"))) uint8_t *put_row_avx2(uint8_t *out, const uint8_t *x,
                                                                            size_t count, const uint64_t *map)
{
    return put_runs(out, x, count, map);
}
#endif

static put_row_function best_put_row(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        return put_row_avx2;
#endif
    return put_row_portable;
}

/* One plane of the frame. Returns its bytes, or MGA_ERR_ARG_DST_SIZE. */
static int64_t put_segment(uint8_t *dst, size_t dst_size, const uint8_t *src, const rle_layout *l, const encode_work *w)
{
    const mga_rle_kernels *kernels = mga_rle_kernels_best();
    const put_row_function put_row = best_put_row();
    size_t columns = l->columns;
    size_t at = 0;
    for (size_t row = 0; row < l->rows; row++) {
        kernels->split(w->plane, src + row * columns * l->pixel_step, columns, l->pixel_step);
        kernels->equal(w->map, w->plane, columns);
        size_t last = columns - 1; /* has no right neighbour */
        w->map[last / 64] &= ((uint64_t)1 << last % 64) - 1;
        w->map[last / 64 + 1] = 0;
        if (dst_size - at >= rle_row_bound(columns) + MGA_RLE_SLACK) {
            at = (size_t)(put_row(dst + at, w->plane, columns, w->map) - dst);
            continue;
        }
        size_t bytes = (size_t)(put_row(w->row, w->plane, columns, w->map) - w->row);
        if (bytes > dst_size - at)
            return MGA_ERR_ARG_DST_SIZE;
        memcpy(dst + at, w->row, bytes);
        at += bytes;
    }
    if (at % 2) { /* segments are even */
        if (at == dst_size)
            return MGA_ERR_ARG_DST_SIZE;
        dst[at++] = 0;
    }
    return (int64_t)at;
}

int64_t mga_rle_encode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size)
{
    int64_t status = rle_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    if (src_size != (size_t)mga_format_bytes(format))
        return MGA_ERR_ARG_SRC_SIZE;
    if (dst_size < RLE_HEADER_BYTES)
        return MGA_ERR_ARG_DST_SIZE;
    rle_layout l = rle_layout_of(format);
    uint8_t *plane = rle_align(work);
    uint8_t *map = plane + rle_padded(l.columns);
    encode_work w = {plane, (uint64_t *)(void *)map, map + map_bytes(l.columns)};
    memset(plane + l.columns, 0, MGA_RLE_SLACK); /* read, never used */
    uint8_t header[RLE_HEADER_BYTES] = {(uint8_t)l.planes};
    size_t at = RLE_HEADER_BYTES;
    for (size_t k = 0; k < l.planes; k++) {
        const uint8_t *from = (const uint8_t *)src + rle_plane_offset(&l, k);
        int64_t bytes = put_segment((uint8_t *)dst + at, dst_size - at, from, &l, &w);
        if (bytes < 0)
            return bytes;
        mga_put32_little(header + 4 * (k + 1), (uint32_t)at);
        at += (size_t)bytes;
    }
    memcpy(dst, header, sizeof header);
    return (int64_t)at;
}
