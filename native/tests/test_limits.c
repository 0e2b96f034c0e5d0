/* What every codec keeps to: destinations of every size in both directions, every truncation and every flipped bit of
 * small streams, headers that lie. Answers are a status of the right family; nothing outside of the destination is
 * touched; and as the sanitizers see, nothing outside of the source is read. */
#include <string.h>

#include "check.h"
#include "codecs.h"
#include "random.h"

enum { STREAMS = 30, CANARY = 32, FILL = 0xA5, STREAM_MOST = 1 << 16 };

typedef struct {
    const mga_codec *codec;
    mga_format format;
    uint32_t near;
    size_t bytes, work_bytes, size;
    uint8_t *native, *coded, *work;
} trip;

static bool is_of_data(int64_t status)
{
    return status <= MGA_ERR_DATA_HEADER && status > MGA_ERR_DEV_MEMORY;
}

static mga_format format_of(uint64_t bits, uint32_t bits_min)
{
    mga_format f = {0};
    f.rows = (uint32_t)(1 + bits % 4);
    f.columns = (uint32_t)(1 + (bits >> 8) % 14);
    f.samples_per_pixel = bits >> 20 & 1 ? 3 : 1;
    f.bits_stored = (uint32_t)(1 + (bits >> 21) % 16);
    f.bits_stored = f.bits_stored < bits_min ? bits_min : f.bits_stored;
    f.bits_allocated = f.bits_stored > 8 || bits >> 30 & 1 ? 16 : 8;
    f.pixel_representation = bits >> 31 & 1;
    f.planar_configuration = bits >> 32 & 1;
    return f;
}

/* Steps and runs in the lower half of what is stored, without a sign. */
static void fill(uint8_t *p, size_t bytes, const mga_format *f, mga_random *random)
{
    uint32_t low = (f->bits_stored < 8 ? 1u << f->bits_stored : 256u) / 4 + (f->bits_stored == 1);
    uint32_t value = 0;
    memset(p, 0, bytes);
    for (size_t i = 0; i < bytes; i += f->bits_allocated / 8) {
        uint64_t bits = mga_random_next(random);
        value = bits % 3 == 0 ? (uint32_t)(bits >> 8) : bits % 3 == 1 ? value + 1 : value;
        p[i] = (uint8_t)(low / 2 + value % low);
    }
}

static trip make(const mga_codec *codec, mga_format f, uint32_t near, mga_random *random)
{
    trip t = {.codec = codec, .format = f, .near = near, .bytes = (size_t)mga_format_bytes(&f)};
    t.work_bytes = (size_t)codec->work_bytes(&f);
    size_t bound = (size_t)codec->bound(&f);
    t.native = exactly(t.bytes);
    t.coded = exactly(bound);
    t.work = exactly(t.work_bytes);
    fill(t.native, t.bytes, &f, random);
    int64_t size = codec->encode(t.coded, bound, t.native, t.bytes, &f, t.near, t.work, t.work_bytes);
    CHECK(size > 0 && size % 2 == 0 && (size_t)size <= bound);
    t.size = (size_t)size;
    return t;
}

static void end(const trip *t)
{
    free(t->native);
    free(t->coded);
    free(t->work);
}

static uint8_t *guarded(size_t room)
{
    uint8_t *p = exactly(room + CANARY);
    memset(p, FILL, room + CANARY);
    return p;
}

static void check_canary(const uint8_t *p, size_t room)
{
    for (size_t i = room; i < room + CANARY; i++)
        CHECK(p[i] == FILL);
}

/* Canaries behind the destination, and a second time its exact end. */
static void check_destinations(const trip *t)
{
    const mga_codec *c = t->codec;
    for (size_t room = 0; room <= t->size; room++) {
        uint8_t *dst = guarded(room);
        int64_t got = c->encode(dst, room, t->native, t->bytes, &t->format, t->near, t->work, t->work_bytes);
        CHECK(got == (room < t->size ? MGA_ERR_ARG_DST_SIZE : (int64_t)t->size));
        CHECK(room < t->size || memcmp(dst, t->coded, t->size) == 0);
        check_canary(dst, room);
        uint8_t *tight = exactly(room);
        CHECK(c->encode(tight, room, t->native, t->bytes, &t->format, t->near, t->work, t->work_bytes) == got);
        free(tight);
        free(dst);
    }
    for (size_t room = 0; room <= t->bytes; room++) {
        uint8_t *dst = guarded(room);
        int64_t got = c->decode(dst, room, t->coded, t->size, &t->format, t->work, t->work_bytes);
        CHECK(got == (room < t->bytes ? MGA_ERR_ARG_DST_SIZE : (int64_t)t->bytes));
        check_canary(dst, room);
        free(dst);
    }
}

/* Of bytes that may be anything: a status of the data, or one frame and nothing behind it. */
static int64_t try_decode(const trip *t, const uint8_t *coded, size_t size)
{
    uint8_t *copy = exactly(size);
    uint8_t *dst = guarded(t->bytes);
    memcpy(copy, coded, size);
    int64_t status = t->codec->decode(dst, t->bytes, copy, size, &t->format, t->work, t->work_bytes);
    CHECK(status == (int64_t)t->bytes || is_of_data(status));
    check_canary(dst, t->bytes);
    free(dst);
    free(copy);
    return status;
}

/* Nothing that a whole frame needs may be missing; what pads it to an even length, or ends it, may. */
static void check_truncations(const trip *t)
{
    for (size_t size = 0; size < t->size; size++) {
        int64_t status = try_decode(t, t->coded, size);
        CHECK(status < 0 || t->size - size <= 3);
    }
}

static void check_flipped_bits(const trip *t)
{
    for (size_t bit = 0; bit < t->size * 8; bit++) {
        t->coded[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)try_decode(t, t->coded, t->size);
        t->coded[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* The Data Set lies about the frame: other rows, columns, samples or bits than were coded. RLE tells none of these, and
 * finds that there is too little or too much. */
static void check_geometry(const trip *t)
{
    trip other = *t;
    mga_format *f = &other.format;
    f->rows++;
    other.bytes = (size_t)mga_format_bytes(f);
    CHECK(try_decode(&other, t->coded, t->size) < 0);
    *f = t->format;
    f->columns += 200;
    other.bytes = (size_t)mga_format_bytes(f);
    other.work_bytes = (size_t)t->codec->work_bytes(f);
    other.work = exactly(other.work_bytes);
    CHECK(try_decode(&other, t->coded, t->size) < 0);
    *f = t->format;
    f->samples_per_pixel = 4 - f->samples_per_pixel;
    other.bytes = (size_t)mga_format_bytes(f);
    CHECK(try_decode(&other, t->coded, t->size) < 0);
    free(other.work);
}

static void test_streams(const mga_codec *codec)
{
    mga_random random = mga_random_seed(11);
    for (int i = 0; i < STREAMS; i++) {
        mga_format f = format_of(mga_random_next(&random), codec->bits_min);
        trip t = make(codec, f, codec->is_near && f.bits_stored > 3 ? (uint32_t)i % 2 : 0, &random);
        check_destinations(&t);
        check_truncations(&t);
        check_flipped_bits(&t);
        check_geometry(&t);
        end(&t);
    }
}

/* --- headers ----------------------------------------------------------------------------------------------------- */

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Every number of an RLE header, as every lie that there may be about it. */
static void test_rle_header(void)
{
    static const uint32_t LIES[] = {0, 1, 15, 16, 63, 64, 65, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    mga_random random = mga_random_seed(12);
    trip t = make(&MGA_CODEC_TABLE[MGA_CODEC_RLE], (mga_format){3, 9, 3, 16, 16, 0, 0}, 0, &random);
    for (size_t field = 0; field <= 6; field++)
        for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
            uint8_t kept[4];
            memcpy(kept, t.coded + 4 * field, 4);
            put32(t.coded + 4 * field, LIES[i]);
            int64_t status = try_decode(&t, t.coded, t.size);
            CHECK(status < 0 || memcmp(kept, t.coded + 4 * field, 4) == 0);
            memcpy(t.coded + 4 * field, kept, 4);
        }
    for (uint32_t by = 1; by < t.size; by++) { /* the last segment begins later, up to behind the end */
        uint8_t kept[4];
        memcpy(kept, t.coded + 24, 4);
        put32(t.coded + 24, (uint32_t)t.size - by + 1);
        (void)try_decode(&t, t.coded, t.size);
        memcpy(t.coded + 24, kept, 4);
    }
    end(&t);
}

static size_t find_marker(const trip *t, uint8_t marker)
{
    for (size_t i = 0; i + 1 < t->size; i++)
        if (t->coded[i] == 0xFF && t->coded[i + 1] == marker)
            return i;
    CHECK(!"the marker is there");
    return 0;
}

/* Every byte of every marker segment with every value: no lie of a frame or scan header reaches outside. */
static void test_jpeg_headers(const mga_codec *codec)
{
    static const mga_format FORMATS[] = {{2, 7, 1, 8, 8, 0, 0}, {2, 5, 3, 8, 8, 0, 0}, {3, 4, 1, 16, 14, 0, 0}};
    mga_random random = mga_random_seed(13);
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        trip t = make(codec, FORMATS[i], 0, &random);
        size_t scan = find_marker(&t, 0xDA);
        size_t behind = scan + 2 + t.coded[scan + 3];
        for (size_t at = 0; at < behind; at++) {
            uint8_t kept = t.coded[at];
            for (uint32_t value = 0; value < 256; value++) {
                t.coded[at] = (uint8_t)value;
                (void)try_decode(&t, t.coded, t.size);
            }
            t.coded[at] = kept;
        }
        end(&t);
    }
}

/* --- streams that our encoders do not write ---------------------------------------------------------------------- */

typedef struct {
    uint8_t bytes[STREAM_MOST];
    size_t size;
} stream;

static void append(stream *s, const uint8_t *bytes, size_t count)
{
    CHECK(count <= STREAM_MOST - s->size);
    memcpy(s->bytes + s->size, bytes, count);
    s->size += count;
}

static int64_t decode_stream(const trip *t, const stream *s, uint8_t *dst)
{
    return t->codec->decode(dst, t->bytes, s->bytes, s->size, &t->format, t->work, t->work_bytes);
}

/* Both halves of a frame as restart intervals of `interval`: an interval begins like a scan, so the coded half is
 * simply there twice, with the marker `between`. The frame header says twice the rows. */
static void join_halves(stream *s, const trip *half, uint8_t interval, const uint8_t between[2], uint8_t frame_header)
{
    size_t scan = find_marker(half, 0xDA);
    size_t data = scan + 2 + half->coded[scan + 3];
    size_t last = half->size - 1;
    while (half->coded[last] != 0xD9)
        last--;
    *s = (stream){.size = 0};
    append(s, half->coded, 2);
    append(s, (const uint8_t[]){0xFF, 0xDD, 0, 4, 0, interval}, 6);
    append(s, half->coded + 2, data - 2);
    append(s, half->coded + data, last - 1 - data);
    append(s, between, 2);
    append(s, half->coded + data, last + 1 - data);
    size_t header = find_marker(half, frame_header) + 6; /* the interval stands in front */
    s->bytes[header + 6] = (uint8_t)(2 * s->bytes[header + 6]);
}

/* `unit`: what a restart interval counts, lines (T.87) or pixels (T.81). */
static void test_restart(const mga_codec *codec, uint8_t frame_header, uint32_t unit, int64_t wrong)
{
    mga_random random = mga_random_seed(14);
    trip half = make(codec, (mga_format){3, 8, 1, 8, 8, 0, 0}, 0, &random);
    trip whole = half;
    static stream s;
    uint8_t back[48];
    whole.format.rows = 6;
    whole.bytes = sizeof back;
    uint8_t interval = (uint8_t)(3 * unit);
    join_halves(&s, &half, interval, (const uint8_t[]){0xFF, 0xD0}, frame_header);
    CHECK(decode_stream(&whole, &s, back) == sizeof back);
    CHECK(memcmp(back, half.native, 24) == 0 && memcmp(back + 24, half.native, 24) == 0);
    join_halves(&s, &half, interval, (const uint8_t[]){0xFF, 0xD3}, frame_header); /* not the next number */
    CHECK(decode_stream(&whole, &s, back) == wrong);
    join_halves(&s, &half, interval, (const uint8_t[]){0, 0}, frame_header); /* no marker at all */
    CHECK(is_of_data(decode_stream(&whole, &s, back)));
    join_halves(&s, &half, (uint8_t)(interval - 1), (const uint8_t[]){0xFF, 0xD0}, frame_header);
    CHECK(is_of_data(decode_stream(&whole, &s, back)));
    end(&half);
}

/* Rows and columns told elsewhere: by an LSE segment in front, or rows behind the scan by a DNL (T.87 C.2.4.1.4,
 * T.81 B.2.5). */
static void test_sizes_told_elsewhere(void)
{
    mga_random random = mga_random_seed(15);
    trip t = make(&MGA_CODEC_TABLE[MGA_CODEC_JLS], (mga_format){3, 8, 1, 8, 8, 0, 0}, 0, &random);
    static stream s;
    uint8_t back[24];
    for (uint8_t width = 1; width <= 5; width++) {
        uint8_t rows[5] = {0};
        uint8_t columns[5] = {0};
        rows[width - 1] = 3;
        columns[width - 1] = 8;
        s = (stream){.size = 0};
        append(&s, t.coded, 2);
        append(&s, (const uint8_t[]){0xFF, 0xF8, 0, (uint8_t)(4 + 2 * width), 4, width}, 6);
        append(&s, rows, width);
        append(&s, columns, width);
        size_t header = s.size;
        append(&s, t.coded + 2, t.size - 2);
        memset(s.bytes + header + 5, 0, 4);
        CHECK(decode_stream(&t, &s, back) == (width < 2 || width > 4 ? MGA_ERR_DATA_MARKER : (int64_t)sizeof back));
    }
    size_t last = t.size - 1;
    while (t.coded[last] != 0xD9)
        last--;
    for (uint8_t rows = 2; rows <= 3; rows++) {
        s = (stream){.size = 0};
        append(&s, t.coded, last - 1);
        append(&s, (const uint8_t[]){0xFF, 0xDC, 0, 4, 0, rows, 0xFF, 0xD9}, 8);
        memset(s.bytes + 7, 0, 2);
        CHECK(decode_stream(&t, &s, back) == (rows == 3 ? (int64_t)sizeof back : MGA_ERR_DATA_GEOMETRY));
    }
    end(&t);
}

/* Pixel by pixel, as CharLS 2.4 (pyjpegls 1.5.1) writes the picture that is computed below. */
static void test_interleaved_by_sample(void)
{
    static const uint8_t CODED[] = {
        0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x11, 0x07, 0x00, 0x06, 0x00, 0x18, 0x03, 0x01, 0x11, 0x00, 0x02, 0x11,
        0x00, 0x03, 0x11, 0x00, 0xFF, 0xDA, 0x00, 0x0C, 0x03, 0x01, 0x00, 0x02, 0x00, 0x03, 0x00, 0x00, 0x02,
        0x00, 0x40, 0x00, 0x00, 0xCE, 0x07, 0xEB, 0xFF, 0x7F, 0xC0, 0x00, 0x08, 0x00, 0x02, 0x00, 0x01, 0x92,
        0xD6, 0x6B, 0x5A, 0xD4, 0x00, 0x01, 0x00, 0x00, 0x80, 0x00, 0x52, 0x4A, 0xAA, 0xA5, 0x55, 0x55, 0xEF,
        0xD8, 0x20, 0x87, 0x61, 0x08, 0x79, 0xF7, 0xBC, 0x01, 0x00, 0x84, 0xBB, 0xB8, 0x44, 0x78, 0x88, 0x8B,
        0x88, 0x8C, 0x29, 0x4A, 0xB6, 0xDB, 0x6D, 0xFF, 0x7F, 0xFD, 0x82, 0x23, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F,
        0xD3, 0x6F, 0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x3B, 0xAD, 0xC4, 0x45, 0xC4, 0x46, 0xFF, 0xD9,
    };
    const mga_codec *codec = &MGA_CODEC_TABLE[MGA_CODEC_JLS];
    mga_random random = mga_random_seed(16);
    trip t = make(codec, (mga_format){6, 24, 3, 8, 7, 0, 0}, 0, &random);
    uint8_t back[6 * 24 * 3];
    CHECK(codec->decode(back, sizeof back, CODED, sizeof CODED, &t.format, t.work, t.work_bytes) == sizeof back);
    for (uint32_t i = 0; i < sizeof back; i++) {
        uint32_t x = i / 3 % 24;
        uint32_t y = i / 72;
        CHECK(back[i] == x / 8 * 9 + y / 4 * 5 + i % 3 * 40 + (x == 5 && y == 2 ? 7 : 0));
    }
    for (size_t size = 0; size + 2 < sizeof CODED; size++)
        CHECK(try_decode(&t, CODED, size) < 0);
    end(&t);
}

int main(void)
{
    for (size_t i = 0; i < MGA_CODECS; i++)
        test_streams(&MGA_CODEC_TABLE[i]);
    test_rle_header();
    test_jpeg_headers(&MGA_CODEC_TABLE[MGA_CODEC_JPL]);
    test_jpeg_headers(&MGA_CODEC_TABLE[MGA_CODEC_JLS]);
    test_restart(&MGA_CODEC_TABLE[MGA_CODEC_JPL], 0xC3, 8, MGA_ERR_DATA_MARKER);
    test_restart(&MGA_CODEC_TABLE[MGA_CODEC_JLS], 0xF7, 1, MGA_ERR_DATA_MARKER);
    test_sizes_told_elsewhere();
    test_interleaved_by_sample();
    return 0;
}
