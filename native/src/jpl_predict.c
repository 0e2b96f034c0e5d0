#include "jpl_predict.h"

/* T.81 table H.1; a left, b above, c left of b. Shifts keep the sign. */
static inline __attribute__((always_inline)) int predict(unsigned selection, int a, int b, int c)
{
    switch (selection) {
    case 1: return a;
    case 2: return b;
    case 3: return c;
    case 4: return a + b - c;
    case 5: return a + ((b - c) >> 1);
    case 6: return b + ((a - c) >> 1);
    default: return (a + b) >> 1;
    }
}

static inline __attribute__((always_inline)) void rest_of_row(uint16_t *restrict row, const uint16_t *restrict above,
                                                              const int16_t *restrict differences, size_t samples,
                                                              size_t step, unsigned selection)
{
    for (size_t i = step; i < samples; i++)
        row[i] = (uint16_t)(predict(selection, row[i - step], above[i], above[i - step]) + differences[i]);
}

/* Selection value 1: a running sum for each component. */
static inline __attribute__((always_inline)) void sum_row(uint16_t *restrict row, const int16_t *restrict differences,
                                                          size_t samples, size_t step)
{
    for (size_t c = 0; c < step; c++) {
        uint16_t sum = row[c];
        for (size_t i = c + step; i < samples; i += step)
            row[i] = sum = (uint16_t)(sum + differences[i]);
    }
}

/* Three components: three sums that do not wait for each other. */
static void sum_row3(uint16_t *restrict row, const int16_t *restrict differences, size_t samples)
{
    uint16_t sum0 = row[0];
    uint16_t sum1 = row[1];
    uint16_t sum2 = row[2];
    for (size_t i = 3; i < samples; i += 3) {
        row[i] = sum0 = (uint16_t)(sum0 + differences[i]);
        row[i + 1] = sum1 = (uint16_t)(sum1 + differences[i + 1]);
        row[i + 2] = sum2 = (uint16_t)(sum2 + differences[i + 2]);
    }
}

void jpl_predict_row(uint16_t *restrict row, const uint16_t *restrict above, const int16_t *restrict differences,
                     size_t columns, size_t components, unsigned selection, uint16_t initial)
{
    size_t samples = columns * components;
    for (size_t c = 0; c < components; c++)
        row[c] = (uint16_t)((above ? above[c] : initial) + differences[c]);
    switch (above ? selection : 1) {
    case 1:
        if (components == 3)
            sum_row3(row, differences, samples);
        else if (components == 2)
            sum_row(row, differences, samples, 2);
        else
            sum_row(row, differences, samples, 1);
        break;
    case 2: rest_of_row(row, above, differences, samples, components, 2); break;
    case 3: rest_of_row(row, above, differences, samples, components, 3); break;
    case 4: rest_of_row(row, above, differences, samples, components, 4); break;
    case 5: rest_of_row(row, above, differences, samples, components, 5); break;
    case 6: rest_of_row(row, above, differences, samples, components, 6); break;
    default: rest_of_row(row, above, differences, samples, components, 7); break;
    }
}
