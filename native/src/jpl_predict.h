/* From differences to samples (T.81 H.1.2.1, H.2.1), one row of all components of a scan by pixel. */
#ifndef MGA_JPL_PREDICT_H
#define MGA_JPL_PREDICT_H

#include <stddef.h>
#include <stdint.h>

/* above: the row above, or null in the first row of a scan or restart interval, whose first samples are predicted as
 * `initial`. selection: 1..7 (T.81 table H.1). All arithmetic is modulo 2^16. */
void jpl_predict_row(uint16_t *restrict row, const uint16_t *restrict above, const int16_t *restrict differences,
                     size_t columns, size_t components, unsigned selection, uint16_t initial);

#endif
