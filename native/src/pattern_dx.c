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

#include "bytes.h"
#include "random.h"
#include "texture.h"

#define GRID 512
#define PHOTONS 9000.0 /* per pixel in the open field: a moderate dose */
#define FULL_SCALE 2.6 /* attenuation that shows as white */
#define SHUTTER (1.0 / 48.0)

struct mga_pattern_dx {
    uint32_t rows, columns;
    uint64_t seed;
    uint32_t grid_rows; /* made so far */
    bool needs_row[GRID + 1], needs_column[GRID + 1];
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

/* 0 below `edge`, 1 above, `soft` wide in between. */
static double step(double x, double edge, double soft)
{
    return 1.0 / (1.0 + exp(fmax(-40.0, fmin(40.0, (edge - x) / soft))));
}

/* Trunk, shoulders, arms beside it, and the neck. */
static double body_at(double x, double y)
{
    double side = fabs(x);
    double slope = -0.80 + 0.34 * square(fmax(0.0, side - 0.16)); /* the line of the shoulders */
    double trunk = step(y, slope, 0.012) * step(-side, -0.86 - 0.05 * step(y, 0.1, 0.3), 0.012);
    double arm = step(y, slope + 0.03, 0.012) * step(side, 0.90 + 0.10 * step(y, -0.1, 0.12), 0.012);
    double neck = step(-side, -0.20 - 0.5 * fmax(0.0, y + 0.86), 0.014) * step(-y, 0.5, 0.02);
    return fmax(fmax(trunk, 0.9 * arm), neck);
}

/* Both lungs: narrow apex, base cut off by the dome of the diaphragm; x > 0 is the patient's left. */
static double lungs_at(double x, double y)
{
    double side = fabs(x);
    double dome = 0.58 - 0.17 * bump(side, 0.36, 0.24) + (x > 0 ? 0.05 : 0.0);
    double middle = 0.385 + 0.085 * y;
    double lung = ellipse(side - middle, y + 0.02, 0.285 + 0.07 * y, 0.70, 0.03);
    double medial = step(side, 0.105 - 0.03 * y, 0.014);
    return lung * medial * step(-y, -dome, 0.008);
}

static double rib_at(double across)
{
    return 0.6 * bump(across, 0.0, 0.022) + 0.5 * (bump(across, -0.021, 0.008) + bump(across, 0.021, 0.008));
}

static double ribs_at(double x, double y)
{
    double side = fabs(x);
    double sum = 0.0;
    for (int i = 0; i < 10; i++) {
        double spread = 0.135 + 0.003 * i;
        double back = y + 0.70 - spread * i + 0.16 * side - 0.42 * square(side - 0.12); /* falls to the side */
        double front = y + 0.40 - spread * i + 0.62 * square(0.78 - side);              /* rises to the side */
        sum += 0.22 * rib_at(back) * step(-side, -0.70 - 0.012 * i, 0.012);
        sum += i < 6 ? 0.14 * rib_at(front) * step(side, 0.30, 0.06) * step(-side, -0.72, 0.02) : 0.0;
    }
    return sum * step(side, 0.075, 0.01) * step(y, -0.74, 0.02) * step(-y, -0.86, 0.03);
}

static double spine_at(double x, double y)
{
    double disc = 0.5 + 0.5 * cos(y * 2.0 * 3.14159265 / 0.125);
    double column = step(-fabs(x), -0.070 - 0.010 * (1.0 - disc), 0.008);
    double spinous = 0.10 * ellipse(x, 0.0, 0.016, 9.0, 0.2) * step(disc, 0.4, 0.1);
    double pedicles = 0.10 * (bump(x, -0.048, 0.012) + bump(x, 0.048, 0.012)) * bump(disc, 0.55, 0.2);
    double trachea = 0.26 * ellipse(x - 0.008, 0.0, 0.034, 9.0, 0.18) * step(-y, 0.24, 0.03);
    return column * (0.34 - 0.13 * disc * disc * disc) + column * (spinous + pedicles) - trachea;
}

/* Where heart and great vessels push the lungs away, 0..1. */
static double heart_at(double x, double y)
{
    double heart = ellipse(x - 0.105 - 0.26 * (y - 0.26), y - 0.28, 0.275, 0.30, 0.035);
    double knob = ellipse(x - 0.115, y + 0.235, 0.085, 0.085, 0.07);
    double trunk = ellipse(x - 0.03, y + 0.02, 0.15, 0.40, 0.06);
    return fmax(heart, fmax(0.9 * knob, 0.85 * trunk));
}

/* Vessels branch and thin out from the hilum: ridges of a bent field in polar coordinates around it. */
static double vessels_at(double x, double y, uint64_t seed)
{
    double dx = fabs(x) - 0.17;
    double dy = y + 0.06;
    double reach = hypot(dx, dy);
    double bend = 0.13 * mga_texture_octaves(x * 6.0, y * 6.0, 2, 0.5, seed + 40);
    double sum = 0.26 * exp(-square(reach / 0.09)); /* the hilum itself */
    double branches = 2.2;
    for (uint64_t i = 0; i < 3; i++) {
        double ridge =
            1.0 - fabs(mga_texture((atan2(dy, dx) + bend) * branches, reach * 2.2, seed + i + (x > 0 ? 10 : 0)));
        sum += 0.21 * pow(fmax(0.0, ridge), 9.0) * bump(reach, 0.10 + 0.13 * (double)i, 0.15);
        branches *= 2.1;
    }
    return sum;
}

static double shoulders_at(double x, double y)
{
    double side = fabs(x);
    double along = side - 0.07;
    double clavicle = y + 0.655 + 0.10 * sin(along * 4.4) - 0.02;
    double shaft = (bump(clavicle, 0.0, 0.030) + 0.6 * (bump(clavicle, -0.026, 0.007) + bump(clavicle, 0.026, 0.007))) *
                   step(side, 0.075, 0.012) * step(-side, -0.74, 0.02);
    double scapula = ellipse(side - 0.78 + 0.10 * y, y + 0.36, 0.13, 0.30, 0.05);
    double rim = bump(side - 0.66 + 0.10 * y, 0.0, 0.014) * ellipse(y + 0.34, 0.0, 0.26, 1.0, 0.1);
    double humerus = ellipse(side - 0.955, y + 0.52, 0.085, 0.10, 0.06);
    return 0.26 * shaft + 0.10 * scapula + 0.14 * rim + 0.34 * humerus;
}

/* x and y run from -1 to 1, y downwards. */
static double attenuation_at(double x, double y, uint64_t seed)
{
    double body = body_at(x, y);
    double heart = heart_at(x, y);
    double lungs = lungs_at(x, y) * (1.0 - 0.93 * heart);
    double level = 1.28 + 0.25 * bump(x, 0.0, 0.5) + 0.28 * step(y, 0.52, 0.06) - 0.35 * step(-y, 0.72, 0.1);
    level += 0.16 * heart - (0.98 + 0.10 * y) * lungs;
    level +=
        spine_at(x, y) + (0.50 + 0.50 * lungs) * ribs_at(x, y) + shoulders_at(x, y) + lungs * vessels_at(x, y, seed);
    level -=
        0.42 * ellipse(x - 0.35, y - 0.655 + 0.05 * bump(x, 0.35, 0.1), 0.105, 0.05, 0.10); /* gas in the stomach */
    level += 0.050 * mga_texture_octaves(x * 5.0, y * 5.0, 6, 0.6, seed + 20);
    return fmax(0.0, body * level);
}

/* Where a row and a column of the picture look, on the grid, in 16.16 fixed point. */
static uint64_t down_of(const mga_pattern_dx *p, uint32_t row)
{
    return ((uint64_t)row * GRID << 16) / p->rows;
}

static uint64_t across_of(const mga_pattern_dx *p, uint32_t column)
{
    return column * (((uint64_t)GRID << 16) / p->columns);
}

/* A small picture looks at few places of the grid, and the others are never made. */
static void find_needed(mga_pattern_dx *p)
{
    for (uint32_t row = 0; row < p->rows; row++)
        p->needs_row[down_of(p, row) >> 16] = p->needs_row[(down_of(p, row) >> 16) + 1] = true;
    for (uint32_t column = 0; column < p->columns; column++)
        p->needs_column[across_of(p, column) >> 16] = p->needs_column[(across_of(p, column) >> 16) + 1] = true;
}

bool mga_pattern_dx_prepare(mga_pattern_dx *p)
{
    while (p->grid_rows <= GRID && !p->needs_row[p->grid_rows])
        p->grid_rows++;
    if (p->grid_rows > GRID)
        return false;
    uint32_t row = p->grid_rows++;
    for (uint32_t column = 0; column <= GRID; column++) {
        if (!p->needs_column[column])
            continue;
        double x = 2.0 * column / GRID - 1.0;
        double y = 2.0 * row / GRID - 1.0;
        double level = 0.04 + 0.93 * attenuation_at(x, y, p->seed) / FULL_SCALE;
        p->grid[row * (GRID + 1) + column] = (uint16_t)(65535.0 * fmin(1.0, level));
    }
    return true;
}

mga_pattern_dx *mga_pattern_dx_make(uint32_t rows, uint32_t columns, uint64_t seed)
{
    mga_pattern_dx *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->rows = rows;
    p->columns = columns;
    p->seed = seed;
    find_needed(p);
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

static void draw_row(const mga_pattern_dx *p, uint8_t *out, uint32_t row, mga_random *random)
{
    uint64_t down = down_of(p, row);
    uint64_t step = across_of(p, 1);
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
        mga_put16_little(out + (size_t)2 * column, noisy(p, (uint32_t)level, (uint32_t)bits));
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
        draw_row(p, dst + (size_t)2 * row * p->columns, row, &random);
    const mga_canvas canvas = {dst, p->rows, p->columns, 1, 2};
    draw_letters(&canvas);
    draw_shutter(&canvas);
}
