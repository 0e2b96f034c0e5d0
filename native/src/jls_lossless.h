/* Lossless lines of JPEG-LS, fast: NEAR 0, MAXVAL 2^P - 1, RESET at most 64, components one by one.
 *
 * What depends on known samples alone is computed for a block of them in loops that the compiler makes vectors of: an
 * encoder knows all of them, a decoder those of the line above. The loop from sample to sample then touches little but
 * the contexts. Blocks begin where a run ends, so long runs cost nothing but their comparison. */
#ifndef MGA_JLS_LOSSLESS_H
#define MGA_JLS_LOSSLESS_H

#include "jls_scalar.h"

typedef struct {
    uint16_t context[JLS_BLOCK]; /* byte offset of the context; 0 = run */
} jls_encode_block;

size_t jls_decode_work_bytes(const mga_format *format);

#endif
