/* What a fuzz target is: one file with these two functions, and any number of seeds made by our own encoders.
 *
 * libFuzzer calls the first with bytes it has thought up; whatever they are, the core must answer with a status, stay
 * inside the memory it was given (sanitizers watch) and end. What the answer promises is CHECKed. */
#ifndef MGA_FUZZ_H
#define MGA_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Writes seed `number` (from 0) and returns its size, 0 behind the last one. */
size_t mga_fuzz_seed(unsigned number, uint8_t *out, size_t room);

#endif
