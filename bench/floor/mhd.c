/* mhd.c - the floor of an HTTP server on libmicrohttpd: one prebuilt response of 64 bytes to every request, with the
 * settings that cost least: a small buffer (the library clears it for each request) and a Date of our own.
 *
 * usage: floor_mhd PORT [CONNECTION-MEMORY-BYTES]
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY_BYTES = 64, DEFAULT_MEMORY = 5120 }; /* as --http-memory */

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body, size_t *body_size,
                              void **seen) {
    (void)url, (void)method, (void)version, (void)body;
    if (*seen == NULL) { /* a response queued in the first call would close the connection */
        *seen = cls;
        return MHD_YES;
    }
    *body_size = 0;
    return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

/* Keeps the library from decoding the target. */
static size_t leave_encoded(void *cls, struct MHD_Connection *connection, char *text) {
    (void)cls, (void)connection;
    return strlen(text);
}

int main(int argc, char **argv) {
    static char body[BODY_BYTES];
    size_t memory = argc > 2 ? strtoul(argv[2], NULL, 10) : DEFAULT_MEMORY;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Response *response;

    if (argc < 2 || memory < 256) {
        fputs("usage: floor_mhd PORT [CONNECTION-MEMORY-BYTES]\n", stderr);
        return 2;
    }
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    memset(body, 'a', BODY_BYTES);
    response = MHD_create_response_from_buffer(BODY_BYTES, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, MHD_HTTP_HEADER_DATE, "Thu, 01 Jan 1970 00:00:00 GMT");
    if (MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL, NULL,
                         answer, response, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         memory, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
                         MHD_OPTION_CONNECTION_LIMIT, 16384u, MHD_OPTION_END) == NULL) {
        fputs("floor_mhd: cannot start\n", stderr);
        return 1;
    }
    for (;;)
        pause();
}
