/* session.c - the list of connected clients. */
#include <flashkv/command.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <flashkv/server.h>
#include <flashkv/session.h>
#include <sys/socket.h>

#include "listening.h"

void session_list_lock(struct session_list *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

void session_list_unlock(struct session_list *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

void session_list_init(struct session_list *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&l->mutex, LOCK_RANK_SESSIONS);
    l->head = NULL;
    l->count = 0;
    atomic_init(&l->next_id, 1);
}

void session_list_destroy(struct session_list *l) {
    mutex_destroy(&l->mutex);
}

void session_enter(struct session_list *l, struct session *s) {
    s->id = atomic_fetch_add_explicit(&l->next_id, 1, memory_order_relaxed);
    session_list_lock(l);
    s->prev = NULL;
    s->next = l->head;
    if (l->head != NULL)
        l->head->prev = s;
    l->head = s;
    l->count++;
    session_list_unlock(l);
}

void session_leave(struct session_list *l, struct session *s) {
    session_list_lock(l);
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        l->head = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    l->count--;
    session_list_unlock(l);
    mem_free(s->name);
    mem_free(s->lib_name);
    mem_free(s->lib_version);
}

void session_find_peer(struct session *s) {
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (s->peer[0] == '\0' && s->fd > 0 && getpeername(s->fd, (struct sockaddr *)&address, &len) == 0)
        net_address((struct sockaddr *)&address, s->peer, sizeof(s->peer));
}

const char *session_local(const struct session *s, char out[SESSION_ADDRESS]) {
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    out[0] = '\0';
    if (getsockname(s->fd, (struct sockaddr *)&address, &len) == 0)
        net_address((struct sockaddr *)&address, out, SESSION_ADDRESS);
    return out;
}

void session_end(struct server *srv, struct session *s) {
    struct session_subscriber *subscriber = s->subscriber;

    listening_stop(srv, s);
    command_forget(srv, s);
    session_leave(&srv->sessions, s);
    mem_free(subscriber); /* after leaving the list: no thread can read its counts any more */
}
