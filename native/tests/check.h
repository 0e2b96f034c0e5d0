/* Asserts that stay on in every build and say where. */
#ifndef MGA_TESTS_CHECK_H
#define MGA_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                      \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Memory of exactly that size: the sanitizer sees one byte more or less. Never null, also for 0 bytes. */
static inline void *exactly(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    CHECK(p);
    return p;
}

#endif
