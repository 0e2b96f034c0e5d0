/* Any geometry, true or a lie: sizes, windows, previews, grey and marks answer with a status or with what they promise.
 */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"

enum { SEEDS = 12, FRAME_BYTES_MOST = 1 << 16 };

/* All that a caller may choose, as it stands in the first bytes. */
typedef struct {
    mga_format format;
    mga_thumbnail_params small;
    double tail;
    uint32_t lie; /* bit 0: the size of the source, bit 1: of the destination */
} wishes;

static int is_argument_status(int64_t status)
{
    return status <= MGA_ERR_ARG_NULL && status > MGA_ERR_DATA_HEADER;
}

static void check_window(const uint8_t *frame, size_t bytes, const wishes *w)
{
    mga_window window = {0, 0};
    int64_t status = mga_window_find(frame, bytes, &w->format, w->tail, &window);
    CHECK(status >= 0 ? window.low <= window.high : is_argument_status(status));
}

static void check_thumbnail(const uint8_t *frame, size_t bytes, const wishes *w)
{
    uint64_t wanted = (uint64_t)w->small.rows * w->small.columns * w->format.samples_per_pixel;
    size_t room = wanted <= FRAME_BYTES_MOST ? (size_t)wanted : FRAME_BYTES_MOST;
    room -= w->lie >> 1 & 1 && room;
    uint8_t *picture = exactly(room);
    int64_t status = mga_thumbnail(picture, room, frame, bytes, &w->format, &w->small);
    CHECK(status >= 0 ? (uint64_t)status <= room : is_argument_status(status));
    free(picture);
}

static void check_grey(const uint8_t *frame, size_t bytes, const wishes *w)
{
    size_t third = bytes / 3;
    uint8_t *plane = exactly(third);
    uint8_t *again = exactly(bytes);
    int64_t status = mga_grey_narrow(plane, third, frame, bytes, &w->format);
    CHECK(status > 0 ? (size_t)status == third : status == 0 || is_argument_status(status));
    int64_t wide = mga_grey_widen(again, bytes, plane, third, &w->format);
    CHECK(wide >= 0 ? (size_t)wide / 3 == third : is_argument_status(wide));
    CHECK(status <= 0 || memcmp(again, frame, bytes) == 0);
    if (wide > 0)
        CHECK(mga_grey_narrow(plane, third, again, (size_t)wide, &w->format) == wide / 3);
    free(again);
    free(plane);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wishes w;
    if (size < sizeof w)
        return 0;
    memcpy(&w, data, sizeof w);
    int64_t said = mga_format_bytes(&w.format);
    CHECK(said > 0 || is_argument_status(said));
    CHECK(mga_rle_encode_bound(&w.format) > said || said < 0);
    (void)mga_rle_work_bytes(&w.format);
    size_t bytes = said > 0 && said <= FRAME_BYTES_MOST ? (size_t)said : 64;
    bytes += w.lie & 1;
    uint8_t *frame = exactly(bytes);
    for (size_t i = 0; i < bytes; i++)
        frame[i] = size > sizeof w ? data[sizeof w + i % (size - sizeof w)] : (uint8_t)i;
    check_window(frame, bytes, &w);
    check_thumbnail(frame, bytes, &w);
    check_grey(frame, bytes, &w);
    mga_mark mark;
    int64_t status = mga_mark_read(frame, bytes, &w.format, &mark);
    CHECK(status == 0 || status == MGA_ERR_DATA_MARK || is_argument_status(status));
    free(frame);
    return 0;
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    wishes w = {{16 + number, 30 + 7 * number, number & 1 ? 3 : 1, number & 2 ? 16 : 8, number & 2 ? 12 : 8, 0, 0},
                {4 + number, 9, {0, 200 + (int32_t)number}, number % 3},
                number * 0.01,
                0};
    if (number >= SEEDS || room < sizeof w + 32)
        return 0;
    memcpy(out, &w, sizeof w);
    for (uint8_t i = 0; i < 32; i++)
        out[sizeof w + i] = (uint8_t)(i * (number + 1));
    return sizeof w + 32;
}
