/* What encoder and decoder of JPEG Lossless share (T.81 process 14, PS3.5 8.2.1). */
#ifndef MGA_JPL_H
#define MGA_JPL_H

#include "format.h"
#include "jpl_huffman.h"

#include <stdbool.h>

#define JPL_PRECISION_MIN 2u
#define JPL_ALIGN 64u
#define JPL_SLACK 64u /* bytes behind a buffer in working memory that may be read or overwritten */

/* T.81 table B.1: the second byte of the markers */
enum {
    JPL_SOF0 = 0xC0,
    JPL_SOF3 = 0xC3, /* lossless, sequential, Huffman */
    JPL_DHT = 0xC4,
    JPL_JPG = 0xC8,
    JPL_DAC = 0xCC,
    JPL_SOF15 = 0xCF,
    JPL_RST0 = 0xD0,
    JPL_RST7 = 0xD7,
    JPL_SOI = 0xD8,
    JPL_EOI = 0xD9,
    JPL_SOS = 0xDA,
    JPL_DNL = 0xDC,
    JPL_DRI = 0xDD,
    JPL_TEM = 0x01
};

static inline size_t jpl_padded(size_t bytes)
{
    return (bytes + JPL_SLACK + JPL_ALIGN - 1) / JPL_ALIGN * JPL_ALIGN;
}

/* The sample precision of what we write: bits stored, at least 2 (T.81 table B.2). JPEG knows no sign, and few decoders
 * put one back: signed samples are coded with all bits allocated, their sign bits too. */
static inline uint32_t jpl_precision(const mga_format *f)
{
    if (f->pixel_representation == 1)
        return f->bits_allocated;
    return f->bits_stored < JPL_PRECISION_MIN ? JPL_PRECISION_MIN : f->bits_stored;
}

/* Working memory of one direction, alignment not counted. */
size_t jpl_encode_work_bytes(const mga_format *format);
size_t jpl_decode_work_bytes(const mga_format *format);
/* Checks shared by both directions. MGA_OK or MGA_ERR_ARG_*. */
int64_t jpl_check(const void *dst, const void *src, const mga_format *format, const void *work, size_t work_size);
/* The working memory, aligned. */
uint8_t *jpl_align(void *work);

#endif
