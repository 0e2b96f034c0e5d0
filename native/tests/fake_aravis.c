/* One camera at 127.0.0.1, whatever it is called. Buffers wait in a row and are filled as the script says. */
#include "fake_aravis.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFERS_MAX 64u
#define EXPORT __attribute__((visibility("default")))

typedef struct {
    uint32_t domain;
    int code;
    char *message;
} error;

typedef struct {
    int kind; /* 'c'amera, 's'tream, 'b'uffer, 'd'evice, 'a'ddress */
    int status;
    uint64_t frame_id;
    uint64_t device_ns;
    int columns, rows, payload_type;
    uint32_t code;
    size_t size;
    uint8_t *data;
} object;

static fake_camera *now;
static size_t at;
static object *row[BUFFERS_MAX];
static object device = {.kind = 'd'};
static object address = {.kind = 'a'};
static void (*lost)(void *, void *);
static void *lost_data;

EXPORT void fake_aravis_be(fake_camera *camera);
EXPORT void fake_aravis_be(fake_camera *camera)
{
    now = camera;
    at = 0;
}

static bool fails(const char *name, error **out)
{
    if (!now->fails || strcmp(now->fails, name) != 0)
        return false;
    if (out) {
        error *e = malloc(sizeof *e);
        *e = (error){.domain = 7, .code = now->error_code, .message = strdup("as the script says")};
        *out = e;
    }
    return true;
}

static object *make(int kind)
{
    object *o = calloc(1, sizeof *o);
    o->kind = kind;
    return o;
}

#define DO(result, name, ...)                                                                                          \
    EXPORT result name(__VA_ARGS__);                                                                                   \
    EXPORT result name(__VA_ARGS__)

DO(unsigned, arv_get_n_interfaces, void)
{
    return 0;
}
DO(const char *, arv_get_interface_id, unsigned i)
{
    (void)i;
    return NULL;
}
DO(void, arv_disable_interface, const char *name)
{
    (void)name;
}
DO(void, arv_update_device_list, void)
{
}
DO(unsigned, arv_get_n_devices, void)
{
    return 1;
}
#define TOLD(name, text)                                                                                               \
    DO(const char *, name, unsigned i)                                                                                 \
    {                                                                                                                  \
        (void)i;                                                                                                       \
        return text;                                                                                                   \
    }
TOLD(arv_get_device_id, "Fake-Camera-1")
TOLD(arv_get_device_physical_id, "02:00:00:00:00:01")
TOLD(arv_get_device_address, "127.0.0.1")
TOLD(arv_get_device_vendor, "Fake")
TOLD(arv_get_device_model, "Camera")
TOLD(arv_get_device_serial_nbr, NULL)

DO(object *, arv_camera_new, const char *name, error **e)
{
    (void)name;
    if (fails("arv_camera_new", e))
        return NULL;
    now->cameras++;
    return make('c');
}
DO(object *, arv_camera_new_with_device, object *d, error **e)
{
    (void)d;
    return arv_camera_new("", e);
}
DO(object *, arv_gv_device_new, object *ours, object *its, error **e)
{
    (void)ours;
    (void)its;
    return fails("arv_gv_device_new", e) ? NULL : &device;
}
DO(object *, arv_camera_get_device, object *c)
{
    (void)c;
    return &device;
}
DO(uint32_t, arv_device_error_quark, void)
{
    return 7;
}
DO(int, arv_camera_is_gv_device, object *c)
{
    return c->kind == 'c';
}
DO(int, arv_gv_device_is_controller, object *d)
{
    (void)d;
    return !now->not_ours;
}
DO(uint64_t, arv_gv_device_get_timestamp_tick_frequency, object *d, error **e)
{
    (void)d;
    (void)e;
    return 1000000000;
}
DO(object *, arv_gv_device_get_device_address, object *d)
{
    (void)d;
    return &address;
}
DO(int, g_socket_address_to_native, object *a, void *dst, size_t size, error **e)
{
    (void)a;
    (void)size;
    (void)e;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(dst, &name, sizeof name);
    return 1;
}
DO(object *, g_inet_address_new_from_string, const char *text)
{
    (void)text;
    return make('i');
}

static const char *const WORDS[] = {"Mono8", "Mono16"};

DO(int, arv_camera_is_feature_available, object *c, const char *name, error **e)
{
    (void)c;
    if (fails("arv_camera_is_feature_available", e))
        return 0;
    return strcmp(name, "GevGVSPExtendedIDMode") == 0 ? now->extended_ids : strcmp(name, "None") != 0;
}
DO(int, arv_camera_is_enumeration_entry_available, object *c, const char *f, const char *entry, error **e)
{
    (void)c;
    (void)f;
    (void)entry;
    (void)e;
    return 1;
}
DO(const char **, arv_camera_dup_available_enumerations_as_strings, object *c, const char *f, unsigned *n, error **e)
{
    (void)c;
    (void)f;
    if (fails("arv_camera_dup_available_enumerations_as_strings", e))
        return NULL;
    *n = 2;
    const char **all = malloc(sizeof WORDS);
    memcpy(all, WORDS, sizeof WORDS);
    return all;
}
DO(void, arv_camera_set_string, object *c, const char *f, const char *text, error **e)
{
    (void)c;
    (void)f;
    (void)text;
    (void)fails("arv_camera_set_string", e);
}
DO(const char *, arv_camera_get_string, object *c, const char *f, error **e)
{
    (void)c;
    if (fails("arv_camera_get_string", e))
        return NULL;
    return strcmp(f, "GevGVSPExtendedIDMode") == 0 ? "On" : "Mono8";
}
DO(int64_t, arv_camera_get_integer, object *c, const char *f, error **e)
{
    (void)c;
    if (fails("arv_camera_get_integer", e))
        return 0;
    return strcmp(f, "Width") == 0 ? now->columns : strcmp(f, "Height") == 0 ? now->rows : 0;
}
DO(void, arv_camera_set_integer, object *c, const char *f, int64_t value, error **e)
{
    (void)c;
    if (fails("arv_camera_set_integer", e))
        return;
    if (strcmp(f, "Width") == 0)
        now->columns = (int)value & ~3;
}
DO(void, arv_camera_get_integer_bounds, object *c, const char *f, int64_t *low, int64_t *high, error **e)
{
    (void)c;
    (void)f;
    (void)e;
    *low = 4;
    *high = 64;
}
DO(int64_t, arv_camera_get_integer_increment, object *c, const char *f, error **e)
{
    (void)c;
    (void)f;
    (void)e;
    return 4;
}
DO(uint32_t, arv_camera_get_pixel_format, object *c, error **e)
{
    (void)c;
    (void)e;
    return now->code;
}
DO(void, arv_camera_set_acquisition_mode, object *c, int mode, error **e)
{
    (void)c;
    (void)mode;
    (void)fails("arv_camera_set_acquisition_mode", e);
}
#define REAL(has, get, bounds, set)                                                                                    \
    DO(int, has, object *c, error **e)                                                                                 \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        return !fails(#has, e);                                                                                        \
    }                                                                                                                  \
    DO(double, get, object *c, error **e)                                                                              \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        return fails(#get, e) ? 0.0 : 25.0;                                                                            \
    }                                                                                                                  \
    DO(void, bounds, object *c, double *low, double *high, error **e)                                                  \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        (void)e;                                                                                                       \
        *low = 1.0;                                                                                                    \
        *high = 50.0;                                                                                                  \
    }                                                                                                                  \
    DO(void, set, object *c, double value, error **e)                                                                  \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        (void)value;                                                                                                   \
        (void)fails(#set, e);                                                                                          \
    }
REAL(arv_camera_is_frame_rate_available, arv_camera_get_frame_rate, arv_camera_get_frame_rate_bounds,
     arv_camera_set_frame_rate)
REAL(arv_camera_is_exposure_time_available, arv_camera_get_exposure_time, arv_camera_get_exposure_time_bounds,
     arv_camera_set_exposure_time)
REAL(arv_camera_is_gain_available, arv_camera_get_gain, arv_camera_get_gain_bounds, arv_camera_set_gain)

DO(void, arv_camera_clear_triggers, object *c, error **e)
{
    (void)c;
    (void)fails("arv_camera_clear_triggers", e);
}
DO(void, arv_camera_set_trigger, object *c, const char *source, error **e)
{
    (void)c;
    (void)source;
    (void)fails("arv_camera_set_trigger", e);
}
DO(void, arv_camera_software_trigger, object *c, error **e)
{
    (void)c;
    now->triggers++;
    (void)fails("arv_camera_software_trigger", e);
}
DO(unsigned, arv_camera_get_payload, object *c, error **e)
{
    (void)c;
    return fails("arv_camera_get_payload", e) ? 0 : now->payload;
}
DO(void, arv_camera_gv_set_packet_size, object *c, int bytes, error **e)
{
    (void)c;
    (void)bytes;
    (void)fails("arv_camera_gv_set_packet_size", e);
}
DO(unsigned, arv_camera_gv_get_packet_size, object *c, error **e)
{
    (void)c;
    (void)e;
    return 1500;
}
DO(void, arv_camera_gv_set_packet_size_adjustment, object *c, int way)
{
    (void)c;
    (void)way;
}
DO(void, arv_camera_gv_set_stream_options, object *c, int options)
{
    (void)c;
    (void)options;
}

/* --- the stream ----------------------------------------------------------------------------------------------- */

DO(object *, arv_camera_create_stream, object *c, void *callback, void *data, error **e)
{
    (void)c;
    (void)callback;
    (void)data;
    if (fails("arv_camera_create_stream", e))
        return NULL;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    now->socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (now->socket_fd < 0 || bind(now->socket_fd, (struct sockaddr *)&name, size) != 0 ||
        getsockname(now->socket_fd, (struct sockaddr *)&name, &size) != 0)
        abort();
    now->port = ntohs(name.sin_port);
    now->streams++;
    return make('s');
}
DO(uint16_t, arv_gv_stream_get_port, object *s)
{
    (void)s;
    return (uint16_t)now->port;
}
DO(void, arv_camera_start_acquisition, object *c, error **e)
{
    (void)c;
    if (!fails("arv_camera_start_acquisition", e))
        now->started++;
}
DO(void, arv_camera_stop_acquisition, object *c, error **e)
{
    (void)c;
    (void)e;
    now->stopped++;
}
DO(object *, arv_buffer_new, size_t bytes, void *memory)
{
    (void)memory;
    object *b = make('b');
    b->data = malloc(bytes ? bytes : 1);
    b->size = bytes;
    b->frame_id = 4711; /* of whatever it held before */
    now->buffers++;
    return b;
}
DO(void, arv_stream_push_buffer, object *s, object *b)
{
    (void)s;
    row[now->at_library++] = b;
}
DO(object *, arv_stream_timeout_pop_buffer, object *s, uint64_t wait_us)
{
    (void)s;
    if (at == now->count) {
        (void)usleep((useconds_t)(wait_us < 1000 ? wait_us : 1000));
        return NULL;
    }
    const fake_step *step = &now->steps[at++];
    if (step->event == FAKE_LOST)
        lost(&device, lost_data);
    if (step->event != FAKE_FRAME)
        return NULL;
    if (now->at_library == 0)
        abort(); /* they were not given back */
    object *b = row[0];
    memmove(row, row + 1, --now->at_library * sizeof *row);
    b->status = step->status;
    b->frame_id = step->frame_id ? step->frame_id : b->frame_id;
    b->device_ns = step->device_ns;
    b->columns = now->columns + step->wider;
    b->rows = now->rows;
    b->code = step->code ? step->code : now->code;
    b->payload_type = step->payload_type ? step->payload_type : 1;
    b->size = now->payload - step->missing;
    memset(b->data, step->sample, now->payload);
    return b;
}
#define READ(result, name, field)                                                                                      \
    DO(result, name, object *b)                                                                                        \
    {                                                                                                                  \
        return b->field;                                                                                               \
    }
READ(int, arv_buffer_get_status, status)
READ(int, arv_buffer_get_payload_type, payload_type)
READ(uint64_t, arv_buffer_get_frame_id, frame_id)
READ(uint64_t, arv_buffer_get_timestamp, device_ns)
READ(uint32_t, arv_buffer_get_image_pixel_format, code)
READ(int, arv_buffer_get_image_width, columns)
READ(int, arv_buffer_get_image_height, rows)
DO(const void *, arv_buffer_get_data, object *b, size_t *size)
{
    *size = b->size;
    return b->data;
}
DO(void, arv_buffer_set_frame_id, object *b, uint64_t id)
{
    b->frame_id = id;
}
DO(void, arv_buffer_get_image_padding, object *b, int *x, int *y)
{
    (void)b;
    *x = *y = 0;
}

/* --- GLib ------------------------------------------------------------------------------------------------------- */

DO(unsigned long, g_signal_connect_data, void *o, const char *name, void (*f)(void *, void *), void *data, void *d,
   int n)
{
    (void)o;
    (void)name;
    (void)d;
    (void)n;
    lost = f;
    lost_data = data;
    return 1;
}
DO(void, g_object_unref, object *o)
{
    if (o->kind == 'd' || o->kind == 'a')
        return;
    if (o->kind == 'c')
        now->cameras--;
    if (o->kind == 's') {
        now->streams--;
        (void)close(now->socket_fd);
        while (now->at_library > 0) {
            object *b = row[--now->at_library];
            now->buffers--;
            free(b->data);
            free(b);
        }
    }
    if (o->kind == 'b')
        now->buffers--;
    free(o->data);
    free(o);
}
DO(void, g_error_free, error *e)
{
    free(e->message);
    free(e);
}
DO(void, g_free, void *p)
{
    free(p);
}
