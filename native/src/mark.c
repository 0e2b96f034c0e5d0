#include "mark.h"

#include "format.h"

#define MARK_BYTES 10u
#define MARK_CELLS (8u * MARK_BYTES)
#define MARK_BEGIN 0xA5u

/* Where the cells lie; the same for writer and reader. Small pictures need several lines of cells. */
typedef struct {
    uint32_t side, per_line, top;
} mark_layout;

static mark_layout layout_of(uint32_t rows, uint32_t columns)
{
    mark_layout m = {.side = columns / 200u};
    if (m.side < 1)
        m.side = 1;
    if (m.side > 16)
        m.side = 16;
    if (m.side > rows / MARK_BYTES)
        m.side = rows / MARK_BYTES > 0 ? rows / MARK_BYTES : 1;
    m.per_line = columns / m.side < MARK_CELLS ? columns / m.side : MARK_CELLS;
    uint32_t lines = (MARK_CELLS + m.per_line - 1) / m.per_line;
    m.top = lines * m.side <= rows ? rows - lines * m.side : rows; /* rows = no room */
    return m;
}

static uint8_t check_of(const uint8_t *bytes)
{
    uint8_t check = 0;
    for (uint32_t i = 1; i + 1 < MARK_BYTES; i++)
        check ^= bytes[i];
    return check;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void mga_mark_draw(const mga_canvas *canvas, uint64_t number, uint64_t timestamp_ns)
{
    mark_layout m = layout_of(canvas->rows, canvas->columns);
    uint8_t bytes[MARK_BYTES] = {MARK_BEGIN};
    put32(bytes + 1, (uint32_t)number);
    put32(bytes + 5, (uint32_t)(timestamp_ns / 1000000u));
    bytes[MARK_BYTES - 1] = check_of(bytes);
    for (uint32_t i = 0; i < MARK_CELLS; i++) {
        uint8_t level = bytes[i / 8] >> (7 - i % 8) & 1 ? 255 : 0;
        mga_canvas_box(canvas, (int32_t)(m.top + i / m.per_line * m.side), (int32_t)(i % m.per_line * m.side),
                       (int32_t)m.side, (int32_t)m.side, (mga_colour){level, level, level});
    }
}

/* The most significant byte of the sample in the middle of cell i. */
static uint8_t level_at(const uint8_t *src, const mga_format *f, const mark_layout *m, uint32_t i)
{
    size_t row = m->top + i / m->per_line * m->side + m->side / 2;
    size_t column = i % m->per_line * m->side + m->side / 2;
    size_t step = f->planar_configuration ? 1 : f->samples_per_pixel;
    size_t bytes = mga_sample_bytes(f);
    return src[(row * f->columns + column) * step * bytes + bytes - 1];
}

int64_t mga_mark_read(const void *src, size_t src_size, const mga_format *format, mga_mark *mark)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (!src || !mark)
        return MGA_ERR_ARG_NULL;
    if (src_size != (size_t)need)
        return MGA_ERR_ARG_SRC_SIZE;
    mark_layout m = layout_of(format->rows, format->columns);
    if (m.top == format->rows)
        return MGA_ERR_DATA_MARK;
    uint8_t bytes[MARK_BYTES] = {0};
    for (uint32_t i = 0; i < MARK_CELLS; i++)
        bytes[i / 8] = (uint8_t)(bytes[i / 8] << 1 | (level_at(src, format, &m, i) >= 128));
    if (bytes[0] != MARK_BEGIN || bytes[MARK_BYTES - 1] != check_of(bytes))
        return MGA_ERR_DATA_MARK;
    mark->number = get32(bytes + 1);
    mark->timestamp_ms = get32(bytes + 5);
    return MGA_OK;
}
