/* JPEG-LS encoder (ITU-T T.87, PS3.5 A.4.3): one scan, by line for three samples, default parameters.
 *
 * The precision is Bits Stored, but not less than decoders in use expect of so many bits allocated: 8, and 9 for words.
 * Bits above Bits Stored are coded as they are, zeros or the sign.
 *
 * Samples are taken line by line out of the frame into working memory, coded to a list of symbols, and the list becomes
 * bytes while it is still in the cache. The smallest sufficient destination always suffices. */
#include "jls.h"
#include "jls_bits.h"
#include "jls_kernels.h"
#include "jls_lossless.h"
#include "jls_scalar.h"

#define HEADER_BYTES 64u   /* SOI, frame header, preset and scan header of three components take 50 */
#define DEFAULTS_KNOWN 12u /* bits up to which every decoder in use finds the default thresholds by itself */
#define WORD_BITS_LEAST 9u /* with fewer, several decoders give bytes where words are expected */
#define EOI_BYTES 2u

typedef struct {
    jls_symbols symbols;
    jls_writer writer;
    jls_encode_block block;
    jls_state state;
} encoder;

static size_t lines_bytes(const mga_format *f)
{
    return jls_padded(jls_pitch(f->columns) * sizeof(uint16_t)) * 2 * f->samples_per_pixel;
}

int64_t mga_jls_work_bytes(const mga_format *format)
{
    int64_t status = mga_format_bytes(format);
    if (status < 0)
        return status;
    if (format->bits_stored < 2)
        return MGA_ERR_ARG_FORMAT;
    size_t encode = jls_padded(sizeof(encoder)) + lines_bytes(format);
    size_t decode = jls_decode_work_bytes(format);
    return (int64_t)(JLS_ALIGN + (encode > decode ? encode : decode));
}

static uint32_t precision_of(const mga_format *f)
{
    uint32_t least = f->bits_allocated == 8 ? 8 : WORD_BITS_LEAST;
    return f->bits_stored > least ? f->bits_stored : least;
}

static jls_coding coding_of(const mga_format *f, uint32_t near)
{
    uint32_t precision = precision_of(f);
    uint32_t maxval = (1u << precision) - 1;
    uint32_t changing = (1u << (f->bits_stored - f->pixel_representation)) - 1; /* the others are sign, or 0 */
    jls_coding c = {.precision = precision, .maxval = maxval, .near = near, .kept = maxval & ~changing};
    jls_coding_complete(&c);
    return c;
}

/* LIMIT bits for every sample, one in eight more for stuffing. */
int64_t mga_jls_encode_bound(const mga_format *format)
{
    int64_t status = mga_jls_work_bytes(format);
    if (status < 0)
        return status;
    uint64_t samples = (uint64_t)format->rows * format->columns * format->samples_per_pixel;
    uint64_t bytes = samples * (coding_of(format, 0).limit / 8);
    return (int64_t)(HEADER_BYTES + bytes + bytes / 7 + 4);
}

int64_t jls_check(const void *dst, const void *src, const mga_format *format, const void *work, size_t work_size)
{
    int64_t need = mga_jls_work_bytes(format);
    if (need < 0)
        return need;
    if (!dst || !src || !work)
        return MGA_ERR_ARG_NULL;
    return work_size < (uint64_t)need ? MGA_ERR_ARG_WORK_SIZE : MGA_OK;
}

static uint8_t *put16(uint8_t *at, uint32_t v)
{
    *at++ = (uint8_t)(v >> 8);
    *at++ = (uint8_t)v;
    return at;
}

static uint8_t *put_preset(uint8_t *at, const jls_coding *c)
{
    at = put16(put16(at, 0xFFF8), 13);
    *at++ = 1;
    at = put16(put16(put16(at, c->maxval), c->t1), c->t2);
    return put16(put16(at, c->t3), c->reset);
}

/* SOI, SOF55, LSE and SOS (T.87 C.2.2 to C.2.4). */
static size_t put_header(uint8_t *dst, const mga_format *f, const jls_coding *c)
{
    uint32_t samples = f->samples_per_pixel == 1 ? 1 : JLS_COMPONENTS_MAX; /* compilers see that it fits */
    uint8_t *at = put16(put16(dst, 0xFFD8), 0xFFF7);
    at = put16(at, 8 + 3 * samples);
    *at++ = (uint8_t)c->precision;
    at = put16(put16(at, f->rows), f->columns);
    *at++ = (uint8_t)samples;
    for (uint32_t i = 1; i <= samples; i++) {
        *at++ = (uint8_t)i;
        at = put16(at, 0x1100); /* not subsampled; no quantisation table */
    }
    if (c->precision > DEFAULTS_KNOWN)
        at = put_preset(at, c);
    at = put16(put16(at, 0xFFDA), 6 + 2 * samples);
    *at++ = (uint8_t)samples;
    for (uint32_t i = 1; i <= samples; i++)
        at = put16(at, i << 8); /* no mapping table */
    *at++ = (uint8_t)c->near;
    *at++ = samples > 1; /* interleaved by line */
    *at++ = 0;
    return (size_t)(at - dst);
}

/* Takes one line of a component out of the frame. False when a sample needs more than its bits stored; what stands
 * above them is only ever the sign. */
static bool load_line(uint16_t *restrict line, const uint8_t *restrict from, const mga_format *f, size_t step)
{
    uint32_t precision = precision_of(f);
    size_t columns = f->columns;
    if (f->bits_allocated == 8)
        jls_kernels_best()->widen(line, from, columns, step);
    else
        jls_kernels_best()->join(line, from, columns, step);
    return f->bits_stored == f->bits_allocated || jls_kernels_best()->mask(line, columns, f, precision);
}

static void writer_begin(jls_writer *w, uint8_t *at, uint8_t *end)
{
    w->bits = 0;
    w->bit_count = 0;
    w->held = 0;
    w->held_count = 0;
    w->after_ff = false;
    w->at = at;
    w->end = end;
}

static bool flush(void *owner)
{
    encoder *e = owner;
    return jls_write_symbols(&e->writer, &e->symbols, &e->state.coding);
}

static int64_t put_scan(encoder *e, const uint8_t *src, const mga_format *f, uint16_t *lines)
{
    jls_layout layout = jls_layout_of(f);
    size_t pitch = jls_padded(jls_pitch(f->columns) * sizeof(uint16_t)) / sizeof(uint16_t);
    memset(lines, 0, lines_bytes(f));
    for (size_t row = 0; row < f->rows; row++) {
        for (size_t j = 0; j < f->samples_per_pixel; j++) {
            uint16_t *current = lines + (2 * j + row % 2) * pitch;
            uint16_t *previous = lines + (2 * j + (row + 1) % 2) * pitch;
            const uint8_t *from = src + j * layout.sample_step + row * f->columns * layout.pixel_step;
            if (!load_line(current + 1, from, f, layout.pixel_step))
                return MGA_ERR_DATA_SAMPLE;
            jls_set_edges(current, previous, f->columns);
            jls_lines l = {{current}, {previous}, f->columns, 1, j};
            int64_t status = jls_is_lossless(&e->state.coding)
                                 ? jls_lossless_encode(&e->state, &e->block, &l, &e->symbols, flush, e)
                                 : jls_scalar_encode(&e->state, &l, &e->symbols, flush, e);
            if (status < 0)
                return status;
        }
    }
    return jls_write_end(&e->writer) ? MGA_OK : MGA_ERR_ARG_DST_SIZE;
}

int64_t mga_jls_encode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       const mga_jls_params *params, void *work, size_t work_size)
{
    int64_t status = jls_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    if (!params)
        return MGA_ERR_ARG_NULL;
    if (src_size != (size_t)mga_format_bytes(format))
        return MGA_ERR_ARG_SRC_SIZE;
    uint32_t most = (1u << format->bits_stored) - 1;
    if (params->near > JLS_NEAR_MAX || params->near > most / 2)
        return MGA_ERR_ARG_RANGE;
    encoder *e = (encoder *)(void *)jls_align(work);
    e->state.coding = coding_of(format, params->near);
    jls_state_reset(&e->state);
    uint8_t header[HEADER_BYTES];
    size_t header_bytes = put_header(header, format, &e->state.coding);
    if (dst_size < header_bytes + EOI_BYTES)
        return MGA_ERR_ARG_DST_SIZE;
    uint8_t *begin = dst;
    uint8_t *end = begin + dst_size;
    uint16_t *lines = (uint16_t *)(void *)((uint8_t *)e + jls_padded(sizeof *e));
    e->symbols.count = 0;
    e->symbols.zeros = 0;
    writer_begin(&e->writer, begin + header_bytes, end - EOI_BYTES);
    status = put_scan(e, src, format, lines);
    if (status < 0)
        return status;
    memcpy(begin, header, header_bytes);
    uint8_t *at = put16(e->writer.at, 0xFFD9);
    if ((at - begin) % 2) { /* fragments are even (PS3.5 A.4) */
        if (at == end)
            return MGA_ERR_ARG_DST_SIZE;
        *at++ = 0;
    }
    return at - begin;
}
