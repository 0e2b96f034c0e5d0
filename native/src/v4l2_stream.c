/* The stream of a Video4Linux2 device: buffers of the driver's, mapped.
 *
 * A frame is copied out, and its buffer queued again, before anything else is done with it: a driver that has none left
 * skips sequence numbers, which are counted as lost. Two things end a stream as long as frames come: another picture at
 * the input (V4L2_EVENT_SOURCE_CHANGE), also one that came before the first frame, and an error that poll or
 * VIDIOC_DQBUF tell of.
 *
 * Some drivers count nothing and leave the sequence number as it is; then every frame is the next one, and what they
 * lose nobody can tell. Time stamps are those of the driver where it says that they are of CLOCK_MONOTONIC, and as long
 * as they rise and are of about now; for a frame of any other stamp it is the time of arrival. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "v4l2.h"

#define BUFFERS_MAX 32u /* of videobuf2, for most of its life */
#define BUFFERS_FEWEST 2u
#define NEXT_WAIT_MS 1000
#define OLD_NS 5000000000u          /* no frame waits so long */
#define AHEAD_NS 1000000000u        /* stamps may be of the end of a period that has begun, up to this ... */
#define AHEAD_UNKNOWN_NS 100000000u /* ... or to this where nobody knows the period */

typedef struct {
    void *start;
    size_t length;
} mapping;

typedef struct {
    mga_device device; /* first */
    int fd;
    uint32_t planar;
    mga_v4l2_picture picture;
    uint32_t buffers;
    mapping maps[BUFFERS_MAX][MGA_PLANES_MAX];
    uint32_t sequence; /* of the last frame */
    uint32_t ahead;    /* how far our count is before it, for drivers that do not count */
    uint64_t timestamp_ns;
    bool any; /* a frame came */
} v4l2_self;

/* A buffer with room for its planes; `planes` must outlive it. */
static struct v4l2_buffer buffer(const v4l2_self *self, uint32_t index, struct v4l2_plane *planes)
{
    struct v4l2_buffer b = {.index = index, .type = mga_v4l2_type(self->planar), .memory = V4L2_MEMORY_MMAP};
    if (self->planar) {
        b.m.planes = planes;
        b.length = VIDEO_MAX_PLANES;
    }
    return b;
}

static int64_t map_one(v4l2_self *self, uint32_t index, mga_trouble *trouble)
{
    struct v4l2_plane planes[VIDEO_MAX_PLANES] = {0};
    struct v4l2_buffer b = buffer(self, index, planes);
    int64_t status = mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_QUERYBUF), &b, trouble);
    if (status < 0)
        return status;
    uint32_t stamps = b.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK;
    bool of_driver = stamps == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    self->device.agreed.driver_time = of_driver;
    self->device.agreed.begun_time =
        of_driver && (b.flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK) == V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
    for (uint32_t k = 0; k < self->picture.planes; k++) {
        size_t length = self->planar ? planes[k].length : b.length;
        off_t offset = (off_t)(self->planar ? planes[k].m.mem_offset : b.m.offset);
        void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, offset);
        if (start == MAP_FAILED)
            return mga_trouble_say(trouble, MGA_ERR_DEV_MEMORY, errno, "mmap");
        self->maps[index][k] = (mapping){start, length};
    }
    return MGA_OK;
}

static int64_t map(v4l2_self *self, uint32_t wanted, mga_trouble *trouble)
{
    struct v4l2_requestbuffers r = {.count = wanted, .type = mga_v4l2_type(self->planar), .memory = V4L2_MEMORY_MMAP};
    int64_t status = mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_REQBUFS), &r, trouble);
    if (status < 0)
        return status;
    if (r.count < BUFFERS_FEWEST)
        return mga_trouble_say(trouble, MGA_ERR_DEV_MEMORY, 0, "VIDIOC_REQBUFS gave less than two buffers");
    self->buffers = r.count < BUFFERS_MAX ? r.count : BUFFERS_MAX;
    for (uint32_t i = 0; i < self->buffers && status >= 0; i++)
        status = map_one(self, i, trouble);
    return status;
}

/* A control, or another program, may have changed the picture since it was read; with buffers taken nobody can. */
static int64_t unchanged(const v4l2_self *self, mga_trouble *trouble)
{
    mga_v4l2_picture now;
    int64_t status = mga_v4l2_picture_get(self->fd, self->planar, &now, trouble);
    return status < 0 ? status : mga_v4l2_same(&self->picture, &now, trouble);
}

static int64_t queue(v4l2_self *self, uint32_t index)
{
    struct v4l2_plane planes[VIDEO_MAX_PLANES] = {0};
    struct v4l2_buffer b = buffer(self, index, planes);
    if (self->planar)
        b.length = self->picture.planes;
    return mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_QBUF), &b, &self->device.trouble);
}

/* MGA_OK, or what the events that wait mean. */
static int64_t hear(v4l2_self *self)
{
    mga_trouble *trouble = &self->device.trouble;
    for (;;) {
        struct v4l2_event e = {0};
        mga_trouble none;
        int64_t status = mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_DQEVENT), &e, &none);
        if (status < 0 && none.number == ENODEV)
            return mga_trouble_say(trouble, MGA_ERR_DEV_GONE, ENODEV, none.what);
        if (status < 0)
            return MGA_OK; /* no more */
        if (e.type == V4L2_EVENT_SOURCE_CHANGE && e.u.src_change.changes & V4L2_EVENT_SRC_CH_RESOLUTION)
            return mga_trouble_say(trouble, MGA_ERR_DEV_GEOMETRY, 0, "V4L2_EVENT_SOURCE_CHANGE");
    }
}

static int64_t start(mga_device *device)
{
    v4l2_self *self = (v4l2_self *)device;
    int64_t status = hear(self);
    for (uint32_t i = 0; i < self->buffers && status >= 0; i++)
        status = queue(self, i);
    int type = (int)mga_v4l2_type(self->planar);
    return status < 0 ? status : mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_STREAMON), &type, &device->trouble);
}

static void stop(mga_device *device)
{
    v4l2_self *self = (v4l2_self *)device;
    int type = (int)mga_v4l2_type(self->planar);
    mga_trouble unheard; /* it ends either way */
    (void)mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_STREAMOFF), &type, &unheard);
}

static uint64_t counted(v4l2_self *self, uint32_t sequence)
{
    if (self->any && sequence == self->sequence)
        self->ahead++;
    self->sequence = sequence;
    return sequence + self->ahead;
}

static uint64_t ahead_ns(const v4l2_self *self)
{
    double rate_hz = self->device.agreed.rate_hz;
    if (rate_hz <= 0.0)
        return AHEAD_UNKNOWN_NS;
    return rate_hz > 1.0 ? (uint64_t)(1e9 / rate_hz) : AHEAD_NS;
}

static uint64_t stamped(v4l2_self *self, const struct v4l2_buffer *b)
{
    uint64_t at = mga_clock_ns();
    if ((b->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) {
        uint64_t said = (uint64_t)b->timestamp.tv_sec * 1000000000u + (uint64_t)b->timestamp.tv_usec * 1000u;
        bool is_of_now = said <= at + ahead_ns(self) && said + OLD_NS >= at;
        if (is_of_now && (!self->any || said > self->timestamp_ns))
            at = said;
    }
    if (self->any && at <= self->timestamp_ns)
        at = self->timestamp_ns + 1; /* the one before was stamped ahead of its time */
    self->timestamp_ns = at;
    return at;
}

static void found(v4l2_self *self, const struct v4l2_buffer *b, mga_device_frame *frame)
{
    mga_plane memories[MGA_PLANES_MAX] = {0};
    bool damaged = (b->flags & V4L2_BUF_FLAG_ERROR) != 0;
    for (uint32_t k = 0; k < self->picture.planes; k++) {
        const mapping *m = &self->maps[b->index][k];
        size_t used = self->planar ? b->m.planes[k].bytesused : b->bytesused;
        size_t from = self->planar ? b->m.planes[k].data_offset : 0;
        used = used < m->length ? used : m->length;
        damaged = damaged || used <= from;
        if (!damaged)
            memories[k] = (mga_plane){.data = (const uint8_t *)m->start + from, .size = used - from};
    }
    frame->self = b->index;
    frame->damaged = damaged;
    frame->timestamp_ns = stamped(self, b);
    frame->counter = counted(self, b->sequence);
    self->any = true;
    if (!damaged)
        mga_v4l2_planes(&self->picture, memories, frame);
}

static int64_t next(mga_device *device, mga_device_frame *frame)
{
    v4l2_self *self = (v4l2_self *)device;
    struct pollfd fds[] = {{.fd = self->fd, .events = POLLIN | POLLPRI}, {.fd = device->stop_fd, .events = POLLIN}};
    if (poll(fds, 2, NEXT_WAIT_MS) <= 0 || fds[1].revents || !fds[0].revents)
        return 0;
    if (fds[0].revents & POLLPRI) {
        int64_t status = hear(self);
        if (status < 0)
            return status;
    }
    if (!(fds[0].revents & (POLLIN | POLLERR | POLLHUP)))
        return 0;
    struct v4l2_plane planes[VIDEO_MAX_PLANES] = {0};
    struct v4l2_buffer b = buffer(self, 0, planes);
    int64_t status = mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_DQBUF), &b, &device->trouble);
    if (status < 0) {
        bool later = device->trouble.number == EAGAIN && !(fds[0].revents & (POLLERR | POLLHUP));
        return later ? 0 : status;
    }
    if (b.index >= self->buffers)
        return mga_trouble_say(&device->trouble, MGA_ERR_DEV_PROTOCOL, 0,
                               "VIDIOC_DQBUF gave a buffer there is none of");
    found(self, &b, frame);
    return 1;
}

static int64_t release(mga_device *device, const mga_device_frame *frame)
{
    return queue((v4l2_self *)device, (uint32_t)frame->self);
}

static void dispose(mga_device *device)
{
    v4l2_self *self = (v4l2_self *)device;
    for (uint32_t i = 0; i < BUFFERS_MAX; i++)
        for (uint32_t k = 0; k < MGA_PLANES_MAX; k++)
            if (self->maps[i][k].start)
                (void)munmap(self->maps[i][k].start, self->maps[i][k].length);
    if (self->fd >= 0) {
        struct v4l2_requestbuffers none = {.type = mga_v4l2_type(self->planar), .memory = V4L2_MEMORY_MMAP};
        mga_trouble unheard; /* closing frees them as well, once the last duplicate of the descriptor is closed */
        (void)mga_v4l2_ask(self->fd, MGA_V4L2(VIDIOC_REQBUFS), &none, &unheard);
        (void)close(self->fd);
    }
    mga_device_finish(device);
    free(self);
}

static const mga_device_kind V4L2 = {start, next, release, stop, dispose};

int64_t mga_v4l2_open(mga_device **out, const mga_v4l2_params *params, mga_agreement *agreed, mga_trouble *trouble)
{
    if (!out || !agreed || !params || !trouble)
        return MGA_ERR_ARG_NULL;
    if (params->buffers < BUFFERS_FEWEST || params->buffers > BUFFERS_MAX || params->picture.planes < 1 ||
        params->picture.planes > MGA_PLANES_MAX)
        return MGA_ERR_ARG_RANGE;
    v4l2_self *self = calloc(1, sizeof *self);
    if (!self)
        return MGA_ERR_DEV_MEMORY;
    int64_t status = mga_device_init(&self->device, &V4L2);
    self->device.modulus = (uint64_t)UINT32_MAX + 1;
    self->device.agreed.rate_hz = params->rate_hz;
    self->picture = params->picture;
    self->planar = params->planar;
    self->fd = fcntl(params->fd, F_DUPFD_CLOEXEC, 0);
    if (self->fd < 0)
        status = mga_trouble_say(trouble, MGA_ERR_DEV_EVENT, errno, "fcntl");
    if (status >= 0) {
        (void)mga_v4l2_listen(self->fd);
        status = mga_v4l2_agree(&self->picture, &self->device, trouble);
    }
    if (status >= 0)
        status = map(self, params->buffers, trouble);
    if (status >= 0)
        status = unchanged(self, trouble);
    if (status < 0) {
        dispose(&self->device);
        return status;
    }
    *agreed = self->device.agreed;
    *out = &self->device;
    return MGA_OK;
}
