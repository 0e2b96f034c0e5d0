/* The bits of a JPEG-LS scan on their way out and in.
 *
 * Out: a coder lists symbols; a symbol is h zeros, a one, and k bits (a Golomb code, T.87 A.5.3, and every other code
 * of a scan as well). The list becomes bits in loops of its own, and those become bytes with the zero behind each FFH
 * (T.87 A.1) in a third. In: bytes lose their stuffed zeros in blocks, and a code is then one load at a bit position.
 */
#ifndef MGA_JLS_BITS_H
#define MGA_JLS_BITS_H

#include "jls.h"

#define JLS_BLOCK 512u                        /* samples that are listed before they become bits */
#define JLS_SYMBOLS_MAX (2 * JLS_BLOCK + 64u) /* two blocks; a run behind its block takes a few symbols more */
#define JLS_RAW_BYTES ((size_t)JLS_SYMBOLS_MAX * JLS_SAMPLE_BYTES_MAX + 64u)

/* Errors, and of their contexts what k and the mapping of signs follow from (T.87 A.5.1, A.5.2): the list is gone
 * through in vectors, so that the loop over samples need not find them one by one. */
typedef struct {
    int32_t e[JLS_SYMBOLS_MAX];
    uint32_t a[JLS_SYMBOLS_MAX];
    uint32_t b[JLS_SYMBOLS_MAX]; /* B + N - 1 */
    uint16_t n[JLS_SYMBOLS_MAX];
    size_t count;
    uint32_t zeros; /* to be written before the next symbol */
} jls_symbols;

typedef struct {
    /* bits that do not fill a byte yet, at the top of `bits` */
    uint64_t bits;
    uint32_t bit_count;
    /* the same for the bytes behind stuffing, at the bottom of `held` */
    uint32_t held, held_count;
    bool after_ff;
    uint8_t *at, *end; /* destination */
    uint32_t code[JLS_SYMBOLS_MAX + 8];
    uint32_t length[JLS_SYMBOLS_MAX + 8];
    uint64_t word[JLS_SYMBOLS_MAX / 4]; /* four of them */
    uint32_t size[JLS_SYMBOLS_MAX / 4];
    uint8_t raw[JLS_RAW_BYTES];
} jls_writer;

typedef struct {
    const uint8_t *at, *end; /* coded bytes that were not taken yet */
    uint8_t *raw;            /* bits without stuffing, JLS_READ_SLACK zeros behind */
    size_t capacity;         /* of raw, without slack */
    size_t bytes;            /* in raw */
    uint64_t position;       /* of the next bit */
    uint64_t limit;          /* bits in raw, exactly once the segment has ended */
    uint32_t held, held_count;
    uint32_t all; /* mapped errors of a block, or-ed: no encoder writes one beyond the range */
    bool after_ff, ended;
} jls_reader;

#define JLS_READ_SLACK 4096u /* behind the last bit; damaged codes of one block may lead so far */

/* Lists a symbol: h zeros, a one, the low k bits of `low`; as an error of a context with this k and the plain mapping.
 * hmax zeros are the escape, then k is qbpp. */
static inline void jls_put_symbol(jls_symbols *s, uint32_t hmax, uint32_t h, uint32_t k, uint32_t low)
{
    h += s->zeros;
    s->zeros = 0;
    /* an escape's value is written less one (T.87 A.5.3), and that is undone when the symbol becomes bits */
    uint32_t m = (h << k) + low + (h >= hmax);
    s->e[s->count] = jls_unfold(m);
    s->a[s->count] = 1u << k;
    s->b[s->count] = 0;
    s->n[s->count++] = 1;
}

/* Lists a mapped error with the limited code of T.87 A.5.3 for this limit. */
static inline void jls_put_golomb(jls_symbols *s, const jls_coding *c, uint32_t limit, uint32_t k, uint32_t m)
{
    uint32_t hmax = c->limit - c->qbpp - 1;
    uint32_t most = limit - c->qbpp - 1;
    if (m >> k < most)
        jls_put_symbol(s, hmax, m >> k, k, m & ((1u << k) - 1));
    else
        jls_put_symbol(s, hmax, most, c->qbpp, (m - 1) & ((1u << c->qbpp) - 1));
}

/* Lists the run of `count` samples (T.87 A.7.1.2); `interrupted` unless the line ends with it. Moves the index on, but
 * not back. */
void jls_put_run(jls_symbols *s, const jls_coding *c, uint32_t *index, size_t count, bool interrupted);

/* Turns the list into bytes. False when the destination is full. */
bool jls_write_symbols(jls_writer *w, jls_symbols *s, const jls_coding *c);
/* Fills the last byte with zeros. */
bool jls_write_end(jls_writer *w);

/* Begins an entropy-coded segment at `at`. */
void jls_read_begin(jls_reader *r, const uint8_t *at, const uint8_t *end);
/* Makes `bytes` of coded data available behind the position, or all that the segment has. */
void jls_read_fill(jls_reader *r, size_t bytes);
/* Ends the segment; *at is then the marker behind it. MGA_OK or MGA_ERR_DATA_*. */
int64_t jls_read_end(jls_reader *r, const uint8_t **at);

/* 57 bits or more from the position on, at the top of the word. */
static inline uint64_t jls_peek(const uint8_t *raw, uint64_t position)
{
    return jls_get64(raw + (position >> 3)) << (position & 7);
}

/* The next mapped error under this limit, or -1 when no encoder writes such bits. */
int64_t jls_get_golomb(jls_reader *r, const jls_coding *c, uint32_t limit, uint32_t k);
/* Samples of the run that begins here (T.87 A.7.1.2), at most `left`; *interrupted unless it ends the line. */
size_t jls_get_run(jls_reader *r, uint32_t *index, size_t left, bool *interrupted);

#endif
