#include "crc64.h"

#include "bytes.h"

#define POLYNOMIAL 0x42F0E1EBA9EA3693u

void mga_crc64_make(mga_crc64_tables *tables)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint64_t sum = (uint64_t)b << 56;
        for (int bit = 0; bit < 8; bit++)
            sum = sum << 1 ^ (sum >> 63 ? POLYNOMIAL : 0);
        tables->of[0][b] = sum;
    }
    for (uint32_t n = 1; n < 8; n++)
        for (uint32_t b = 0; b < 256; b++) {
            uint64_t sum = tables->of[n - 1][b];
            tables->of[n][b] = sum << 8 ^ tables->of[0][sum >> 56];
        }
}

uint64_t mga_crc64(const mga_crc64_tables *tables, uint64_t before, const uint8_t *src, size_t size)
{
    uint64_t sum = before;
    for (; size >= 8; src += 8, size -= 8) {
        uint64_t word = sum ^ mga_get64_big(src);
        sum = 0;
        for (uint32_t n = 0; n < 8; n++)
            sum ^= tables->of[n][word >> 8 * n & 0xFF];
    }
    for (; size > 0; src++, size--)
        sum = sum << 8 ^ tables->of[0][sum >> 56 ^ *src];
    return sum;
}
