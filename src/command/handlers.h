/* handlers.h - every handler of the command table, by file. Private to the command layer. */
#ifndef FLASHKV_COMMAND_HANDLERS_H
#define FLASHKV_COMMAND_HANDLERS_H

#include <flashkv/command.h>

/* X(name of the handler): one line a file. */
#define STRING_HANDLERS(X)                                                                                   \
    X(append)                                                                                                \
    X(decr) X(decrby) X(get) X(getdel) X(getex) X(getset) X(incr) X(incrby) X(mget) X(mset) X(psetex) X(set) \
        X(setex) X(setnx) X(strlen)
#define LIST_HANDLERS(X)                                                                                     \
    X(lindex)                                                                                                \
    X(linsert) X(llen) X(lpop) X(lpush) X(lpushx) X(lrange) X(lrem) X(lset) X(ltrim) X(rpop) X(rpush)        \
        X(rpushx)
#define KEY_HANDLERS(X)                                                                                      \
    X(del)                                                                                                   \
    X(exists) X(expire) X(expireat) X(expiretime) X(keys) X(persist) X(pexpire) X(pexpireat) X(pexpiretime)  \
        X(pttl) X(randomkey) X(rename) X(renamenx) X(scan) X(ttl) X(type)
#define CONNECTION_HANDLERS(X)                                                                               \
    X(client_getname)                                                                                        \
    X(client_id) X(client_info) X(client_list) X(client_setinfo) X(client_setname) X(echo) X(hello) X(ping)  \
        X(quit) X(reset) X(select)
#define SERVER_HANDLERS(X)                                                                                   \
    X(command)                                                                                               \
    X(command_count) X(command_docs) X(command_getkeys) X(command_info) X(command_list) X(config_get)        \
        X(config_resetstat) X(config_set) X(dbinfo) X(dbsize) X(debug_sleep) X(flushall) X(info) X(time)
#define REST_HANDLERS(X) X(rest_read) X(rest_remove) X(rest_write)

#define DECLARE_HANDLER(name) void cmd_##name(struct call *c);
STRING_HANDLERS(DECLARE_HANDLER)
LIST_HANDLERS(DECLARE_HANDLER)
KEY_HANDLERS(DECLARE_HANDLER)
CONNECTION_HANDLERS(DECLARE_HANDLER)
SERVER_HANDLERS(DECLARE_HANDLER)
REST_HANDLERS(DECLARE_HANDLER)
#undef DECLARE_HANDLER

#endif
