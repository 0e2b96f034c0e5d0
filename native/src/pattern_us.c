/* The ultrasound pattern: a beating four-chamber heart in a sector fan.
 *
 * Made once: a tissue picture in polar space (log-compressed speckle over an echo map, 192 beams of 640 samples), how
 * far each of its samples moves at full contraction, and for each pixel of the fan where in polar space it looks. A
 * frame warps the polar picture by the phase of the beat, lays flickering noise over the blood, and scan-converts it
 * with bilinear weights: about 2 ms for 1024 x 768 RGB. The colour flow, the ECG and the labels are drawn over it. */
#include "pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "texture.h"

#define BEAMS 192
#define DEPTHS 640
#define POLAR ((size_t)BEAMS * DEPTHS)
#define POLAR_SIZE (POLAR + DEPTHS + 2) /* a black tail: where pixels outside of the fan look */
#define OUTSIDE ((uint32_t)POLAR)       /* the fan entry of the black tail */
#define NOISE_SIZE 65536u               /* power of two */
#define BEAT_S 0.857                    /* 70 beats per minute */
#define SWEEP_S 4.0                     /* the ECG writes one screen */
#define GREY_PER_DB 3.6                 /* 70 dB of dynamic range */
#define PI 3.14159265358979

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

/* --- tables ----------------------------------------------------------------------------------------------------- */

typedef struct {
    double beam, depth, half_beam, half_depth; /* beam -1..1, depth 0..1 */
} chamber;

static const chamber CHAMBERS[] = {
    {0.16, 0.43, 0.30, 0.205}, /* left ventricle */
    {-0.44, 0.46, 0.19, 0.150},
    {0.14, 0.765, 0.25, 0.088}, /* left atrium */
    {-0.36, 0.760, 0.18, 0.080},
};
#define CHAMBER_COUNT (sizeof CHAMBERS / sizeof CHAMBERS[0])

static double square(double x)
{
    return x * x;
}

static double bump(double x, double centre, double width)
{
    return exp(-square((x - centre) / width));
}

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
static double chamber_distance(const chamber *c, double beam, double depth)
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
        double q = chamber_distance(&CHAMBERS[i], beam, depth) + 0.07 * wobble;
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
        for (size_t k = 0; k < 2; k++) { /* the ventricles contract */
            double q = chamber_distance(&CHAMBERS[k], beam, depth);
            squeeze += (beam - CHAMBERS[k].beam) * 0.38 * exp(-square(q / 1.15) * square(q / 1.15));
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

/* --- one frame -------------------------------------------------------------------------------------------------- */

static double phase_at(double seconds)
{
    double beats = seconds / BEAT_S;
    return beats - floor(beats);
}

/* 0 relaxed .. 1 contracted; the small second wave is the filling of the ventricle. */
static double contraction_at(double phase)
{
    double systole = phase < 0.42 ? square(sin(PI * phase / 0.42)) : 0.0;
    return fmax(0.0, systole - 0.18 * bump(phase, 0.86, 0.06));
}

static void warp(mga_pattern_us *p, double contraction, uint64_t number)
{
    int32_t strength = (int32_t)lrint(contraction * 256.0);
    mga_random random = mga_random_seed(number);
    uint32_t shift = (uint32_t)mga_random_next(&random);
    for (int32_t beam = 0; beam < BEAMS; beam++) {
        for (int32_t depth = 0; depth < DEPTHS; depth++) {
            int32_t i = beam * DEPTHS + depth;
            int32_t b = beam * 256 + ((strength * p->move_beam[i]) >> 4);
            int32_t d = depth * 256 + ((strength * p->move_depth[i]) >> 4);
            const uint8_t *t = &p->tissue[(b >> 8) * DEPTHS + (d >> 8)];
            int32_t across = b & 255;
            int32_t along = d & 255;
            int32_t left = t[0] * (256 - along) + t[1] * along;
            int32_t right = t[DEPTHS] * (256 - along) + t[DEPTHS + 1] * along;
            int32_t grey = (left * (256 - across) + right * across) >> 16;
            int32_t noise = p->noise[((uint32_t)i + shift) & (NOISE_SIZE - 1)] * (160 + depth) >> 8;
            p->polar[i] = (uint8_t)(grey > noise ? grey : noise);
        }
    }
}

static void plot_polar(mga_pattern_us *p, double beam, double depth, uint8_t level)
{
    int32_t b = (int32_t)lrint((beam + 1.0) / 2.0 * (BEAMS - 1));
    int32_t d = (int32_t)lrint(depth * (DEPTHS - 1));
    for (int32_t k = -3; k <= 3; k++) {
        if (b < 0 || b >= BEAMS || d + k < 0 || d + k >= DEPTHS)
            continue;
        uint8_t *sample = &p->polar[b * DEPTHS + d + k];
        uint8_t faded = (uint8_t)(level - 22 * abs(k) - (b * 37 + d * 11) % 40);
        if (*sample < faded)
            *sample = faded;
    }
}

/* Two leaflets per valve swing from the plane into the ventricle while it fills. */
static void draw_valves(mga_pattern_us *p, double phase, double contraction)
{
    double opening = fmax(bump(phase, 0.56, 0.08), 0.7 * bump(phase, 0.88, 0.06));
    for (size_t k = 0; k < 2; k++) {
        const chamber *atrium = &CHAMBERS[k + 2];
        double plane = 0.655 - 0.042 * contraction;
        for (int side = -1; side <= 1; side += 2) {
            double hinge = atrium->beam + side * atrium->half_beam * 0.62;
            for (int i = 0; i <= 48; i++) {
                double s = i / 48.0;
                double reach = atrium->half_beam * 0.62 * s;
                double beam = hinge - side * reach * (1.0 - 0.75 * opening * s);
                plot_polar(p, beam, plane - (0.02 + 0.085 * opening) * s * (1.0 - 0.25 * s), 215);
            }
        }
    }
}

/* Flow shows only where the warped picture is blood. */
static void make_frame_flow(mga_pattern_us *p, double phase, uint64_t number)
{
    int32_t in = (int32_t)(256.0 * fmax(bump(phase, 0.57, 0.10), 0.6 * bump(phase, 0.88, 0.06)));
    int32_t out = (int32_t)(256.0 * bump(phase, 0.20, 0.11));
    mga_random random = mga_random_seed(number ^ 0x5A5A5A5Au);
    uint32_t shift = (uint32_t)mga_random_next(&random);
    for (uint32_t i = 0; i < POLAR; i++) {
        int32_t v = (p->inflow[i] * in - p->outflow[i] * out) >> 8;
        int32_t flicker = 2 * p->noise[(i / 4 + shift) & (NOISE_SIZE - 1)];
        int32_t strength = v < 0 ? -v : v;
        p->flow[i] = (int8_t)(strength > 14 + flicker / 2 && p->polar[i] < 58 ? v : 0);
    }
}

static inline uint32_t look_up(const uint8_t *polar, uint32_t entry)
{
    const uint8_t *q = polar + (entry & 0x1FFFFu);
    uint32_t along = entry >> 17 & 127u;
    uint32_t across = entry >> 24;
    uint32_t left = q[0] * (128u - along) + q[1] * along;
    uint32_t right = q[DEPTHS] * (128u - along) + q[DEPTHS + 1] * along;
    return (left * (128u - across) + right * across) >> 14;
}

static void convert_mono(const mga_pattern_us *p, const fan_row *r, uint8_t *out)
{
    const uint32_t *fan = p->fan + r->entry;
    for (uint32_t i = 0; i < r->count; i++)
        out[i] = (uint8_t)look_up(p->polar, fan[i]);
}

static void convert_rgb(const mga_pattern_us *p, const fan_row *r, uint8_t *out)
{
    const uint32_t *fan = p->fan + r->entry;
    for (uint32_t i = 0; i < r->count; i++, out += 3) {
        uint8_t grey = (uint8_t)look_up(p->polar, fan[i]);
        int32_t flow = p->flow[fan[i] & 0x1FFFFu];
        out[0] = out[1] = out[2] = grey;
        if (flow > 0) {
            out[0] = (uint8_t)(96 + flow);
            out[1] = (uint8_t)(flow > 50 ? 2 * (flow - 50) : 0);
            out[2] = 0;
        } else if (flow < 0) {
            out[0] = 0;
            out[1] = (uint8_t)(flow < -50 ? -2 * (flow + 50) : 0);
            out[2] = (uint8_t)(96 - flow);
        }
    }
}

static double ecg_at(double phase)
{
    return 0.10 * bump(phase, 0.82, 0.030) - 0.08 * bump(phase, 0.955, 0.008) + bump(phase, 0.975, 0.010) -
           0.20 * bump(phase, 0.995, 0.009) + 0.22 * bump(phase, 0.28, 0.055);
}

static void draw_ecg(const mga_canvas *canvas, double seconds)
{
    static const mga_colour GREEN = {70, 214, 110};
    int32_t scale = mga_canvas_text_scale(canvas);
    if (scale == 0)
        return;
    int32_t left = (int32_t)canvas->columns / 20;
    int32_t width = (int32_t)canvas->columns * 9 / 10;
    double sweep = fmod(seconds, SWEEP_S) / SWEEP_S * width;
    double height = canvas->rows / 14.0;
    int32_t before = -1;
    for (int32_t x = 0; x < width; x++) {
        double age = sweep - x;
        if (age < 0.0)
            age += width;
        if (age > width - 14 * scale) { /* the gap in front of the pen */
            before = -1;
            continue;
        }
        double level = ecg_at(phase_at(seconds - age / width * SWEEP_S + 1000.0 * BEAT_S));
        int32_t row = (int32_t)(canvas->rows * 0.955 - height * level);
        int32_t from = before < 0 ? row : before;
        int32_t low = from < row ? from : row;
        mga_canvas_box(canvas, low, left + x, abs(from - row) + scale, 1, GREEN);
        before = row;
    }
}

void mga_pattern_us_draw(mga_pattern_us *p, uint8_t *dst, uint64_t number, double seconds)
{
    double phase = phase_at(seconds);
    double contraction = contraction_at(phase);
    warp(p, contraction, number);
    draw_valves(p, phase, contraction);
    if (p->samples == 3)
        make_frame_flow(p, phase, number);
    memcpy(dst, p->still, (size_t)p->rows * p->columns * p->samples);
    for (uint32_t row = 0; row < p->rows; row++) {
        const fan_row *r = &p->fan_rows[row];
        uint8_t *out = dst + ((size_t)row * p->columns + r->begin) * p->samples;
        if (p->samples == 3)
            convert_rgb(p, r, out);
        else
            convert_mono(p, r, out);
    }
    const mga_canvas canvas = {dst, p->rows, p->columns, p->samples, 1};
    draw_ecg(&canvas, seconds);
}
