/* server.h - what the rest of http needs of the server (server.c). */
#ifndef FLASHKV_HTTP_SERVER_H
#define FLASHKV_HTTP_SERVER_H

#include <flashkv/command.h>
#include <flashkv/http.h>

#include "hold.h"
#include "stream.h"
#include "traffic.h"
#include "turns.h"

struct server *http_server(const struct http *h);
/* The private row of rest.get, looked up once. */
const struct command *http_row_of_get(const struct http *h);
/* The streams and waiting requests. */
struct pause_list *http_pauses(struct http *h);
/* The responses that wait for the disk. */
struct hold_list *http_holds(struct http *h);
/* The workers' threads. */
struct crew *http_crew(struct http *h);
/* Adds the traffic of all workers to `sum`. False: no memory, and `sum` is incomplete. */
bool http_traffic(const struct http *h, struct traffic *sum);
/* access_log_dropped; 0 without an access log. */
uint64_t http_access_log_dropped(const struct http *h);
/* Is there an access log? */
bool http_keeps_access_log(const struct http *h);
/* Is http_stop waiting for requests in flight? Then responses announce that the connection closes. */
bool http_stopping(const struct http *h);

#endif
