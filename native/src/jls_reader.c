#include "jls_bits.h"

void jls_read_begin(jls_reader *r, const uint8_t *at, const uint8_t *end)
{
    r->at = at;
    r->end = end;
    r->bytes = 0;
    r->position = 0;
    r->limit = 0;
    r->held = 0;
    r->held_count = 0;
    r->after_ff = false;
    r->ended = false;
}

/* Takes coded bytes until raw is full or a marker or the end of the data is reached (T.87 A.1). */
static void unstuff(jls_reader *r)
{
    uint8_t *out = r->raw + r->bytes;
    const uint8_t *out_end = r->raw + r->capacity;
    uint32_t held = r->held;
    uint32_t count = r->held_count;
    bool after_ff = r->after_ff;
    while (out_end - out >= 8) {
        if (!after_ff && r->end - r->at >= 8) {
            uint64_t v = jls_get64(r->at);
            if (!jls_has_ff(v)) {
                jls_put64(out, count ? (uint64_t)held << (64 - count) | v >> count : v);
                out += 8;
                r->at += 8;
                held = (uint32_t)v & ((1u << count) - 1);
                continue;
            }
        }
        if (r->at == r->end || (*r->at == 0xFF && (r->end - r->at < 2 || r->at[1] >= 0x80))) {
            r->ended = true;
            break;
        }
        uint32_t room = after_ff ? 7 : 8;
        after_ff = *r->at == 0xFF;
        held = held << room | *r->at++;
        count += room;
        if (count >= 8) {
            count -= 8;
            *out++ = (uint8_t)(held >> count);
            held &= (1u << count) - 1;
        }
    }
    r->held = held;
    r->held_count = count;
    r->after_ff = after_ff;
    r->bytes = (size_t)(out - r->raw);
}

void jls_read_fill(jls_reader *r, size_t bytes)
{
    size_t done = (size_t)(r->position >> 3);
    if (r->ended || r->bytes - done >= bytes)
        return;
    r->bytes -= done;
    r->position &= 7;
    memmove(r->raw, r->raw + done, r->bytes);
    unstuff(r);
    r->limit = (uint64_t)r->bytes * 8;
    memset(r->raw + r->bytes, 0, JLS_READ_SLACK);
    if (r->ended && r->held_count) {
        r->raw[r->bytes++] = (uint8_t)(r->held << (8 - r->held_count));
        r->limit += r->held_count;
    }
}

int64_t jls_read_end(jls_reader *r, const uint8_t **at)
{
    jls_read_fill(r, SIZE_MAX);
    if (r->position > r->limit)
        return MGA_ERR_DATA_TRUNCATED;
    /* zeros fill the last byte; behind an FFH there is one more byte of them (T.87 A.1) */
    if (!r->ended || r->limit - r->position > 14)
        return MGA_ERR_DATA_OVERRUN;
    *at = r->at;
    return MGA_OK;
}

int64_t jls_get_golomb(jls_reader *r, const jls_coding *c, uint32_t limit, uint32_t k)
{
    uint32_t most = limit - c->qbpp - 1;
    uint32_t h = 0;
    uint64_t bits = jls_peek(r->raw, r->position);
    if (bits >> 32 == 0) {
        h = 32;
        r->position += 32;
        bits = jls_peek(r->raw, r->position);
    }
    if (bits >> 32 == 0)
        return -1;
    uint32_t zeros = (uint32_t)__builtin_clzll(bits);
    h += zeros;
    r->position += zeros + 1;
    if (h > most)
        return -1;
    uint32_t count = h < most ? k : c->qbpp;
    uint64_t low = jls_peek(r->raw, r->position) >> 1 >> (63 - count);
    r->position += count;
    return h < most ? (int64_t)((uint64_t)h << k | low) : (int64_t)(low + 1);
}

size_t jls_get_run(jls_reader *r, uint32_t *index, size_t left, bool *interrupted)
{
    size_t count = 0;
    *interrupted = false;
    uint64_t bits = jls_peek(r->raw, r->position);
    uint64_t from = r->position;
    while (bits >> 63) {
        r->position++;
        size_t segment = (size_t)1 << JLS_RUN_BITS[*index];
        if (segment > left - count)
            return left;
        count += segment;
        *index += *index < JLS_RUN_INDEX_MAX;
        if (count == left)
            return left;
        bits <<= 1;
        if (r->position - from == 32) { /* what is left is less than a longest remainder */
            from = r->position;
            bits = jls_peek(r->raw, from);
        }
    }
    *interrupted = true;
    uint32_t length = JLS_RUN_BITS[*index] + 1u;
    count += (size_t)(bits >> (64 - length));
    r->position += length;
    return count; /* of damaged data it may be `left` or more */
}
