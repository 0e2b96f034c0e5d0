/* What all devices do: count, convert, deliver. */
#include "device.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

int64_t mga_trouble_say(mga_trouble *trouble, int64_t status, int number, const char *what)
{
    trouble->number = number;
    (void)snprintf(trouble->what, sizeof trouble->what, "%s", what);
    return status;
}

int64_t mga_device_init(mga_device *device, const mga_device_kind *kind)
{
    *device = (mga_device){.kind = kind, .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    return device->stop_fd < 0 ? MGA_ERR_DEV_EVENT : MGA_OK;
}

void mga_device_finish(mga_device *device)
{
    if (device->stop_fd >= 0)
        (void)close(device->stop_fd);
    device->stop_fd = -1;
}

int64_t mga_pixels_convert(void *dst, size_t dst_size, const mga_plane *planes, size_t count, const mga_pixels *pixels)
{
    if (count < 1)
        return MGA_ERR_ARG_SRC_SIZE;
    if (pixels->way == MGA_WAY_COLOUR)
        return mga_colour_convert(dst, dst_size, planes, count, &pixels->colour);
    if (pixels->way == MGA_WAY_BAYER) {
        mga_bayer_params bayer = pixels->bayer;
        bayer.stride = planes[0].stride;
        return mga_bayer_convert(dst, dst_size, planes[0].data, planes[0].size, &bayer);
    }
    mga_unpack_params samples = pixels->samples;
    samples.stride = planes[0].stride;
    return mga_samples_unpack(dst, dst_size, planes[0].data, planes[0].size, &samples);
}

/* How far the counter went on. Half of its values and more means that it went back: the device counts anew, and how
 * many frames that cost nobody knows. */
static uint64_t step(mga_ring *ring, const mga_device *device, uint64_t counter)
{
    if (device->number == 0)
        return 1;
    uint64_t forward = counter - device->counter;
    uint64_t half = UINT64_MAX / 2;
    if (device->modulus) {
        forward = (counter % device->modulus + device->modulus - device->counter % device->modulus) % device->modulus;
        half = device->modulus / 2;
    }
    if (forward >= 1 && forward <= half)
        return forward;
    mga_ring_restarted(ring);
    return 1;
}

static void deliver(mga_source *source, mga_device *device, const mga_device_frame *frame)
{
    mga_ring *ring = &source->ring;
    uint64_t forward = step(ring, device, frame->counter);
    device->counter = frame->counter;
    device->number += forward;
    if (forward > 1)
        mga_ring_lose(ring, forward - 1);
    if (frame->damaged) {
        mga_ring_damage(ring);
        return;
    }
    uint32_t slot = 0;
    int got = mga_ring_claim(ring, false, &slot);
    if (got == 0)
        mga_ring_drop(ring, 1);
    if (got <= 0)
        return;
    int64_t bytes =
        mga_pixels_convert(mga_ring_slot(ring, slot), ring->frame_bytes, frame->planes, frame->count, &device->pixels);
    if (bytes == (int64_t)ring->frame_bytes) {
        if (device->placed)
            device->placed(device, slot);
        mga_ring_publish(ring, slot, device->number, frame->timestamp_ns);
    } else { /* too short for its geometry, or with samples that its bits do not allow */
        mga_ring_unclaim(ring, slot);
        mga_ring_damage(ring);
    }
}

static int64_t run(mga_source *source)
{
    mga_device *device = source->self;
    const mga_device_kind *kind = device->kind;
    int64_t status = kind->start(device);
    while (status >= 0 && !mga_ring_stopping(&source->ring)) {
        mga_device_frame frame = {0};
        status = kind->next(device, &frame);
        if (status > 0) {
            deliver(source, device, &frame);
            status = kind->release(device, &frame);
        }
    }
    kind->stop(device);
    return status;
}

static void wake(mga_source *source)
{
    const mga_device *device = source->self;
    (void)!eventfd_write(device->stop_fd, 1);
}

static void dispose(mga_source *source)
{
    mga_device_close(source->self);
}

static const mga_source_kind DEVICE = {.run = run, .wake = wake, .dispose = dispose};

int64_t mga_device_source(mga_source **out, mga_device *device, void *memory, size_t memory_size, uint32_t slots)
{
    if (!out || !device)
        return MGA_ERR_ARG_NULL;
    int64_t frame_bytes = mga_format_bytes(&device->agreed.format);
    if (frame_bytes < 0)
        return frame_bytes;
    const mga_source_setup setup = {
        .memory = memory, .memory_size = memory_size, .frame_bytes = (uint64_t)frame_bytes, .slots = slots};
    return mga_source_make(out, &DEVICE, device, &setup);
}

void mga_device_close(mga_device *device)
{
    if (device)
        device->kind->dispose(device);
}

int64_t mga_source_trouble(mga_source *source, mga_trouble *trouble)
{
    if (!source || !trouble)
        return MGA_ERR_ARG_NULL;
    *trouble = (mga_trouble){0};
    if (source->kind == &DEVICE && mga_ring_finished(&source->ring)) { /* the thread writes no more */
        const mga_device *device = source->self;
        *trouble = device->trouble;
    }
    return MGA_OK;
}
