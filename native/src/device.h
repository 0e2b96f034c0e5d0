/* A device: a source with a pace and a count of its own. What differs between devices is a table of five functions;
 * what they have in common is here, so that every loss is counted in one place, by one rule:
 *
 *   - the device's own counter says how many frames never came (`lost`);
 *   - a frame that came incomplete, or that the device itself calls wrong, is `damaged` and never delivered;
 *   - a good frame that finds no slot in the ring is `dropped`.
 *
 * A frame is copied out of the device's buffer, and converted, straight into its slot; the buffer is given back at
 * once. A device that vanishes or changes its geometry ends its source: what was taken is kept, and whoever opens it
 * anew agrees anew. */
#ifndef MGA_DEVICE_H
#define MGA_DEVICE_H

#include "source.h"

#define MGA_PLANES_MAX 3u

/* How the pixels of a device become those of the ring. */
typedef enum { MGA_WAY_SAMPLES, MGA_WAY_COLOUR, MGA_WAY_BAYER } mga_way;

typedef struct {
    mga_way way;
    mga_unpack_params samples; /* of each way its own, rows and columns included */
    mga_colour_params colour;
    mga_bayer_params bayer;
} mga_pixels;

/* One frame in a buffer of the device. */
typedef struct {
    uint64_t counter;      /* as the device counts */
    uint64_t timestamp_ns; /* CLOCK_MONOTONIC */
    mga_plane planes[MGA_PLANES_MAX];
    size_t count;  /* of planes; their strides stand for those in mga_pixels */
    bool damaged;  /* planes are not looked at */
    uint64_t self; /* of the kind: which buffer */
} mga_device_frame;

typedef struct {
    /* Begins to stream. In the thread, like next, release and stop. */
    int64_t (*start)(mga_device *device);
    /* Waits for a frame, for stop_fd, or for a while: 1 and *frame, 0 = nothing yet, or what ended the device. */
    int64_t (*next)(mga_device *device, mga_device_frame *frame);
    /* Gives the buffer of a frame back. MGA_OK, or what ended the device. */
    int64_t (*release)(mga_device *device, const mga_device_frame *frame);
    void (*stop)(mga_device *device);
    /* Closes and frees, whether it ever was a source or not. */
    void (*dispose)(mga_device *device);
} mga_device_kind;

/* The first member of what a kind knows of its device. */
struct mga_device {
    const mga_device_kind *kind;
    mga_agreement agreed;
    mga_pixels pixels;
    /* Hears, before anybody can take it, which slot has the frame that next gave. May be null. */
    void (*placed)(mga_device *device, uint32_t slot);
    uint64_t modulus; /* values that the device's counter has; 0 = all of 64 bits */
    int stop_fd;      /* readable once stop was asked */
    mga_trouble trouble;
    uint64_t counter; /* of the last frame */
    uint64_t number;  /* of the last frame; 0 = none yet */
};

/* Fills in what all devices have; the caller sets agreed, pixels and modulus. MGA_OK or MGA_ERR_DEV_EVENT. */
int64_t mga_device_init(mga_device *device, const mga_device_kind *kind);
/* Undoes it; from dispose. */
void mga_device_finish(mga_device *device);
/* Says what failed and returns the status. Of a text that is too long the beginning is kept. */
int64_t mga_trouble_say(mga_trouble *trouble, int64_t status, int number, const char *what);
/* Bytes written to dst, MGA_ERR_ARG_* or MGA_ERR_DATA_SAMPLE. */
int64_t mga_pixels_convert(void *dst, size_t dst_size, const mga_plane *planes, size_t count, const mga_pixels *pixels);

#endif
