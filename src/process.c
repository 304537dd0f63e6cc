/* process.c - signals, limits, the health check. */
#include "process.h"

#include <errno.h>
#include <flashkv/log.h>
#include <flashkv/net.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "security.h"

enum { CHECK_SECONDS = 3, LOOK_SECONDS = 2 };

static sigset_t awaited_signals(void) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

static void raise_descriptor_limit(uint64_t connections) {
    uint64_t room = net_room_for(connections);

    if (room < connections)
        log_warn("the limit of file descriptors is enough for %llu connections at each port, fewer than "
                 "max-connections allows",
                 (unsigned long long)room);
}

void process_setup(const struct options *o) {
    sigset_t set = awaited_signals();

    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit(o->max_connections);
}

void process_log_resources(const struct resources *r) {
    bool limited = r->limits.memory > 0 && r->limits.memory == r->memory;
    char cpu[64];

    if (r->limits.cpu_millis > 0)
        snprintf(cpu, sizeof(cpu), "%.2f CPU (cgroup)", (double)r->limits.cpu_millis / 1e3);
    else
        snprintf(cpu, sizeof(cpu), "%u CPU", r->processors);
    log_info("%s %llu MiB%s, %s: threads by default %u for each port", limited ? "memory limit" : "memory",
             (unsigned long long)(r->memory >> 20), limited ? " (cgroup)" : "", cpu, r->threads);
}

/* A handler, since the default action of a signal is none for process 1, as in a container. */
static void exit_at_once(int signal_number) {
    _exit(128 + signal_number);
}

const char *process_await_signal(void (*look)(void *ctx, bool asked), void *ctx) {
    static const struct timespec patience = {LOOK_SECONDS, 0};
    sigset_t set = awaited_signals();
    int got;

    while ((got = sigtimedwait(&set, NULL, &patience)) != SIGTERM && got != SIGINT)
        look(ctx, got == SIGHUP);
    signal(SIGTERM, exit_at_once);
    signal(SIGINT, exit_at_once);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return got == SIGINT ? "SIGINT" : "SIGTERM";
}

void process_run_id(char out[41]) {
    unsigned char bytes[20] = {0};

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        log_warn("no random bytes for the run id");
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* ---- --check ----------------------------------------------------------------------------------------------------- */

/* The first address the instance listens on, as one to connect to. */
static void check_address(const struct options *o, char *host, size_t cap) {
    snprintf(host, cap, "%.*s", (int)strcspn(o->bind, ","), o->bind);
    if (strcmp(host, "0.0.0.0") == 0)
        snprintf(host, cap, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        snprintf(host, cap, "::1");
}

/* A connection, or -1 with *why. */
static int connect_to(const char *host, uint64_t port, const char **why) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    struct timeval patience = {CHECK_SECONDS, 0};
    char service[8];
    int fd, failed;

    snprintf(service, sizeof(service), "%llu", (unsigned long long)port);
    failed = getaddrinfo(host, service, &hints, &found);
    if (failed != 0) {
        *why = gai_strerror(failed);
        return -1;
    }
    fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        *why = strerror(errno == EINPROGRESS ? ETIMEDOUT : errno);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static const char ask[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
enum { ASK_LEN = sizeof(ask) - 1 };

static bool exchange(int fd, char *answer, size_t cap) {
    return send(fd, ask, ASK_LEN, MSG_NOSIGNAL) == ASK_LEN && recv(fd, answer, cap, MSG_WAITALL) > 0;
}

/* The same over TLS; the server may be any, it is this machine's. */
static bool exchange_tls(const struct options *o, int fd, char *answer, size_t cap) {
    struct tls_files files = security_tls_files(o);
    struct tls_conn *tls;
    bool ok;

    files.client_ca = "";
    tls = tls_connect(&files, fd);
    ok = tls != NULL && tls_handshake(tls) == TLS_DONE && tls_send(tls, ask, ASK_LEN) == ASK_LEN &&
         tls_recv(tls, answer, cap) > 0;
    tls_free(tls);
    return ok;
}

/* The status code of GET /readyz; 0: none came in time. */
static int ask_ready(const struct options *o, int fd) {
    bool tls = *o->tls_cert != '\0' && o->tls_ports != TLS_PORTS_RESP;
    char answer[64] = "";
    int status = 0;

    if (tls ? exchange_tls(o, fd, answer, sizeof(answer) - 1) : exchange(fd, answer, sizeof(answer) - 1))
        sscanf(answer, "HTTP/1.1 %3d", &status);
    return status;
}

int process_check(const struct options *o) {
    char host[256], reason[32];
    const char *why = reason;
    int status = 0, fd;

    check_address(o, host, sizeof(host));
    fd = connect_to(host, o->http_port, &why);
    if (fd >= 0) {
        status = ask_ready(o, fd);
        close(fd);
        snprintf(reason, sizeof(reason), "HTTP status %d", status);
        if (status == 0)
            why = "no HTTP answer";
    }
    if (status == 200)
        return 0;
    fprintf(stderr, "flashkv: not ready: %s port %llu: %s\n", host, (unsigned long long)o->http_port, why);
    return 1;
}
