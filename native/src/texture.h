/* Smooth random fields for phantoms: value noise on a lattice, in octaves. Used when tables are made, never per frame.
 */
#ifndef MGA_TEXTURE_H
#define MGA_TEXTURE_H

#include <math.h>
#include <stdint.h>

static inline double mga_lattice(int64_t x, int64_t y, uint64_t seed)
{
    uint64_t h = (uint64_t)x * 0x9E3779B97F4A7C15u ^ (uint64_t)y * 0xC2B2AE3D27D4EB4Fu ^ seed * 0x165667B19E3779F9u;
    h = (h ^ (h >> 31)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    return (double)(h >> 40) / 8388608.0 - 1.0; /* -1..1 */
}

/* One octave at (x, y), feature size 1. */
static inline double mga_texture(double x, double y, uint64_t seed)
{
    double fx = floor(x);
    double fy = floor(y);
    int64_t ix = (int64_t)fx;
    int64_t iy = (int64_t)fy;
    double u = x - fx;
    double v = y - fy;
    u *= u * (3.0 - 2.0 * u);
    v *= v * (3.0 - 2.0 * v);
    double top = mga_lattice(ix, iy, seed) * (1.0 - u) + mga_lattice(ix + 1, iy, seed) * u;
    double bottom = mga_lattice(ix, iy + 1, seed) * (1.0 - u) + mga_lattice(ix + 1, iy + 1, seed) * u;
    return top * (1.0 - v) + bottom * v;
}

/* Octaves from feature size 1 downwards, each `gain` times as strong as the one before. */
static inline double mga_texture_octaves(double x, double y, int octaves, double gain, uint64_t seed)
{
    double sum = 0.0;
    double strength = 1.0;
    for (int i = 0; i < octaves; i++) {
        sum += strength * mga_texture(x, y, seed + (uint64_t)i);
        strength *= gain;
        x *= 2.03;
        y *= 2.03;
    }
    return sum;
}

#endif
