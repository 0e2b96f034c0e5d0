/* Lossless lines of JPEG-LS, fast: NEAR 0, MAXVAL 2^P - 1, RESET 64, components one by one.
 *
 * What depends on known samples alone is computed for a block of them in loops that the compiler makes vectors of: an
 * encoder knows all of them, a decoder those of the line above. The loop from sample to sample then touches little but
 * the contexts. Blocks begin where a run ends, so a long run costs no more than its comparison. The same C is compiled
 * twice: for any processor, and for those with AVX2 and BMI2. */
#ifndef MGA_JLS_LOSSLESS_H
#define MGA_JLS_LOSSLESS_H

#include "jls_fast.h"
#include "jls_scalar.h"

/* Signs are turned so that every context number is positive (T.87 A.3.4). */
typedef struct {
    uint16_t context[JLS_BLOCK]; /* byte offset of the context; 0 = run */
    int16_t error[JLS_BLOCK];    /* sample less prediction */
    int16_t low[JLS_BLOCK];      /* what C may change the prediction by without leaving 0..MAXVAL */
    int16_t high[JLS_BLOCK];
} jls_encode_block;

#define JLS_DECODE_BLOCK 128u

typedef struct {
    int32_t
        third[JLS_DECODE_BLOCK]; /* index of the entry for the third difference, less ra; if clamped, of its table */
    int32_t above[JLS_DECODE_BLOCK]; /* rb */
    int32_t least[JLS_DECODE_BLOCK]; /* rb - rc if that is below 0, else 0 */
    int32_t most[JLS_DECODE_BLOCK];  /* rb - rc if that is above 0, else 0 */
    uint32_t row[JLS_DECODE_BLOCK];  /* byte offset in the state of the context that the first two differences give */
} jls_decode_block;

/* What a third difference -reach..reach adds to the context of the first two, in half contexts, and the sign. Three
 * tables behind each other: for a positive row, for a negative one, and for the row in which the first two are 0. */
typedef struct {
    int8_t *context, *sign;
    int32_t reach;
    bool clamped; /* there are greater differences, which count like reach */
} jls_thirds;

/* One difference, quantised with its sign (T.87 A.3.3); written so that compilers make vectors of it. */
static inline int16_t jls_quantise(uint16_t x, uint16_t y, uint16_t t1, uint16_t t2, uint16_t t3)
{
    uint16_t high = x > y ? x : y;
    uint16_t low = x > y ? y : x;
    uint16_t size = (uint16_t)(high - low);
    int16_t sign = (int16_t) - (x < y);
    int16_t q = (int16_t)((size > 0) + (size >= t1) + (size >= t2) + (size >= t3));
    return (int16_t)((q ^ sign) - sign);
}

static inline bool jls_is_lossless(const jls_coding *c)
{
    return c->near == 0 && c->maxval == (1u << c->precision) - 1 && c->reset == JLS_RESET;
}

/* As jls_scalar_encode. */
int64_t jls_lossless_encode(jls_state *state, jls_encode_block *block, const jls_lines *lines, jls_symbols *symbols,
                            jls_flush flush, void *owner);

/* Memory for the tables of a frame; few samples do not pay for an entry of each difference. */
size_t jls_thirds_bytes(const mga_format *format);
/* Fills the tables. False when the memory does not suffice for these thresholds. */
bool jls_thirds_fill(jls_thirds *thirds, int8_t *memory, const mga_format *format, const jls_coding *coding);
/* As jls_scalar_decode. */
int64_t jls_lossless_decode(jls_state *state, jls_decode_block *block, const jls_thirds *thirds, const jls_lines *lines,
                            jls_reader *reader);
/* The same for three components by sample and tables that are not clamped; three blocks. */
int64_t jls_pixel_decode(jls_state *state, jls_decode_block *blocks, const jls_thirds *thirds, const jls_lines *lines,
                         jls_reader *reader);
size_t jls_decode_work_bytes(const mga_format *format);

#endif
