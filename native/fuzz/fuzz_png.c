/* Any lines of a PNG, told the truth about or not: unfiltered into the room that there is, or a status. */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"

enum { SEEDS = 24, ROOM = 1 << 14 };

/* All that a caller may choose, as it stands in the first bytes. */
typedef struct {
    uint32_t line_bytes;
    uint32_t pixel_bytes;
    uint32_t lines; /* that there is room for */
    uint32_t done;  /* of them, bytes */
} wishes;

MGA_FUZZ_ARENA(source, ROOM);
MGA_FUZZ_ARENA(target, ROOM);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wishes w;
    if (size < sizeof w || size - sizeof w > ROOM)
        return 0;
    memcpy(&w, data, sizeof w);
    size_t bytes = size - sizeof w;
    uint64_t wanted = (uint64_t)w.lines * w.line_bytes;
    size_t room = wanted <= ROOM ? (size_t)wanted : ROOM;
    uint8_t *in = mga_fuzz_buffer(&source, bytes), *out = mga_fuzz_buffer(&target, room);
    memcpy(in, data + sizeof w, bytes);
    memset(out, 0x5A, room);
    int64_t status = mga_png_unfilter(out, room, w.done, in, bytes, w.line_bytes, w.pixel_bytes);
    if (status < 0) {
        CHECK(status == MGA_ERR_DATA_CODE || status > MGA_ERR_DATA_HEADER);
        return 0;
    }
    CHECK((uint64_t)status == w.done + bytes / ((uint64_t)w.line_bytes + 1) * w.line_bytes && (uint64_t)status <= room);
    for (size_t i = 0; i < w.done; i++)
        CHECK(out[i] == 0x5A);
    return 0;
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    wishes w = {3 + number, 1 + number % 8, 6, number % 3 * (3 + number)};
    size_t line = w.line_bytes + 1, lines = 6 - number % 3, bytes = lines * line;
    if (number >= SEEDS || room < sizeof w + bytes)
        return 0;
    memcpy(out, &w, sizeof w);
    for (size_t i = 0; i < bytes; i++)
        out[sizeof w + i] = (uint8_t)(i % line ? i * (number + 7) : (i / line + number) % 5);
    return sizeof w + bytes;
}
