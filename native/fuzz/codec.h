/* A decoder of frames under test: any bytes are a coded frame of a small geometry. What comes back is a status of the
 * data or one frame, and that frame survives a round trip, also into a destination that is too small for it.
 *
 * Four bytes in front say how the frame should lie. Most frames are smaller than a vector and cost microseconds;
 * inputs of more than CODEC_QUICK_BYTES may be of frames that fill blocks and tables. */
#ifndef MGA_FUZZ_CODEC_H
#define MGA_FUZZ_CODEC_H

#include "codecs.h"
#include "fuzz.h"

enum { CODEC_PREFIX = 4, CODEC_QUICK_BYTES = 256 };

typedef struct {
    const mga_codec *codec;
    /* Makes another stream of a seed, or null. */
    void (*vary)(uint8_t *coded, size_t size, unsigned number);
    /* Has something to say of what a decoder made of any bytes, or null. */
    void (*judge)(const uint8_t *coded, size_t size, const mga_format *format, int64_t status);
} mga_fuzz_subject;

/* Of the target. */
extern const mga_fuzz_subject MGA_FUZZ_SUBJECT;

#endif
