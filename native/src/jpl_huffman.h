/* Huffman codes of difference categories (T.81 Annexes C, H and K.2): made from counts, and read from a DHT segment. */
#ifndef MGA_JPL_HUFFMAN_H
#define MGA_JPL_HUFFMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JPL_CATEGORIES 17u /* SSSS 0..16 (T.81 table H.2) */
#define JPL_CODE_BITS 16u  /* the longest code */

/* What a DHT segment says: codes of each length, and the categories in the order of their codes. */
typedef struct {
    uint8_t counts[JPL_CODE_BITS + 1]; /* [0] is not used */
    uint8_t values[JPL_CATEGORIES];
    size_t size; /* categories that have a code; 0 = no table */
} jpl_huffman;

/* Codes by category; a category without a code has length 0. */
typedef struct {
    uint16_t code[JPL_CATEGORIES];
    uint8_t length[JPL_CATEGORIES];
} jpl_codes;

/* The codes of T.81 K.2 for these counts, of at most 16 bits; the code of all ones stays free (T.81 C.2). */
void jpl_huffman_make(jpl_huffman *huffman, const uint32_t counts[JPL_CATEGORIES]);
/* Are these lengths a code, and are the values different categories? */
bool jpl_huffman_is_code(const jpl_huffman *huffman);
bool jpl_huffman_equal(const jpl_huffman *a, const jpl_huffman *b);
void jpl_huffman_codes(jpl_codes *codes, const jpl_huffman *huffman);
/* Bits behind a code: the category's own, but none for 16, which is one value (T.81 H.1.2.2). */
static inline unsigned jpl_extra_bits(unsigned category)
{
    return category & 15u;
}

#endif
