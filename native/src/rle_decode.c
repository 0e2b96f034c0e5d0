/* RLE Lossless decoder (PS3.5 Annex G), for input that nobody vouches for.
 *
 * All segments are decoded in step, one row of each at a time into working memory, and joined into pixels: memory stays
 * small and in the cache. Every count is checked against what is left of its segment and of its row before it is used.
 * A packet may go on into the next row (other encoders do that), but not behind the plane. Trailing bytes of a segment
 * are ignored: they are padding. */
#include "bytes.h"
#include "rle.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    size_t left; /* bytes that the current packet still has to give */
    bool repeat; /* it repeats `value`; otherwise its bytes are at `at`, and were counted */
    uint8_t value;
} segment;

static int64_t read_header(segment *segments, const uint8_t *src, size_t src_size, size_t planes)
{
    if (src_size < RLE_HEADER_BYTES)
        return MGA_ERR_DATA_TRUNCATED;
    if (mga_get32_little(src) != planes)
        return MGA_ERR_DATA_HEADER;
    size_t floor = RLE_HEADER_BYTES;
    for (size_t k = 0; k < planes; k++) {
        size_t begin = mga_get32_little(src + 4 * (k + 1));
        size_t end = k + 1 < planes ? mga_get32_little(src + 4 * (k + 2)) : src_size;
        if (begin < floor || end < begin)
            return MGA_ERR_DATA_HEADER;
        if (end > src_size)
            return MGA_ERR_DATA_TRUNCATED;
        segments[k] = (segment){.at = src + begin, .end = src + end};
        floor = end;
    }
    return MGA_OK;
}

/* Reads the head of the next packet that gives bytes. */
static int64_t next_packet(segment *s)
{
    while (s->at < s->end) {
        uint8_t head = *s->at++;
        size_t rest = (size_t)(s->end - s->at);
        if (head == 128)
            continue; /* no operation (PS3.5 G.3.2) */
        s->repeat = head > 128;
        s->left = s->repeat ? 257u - head : head + 1u;
        if (rest < (s->repeat ? 1 : s->left))
            return MGA_ERR_DATA_TRUNCATED;
        if (s->repeat)
            s->value = *s->at++;
        return MGA_OK;
    }
    return MGA_ERR_DATA_TRUNCATED;
}

/* `out` has slack behind, so packets are copied in blocks where the input allows it. */
static int64_t get_row(segment *s, uint8_t *out, size_t count)
{
    while (count > 0) {
        if (s->left == 0) {
            int64_t status = next_packet(s);
            if (status < 0)
                return status;
        }
        size_t n = s->left < count ? s->left : count;
        if (s->repeat) {
            memset(out, s->value, 16);
            if (n > 16)
                memset(out + 16, s->value, RLE_PACKET_MAX - 16);
        } else {
            if ((size_t)(s->end - s->at) < RLE_PACKET_MAX) {
                memcpy(out, s->at, n);
            } else {
                memcpy(out, s->at, 16);
                if (n > 16)
                    memcpy(out + 16, s->at + 16, RLE_PACKET_MAX - 16);
            }
            s->at += n;
        }
        out += n;
        count -= n;
        s->left -= n;
    }
    return MGA_OK;
}

static void join_words(uint8_t *restrict dst, const uint8_t *restrict high, const uint8_t *restrict low, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dst[2 * i] = low[i];
        dst[2 * i + 1] = high[i];
    }
}

static void join_strided(uint8_t *restrict dst, const uint8_t *restrict row, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i++)
        dst[i * step] = row[i];
}

/* Writes one row of pixels from one row of each plane. */
static void join_row(uint8_t *dst, const uint8_t *rows, size_t pitch, size_t row, const rle_layout *l)
{
    size_t columns = l->columns;
    uint8_t *at = dst + row * columns * l->pixel_step;
    if (l->pixel_step == 3) {
        mga_rle_kernels_best()->join3(at, rows, rows + pitch, rows + 2 * pitch, columns);
        return;
    }
    for (size_t k = 0; k < l->planes; k++) {
        if (l->pixel_step == 1) {
            memcpy(at + rle_plane_offset(l, k), rows + k * pitch, columns);
        } else if (l->pixel_step == 2) {
            join_words(at + k / 2 * l->sample_step, rows + k * pitch, rows + (k + 1) * pitch, columns);
            k++;
        } else {
            join_strided(at + rle_plane_offset(l, k), rows + k * pitch, columns, l->pixel_step);
        }
    }
}

int64_t mga_rle_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size)
{
    int64_t status = rle_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    int64_t need = mga_format_bytes(format);
    if (dst_size < (uint64_t)need)
        return MGA_ERR_ARG_DST_SIZE;
    rle_layout l = rle_layout_of(format);
    segment segments[RLE_PLANES_MAX];
    status = read_header(segments, src, src_size, l.planes);
    if (status < 0)
        return status;
    uint8_t *rows = rle_align(work);
    size_t pitch = rle_padded(l.columns);
    for (size_t row = 0; row < l.rows; row++) {
        for (size_t k = 0; k < l.planes; k++) {
            status = get_row(&segments[k], rows + k * pitch, l.columns);
            if (status < 0)
                return status;
        }
        join_row(dst, rows, pitch, row, &l);
    }
    for (size_t k = 0; k < l.planes; k++)
        if (segments[k].left > 0)
            return MGA_ERR_DATA_OVERRUN;
    return need;
}
