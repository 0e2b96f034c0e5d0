/* What encoder and decoder of JPEG-LS share (ITU-T T.87): coding parameters, contexts, and the rules of one sample.
 *
 * The names are those of the Standard in words: a, b, c, n are A, B, C, N of a context (T.87 A.3.3), k is its Golomb
 * parameter, ra rb rc rd are the samples to the left, above, above left and above right (T.87 figure 3). A decoder
 * computes k and the inversion of the mapping (T.87 A.5.2) when a context changes, not when it is used next: that takes
 * them off the path from one sample to the next. An encoder lists what they follow from, and computes them in vectors.
 */
#ifndef MGA_JLS_H
#define MGA_JLS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "format.h"

#define JLS_CONTEXTS 365u     /* regular contexts; 0 means run mode (T.87 A.3.4) */
#define JLS_COMPONENTS_MAX 3u /* samples per pixel that DICOM knows */
#define JLS_RESET 64u         /* default RESET (T.87 C.2.4.1.1.1); the fast paths need no more */
#define JLS_NEAR_MAX 255u     /* it is one byte in the scan header */
#define JLS_C_MIN (-128)      /* T.87 A.6.2 */
#define JLS_C_MAX 127
#define JLS_RUN_INDEX_MAX 31u
#define JLS_SAMPLE_BYTES_MAX 8u /* LIMIT is at most 64 bits */
#define JLS_LINE_SLACK 40u      /* samples behind a line in working memory that vector loops may read */
#define JLS_ALIGN 64u

/* What a scan is coded with (T.87 A.2.1, C.2.4.1). */
typedef struct {
    uint32_t precision; /* P of the frame header */
    uint32_t maxval;
    uint32_t near;
    uint32_t t1, t2, t3;
    uint32_t reset;
    uint32_t range;
    uint32_t qbpp; /* bits of a mapped error that is written plainly */
    uint32_t limit;
    uint32_t kept; /* bits of a sample that loss must not change: the sign, and what is above Bits Stored */
} jls_coding;

/* How the next error of a context is written. */
typedef struct {
    int8_t room;      /* 33 - k */
    uint8_t inverted; /* 1: the mapping of signs is turned round */
} jls_code;

/* Two numbers modulo 2^32 that are reckoned with together, in registers that nothing else wants. */
typedef uint32_t jls_pair __attribute__((vector_size(8)));

/* Sixteen bytes, so that a context number is a byte offset after one shift. */
typedef struct {
    jls_pair bc; /* B + N - 1, which is 0..N-1, and C */
    uint32_t a;
    uint16_t n;
    jls_code code;
} jls_context;

/* What an update needs of N, by N as it was before the sample. */
typedef struct {
    jls_pair n[JLS_RESET + 1];          /* twice */
    jls_pair step[JLS_RESET + 1];       /* what bc changes by when B is too small: N + 1, -1 */
    jls_pair most[JLS_RESET + 1];       /* of bc */
    jls_pair width[JLS_RESET + 1];      /* from the least of bc to the most */
    uint32_t reciprocal[JLS_RESET + 1]; /* just below 2^31 / (N + 1) */
} jls_steps;

typedef struct {
    uint32_t a, n, negatives;
} jls_run_context;

typedef struct {
    jls_coding coding;
    jls_run_context runs[2];
    jls_steps steps;
    uint32_t run_index[JLS_COMPONENTS_MAX];
    size_t component; /* whose line is being coded */
    jls_context contexts[JLS_CONTEXTS + 3];
} jls_state;

/* J of T.87 A.7.1.1: a run segment of index i is 1 << JLS_RUN_BITS[i] samples long. */
extern const uint8_t JLS_RUN_BITS[JLS_RUN_INDEX_MAX + 1];
/* Samples of all run segments below an index. */
extern const uint16_t JLS_RUN_SAMPLES[JLS_RUN_INDEX_MAX + 1];

/* Fills in everything that follows from maxval, near and reset; thresholds that are 0 get their defaults. */
void jls_coding_complete(jls_coding *coding);
/* MGA_OK, or MGA_ERR_DATA_MARKER when thresholds or RESET break T.87 C.2.4.1.1. */
int64_t jls_coding_check(const jls_coding *coding);
/* Contexts as at the start of a scan or restart interval (T.87 A.2.1). */
void jls_state_reset(jls_state *state);

/* Checks shared by both directions. MGA_OK or MGA_ERR_ARG_*. */
int64_t jls_check(const void *dst, const void *src, const mga_format *format, const void *work, size_t work_size);

static inline size_t jls_padded(size_t bytes)
{
    return (bytes + JLS_ALIGN - 1) / JLS_ALIGN * JLS_ALIGN;
}

/* Samples from one line of working memory to the next: an edge on either side, and slack. */
static inline size_t jls_pitch(size_t columns)
{
    return columns + 2 + JLS_LINE_SLACK;
}

static inline uint8_t *jls_align(void *work)
{
    uint8_t *p = work;
    return p + (JLS_ALIGN - (uintptr_t)p % JLS_ALIGN) % JLS_ALIGN;
}

/* Where the samples of a component are in a native frame. */
typedef struct {
    size_t bytes;       /* of one sample */
    size_t pixel_step;  /* bytes from a sample to the same sample of the next pixel */
    size_t sample_step; /* bytes from a sample to the next sample of its pixel */
} jls_layout;

static inline jls_layout jls_layout_of(const mga_format *f)
{
    size_t bytes = mga_sample_bytes(f);
    bool by_plane = f->planar_configuration == 1;
    return (jls_layout){
        .bytes = bytes,
        .pixel_step = by_plane ? bytes : f->samples_per_pixel * bytes,
        .sample_step = by_plane ? (size_t)f->rows * f->columns * bytes : bytes,
    };
}

/* --- bytes in the order of the stream, on every machine ----------------------------------------------------------- */

static inline uint64_t jls_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(v) : v;
}

static inline void jls_put64(uint8_t *p, uint64_t v)
{
    v = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(v) : v;
    memcpy(p, &v, sizeof v);
}

/* Is any byte of the word FFH? */
static inline bool jls_has_ff(uint64_t word)
{
    return ((~word - 0x0101010101010101u) & word & 0x8080808080808080u) != 0;
}

/* --- one sample ----------------------------------------------------------------------------------------------------
 */

/* Bits that v takes; v below 2^31. */
static inline uint32_t jls_bit_length(uint32_t v)
{
    return 31u ^ (uint32_t)__builtin_clz(v << 1 | 1u);
}

/* 33 - k, where k is the smallest with n << k >= a (T.87 A.5.1), n <= JLS_RESET, a < 2^25: k is the bit length of
 * floor((a - 1) / n). */
static inline uint32_t jls_golomb_room(uint32_t reciprocal, uint32_t a)
{
    return (uint32_t)__builtin_clzll((uint64_t)a * reciprocal | 0x40000000u);
}

/* e = 0, -1, 1, -2, 2 ... becomes 0, 1, 2, 3, 4 (T.87 A.5.2), and back. */
static inline uint32_t jls_fold(int32_t e)
{
    return (uint32_t)e << 1 ^ (uint32_t)(e >> 31);
}

static inline int32_t jls_unfold(uint32_t m)
{
    return (int32_t)(m >> 1 ^ (0u - (m & 1u)));
}

/* All ones where a number is below 0. */
static inline jls_pair jls_below(jls_pair v)
{
    typedef int32_t with_sign __attribute__((vector_size(8)));
    return (jls_pair)((with_sign)v >> 31);
}

/* Updates A, B, C and N of a context after the error e of magnitude `size` (T.87 A.6), without branches that depend on
 * the picture. Gives N - 1. Lossless, with the default RESET. */
static inline uint32_t jls_count(jls_context *x, const jls_steps *steps, int32_t e, uint32_t size)
{
    uint32_t a = x->a + size;
    uint32_t n = x->n;
    jls_pair bc = x->bc + (jls_pair){(uint32_t)e + 1, 0};
    if (__builtin_expect(n == JLS_RESET, 0)) {
        a >>= 1;
        n >>= 1;
        bc = (jls_pair){(uint32_t)((int32_t)bc[0] >> 1), bc[1]};
    }
    jls_pair b = (jls_pair){bc[0], bc[0]};
    bc += (steps->step[n] & jls_below(b)) - (steps->step[n] & jls_below(steps->n[n] - b));
    jls_pair room = bc - (jls_pair){0, (uint32_t)JLS_C_MIN};
    room = steps->width[n] - (room & ~jls_below(room));
    bc = steps->most[n] - (room & ~jls_below(room));
    x->a = a;
    x->bc = bc;
    x->n = (uint16_t)(n + 1);
    return n;
}

/* The same, and how the next error of the context is written. */
static inline void jls_update(jls_context *x, const jls_steps *steps, int32_t e, uint32_t size)
{
    uint32_t n = jls_count(x, steps, e, size);
    /* k == 0 means A <= N; then 2 B <= -N inverts (T.87 A.5.2) */
    uint32_t inverted = ((x->bc + x->bc - steps->n[n])[0] & (x->a - n - 2)) >> 31;
    x->code = (jls_code){(int8_t)jls_golomb_room(steps->reciprocal[n], x->a), (uint8_t)inverted};
}

#endif
