/* Stands between a process and its C library (LD_PRELOAD) and sees every call that changes files below one folder.
 *
 * Three uses, armed from inside the process: end it before the Nth such call, make the Nth call fail (once, or from
 * then on), or write all of them to a log from which tests rebuild what a power cut may leave. A call fails with an
 * errno, by writing half (SHORT), or by saying that it did what it did not do (LIE). Test only; the process may have
 * threads. The -shm file of SQLite is not seen: it is rebuilt and means nothing after a crash. What was called, in
 * order, and where the last call went stands in memory that the process may share with its parent. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FDS 4096
#define PATH 4096

enum { SHORT = -1, LIE = -2 }; /* instead of an errno */

enum call {
    OPENED = 1,
    WROTE,
    CUT,
    ALLOCATED,
    SYNCED,
    DATA_SYNCED,
    RENAMED,
    UNLINKED,
    MADE,
    REMOVED,
    LINKED,
    MODE,
    ALL_SYNCED
};
static const char *const names[] = {"",       "open",   "write", "ftruncate", "fallocate", "fsync", "fdatasync",
                                    "rename", "unlink", "mkdir", "rmdir",     "link",      "chmod", "syncfs"};

#define CALLS 65536
static struct seen {
    char path[PATH]; /* of the last call that was ended or made to fail */
    unsigned char calls[CALLS];
} * seen;

static char root[PATH];
static int log_fd = -1;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static long count, kill_at, error_at;
static int error_code, error_sticky;
static unsigned char tracked[FDS];

__attribute__((visibility("default"))) void shim_arm(const char *folder, int log, long kill, long error, int code,
                                                     int sticky)
{
    strncpy(root, folder, sizeof root - 1);
    log_fd = log;
    count = 0;
    kill_at = kill;
    error_at = error;
    error_code = code;
    error_sticky = sticky;
}

__attribute__((visibility("default"))) long shim_count(void)
{
    return count;
}

/* Let calls and path go to memory of the caller's, sizeof (struct seen) of it. */
__attribute__((visibility("default"))) void shim_share(void *memory)
{
    seen = memory;
}

__attribute__((visibility("default"))) const char *shim_name(int call)
{
    return call > 0 && call < (int)(sizeof names / sizeof *names) ? names[call] : "";
}

static void put(char kind, uint64_t inode, int64_t offset, const void *a, uint32_t a_size, const void *b,
                uint32_t b_size)
{
    if (log_fd < 0)
        return;
    pthread_mutex_lock(&log_lock);
    char head[25];
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &a_size, 4);
    memcpy(head + 21, &b_size, 4);
    REAL(write)(log_fd, head, sizeof head);
    if (a_size)
        REAL(write)(log_fd, a, a_size);
    if (b_size)
        REAL(write)(log_fd, b, b_size);
    pthread_mutex_unlock(&log_lock);
}

__attribute__((visibility("default"))) void shim_promise(const char *text)
{
    put('P', 0, 0, text, (uint32_t)strlen(text), NULL, 0);
}

static int ours(const char *path)
{
    size_t length = strlen(root), whole = strlen(path);
    if (!length || strncmp(path, root, length) != 0)
        return 0;
    return whole < 4 || strcmp(path + whole - 4, "-shm") != 0;
}

static int ours_fd(int fd)
{
    return root[0] && fd >= 0 && fd < FDS && tracked[fd];
}

static void remember(enum call call, const char *path, int fd)
{
    if (!seen)
        return;
    seen->calls[0] = (unsigned char)call;
    if (path) {
        strncpy(seen->path, path, sizeof seen->path - 1);
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, seen->path, sizeof seen->path - 1);
        seen->path[length > 0 ? length : 0] = 0;
    }
}

/* Count one change; 0, or how it shall fail: an errno, SHORT or LIE. */
static int gate(enum call call, const char *path, int fd)
{
    long now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (seen && now < CALLS)
        seen->calls[now] = (unsigned char)call;
    if (kill_at && now == kill_at) {
        remember(call, path, fd);
        _exit(9);
    }
    if (error_at && (now == error_at || (error_sticky && now > error_at))) {
        if (error_code == SHORT && call != WROTE)
            return 0;
        if (now == error_at)
            remember(call, path, fd);
        return error_code;
    }
    return 0;
}

/* A file without a name, for a creation that did not happen. */
static int nameless(const char *path, int flags)
{
    char folder[PATH];
    strncpy(folder, path, sizeof folder - 1);
    folder[sizeof folder - 1] = 0;
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    return REAL(open)(folder, O_TMPFILE | O_RDWR | (flags & O_CLOEXEC), 0600);
}

static uint64_t inode_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

static int open_common(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    if (!ours(path))
        return real(path, flags, mode);
    struct stat found;
    int creates = (flags & O_CREAT) && lstat(path, &found) != 0;
    if (creates || (flags & O_TRUNC)) {
        int code = gate(OPENED, path, -1);
        if (code == LIE) {
            int fd = creates ? nameless(path, flags) : real(path, flags & ~O_TRUNC, mode);
            if (fd >= 0 && fd < FDS)
                tracked[fd] = 1;
            return fd;
        }
        if (code > 0) {
            errno = code;
            return -1;
        }
    }
    int fd = real(path, flags, mode);
    if (fd >= 0 && fd < FDS) {
        tracked[fd] = 1;
        if (creates)
            put('C', inode_of(fd), 0, path, (uint32_t)strlen(path), NULL, 0);
        else if (flags & O_TRUNC)
            put('T', inode_of(fd), 0, NULL, 0, NULL, 0);
    }
    return fd;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;                                      \
        va_end(more);                                                                                                  \
        return open_common(REAL(name), path, flags, mode);                                                             \
    }
OPEN(open)
OPEN(open64)

/* The path of a name below an open folder, in `room`; the name itself where it needs no folder. */
static const char *below(int folder, const char *name, char room[PATH])
{
    if (folder == AT_FDCWD || name[0] == '/' || !root[0])
        return name;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, room, PATH - 1);
    if (length <= 0 || (size_t)length + strlen(name) + 2 > PATH)
        return name;
    snprintf(room + length, PATH - (size_t)length, "/%s", name);
    return room;
}

#define OPEN_AT(name, whole)                                                                                           \
    int name(int folder, const char *path, int flags, ...)                                                             \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;                                      \
        va_end(more);                                                                                                  \
        char room[PATH];                                                                                               \
        const char *full = below(folder, path, room);                                                                  \
        return ours(full) ? open_common(REAL(whole), full, flags, mode) : REAL(name)(folder, path, flags, mode);       \
    }
OPEN_AT(openat, open)
OPEN_AT(openat64, open64)

int close(int fd)
{
    if (fd >= 0 && fd < FDS)
        tracked[fd] = 0;
    return REAL(close)(fd);
}

/* Return from the wrapper when the call shall fail; `lie` is what it then says. */
#define GATE(call, path, fd, lie)                                                                                      \
    do {                                                                                                               \
        int code = gate(call, path, fd);                                                                               \
        if (code == LIE)                                                                                               \
            return lie;                                                                                                \
        if (code > 0) {                                                                                                \
            errno = code;                                                                                              \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

/* Bytes that are said to be written and are not: the file is as long as it would be, and holds zeros. */
static ssize_t lied(int fd, size_t size, off_t at)
{
    struct stat found;
    if (fstat(fd, &found) == 0 && at + (off_t)size > found.st_size)
        REAL(ftruncate)(fd, at + (off_t)size);
    return (ssize_t)size;
}

#define GATE_WRITE(fd, size, at)                                                                                       \
    do {                                                                                                               \
        int code = gate(WROTE, NULL, fd);                                                                              \
        if (code == LIE)                                                                                               \
            return lied(fd, size, at);                                                                                 \
        if (code == SHORT)                                                                                             \
            size = (size + 1) / 2;                                                                                     \
        if (code > 0) {                                                                                                \
            errno = code;                                                                                              \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

ssize_t write(int fd, const void *data, size_t size)
{
    if (!ours_fd(fd))
        return REAL(write)(fd, data, size);
    off_t at = lseek(fd, 0, SEEK_CUR);
    GATE_WRITE(fd, size, (lseek(fd, (off_t)size, SEEK_CUR), at));
    ssize_t done = REAL(write)(fd, data, size);
    if (done > 0)
        put('W', inode_of(fd), at, NULL, 0, data, (uint32_t)done);
    return done;
}

#define PWRITE(name, offset_t)                                                                                         \
    ssize_t name(int fd, const void *data, size_t size, offset_t at)                                                   \
    {                                                                                                                  \
        if (!ours_fd(fd))                                                                                              \
            return REAL(name)(fd, data, size, at);                                                                     \
        GATE_WRITE(fd, size, at);                                                                                      \
        ssize_t done = REAL(name)(fd, data, size, at);                                                                 \
        if (done > 0)                                                                                                  \
            put('W', inode_of(fd), at, NULL, 0, data, (uint32_t)done);                                                 \
        return done;                                                                                                   \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(name, offset_t)                                                                                       \
    int name(int fd, offset_t size)                                                                                    \
    {                                                                                                                  \
        if (!ours_fd(fd))                                                                                              \
            return REAL(name)(fd, size);                                                                               \
        GATE(CUT, NULL, fd, 0);                                                                                        \
        int result = REAL(name)(fd, size);                                                                             \
        if (result == 0)                                                                                               \
            put('T', inode_of(fd), size, NULL, 0, NULL, 0);                                                            \
        return result;                                                                                                 \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define ALLOCATE(name, offset_t)                                                                                       \
    int name(int fd, offset_t at, offset_t size)                                                                       \
    {                                                                                                                  \
        if (!ours_fd(fd))                                                                                              \
            return REAL(name)(fd, at, size);                                                                           \
        int code = gate(ALLOCATED, NULL, fd);                                                                          \
        if (code)                                                                                                      \
            return code > 0 ? code : 0;                                                                                \
        int result = REAL(name)(fd, at, size);                                                                         \
        if (result == 0)                                                                                               \
            put('A', inode_of(fd), at + size, NULL, 0, NULL, 0);                                                       \
        return result;                                                                                                 \
    }
ALLOCATE(posix_fallocate, off_t)
ALLOCATE(posix_fallocate64, off64_t)

/* In the log `reach` says what is synced: 0 the file with its times, 1 (fdatasync) without, 2 the whole file system. */
#define SYNC(name, call, reach)                                                                                        \
    int name(int fd)                                                                                                   \
    {                                                                                                                  \
        if (!ours_fd(fd))                                                                                              \
            return REAL(name)(fd);                                                                                     \
        GATE(call, NULL, fd, 0);                                                                                       \
        put('S', inode_of(fd), reach, NULL, 0, NULL, 0);                                                               \
        return REAL(name)(fd);                                                                                         \
    }
SYNC(fsync, SYNCED, 0)
SYNC(fdatasync, DATA_SYNCED, 1)
SYNC(syncfs, ALL_SYNCED, 2)

int rename(const char *from, const char *to)
{
    if (!ours(from))
        return REAL(rename)(from, to);
    GATE(RENAMED, to, -1, 0);
    struct stat found;
    uint64_t inode = lstat(from, &found) == 0 ? found.st_ino : 0;
    int result = REAL(rename)(from, to);
    if (result == 0)
        put('R', inode, 0, from, (uint32_t)strlen(from), to, (uint32_t)strlen(to));
    return result;
}

int unlink(const char *path)
{
    struct stat found;
    if (!ours(path) || lstat(path, &found) != 0)
        return REAL(unlink)(path);
    GATE(UNLINKED, path, -1, 0);
    int result = REAL(unlink)(path);
    if (result == 0)
        put('U', found.st_ino, 0, path, (uint32_t)strlen(path), NULL, 0);
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    struct stat found;
    if (!ours(path) || lstat(path, &found) == 0)
        return REAL(mkdir)(path, mode);
    GATE(MADE, path, -1, 0);
    int result = REAL(mkdir)(path, mode);
    if (result == 0 && lstat(path, &found) == 0)
        put('M', found.st_ino, 0, path, (uint32_t)strlen(path), NULL, 0);
    return result;
}

int rmdir(const char *path)
{
    struct stat found;
    if (!ours(path) || lstat(path, &found) != 0)
        return REAL(rmdir)(path);
    GATE(REMOVED, path, -1, 0);
    int result = REAL(rmdir)(path);
    if (result == 0)
        put('U', found.st_ino, 0, path, (uint32_t)strlen(path), NULL, 0);
    return result;
}

int link(const char *from, const char *to)
{
    if (!ours(to))
        return REAL(link)(from, to);
    GATE(LINKED, to, -1, 0);
    struct stat found;
    int result = REAL(link)(from, to);
    if (result == 0 && lstat(to, &found) == 0)
        put('L', found.st_ino, 0, to, (uint32_t)strlen(to), NULL, 0);
    return result;
}

/* The same below open folders. */
int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    char room[PATH], other[PATH];
    const char *source = below(from_folder, from, room);
    return ours(source) ? rename(source, below(to_folder, to, other))
                        : REAL(renameat)(from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char *path, int flags)
{
    char room[PATH];
    const char *full = below(folder, path, room);
    if (!ours(full))
        return REAL(unlinkat)(folder, path, flags);
    return flags & AT_REMOVEDIR ? rmdir(full) : unlink(full);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    char room[PATH];
    const char *full = below(folder, path, room);
    return ours(full) ? mkdir(full, mode) : REAL(mkdirat)(folder, path, mode);
}

/* Python's os.link, too. */
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    char room[PATH], other[PATH];
    const char *target = below(to_folder, to, other);
    return ours(target) && !flags ? link(below(from_folder, from, room), target)
                                  : REAL(linkat)(from_folder, from, to_folder, to, flags);
}

int fchmod(int fd, mode_t mode)
{
    if (!ours_fd(fd))
        return REAL(fchmod)(fd, mode);
    GATE(MODE, NULL, fd, 0);
    return REAL(fchmod)(fd, mode);
}

/* A second descriptor of a file is of that file. */
static int same(int from, int to)
{
    if (from >= 0 && from < FDS && to >= 0 && to < FDS)
        tracked[to] = tracked[from];
    return to;
}

#define FCNTL(name)                                                                                                    \
    int name(int fd, int command, ...)                                                                                 \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, command);                                                                                       \
        void *argument = va_arg(more, void *);                                                                         \
        va_end(more);                                                                                                  \
        int result = REAL(name)(fd, command, argument);                                                                \
        return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? same(fd, result) : result;                           \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

int dup(int fd)
{
    return same(fd, REAL(dup)(fd));
}

int dup2(int fd, int to)
{
    return same(fd, REAL(dup2)(fd, to));
}
