/* A pattern: a picture that can be computed for any frame number. Tables are made once, a frame is cheap. */
#ifndef MGA_PATTERN_H
#define MGA_PATTERN_H

#include <stdbool.h>

#include "canvas.h"

typedef struct mga_pattern_us mga_pattern_us;
typedef struct mga_pattern_dx mga_pattern_dx;

/* Null when there is no memory. The picture has 3 samples (RGB) or 1. */
mga_pattern_us *mga_pattern_us_make(uint32_t rows, uint32_t columns, uint32_t samples, uint64_t seed);
void mga_pattern_us_draw(mga_pattern_us *pattern, uint8_t *dst, uint64_t number, double seconds);
void mga_pattern_us_free(mga_pattern_us *pattern);

/* 16 bits stored, MONOCHROME2. The grid takes up to a third of a second, so it is made in steps: prepare until false.
 */
mga_pattern_dx *mga_pattern_dx_make(uint32_t rows, uint32_t columns, uint64_t seed);
bool mga_pattern_dx_prepare(mga_pattern_dx *pattern);
void mga_pattern_dx_draw(mga_pattern_dx *pattern, uint8_t *dst, uint64_t number);
void mga_pattern_dx_free(mga_pattern_dx *pattern);

#endif
