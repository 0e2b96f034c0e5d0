/* The widest difference of two frames: every place, both ends of the range, both signs. */
#include "check.h"
#include "mga.h"

static void check_layout(uint32_t bits, uint32_t is_signed, uint32_t columns)
{
    mga_format f = {3, columns, 1, bits, bits, is_signed, 0};
    size_t bytes = (size_t)mga_format_bytes(&f);
    size_t step = bits / 8;
    uint8_t *one = exactly(bytes);
    uint8_t *other = exactly(bytes);
    for (size_t i = 0; i < bytes; i++)
        one[i] = other[i] = (uint8_t)(i * 7);
    CHECK(mga_frame_difference(one, bytes, other, bytes, &f) == 0);
    for (size_t i = 0; i < bytes; i += step) {
        one[i] ^= 1; /* the lowest bit of one sample */
        CHECK(mga_frame_difference(one, bytes, other, bytes, &f) == 1);
        one[i] ^= 1;
    }
    for (size_t k = 0; k < step; k++) { /* from the least to the greatest value */
        one[bytes - step + k] = k + 1 == step ? (uint8_t)(is_signed ? 0x80 : 0) : 0;
        other[bytes - step + k] = k + 1 == step ? (uint8_t)(is_signed ? 0x7F : 0xFF) : 0xFF;
    }
    CHECK(mga_frame_difference(one, bytes, other, bytes, &f) == (1 << bits) - 1);
    CHECK(mga_frame_difference(other, bytes, one, bytes, &f) == (1 << bits) - 1);
    CHECK(mga_frame_difference(one, bytes - 1, other, bytes, &f) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_frame_difference(one, bytes, other, bytes - 1, &f) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_frame_difference(NULL, bytes, other, bytes, &f) == MGA_ERR_ARG_NULL);
    CHECK(mga_frame_difference(one, bytes, other, bytes, NULL) == MGA_ERR_ARG_NULL);
    free(other);
    free(one);
}

int main(void)
{
    for (uint32_t bits = 8; bits <= 16; bits += 8)
        for (uint32_t columns = 1; columns < 80; columns += 13)
            for (uint32_t is_signed = 0; is_signed < 2; is_signed++)
                check_layout(bits, is_signed, columns);
    return 0;
}
