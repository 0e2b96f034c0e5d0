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

/* Every status has a text of its own, and only those of mga.h have one. */
static void test_status_texts(void)
{
    static const int64_t LAST[] = {MGA_ERR_ARG_STATE, MGA_ERR_DATA_BESIDE, MGA_ERR_DEV_LIBRARY};
    const char *texts[64] = {mga_status_text(0)};
    size_t count = 1;
    const char *unknown = mga_status_text(INT64_MIN);
    for (size_t family = 0; family < 3; family++)
        for (int64_t status = -1 - 100 * (int64_t)family; status >= LAST[family] - 1; status--) {
            const char *text = mga_status_text(status);
            CHECK((strcmp(text, unknown) == 0) == (status == LAST[family] - 1));
            for (size_t i = 0; i < count && status >= LAST[family]; i++)
                CHECK(strcmp(texts[i], text) != 0);
            texts[count] = text;
            count += status >= LAST[family];
        }
    CHECK(count == 1 + 8 + 10 + 13);
}

static void test_nulls(void)
{
    uint8_t native[6] = {0};
    mga_format f = {2, 3, 1, 8, 8, 0, 0};
    mga_thumbnail_params p = {.rows = 1, .columns = 1};
    mga_mark mark;
    CHECK(mga_window_find(NULL, 6, &f, 0.01, &p.window) == MGA_ERR_ARG_NULL);
    CHECK(mga_window_find(native, 6, &f, 0.01, NULL) == MGA_ERR_ARG_NULL);
    CHECK(mga_thumbnail(NULL, 1, native, 6, &f, &p) == MGA_ERR_ARG_NULL);
    CHECK(mga_thumbnail(native, 1, native, 6, &f, NULL) == MGA_ERR_ARG_NULL);
    CHECK(mga_mark_read(NULL, 6, &f, &mark) == MGA_ERR_ARG_NULL &&
          mga_mark_read(native, 6, &f, NULL) == MGA_ERR_ARG_NULL);
}

int main(void)
{
    test_status_texts();
    test_nulls();
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
