/* The loops of RLE that deserve vector instructions, chosen once per frame by what the processor has; grey.c
 * takes frames apart and together with them too.
 *
 * split  takes every `step`-th byte: one byte plane of a row.
 * equal  makes one bit per byte: is it equal to its right neighbour? 64 comparisons become one word, and the coder
 * jumps from run to run by counting trailing zeros. join2 and join3  interleave byte planes, the inverse of split for
 * samples of 16 bits and for RGB. */
#ifndef MGA_RLE_KERNELS_H
#define MGA_RLE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define MGA_RLE_SLACK 192u /* bytes behind a row in working memory that may be read or overwritten */

typedef struct {
    /* dst[i] = src[i * step] for i < count; step 1, 2, 3 or 6; reads nothing outside. */
    void (*split)(uint8_t *dst, const uint8_t *src, size_t count, size_t step);
    /* Bit i of map: x[i] == x[i + 1]. Reads up to 64 bytes behind x[count]; writes (count + 63) / 64 words, the bits
     * from count - 1 on mean nothing. */
    void (*equal)(uint64_t *map, const uint8_t *x, size_t count);
    /* dst[2 i + k] = row_k[i] for i < count; writes nothing outside. */
    void (*join2)(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, size_t count);
    /* dst[3 i + k] = row_k[i] for i < count; writes nothing outside. */
    void (*join3)(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, const uint8_t *row2, size_t count);
} mga_rle_kernels;

const mga_rle_kernels *mga_rle_kernels_portable(void);
const mga_rle_kernels *mga_rle_kernels_best(void);

#endif
