/* The stream of the device: time passes, buffers are filled, things go wrong as the script says. */
#include "device.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 32
#define PLANES 2
#define PLANE_SHIFT 24 /* 16 MiB of address for each plane of each buffer */
#define LOOK_NS 10000000
#define HOUR_NS 3600000000000u

typedef struct {
    enum { IDLE, QUEUED, DONE } state;
    uint32_t sequence, flags, used[PLANES];
    uint64_t at_ns;
    uint8_t *memory[PLANES];
} buffer;

struct fake_handle {
    int memory; /* memfd */
    uint32_t count, sizes[PLANES], planes, line;
    buffer buffers[BUFFERS];
    uint32_t queue[BUFFERS], queued; /* in their order; done ones are taken by sequence */
    uint64_t next_ns;
    uint32_t sequence;
    bool streaming, broken, gone, subscribed, changed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fake_script script;
static fake_settings settings;
static struct timespec script_time;
static bool script_known, settled, nobody_there;
static fake_handle *owner; /* of the buffers */

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void look(void)
{
    struct stat found;
    const char *path = getenv("MGA_V4L2");
    if (!path || stat(path, &found) != 0)
        return;
    if (script_known && found.st_mtim.tv_sec == script_time.tv_sec && found.st_mtim.tv_nsec == script_time.tv_nsec)
        return;
    script_known = fake_script_read(&script, path) == 0;
    script_time = found.st_mtim;
    nobody_there = false;
    settled = false;
}

/* A device that was away, or is another one, stands as it comes from its maker. */
static void settle(void)
{
    settings = (fake_settings){.rate = script.rate_count ? script.rates[0] : 30,
                               .fourcc = script.offers[0].fourcc,
                               .columns = script.offers[0].sizes[0].columns,
                               .rows = script.offers[0].sizes[0].rows};
    for (int i = 0; i < script.control_count; i++)
        settings.values[i] = script.controls[i].preset;
    settled = true;
}

static bool is_ours(const char *path)
{
    for (int i = 0; i < script.path_count; i++)
        if (strcmp(path, script.paths[i]) == 0)
            return true;
    return false;
}

fake_handle *fake_open(const char *path, int *error)
{
    (void)pthread_mutex_lock(&lock);
    look();
    fake_handle *handle = NULL;
    *error = 0;
    if (script_known && is_ours(path)) {
        if (!settled && !owner)
            settle();
        *error = script.absent || nobody_there ? ENOENT : 0;
        handle = *error ? NULL : calloc(1, sizeof *handle);
        if (handle)
            handle->memory = memfd_create("v4l2", MFD_CLOEXEC);
    }
    (void)pthread_mutex_unlock(&lock);
    return handle;
}

int fake_memory(fake_handle *handle)
{
    return handle->memory;
}

static void forget_buffers(fake_handle *h)
{
    for (uint32_t i = 0; i < h->count; i++)
        for (uint32_t p = 0; p < h->planes; p++)
            (void)munmap(h->buffers[i].memory[p], h->sizes[p]);
    memset(h->buffers, 0, sizeof h->buffers);
    h->count = h->queued = 0;
    h->streaming = false;
    if (owner == h)
        owner = NULL;
}

void fake_close(fake_handle *handle)
{
    (void)pthread_mutex_lock(&lock);
    forget_buffers(handle);
    (void)close(handle->memory);
    free(handle);
    (void)pthread_mutex_unlock(&lock);
}

static off_t place(uint32_t index, uint32_t plane)
{
    return (off_t)(index * PLANES + plane) << PLANE_SHIFT;
}

static int request_buffers(fake_handle *h, struct v4l2_requestbuffers *r)
{
    if (owner && owner != h)
        return EBUSY;
    if (r->memory != V4L2_MEMORY_MMAP)
        return EINVAL;
    forget_buffers(h);
    if (r->count == 0)
        return 0;
    r->count = r->count < script.fewest ? script.fewest : r->count > script.most ? script.most : r->count;
    r->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    struct v4l2_format f = {0};
    fake_format_fill(&script, &settings, &f);
    h->planes = script.planar ? f.fmt.pix_mp.num_planes : 1;
    h->sizes[0] = script.planar ? f.fmt.pix_mp.plane_fmt[0].sizeimage : f.fmt.pix.sizeimage;
    h->sizes[1] = script.planar ? f.fmt.pix_mp.plane_fmt[1].sizeimage : 0;
    h->line = script.planar ? f.fmt.pix_mp.plane_fmt[0].bytesperline : f.fmt.pix.bytesperline;
    h->count = r->count;
    if (ftruncate(h->memory, place(h->count, 0)) != 0)
        return ENOMEM;
    for (uint32_t i = 0; i < h->count; i++)
        for (uint32_t p = 0; p < h->planes; p++)
            h->buffers[i].memory[p] =
                mmap(NULL, h->sizes[p], PROT_READ | PROT_WRITE, MAP_SHARED, h->memory, place(i, p));
    owner = h;
    return 0;
}

/* What frame `sequence` looks like: each line of each plane counts on from the plane before. */
static void draw(const fake_handle *h, buffer *b)
{
    const fake_layout *layout = fake_layout_of(settings.fourcc);
    uint32_t shown = h->line - script.pad;
    for (uint32_t p = 0; p < h->planes; p++)
        for (uint32_t i = 0; i < h->sizes[p]; i++) {
            uint32_t y = i / h->line + (p ? settings.rows : 0);
            uint32_t x = i % h->line;
            uint32_t keep = !layout->mask ? 0xff : layout->mask >> (x % 2 * 8) & 0xff;
            bool padding = layout->halves != 2 && x >= shown;
            b->memory[p][i] = padding ? 0xee : (uint8_t)(fake_byte(b->sequence, y, x) & keep);
        }
}

static void damage(const fake_handle *h, buffer *b)
{
    b->flags = fake_has(&script.errors, b->sequence) ? V4L2_BUF_FLAG_ERROR : 0;
    for (uint32_t p = 0; p < h->planes; p++) {
        b->used[p] = h->sizes[p];
        if (fake_has(&script.shorts, b->sequence))
            b->used[p] = h->sizes[p] / 2;
        if (fake_has(&script.empties, b->sequence))
            b->used[p] = 0;
    }
}

static void frame(fake_handle *h, uint32_t sequence)
{
    if (sequence == script.fatal_at)
        h->broken = true;
    if (sequence == script.gone_at) {
        h->gone = true;
        nobody_there = script.away;
    }
    if (sequence == script.change_at) {
        h->changed = h->subscribed;
        const fake_offer *offer = &script.offers[0];
        settings.columns = offer->sizes[offer->count - 1].columns;
        settings.rows = offer->sizes[offer->count - 1].rows;
    }
    if (h->broken || h->gone || h->changed || fake_has(&script.gaps, sequence) || h->queued == 0)
        return; /* nobody ever gets it */
    buffer *b = &h->buffers[h->queue[0]];
    memmove(h->queue, h->queue + 1, --h->queued * sizeof h->queue[0]);
    b->state = DONE;
    b->sequence = sequence;
    b->at_ns = h->next_ns;
    draw(h, b);
    damage(h, b);
}

static void advance(fake_handle *h)
{
    look();
    while (h->streaming && !h->broken && !h->gone && h->next_ns <= now_ns()) {
        frame(h, h->sequence++);
        h->next_ns += (uint64_t)(1e9 / settings.rate);
    }
}

static buffer *oldest(fake_handle *h)
{
    buffer *found = NULL;
    for (uint32_t i = 0; i < h->count; i++)
        if (h->buffers[i].state == DONE && (!found || h->buffers[i].sequence < found->sequence))
            found = &h->buffers[i];
    return found;
}

static uint64_t stamp(const buffer *b)
{
    if (fake_has(&script.unstamped, b->sequence))
        return 0;
    return b->at_ns + (fake_has(&script.aheads, b->sequence) ? HOUR_NS : 0);
}

static void tell(const fake_handle *h, const buffer *b, struct v4l2_buffer *out)
{
    uint64_t at_ns = stamp(b);
    out->index = (uint32_t)(b - h->buffers);
    out->flags = b->flags | (script.clock_unknown ? 0 : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
    out->flags |= script.begun ? V4L2_BUF_FLAG_TSTAMP_SRC_SOE : V4L2_BUF_FLAG_TSTAMP_SRC_EOF;
    out->flags |= b->state == QUEUED ? V4L2_BUF_FLAG_QUEUED : 0;
    out->sequence = script.uncounted ? 0 : b->sequence;
    out->timestamp.tv_sec = script.clock_unknown ? 12 : (time_t)(at_ns / 1000000000u);
    out->timestamp.tv_usec = script.clock_unknown ? 34 : (suseconds_t)(at_ns % 1000000000u / 1000u);
    out->field = V4L2_FIELD_NONE;
    if (!script.planar) {
        out->bytesused = b->used[0];
        out->length = h->sizes[0];
        out->m.offset = (uint32_t)place(out->index, 0);
        return;
    }
    out->length = h->planes;
    for (uint32_t p = 0; p < h->planes; p++) {
        out->m.planes[p].bytesused = b->used[p];
        out->m.planes[p].length = h->sizes[p];
        out->m.planes[p].m.mem_offset = (uint32_t)place(out->index, p);
    }
}

static int checked(const fake_handle *h, const struct v4l2_buffer *v)
{
    uint32_t own = script.planar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
    bool planes = !script.planar || (v->m.planes && v->length >= h->planes);
    return v->type == own && v->memory == V4L2_MEMORY_MMAP && planes ? 0 : EINVAL;
}

static int query(fake_handle *h, struct v4l2_buffer *v)
{
    if (v->index >= h->count)
        return EINVAL;
    tell(h, &h->buffers[v->index], v);
    return 0;
}

static int queue(fake_handle *h, struct v4l2_buffer *v)
{
    if (v->index >= h->count || h->buffers[v->index].state != IDLE)
        return EINVAL;
    buffer *b = &h->buffers[v->index];
    for (uint32_t p = 0; p < h->planes; p++)
        memset(b->memory[p], 0xdd, h->sizes[p]); /* whoever still reads it does not see the frame any more */
    b->state = QUEUED;
    h->queue[h->queued++] = v->index;
    return 0;
}

static int dequeue(fake_handle *h, struct v4l2_buffer *v)
{
    if (!h->streaming)
        return EINVAL;
    if (h->broken)
        return EIO;
    buffer *b = oldest(h);
    if (!b)
        return EAGAIN;
    b->state = IDLE;
    tell(h, b, v);
    return 0;
}

static int stream(fake_handle *h, bool on)
{
    if (on && h->count == 0)
        return EINVAL;
    h->streaming = on;
    h->sequence = 0;
    h->next_ns = now_ns() + (uint64_t)(1e9 / settings.rate);
    if (!on) {
        h->queued = 0;
        h->broken = false;
        for (uint32_t i = 0; i < h->count; i++)
            h->buffers[i].state = IDLE;
    }
    return 0;
}

static int event(fake_handle *h, struct v4l2_event *e)
{
    if (!h->changed)
        return ENOENT;
    *e = (struct v4l2_event){.type = V4L2_EVENT_SOURCE_CHANGE};
    e->u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION;
    h->changed = false;
    return 0;
}

static int capability(struct v4l2_capability *c)
{
    *c = (struct v4l2_capability){.version = 1};
    (void)snprintf((char *)c->driver, sizeof c->driver, "fake");
    (void)snprintf((char *)c->card, sizeof c->card, "Fake grabber");
    (void)snprintf((char *)c->bus_info, sizeof c->bus_info, "platform:fake");
    c->device_caps = V4L2_CAP_STREAMING | (script.planar ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_CAPTURE);
    c->capabilities = c->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

static int subscribe(fake_handle *h, const struct v4l2_event_subscription *s)
{
    h->subscribed |= s->type == V4L2_EVENT_SOURCE_CHANGE;
    return 0;
}

static int streaming(fake_handle *h, unsigned long request, void *argument)
{
    switch (request) {
    case VIDIOC_QUERYCAP: return capability(argument);
    case VIDIOC_REQBUFS: return request_buffers(h, argument);
    case VIDIOC_QUERYBUF: return checked(h, argument) ? EINVAL : query(h, argument);
    case VIDIOC_QBUF: return checked(h, argument) ? EINVAL : queue(h, argument);
    case VIDIOC_DQBUF: return checked(h, argument) ? EINVAL : dequeue(h, argument);
    case VIDIOC_STREAMON: return stream(h, true);
    case VIDIOC_STREAMOFF: return stream(h, false);
    case VIDIOC_SUBSCRIBE_EVENT: return subscribe(h, argument);
    case VIDIOC_DQEVENT: return event(h, argument);
    default: return ENOTTY;
    }
}

static int answer(fake_handle *h, unsigned long request, void *argument)
{
    advance(h);
    if (h->gone)
        return ENODEV;
    for (int i = 0; i < script.failure_count; i++)
        if (script.failures[i].request == request)
            return script.failures[i].error;
    bool sets = request == VIDIOC_S_FMT || request == VIDIOC_S_INPUT || request == VIDIOC_S_DV_TIMINGS;
    if (sets && owner)
        return EBUSY;
    int settled_error = fake_settle(&script, &settings, request, argument);
    int error = settled_error >= 0 ? settled_error : streaming(h, request, argument);
    if (error == 0 && request == script.change_request)
        h->changed = h->subscribed;
    return error;
}

int fake_ioctl(fake_handle *handle, unsigned long request, void *argument)
{
    (void)pthread_mutex_lock(&lock);
    int error = answer(handle, request, argument);
    (void)pthread_mutex_unlock(&lock);
    return error;
}

short fake_poll(fake_handle *h, short events, int64_t *next_ns)
{
    (void)pthread_mutex_lock(&lock);
    advance(h);
    short found = 0;
    if (h->gone)
        found = POLLERR | POLLHUP;
    else if (h->broken || !h->streaming)
        found = POLLERR;
    else {
        found = (short)((oldest(h) ? events & (POLLIN | POLLRDNORM) : 0) | (h->changed ? events & POLLPRI : 0));
        int64_t left = (int64_t)(h->next_ns - now_ns());
        *next_ns = left < LOOK_NS ? left : LOOK_NS;
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}
