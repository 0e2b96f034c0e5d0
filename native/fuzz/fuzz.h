/* What a fuzz target is: one file with these two functions, and any number of seeds made by our own encoders.
 *
 * libFuzzer calls the first with bytes it has thought up; whatever they are, the core must answer with a status, stay
 * inside the memory it was given (sanitizers watch) and end. What the answer promises is CHECKed. */
#ifndef MGA_FUZZ_H
#define MGA_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MGA_FUZZ_ADDRESSES 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define MGA_FUZZ_ADDRESSES 1
#endif
#if MGA_FUZZ_ADDRESSES
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(from, bytes) ((void)(from), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(from, bytes) ((void)(from), (void)(bytes))
#endif

enum { MGA_FUZZ_BEFORE = 64 }; /* bytes in front of a buffer that nobody may touch */

/* Memory that stays from one execution to the next; malloc would take longer than what is tested. */
typedef struct {
    uint8_t *end;
    size_t room;
    uint8_t *closed; /* where the bytes in front of the last buffer are */
} mga_fuzz_arena;

#define MGA_FUZZ_ARENA(name, bytes)                                                                                    \
    static uint8_t name##_memory[(bytes) + MGA_FUZZ_BEFORE];                                                           \
    static mga_fuzz_arena name = {name##_memory + (bytes) + MGA_FUZZ_BEFORE, bytes, name##_memory}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Writes seed `number` (from 0) and returns its size, 0 behind the last one. */
size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room);

/* The last `bytes` of an arena: the sanitizer sees one byte more, and one less. */
static inline uint8_t *mga_fuzz_buffer(mga_fuzz_arena *arena, size_t bytes)
{
    CHECK(bytes <= arena->room);
    uint8_t *p = arena->end - bytes;
    ASAN_UNPOISON_MEMORY_REGION(arena->closed, MGA_FUZZ_BEFORE);
    arena->closed = p - MGA_FUZZ_BEFORE;
    ASAN_POISON_MEMORY_REGION(arena->closed, MGA_FUZZ_BEFORE);
    return p;
}

#endif
