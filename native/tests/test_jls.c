/* JPEG-LS: round trips, exact buffers, every truncation and every flipped bit of small frames, wrong arguments. */
#include <string.h>

#include "check.h"
#include "mga.h"
#include "random.h"

static const uint32_t DEPTHS[] = {2, 5, 8, 9, 10, 12, 14, 15, 16};

static mga_format format_of(uint32_t rows, uint32_t columns, uint32_t samples, uint32_t stored, uint32_t is_signed)
{
    return (mga_format){rows, columns, samples, stored > 8 ? 16 : 8, stored, is_signed, 0};
}

static void put_sample(uint8_t *frame, size_t i, uint32_t x, const mga_format *f)
{
    uint32_t sign = f->pixel_representation ? 1u << (f->bits_stored - 1) : 0;
    x = ((x & ((1u << f->bits_stored) - 1)) ^ sign) - sign;
    if (f->bits_allocated == 8) {
        frame[i] = (uint8_t)x;
        return;
    }
    frame[2 * i] = (uint8_t)x;
    frame[2 * i + 1] = (uint8_t)(x >> 8);
}

/* The stored value. */
static int32_t sample_at(const uint8_t *frame, size_t i, const mga_format *f)
{
    uint32_t x = f->bits_allocated == 8 ? frame[i] : frame[2 * i] | (uint32_t)frame[2 * i + 1] << 8;
    uint32_t sign = f->pixel_representation ? 1u << (f->bits_stored - 1) : 0;
    return (int32_t)(((x & ((1u << f->bits_stored) - 1)) ^ sign) - sign);
}

/* Flats, noise, small steps and jumps in turn. */
static void fill(uint8_t *frame, const mga_format *f, mga_random *random)
{
    size_t samples = (size_t)f->rows * f->columns * f->samples_per_pixel;
    uint32_t x = 0;
    for (size_t i = 0; i < samples;) {
        uint64_t bits = mga_random_next(random);
        size_t length = 1 + (size_t)(bits >> 8) % 90;
        for (size_t n = 0; n < length && i < samples; n++) {
            uint64_t noise = mga_random_next(random);
            if (bits % 4 == 1)
                x = (uint32_t)noise;
            else if (bits % 4 == 2)
                x += (uint32_t)(noise % 5) - 2;
            else if (bits % 4 == 3)
                x = noise % 16 == 0 ? ~x : x;
            put_sample(frame, i++, x, f);
        }
    }
}

typedef struct {
    mga_format format;
    size_t bytes, work_bytes, size;
    uint8_t *native, *coded, *back, *work;
} trip;

/* Leaves room for loss at the ends of the range. */
static void keep_away(uint8_t *frame, const mga_format *f, uint32_t near)
{
    int32_t half = f->pixel_representation ? 1 << (f->bits_stored - 1) : 0;
    int32_t least = (int32_t)near - half;
    int32_t most = (1 << f->bits_stored) - 1 - half - (int32_t)near;
    size_t samples = (size_t)f->rows * f->columns * f->samples_per_pixel;
    for (size_t i = 0; i < samples; i++) {
        int32_t x = sample_at(frame, i, f);
        put_sample(frame, i, (uint32_t)(x < least ? least : x > most ? most : x), f);
    }
}

static int64_t encode_to(const trip *t, uint8_t *dst, size_t room, uint32_t near)
{
    mga_jls_params params = {near};
    return mga_jls_encode(dst, room, t->native, t->bytes, &t->format, &params, t->work, t->work_bytes);
}

static int64_t decode_from(const trip *t, const uint8_t *src, size_t size)
{
    return mga_jls_decode(t->back, t->bytes, src, size, &t->format, t->work, t->work_bytes);
}

static trip trip_of(mga_format f, mga_random *random, uint32_t near)
{
    trip t = {.format = f, .bytes = (size_t)mga_format_bytes(&f), .work_bytes = (size_t)mga_jls_work_bytes(&f)};
    size_t bound = (size_t)mga_jls_encode_bound(&f);
    t.native = exactly(t.bytes);
    t.back = exactly(t.bytes);
    t.work = exactly(t.work_bytes);
    uint8_t *coded = exactly(bound);
    fill(t.native, &f, random);
    keep_away(t.native, &f, near);
    int64_t size = encode_to(&t, coded, bound, near);
    CHECK(size > 0 && size % 2 == 0 && (size_t)size <= bound);
    t.size = (size_t)size;
    t.coded = exactly(t.size);
    memcpy(t.coded, coded, t.size);
    free(coded);
    return t;
}

static void free_trip(const trip *t)
{
    free(t->native);
    free(t->coded);
    free(t->back);
    free(t->work);
}

static mga_format any_format(mga_random *random, uint32_t rows, uint32_t columns)
{
    uint64_t bits = mga_random_next(random);
    mga_format f = format_of((uint32_t)(1 + bits % rows), (uint32_t)(1 + (bits >> 8) % columns), bits >> 32 & 1 ? 3 : 1,
                             DEPTHS[(bits >> 33) % 9], (uint32_t)(bits >> 40 & 1));
    f.planar_configuration = bits >> 41 & 1;
    f.bits_allocated = bits >> 42 & 1 ? 16 : f.bits_allocated;
    return f;
}

static void test_round_trips(void)
{
    mga_random random = mga_random_seed(1);
    for (int i = 0; i < 400; i++) {
        trip t = trip_of(any_format(&random, 9, i % 8 ? 90 : 1400), &random, 0);
        CHECK(decode_from(&t, t.coded, t.size) == (int64_t)t.bytes);
        CHECK(memcmp(t.back, t.native, t.bytes) == 0);
        uint8_t *fitting = exactly(t.size);
        CHECK(encode_to(&t, fitting, t.size, 0) == (int64_t)t.size);
        CHECK(memcmp(fitting, t.coded, t.size) == 0);
        free(fitting);
        free_trip(&t);
    }
}

/* A line that is one run, and the widest there is. */
static void test_wide_frames(void)
{
    for (uint32_t samples = 1; samples <= 3; samples += 2) {
        mga_random random = mga_random_seed(samples);
        trip t = trip_of(format_of(2, 65535, samples, 16, 0), &random, 0);
        CHECK(decode_from(&t, t.coded, t.size) == (int64_t)t.bytes && memcmp(t.back, t.native, t.bytes) == 0);
        memset(t.native, 0, t.bytes);
        uint8_t small[128];
        int64_t size = encode_to(&t, small, sizeof small, 0);
        CHECK(size > 0 && decode_from(&t, small, (size_t)size) == (int64_t)t.bytes);
        CHECK(memcmp(t.back, t.native, t.bytes) == 0);
        free_trip(&t);
    }
}

static void check_near(const trip *t, uint32_t near)
{
    CHECK(decode_from(t, t->coded, t->size) == (int64_t)t->bytes);
    for (size_t i = 0; i < t->bytes / (t->format.bits_allocated / 8); i++)
        CHECK((uint32_t)abs(sample_at(t->back, i, &t->format) - sample_at(t->native, i, &t->format)) <= near);
}

static void test_near_lossless(void)
{
    mga_random random = mga_random_seed(2);
    for (int i = 0; i < 200; i++) {
        mga_format f = any_format(&random, 9, 90);
        uint32_t most = ((1u << f.bits_stored) - 1) / 2;
        uint32_t near = (uint32_t)mga_random_next(&random) % 5;
        near = near < most ? near : most;
        trip t = trip_of(f, &random, near);
        check_near(&t, near);
        free_trip(&t);
    }
}

/* Loss that would turn a sign round, or reach what is above Bits Stored, is refused; at the other end it cannot. */
static void test_loss_at_the_limits(void)
{
    static const uint32_t LAYOUTS[][3] = {{8, 7, 0}, {8, 8, 1}, {8, 5, 1}, {16, 8, 0}, {16, 8, 1}, {16, 12, 1}};
    mga_random random = mga_random_seed(7);
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof *LAYOUTS; i++) {
        mga_format f = {6, 40, 1, LAYOUTS[i][0], LAYOUTS[i][1], LAYOUTS[i][2], 0};
        trip t = trip_of(f, &random, 0);
        uint32_t most = (1u << (f.bits_stored - f.pixel_representation)) - 1;
        for (uint32_t s = 0; s < 240; s++)
            put_sample(t.native, s, most - (uint32_t)mga_random_next(&random) % 12, &f);
        uint8_t coded[2000];
        CHECK(encode_to(&t, coded, sizeof coded, 2) == MGA_ERR_DATA_SAMPLE);
        free_trip(&t);
    }
}

static void test_every_destination_size(void)
{
    mga_random random = mga_random_seed(3);
    for (int i = 0; i < 40; i++) {
        trip t = trip_of(any_format(&random, 4, 20), &random, i % 4 == 3);
        uint8_t *guarded = exactly(t.size + 32);
        for (size_t room = 0; room < t.size; room++) {
            memset(guarded, 0xAA, t.size + 32);
            CHECK(encode_to(&t, guarded, room, i % 4 == 3) == MGA_ERR_ARG_DST_SIZE);
            for (size_t k = room; k < t.size + 32; k++)
                CHECK(guarded[k] == 0xAA);
        }
        free(guarded);
        free_trip(&t);
    }
}

static void check_refused(const trip *t, const uint8_t *coded, size_t size)
{
    uint8_t *copy = exactly(size);
    memcpy(copy, coded, size);
    int64_t status = decode_from(t, copy, size);
    CHECK(status < 0 && status >= -199 && status <= MGA_ERR_DATA_HEADER);
    free(copy);
}

static void test_every_truncation(void)
{
    mga_random random = mga_random_seed(4);
    for (int i = 0; i < 60; i++) {
        trip t = trip_of(any_format(&random, 5, 30), &random, i % 4 == 3);
        size_t end = t.size - 1;
        while (t.coded[end] != 0xD9) /* padding */
            end--;
        for (size_t size = 0; size <= end; size++)
            check_refused(&t, t.coded, size);
        free_trip(&t);
    }
}

static void test_every_flipped_bit(void)
{
    mga_random random = mga_random_seed(5);
    for (int i = 0; i < 60; i++) {
        trip t = trip_of(any_format(&random, 4, 24), &random, i % 4 == 3);
        for (size_t bit = 0; bit < t.size * 8; bit++) {
            t.coded[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int64_t status = decode_from(&t, t.coded, t.size);
            CHECK(status == (int64_t)t.bytes || (status >= -199 && status <= MGA_ERR_DATA_HEADER));
            t.coded[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free_trip(&t);
    }
}

/* Says that the three components of a frame are interleaved by sample, which ours never are. */
static void say_by_sample(const trip *t)
{
    size_t at = 0;
    while (t->coded[at] != 0xFF || t->coded[at + 1] != 0xDA)
        at++;
    t->coded[at + 12] = 2;
}

/* Damaged scans behind a sound header: noise, zeros, ones; of three components half are read by sample. */
static void test_hostile_scans(void)
{
    mga_random random = mga_random_seed(6);
    for (int i = 0; i < 3000; i++) {
        trip t = trip_of(any_format(&random, 3, i % 50 ? 60 : 3000), &random, 0);
        uint64_t kind = mga_random_next(&random);
        if (t.format.samples_per_pixel == 3 && kind >> 10 & 1)
            say_by_sample(&t);
        for (size_t at = 60; at + 2 < t.size; at++)
            if (kind % 3 == 0 || mga_random_next(&random) % 8 == 0)
                t.coded[at] = kind >> 8 & 1 ? 0 : kind >> 9 & 1 ? 0x7F : (uint8_t)mga_random_next(&random);
        int64_t status = decode_from(&t, t.coded, t.size);
        CHECK(status == (int64_t)t.bytes || (status >= -199 && status <= MGA_ERR_DATA_HEADER));
        free_trip(&t);
    }
}

static void test_arguments(void)
{
    uint8_t native[12] = {0};
    uint8_t coded[300];
    static uint8_t work[1 << 20];
    mga_format f = format_of(2, 3, 1, 8, 0);
    mga_jls_params lossless = {0};
    mga_jls_params far = {128};
    CHECK(mga_jls_work_bytes(&f) > 0 && (size_t)mga_jls_work_bytes(&f) <= sizeof work);
    CHECK(mga_jls_encode(NULL, 300, native, 6, &f, &lossless, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_jls_encode(coded, 300, NULL, 6, &f, &lossless, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_jls_encode(coded, 300, native, 6, NULL, &lossless, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_jls_encode(coded, 300, native, 6, &f, NULL, work, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_jls_encode(coded, 300, native, 6, &f, &lossless, NULL, sizeof work) == MGA_ERR_ARG_NULL);
    CHECK(mga_jls_encode(coded, 300, native, 5, &f, &lossless, work, sizeof work) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_jls_encode(coded, 300, native, 6, &f, &lossless, work, 100) == MGA_ERR_ARG_WORK_SIZE);
    CHECK(mga_jls_encode(coded, 300, native, 6, &f, &far, work, sizeof work) == MGA_ERR_ARG_RANGE);
    int64_t size = mga_jls_encode(coded, 300, native, 6, &f, &lossless, work, sizeof work);
    CHECK(size > 0);
    CHECK(mga_jls_decode(native, 5, coded, (size_t)size, &f, work, sizeof work) == MGA_ERR_ARG_DST_SIZE);
    f.columns = 2;
    CHECK(mga_jls_decode(native, 12, coded, (size_t)size, &f, work, sizeof work) == MGA_ERR_DATA_GEOMETRY);
    f.bits_stored = 1;
    CHECK(mga_jls_work_bytes(&f) == MGA_ERR_ARG_FORMAT);
    f.bits_stored = 7;
    native[2] = 128;
    CHECK(mga_jls_encode(coded, 300, native, 4, &f, &lossless, work, sizeof work) == MGA_ERR_DATA_SAMPLE);
}

int main(void)
{
    test_arguments();
    test_round_trips();
    test_wide_frames();
    test_near_lossless();
    test_loss_at_the_limits();
    test_every_destination_size();
    test_every_truncation();
    test_every_flipped_bit();
    test_hostile_scans();
    return 0;
}
