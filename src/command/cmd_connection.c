/* cmd_connection.c - the client's own connection. Source: https://redis.io/commands/?group=connection */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "auth.h"
#include "handlers.h"
#include "info.h"
#include "listening.h"
#include "multi.h"

static void reply_pong(struct call *c) {
    reply_array(c->reply, 2);
    reply_text(c->reply, "pong");
    reply_bulk(c->reply, c->argc == 2 ? call_arg(c, 1) : SLICE_LIT(""));
}

void cmd_ping(struct call *c) {
    if (c->argc > 2)
        reply_error(c->reply, "ERR wrong number of arguments for 'ping' command");
    else if (c->session->listens && c->session->protocol == 2 && !c->session->monitors)
        reply_pong(c); /* a RESP2 subscriber expects every reply in the form of a message */
    else if (c->argc == 2)
        reply_bulk(c->reply, call_arg(c, 1));
    else
        reply_status(c->reply, SLICE_LIT("PONG"));
}

void cmd_echo(struct call *c) {
    reply_bulk(c->reply, call_arg(c, 1));
}

void cmd_quit(struct call *c) {
    c->session->close_after_reply = true;
    reply_ok(c->reply);
}

void cmd_select(struct call *c) {
    int64_t db;

    if (!arg_i64(c, 1, &db))
        return;
    if (db != 0)
        reply_error(c->reply, "ERR DB index is out of range");
    else
        reply_ok(c->reply);
}

/* ---- names that a client gives itself ------------------------------------------------------------------------ */

/* No spaces or control characters: CLIENT LIST has one line for each client, with fields separated by spaces. */
static bool is_plain(struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '!' || s.ptr[i] > '~')
            return false;
    return true;
}

/* Replaces one of the session's texts; an empty one unsets it. False: no memory. */
static bool set_text(struct call *c, char **field, struct slice text) {
    char *copy = text.len > 0 ? mem_alloc(text.len + 1) : NULL, *old;

    if (text.len > 0 && copy == NULL)
        return false;
    if (copy != NULL) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    session_list_lock(&c->server->sessions);
    old = *field;
    *field = copy;
    session_list_unlock(&c->server->sessions);
    mem_free(old);
    return true;
}

static bool set_name(struct call *c, struct slice name) {
    if (!is_plain(name))
        reply_error(c->reply, "ERR Client names cannot contain spaces, newlines or special characters.");
    else if (!set_text(c, &c->session->name, name))
        reply_store_error(c, STORE_NO_MEMORY);
    else
        return true;
    return false;
}

void cmd_client_setname(struct call *c) {
    if (set_name(c, call_arg(c, 2)))
        reply_ok(c->reply);
}

void cmd_client_getname(struct call *c) {
    if (c->session->name != NULL)
        reply_text(c->reply, c->session->name);
    else
        reply_null(c->reply);
}

void cmd_client_setinfo(struct call *c) {
    struct slice value = call_arg(c, 3);
    char **field = NULL;

    if (arg_is(c, 2, "lib-name"))
        field = &c->session->lib_name;
    else if (arg_is(c, 2, "lib-ver"))
        field = &c->session->lib_version;
    if (field == NULL)
        reply_error(c->reply, "ERR Unrecognized option '%.*s'",
                    (int)(c->argv[2].len < 128 ? c->argv[2].len : 128), c->argv[2].ptr);
    else if (!is_plain(value))
        reply_error(c->reply, "ERR %s cannot contain spaces, newlines or special characters.",
                    field == &c->session->lib_name ? "lib-name" : "lib-ver");
    else if (set_text(c, field, value))
        reply_ok(c->reply);
    else
        reply_store_error(c, STORE_NO_MEMORY);
}

void cmd_client_id(struct call *c) {
    reply_integer(c->reply, (int64_t)c->session->id);
}

void cmd_reset(struct call *c) {
    listening_stop(c->server, c->session);
    multi_end(c);
    set_text(c, &c->session->name, slice_of("", 0));
    c->session->unauthenticated = server_requires_auth(c->server);
    c->session->rights = NULL;
    atomic_store_explicit(&c->session->no_touch, false, memory_order_relaxed);
    atomic_store_explicit(&c->session->protocol, 2, memory_order_relaxed);
    reply_status(c->reply, SLICE_LIT("RESET"));
}

/* ---- HELLO --------------------------------------------------------------------------------------------------- */

static void reply_hello(struct call *c) {
    reply_map(c->reply, 7);
    reply_text(c->reply, "server");
    reply_text(c->reply, "redis"); /* clients expect it; INFO has the real name */
    reply_text(c->reply, "version");
    reply_text(c->reply, REDIS_VERSION);
    reply_text(c->reply, "proto");
    reply_integer(c->reply, c->session->protocol);
    reply_text(c->reply, "id");
    reply_integer(c->reply, (int64_t)c->session->id);
    reply_text(c->reply, "mode");
    reply_text(c->reply, "standalone");
    reply_text(c->reply, "role");
    reply_text(c->reply, "master");
    reply_text(c->reply, "modules");
    reply_array(c->reply, 0);
}

void cmd_hello(struct call *c) {
    struct slice name = {NULL, 0};
    int64_t version = c->session->protocol;
    size_t auth = 0; /* the argument that is the user's name */

    if (c->argc > 1 && !num_parse_i64(call_arg(c, 1), &version)) {
        reply_error(c->reply, "ERR Protocol version is not an integer or out of range");
        return;
    }
    if (version < 2 || version > 3) {
        reply_error(c->reply, "NOPROTO unsupported protocol version");
        return;
    }
    for (size_t i = 2; i < c->argc; i++) {
        if (arg_is(c, i, "setname") && i + 1 < c->argc) {
            name = call_arg(c, ++i);
        } else if (arg_is(c, i, "auth") && i + 2 < c->argc) {
            auth = i + 1;
            i += 2;
        } else {
            reply_error(c->reply, "ERR Syntax error in HELLO option '%.*s'",
                        (int)(c->argv[i].len < 128 ? c->argv[i].len : 128), c->argv[i].ptr);
            return;
        }
    }
    if (auth > 0 && !auth_check(c, call_arg(c, auth), call_arg(c, auth + 1)))
        return;
    if (c->session->unauthenticated) {
        reply_error(c->reply,
                    "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
                    "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
                    "select the RESP protocol version at the same time");
        return;
    }
    if (name.ptr != NULL && !set_name(c, name))
        return;
    atomic_store_explicit(&c->session->protocol, (uint8_t)version, memory_order_relaxed);
    reply_hello(c);
}
