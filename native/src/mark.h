/* The machine-readable mark: 80 cells along the bottom left edge, black 0, white 1, most significant bit first:
 * 8 bits A5H, 32 bits frame number, 32 bits time in ms, 8 bits exclusive or of the eight bytes before. */
#ifndef MGA_MARK_H
#define MGA_MARK_H

#include "canvas.h"

void mga_mark_draw(const mga_canvas *canvas, uint64_t number, uint64_t timestamp_ns);

#endif
