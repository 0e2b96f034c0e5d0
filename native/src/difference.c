/* How far two frames of one layout are apart. */
#include "bytes.h"
#include "format.h"

/* Both kinds of samples are compared as unsigned ones: `sign` moves the negative ones below the others. */
static int64_t widest8(const uint8_t *one, const uint8_t *other, size_t count, uint8_t sign)
{
    uint8_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t a = one[i] ^ sign;
        uint8_t b = other[i] ^ sign;
        uint8_t apart = (uint8_t)(a > b ? a - b : b - a);
        widest = apart > widest ? apart : widest;
    }
    return widest;
}

static int64_t widest16(const uint8_t *one, const uint8_t *other, size_t count, uint16_t sign)
{
    uint16_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t a = mga_get16_little(one + 2 * i) ^ sign;
        uint16_t b = mga_get16_little(other + 2 * i) ^ sign;
        uint16_t apart = (uint16_t)(a > b ? a - b : b - a);
        widest = apart > widest ? apart : widest;
    }
    return widest;
}

int64_t mga_frame_difference(const void *one, size_t one_size, const void *other, size_t other_size,
                             const mga_format *format)
{
    int64_t need = mga_format_bytes(format);
    if (need < 0)
        return need;
    if (!one || !other)
        return MGA_ERR_ARG_NULL;
    if (one_size != (uint64_t)need || other_size != (uint64_t)need)
        return MGA_ERR_ARG_SRC_SIZE;
    uint32_t is_signed = format->pixel_representation;
    if (format->bits_allocated == 8)
        return widest8(one, other, one_size, (uint8_t)(is_signed << 7));
    return widest16(one, other, one_size / 2, (uint16_t)(is_signed << 15));
}
