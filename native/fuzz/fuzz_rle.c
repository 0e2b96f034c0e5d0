/* Any bytes as an RLE frame of a small geometry: a status of the data, or one frame that survives a round trip. */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"
#include "random.h"

enum { PREFIX = 4, SEEDS = 24 };

/* The first four bytes say how the frame should lie, and by how much the destination is too small. */
static mga_format format_of(const uint8_t *p)
{
    uint32_t bits = p[2] & 2 ? 16 : 8;
    return (mga_format){1u + p[0] % 8, 1u + p[1] + (p[2] & 8 ? 256u : 0u), p[2] & 1 ? 3 : 1, bits, bits, 0,
                        p[2] >> 2 & 1};
}

static void check_round_trip(const uint8_t *frame, size_t bytes, const mga_format *f, void *work, size_t work_bytes)
{
    size_t bound = (size_t)mga_rle_encode_bound(f);
    uint8_t *coded = exactly(bound);
    uint8_t *back = exactly(bytes);
    int64_t size = mga_rle_encode(coded, bound, frame, bytes, f, work, work_bytes);
    CHECK(size >= 64 && size % 2 == 0 && (size_t)size <= bound);
    CHECK(mga_rle_decode(back, bytes, coded, (size_t)size, f, work, work_bytes) == (int64_t)bytes);
    CHECK(memcmp(back, frame, bytes) == 0);
    free(back);
    free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    mga_format f = format_of(data);
    size_t bytes = (size_t)mga_format_bytes(&f);
    size_t work_bytes = (size_t)mga_rle_work_bytes(&f);
    size_t less = data[3] >= 0xF0 ? 1u + data[3] % 16u : 0;
    size_t room = less < bytes ? bytes - less : 0;
    uint8_t *frame = exactly(room);
    uint8_t *work = exactly(work_bytes);
    uint8_t *coded = exactly(size - PREFIX);
    memcpy(coded, data + PREFIX, size - PREFIX);
    int64_t status = mga_rle_decode(frame, room, coded, size - PREFIX, &f, work, work_bytes);
    if (less)
        CHECK(status == MGA_ERR_ARG_DST_SIZE);
    else
        CHECK(status == (int64_t)bytes || (status <= MGA_ERR_DATA_HEADER && status > MGA_ERR_DEV_MEMORY));
    if (status > 0)
        check_round_trip(frame, bytes, &f, work, work_bytes);
    free(coded);
    free(work);
    free(frame);
    return 0;
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    if (number >= SEEDS || room < PREFIX)
        return 0;
    mga_random random = mga_random_seed(number);
    uint8_t prefix[PREFIX] = {(uint8_t)(number % 4), (uint8_t)(number * 11), (uint8_t)(number % 8), 0};
    mga_format f = format_of(prefix);
    size_t bytes = (size_t)mga_format_bytes(&f);
    size_t work_bytes = (size_t)mga_rle_work_bytes(&f);
    uint8_t *frame = exactly(bytes);
    uint8_t *work = exactly(work_bytes);
    for (size_t i = 0; i < bytes; i++) /* runs, and noise in every other seed */
        frame[i] = (uint8_t)(number & 1 && i % 40 < 20 ? mga_random_next(&random) : i / 37);
    memcpy(out, prefix, PREFIX);
    int64_t size = mga_rle_encode(out + PREFIX, room - PREFIX, frame, bytes, &f, work, work_bytes);
    CHECK(size > 0);
    free(work);
    free(frame);
    return PREFIX + (size_t)size;
}
