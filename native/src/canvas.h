/* Drawing into a frame: text, boxes and the machine-readable mark. Everything clips at the edges. */
#ifndef MGA_CANVAS_H
#define MGA_CANVAS_H

#include <stddef.h>

#include "mga.h"

typedef struct {
    uint8_t *data;
    uint32_t rows;
    uint32_t columns;
    uint32_t samples; /* 1 or 3, by pixel */
    uint32_t bytes;   /* of one sample */
} mga_canvas;

typedef struct {
    uint8_t red, green, blue;
} mga_colour;

#define MGA_GLYPH_COLUMNS 6 /* five dots and a gap */
#define MGA_GLYPH_ROWS 7

void mga_canvas_dot(const mga_canvas *canvas, int32_t row, int32_t column, mga_colour colour);
void mga_canvas_box(const mga_canvas *canvas, int32_t row, int32_t column, int32_t rows, int32_t columns,
                    mga_colour colour);
/* Capital letters, digits and " .:-/%"; anything else leaves a gap. */
void mga_canvas_text(const mga_canvas *canvas, int32_t row, int32_t column, int32_t scale, const char *text,
                     mga_colour colour);
/* Frame number and time, as digits at the top right and as cells along the bottom. */
void mga_canvas_stamp(const mga_canvas *canvas, uint64_t number, uint64_t timestamp_ns);
/* Dots per font dot that suit the width of the picture; 0 = too small for text. */
int32_t mga_canvas_text_scale(const mga_canvas *canvas);

#endif
