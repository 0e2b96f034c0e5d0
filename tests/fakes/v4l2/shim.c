/* Puts the device of device.h between a program and the system: preloaded (LD_PRELOAD, MGA_V4L2=script), or linked into
 * a test with FAKE_LINKED and the linker's --wrap for each of the functions. What is none of the device's goes to the
 * kernel. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FDS 4096
#define POLLED 16

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static struct {
    fake_handle *handle;
    int *users; /* a duplicate shares it */
} open_fds[FDS];

#ifdef FAKE_LINKED
#define PUBLIC(name) __wrap_##name
extern void *__real_mmap64(void *start, size_t length, int protection, int flags, int fd, off64_t offset);
static void *real_mmap(void *start, size_t length, int protection, int flags, int fd, off64_t offset)
{
    return __real_mmap64(start, length, protection, flags, fd, offset);
}
#else
#include <dlfcn.h>
#define PUBLIC(name) name
static void *real_mmap(void *start, size_t length, int protection, int flags, int fd, off64_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off64_t);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap64");
    return real(start, length, protection, flags, fd, offset);
}
#endif

static fake_handle *handle_of(int fd)
{
    return fd >= 0 && fd < FDS ? __atomic_load_n(&open_fds[fd].handle, __ATOMIC_ACQUIRE) : NULL;
}

static int remember(int fd, fake_handle *handle, int *users)
{
    if (fd < 0 || fd >= FDS)
        abort();
    (void)pthread_mutex_lock(&table);
    ++*users;
    open_fds[fd].users = users;
    __atomic_store_n(&open_fds[fd].handle, handle, __ATOMIC_RELEASE);
    (void)pthread_mutex_unlock(&table);
    return fd;
}

static int open_any(int folder, const char *path, int flags, mode_t mode)
{
    int error = 0;
    fake_handle *handle = fake_open(path, &error);
    if (handle)
        return remember(eventfd(0, EFD_CLOEXEC), handle, calloc(1, sizeof(int)));
    if (error) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
}

static mode_t mode_of(int flags, va_list rest)
{
    return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(rest, int) : 0;
}

#define OPENER(name)                                                                                                   \
    int PUBLIC(name)(const char *path, int flags, ...);                                                                \
    int PUBLIC(name)(const char *path, int flags, ...)                                                                 \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return open_any(AT_FDCWD, path, flags, mode);                                                                  \
    }

#define OPENER_AT(name)                                                                                                \
    int PUBLIC(name)(int folder, const char *path, int flags, ...);                                                    \
    int PUBLIC(name)(int folder, const char *path, int flags, ...)                                                     \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return open_any(folder, path, flags, mode);                                                                    \
    }

#define IOCTL(name)                                                                                                    \
    int PUBLIC(name)(int fd, unsigned long request, ...);                                                              \
    int PUBLIC(name)(int fd, unsigned long request, ...)                                                               \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, request);                                                                                       \
        void *argument = va_arg(rest, void *);                                                                         \
        va_end(rest);                                                                                                  \
        return control(fd, request, argument);                                                                         \
    }

#define FCNTL(name)                                                                                                    \
    int PUBLIC(name)(int fd, int command, ...);                                                                        \
    int PUBLIC(name)(int fd, int command, ...)                                                                         \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, command);                                                                                       \
        void *argument = va_arg(rest, void *);                                                                         \
        va_end(rest);                                                                                                  \
        return file_control(fd, command, argument);                                                                    \
    }

#define MAPPER(name, offset_type)                                                                                      \
    void *PUBLIC(name)(void *start, size_t length, int protection, int flags, int fd, offset_type offset);             \
    void *PUBLIC(name)(void *start, size_t length, int protection, int flags, int fd, offset_type offset)              \
    {                                                                                                                  \
        fake_handle *handle = handle_of(fd);                                                                           \
        if (handle)                                                                                                    \
            return real_mmap(start, length, protection, flags, fake_memory(handle), offset);                           \
        return real_mmap(start, length, protection, flags, fd, offset);                                                \
    }

static int control(int fd, unsigned long request, void *argument)
{
    fake_handle *handle = handle_of(fd);
    if (!handle)
        return (int)syscall(SYS_ioctl, fd, request, argument);
    int error = fake_ioctl(handle, (unsigned int)request, argument);
    if (error)
        errno = error;
    return error ? -1 : 0;
}

#ifdef SYS_fcntl64
#define SYS_FCNTL SYS_fcntl64
#else
#define SYS_FCNTL SYS_fcntl
#endif

static int file_control(int fd, int command, void *argument)
{
    int result = (int)syscall(SYS_FCNTL, fd, command, argument);
    fake_handle *handle = handle_of(fd);
    if (handle && result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
        (void)remember(result, handle, open_fds[fd].users);
    return result;
}

OPENER(open)
OPENER(open64)
OPENER(__open_2)
OPENER(__open64_2)
OPENER_AT(openat)
OPENER_AT(openat64)
IOCTL(ioctl)
IOCTL(__ioctl_time64)
FCNTL(fcntl)
FCNTL(fcntl64)
FCNTL(__fcntl_time64)
MAPPER(mmap64, off64_t)
#if !defined(FAKE_LINKED) && __WORDSIZE == 64
MAPPER(mmap, off64_t)
#endif

int PUBLIC(close)(int fd);
int PUBLIC(close)(int fd)
{
    fake_handle *last = NULL;
    (void)pthread_mutex_lock(&table);
    if (handle_of(fd)) {
        if (--*open_fds[fd].users == 0) {
            last = open_fds[fd].handle;
            free(open_fds[fd].users);
        }
        open_fds[fd].users = NULL;
        __atomic_store_n(&open_fds[fd].handle, NULL, __ATOMIC_RELEASE);
    }
    (void)pthread_mutex_unlock(&table);
    if (last)
        fake_close(last);
    return (int)syscall(SYS_close, fd);
}

static int64_t clock_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Looks at the devices, waits for the rest no longer than until a device may have something, and so on. */
static int poll_both(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct pollfd rest[POLLED];
    int64_t end = clock_ns() + (int64_t)timeout_ms * 1000000;
    for (;;) {
        int64_t left = timeout_ms < 0 ? 1000000000 : end - clock_ns();
        int64_t wait = left > 0 ? left : 0;
        short found[POLLED] = {0};
        memcpy(rest, fds, count * sizeof *fds);
        for (nfds_t i = 0; i < count; i++) {
            fake_handle *handle = handle_of(fds[i].fd);
            int64_t next = wait;
            if (!handle)
                continue;
            rest[i].fd = -1;
            found[i] = fake_poll(handle, fds[i].events, &next);
            wait = found[i] || next < 0 ? 0 : next < wait ? next : wait;
        }
        const struct timespec pause = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
        int result = ppoll(rest, count, &pause, NULL);
        if (result < 0)
            return result;
        result = 0;
        for (nfds_t i = 0; i < count; i++) {
            fds[i].revents = (short)(rest[i].revents | found[i]);
            result += fds[i].revents != 0;
        }
        if (result || (timeout_ms >= 0 && clock_ns() >= end))
            return result;
    }
}

int PUBLIC(poll)(struct pollfd *fds, nfds_t count, int timeout_ms);
int PUBLIC(poll)(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    bool ours = false;
    for (nfds_t i = 0; i < count && count <= POLLED; i++)
        ours |= handle_of(fds[i].fd) != NULL;
    if (ours)
        return poll_both(fds, count, timeout_ms);
    const struct timespec pause = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    return ppoll(fds, count, timeout_ms < 0 ? NULL : &pause, NULL);
}
