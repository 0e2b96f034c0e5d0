/* JPEG-LS decoder (ITU-T T.87), for input that nobody vouches for: every interleave mode, any number of scans, preset
 * parameters, restart intervals, subsampled components (their samples are repeated).
 *
 * Coded bytes lose their stuffing piece by piece into a window that holds the most that one line can take, so no sample
 * checks for the end of the data: zeros follow it, they are no code, and what was read is compared with what was there
 * after each line. */
#include "bytes.h"
#include "jls_kernels.h"
#include "jls_lossless.h"
#include "jls_marker.h"

typedef struct {
    jls_header header;
    jls_reader reader;
    bool lossless; /* the scan is one for the fast path */
    bool woven;    /* it holds all of a pixel, and pixels are stored whole */
    jls_thirds thirds;
    jls_decode_block blocks[JLS_COMPONENTS_MAX];
    jls_state state;
} decoder;

/* One call's way through a frame. */
typedef struct {
    decoder *d;
    uint16_t *lines; /* two of each component */
    int8_t *thirds;
    size_t pitch;
    uint8_t *dst;
    const mga_format *format;
    jls_layout layout;
} job;

static size_t line_need(size_t columns, size_t components)
{
    return columns * components * JLS_SAMPLE_BYTES_MAX + 64;
}

static size_t window_bytes(const mga_format *f)
{
    size_t twice = 2 * line_need(f->columns, f->samples_per_pixel);
    return twice > 16384 ? twice : 16384;
}

static size_t decode_pitch(const mga_format *f)
{
    return jls_padded(jls_pitch(f->columns) * sizeof(uint16_t)) / sizeof(uint16_t);
}

size_t jls_decode_work_bytes(const mga_format *f)
{
    size_t lines = decode_pitch(f) * sizeof(uint16_t) * 2 * f->samples_per_pixel;
    return jls_padded(sizeof(decoder)) + lines + jls_thirds_bytes(f) + window_bytes(f) + JLS_READ_SLACK;
}

static uint16_t *line_of(const job *o, size_t component, size_t row)
{
    return o->lines + (2 * component + row % 2) * o->pitch;
}

static void store_words(uint8_t *restrict dst, const uint16_t *restrict line, size_t count, size_t step, uint32_t sign)
{
    for (size_t i = 0; i < count; i++) {
        mga_put16_little(dst + i * step, (uint16_t)((line[i] ^ sign) - sign));
    }
}

static void store_bytes(uint8_t *restrict dst, const uint16_t *restrict line, size_t count, size_t step, uint32_t sign)
{
    for (size_t i = 0; i < count; i++)
        dst[i * step] = (uint8_t)((line[i] ^ sign) - sign);
}

/* A constant step lets the compiler make vectors of it. */
static void store(uint8_t *dst, const uint16_t *line, size_t count, const jls_layout *layout, uint32_t sign)
{
    size_t step = layout->pixel_step;
    if (layout->bytes == 1)
        step == 1 ? store_bytes(dst, line, count, 1, sign) : store_bytes(dst, line, count, step, sign);
    else
        step == 2 ? store_words(dst, line, count, 2, sign) : store_words(dst, line, count, step, sign);
}

/* A subsampled component, whose samples are repeated. */
static void store_repeated(uint8_t *dst, const uint16_t *line, const job *o, const jls_component *c, uint32_t sign)
{
    for (size_t i = 0; i < o->format->columns; i++) {
        uint32_t x = (line[i * c->across / o->d->header.across] ^ sign) - sign;
        for (size_t j = 0; j < o->layout.bytes; j++)
            dst[i * o->layout.pixel_step + j] = (uint8_t)(x >> 8 * j);
    }
}

/* Puts a decoded line where it belongs in the frame; signs fill what is above the precision. */
static void store_line(const job *o, size_t component, size_t row)
{
    const jls_header *h = &o->d->header;
    const jls_component *c = &h->components[component];
    const mga_format *f = o->format;
    uint32_t sign = f->pixel_representation ? 1u << (h->precision - 1) : 0;
    const uint16_t *line = line_of(o, component, row) + 1;
    size_t end = ((row + 1) * h->down + c->down - 1) / c->down;
    for (size_t y = (row * h->down + c->down - 1) / c->down; y < end && y < f->rows; y++) {
        uint8_t *at = o->dst + component * o->layout.sample_step + y * f->columns * o->layout.pixel_step;
        if (c->across != h->across)
            store_repeated(at, line, o, c, sign);
        else
            store(at, line, f->columns, &o->layout, sign);
    }
}

static void store_pixels(const job *o, size_t row)
{
    const jls_header *h = &o->d->header;
    uint32_t sign = o->format->pixel_representation ? 1u << (h->precision - 1) : 0;
    const uint16_t *lines[] = {line_of(o, 0, row) + 1, line_of(o, 1, row) + 1, line_of(o, 2, row) + 1};
    uint8_t *at = o->dst + row * h->columns * o->layout.pixel_step;
    jls_kernels_best()->weave(at, lines, h->columns, sign);
}

static int64_t decode_line(const job *o, size_t component, size_t row)
{
    decoder *d = o->d;
    size_t count = d->header.components[component].columns;
    uint16_t *current = line_of(o, component, row);
    uint16_t *previous = line_of(o, component, row + 1);
    jls_set_edges(current, previous, count);
    jls_read_fill(&d->reader, line_need(count, 1));
    jls_lines l = {{current}, {previous}, count, 1, component};
    int64_t status = d->lossless ? jls_lossless_decode(&d->state, d->blocks, &d->thirds, &l, &d->reader)
                                 : jls_scalar_decode(&d->state, &l, &d->reader);
    if (!d->woven)
        store_line(o, component, row);
    return status;
}

static int64_t decode_by_sample(const job *o, size_t row)
{
    decoder *d = o->d;
    jls_lines l = {.count = d->header.columns, .components = d->header.scan_count};
    for (size_t j = 0; j < l.components; j++) {
        uint16_t *previous = line_of(o, d->header.scan[j], row + 1);
        l.current[j] = line_of(o, d->header.scan[j], row);
        l.previous[j] = previous;
        jls_set_edges(l.current[j], previous, l.count);
    }
    jls_read_fill(&d->reader, line_need(l.count, l.components));
    int64_t status = d->lossless ? jls_pixel_decode(&d->state, d->blocks, &d->thirds, &l, &d->reader)
                                 : jls_scalar_decode(&d->state, &l, &d->reader);
    for (size_t j = 0; j < l.components && !d->woven; j++)
        store_line(o, d->header.scan[j], row);
    return status;
}

/* The lines of the scan's components that are coded together: one, or as many as the sampling factors say. */
static int64_t decode_unit(const job *o, size_t unit)
{
    const jls_header *h = &o->d->header;
    int64_t status = MGA_OK;
    if (h->by_sample)
        status = decode_by_sample(o, unit);
    for (size_t j = 0; j < h->scan_count && !h->by_sample; j++) {
        const jls_component *c = &h->components[h->scan[j]];
        size_t lines = h->scan_count > 1 ? c->down : 1;
        for (size_t v = 0; v < lines && status >= 0; v++)
            status = decode_line(o, h->scan[j], unit * lines + v);
    }
    if (o->d->woven)
        store_pixels(o, unit);
    return status;
}

/* One restart interval, which begins like a scan. */
static int64_t decode_interval(const job *o, size_t from, size_t to)
{
    decoder *d = o->d;
    jls_header *h = &d->header;
    for (size_t j = 0; j < h->scan_count; j++)
        memset(o->lines + (size_t)2 * h->scan[j] * o->pitch, 0, 2 * o->pitch * sizeof(uint16_t));
    jls_state_reset(&d->state);
    jls_read_begin(&d->reader, h->at, h->end);
    for (size_t unit = from; unit < to; unit++) {
        int64_t status = decode_unit(o, unit);
        if (d->reader.position > d->reader.limit)
            return MGA_ERR_DATA_TRUNCATED;
        if (status < 0)
            return status;
    }
    return jls_read_end(&d->reader, &h->at);
}

static int64_t decode_scan(const job *o)
{
    decoder *d = o->d;
    jls_header *h = &d->header;
    int64_t status = jls_header_coding(h, &d->state.coding);
    d->lossless = status >= 0 && jls_is_lossless(&d->state.coding) &&
                  jls_thirds_fill(&d->thirds, o->thirds, o->format, &d->state.coding);
    if (h->by_sample) /* the fast path is for whole pixels, and for tables of all differences */
        d->lossless = d->lossless && h->scan_count == JLS_COMPONENTS_MAX && !d->thirds.clamped;
    d->woven = h->scan_count == 3 && h->across == 1 && h->down == 1 && o->layout.pixel_step == 3;
    const jls_component *first = &h->components[h->scan[0]];
    size_t units = h->scan_count == 1 ? first->rows : (h->rows + h->down - 1) / h->down;
    size_t interval = h->restart_interval ? h->restart_interval : units;
    uint32_t number = 0;
    for (size_t unit = 0; unit < units && status >= 0; unit += interval) {
        if (unit > 0)
            status = jls_header_restart(h, number++);
        if (status >= 0)
            status = decode_interval(o, unit, units - unit < interval ? units : unit + interval);
    }
    return status;
}

int64_t mga_jls_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size)
{
    int64_t status = jls_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    int64_t need = mga_format_bytes(format);
    if (dst_size < (uint64_t)need)
        return MGA_ERR_ARG_DST_SIZE;
    decoder *d = (decoder *)(void *)jls_align(work);
    uint8_t *behind = (uint8_t *)d + jls_padded(sizeof *d);
    size_t pitch = decode_pitch(format);
    uint8_t *thirds = behind + pitch * sizeof(uint16_t) * 2 * format->samples_per_pixel;
    job o = {
        .d = d,
        .lines = (uint16_t *)(void *)behind,
        .thirds = (int8_t *)thirds,
        .pitch = pitch,
        .dst = dst,
        .format = format,
        .layout = jls_layout_of(format),
    };
    d->reader.raw = thirds + jls_thirds_bytes(format);
    d->reader.capacity = window_bytes(format);
    uint32_t scanned = 0;
    status = jls_header_begin(&d->header, src, src_size, format);
    while (status > 0) {
        status = decode_scan(&o);
        scanned += d->header.scan_count;
        if (status >= 0)
            status = jls_header_next(&d->header, format);
    }
    if (status < 0)
        return status;
    return scanned == d->header.component_count ? need : MGA_ERR_DATA_TRUNCATED;
}
