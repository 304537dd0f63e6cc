/* connection.h - one RESP connection, driven by hand over a socket pair: no thread, no clock, the loop ticks when a test
 * says so. */
#ifndef FLASHKV_TESTS_CONNECTION_H
#define FLASHKV_TESTS_CONNECTION_H

#include "commands.h"
#include "resp/conn.h"

enum { MAX_OUTPUT = 1 << 20, SOCKET_ROOM = 64 * 1024 };

extern struct loop loop;
extern struct conn *conn;
extern int client; /* the other end */

void connection_setup(void);
void connection_teardown(void);
bool is_open(void);
/* What epoll would say now, until it says nothing. */
void settle(void);
/* The client sends, and the loop settles. */
void tell(const char *bytes, size_t len);
void say(const char *text);
/* All that is there to be read now. */
struct slice hear(void);
void check_hears(const char *want);
bool client_sees_end(void);
void tick(unsigned seconds);

#endif
