#include "jpl_reader.h"

#include "bytes.h"
#include "jpl.h"

#include <string.h>

#define ENTRIES_MAX ((size_t)1 << JPL_INDEX_BITS_MAX)
#define SMALL_FRAME 32768u /* samples; below, making large tables takes longer than it saves */
#define SMALL_INDEX_BITS 8u
#define BATCH 4u      /* look-ups of at most 12 bits that one fill of 56 bits is good for */
#define SEVERAL 3u    /* differences of one entry */
#define TURN_BYTES 32 /* more than JPL_TURN symbols can take */

/* --- tables ------------------------------------------------------------------------------------------------------- */

void jpl_codebook_make(jpl_codebook *book, const jpl_huffman *huffman)
{
    book->huffman = *huffman;
    uint32_t code = 0;
    uint32_t offset = 0;
    for (unsigned bits = 1; bits <= JPL_CODE_BITS; bits++) {
        book->first[bits] = code;
        book->offset[bits] = offset;
        code += huffman->counts[bits];
        offset += huffman->counts[bits];
        book->limit[bits] = code << (JPL_CODE_BITS - bits);
        code <<= 1;
    }
}

size_t jpl_lookup_bytes(void)
{
    return ENTRIES_MAX * (sizeof(uint64_t) + JPL_COMPONENTS * sizeof(uint32_t));
}

static void make_lengths(uint32_t *entries, const jpl_huffman *huffman, unsigned index_bits)
{
    memset(entries, 0, sizeof *entries << index_bits);
    size_t at = 0;
    size_t k = 0;
    for (unsigned bits = 1; bits <= index_bits; bits++)
        for (unsigned i = 0; i < huffman->counts[bits] && k < huffman->size; i++, k++) {
            unsigned extra = huffman->values[k];
            size_t span = (size_t)1 << (index_bits - bits);
            for (size_t j = 0; j < span && extra < 16; j++) /* 16 is left to the careful way */
                entries[at + j] = (bits + extra) | bits << 8 | extra << 16;
            at += span;
        }
}

/* The difference from the bits behind its code (T.81 table H.2). */
static inline int extend(unsigned low, unsigned extra)
{
    return extra && low >> (extra - 1) == 0 ? (int)low - (int)(1u << extra) + 1 : (int)low;
}

/* As many whole differences as an index holds. */
static uint64_t several_of(uint32_t index, const uint32_t *lengths, unsigned index_bits)
{
    uint32_t mask = (1u << index_bits) - 1;
    uint64_t word = 0;
    unsigned used = 0;
    unsigned n = 0;
    while (n < SEVERAL) {
        uint32_t entry = lengths[index << used & mask];
        unsigned bits = entry & 0xFF;
        unsigned extra = entry >> 16 & 15;
        if (bits == 0 || used + bits > index_bits)
            break;
        used += bits;
        uint32_t low = index >> (index_bits - used) & ((1u << extra) - 1);
        n++;
        word |= (uint64_t)(uint16_t)extend(low, extra) << 16 * n;
    }
    return word | n << 8 | used;
}

static void make_several(uint64_t *entries, const uint32_t *lengths, unsigned index_bits)
{
    for (uint32_t index = 0; index < 1u << index_bits; index++)
        entries[index] = several_of(index, lengths, index_bits);
}

/* The share of differences, by what the code lengths say, that an index does not hold: in 1 / 65536. */
static uint32_t share_outside(const jpl_huffman *huffman, unsigned index_bits)
{
    uint32_t share = 0;
    size_t k = 0;
    for (unsigned bits = 1; bits <= JPL_CODE_BITS; bits++)
        for (unsigned i = 0; i < huffman->counts[bits]; i++, k++)
            if (bits + huffman->values[k] > index_bits)
                share += 1u << (JPL_CODE_BITS - bits);
    return share;
}

static bool same_codes(const jpl_lookup *l)
{
    for (size_t c = 1; c < l->components; c++)
        if (!jpl_huffman_equal(&l->books[c].huffman, &l->books[0].huffman))
            return false;
    return true;
}

void jpl_lookup_make(jpl_lookup *lookup, uint8_t *memory, size_t samples)
{
    lookup->index_bits = samples < SMALL_FRAME ? SMALL_INDEX_BITS : JPL_INDEX_BITS_MAX;
    lookup->several = (uint64_t *)(void *)memory;
    bool same = same_codes(lookup);
    for (size_t c = 0; c < lookup->components; c++) {
        lookup->lengths[c] = (uint32_t *)(void *)(lookup->several + ENTRIES_MAX) + (same ? 0 : c * ENTRIES_MAX);
        if (c == 0 || !same)
            make_lengths(lookup->lengths[c], &lookup->books[c].huffman, lookup->index_bits);
    }
    for (size_t k = 0, c = 0; k < JPL_TURN; k++) {
        lookup->turn[k] = lookup->lengths[c];
        c = c + 1 < lookup->components ? c + 1 : 0;
    }
    lookup->use_several = same && share_outside(&lookup->books[0].huffman, lookup->index_bits) < 65536 / 16;
    if (lookup->use_several)
        make_several(lookup->several, lookup->lengths[0], lookup->index_bits);
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

void jpl_reader_begin(jpl_reader *reader, uint8_t *buffer, const uint8_t *at, const uint8_t *end)
{
    *reader = (jpl_reader){.at = at, .end = end, .buffer = buffer, .next = buffer, .fill = buffer};
    memset(buffer, 0, JPL_SLACK);
}

/* Moves what is left to the front of the buffer and fills up behind it. */
static void fill_buffer(jpl_reader *r)
{
    size_t rest = (size_t)(r->fill - r->next); /* never negative before the end */
    memmove(r->buffer, r->next, rest);
    r->next = r->buffer;
    uint8_t *out = r->buffer + rest;
    uint8_t *full = r->buffer + JPL_READ_BYTES;
    while (out < full && !r->closed) {
        size_t room = (size_t)(full - out);
        size_t n = (size_t)(r->end - r->at) < room ? (size_t)(r->end - r->at) : room;
        const uint8_t *found = memchr(r->at, 0xFF, n);
        size_t run = found ? (size_t)(found - r->at) : n;
        memcpy(out, r->at, run);
        out += run;
        r->at += run;
        if (r->at == r->end) {
            r->closed = true;
        } else if (found) {
            if (r->end - r->at < 2 || r->at[1] != 0) {
                r->closed = true;
            } else {
                *out++ = 0xFF;
                r->at += 2;
            }
        }
    }
    memset(out, 0, JPL_SLACK);
    r->fill = out;
}

const uint8_t *jpl_find_marker(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (at = memchr(at, 0xFF, (size_t)(end - at))) != NULL) {
        while (at < end && *at == 0xFF) /* fill bytes (T.81 B.1.1.2) */
            at++;
        if (at < end && *at != 0)
            return at - 1;
    }
    return NULL;
}

/* --- symbols ------------------------------------------------------------------------------------------------------ */

/* At least 56 bits; the eight bytes at `next` may be read. */
#define FILL_BITS(bits, count, next)                                                                                   \
    do {                                                                                                               \
        (bits) |= mga_get64_big(next) >> (count);                                                                      \
        (next) += (63 - (count)) >> 3;                                                                                 \
        (count) |= 56;                                                                                                 \
    } while (0)

/* One symbol with every check. MGA_OK or MGA_ERR_DATA_*. */
static int64_t take_symbol(jpl_reader *r, const jpl_codebook *book, int16_t *out)
{
    FILL_BITS(r->bits, r->count, r->next);
    uint32_t ahead = (uint32_t)(r->bits >> (64 - JPL_CODE_BITS));
    unsigned length = 1;
    while (length <= JPL_CODE_BITS && ahead >= book->limit[length])
        length++;
    ptrdiff_t missing = r->next - r->fill; /* bytes of zeros that are in `bits` */
    if (length > JPL_CODE_BITS)
        return missing > 0 ? MGA_ERR_DATA_TRUNCATED : MGA_ERR_DATA_CODE;
    uint32_t place = book->offset[length] + (ahead >> (JPL_CODE_BITS - length)) - book->first[length];
    unsigned category = book->huffman.values[place];
    unsigned extra = jpl_extra_bits(category);
    if (missing > 0 && length + extra + 8 * (unsigned)missing > r->count)
        return MGA_ERR_DATA_TRUNCATED;
    uint64_t behind = r->bits << length;
    int difference = extend((unsigned)(behind >> 1 >> (63 - extra)), extra);
    *out = (int16_t)(category == 16 ? INT16_MIN : difference);
    r->bits = behind << extra;
    r->count -= length + extra;
    return MGA_OK;
}

/* Whole batches while the buffer lasts; stops early at a code that is not in the table. */
static inline __attribute__((always_inline)) size_t read_several(jpl_reader *r, const jpl_lookup *l, int16_t *out,
                                                                 size_t wanted)
{
    const uint64_t *entries = l->several;
    unsigned shift = 64 - l->index_bits;
    uint64_t bits = r->bits;
    unsigned count = r->count;
    const uint8_t *next = r->next;
    int16_t *at = out;
    int16_t *stop = out + wanted;
    uint64_t entry = 1;
    while (at < stop && r->fill - next >= (ptrdiff_t)sizeof(uint64_t) && entry != 0) {
        FILL_BITS(bits, count, next);
        for (unsigned k = 0; k < BATCH; k++) {
            entry = entries[bits >> shift];
            mga_put_four(at, entry >> 16);
            at += entry >> 8 & 0xFF;
            bits <<= entry & 63;
            count -= (unsigned)(entry & 0xFF);
        }
    }
    r->bits = bits;
    r->count = count;
    r->next = next;
    return (size_t)(at - out);
}

/* Whole turns while the buffer lasts. How many, or MGA_ERR_DATA_*. */
static inline __attribute__((always_inline)) int64_t read_turns(jpl_reader *r, const jpl_lookup *l, int16_t *out,
                                                                size_t wanted)
{
    unsigned shift = 64 - l->index_bits;
    uint64_t bits = r->bits;
    unsigned count = r->count;
    const uint8_t *next = r->next;
    size_t done = 0;
    for (; done < wanted && r->fill - next >= TURN_BYTES; done += JPL_TURN) {
        for (size_t k = 0; k < JPL_TURN; k++) {
            if (k % 2 == 0)
                FILL_BITS(bits, count, next);
            uint32_t entry = l->turn[k][bits >> shift];
            if (__builtin_expect(entry == 0, 0)) {
                r->bits = bits;
                r->count = count;
                r->next = next;
                int64_t status = take_symbol(r, &l->books[k % l->components], out + done + k);
                if (status < 0)
                    return status;
                bits = r->bits;
                count = r->count;
                next = r->next;
                FILL_BITS(bits, count, next);
                continue;
            }
            unsigned extra = entry >> 16;
            uint64_t behind = bits << (entry >> 8 & 63);
            uint32_t low = (uint32_t)(behind >> 1 >> (63 - extra));
            uint32_t negative = (uint32_t)((int64_t)~behind >> 63);
            out[done + k] = (int16_t)(low - (negative & ((1u << extra) - 1)));
            bits <<= entry & 63;
            count -= entry & 0xFF;
        }
    }
    r->bits = bits;
    r->count = count;
    r->next = next;
    return (int64_t)done;
}

typedef struct {
    size_t (*several)(jpl_reader *r, const jpl_lookup *l, int16_t *out, size_t wanted);
    int64_t (*turns)(jpl_reader *r, const jpl_lookup *l, int16_t *out, size_t wanted);
} loops;

static size_t several_portable(jpl_reader *r, const jpl_lookup *l, int16_t *out, size_t wanted)
{
    return read_several(r, l, out, wanted);
}

static int64_t turns_portable(jpl_reader *r, const jpl_lookup *l, int16_t *out, size_t wanted)
{
    return read_turns(r, l, out, wanted);
}

#if defined(__x86_64__)
#define BMI2 __attribute__((target("bmi,bmi2,lzcnt")))

static size_t BMI2 several_bmi2(jpl_reader *r, const jpl_lookup *l, int16_t *out, size_t wanted)
{
    return read_several(r, l, out, wanted);
}

static int64_t BMI2 turns_bmi2(jpl_reader *r, const jpl_lookup *l, int16_t *out, size_t wanted)
{
    return read_turns(r, l, out, wanted);
}
#endif

static const loops *best_loops(void)
{
#if defined(__x86_64__)
    static const loops WITH_BMI2 = {several_bmi2, turns_bmi2};
    if (__builtin_cpu_supports("bmi2"))
        return &WITH_BMI2;
#endif
    static const loops PORTABLE = {several_portable, turns_portable};
    return &PORTABLE;
}

/* Differences by the tables, as many as may be had without looking at each. How many, or MGA_ERR_DATA_*. */
static int64_t read_fast(jpl_reader *reader, const jpl_lookup *lookup, int16_t *out, size_t wanted, size_t left)
{
    size_t ahead = lookup->use_several ? BATCH * SEVERAL : JPL_TURN;
    if (left < ahead)
        return 0;
    size_t most = left - ahead + 1; /* a batch that begins below it ends inside of left */
    size_t n = wanted < most ? wanted : most;
    const loops *fast = best_loops();
    return lookup->use_several ? (int64_t)fast->several(reader, lookup, out, n) : fast->turns(reader, lookup, out, n);
}

/* One difference, or one pixel where components have codes of their own. How many, or MGA_ERR_DATA_*. */
static int64_t read_careful(jpl_reader *reader, const jpl_lookup *lookup, int16_t *out)
{
    size_t step = lookup->use_several ? 1 : lookup->components;
    for (size_t c = 0; c < step; c++) {
        int64_t status = take_symbol(reader, &lookup->books[c], out + c);
        if (status < 0)
            return status;
    }
    return (int64_t)step;
}

int64_t jpl_read(jpl_reader *reader, const jpl_lookup *lookup, int16_t *out, size_t wanted, size_t left)
{
    size_t done = 0;
    while (done < wanted) {
        if (!reader->closed && reader->fill - reader->next < TURN_BYTES)
            fill_buffer(reader);
        int64_t got = read_fast(reader, lookup, out + done, wanted - done, left - done);
        if (got < 0)
            return got;
        done += (size_t)got;
        bool low = !reader->closed && reader->fill - reader->next < TURN_BYTES;
        if (done >= wanted || low)
            continue;
        got = read_careful(reader, lookup, out + done);
        if (got < 0)
            return got;
        done += (size_t)got;
    }
    return (int64_t)done;
}
