/* A library that calls itself Aravis and does what a script says; test_gige loads it in its place. */
#ifndef MGA_TESTS_FAKE_ARAVIS_H
#define MGA_TESTS_FAKE_ARAVIS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { FAKE_FRAME = 0, FAKE_NOTHING, FAKE_LOST } fake_event;

typedef struct {
    fake_event event;
    int status;        /* of the buffer */
    uint64_t frame_id; /* 0: the leader was lost, the buffer keeps the one it has */
    uint64_t device_ns;
    uint8_t sample;   /* of all bytes */
    size_t missing;   /* bytes at the end */
    int wider;        /* than agreed */
    uint32_t code;    /* PFNC; 0 = as agreed */
    int payload_type; /* 0 = an image */
} fake_step;

/* What the camera is, and then does; and what was done to it. */
typedef struct {
    const fake_step *steps;
    size_t count;
    int columns, rows;
    uint32_t code;
    unsigned payload;
    bool not_ours;     /* another program controls it */
    bool extended_ids; /* 64 bits */
    const char *fails; /* the name of a function that reports an error */
    int error_code;    /* of it */
    int socket_fd;     /* of the stream */
    unsigned port;
    atomic_uint buffers;          /* made */
    unsigned at_library;          /* given to it */
    atomic_uint cameras, streams; /* not freed */
    unsigned started, stopped, triggers;
} fake_camera;

#endif
