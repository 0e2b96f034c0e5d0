/* Any geometry, true or a lie, and memory of any size: every encoder and its bounds answer with a status of the
 * arguments, or with a frame that its decoder gives back. */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"

enum { SEEDS = 30, FRAME_MOST = 4096, WORK_MOST = 1 << 20, CODED_MOST = 1 << 16, CODECS = 3 };

/* All that a caller may choose, as it stands in the first bytes. */
typedef struct {
    mga_format format;
    uint32_t near;
    uint16_t source_less, room, work_less; /* 0: as large as it should be */
    uint16_t codec;
} wishes;

MGA_FUZZ_ARENA(frame_arena, FRAME_MOST);
MGA_FUZZ_ARENA(back_arena, FRAME_MOST);
MGA_FUZZ_ARENA(coded_arena, CODED_MOST);
MGA_FUZZ_ARENA(work_arena, WORK_MOST);

static int is_of_argument(int64_t status)
{
    return status <= MGA_ERR_ARG_NULL && status > MGA_ERR_DATA_HEADER;
}

static int64_t bound_of(const wishes *w)
{
    switch (w->codec % CODECS) {
    case 0: return mga_rle_encode_bound(&w->format);
    case 1: return mga_jpl_encode_bound(&w->format);
    default: return mga_jls_encode_bound(&w->format);
    }
}

static int64_t work_of(const wishes *w)
{
    switch (w->codec % CODECS) {
    case 0: return mga_rle_work_bytes(&w->format);
    case 1: return mga_jpl_work_bytes(&w->format);
    default: return mga_jls_work_bytes(&w->format);
    }
}

static int64_t encode(const wishes *w, uint8_t *dst, size_t room, const uint8_t *src, size_t bytes, uint8_t *work,
                      size_t work_bytes)
{
    mga_jls_params params = {w->near};
    switch (w->codec % CODECS) {
    case 0: return mga_rle_encode(dst, room, src, bytes, &w->format, work, work_bytes);
    case 1: return mga_jpl_encode(dst, room, src, bytes, &w->format, work, work_bytes);
    default: return mga_jls_encode(dst, room, src, bytes, &w->format, &params, work, work_bytes);
    }
}

static int64_t decode(const wishes *w, uint8_t *dst, size_t room, const uint8_t *src, size_t size, uint8_t *work,
                      size_t work_bytes)
{
    switch (w->codec % CODECS) {
    case 0: return mga_rle_decode(dst, room, src, size, &w->format, work, work_bytes);
    case 1: return mga_jpl_decode(dst, room, src, size, &w->format, work, work_bytes);
    default: return mga_jls_decode(dst, room, src, size, &w->format, work, work_bytes);
    }
}

static size_t less(size_t size, uint16_t by)
{
    return size - (by < size ? by : size);
}

/* What the encoder did not keep is what stands above bits stored, or differs by NEAR. */
static int is_exact(const wishes *w)
{
    return w->codec % CODECS == 0 || (w->format.bits_stored == w->format.bits_allocated && w->near == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wishes w;
    if (size < sizeof w)
        return 0;
    memcpy(&w, data, sizeof w);
    data += sizeof w;
    size -= sizeof w;
    int64_t bytes = mga_format_bytes(&w.format);
    int64_t bound = bound_of(&w);
    int64_t work_bytes = work_of(&w);
    CHECK(bytes > 0 ? bound > 0 || w.format.bits_stored < 2 : bound < 0 && work_bytes < 0);
    CHECK(bound > 0 || is_of_argument(bound));
    size_t said = bytes > 0 && bytes <= FRAME_MOST ? (size_t)bytes : 64;
    size_t given = less(said, w.source_less);
    size_t room = w.room ? w.room : CODED_MOST;
    size_t work_room = less(work_bytes > 0 && work_bytes <= WORK_MOST ? (size_t)work_bytes : 64, w.work_less);
    uint8_t *frame = mga_fuzz_buffer(&frame_arena, given);
    uint8_t *coded = mga_fuzz_buffer(&coded_arena, room);
    uint8_t *work = mga_fuzz_buffer(&work_arena, work_room);
    for (size_t i = 0; i < given; i++)
        frame[i] = size ? data[i % size] : (uint8_t)i;
    int64_t written = encode(&w, coded, room, frame, given, work, work_room);
    if (written < 0) {
        CHECK(is_of_argument(written) || written == MGA_ERR_DATA_SAMPLE);
        return 0;
    }
    CHECK(w.source_less == 0 && w.work_less == 0 && written <= bound && (size_t)written <= room);
    uint8_t *back = mga_fuzz_buffer(&back_arena, given);
    CHECK(decode(&w, back, given, coded, (size_t)written, work, work_room) == bytes);
    CHECK(!is_exact(&w) || memcmp(back, frame, given) == 0);
    return 0;
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    uint32_t bits = number % 5 ? 8 : 16;
    wishes w = {.format = {1 + number % 4, 1 + 9 * number, number & 1 ? 3 : 1, bits, bits - number % 3, number >> 2 & 1,
                           number >> 3 & 1},
                .near = number % 4,
                .codec = (uint16_t)number};
    if (number >= SEEDS || room < sizeof w + 32)
        return 0;
    memcpy(out, &w, sizeof w);
    for (uint8_t i = 0; i < 32; i++)
        out[sizeof w + i] = (uint8_t)(i / 5 * (number + 1));
    return sizeof w + 32;
}
