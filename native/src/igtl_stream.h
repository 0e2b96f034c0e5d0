/* A stream of OpenIGTLink messages, one at a time. Of a message that is larger than `room` the beginning is kept; all
 * of it is summed. */
#ifndef MGA_IGTL_STREAM_H
#define MGA_IGTL_STREAM_H

#include "crc64.h"
#include "igtl.h"

#define MGA_IGTL_BESIDE_BYTES 65536u /* metadata that may stand beside the samples, and change from image to image */

typedef struct {
    int fd;
    int stop_fd;          /* ends a wait; not read */
    mga_trouble *trouble; /* says what failed */
    mga_crc64_tables crc;
    uint64_t messages; /* read so far */
    uint8_t head[MGA_IGTL_HEADER];
    size_t head_got;
    mga_igtl_header header;
    uint8_t *body;
    size_t room; /* MGA_IGTL_BESIDE_BYTES and more */
    size_t body_got;
    uint64_t sum;        /* of the body, but for MGA_IGTL_OTHER */
    uint64_t arrived_ns; /* CLOCK_MONOTONIC, when its first bytes were read */
} mga_igtl_stream;

/* Waits for bytes at most that long and takes what is there: MGA_IGTL_WHOLE, until the next call; or MGA_ERR_DEV_*. */
enum { MGA_IGTL_NOT_YET = 0, MGA_IGTL_WHOLE = 1, MGA_IGTL_HEAD = 2 };
int64_t mga_igtl_stream_read(mga_igtl_stream *stream, int timeout_ms);
/* Makes room for a body of so many bytes, and for what may stand beside; behind MGA_IGTL_HEAD. */
int64_t mga_igtl_stream_grow(mga_igtl_stream *stream, uint64_t body_bytes);
/* Bytes of the body that are at hand. */
size_t mga_igtl_stream_at_hand(const mga_igtl_stream *stream);
/* Says that the message under way, or the last one, is refused, and returns the status. */
int64_t mga_igtl_stream_refuse(mga_igtl_stream *stream, int64_t status, mga_igtl_reason reason);

#endif
