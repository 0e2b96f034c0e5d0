/* Numbers in bytes, on every machine. Frames are little endian wherever they are, and coded data are what their
 * standard says; only what never leaves the core is in the order of the machine. Each of these is one load or store. */
#ifndef MGA_BYTES_H
#define MGA_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MGA_LITTLE(bits, v) (v)
#define MGA_BIG(bits, v) __builtin_bswap##bits(v)
#else
#define MGA_LITTLE(bits, v) __builtin_bswap##bits(v)
#define MGA_BIG(bits, v) (v)
#endif

static inline uint16_t mga_get16_little(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return MGA_LITTLE(16, v);
}

static inline uint32_t mga_get32_little(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return MGA_LITTLE(32, v);
}

static inline uint64_t mga_get64_little(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return MGA_LITTLE(64, v);
}

static inline uint16_t mga_get16_big(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return MGA_BIG(16, v);
}

static inline uint32_t mga_get32_big(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return MGA_BIG(32, v);
}

static inline uint64_t mga_get64_big(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return MGA_BIG(64, v);
}

static inline void mga_put16_little(uint8_t *p, uint16_t v)
{
    v = MGA_LITTLE(16, v);
    memcpy(p, &v, sizeof v);
}

static inline void mga_put32_little(uint8_t *p, uint32_t v)
{
    v = MGA_LITTLE(32, v);
    memcpy(p, &v, sizeof v);
}

static inline void mga_put64_big(uint8_t *p, uint64_t v)
{
    v = MGA_BIG(64, v);
    memcpy(p, &v, sizeof v);
}

/* Four numbers of 16 bits out of one word, the lowest bits first. */
static inline void mga_put_four(int16_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, &v, sizeof v);
#else
    for (int i = 0; i < 4; i++)
        p[i] = (int16_t)(v >> 16 * i);
#endif
}

#endif
