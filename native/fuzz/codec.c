#include "codec.h"

#include <string.h>

#include "check.h"
#include "random.h"

enum {
    ROWS_MOST = 32,
    COLUMNS_MOST = 1024,
    FRAME_MOST = ROWS_MOST * COLUMNS_MOST * 6,
    CODED_MOST = FRAME_MOST * 5, /* the largest bound: JPEG-LS of 8 bits allows 64 bits for two of them */
    WORK_MOST = 1 << 20,
    SEEDS = 60,
    WIDE_SEEDS = 20
};

MGA_FUZZ_ARENA(frame_arena, FRAME_MOST);
MGA_FUZZ_ARENA(back_arena, FRAME_MOST);
MGA_FUZZ_ARENA(coded_arena, CODED_MOST);
MGA_FUZZ_ARENA(work_arena, WORK_MOST);

typedef struct {
    mga_format format;
    size_t less;       /* by how much the destination of the decoder is too small */
    bool round_trip;   /* of what was decoded */
    bool tight;        /* into a destination of any size */
    bool as_samples;   /* what is no coded frame is coded as one */
    uint32_t near;     /* of the encoder */
    size_t work_bytes; /* of either direction */
    uint8_t *work;
} trial;

static mga_format format_of(const uint8_t *p, bool wide)
{
    static const uint8_t QUICK_BITS[16] = {1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8, 8, 10, 12, 16}; /* more make tables */
    mga_format f = {0};
    f.rows = 1u + p[0] % (wide ? ROWS_MOST : 3u);
    f.columns = 1u + (wide ? 4u * p[1] : p[1] % 24u);
    f.bits_stored = wide ? 1u + p[2] % 16u : QUICK_BITS[p[2] % 16];
    f.bits_stored = f.bits_stored < MGA_FUZZ_SUBJECT.codec->bits_min ? MGA_FUZZ_SUBJECT.codec->bits_min : f.bits_stored;
    f.samples_per_pixel = p[2] & 16 ? 3 : 1;
    f.pixel_representation = p[2] >> 5 & 1;
    f.planar_configuration = p[2] >> 6 & 1;
    f.bits_allocated = f.bits_stored > 8 || p[2] & 128 ? 16 : 8;
    return f;
}

static trial trial_of(const uint8_t *p, size_t size)
{
    trial t = {.format = format_of(p, size > CODEC_QUICK_BYTES)};
    t.less = p[3] >= 0xF0 ? 1u + p[3] % 16u : 0;
    t.round_trip = p[3] % 8 == 1;
    t.tight = p[3] >> 6 & 1;
    t.as_samples = p[3] >> 7 & 1;
    uint32_t most = ((1u << t.format.bits_stored) - 1) / 2;
    uint32_t near = MGA_FUZZ_SUBJECT.codec->is_near ? p[3] >> 3 & 7u : 0;
    t.near = near < most ? near : most;
    t.work_bytes = (size_t)MGA_FUZZ_SUBJECT.codec->work_bytes(&t.format);
    t.work = mga_fuzz_buffer(&work_arena, t.work_bytes);
    return t;
}

static bool is_of_data(int64_t status)
{
    return status <= MGA_ERR_DATA_HEADER && status > MGA_ERR_DEV_MEMORY;
}

static void check_tight(const trial *t, const uint8_t *frame, size_t bytes, const uint8_t *coded, size_t size,
                        size_t room)
{
    uint8_t *dst = mga_fuzz_buffer(&back_arena, room);
    int64_t got = MGA_FUZZ_SUBJECT.codec->encode(dst, room, frame, bytes, &t->format, t->near, t->work, t->work_bytes);
    CHECK(got == (room < size ? MGA_ERR_ARG_DST_SIZE : (int64_t)size));
    CHECK(room < size || memcmp(dst, coded, size) == 0);
}

static void check_round_trip(trial *t, const uint8_t *frame, size_t bytes, size_t seed)
{
    const mga_codec *c = MGA_FUZZ_SUBJECT.codec;
    if (!c->checks_samples)
        t->format.bits_stored = t->format.bits_allocated;
    size_t bound = (size_t)c->bound(&t->format);
    uint8_t *coded = mga_fuzz_buffer(&coded_arena, bound);
    int64_t size = c->encode(coded, bound, frame, bytes, &t->format, t->near, t->work, t->work_bytes);
    if (c->checks_samples && size == MGA_ERR_DATA_SAMPLE)
        return;
    CHECK(size > 0 && size % 2 == 0 && (size_t)size <= bound);
    if (t->tight && size < FRAME_MOST)
        check_tight(t, frame, bytes, coded, (size_t)size, seed % ((size_t)size + 1));
    uint8_t *back = mga_fuzz_buffer(&back_arena, bytes);
    CHECK(c->decode(back, bytes, coded, (size_t)size, &t->format, t->work, t->work_bytes) == (int64_t)bytes);
    CHECK(t->near || memcmp(back, frame, bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < CODEC_PREFIX)
        return 0;
    trial t = trial_of(data, size);
    data += CODEC_PREFIX;
    size -= CODEC_PREFIX;
    size_t bytes = (size_t)mga_format_bytes(&t.format);
    size_t room = t.less < bytes ? bytes - t.less : 0;
    uint8_t *frame = mga_fuzz_buffer(&frame_arena, room);
    int64_t status = MGA_FUZZ_SUBJECT.codec->decode(frame, room, data, size, &t.format, t.work, t.work_bytes);
    CHECK(t.less ? status == MGA_ERR_ARG_DST_SIZE : status == (int64_t)bytes || is_of_data(status));
    if (!t.less && MGA_FUZZ_SUBJECT.judge)
        MGA_FUZZ_SUBJECT.judge(data, size, &t.format, status);
    if (status == MGA_ERR_DATA_BESIDE)
        status = (int64_t)bytes; /* the frame is whole */
    if (status < 0) {
        if (t.less || !t.as_samples)
            return 0;
        for (size_t i = 0; i < bytes; i++)
            frame[i] = size ? data[i % size] : 0;
    }
    if (t.round_trip)
        check_round_trip(&t, frame, bytes, size * 7919u);
    return 0;
}

/* Steps, and noise in every other seed; no sign, nothing near the limits. */
static void fill(uint8_t *frame, size_t bytes, const mga_format *f, unsigned number)
{
    mga_random random = mga_random_seed(number);
    uint32_t low = (f->bits_stored < 8 ? 1u << f->bits_stored : 256u) / 4 + (f->bits_stored == 1);
    memset(frame, 0, bytes);
    for (size_t i = 0; i < bytes; i += f->bits_allocated / 8)
        frame[i] = (uint8_t)((number & 1 && i % 40 < 20 ? mga_random_next(&random) : i / 37) % low);
}

size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room)
{
    if (number >= SEEDS || room < CODEC_PREFIX)
        return 0;
    bool wide = number < WIDE_SEEDS;
    uint8_t prefix[CODEC_PREFIX] = {(uint8_t)(number % 4), (uint8_t)(number * 11), (uint8_t)(number * 7 + 6),
                                    (uint8_t)(number * 29)};
    if (number < 3) /* tables are large only where frames are; these have three samples of each pixel */
        memcpy(prefix, (const uint8_t[]){31, 255, (uint8_t)(16 + 5 * number), 1}, CODEC_PREFIX);
    trial t = trial_of(prefix, wide ? CODEC_QUICK_BYTES + 1 : 1);
    size_t bytes = (size_t)mga_format_bytes(&t.format);
    uint8_t *frame = mga_fuzz_buffer(&frame_arena, bytes);
    fill(frame, bytes, &t.format, number);
    memcpy(out, prefix, CODEC_PREFIX);
    int64_t size = MGA_FUZZ_SUBJECT.codec->encode(out + CODEC_PREFIX, room - CODEC_PREFIX, frame, bytes, &t.format,
                                                  number % 5 == 4 ? t.near : 0, t.work, t.work_bytes);
    CHECK(size > 0);
    if (MGA_FUZZ_SUBJECT.vary)
        MGA_FUZZ_SUBJECT.vary(out + CODEC_PREFIX, (size_t)size, number);
    size_t least = wide ? CODEC_QUICK_BYTES + 1 : 0; /* bytes behind the frame make the input a long one */
    while (CODEC_PREFIX + (size_t)size < least)
        out[CODEC_PREFIX + (size_t)size++] = 0;
    return CODEC_PREFIX + (size_t)size;
}
