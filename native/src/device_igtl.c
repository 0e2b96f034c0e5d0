/* A device that is an OpenIGTLink server: research scanners, PLUS. The caller connects; here a stream is read, whatever
 * it is a stream of.
 *
 * An image counts when its CRC is right, and only then its geometry is believed: a flipped bit is a damaged frame and
 * no new geometry. The first one is read when the device is opened, and becomes the first frame.
 *
 * What went by is known only where the peer numbers its messages (version 2), and only if it numbers the images alone:
 * most set no number, some count every message. So a step of more than one is a loss when steps of one were seen before
 * it and no other message explains it; otherwise nothing is concluded. Stamps of the peer are its wall clock, and time
 * no frame. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "igtl_stream.h"

#define NS_PER_MS 1000000u
#define IDS_MAX 65536u /* a greater step is a new count */

typedef struct {
    mga_device base;
    mga_igtl_stream stream;
    char device[MGA_IGTL_NAME_BYTES];    /* whose images are taken; empty = of whoever sends the first one */
    char transform[MGA_IGTL_NAME_BYTES]; /* the one that is kept; empty = the latest */
    /* the image in the body */
    mga_igtl_image image;
    mga_igtl_body parts;
    bool first_waits;
    uint64_t counter;
    /* how the peer numbers */
    bool numbered; /* `id` is that of the last image */
    bool counts;   /* steps of one were seen */
    bool unreliable;
    uint32_t id;
    uint32_t between; /* other messages since, with numbers behind it */
    /* what others ask for */
    mga_igtl_beside now;
    mga_igtl_beside slots[MGA_SLOTS_MAX]; /* each belongs to whom its slot belongs to */
    pthread_mutex_t lock;                 /* of counts */
    mga_igtl_counts told;
} igtl;

static void note(igtl *self, uint64_t *count, const char *what)
{
    (void)pthread_mutex_lock(&self->lock);
    (*count)++;
    if (what)
        (void)snprintf(self->told.reason, sizeof self->told.reason, "%s", what);
    (void)pthread_mutex_unlock(&self->lock);
}

static void note_other(igtl *self)
{
    (void)pthread_mutex_lock(&self->lock);
    self->told.others++;
    memcpy(self->told.other, self->stream.header.device, sizeof self->told.other);
    (void)pthread_mutex_unlock(&self->lock);
}

static bool is_ours(const igtl *self)
{
    const mga_igtl_header *header = &self->stream.header;
    return header->type == MGA_IGTL_IS_IMAGE && (!self->device[0] || strcmp(self->device, header->device) == 0);
}

/* As the stream reads; the first image is given room, later ones are as large. */
static int64_t read_message(igtl *self, int timeout_ms)
{
    int64_t status = mga_igtl_stream_read(&self->stream, timeout_ms);
    if (status == MGA_IGTL_HEAD)
        return self->base.agreed.format.rows || !is_ours(self)
                   ? MGA_OK
                   : mga_igtl_stream_grow(&self->stream, self->stream.header.body_bytes);
    return status;
}

/* --- what it says ---------------------------------------------------------------------------------------------------
 */

static void learn_transform(igtl *self, const uint8_t *content)
{
    mga_igtl_beside *now = &self->now;
    if (self->transform[0] && strcmp(self->transform, self->stream.header.device) != 0)
        return;
    float matrix[12];
    mga_igtl_reason reason = mga_igtl_read_transform(content, self->parts.content_bytes, matrix);
    if (reason != MGA_IGTL_FINE) {
        note(self, &self->told.refused, mga_igtl_reason_text(reason));
        return;
    }
    memcpy(now->transform, matrix, sizeof matrix);
    memcpy(now->transform_device, self->stream.header.device, sizeof now->transform_device);
    now->transform_stamp = self->stream.header.stamp;
    note(self, &self->told.transforms, NULL);
}

static void learn_status(igtl *self, const uint8_t *content)
{
    uint32_t code = 0;
    char text[sizeof self->told.status];
    if (mga_igtl_read_status(content, self->parts.content_bytes, &code, text, sizeof text) != MGA_IGTL_FINE ||
        code == 1)
        return;
    (void)pthread_mutex_lock(&self->lock);
    self->told.status_code = code;
    memcpy(self->told.status, text, sizeof text);
    (void)pthread_mutex_unlock(&self->lock);
}

/* A message that is no image of ours. */
static void learn(igtl *self)
{
    bool small = self->stream.header.body_bytes <= self->stream.room;
    bool known = self->stream.header.type == MGA_IGTL_IS_TRANSFORM || self->stream.header.type == MGA_IGTL_IS_STATUS;
    if (self->stream.header.type == MGA_IGTL_IS_IMAGE)
        note_other(self);
    bool parted = mga_igtl_read_body(self->stream.body, mga_igtl_stream_at_hand(&self->stream), &self->stream.header,
                                     &self->parts) == MGA_IGTL_FINE;
    if (parted && self->parts.has_id && self->parts.id - self->id - 1 < IDS_MAX)
        self->between++;
    if (!known || !small || !parted)
        return;
    if (self->stream.sum != self->stream.header.crc) {
        note(self, &self->told.refused, mga_igtl_reason_text(MGA_IGTL_SUM));
        return;
    }
    const uint8_t *content = self->stream.body + self->parts.content;
    if (self->stream.header.type == MGA_IGTL_IS_TRANSFORM)
        learn_transform(self, content);
    else
        learn_status(self, content);
}

static mga_igtl_reason read_image(igtl *self)
{
    if (self->stream.sum != self->stream.header.crc)
        return MGA_IGTL_SUM;
    size_t size = mga_igtl_stream_at_hand(&self->stream);
    mga_igtl_reason reason = mga_igtl_read_body(self->stream.body, size, &self->stream.header, &self->parts);
    if (reason != MGA_IGTL_FINE)
        return reason;
    size_t rest = size - self->parts.content;
    if (rest > self->parts.content_bytes)
        rest = self->parts.content_bytes;
    return mga_igtl_read_image(self->stream.body + self->parts.content, rest, self->parts.content_bytes, &self->image);
}

/* How many images went by in front of this one. */
static uint64_t images_lost(igtl *self)
{
    uint32_t step = self->parts.id - self->id;
    bool explained = self->between > 0 && step == self->between + 1;
    bool first = !self->numbered;
    self->numbered = self->parts.has_id;
    self->id = self->parts.id;
    self->between = 0;
    if (first || !self->numbered)
        return 0;
    if (step == 0 || step > IDS_MAX || explained)
        self->unreliable = true;
    if (self->unreliable)
        return 0;
    bool counted = self->counts;
    self->counts |= step == 1;
    return counted ? step - 1 : 0;
}

static void keep_stamp(igtl *self)
{
    uint64_t stamp = self->stream.header.stamp;
    mga_igtl_counts *told = &self->told;
    (void)pthread_mutex_lock(&self->lock);
    if (stamp) {
        uint64_t before = told->stamp_last;
        if (told->stamped++ == 0)
            told->stamp_first = stamp;
        else if (stamp <= before)
            told->stamps_back++;
        else if (stamp - before > told->stamp_step_most)
            told->stamp_step_most = stamp - before;
        told->stamp_last = stamp;
    }
    (void)pthread_mutex_unlock(&self->lock);
}

static void keep_beside(igtl *self)
{
    mga_igtl_beside *now = &self->now;
    memcpy(now->matrix, self->image.matrix, sizeof now->matrix);
    now->coordinates = self->image.coordinates;
    now->stamp = self->stream.header.stamp;
}

static bool same_format(const mga_format *one, const mga_format *other)
{
    return one->rows == other->rows && one->columns == other->columns &&
           one->samples_per_pixel == other->samples_per_pixel && one->bits_allocated == other->bits_allocated &&
           one->pixel_representation == other->pixel_representation;
}

/* --- a device
 * --------------------------------------------------------------------------------------------------------- */

static int64_t new_geometry(igtl *self)
{
    const mga_format *f = &self->image.format;
    char text[sizeof self->base.trouble.what];
    (void)snprintf(text, sizeof text, "images are now %u x %u with %u x %u bits", f->columns, f->rows,
                   f->samples_per_pixel, f->bits_allocated);
    return mga_trouble_say(&self->base.trouble, MGA_ERR_DEV_GEOMETRY, 0, text);
}

static void give(igtl *self, mga_device_frame *frame, mga_igtl_reason reason)
{
    self->numbered &= reason != MGA_IGTL_SUM; /* then nothing of it is to be believed, its number neither */
    self->counter += 1 + (reason == MGA_IGTL_SUM ? 0 : images_lost(self));
    frame->counter = self->counter;
    frame->timestamp_ns = self->stream.arrived_ns;
    frame->damaged = reason != MGA_IGTL_FINE;
    if (frame->damaged) {
        note(self, &self->told.refused, mga_igtl_reason_text(reason));
        return;
    }
    keep_beside(self);
    keep_stamp(self);
    self->base.pixels.samples.packing = self->image.format.bits_allocated == 8 ? MGA_PACKING_8
                                        : self->image.big_endian               ? MGA_PACKING_16_BIG
                                                                               : MGA_PACKING_16_LITTLE;
    frame->planes[0] = (mga_plane){.data = self->stream.body + self->parts.content + self->image.samples_at,
                                   .size = (size_t)self->image.samples_bytes};
    frame->count = 1;
}

static int64_t next(mga_device *device, mga_device_frame *frame)
{
    enum { WAIT_MS = 1000 };
    igtl *self = (igtl *)device;
    if (self->first_waits) {
        self->first_waits = false;
        give(self, frame, MGA_IGTL_FINE);
        return 1;
    }
    int64_t status = read_message(self, WAIT_MS);
    if (status <= 0)
        return status;
    if (!is_ours(self)) {
        learn(self);
        return 0;
    }
    mga_igtl_reason reason = read_image(self);
    if (reason >= MGA_IGTL_ENDIAN)
        return mga_igtl_stream_refuse(&self->stream, MGA_ERR_DEV_GEOMETRY, reason);
    if (reason == MGA_IGTL_FINE && !same_format(&self->image.format, &device->agreed.format))
        return new_geometry(self);
    if (reason == MGA_IGTL_FINE &&
        self->parts.content + self->parts.content_bytes > mga_igtl_stream_at_hand(&self->stream))
        reason = MGA_IGTL_LENGTH; /* an extended header that grew by more than anybody needs */
    give(self, frame, reason);
    return 1;
}

static int64_t start(mga_device *device)
{
    (void)device; /* it sends already */
    return MGA_OK;
}

static int64_t release(mga_device *device, const mga_device_frame *frame)
{
    (void)device;
    (void)frame;
    return MGA_OK;
}

static void stop(mga_device *device)
{
    (void)device;
}

static void placed(mga_device *device, uint32_t slot)
{
    igtl *self = (igtl *)device;
    self->slots[slot] = self->now;
}

static void dispose(mga_device *device)
{
    igtl *self = (igtl *)device;
    if (self->stream.fd >= 0)
        (void)close(self->stream.fd);
    mga_device_finish(device);
    (void)pthread_mutex_destroy(&self->lock);
    free(self->stream.body);
    free(self);
}

static const mga_device_kind IGTL = {start, next, release, stop, dispose};

static void agree(igtl *self)
{
    mga_device *base = &self->base;
    const mga_format *f = &self->image.format;
    base->agreed.format = *f;
    memcpy(base->agreed.spacing_mm, self->image.spacing_mm, sizeof base->agreed.spacing_mm);
    (void)snprintf(base->agreed.sends, sizeof base->agreed.sends, "IMAGE %s%u x %u",
                   f->pixel_representation ? "int" : "uint", f->bits_allocated, f->samples_per_pixel);
    if (f->samples_per_pixel == 3) {
        base->pixels.way = MGA_WAY_COLOUR;
        base->pixels.colour = (mga_colour_params){f->rows, f->columns, MGA_LAYOUT_RGB24, MGA_SPACE_RGB, MGA_RESULT_RGB};
    } else {
        base->pixels.way = MGA_WAY_SAMPLES;
        base->pixels.samples = (mga_unpack_params){.rows = f->rows, .columns = f->columns, .bits = f->bits_stored};
    }
    memcpy(self->device, self->stream.header.device, sizeof self->device);
    self->first_waits = true;
}

static int64_t nobody(igtl *self, uint32_t wait_ms)
{
    char text[sizeof self->base.trouble.what];
    int used = snprintf(text, sizeof text, "no whole image within %u ms, %llu messages", wait_ms,
                        (unsigned long long)self->stream.messages);
    if (self->told.others)
        used += snprintf(text + used, sizeof text - (size_t)used, ", images of '%s'", self->told.other);
    const char *why = self->told.reason[0] ? self->told.reason : self->told.status;
    if (why[0])
        (void)snprintf(text + used, sizeof text - (size_t)used, ": %s", why);
    return mga_trouble_say(&self->base.trouble, MGA_ERR_DEV_ABSENT, 0, text);
}

/* Reads until there is an image that a source can be made of. */
static int64_t await_first(igtl *self, uint32_t wait_ms)
{
    uint64_t deadline = mga_clock_ns() + (uint64_t)wait_ms * NS_PER_MS;
    for (uint64_t now = mga_clock_ns(); now < deadline; now = mga_clock_ns()) {
        int64_t status = read_message(self, (int)((deadline - now) / NS_PER_MS + 1));
        if (status < 0)
            return status;
        if (status == 0)
            continue;
        if (!is_ours(self)) {
            learn(self);
            continue;
        }
        mga_igtl_reason reason = read_image(self);
        if (reason >= MGA_IGTL_ENDIAN)
            return mga_igtl_stream_refuse(&self->stream, MGA_ERR_DEV_REFUSED, reason);
        if (reason == MGA_IGTL_FINE) {
            agree(self);
            return MGA_OK;
        }
        note(self, &self->told.refused, mga_igtl_reason_text(reason));
    }
    return nobody(self, wait_ms);
}

/* On failure null, with nothing left behind. */
static igtl *make(const mga_igtl_params *params)
{
    igtl *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    if (pthread_mutex_init(&self->lock, NULL) != 0) {
        free(self);
        return NULL;
    }
    int64_t status = mga_device_init(&self->base, &IGTL);
    self->base.placed = placed;
    self->stream.fd = fcntl(params->fd, F_DUPFD_CLOEXEC, 0);
    self->stream.stop_fd = self->base.stop_fd;
    self->stream.trouble = &self->base.trouble;
    mga_crc64_make(&self->stream.crc);
    if (status < 0 || self->stream.fd < 0 || mga_igtl_stream_grow(&self->stream, MGA_IGTL_BESIDE_BYTES) < 0) {
        dispose(&self->base);
        return NULL;
    }
    memcpy(self->device, params->device, sizeof self->device);
    memcpy(self->transform, params->transform, sizeof self->transform);
    return self;
}

int64_t mga_igtl_open(mga_device **out, const mga_igtl_params *params, mga_agreement *agreed, mga_trouble *trouble)
{
    if (!out || !params || !agreed || !trouble)
        return MGA_ERR_ARG_NULL;
    if (params->device[MGA_IGTL_NAME_BYTES - 1] || params->transform[MGA_IGTL_NAME_BYTES - 1] || params->wait_ms < 1 ||
        params->wait_ms > MGA_IGTL_WAIT_MS_MAX)
        return MGA_ERR_ARG_RANGE;
    igtl *self = make(params);
    if (!self)
        return MGA_ERR_DEV_EVENT;
    int64_t status = await_first(self, params->wait_ms);
    if (status < 0) {
        *trouble = self->base.trouble;
        dispose(&self->base);
        return status;
    }
    *agreed = self->base.agreed;
    *out = &self->base;
    return MGA_OK;
}

int64_t mga_igtl_read_counts(mga_device *device, mga_igtl_counts *counts)
{
    if (!device || !counts)
        return MGA_ERR_ARG_NULL;
    igtl *self = (igtl *)device;
    (void)pthread_mutex_lock(&self->lock);
    *counts = self->told;
    (void)pthread_mutex_unlock(&self->lock);
    return MGA_OK;
}

int64_t mga_igtl_read_beside(mga_device *device, uint32_t slot, mga_igtl_beside *beside)
{
    if (!device || !beside)
        return MGA_ERR_ARG_NULL;
    if (slot >= MGA_SLOTS_MAX)
        return MGA_ERR_ARG_SLOT;
    *beside = ((igtl *)device)->slots[slot];
    return MGA_OK;
}
