/* From coded bytes to differences (T.81 F.2.2, H.2): the part of the decoder that takes the time.
 *
 * FF00 is un-stuffed into a buffer first, so that eight bytes are one word of bits. A table is looked up with the next
 * `index_bits` bits of it. Where many codes are that short, an entry holds up to three whole differences, and a frame
 * takes less than one look-up for each; where they are long, it holds the lengths, and the difference is computed.
 * Codes that no table holds, and the last bytes before a marker, are taken one by one with every check. */
#ifndef MGA_JPL_READER_H
#define MGA_JPL_READER_H

#include "jpl_huffman.h"

#define JPL_INDEX_BITS_MAX 12u /* a table of 32 KiB stays in the first cache */
#define JPL_READ_BYTES 16384u  /* un-stuffed at a time */
#define JPL_AHEAD 16u          /* more differences than wanted that a call may give and store */
#define JPL_COMPONENTS 3u
#define JPL_TURN 6u /* symbols until components and fills of the bit buffer are in step again */

typedef struct {
    jpl_huffman huffman;
    uint32_t limit[JPL_CODE_BITS + 1];  /* one above the last code of each length, 16 bits aligned left */
    uint32_t first[JPL_CODE_BITS + 1];  /* the first code of each length */
    uint32_t offset[JPL_CODE_BITS + 1]; /* and its place among the values */
} jpl_codebook;

/* Look-up tables for the codes of one scan. */
typedef struct {
    jpl_codebook books[JPL_COMPONENTS];
    uint32_t *lengths[JPL_COMPONENTS]; /* bits 0..7 of the symbol, 8..15 of its code, 16..23 behind it; 0: not here */
    const uint32_t *turn[JPL_TURN];    /* `lengths` of the symbols that follow each other */
    uint64_t *several; /* bits 0..7 of all, 8..15 how many (0..3), then the differences; one book only */
    size_t components; /* of the scan; they take turns */
    unsigned index_bits;
    bool use_several;
} jpl_lookup;

typedef struct {
    const uint8_t *at, *end; /* coded bytes that are not un-stuffed yet */
    uint8_t *buffer;         /* JPL_READ_BYTES and slack */
    const uint8_t *next;     /* the first byte of the buffer that is not in `bits` */
    uint8_t *fill;           /* where its bytes end; zeros behind */
    uint64_t bits;           /* aligned left; those behind the first `count` are right or zero */
    unsigned count;
    bool closed; /* a marker or the end of the input is next */
} jpl_reader;

/* Bytes of working memory for the tables. */
size_t jpl_lookup_bytes(void);
/* Makes the tables for books[0..components-1]; samples: how many the frame has, a small one gets small tables. */
void jpl_lookup_make(jpl_lookup *lookup, uint8_t *memory, size_t samples);
void jpl_codebook_make(jpl_codebook *book, const jpl_huffman *huffman);

/* Begins to read at `at`; buffer has JPL_READ_BYTES and JPL_SLACK bytes. */
void jpl_reader_begin(jpl_reader *reader, uint8_t *buffer, const uint8_t *at, const uint8_t *end);
/* Reads at least `wanted` differences, components in turn, never more than `left` and wanted + JPL_AHEAD; wanted and
 * left are whole pixels. How many, or MGA_ERR_DATA_*. */
int64_t jpl_read(jpl_reader *reader, const jpl_lookup *lookup, int16_t *out, size_t wanted, size_t left);
/* The next marker that is not 00, whatever stands before it; null when there is none. */
const uint8_t *jpl_find_marker(const uint8_t *at, const uint8_t *end);

#endif
