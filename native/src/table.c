/* Samples through a table: logarithms, square roots, windows, inversion; whatever it is, the table knows. */
#include "bytes.h"
#include "format.h"

typedef struct {
    const uint8_t *entries;
    uint32_t mask, sign;
} table;

#define LOOP(load, store)                                                                                              \
    for (size_t i = 0; i < count; i++) {                                                                               \
        size_t entry = ((load)&t->mask) ^ t->sign;                                                                     \
        store;                                                                                                         \
    }

static void apply(const table *t, uint8_t *dst, const uint8_t *src, size_t count, uint32_t from, uint32_t to)
{
    if (from == 1 && to == 1)
        LOOP(src[i], dst[i] = t->entries[entry])
    else if (from == 1)
        LOOP(src[i], memcpy(dst + 2 * i, t->entries + 2 * entry, 2))
    else if (to == 1)
        LOOP(mga_get16_little(src + 2 * i), dst[i] = t->entries[entry])
    else
        LOOP(mga_get16_little(src + 2 * i), memcpy(dst + 2 * i, t->entries + 2 * entry, 2))
}

int64_t mga_table_apply(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                        const void *table_bytes, size_t table_size, uint32_t entry_bits)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (!dst || !src || !table_bytes)
        return MGA_ERR_ARG_NULL;
    if (src_size != (size_t)need)
        return MGA_ERR_ARG_SRC_SIZE;
    if (entry_bits != 8 && entry_bits != 16)
        return MGA_ERR_ARG_FORMAT;
    uint32_t from = mga_sample_bytes(format);
    uint32_t to = entry_bits / 8;
    size_t samples = src_size / from;
    if (table_size != (size_t)to << format->bits_stored)
        return MGA_ERR_ARG_RANGE;
    if (dst_size < samples * to)
        return MGA_ERR_ARG_DST_SIZE;
    table t = {table_bytes, (1u << format->bits_stored) - 1u,
               format->pixel_representation ? 1u << (format->bits_stored - 1u) : 0u};
    apply(&t, dst, src, samples, from, to);
    return (int64_t)(samples * to);
}
