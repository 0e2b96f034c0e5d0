// durable each|group FOLDER BYTES COUNT: what this machine can do at most, and nothing else. Prints seconds.
//
// "each" makes every file durable by itself: write, fsync, rename, fsync of the folder. "group" does it for 64 at a
// time with two flushes: write all, syncfs, rename all, fsync of the folder.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { GROUP = 64, NAME = 64 };

static void must(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void name(char *out, int folder_less, const char *suffix)
{
    snprintf(out, NAME, "%08X%s", (unsigned)folder_less, suffix);
}

static void put(int number, const char *data, size_t size, int sync)
{
    char part[NAME];
    name(part, number, ".part");
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(fd >= 0, "open");
    must(write(fd, data, size) == (ssize_t)size, "write");
    must(!sync || fsync(fd) == 0, "fsync");
    close(fd);
}

static void give_name(int number)
{
    char part[NAME], final[NAME];
    name(part, number, ".part");
    name(final, number, "");
    must(rename(part, final) == 0, "rename");
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    must(chdir(argv[2]) == 0, "chdir");
    int group = strcmp(argv[1], "group") == 0 ? GROUP : 1;
    size_t size = strtoul(argv[3], NULL, 10);
    int count = atoi(argv[4]);
    char *data = malloc(size);
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(data && folder >= 0, "begin");
    memset(data, 0x5a, size);
    double begun = now();
    for (int first = 0; first < count; first += group) {
        int end = first + group < count ? first + group : count;
        for (int number = first; number < end; number++)
            put(number, data, size, group == 1);
        must(group == 1 || syncfs(folder) == 0, "syncfs");
        for (int number = first; number < end; number++)
            give_name(number);
        must(fsync(folder) == 0, "fsync");
    }
    printf("%.6f\n", now() - begun);
    return 0;
}
