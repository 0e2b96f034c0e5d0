/* The procedure of T.81 K.2, ties and all, so that every encoder that follows it comes to the same codes, and to as
 * many FFH bytes.
 *
 * A leaf that stands for the code of all ones takes part with next to no weight; so it gets one of the longest codes,
 * is sorted behind all others of that length, and is left out. */
#include "jpl_huffman.h"

#include <string.h>

#define LEAVES (JPL_CATEGORIES + 1u)
#define RESERVED JPL_CATEGORIES /* the leaf of all ones */
#define NONE LEAVES

/* The lightest tree but `without`, the last of equals (T.81 figure K.1). */
static size_t lightest(const uint64_t weights[LEAVES], size_t without)
{
    size_t found = NONE;
    for (size_t i = 0; i < LEAVES; i++)
        if (i != without && weights[i] > 0 && (found == NONE || weights[i] <= weights[found]))
            found = i;
    return found;
}

/* All leaves of a tree are one bit longer; the last one is returned. */
static size_t lengthen(uint8_t lengths[LEAVES], const size_t next[LEAVES], size_t leaf)
{
    lengths[leaf]++;
    while (next[leaf] != NONE) {
        leaf = next[leaf];
        lengths[leaf]++;
    }
    return leaf;
}

/* How many codes have each length; no tree of 18 leaves is deeper than 17. */
static void count_lengths(uint8_t counts[LEAVES], uint8_t lengths[LEAVES], const uint32_t *categories)
{
    uint64_t weights[LEAVES];
    size_t next[LEAVES]; /* leaves of one tree are a list */
    for (size_t i = 0; i < LEAVES; i++) {
        weights[i] = i == RESERVED ? 1 : categories[i];
        next[i] = NONE;
    }
    for (;;) {
        size_t first = lightest(weights, NONE);
        size_t second = lightest(weights, first);
        if (second == NONE)
            break;
        weights[first] += weights[second];
        weights[second] = 0;
        next[lengthen(lengths, next, first)] = second;
        (void)lengthen(lengths, next, second);
    }
    for (size_t i = 0; i < LEAVES; i++)
        if (lengths[i] > 0)
            counts[lengths[i]]++;
}

/* Two codes of 17 bits become one of 16 and, below a shorter one that gives way, two of its length and one
 * (T.81 figure K.3). */
static void shorten(uint8_t counts[LEAVES])
{
    while (counts[JPL_CODE_BITS + 1] > 0) {
        size_t bits = JPL_CODE_BITS - 1;
        while (counts[bits] == 0)
            bits--;
        counts[JPL_CODE_BITS + 1] = (uint8_t)(counts[JPL_CODE_BITS + 1] - 2);
        counts[JPL_CODE_BITS]++;
        counts[bits + 1] = (uint8_t)(counts[bits + 1] + 2);
        counts[bits]--;
    }
}

void jpl_huffman_make(jpl_huffman *huffman, const uint32_t counts[JPL_CATEGORIES])
{
    uint8_t lengths[LEAVES] = {0};
    uint8_t codes[LEAVES] = {0};
    count_lengths(codes, lengths, counts);
    shorten(codes);
    size_t longest = JPL_CODE_BITS;
    while (codes[longest] == 0)
        longest--;
    codes[longest]--; /* all ones */
    *huffman = (jpl_huffman){0};
    memcpy(huffman->counts, codes, sizeof huffman->counts);
    for (size_t bits = 1; bits < LEAVES; bits++)
        for (uint8_t i = 0; i < RESERVED; i++)
            if (lengths[i] == bits)
                huffman->values[huffman->size++] = i;
}

bool jpl_huffman_is_code(const jpl_huffman *huffman)
{
    uint32_t seen = 0;
    for (size_t k = 0; k < huffman->size; k++) {
        uint8_t value = huffman->values[k];
        if (value >= JPL_CATEGORIES || seen >> value & 1)
            return false;
        seen |= 1u << value;
    }
    uint32_t code = 0;
    for (unsigned bits = 1; bits <= JPL_CODE_BITS; bits++) {
        code = 2 * code + huffman->counts[bits];
        if (code > 1u << bits)
            return false;
    }
    return true;
}

bool jpl_huffman_equal(const jpl_huffman *a, const jpl_huffman *b)
{
    return a->size == b->size && memcmp(a->counts, b->counts, sizeof a->counts) == 0 &&
           memcmp(a->values, b->values, a->size) == 0;
}

void jpl_huffman_codes(jpl_codes *codes, const jpl_huffman *huffman)
{
    *codes = (jpl_codes){0};
    uint32_t code = 0;
    size_t k = 0;
    for (unsigned bits = 1; bits <= JPL_CODE_BITS; bits++, code <<= 1)
        for (unsigned i = 0; i < huffman->counts[bits]; i++, k++) {
            codes->code[huffman->values[k]] = (uint16_t)code++;
            codes->length[huffman->values[k]] = (uint8_t)bits;
        }
}
