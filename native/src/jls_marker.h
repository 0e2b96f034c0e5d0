/* The marker segments of a JPEG-LS frame (T.87 Annex C), for input that nobody vouches for. */
#ifndef MGA_JLS_MARKER_H
#define MGA_JLS_MARKER_H

#include "jls.h"

typedef struct {
    uint8_t id;
    uint8_t across, down; /* sampling factors H and V (T.81 A.1.1) */
    bool done;            /* a scan held it */
    size_t columns, rows; /* its own */
} jls_component;

typedef struct {
    const uint8_t *at, *end; /* behind what was read; the entropy-coded data once a scan header was */
    jls_component components[JLS_COMPONENTS_MAX];
    uint32_t component_count;
    uint32_t across, down; /* largest sampling factors */
    size_t rows, columns;
    uint32_t precision;
    uint32_t maxval, t1, t2, t3, reset; /* preset (LSE); 0 = default */
    uint32_t restart_interval;          /* lines; 0 = none */
    bool has_frame;
    /* the scan that comes next */
    uint8_t scan[JLS_COMPONENTS_MAX]; /* indices of its components */
    uint32_t scan_count;
    uint32_t near;
    bool by_sample;
} jls_header;

/* SOI, then everything up to the first scan; the frame must be what the format says. MGA_OK or MGA_ERR_DATA_*. */
int64_t jls_header_begin(jls_header *h, const uint8_t *src, size_t src_size, const mga_format *format);
/* Reads up to the next scan (1) or to the end of the image (0). MGA_ERR_DATA_*. */
int64_t jls_header_next(jls_header *h, const mga_format *format);
/* The coding parameters of the scan, checked. */
int64_t jls_header_coding(const jls_header *h, jls_coding *coding);
/* Takes the restart marker of this number. MGA_OK or MGA_ERR_DATA_*. */
int64_t jls_header_restart(jls_header *h, uint32_t number);

#endif
