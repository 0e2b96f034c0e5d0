/* A decoder of frames under test: any bytes are a coded frame of a small geometry. What comes back is a status of the
 * data or one frame, and that frame survives a round trip, also into a destination that is too small for it.
 *
 * Four bytes in front say how the frame should lie. Most frames are smaller than a vector and cost microseconds;
 * inputs of more than CODEC_QUICK_BYTES may be of frames that fill blocks and tables. */
#ifndef MGA_FUZZ_CODEC_H
#define MGA_FUZZ_CODEC_H

#include <stdbool.h>

#include "fuzz.h"
#include "mga.h"

enum { CODEC_PREFIX = 4, CODEC_QUICK_BYTES = 256 };

typedef struct {
    uint32_t bits_min;   /* stored */
    bool checks_samples; /* the encoder refuses bits above those stored; otherwise all allocated ones are tried */
    bool is_near;        /* it has a NEAR */
    int64_t (*work_bytes)(const mga_format *format);
    int64_t (*bound)(const mga_format *format);
    int64_t (*encode)(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint32_t near, uint8_t *work, size_t work_size);
    int64_t (*decode)(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint8_t *work, size_t work_size);
    /* Makes another stream of a seed, or null. */
    void (*vary)(uint8_t *coded, size_t size, unsigned number);
} mga_fuzz_codec;

/* Of the target. */
extern const mga_fuzz_codec MGA_FUZZ_CODEC;

#endif
