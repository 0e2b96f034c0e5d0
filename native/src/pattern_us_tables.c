/* The tables of the ultrasound pattern, made once: what the heart looks like, how it moves, where pixels look. */
#include <stdlib.h>

#include "pattern_us.h"
#include "random.h"
#include "texture.h"

#define GREY_PER_DB 3.6 /* 70 dB of dynamic range */

const us_chamber mga_us_chambers[CHAMBER_COUNT] = {
    [LEFT_VENTRICLE] = {0.16, 0.43, 0.30, 0.205},
    [RIGHT_VENTRICLE] = {-0.44, 0.46, 0.19, 0.150},
    [LEFT_ATRIUM] = {0.14, 0.765, 0.25, 0.088},
    [RIGHT_ATRIUM] = {-0.36, 0.760, 0.18, 0.080},
};

/* Where sample i of the polar picture lies: beam -1..1, depth 0..1. */
static double beam_of(size_t i)
{
    size_t beam = i / DEPTHS;
    return 2.0 * (double)beam / (BEAMS - 1) - 1.0;
}

static double depth_of(size_t i)
{
    return (double)(i % DEPTHS) / (DEPTHS - 1);
}

/* 1 at the wall, 0 in the middle, above 1 outside. */
static double chamber_distance(const us_chamber *c, double beam, double depth)
{
    return sqrt(square((beam - c->beam) / c->half_beam) + square((depth - c->depth) / c->half_depth));
}

/* Mean grey level at a point, before speckle. */
static double echo_at(double beam, double depth, uint64_t seed)
{
    double wobble = mga_texture_octaves(beam * 4.0, depth * 5.0, 3, 0.6, seed);
    double level = 112.0 + 26.0 * wobble - 36.0 * depth - 46.0 * square(beam) * square(beam);
    level += 70.0 * exp(-depth / 0.018) + 34.0 * bump(depth, 0.075, 0.012) + 22.0 * bump(depth, 0.12, 0.02);
    level += 88.0 * bump(depth, 0.905 + 0.015 * cos(4.0 * beam) + 0.006 * wobble, 0.009) * (1.0 - 0.5 * fabs(beam));
    level += 30.0 * bump(depth, 0.60 + 0.01 * wobble, 0.014) * bump(beam, -0.1, 0.5);
    level -= 60.0 * bump(beam, 0.83 + 0.02 * wobble, 0.07) * (depth > 0.1);
    level -= 44.0 * bump(beam, -0.80, 0.05) * (depth > 0.16);
    for (size_t i = 0; i < CHAMBER_COUNT; i++) {
        double q = chamber_distance(&mga_us_chambers[i], beam, depth) + 0.07 * wobble;
        level += 30.0 * bump(q, 1.10, 0.09);
        level -= 150.0 / (1.0 + exp((q - 0.97) / 0.035));
    }
    return level;
}

/* Blurs one line of `count` floats, `step` apart, with the weights 1 3 4 3 1. */
static void blur_line(float *line, size_t count, size_t step)
{
    float a = line[0];
    float b = line[0];
    for (size_t i = 0; i + 2 < count; i++) {
        float c = line[i * step];
        float blurred = a + 3.0f * b + 4.0f * c + 3.0f * line[(i + 1) * step] + line[(i + 2) * step];
        a = b;
        b = c;
        line[i * step] = blurred / 6.0f; /* the squares of the weights sum to 36: unit variance stays */
    }
}

static void fill_speckle(float *field, mga_random *random)
{
    for (size_t i = 0; i < POLAR; i++)
        field[i] = (float)mga_random_normal(random);
    for (size_t beam = 0; beam < BEAMS; beam++)
        blur_line(field + beam * DEPTHS, DEPTHS, 1);
    for (size_t depth = 0; depth < DEPTHS; depth++)
        blur_line(field + depth, BEAMS, DEPTHS);
}

static uint8_t to_grey(double level)
{
    return level <= 0.0 ? 0 : level >= 255.0 ? 255 : (uint8_t)level;
}

static int make_tissue(mga_pattern_us *p, uint64_t seed)
{
    float *real = calloc(POLAR, sizeof *real);
    float *imaginary = calloc(POLAR, sizeof *imaginary);
    if (real && imaginary) {
        mga_random random = mga_random_seed(seed);
        fill_speckle(real, &random);
        fill_speckle(imaginary, &random);
        for (size_t i = 0; i < POLAR; i++) {
            double power = square(real[i]) + square(imaginary[i]) + 1e-4;
            double level = echo_at(beam_of(i), depth_of(i), seed);
            p->tissue[i] = to_grey(level + GREY_PER_DB * 10.0 * log10(power / 2.0));
        }
        for (size_t i = 0; i < NOISE_SIZE; i++)
            p->noise[i] = to_grey(8.0 + 9.0 * mga_random_normal(&random));
    }
    int made = real && imaginary;
    free(real);
    free(imaginary);
    return made;
}

/* Movement that keeps the looked-up place inside of the table. */
static int16_t clamp_move(double move, size_t at, size_t size)
{
    double low = -(double)at;
    double high = (double)(size - 2) - (double)at;
    if (move > high)
        move = high;
    if (move < low)
        move = low;
    return (int16_t)lrint(move * 16.0);
}

static void make_movement(mga_pattern_us *p)
{
    for (size_t i = 0; i < POLAR; i++) {
        double beam = beam_of(i);
        double depth = depth_of(i);
        double squeeze = 0.0;
        for (size_t k = LEFT_VENTRICLE; k <= RIGHT_VENTRICLE; k++) { /* they contract */
            double q = chamber_distance(&mga_us_chambers[k], beam, depth);
            squeeze += (beam - mga_us_chambers[k].beam) * 0.38 * exp(-square(q / 1.15) * square(q / 1.15));
        }
        double lift = 0.042 * bump(depth, 0.63, 0.15) - 0.012 * bump(depth, 0.24, 0.08); /* the valve plane rises */
        p->move_beam[i] = clamp_move(squeeze * BEAMS / 2, i / DEPTHS, BEAMS);
        p->move_depth[i] = clamp_move(lift * DEPTHS, i % DEPTHS, DEPTHS);
        if (i / DEPTHS == BEAMS - 1)
            p->move_beam[i] = -16; /* interpolation needs a beam to the right */
        if (i % DEPTHS == DEPTHS - 1)
            p->move_depth[i] = -16;
    }
}

static void make_flow(mga_pattern_us *p, uint64_t seed)
{
    for (size_t i = 0; i < POLAR; i++) {
        double beam = beam_of(i);
        double depth = depth_of(i);
        if (beam < -0.18 || beam > 0.50 || depth < 0.30 || depth > 0.84)
            continue; /* the colour box */
        double wobble = mga_texture_octaves(beam * 14.0, depth * 22.0, 2, 0.5, seed + 50);
        double in = 150.0 * bump(beam, 0.20 + 0.04 * wobble, 0.10) * bump(depth, 0.56, 0.20) + 22.0 * wobble;
        double out = 150.0 * bump(beam, 0.02 + 0.04 * wobble, 0.09) * bump(depth, 0.50, 0.15) + 22.0 * wobble;
        p->inflow[i] = (int8_t)(in < 24.0 ? 0 : in > 125.0 ? 125 : in);
        p->outflow[i] = (int8_t)(out < 24.0 ? 0 : out > 125.0 ? 125 : out);
    }
}

typedef struct {
    double apex_column, apex_row, near, far, half_angle;
} fan_shape;

static fan_shape shape_of(uint32_t rows, uint32_t columns)
{
    double far = 0.93 * rows;
    double widest = asin(fmin(1.0, 0.46 * columns / far));
    return (fan_shape){.apex_column = 0.5 * columns,
                       .apex_row = 0.012 * rows,
                       .near = 0.045 * rows,
                       .far = far,
                       .half_angle = fmin(0.70, widest)};
}

/* Where pixel (row, column) looks: polar index and weights, or the black tail. */
static uint32_t fan_entry(const fan_shape *f, uint32_t row, uint32_t column)
{
    double x = column + 0.5 - f->apex_column;
    double y = row + 0.5 - f->apex_row;
    double depth = (hypot(x, y) - f->near) / (f->far - f->near) * (DEPTHS - 1);
    double beam = (atan2(x, y) / f->half_angle + 1.0) / 2.0 * (BEAMS - 1);
    if (y <= 0.0 || depth < 0.0 || depth >= DEPTHS - 1 || beam < 0.0 || beam >= BEAMS - 1)
        return OUTSIDE;
    uint32_t index = (uint32_t)beam * DEPTHS + (uint32_t)depth;
    uint32_t along = (uint32_t)((depth - floor(depth)) * 128.0);
    uint32_t across = (uint32_t)((beam - floor(beam)) * 128.0);
    return index | along << 17 | across << 24;
}

static void make_fan(mga_pattern_us *p)
{
    fan_shape shape = shape_of(p->rows, p->columns);
    size_t entry = 0;
    for (uint32_t row = 0; row < p->rows; row++) {
        fan_row *r = &p->fan_rows[row];
        uint32_t end = 0;
        *r = (fan_row){.begin = p->columns, .entry = entry};
        for (uint32_t column = 0; column < p->columns; column++) {
            uint32_t e = fan_entry(&shape, row, column);
            if (e == OUTSIDE && r->begin == p->columns)
                continue;
            if (r->begin == p->columns)
                r->begin = column;
            if (e != OUTSIDE)
                end = column + 1;
            p->fan[entry + (column - r->begin)] = e;
        }
        r->count = end > r->begin ? end - r->begin : 0;
        entry += r->count;
    }
}

static void draw_scales(const mga_canvas *canvas, int32_t scale)
{
    int32_t rows = (int32_t)canvas->rows;
    int32_t columns = (int32_t)canvas->columns;
    int32_t top = rows / 6;
    int32_t height = rows * 3 / 5;
    int32_t width = 5 * scale;
    int32_t right = columns - 8 * scale;
    for (int32_t y = 0; y < height; y++) {
        uint8_t level = (uint8_t)(255 - 255 * y / height);
        mga_canvas_box(canvas, top + y, right - width, 1, width, (mga_colour){level, level, level});
        if (canvas->samples == 3 && y < height / 2) {
            int32_t v = 127 - 508 * y / height;
            mga_colour flow = v >= 0 ? (mga_colour){(uint8_t)(60 + v), (uint8_t)v, 0}
                                     : (mga_colour){0, (uint8_t)-v, (uint8_t)(60 - v)};
            mga_canvas_box(canvas, top + y, right - 3 * width, 1, width, flow);
        }
    }
    for (int32_t cm = 0; cm <= 15; cm++) /* depth ruler */
        mga_canvas_box(canvas, rows / 20 + (rows * 9 / 10) * cm / 15, columns * 15 / 16, scale,
                       cm % 5 ? 3 * scale : 7 * scale, (mga_colour){150, 150, 150});
}

static void draw_labels(mga_pattern_us *p)
{
    static const char *const LABELS[] = {"TEST PATTERN", "NOT A PATIENT", "",      "C5-1 ADULT",
                                         "D 15.0 CM",    "G 57 %",        "DR 70", "MI 0.7  TIS 1.1"};
    static const mga_colour YELLOW = {214, 190, 92};
    const mga_canvas canvas = {p->still, p->rows, p->columns, p->samples, 1};
    int32_t scale = mga_canvas_text_scale(&canvas);
    if (scale == 0)
        return;
    for (size_t i = 0; i < sizeof LABELS / sizeof LABELS[0]; i++)
        mga_canvas_text(&canvas, 6 * scale + (int32_t)i * 11 * scale, 6 * scale, scale, LABELS[i], YELLOW);
    draw_scales(&canvas, scale);
}

mga_pattern_us *mga_pattern_us_make(uint32_t rows, uint32_t columns, uint32_t samples, uint64_t seed)
{
    mga_pattern_us *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->rows = rows;
    p->columns = columns;
    p->samples = samples;
    p->still = calloc((size_t)rows * columns, samples);
    p->fan = calloc((size_t)rows * columns, sizeof *p->fan);
    p->fan_rows = calloc(rows, sizeof *p->fan_rows);
    if (!p->still || !p->fan || !p->fan_rows || !make_tissue(p, seed)) {
        mga_pattern_us_free(p);
        return NULL;
    }
    make_movement(p);
    make_flow(p, seed);
    make_fan(p);
    draw_labels(p);
    return p;
}

void mga_pattern_us_free(mga_pattern_us *p)
{
    if (!p)
        return;
    free(p->still);
    free(p->fan);
    free(p->fan_rows);
    free(p);
}
