/* JPEG Lossless decoder: process 14 with every selection value, point transform, restart intervals, one scan or one for
 * each component (T.81 Annex H), for input that nobody vouches for.
 *
 * Work is bounded by the frame and by the input: a component is decoded once, and every sample takes at least one bit.
 * A row is decoded into differences, differences into samples, samples into the frame. Bytes behind a scan's last
 * sample are ignored, and so is everything behind the last scan, a missing EOI too. */
#include "bytes.h"
#include "jpl.h"
#include "jpl_predict.h"
#include "jpl_reader.h"
#include "jpl_segments.h"

#include <string.h>

/* How samples of a scan become bytes of the frame. */
typedef struct {
    uint8_t *dst;
    const mga_format *format;
    const jpl_scan *scan;
    uint16_t initial; /* the prediction where there is no neighbour */
    uint16_t mask;    /* of the precision */
    uint16_t sign;    /* its highest bit when samples are signed */
} target;

typedef struct {
    uint8_t *lookup, *buffer;
    int16_t *differences;
    uint16_t *rows[2];
} decode_work;

static size_t row_bytes(const mga_format *format)
{
    return jpl_padded(((size_t)format->columns * format->samples_per_pixel + JPL_AHEAD) * sizeof(uint16_t));
}

size_t jpl_decode_work_bytes(const mga_format *format)
{
    return jpl_padded(jpl_lookup_bytes()) + jpl_padded(JPL_READ_BYTES) + 3 * row_bytes(format);
}

int64_t mga_jpl_work_bytes(const mga_format *format)
{
    int64_t status = mga_format_bytes(format);
    if (status < 0)
        return status;
    size_t encode = jpl_encode_work_bytes(format);
    size_t decode = jpl_decode_work_bytes(format);
    return (int64_t)(JPL_ALIGN + (encode > decode ? encode : decode));
}

int64_t jpl_check(const void *dst, const void *src, const mga_format *format, const void *work, size_t work_size)
{
    int64_t need = mga_jpl_work_bytes(format);
    if (need < 0)
        return need;
    if (!dst || !src || !work)
        return MGA_ERR_ARG_NULL;
    return work_size < (uint64_t)need ? MGA_ERR_ARG_WORK_SIZE : MGA_OK;
}

uint8_t *jpl_align(void *work)
{
    uint8_t *p = work;
    return p + (JPL_ALIGN - (uintptr_t)p % JPL_ALIGN) % JPL_ALIGN;
}

static decode_work split_work(void *work, const mga_format *format)
{
    uint8_t *at = jpl_align(work);
    decode_work w = {.lookup = at, .buffer = at + jpl_padded(jpl_lookup_bytes())};
    at = w.buffer + jpl_padded(JPL_READ_BYTES);
    w.differences = (int16_t *)(void *)at;
    w.rows[0] = (uint16_t *)(void *)(at + row_bytes(format));
    w.rows[1] = (uint16_t *)(void *)(at + 2 * row_bytes(format));
    return w;
}

/* --- samples to bytes --------------------------------------------------------------------------------------------- */

/* Undoes the point transform and cuts to the precision; a signed sample gets its sign back. */
static inline uint16_t finished(const target *t, uint16_t sample)
{
    return (uint16_t)((((unsigned)sample << t->scan->transform & t->mask) ^ t->sign) - t->sign);
}

static void store_bytes(uint8_t *restrict out, const uint16_t *restrict row, size_t n, const target *t)
{
    const target copy = *t; /* for the compiler: `out` does not change it */
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)finished(&copy, row[i]);
}

static void store_words(uint8_t *restrict out, const uint16_t *restrict row, size_t n, const target *t)
{
    for (size_t i = 0; i < n; i++) {
        mga_put16_little(out + 2 * i, finished(t, row[i]));
    }
}

/* One component of the scan into the frame, by pixel or by plane. */
static void scatter(const target *t, const uint16_t *row, size_t y, size_t c)
{
    const mga_format *f = t->format;
    size_t bytes = mga_sample_bytes(f);
    size_t component = t->scan->index[c];
    size_t step = f->planar_configuration == 1 ? bytes : bytes * f->samples_per_pixel;
    size_t plane = f->planar_configuration == 1 ? (size_t)f->rows * f->columns * bytes : bytes;
    uint8_t *out = t->dst + component * plane + y * f->columns * step;
    for (size_t i = 0; i < f->columns; i++, out += step) {
        uint16_t sample = finished(t, row[i * t->scan->components + c]);
        out[0] = (uint8_t)sample;
        if (bytes == 2)
            out[1] = (uint8_t)(sample >> 8);
    }
}

static void store_row(const target *t, const uint16_t *row, size_t y)
{
    const mga_format *f = t->format;
    size_t n = (size_t)f->columns * t->scan->components;
    bool by_pixel = f->samples_per_pixel == 1 || f->planar_configuration == 0;
    if (!by_pixel || t->scan->components != f->samples_per_pixel)
        for (size_t c = 0; c < t->scan->components; c++)
            scatter(t, row, y, c);
    else if (f->bits_allocated == 8)
        store_bytes(t->dst + y * n, row, n, t);
    else
        store_words(t->dst + y * n * 2, row, n, t);
}

/* --- scans -------------------------------------------------------------------------------------------------------- */

/* Goes to the data behind restart marker number `k`. MGA_OK or MGA_ERR_DATA_*. */
static int64_t restart(jpl_reader *reader, const decode_work *w, size_t k)
{
    const uint8_t *found = jpl_find_marker(reader->at, reader->end);
    if (!found)
        return MGA_ERR_DATA_TRUNCATED;
    if (found[1] != JPL_RST0 + k % 8)
        return MGA_ERR_DATA_MARKER;
    jpl_reader_begin(reader, w->buffer, found + 2, reader->end);
    return MGA_OK;
}

static void make_lookup(jpl_lookup *lookup, const jpl_segments *s, const decode_work *w)
{
    lookup->components = s->scan.components;
    for (size_t c = 0; c < s->scan.components; c++)
        jpl_codebook_make(&lookup->books[c], &s->tables[s->scan.tables[c]]);
    jpl_lookup_make(lookup, w->lookup, (size_t)s->format->rows * s->format->columns * s->scan.components);
}

/* `rows` rows from y on, a restart interval or the whole scan. MGA_OK or MGA_ERR_DATA_*. */
static int64_t decode_rows(const target *t, jpl_reader *reader, const jpl_lookup *lookup, const decode_work *w,
                           size_t y, size_t rows)
{
    size_t samples = (size_t)t->format->columns * t->scan->components;
    size_t left = rows * samples;
    size_t ahead = 0; /* differences of the next row that are decoded already */
    for (size_t i = 0; i < rows; i++) {
        if (ahead < samples) {
            int64_t got = jpl_read(reader, lookup, w->differences + ahead, samples - ahead, left);
            if (got < 0)
                return got;
            ahead += (size_t)got;
            left -= (size_t)got;
        }
        uint16_t *row = w->rows[i % 2];
        const uint16_t *above = i ? w->rows[(i + 1) % 2] : NULL;
        jpl_predict_row(row, above, w->differences, t->format->columns, t->scan->components, t->scan->selection,
                        t->initial);
        store_row(t, row, y + i);
        ahead -= samples;
        memmove(w->differences, w->differences + samples, ahead * sizeof(int16_t));
    }
    return MGA_OK;
}

static target make_target(uint8_t *dst, const jpl_segments *s)
{
    unsigned half = 1u << (s->frame.precision - 1);
    return (target){
        .dst = dst,
        .format = s->format,
        .scan = &s->scan,
        .initial = (uint16_t)(half >> s->scan.transform),
        .mask = (uint16_t)(2 * half - 1),
        .sign = (uint16_t)(s->format->pixel_representation == 1 ? half : 0),
    };
}

static int64_t decode_scan(jpl_segments *s, uint8_t *dst, const decode_work *w)
{
    jpl_lookup lookup;
    make_lookup(&lookup, s, w);
    target t = make_target(dst, s);
    size_t rows = s->format->rows;
    size_t interval = s->restart_interval ? s->restart_interval : rows;
    jpl_reader reader;
    jpl_reader_begin(&reader, w->buffer, s->at, s->end);
    for (size_t y = 0; y < rows; y += interval) {
        int64_t status = y ? restart(&reader, w, y / interval - 1) : MGA_OK;
        if (status == MGA_OK)
            status = decode_rows(&t, &reader, &lookup, w, y, rows - y < interval ? rows - y : interval);
        if (status < 0)
            return status;
    }
    s->at = reader.at;
    return MGA_OK;
}

int64_t mga_jpl_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size)
{
    int64_t status = jpl_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    int64_t need = mga_format_bytes(format);
    if (dst_size < (uint64_t)need)
        return MGA_ERR_ARG_DST_SIZE;
    decode_work w = split_work(work, format);
    jpl_segments segments;
    status = jpl_segments_begin(&segments, src, src_size, format);
    unsigned done = 0; /* a bit for each component */
    while (status == MGA_OK && done != (1u << format->samples_per_pixel) - 1) {
        status = jpl_segments_next_scan(&segments);
        for (size_t c = 0; status == MGA_OK && c < segments.scan.components; c++) {
            unsigned bit = 1u << segments.scan.index[c];
            if (done & bit)
                status = MGA_ERR_DATA_MARKER;
            done |= bit;
        }
        if (status == MGA_OK)
            status = decode_scan(&segments, dst, &w);
    }
    return status < 0 ? status : need;
}
