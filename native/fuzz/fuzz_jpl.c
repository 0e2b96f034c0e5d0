/* Any bytes as a JPEG Lossless frame of a small geometry: a status of the data, or one frame that survives a round
 * trip. */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"
#include "random.h"

enum { PREFIX = 4, SEEDS = 42, SEED_ROWS = 24 };

/* The first four bytes say how the frame should lie, and by how much the destination is too small. */
static mga_format format_of(const uint8_t *p)
{
    mga_format f = {0};
    f.rows = 1u + p[0] % 32u;
    f.columns = 1u + p[1];
    f.bits_stored = 1u + p[2] % 16u;
    f.samples_per_pixel = p[2] & 16 ? 3 : 1;
    f.pixel_representation = p[2] >> 5 & 1;
    f.planar_configuration = p[2] >> 6 & 1;
    f.bits_allocated = f.bits_stored > 8 || p[2] & 128 ? 16 : 8;
    return f;
}

/* What was decoded has no bits that the encoder would leave out, unless the stream was of a larger precision. */
static void check_round_trip(const uint8_t *frame, size_t bytes, const mga_format *f, void *work, size_t work_bytes)
{
    mga_format all = *f;
    all.bits_stored = all.bits_allocated;
    size_t bound = (size_t)mga_jpl_encode_bound(&all);
    uint8_t *coded = exactly(bound);
    uint8_t *back = exactly(bytes);
    int64_t size = mga_jpl_encode(coded, bound, frame, bytes, &all, work, work_bytes);
    CHECK(size > 0 && size % 2 == 0 && (size_t)size <= bound);
    CHECK(mga_jpl_decode(back, bytes, coded, (size_t)size, &all, work, work_bytes) == (int64_t)bytes);
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
    size_t work_bytes = (size_t)mga_jpl_work_bytes(&f);
    size_t less = data[3] >= 0xF0 ? 1u + data[3] % 16u : 0;
    size_t room = less < bytes ? bytes - less : 0;
    uint8_t *frame = exactly(room);
    uint8_t *work = exactly(work_bytes);
    uint8_t *coded = exactly(size - PREFIX);
    memcpy(coded, data + PREFIX, size - PREFIX);
    int64_t status = mga_jpl_decode(frame, room, coded, size - PREFIX, &f, work, work_bytes);
    if (less)
        CHECK(status == MGA_ERR_ARG_DST_SIZE);
    else
        CHECK(status == (int64_t)bytes || (status < MGA_ERR_DATA_HEADER && status > MGA_ERR_DEV_MEMORY));
    if (status > 0)
        check_round_trip(frame, bytes, &f, work, work_bytes);
    free(coded);
    free(work);
    free(frame);
    return 0;
}

/* A third with other selection values: the same codes are another picture then. */
static void select_value(uint8_t *coded, size_t size, uint8_t selection)
{
    for (size_t i = 0; i + 16 < size; i++)
        if (coded[i] == 0xFF && coded[i + 1] == 0xDA) {
            coded[i + 5 + 2 * (size_t)coded[i + 4]] = selection;
            return;
        }
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    if (number >= SEEDS || room < PREFIX)
        return 0;
    mga_random random = mga_random_seed(number);
    uint8_t prefix[PREFIX] = {(uint8_t)(number % SEED_ROWS), (uint8_t)(number * 11), (uint8_t)(number * 6 + 5), 0};
    if (number < 4) /* tables are large only where frames are; these have three samples of each pixel */
        memcpy(prefix, (const uint8_t[]){31, 255, (uint8_t)(16 + 5 * number), 0}, PREFIX);
    mga_format f = format_of(prefix);
    size_t bytes = (size_t)mga_format_bytes(&f);
    size_t work_bytes = (size_t)mga_jpl_work_bytes(&f);
    uint8_t *frame = exactly(bytes);
    uint8_t *work = exactly(work_bytes);
    for (size_t i = 0; i < bytes; i++) /* steps, and noise in every other seed */
        frame[i] = (uint8_t)(number & 1 && i % 40 < 20 ? mga_random_next(&random) : i / 37);
    memcpy(out, prefix, PREFIX);
    int64_t size = mga_jpl_encode(out + PREFIX, room - PREFIX, frame, bytes, &f, work, work_bytes);
    CHECK(size > 0);
    if (number % 3 == 0)
        select_value(out + PREFIX, (size_t)size, (uint8_t)(1 + number % 7));
    free(work);
    free(frame);
    return PREFIX + (size_t)size;
}
