/* Video4Linux2: what a device is asked, and what its pixels become. */
#ifndef MGA_V4L2_H
#define MGA_V4L2_H

#include <linux/videodev2.h>

#include "device.h"

typedef struct {
    unsigned long request;
    const char *name;
} mga_v4l2_request;

/* A request with the name that is said when it fails. */
#define MGA_V4L2(request) ((mga_v4l2_request){(request), #request})

/* MGA_OK or the status of its errno, which is then in trouble (not null) with the name of the request. */
int64_t mga_v4l2_ask(int fd, mga_v4l2_request request, void *argument, mga_trouble *trouble);
/* What an errno of a device means. */
int64_t mga_v4l2_status(int number);

/* The buffers of a device of the single- or the multi-planar API. */
static inline uint32_t mga_v4l2_type(uint32_t planar)
{
    return planar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

/* Fills in pixels, the format and what is sent. MGA_OK, or MGA_ERR_DEV_REFUSED and why not. */
int64_t mga_v4l2_agree(const mga_v4l2_picture *picture, mga_device *device, mga_trouble *trouble);
/* MGA_OK, or MGA_ERR_DEV_GEOMETRY and what differs. */
int64_t mga_v4l2_same(const mga_v4l2_picture *agreed, const mga_v4l2_picture *now, mga_trouble *trouble);
/* The planes of the pixels in the memories of a buffer: as many as the picture has; a frame that is shorter than it has
 * to be gets planes that are, too. */
void mga_v4l2_planes(const mga_v4l2_picture *picture, const mga_plane *memories, mga_device_frame *frame);

#endif
