/* What an OpenIGTLink message says (protocol versions 1 to 3). Bytes in, values out: no descriptor, no clock.
 *
 *   header, 58 bytes    version 1 (protocols 1 and 2) or 2 (3); type; name of the device; time; size and CRC of the
 * body body                [extended header, 12 bytes or more] content [metadata header, metadata]; in [] from version
 * 2 on content of IMAGE    72 bytes: components, type and order of samples, size, matrix, part of the image; then
 * samples
 *
 * Numbers are big endian, samples as the image says. A peer is not trusted: each size is compared with the rest before
 * it is used, and what is refused has a reason. Metadata are measured and not looked at. */
#ifndef MGA_IGTL_H
#define MGA_IGTL_H

#include <stdbool.h>

#include "mga.h"

#define MGA_IGTL_HEADER 58u
#define MGA_IGTL_EXTENDED 12u
#define MGA_IGTL_IMAGE 72u
#define MGA_IGTL_TRANSFORM 48u
#define MGA_IGTL_STATUS 30u
#define MGA_IGTL_BODY_MAX                                                                                              \
    33619968u                    /* 4096 x 4096 samples of two bytes, the largest flat panel, and 64 KiB beside them */
#define MGA_IGTL_SIDE_MAX 16384u /* more than any device has; what a field of two bytes may say is no reason */

typedef enum {
    MGA_IGTL_FINE = 0,
    /* of a header: where the next message begins nobody knows */
    MGA_IGTL_VERSION,
    MGA_IGTL_TYPE,
    MGA_IGTL_SIZE,
    /* of one message */
    MGA_IGTL_SUM,
    MGA_IGTL_LENGTH,
    MGA_IGTL_PART,
    MGA_IGTL_NUMBER,
    /* of an image that is whole, and nothing for us */
    MGA_IGTL_ENDIAN,
    MGA_IGTL_SAMPLES,
    MGA_IGTL_COMPONENTS,
    MGA_IGTL_VOLUME
} mga_igtl_reason;

typedef enum { MGA_IGTL_OTHER, MGA_IGTL_IS_IMAGE, MGA_IGTL_IS_TRANSFORM, MGA_IGTL_IS_STATUS } mga_igtl_type;

typedef struct {
    uint32_t version;
    mga_igtl_type type;
    char device[MGA_IGTL_NAME_BYTES]; /* what is no printable ASCII is a point */
    uint64_t stamp;                   /* seconds since 1970 in 32.32 fixed point; 0 = none */
    uint64_t body_bytes;
    uint64_t crc;
} mga_igtl_header;

typedef struct {
    size_t content;       /* where it begins */
    size_t content_bytes; /* without metadata */
    bool has_id;
    uint32_t id;
} mga_igtl_body;

typedef struct {
    mga_format format; /* planar configuration 0 */
    bool big_endian;
    uint32_t coordinates;   /* 1 = right, anterior, superior; 2 = left, posterior, superior */
    float matrix[12];       /* vectors of i, j and k, as long as a pixel in mm; centre of the image */
    double spacing_mm[2];   /* between rows, between columns; 0 = the matrix does not say */
    size_t samples_at;      /* in the content */
    uint64_t samples_bytes; /* of the whole image */
} mga_igtl_image;

const char *mga_igtl_reason_text(mga_igtl_reason reason);
mga_igtl_reason mga_igtl_read_header(const uint8_t src[MGA_IGTL_HEADER], mga_igtl_header *header);
/* src holds the first `size` bytes of the body: all, or more than MGA_IGTL_EXTENDED. */
mga_igtl_reason mga_igtl_read_body(const uint8_t *src, size_t size, const mga_igtl_header *header, mga_igtl_body *body);
/* src holds the first `size` of content_bytes: all, or MGA_IGTL_IMAGE and more. */
mga_igtl_reason mga_igtl_read_image(const uint8_t *src, size_t size, size_t content_bytes, mga_igtl_image *image);
mga_igtl_reason mga_igtl_read_transform(const uint8_t *src, size_t size, float matrix[12]);
/* The code (1 = all is well) and its text: room bytes at most with the end of it. */
mga_igtl_reason mga_igtl_read_status(const uint8_t *src, size_t size, uint32_t *code, char *text, size_t room);

#endif
