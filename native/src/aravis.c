#include "aravis.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

typedef struct {
    const char *name;
    size_t offset; /* in mga_aravis */
} entry;

static const entry ENTRIES[] = {
#define ENTRY(result, name, arguments) {#name, offsetof(mga_aravis, name)},
    MGA_ARAVIS_FUNCTIONS(ENTRY)
#undef ENTRY
};

int64_t mga_aravis_load(mga_aravis *table)
{
    /* The library brings its dependencies, and dlsym looks through them as well. Loaded once more it is only counted.
     */
    void *library = dlopen(MGA_ARAVIS_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return MGA_ERR_DEV_LIBRARY;
    for (size_t i = 0; i < sizeof ENTRIES / sizeof *ENTRIES; i++) {
        void *function = dlsym(library, ENTRIES[i].name);
        if (!function)
            return MGA_ERR_DEV_LIBRARY;
        memcpy((char *)table + ENTRIES[i].offset, &function, sizeof function);
    }
    return MGA_OK;
}
