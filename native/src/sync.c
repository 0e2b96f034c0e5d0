#include "mga.h"

#include <errno.h>
#include <unistd.h>

int64_t mga_sync_file_system(int32_t fd)
{
    int result;
    do
        result = syncfs(fd);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : MGA_ERR_DEV_SYNC;
}
