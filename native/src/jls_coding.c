#include "jls.h"

const uint8_t JLS_RUN_BITS[JLS_RUN_INDEX_MAX + 1] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                                     4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};
const uint16_t JLS_RUN_SAMPLES[JLS_RUN_INDEX_MAX + 1] = {0,   1,   2,   3,   4,    6,    8,    10,   12,    16,   20,
                                                         24,  28,  36,  44,  52,   60,   76,   92,   124,   156,  220,
                                                         284, 412, 540, 796, 1308, 2332, 4380, 8476, 16668, 33052};

static uint32_t max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* A threshold out of its limits falls to the lower one (T.87 C.2.4.1.1.1). */
static uint32_t threshold(uint32_t value, uint32_t low, uint32_t maxval)
{
    return value > maxval || value < low ? low : value;
}

static void default_thresholds(jls_coding *c)
{
    uint32_t base[3] = {3, 7, 21};
    const uint32_t least[3] = {2, 3, 4};
    if (c->maxval >= 128) {
        uint32_t factor = ((c->maxval < 4095 ? c->maxval : 4095) + 128) / 256;
        for (int i = 0; i < 3; i++)
            base[i] = factor * (base[i] - least[i]) + least[i];
    } else {
        uint32_t factor = 256 / (c->maxval + 1);
        for (int i = 0; i < 3; i++)
            base[i] = base[i] / factor;
    }
    uint32_t given[3] = {c->t1, c->t2, c->t3};
    uint32_t low = c->near + 1;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t value = base[i] + (2 * i + 3) * c->near;
        if (!given[i])
            given[i] = threshold(c->maxval >= 128 ? value : max32(least[i], value), low, c->maxval);
        low = given[i];
    }
    c->t1 = given[0];
    c->t2 = given[1];
    c->t3 = given[2];
}

void jls_coding_complete(jls_coding *c)
{
    default_thresholds(c);
    if (!c->reset)
        c->reset = JLS_RESET;
    c->range = (c->maxval + 2 * c->near) / (2 * c->near + 1) + 1;
    c->qbpp = jls_bit_length(c->range - 1);
    uint32_t bpp = max32(2, jls_bit_length(c->maxval));
    c->limit = 2 * (bpp + max32(8, bpp));
}

int64_t jls_coding_check(const jls_coding *c)
{
    bool ordered = c->near < c->t1 && c->t1 <= c->t2 && c->t2 <= c->t3 && c->t3 <= c->maxval;
    bool reset = c->reset >= 3 && c->reset <= max32(255, c->maxval);
    return ordered && reset && c->near <= c->maxval / 2 ? MGA_OK : MGA_ERR_DATA_MARKER;
}

static void fill_steps(jls_steps *s)
{
    for (uint32_t n = 0; n <= JLS_RESET; n++) {
        s->n[n] = (jls_pair){n, n};
        s->step[n] = (jls_pair){n + 1, UINT32_MAX};
        s->most[n] = (jls_pair){n, JLS_C_MAX};
        s->width[n] = (jls_pair){n, JLS_C_MAX - JLS_C_MIN};
        s->reciprocal[n] = INT32_MAX / (n + 1);
    }
}

void jls_state_reset(jls_state *s)
{
    uint32_t a = max32(2, (s->coding.range + 32) / 64);
    fill_steps(&s->steps);
    jls_context fresh = {.a = a, .n = 1, .code = {(int8_t)jls_golomb_room(s->steps.reciprocal[0], a), 0}};
    for (size_t i = 0; i < sizeof s->contexts / sizeof *s->contexts; i++)
        s->contexts[i] = fresh;
    s->runs[0] = s->runs[1] = (jls_run_context){.a = a, .n = 1};
    memset(s->run_index, 0, sizeof s->run_index);
}
