/* Messages of OpenIGTLink made by hand: what is read of them, and why the others are refused. What a server of somebody
 * else sends is judged in Python (tests/property/test_openigtlink.py, tests/peers/test_openigtlink_peers.py). */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "check.h"
#include "crc64.h"
#include "igtl.h"
#include "igtl_messages.h"

static void check_crc(void)
{
    mga_crc64_tables tables;
    mga_crc64_make(&tables);
    const uint8_t digits[] = "123456789";
    CHECK(mga_crc64(&tables, 0, digits, 9) == 0x6C40DF5F0B497347u); /* the check value of CRC-64/ECMA-182 */
    CHECK(mga_crc64(&tables, 0, digits, 0) == 0);
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(37 * i + 5);
    uint64_t whole = mga_crc64(&tables, 0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++)
        CHECK(mga_crc64(&tables, mga_crc64(&tables, 0, bytes, cut), bytes + cut, sizeof bytes - cut) == whole);
}

static void check_headers(void)
{
    uint8_t m[MGA_IGTL_HEADER];
    mga_igtl_header h;
    put_header(m, 1, "IMAGE", "Probe", 100);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_FINE);
    CHECK(h.version == 1 && h.type == MGA_IGTL_IS_IMAGE && h.body_bytes == 100 && strcmp(h.device, "Probe") == 0);
    put_header(m, 2, "TRANSFORM", "a name of 20 letters", 48);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_FINE);
    CHECK(h.type == MGA_IGTL_IS_TRANSFORM && strcmp(h.device, "a name of 20 letters") == 0);
    put_header(m, 1, "TWELVELETTER", "\x01\xFFx", 0);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_FINE && h.type == MGA_IGTL_OTHER && strcmp(h.device, "..x") == 0);
    put_header(m, 0, "IMAGE", "", 0);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_VERSION);
    put_header(m, 0x4745, "T / HTTP/1.1", "", 0);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_VERSION);
    put_header(m, 1, "", "", 0);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_TYPE);
    put_header(m, 1, "IM\x07", "", 0);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_TYPE);
    put_header(m, 1, "POLYDATA", "", MGA_IGTL_BODY_MAX);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_FINE);
    put_header(m, 1, "POLYDATA", "", MGA_IGTL_BODY_MAX + 1);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_SIZE);
    put_header(m, 1, "IMAGE", "", UINT64_MAX);
    CHECK(mga_igtl_read_header(m, &h) == MGA_IGTL_SIZE);
}

static mga_igtl_reason read_body(uint32_t version, size_t size, mga_igtl_body *body, const uint8_t *bytes)
{
    uint8_t *p = exactly(size);
    memcpy(p, bytes, size);
    const mga_igtl_header header = {.version = version, .body_bytes = size};
    mga_igtl_reason reason = mga_igtl_read_body(p, size, &header, body);
    free(p);
    return reason;
}

static void check_bodies(void)
{
    mga_igtl_body body;
    uint8_t m[40] = {0};
    CHECK(read_body(1, 40, &body, m) == MGA_IGTL_FINE && body.content == 0 && body.content_bytes == 40 && !body.has_id);
    put_extended(m, 12, 10, 3, 77);
    CHECK(read_body(2, 40, &body, m) == MGA_IGTL_FINE && body.content == 12 && body.content_bytes == 15);
    CHECK(body.has_id && body.id == 77);
    put_extended(m, 20, 10, 10, 1);
    CHECK(read_body(2, 40, &body, m) == MGA_IGTL_FINE && body.content == 20 && body.content_bytes == 0);
    put_extended(m, 20, 10, 11, 1);
    CHECK(read_body(2, 40, &body, m) == MGA_IGTL_LENGTH);
    put_extended(m, 11, 0, 0, 1);
    CHECK(read_body(2, 40, &body, m) == MGA_IGTL_LENGTH);
    put_extended(m, 12, 0xFFFF, 0xFFFFFFFFu, 1);
    CHECK(read_body(2, 40, &body, m) == MGA_IGTL_LENGTH);
    CHECK(read_body(2, 11, &body, m) == MGA_IGTL_LENGTH);
    CHECK(read_body(2, 0, &body, m) == MGA_IGTL_LENGTH);
}

static mga_igtl_reason read_image(const uint8_t *head, size_t content_bytes, mga_igtl_image *image)
{
    uint8_t *p = exactly(MGA_IGTL_IMAGE);
    memcpy(p, head, MGA_IGTL_IMAGE);
    size_t size = content_bytes < MGA_IGTL_IMAGE ? content_bytes : MGA_IGTL_IMAGE;
    mga_igtl_reason reason = mga_igtl_read_image(p, size, content_bytes, image);
    free(p);
    return reason;
}

static void check_images(void)
{
    mga_igtl_image i;
    uint8_t m[MGA_IGTL_IMAGE];
    put_image(m, 1, 3, 2, 40, 30, 1);
    CHECK(read_image(m, 72 + 1200, &i) == MGA_IGTL_FINE);
    CHECK(i.format.rows == 30 && i.format.columns == 40 && i.format.samples_per_pixel == 1);
    CHECK(i.format.bits_allocated == 8 && i.format.bits_stored == 8 && i.format.pixel_representation == 0);
    CHECK(i.samples_at == 72 && i.samples_bytes == 1200 && i.coordinates == 2);
    CHECK(i.spacing_mm[0] == 0.5 && i.spacing_mm[1] == 0.25); /* |j| is from row to row */
    put_image(m, 3, 3, 1, 40, 30, 1);
    CHECK(read_image(m, 72 + 3600, &i) == MGA_IGTL_FINE && i.format.samples_per_pixel == 3 && i.big_endian);
    put_image(m, 1, 4, 1, 40, 30, 1);
    CHECK(read_image(m, 72 + 2400, &i) == MGA_IGTL_FINE && i.format.pixel_representation == 1);
    CHECK(i.format.bits_stored == 16 && i.big_endian);
    put_image(m, 1, 5, 2, 1, 40, 30); /* two dimensions as the last two */
    CHECK(read_image(m, 72 + 2400, &i) == MGA_IGTL_FINE && i.format.columns == 40 && i.format.rows == 30);
    CHECK(i.spacing_mm[0] == 2.0 && i.spacing_mm[1] == 0.5);
    put_image(m, 1, 3, 2, 1, 30, 1);
    CHECK(read_image(m, 72 + 30, &i) == MGA_IGTL_FINE && i.format.columns == 1 && i.format.rows == 30);

    put_image(m, 1, 3, 2, 40, 30, 1);
    CHECK(read_image(m, 72 + 1199, &i) == MGA_IGTL_LENGTH);
    CHECK(read_image(m, 72 + 1201, &i) == MGA_IGTL_LENGTH);
    CHECK(read_image(m, 71, &i) == MGA_IGTL_LENGTH);
    CHECK(read_image(m, 0, &i) == MGA_IGTL_LENGTH);
    put_image(m, 1, 3, 2, 40, 30, 2);
    CHECK(read_image(m, 72 + 2400, &i) == MGA_IGTL_VOLUME);
    put_image(m, 1, 3, 2, 40, 0, 1);
    CHECK(read_image(m, 72, &i) == MGA_IGTL_VOLUME);
    put_image(m, 1, 3, 2, 65535, 1, 1);
    CHECK(read_image(m, 72 + 65535, &i) == MGA_IGTL_VOLUME);
    put_image(m, 1, 10, 2, 40, 30, 1);
    CHECK(read_image(m, 72 + 4800, &i) == MGA_IGTL_SAMPLES);
    put_image(m, 1, 2, 2, 40, 30, 1);
    CHECK(read_image(m, 72 + 1200, &i) == MGA_IGTL_SAMPLES);
    put_image(m, 2, 3, 2, 40, 30, 1);
    CHECK(read_image(m, 72 + 2400, &i) == MGA_IGTL_COMPONENTS);
    put_image(m, 3, 5, 2, 40, 30, 1);
    CHECK(read_image(m, 72 + 7200, &i) == MGA_IGTL_COMPONENTS);
    put_image(m, 1, 3, 3, 40, 30, 1);
    CHECK(read_image(m, 72 + 1200, &i) == MGA_IGTL_ENDIAN);
    put_image(m, 1, 3, 2, 40, 30, 1);
    m[61] = 1; /* begins at the second column */
    CHECK(read_image(m, 72 + 1200, &i) == MGA_IGTL_PART);
    put_image(m, 1, 3, 2, 40, 30, 1);
    m[69] = 29; /* one row less */
    CHECK(read_image(m, 72 + 1160, &i) == MGA_IGTL_PART);
    put_image(m, 1, 3, 2, 40, 30, 1);
    put_float(m + 12, 0x7FC00000u); /* no number */
    CHECK(read_image(m, 72 + 1200, &i) == MGA_IGTL_FINE && i.spacing_mm[0] == 0.0 && i.spacing_mm[1] == 0.0);
}

static void check_others(void)
{
    float matrix[12];
    uint8_t m[64] = {0};
    for (size_t i = 0; i < 12; i++)
        put_float(m + 4 * i, 0x3F800000u + (uint32_t)(i << 16));
    CHECK(mga_igtl_read_transform(m, 48, matrix) == MGA_IGTL_FINE && matrix[0] == 1.0F && matrix[1] == 1.0078125F);
    CHECK(mga_igtl_read_transform(m, 47, matrix) == MGA_IGTL_LENGTH);
    CHECK(mga_igtl_read_transform(m, 49, matrix) == MGA_IGTL_LENGTH);
    put_float(m + 44, 0xFF800000u);
    CHECK(mga_igtl_read_transform(m, 48, matrix) == MGA_IGTL_NUMBER);
    char text[8];
    uint32_t code = 0;
    memset(m, 0, sizeof m);
    m[1] = 13;
    memcpy(m + 30, "not\nready at all", 17);
    CHECK(mga_igtl_read_status(m, 47, &code, text, sizeof text) == MGA_IGTL_FINE);
    CHECK(code == 13 && strcmp(text, "not.rea") == 0);
    CHECK(mga_igtl_read_status(m, 30, &code, text, sizeof text) == MGA_IGTL_FINE && text[0] == 0);
    CHECK(mga_igtl_read_status(m, 29, &code, text, sizeof text) == MGA_IGTL_LENGTH);
}

static void check_texts(void)
{
    for (int i = MGA_IGTL_FINE; i <= MGA_IGTL_VOLUME; i++)
        CHECK(strcmp(mga_igtl_reason_text((mga_igtl_reason)i), "unknown reason") != 0);
}

/* --- a server, its thread and ours: for ThreadSanitizer ---------------------------------------------------------- */

enum { STREAMED = 200, ROWS = 30, COLUMNS = 40, SAMPLES = ROWS * COLUMNS };

static void put_sum(uint8_t *message, size_t body_bytes)
{
    mga_crc64_tables tables;
    mga_crc64_make(&tables);
    put_number(message + 50, mga_crc64(&tables, 0, message + MGA_IGTL_HEADER, body_bytes), 8);
}

static void send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = write(fd, bytes, size);
        CHECK(sent > 0);
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* Image after image, each with its number in its samples, and in a transform in front of it. */
static void *serve(void *argument)
{
    const int fd = *(const int *)argument;
    static uint8_t message[MGA_IGTL_HEADER + MGA_IGTL_IMAGE + SAMPLES];
    for (uint32_t number = 1; number <= STREAMED; number++) {
        put_header(message, 1, "TRANSFORM", "Tool", MGA_IGTL_TRANSFORM);
        memset(message + MGA_IGTL_HEADER, 0, MGA_IGTL_TRANSFORM);
        put_float(message + MGA_IGTL_HEADER, number << 16);
        put_sum(message, MGA_IGTL_TRANSFORM);
        send_all(fd, message, MGA_IGTL_HEADER + MGA_IGTL_TRANSFORM);
        put_header(message, 1, "IMAGE", "Probe", MGA_IGTL_IMAGE + SAMPLES);
        put_image(message + MGA_IGTL_HEADER, 1, 3, 2, COLUMNS, ROWS, 1);
        memset(message + MGA_IGTL_HEADER + MGA_IGTL_IMAGE, (int)number, SAMPLES);
        put_sum(message, MGA_IGTL_IMAGE + SAMPLES);
        send_all(fd, message, sizeof message);
    }
    CHECK(close(fd) == 0);
    return NULL;
}

static void check_taken(mga_source *source, mga_device *device, const uint8_t *memory, const mga_frame *frame)
{
    mga_igtl_beside beside;
    mga_igtl_counts counts;
    const uint8_t *samples = memory + frame->offset;
    CHECK(samples[0] == (uint8_t)frame->number && samples[SAMPLES - 1] == samples[0]);
    CHECK(mga_igtl_read_beside(device, frame->slot, &beside) == MGA_OK);
    const uint32_t bits = (uint32_t)frame->number << 16;
    CHECK(memcmp(&beside.transform[0], &bits, sizeof bits) == 0); /* of this image, and not of a later one */
    CHECK(strcmp(beside.transform_device, "Tool") == 0);
    CHECK(mga_igtl_read_counts(device, &counts) == MGA_OK && counts.transforms >= frame->number);
    CHECK(mga_source_give_back(source, frame->slot) == MGA_OK);
}

static void check_threads(void)
{
    int ends[2];
    pthread_t server;
    CHECK(pipe(ends) == 0);
    CHECK(pthread_create(&server, NULL, serve, &ends[1]) == 0);
    mga_device *device = NULL;
    mga_source *source = NULL;
    mga_agreement agreed;
    mga_trouble trouble;
    const mga_igtl_params params = {.fd = ends[0], .wait_ms = 60000};
    CHECK(mga_igtl_open(&device, &params, &agreed, &trouble) == MGA_OK);
    CHECK(close(ends[0]) == 0 && agreed.format.rows == ROWS && agreed.format.columns == COLUMNS);
    size_t size = (size_t)mga_ring_bytes(SAMPLES, MGA_SLOTS_MAX);
    uint8_t *memory = exactly(size);
    CHECK(mga_device_source(&source, device, memory, size, MGA_SLOTS_MAX) == MGA_OK);
    CHECK(mga_source_start(source) == MGA_OK);
    struct pollfd watched = {.fd = (int)mga_source_fileno(source), .events = POLLIN};
    while (mga_source_ended(source) == 0) {
        mga_frame frame;
        CHECK(poll(&watched, 1, 60000) == 1);
        int64_t got = mga_source_take(source, &frame);
        CHECK(got >= 0 || got == MGA_ERR_DEV_GONE);
        if (got == 1)
            check_taken(source, device, memory, &frame);
    }
    mga_counters c;
    CHECK(mga_source_counters(source, &c) == MGA_OK && c.delivered + c.dropped == STREAMED && c.delivered > 0);
    CHECK(pthread_join(server, NULL) == 0);
    mga_source_close(source);
    free(memory);
}

int main(void)
{
    check_crc();
    check_headers();
    check_bodies();
    check_images();
    check_others();
    check_texts();
    check_threads();
    return 0;
}
