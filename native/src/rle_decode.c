/* RLE Lossless decoder (PS3.5 Annex G), for input that nobody vouches for.
 *
 * Planes of 8 bit samples are decoded in place. Others go in step, a strip of each at a time into working memory, and
 * are joined into pixels: memory stays small and in the cache. While a segment has room for the longest packet, packets
 * are copied in blocks, whatever their kind and length; its end is read with every count checked before it is used.
 * A packet may go on into the next row (other encoders do that), but not behind the plane. What a segment has behind
 * the packets of its plane must be padding, zeros or no operations, and so must a gap behind the header: rows that the
 * frame has not, or anything else that nobody would see, are told. */
#include "bytes.h"
#include "rle.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    size_t left; /* bytes that the current packet still has to give */
    bool repeat; /* it repeats `value`; otherwise its bytes are at `at`, and were counted */
    uint8_t value;
    bool restless; /* its packets were short */
} segment;

/* Below so many bytes for a turn the processor guesses wrong more often than it gains. */
#define RESTLESS_BYTES 10u

static int64_t read_header(segment *segments, const uint8_t *src, size_t src_size, size_t planes)
{
    if (src_size < RLE_HEADER_BYTES)
        return MGA_ERR_DATA_TRUNCATED;
    if (mga_get32_little(src) != planes)
        return MGA_ERR_DATA_HEADER;
    size_t floor = RLE_HEADER_BYTES;
    for (size_t k = 0; k < planes; k++) {
        size_t begin = mga_get32_little(src + 4 * (k + 1));
        size_t end = k + 1 < planes ? mga_get32_little(src + 4 * (k + 2)) : src_size;
        if (begin < floor || end < begin)
            return MGA_ERR_DATA_HEADER;
        if (end > src_size)
            return MGA_ERR_DATA_TRUNCATED;
        segments[k] = (segment){.at = src + begin, .end = src + end};
        floor = end;
    }
    return MGA_OK;
}

/* Reads the head of the next packet that gives bytes. */
static int64_t next_packet(segment *s)
{
    while (s->at < s->end) {
        uint8_t head = *s->at++;
        size_t rest = (size_t)(s->end - s->at);
        if (head == 128)
            continue; /* no operation (PS3.5 G.3.2) */
        s->repeat = head > 128;
        s->left = s->repeat ? 257u - head : head + 1u;
        if (rest < (s->repeat ? 1 : s->left))
            return MGA_ERR_DATA_TRUNCATED;
        if (s->repeat)
            s->value = *s->at++;
        return MGA_OK;
    }
    return MGA_ERR_DATA_TRUNCATED;
}

/* Gives up to `count` bytes of the current packet. */
static size_t take(segment *s, uint8_t *out, size_t count)
{
    size_t n = s->left < count ? s->left : count;
    if (s->repeat) {
        memset(out, s->value, n);
    } else {
        memcpy(out, s->at, n);
        s->at += n;
    }
    s->left -= n;
    return n;
}

typedef uint8_t block __attribute__((vector_size(32), aligned(1), may_alias));

/* Copies more than needed. */
static inline __attribute__((always_inline)) void put_literals(uint8_t *out, const uint8_t *bytes, size_t count)
{
    const block *from = (const void *)bytes;
    block *to = (void *)out;
    to[0] = from[0];
    if (count > sizeof(block))
        for (size_t i = 1; i < RLE_PACKET_MAX / sizeof(block); i++)
            to[i] = from[i];
}

static inline __attribute__((always_inline)) void put_run(uint8_t *out, uint8_t value, size_t count)
{
    const block run = value - (block){0};
    block *to = (void *)out;
    to[0] = run;
    if (count > sizeof(block))
        for (size_t i = 1; i < RLE_PACKET_MAX / sizeof(block); i++)
            to[i] = run;
}

/* Whole packets while the longest ones are there. Encoders put a run behind literals, so a turn is some literals or
 * none and then a run. Whether there are literals is guessed by the processor, which is quick where it learns to
 * (`guess`); among short packets it does not, and the turn is made without asking. The head of the next turn is loaded
 * before this one is done: the way from head to head is what takes time. `out` has RLE_PACKET_MAX bytes behind. Returns
 * how many bytes it gave; the last packet may have some left, because other encoders let packets go on into the next
 * row. */
static inline __attribute__((always_inline)) size_t put_packets(segment *s, uint8_t *out, size_t count, bool guess)
{
    const uint8_t *at = s->at;
    const uint8_t *const end = s->end;
    uint8_t *to = out;
    uint8_t *const stop = out + count;
    bool repeat = false;
    size_t turns = 0;
    int following = at < end ? (int8_t)*at : 0;
    while (to < stop && end - at > (ptrdiff_t)RLE_PACKET_MAX + 3) {
        int head = following;
        const uint8_t *next = at + 2;
        size_t step = (size_t)(head + 2) & (size_t) ~(head >> 8);
        if (guess)
            step = head < 0 ? 0 : (size_t)head + 2;
        following = (int8_t)next[step];
        size_t literals = step - (step > 0);
        put_literals(to, at + 1, literals);
        to += literals;
        at += step;
        repeat = false;
        turns++;
        if (__builtin_expect(to >= stop, 0))
            break;
        head = (int8_t)*at;
        if (__builtin_expect(head >= 0, 0)) {
            following = head;
            continue;
        }
        if (__builtin_expect(head == INT8_MIN, 0)) {
            at++;
            following = (int8_t)*at;
            continue;
        }
        size_t run = (size_t)(1 - head);
        put_run(to, at[1], run);
        to += run;
        at = next + step;
        repeat = true;
    }
    s->restless = turns * RESTLESS_BYTES > (size_t)(to - out);
    if (to > stop) {
        s->left = (size_t)(to - stop);
        s->repeat = repeat;
        s->value = at[-1];
        at -= repeat ? 0 : s->left;
        to = stop;
    }
    s->at = at;
    return (size_t)(to - out);
}

typedef size_t (*put_packets_function)(segment *s, uint8_t *out, size_t count);

static size_t guess_portable(segment *s, uint8_t *out, size_t count)
{
    return put_packets(s, out, count, true);
}

static size_t reckon_portable(segment *s, uint8_t *out, size_t count)
{
    return put_packets(s, out, count, false);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

static AVX2 size_t guess_avx2(segment *s, uint8_t *out, size_t count)
{
    return put_packets(s, out, count, true);
}

static AVX2 size_t reckon_avx2(segment *s, uint8_t *out, size_t count)
{
    return put_packets(s, out, count, false);
}
#endif

/* By whether the packets before were short. */
static const put_packets_function *best_put_packets(void)
{
    static const put_packets_function PORTABLE[2] = {guess_portable, reckon_portable};
#if defined(__x86_64__)
    static const put_packets_function WITH_AVX2[2] = {guess_avx2, reckon_avx2};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        return WITH_AVX2;
#endif
    return PORTABLE;
}

#define STRIP_PITCH rle_padded(RLE_STRIP)

typedef struct {
    const put_packets_function *put_packets;
    const mga_rle_kernels *kernels;
    uint8_t *strips; /* one of each plane, with slack */
} decode_work;

/* Gives `count` bytes of a segment to memory with slack behind. */
static int64_t get_bytes(segment *s, uint8_t *out, size_t count, const decode_work *w)
{
    size_t done = s->left > 0 ? take(s, out, count) : 0;
    if (s->left == 0)
        done += w->put_packets[s->restless](s, out + done, count - done);
    while (done < count) {
        if (s->left == 0) {
            int64_t status = next_packet(s);
            if (status < 0)
                return status;
        }
        done += take(s, out + done, count - done);
    }
    return MGA_OK;
}

static void join_strided(uint8_t *restrict dst, const uint8_t *restrict row, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i++)
        dst[i * step] = row[i];
}

/* Writes pixels from a strip of each plane. */
static void join_strips(uint8_t *at, size_t pixels, const rle_layout *l, const decode_work *w)
{
    const uint8_t *strip = w->strips;
    if (l->pixel_step == 3) {
        w->kernels->join3(at, strip, strip + STRIP_PITCH, strip + 2 * STRIP_PITCH, pixels);
        return;
    }
    for (size_t k = 0; k < l->planes; k++, strip += STRIP_PITCH) {
        if (l->pixel_step == 2) {
            w->kernels->join2(at + k / 2 * l->sample_step, strip + STRIP_PITCH, strip, pixels);
            strip += STRIP_PITCH;
            k++;
        } else {
            join_strided(at + rle_plane_offset(l, k), strip, pixels, l->pixel_step);
        }
    }
}

static int64_t get_pixels(uint8_t *dst, segment *segments, const rle_layout *l, const decode_work *w)
{
    size_t left = l->rows * l->columns;
    while (left > 0) {
        size_t pixels = left < RLE_STRIP ? left : RLE_STRIP;
        for (size_t k = 0; k < l->planes; k++) {
            int64_t status = get_bytes(&segments[k], w->strips + k * STRIP_PITCH, pixels, w);
            if (status < 0)
                return status;
        }
        join_strips(dst, pixels, l, w);
        dst += pixels * l->pixel_step;
        left -= pixels;
    }
    return MGA_OK;
}

/* Planes that the frame has as they are. All but the end has slack: what follows. */
static int64_t get_planes(uint8_t *dst, segment *segments, const rle_layout *l, const decode_work *w)
{
    size_t bytes = l->rows * l->columns;
    size_t tail = bytes < RLE_PACKET_MAX ? bytes : RLE_PACKET_MAX;
    for (size_t k = 0; k < l->planes; k++, dst += bytes) {
        int64_t status = MGA_OK;
        for (size_t at = 0, count = 0; at < bytes - tail && status >= 0; at += count) {
            count = bytes - tail - at < RLE_STRIP ? bytes - tail - at : RLE_STRIP;
            status = get_bytes(&segments[k], dst + at, count, w);
        }
        if (status >= 0)
            status = get_bytes(&segments[k], w->strips, tail, w);
        if (status < 0)
            return status;
        memcpy(dst + bytes - tail, w->strips, tail);
    }
    return MGA_OK;
}

/* Bytes up to the last that is not padding. */
static size_t without_padding(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (end[-1] & 0x7F) == 0) /* 0, and 128: no operation */
        end--;
    return (size_t)(end - at);
}

/* Of segments whose packets were read. */
static size_t bytes_beside(const segment *segments, const uint8_t *src, size_t planes)
{
    size_t count = without_padding(src + RLE_HEADER_BYTES, src + mga_get32_little(src + 4));
    for (size_t k = 0; k < planes; k++)
        count += without_padding(segments[k].at, segments[k].end);
    return count;
}

/* Goes on behind the packets that give `count` bytes. */
static int64_t skip_packets(segment *s, size_t count)
{
    for (; count > 0; count -= s->left) {
        int64_t status = next_packet(s);
        if (status < 0)
            return status;
        if (s->left > count)
            return MGA_ERR_DATA_OVERRUN;
        s->at += s->repeat ? 0 : s->left;
    }
    return MGA_OK;
}

int64_t mga_rle_beside(const void *src, size_t src_size, const mga_format *format)
{
    int64_t status = mga_format_bytes(format);
    if (status < 0)
        return status;
    if (!src)
        return MGA_ERR_ARG_NULL;
    rle_layout l = rle_layout_of(format);
    segment segments[RLE_PLANES_MAX];
    status = read_header(segments, src, src_size, l.planes);
    for (size_t k = 0; k < l.planes && status >= 0; k++)
        status = skip_packets(&segments[k], l.rows * l.columns);
    return status < 0 ? status : (int64_t)bytes_beside(segments, src, l.planes);
}

int64_t mga_rle_decode(void *dst, size_t dst_size, const void *src, size_t src_size, const mga_format *format,
                       void *work, size_t work_size)
{
    int64_t status = rle_check(dst, src, format, work, work_size);
    if (status < 0)
        return status;
    int64_t need = mga_format_bytes(format);
    if (dst_size < (uint64_t)need)
        return MGA_ERR_ARG_DST_SIZE;
    rle_layout l = rle_layout_of(format);
    segment segments[RLE_PLANES_MAX];
    status = read_header(segments, src, src_size, l.planes);
    if (status < 0)
        return status;
    const decode_work w = {best_put_packets(), mga_rle_kernels_best(), rle_align(work)};
    status = l.pixel_step == 1 ? get_planes(dst, segments, &l, &w) : get_pixels(dst, segments, &l, &w);
    if (status < 0)
        return status;
    for (size_t k = 0; k < l.planes; k++)
        if (segments[k].left > 0)
            return MGA_ERR_DATA_OVERRUN;
    return bytes_beside(segments, src, l.planes) > 0 ? MGA_ERR_DATA_BESIDE : need;
}
