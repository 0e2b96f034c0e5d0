/* A filter in front of the library's stream socket.
 *
 * The socket takes packets from everybody, and the library (0.8.26) believes their lengths: one of a few bytes makes it
 * copy from behind its buffer, one that ends a frame before it began makes it write there. Whoever can send a packet
 * could end the agent, as such packets end a program that the library comes with within seconds ("munmap_chunk():
 * invalid pointer"). So the kernel drops what does not come from the camera's address, and what is shorter than its own
 * type needs (GVSP: a header of 8 bytes, of 20 with 64-bit frame ids; a leader or trailer has 8 more at least, a
 * payload 1). An address can be forged: a detector belongs on a network of its own. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "gige.h"

#define RECEIVE_BYTES_MAX (32 << 20) /* the kernel has as much only while frames wait */
#define FD_MAX 65536                 /* looked through; a process of ours has tens */

/* The filter sees a packet from its UDP header on, and the IP header at SKF_NET_OFF. */
enum { UDP = 8, IP_SOURCE = 12, FORMAT = UDP + 4, EXTENDED = 0x80, PAYLOAD = 3 };
enum { SHORT_HEADER = UDP + 8, LONG_HEADER = UDP + 20 };

static bool is_bound_to(int fd, uint16_t port)
{
    struct sockaddr_in name = {0};
    socklen_t size = sizeof name;
    int type = 0;
    socklen_t type_size = sizeof type;
    return getsockname(fd, (struct sockaddr *)&name, &size) == 0 && name.sin_family == AF_INET &&
           name.sin_port == htons(port) && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 &&
           type == SOCK_DGRAM;
}

static int find_socket(uint16_t port)
{
    struct rlimit limit = {.rlim_cur = FD_MAX};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    int end = limit.rlim_cur < FD_MAX ? (int)limit.rlim_cur : FD_MAX;
    for (int fd = 0; fd < end; fd++)
        if (is_bound_to(fd, port))
            return fd;
    return -1;
}

/* A camera sends a frame as fast as its cable carries it, and the library leaves the buffer as it is: an eighth of a
 * picture of a megapixel. The kernel counts twice of what a packet holds, and gives net.core.rmem_max to those without
 * privileges. */
static void widen(int fd, size_t payload)
{
    int wanted = payload < RECEIVE_BYTES_MAX / 2 ? (int)payload * 2 : RECEIVE_BYTES_MAX;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

int64_t mga_gige_guard(uint16_t port, uint32_t address, size_t payload)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + IP_SOURCE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, address, 0, 16),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SHORT_HEADER, 0, 14),
        /* X = bytes of the header */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FORMAT),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, EXTENDED, 0, 2),
        BPF_STMT(BPF_LDX | BPF_IMM, LONG_HEADER),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        BPF_STMT(BPF_LDX | BPF_IMM, SHORT_HEADER),
        /* A = bytes that its type has behind it, at least */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, EXTENDED - 1),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PAYLOAD, 0, 2),
        BPF_STMT(BPF_LD | BPF_IMM, 1),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        BPF_STMT(BPF_LD | BPF_IMM, 8),
        /* as long as that? */
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    _Static_assert(sizeof program / sizeof *program == 20, "the jumps to the last but one count on it");
    const struct sock_fprog filter = {sizeof program / sizeof *program, program};
    int fd = find_socket(port);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
        return MGA_ERR_DEV_EVENT;
    widen(fd, payload);
    return MGA_OK;
}
