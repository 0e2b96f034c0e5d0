/* The two loops of the JPEG Lossless encoder that deserve vector instructions, chosen once per frame.
 *
 * count  makes the histogram of categories. pack  looks up the code of each difference, joins four of them in vector
 * registers, and shifts them into a stream of bits. */
#ifndef MGA_JPL_KERNELS_H
#define MGA_JPL_KERNELS_H

#include "jpl_huffman.h"

#define JPL_BLOCK 3072u     /* differences at a time: a few pages of cache; whole pixels of 3 samples, whole vectors */
#define JPL_SYMBOL_BITS 31u /* a code of 16 bits and 15 bits behind it */
#define JPL_PACK_BYTES ((size_t)JPL_BLOCK * JPL_SYMBOL_BITS / 8 + 16) /* most that one call of pack touches */

/* Bits that do not fill a byte yet: the low `count` (0..7) of `bits`; what stands above them is old. */
typedef struct {
    uint64_t bits;
    unsigned count;
} jpl_carry;

typedef struct {
    /* Adds the categories of n differences (n <= JPL_BLOCK). */
    void (*count)(uint32_t counts[JPL_CATEGORIES], const int16_t *differences, size_t n);
    /* Writes the codes of n differences (n <= JPL_BLOCK) to out, most significant bit first, not stuffed; returns the
     * whole bytes, the rest stays in carry. Touches JPL_PACK_BYTES of out. */
    size_t (*pack)(uint8_t *out, jpl_carry *carry, const int16_t *differences, size_t n, const jpl_codes *codes);
} jpl_kernels;

const jpl_kernels *jpl_kernels_portable(void);
const jpl_kernels *jpl_kernels_best(void);

#endif
