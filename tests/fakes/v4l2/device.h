/* A Video4Linux2 capture device that a text file describes: the model behind shim.c.
 *
 * It behaves as videobuf2 does: a frame is made for every period of time that has passed, into a buffer that is queued,
 * or else its sequence number is skipped; a buffer is poisoned as soon as it is queued, so that whoever reads on sees
 * it. What frame `sequence` looks like follows from its number alone (`fake_byte`).
 *
 * The file, one word and its arguments a line (read anew at every open, and whenever it changes):
 *
 *   path PATH...                     the names it can be opened by
 *   absent                           nobody is there
 *   format FOURCC COLUMNSxROWS...    what it offers, the default first
 *   rates HZ...                      what S_PARM can choose of, the default first; none: it has no S_PARM
 *   planar                           it speaks the multi-planar API
 *   pad BYTES                        behind each line
 *   colour COLORSPACE ENCODING QUANTIZATION
 *   clock unknown                    its time stamps are of no clock that is told
 *   begun                            they are of the begin of a frame, as it says
 *   uncounted                        all its sequence numbers are 0
 *   buffers FEWEST MOST              what REQBUFS gives
 *   input NAME STATUS [HERTZ]        with HERTZ: digital video of the first size of the first format
 *   control NAME int|bool|menu|button|int64|text|off|turn|twist|flip MIN MAX STEP DEFAULT
 *                                    turn: unless it is 0, pictures lie on their side, flip: the filters of a Bayer
 *                                    picture are mirrored; both say so (MODIFY_LAYOUT). twist turns, and does not
 *   stubborn format|rate             is asked, and stays as it is
 *   fail IOCTL ERRNO                 the ioctl fails (QUERYCAP, S_FMT, ...)
 *   gap N...                         these sequence numbers never come
 *   error N... short N... empty N... they come damaged, half, without a byte
 *   ahead N... unstamped N...        their time stamp is an hour late, is 0
 *   change_at IOCTL                  the input sends another picture as soon as this is done
 *   fatal N                          there the stream breaks, gone N: the cable is pulled, change N: another picture
 *   away                             after gone nobody is there until this file changes */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <linux/videodev2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANY 64

typedef struct {
    int count;
    uint32_t numbers[MANY];
} fake_list;

typedef struct {
    uint32_t columns, rows;
} fake_size;

typedef struct {
    uint32_t fourcc;
    int count;
    fake_size sizes[8];
} fake_offer;

typedef struct {
    char name[32];
    uint32_t status;
    double hertz;
} fake_input;

typedef struct {
    char name[32];
    uint32_t type, flags;
    int64_t minimum, maximum, step, preset;
    char layout; /* what of a picture it changes: 't' = its sides, 'f' = its filters, 0 = nothing */
} fake_control;

typedef struct {
    unsigned long request;
    int error;
} fake_failure;

typedef struct {
    char paths[4][256];
    int path_count;
    fake_offer offers[24];
    int offer_count;
    double rates[8];
    int rate_count;
    fake_input inputs[4];
    int input_count;
    fake_control controls[8];
    int control_count;
    fake_failure failures[8];
    int failure_count;
    fake_list gaps, errors, shorts, empties, aheads, unstamped;
    unsigned long change_request;         /* 0 = none */
    int64_t fatal_at, gone_at, change_at; /* -1 = never */
    uint32_t pad, fewest, most;
    uint32_t colorspace, encoding, quantization;
    bool absent, planar, clock_unknown, begun, uncounted, stubborn_format, stubborn_rate, away;
} fake_script;

/* 0, or -1 when there is no such file. A line that is not understood ends the process. */
int fake_script_read(fake_script *script, const char *path);
uint32_t fake_fourcc(const char *text);
bool fake_has(const fake_list *list, uint32_t number);

/* How the bytes of a format lie. */
typedef struct {
    uint32_t fourcc;
    uint32_t line_bytes; /* of the first plane, for 12 pixels */
    uint32_t halves;     /* 0 = one plane, 1 = NV12, 2 = I420, 3 = NM12: its second plane is a memory of its own */
    uint32_t mask;       /* of each byte of a sample of two, little endian: 0xffff, 0x03ff; 0 = bytes */
} fake_layout;

const fake_layout *fake_layout_of(uint32_t fourcc);
/* The byte at `x` of line `y` of frame `sequence`, before the mask. */
static inline uint8_t fake_byte(uint32_t sequence, uint32_t y, uint32_t x)
{
    return (uint8_t)(x * 7u + y * 13u + sequence * 29u + (x * y >> 3));
}

typedef struct fake_handle fake_handle;

/* For the shim; each takes the lock of the device. */
fake_handle *fake_open(const char *path, int *error); /* null and 0: not a name of the device */
void fake_close(fake_handle *handle);
int fake_ioctl(fake_handle *handle, unsigned long request, void *argument); /* 0 or an errno */
int fake_memory(fake_handle *handle);                                       /* the memfd behind mmap */
/* What poll would answer, and in how many ns something may be different. */
short fake_poll(fake_handle *handle, short events, int64_t *next_ns);

/* The settings of the device that are not of its stream: fake_controls.c. 0, an errno, or -1: none of these. */
struct v4l2_format;
typedef struct {
    uint32_t input;
    double rate;
    uint32_t fourcc, columns, rows;
    bool timings_set;
    int64_t values[8];
} fake_settings;
int fake_settle(const fake_script *script, fake_settings *settings, unsigned long request, void *argument);
void fake_format_fill(const fake_script *script, const fake_settings *settings, struct v4l2_format *format);

#endif
