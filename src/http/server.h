/* server.h - the libmicrohttpd glue, for the rest of http. */
#ifndef FLASHKV_HTTP_SERVER_H
#define FLASHKV_HTTP_SERVER_H

#include <flashkv/command.h>
#include <flashkv/http.h>

#include "hold.h"
#include "stream.h"
#include "traffic.h"
#include "turns.h"

struct server *http_server(const struct http *h);
/* The command that a GET of a key is: its row, found once. */
const struct command *http_row_of_get(const struct http *h);
/* The responses that go on, and the requests that wait. */
struct pause_list *http_pauses(struct http *h);
/* The responses that wait for the disk. */
struct hold_list *http_holds(struct http *h);
/* Its workers' threads. */
struct crew *http_crew(struct http *h);
/* Adds up what all workers' requests have cost so far. False: no memory, and something is missing. */
bool http_traffic(const struct http *h, struct traffic *sum);
/* Lines that the access log could not take. */
uint64_t http_access_log_dropped(const struct http *h);
/* Is there an access log? */
bool http_keeps_access_log(const struct http *h);
/* Is http_stop waiting for what is in flight? Then responses say that the connection ends. */
bool http_stopping(const struct http *h);

#endif
