/* Aravis, the library that speaks GigE Vision, as far as it is used here. It is loaded when a camera is opened and
 * never linked: a box without such cameras needs neither it nor the GLib behind it.
 *
 * What stands here are facts of its ABI, the same from 0.8.26 (Debian 12) to 0.8.36: names, arguments, and the numbers
 * of its enumerations. Whatever it makes is opaque and goes back to it; what it tells of an error is a mga_aravis_error
 * that is freed after reading. dlclose is never called, because GLib does not survive it. */
#ifndef MGA_ARAVIS_H
#define MGA_ARAVIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mga.h"

#define MGA_ARAVIS_LIBRARY "libaravis-0.8.so.0"

typedef struct ArvCamera ArvCamera;
typedef struct ArvDevice ArvDevice;
typedef struct ArvStream ArvStream;
typedef struct ArvBuffer ArvBuffer;
typedef struct GInetAddress GInetAddress;
typedef struct GSocketAddress GSocketAddress;

typedef struct {
    uint32_t domain;
    int code;
    char *message;
} mga_aravis_error;

/* arvbuffer.h, arvgvdevice.h, arvgvstream.h */
enum { ARV_BUFFER_STATUS_SUCCESS = 0 };
enum { ARV_BUFFER_PAYLOAD_TYPE_IMAGE = 1, ARV_BUFFER_PAYLOAD_TYPE_EXTENDED_CHUNK_DATA = 5 };
enum { ARV_GV_PACKET_SIZE_ADJUSTMENT_NEVER = 0 };
enum { ARV_GV_STREAM_OPTION_PACKET_SOCKET_DISABLED = 1 };
enum { ARV_ACQUISITION_MODE_CONTINUOUS = 0 };
/* arvdevice.h */
enum {
    ARV_DEVICE_ERROR_NOT_CONNECTED = 2,
    ARV_DEVICE_ERROR_TIMEOUT = 5,
    ARV_DEVICE_ERROR_NOT_FOUND = 6,
    ARV_DEVICE_ERROR_NOT_CONTROLLER = 10,
    ARV_DEVICE_ERROR_ACCESS_DENIED = 17,
    ARV_DEVICE_ERROR_BUSY = 18
};

/* result, name, arguments */
#define MGA_ARAVIS_FUNCTIONS(F)                                                                                        \
    F(void, arv_disable_interface, (const char *))                                                                     \
    F(unsigned, arv_get_n_interfaces, (void))                                                                          \
    F(const char *, arv_get_interface_id, (unsigned))                                                                  \
    F(void, arv_update_device_list, (void))                                                                            \
    F(unsigned, arv_get_n_devices, (void))                                                                             \
    F(const char *, arv_get_device_id, (unsigned))                                                                     \
    F(const char *, arv_get_device_physical_id, (unsigned))                                                            \
    F(const char *, arv_get_device_address, (unsigned))                                                                \
    F(const char *, arv_get_device_vendor, (unsigned))                                                                 \
    F(const char *, arv_get_device_model, (unsigned))                                                                  \
    F(const char *, arv_get_device_serial_nbr, (unsigned))                                                             \
    F(ArvCamera *, arv_camera_new, (const char *, mga_aravis_error **))                                                \
    F(ArvCamera *, arv_camera_new_with_device, (ArvDevice *, mga_aravis_error **))                                     \
    F(ArvDevice *, arv_camera_get_device, (ArvCamera *))                                                               \
    F(uint32_t, arv_device_error_quark, (void))                                                                        \
    F(int, arv_camera_is_gv_device, (ArvCamera *))                                                                     \
    F(int, arv_camera_is_feature_available, (ArvCamera *, const char *, mga_aravis_error **))                          \
    F(int, arv_camera_is_enumeration_entry_available, (ArvCamera *, const char *, const char *, mga_aravis_error **))  \
    F(const char **, arv_camera_dup_available_enumerations_as_strings,                                                 \
      (ArvCamera *, const char *, unsigned *, mga_aravis_error **))                                                    \
    F(void, arv_camera_set_string, (ArvCamera *, const char *, const char *, mga_aravis_error **))                     \
    F(const char *, arv_camera_get_string, (ArvCamera *, const char *, mga_aravis_error **))                           \
    F(int64_t, arv_camera_get_integer, (ArvCamera *, const char *, mga_aravis_error **))                               \
    F(void, arv_camera_get_integer_bounds, (ArvCamera *, const char *, int64_t *, int64_t *, mga_aravis_error **))     \
    F(int64_t, arv_camera_get_integer_increment, (ArvCamera *, const char *, mga_aravis_error **))                     \
    F(void, arv_camera_set_acquisition_mode, (ArvCamera *, int, mga_aravis_error **))                                  \
    F(void, arv_camera_set_integer, (ArvCamera *, const char *, int64_t, mga_aravis_error **))                         \
    F(uint32_t, arv_camera_get_pixel_format, (ArvCamera *, mga_aravis_error **))                                       \
    F(int, arv_camera_is_frame_rate_available, (ArvCamera *, mga_aravis_error **))                                     \
    F(void, arv_camera_set_frame_rate, (ArvCamera *, double, mga_aravis_error **))                                     \
    F(double, arv_camera_get_frame_rate, (ArvCamera *, mga_aravis_error **))                                           \
    F(void, arv_camera_get_frame_rate_bounds, (ArvCamera *, double *, double *, mga_aravis_error **))                  \
    F(int, arv_camera_is_exposure_time_available, (ArvCamera *, mga_aravis_error **))                                  \
    F(void, arv_camera_set_exposure_time, (ArvCamera *, double, mga_aravis_error **))                                  \
    F(double, arv_camera_get_exposure_time, (ArvCamera *, mga_aravis_error **))                                        \
    F(void, arv_camera_get_exposure_time_bounds, (ArvCamera *, double *, double *, mga_aravis_error **))               \
    F(int, arv_camera_is_gain_available, (ArvCamera *, mga_aravis_error **))                                           \
    F(void, arv_camera_set_gain, (ArvCamera *, double, mga_aravis_error **))                                           \
    F(double, arv_camera_get_gain, (ArvCamera *, mga_aravis_error **))                                                 \
    F(void, arv_camera_get_gain_bounds, (ArvCamera *, double *, double *, mga_aravis_error **))                        \
    F(void, arv_camera_clear_triggers, (ArvCamera *, mga_aravis_error **))                                             \
    F(void, arv_camera_set_trigger, (ArvCamera *, const char *, mga_aravis_error **))                                  \
    F(void, arv_camera_software_trigger, (ArvCamera *, mga_aravis_error **))                                           \
    F(unsigned, arv_camera_get_payload, (ArvCamera *, mga_aravis_error **))                                            \
    F(void, arv_camera_gv_set_packet_size, (ArvCamera *, int, mga_aravis_error **))                                    \
    F(unsigned, arv_camera_gv_get_packet_size, (ArvCamera *, mga_aravis_error **))                                     \
    F(void, arv_camera_gv_set_packet_size_adjustment, (ArvCamera *, int))                                              \
    F(void, arv_camera_gv_set_stream_options, (ArvCamera *, int))                                                      \
    F(ArvStream *, arv_camera_create_stream,                                                                           \
      (ArvCamera *, void (*)(void *, int, ArvBuffer *), void *, mga_aravis_error **))                                  \
    F(void, arv_camera_start_acquisition, (ArvCamera *, mga_aravis_error **))                                          \
    F(void, arv_camera_stop_acquisition, (ArvCamera *, mga_aravis_error **))                                           \
    F(ArvDevice *, arv_gv_device_new, (GInetAddress *, GInetAddress *, mga_aravis_error **))                           \
    F(int, arv_gv_device_is_controller, (ArvDevice *))                                                                 \
    F(uint64_t, arv_gv_device_get_timestamp_tick_frequency, (ArvDevice *, mga_aravis_error **))                        \
    F(GSocketAddress *, arv_gv_device_get_device_address, (ArvDevice *))                                               \
    F(uint16_t, arv_gv_stream_get_port, (ArvStream *))                                                                 \
    F(void, arv_stream_push_buffer, (ArvStream *, ArvBuffer *))                                                        \
    F(ArvBuffer *, arv_stream_timeout_pop_buffer, (ArvStream *, uint64_t))                                             \
    F(ArvBuffer *, arv_buffer_new, (size_t, void *))                                                                   \
    F(int, arv_buffer_get_status, (ArvBuffer *))                                                                       \
    F(int, arv_buffer_get_payload_type, (ArvBuffer *))                                                                 \
    F(const void *, arv_buffer_get_data, (ArvBuffer *, size_t *))                                                      \
    F(uint64_t, arv_buffer_get_frame_id, (ArvBuffer *))                                                                \
    F(void, arv_buffer_set_frame_id, (ArvBuffer *, uint64_t))                                                          \
    F(uint64_t, arv_buffer_get_timestamp, (ArvBuffer *))                                                               \
    F(uint32_t, arv_buffer_get_image_pixel_format, (ArvBuffer *))                                                      \
    F(int, arv_buffer_get_image_width, (ArvBuffer *))                                                                  \
    F(int, arv_buffer_get_image_height, (ArvBuffer *))                                                                 \
    F(void, arv_buffer_get_image_padding, (ArvBuffer *, int *, int *))                                                 \
    F(GInetAddress *, g_inet_address_new_from_string, (const char *))                                                  \
    F(int, g_socket_address_to_native, (GSocketAddress *, void *, size_t, mga_aravis_error **))                        \
    F(unsigned long, g_signal_connect_data, (void *, const char *, void (*)(void), void *, void *, int))               \
    F(void, g_object_unref, (void *))                                                                                  \
    F(void, g_error_free, (mga_aravis_error *))                                                                        \
    F(void, g_free, (void *))

typedef struct {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none */
#define MGA_ARAVIS_FIELD(result, name, arguments) result(*name) arguments;
    MGA_ARAVIS_FUNCTIONS(MGA_ARAVIS_FIELD)
#undef MGA_ARAVIS_FIELD
} mga_aravis;

/* Fills the table; MGA_OK, or MGA_ERR_DEV_LIBRARY where there is no such library or it lacks a function. */
int64_t mga_aravis_load(mga_aravis *table);

#endif
