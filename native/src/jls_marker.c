#include "jls_marker.h"

/* T.81 B.1.1.3, T.87 C.1.1 */
enum {
    SOI = 0xD8,
    EOI = 0xD9,
    SOS = 0xDA,
    DNL = 0xDC,
    DRI = 0xDD,
    RST0 = 0xD0,
    APP0 = 0xE0,
    APP15 = 0xEF,
    SOF55 = 0xF7,
    LSE = 0xF8,
    COM = 0xFE
};

/* What is left of a marker segment. */
typedef struct {
    const uint8_t *at;
    size_t left;
} segment;

/* A number of so many bytes; 0 behind the end, which `left` shows the caller before. */
static uint32_t take(segment *s, size_t bytes)
{
    uint32_t v = 0;
    for (size_t i = 0; i < bytes && s->left > 0; i++, s->left--)
        v = v << 8 | *s->at++;
    return v;
}

/* The next marker; fill bytes may stand in front (T.81 B.1.1.2). */
static int64_t read_marker(jls_header *h)
{
    if (h->end - h->at < 2)
        return MGA_ERR_DATA_TRUNCATED;
    if (*h->at != 0xFF)
        return MGA_ERR_DATA_MARKER;
    while (h->at < h->end && *h->at == 0xFF)
        h->at++;
    if (h->at == h->end)
        return MGA_ERR_DATA_TRUNCATED;
    return *h->at++;
}

static int64_t read_segment(jls_header *h, segment *s)
{
    if (h->end - h->at < 2)
        return MGA_ERR_DATA_TRUNCATED;
    size_t length = (size_t)h->at[0] << 8 | h->at[1];
    if (length < 2)
        return MGA_ERR_DATA_MARKER;
    if ((size_t)(h->end - h->at) < length)
        return MGA_ERR_DATA_TRUNCATED;
    *s = (segment){h->at + 2, length - 2};
    h->at += length;
    return MGA_OK;
}

static size_t ceil_divide(size_t value, size_t by)
{
    return (value + by - 1) / by;
}

/* Sizes of the components, once rows and columns are known (T.81 A.1.1). */
static void size_components(jls_header *h)
{
    for (uint32_t i = 0; i < h->component_count; i++) {
        jls_component *c = &h->components[i];
        c->columns = ceil_divide(h->columns * c->across, h->across);
        c->rows = ceil_divide(h->rows * c->down, h->down);
    }
}

static int64_t read_frame(jls_header *h, segment s, const mga_format *f)
{
    if (h->has_frame || s.left < 6)
        return MGA_ERR_DATA_MARKER;
    h->has_frame = true;
    h->precision = take(&s, 1);
    uint32_t rows = take(&s, 2);
    uint32_t columns = take(&s, 2);
    h->rows = rows ? rows : h->rows; /* 0: given by another segment (T.87 C.2.4.1.4, T.81 B.2.5) */
    h->columns = columns ? columns : h->columns;
    h->component_count = take(&s, 1);
    if (h->component_count != f->samples_per_pixel)
        return MGA_ERR_DATA_GEOMETRY;
    if (s.left != 3 * (size_t)h->component_count)
        return MGA_ERR_DATA_MARKER;
    for (uint32_t i = 0; i < h->component_count; i++) {
        jls_component *c = &h->components[i];
        c->id = (uint8_t)take(&s, 1);
        uint32_t factors = take(&s, 1);
        (void)take(&s, 1);
        c->across = (uint8_t)(factors >> 4);
        c->down = (uint8_t)(factors & 15);
        if (c->across < 1 || c->across > 4 || c->down < 1 || c->down > 4)
            return MGA_ERR_DATA_MARKER;
        h->across = c->across > h->across ? c->across : h->across;
        h->down = c->down > h->down ? c->down : h->down;
        for (uint32_t j = 0; j < i; j++)
            if (h->components[j].id == c->id)
                return MGA_ERR_DATA_MARKER;
    }
    return MGA_OK;
}

/* Preset parameters (T.87 C.2.4.1). */
static int64_t read_preset(jls_header *h, segment s)
{
    if (s.left < 1)
        return MGA_ERR_DATA_MARKER;
    switch (take(&s, 1)) {
    case 1: /* coding parameters */
        if (s.left != 10)
            return MGA_ERR_DATA_MARKER;
        h->maxval = take(&s, 2);
        h->t1 = take(&s, 2);
        h->t2 = take(&s, 2);
        h->t3 = take(&s, 2);
        h->reset = take(&s, 2);
        return MGA_OK;
    case 2: /* mapping tables: DICOM has its own palettes */
    case 3: return MGA_ERR_DATA_FEATURE;
    case 4: { /* sizes of two to four bytes */
        size_t width = take(&s, 1);
        if (width < 2 || width > 4 || s.left != 2 * width)
            return MGA_ERR_DATA_MARKER;
        h->rows = take(&s, width);
        h->columns = take(&s, width);
        return MGA_OK;
    }
    default: return MGA_ERR_DATA_MARKER;
    }
}

/* Lines of a restart interval, as two to four bytes (T.87 C.2.5). */
static int64_t read_restart(jls_header *h, segment s)
{
    if (s.left < 2 || s.left > 4)
        return MGA_ERR_DATA_MARKER;
    h->restart_interval = take(&s, s.left);
    return MGA_OK;
}

static int64_t add_to_scan(jls_header *h, uint32_t id)
{
    for (uint32_t i = 0; i < h->component_count; i++) {
        if (h->components[i].id != id)
            continue;
        if (h->components[i].done)
            return MGA_ERR_DATA_MARKER;
        h->components[i].done = true;
        h->scan[h->scan_count++] = (uint8_t)i;
        return MGA_OK;
    }
    return MGA_ERR_DATA_MARKER;
}

/* T.87 C.2.3 */
static int64_t read_scan(jls_header *h, segment s)
{
    if (!h->has_frame || s.left < 1)
        return MGA_ERR_DATA_MARKER;
    uint32_t count = take(&s, 1);
    if (count < 1 || count > h->component_count || s.left != 2 * (size_t)count + 3)
        return MGA_ERR_DATA_MARKER;
    h->scan_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t status = add_to_scan(h, take(&s, 1));
        if (status < 0)
            return status;
        if (take(&s, 1) != 0)
            return MGA_ERR_DATA_FEATURE;
    }
    h->near = take(&s, 1);
    uint32_t interleave = take(&s, 1);
    if (interleave > 2 || (interleave == 0 && count > 1))
        return MGA_ERR_DATA_MARKER;
    h->by_sample = interleave == 2 && count > 1;
    if (take(&s, 1) != 0 || (h->by_sample && (h->across > 1 || h->down > 1)))
        return MGA_ERR_DATA_FEATURE; /* point transform; subsampled components by sample */
    return MGA_OK;
}

static int64_t check_frame(jls_header *h, const mga_format *f)
{
    if (h->rows != f->rows || h->columns != f->columns)
        return MGA_ERR_DATA_GEOMETRY;
    if (h->precision < f->bits_stored || h->precision > f->bits_allocated)
        return MGA_ERR_DATA_GEOMETRY;
    size_components(h);
    return MGA_OK;
}

/* The number of lines may be told behind the first scan only (T.81 B.2.5): look for it there. */
static void find_lines(jls_header *h)
{
    for (const uint8_t *p = h->at; h->end - p >= 6; p++) {
        if (p[0] != 0xFF || p[1] < 0x80 || (p[1] >= RST0 && p[1] < RST0 + 8))
            continue;
        if (p[1] == DNL && p[2] == 0 && p[3] == 4)
            h->rows = (size_t)p[4] << 8 | p[5];
        return;
    }
}

static int64_t begin_scan(jls_header *h, segment s, const mga_format *f)
{
    int64_t status = read_scan(h, s);
    if (status < 0)
        return status;
    if (!h->rows)
        find_lines(h);
    return check_frame(h, f);
}

/* A segment that is no scan header. */
static int64_t read_other(jls_header *h, int64_t marker, segment s, const mga_format *f)
{
    switch (marker) {
    case SOF55: return read_frame(h, s, f);
    case LSE: return read_preset(h, s);
    case DRI: return read_restart(h, s);
    case DNL:
    case COM: return MGA_OK;
    default: return marker >= APP0 && marker <= APP15 ? MGA_OK : MGA_ERR_DATA_MARKER;
    }
}

int64_t jls_header_next(jls_header *h, const mga_format *f)
{
    for (;;) {
        int64_t marker = read_marker(h);
        if (marker < 0)
            return marker;
        if (marker == EOI)
            return 0;
        segment s;
        int64_t status = read_segment(h, &s);
        if (status >= 0)
            status = marker == SOS ? begin_scan(h, s, f) : read_other(h, marker, s, f);
        if (status < 0)
            return status;
        if (marker == SOS)
            return 1;
    }
}

int64_t jls_header_begin(jls_header *h, const uint8_t *src, size_t src_size, const mga_format *f)
{
    *h = (jls_header){.at = src, .end = src + src_size, .across = 1, .down = 1};
    int64_t marker = read_marker(h);
    if (marker < 0)
        return marker;
    if (marker != SOI)
        return MGA_ERR_DATA_MARKER;
    int64_t scans = jls_header_next(h, f);
    return scans == 0 ? MGA_ERR_DATA_TRUNCATED : scans;
}

int64_t jls_header_coding(const jls_header *h, jls_coding *c)
{
    uint32_t most = (1u << h->precision) - 1;
    *c = (jls_coding){
        .precision = h->precision,
        .maxval = h->maxval ? h->maxval : most,
        .near = h->near,
        .t1 = h->t1,
        .t2 = h->t2,
        .t3 = h->t3,
        .reset = h->reset,
    };
    if (c->maxval > most || c->near > c->maxval / 2)
        return MGA_ERR_DATA_MARKER;
    jls_coding_complete(c);
    return jls_coding_check(c);
}

int64_t jls_header_restart(jls_header *h, uint32_t number)
{
    int64_t marker = read_marker(h);
    if (marker < 0)
        return marker;
    return marker == RST0 + number % 8 ? MGA_OK : MGA_ERR_DATA_MARKER;
}
