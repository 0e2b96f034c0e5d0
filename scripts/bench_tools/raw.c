// raw PORT FILE...: the TCP baseline. Sends each file from a mapping in one send and waits for a one-byte answer: what
// is left when a C-STORE has no protocol at all. Peer: sink.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int transmit(int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = send(fd, from, bytes, MSG_NOSIGNAL);
        if (sent <= 0) {
            return -1;
        }
        from += sent;
        bytes -= (size_t)sent;
    }
    return 0;
}

static int send_file(int peer, const char *path)
{
    struct stat about;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &about) != 0) {
        return -1;
    }
    size_t bytes = (size_t)about.st_size;
    char *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
    uint64_t length = bytes;
    char answer;
    int failed = map == MAP_FAILED || send(peer, &length, sizeof length, MSG_MORE) != sizeof length ||
                 transmit(peer, map, bytes) != 0 || recv(peer, &answer, 1, 0) != 1;
    munmap(map, bytes);
    close(file);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        return 2;
    }
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(peer, (struct sockaddr *)&there, sizeof there) != 0 || send(peer, "RAW.", 4, MSG_MORE) != 4) {
        perror("raw");
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        if (send_file(peer, argv[i]) != 0) {
            perror(argv[i]);
            return 1;
        }
    }
    return 0;
}
