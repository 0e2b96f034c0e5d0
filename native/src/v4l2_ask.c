/* What a Video4Linux2 device is asked outside of its stream: one function per question, each with an errno and the name
 * of its ioctl when it fails. What to ask for, and what to make of the answers, is Python's to decide. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "v4l2.h"

int64_t mga_v4l2_status(int number)
{
    switch (number) {
    case ENODEV:
    case ENXIO: return MGA_ERR_DEV_GONE;
    case EBUSY: return MGA_ERR_DEV_BUSY;
    case ENOMEM: return MGA_ERR_DEV_MEMORY;
    case EINVAL:
    case ENOTTY:
    case ERANGE:
    case EACCES:
    case EPERM: return MGA_ERR_DEV_REFUSED;
    default: return MGA_ERR_DEV_READ;
    }
}

int64_t mga_v4l2_ask(int fd, mga_v4l2_request request, void *argument, mga_trouble *trouble)
{
    int result = 0;
    do
        result = ioctl(fd, request.request, argument);
    while (result < 0 && errno == EINTR);
    if (result >= 0)
        return MGA_OK;
    int number = errno;
    return mga_trouble_say(trouble, mga_v4l2_status(number), number, request.name);
}

/* Of questions that go on until there is no more: 1, or 0 at the end and where the device knows no such thing. */
static int64_t one_more(int64_t status, const mga_trouble *trouble)
{
    bool end = status < 0 && (trouble->number == EINVAL || trouble->number == ENOTTY || trouble->number == ENODATA);
    return end ? 0 : status < 0 ? status : 1;
}

static void text(char *dst, size_t size, const void *src, size_t src_size)
{
    (void)snprintf(dst, size, "%.*s", (int)strnlen(src, src_size), (const char *)src);
}

int64_t mga_v4l2_identify(int32_t fd, mga_v4l2_identity *identity, mga_trouble *trouble)
{
    if (!identity || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_capability c = {0};
    int64_t status = mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_QUERYCAP), &c, trouble);
    if (status < 0)
        return status;
    uint32_t can = c.capabilities & V4L2_CAP_DEVICE_CAPS ? c.device_caps : c.capabilities;
    *identity = (mga_v4l2_identity){
        .captures = (can & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) != 0,
        .streams = (can & V4L2_CAP_STREAMING) != 0,
        .planar = (can & V4L2_CAP_VIDEO_CAPTURE) == 0,
    };
    text(identity->driver, sizeof identity->driver, c.driver, sizeof c.driver);
    text(identity->card, sizeof identity->card, c.card, sizeof c.card);
    text(identity->bus, sizeof identity->bus, c.bus_info, sizeof c.bus_info);
    return MGA_OK;
}

int64_t mga_v4l2_listen(int32_t fd)
{
    struct v4l2_event_subscription changes = {.type = V4L2_EVENT_SOURCE_CHANGE};
    mga_trouble unsupported;
    return mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_SUBSCRIBE_EVENT), &changes, &unsupported) >= 0;
}

int64_t mga_v4l2_input_at(int32_t fd, uint32_t index, mga_v4l2_input *input, mga_trouble *trouble)
{
    if (!input || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_input in = {.index = index};
    int64_t status = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_ENUMINPUT), &in, trouble), trouble);
    if (status > 0) {
        *input = (mga_v4l2_input){
            .no_signal = (in.status & (V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL | V4L2_IN_ST_NO_SYNC)) != 0,
            .has_timings = (in.capabilities & V4L2_IN_CAP_DV_TIMINGS) != 0,
            .has_standards = (in.capabilities & V4L2_IN_CAP_STD) != 0,
        };
        text(input->name, sizeof input->name, in.name, sizeof in.name);
    }
    return status;
}

int64_t mga_v4l2_input_get(int32_t fd, mga_trouble *trouble)
{
    int index = 0;
    int64_t status = trouble ? mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_G_INPUT), &index, trouble) : MGA_ERR_ARG_NULL;
    return status < 0 ? status : index;
}

int64_t mga_v4l2_input_set(int32_t fd, uint32_t index, mga_trouble *trouble)
{
    int value = (int)index;
    return trouble ? mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_S_INPUT), &value, trouble) : MGA_ERR_ARG_NULL;
}

int64_t mga_v4l2_timings_follow(int32_t fd, double *rate_hz, mga_trouble *trouble)
{
    if (!rate_hz || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_dv_timings t = {0};
    int64_t status = mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_QUERY_DV_TIMINGS), &t, trouble);
    if (status < 0)
        return status;
    const struct v4l2_bt_timings *bt = &t.bt;
    double lines = V4L2_DV_BT_FRAME_HEIGHT(bt);
    double pixels = lines * V4L2_DV_BT_FRAME_WIDTH(bt);
    *rate_hz = pixels > 0 ? (double)bt->pixelclock / pixels : 0;
    return mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_S_DV_TIMINGS), &t, trouble);
}

int64_t mga_v4l2_standard_follow(int32_t fd, mga_trouble *trouble)
{
    if (!trouble)
        return MGA_ERR_ARG_NULL;
    v4l2_std_id seen = 0;
    int64_t found = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_QUERYSTD), &seen, trouble), trouble);
    if (found <= 0 || seen == 0)
        return found < 0 ? found : 0;
    int64_t status = mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_S_STD), &seen, trouble);
    return status < 0 ? status : 1;
}

int64_t mga_v4l2_pixels_at(int32_t fd, uint32_t planar, uint32_t index, mga_v4l2_pixels *pixels, mga_trouble *trouble)
{
    if (!pixels || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_fmtdesc d = {.index = index, .type = mga_v4l2_type(planar)};
    int64_t status = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_ENUM_FMT), &d, trouble), trouble);
    if (status > 0) {
        *pixels = (mga_v4l2_pixels){.fourcc = d.pixelformat};
        text(pixels->name, sizeof pixels->name, d.description, sizeof d.description);
    }
    return status;
}

int64_t mga_v4l2_size_at(int32_t fd, uint32_t fourcc, uint32_t index, mga_v4l2_size *size, mga_trouble *trouble)
{
    if (!size || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_frmsizeenum e = {.index = index, .pixel_format = fourcc};
    int64_t status = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_ENUM_FRAMESIZES), &e, trouble), trouble);
    if (status <= 0)
        return status;
    if (e.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
        *size = (mga_v4l2_size){{e.discrete.width, e.discrete.width, 1}, {e.discrete.height, e.discrete.height, 1}};
        return 1;
    }
    const struct v4l2_frmsize_stepwise *s = &e.stepwise;
    *size =
        (mga_v4l2_size){{s->min_width, s->max_width, s->step_width}, {s->min_height, s->max_height, s->step_height}};
    return index == 0; /* steps are one answer, whatever a driver says to the next */
}

static double hertz(struct v4l2_fract interval)
{
    return interval.numerator && interval.denominator ? (double)interval.denominator / interval.numerator : 0;
}

int64_t mga_v4l2_rate_at(int32_t fd, const mga_v4l2_picture *picture, uint32_t index, double rates_hz[2],
                         mga_trouble *trouble)
{
    if (!picture || !rates_hz || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_frmivalenum e = {
        .index = index, .pixel_format = picture->fourcc, .width = picture->columns, .height = picture->rows};
    int64_t status = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_ENUM_FRAMEINTERVALS), &e, trouble), trouble);
    if (status <= 0)
        return status;
    bool discrete = e.type == V4L2_FRMIVAL_TYPE_DISCRETE;
    rates_hz[0] = hertz(discrete ? e.discrete : e.stepwise.max);
    rates_hz[1] = hertz(discrete ? e.discrete : e.stepwise.min);
    return discrete || index == 0;
}

static void from_planar(mga_v4l2_picture *out, const struct v4l2_pix_format_mplane *p)
{
    *out = (mga_v4l2_picture){.fourcc = p->pixelformat,
                              .rows = p->height,
                              .columns = p->width,
                              .field = p->field,
                              .colorspace = p->colorspace,
                              .encoding = p->ycbcr_enc,
                              .quantization = p->quantization,
                              .planes = p->num_planes};
    for (uint32_t k = 0; k < MGA_PLANES_MAX; k++)
        out->strides[k] = p->plane_fmt[k].bytesperline;
}

static void from_single(mga_v4l2_picture *out, const struct v4l2_pix_format *p)
{
    bool extended = p->priv == V4L2_PIX_FMT_PRIV_MAGIC; /* else what stands behind it is not a driver's */
    *out = (mga_v4l2_picture){.fourcc = p->pixelformat,
                              .rows = p->height,
                              .columns = p->width,
                              .field = p->field,
                              .colorspace = p->colorspace,
                              .encoding = extended ? p->ycbcr_enc : 0,
                              .quantization = extended ? p->quantization : 0,
                              .planes = 1,
                              .strides = {p->bytesperline}};
}

static int64_t settle(int32_t fd, uint32_t planar, mga_v4l2_request request, mga_v4l2_picture *picture,
                      struct v4l2_format *f, mga_trouble *trouble)
{
    int64_t status = mga_v4l2_ask(fd, request, f, trouble);
    if (status < 0)
        return status;
    if (planar)
        from_planar(picture, &f->fmt.pix_mp);
    else
        from_single(picture, &f->fmt.pix);
    return MGA_OK;
}

int64_t mga_v4l2_picture_get(int32_t fd, uint32_t planar, mga_v4l2_picture *picture, mga_trouble *trouble)
{
    if (!picture || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_format f = {.type = mga_v4l2_type(planar)};
    return settle(fd, planar, MGA_V4L2(VIDIOC_G_FMT), picture, &f, trouble);
}

int64_t mga_v4l2_picture_set(int32_t fd, uint32_t planar, mga_v4l2_picture *picture, mga_trouble *trouble)
{
    if (!picture || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_format f = {.type = mga_v4l2_type(planar)};
    if (planar)
        f.fmt.pix_mp = (struct v4l2_pix_format_mplane){.width = picture->columns,
                                                       .height = picture->rows,
                                                       .pixelformat = picture->fourcc,
                                                       .field = V4L2_FIELD_ANY};
    else
        f.fmt.pix = (struct v4l2_pix_format){.width = picture->columns,
                                             .height = picture->rows,
                                             .pixelformat = picture->fourcc,
                                             .field = V4L2_FIELD_ANY,
                                             .priv = V4L2_PIX_FMT_PRIV_MAGIC};
    return settle(fd, planar, MGA_V4L2(VIDIOC_S_FMT), picture, &f, trouble);
}

int64_t mga_v4l2_rate(int32_t fd, uint32_t planar, double wanted_hz, double *rate_hz, mga_trouble *trouble)
{
    if (!rate_hz || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_streamparm p = {.type = mga_v4l2_type(planar)};
    *rate_hz = 0;
    if (wanted_hz > 0) {
        p.parm.capture.timeperframe =
            (struct v4l2_fract){.numerator = 1000, .denominator = (uint32_t)(wanted_hz * 1000 + 0.5)};
        int64_t status = mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_S_PARM), &p, trouble);
        if (status < 0)
            return status;
    }
    p = (struct v4l2_streamparm){.type = mga_v4l2_type(planar)};
    int64_t got = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_G_PARM), &p, trouble), trouble);
    if (got > 0)
        *rate_hz = hertz(p.parm.capture.timeperframe);
    return got < 0 ? got : (p.parm.capture.capability & V4L2_CAP_TIMEPERFRAME) != 0;
}

static bool has_value(const struct v4l2_query_ext_ctrl *q)
{
    return q->type == V4L2_CTRL_TYPE_INTEGER || q->type == V4L2_CTRL_TYPE_BOOLEAN || q->type == V4L2_CTRL_TYPE_MENU ||
           q->type == V4L2_CTRL_TYPE_INTEGER_MENU || q->type == V4L2_CTRL_TYPE_BITMASK ||
           q->type == V4L2_CTRL_TYPE_INTEGER64;
}

static int64_t value(int32_t fd, const mga_v4l2_control *control, mga_v4l2_request request, int64_t *number,
                     mga_trouble *trouble)
{
    bool wide = control->kind == MGA_V4L2_INTEGER64;
    struct v4l2_ext_control one = {.id = control->id};
    if (wide)
        one.value64 = *number;
    else
        one.value = (int32_t)*number;
    struct v4l2_ext_controls all = {.which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1, .controls = &one};
    int64_t status = mga_v4l2_ask(fd, request, &all, trouble);
    if (status >= 0)
        *number = wide ? one.value64 : one.value;
    return status;
}

static uint32_t kind_of(uint32_t type)
{
    switch (type) {
    case V4L2_CTRL_TYPE_BOOLEAN: return MGA_V4L2_BOOLEAN;
    case V4L2_CTRL_TYPE_MENU: return MGA_V4L2_MENU;
    case V4L2_CTRL_TYPE_INTEGER_MENU: return MGA_V4L2_INTEGER_MENU;
    case V4L2_CTRL_TYPE_BUTTON: return MGA_V4L2_BUTTON;
    case V4L2_CTRL_TYPE_INTEGER64: return MGA_V4L2_INTEGER64;
    default: return MGA_V4L2_INTEGER;
    }
}

int64_t mga_v4l2_control_after(int32_t fd, uint32_t id, mga_v4l2_control *control, mga_trouble *trouble)
{
    if (!control || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_query_ext_ctrl q = {.id = id};
    do {
        q = (struct v4l2_query_ext_ctrl){.id = q.id | V4L2_CTRL_FLAG_NEXT_CTRL};
        int64_t more = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_QUERY_EXT_CTRL), &q, trouble), trouble);
        if (more <= 0)
            return more;
    } while (q.flags & V4L2_CTRL_FLAG_DISABLED || q.elems > 1 || (!has_value(&q) && q.type != V4L2_CTRL_TYPE_BUTTON));
    *control = (mga_v4l2_control){.id = q.id,
                                  .kind = kind_of(q.type),
                                  .read_only = (q.flags & V4L2_CTRL_FLAG_READ_ONLY) != 0,
                                  .inactive = (q.flags & V4L2_CTRL_FLAG_INACTIVE) != 0,
                                  .layout = (q.flags & V4L2_CTRL_FLAG_MODIFY_LAYOUT) != 0,
                                  .minimum = q.minimum,
                                  .maximum = q.maximum,
                                  .step = (int64_t)q.step,
                                  .preset = q.default_value,
                                  .value = q.default_value};
    text(control->name, sizeof control->name, q.name, sizeof q.name);
    mga_trouble unread;
    if (has_value(&q) && !(q.flags & V4L2_CTRL_FLAG_WRITE_ONLY))
        (void)value(fd, control, MGA_V4L2(VIDIOC_G_EXT_CTRLS), &control->value, &unread);
    return 1;
}

int64_t mga_v4l2_menu_at(int32_t fd, const mga_v4l2_control *control, uint32_t index, mga_v4l2_choice *choice,
                         mga_trouble *trouble)
{
    if (!control || !choice || !trouble)
        return MGA_ERR_ARG_NULL;
    struct v4l2_querymenu m = {.id = control->id, .index = index};
    int64_t status = one_more(mga_v4l2_ask(fd, MGA_V4L2(VIDIOC_QUERYMENU), &m, trouble), trouble);
    if (status <= 0)
        return status;
    *choice = (mga_v4l2_choice){0};
    if (control->kind == MGA_V4L2_INTEGER_MENU)
        (void)snprintf(choice->name, sizeof choice->name, "%lld", (long long)m.value);
    else
        text(choice->name, sizeof choice->name, m.name, sizeof m.name);
    return 1;
}

int64_t mga_v4l2_control_set(int32_t fd, const mga_v4l2_control *control, int64_t number, int64_t *now,
                             mga_trouble *trouble)
{
    if (!control || !now || !trouble)
        return MGA_ERR_ARG_NULL;
    *now = number;
    int64_t status = value(fd, control, MGA_V4L2(VIDIOC_S_EXT_CTRLS), now, trouble);
    if (status < 0 || control->kind == MGA_V4L2_BUTTON)
        return status;
    return value(fd, control, MGA_V4L2(VIDIOC_G_EXT_CTRLS), now, trouble);
}
