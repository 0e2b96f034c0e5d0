/* CRC-64 of ECMA-182 (polynomial 42F0E1EBA9EA3693, highest bit first, begins with 0, nothing inverted), eight bytes at
 * a time. */
#ifndef MGA_CRC64_H
#define MGA_CRC64_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t of[8][256]; /* [n][b]: what byte b becomes with n bytes behind it */
} mga_crc64_tables;

void mga_crc64_make(mga_crc64_tables *tables);
/* The sum of what was summed before and of these bytes. */
uint64_t mga_crc64(const mga_crc64_tables *tables, uint64_t before, const uint8_t *src, size_t size);

#endif
