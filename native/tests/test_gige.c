/* A camera of a scripted library: frame ids, damage, loss, triggers, what ends it, and the filter of its socket. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "fake_aravis.h"
#include "gige.h"

#define COLUMNS 8
#define ROWS 4
#define MONO8 0x01080001u
#define MISSING 3 /* ARV_BUFFER_STATUS_MISSING_PACKETS */

typedef struct {
    mga_source *source;
    uint8_t *memory;
    mga_agreement agreed;
} running;

static void (*be)(fake_camera *);

static void load_fake(void)
{
    void *library = dlopen(MGA_ARAVIS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    union {
        void *object;
        void (*function)(fake_camera *);
    } found = {.object = dlsym(library, "fake_aravis_be")};
    CHECK(found.object); /* else it is the real one */
    be = found.function;
}

static fake_camera camera_of(const fake_step *steps, size_t count)
{
    return (fake_camera){
        .steps = steps, .count = count, .columns = COLUMNS, .rows = ROWS, .code = MONO8, .payload = COLUMNS * ROWS};
}

static int64_t try_run(fake_camera *camera, const mga_gige_params *params, running *run, mga_trouble *trouble)
{
    mga_gige *connected = NULL;
    mga_device *device = NULL;
    be(camera);
    int64_t status = mga_gige_connect(&connected, "127.0.0.1", "", trouble);
    if (status < 0)
        return status;
    status = mga_gige_open(&device, &run->agreed, connected, params, trouble);
    if (status < 0) {
        mga_gige_disconnect(connected);
        return status;
    }
    int64_t bytes = mga_ring_bytes((uint64_t)mga_format_bytes(&run->agreed.format), 64);
    run->memory = exactly((size_t)bytes);
    CHECK(mga_device_source(&run->source, device, run->memory, (size_t)bytes, 64) == MGA_OK);
    CHECK(mga_source_start(run->source) == MGA_OK);
    return MGA_OK;
}

static running start(fake_camera *camera, const mga_gige_params *params)
{
    running run = {0};
    mga_trouble trouble = {0};
    CHECK(try_run(camera, params, &run, &trouble) == MGA_OK);
    return run;
}

static void end(running *run, fake_camera *camera)
{
    mga_source_close(run->source);
    for (int i = 0; i < 60000 && camera->cameras > 0; i++) /* who is gone is let go of apart */
        (void)usleep(1000);
    CHECK(camera->cameras == 0 && camera->streams == 0 && camera->buffers == 0);
    free(run->memory);
}

static mga_frame expect(const running *run, uint64_t number, uint8_t sample)
{
    mga_frame frame = {0};
    struct pollfd p = {.fd = (int)mga_source_fileno(run->source), .events = POLLIN};
    CHECK(poll(&p, 1, 60000) == 1 && mga_source_take(run->source, &frame) == 1);
    CHECK(frame.number == number);
    for (size_t i = 0; i < COLUMNS * ROWS; i++)
        CHECK(run->memory[frame.offset + i] == sample);
    return frame;
}

static mga_trouble expect_end(const running *run, int64_t status)
{
    mga_frame frame;
    mga_trouble trouble = {0};
    struct pollfd p = {.fd = (int)mga_source_fileno(run->source), .events = POLLIN};
    CHECK(poll(&p, 1, 60000) == 1 && mga_source_take(run->source, &frame) == status);
    CHECK(mga_source_trouble(run->source, &trouble) == MGA_OK);
    return trouble;
}

static mga_counters counters_of(const running *run)
{
    mga_counters c;
    CHECK(mga_source_counters(run->source, &c) == MGA_OK);
    CHECK(c.delivered + c.waiting + c.dropped + c.lost + c.damaged == c.last - c.first + 1);
    return c;
}

static const mga_gige_params FREE = {0};

static void test_every_id_is_accounted_for(void)
{
    static const fake_step STEPS[] = {
        {.status = MISSING},                                  /* before the first whole frame nobody counts */
        {.frame_id = 65530, .sample = 1},                     /* 1 */
        {.frame_id = 65531, .status = MISSING, .sample = 99}, /* 2: damaged */
        {.frame_id = 65534, .sample = 2},                     /* 65532 and 65533 never came */
        {.status = MISSING, .sample = 99},                    /* 6: 65535 without its leader */
        {.frame_id = 1, .sample = 3},                         /* 0 is no id */
        {.status = MISSING},                                  /* 2 */
        {.status = MISSING},                                  /* 3 */
        {.frame_id = 5, .sample = 4},                         /* 4 never came */
        {.status = MISSING},                                  /* of no frame at all: 6 comes */
        {.frame_id = 6, .sample = 5},
        {.frame_id = 7, .missing = 1}, /* called whole, and is not */
        {.frame_id = 8, .sample = 6},
        {.event = FAKE_LOST},
    };
    fake_camera camera = camera_of(STEPS, sizeof STEPS / sizeof *STEPS);
    running run = start(&camera, &FREE);
    CHECK(strcmp(run.agreed.sends, "Mono8") == 0 && run.agreed.rate_hz == 25.0 && run.agreed.driver_time == 1);
    (void)expect(&run, 1, 1);
    mga_frame second = expect(&run, 5, 2);
    CHECK(second.lost == 2 && second.damaged == 1 && second.restarts == 0);
    mga_frame third = expect(&run, 7, 3);
    CHECK(third.lost == 2 && third.damaged == 2);
    mga_frame fourth = expect(&run, 11, 4);
    CHECK(fourth.lost == 3 && fourth.damaged == 4);
    (void)expect(&run, 12, 5);
    (void)expect(&run, 14, 6);
    (void)expect_end(&run, MGA_ERR_DEV_GONE);
    mga_counters c = counters_of(&run);
    CHECK(c.delivered == 6 && c.lost == 3 && c.damaged == 5 && c.dropped == 0 && c.restarts == 0);
    CHECK(camera.started == 1 && camera.stopped == 0); /* who is gone is not asked */
    end(&run, &camera);
}

static void test_nameless_frames_before_the_camera_counts_anew_are_damaged(void)
{
    static const fake_step STEPS[] = {
        {.frame_id = 500, .sample = 1}, {.status = MISSING, .sample = 99}, {.status = MISSING, .sample = 99},
        {.frame_id = 3, .sample = 2},   {.frame_id = 4, .sample = 3},
    };
    for (int wide = 0; wide < 2; wide++) {
        fake_camera camera = camera_of(STEPS, sizeof STEPS / sizeof *STEPS);
        camera.extended_ids = wide;
        running run = start(&camera, &FREE);
        (void)expect(&run, 1, 1);
        mga_frame anew = expect(&run, 4, 2);
        CHECK(anew.damaged == 2 && anew.lost == 0 && anew.restarts == 1);
        (void)expect(&run, 5, 3);
        CHECK(mga_source_stop(run.source) == MGA_OK && counters_of(&run).damaged == 2);
        end(&run, &camera);
    }
}

static void test_a_payload_that_fits_no_frame_is_refused(void)
{
    static const struct {
        unsigned payload;
        const char *says; /* null: it is taken */
    } PAYLOADS[] = {
        {COLUMNS * ROWS - 1, "PayloadSize is 31 bytes, a frame has 32"},
        {COLUMNS * ROWS, NULL},
        {2 * COLUMNS * ROWS + (1u << 20), NULL},
        {2 * COLUMNS * ROWS + (1u << 20) + 1, "PayloadSize is 1048641 bytes, a frame has 32"},
        {UINT32_MAX, "PayloadSize is 4294967295 bytes, a frame has 32"},
    };
    for (size_t i = 0; i < sizeof PAYLOADS / sizeof *PAYLOADS; i++) {
        fake_camera camera = camera_of(NULL, 0);
        camera.payload = PAYLOADS[i].payload;
        running run = {0};
        mga_trouble trouble = {0};
        if (!PAYLOADS[i].says) {
            run = start(&camera, &FREE);
            end(&run, &camera);
            continue;
        }
        CHECK(try_run(&camera, &FREE, &run, &trouble) == MGA_ERR_DEV_REFUSED);
        CHECK(strcmp(trouble.what, PAYLOADS[i].says) == 0);
        CHECK(camera.cameras == 0 && camera.streams == 0 && camera.buffers == 0);
    }
}

static void test_wide_ids_do_not_wrap(void)
{
    static const fake_step STEPS[] = {{.frame_id = 65535, .sample = 1},
                                      {.frame_id = 65536, .sample = 2},
                                      {.frame_id = 1u << 31, .sample = 3},
                                      {.frame_id = 1, .sample = 4}};
    fake_camera camera = camera_of(STEPS, 4);
    camera.extended_ids = true;
    running run = start(&camera, &FREE);
    (void)expect(&run, 1, 1);
    (void)expect(&run, 2, 2);
    mga_frame third = expect(&run, (1u << 31) - 65534, 3);
    CHECK(third.lost == (1u << 31) - 65537);
    CHECK(expect(&run, (1u << 31) - 65533, 4).restarts == 1);
    CHECK(mga_source_stop(run.source) == MGA_OK && camera.stopped == 1);
    end(&run, &camera);
}

static void test_another_picture_ends_it(void)
{
    static const fake_step STEPS[][2] = {{{.frame_id = 1, .sample = 1}, {.frame_id = 2, .wider = 4}},
                                         {{.frame_id = 1, .sample = 1}, {.frame_id = 2, .code = 0x01100007}},
                                         {{.frame_id = 1, .sample = 1}, {.frame_id = 2, .payload_type = 4}}};
    static const char *const WHAT[] = {"Width or Height", "PixelFormat", "payload that is no image"};
    for (size_t i = 0; i < 3; i++) {
        fake_camera camera = camera_of(STEPS[i], 2);
        running run = start(&camera, &FREE);
        (void)expect(&run, 1, 1);
        CHECK(strcmp(expect_end(&run, MGA_ERR_DEV_GEOMETRY).what, WHAT[i]) == 0);
        end(&run, &camera);
    }
}

static void test_triggers_are_sent_at_their_rate(void)
{
    fake_camera camera = camera_of(NULL, 0);
    running run = start(&camera, &(mga_gige_params){.software_hz = 200.0});
    (void)usleep(200000);
    CHECK(mga_source_stop(run.source) == MGA_OK);
    CHECK(camera.triggers >= 2 && camera.triggers <= 80);
    end(&run, &camera);
}

static void test_silence_ends_it_but_not_where_a_line_has_the_pace(void)
{
    fake_camera camera = camera_of(NULL, 0);
    running run = start(&camera, &FREE);
    running waiting = {0};
    CHECK(strstr(expect_end(&run, MGA_ERR_DEV_GONE).what, "not one frame came"));
    end(&run, &camera);
    fake_camera triggered = camera_of(NULL, 0);
    waiting = start(&triggered, &(mga_gige_params){.by_line = 1});
    struct pollfd p = {.fd = (int)mga_source_fileno(waiting.source), .events = POLLIN};
    CHECK(poll(&p, 1, 2500) == 0);
    end(&waiting, &triggered);
}

static void test_what_fails_is_named_and_nothing_is_left(void)
{
    static const struct {
        const char *fails;
        int code;
        int64_t status;
    } ROWS_OF[] = {
        {"arv_camera_new", ARV_DEVICE_ERROR_NOT_FOUND, MGA_ERR_DEV_ABSENT},
        {"arv_camera_new", ARV_DEVICE_ERROR_TIMEOUT, MGA_ERR_DEV_ABSENT},
        {"arv_camera_new", ARV_DEVICE_ERROR_ACCESS_DENIED, MGA_ERR_DEV_BUSY},
        {"arv_camera_set_acquisition_mode", ARV_DEVICE_ERROR_TIMEOUT, MGA_ERR_DEV_GONE},
        {"arv_camera_get_integer", 0, MGA_ERR_DEV_REFUSED},
        {"arv_camera_get_payload", 0, MGA_ERR_DEV_REFUSED},
        {"arv_camera_get_string", 0, MGA_ERR_DEV_REFUSED},
        {"arv_camera_create_stream", ARV_DEVICE_ERROR_NOT_CONTROLLER, MGA_ERR_DEV_BUSY},
    };
    for (size_t i = 0; i < sizeof ROWS_OF / sizeof *ROWS_OF; i++) {
        fake_camera camera = camera_of(NULL, 0);
        camera.fails = ROWS_OF[i].fails;
        camera.error_code = ROWS_OF[i].code;
        running run = {0};
        mga_trouble trouble = {0};
        CHECK(try_run(&camera, &FREE, &run, &trouble) == ROWS_OF[i].status);
        CHECK(strstr(trouble.what, "as the script says"));
        CHECK(camera.cameras == 0 && camera.streams == 0 && camera.buffers == 0);
    }
    fake_camera taken = camera_of(NULL, 0);
    taken.not_ours = true;
    running run = {0};
    mga_trouble trouble = {0};
    CHECK(try_run(&taken, &FREE, &run, &trouble) == MGA_ERR_DEV_BUSY && taken.cameras == 0);
    fake_camera odd = camera_of(NULL, 0);
    odd.code = 0x02100032; /* YUV422_8 */
    CHECK(try_run(&odd, &FREE, &run, &trouble) == MGA_ERR_DEV_REFUSED && odd.cameras == 0);
    fake_camera dead = camera_of(NULL, 0);
    dead.fails = "arv_camera_start_acquisition";
    dead.error_code = ARV_DEVICE_ERROR_TIMEOUT;
    run = start(&dead, &FREE);
    CHECK(strstr(expect_end(&run, MGA_ERR_DEV_GONE).what, "AcquisitionStart"));
    end(&run, &dead);
    CHECK(mga_gige_connect(&(mga_gige *){NULL}, "camera.example", NULL, &trouble) == MGA_ERR_ARG_RANGE);
}

static void test_what_is_set_is_read_back(void)
{
    fake_camera camera = camera_of(NULL, 0);
    mga_gige *connected = NULL;
    mga_trouble trouble = {0};
    mga_gige_number number;
    mga_gige_word word;
    be(&camera);
    CHECK(mga_gige_connect(&connected, "127.0.0.1", "127.0.0.1", &trouble) == MGA_OK);
    CHECK(mga_gige_number_set(connected, MGA_GIGE_COLUMNS, 11, &trouble) == MGA_OK);
    CHECK(mga_gige_number_get(connected, MGA_GIGE_COLUMNS, &number, &trouble) == 1);
    CHECK(number.value == 8 && number.low == 4 && number.high == 64 && number.step == 4);
    CHECK(mga_gige_number_get(connected, MGA_GIGE_GAIN, &number, &trouble) == 1 && number.high == 50.0);
    CHECK(mga_gige_number_get(connected, 8, &number, &trouble) == MGA_ERR_ARG_RANGE);
    CHECK(mga_gige_word_get(connected, "None", &word, &trouble) == 0);
    CHECK(mga_gige_word_at(connected, "PixelFormat", 1, &word, &trouble) == 1 && strcmp(word.text, "Mono16") == 0);
    CHECK(mga_gige_word_at(connected, "PixelFormat", 2, &word, &trouble) == 0);
    mga_gige_disconnect(connected);
    CHECK(camera.cameras == 0);
    mga_gige_found found;
    CHECK(mga_gige_look(&trouble) == 1 && mga_gige_found_at(0, &found, &trouble) == 1);
    CHECK(strcmp(found.address, "127.0.0.1") == 0 && strcmp(found.serial, "") == 0);
    CHECK(mga_gige_found_at(1, &found, &trouble) == 0);
    CHECK(mga_gige_connect(&connected, "127.0.0.1", "nowhere0", &trouble) == MGA_ERR_DEV_ABSENT);
}

static void send_from(const char *ours, unsigned port, size_t bytes, uint8_t format)
{
    uint8_t packet[64] = {[4] = format};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(inet_pton(AF_INET, ours, &from.sin_addr) == 1 && bind(fd, (struct sockaddr *)&from, sizeof from) == 0);
    CHECK(sendto(fd, packet, bytes, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)bytes);
    (void)close(fd);
}

static void test_the_socket_takes_whole_packets_of_its_camera_only(void)
{
    static const struct {
        const char *from;
        size_t bytes;
        uint8_t format;
        bool comes;
    } SENT[] = {
        {"127.0.0.1", 9, 3, true},      {"127.0.0.1", 8, 3, false},     {"127.0.0.1", 0, 0, false},
        {"127.0.0.1", 16, 1, true},     {"127.0.0.1", 15, 1, false},    {"127.0.0.1", 16, 2, true},
        {"127.0.0.1", 21, 0x83, true},  {"127.0.0.1", 20, 0x83, false}, {"127.0.0.1", 28, 0x81, true},
        {"127.0.0.1", 27, 0x82, false}, {"127.0.0.2", 64, 3, false},    {"127.0.0.1", 4, 0, false},
    };
    fake_camera camera = camera_of(NULL, 0);
    running run = start(&camera, &FREE);
    uint8_t packet[64];
    for (size_t i = 0; i < sizeof SENT / sizeof *SENT; i++) {
        send_from(SENT[i].from, camera.port, SENT[i].bytes, SENT[i].format);
        ssize_t got = recv(camera.socket_fd, packet, sizeof packet, 0);
        CHECK(got == (SENT[i].comes ? (ssize_t)SENT[i].bytes : -1));
    }
    end(&run, &camera);
}

static void test_device_time_is_moved_onto_ours(void)
{
    mga_gige_time time = {0};
    const uint64_t ms = 1000000;
    CHECK(mga_gige_time_stamp(&time, 7 * ms, 1000 * ms) == 1000 * ms);
    uint64_t late = mga_gige_time_stamp(&time, 17 * ms, 1025 * ms); /* 15 late */
    CHECK(late >= 1010 * ms && late < 1011 * ms);
    CHECK(mga_gige_time_stamp(&time, 27 * ms, 1019 * ms) == 1019 * ms); /* a shorter way: that counts from now on */
    CHECK(mga_gige_time_stamp(&time, 5 * ms, 1040 * ms) == 1040 * ms);  /* it went back */
    uint64_t stands = mga_gige_time_stamp(&time, 5 * ms, 1050 * ms);
    CHECK(stands == 1050 * ms);
    CHECK(mga_gige_time_stamp(&time, 6 * ms, 2500 * ms) == 2500 * ms); /* it fell behind */
    for (uint64_t i = 1; i <= 100000; i++) {                           /* an hour, 100 parts in a million too slow */
        uint64_t arrival = 2500 * ms + i * 36 * ms;
        uint64_t stamp = mga_gige_time_stamp(&time, 6 * ms + i * 36 * ms - i * 3600, arrival);
        CHECK(stamp <= arrival && arrival - stamp < ms);
    }
}

static void test_one_absurd_tick_shifts_no_later_frame(void)
{
    static const uint64_t TICKS[] = {0, 1, 3600000000000u, INT64_MAX, (uint64_t)INT64_MAX + 9, UINT64_MAX};
    const uint64_t ms = 1000000;
    for (size_t a = 0; a < sizeof TICKS / sizeof *TICKS; a++)
        for (size_t b = 0; b < sizeof TICKS / sizeof *TICKS; b++) {
            mga_gige_time time = {0};
            uint64_t before = 0;
            for (uint64_t i = 0; i < 12; i++) {
                uint64_t arrival = 900000 * ms + i * 40 * ms;
                uint64_t device = i == 4 ? TICKS[a] : i == 5 ? TICKS[b] : 70000 * ms + i * 40 * ms;
                uint64_t stamp = mga_gige_time_stamp(&time, device, arrival);
                CHECK(stamp > before && stamp <= arrival && arrival - stamp < (i == 4 || i == 5 ? 1000 * ms : ms));
                before = stamp;
            }
        }
    mga_gige_time time = {0}; /* the difference of two delays is more than 63 bits hold */
    CHECK(mga_gige_time_stamp(&time, (uint64_t)INT64_MAX + 1000 * ms, 1000 * ms) == 1000 * ms);
    CHECK(mga_gige_time_stamp(&time, (uint64_t)INT64_MAX + 1002 * ms, 1001 * ms) == 1001 * ms);
}

int main(void)
{
    load_fake();
    test_every_id_is_accounted_for();
    test_nameless_frames_before_the_camera_counts_anew_are_damaged();
    test_wide_ids_do_not_wrap();
    test_a_payload_that_fits_no_frame_is_refused();
    test_another_picture_ends_it();
    test_triggers_are_sent_at_their_rate();
    test_silence_ends_it_but_not_where_a_line_has_the_pace();
    test_what_fails_is_named_and_nothing_is_left();
    test_what_is_set_is_read_back();
    test_the_socket_takes_whole_packets_of_its_camera_only();
    test_device_time_is_moved_onto_ours();
    test_one_absurd_tick_shifts_no_later_frame();
    return 0;
}
