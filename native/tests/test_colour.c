/* Every layout and space against a plain reading of what they mean; vectors as plain C; each argument is checked. */
#include <string.h>

#include "check.h"
#include "colour_matrices.h"
#include "mga.h"
#include "random.h"

enum { HALF_AND_HAIR = (1 << 19) + 84, LAYOUTS = MGA_LAYOUT_I420 + 1, PLANES = 3 };

/* Bytes of a line of plane k, and how many lines it has. */
static size_t line_bytes(uint32_t layout, size_t k, uint32_t columns)
{
    size_t pairs = (columns + 1) / 2;
    if (layout <= MGA_LAYOUT_BGRX32)
        return (layout == MGA_LAYOUT_BGRX32 ? 4u : 3u) * (size_t)columns;
    if (layout <= MGA_LAYOUT_YYUV)
        return 4 * pairs;
    return k == 0 ? columns : layout == MGA_LAYOUT_NV12 ? 2 * pairs : pairs;
}

static size_t plane_count(uint32_t layout)
{
    return layout == MGA_LAYOUT_NV12 ? 2 : layout == MGA_LAYOUT_I420 ? 3 : 1;
}

static void sample(const mga_plane *p, uint32_t layout, uint32_t row, uint32_t column, uint8_t out[3])
{
    static const uint8_t AT[][5] = {/* bytes, then places of the first, the second and the third; of the odd first */
                                    {3, 0, 1, 2, 0}, {3, 2, 1, 0, 2}, {4, 2, 1, 0, 2},
                                    {4, 0, 1, 3, 2}, {4, 1, 0, 2, 3}, {4, 0, 2, 3, 1}};
    const uint8_t *line = (const uint8_t *)p[0].data + (size_t)row * p[0].stride;
    if (layout > MGA_LAYOUT_YYUV) {
        out[0] = line[column];
        const uint8_t *u = (const uint8_t *)p[1].data + (size_t)(row / 2) * p[1].stride;
        out[1] = layout == MGA_LAYOUT_NV12 ? u[column / 2 * 2] : u[column / 2];
        out[2] = layout == MGA_LAYOUT_NV12 ? u[column / 2 * 2 + 1]
                                           : ((const uint8_t *)p[2].data)[(size_t)(row / 2) * p[2].stride + column / 2];
        return;
    }
    const uint8_t *at = AT[layout];
    int paired = layout >= MGA_LAYOUT_YUYV;
    const uint8_t *group = line + (size_t)(paired ? column / 2 : column) * at[0];
    out[0] = group[paired && column % 2 ? at[4] : at[1]];
    out[1] = group[at[2]];
    out[2] = group[at[3]];
}

static void turn(const mga_matrix *m, uint8_t s[3])
{
    if (!m)
        return;
    int64_t x[3] = {s[0], s[1], s[2]};
    for (int i = 0; i < 3; i++) {
        int64_t v = m->rows[i][0] * x[0] + m->rows[i][1] * x[1] + m->rows[i][2] * x[2] + m->rows[i][3] + HALF_AND_HAIR;
        v = v < 0 ? 0 : v >> MGA_MATRIX_BITS;
        s[i] = (uint8_t)(v > 255 ? 255 : v);
    }
}

static void expect(uint8_t *want, const mga_plane *planes, const mga_colour_params *p)
{
    const mga_matrix *m = mga_colour_matrix(p->space, p->result != MGA_RESULT_RGB);
    for (uint32_t row = 0; row < p->rows; row++)
        for (uint32_t column = 0; column < p->columns; column++) {
            uint8_t s[3];
            sample(planes, p->layout, row, column, s);
            turn(m, s);
            if (p->result != MGA_RESULT_YBR_FULL_422) {
                memcpy(want, s, 3);
                want += 3;
                continue;
            }
            uint8_t *pair = want - (column % 2 ? 1 : 0);
            pair[column % 2] = s[0];
            if (column % 2 == 0) {
                pair[2] = s[1];
                pair[3] = s[2];
            }
            want += column % 2 ? 3 : 1;
        }
}

static void check_picture(const mga_colour_params *p, uint32_t pad, mga_random *random)
{
    mga_plane planes[PLANES] = {{NULL, 0, 0}};
    uint8_t *memory[PLANES] = {NULL};
    size_t count = plane_count(p->layout);
    for (size_t k = 0; k < count; k++) {
        size_t line = line_bytes(p->layout, k, p->columns);
        size_t lines = k ? (p->rows + 1) / 2 : p->rows;
        planes[k].stride = (uint32_t)line + pad;
        planes[k].size = (lines - 1) * planes[k].stride + line;
        planes[k].data = memory[k] = exactly(planes[k].size);
        for (size_t i = 0; i < planes[k].size; i++) {
            uint64_t dice = mga_random_next(random);
            memory[k][i] = dice % 8 == 0 ? 0 : dice % 8 == 1 ? 255 : (uint8_t)(dice >> 8);
        }
    }
    size_t bytes = (size_t)p->rows * p->columns * (p->result == MGA_RESULT_YBR_FULL_422 ? 2 : 3);
    uint8_t *want = exactly(bytes);
    uint8_t *got = exactly(bytes);
    expect(want, planes, p);
    for (size_t k = 0; k < count && !pad; k++)
        planes[k].stride = 0; /* the same, said shorter */
    CHECK(mga_colour_convert(got, bytes, planes, count, p) == (int64_t)bytes);
    CHECK(memcmp(got, want, bytes) == 0);
    CHECK(mga_colour_convert(got, bytes - 1, planes, count, p) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_colour_convert(got, bytes, planes, count - 1, p) == MGA_ERR_ARG_RANGE);
    planes[count - 1].size--;
    CHECK(mga_colour_convert(got, bytes, planes, count, p) == MGA_ERR_ARG_SRC_SIZE);
    planes[count - 1].size++;
    planes[count - 1].stride = 1;
    CHECK(line_bytes(p->layout, count - 1, p->columns) == 1 ||
          mga_colour_convert(got, bytes, planes, count, p) == MGA_ERR_ARG_RANGE);
    planes[count - 1].data = NULL;
    CHECK(mga_colour_convert(got, bytes, planes, count, p) == MGA_ERR_ARG_NULL);
    for (size_t k = 0; k < count; k++)
        free(memory[k]);
    free(got);
    free(want);
}

static void check_kernels(mga_random *random)
{
    enum { PIXELS = 1024 };
    uint8_t one[3][PIXELS];
    uint8_t other[3][PIXELS];
    const mga_matrix *m = mga_colour_matrix(MGA_SPACE_709_VIDEO, 0);
    for (size_t count = 0; count < 100; count++) {
        for (size_t i = 0; i < sizeof one; i++)
            ((uint8_t *)one)[i] = (uint8_t)mga_random_next(random);
        memcpy(other, one, sizeof one);
        mga_pixel_kernels_portable()->turn(one[0], one[1], one[2], count, m);
        mga_pixel_kernels_best()->turn(other[0], other[1], other[2], count, m);
        for (size_t k = 0; k < 3; k++)
            CHECK(memcmp(one[k], other[k], count) == 0);
    }
}

static void check_arguments(void)
{
    uint8_t bytes[16] = {0};
    mga_plane plane = {bytes, 16, 0};
    const mga_colour_params good = {2, 2, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB};
    CHECK(mga_colour_convert(NULL, 12, &plane, 1, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_colour_convert(bytes, 12, NULL, 1, &good) == MGA_ERR_ARG_NULL);
    CHECK(mga_colour_convert(bytes, 12, &plane, 1, NULL) == MGA_ERR_ARG_NULL);
    const mga_colour_params bad[] = {
        {0, 2, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB},
        {2, 0, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB},
        {65536, 1, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB},
        {1, 65536, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB},
        {65535, 65535, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB},
        {2, 2, LAYOUTS, MGA_SPACE_601_VIDEO, MGA_RESULT_RGB},
        {2, 2, MGA_LAYOUT_YUYV, MGA_SPACE_709_VIDEO + 1, MGA_RESULT_RGB},
        {2, 2, MGA_LAYOUT_YUYV, MGA_SPACE_RGB, MGA_RESULT_RGB},
        {2, 2, MGA_LAYOUT_I420, MGA_SPACE_RGB_VIDEO, MGA_RESULT_RGB},
        {2, 2, MGA_LAYOUT_YUYV, MGA_SPACE_601_VIDEO, MGA_RESULT_YBR_FULL_422 + 1},
        {2, 3, MGA_LAYOUT_RGB24, MGA_SPACE_RGB, MGA_RESULT_YBR_FULL_422},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(mga_colour_convert(bytes, 12, &plane, 1, &bad[i]) == MGA_ERR_ARG_FORMAT);
}

int main(void)
{
    static const uint32_t SIDES[][2] = {{1, 1},    {1, 2},    {2, 1},    {3, 5},   {5, 34},
                                        {2, 1023}, {1, 1024}, {3, 1026}, {2, 2049}};
    mga_random random = mga_random_seed(5);
    for (uint32_t layout = 0; layout < LAYOUTS; layout++)
        for (uint32_t space = layout <= MGA_LAYOUT_BGRX32 ? 0 : 2; space <= MGA_SPACE_709_VIDEO; space++)
            for (uint32_t result = 0; result <= MGA_RESULT_YBR_FULL_422; result++)
                for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++) {
                    mga_colour_params p = {SIDES[i][0], SIDES[i][1], layout, space, result};
                    if (result != MGA_RESULT_YBR_FULL_422 || p.columns % 2 == 0)
                        check_picture(&p, (uint32_t)(i % 3) * 5, &random);
                }
    check_kernels(&random);
    check_arguments();
    return 0;
}
