/* What a device has to offer, and what it is set to. */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CONTROL V4L2_CID_BASE
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_set(const fake_script *s, const fake_settings *set, char layout)
{
    for (int i = 0; i < s->control_count; i++)
        if (s->controls[i].layout == layout && set->values[i] != 0)
            return true;
    return false;
}

/* The picture as its controls turn and flip it; what was turned or flipped comes back as it was. */
static fake_settings laid_out(const fake_script *s, const fake_settings *set)
{
    static const uint32_t PAIRS[][2] = {{V4L2_PIX_FMT_SRGGB8, V4L2_PIX_FMT_SGRBG8},
                                        {V4L2_PIX_FMT_SBGGR8, V4L2_PIX_FMT_SGBRG8}};
    fake_settings out = *set;
    if (is_set(s, set, 't')) {
        out.columns = set->rows;
        out.rows = set->columns;
    }
    for (size_t i = 0; i < COUNT(PAIRS) && is_set(s, set, 'f'); i++)
        for (size_t k = 0; k < 2; k++)
            if (set->fourcc == PAIRS[i][k])
                out.fourcc = PAIRS[i][1 - k];
    return out;
}

static const fake_offer *offered(const fake_script *s, uint32_t fourcc)
{
    for (int i = 0; i < s->offer_count; i++)
        if (s->offers[i].fourcc == fourcc)
            return &s->offers[i];
    return NULL;
}

static void describe(const fake_script *s, const fake_settings *set, uint32_t *line, uint32_t *image, uint32_t *second)
{
    const fake_layout *layout = fake_layout_of(set->fourcc);
    *line = layout->line_bytes * set->columns / 12 + s->pad;
    uint32_t plane = *line * set->rows;
    uint32_t chroma = layout->halves == 2 ? *line / 2 * (set->rows / 2) * 2 : *line * (set->rows / 2);
    *image = plane + (layout->halves == 1 || layout->halves == 2 ? chroma : 0);
    *second = layout->halves == 3 ? chroma : 0;
}

void fake_format_fill(const fake_script *s, const fake_settings *settings, struct v4l2_format *format)
{
    const fake_settings laid = laid_out(s, settings);
    const fake_settings *set = &laid;
    uint32_t line = 0;
    uint32_t image = 0;
    uint32_t second = 0;
    describe(s, set, &line, &image, &second);
    if (s->planar) {
        struct v4l2_pix_format_mplane *p = &format->fmt.pix_mp;
        *p = (struct v4l2_pix_format_mplane){
            .width = set->columns,
            .height = set->rows,
            .pixelformat = set->fourcc,
            .field = V4L2_FIELD_NONE,
            .colorspace = s->colorspace,
            .num_planes = second ? 2 : 1,
            .ycbcr_enc = (uint8_t)s->encoding,
            .quantization = (uint8_t)s->quantization,
        };
        p->plane_fmt[0] = (struct v4l2_plane_pix_format){.sizeimage = image, .bytesperline = line};
        p->plane_fmt[1] = (struct v4l2_plane_pix_format){.sizeimage = second, .bytesperline = line};
        return;
    }
    format->fmt.pix = (struct v4l2_pix_format){
        .width = set->columns,
        .height = set->rows,
        .pixelformat = set->fourcc,
        .field = V4L2_FIELD_NONE,
        .bytesperline = line,
        .sizeimage = image,
        .colorspace = s->colorspace,
        .priv = V4L2_PIX_FMT_PRIV_MAGIC,
        .ycbcr_enc = s->encoding,
        .quantization = s->quantization,
    };
}

static uint32_t distance(fake_size a, uint32_t columns, uint32_t rows)
{
    return (uint32_t)abs((int)a.columns - (int)columns) + (uint32_t)abs((int)a.rows - (int)rows);
}

static int choose(const fake_script *s, fake_settings *set, struct v4l2_format *format, bool keep)
{
    uint32_t fourcc = s->planar ? format->fmt.pix_mp.pixelformat : format->fmt.pix.pixelformat;
    fake_settings asked = *set;
    asked.fourcc = fourcc;
    asked.columns = s->planar ? format->fmt.pix_mp.width : format->fmt.pix.width;
    asked.rows = s->planar ? format->fmt.pix_mp.height : format->fmt.pix.height;
    asked = laid_out(s, &asked);
    fake_settings chosen = *set;
    const fake_offer *offer = offered(s, asked.fourcc);
    if (!offer)
        offer = &s->offers[0];
    if (!s->stubborn_format) {
        chosen.fourcc = offer->fourcc;
        fake_size best = offer->sizes[0];
        for (int i = 1; i < offer->count; i++)
            if (distance(offer->sizes[i], asked.columns, asked.rows) < distance(best, asked.columns, asked.rows))
                best = offer->sizes[i];
        chosen.columns = best.columns;
        chosen.rows = best.rows;
    }
    if (s->inputs[set->input].hertz > 0 && !set->timings_set)
        chosen.columns = chosen.rows = 16; /* what was there before anybody looked at the signal */
    fake_format_fill(s, &chosen, format);
    if (keep)
        *set = chosen;
    return 0;
}

static int formats(const fake_script *s, const fake_settings *set, struct v4l2_fmtdesc *d)
{
    if (d->index >= (uint32_t)s->offer_count)
        return EINVAL;
    fake_settings of = *set;
    of.fourcc = s->offers[d->index].fourcc;
    d->pixelformat = laid_out(s, &of).fourcc;
    d->flags = d->pixelformat == V4L2_PIX_FMT_MJPEG ? V4L2_FMT_FLAG_COMPRESSED : 0;
    (void)snprintf((char *)d->description, sizeof d->description, "fake %.4s", (const char *)&d->pixelformat);
    return 0;
}

static int sizes(const fake_script *s, struct v4l2_frmsizeenum *e)
{
    const fake_offer *offer = offered(s, e->pixel_format);
    if (!offer || e->index >= (uint32_t)offer->count)
        return EINVAL;
    e->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    e->discrete.width = offer->sizes[e->index].columns;
    e->discrete.height = offer->sizes[e->index].rows;
    return 0;
}

static struct v4l2_fract interval(double hertz)
{
    return (struct v4l2_fract){.numerator = 1000, .denominator = (uint32_t)(hertz * 1000)};
}

static int intervals(const fake_script *s, struct v4l2_frmivalenum *e)
{
    if (!offered(s, e->pixel_format) || e->index >= (uint32_t)s->rate_count)
        return EINVAL;
    e->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    e->discrete = interval(s->rates[e->index]);
    return 0;
}

static int parm(const fake_script *s, fake_settings *set, struct v4l2_streamparm *p, bool change)
{
    if (s->rate_count == 0)
        return ENOTTY;
    struct v4l2_captureparm *c = &p->parm.capture;
    if (change && !s->stubborn_rate && c->timeperframe.numerator) {
        double asked = (double)c->timeperframe.denominator / c->timeperframe.numerator;
        set->rate = s->rates[0];
        for (int i = 1; i < s->rate_count; i++)
            if ((s->rates[i] - asked) * (s->rates[i] - asked) < (set->rate - asked) * (set->rate - asked))
                set->rate = s->rates[i];
    }
    *c = (struct v4l2_captureparm){.capability = V4L2_CAP_TIMEPERFRAME, .timeperframe = interval(set->rate)};
    return 0;
}

static int input_at(const fake_script *s, struct v4l2_input *in)
{
    if (in->index >= (uint32_t)s->input_count)
        return s->input_count ? EINVAL : ENOTTY;
    const fake_input *f = &s->inputs[in->index];
    (void)snprintf((char *)in->name, sizeof in->name, "%s", f->name);
    in->type = V4L2_INPUT_TYPE_CAMERA;
    in->status = f->status;
    in->capabilities = f->hertz > 0 ? V4L2_IN_CAP_DV_TIMINGS : 0;
    return 0;
}

static int input(const fake_script *s, fake_settings *set, int *index, bool change)
{
    if (!s->input_count)
        return ENOTTY;
    if (change && (*index < 0 || *index >= s->input_count))
        return EINVAL;
    if (change) {
        set->input = (uint32_t)*index;
        set->timings_set = false;
    }
    *index = (int)set->input;
    return 0;
}

static int timings(const fake_script *s, fake_settings *set, struct v4l2_dv_timings *t, bool change)
{
    const fake_input *in = &s->inputs[set->input];
    if (in->hertz <= 0)
        return ENODATA;
    if (in->status & V4L2_IN_ST_NO_SIGNAL)
        return ENOLINK;
    struct v4l2_bt_timings *bt = &t->bt;
    fake_size size = s->offers[0].sizes[0];
    if (change) {
        set->timings_set = true;
        set->columns = bt->width;
        set->rows = bt->height;
        set->rate = in->hertz;
        return 0;
    }
    *t = (struct v4l2_dv_timings){.type = V4L2_DV_BT_656_1120};
    bt->width = size.columns;
    bt->height = size.rows;
    bt->hfrontporch = 8;
    bt->vfrontporch = 2;
    bt->pixelclock = (uint64_t)((size.columns + 8) * (size.rows + 2) * in->hertz);
    return 0;
}

static const fake_control *control_of(const fake_script *s, uint32_t id)
{
    uint32_t at = id - FIRST_CONTROL;
    return at < (uint32_t)s->control_count ? &s->controls[at] : NULL;
}

static int control_query(const fake_script *s, struct v4l2_query_ext_ctrl *q)
{
    uint32_t id = q->id & V4L2_CTRL_ID_MASK;
    if (q->id & V4L2_CTRL_FLAG_NEXT_CTRL)
        id = id < FIRST_CONTROL ? FIRST_CONTROL : id + 1;
    const fake_control *c = control_of(s, id);
    if (!c)
        return EINVAL;
    *q = (struct v4l2_query_ext_ctrl){.id = id,
                                      .type = c->type,
                                      .flags = c->flags,
                                      .minimum = c->minimum,
                                      .maximum = c->maximum,
                                      .step = (uint64_t)c->step,
                                      .default_value = c->preset,
                                      .elem_size = 4,
                                      .elems = 1};
    memcpy(q->name, c->name, sizeof q->name);
    return 0;
}

static int menu_at(const fake_script *s, struct v4l2_querymenu *m)
{
    const fake_control *c = control_of(s, m->id);
    if (!c || c->type != V4L2_CTRL_TYPE_MENU || m->index > c->maximum || m->index < c->minimum || m->index == 1)
        return EINVAL; /* menus may have holes */
    (void)snprintf((char *)m->name, sizeof m->name, "Choice %u", m->index);
    return 0;
}

static int control_value(const fake_script *s, fake_settings *set, struct v4l2_ext_controls *many, bool change)
{
    struct v4l2_ext_control *one = many->controls;
    const fake_control *c = many->count == 1 ? control_of(s, one->id) : NULL;
    if (!c)
        return EINVAL;
    int64_t *value = &set->values[c - s->controls];
    bool wide = c->type == V4L2_CTRL_TYPE_INTEGER64;
    if (change) {
        int64_t asked = wide ? one->value64 : one->value;
        if (asked < c->minimum || asked > c->maximum)
            return ERANGE;
        *value = c->step > 1 ? asked - (asked - c->minimum) % c->step : asked;
    }
    if (wide)
        one->value64 = *value;
    else
        one->value = (int32_t)*value;
    return 0;
}

static int format(const fake_script *s, fake_settings *set, struct v4l2_format *f, unsigned long request)
{
    uint32_t own = s->planar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
    if (f->type != own)
        return EINVAL;
    if (request != VIDIOC_G_FMT)
        return choose(s, set, f, request == VIDIOC_S_FMT);
    fake_format_fill(s, set, f);
    return 0;
}

int fake_settle(const fake_script *s, fake_settings *set, unsigned long request, void *argument)
{
    switch (request) {
    case VIDIOC_ENUM_FMT: return formats(s, set, argument);
    case VIDIOC_ENUM_FRAMESIZES: return sizes(s, argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return intervals(s, argument);
    case VIDIOC_G_FMT:
    case VIDIOC_TRY_FMT:
    case VIDIOC_S_FMT: return format(s, set, argument, request);
    case VIDIOC_G_PARM: return parm(s, set, argument, false);
    case VIDIOC_S_PARM: return parm(s, set, argument, true);
    case VIDIOC_ENUMINPUT: return input_at(s, argument);
    case VIDIOC_G_INPUT: return input(s, set, argument, false);
    case VIDIOC_S_INPUT: return input(s, set, argument, true);
    case VIDIOC_QUERY_DV_TIMINGS: return timings(s, set, argument, false);
    case VIDIOC_S_DV_TIMINGS: return timings(s, set, argument, true);
    case VIDIOC_QUERY_EXT_CTRL: return control_query(s, argument);
    case VIDIOC_QUERYMENU: return menu_at(s, argument);
    case VIDIOC_G_EXT_CTRLS: return control_value(s, set, argument, false);
    case VIDIOC_S_EXT_CTRLS: return control_value(s, set, argument, true);
    default: return -1;
    }
}
