#include "jls_scalar.h"
#include "jls_run.h"

/* How one sample is coded differs by direction only where its error is written or read. */
typedef struct {
    jls_state *state;
    jls_symbols *symbols; /* encoding */
    jls_reader *reader;   /* decoding */
    bool damaged;         /* decoding: no encoder writes such bits; encoding: bits to be kept would change */
} coder;

static int32_t quantise(int32_t d, const jls_coding *c)
{
    uint32_t size = (uint32_t)(d < 0 ? -d : d);
    int32_t q = (size > c->near) + (size >= c->t1) + (size >= c->t2) + (size >= c->t3);
    return d < 0 ? -q : q;
}

/* T.87 A.3.3 and A.3.4: -364..364; 0 is run mode. */
static int32_t context_of(const uint16_t *current, const uint16_t *previous, size_t i, const jls_coding *c)
{
    int32_t ra = current[i];
    int32_t rc = previous[i];
    int32_t rb = previous[i + 1];
    int32_t rd = previous[i + 2];
    return 81 * quantise(rd - rb, c) + 9 * quantise(rb - rc, c) + quantise(rc - ra, c);
}

static int32_t median(int32_t ra, int32_t rb, int32_t rc)
{
    int32_t high = ra > rb ? ra : rb;
    int32_t low = ra > rb ? rb : ra;
    return rc >= high ? low : rc <= low ? high : ra + rb - rc;
}

static int32_t clamp(int32_t x, const jls_coding *c)
{
    return x < 0 ? 0 : x > (int32_t)c->maxval ? (int32_t)c->maxval : x;
}

/* The quantised error, reduced to the range (T.87 A.4.4, A.4.5). */
static int32_t error_of(int32_t e, const jls_coding *c)
{
    int32_t step = (int32_t)(2 * c->near + 1);
    int32_t range = (int32_t)c->range;
    e = e > 0 ? (e + (int32_t)c->near) / step : -(((int32_t)c->near - e) / step);
    e += e < 0 ? range : 0;
    return e >= (range + 1) / 2 ? e - range : e;
}

/* The sample that a decoder makes of prediction and error (T.87 A.4.5). */
static int32_t restore(int32_t px, int32_t e, const jls_coding *c)
{
    int32_t step = (int32_t)(2 * c->near + 1);
    int32_t x = px + e * step;
    if (x < -(int32_t)c->near)
        x += (int32_t)c->range * step;
    else if (x > (int32_t)(c->maxval + c->near))
        x -= (int32_t)c->range * step;
    return clamp(x, c);
}

static uint32_t golomb_k(uint64_t n, uint64_t a)
{
    uint32_t k = 0;
    while (n << k < a)
        k++;
    return k;
}

/* T.87 A.6 for any RESET and NEAR. */
static void update(jls_context *x, int32_t e, const jls_coding *c)
{
    int32_t n = x->n;
    int32_t b = (int32_t)x->bc[0] + 1 - n + e * (int32_t)(2 * c->near + 1);
    int32_t correction = (int32_t)x->bc[1];
    x->a += (uint32_t)(e < 0 ? -e : e);
    if (x->n == c->reset) {
        x->a >>= 1;
        b >>= 1;
        n >>= 1;
    }
    n++;
    if (b <= -n) {
        b = b + n <= -n ? 1 - n : b + n;
        correction -= correction > JLS_C_MIN;
    } else if (b > 0) {
        b = b - n > 0 ? 0 : b - n;
        correction += correction < JLS_C_MAX;
    }
    x->n = (uint16_t)n;
    x->bc = (jls_pair){(uint32_t)(b + n - 1), (uint32_t)correction};
}

/* Replaces a sample by what a decoder will see; takes note when that changes bits that are to be kept. */
static void see(coder *o, uint16_t *sample, uint32_t seen)
{
    o->damaged |= ((*sample ^ seen) & o->state->coding.kept) != 0;
    *sample = (uint16_t)seen;
}

/* Codes the mapped error when encoding; gives it when decoding. */
static uint32_t code(coder *o, uint32_t limit, uint32_t k, uint32_t m)
{
    const jls_coding *c = &o->state->coding;
    if (o->symbols) {
        jls_put_golomb(o->symbols, c, limit, k, m);
        return m;
    }
    int64_t found = jls_get_golomb(o->reader, c, limit, k);
    /* |e| is at most half the range, so a mapped error is at most the range */
    o->damaged |= found < 0 || found > c->range;
    return o->damaged ? 0 : (uint32_t)found;
}

/* One sample in the context q; gives what a decoder sees (T.87 A.4 to A.6). */
static uint16_t regular(coder *o, int32_t q, int32_t px, int32_t sample)
{
    const jls_coding *c = &o->state->coding;
    int32_t sign = q < 0 ? -1 : 1;
    jls_context *x = &o->state->contexts[q < 0 ? -q : q];
    px = clamp(px + sign * (int32_t)x->bc[1], c);
    uint32_t k = golomb_k(x->n, x->a);
    uint32_t turned = c->near == 0 && k == 0 && 2 * (int32_t)x->bc[0] + 2 <= (int32_t)x->n;
    uint32_t m = o->symbols ? jls_fold(error_of(sign * (sample - px), c)) ^ turned : 0;
    int32_t e = jls_unfold(code(o, c->limit, k, m) ^ turned);
    if (c->near == 0 && c->reset == JLS_RESET) /* keeps what the fast paths need */
        jls_update(x, &o->state->steps, e, (uint32_t)(e < 0 ? -e : e));
    else
        update(x, e, c);
    return (uint16_t)restore(px, sign * e, c);
}

/* The sample that ends a run (T.87 A.7.2). */
static uint16_t interruption(coder *o, uint32_t index, int32_t ra, int32_t rb, int32_t sample, bool by_left)
{
    const jls_coding *c = &o->state->coding;
    jls_run_context *x = &o->state->runs[by_left];
    int32_t sign = !by_left && ra > rb ? -1 : 1;
    int32_t px = by_left ? ra : rb;
    uint32_t a = jls_run_a(x, by_left);
    uint32_t k = c->reset == JLS_RESET ? jls_run_k(x, &o->state->steps, a) : golomb_k(x->n, a);
    bool often = 2 * x->negatives >= x->n;
    uint32_t m = 0;
    if (o->symbols) {
        int32_t e = error_of(sign * (sample - px), c);
        bool map = e > 0 ? k == 0 && !often : e < 0 && (often || k != 0);
        m = 2 * (uint32_t)(e < 0 ? -e : e) - by_left - map;
    }
    m = code(o, c->limit - JLS_RUN_BITS[index] - 1, k, m);
    int32_t e = jls_run_error(x, m, k, by_left);
    jls_run_update(x, c->reset, m, e, by_left);
    return (uint16_t)restore(px, sign * e, c);
}

static bool is_near(int32_t x, int32_t y, const jls_coding *c)
{
    return (uint32_t)(x < y ? y - x : x - y) <= c->near;
}

void jls_scalar_interrupt(jls_state *state, jls_symbols *symbols, uint32_t index, int32_t ra, int32_t rb, int32_t x)
{
    coder o = {.state = state, .symbols = symbols};
    (void)interruption(&o, index, ra, rb, x, is_near(ra, rb, &state->coding));
}

static bool in_run(const jls_lines *l, size_t i, const uint16_t *ra, const jls_coding *c)
{
    bool all = true;
    for (size_t j = 0; j < l->components; j++)
        all = all && is_near(l->current[j][i + 1], ra[j], c);
    return all;
}

/* A run from pixel i on (T.87 A.7); gives the pixel behind it and what ended it. */
static size_t run(coder *o, const jls_lines *l, size_t i)
{
    const jls_coding *c = &o->state->coding;
    uint32_t *index = &o->state->run_index[l->component];
    uint16_t ra[JLS_COMPONENTS_MAX] = {0};
    for (size_t j = 0; j < l->components; j++)
        ra[j] = l->current[j][i];
    bool interrupted = false;
    size_t end = i;
    if (o->symbols) {
        while (end < l->count && in_run(l, end, ra, c))
            end++;
        interrupted = end < l->count;
        jls_put_run(o->symbols, c, index, end - i, interrupted);
    } else {
        end += jls_get_run(o->reader, index, l->count - i, &interrupted);
        if (interrupted && end >= l->count) {
            o->damaged = true;
            return l->count;
        }
    }
    for (size_t j = 0; j < l->components; j++)
        for (size_t p = i; p < end; p++)
            see(o, &l->current[j][p + 1], ra[j]);
    if (!interrupted)
        return end;
    for (size_t j = 0; j < l->components; j++) {
        int32_t rb = l->previous[j][end + 1];
        bool by_left = l->components == 1 && is_near(ra[j], rb, c);
        uint16_t *sample = &l->current[j][end + 1];
        see(o, sample, interruption(o, *index, ra[j], rb, *sample, by_left));
    }
    *index -= *index > 0;
    return end + 1;
}

/* One sample, in the context q. */
static void sample(coder *o, const jls_lines *l, size_t i, size_t j, int32_t q)
{
    uint16_t *current = l->current[j];
    int32_t px = median(current[i], l->previous[j][i + 1], l->previous[j][i]);
    see(o, &current[i + 1], regular(o, q, px, current[i + 1]));
}

/* One pixel, or one run of them; gives the pixel behind. */
static size_t advance(coder *o, const jls_lines *l, size_t i)
{
    const jls_coding *c = &o->state->coding;
    int32_t q[JLS_COMPONENTS_MAX] = {0};
    bool flat = true;
    for (size_t j = 0; j < l->components; j++) {
        q[j] = context_of(l->current[j], l->previous[j], i, c);
        flat = flat && q[j] == 0;
    }
    if (flat)
        return run(o, l, i);
    for (size_t j = 0; j < l->components; j++)
        sample(o, l, i, j, q[j]);
    return i + 1;
}

int64_t jls_scalar_encode(jls_state *state, const jls_lines *lines, jls_symbols *symbols, jls_flush flush, void *owner)
{
    coder o = {.state = state, .symbols = symbols};
    for (size_t i = 0; i < lines->count;) {
        i = advance(&o, lines, i);
        if (symbols->count >= JLS_BLOCK && !flush(owner))
            return MGA_ERR_ARG_DST_SIZE;
    }
    if (o.damaged)
        return MGA_ERR_DATA_SAMPLE;
    return flush(owner) ? MGA_OK : MGA_ERR_ARG_DST_SIZE;
}

size_t jls_scalar_decode_one(jls_state *state, const jls_lines *lines, size_t i, jls_reader *reader)
{
    coder o = {.state = state, .reader = reader};
    i = advance(&o, lines, i);
    return o.damaged ? SIZE_MAX : i;
}

size_t jls_scalar_decode_rest(jls_state *state, const jls_lines *lines, size_t i, size_t component, jls_reader *reader)
{
    if (component == 0)
        return jls_scalar_decode_one(state, lines, i, reader);
    coder o = {.state = state, .reader = reader};
    for (size_t j = component; j < lines->components; j++)
        sample(&o, lines, i, j, context_of(lines->current[j], lines->previous[j], i, &state->coding));
    return o.damaged ? SIZE_MAX : i + 1;
}

int64_t jls_scalar_decode(jls_state *state, const jls_lines *lines, jls_reader *reader)
{
    coder o = {.state = state, .reader = reader};
    for (size_t i = 0; i < lines->count && !o.damaged;)
        i = advance(&o, lines, i);
    return o.damaged ? MGA_ERR_DATA_CODE : MGA_OK;
}
