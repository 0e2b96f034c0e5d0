/* Previews read and write exactly their memory, for every layout. */
#include <string.h>

#include "check.h"
#include "mga.h"

static void check_thumbnail(const mga_format *f, uint32_t rows, uint32_t columns)
{
    size_t bytes = (size_t)mga_format_bytes(f);
    size_t small = (size_t)rows * columns * f->samples_per_pixel;
    uint8_t *native = exactly(bytes);
    uint8_t *out = exactly(small);
    mga_thumbnail_params p = {.rows = rows, .columns = columns};
    for (size_t i = 0; i < bytes; i++)
        native[i] = (uint8_t)(i * 31);
    CHECK(mga_window_find(native, bytes, f, 0.01, &p.window) == MGA_OK && p.window.low < p.window.high);
    CHECK(mga_thumbnail(out, small, native, bytes, f, &p) == (int64_t)small);
    CHECK(mga_thumbnail(out, small - 1, native, bytes, f, &p) == MGA_ERR_ARG_DST_SIZE);
    CHECK(mga_thumbnail(out, small, native, bytes - 1, f, &p) == MGA_ERR_ARG_SRC_SIZE);
    p.rows = f->rows + 1;
    CHECK(mga_thumbnail(out, small, native, bytes, f, &p) == MGA_ERR_ARG_RANGE);
    free(out);
    free(native);
}

int main(void)
{
    for (uint32_t samples = 1; samples <= 3; samples += 2)
        for (uint32_t bits = 8; bits <= 16; bits += 8)
            for (uint32_t stored = 1; stored <= bits; stored += 5)
                for (uint32_t flags = 0; flags < 4; flags++) {
                    mga_format f = {7, 11, samples, bits, stored, flags & 1u, flags >> 1};
                    check_thumbnail(&f, 1, 1);
                    check_thumbnail(&f, 7, 11);
                    check_thumbnail(&f, 3, 4);
                }
    CHECK(mga_format_bytes(NULL) == MGA_ERR_ARG_NULL);
    CHECK(strcmp(mga_status_text(0), "no error") == 0);
    CHECK(mga_abi_version() == MGA_ABI_VERSION);
    return 0;
}
