/* Any bytes as an RLE frame of a small geometry: a status of the data, or one frame that survives a round trip. Both
 * ways of going through its packets end at the same byte. */
#include "codec.h"

#include "check.h"

static void judge(const uint8_t *coded, size_t size, const mga_format *format, int64_t status)
{
    int64_t beside = mga_rle_beside(coded, size, format);
    CHECK((beside == 0) == (status >= 0));
    CHECK((beside > 0) == (status == MGA_ERR_DATA_BESIDE));
}

const mga_fuzz_subject MGA_FUZZ_SUBJECT = {&MGA_CODEC_TABLE[MGA_CODEC_RLE], 0, judge};
