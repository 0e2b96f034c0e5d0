#include "igtl_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "device.h"

int64_t mga_igtl_stream_refuse(mga_igtl_stream *stream, int64_t status, mga_igtl_reason reason)
{
    char text[sizeof stream->trouble->what];
    (void)snprintf(text, sizeof text, "message %llu: %s", (unsigned long long)stream->messages,
                   mga_igtl_reason_text(reason));
    return mga_trouble_say(stream->trouble, status, 0, text);
}

int64_t mga_igtl_stream_grow(mga_igtl_stream *stream, uint64_t body_bytes)
{
    size_t room = (size_t)body_bytes + MGA_IGTL_BESIDE_BYTES;
    if (room <= stream->room)
        return MGA_OK;
    uint8_t *body = realloc(stream->body, room);
    if (!body)
        return mga_trouble_say(stream->trouble, MGA_ERR_DEV_MEMORY, 0, "an image");
    stream->body = body;
    stream->room = room;
    return MGA_OK;
}

/* Of a body that has no room, the end of the room is what was read last. */
size_t mga_igtl_stream_at_hand(const mga_igtl_stream *stream)
{
    size_t size = (size_t)stream->header.body_bytes;
    return size <= stream->room ? size : stream->room - MGA_IGTL_BESIDE_BYTES;
}

/* 1 = there is something to read, 0 = not in time, or stop was asked. */
static int64_t wait_readable(mga_igtl_stream *stream, int timeout_ms)
{
    struct pollfd watched[2] = {{.fd = stream->fd, .events = POLLIN}, {.fd = stream->stop_fd, .events = POLLIN}};
    int ready = poll(watched, 2, timeout_ms);
    if (ready < 0 && errno != EINTR)
        return mga_trouble_say(stream->trouble, MGA_ERR_DEV_READ, errno, "poll");
    return ready > 0 && !watched[1].revents;
}

static int64_t gone(mga_igtl_stream *stream, int number)
{
    char text[sizeof stream->trouble->what];
    if (stream->head_got < MGA_IGTL_HEADER)
        (void)snprintf(text, sizeof text, "the connection ended %s",
                       stream->head_got ? "inside the header of a message" : "between two messages");
    else
        (void)snprintf(text, sizeof text, "the connection ended inside a message, behind %zu of %llu bytes",
                       stream->body_got, (unsigned long long)stream->header.body_bytes);
    return mga_trouble_say(stream->trouble, MGA_ERR_DEV_GONE, number, text);
}

/* Bytes read; 0 = none is here yet. */
static int64_t read_some(mga_igtl_stream *stream, uint8_t *dst, size_t size)
{
    ssize_t got = read(stream->fd, dst, size);
    if (got > 0)
        return got;
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return gone(stream, got < 0 ? errno : 0);
}

static int64_t read_head(mga_igtl_stream *stream)
{
    int64_t got = read_some(stream, stream->head + stream->head_got, MGA_IGTL_HEADER - stream->head_got);
    if (got <= 0)
        return got;
    if (stream->head_got == 0)
        stream->arrived_ns = mga_clock_ns();
    stream->head_got += (size_t)got;
    if (stream->head_got < MGA_IGTL_HEADER)
        return MGA_IGTL_NOT_YET;
    stream->messages++;
    mga_igtl_reason reason = mga_igtl_read_header(stream->head, &stream->header);
    if (reason != MGA_IGTL_FINE)
        return mga_igtl_stream_refuse(stream, MGA_ERR_DEV_PROTOCOL, reason);
    stream->body_got = 0;
    stream->sum = 0;
    return MGA_IGTL_HEAD;
}

static int64_t read_body(mga_igtl_stream *stream)
{
    size_t left = (size_t)stream->header.body_bytes - stream->body_got;
    bool fits = stream->body_got < stream->room;
    uint8_t *dst = stream->body + (fits ? stream->body_got : stream->room - MGA_IGTL_BESIDE_BYTES);
    size_t room = fits ? stream->room - stream->body_got : MGA_IGTL_BESIDE_BYTES;
    int64_t got = read_some(stream, dst, left < room ? left : room);
    if (got <= 0)
        return got;
    if (stream->header.type != MGA_IGTL_OTHER)
        stream->sum = mga_crc64(&stream->crc, stream->sum, dst, (size_t)got);
    stream->body_got += (size_t)got;
    return MGA_IGTL_NOT_YET;
}

int64_t mga_igtl_stream_read(mga_igtl_stream *stream, int timeout_ms)
{
    int64_t status = wait_readable(stream, timeout_ms);
    if (status <= 0)
        return status;
    status = stream->head_got < MGA_IGTL_HEADER ? read_head(stream) : read_body(stream);
    if (status < 0 || stream->head_got < MGA_IGTL_HEADER || stream->body_got < stream->header.body_bytes)
        return status;
    stream->head_got = 0; /* the next one */
    return MGA_IGTL_WHOLE;
}
