/* The whole API of the C core. What stands between the two marks is read verbatim by cffi: one declaration, no drift.
 *
 * Rules that hold for every function (reasons in native/README.md):
 *   - a result >= 0 is a count, a result < 0 is an mga_status; nothing is printed, no errno, no last error;
 *   - the caller owns all memory and says how large it is; only an mga_source is allocated here, and it is opaque;
 *   - samples are little endian, rows run left to right and top to bottom (PS3.5 8.1.1);
 *   - functions on different objects may run at the same time; an mga_source has one producer (its own thread) and may
 *     be used from any threads, its ring locks. */
#ifndef MGA_H
#define MGA_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
#define MGA_ABI_VERSION 3
#define MGA_SLOTS_MAX 64               /* one bit per slot in a 64-bit word */
#define MGA_FRAME_BYTES_MAX 1073741824 /* 1 GiB: keeps every RLE segment offset below 2^32 (PS3.5 G.5) */
#define MGA_PATTERN_SIDE_MIN 16        /* the machine-readable mark needs 80 cells */
#define MGA_PATTERN_SIDE_MAX 8192      /* twice the largest flat panel in use */
#define MGA_REGIONS_MAX 64             /* rectangles blacked out in one call */
#define MGA_GAIN_ONE 16384             /* a gain of 1.0; the most is just below 4 */
#define MGA_DEFECT_REACH 8             /* how far from a dead pixel a good one is looked for */

typedef enum {
    MGA_OK = 0,
    /* the caller's argument is wrong */
    MGA_ERR_ARG_NULL = -1,      /* a pointer that must be given is null */
    MGA_ERR_ARG_FORMAT = -2,    /* rows, columns, samples or bits are not a format this function knows */
    MGA_ERR_ARG_SRC_SIZE = -3,  /* the source is not exactly as large as its format says */
    MGA_ERR_ARG_DST_SIZE = -4,  /* the destination is too small */
    MGA_ERR_ARG_WORK_SIZE = -5, /* the working memory is too small */
    MGA_ERR_ARG_RANGE = -6,     /* slots, rate, frames, offset or window outside of their limits */
    MGA_ERR_ARG_SLOT = -7,      /* a slot is given back that was not taken */
    MGA_ERR_ARG_STATE = -8,     /* the source was already started */
    /* the bits are wrong */
    MGA_ERR_DATA_HEADER = -101,    /* the RLE header does not describe this frame (PS3.5 G.5) */
    MGA_ERR_DATA_TRUNCATED = -102, /* the input ends inside a segment */
    MGA_ERR_DATA_OVERRUN = -103,   /* a packet goes on behind the end of its plane */
    MGA_ERR_DATA_MARK = -104,      /* the picture carries no readable mark */
    MGA_ERR_DATA_MARKER = -105,    /* a marker segment is damaged or out of place (T.81 B.1, T.87 C.1) */
    MGA_ERR_DATA_GEOMETRY = -106,  /* the coded frame has other rows, columns, samples or bits than its description */
    MGA_ERR_DATA_FEATURE = -107,   /* mapping tables and the like, which DICOM has no use for */
    MGA_ERR_DATA_CODE = -108,      /* bits that no encoder writes */
    MGA_ERR_DATA_SAMPLE = -109,    /* a sample needs more than its bits stored, or would with this loss */
    MGA_ERR_DATA_BESIDE = -110,    /* bytes that are neither packets of a plane nor padding (PS3.5 G.3, G.5) */
    /* the device or the machine failed */
    MGA_ERR_DEV_MEMORY = -201,   /* no memory for the source */
    MGA_ERR_DEV_EVENT = -202,    /* no eventfd, or no descriptor */
    MGA_ERR_DEV_THREAD = -203,   /* no thread */
    MGA_ERR_DEV_READ = -204,     /* the file or device returned an error */
    MGA_ERR_DEV_SHORT = -205,    /* the file ended inside a frame */
    MGA_ERR_DEV_SYNC = -206,     /* a file system could not be synced, or something on it could not be written */
    MGA_ERR_DEV_ABSENT = -207,   /* there is no such device, or nobody answers there */
    MGA_ERR_DEV_BUSY = -208,     /* somebody else uses the device */
    MGA_ERR_DEV_REFUSED = -209,  /* the device cannot do what was asked for */
    MGA_ERR_DEV_GONE = -210,     /* the device vanished, or fell silent for good, while it was in use */
    MGA_ERR_DEV_GEOMETRY = -211, /* the device now sends pictures of another size or kind than was agreed on */
    MGA_ERR_DEV_PROTOCOL = -212, /* the device sent what its protocol does not allow */
    MGA_ERR_DEV_LIBRARY = -213 /* the library that speaks to the device is not installed, or is not what it should be */
} mga_status;

/* One frame's layout; the words of PS3.3 C.7.6.3. */
typedef struct {
    uint32_t rows;
    uint32_t columns;
    uint32_t samples_per_pixel;    /* 1 or 3 */
    uint32_t bits_allocated;       /* 8 or 16 */
    uint32_t bits_stored;          /* 1..bits_allocated; high_bit is bits_stored - 1 */
    uint32_t pixel_representation; /* 0 unsigned, 1 two's complement */
    uint32_t planar_configuration; /* 0 by pixel, 1 by plane */
} mga_format;

int32_t mga_abi_version(void);
/* A short English text for a status, never null. */
const char *mga_status_text(int64_t status);
/* Bytes of one frame, or MGA_ERR_ARG_*. */
int64_t mga_format_bytes(const mga_format *format);
/* The most that a sample of one frame differs from that of another, 0 where they are the same. */
int64_t mga_frame_difference(const void *one, size_t one_size, const void *other, size_t other_size,
                             const mga_format *format);

/* --- sources: a thread of their own fills a preallocated ring ------------------------------------------------------
 */

typedef struct mga_source mga_source;

typedef enum { MGA_PATTERN_US_RGB = 0, MGA_PATTERN_US_MONO = 1, MGA_PATTERN_DX16 = 2 } mga_pattern_kind;

typedef struct {
    uint32_t kind; /* mga_pattern_kind */
    uint32_t rows;
    uint32_t columns;
    uint32_t slots;  /* 1..MGA_SLOTS_MAX */
    double rate_hz;  /* 0 = as fast as the consumer takes; else 0.001..1000 */
    uint64_t frames; /* 0 = endless */
    uint64_t seed;
} mga_pattern_params;

typedef struct {
    int32_t fd; /* duplicated at open; the caller keeps and closes its own */
    uint32_t slots;
    int64_t offset; /* of the first frame, bytes; frames follow each other without gaps */
    uint64_t frame_bytes;
    uint64_t frames; /* at least 1 */
    double rate_hz;
    uint32_t repeat; /* 1 = begin again behind the last frame, endless */
} mga_replay_params;

typedef struct {
    uint64_t number;       /* counted by the source from 1; a gap is a loss */
    uint64_t timestamp_ns; /* CLOCK_MONOTONIC, when the frame was begun */
    uint64_t offset;       /* of the frame in the ring memory, bytes */
    uint32_t slot;
    uint64_t lost;     /* mga_counters when the frame was queued: between two frames */
    uint64_t damaged;  /* the differences say why numbers are missing, */
    uint64_t restarts; /* and whether more may be missing than the numbers say */
} mga_frame;

/* Always: delivered + waiting + dropped + lost + damaged == last - first + 1. Before the first frame first is 1 and
 * last is 0. */
typedef struct {
    uint64_t first;
    uint64_t last;
    uint64_t delivered; /* taken by the consumer */
    uint64_t dropped;  /* no slot was free, or the source thread got no processor for as long as the whole ring lasts */
    uint64_t waiting;  /* in the ring, not yet taken */
    uint64_t overruns; /* times the ring went from room to no room */
    uint64_t high_water; /* most frames that ever waited */
    uint64_t lost;       /* never came: the device's own count stepped over them */
    uint64_t damaged;    /* came incomplete, or the device itself said that they are wrong */
    uint64_t restarts;   /* times that the device began to count anew: how many were lost then nobody knows */
} mga_counters;

/* Bytes of ring memory for so many slots of so many bytes (each slot begins on a page). */
int64_t mga_ring_bytes(uint64_t frame_bytes, uint32_t slots);
/* Opens, does not start. memory must live until mga_source_close has returned. */
int64_t mga_pattern_open(mga_source **out, void *memory, size_t memory_size, const mga_pattern_params *params);
int64_t mga_replay_open(mga_source **out, void *memory, size_t memory_size, const mga_replay_params *params);
int64_t mga_source_start(mga_source *source);
/* Readable while a frame waits or the source has ended. Belongs to the source. */
int64_t mga_source_fileno(mga_source *source);
/* 1 and *frame, or 0 when none waits, or once the ring is empty MGA_ERR_DEV_* when the source failed. */
int64_t mga_source_take(mga_source *source, mga_frame *frame);
int64_t mga_source_give_back(mga_source *source, uint32_t slot);
/* 1 once no frame waits, none will come, and a failure was told by mga_source_take; else 0. */
int64_t mga_source_ended(mga_source *source);
int64_t mga_source_counters(mga_source *source, mga_counters *counters);
/* Ends and joins the thread; waiting frames stay takeable. Any number of times. */
int64_t mga_source_stop(mga_source *source);
/* Stops and frees. Null is ignored. */
void mga_source_close(mga_source *source);

/* --- devices: sources with a pace of their own ----------------------------------------------------------------------
 *
 * A device is opened first (mga_*_open of its kind), agrees on what it will send, and then becomes a source. */

typedef struct mga_device mga_device;

/* What a device will send, as its frames lie in the ring. */
typedef struct {
    mga_format format;    /* one sample is MONOCHROME2, three are RGB */
    double rate_hz;       /* 0 = the device does not say */
    uint32_t driver_time; /* 1 = time stamps are those of its driver, 0 = of the arrival */
    uint32_t begun_time;  /* 1 = and of the moment that a frame was begun, 0 = of its end, or nobody says */
    double spacing_mm[2]; /* between rows, between columns; 0 = the device does not say */
    char sends[32];       /* the device's own name of its pixels: YUYV, Mono12Packed */
} mga_agreement;

/* What exactly failed: the name of a call or a thing, and its errno (0 where there is none). */
typedef struct {
    int32_t number;
    char what[124];
} mga_trouble;

/* The device belongs to the source from then on, but to the caller where this fails. */
int64_t mga_device_source(mga_source **out, mga_device *device, void *memory, size_t memory_size, uint32_t slots);
/* For a device that did not become a source. Null is ignored. */
void mga_device_close(mga_device *device);
/* What ended a source that ended with MGA_ERR_DEV_*; empty for one that is no device. */
int64_t mga_source_trouble(mga_source *source, mga_trouble *trouble);

/* --- OpenIGTLink: images of a server, on a connected stream --------------------------------------------------------
 */

#define MGA_IGTL_NAME_BYTES 21     /* a device name of 20 and its end */
#define MGA_IGTL_WAIT_MS_MAX 60000 /* longer than a server needs to begin */

typedef struct {
    int32_t fd;         /* duplicated at open; the caller keeps and closes its own */
    uint32_t wait_ms;   /* for the first whole image, 1..MGA_IGTL_WAIT_MS_MAX */
    char device[21];    /* whose images; empty = of whoever sends the first one */
    char transform[21]; /* whose transform is kept beside them; empty = the latest */
} mga_igtl_params;

/* What stands beside an image. Stamps are the peer's: seconds since 1970 in 32.32 fixed point, 0 = none. */
typedef struct {
    float matrix[12];     /* vectors of columns, rows and slices, as long as a pixel in mm; centre */
    uint32_t coordinates; /* as the peer says: 1 = right, anterior, superior; 2 = left, posterior, superior */
    uint64_t stamp;
    char transform_device[21]; /* empty = no transform came before it */
    float transform[12];       /* the columns of the rotation, then the translation */
    uint64_t transform_stamp;
} mga_igtl_beside;

typedef struct {
    uint64_t transforms; /* kept */
    uint64_t others;     /* images of other devices */
    uint64_t refused;    /* images and transforms that were not what they said */
    uint64_t stamped;    /* images with a stamp */
    uint64_t stamp_first;
    uint64_t stamp_last;
    uint64_t stamp_step_most;
    uint64_t stamps_back; /* times that a stamp was not later than the one before */
    char other[21];       /* the last of the others */
    char reason[64];      /* why the last one was refused */
    uint32_t status_code; /* of the last STATUS that was no good news; 0 = none came */
    char status[64];
} mga_igtl_counts;

/* Opens: waits until an image has come whole, and agrees on it. MGA_ERR_DEV_*, and what exactly failed, or
 * MGA_ERR_ARG_*. */
int64_t mga_igtl_open(mga_device **out, const mga_igtl_params *params, mga_agreement *agreed, mga_trouble *trouble);
/* Both of a device that mga_igtl_open made, as long as it, or its source, is open. */
int64_t mga_igtl_read_counts(mga_device *device, mga_igtl_counts *counts);
/* Of the frame in a slot that was taken and not given back. */
int64_t mga_igtl_read_beside(mga_device *device, uint32_t slot, mga_igtl_beside *beside);

/* --- Video4Linux2 devices (Linux media documentation, part I) ------------------------------------------------------
 *
 * fd is that of a device node, opened to read and write and not to block. Each question fails with MGA_ERR_DEV_* and
 * says in *trouble which ioctl did, and its errno. Those that end in _at answer 1 and what stands at the index, or 0
 * where there is no more, or no such thing at all. `planar` is what mga_v4l2_identify says. */

typedef struct {
    uint32_t captures; /* 1 = it gives pictures */
    uint32_t streams;  /* 1 = into mapped memory */
    uint32_t planar;   /* 1 = it speaks the multi-planar API */
    char driver[17];
    char card[33];
    char bus[33];
} mga_v4l2_identity;
int64_t mga_v4l2_identify(int32_t fd, mga_v4l2_identity *identity, mga_trouble *trouble);
/* From now on another picture at the input is remembered, and ends the source that is made of the device. 1, or 0 where
 * it does not tell. */
int64_t mga_v4l2_listen(int32_t fd);

typedef struct {
    uint32_t no_signal;
    uint32_t has_timings;   /* digital video: mga_v4l2_timings_follow */
    uint32_t has_standards; /* analogue video: mga_v4l2_standard_follow */
    char name[33];
} mga_v4l2_input;
int64_t mga_v4l2_input_at(int32_t fd, uint32_t index, mga_v4l2_input *input, mga_trouble *trouble);
int64_t mga_v4l2_input_get(int32_t fd, mga_trouble *trouble); /* its index */
int64_t mga_v4l2_input_set(int32_t fd, uint32_t index, mga_trouble *trouble);
/* Sets the device to what its input sends now, and says how often. */
int64_t mga_v4l2_timings_follow(int32_t fd, double *rate_hz, mga_trouble *trouble);
/* Likewise; 1, or 0 where the device sees none or cannot tell. */
int64_t mga_v4l2_standard_follow(int32_t fd, mga_trouble *trouble);

typedef struct {
    uint32_t fourcc;
    char name[33];
} mga_v4l2_pixels;
int64_t mga_v4l2_pixels_at(int32_t fd, uint32_t planar, uint32_t index, mga_v4l2_pixels *pixels, mga_trouble *trouble);
/* 1 where frames of this pixel format can be taken. */
int64_t mga_v4l2_reads(uint32_t fourcc);

typedef struct {
    uint32_t columns[3]; /* fewest, most, and the step between */
    uint32_t rows[3];
} mga_v4l2_size;
int64_t mga_v4l2_size_at(int32_t fd, uint32_t fourcc, uint32_t index, mga_v4l2_size *size, mga_trouble *trouble);

/* A picture as the device lays it out. To set one, fourcc, rows and columns are asked for; all is what came of it. */
typedef struct {
    uint32_t fourcc;
    uint32_t rows;
    uint32_t columns;
    uint32_t field;      /* enum v4l2_field */
    uint32_t colorspace; /* of videodev2.h, like the two that follow */
    uint32_t encoding;
    uint32_t quantization;
    uint32_t planes; /* memories of a frame */
    uint32_t strides[3];
} mga_v4l2_picture;
int64_t mga_v4l2_picture_get(int32_t fd, uint32_t planar, mga_v4l2_picture *picture, mga_trouble *trouble);
int64_t mga_v4l2_picture_set(int32_t fd, uint32_t planar, mga_v4l2_picture *picture, mga_trouble *trouble);

/* Frames per second from the slowest to the fastest, the same twice for one rate. */
int64_t mga_v4l2_rate_at(int32_t fd, const mga_v4l2_picture *picture, uint32_t index, double rates_hz[2],
                         mga_trouble *trouble);
/* Asks for a rate (0: for none) and says what it is now, 0 where nobody knows. 1 where it can be set. */
int64_t mga_v4l2_rate(int32_t fd, uint32_t planar, double wanted_hz, double *rate_hz, mga_trouble *trouble);

typedef enum {
    MGA_V4L2_INTEGER = 0,
    MGA_V4L2_BOOLEAN = 1,
    MGA_V4L2_MENU = 2,
    MGA_V4L2_INTEGER_MENU = 3,
    MGA_V4L2_BUTTON = 4,
    MGA_V4L2_INTEGER64 = 5
} mga_v4l2_kind;

typedef struct {
    uint32_t id;
    uint32_t kind; /* mga_v4l2_kind */
    uint32_t read_only;
    uint32_t inactive; /* 1 = without effect while others stand as they do */
    uint32_t layout;   /* 1 = it may change the picture: size, pixel format, strides */
    int64_t minimum;
    int64_t maximum;
    int64_t step;
    int64_t preset;
    int64_t value;
    char name[33];
} mga_v4l2_control;
/* The one that follows an id, the first one after 0; 1, or 0 where there is no more. */
int64_t mga_v4l2_control_after(int32_t fd, uint32_t id, mga_v4l2_control *control, mga_trouble *trouble);
typedef struct {
    char name[33];
} mga_v4l2_choice;
int64_t mga_v4l2_menu_at(int32_t fd, const mga_v4l2_control *control, uint32_t index, mga_v4l2_choice *choice,
                         mga_trouble *trouble);
/* *now is what the device has made of it. */
int64_t mga_v4l2_control_set(int32_t fd, const mga_v4l2_control *control, int64_t number, int64_t *now,
                             mga_trouble *trouble);

typedef struct {
    int32_t fd; /* duplicated at open; the caller keeps and closes its own */
    uint32_t planar;
    mga_v4l2_picture picture; /* as the device said that it is */
    double rate_hz;           /* likewise */
    uint32_t buffers;         /* of the driver: 2..32 */
} mga_v4l2_params;
/* Agrees, and takes the buffers; who else uses the device now has MGA_ERR_DEV_BUSY. MGA_ERR_DEV_GEOMETRY where its
 * picture is another one by now. */
int64_t mga_v4l2_open(mga_device **out, const mga_v4l2_params *params, mga_agreement *agreed, mga_trouble *trouble);

/* --- GigE Vision cameras -------------------------------------------------------------------------------------------
 *
 * Through Aravis, which is loaded when the first of these functions is called: MGA_ERR_DEV_LIBRARY where it is not
 * installed. Each says in *trouble what failed. Features have the names of GenICam's SFNC. */

typedef struct mga_gige mga_gige;

typedef struct {
    char id[100]; /* vendor, model and serial number, as the library joins them */
    char address[16];
    char mac[18];
    char vendor[33];
    char model[33];
    char serial[33];
} mga_gige_found;
/* Asks in all networks who is there, which takes a second; how many answered. */
int64_t mga_gige_look(mga_trouble *trouble);
/* 1 and who it is, or 0. */
int64_t mga_gige_found_at(uint32_t index, mga_gige_found *found, mga_trouble *trouble);

/* Takes control of the camera at an IPv4 address. interface is a network interface of ours or its address; null or
 * empty: the one whose network has the address. */
int64_t mga_gige_connect(mga_gige **out, const char *address, const char *interface, mga_trouble *trouble);
/* Null is ignored. */
void mga_gige_disconnect(mga_gige *camera);

typedef enum {
    MGA_GIGE_COLUMNS = 0,
    MGA_GIGE_ROWS = 1,
    MGA_GIGE_LEFT = 2,
    MGA_GIGE_TOP = 3,
    MGA_GIGE_RATE = 4,     /* Hz */
    MGA_GIGE_EXPOSURE = 5, /* microseconds */
    MGA_GIGE_GAIN = 6,     /* in the camera's unit, mostly dB */
    MGA_GIGE_PACKET = 7    /* bytes of a packet with its IP header */
} mga_gige_quantity;

typedef struct {
    double value;
    double low;
    double high;
    double step; /* 0 = any value between */
} mga_gige_number;
/* 1 and *number, or 0 where the camera has none. */
int64_t mga_gige_number_get(mga_gige *camera, uint32_t quantity, mga_gige_number *number, mga_trouble *trouble);
/* What came of it must be read back. A rate ends triggers. A packet size that was set is not tried out any more. */
int64_t mga_gige_number_set(mga_gige *camera, uint32_t quantity, double value, mga_trouble *trouble);

typedef struct {
    char text[64];
} mga_gige_word;
/* 1 and *word, or 0 where the camera has no such feature. */
int64_t mga_gige_word_get(mga_gige *camera, const char *feature, mga_gige_word *word, mga_trouble *trouble);
int64_t mga_gige_word_set(mga_gige *camera, const char *feature, const char *text, mga_trouble *trouble);
/* One of the words that a feature can be set to now: 1, or 0 where there is no more. */
int64_t mga_gige_word_at(mga_gige *camera, const char *feature, uint32_t index, mga_gige_word *word,
                         mga_trouble *trouble);
/* Each frame waits for this source of triggers; null: for none. */
int64_t mga_gige_trigger(mga_gige *camera, const char *source, mga_trouble *trouble);

typedef struct {
    double software_hz; /* triggers are sent with this rate; 0 = none are */
    uint32_t by_line;   /* 1 = frames come when they come: silence means nothing */
} mga_gige_params;
/* Agrees on what the camera is set to. The camera belongs to the device from then on, but to the caller where this
 * fails. */
int64_t mga_gige_open(mga_device **out, mga_agreement *agreed, mga_gige *camera, const mga_gige_params *params,
                      mga_trouble *trouble);

/* The number and time that a pattern burnt into its picture, read back from the binary strip. */
typedef struct {
    uint32_t number;       /* modulo 2^32 */
    uint32_t timestamp_ms; /* CLOCK_MONOTONIC, modulo 2^32 */
} mga_mark;
int64_t mga_mark_read(const void *src, size_t src_size, const mga_format *format, mga_mark *mark);

/* --- RLE Lossless (PS3.5 Annex G) ------------------------------------------------------------------------------- */

/* Most bytes that a coded frame can take. */
int64_t mga_rle_encode_bound(const mga_format *format);
/* Working memory for either direction; a few rows. May be reused, holds nothing between calls. */
int64_t mga_rle_work_bytes(const mga_format *format);
/* Bytes written (even), or MGA_ERR_ARG_*; src_size must be exactly one frame. */
int64_t mga_rle_encode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size);
/* Bytes of the frame, or MGA_ERR_ARG_*, MGA_ERR_DATA_*; on error dst holds anything, but with MGA_ERR_DATA_BESIDE the
 * whole frame. */
int64_t mga_rle_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size);
/* How many bytes of a coded frame no decoder needs: behind the header or behind the packets of a plane, up to the last
 * that is no padding (0 or 128). Or MGA_ERR_ARG_*, MGA_ERR_DATA_*. */
int64_t mga_rle_beside(const void *src, size_t src_size, const mga_format *format);

/* --- JPEG Lossless, process 14 (PS3.5 8.2.1, T.81 Annex H) ------------------------------------------------------- */

/* As for RLE. Encoded is with selection value 1, decoded with any. An unsigned sample with bits above High Bit is
 * MGA_ERR_DATA_SAMPLE; signed samples are coded with all bits allocated, which repeat the sign, and a decoded signed
 * sample has it in all of them. */
int64_t mga_jpl_encode_bound(const mga_format *format);
int64_t mga_jpl_work_bytes(const mga_format *format);
int64_t mga_jpl_encode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size);
int64_t mga_jpl_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size);

/* --- JPEG-LS (ITU-T T.87, PS3.5 A.4.3) --------------------------------------------------------------------------- */

typedef struct {
    uint32_t near; /* most that a sample may differ; 0 = lossless, 255 or half of the greatest sample at most */
} mga_jls_params;

/* The precision of what is written is Bits Stored, but at least 8, and 9 for two bytes: less is refused or misread by
 * several decoders. Then zeros or the sign stand above Bits Stored; a loss that would reach them is
 * MGA_ERR_DATA_SAMPLE. */
/* Most bytes that a coded frame can take. Bits stored are 2..16. */
int64_t mga_jls_encode_bound(const mga_format *format);
/* Working memory for either direction; a few rows. May be reused, holds nothing between calls. */
int64_t mga_jls_work_bytes(const mga_format *format);
/* Bytes written (even), or MGA_ERR_ARG_*, MGA_ERR_DATA_SAMPLE; src_size must be exactly one frame. */
int64_t mga_jls_encode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       const mga_jls_params *params, void *work, size_t work_size);
/* Bytes of the frame, or MGA_ERR_ARG_*, MGA_ERR_DATA_*; on error dst holds anything. */
int64_t mga_jls_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size);

/* --- grey pixels in colour frames ----------------------------------------------------------------------------------
 */

/* If all three samples of every pixel are equal: one of them for each pixel, and the bytes written. 0 where a pixel has
 * colour; dst then holds anything. format is that of the colour frame, samples by pixel or by plane. */
int64_t mga_grey_narrow(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format);
/* The inverse: a colour frame as format says, each pixel with one sample three times. Bytes written. */
int64_t mga_grey_widen(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format);

/* --- pictures for people (previews, contact sheets) --------------------------------------------------------------- */

typedef struct {
    int32_t low; /* stored values shown as black and as white */
    int32_t high;
} mga_window;

typedef enum { MGA_COLOUR_AS_IS = 0, MGA_COLOUR_INVERTED = 1, MGA_COLOUR_YBR_FULL = 2 } mga_colour_kind;

typedef struct {
    uint32_t rows; /* of the small picture; not larger than the frame */
    uint32_t columns;
    mga_window window;
    uint32_t colour; /* mga_colour_kind; inverted = MONOCHROME1 */
} mga_thumbnail_params;

/* The window that leaves the fraction `tail` (0..0.5) of the samples black and as many white; steps of 1/256. */
int64_t mga_window_find(const void *src, size_t src_size, const mga_format *format, double tail, mga_window *window);
/* 8-bit samples by pixel, as many as the frame has; box averages. Bytes written or MGA_ERR_ARG_*. */
int64_t mga_thumbnail(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                      const mga_thumbnail_params *params);

/* --- pictures as devices leave them ---------------------------------------------------------------------------------
 *
 * A line begins `stride` bytes behind the one before it, and what stands between them is not looked at. A source may be
 * larger than its last line needs. What is written has no padding. */

/* How samples of one colour stand in memory. */
typedef enum {
    MGA_PACKING_8 = 0,         /* GREY, Mono8 */
    MGA_PACKING_16_LITTLE = 1, /* Y10, Y12, Y16, Mono10, Mono12, Mono14, Mono16: in the low bits of two bytes */
    MGA_PACKING_16_BIG = 2,    /* the same with the high byte first: Y16_BE, and cameras that swap bytes */
    MGA_PACKING_DENSE = 3,     /* Mono10p, Mono12p: bit behind bit, the lowest first */
    MGA_PACKING_GIGE = 4       /* Mono10Packed, Mono12Packed: high bits, the low bits of both, high bits */
} mga_packing;

typedef struct {
    uint32_t rows;
    uint32_t columns;
    uint32_t packing; /* mga_packing */
    uint32_t bits;    /* of a sample: 1..8 in a byte, 1..16 in two, 9..14 dense, 10 or 12 for GigE Vision's own */
    uint32_t stride;  /* 0 = lines follow each other, where samples are packed also inside a byte */
} mga_unpack_params;

/* Samples of one byte for MGA_PACKING_8, else of two, with Bits Stored as params->bits. Bytes written, MGA_ERR_ARG_*,
 * or MGA_ERR_DATA_SAMPLE for a sample of whole bytes that is larger than its bits allow. */
int64_t mga_samples_unpack(void *dst, size_t dst_size, const void *src, size_t src_size,
                           const mga_unpack_params *params);

/* Where the samples of colour stand; V4L2's names, and the native YBR_FULL_422 of DICOM. */
typedef enum {
    MGA_LAYOUT_RGB24 = 0,  /* three bytes by pixel, whatever their space is; RGB8 */
    MGA_LAYOUT_BGR24 = 1,  /* BGR8 */
    MGA_LAYOUT_BGRX32 = 2, /* BGRa8; the fourth byte is not looked at */
    MGA_LAYOUT_YUYV = 3,
    MGA_LAYOUT_UYVY = 4,
    MGA_LAYOUT_YYUV = 5, /* YBR_FULL_422 (PS3.3 C.7.6.3.1.2) */
    MGA_LAYOUT_NV12 = 6, /* two planes */
    MGA_LAYOUT_I420 = 7  /* three planes */
} mga_layout;

/* What they mean: matrix (ITU-R BT.601 or BT.709) and range (full 0..255; video 16..235, chroma 16..240). */
typedef enum {
    MGA_SPACE_RGB = 0,
    MGA_SPACE_RGB_VIDEO = 1,
    MGA_SPACE_601_FULL = 2, /* DICOM's YBR_FULL and JFIF */
    MGA_SPACE_601_VIDEO = 3,
    MGA_SPACE_709_FULL = 4,
    MGA_SPACE_709_VIDEO = 5
} mga_space;

typedef enum {
    MGA_RESULT_RGB = 0,
    MGA_RESULT_YBR_FULL = 1,
    MGA_RESULT_YBR_FULL_422 = 2 /* an even number of columns */
} mga_result;

typedef struct {
    const void *data;
    size_t size;
    uint32_t stride; /* bytes from a line to the next, at least those of a line; 0 = no padding */
} mga_plane;

typedef struct {
    uint32_t rows;
    uint32_t columns;
    uint32_t layout; /* mga_layout */
    uint32_t space;  /* mga_space; of YUYV to I420 not an RGB */
    uint32_t result; /* mga_result */
} mga_colour_params;

/* Samples of 8 bits by pixel. Halved chroma is given to every pixel that shares it; of a pair YBR_FULL_422 keeps the
 * chroma of the first pixel. Bytes written or MGA_ERR_ARG_*. */
int64_t mga_colour_convert(void *dst, size_t dst_size, const mga_plane *planes, size_t count,
                           const mga_colour_params *params);

/* The filters of the first two pixels of the first line (GenICam BayerRG8 and so on; V4L2 names the first four). */
typedef enum { MGA_BAYER_RG = 0, MGA_BAYER_GR = 1, MGA_BAYER_GB = 2, MGA_BAYER_BG = 3 } mga_bayer_filters;

typedef struct {
    uint32_t rows; /* at least 2 */
    uint32_t columns;
    uint32_t filters; /* mga_bayer_filters */
    uint32_t stride;  /* 0 = no padding */
} mga_bayer_params;

/* RGB by pixel of samples of 8 bits: what a pixel lacks is the mean of the nearest that have it, halves up. Bytes
 * written or MGA_ERR_ARG_*. */
int64_t mga_bayer_convert(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_bayer_params *params);

/* --- parts of frames ------------------------------------------------------------------------------------------------
 */

typedef struct {
    uint32_t top; /* counted from 0 */
    uint32_t left;
    uint32_t rows; /* at least 1, inside of the frame */
    uint32_t columns;
} mga_region;

/* One region of a frame whose lines, in each plane, may be padded (stride 0: are not). Bytes written or MGA_ERR_ARG_*.
 */
int64_t mga_region_crop(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                        uint32_t stride, const mga_region *region);
/* Gives every pixel of the regions one value: as many as there are samples per pixel, each possible for the bits
 * stored. Regions may overlap. MGA_OK or MGA_ERR_ARG_*; then the frame is as it was. */
int64_t mga_region_blackout(void *frame, size_t frame_size, const mga_format *format, const mga_region *regions,
                            size_t count, const int32_t *value);

/* --- what a detector needs -------------------------------------------------------------------------------------------
 *
 * Of unsigned frames with one sample per pixel. */

typedef struct {
    const void *offset; /* a dark frame of the same format, or null */
    size_t offset_size;
    const void *gain; /* 16-bit samples, MGA_GAIN_ONE is 1.0; or null */
    size_t gain_size;
    uint32_t pedestal; /* added, so that noise below the dark frame is kept; possible for the bits stored */
} mga_flat_params;

/* (sample - offset) * gain, rounded to the nearest and halves away from zero, + pedestal, kept inside of the bits
 * stored. 16 bits allocated. dst may be src. Bytes written or MGA_ERR_ARG_*. */
int64_t mga_flat_correct(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                         const mga_flat_params *params);
/* Gives each pixel of the list (row * columns + column, rising) the mean of the good ones nearest to it: of the ring at
 * distance 1, or if none is good there 2, up to MGA_DEFECT_REACH. Pixels replaced; MGA_ERR_ARG_RANGE for a list that
 * does not rise, leaves the frame, or has no good pixel in reach. */
int64_t mga_defects_replace(void *frame, size_t frame_size, const mga_format *format, const uint32_t *defects,
                            size_t count);

/* --- tables ----------------------------------------------------------------------------------------------------------
 */

/* Each sample through a table of 2^bits_stored entries of 8 or 16 bits, little endian as samples are, beginning with
 * that of the lowest value. Bits above the stored ones are not looked at. Any number of samples per pixel. dst may be
 * src where entries are as wide as samples. Bytes written or MGA_ERR_ARG_*. */
int64_t mga_table_apply(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                        const void *table, size_t table_size, uint32_t entry_bits);

/* --- picture files --------------------------------------------------------------------------------------------------
 */

/* Puts back what the filters of PNG took away, for whole lines: each has its filter type and line_bytes bytes in src,
 * and goes to dst behind the `done` bytes of earlier lines, whose last one it may need. pixel_bytes (1..8) is the
 * distance to the pixel on the left, 1 where several share a byte. 16-bit samples stay big endian. Bytes in dst by
 * then, MGA_ERR_ARG_*, or MGA_ERR_DATA_CODE for a filter type beyond 4. */
int64_t mga_png_unfilter(void *dst, size_t dst_size, size_t done, const void *src, size_t src_size, size_t line_bytes,
                         uint32_t pixel_bytes);

/* --- files ----------------------------------------------------------------------------------------------------------
 */

/* Make durable whatever is written to the file system that the descriptor fd stands on (syncfs(2), which Python does
 * not have). 0, or MGA_ERR_DEV_SYNC for everything that could not be written there since fd was opened or last asked.
 */
int64_t mga_sync_file_system(int32_t fd);
/* cffi: end */

#endif
