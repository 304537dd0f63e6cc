/* server.h - the libmicrohttpd glue, for the rest of http. */
#ifndef FLASHKV_HTTP_SERVER_H
#define FLASHKV_HTTP_SERVER_H

#include <flashkv/http.h>

struct server *http_server(const struct http *h);

#endif
