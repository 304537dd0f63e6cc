/* security.h - what main needs to know of who is let in: tokens, certificates, and whether others can reach the ports. */
#ifndef FLASHKV_SECURITY_H
#define FLASHKV_SECURITY_H

#include <flashkv/server.h>

/* Loads what the options name into the server. False: said what is wrong, and the server must not start. */
bool security_open(struct server *srv, const struct options *o, char *const env[]);
/* After the ports are closed. The tokens are server_destroy's. */
void security_close(struct server *srv);
/* Takes up certificates that have changed, or, if the user `asked`, whatever is there; for process_await_signal. */
void security_look(void *server, bool asked);
/* What the options name, whose texts it points to. */
struct tls_files security_tls_files(const struct options *o);

#endif
