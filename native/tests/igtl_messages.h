/* Messages of OpenIGTLink made by hand. */
#ifndef MGA_TESTS_IGTL_MESSAGES_H
#define MGA_TESTS_IGTL_MESSAGES_H

#include <string.h>

#include "igtl.h"

static inline void put_number(uint8_t *p, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--, value >>= 8)
        p[i - 1] = (uint8_t)value;
}

static inline void put_header(uint8_t *p, uint32_t version, const char *type, const char *device, uint64_t body_bytes)
{
    memset(p, 0, MGA_IGTL_HEADER);
    put_number(p, version, 2);
    memcpy(p + 2, type, strlen(type));
    memcpy(p + 14, device, strlen(device));
    put_number(p + 42, body_bytes, 8);
}

static inline void put_extended(uint8_t *p, uint32_t size, uint32_t metadata_header, uint32_t metadata, uint32_t id)
{
    put_number(p, size, 2);
    put_number(p + 2, metadata_header, 2);
    put_number(p + 4, metadata, 4);
    put_number(p + 8, id, 4);
}

static inline void put_float(uint8_t *p, uint32_t bits)
{
    put_number(p, bits, 4);
}

/* Vectors of i, j and k are 0.25, 0.5 and 2 mm long. */
static inline void put_image(uint8_t *p, uint32_t components, uint32_t type, uint32_t endian, uint32_t i, uint32_t j,
                             uint32_t k)
{
    const uint32_t size[3] = {i, j, k};
    memset(p, 0, MGA_IGTL_IMAGE);
    p[1] = 1;
    p[2] = (uint8_t)components;
    p[3] = (uint8_t)type;
    p[4] = (uint8_t)endian;
    p[5] = 2;
    put_float(p + 12, 0x3E800000u);
    put_float(p + 28, 0x3F000000u);
    put_float(p + 44, 0x40000000u);
    for (size_t axis = 0; axis < 3; axis++) {
        put_number(p + 6 + 2 * axis, size[axis], 2);
        put_number(p + 66 + 2 * axis, size[axis], 2);
    }
}

#endif
