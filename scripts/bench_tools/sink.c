// sink PORT MAX_PDU [ANSWER_US]: a Storage SCP that accepts everything and keeps nothing, so that it is the sender that
// is timed.
//
// Each association is a process of its own. The first transfer syntax of every presentation context is accepted; data
// sets are dropped inside the kernel (MSG_TRUNC); each C-STORE is answered with 0000H in one write with TCP_NODELAY.
// With ANSWER_US it waits so long before each answer, as an archive does that writes and syncs.
// A connection that starts with the bytes "RAW." is the TCP baseline: 8-byte little-endian length, bytes, 1-byte
// answer. Bench only: it trusts its peer.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASSOCIATE_RQ = 1, P_DATA_TF = 4, RELEASE_RQ = 5, BUFFER_BYTES = 1 << 20 };

static uint8_t buffer[BUFFER_BYTES];
static uint32_t max_pdu;
static useconds_t answer_us;

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void put_big32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
}

static void put_little32(uint8_t *p, uint32_t v)
{
    p[3] = (uint8_t)(v >> 24), p[2] = (uint8_t)(v >> 16), p[1] = (uint8_t)(v >> 8), p[0] = (uint8_t)v;
}

static void receive(int fd, uint8_t *into, size_t bytes)
{
    if (recv(fd, into, bytes, MSG_WAITALL) != (ssize_t)bytes) {
        _exit(0);
    }
}

static void drop(int fd, uint64_t bytes)
{
    while (bytes > 0) {
        size_t part = bytes < BUFFER_BYTES ? (size_t)bytes : BUFFER_BYTES;
        ssize_t got = recv(fd, buffer, part, MSG_TRUNC);
        if (got <= 0) {
            _exit(0);
        }
        bytes -= (uint64_t)got;
    }
}

static void transmit(int fd, const uint8_t *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = send(fd, from, bytes, MSG_NOSIGNAL);
        if (sent <= 0) {
            _exit(0);
        }
        from += sent;
        bytes -= (size_t)sent;
    }
}

// PS3.8 9.3.3: the fixed part and the application context are the request's own, each context gets one result item.
static void accept_association(int fd, const uint8_t *request, uint32_t bytes)
{
    static uint8_t reply[1 << 16];
    size_t n = 6 + 68;
    memcpy(reply + 6, request, 68);
    for (uint32_t at = 68; at + 4 <= bytes; at += 4 + big16(request + at + 2)) {
        const uint8_t *item = request + at;
        if (item[0] == 0x10) {
            memcpy(reply + n, item, 4 + big16(item + 2));
            n += 4 + big16(item + 2);
        } else if (item[0] == 0x20) {
            uint32_t sub = 8 + 4 + big16(item + 8 + 2); // past the abstract syntax: the first transfer syntax
            uint32_t length = 4 + big16(item + sub + 2);
            uint8_t head[8] = {0x21, 0, (uint8_t)((4 + length) >> 8), (uint8_t)(4 + length), item[4], 0, 0, 0};
            memcpy(reply + n, head, 8);
            memcpy(reply + n + 8, item + sub, length);
            n += 8 + length;
        }
    }
    const char *implementation = "1.2.3.4";
    uint8_t user[4 + 8 + 4] = {0x50, 0, 0, 8 + 4 + 7, 0x51, 0, 0, 4, 0, 0, 0, 0, 0x52, 0, 0, 7};
    put_big32(user + 8, max_pdu);
    memcpy(reply + n, user, sizeof user);
    memcpy(reply + n + sizeof user, implementation, 7);
    n += sizeof user + 7;
    reply[0] = 2;
    put_big32(reply + 2, (uint32_t)(n - 6));
    transmit(fd, reply, n);
}

static size_t put_element(uint8_t *at, uint32_t element, const uint8_t *value, uint32_t length)
{
    put_little32(at, element << 16);
    put_little32(at + 4, length);
    memcpy(at + 8, value, length);
    return 8 + length;
}

// Answers the Command Set with a C-STORE-RSP (8001H) or C-ECHO-RSP (8030H), status 0000H.
static void respond(int fd, uint8_t context, const uint8_t *command, uint32_t bytes)
{
    uint8_t out[512] = {P_DATA_TF};
    uint8_t request[2] = {0};
    uint8_t message[2] = {0};
    const uint8_t *sop_class = command;
    const uint8_t *instance = command;
    uint32_t class_bytes = 0;
    uint32_t instance_bytes = 0;
    for (uint32_t at = 0; at + 8 <= bytes; at += 8 + little32(command + at + 4)) {
        const uint8_t *value = command + at + 8;
        uint32_t length = little32(command + at + 4);
        switch (little32(command + at) >> 16) {
        case 0x0002: sop_class = value, class_bytes = length; break;
        case 0x0100: memcpy(request, value, 2); break;
        case 0x0110: memcpy(message, value, 2); break;
        case 0x1000: instance = value, instance_bytes = length; break;
        default: break;
        }
    }
    uint8_t answer[2] = {request[0], 0x80};
    uint8_t none[2] = {0x01, 0x01};
    uint8_t success[2] = {0, 0};
    size_t n = 12 + 12;
    n += put_element(out + n, 0x0002, sop_class, class_bytes);
    n += put_element(out + n, 0x0100, answer, 2);
    n += put_element(out + n, 0x0120, message, 2);
    n += put_element(out + n, 0x0800, none, 2);
    n += put_element(out + n, 0x0900, success, 2);
    if (instance_bytes > 0) {
        n += put_element(out + n, 0x1000, instance, instance_bytes);
    }
    uint8_t group_bytes[4];
    put_little32(group_bytes, (uint32_t)(n - 24));
    put_element(out + 12, 0x0000, group_bytes, 4);
    put_big32(out + 2, (uint32_t)(n - 6));
    put_big32(out + 6, (uint32_t)(n - 10));
    out[10] = context;
    out[11] = 0x03;
    if (answer_us > 0) {
        usleep(answer_us);
    }
    transmit(fd, out, n);
}

static void serve_raw(int fd)
{
    for (;;) {
        uint8_t head[8];
        uint64_t bytes;
        receive(fd, head, sizeof head);
        memcpy(&bytes, head, sizeof bytes);
        drop(fd, bytes);
        transmit(fd, head, 1);
    }
}

static void serve_data(int fd, uint32_t pdu_bytes)
{
    static uint8_t command[4096];
    static uint32_t filled;
    static uint8_t context;
    while (pdu_bytes >= 6) {
        uint8_t pdv[6];
        receive(fd, pdv, sizeof pdv);
        uint32_t body = big32(pdv) - 2;
        pdu_bytes -= 6 + body;
        context = pdv[4];
        if (pdv[5] & 1) {
            if (filled + body > sizeof command) {
                _exit(1);
            }
            receive(fd, command + filled, body);
            filled += body;
        } else {
            drop(fd, body);
        }
        int is_last = pdv[5] & 2;
        int is_echo = is_last && (pdv[5] & 1) && memmem(command, filled, "\0\0\0\1\2\0\0\0\x30\0", 10) != NULL;
        if (is_echo || (is_last && !(pdv[5] & 1))) {
            respond(fd, context, command, filled);
            filled = 0;
        }
    }
}

static void serve(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (;;) {
        uint8_t head[6];
        receive(fd, head, 4);
        if (memcmp(head, "RAW.", 4) == 0) {
            serve_raw(fd);
        }
        receive(fd, head + 4, 2);
        uint32_t bytes = big32(head + 2);
        if (head[0] == P_DATA_TF) {
            serve_data(fd, bytes);
            continue;
        }
        if (bytes > BUFFER_BYTES) {
            _exit(1);
        }
        receive(fd, buffer, bytes);
        if (head[0] == ASSOCIATE_RQ) {
            accept_association(fd, buffer, bytes);
        } else if (head[0] == RELEASE_RQ) {
            uint8_t reply[10] = {6, 0, 0, 0, 0, 4};
            transmit(fd, reply, sizeof reply);
        } else {
            _exit(0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        return 2;
    }
    answer_us = argc > 3 ? (useconds_t)atoi(argv[3]) : 0;
    signal(SIGCHLD, SIG_IGN);
    max_pdu = (uint32_t)strtoul(argv[2], NULL, 10);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 16) != 0) {
        perror("sink");
        return 1;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && fork() == 0) {
            close(listener);
            serve(fd);
        }
        close(fd);
    }
}
