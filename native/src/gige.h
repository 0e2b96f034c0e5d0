/* GigE Vision cameras: what the parts of the source share. */
#ifndef MGA_GIGE_H
#define MGA_GIGE_H

#include <signal.h>
#include <stdatomic.h>

#include "aravis.h"
#include "device.h"

/* A camera that is connected and under our control. */
struct mga_gige {
    mga_aravis library;
    ArvCamera *camera;
    atomic_bool lost; /* the library gave up hearing from it */
};

/* Says what the library calls `error`, which it frees, and returns what that means. */
int64_t mga_gige_fail(const mga_aravis *library, mga_aravis_error *error, const char *what, mga_trouble *trouble);

/* Around calls in which the library makes threads. */
sigset_t mga_gige_block_signals(void);
void mga_gige_restore_signals(const sigset_t *before);

/* What the pixels of a PFNC code become; MGA_OK, or MGA_ERR_DEV_REFUSED for a code that is not known. */
int64_t mga_gige_pixels(uint32_t code, uint32_t rows, uint32_t columns, mga_device *device);
/* Bytes from a line to the next, 0 where lines follow each other without a gap. */
uint32_t mga_gige_stride(uint32_t code, uint32_t columns, int padding);

/* Lets through to the socket at a local port only what comes from the camera and is long enough for what it says it is.
 * MGA_OK, or MGA_ERR_DEV_EVENT where there is no such socket or it takes no filter. */
int64_t mga_gige_guard(uint16_t port, uint32_t address, size_t payload);

/* Device time, moved onto CLOCK_MONOTONIC. */
typedef struct {
    bool anchored;
    uint64_t device_ns; /* of the last frame */
    uint64_t stamp_ns;
    int64_t offset_ns; /* from device time to ours */
} mga_gige_time;
uint64_t mga_gige_time_stamp(mga_gige_time *time, uint64_t device_ns, uint64_t arrival_ns);

#endif
