/* The loops of JPEG-LS in which the time goes, compiled twice: for any processor, and for those with AVX2 and BMI2.
 *
 * It is the same C both times; the compiler makes vectors of it and takes the shifts without flags. Output is the same.
 */
#ifndef MGA_JLS_KERNELS_H
#define MGA_JLS_KERNELS_H

#include "jls_bits.h"

typedef struct {
    /* Makes code words and their lengths from a list. */
    void (*codes)(jls_writer *w, const jls_symbols *s, uint32_t hmax, uint32_t qbpp);
    /* Puts `count` code words together in raw; returns whole bytes. */
    size_t (*pack)(jls_writer *w, size_t count);
    /* Moves bytes of raw to the destination and puts a zero bit behind each FFH. False when it is full. */
    bool (*stuff)(jls_writer *w, size_t bytes);
    /* Takes every `step`-th byte as a sample. */
    void (*widen)(uint16_t *line, const uint8_t *from, size_t count, size_t step);
    /* Takes samples of two bytes, the low one first, `step` bytes apart. */
    void (*join)(uint16_t *line, const uint8_t *from, size_t count, size_t step);
    /* Leaves so many bits. False when what stood above the bits stored was not the sign alone. */
    bool (*mask)(uint16_t *line, size_t count, const mga_format *format, uint32_t precision);
    /* Puts three lines of samples of one byte together as pixels. */
    void (*weave)(uint8_t *to, const uint16_t *const *lines, size_t count, uint32_t sign);
} jls_kernels;

const jls_kernels *jls_kernels_best(void);

#endif
