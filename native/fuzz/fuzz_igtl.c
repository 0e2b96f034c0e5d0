/* Any bytes as what an OpenIGTLink server sends: read to their end, and no image is given that was not whole. The first
 * byte says whether sums are made right, so that not every change ends at the CRC. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "crc64.h"
#include "device.h"
#include "fuzz.h"
#include "igtl.h"
#include "igtl_messages.h"

enum { ROOM = 60000, SEEDS = 8 }; /* a pipe holds 64 KiB */

MGA_FUZZ_ARENA(target, ROOM);

static const mga_crc64_tables *tables(void)
{
    static mga_crc64_tables made;
    if (!made.of[0][1])
        mga_crc64_make(&made);
    return &made;
}

static void put_sum(uint8_t *message, size_t body_bytes)
{
    put_number(message + 50, mga_crc64(tables(), 0, message + MGA_IGTL_HEADER, body_bytes), 8);
}

static void make_right(uint8_t *p, size_t size)
{
    mga_igtl_header header;
    while (size >= MGA_IGTL_HEADER && mga_igtl_read_header(p, &header) == MGA_IGTL_FINE &&
           header.body_bytes <= size - MGA_IGTL_HEADER) {
        put_sum(p, (size_t)header.body_bytes);
        p += MGA_IGTL_HEADER + header.body_bytes;
        size -= MGA_IGTL_HEADER + (size_t)header.body_bytes;
    }
}

static int64_t open_stream(mga_device **device, const uint8_t *p, size_t size, mga_agreement *agreed)
{
    int ends[2];
    mga_trouble trouble;
    mga_igtl_params params = {.wait_ms = MGA_IGTL_WAIT_MS_MAX}; /* a pipe that is closed needs none */
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK(write(ends[1], p, size) == (ssize_t)size);
    CHECK(close(ends[1]) == 0);
    params.fd = ends[0];
    int64_t status = mga_igtl_open(device, &params, agreed, &trouble);
    CHECK(close(ends[0]) == 0);
    CHECK(status >= 0 || trouble.what[0]);
    return status;
}

static void check_frame(mga_device *device, const mga_device_frame *frame, int64_t bytes, uint64_t *counter)
{
    CHECK(frame->counter > *counter);
    *counter = frame->counter;
    if (frame->damaged || bytes > ROOM)
        return;
    uint8_t *dst = mga_fuzz_buffer(&target, (size_t)bytes);
    CHECK(mga_pixels_convert(dst, (size_t)bytes, frame->planes, frame->count, &device->pixels) == bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > ROOM)
        return 0;
    static uint8_t stream[ROOM];
    memcpy(stream, data + 1, size - 1);
    if (data[0] & 1)
        make_right(stream, size - 1);
    mga_device *device = NULL;
    mga_agreement agreed;
    int64_t status = open_stream(&device, stream, size - 1, &agreed);
    if (status < 0) {
        CHECK(status == MGA_ERR_DEV_GONE || status == MGA_ERR_DEV_PROTOCOL || status == MGA_ERR_DEV_REFUSED);
        return 0;
    }
    int64_t bytes = mga_format_bytes(&agreed.format);
    CHECK(bytes > 0 && (uint64_t)bytes < size);
    uint64_t counter = 0;
    while (status >= 0) {
        mga_device_frame frame = {0};
        status = device->kind->next(device, &frame);
        if (status > 0)
            check_frame(device, &frame, bytes, &counter);
    }
    CHECK(status == MGA_ERR_DEV_GONE || status == MGA_ERR_DEV_PROTOCOL || status == MGA_ERR_DEV_GEOMETRY);
    CHECK(device->trouble.what[0] && counter > 0);
    mga_device_close(device);
    return 0;
}

static size_t put_message(uint8_t *p, uint32_t version, const char *type, uint32_t id, size_t content)
{
    size_t front = version > 1 ? MGA_IGTL_EXTENDED : 0;
    uint8_t *body = p + MGA_IGTL_HEADER;
    memmove(body + front, body, content);
    if (front)
        put_extended(body, (uint32_t)front, 0, 0, id);
    put_header(p, version, type, "Probe", front + content);
    put_sum(p, front + content);
    return MGA_IGTL_HEADER + front + content;
}

/* Version 1 and 2, each type of samples, with other messages between and a part at the end. */
size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    if (number >= SEEDS)
        return 0;
    uint32_t version = 1 + number % 2;
    uint32_t type = 3 + number / 2 % 3;
    uint32_t components = number == 6 || number == 7 ? 3 : 1;
    size_t samples = (size_t)5 * 4 * components * (type == 3 ? 1 : 2);
    uint8_t *p = out;
    CHECK(room > 4096);
    *p++ = number != 0;
    for (uint32_t i = 1; i < 5; i++) {
        uint8_t *content = p + MGA_IGTL_HEADER;
        put_image(content, components, type, 1 + number % 2, 5, 4, 1);
        memset(content + MGA_IGTL_IMAGE, (int)i, samples);
        p += put_message(p, version, "IMAGE", i + (i == 4), MGA_IGTL_IMAGE + samples);
        memset(p + MGA_IGTL_HEADER, 0, MGA_IGTL_TRANSFORM);
        p += put_message(p, version, i < 3 ? "TRANSFORM" : "STATUS", 0, i < 3 ? MGA_IGTL_TRANSFORM : MGA_IGTL_STATUS);
    }
    return (size_t)(p - out);
}
