/* Grey pixels in a colour frame: R = G = B in every one of them can be kept as one sample, and comes back exactly. All
 * allocated bits count, those above the bits stored too: what is not equal in every bit could not be given back. */
#include <string.h>

#include "format.h"
#include "rle_kernels.h"

#define BLOCK 1024u /* pixels looked at together; a coloured one ends the work at the end of its block */

typedef struct {
    const mga_rle_kernels *kernels;
    size_t pixels;
    size_t bytes; /* of a sample */
    int planar;
} layout;

static int64_t look(const mga_format *f, layout *l)
{
    int64_t need = mga_format_bytes(f);
    if (need < 0)
        return need;
    if (f->samples_per_pixel != 3)
        return MGA_ERR_ARG_FORMAT;
    *l = (layout){mga_rle_kernels_best(), (size_t)f->rows * f->columns, mga_sample_bytes(f),
                  f->planar_configuration != 0};
    return need;
}

/* The three samples of up to BLOCK pixels of one byte lie side by side. */
static int narrow8(const layout *l, uint8_t *dst, const uint8_t *src, size_t count)
{
    uint8_t other[BLOCK];
    l->kernels->split(dst, src, count, 3);
    for (size_t k = 1; k < 3; k++) {
        l->kernels->split(other, src + k, count, 3);
        if (memcmp(dst, other, count) != 0)
            return 0;
    }
    return 1;
}

static int narrow16(uint8_t *dst, const uint8_t *src, size_t count)
{
    unsigned different = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t s[3];
        memcpy(s, src + 6 * i, sizeof s);
        different |= (unsigned)(s[0] ^ s[1]) | (unsigned)(s[0] ^ s[2]);
        memcpy(dst + 2 * i, s, sizeof s[0]);
    }
    return !different;
}

static int narrow_by_pixel(const layout *l, uint8_t *dst, const uint8_t *src)
{
    for (size_t at = 0; at < l->pixels; at += BLOCK) {
        size_t count = l->pixels - at < BLOCK ? l->pixels - at : BLOCK;
        const uint8_t *from = src + 3 * at * l->bytes;
        uint8_t *to = dst + at * l->bytes;
        if (!(l->bytes == 1 ? narrow8(l, to, from, count) : narrow16(to, from, count)))
            return 0;
    }
    return 1;
}

static int narrow_by_plane(const layout *l, uint8_t *dst, const uint8_t *src)
{
    size_t plane = l->pixels * l->bytes;
    if (memcmp(src, src + plane, plane) != 0 || memcmp(src, src + 2 * plane, plane) != 0)
        return 0;
    memcpy(dst, src, plane);
    return 1;
}

int64_t mga_grey_narrow(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format)
{
    layout l;
    int64_t need = look(format, &l);
    if (need < 0)
        return need;
    if (!dst || !src)
        return MGA_ERR_ARG_NULL;
    if (src_size != (size_t)need)
        return MGA_ERR_ARG_SRC_SIZE;
    if (dst_size < (size_t)need / 3)
        return MGA_ERR_ARG_DST_SIZE;
    int grey = l.planar ? narrow_by_plane(&l, dst, src) : narrow_by_pixel(&l, dst, src);
    return grey ? need / 3 : 0;
}

static void widen_by_pixel(const layout *l, uint8_t *dst, const uint8_t *src)
{
    if (l->bytes == 1) {
        l->kernels->join3(dst, src, src, src, l->pixels);
        return;
    }
    for (size_t i = 0; i < l->pixels; i++)
        for (size_t k = 0; k < 3; k++)
            memcpy(dst + 6 * i + 2 * k, src + 2 * i, 2);
}

int64_t mga_grey_widen(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format)
{
    layout l;
    int64_t need = look(format, &l);
    if (need < 0)
        return need;
    if (!dst || !src)
        return MGA_ERR_ARG_NULL;
    if (src_size != (size_t)need / 3)
        return MGA_ERR_ARG_SRC_SIZE;
    if (dst_size < (size_t)need)
        return MGA_ERR_ARG_DST_SIZE;
    if (!l.planar)
        widen_by_pixel(&l, dst, src);
    for (size_t k = 0; l.planar && k < 3; k++)
        memcpy((uint8_t *)dst + k * src_size, src, src_size);
    return need;
}
