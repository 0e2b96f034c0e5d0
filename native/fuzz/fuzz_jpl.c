/* Any bytes as a JPEG Lossless frame of a small geometry: a status of the data, or one frame that survives a round
 * trip. */
#include "codec.h"

/* A third with other selection values: the same codes are another picture then. */
static void select_value(uint8_t *coded, size_t size, unsigned number)
{
    for (size_t i = 0; i + 16 < size && number % 3 == 0; i++)
        if (coded[i] == 0xFF && coded[i + 1] == 0xDA) {
            coded[i + 5 + 2 * (size_t)coded[i + 4]] = (uint8_t)(1 + number % 7);
            return;
        }
}

const mga_fuzz_subject MGA_FUZZ_SUBJECT = {&MGA_CODEC_TABLE[MGA_CODEC_JPL], select_value, 0};
