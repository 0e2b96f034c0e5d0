/* The X-ray pattern: a chest phantom, MONOCHROME2 with 16 bits stored (bone bright, lung dark), quantum noise per
 * frame.
 *
 * Made once: the attenuation on a coarse grid and the noise strength for 256 levels of it. A frame interpolates the
 * grid and adds noise that follows the signal, about 5 ns a pixel, so memory stays small whatever the size of the
 * panel. */
#include "pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "texture.h"

#define GRID 768
#define PHOTONS 9000.0 /* per pixel in the open field: a moderate dose */
#define FULL_SCALE 3.0 /* attenuation that shows as white */
#define SHUTTER (1.0 / 48.0)

struct mga_pattern_dx {
    uint32_t rows, columns;
    uint64_t seed;
    uint16_t grid[(GRID + 1) * (GRID + 1)];
    int32_t noise[256]; /* standard deviation by level >> 8, in 1/1024 of a level per unit of the random sum */
};

static double square(double x)
{
    return x * x;
}

static double bump(double x, double centre, double width)
{
    return exp(-square((x - centre) / width));
}

/* 1 inside of an ellipse, 0 outside, `soft` wide in between. */
static double ellipse(double x, double y, double half_x, double half_y, double soft)
{
    return 1.0 / (1.0 + exp(fmin(40.0, (sqrt(square(x / half_x) + square(y / half_y)) - 1.0) / soft)));
}

/* Both lungs: apex narrow, base cut off by the dome of the diaphragm. */
static double lungs_at(double x, double y)
{
    double side = fabs(x);
    double dome = 0.50 - 0.16 * bump(side, 0.40, 0.24) + (x > 0 ? 0.04 : 0.0);
    double lung = ellipse(side - 0.405 - 0.06 * y, y + 0.06, 0.265, 0.72, 0.035);
    return lung / (1.0 + exp((y - dome) / 0.012));
}

static double ribs_at(double x, double y)
{
    double side = fabs(x);
    double sum = 0.0;
    for (int i = 0; i < 10; i++) {
        double back =
            y + 0.80 - 0.155 * i + 0.10 * square(side - 0.30) * 4.0 - 0.20 * side; /* behind, rising to the spine */
        double front = y + 0.52 - 0.165 * i - 0.55 * square(side - 0.85);
        sum += 0.115 * (bump(back, -0.022, 0.012) + bump(back, 0.022, 0.012) + 0.75 * bump(back, 0.0, 0.02));
        sum += i < 6 ? 0.06 * bump(front, 0.0, 0.024) : 0.0;
    }
    return sum * ellipse(x, y + 0.02, 0.76, 0.92, 0.03) * (side > 0.09);
}

static double spine_at(double x, double y)
{
    double column = ellipse(x, 0.0, 0.082, 50.0, 0.10);
    double disc = 0.5 + 0.5 * cos(y * 2.0 * 3.14159265 / 0.135);
    return column * (0.42 + 0.16 * disc * disc * disc) -
           0.34 * bump(x, 0.012, 0.035) * (y < -0.28); /* the trachea is air */
}

static double heart_at(double x, double y)
{
    double shadow = 0.80 * ellipse(x - 0.14 - 0.22 * (y - 0.2), y - 0.24, 0.265, 0.30, 0.04);
    shadow += 0.45 * ellipse(x - 0.13, y + 0.22, 0.085, 0.085, 0.12);    /* aortic knob */
    shadow += 0.35 * ellipse(x, y + 0.20, 0.135, 0.42, 0.10);            /* mediastinum */
    shadow += 0.16 * (bump(fabs(x), 0.20, 0.06) * bump(y, -0.06, 0.12)); /* hila */
    return shadow;
}

/* Vessels thin out from the hilum: ridges of a field in polar coordinates around it. */
static double vessels_at(double x, double y, uint64_t seed)
{
    double dx = fabs(x) - 0.16;
    double dy = y + 0.04;
    double reach = hypot(dx, dy);
    double ridge = 1.0 - fabs(mga_texture_octaves(atan2(dy, dx) * 4.5, reach * 3.0, 3, 0.55, seed + (x > 0)));
    return 0.26 * square(square(square(fmax(0.0, ridge)))) * exp(-reach / 0.26);
}

static double bones_of_shoulder(double x, double y)
{
    double side = fabs(x);
    double clavicle =
        bump(y + 0.735 - 0.16 * (side - 0.08) * (0.9 - side), 0.0, 0.028) * ellipse(side - 0.40, 0.0, 0.33, 9.0, 0.06);
    double scapula = bump(side - 0.80 - 0.16 * (y + 0.4), 0.0, 0.035) * ellipse(y + 0.38, 0.0, 0.36, 9.0, 0.08);
    double humerus = ellipse(side - 0.985, y + 0.66, 0.10, 0.14, 0.10);
    return 0.38 * clavicle + 0.26 * scapula + 0.5 * humerus;
}

/* x and y run from -1 to 1; y downwards. */
static double attenuation_at(double x, double y, uint64_t seed)
{
    double side = fabs(x);
    double shoulders = ellipse(x, y - 0.95, 1.02, 1.72, 0.03);
    double neck = ellipse(x, y + 0.9, 0.26, 0.5, 0.06);
    double body = fmax(shoulders, neck);
    double lungs = lungs_at(x, y);
    double level = body * (1.42 + 0.35 * bump(side, 0.0, 0.35) + 0.30 / (1.0 + exp((0.52 - y) / 0.05)));
    level -= 1.12 * lungs * body;
    level += body * (spine_at(x, y) + heart_at(x, y) + (0.45 + 0.55 * lungs) * ribs_at(x, y) + bones_of_shoulder(x, y));
    level += lungs * vessels_at(x, y, seed);
    level -= 0.55 * ellipse(x - 0.33, y - 0.60, 0.11, 0.045, 0.12); /* gas under the left dome */
    level += body * (0.060 * mga_texture_octaves(x * 5.0, y * 5.0, 5, 0.55, seed + 20));
    return fmax(0.0, level);
}

static void make_grid(mga_pattern_dx *p)
{
    for (uint32_t row = 0; row <= GRID; row++)
        for (uint32_t column = 0; column <= GRID; column++) {
            double x = 2.0 * column / GRID - 1.0;
            double y = 2.0 * row / GRID - 1.0;
            double level = 0.04 + 0.93 * attenuation_at(x, y, p->seed) / FULL_SCALE;
            p->grid[row * (GRID + 1) + column] = (uint16_t)(65535.0 * fmin(1.0, level));
        }
}

mga_pattern_dx *mga_pattern_dx_make(uint32_t rows, uint32_t columns, uint64_t seed)
{
    mga_pattern_dx *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->rows = rows;
    p->columns = columns;
    p->seed = seed;
    make_grid(p);
    for (int i = 0; i < 256; i++) {
        double photons = PHOTONS * exp(-i / 256.0 * FULL_SCALE);
        double deviation = 65535.0 / FULL_SCALE / sqrt(photons); /* of a logarithm: 1 / sqrt(n) */
        p->noise[i] = (int32_t)lrint(deviation / MGA_RANDOM_SUM4_DEVIATION * 1024.0);
    }
    return p;
}

void mga_pattern_dx_free(mga_pattern_dx *pattern)
{
    free(pattern);
}

static uint16_t noisy(const mga_pattern_dx *p, uint32_t level, uint32_t bits)
{
    int32_t value = (int32_t)level + ((mga_random_sum4(bits) * p->noise[level >> 8]) >> 10);
    return (uint16_t)(value < 0 ? 0 : value > 65535 ? 65535 : value);
}

/* Positions on the grid run in 16.16 fixed point. */
static void draw_row(const mga_pattern_dx *p, uint16_t *out, uint32_t row, mga_random *random)
{
    uint64_t step = ((uint64_t)GRID << 16) / p->columns;
    uint64_t down = ((uint64_t)row * GRID << 16) / p->rows;
    const uint16_t *above = p->grid + (down >> 16) * (GRID + 1);
    const uint16_t *below = above + GRID + 1;
    int32_t v = (int32_t)(down >> 8 & 255u);
    uint64_t bits = 0;
    for (uint32_t column = 0; column < p->columns; column++) {
        uint64_t across = column * step;
        size_t i = (size_t)(across >> 16);
        int32_t u = (int32_t)(across >> 8 & 255u);
        int32_t left = above[i] * (256 - v) + below[i] * v;
        int32_t right = above[i + 1] * (256 - v) + below[i + 1] * v;
        int32_t level = (left >> 8) + (((right >> 8) - (left >> 8)) * u >> 8);
        bits = column & 1 ? bits >> 32 : mga_random_next(random);
        out[column] = noisy(p, (uint32_t)level, (uint32_t)bits);
    }
}

static void draw_letters(const mga_canvas *canvas)
{
    static const mga_colour LEAD = {250, 250, 250};
    int32_t scale = (int32_t)(canvas->columns / 130u);
    if (scale < 1)
        return;
    mga_canvas_text(canvas, (int32_t)canvas->rows / 14, (int32_t)canvas->columns / 14, scale, "R", LEAD);
    mga_canvas_text(canvas, (int32_t)canvas->rows * 13 / 14, (int32_t)canvas->columns / 14, (scale + 2) / 3,
                    "TEST PATTERN  NOT A PATIENT", LEAD);
}

static void draw_shutter(const mga_canvas *canvas)
{
    static const mga_colour BLACK = {0, 0, 0};
    int32_t rows = (int32_t)canvas->rows;
    int32_t columns = (int32_t)canvas->columns;
    int32_t edge = (int32_t)(canvas->columns * SHUTTER);
    mga_canvas_box(canvas, 0, 0, edge, columns, BLACK);
    mga_canvas_box(canvas, rows - edge, 0, edge, columns, BLACK);
    mga_canvas_box(canvas, 0, 0, rows, edge, BLACK);
    mga_canvas_box(canvas, 0, columns - edge, rows, edge, BLACK);
}

void mga_pattern_dx_draw(mga_pattern_dx *p, uint8_t *dst, uint64_t number)
{
    mga_random random = mga_random_seed(p->seed * 1000003u + number);
    for (uint32_t row = 0; row < p->rows; row++)
        draw_row(p, (uint16_t *)(void *)dst + (size_t)row * p->columns, row, &random);
    const mga_canvas canvas = {dst, p->rows, p->columns, 1, 2};
    draw_letters(&canvas);
    draw_shutter(&canvas);
}
