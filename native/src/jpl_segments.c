#include "jpl_segments.h"

#include <string.h>

static size_t get16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* SOF3 must say what the Data Set says. The precision may be larger than bits stored: many encoders know only 8, 12
 * and 16. */
static int64_t read_frame(jpl_segments *s, const uint8_t *body, size_t size)
{
    const mga_format *f = s->format;
    if (s->frame.precision != 0 || size < 6)
        return MGA_ERR_DATA_MARKER;
    size_t components = body[5];
    if (size != 6 + 3 * components)
        return MGA_ERR_DATA_MARKER;
    uint32_t precision = body[0];
    if (get16(body + 1) != f->rows || get16(body + 3) != f->columns || components != f->samples_per_pixel ||
        precision < JPL_PRECISION_MIN || precision < f->bits_stored || precision > f->bits_allocated)
        return MGA_ERR_DATA_GEOMETRY;
    s->frame.precision = precision;
    s->frame.components = components;
    for (size_t i = 0; i < components; i++) {
        const uint8_t *component = body + 6 + 3 * i;
        s->frame.identifiers[i] = component[0];
        if (components > 1 && component[1] != 0x11) /* one component alone fills the frame, whatever it says */
            return MGA_ERR_DATA_MARKER;
        for (size_t k = 0; k < i; k++)
            if (s->frame.identifiers[k] == component[0])
                return MGA_ERR_DATA_MARKER;
    }
    return MGA_OK;
}

static int64_t read_tables(jpl_segments *s, const uint8_t *body, size_t size)
{
    while (size > 0) {
        if (size < 1 + JPL_CODE_BITS || body[0] > 3) /* lossless uses no AC tables (T.81 table B.5) */
            return MGA_ERR_DATA_MARKER;
        jpl_huffman huffman = {0};
        memcpy(huffman.counts + 1, body + 1, JPL_CODE_BITS);
        for (unsigned bits = 1; bits <= JPL_CODE_BITS; bits++)
            huffman.size += huffman.counts[bits];
        size_t used = 1 + JPL_CODE_BITS + huffman.size;
        if (huffman.size == 0 || huffman.size > JPL_CATEGORIES || size < used)
            return MGA_ERR_DATA_MARKER;
        memcpy(huffman.values, body + 1 + JPL_CODE_BITS, huffman.size);
        if (!jpl_huffman_is_code(&huffman))
            return MGA_ERR_DATA_MARKER;
        s->tables[body[0]] = huffman;
        body += used;
        size -= used;
    }
    return MGA_OK;
}

/* A restart interval is a number of rows (T.81 H.1.1). */
static int64_t read_restart(jpl_segments *s, const uint8_t *body, size_t size)
{
    if (size != 2)
        return MGA_ERR_DATA_MARKER;
    size_t pixels = get16(body);
    if (pixels % s->format->columns != 0)
        return MGA_ERR_DATA_MARKER;
    s->restart_interval = pixels / s->format->columns;
    return MGA_OK;
}

static int64_t read_scan(jpl_segments *s, const uint8_t *body, size_t size)
{
    size_t components = size > 0 ? body[0] : 0;
    if (s->frame.precision == 0 || components < 1 || components > s->frame.components || size != 4 + 2 * components)
        return MGA_ERR_DATA_MARKER;
    s->scan = (jpl_scan){.components = components};
    for (size_t i = 0; i < components; i++) {
        const uint8_t *selector = body + 1 + 2 * i;
        size_t index = i ? s->scan.index[i - 1] + 1u : 0; /* in the order of the frame header (T.81 B.2.3) */
        while (index < s->frame.components && s->frame.identifiers[index] != selector[0])
            index++;
        uint8_t table = selector[1] >> 4;
        if (index == s->frame.components || table > 3 || s->tables[table].size == 0)
            return MGA_ERR_DATA_MARKER;
        s->scan.index[i] = (uint8_t)index;
        s->scan.tables[i] = table;
    }
    const uint8_t *rest = body + 1 + 2 * components;
    s->scan.selection = rest[0];
    s->scan.transform = rest[2] & 15u;
    if (rest[0] < 1 || rest[0] > 7 || s->scan.transform >= s->frame.precision)
        return MGA_ERR_DATA_MARKER;
    return MGA_OK;
}

static int64_t read_segment(jpl_segments *s, uint8_t marker, const uint8_t *body, size_t size)
{
    switch (marker) {
    case JPL_SOF3: return read_frame(s, body, size);
    case JPL_DHT: return read_tables(s, body, size);
    case JPL_DRI: return read_restart(s, body, size);
    case JPL_SOS: return read_scan(s, body, size);
    case JPL_DAC:
    case JPL_DNL: return MGA_ERR_DATA_FEATURE; /* arithmetic coding; rows that are not known beforehand */
    default: break;
    }
    /* other processes; APPn, COM and the like say nothing about samples */
    return marker >= JPL_SOF0 && marker <= JPL_SOF15 ? MGA_ERR_DATA_FEATURE : MGA_OK;
}

int64_t jpl_segments_begin(jpl_segments *segments, const uint8_t *src, size_t src_size, const mga_format *format)
{
    if (src_size < 2)
        return MGA_ERR_DATA_TRUNCATED;
    if (src[0] != 0xFF || src[1] != JPL_SOI)
        return MGA_ERR_DATA_MARKER;
    *segments = (jpl_segments){.format = format, .at = src + 2, .end = src + src_size};
    return MGA_OK;
}

int64_t jpl_segments_next_scan(jpl_segments *s)
{
    for (;;) {
        const uint8_t *found = jpl_find_marker(s->at, s->end);
        if (!found)
            return MGA_ERR_DATA_TRUNCATED;
        uint8_t marker = found[1];
        s->at = found + 2;
        if (marker == JPL_TEM || (marker >= JPL_RST0 && marker <= JPL_RST7))
            continue;
        if (marker == JPL_EOI)
            return MGA_ERR_DATA_TRUNCATED; /* components are missing */
        if (s->end - s->at < 2)
            return MGA_ERR_DATA_TRUNCATED;
        size_t size = get16(s->at);
        if (size < 2 || marker == JPL_SOI)
            return MGA_ERR_DATA_MARKER;
        if (size > (size_t)(s->end - s->at))
            return MGA_ERR_DATA_TRUNCATED;
        int64_t status = read_segment(s, marker, s->at + 2, size - 2);
        s->at += size;
        if (status < 0 || marker == JPL_SOS)
            return status;
    }
}
