/* A fuzz target without libFuzzer: any compiler, the same bytes in every run.
 *
 *   replay_NAME [FILE...]     the seeds, some thousand mutations of them, then the files: crashers and packs of inputs
 *   replay_NAME --seeds DIR   writes the seeds, for libFuzzer to begin with */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "random.h"

enum { ROOM = 1 << 20, MUTATIONS_PER_SEED = 400, NAME_MOST = 4096 };

/* A copy of exactly that size, so that the sanitizer sees a read behind its end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = exactly(size);
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_mutations(const uint8_t *seed, size_t size, uint8_t *room, mga_random *random)
{
    for (int i = 0; i < MUTATIONS_PER_SEED; i++) {
        memcpy(room, seed, size);
        size_t kept = size;
        for (uint64_t changes = 1 + mga_random_next(random) % 4; changes > 0; changes--) {
            uint64_t bits = mga_random_next(random);
            size_t at = (size_t)(bits >> 16) % kept;
            if (bits % 8 == 0)
                kept = at + 1;
            else if (bits % 8 < 4)
                room[at] ^= (uint8_t)(1u << (bits >> 3) % 8);
            else
                room[at] = (uint8_t)(bits >> 8);
        }
        run(room, kept);
    }
}

/* Many inputs in one file: a size of two bytes, the lower first, in front of each (scripts/fuzz --keep). */
static void run_pack(const uint8_t *pack, size_t size)
{
    while (size > 0) {
        CHECK(size >= 2);
        size_t input = pack[0] | (size_t)pack[1] << 8;
        CHECK(size - 2 >= input);
        run(pack + 2, input);
        pack += 2 + input;
        size -= 2 + input;
    }
}

static void run_file(const char *name, uint8_t *room)
{
    static const char PACK[] = ".pack";
    FILE *file = fopen(name, "rbe");
    CHECK(file);
    size_t size = fread(room, 1, ROOM, file);
    CHECK(fclose(file) == 0 && size < ROOM);
    size_t length = strlen(name);
    if (length > strlen(PACK) && strcmp(name + length - strlen(PACK), PACK) == 0)
        run_pack(room, size);
    else
        run(room, size);
}

static void write_seed(const char *folder, unsigned number, const uint8_t *seed, size_t size)
{
    char name[NAME_MOST];
    CHECK((size_t)snprintf(name, sizeof name, "%s/seed-%02u", folder, number) < sizeof name);
    FILE *file = fopen(name, "wbe");
    CHECK(file);
    CHECK(fwrite(seed, 1, size, file) == size);
    CHECK(fclose(file) == 0);
}

int main(int argc, char **argv)
{
    uint8_t *seed = exactly(ROOM);
    uint8_t *room = exactly(ROOM);
    const char *folder = argc == 3 && strcmp(argv[1], "--seeds") == 0 ? argv[2] : NULL;
    mga_random random = mga_random_seed(1);
    unsigned number = 0;
    for (size_t size; (size = mga_fuzz_seed(number, seed, ROOM)) > 0; number++) {
        if (folder) {
            write_seed(folder, number, seed, size);
            continue;
        }
        run(seed, size);
        run_mutations(seed, size, room, &random);
    }
    CHECK(number > 0);
    for (int i = 1; i < argc && !folder; i++)
        run_file(argv[i], room);
    free(room);
    free(seed);
    return 0;
}
