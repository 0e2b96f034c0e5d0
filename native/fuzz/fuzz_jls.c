/* Any bytes as a JPEG-LS frame of a small geometry: a status of the data, or one frame; and the frame, or the bytes
 * themselves as samples, survive a round trip. */
#include "codec.h"

static int64_t encode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint32_t near, uint8_t *work, size_t work_size)
{
    mga_jls_params params = {near};
    return mga_jls_encode(dst, dst_size, src, src_size, format, &params, work, work_size);
}

static int64_t decode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint8_t *work, size_t work_size)
{
    return mga_jls_decode(dst, dst_size, src, src_size, format, work, work_size);
}

const mga_fuzz_codec MGA_FUZZ_CODEC = {
    .bits_min = 2,
    .checks_samples = true,
    .is_near = true,
    .work_bytes = mga_jls_work_bytes,
    .bound = mga_jls_encode_bound,
    .encode = encode,
    .decode = decode,
};
