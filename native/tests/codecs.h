/* The three codecs as one table, so that what holds for all is tested once. */
#ifndef MGA_TESTS_CODECS_H
#define MGA_TESTS_CODECS_H

#include <stdbool.h>

#include "mga.h"

typedef struct {
    const char *name;
    uint32_t bits_min;   /* stored */
    bool checks_samples; /* the encoder refuses bits above those stored */
    bool is_near;        /* it has a NEAR */
    int64_t (*work_bytes)(const mga_format *format);
    int64_t (*bound)(const mga_format *format);
    int64_t (*encode)(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint32_t near, uint8_t *work, size_t work_size);
    int64_t (*decode)(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size, const mga_format *format,
                      uint8_t *work, size_t work_size);
} mga_codec;

enum { MGA_CODEC_RLE, MGA_CODEC_JPL, MGA_CODEC_JLS, MGA_CODECS };

static inline int64_t mga_codec_rle_encode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size,
                                           const mga_format *format, uint32_t near, uint8_t *work, size_t work_size)
{
    (void)near;
    return mga_rle_encode(dst, dst_size, src, src_size, format, work, work_size);
}

static inline int64_t mga_codec_rle_decode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size,
                                           const mga_format *format, uint8_t *work, size_t work_size)
{
    return mga_rle_decode(dst, dst_size, src, src_size, format, work, work_size);
}

static inline int64_t mga_codec_jpl_encode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size,
                                           const mga_format *format, uint32_t near, uint8_t *work, size_t work_size)
{
    (void)near;
    return mga_jpl_encode(dst, dst_size, src, src_size, format, work, work_size);
}

static inline int64_t mga_codec_jpl_decode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size,
                                           const mga_format *format, uint8_t *work, size_t work_size)
{
    return mga_jpl_decode(dst, dst_size, src, src_size, format, work, work_size);
}

static inline int64_t mga_codec_jls_encode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size,
                                           const mga_format *format, uint32_t near, uint8_t *work, size_t work_size)
{
    mga_jls_params params = {near};
    return mga_jls_encode(dst, dst_size, src, src_size, format, &params, work, work_size);
}

static inline int64_t mga_codec_jls_decode(uint8_t *dst, size_t dst_size, const uint8_t *src, size_t src_size,
                                           const mga_format *format, uint8_t *work, size_t work_size)
{
    return mga_jls_decode(dst, dst_size, src, src_size, format, work, work_size);
}

static const mga_codec MGA_CODEC_TABLE[MGA_CODECS] = {
    [MGA_CODEC_RLE] = {"rle", 1, false, false, mga_rle_work_bytes, mga_rle_encode_bound, mga_codec_rle_encode,
                       mga_codec_rle_decode},
    [MGA_CODEC_JPL] = {"jpl", 1, false, false, mga_jpl_work_bytes, mga_jpl_encode_bound, mga_codec_jpl_encode,
                       mga_codec_jpl_decode},
    [MGA_CODEC_JLS] = {"jls", 2, true, true, mga_jls_work_bytes, mga_jls_encode_bound, mga_codec_jls_encode,
                       mga_codec_jls_decode},
};

#endif
