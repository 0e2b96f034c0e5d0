/* The loops of the pixel path that deserve vector instructions, chosen once per frame by what the processor has. They
 * are written once and compiled for any processor and for AVX2, so both give the same bytes. */
#ifndef MGA_PIXEL_KERNELS_H
#define MGA_PIXEL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define MGA_MATRIX_BITS 20 /* of the fraction; the largest sum stays below 2^31 */
#define MGA_TURN_GROUP 32u

/* Gain of each of three samples, and what is added; a row for each result. */
typedef struct {
    int32_t rows[3][4];
} mga_matrix;

/* Which bits of a word of four bytes the samples of a pair begin at. */
typedef struct {
    uint32_t first, second, u, v;
} mga_pair;

typedef struct {
    uint32_t most; /* the largest sample */
    uint32_t pedestal;
} mga_flat_limits;

typedef struct {
    /* Each triple of a, b and c becomes the matrix times it, rounded and kept in 0..255; up to the next multiple of
     * MGA_TURN_GROUP they may hold anything before and do so after. */
    void (*turn)(uint8_t *a, uint8_t *b, uint8_t *c, size_t count, const mga_matrix *m);
    /* Pairs of pixels in four bytes: y of each, u and v of both. */
    void (*halve)(uint8_t *y, uint8_t *u, uint8_t *v, const uint8_t *src, size_t pairs, const mga_pair *at);
    /* Each byte twice. */
    void (*twice)(uint8_t *dst, const uint8_t *src, size_t count);
    /* y of each, then u and v of the first of each pair. */
    void (*pair)(uint8_t *dst, const uint8_t *y, const uint8_t *u, const uint8_t *v, size_t pairs);
    /* Little endian samples; offset and gain as in mga_flat_params. dst may be src. */
    void (*flat)(uint8_t *dst, const uint8_t *src, const uint8_t *offset, const uint8_t *gain, size_t count,
                 const mga_flat_limits *limits);
} mga_pixel_kernels;

const mga_pixel_kernels *mga_pixel_kernels_portable(void);
const mga_pixel_kernels *mga_pixel_kernels_best(void);

#endif
