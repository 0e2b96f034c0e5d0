/* A Video4Linux2 device of tests/fakes/v4l2: what it is asked, what its frames become, how its stream ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "v4l2.h"

#include "../../tests/fakes/v4l2/device.h"

#define PATH "/dev/video-fake"
#define SLOTS 32u /* and as many buffers: a busy machine loses nothing that it should not */

static char script_path[] = "/tmp/v4l2-script-XXXXXX";

static void script(const char *lines)
{
    char fresh[sizeof script_path + 4];
    (void)snprintf(fresh, sizeof fresh, "%s.new", script_path);
    FILE *file = fopen(fresh, "we");
    CHECK(file && fprintf(file, "path %s\n%s", PATH, lines) > 0 && fclose(file) == 0);
    CHECK(rename(fresh, script_path) == 0);
}

typedef struct {
    int fd;
    mga_source *source;
    uint8_t *memory;
    mga_agreement agreed;
    size_t frame_bytes;
} opened;

static int open_device(void)
{
    int fd = open(PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

static int64_t negotiate(int fd, const char *format, uint32_t columns, uint32_t rows, mga_v4l2_params *params)
{
    mga_v4l2_identity who;
    mga_trouble trouble;
    CHECK(mga_v4l2_identify(fd, &who, &trouble) == MGA_OK && who.captures && who.streams);
    CHECK(mga_v4l2_listen(fd) == 1);
    *params = (mga_v4l2_params){.fd = fd, .planar = who.planar, .buffers = SLOTS};
    params->picture = (mga_v4l2_picture){.fourcc = fake_fourcc(format), .columns = columns, .rows = rows};
    int64_t status = mga_v4l2_picture_set(fd, who.planar, &params->picture, &trouble);
    if (status >= 0)
        CHECK(mga_v4l2_rate(fd, who.planar, 0, &params->rate_hz, &trouble) >= 0);
    return status;
}

static opened open_source(const char *format, uint32_t columns, uint32_t rows)
{
    opened o = {.fd = open_device()};
    mga_v4l2_params params;
    mga_trouble trouble = {0};
    mga_device *device = NULL;
    CHECK(negotiate(o.fd, format, columns, rows, &params) == MGA_OK);
    CHECK(mga_v4l2_open(&device, &params, &o.agreed, &trouble) == MGA_OK);
    o.frame_bytes = (size_t)mga_format_bytes(&o.agreed.format);
    size_t bytes = (size_t)mga_ring_bytes(o.frame_bytes, SLOTS);
    o.memory = exactly(bytes);
    CHECK(mga_device_source(&o.source, device, o.memory, bytes, SLOTS) == MGA_OK);
    CHECK(close(o.fd) == 0); /* the source has its own */
    CHECK(mga_source_start(o.source) == MGA_OK);
    return o;
}

static void close_source(opened *o)
{
    mga_source_close(o->source);
    free(o->memory);
}

static int64_t take(const opened *o, mga_frame *frame)
{
    struct pollfd p = {.fd = (int)mga_source_fileno(o->source), .events = POLLIN};
    CHECK(poll(&p, 1, 60000) == 1);
    return mga_source_take(o->source, frame);
}

static mga_counters balance(const opened *o)
{
    mga_counters c;
    CHECK(mga_source_counters(o->source, &c) == MGA_OK);
    CHECK(c.delivered + c.waiting + c.dropped + c.lost + c.damaged == c.last - c.first + 1);
    return c;
}

/* The 16-bit samples of a frame, padded lines and all. */
static void test_samples(void)
{
    script("format Y12 24x8\nrates 100\npad 6\n");
    opened o = open_source("Y12", 24, 8);
    CHECK(o.agreed.format.bits_stored == 12 && o.agreed.rate_hz == 100 && o.agreed.driver_time == 1);
    CHECK(strcmp(o.agreed.sends, "Y12") == 0);
    for (uint32_t n = 0; n < 6; n++) {
        mga_frame frame;
        CHECK(take(&o, &frame) == 1);
        CHECK(frame.number == n + 1);
        for (uint32_t y = 0; y < 8; y++)
            for (uint32_t x = 0; x < 48; x++) {
                uint8_t byte = fake_byte(n, y, x);
                CHECK(o.memory[frame.offset + y * 48 + x] == (x % 2 ? byte & 0x0f : byte));
            }
        CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
    }
    CHECK(balance(&o).lost == 0);
    close_source(&o);
}

/* Two memories to a frame; chroma is looked at where it stands. */
static void test_planar(void)
{
    script("format NM12 24x8\nrates 200\nplanar\npad 8\n");
    opened o = open_source("NM12", 24, 8);
    CHECK(o.agreed.format.samples_per_pixel == 3);
    uint8_t planes[2][32 * 8];
    uint8_t wanted[24 * 8 * 3];
    mga_frame frame;
    CHECK(take(&o, &frame) == 1);
    for (uint32_t i = 0; i < 32 * 8; i++)
        planes[0][i] = fake_byte(0, i / 32, i % 32);
    for (uint32_t i = 0; i < 32 * 4; i++)
        planes[1][i] = fake_byte(0, 8 + i / 32, i % 32);
    const mga_plane given[] = {{planes[0], 32 * 8, 32}, {planes[1], 32 * 4, 32}};
    const mga_colour_params params = {8, 24, MGA_LAYOUT_NV12, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB};
    CHECK(mga_colour_convert(wanted, sizeof wanted, given, 2, &params) == sizeof wanted);
    CHECK(memcmp(o.memory + frame.offset, wanted, sizeof wanted) == 0);
    CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
    close_source(&o);
}

/* Gaps, damaged and short frames, each counted as what it is; the numbers step over them. */
static void test_losses(void)
{
    script("format GREY 24x8\nrates 100\ngap 2 3 7\nerror 4\nshort 5\nempty 9\n");
    opened o = open_source("GREY", 24, 8);
    static const uint64_t NUMBERS[] = {1, 2, 7, 9, 11, 12};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        mga_frame frame;
        CHECK(take(&o, &frame) == 1);
        CHECK(frame.number == NUMBERS[i] && o.memory[frame.offset] == fake_byte((uint32_t)frame.number - 1, 0, 0));
        CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
    }
    mga_counters c = balance(&o);
    CHECK(c.lost == 3 && c.damaged == 3 && c.dropped == 0 && c.restarts == 0);
    close_source(&o);
}

/* Nobody takes: the device goes on, and what finds no slot is dropped. */
static void test_slow_consumer(void)
{
    script("format GREY 24x8\nrates 500\n");
    opened o = open_source("GREY", 24, 8);
    mga_frame frame;
    while (balance(&o).dropped < 20)
        (void)usleep(2000);
    for (uint32_t i = 0; i < SLOTS; i++) {
        CHECK(take(&o, &frame) == 1 && frame.number == i + 1);
        CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
    }
    close_source(&o);
}

/* All of these end the source, once what came before is taken; who opens anew agrees anew. */
static void test_ends(void)
{
    static const struct {
        const char *lines, *what;
        int64_t status;
        int number;
    } ENDS[] = {
        {"gone 3\n", "VIDIOC_DQBUF", MGA_ERR_DEV_GONE, ENODEV},
        {"fatal 3\n", "VIDIOC_DQBUF", MGA_ERR_DEV_READ, EIO},
        {"change 3\n", "V4L2_EVENT_SOURCE_CHANGE", MGA_ERR_DEV_GEOMETRY, 0},
        {"fail DQBUF EIO\n", "VIDIOC_DQBUF", MGA_ERR_DEV_READ, EIO},
        {"fail QBUF ENOMEM\n", "VIDIOC_QBUF", MGA_ERR_DEV_MEMORY, ENOMEM},
        {"fail STREAMON EBUSY\n", "VIDIOC_STREAMON", MGA_ERR_DEV_BUSY, EBUSY},
        {"change_at S_FMT\n", "V4L2_EVENT_SOURCE_CHANGE", MGA_ERR_DEV_GEOMETRY, 0},
        {"change_at QUERYBUF\n", "V4L2_EVENT_SOURCE_CHANGE", MGA_ERR_DEV_GEOMETRY, 0},
    };
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        char lines[128];
        (void)snprintf(lines, sizeof lines, "format GREY 24x8 12x4\nrates 500\n%s", ENDS[i].lines);
        script(lines);
        opened o = open_source("GREY", 24, 8);
        mga_frame frame;
        mga_trouble trouble;
        int64_t got = 0;
        uint64_t taken = 0;
        while ((got = take(&o, &frame)) == 1) {
            CHECK(frame.number == ++taken);
            CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
        }
        CHECK(got == ENDS[i].status && mga_source_ended(o.source) == 1);
        CHECK(taken <= (i < 3 ? 3u : 0u)); /* those that wait when the stream breaks stay with the driver */
        CHECK(mga_source_trouble(o.source, &trouble) == MGA_OK);
        CHECK(trouble.number == ENDS[i].number && strcmp(trouble.what, ENDS[i].what) == 0);
        close_source(&o);
    }
    script("format GREY 24x8 12x4\nrates 500\n");
    opened o = open_source("GREY", 12, 4);
    mga_frame frame;
    CHECK(o.agreed.format.columns == 12 && take(&o, &frame) == 1);
    close_source(&o);
}

/* Which moment of a frame time stamps are of. */
static void test_stamps(void)
{
    const struct {
        const char *lines;
        uint32_t driver_time, begun_time;
    } CASES[] = {{"", 1, 0}, {"begun\n", 1, 1}, {"begun\nclock unknown\n", 0, 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char lines[80];
        (void)snprintf(lines, sizeof lines, "format GREY 24x8\nrates 100\n%s", CASES[i].lines);
        script(lines);
        opened o = open_source("GREY", 24, 8);
        CHECK(o.agreed.driver_time == CASES[i].driver_time && o.agreed.begun_time == CASES[i].begun_time);
        close_source(&o);
    }
}

/* Drivers without a count and without a clock: nothing is lost, and time rises. */
static void test_poor_driver(void)
{
    script("format GREY 24x8\nrates 100\nuncounted\nclock unknown\n");
    opened o = open_source("GREY", 24, 8);
    uint64_t before = mga_clock_ns() - 1000000000u;
    CHECK(o.agreed.driver_time == 0);
    for (uint64_t n = 1; n <= 5; n++) {
        mga_frame frame;
        CHECK(take(&o, &frame) == 1 && frame.number == n && frame.timestamp_ns > before);
        before = frame.timestamp_ns;
        CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
    }
    CHECK(balance(&o).lost == 0 && balance(&o).restarts == 0);
    close_source(&o);
}

/* Stamps that cannot be are not believed, and are the trouble of their frame alone. */
static void test_impossible_stamps(void)
{
    static const uint64_t PERIOD_NS = 5000000;
    script("format GREY 24x8\nrates 200\nunstamped 0 6\nahead 3 7\n");
    opened o = open_source("GREY", 24, 8);
    CHECK(o.agreed.driver_time == 1);
    uint64_t before = mga_clock_ns() - 1000000000u;
    bool drivers = false; /* its own spacing, in whole microseconds, as soon as arrivals were not late by more */
    for (uint64_t n = 1; n <= 2000 && (n <= 8 || !drivers); n++) {
        mga_frame frame;
        CHECK(take(&o, &frame) == 1 && frame.number == n);
        CHECK(frame.timestamp_ns > before && frame.timestamp_ns <= mga_clock_ns() + PERIOD_NS);
        drivers = frame.timestamp_ns - before == PERIOD_NS && frame.timestamp_ns % 1000 == 0;
        before = frame.timestamp_ns;
        CHECK(mga_source_give_back(o.source, frame.slot) == MGA_OK);
    }
    CHECK(drivers);
    close_source(&o);
}

static int64_t refused(const char *lines, const char *format, const char *what)
{
    script(lines);
    int fd = open_device();
    mga_v4l2_params params;
    mga_agreement agreed;
    mga_trouble trouble = {0};
    mga_device *device = NULL;
    CHECK(negotiate(fd, format, 24, 8, &params) == MGA_OK);
    int64_t status = mga_v4l2_open(&device, &params, &agreed, &trouble);
    CHECK(device == NULL && strstr(trouble.what, what));
    CHECK(close(fd) == 0);
    return status;
}

static void test_refusals(void)
{
    CHECK(refused("format MJPG 24x8\n", "MJPG", "pixel format") == MGA_ERR_DEV_REFUSED);
    CHECK(refused("format YUYV 24x8\ncolour 10 6 0\n", "YUYV", "BT.709") == MGA_ERR_DEV_REFUSED);
    CHECK(refused("format GREY 24x8\nbuffers 1 1\n", "GREY", "two buffers") == MGA_ERR_DEV_MEMORY);
    CHECK(refused("format GREY 24x8\nfail REQBUFS EBUSY\n", "GREY", "VIDIOC_REQBUFS") == MGA_ERR_DEV_BUSY);
    CHECK(refused("format GREY 24x8\nfail QUERYBUF EINVAL\n", "GREY", "VIDIOC_QUERYBUF") == MGA_ERR_DEV_REFUSED);
    script("format GREY 24x8\nrates 100\n");
    opened o = open_source("GREY", 24, 8);
    mga_v4l2_params params;
    mga_agreement agreed;
    mga_trouble trouble = {0};
    mga_device *device = NULL;
    int fd = open_device();
    CHECK(mga_v4l2_identify(fd, &(mga_v4l2_identity){0}, &trouble) == MGA_OK);
    CHECK(negotiate(fd, "GREY", 24, 8, &params) == MGA_ERR_DEV_BUSY);
    params.picture.planes = 4;
    CHECK(mga_v4l2_open(&device, &params, &agreed, &trouble) == MGA_ERR_ARG_RANGE);
    CHECK(mga_v4l2_open(&device, NULL, &agreed, &trouble) == MGA_ERR_ARG_NULL);
    CHECK(close(fd) == 0);
    close_source(&o);
}

/* A control that is set behind the format turns or flips the picture: what was agreed on is no longer so. */
static void test_layout_changes(void)
{
    static const struct {
        const char *format, *control, *says;
        int64_t value;
    } CHANGES[] = {
        {"GREY", "Rotate turn 0 90 90 0", "columns 24, now 8; rows 8, now 24; bytes of a line 24, now 8", 90},
        {"GREY", "Rotate twist 0 90 90 0", "columns 24, now 8; rows 8, now 24; bytes of a line 24, now 8", 90},
        {"RGGB", "Mirror flip 0 1 1 0", "pixel format RGGB, now GRBG", 1},
    };
    for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
        char lines[128];
        (void)snprintf(lines, sizeof lines, "format %s 24x8\ncontrol %s\n", CHANGES[i].format, CHANGES[i].control);
        script(lines);
        int fd = open_device();
        mga_v4l2_params params;
        mga_v4l2_control control;
        mga_agreement agreed;
        mga_trouble trouble = {0};
        mga_device *device = NULL;
        int64_t now = 0;
        CHECK(negotiate(fd, CHANGES[i].format, 24, 8, &params) == MGA_OK);
        CHECK(mga_v4l2_control_after(fd, 0, &control, &trouble) == 1 && control.layout == (i != 1));
        CHECK(mga_v4l2_control_set(fd, &control, CHANGES[i].value, &now, &trouble) == MGA_OK);
        CHECK(mga_v4l2_open(&device, &params, &agreed, &trouble) == MGA_ERR_DEV_GEOMETRY && device == NULL);
        CHECK(strcmp(trouble.what, CHANGES[i].says) == 0);
        CHECK(mga_v4l2_control_set(fd, &control, 0, &now, &trouble) == MGA_OK);
        CHECK(mga_v4l2_open(&device, &params, &agreed, &trouble) == MGA_OK);
        mga_device_close(device);
        CHECK(close(fd) == 0);
    }
}

/* What a device offers. */
static void test_questions(void)
{
    script("format YUYV 24x8 12x4\nformat Y16_BE 24x8\nrates 30 60\ninput Camera 0\ninput HDMI 2 50\n"
           "control Gain int 0 100 5 20\ncontrol Mode menu 0 3 1 2\ncontrol Big int64 0 9999999999 1 5\n"
           "control Lost off 0 1 1 0\ncontrol Go button 0 0 0 0\n");
    int fd = open_device();
    mga_trouble t;
    mga_v4l2_pixels pixels;
    mga_v4l2_size size;
    mga_v4l2_input input;
    mga_v4l2_control control = {0};
    mga_v4l2_choice choice;
    double rates[2];
    double rate_hz = 0;
    int64_t now = 0;
    CHECK(mga_v4l2_pixels_at(fd, 0, 1, &pixels, &t) == 1 && pixels.fourcc == V4L2_PIX_FMT_Y16_BE);
    CHECK(mga_v4l2_reads(pixels.fourcc) == 1 && mga_v4l2_reads(V4L2_PIX_FMT_MJPEG) == 0);
    CHECK(mga_v4l2_pixels_at(fd, 0, 2, &pixels, &t) == 0);
    CHECK(mga_v4l2_size_at(fd, V4L2_PIX_FMT_YUYV, 1, &size, &t) == 1 && size.columns[1] == 12 && size.rows[0] == 4);
    const mga_v4l2_picture picture = {.fourcc = V4L2_PIX_FMT_YUYV, .columns = 24, .rows = 8};
    CHECK(mga_v4l2_rate_at(fd, &picture, 1, rates, &t) == 1 && rates[0] == 60 && rates[1] == 60);
    CHECK(mga_v4l2_rate_at(fd, &picture, 2, rates, &t) == 0);
    CHECK(mga_v4l2_rate(fd, 0, 58, &rate_hz, &t) == 1 && rate_hz == 60);
    CHECK(mga_v4l2_input_at(fd, 1, &input, &t) == 1 && strcmp(input.name, "HDMI") == 0 && input.no_signal);
    CHECK(input.has_timings && mga_v4l2_input_at(fd, 2, &input, &t) == 0);
    CHECK(mga_v4l2_input_set(fd, 1, &t) == MGA_OK && mga_v4l2_input_get(fd, &t) == 1);
    CHECK(mga_v4l2_timings_follow(fd, &rate_hz, &t) == MGA_ERR_DEV_READ && t.number == ENOLINK);
    CHECK(mga_v4l2_input_set(fd, 7, &t) == MGA_ERR_DEV_REFUSED && strcmp(t.what, "VIDIOC_S_INPUT") == 0);
    CHECK(mga_v4l2_control_after(fd, 0, &control, &t) == 1 && strcmp(control.name, "Gain") == 0);
    CHECK(control.value == 20 && control.step == 5 && mga_v4l2_control_set(fd, &control, 55, &now, &t) == MGA_OK);
    CHECK(now == 55 && mga_v4l2_control_set(fd, &control, 101, &now, &t) == MGA_ERR_DEV_REFUSED);
    CHECK(mga_v4l2_control_after(fd, control.id, &control, &t) == 1 && control.kind == MGA_V4L2_MENU);
    CHECK(mga_v4l2_menu_at(fd, &control, 2, &choice, &t) == 1 && strcmp(choice.name, "Choice 2") == 0);
    CHECK(mga_v4l2_menu_at(fd, &control, 1, &choice, &t) == 0);
    CHECK(mga_v4l2_control_after(fd, control.id, &control, &t) == 1 && control.kind == MGA_V4L2_INTEGER64);
    CHECK(mga_v4l2_control_set(fd, &control, 8000000000, &now, &t) == MGA_OK && now == 8000000000);
    CHECK(mga_v4l2_control_after(fd, control.id, &control, &t) == 1 && control.kind == MGA_V4L2_BUTTON);
    CHECK(mga_v4l2_control_set(fd, &control, 0, &now, &t) == MGA_OK);
    CHECK(mga_v4l2_control_after(fd, control.id, &control, &t) == 0);
    CHECK(mga_v4l2_identify(-1, &(mga_v4l2_identity){0}, &t) < 0 && t.number != 0);
    CHECK(close(fd) == 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(mga_v4l2_identify(null, &(mga_v4l2_identity){0}, &t) < 0); /* qemu has no such number */
    CHECK(close(null) == 0);
}

int main(void)
{
    int fd = mkstemp(script_path);
    CHECK(fd >= 0 && close(fd) == 0 && setenv("MGA_V4L2", script_path, 1) == 0);
    test_questions();
    test_samples();
    test_planar();
    test_losses();
    test_slow_consumer();
    test_ends();
    test_stamps();
    test_poor_driver();
    test_impossible_stamps();
    test_refusals();
    test_layout_changes();
    CHECK(unlink(script_path) == 0);
    return 0;
}
