/* The rows of each are those of R, G, B or of Y, Cb, Cr, in 2^-20.
 *
 * RGB to YBR_FULL has the coefficients of PS3.3 C.7.6.3.1.2, which are ITU-R BT.601's to four decimals, and gives for
 * every one of the 2^24 colours what exact arithmetic with them gives, halves rounded up. Everything from a device's
 * luma and chroma follows from Kr and Kb (0.299 and 0.114, BT.709: 0.2126 and 0.0722), without the four decimals:
 *
 *   R = Y + 2 (1 - Kr) Cr     B = Y + 2 (1 - Kb) Cb     Kr R + (1 - Kr - Kb) G + Kb B = Y
 *
 * with Y - 16 stretched by 255/219 and Cb - 128, Cr - 128 by 255/224 for video range, and goes to YBR_FULL without a
 * limit to 0..255 in between: luma blacker than black and colours outside of RGB survive there as far as they can. */
#include "colour_matrices.h"

#include "mga.h"

static const mga_matrix TO_RGB[] = {
    [MGA_SPACE_RGB_VIDEO] = {{{1220945, 0, 0, -19535115}, {0, 1220945, 0, -19535115}, {0, 0, 1220945, -19535115}}},
    [MGA_SPACE_601_FULL] = {{{1048576, 0, 1470104, -188173255},
                             {1048576, -360853, -748826, 142038940},
                             {1048576, 1858077, 0, -237833814}}},
    [MGA_SPACE_601_VIDEO] = {{{1220945, 0, 1673555, -233750204},
                              {1220945, -410793, -852458, 142161001},
                              {1220945, 2115221, 0, -290283430}}},
    [MGA_SPACE_709_FULL] = {{{1048576, 0, 1651297, -211366078},
                             {1048576, -196424, -490864, 87972815},
                             {1048576, 1945738, 0, -249054416}}},
    [MGA_SPACE_709_VIDEO] = {{{1220945, 0, 1879825, -260152748},
                              {1220945, -223607, -558796, 80612509},
                              {1220945, 2215014, 0, -303056883}}},
};

static const mga_matrix TO_YBR[] = {
    [MGA_SPACE_RGB] = {{{313524, 615514, 119538, 0},
                        {-176895, -347393, 524288, 134217728},
                        {524288, -439039, -85249, 134217728}}},
    [MGA_SPACE_RGB_VIDEO] = {{{365062, 716695, 139188, -19535115},
                              {-205973, -404499, 610472, 134217728},
                              {610472, -511210, -99263, 134217728}}},
    [MGA_SPACE_601_VIDEO] = {{{1220945, 0, 0, -19535115}, {0, 1193691, 0, -18574775}, {0, 0, 1193691, -18574775}}},
    [MGA_SPACE_709_FULL] = {{{1048576, 106513, 205601, -39950619},
                             {0, 1037937, -116028, 16213328},
                             {0, -75972, 1031167, 11952778}}},
    [MGA_SPACE_709_VIDEO] = {{{1220945, 121254, 234055, -65014613},
                              {0, 1181580, -132085, -117639},
                              {0, -86486, 1173874, -4967817}}},
};

const mga_matrix *mga_colour_matrix(uint32_t space, int ybr)
{
    if (space == (ybr ? MGA_SPACE_601_FULL : MGA_SPACE_RGB))
        return NULL;
    return ybr ? &TO_YBR[space] : &TO_RGB[space];
}
