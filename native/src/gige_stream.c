/* A camera that streams, as a device.
 *
 * Which frames are missing is read from the frame ids. GigE Vision counts them in 16 bits, from 1 to 65535 and then
 * from 1 again; a camera of version 2 may count in 64. A frame that comes incomplete has its id where at least its
 * leader came; without that the library gives the buffer back with the id it had, so each goes there with 0, which is
 * none. Frames of no known id wait until the next one that has one: as many of them as fit into the gap before it were
 * damaged, the rest of the gap never came.
 *
 * Silence. A camera that is paced by itself or by us and sends nothing for several periods is gone: the library notices
 * after five seconds at the earliest, and says so; that alone counts where a line has the pace. A camera that is gone
 * is not asked to stop: it would cost seconds to find out again that it does not answer. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gige.h"

#define GIGE_IDS 65535u
#define WAIT_US 50000u         /* how late a stop is seen */
#define SILENCE_NS 2000000000u /* at least, and SILENCE_PERIODS */
#define SILENCE_PERIODS 4.0
#define BUFFERS 16u    /* half a second at 30 frames/s, if they fit into ... */
#define BUFFERS_MIN 3u /* ... and never less: one fills, one waits, one is copied */
#define BUFFERS_BYTES (64u << 20)
#define PAYLOAD_MORE (1u << 20) /* than twice a frame: chunks, padding */

typedef struct {
    mga_device device;
    mga_gige *camera;
    ArvStream *stream;
    mga_gige_params params;
    uint32_t code; /* PFNC, as agreed */
    size_t payload;
    uint64_t silence_ns; /* 0 = a line has the pace */
    uint64_t heard_ns;
    uint64_t trigger_ns; /* when the next one is due, with params.software_hz */
    mga_gige_time time;
    bool ticks; /* the camera stamps its frames */
    bool seen;  /* a buffer came, whatever was in it */
    bool gone;
    ArvBuffer *held;  /* a frame whose turn comes behind `nameless` */
    ArvBuffer *out;   /* the frame that was told of and not released */
    uint64_t counter; /* of the last frame that was told of, once `counted` */
    bool counted;
    uint64_t nameless; /* damaged frames of no known id since then */
} gige;

static int64_t ended(gige *self, const char *what)
{
    self->gone = true;
    return mga_trouble_say(&self->device.trouble, MGA_ERR_DEV_GONE, 0, what);
}

static int64_t failed(gige *self, mga_aravis_error *error, const char *what)
{
    int64_t status = mga_gige_fail(&self->camera->library, error, what, &self->device.trouble);
    self->gone |= status == MGA_ERR_DEV_GONE;
    return status;
}

static int64_t trigger(gige *self, uint64_t now)
{
    if (self->params.software_hz <= 0.0 || now < self->trigger_ns)
        return MGA_OK;
    const mga_aravis *library = &self->camera->library;
    mga_aravis_error *error = NULL;
    self->trigger_ns = now + (uint64_t)(1e9 / self->params.software_hz);
    library->arv_camera_software_trigger(self->camera->camera, &error);
    return error ? failed(self, error, "TriggerSoftware") : MGA_OK;
}

static int64_t start(mga_device *device)
{
    gige *self = (gige *)device;
    const mga_aravis *library = &self->camera->library;
    mga_aravis_error *error = NULL;
    library->arv_camera_start_acquisition(self->camera->camera, &error);
    self->heard_ns = mga_clock_ns();
    self->trigger_ns = self->heard_ns;
    return error ? failed(self, error, "AcquisitionStart") : MGA_OK;
}

static void give_back(const gige *self, ArvBuffer *buffer)
{
    self->camera->library.arv_buffer_set_frame_id(buffer, 0);
    self->camera->library.arv_stream_push_buffer(self->stream, buffer);
}

static bool is_picture(const mga_aravis *library, ArvBuffer *buffer)
{
    int payload = library->arv_buffer_get_payload_type(buffer);
    return payload == ARV_BUFFER_PAYLOAD_TYPE_IMAGE || payload == ARV_BUFFER_PAYLOAD_TYPE_EXTENDED_CHUNK_DATA;
}

/* What a whole frame holds; MGA_ERR_DEV_GEOMETRY where that is not what was agreed on. */
static int64_t describe(gige *self, ArvBuffer *buffer, mga_device_frame *frame)
{
    const mga_aravis *library = &self->camera->library;
    const mga_format *format = &self->device.agreed.format;
    if (!is_picture(library, buffer))
        return mga_trouble_say(&self->device.trouble, MGA_ERR_DEV_GEOMETRY, 0, "payload that is no image");
    if (library->arv_buffer_get_image_width(buffer) != (int)format->columns ||
        library->arv_buffer_get_image_height(buffer) != (int)format->rows)
        return mga_trouble_say(&self->device.trouble, MGA_ERR_DEV_GEOMETRY, 0, "Width or Height");
    if (library->arv_buffer_get_image_pixel_format(buffer) != self->code)
        return mga_trouble_say(&self->device.trouble, MGA_ERR_DEV_GEOMETRY, 0, "PixelFormat");
    int padding[2] = {0, 0};
    library->arv_buffer_get_image_padding(buffer, &padding[0], &padding[1]);
    size_t size = 0;
    const void *data = library->arv_buffer_get_data(buffer, &size);
    frame->planes[0] = (mga_plane){data, size, mga_gige_stride(self->code, format->columns, padding[0])};
    frame->count = 1;
    uint64_t now = mga_clock_ns();
    frame->timestamp_ns =
        self->ticks ? mga_gige_time_stamp(&self->time, library->arv_buffer_get_timestamp(buffer), now) : now;
    return MGA_OK;
}

static uint64_t after(const gige *self, uint64_t counter)
{
    return self->device.modulus && counter >= GIGE_IDS ? 1 : counter + 1;
}

/* How many frames there are between the last one and this one. Where the camera counts anew nobody knows: then it is
 * at least those that came, though nameless. */
static uint64_t gap(const gige *self, uint64_t counter)
{
    if (!self->counted)
        return 0;
    uint64_t modulus = self->device.modulus;
    uint64_t forward = modulus ? (counter + modulus - self->counter) % modulus : counter - self->counter;
    uint64_t half = modulus ? modulus / 2 : UINT64_MAX / 2;
    return forward >= 1 && forward <= half ? forward - 1 : self->nameless;
}

/* The next frame to tell of: a nameless one that belongs in front of the held one, or that. */
static int64_t tell(gige *self, mga_device_frame *frame)
{
    const mga_aravis *library = &self->camera->library;
    ArvBuffer *buffer = self->held;
    uint64_t counter = library->arv_buffer_get_frame_id(buffer);
    if (self->nameless > 0 && gap(self, counter) > 0) {
        self->nameless--;
        frame->counter = self->counter = after(self, self->counter);
        frame->damaged = true;
        return 1;
    }
    self->nameless = 0;
    self->held = NULL;
    self->counter = frame->counter = counter;
    self->counted = true;
    self->out = buffer;
    frame->damaged = library->arv_buffer_get_status(buffer) != ARV_BUFFER_STATUS_SUCCESS;
    int64_t status = frame->damaged ? MGA_OK : describe(self, buffer, frame);
    return status < 0 ? status : 1;
}

static int64_t silent(gige *self, uint64_t now)
{
    if (atomic_load(&self->camera->lost))
        return ended(self, "the camera does not answer any more");
    if (self->silence_ns == 0 || now - self->heard_ns < self->silence_ns)
        return 0;
    if (self->seen)
        return ended(self, "no more frames");
    return ended(self, "not one frame came: a firewall, a cable, or packets larger than the network carries?");
}

static int64_t next(mga_device *device, mga_device_frame *frame)
{
    gige *self = (gige *)device;
    const mga_aravis *library = &self->camera->library;
    if (self->held)
        return tell(self, frame);
    uint64_t now = mga_clock_ns();
    int64_t status = trigger(self, now);
    if (status < 0)
        return status;
    uint64_t wait_us = WAIT_US;
    if (self->params.software_hz > 0.0 && self->trigger_ns - now < wait_us * 1000)
        wait_us = (self->trigger_ns - now) / 1000 + 1;
    ArvBuffer *buffer = library->arv_stream_timeout_pop_buffer(self->stream, wait_us);
    if (!buffer)
        return silent(self, mga_clock_ns());
    self->heard_ns = mga_clock_ns();
    self->seen = true;
    if (library->arv_buffer_get_frame_id(buffer) == 0) {
        self->nameless += self->counted;
        give_back(self, buffer);
        return 0;
    }
    self->held = buffer;
    return tell(self, frame);
}

static int64_t release(mga_device *device, const mga_device_frame *frame)
{
    gige *self = (gige *)device;
    (void)frame;
    if (self->out)
        give_back(self, self->out);
    self->out = NULL;
    return MGA_OK;
}

static void stop(mga_device *device)
{
    gige *self = (gige *)device;
    if (!self->gone && !atomic_load(&self->camera->lost))
        self->camera->library.arv_camera_stop_acquisition(self->camera->camera, NULL);
}

static void *let_go(void *argument)
{
    gige *self = argument;
    if (self->held)
        give_back(self, self->held);
    if (self->out)
        give_back(self, self->out);
    if (self->stream)
        self->camera->library.g_object_unref(self->stream);
    mga_gige_disconnect(self->camera);
    mga_device_finish(&self->device);
    free(self);
    return NULL;
}

static bool let_go_apart(gige *self)
{
    pthread_t thread;
    sigset_t before = mga_gige_block_signals();
    bool made = pthread_create(&thread, NULL, let_go, self) == 0;
    mga_gige_restore_signals(&before);
    if (made)
        (void)pthread_detach(thread);
    return made;
}

static void dispose(mga_device *device)
{
    gige *self = (gige *)device;
    bool is_gone = self->gone || atomic_load(&self->camera->lost);
    if (!is_gone || !let_go_apart(self))
        (void)let_go(self);
}

static const mga_device_kind GIGE = {start, next, release, stop, dispose};

/* --- opened ------------------------------------------------------------------------------------------------------- */

/* The camera says how much memory a frame needs; who asks the library for more than there is, is ended by it. */
static int64_t check_payload(const gige *self, int64_t pixels, mga_trouble *trouble)
{
    uint64_t frame = ((uint64_t)pixels * (self->code >> 16 & 0xff) + 7) / 8; /* PFNC: bits of a pixel, as sent */
    if (self->payload >= frame && self->payload <= 2 * frame + PAYLOAD_MORE)
        return MGA_OK;
    char what[sizeof trouble->what];
    (void)snprintf(what, sizeof what, "PayloadSize is %zu bytes, a frame has %" PRIu64, self->payload, frame);
    return mga_trouble_say(trouble, MGA_ERR_DEV_REFUSED, 0, what);
}

static int64_t agree(gige *self, mga_trouble *trouble)
{
    const mga_aravis *library = &self->camera->library;
    ArvCamera *camera = self->camera->camera;
    mga_aravis_error *error = NULL;
    int64_t columns = library->arv_camera_get_integer(camera, "Width", &error);
    int64_t rows = error ? 0 : library->arv_camera_get_integer(camera, "Height", &error);
    self->code = error ? 0 : library->arv_camera_get_pixel_format(camera, &error);
    self->payload = error ? 0 : library->arv_camera_get_payload(camera, &error);
    const char *name = error ? NULL : library->arv_camera_get_string(camera, "PixelFormat", &error);
    if (error)
        return mga_gige_fail(library, error, "reading back", trouble);
    if (rows < 1 || columns < 1 || rows > UINT16_MAX || columns > UINT16_MAX) /* US in DICOM (PS3.3 C.7.6.3) */
        return mga_trouble_say(trouble, MGA_ERR_DEV_REFUSED, 0, "Width or Height");
    mga_agreement *agreed = &self->device.agreed;
    strncpy(agreed->sends, name ? name : "", sizeof agreed->sends - 1);
    int64_t status = mga_gige_pixels(self->code, (uint32_t)rows, (uint32_t)columns, &self->device);
    if (status < 0)
        return mga_trouble_say(trouble, status, 0, agreed->sends);
    status = mga_format_bytes(&agreed->format);
    if (status < 0)
        return mga_trouble_say(trouble, MGA_ERR_DEV_REFUSED, 0, "a frame that is too large");
    return check_payload(self, rows * columns, trouble);
}

static void pace(gige *self)
{
    const mga_aravis *library = &self->camera->library;
    double rate_hz = self->params.software_hz;
    if (!self->params.by_line && rate_hz <= 0.0) {
        mga_aravis_error *error = NULL;
        if (library->arv_camera_is_frame_rate_available(self->camera->camera, NULL))
            rate_hz = library->arv_camera_get_frame_rate(self->camera->camera, &error);
        if (error) {
            library->g_error_free(error);
            rate_hz = 0.0;
        }
    }
    self->device.agreed.rate_hz = rate_hz > 0.0 ? rate_hz : 0.0;
    self->device.agreed.driver_time = self->ticks;
    if (self->params.by_line)
        return;
    double periods_ns = rate_hz > 0.0 ? SILENCE_PERIODS * 1e9 / rate_hz : 0.0;
    self->silence_ns = periods_ns > SILENCE_NS ? (uint64_t)periods_ns : SILENCE_NS;
}

static int64_t fill(gige *self)
{
    const mga_aravis *library = &self->camera->library;
    size_t count = BUFFERS_BYTES / (self->payload ? self->payload : 1);
    count = count > BUFFERS ? BUFFERS : count < BUFFERS_MIN ? BUFFERS_MIN : count;
    for (size_t i = 0; i < count; i++) {
        ArvBuffer *buffer = library->arv_buffer_new(self->payload, NULL);
        if (!buffer)
            return MGA_ERR_DEV_MEMORY;
        give_back(self, buffer);
    }
    return MGA_OK;
}

static int64_t guard(const gige *self, mga_trouble *trouble)
{
    const mga_aravis *library = &self->camera->library;
    ArvDevice *device = library->arv_camera_get_device(self->camera->camera);
    struct {
        uint16_t family, port; /* of a sockaddr_in */
        uint8_t address[4];
        uint8_t rest[120];
    } its = {0};
    (void)library->g_socket_address_to_native(library->arv_gv_device_get_device_address(device), &its, sizeof its,
                                              NULL);
    const uint8_t *a = its.address;
    uint32_t address = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
    int64_t status = mga_gige_guard(library->arv_gv_stream_get_port(self->stream), address, self->payload);
    return status < 0 ? mga_trouble_say(trouble, status, 0, "the filter of the stream's socket") : MGA_OK;
}

static int64_t open_stream(gige *self, mga_trouble *trouble)
{
    const mga_aravis *library = &self->camera->library;
    ArvCamera *camera = self->camera->camera;
    mga_aravis_error *error = NULL;
    library->arv_camera_set_acquisition_mode(camera, ARV_ACQUISITION_MODE_CONTINUOUS, &error);
    if (error)
        return mga_gige_fail(library, error, "AcquisitionMode", trouble);
    int64_t status = agree(self, trouble);
    if (status < 0)
        return status;
    self->ticks = library->arv_gv_device_get_timestamp_tick_frequency(library->arv_camera_get_device(camera), NULL) > 0;
    self->device.modulus = GIGE_IDS;
    if (library->arv_camera_is_feature_available(camera, "GevGVSPExtendedIDMode", NULL)) {
        const char *mode = library->arv_camera_get_string(camera, "GevGVSPExtendedIDMode", NULL);
        self->device.modulus = mode && strcmp(mode, "On") == 0 ? 0 : GIGE_IDS;
    }
    pace(self);
    /* A raw packet socket would need a privilege, and would be another way with and without it. */
    library->arv_camera_gv_set_stream_options(camera, ARV_GV_STREAM_OPTION_PACKET_SOCKET_DISABLED);
    self->stream = library->arv_camera_create_stream(camera, NULL, NULL, &error);
    if (error || !self->stream)
        return mga_gige_fail(library, error, "the stream", trouble);
    status = guard(self, trouble);
    return status < 0 ? status : fill(self);
}

int64_t mga_gige_open(mga_device **out, mga_agreement *agreed, mga_gige *camera, const mga_gige_params *params,
                      mga_trouble *trouble)
{
    if (!out || !agreed || !camera || !params || !trouble)
        return MGA_ERR_ARG_NULL;
    if (!(params->software_hz >= 0.0 && params->software_hz <= 1000.0) || params->by_line > 1)
        return MGA_ERR_ARG_RANGE;
    gige *self = calloc(1, sizeof *self);
    if (!self)
        return MGA_ERR_DEV_MEMORY;
    int64_t status = mga_device_init(&self->device, &GIGE);
    self->camera = camera;
    self->params = *params;
    if (status >= 0) {
        sigset_t before = mga_gige_block_signals();
        status = open_stream(self, trouble);
        mga_gige_restore_signals(&before);
    }
    if (status < 0) {
        self->camera = NULL; /* the caller keeps it */
        if (self->stream)
            camera->library.g_object_unref(self->stream);
        mga_device_finish(&self->device);
        free(self);
        return status;
    }
    *agreed = self->device.agreed;
    *out = &self->device;
    return MGA_OK;
}
