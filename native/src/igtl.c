#include "igtl.h"

#include <math.h>
#include <string.h>

#include "bytes.h"

enum { TYPE_AT = 2, TYPE_BYTES = 12, NAME_AT = 14, STAMP_AT = 34, SIZE_AT = 42, CRC_AT = 50, VERSION_MAX = 3 };

const char *mga_igtl_reason_text(mga_igtl_reason reason)
{
    switch (reason) {
    case MGA_IGTL_FINE: return "nothing is wrong";
    case MGA_IGTL_VERSION: return "the header has an unknown version, or is none";
    case MGA_IGTL_TYPE: return "the type of the message is no name";
    case MGA_IGTL_SIZE: return "the message is larger than 32 MiB";
    case MGA_IGTL_SUM: return "its CRC is wrong";
    case MGA_IGTL_LENGTH: return "its parts do not fill its body";
    case MGA_IGTL_PART: return "it is a part of an image, not a whole one";
    case MGA_IGTL_NUMBER: return "one of its numbers is none";
    case MGA_IGTL_ENDIAN: return "the order of its bytes is neither big nor little endian";
    case MGA_IGTL_SAMPLES: return "its samples are not uint8, uint16 or int16";
    case MGA_IGTL_COMPONENTS: return "it has neither one component nor three of uint8";
    case MGA_IGTL_VOLUME: return "it is no plane of pixels, or larger than 16384 a side";
    default: return "unknown reason";
    }
}

/* A field that ends with its first zero, or with itself; false where something in it is no printable ASCII. */
static bool read_text(char *text, const uint8_t *src, size_t size)
{
    bool printable = true;
    size_t i = 0;
    for (; i < size && src[i]; i++) {
        bool good = src[i] >= 0x20 && src[i] < 0x7F;
        printable &= good;
        text[i] = good ? (char)src[i] : '.';
    }
    while (i > 0 && text[i - 1] == ' ')
        i--;
    text[i] = '\0';
    return printable;
}

static mga_igtl_type type_of(const char *name)
{
    static const char *const NAMES[] = {"", "IMAGE", "TRANSFORM", "STATUS"};
    for (int i = MGA_IGTL_IS_IMAGE; i <= MGA_IGTL_IS_STATUS; i++)
        if (strcmp(name, NAMES[i]) == 0)
            return (mga_igtl_type)i;
    return MGA_IGTL_OTHER;
}

mga_igtl_reason mga_igtl_read_header(const uint8_t src[MGA_IGTL_HEADER], mga_igtl_header *header)
{
    char type[TYPE_BYTES + 1];
    header->version = mga_get16_big(src);
    if (header->version < 1 || header->version > VERSION_MAX)
        return MGA_IGTL_VERSION;
    if (!read_text(type, src + TYPE_AT, TYPE_BYTES) || !type[0])
        return MGA_IGTL_TYPE;
    header->type = type_of(type);
    (void)read_text(header->device, src + NAME_AT, MGA_IGTL_NAME_BYTES - 1);
    header->stamp = mga_get64_big(src + STAMP_AT);
    header->body_bytes = mga_get64_big(src + SIZE_AT);
    header->crc = mga_get64_big(src + CRC_AT);
    return header->body_bytes > MGA_IGTL_BODY_MAX ? MGA_IGTL_SIZE : MGA_IGTL_FINE;
}

mga_igtl_reason mga_igtl_read_body(const uint8_t *src, size_t size, const mga_igtl_header *header, mga_igtl_body *body)
{
    *body = (mga_igtl_body){.content_bytes = (size_t)header->body_bytes};
    if (header->version < 2)
        return MGA_IGTL_FINE;
    if (size < MGA_IGTL_EXTENDED)
        return MGA_IGTL_LENGTH;
    uint64_t front = mga_get16_big(src);
    uint64_t behind = (uint64_t)mga_get16_big(src + 2) + mga_get32_big(src + 4);
    if (front < MGA_IGTL_EXTENDED || front + behind > header->body_bytes)
        return MGA_IGTL_LENGTH;
    body->content = (size_t)front;
    body->content_bytes = (size_t)(header->body_bytes - front - behind);
    body->has_id = true;
    body->id = mga_get32_big(src + 8);
    return MGA_IGTL_FINE;
}

/* false where one of them is infinite or no number. */
static bool read_floats(float *out, const uint8_t *src, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = mga_get32_big(src + 4 * i);
        memcpy(out + i, &bits, sizeof bits);
        finite &= (bits >> 23 & 0xFF) != 0xFF;
    }
    return finite;
}

static double length(const float *v)
{
    double squares = 0.0;
    for (int i = 0; i < 3; i++)
        squares += (double)v[i] * (double)v[i];
    return sqrt(squares);
}

static mga_igtl_reason read_samples(const uint8_t *src, mga_igtl_image *image)
{
    enum { UINT8 = 3, INT16 = 4, UINT16 = 5, BIG = 1, LITTLE = 2 };
    uint32_t components = src[2];
    uint32_t type = src[3];
    if (type < UINT8 || type > UINT16)
        return MGA_IGTL_SAMPLES;
    if (components != 1 && !(components == 3 && type == UINT8))
        return MGA_IGTL_COMPONENTS;
    if (src[4] != BIG && src[4] != LITTLE)
        return MGA_IGTL_ENDIAN;
    image->big_endian = src[4] == BIG;
    image->format.samples_per_pixel = components;
    image->format.bits_allocated = image->format.bits_stored = type == UINT8 ? 8 : 16;
    image->format.pixel_representation = type == INT16;
    return MGA_IGTL_FINE;
}

/* i, j and k are the fastest axis to the slowest. One of them has length 1: k, or where a peer takes an array of two
 * dimensions for the last two, as pyigtl does, i. */
static mga_igtl_reason read_size(const uint8_t *src, mga_igtl_image *image, bool finite)
{
    uint32_t size[3];
    for (size_t i = 0; i < 3; i++) {
        size[i] = mga_get16_big(src + 6 + 2 * i);
        if (size[i] < 1 || size[i] > MGA_IGTL_SIDE_MAX)
            return MGA_IGTL_VOLUME;
    }
    uint32_t across = size[2] == 1 ? 0 : 1;
    if (size[2] != 1 && size[0] != 1)
        return MGA_IGTL_VOLUME;
    image->format.columns = size[across];
    image->format.rows = size[across + 1];
    for (uint32_t i = 0; i < 2 && finite; i++) {
        double mm = length(image->matrix + (size_t)(across + 1 - i) * 3);
        image->spacing_mm[i] = mm > 0.0 ? mm : 0.0;
    }
    return MGA_IGTL_FINE;
}

mga_igtl_reason mga_igtl_read_image(const uint8_t *src, size_t size, size_t content_bytes, mga_igtl_image *image)
{
    *image = (mga_igtl_image){.samples_at = MGA_IGTL_IMAGE};
    if (size < MGA_IGTL_IMAGE)
        return MGA_IGTL_LENGTH;
    image->coordinates = src[5];
    bool finite = read_floats(image->matrix, src + 12, 12);
    mga_igtl_reason reason = read_samples(src, image);
    if (reason == MGA_IGTL_FINE)
        reason = read_size(src, image, finite);
    if (reason != MGA_IGTL_FINE)
        return reason;
    static const uint8_t WHOLE[6];
    if (memcmp(src + 60, WHOLE, sizeof WHOLE) != 0 || memcmp(src + 66, src + 6, 6) != 0)
        return MGA_IGTL_PART;
    const mga_format *f = &image->format;
    image->samples_bytes = (uint64_t)f->rows * f->columns * f->samples_per_pixel * (f->bits_allocated / 8);
    return content_bytes - MGA_IGTL_IMAGE == image->samples_bytes ? MGA_IGTL_FINE : MGA_IGTL_LENGTH;
}

mga_igtl_reason mga_igtl_read_transform(const uint8_t *src, size_t size, float matrix[12])
{
    if (size != MGA_IGTL_TRANSFORM)
        return MGA_IGTL_LENGTH;
    return read_floats(matrix, src, 12) ? MGA_IGTL_FINE : MGA_IGTL_NUMBER;
}

mga_igtl_reason mga_igtl_read_status(const uint8_t *src, size_t size, uint32_t *code, char *text, size_t room)
{
    if (size < MGA_IGTL_STATUS)
        return MGA_IGTL_LENGTH;
    *code = mga_get16_big(src);
    size_t rest = size - MGA_IGTL_STATUS;
    (void)read_text(text, src + MGA_IGTL_STATUS, rest < room - 1 ? rest : room - 1);
    return MGA_IGTL_FINE;
}
