/* Dark frame and gain of a detector's pixels. */
#include "format.h"
#include "pixel_kernels.h"

int64_t mga_flat_correct(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                         const mga_flat_params *params)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (format->samples_per_pixel != 1 || format->bits_allocated != 16 || format->pixel_representation)
        return MGA_ERR_ARG_FORMAT;
    if (!dst || !src || !params)
        return MGA_ERR_ARG_NULL;
    if (src_size != (size_t)need || (params->offset && params->offset_size != src_size) ||
        (params->gain && params->gain_size != src_size))
        return MGA_ERR_ARG_SRC_SIZE;
    if (dst_size < src_size)
        return MGA_ERR_ARG_DST_SIZE;
    mga_flat_limits limits = {(1u << format->bits_stored) - 1u, params->pedestal};
    if (params->pedestal > limits.most)
        return MGA_ERR_ARG_RANGE;
    mga_pixel_kernels_best()->flat(dst, src, params->offset, params->gain, src_size / 2, &limits);
    return need;
}
