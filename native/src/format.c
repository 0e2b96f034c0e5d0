#include "format.h"

static int is_known(const mga_format *f)
{
    return f->rows >= 1 && f->rows <= MGA_SIDE_MAX && f->columns >= 1 && f->columns <= MGA_SIDE_MAX &&
           (f->samples_per_pixel == 1 || f->samples_per_pixel == 3) &&
           (f->bits_allocated == 8 || f->bits_allocated == 16) && f->bits_stored >= 1 &&
           f->bits_stored <= f->bits_allocated && f->pixel_representation <= 1 && f->planar_configuration <= 1;
}

int64_t mga_format_bytes(const mga_format *format)
{
    if (!format)
        return MGA_ERR_ARG_NULL;
    if (!is_known(format))
        return MGA_ERR_ARG_FORMAT;
    uint64_t bytes = (uint64_t)format->rows * format->columns * format->samples_per_pixel * mga_sample_bytes(format);
    return bytes <= MGA_FRAME_BYTES_MAX ? (int64_t)bytes : MGA_ERR_ARG_FORMAT;
}
