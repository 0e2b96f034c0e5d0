/* Any bytes as a JPEG-LS frame of a small geometry: a status of the data, or one frame; and the frame, or the bytes
 * themselves as samples, survive a round trip. */
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "mga.h"
#include "random.h"

enum { PREFIX = 4, SEEDS = 48 };

/* The first four bytes say how the frame should lie, how it is coded again, and whether the destination is too small.
 */
static mga_format format_of(const uint8_t *p)
{
    uint32_t stored = 2u + p[3] % 15;
    return (mga_format){1u + p[0] % 8,    1u + (p[2] & 8 ? 4u * p[1] : p[1] % 48u),
                        p[2] & 1 ? 3 : 1, stored > 8 ? 16 : 8,
                        stored,           p[2] >> 1 & 1,
                        p[2] >> 2 & 1};
}

static void check_round_trip(uint8_t *frame, size_t bytes, const mga_format *f, uint32_t near, void *work, size_t size)
{
    size_t bound = (size_t)mga_jls_encode_bound(f);
    uint8_t *coded = exactly(bound);
    uint8_t *back = exactly(bytes);
    mga_jls_params params = {near};
    int64_t written = mga_jls_encode(coded, bound, frame, bytes, f, &params, work, size);
    if (written != MGA_ERR_DATA_SAMPLE) {
        CHECK(written > 0 && written % 2 == 0 && (size_t)written <= bound);
        CHECK(mga_jls_decode(back, bytes, coded, (size_t)written, f, work, size) == (int64_t)bytes);
        CHECK(near || memcmp(back, frame, bytes) == 0);
    }
    free(back);
    free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    mga_format f = format_of(data);
    size_t bytes = (size_t)mga_format_bytes(&f);
    size_t work_bytes = (size_t)mga_jls_work_bytes(&f);
    size_t less = data[2] >= 0xF0;
    uint8_t *frame = exactly(bytes - less);
    uint8_t *work = exactly(work_bytes);
    uint8_t *coded = exactly(size - PREFIX);
    memset(frame, 0, bytes - less);
    memcpy(coded, data + PREFIX, size - PREFIX);
    int64_t status = mga_jls_decode(frame, bytes - less, coded, size - PREFIX, &f, work, work_bytes);
    if (less)
        CHECK(status == MGA_ERR_ARG_DST_SIZE);
    else
        CHECK(status == (int64_t)bytes || (status <= MGA_ERR_DATA_HEADER && status > MGA_ERR_DEV_MEMORY));
    if (!less && data[0] & 0x80) {
        uint32_t most = ((1u << f.bits_stored) - 1) / 2;
        uint32_t near = data[2] & 0x10 ? data[1] % (most + 1) : 0;
        if (status < 0 && f.bits_stored == f.bits_allocated)
            memcpy(frame, data, size < bytes ? size : bytes);
        check_round_trip(frame, bytes, &f, near, work, work_bytes);
    }
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
    uint8_t prefix[PREFIX] = {(uint8_t)(number % 4 | 0x80), (uint8_t)(number * 3), (uint8_t)(number % 6),
                              (uint8_t)number};
    mga_format f = format_of(prefix);
    size_t bytes = (size_t)mga_format_bytes(&f);
    size_t work_bytes = (size_t)mga_jls_work_bytes(&f);
    uint8_t *frame = exactly(bytes);
    uint8_t *work = exactly(work_bytes);
    mga_jls_params params = {number % 5 == 4 && f.bits_stored > 3 ? 2 : 0};
    memset(frame, 0, bytes);
    uint32_t low = (f.bits_stored < 8 ? 1u << f.bits_stored : 256u) / 4; /* no sign, nothing near the limits */
    for (size_t i = 0; i < bytes; i += f.bits_allocated / 8)
        frame[i] = (uint8_t)((number & 1 && i % 40 < 20 ? mga_random_next(&random) : i / 37) % low);
    memcpy(out, prefix, PREFIX);
    int64_t size = mga_jls_encode(out + PREFIX, room - PREFIX, frame, bytes, &f, &params, work, work_bytes);
    CHECK(size > 0);
    free(work);
    free(frame);
    return PREFIX + (size_t)size;
}
