#include "jls_bits.h"
#include "jls_kernels.h"

/* Any bits, the first of them anything; zeros wait for the next symbol. */
static void put_bits(jls_symbols *s, uint32_t hmax, uint32_t value, uint32_t count)
{
    uint32_t used = jls_bit_length(value);
    if (used == 0) {
        s->zeros += count;
        return;
    }
    jls_put_symbol(s, hmax, count - used, used - 1, value - (1u << (used - 1)));
}

void jls_put_run(jls_symbols *s, const jls_coding *c, uint32_t *index, size_t count, bool interrupted)
{
    uint32_t hmax = c->limit - c->qbpp - 1;
    uint32_t ones = 0;
    while (count >= (size_t)1 << JLS_RUN_BITS[*index]) {
        count -= (size_t)1 << JLS_RUN_BITS[*index];
        *index += *index < JLS_RUN_INDEX_MAX;
        if (++ones == 16) {
            put_bits(s, hmax, 0xFFFF, ones);
            ones = 0;
        }
    }
    if (!interrupted && count > 0)
        ones++;
    put_bits(s, hmax, (1u << ones) - 1, ones);
    if (interrupted)
        put_bits(s, hmax, (uint32_t)count, JLS_RUN_BITS[*index] + 1u);
}

bool jls_write_symbols(jls_writer *w, jls_symbols *s, const jls_coding *c)
{
    const jls_kernels *kernels = jls_kernels_best();
    kernels->codes(w, s, c->limit - c->qbpp - 1, c->qbpp);
    size_t bytes = kernels->pack(w, s->count);
    s->count = 0;
    return kernels->stuff(w, bytes);
}

bool jls_write_end(jls_writer *w)
{
    uint32_t spare = (8 - w->bit_count % 8) % 8;
    size_t bytes = (w->bit_count + spare) / 8;
    jls_put64(w->raw, w->bits);
    w->bits = 0;
    w->bit_count = 0;
    if (!jls_kernels_best()->stuff(w, bytes))
        return false;
    /* what is held now ends with the spare zeros; a byte after FFH takes seven bits */
    while (w->held_count > spare || w->after_ff) {
        uint32_t room = w->after_ff ? 7 : 8;
        if (w->at == w->end)
            return false;
        uint32_t byte = w->held_count >= room ? w->held >> (w->held_count - room) : w->held << (room - w->held_count);
        w->held_count = w->held_count >= room ? w->held_count - room : 0;
        w->held &= (1u << w->held_count) - 1;
        byte &= (1u << room) - 1;
        w->after_ff = byte == 0xFF;
        *w->at++ = (uint8_t)byte;
    }
    w->held_count = 0;
    w->held = 0;
    return true;
}
