/* From what a device means by three samples to RGB and to YBR_FULL, in one step and rounded once. */
#ifndef MGA_COLOUR_MATRICES_H
#define MGA_COLOUR_MATRICES_H

#include "pixel_kernels.h"

/* space is an mga_space; ybr chooses YBR_FULL instead of RGB. Null where nothing changes. */
const mga_matrix *mga_colour_matrix(uint32_t space, int ybr);

#endif
