/* What making the tables of the ultrasound pattern and drawing with them share. */
#ifndef MGA_PATTERN_US_H
#define MGA_PATTERN_US_H

#include <math.h>

#include "pattern.h"

#define BEAMS 192
#define DEPTHS 640
#define POLAR ((size_t)BEAMS * DEPTHS)
#define POLAR_SIZE (POLAR + DEPTHS + 2) /* a black tail: where pixels outside of the fan look */
#define OUTSIDE ((uint32_t)POLAR)       /* the fan entry of the black tail */
#define NOISE_SIZE 65536u               /* power of two */

_Static_assert(POLAR < 1 << 17, "a fan entry holds the polar index in 17 bits and two weights of 7 bits");

typedef struct {
    uint32_t begin, count; /* columns */
    size_t entry;          /* first of the row in fan[] */
} fan_row;

struct mga_pattern_us {
    uint32_t rows, columns, samples;
    uint8_t tissue[POLAR_SIZE];
    uint8_t polar[POLAR_SIZE];                   /* of the current frame */
    int8_t flow[POLAR_SIZE];                     /* of the current frame: towards (+) and away (-) */
    int16_t move_beam[POLAR], move_depth[POLAR]; /* at full contraction, 1/16 sample */
    int8_t inflow[POLAR], outflow[POLAR];
    uint8_t noise[NOISE_SIZE];
    uint8_t *still; /* labels and scales, a whole frame */
    uint32_t *fan;
    fan_row *fan_rows;
};

typedef struct {
    double beam, depth, half_beam, half_depth; /* beam -1..1, depth 0..1 */
} us_chamber;

enum { LEFT_VENTRICLE, RIGHT_VENTRICLE, LEFT_ATRIUM, RIGHT_ATRIUM, CHAMBER_COUNT };
extern const us_chamber mga_us_chambers[CHAMBER_COUNT];

static inline double square(double x)
{
    return x * x;
}

static inline double bump(double x, double centre, double width)
{
    return exp(-square((x - centre) / width));
}

#endif
