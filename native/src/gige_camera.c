/* A camera before it streams: found, connected, asked and set.
 *
 * What to ask for is decided by the caller; here stands how. Numbers that every camera has under several names go
 * through the library's own functions, which know the vendors' ways. Threads that the library makes get no signals:
 * those belong to the threads of the caller. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gige.h"

int64_t mga_gige_fail(const mga_aravis *library, mga_aravis_error *error, const char *what, mga_trouble *trouble)
{
    int64_t status = MGA_ERR_DEV_REFUSED;
    char text[sizeof trouble->what];
    if (!error)
        return mga_trouble_say(trouble, status, 0, what);
    if (error->domain == library->arv_device_error_quark()) {
        if (error->code == ARV_DEVICE_ERROR_TIMEOUT || error->code == ARV_DEVICE_ERROR_NOT_CONNECTED)
            status = MGA_ERR_DEV_GONE;
        else if (error->code == ARV_DEVICE_ERROR_NOT_FOUND)
            status = MGA_ERR_DEV_ABSENT;
        else if (error->code == ARV_DEVICE_ERROR_NOT_CONTROLLER || error->code == ARV_DEVICE_ERROR_ACCESS_DENIED ||
                 error->code == ARV_DEVICE_ERROR_BUSY)
            status = MGA_ERR_DEV_BUSY;
    }
    (void)snprintf(text, sizeof text, "%s: %s", what, error->message ? error->message : "");
    library->g_error_free(error);
    return mga_trouble_say(trouble, status, 0, text);
}

static int64_t load(mga_aravis *library, mga_trouble *trouble)
{
    int64_t status = mga_aravis_load(library);
    if (status < 0)
        return mga_trouble_say(trouble, status, 0, MGA_ARAVIS_LIBRARY);
    /* Cameras on other buses, and the library's own fakes, would answer to a name as well. */
    for (unsigned i = 0; i < library->arv_get_n_interfaces(); i++) {
        const char *name = library->arv_get_interface_id(i);
        if (name && strcmp(name, "GigEVision") != 0)
            library->arv_disable_interface(name);
    }
    return status;
}

sigset_t mga_gige_block_signals(void)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    return before;
}

void mga_gige_restore_signals(const sigset_t *before)
{
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* --- who is there ----------------------------------------------------------------------------------------------- */

static void copy(char *dst, size_t size, const char *text)
{
    (void)snprintf(dst, size, "%s", text ? text : "");
}

int64_t mga_gige_look(mga_trouble *trouble)
{
    mga_aravis library;
    if (!trouble)
        return MGA_ERR_ARG_NULL;
    int64_t status = load(&library, trouble);
    if (status < 0)
        return status;
    sigset_t before = mga_gige_block_signals();
    library.arv_update_device_list();
    mga_gige_restore_signals(&before);
    return (int64_t)library.arv_get_n_devices();
}

int64_t mga_gige_found_at(uint32_t index, mga_gige_found *found, mga_trouble *trouble)
{
    mga_aravis library;
    if (!found || !trouble)
        return MGA_ERR_ARG_NULL;
    int64_t status = load(&library, trouble);
    if (status < 0)
        return status;
    if (index >= library.arv_get_n_devices())
        return 0;
    copy(found->id, sizeof found->id, library.arv_get_device_id(index));
    copy(found->address, sizeof found->address, library.arv_get_device_address(index));
    copy(found->mac, sizeof found->mac, library.arv_get_device_physical_id(index));
    copy(found->vendor, sizeof found->vendor, library.arv_get_device_vendor(index));
    copy(found->model, sizeof found->model, library.arv_get_device_model(index));
    copy(found->serial, sizeof found->serial, library.arv_get_device_serial_nbr(index));
    return 1;
}

/* --- connected ---------------------------------------------------------------------------------------------------- */

static bool address_of_interface(const char *name, char text[INET_ADDRSTRLEN])
{
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (struct ifaddrs *at = all; at && !found; at = at->ifa_next)
        if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET && strcmp(at->ifa_name, name) == 0) {
            struct sockaddr_in address;
            memcpy(&address, at->ifa_addr, sizeof address);
            found = inet_ntop(AF_INET, &address.sin_addr, text, INET_ADDRSTRLEN) != NULL;
        }
    freeifaddrs(all);
    return found;
}

/* By the network interface that was asked for; the library would take the first whose network has the address. */
static ArvCamera *connect_by(const mga_aravis *library, const char *address, const char *interface,
                             mga_aravis_error **error)
{
    GInetAddress *ours = library->g_inet_address_new_from_string(interface);
    GInetAddress *its = library->g_inet_address_new_from_string(address);
    ArvCamera *camera = NULL;
    if (ours && its) {
        ArvDevice *device = library->arv_gv_device_new(ours, its, error);
        if (device) {
            camera = library->arv_camera_new_with_device(device, error);
            library->g_object_unref(device);
        }
    }
    if (ours)
        library->g_object_unref(ours);
    if (its)
        library->g_object_unref(its);
    return camera;
}

static void lost(void *device, void *data)
{
    (void)device;
    mga_gige *camera = data;
    atomic_store(&camera->lost, true);
}

static int64_t take(mga_gige *camera, mga_trouble *trouble)
{
    const mga_aravis *library = &camera->library;
    if (!library->arv_camera_is_gv_device(camera->camera))
        return mga_trouble_say(trouble, MGA_ERR_DEV_REFUSED, 0, "no GigE Vision camera");
    ArvDevice *device = library->arv_camera_get_device(camera->camera);
    if (!library->arv_gv_device_is_controller(device))
        return mga_trouble_say(trouble, MGA_ERR_DEV_BUSY, 0, "another program controls the camera");
    union {
        void (*with)(void *, void *);
        void (*bare)(void);
    } handler = {.with = lost};
    (void)library->g_signal_connect_data(device, "control-lost", handler.bare, camera, NULL, 0);
    return MGA_OK;
}

static int64_t connect_camera(mga_gige *camera, const char *address, const char *interface, mga_trouble *trouble)
{
    const mga_aravis *library = &camera->library;
    char ours[INET_ADDRSTRLEN];
    struct in_addr ignored;
    mga_aravis_error *error = NULL;
    if (interface && *interface && inet_pton(AF_INET, interface, &ignored) != 1) {
        if (!address_of_interface(interface, ours))
            return mga_trouble_say(trouble, MGA_ERR_DEV_ABSENT, 0, "no such network interface, or it has no address");
        interface = ours;
    }
    camera->camera = interface && *interface ? connect_by(library, address, interface, &error)
                                             : library->arv_camera_new(address, &error);
    if (error || !camera->camera) {
        int64_t status = mga_gige_fail(library, error, "connecting", trouble);
        return status == MGA_ERR_DEV_BUSY ? status : MGA_ERR_DEV_ABSENT;
    }
    return take(camera, trouble);
}

int64_t mga_gige_connect(mga_gige **out, const char *address, const char *interface, mga_trouble *trouble)
{
    struct in_addr ignored;
    if (!out || !address || !trouble)
        return MGA_ERR_ARG_NULL;
    if (inet_pton(AF_INET, address, &ignored) != 1)
        return MGA_ERR_ARG_RANGE; /* the library would ask the name service for it, and wait for long */
    mga_gige *camera = calloc(1, sizeof *camera);
    if (!camera)
        return MGA_ERR_DEV_MEMORY;
    int64_t status = load(&camera->library, trouble);
    if (status >= 0) {
        sigset_t before = mga_gige_block_signals();
        status = connect_camera(camera, address, interface, trouble);
        mga_gige_restore_signals(&before);
    }
    if (status < 0) {
        mga_gige_disconnect(camera);
        return status;
    }
    *out = camera;
    return MGA_OK;
}

void mga_gige_disconnect(mga_gige *camera)
{
    if (!camera)
        return;
    if (camera->camera)
        camera->library.g_object_unref(camera->camera);
    free(camera);
}

/* --- asked and set ------------------------------------------------------------------------------------------------ */

static int64_t done(const mga_gige *camera, mga_aravis_error *error, const char *what, mga_trouble *trouble)
{
    return error ? mga_gige_fail(&camera->library, error, what, trouble) : MGA_OK;
}

static const char *const NAMES[] = {
    [MGA_GIGE_COLUMNS] = "Width",
    [MGA_GIGE_ROWS] = "Height",
    [MGA_GIGE_LEFT] = "OffsetX",
    [MGA_GIGE_TOP] = "OffsetY",
    [MGA_GIGE_PACKET] = "GevSCPSPacketSize",
    [MGA_GIGE_RATE] = "frame rate",
    [MGA_GIGE_EXPOSURE] = "exposure time",
    [MGA_GIGE_GAIN] = "gain",
};

/* What the library has functions of its own for. */
typedef struct {
    int (*has)(ArvCamera *, mga_aravis_error **);
    double (*get)(ArvCamera *, mga_aravis_error **);
    void (*bounds)(ArvCamera *, double *, double *, mga_aravis_error **);
    void (*set)(ArvCamera *, double, mga_aravis_error **);
} number_way;

static bool way_of(const mga_aravis *a, uint32_t quantity, number_way *way)
{
    if (quantity == MGA_GIGE_RATE)
        *way = (number_way){a->arv_camera_is_frame_rate_available, a->arv_camera_get_frame_rate,
                            a->arv_camera_get_frame_rate_bounds, a->arv_camera_set_frame_rate};
    else if (quantity == MGA_GIGE_EXPOSURE)
        *way = (number_way){a->arv_camera_is_exposure_time_available, a->arv_camera_get_exposure_time,
                            a->arv_camera_get_exposure_time_bounds, a->arv_camera_set_exposure_time};
    else if (quantity == MGA_GIGE_GAIN)
        *way = (number_way){a->arv_camera_is_gain_available, a->arv_camera_get_gain, a->arv_camera_get_gain_bounds,
                            a->arv_camera_set_gain};
    else
        return false;
    return true;
}

static int64_t get_whole(mga_gige *camera, const char *name, mga_gige_number *number, mga_trouble *trouble)
{
    const mga_aravis *library = &camera->library;
    mga_aravis_error *error = NULL;
    int64_t low = 0;
    int64_t high = 0;
    number->value = (double)library->arv_camera_get_integer(camera->camera, name, &error);
    if (!error)
        library->arv_camera_get_integer_bounds(camera->camera, name, &low, &high, &error);
    number->low = (double)low;
    number->high = (double)high;
    if (!error)
        number->step = (double)library->arv_camera_get_integer_increment(camera->camera, name, &error);
    return error ? done(camera, error, name, trouble) : 1;
}

int64_t mga_gige_number_get(mga_gige *camera, uint32_t quantity, mga_gige_number *number, mga_trouble *trouble)
{
    if (!camera || !number || !trouble)
        return MGA_ERR_ARG_NULL;
    if (quantity >= sizeof NAMES / sizeof *NAMES)
        return MGA_ERR_ARG_RANGE;
    const mga_aravis *library = &camera->library;
    const char *name = NAMES[quantity];
    mga_aravis_error *error = NULL;
    number_way way = {0};
    *number = (mga_gige_number){0};
    bool own = way_of(library, quantity, &way);
    int has =
        own ? way.has(camera->camera, &error) : library->arv_camera_is_feature_available(camera->camera, name, &error);
    if (error || !has)
        return done(camera, error, name, trouble);
    if (!own)
        return get_whole(camera, name, number, trouble);
    number->value = way.get(camera->camera, &error);
    if (!error)
        way.bounds(camera->camera, &number->low, &number->high, &error);
    return error ? done(camera, error, name, trouble) : 1;
}

int64_t mga_gige_number_set(mga_gige *camera, uint32_t quantity, double value, mga_trouble *trouble)
{
    if (!camera || !trouble)
        return MGA_ERR_ARG_NULL;
    if (quantity >= sizeof NAMES / sizeof *NAMES)
        return MGA_ERR_ARG_RANGE;
    const mga_aravis *library = &camera->library;
    mga_aravis_error *error = NULL;
    number_way way = {0};
    if (way_of(library, quantity, &way)) {
        way.set(camera->camera, value, &error);
    } else if (quantity == MGA_GIGE_PACKET) {
        library->arv_camera_gv_set_packet_size_adjustment(camera->camera, ARV_GV_PACKET_SIZE_ADJUSTMENT_NEVER);
        library->arv_camera_gv_set_packet_size(camera->camera, (int)value, &error);
    } else {
        library->arv_camera_set_integer(camera->camera, NAMES[quantity], (int64_t)value, &error);
    }
    return done(camera, error, NAMES[quantity], trouble);
}

int64_t mga_gige_word_get(mga_gige *camera, const char *feature, mga_gige_word *word, mga_trouble *trouble)
{
    if (!camera || !feature || !word || !trouble)
        return MGA_ERR_ARG_NULL;
    mga_aravis_error *error = NULL;
    *word = (mga_gige_word){0};
    int has = camera->library.arv_camera_is_feature_available(camera->camera, feature, &error);
    if (error || !has)
        return done(camera, error, feature, trouble);
    const char *text = camera->library.arv_camera_get_string(camera->camera, feature, &error);
    if (error)
        return done(camera, error, feature, trouble);
    copy(word->text, sizeof word->text, text);
    return 1;
}

int64_t mga_gige_word_set(mga_gige *camera, const char *feature, const char *text, mga_trouble *trouble)
{
    if (!camera || !feature || !text || !trouble)
        return MGA_ERR_ARG_NULL;
    mga_aravis_error *error = NULL;
    camera->library.arv_camera_set_string(camera->camera, feature, text, &error);
    return done(camera, error, feature, trouble);
}

int64_t mga_gige_word_at(mga_gige *camera, const char *feature, uint32_t index, mga_gige_word *word,
                         mga_trouble *trouble)
{
    if (!camera || !feature || !word || !trouble)
        return MGA_ERR_ARG_NULL;
    mga_aravis_error *error = NULL;
    unsigned count = 0;
    *word = (mga_gige_word){0};
    const char **all =
        camera->library.arv_camera_dup_available_enumerations_as_strings(camera->camera, feature, &count, &error);
    if (error)
        return done(camera, error, feature, trouble);
    bool there = all && index < count;
    if (there)
        copy(word->text, sizeof word->text, all[index]);
    camera->library.g_free(all);
    return there;
}

int64_t mga_gige_trigger(mga_gige *camera, const char *source, mga_trouble *trouble)
{
    if (!camera || !trouble)
        return MGA_ERR_ARG_NULL;
    mga_aravis_error *error = NULL;
    if (source)
        camera->library.arv_camera_set_trigger(camera->camera, source, &error);
    else if (camera->library.arv_camera_is_feature_available(camera->camera, "TriggerMode", NULL))
        camera->library.arv_camera_clear_triggers(camera->camera, &error);
    return done(camera, error, "trigger", trouble);
}
