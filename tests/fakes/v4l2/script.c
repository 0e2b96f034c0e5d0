/* The text file that a device is described by. */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned long request;
} REQUESTS[] = {
    {"QUERYCAP", VIDIOC_QUERYCAP}, {"S_INPUT", VIDIOC_S_INPUT},   {"S_FMT", VIDIOC_S_FMT},
    {"S_PARM", VIDIOC_S_PARM},     {"REQBUFS", VIDIOC_REQBUFS},   {"QUERYBUF", VIDIOC_QUERYBUF},
    {"QBUF", VIDIOC_QBUF},         {"STREAMON", VIDIOC_STREAMON}, {"S_EXT_CTRLS", VIDIOC_S_EXT_CTRLS},
    {"DQBUF", VIDIOC_DQBUF},
};
static const struct {
    const char *name;
    int number;
} ERRNOS[] = {{"EBUSY", EBUSY}, {"EINVAL", EINVAL}, {"EIO", EIO},       {"ENOMEM", ENOMEM},
              {"EPERM", EPERM}, {"ENODEV", ENODEV}, {"ENOTTY", ENOTTY}, {"ENOLINK", ENOLINK}};
static const struct {
    const char *name;
    uint32_t type;
} TYPES[] = {{"int", V4L2_CTRL_TYPE_INTEGER},   {"bool", V4L2_CTRL_TYPE_BOOLEAN},    {"menu", V4L2_CTRL_TYPE_MENU},
             {"button", V4L2_CTRL_TYPE_BUTTON}, {"int64", V4L2_CTRL_TYPE_INTEGER64}, {"text", V4L2_CTRL_TYPE_STRING},
             {"off", V4L2_CTRL_TYPE_INTEGER},   {"turn", V4L2_CTRL_TYPE_INTEGER},    {"twist", V4L2_CTRL_TYPE_INTEGER},
             {"flip", V4L2_CTRL_TYPE_BOOLEAN}};

static const fake_layout LAYOUTS[] = {
    {V4L2_PIX_FMT_GREY, 12, 0, 0},     {V4L2_PIX_FMT_Y10, 24, 0, 0x03ff}, {V4L2_PIX_FMT_Y12, 24, 0, 0x0fff},
    {V4L2_PIX_FMT_Y14, 24, 0, 0x3fff}, {V4L2_PIX_FMT_Y16, 24, 0, 0xffff}, {V4L2_PIX_FMT_Y16_BE, 24, 0, 0},
    {V4L2_PIX_FMT_YUYV, 24, 0, 0},     {V4L2_PIX_FMT_UYVY, 24, 0, 0},     {V4L2_PIX_FMT_RGB24, 36, 0, 0},
    {V4L2_PIX_FMT_BGR24, 36, 0, 0},    {V4L2_PIX_FMT_XBGR32, 48, 0, 0},   {V4L2_PIX_FMT_ABGR32, 48, 0, 0},
    {V4L2_PIX_FMT_NV12, 12, 1, 0},     {V4L2_PIX_FMT_YUV420, 12, 2, 0},   {V4L2_PIX_FMT_NV12M, 12, 3, 0},
    {V4L2_PIX_FMT_SRGGB8, 12, 0, 0},   {V4L2_PIX_FMT_SGRBG8, 12, 0, 0},   {V4L2_PIX_FMT_SGBRG8, 12, 0, 0},
    {V4L2_PIX_FMT_SBGGR8, 12, 0, 0},   {V4L2_PIX_FMT_MJPEG, 12, 0, 0},
};

static _Noreturn void wrong(const char *what, const char *where)
{
    (void)fprintf(stderr, "v4l2 fake: %s: '%s'\n", what, where ? where : "");
    abort();
}

uint32_t fake_fourcc(const char *text)
{
    char four[5] = "    ";
    size_t length = strcspn(text, "_");
    if (length < 1 || length > 4)
        wrong("no format", text);
    memcpy(four, text, length);
    uint32_t code = v4l2_fourcc(four[0], four[1], four[2], four[3]);
    return strcmp(text + length, "_BE") == 0 ? code | 1u << 31 : code;
}

const fake_layout *fake_layout_of(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof LAYOUTS[0]; i++)
        if (LAYOUTS[i].fourcc == fourcc)
            return &LAYOUTS[i];
    return NULL;
}

bool fake_has(const fake_list *list, uint32_t number)
{
    for (int i = 0; i < list->count; i++)
        if (list->numbers[i] == number)
            return true;
    return false;
}

static char *word(char **rest)
{
    char *found = strtok_r(NULL, " \t\n", rest);
    if (!found)
        wrong("a word is missing", *rest);
    return found;
}

static int64_t number(char **rest)
{
    char *end = NULL;
    char *text = word(rest);
    long long value = strtoll(text, &end, 0);
    if (*end)
        wrong("no number", text);
    return value;
}

static void copy(char *dst, size_t size, const char *src)
{
    (void)snprintf(dst, size, "%s", src);
    for (char *c = dst; *c; c++)
        if (*c == '_')
            *c = ' ';
}

static void offer(fake_script *s, char **rest)
{
    fake_offer *o = &s->offers[s->offer_count++];
    o->fourcc = fake_fourcc(word(rest));
    if (!fake_layout_of(o->fourcc))
        wrong("no layout of this format", "");
    for (char *text = NULL; (text = strtok_r(NULL, " \t\n", rest)); o->count++)
        if (sscanf(text, "%ux%u", &o->sizes[o->count].columns, &o->sizes[o->count].rows) != 2)
            wrong("no size", text);
}

static void control(fake_script *s, char **rest)
{
    fake_control *c = &s->controls[s->control_count++];
    copy(c->name, sizeof c->name, word(rest));
    const char *type = word(rest);
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (strcmp(type, TYPES[i].name) == 0)
            c->type = TYPES[i].type;
    c->flags = strcmp(type, "off") == 0 ? V4L2_CTRL_FLAG_DISABLED : 0;
    c->layout = 0;
    if (strcmp(type, "turn") == 0 || strcmp(type, "twist") == 0)
        c->layout = 't';
    else if (strcmp(type, "flip") == 0)
        c->layout = 'f';
    if (c->layout && strcmp(type, "twist") != 0)
        c->flags = V4L2_CTRL_FLAG_MODIFY_LAYOUT;
    c->minimum = number(rest);
    c->maximum = number(rest);
    c->step = number(rest);
    c->preset = number(rest);
}

static void input(fake_script *s, char **rest)
{
    fake_input *in = &s->inputs[s->input_count++];
    copy(in->name, sizeof in->name, word(rest));
    in->status = (uint32_t)number(rest);
    const char *hertz = strtok_r(NULL, " \t\n", rest);
    in->hertz = hertz ? atof(hertz) : 0;
}

static unsigned long request_of(const char *name)
{
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++)
        if (strcmp(name, REQUESTS[i].name) == 0)
            return REQUESTS[i].request;
    wrong("no ioctl", name);
}

static void failure(fake_script *s, char **rest)
{
    fake_failure *f = &s->failures[s->failure_count++];
    f->request = request_of(word(rest));
    const char *error = word(rest);
    for (size_t i = 0; i < sizeof ERRNOS / sizeof ERRNOS[0]; i++)
        if (strcmp(error, ERRNOS[i].name) == 0)
            f->error = ERRNOS[i].number;
    if (!f->error)
        wrong("no errno", error);
}

static void list(fake_list *l, char **rest)
{
    for (char *text = NULL; (text = strtok_r(NULL, " \t\n", rest));)
        l->numbers[l->count++] = (uint32_t)atoi(text);
}

static bool flags(fake_script *s, const char *key, char **rest)
{
    const struct {
        const char *name;
        bool *flag;
    } FLAGS[] = {{"absent", &s->absent},
                 {"planar", &s->planar},
                 {"begun", &s->begun},
                 {"uncounted", &s->uncounted},
                 {"away", &s->away}};
    for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++)
        if (strcmp(key, FLAGS[i].name) == 0)
            return *FLAGS[i].flag = true;
    if (strcmp(key, "clock") == 0)
        s->clock_unknown = strcmp(word(rest), "unknown") == 0;
    else if (strcmp(key, "stubborn") == 0)
        *(strcmp(word(rest), "rate") == 0 ? &s->stubborn_rate : &s->stubborn_format) = true;
    else
        return false;
    return true;
}

static bool moments(fake_script *s, const char *key, char **rest)
{
    const struct {
        const char *name;
        fake_list *numbers;
        int64_t *at;
    } MOMENTS[] = {{"gap", &s->gaps, NULL},         {"error", &s->errors, NULL},   {"short", &s->shorts, NULL},
                   {"empty", &s->empties, NULL},    {"fatal", NULL, &s->fatal_at}, {"gone", NULL, &s->gone_at},
                   {"change", NULL, &s->change_at}, {"ahead", &s->aheads, NULL},   {"unstamped", &s->unstamped, NULL}};
    for (size_t i = 0; i < sizeof MOMENTS / sizeof MOMENTS[0]; i++)
        if (strcmp(key, MOMENTS[i].name) == 0) {
            if (MOMENTS[i].numbers)
                list(MOMENTS[i].numbers, rest);
            else
                *MOMENTS[i].at = number(rest);
            return true;
        }
    return false;
}

static void take(fake_script *s, const char *key, char **rest)
{
    char *text = NULL;
    if (flags(s, key, rest) || moments(s, key, rest))
        return;
    if (strcmp(key, "path") == 0)
        while ((text = strtok_r(NULL, " \t\n", rest)))
            (void)snprintf(s->paths[s->path_count++], sizeof s->paths[0], "%s", text);
    else if (strcmp(key, "rates") == 0)
        while ((text = strtok_r(NULL, " \t\n", rest)))
            s->rates[s->rate_count++] = atof(text);
    else if (strcmp(key, "format") == 0)
        offer(s, rest);
    else if (strcmp(key, "control") == 0)
        control(s, rest);
    else if (strcmp(key, "input") == 0)
        input(s, rest);
    else if (strcmp(key, "fail") == 0)
        failure(s, rest);
    else if (strcmp(key, "change_at") == 0)
        s->change_request = request_of(word(rest));
    else if (strcmp(key, "pad") == 0)
        s->pad = (uint32_t)number(rest);
    else if (strcmp(key, "buffers") == 0) {
        s->fewest = (uint32_t)number(rest);
        s->most = (uint32_t)number(rest);
    } else if (strcmp(key, "colour") == 0) {
        s->colorspace = (uint32_t)number(rest);
        s->encoding = (uint32_t)number(rest);
        s->quantization = (uint32_t)number(rest);
    } else
        wrong("no such line", key);
}

int fake_script_read(fake_script *script, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    *script = (fake_script){
        .fatal_at = -1, .gone_at = -1, .change_at = -1, .fewest = 2, .most = 32, .colorspace = V4L2_COLORSPACE_SRGB};
    char line[1024];
    while (fgets(line, sizeof line, file)) {
        char *rest = NULL;
        const char *key = strtok_r(line, " \t\n", &rest);
        if (key && *key != '#')
            take(script, key, &rest);
    }
    (void)fclose(file);
    return 0;
}
