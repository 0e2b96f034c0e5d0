/* Marker segments of JPEG Lossless (T.81 B.2), read from input that nobody vouches for. */
#ifndef MGA_JPL_SEGMENTS_H
#define MGA_JPL_SEGMENTS_H

#include "jpl.h"
#include "jpl_reader.h"

typedef struct {
    uint32_t precision; /* 0: no frame header yet */
    size_t components;
    uint8_t identifiers[JPL_COMPONENTS];
} jpl_frame;

typedef struct {
    size_t components;
    uint8_t index[JPL_COMPONENTS];  /* which of the frame's components */
    uint8_t tables[JPL_COMPONENTS]; /* its Huffman table */
    unsigned selection;             /* 1..7 (T.81 table H.1) */
    unsigned transform;             /* bits that were shifted off before coding */
} jpl_scan;

typedef struct {
    const mga_format *format;
    const uint8_t *at, *end;
    jpl_frame frame;
    jpl_scan scan;
    jpl_huffman tables[4];
    size_t restart_interval; /* in rows; 0: none */
} jpl_segments;

/* Begins a stream; MGA_OK or MGA_ERR_DATA_*. */
int64_t jpl_segments_begin(jpl_segments *segments, const uint8_t *src, size_t src_size, const mga_format *format);
/* Reads on until a scan header is read, whose coded data then begin at `at`. MGA_OK or MGA_ERR_DATA_*. */
int64_t jpl_segments_next_scan(jpl_segments *segments);

#endif
