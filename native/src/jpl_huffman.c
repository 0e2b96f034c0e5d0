/* Package-merge instead of the two steps of T.81 K.2: with 18 leaves it is as quick, and no limit spoils its optimum.
 *
 * A leaf that stands for the code of all ones takes part with next to no weight; so it gets one of the longest codes,
 * is sorted behind all others of that length, and is left out. */
#include "jpl_huffman.h"

#include <string.h>

#define LEAVES (JPL_CATEGORIES + 1u)
#define RESERVED JPL_CATEGORIES /* the leaf of all ones */

/* A leaf, or two cheaper packages; how often each leaf is in it. */
typedef struct {
    uint64_t weight;
    uint8_t uses[LEAVES];
} package;

static size_t sorted_leaves(package leaves[LEAVES], const uint32_t counts[JPL_CATEGORIES])
{
    size_t size = 0;
    for (size_t i = 0; i < LEAVES; i++) {
        /* 16 bits of the reserved code together weigh less than one bit of a sample */
        uint64_t weight = i == RESERVED ? 1 : (uint64_t)counts[i] * 2 * JPL_CODE_BITS;
        if (weight == 0)
            continue;
        size_t at = size++;
        for (; at > 0 && leaves[at - 1].weight > weight; at--)
            leaves[at] = leaves[at - 1];
        leaves[at] = (package){.weight = weight};
        leaves[at].uses[i] = 1;
    }
    return size;
}

static package joined(const package *a, const package *b)
{
    package both = {.weight = a->weight + b->weight};
    for (size_t i = 0; i < LEAVES; i++)
        both.uses[i] = (uint8_t)(a->uses[i] + b->uses[i]);
    return both;
}

/* Merges the leaves with the pairs of the level before. */
static size_t next_level(package *to, const package *from, size_t size, const package *leaves, size_t leaf_count)
{
    size_t count = 0;
    size_t leaf = 0;
    for (size_t pair = 0; pair + 1 < size; pair += 2) {
        package both = joined(&from[pair], &from[pair + 1]);
        while (leaf < leaf_count && leaves[leaf].weight <= both.weight)
            to[count++] = leaves[leaf++];
        to[count++] = both;
    }
    while (leaf < leaf_count)
        to[count++] = leaves[leaf++];
    return count;
}

void jpl_huffman_make(jpl_huffman *huffman, const uint32_t counts[JPL_CATEGORIES])
{
    package leaves[LEAVES];
    package levels[2][2 * LEAVES];
    size_t leaf_count = sorted_leaves(leaves, counts);
    size_t size = leaf_count;
    memcpy(levels[0], leaves, leaf_count * sizeof leaves[0]);
    for (unsigned bits = 1; bits < JPL_CODE_BITS; bits++)
        size = next_level(levels[bits % 2], levels[(bits - 1) % 2], size, leaves, leaf_count);
    const package *last = levels[(JPL_CODE_BITS - 1) % 2];
    uint8_t lengths[LEAVES] = {0};
    for (size_t k = 0; k < 2 * leaf_count - 2; k++)
        for (size_t i = 0; i < LEAVES; i++)
            lengths[i] = (uint8_t)(lengths[i] + last[k].uses[i]);
    *huffman = (jpl_huffman){0};
    for (unsigned bits = 1; bits <= JPL_CODE_BITS; bits++)
        for (uint8_t i = 0; i < RESERVED; i++)
            if (lengths[i] == bits) {
                huffman->counts[bits]++;
                huffman->values[huffman->size++] = i;
            }
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
