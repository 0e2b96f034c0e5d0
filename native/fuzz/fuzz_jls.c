/* Any bytes as a JPEG-LS frame of a small geometry: a status of the data, or one frame; and the frame, or the bytes
 * themselves as samples, survive a round trip. */
#include "codec.h"

const mga_fuzz_subject MGA_FUZZ_SUBJECT = {&MGA_CODEC_TABLE[MGA_CODEC_JLS], 0, 0};
