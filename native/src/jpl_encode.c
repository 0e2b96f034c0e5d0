/* JPEG Lossless encoder: process 14, selection value 1, one scan, one Huffman table (T.81 Annex H, PS3.5 8.2.1).
 *
 * The neighbours of a lossless encoder are known beforehand: differences are plain vector arithmetic on the source. The
 * first pass counts their categories, so that the table is made for this frame; the second makes them
 * again and packs their codes, some thousand at a time, into working memory; from there FFH bytes are stuffed into the
 * destination. A sample that needs more than the precision is refused: coded modulo 2^16 it would come back as another
 * one. Signed samples are coded with their sign bits. */
#include "bytes.h"
#include "jpl.h"
#include "jpl_kernels.h"

#include <string.h>

#define HEADER_BYTES_MAX 96u /* SOI, SOF3 and SOS of 3 components, DHT of 17 categories: 89 */

typedef struct {
    const uint8_t *src;
    size_t rows, columns;
    size_t samples; /* 1 or 3 */
    size_t bytes;   /* of one sample */
    bool by_plane;
    uint32_t precision;
    uint16_t greatest; /* sample of the precision */
} plan;

typedef struct {
    int16_t *differences;
    uint8_t *packed;
} encode_work;

/* Where coded bytes go; the first failure stays. */
typedef struct {
    uint8_t *at, *end;
    bool full;
} sink;

size_t jpl_encode_work_bytes(const mga_format *format)
{
    (void)format;
    return jpl_padded(JPL_BLOCK * sizeof(int16_t)) + jpl_padded(JPL_PACK_BYTES);
}

/* A code of equal lengths for all categories of this precision would take no more; every byte may need stuffing. */
int64_t mga_jpl_encode_bound(const mga_format *format)
{
    int64_t frame = mga_format_bytes(format);
    if (frame < 0)
        return frame;
    uint32_t precision = jpl_precision(format);
    uint64_t bits = precision <= 14 ? 4 + precision : 5 + 15; /* 16 categories and all ones need 5 bits */
    uint64_t samples = (uint64_t)frame / mga_sample_bytes(format);
    return (int64_t)(HEADER_BYTES_MAX + 2 * (samples * bits / 8 + 1) + 4);
}

/* --- differences (T.81 H.1.2.1, selection value 1: the sample to the left) ---------------------------------------- */

static uint16_t sample_at(const plan *p, size_t row, size_t column, size_t component)
{
    size_t pixel = row * p->columns + column;
    size_t index = p->by_plane ? component * p->rows * p->columns + pixel : pixel * p->samples + component;
    unsigned value = p->src[index * p->bytes];
    if (p->bytes == 2)
        value |= (unsigned)p->src[index * 2 + 1] << 8;
    return (uint16_t)value;
}

static void subtract_bytes(int16_t *restrict out, const uint8_t *x, size_t n, size_t step)
{
    const uint8_t *left = x - step;
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)(x[i] - left[i]);
}

static void subtract_words(int16_t *restrict out, const uint8_t *x, size_t n, size_t step)
{
    const uint8_t *left = x - step * 2;
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)(mga_get16_little(x + 2 * i) - mga_get16_little(left + 2 * i));
}

/* n differences of one row from `first` on, by pixel; both are whole pixels. */
static void make_differences(int16_t *out, const plan *p, size_t row, size_t first, size_t n)
{
    size_t i = 0;
    if (first == 0)
        for (; i < p->samples; i++) {
            unsigned above = row ? sample_at(p, row - 1, 0, i) : 1u << (p->precision - 1);
            out[i] = (int16_t)(sample_at(p, row, 0, i) - above);
        }
    if (p->by_plane) {
        for (; i < n; i++) {
            size_t column = (first + i) / p->samples;
            size_t component = i % p->samples;
            out[i] = (int16_t)(sample_at(p, row, column, component) - sample_at(p, row, column - 1, component));
        }
        return;
    }
    const uint8_t *x = p->src + (row * p->columns * p->samples + first + i) * p->bytes;
    if (p->bytes == 1)
        subtract_bytes(out + i, x, n - i, p->samples);
    else
        subtract_words(out + i, x, n - i, p->samples);
}

/* --- marker segments (T.81 B.2) ----------------------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *at, size_t value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_marker(uint8_t *at, uint8_t marker, size_t bytes)
{
    *at++ = 0xFF;
    *at++ = marker;
    return put16(at, bytes);
}

/* Component identifiers are 1, 2, 3; no APPn: the Data Set says what the samples mean (PS3.5 8.2.1). */
static size_t put_header(uint8_t *header, const plan *p, const jpl_huffman *huffman)
{
    uint8_t *at = header;
    *at++ = 0xFF;
    *at++ = JPL_SOI;
    at = put_marker(at, JPL_SOF3, 8 + 3 * p->samples);
    *at++ = (uint8_t)p->precision;
    at = put16(put16(at, p->rows), p->columns);
    *at++ = (uint8_t)p->samples;
    for (size_t i = 0; i < p->samples; i++) {
        *at++ = (uint8_t)(i + 1);
        *at++ = 0x11; /* no subsampling */
        *at++ = 0;
    }
    at = put_marker(at, JPL_DHT, 3 + JPL_CODE_BITS + huffman->size);
    *at++ = 0; /* table 0 */
    memcpy(at, huffman->counts + 1, JPL_CODE_BITS);
    at += JPL_CODE_BITS;
    memcpy(at, huffman->values, huffman->size);
    at += huffman->size;
    at = put_marker(at, JPL_SOS, 6 + 2 * p->samples);
    *at++ = (uint8_t)p->samples;
    for (size_t i = 0; i < p->samples; i++) {
        *at++ = (uint8_t)(i + 1);
        *at++ = 0;
    }
    *at++ = 1; /* selection value */
    *at++ = 0;
    *at++ = 0; /* no point transform */
    return (size_t)(at - header);
}

/* --- passes ------------------------------------------------------------------------------------------------------- */

static void put_bytes(sink *s, const uint8_t *bytes, size_t n)
{
    if (n > (size_t)(s->end - s->at)) {
        s->full = true;
        return;
    }
    memcpy(s->at, bytes, n);
    s->at += n;
}

/* A zero byte behind each FFH (T.81 F.1.2.3). */
static void put_stuffed(sink *s, const uint8_t *bytes, size_t n)
{
    static const uint8_t STUFFED[2] = {0xFF, 0};
    while (n > 0 && !s->full) {
        const uint8_t *found = memchr(bytes, 0xFF, n);
        size_t run = found ? (size_t)(found - bytes) : n;
        put_bytes(s, bytes, run);
        if (!found)
            return;
        if (!s->full)
            put_bytes(s, STUFFED, 2);
        bytes += run + 1;
        n -= run + 1;
    }
}

/* Whether no sample in so many bytes of the source, which one row has, needs more than the precision. */
static bool fits(const plan *p, size_t row)
{
    size_t length = p->columns * p->samples;
    const uint8_t *x = p->src + row * length * p->bytes;
    uint16_t any = 0;
    if (p->bytes == 1)
        for (size_t i = 0; i < length; i++)
            any |= x[i];
    else
        for (size_t i = 0; i < length; i++)
            any |= mga_get16_little(x + 2 * i);
    return any <= p->greatest;
}

static bool count_frame(uint32_t counts[JPL_CATEGORIES], const plan *p, const encode_work *w)
{
    const jpl_kernels *kernels = jpl_kernels_best();
    size_t length = p->columns * p->samples;
    for (size_t row = 0; row < p->rows; row++) {
        if (!fits(p, row))
            return false;
        for (size_t first = 0; first < length; first += JPL_BLOCK) {
            size_t n = length - first < JPL_BLOCK ? length - first : JPL_BLOCK;
            make_differences(w->differences, p, row, first, n);
            kernels->count(counts, w->differences, n);
        }
    }
    return true;
}

static void put_scan(sink *s, const plan *p, const jpl_codes *codes, const encode_work *w)
{
    const jpl_kernels *kernels = jpl_kernels_best();
    size_t length = p->columns * p->samples;
    jpl_carry carry = {0, 0};
    for (size_t row = 0; row < p->rows; row++)
        for (size_t first = 0; first < length && !s->full; first += JPL_BLOCK) {
            size_t n = length - first < JPL_BLOCK ? length - first : JPL_BLOCK;
            make_differences(w->differences, p, row, first, n);
            put_stuffed(s, w->packed, kernels->pack(w->packed, &carry, w->differences, n, codes));
        }
    if (carry.count > 0 && !s->full) { /* the last byte is filled with ones (T.81 F.1.2.3) */
        uint8_t last = (uint8_t)(carry.bits << (8 - carry.count) | 0xFFu >> carry.count);
        put_stuffed(s, &last, 1);
    }
}

int64_t mga_jpl_encode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size)
{
    int64_t status = jpl_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    if (src_size != (size_t)mga_format_bytes(format))
        return MGA_ERR_ARG_SRC_SIZE;
    uint32_t precision = jpl_precision(format);
    plan p = {src,
              format->rows,
              format->columns,
              format->samples_per_pixel,
              mga_sample_bytes(format),
              format->planar_configuration == 1 && format->samples_per_pixel == 3,
              precision,
              (uint16_t)((1u << precision) - 1)};
    uint8_t *memory = jpl_align(work);
    encode_work w = {(int16_t *)(void *)memory, memory + jpl_padded(JPL_BLOCK * sizeof(int16_t))};
    uint32_t counts[JPL_CATEGORIES] = {0};
    if (!count_frame(counts, &p, &w))
        return MGA_ERR_DATA_SAMPLE;
    jpl_huffman huffman;
    jpl_codes codes;
    jpl_huffman_make(&huffman, counts);
    jpl_huffman_codes(&codes, &huffman);

    uint8_t header[HEADER_BYTES_MAX];
    static const uint8_t END[2] = {0xFF, JPL_EOI};
    sink s = {dst, (uint8_t *)dst + dst_size, false};
    put_bytes(&s, header, put_header(header, &p, &huffman));
    if (!s.full)
        put_scan(&s, &p, &codes, &w);
    if (!s.full)
        put_bytes(&s, END, sizeof END);
    size_t bytes = (size_t)(s.at - (uint8_t *)dst);
    if (bytes % 2 && !s.full) /* fragments are even (PS3.5 A.4) */
        put_bytes(&s, (const uint8_t[]){0}, 1);
    return s.full ? MGA_ERR_ARG_DST_SIZE : (int64_t)(s.at - (uint8_t *)dst);
}
