/* Any bytes as a JPEG Lossless frame of a small geometry: a status of the data, or one frame that survives a round
 * trip. */
#include "codec.h"

static int64_t encode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint32_t near, uint8_t *work, size_t work_size)
{
    (void)near;
    return mga_jpl_encode(dst, dst_size, src, src_size, format, work, work_size);
}

static int64_t decode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint8_t *work, size_t work_size)
{
    return mga_jpl_decode(dst, dst_size, src, src_size, format, work, work_size);
}

/* A third with other selection values: the same codes are another picture then. */
static void select_value(uint8_t *coded, size_t size, unsigned number)
{
    for (size_t i = 0; i + 16 < size && number % 3 == 0; i++)
        if (coded[i] == 0xFF && coded[i + 1] == 0xDA) {
            coded[i + 5 + 2 * (size_t)coded[i + 4]] = (uint8_t)(1 + number % 7);
            return;
        }
}

const mga_fuzz_codec MGA_FUZZ_CODEC = {
    .bits_min = 1,
    .work_bytes = mga_jpl_work_bytes,
    .bound = mga_jpl_encode_bound,
    .encode = encode,
    .decode = decode,
    .vary = select_value,
};
