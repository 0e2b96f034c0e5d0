/* Frame layout: the one place that decides what a legal mga_format is. */
#ifndef MGA_FORMAT_H
#define MGA_FORMAT_H

#include "mga.h"

#define MGA_SIDE_MAX 65535u /* Rows and Columns are US (PS3.3 C.7.6.3) */

/* Bytes of one sample; the format must be valid. */
static inline uint32_t mga_sample_bytes(const mga_format *format)
{
    return format->bits_allocated / 8u;
}

#endif
