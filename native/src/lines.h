/* Lines of a picture that a driver may have padded. */
#ifndef MGA_LINES_H
#define MGA_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "mga.h"

/* Whether so many lines, a stride apart, end inside of so many bytes. */
static inline int mga_lines_fit(uint32_t rows, uint64_t line_bytes, uint64_t stride, size_t size)
{
    return (uint64_t)(rows - 1) * stride + line_bytes <= size;
}

#endif
