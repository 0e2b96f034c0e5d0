/* The ultrasound pattern: a beating four-chamber heart in a sector fan.
 *
 * Made once: a tissue picture in polar space (log-compressed speckle over an echo map, 192 beams of 640 samples), how
 * far each of its samples moves at full contraction, and for each pixel of the fan where in polar space it looks. A
 * frame warps the polar picture by the phase of the beat, lays flickering noise over the blood, and scan-converts it
 * with bilinear weights: about 2 ms for 1024 x 768 RGB. The colour flow, the ECG and the labels are drawn over it. */
#include <stdlib.h>
#include <string.h>

#include "pattern_us.h"
#include "random.h"

#define BEAT_S 0.857 /* 70 beats per minute */
#define SWEEP_S 4.0  /* the ECG writes one screen */
#define PI 3.14159265358979

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
        const us_chamber *atrium = &mga_us_chambers[LEFT_ATRIUM + k];
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
