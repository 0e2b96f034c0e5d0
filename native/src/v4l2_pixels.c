/* What the pixel formats of Video4Linux2 become. One table; what is not in it is refused before a device streams. Its
 * colour spaces (Linux media documentation, "Colorspaces") have defaults that follow from one another: the matrix from
 * the space, the range from whether it is RGB. */
#include <stdio.h>
#include <string.h>

#include "v4l2.h"

typedef struct {
    uint32_t fourcc;
    mga_way way;
    uint32_t detail;     /* packing, layout, or filters */
    uint32_t bits;       /* of a sample */
    uint32_t line_bytes; /* of two pixels, first plane */
    uint32_t memories;
} pixel_format;

#define NAME_BYTES 8

static const pixel_format FORMATS[] = {
    {V4L2_PIX_FMT_GREY, MGA_WAY_SAMPLES, MGA_PACKING_8, 8, 2, 1},
    {V4L2_PIX_FMT_Y10, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 10, 4, 1},
    {V4L2_PIX_FMT_Y12, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 12, 4, 1},
    {V4L2_PIX_FMT_Y14, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 14, 4, 1},
    {V4L2_PIX_FMT_Y16, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 16, 4, 1},
    {V4L2_PIX_FMT_Y16_BE, MGA_WAY_SAMPLES, MGA_PACKING_16_BIG, 16, 4, 1},
    {V4L2_PIX_FMT_RGB24, MGA_WAY_COLOUR, MGA_LAYOUT_RGB24, 8, 6, 1},
    {V4L2_PIX_FMT_BGR24, MGA_WAY_COLOUR, MGA_LAYOUT_BGR24, 8, 6, 1},
    {V4L2_PIX_FMT_XBGR32, MGA_WAY_COLOUR, MGA_LAYOUT_BGRX32, 8, 8, 1},
    {V4L2_PIX_FMT_ABGR32, MGA_WAY_COLOUR, MGA_LAYOUT_BGRX32, 8, 8, 1},
    {V4L2_PIX_FMT_BGR32, MGA_WAY_COLOUR, MGA_LAYOUT_BGRX32, 8, 8, 1},
    {V4L2_PIX_FMT_YUYV, MGA_WAY_COLOUR, MGA_LAYOUT_YUYV, 8, 4, 1},
    {V4L2_PIX_FMT_UYVY, MGA_WAY_COLOUR, MGA_LAYOUT_UYVY, 8, 4, 1},
    {V4L2_PIX_FMT_NV12, MGA_WAY_COLOUR, MGA_LAYOUT_NV12, 8, 2, 1},
    {V4L2_PIX_FMT_NV12M, MGA_WAY_COLOUR, MGA_LAYOUT_NV12, 8, 2, 2},
    {V4L2_PIX_FMT_YUV420, MGA_WAY_COLOUR, MGA_LAYOUT_I420, 8, 2, 1},
    {V4L2_PIX_FMT_YUV420M, MGA_WAY_COLOUR, MGA_LAYOUT_I420, 8, 2, 3},
    {V4L2_PIX_FMT_SRGGB8, MGA_WAY_BAYER, MGA_BAYER_RG, 8, 2, 1},
    {V4L2_PIX_FMT_SGRBG8, MGA_WAY_BAYER, MGA_BAYER_GR, 8, 2, 1},
    {V4L2_PIX_FMT_SGBRG8, MGA_WAY_BAYER, MGA_BAYER_GB, 8, 2, 1},
    {V4L2_PIX_FMT_SBGGR8, MGA_WAY_BAYER, MGA_BAYER_BG, 8, 2, 1},
};

static const pixel_format *format_of(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (FORMATS[i].fourcc == fourcc)
            return &FORMATS[i];
    return NULL;
}

/* Four characters, blanks at the end left away, and _BE behind them for samples that are big-endian. */
static void name_of(uint32_t fourcc, char *name, size_t size)
{
    uint32_t code = fourcc & ~(1u << 31);
    char four[5] = {(char)(code & 0xff), (char)(code >> 8 & 0xff), (char)(code >> 16 & 0xff), (char)(code >> 24 & 0x7f),
                    0};
    for (size_t i = 4; i > 0 && four[i - 1] == ' '; i--)
        four[i - 1] = 0;
    (void)snprintf(name, size, "%s%s", four, code == fourcc ? "" : "_BE");
}

int64_t mga_v4l2_reads(uint32_t fourcc)
{
    return format_of(fourcc) != NULL;
}

static bool is_video(const mga_v4l2_picture *p, bool is_rgb)
{
    bool full = is_rgb || p->colorspace == V4L2_COLORSPACE_JPEG; /* what it is where a driver does not say */
    return p->quantization ? p->quantization == V4L2_QUANTIZATION_LIM_RANGE : !full;
}

/* The space of a picture, or -1 for a matrix that there is none of here. */
static int space_of(const mga_v4l2_picture *p, bool is_rgb)
{
    bool video = is_video(p, is_rgb);
    if (is_rgb)
        return video ? MGA_SPACE_RGB_VIDEO : MGA_SPACE_RGB;
    switch (p->encoding ? p->encoding : (uint32_t)V4L2_MAP_YCBCR_ENC_DEFAULT(p->colorspace)) {
    case V4L2_YCBCR_ENC_601:
    case V4L2_YCBCR_ENC_XV601: return video ? MGA_SPACE_601_VIDEO : MGA_SPACE_601_FULL;
    case V4L2_YCBCR_ENC_709:
    case V4L2_YCBCR_ENC_XV709: return video ? MGA_SPACE_709_VIDEO : MGA_SPACE_709_FULL;
    default: return -1;
    }
}

static int64_t refuse(mga_trouble *trouble, const char *why)
{
    return mga_trouble_say(trouble, MGA_ERR_DEV_REFUSED, 0, why);
}

static int64_t check(const mga_v4l2_picture *p, const pixel_format *f, mga_trouble *trouble)
{
    if (!f)
        return refuse(trouble, "its pixel format is none that can be taken");
    if (p->field != V4L2_FIELD_NONE && p->field != V4L2_FIELD_INTERLACED && p->field != V4L2_FIELD_INTERLACED_TB &&
        p->field != V4L2_FIELD_INTERLACED_BT)
        return refuse(trouble, "it sends the fields of interlaced video one by one, not whole pictures");
    if (p->planes != f->memories)
        return refuse(trouble, "its planes are not those of its pixel format");
    uint64_t line = (uint64_t)f->line_bytes * p->columns / 2;
    if (p->strides[0] && p->strides[0] < line)
        return refuse(trouble, "its lines are shorter than their pixels need");
    return MGA_OK;
}

int64_t mga_v4l2_agree(const mga_v4l2_picture *picture, mga_device *device, mga_trouble *trouble)
{
    const pixel_format *f = format_of(picture->fourcc);
    int64_t status = check(picture, f, trouble);
    if (status < 0)
        return status;
    uint32_t rows = picture->rows;
    uint32_t columns = picture->columns;
    bool grey = f->way == MGA_WAY_SAMPLES;
    device->agreed.format = (mga_format){rows, columns, grey ? 1 : 3, f->bits > 8 ? 16 : 8, f->bits, 0, 0};
    device->pixels = (mga_pixels){.way = f->way};
    if (grey) {
        device->pixels.samples =
            (mga_unpack_params){.rows = rows, .columns = columns, .packing = f->detail, .bits = f->bits};
    } else if (f->way == MGA_WAY_BAYER) {
        device->pixels.bayer = (mga_bayer_params){.rows = rows, .columns = columns, .filters = f->detail};
    } else {
        int space = space_of(picture, f->detail <= MGA_LAYOUT_BGRX32);
        if (space < 0)
            return refuse(trouble, "its colours are neither of ITU-R BT.601 nor of BT.709");
        device->pixels.colour = (mga_colour_params){
            .rows = rows, .columns = columns, .layout = f->detail, .space = (uint32_t)space, .result = MGA_RESULT_RGB};
    }
    name_of(f->fourcc, device->agreed.sends, sizeof device->agreed.sends);
    return MGA_OK;
}

int64_t mga_v4l2_same(const mga_v4l2_picture *agreed, const mga_v4l2_picture *now, mga_trouble *trouble)
{
    const struct {
        const char *name;
        uint32_t agreed, now;
    } parts[] = {
        {"columns", agreed->columns, now->columns},
        {"rows", agreed->rows, now->rows},
        {"field", agreed->field, now->field},
        {"colour space", agreed->colorspace, now->colorspace},
        {"colour encoding", agreed->encoding, now->encoding},
        {"quantization", agreed->quantization, now->quantization},
        {"planes", agreed->planes, now->planes},
        {"bytes of a line", agreed->strides[0], now->strides[0]},
        {"bytes of a line of plane 2", agreed->strides[1], now->strides[1]},
        {"bytes of a line of plane 3", agreed->strides[2], now->strides[2]},
    };
    char what[sizeof trouble->what] = "";
    size_t length = 0;
    if (agreed->fourcc != now->fourcc) {
        char names[2][NAME_BYTES];
        name_of(agreed->fourcc, names[0], NAME_BYTES);
        name_of(now->fourcc, names[1], NAME_BYTES);
        length = (size_t)snprintf(what, sizeof what, "pixel format %s, now %s", names[0], names[1]);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && length < sizeof what; i++)
        if (parts[i].agreed != parts[i].now)
            length += (size_t)snprintf(what + length, sizeof what - length, "%s%s %u, now %u", length ? "; " : "",
                                       parts[i].name, parts[i].agreed, parts[i].now);
    return length ? mga_trouble_say(trouble, MGA_ERR_DEV_GEOMETRY, 0, what) : MGA_OK;
}

/* Chroma behind luma in the same memory. */
static void chroma(const mga_v4l2_picture *p, uint32_t layout, mga_device_frame *frame)
{
    const mga_plane whole = frame->planes[0];
    size_t stride = whole.stride ? whole.stride : p->columns;
    size_t at = stride * p->rows;
    size_t chroma_stride = layout == MGA_LAYOUT_I420 ? stride / 2 : stride;
    size_t chroma_bytes = chroma_stride * ((p->rows + 1) / 2);
    frame->count = layout == MGA_LAYOUT_I420 ? 3 : 2;
    for (size_t k = 1; k < frame->count; k++, at += chroma_bytes) {
        bool is_there = at < whole.size;
        frame->planes[k] = (mga_plane){.data = is_there ? (const uint8_t *)whole.data + at : whole.data,
                                       .size = is_there ? whole.size - at : 0,
                                       .stride = (uint32_t)chroma_stride};
    }
}

void mga_v4l2_planes(const mga_v4l2_picture *picture, const mga_plane *memories, mga_device_frame *frame)
{
    const pixel_format *f = format_of(picture->fourcc);
    frame->count = picture->planes;
    for (size_t k = 0; k < picture->planes; k++) {
        frame->planes[k] = memories[k];
        frame->planes[k].stride = picture->strides[k];
    }
    if (f->way == MGA_WAY_COLOUR && f->detail >= MGA_LAYOUT_NV12 && f->memories == 1)
        chroma(picture, f->detail, frame);
}
