/* Any bytes as an RLE frame of a small geometry: a status of the data, or one frame that survives a round trip. */
#include "codec.h"

const mga_fuzz_subject MGA_FUZZ_SUBJECT = {&MGA_CODEC_TABLE[MGA_CODEC_RLE], 0};
