/* One line of JPEG-LS, sample by sample as T.87 describes it: near-lossless, sample interleaving, and parameters that
 * the fast paths leave out. Lines are in working memory with their edges: line[0] is the left one, samples begin at 1.
 */
#ifndef MGA_JLS_SCALAR_H
#define MGA_JLS_SCALAR_H

#include "jls_bits.h"

typedef struct {
    uint16_t *current[JLS_COMPONENTS_MAX]; /* when encoding replaced by what a decoder will see */
    const uint16_t *previous[JLS_COMPONENTS_MAX];
    size_t count;      /* samples of a component */
    size_t components; /* interleaved by sample; 1 otherwise */
    size_t component;  /* whose run index counts when it is one */
} jls_lines;

/* Sets the edges that follow from the line above (T.87 A.2.2). */
static inline void jls_set_edges(uint16_t *current, uint16_t *previous, size_t count)
{
    current[0] = previous[1];
    previous[count + 1] = previous[count];
}

/* Empties a list of symbols; false when the destination is full. */
typedef bool (*jls_flush)(void *owner);
/* Lists one line, and has the list emptied. MGA_OK, MGA_ERR_ARG_DST_SIZE, or MGA_ERR_DATA_SAMPLE when loss would reach
 * bits that are to be kept. */
int64_t jls_scalar_encode(jls_state *state, const jls_lines *lines, jls_symbols *symbols, jls_flush flush, void *owner);
/* The sample that ends a run (T.87 A.7.2); `index` is the run index before it falls. */
void jls_scalar_interrupt(jls_state *state, jls_symbols *symbols, uint32_t index, int32_t ra, int32_t rb, int32_t x);
/* One pixel, or one run; gives the pixel behind, or SIZE_MAX when no encoder writes such bits. */
size_t jls_scalar_decode_one(jls_state *state, const jls_lines *lines, size_t i, jls_reader *reader);
/* The same from a component on, when those before it were decoded. */
size_t jls_scalar_decode_rest(jls_state *state, const jls_lines *lines, size_t i, size_t component, jls_reader *reader);
/* MGA_OK or MGA_ERR_DATA_CODE. */
int64_t jls_scalar_decode(jls_state *state, const jls_lines *lines, jls_reader *reader);

#endif
