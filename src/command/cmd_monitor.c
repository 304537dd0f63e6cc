/* cmd_monitor.c - MONITOR: a line for each command that runs. Source: https://redis.io/commands/monitor */
#include <flashkv/blob.h>
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <stdio.h>

#include "args.h"
#include "handlers.h"
#include "listening.h"
#include "redact.h"

/* ---- the list of monitors ------------------------------------------------------------------------------------ */

static void monitors_lock(struct monitors *m) ACQUIRE(monitors_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&m->mutex);
}

static void monitors_unlock(struct monitors *m) RELEASE(monitors_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&m->mutex);
}

void monitors_init(struct monitors *m) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&m->mutex, LOCK_RANK_LISTENERS);
    m->sessions = NULL;
    m->cap = 0;
    atomic_init(&m->count, 0);
}

void monitors_destroy(struct monitors *m) NO_THREAD_SAFETY_ANALYSIS {
    mem_free(m->sessions);
    mutex_destroy(&m->mutex);
}

/* False: no memory. */
static bool monitors_add(struct monitors *m, struct session *s) {
    uint32_t count;
    bool ok;

    monitors_lock(m);
    count = atomic_load_explicit(&m->count, memory_order_relaxed);
    ok = mem_room(m->sessions, count, m->cap, 4);
    if (ok) {
        m->sessions[count] = s;
        atomic_store_explicit(&m->count, count + 1, memory_order_relaxed);
    }
    monitors_unlock(m);
    return ok;
}

void monitors_remove(struct monitors *m, struct session *s) {
    uint32_t count;

    if (!s->monitors)
        return;
    s->monitors = false;
    monitors_lock(m);
    count = atomic_load_explicit(&m->count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++)
        if (m->sessions[i] == s) {
            m->sessions[i] = m->sessions[--count];
            break;
        }
    atomic_store_explicit(&m->count, count, memory_order_relaxed);
    monitors_unlock(m);
}

void cmd_monitor(struct call *c) {
    struct session *s = c->session;

    if (s->ops == NULL) {
        reply_error(c->reply, "ERR monitor is not allowed here: nothing can be delivered");
        return;
    }
    if (c->in_exec) {
        reply_error(c->reply, "ERR MONITOR isn't allowed for DENY BLOCKING client");
        return;
    }
    if (!s->monitors && !monitors_add(&c->server->monitors, s)) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    s->monitors = true;
    listening_note(s);
    reply_ok(c->reply);
}

/* ---- the line ------------------------------------------------------------------------------------------------ */

/* Appends an argument quoted, with unprintable characters escaped, as redis-cli accepts it. */
static void add_quoted(struct buf *out, struct slice s) {
    static const char escaped[] = "\\\"\n\r\t\a\b", letters[] = "\\\"nrtab";

    buf_append(out, "\"", 1);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte = (unsigned char)s.ptr[i];
        const char *special = byte != '\0' ? strchr(escaped, byte) : NULL;

        if (special != NULL)
            buf_append(out, (char[]){'\\', letters[special - escaped]}, 2);
        else if (byte >= ' ' && byte <= '~')
            buf_append(out, &byte, 1);
        else
            buf_printf(out, "\\x%02x", byte);
    }
    buf_append(out, "\"", 1);
}

/* NULL: no memory. */
static struct blob *monitor_line(const struct call *c) {
    enum { ARGS_MAX = 64 * 1024 * 1024 };
    struct buf out = buf_make(ARGS_MAX);
    int64_t us = clock_wall_us();
    struct blob *line = NULL;

    session_find_peer(c->session);
    buf_printf(&out, "+%lld.%06lld [0 %s]", (long long)(us / 1000000), (long long)(us % 1000000),
               c->session->peer);
    for (size_t i = 0; i < c->argc; i++) {
        buf_append(&out, " ", 1);
        add_quoted(&out, arg_is_secret(c, i) ? SLICE_LIT("(redacted)") : call_arg(c, i));
    }
    if (buf_append(&out, "\r\n", 2))
        line = blob_copy(buf_slice(&out));
    buf_free(&out);
    return line;
}

void monitors_feed(const struct call *c) {
    struct monitors *m = &c->server->monitors;
    struct blob *line;
    uint32_t count;

    if ((c->command->flags & CMD_ADMIN) || (line = monitor_line(c)) == NULL)
        return;
    monitors_lock(m);
    count = atomic_load_explicit(&m->count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++)
        m->sessions[i]->ops->deliver(m->sessions[i], line, DELIVER_MESSAGE);
    monitors_unlock(m);
    blob_unref(line);
}
