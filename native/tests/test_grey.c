/* Grey frames become a third and come back; one bit of colour anywhere is seen; nothing outside is touched. */
#include <string.h>

#include "check.h"
#include "mga.h"

static uint8_t *grey_frame(const mga_format *f, const uint8_t *plane)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    size_t width = f->bits_allocated / 8;
    size_t pixels = bytes / 3 / width;
    uint8_t *frame = exactly(bytes);
    for (size_t i = 0; i < pixels; i++)
        for (size_t k = 0; k < 3; k++)
            memcpy(frame + (f->planar_configuration ? k * pixels + i : 3 * i + k) * width, plane + i * width, width);
    return frame;
}

static void check_layout(const mga_format *f)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    size_t third = bytes / 3;
    uint8_t *plane = exactly(third);
    uint8_t *got = exactly(third);
    uint8_t *back = exactly(bytes);
    for (size_t i = 0; i < third; i++)
        plane[i] = (uint8_t)(i * 31 + (i >> 8));
    uint8_t *frame = grey_frame(f, plane);
    CHECK(mga_grey_narrow(got, third, frame, bytes, f) == (int64_t)third && memcmp(got, plane, third) == 0);
    CHECK(mga_grey_widen(back, bytes, plane, third, f) == (int64_t)bytes && memcmp(back, frame, bytes) == 0);
    size_t step = bytes > 600 ? bytes / 300 : 1;
    for (size_t i = 0; i < bytes; i += step) { /* every place where colour may hide, and the last one */
        frame[i] ^= (uint8_t)(1u << (i % 8));
        CHECK(mga_grey_narrow(got, third, frame, bytes, f) == 0);
        frame[i] ^= (uint8_t)(1u << (i % 8));
    }
    frame[bytes - 1] ^= 0x80;
    CHECK(mga_grey_narrow(got, third, frame, bytes, f) == 0);
    CHECK(mga_grey_narrow(got, third - 1, frame, bytes, f) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_grey_narrow(got, third, frame, bytes - 1, f) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_grey_narrow(NULL, third, frame, bytes, f) == MGA_ERR_ARG_NULL);
    CHECK(mga_grey_widen(back, bytes - 1, plane, third, f) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_grey_widen(back, bytes, plane, third - 1, f) == MGA_ERR_ARG_SRC_SIZE);
    CHECK(mga_grey_widen(back, bytes, NULL, third, f) == MGA_ERR_ARG_NULL);
    free(frame);
    free(back);
    free(got);
    free(plane);
}

int main(void)
{
    static const uint32_t SIDES[][2] = {{1, 1},    {1, 16},  {1, 17},  {3, 5},  {7, 11},
                                        {1, 1023}, {2, 512}, {5, 205}, {41, 50}};
    for (uint32_t bits = 8; bits <= 16; bits += 8)
        for (uint32_t planar = 0; planar < 2; planar++)
            for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++) {
                mga_format f = {SIDES[i][0], SIDES[i][1], 3, bits, bits, 0, planar};
                check_layout(&f);
            }
    mga_format one = {1, 3, 1, 8, 8, 0, 0};
    uint8_t bytes[3] = {7, 7, 7};
    CHECK(mga_grey_narrow(bytes, 1, bytes, 3, &one) == MGA_ERR_ARG_FORMAT);
    CHECK(mga_grey_widen(bytes, 3, bytes, 1, NULL) == MGA_ERR_ARG_NULL);
    return 0;
}
