/* What a device says of its pictures, true or a lie: the pixel path answers with a status or writes what it promises,
 * and stays inside of the lines that it was given. */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"

enum { SEEDS = 40, ROOM = 1 << 14 };

/* All that a device or a configuration may choose, as it stands in the first bytes. */
typedef struct {
    mga_unpack_params packed;
    mga_colour_params colour;
    uint32_t strides[3];
    mga_format format;
    mga_region regions[2];
    int32_t value[3];
    uint32_t dead[3];
    uint32_t pedestal, entry_bits;
    uint32_t lie; /* taken off the sizes: of the source bits 0..7, of the destination 8..15 */
} wishes;

MGA_FUZZ_ARENA(source, ROOM);
MGA_FUZZ_ARENA(target, ROOM);

static int is_argument_status(int64_t status)
{
    return status <= MGA_ERR_ARG_NULL && status > MGA_ERR_DATA_HEADER;
}

/* So many bytes, or where nobody could hold them some few, less the lie. */
static size_t room_for(uint64_t wanted, uint32_t lie)
{
    size_t room = wanted <= ROOM ? (size_t)wanted : 64;
    return room > (lie & 0xFF) ? room - (lie & 0xFF) : 0;
}

static uint8_t *bytes_of(size_t size, const uint8_t *data, size_t data_size)
{
    uint8_t *p = mga_fuzz_buffer(&source, size);
    for (size_t i = 0; i < size; i++)
        p[i] = data_size ? data[i % data_size] : (uint8_t)(37 * i);
    return p;
}

static void check_unpack(const wishes *w, const uint8_t *data, size_t data_size)
{
    const mga_unpack_params *p = &w->packed;
    uint64_t samples = (uint64_t)p->rows * p->columns;
    size_t size = room_for(p->stride ? (uint64_t)p->rows * p->stride : (samples * p->bits + 7) / 8 + 2, w->lie);
    size_t room = room_for(2 * samples, w->lie >> 8);
    const uint8_t *src = bytes_of(size, data, data_size);
    int64_t status = mga_samples_unpack(mga_fuzz_buffer(&target, room), room, src, size, p);
    CHECK(status >= 0 ? (uint64_t)status % samples == 0 && (size_t)status <= room
                      : is_argument_status(status) || status == MGA_ERR_DATA_SAMPLE);
}

static void check_colour(const wishes *w, const uint8_t *data, size_t data_size)
{
    const mga_colour_params *p = &w->colour;
    size_t size = room_for(4 * (uint64_t)p->rows * p->columns, w->lie);
    size_t room = room_for(3 * (uint64_t)p->rows * p->columns, w->lie >> 8);
    const uint8_t *src = bytes_of(size, data, data_size);
    size_t count = p->layout == MGA_LAYOUT_NV12 ? 2 : p->layout == MGA_LAYOUT_I420 ? 3 : 1;
    mga_plane planes[3];
    for (size_t k = 0; k < 3; k++) /* each ends where the memory ends */
        planes[k] = (mga_plane){src + k * size / 4, size - k * size / 4, w->strides[k]};
    int64_t status = mga_colour_convert(mga_fuzz_buffer(&target, room), room, planes, count, p);
    CHECK(status >= 0
              ? (uint64_t)status == (uint64_t)p->rows * p->columns * (p->result == MGA_RESULT_YBR_FULL_422 ? 2 : 3)
              : is_argument_status(status));
}

static void check_bayer(const wishes *w, const uint8_t *data, size_t data_size)
{
    const mga_bayer_params p = {w->colour.rows, w->colour.columns, w->colour.space, w->strides[0]};
    size_t size = room_for((uint64_t)p.rows * (p.stride ? p.stride : p.columns), w->lie);
    size_t room = room_for(3 * (uint64_t)p.rows * p.columns, w->lie >> 8);
    const uint8_t *src = bytes_of(size, data, data_size);
    int64_t status = mga_bayer_convert(mga_fuzz_buffer(&target, room), room, src, size, &p);
    CHECK(status >= 0 ? (uint64_t)status == 3 * (uint64_t)p.rows * p.columns : is_argument_status(status));
}

static void check_frame(const wishes *w, const uint8_t *data, size_t data_size)
{
    int64_t said = mga_format_bytes(&w->format);
    size_t size = room_for(said > 0 ? (uint64_t)said : 64, w->lie);
    size_t room = room_for(2 * (uint64_t)size, w->lie >> 8);
    uint8_t *frame = bytes_of(size, data, data_size);
    uint8_t *out = mga_fuzz_buffer(&target, room);
    int64_t status = mga_region_crop(out, room, frame, size, &w->format, w->strides[0], &w->regions[0]);
    CHECK(status >= 0 ? (size_t)status <= size : is_argument_status(status));
    mga_flat_params flat = {frame, size, frame, size, w->pedestal};
    status = mga_flat_correct(out, room, frame, size, &w->format, &flat);
    CHECK(status >= 0 ? (size_t)status == size : is_argument_status(status));
    status = mga_table_apply(out, room, frame, size, &w->format, data, data_size, w->entry_bits);
    CHECK(status >= 0 || is_argument_status(status));
    status = mga_region_blackout(frame, size, &w->format, w->regions, 2, w->value);
    CHECK(status == MGA_OK || is_argument_status(status));
    status = mga_defects_replace(frame, size, &w->format, w->dead, 3);
    CHECK(status == 3 || is_argument_status(status));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wishes w;
    if (size < sizeof w)
        return 0;
    memcpy(&w, data, sizeof w);
    check_unpack(&w, data + sizeof w, size - sizeof w);
    check_colour(&w, data + sizeof w, size - sizeof w);
    check_bayer(&w, data + sizeof w, size - sizeof w);
    check_frame(&w, data + sizeof w, size - sizeof w);
    return 0;
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    static const uint32_t BITS[] = {8, 12, 12, 10, 10};
    wishes w = {{3 + number % 5, 5 + number % 17, number % 5, BITS[number % 5], number % 2 ? 64 : 0},
                {2 + number % 4, 2 * (1 + number % 11), number % 8, 2 + number % 4, number % 3},
                {number % 2 ? 128 : 0, number % 2 ? 64 : 0, number % 2 ? 64 : 0},
                {9, 7 + number % 4, number % 3 ? 1 : 3, number % 4 ? 16 : 8, number % 4 ? 4 : 8, number % 5 == 4, 0},
                {{1, 2, 3, 4}, {number % 9, 0, 1, 7}},
                {0, 3, 7},
                {0, 5, 30},
                number % 9,
                number % 2 ? 8 : 16,
                number % 7 == 6};
    size_t table = (size_t)(number % 2 ? 1 : 2) << w.format.bits_stored;
    if (number >= SEEDS || room < sizeof w + table)
        return 0;
    memcpy(out, &w, sizeof w);
    for (size_t i = 0; i < table; i++)
        out[sizeof w + i] = (uint8_t)(i * (number + 1) % 16);
    return sizeof w + table;
}
