/* table.c - every command: one row. Arity, key positions and flags as COMMAND INFO of Redis 7.0 tells them. */
#include "table.h"

#include <ctype.h>
#include <stdio.h>

#include "handlers.h"

enum {
    R = CMD_READ,
    W = CMD_WRITE,
    F = CMD_FAST,
    M = CMD_DENYOOM,
    A = CMD_ADMIN,
    K = CMD_KEYSPACE,
    N = CMD_NUMKEYS,
};

/* name, handler, arity, flags, first key, last key, step, group, since, syntax, summary */
const struct command command_table[] = {
    /* strings */
    {"append", cmd_append, 3, W | M | F, 1, 1, 1, "string", "2.0.0", "key value", "Appends to a string"},
    {"decr", cmd_decr, 2, W | M | F, 1, 1, 1, "string", "1.0.0", "key", "Subtracts one from an integer"},
    {"decrby", cmd_decrby, 3, W | M | F, 1, 1, 1, "string", "1.0.0", "key decrement",
     "Subtracts from an integer"},
    {"get", cmd_get, 2, R | F, 1, 1, 1, "string", "1.0.0", "key", "Returns the string of a key"},
    {"getdel", cmd_getdel, 2, W | F, 1, 1, 1, "string", "6.2.0", "key",
     "Returns a string and deletes the key"},
    {"getex", cmd_getex, -2, W | F, 1, 1, 1, "string", "6.2.0",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
     "Returns a string and sets the key's expiry"},
    {"getrange", cmd_getrange, 4, R, 1, 1, 1, "string", "2.4.0", "key start end",
     "Returns a part of a string"},
    {"getset", cmd_getset, 3, W | M | F, 1, 1, 1, "string", "1.0.0", "key value",
     "Sets a string and returns the old one"},
    {"incr", cmd_incr, 2, W | M | F, 1, 1, 1, "string", "1.0.0", "key", "Adds one to an integer"},
    {"incrby", cmd_incrby, 3, W | M | F, 1, 1, 1, "string", "1.0.0", "key increment", "Adds to an integer"},
    {"incrbyfloat", cmd_incrbyfloat, 3, W | M | F, 1, 1, 1, "string", "2.6.0", "key increment",
     "Adds to a number with decimals"},
    {"mget", cmd_mget, -2, R | F, 1, -1, 1, "string", "1.0.0", "key [key ...]",
     "Returns the strings of several keys"},
    {"mset", cmd_mset, -3, W | M, 1, -1, 2, "string", "1.0.1", "key value [key value ...]",
     "Sets several keys at once, all or nothing"},
    {"msetnx", cmd_msetnx, -3, W | M, 1, -1, 2, "string", "1.0.1", "key value [key value ...]",
     "Sets several keys at once if none of them is there"},
    {"psetex", cmd_psetex, 4, W | M, 1, 1, 1, "string", "2.6.0", "key milliseconds value",
     "Sets a string that expires after milliseconds"},
    {"set", cmd_set, -3, W | M, 1, 1, 1, "string", "1.0.0",
     "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
     "unix-time-milliseconds | KEEPTTL]",
     "Sets a key to a string, whatever it held"},
    {"setex", cmd_setex, 4, W | M, 1, 1, 1, "string", "2.0.0", "key seconds value",
     "Sets a string that expires after seconds"},
    {"setnx", cmd_setnx, 3, W | M | F, 1, 1, 1, "string", "1.0.0", "key value",
     "Sets a string if the key is not there"},
    {"setrange", cmd_setrange, 4, W | M, 1, 1, 1, "string", "2.2.0", "key offset value",
     "Writes over a part of a string"},
    {"strlen", cmd_strlen, 2, R | F, 1, 1, 1, "string", "2.2.0", "key", "Returns the length of a string"},
    {"substr", cmd_getrange, 4, R, 1, 1, 1, "string", "1.0.0", "key start end",
     "As GETRANGE, by its old name"},

    /* lists */
    {"lindex", cmd_lindex, 3, R, 1, 1, 1, "list", "1.0.0", "key index", "Returns the element at an index"},
    {"linsert", cmd_linsert, 5, W | M, 1, 1, 1, "list", "2.2.0", "key BEFORE | AFTER pivot element",
     "Inserts an element before or after another"},
    {"llen", cmd_llen, 2, R | F, 1, 1, 1, "list", "1.0.0", "key", "Returns the length of a list"},
    {"lpop", cmd_lpop, -2, W | F, 1, 1, 1, "list", "1.0.0", "key [count]",
     "Removes and returns the first elements"},
    {"lpush", cmd_lpush, -3, W | M | F, 1, 1, 1, "list", "1.0.0", "key element [element ...]",
     "Adds elements at the head"},
    {"lpushx", cmd_lpushx, -3, W | M | F, 1, 1, 1, "list", "2.2.0", "key element [element ...]",
     "Adds elements at the head of a list that exists"},
    {"lrange", cmd_lrange, 4, R, 1, 1, 1, "list", "1.0.0", "key start stop", "Returns a range of elements"},
    {"lrem", cmd_lrem, 4, W, 1, 1, 1, "list", "1.0.0", "key count element", "Removes elements equal to one"},
    {"lset", cmd_lset, 4, W | M, 1, 1, 1, "list", "1.0.0", "key index element",
     "Replaces the element at an index"},
    {"ltrim", cmd_ltrim, 4, W, 1, 1, 1, "list", "1.0.0", "key start stop",
     "Keeps a range and removes the rest"},
    {"rpop", cmd_rpop, -2, W | F, 1, 1, 1, "list", "1.0.0", "key [count]",
     "Removes and returns the last elements"},
    {"rpush", cmd_rpush, -3, W | M | F, 1, 1, 1, "list", "1.0.0", "key element [element ...]",
     "Adds elements at the tail"},
    {"rpushx", cmd_rpushx, -3, W | M | F, 1, 1, 1, "list", "2.2.0", "key element [element ...]",
     "Adds elements at the tail of a list that exists"},

    /* hashes */
    {"hdel", cmd_hdel, -3, W | F, 1, 1, 1, "hash", "2.0.0", "key field [field ...]",
     "Removes fields from a hash"},
    {"hexists", cmd_hexists, 3, R | F, 1, 1, 1, "hash", "2.0.0", "key field",
     "Tells whether a hash has a field"},
    {"hget", cmd_hget, 3, R | F, 1, 1, 1, "hash", "2.0.0", "key field", "Returns the value of a field"},
    {"hgetall", cmd_hgetall, 2, R, 1, 1, 1, "hash", "2.0.0", "key", "Returns all fields and values"},
    {"hincrby", cmd_hincrby, 4, W | M | F, 1, 1, 1, "hash", "2.0.0", "key field increment",
     "Adds to an integer in a hash"},
    {"hincrbyfloat", cmd_hincrbyfloat, 4, W | M | F, 1, 1, 1, "hash", "2.6.0", "key field increment",
     "Adds to a number in a hash"},
    {"hkeys", cmd_hkeys, 2, R, 1, 1, 1, "hash", "2.0.0", "key", "Returns all fields"},
    {"hlen", cmd_hlen, 2, R | F, 1, 1, 1, "hash", "2.0.0", "key", "Returns the number of fields"},
    {"hmget", cmd_hmget, -3, R | F, 1, 1, 1, "hash", "2.0.0", "key field [field ...]",
     "Returns the values of several fields"},
    {"hmset", cmd_hmset, -4, W | M | F, 1, 1, 1, "hash", "2.0.0", "key field value [field value ...]",
     "Sets several fields"},
    {"hrandfield", cmd_hrandfield, -2, R, 1, 1, 1, "hash", "6.2.0", "key [count [WITHVALUES]]",
     "Returns fields picked at random"},
    {"hscan", cmd_hscan, -3, R, 1, 1, 1, "hash", "2.8.0", "key cursor [MATCH pattern] [COUNT count]",
     "Returns a page of fields and values"},
    {"hset", cmd_hset, -4, W | M | F, 1, 1, 1, "hash", "2.0.0", "key field value [field value ...]",
     "Sets fields, and tells how many are new"},
    {"hsetnx", cmd_hsetnx, 4, W | M | F, 1, 1, 1, "hash", "2.0.0", "key field value",
     "Sets a field if it is not there"},
    {"hstrlen", cmd_hstrlen, 3, R | F, 1, 1, 1, "hash", "3.2.0", "key field",
     "Returns the length of a field's value"},
    {"hvals", cmd_hvals, 2, R, 1, 1, 1, "hash", "2.0.0", "key", "Returns all values"},

    /* sets */
    {"sadd", cmd_sadd, -3, W | M | F, 1, 1, 1, "set", "1.0.0", "key member [member ...]",
     "Adds members to a set"},
    {"scard", cmd_scard, 2, R | F, 1, 1, 1, "set", "1.0.0", "key", "Returns the number of members"},
    {"sdiff", cmd_sdiff, -2, R, 1, -1, 1, "set", "1.0.0", "key [key ...]",
     "Returns the members of the first set that the others do not have"},
    {"sdiffstore", cmd_sdiffstore, -3, W | M, 1, -1, 1, "set", "1.0.0", "destination key [key ...]",
     "Stores a difference of sets"},
    {"sinter", cmd_sinter, -2, R, 1, -1, 1, "set", "1.0.0", "key [key ...]",
     "Returns the members that all sets have"},
    {"sintercard", cmd_sintercard, -3, R | N, 1, 0, 1, "set", "7.0.0", "numkeys key [key ...] [LIMIT limit]",
     "Counts the members that all sets have"},
    {"sinterstore", cmd_sinterstore, -3, W | M, 1, -1, 1, "set", "1.0.0", "destination key [key ...]",
     "Stores an intersection of sets"},
    {"sismember", cmd_sismember, 3, R | F, 1, 1, 1, "set", "1.0.0", "key member",
     "Tells whether a set has a member"},
    {"smembers", cmd_smembers, 2, R, 1, 1, 1, "set", "1.0.0", "key", "Returns all members"},
    {"smismember", cmd_smismember, -3, R | F, 1, 1, 1, "set", "6.2.0", "key member [member ...]",
     "Tells which members a set has"},
    {"smove", cmd_smove, 4, W | F, 1, 2, 1, "set", "1.0.0", "source destination member",
     "Moves a member to another set"},
    {"spop", cmd_spop, -2, W | F, 1, 1, 1, "set", "1.0.0", "key [count]",
     "Removes and returns members picked at random"},
    {"srandmember", cmd_srandmember, -2, R, 1, 1, 1, "set", "1.0.0", "key [count]",
     "Returns members picked at random"},
    {"srem", cmd_srem, -3, W | F, 1, 1, 1, "set", "1.0.0", "key member [member ...]",
     "Removes members from a set"},
    {"sscan", cmd_sscan, -3, R, 1, 1, 1, "set", "2.8.0", "key cursor [MATCH pattern] [COUNT count]",
     "Returns a page of members"},
    {"sunion", cmd_sunion, -2, R, 1, -1, 1, "set", "1.0.0", "key [key ...]",
     "Returns the members that any of the sets has"},
    {"sunionstore", cmd_sunionstore, -3, W | M, 1, -1, 1, "set", "1.0.0", "destination key [key ...]",
     "Stores a union of sets"},

    /* keys of any type */
    {"del", cmd_del, -2, W, 1, -1, 1, "generic", "1.0.0", "key [key ...]", "Deletes keys"},
    {"exists", cmd_exists, -2, R | F, 1, -1, 1, "generic", "1.0.0", "key [key ...]",
     "Counts the keys that exist"},
    {"expire", cmd_expire, -3, W | F, 1, 1, 1, "generic", "1.0.0", "key seconds [NX | XX | GT | LT]",
     "Sets the expiry of a key in seconds"},
    {"expireat", cmd_expireat, -3, W | F, 1, 1, 1, "generic", "1.2.0",
     "key unix-time-seconds [NX | XX | GT | LT]", "Sets the expiry of a key to a time in seconds"},
    {"expiretime", cmd_expiretime, 2, R | F, 1, 1, 1, "generic", "7.0.0", "key",
     "Returns when a key expires, in seconds since 1970"},
    {"keys", cmd_keys, 2, R | K, 0, 0, 0, "generic", "1.0.0", "pattern",
     "Returns the keys that match a pattern"},
    {"object", NULL, -2, CMD_CONTAINER, 0, 0, 0, "generic", "2.2.3", "subcommand", "About a value"},
    {"object|encoding", cmd_object_encoding, 3, R, 2, 2, 1, "generic", "2.2.3", "key",
     "Tells how a value is kept"},
    {"object|freq", cmd_object_freq, 3, R, 2, 2, 1, "generic", "4.0.0", "key",
     "Refuses: no such count is kept"},
    {"object|idletime", cmd_object_idletime, 3, R, 2, 2, 1, "generic", "2.2.3", "key",
     "Answers 0: no access time is kept"},
    {"object|refcount", cmd_object_refcount, 3, R, 2, 2, 1, "generic", "2.2.3", "key",
     "Answers 1: values are not shared"},
    {"persist", cmd_persist, 2, W | F, 1, 1, 1, "generic", "2.2.0", "key", "Takes the expiry off a key"},
    {"pexpire", cmd_pexpire, -3, W | F, 1, 1, 1, "generic", "2.6.0", "key milliseconds [NX | XX | GT | LT]",
     "Sets the expiry of a key in milliseconds"},
    {"pexpireat", cmd_pexpireat, -3, W | F, 1, 1, 1, "generic", "2.6.0",
     "key unix-time-milliseconds [NX | XX | GT | LT]", "Sets the expiry of a key to a time in milliseconds"},
    {"pexpiretime", cmd_pexpiretime, 2, R | F, 1, 1, 1, "generic", "7.0.0", "key",
     "Returns when a key expires, in milliseconds since 1970"},
    {"pttl", cmd_pttl, 2, R | F, 1, 1, 1, "generic", "2.6.0", "key",
     "Returns the milliseconds a key has left"},
    {"randomkey", cmd_randomkey, 1, R | K, 0, 0, 0, "generic", "1.0.0", "", "Returns a random key"},
    {"rename", cmd_rename, 3, W, 1, 2, 1, "generic", "1.0.0", "key newkey",
     "Renames a key, replacing the target"},
    {"renamenx", cmd_renamenx, 3, W | F, 1, 2, 1, "generic", "1.0.0", "key newkey",
     "Renames a key if the target is not there"},
    {"scan", cmd_scan, -2, R | K, 0, 0, 0, "generic", "2.8.0",
     "cursor [MATCH pattern] [COUNT count] [TYPE type]", "Walks the keys in pages"},
    {"touch", cmd_exists, -2, R | F, 1, -1, 1, "generic", "3.2.1", "key [key ...]",
     "Counts keys as being used"},
    {"ttl", cmd_ttl, 2, R | F, 1, 1, 1, "generic", "1.0.0", "key", "Returns the seconds a key has left"},
    {"type", cmd_type, 2, R | F, 1, 1, 1, "generic", "1.0.0", "key", "Returns the type of a key"},
    {"unlink", cmd_del, -2, W | F, 1, -1, 1, "generic", "4.0.0", "key [key ...]",
     "Deletes keys (as DEL, which frees outside the locks too)"},

    /* the connection */
    {"client", NULL, -2, CMD_CONTAINER, 0, 0, 0, "connection", "2.4.0", "subcommand",
     "About client connections"},
    {"client|getname", cmd_client_getname, 2, F, 0, 0, 0, "connection", "2.6.9", "",
     "Returns the connection's name"},
    {"client|id", cmd_client_id, 2, F, 0, 0, 0, "connection", "5.0.0", "", "Returns the connection's id"},
    {"client|info", cmd_client_info, 2, 0, 0, 0, 0, "connection", "6.2.0", "", "Describes this connection"},
    {"client|list", cmd_client_list, -2, A, 0, 0, 0, "connection", "2.4.0", "[TYPE type] [ID client-id ...]",
     "Describes the connections"},
    {"client|setinfo", cmd_client_setinfo, 4, 0, 0, 0, 0, "connection", "7.2.0", "LIB-NAME | LIB-VER value",
     "Says which library the client is"},
    {"client|setname", cmd_client_setname, 3, F, 0, 0, 0, "connection", "2.6.9", "connection-name",
     "Names the connection"},
    {"echo", cmd_echo, 2, F, 0, 0, 0, "connection", "1.0.0", "message", "Returns the message"},
    {"hello", cmd_hello, -1, F, 0, 0, 0, "connection", "6.0.0",
     "[protover [AUTH username password] [SETNAME clientname]]", "Chooses the protocol version"},
    {"ping", cmd_ping, -1, F, 0, 0, 0, "connection", "1.0.0", "[message]", "Answers PONG"},
    {"quit", cmd_quit, -1, F, 0, 0, 0, "connection", "1.0.0", "", "Closes the connection"},
    {"reset", cmd_reset, 1, F, 0, 0, 0, "connection", "6.2.0", "",
     "Puts the connection back to how it began"},
    {"select", cmd_select, 2, F, 0, 0, 0, "connection", "1.0.0", "index",
     "Chooses the database: there is one, 0"},

    /* the server */
    {"command", cmd_command, -1, CMD_CONTAINER, 0, 0, 0, "server", "2.8.13", "", "Describes the commands"},
    {"command|count", cmd_command_count, 2, 0, 0, 0, 0, "server", "2.8.13", "", "Counts the commands"},
    {"command|docs", cmd_command_docs, -2, 0, 0, 0, 0, "server", "7.0.0", "[command-name ...]",
     "Documents commands"},
    {"command|getkeys", cmd_command_getkeys, -4, 0, 0, 0, 0, "server", "2.8.13", "command arg [arg ...]",
     "Returns the keys among a command's arguments"},
    {"command|info", cmd_command_info, -2, 0, 0, 0, 0, "server", "2.8.13", "[command-name ...]",
     "Describes some commands"},
    {"command|list", cmd_command_list, -2, 0, 0, 0, 0, "server", "7.0.0",
     "[FILTERBY MODULE module-name | ACLCAT category | PATTERN pattern]", "Lists the commands' names"},
    {"config", NULL, -2, CMD_CONTAINER, 0, 0, 0, "server", "2.0.0", "subcommand", "About the options"},
    {"config|get", cmd_config_get, -3, A, 0, 0, 0, "server", "2.0.0", "parameter [parameter ...]",
     "Returns options that match patterns"},
    {"config|resetstat", cmd_config_resetstat, 2, A, 0, 0, 0, "server", "2.0.0", "", "Zeroes the statistics"},
    {"config|rewrite", cmd_config_rewrite, 2, A, 0, 0, 0, "server", "2.8.0", "",
     "Refuses: there is no redis.conf"},
    {"config|set", cmd_config_set, -4, A, 0, 0, 0, "server", "2.0.0", "parameter value [parameter value ...]",
     "Sets options of Redis, all of them or none"},
    {"dbinfo", cmd_dbinfo, 1, 0, 0, 0, 0, "server", "1.0.0", "",
     "Shows FlashKV's statistics, in all and by shard"},
    {"dbsize", cmd_dbsize, 1, R | F | K, 0, 0, 0, "server", "1.0.0", "", "Counts the keys"},
    {"debug", NULL, -2, CMD_CONTAINER, 0, 0, 0, "server", "1.0.0", "subcommand", "For tests"},
    {"debug|change-repl-id", cmd_debug_nothing, 2, A, 0, 0, 0, "server", "1.0.0", "",
     "Does nothing: there is no replication"},
    {"debug|jmap", cmd_debug_nothing, 2, A, 0, 0, 0, "server", "1.0.0", "", "Does nothing"},
    {"debug|log", cmd_debug_log, 3, A, 0, 0, 0, "server", "1.0.0", "message", "Writes to the server's log"},
    {"debug|quicklist-packed-threshold", cmd_debug_nothing, 3, A, 0, 0, 0, "server", "1.0.0", "size",
     "Does nothing: lists have no such threshold"},
    {"debug|reload", cmd_debug_nothing, -2, A, 0, 0, 0, "server", "1.0.0", "[option ...]",
     "Does nothing: there is no file to read the keys back from"},
    {"debug|sleep", cmd_debug_sleep, 3, A, 0, 0, 0, "server", "1.0.0", "seconds",
     "Blocks the connection's thread for some seconds"},
    {"flushall", cmd_flushall, -1, W | K, 0, 0, 0, "server", "1.0.0", "[ASYNC | SYNC]", "Deletes all keys"},
    {"flushdb", cmd_flushall, -1, W | K, 0, 0, 0, "server", "1.0.0", "[ASYNC | SYNC]", "Deletes all keys"},
    {"info", cmd_info, -1, 0, 0, 0, 0, "server", "1.0.0", "[section [section ...]]",
     "Returns facts and statistics of the server"},
    {"time", cmd_time, 1, F, 0, 0, 0, "server", "2.6.0", "", "Returns the server's time"},

    /* for the REST front only (cmd_rest.c) */
    {"rest.append", cmd_rest_append, 3, W | M | F | CMD_PRIVATE, 1, 1, 1, "rest", "0.1.0", "key value",
     "Appends to a string, and tells its tag"},
    {"rest.blob", cmd_rest_blob, 2, R | F | CMD_PRIVATE, 1, 1, 1, "rest", "0.1.0", "key",
     "Gives a large string whose digest is not known yet"},
    {"rest.incr", cmd_rest_incr, 3, W | M | F | CMD_PRIVATE, 1, 1, 1, "rest", "0.1.0", "key increment",
     "Adds to an integer, and tells its tag"},
    {"rest.read", cmd_rest_read, 2, R | F | CMD_PRIVATE, 1, 1, 1, "rest", "0.1.0", "key",
     "Reads all of a key"},
    {"rest.remove", cmd_rest_remove, -3, W | F | CMD_PRIVATE, 1, 1, 1, "rest", "0.1.0",
     "key condition [tag ...]", "Deletes a key on a condition"},
    {"rest.write", cmd_rest_write, -6, W | M | CMD_PRIVATE, 1, 1, 1, "rest", "0.1.0",
     "key value content-type expiry condition [tag ...]", "Writes a string on a condition"},
};
const size_t command_count = sizeof(command_table) / sizeof(*command_table);

/* ---- looking up ---------------------------------------------------------------------------------------------- */

/* An open-addressed index over the table: derived from constants, made before main, never changed after.
 *
 * Every command that is run is looked up, so most names are compared in one go: the first eight bytes, with bit 5
 * set as in lower-case letters, make a word. For a name of letters alone that is exact, whatever the client wrote;
 * others, and longer ones, are compared once more. */
enum { INDEX_SIZE = 512, START_LEN = sizeof(uint64_t) };

struct slot {
    uint64_t start;
    const struct command *cmd; /* NULL: free */
    uint8_t len;
    bool exact; /* `start` and `len` say it all */
};
static struct slot slots[INDEX_SIZE];
static bool is_subcommand[sizeof(command_table) / sizeof(*command_table)];

_Static_assert(sizeof(command_table) / sizeof(*command_table) < INDEX_SIZE / 2, "the index is too full");

static uint64_t name_start(struct slice name) {
    uint64_t start = 0;

    if (name.len >= START_LEN)
        memcpy(&start, name.ptr, START_LEN);
    else
        for (size_t i = 0; i < name.len; i++)
            start = start << 8 | (unsigned char)name.ptr[i];
    return start | UINT64_C(0x2020202020202020);
}

static unsigned start_hash(uint64_t start) {
    return (unsigned)(start * UINT64_C(0x9e3779b97f4a7c15) >> 32) % INDEX_SIZE;
}

static bool is_letters(const char *name) {
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

__attribute__((constructor)) static void index_fill(void) {
    for (size_t i = 0; i < command_count; i++) {
        struct slice name = slice_str(command_table[i].name);
        uint64_t start = name_start(name);
        unsigned at = start_hash(start);

        while (slots[at].cmd != NULL)
            at = (at + 1) % INDEX_SIZE;
        slots[at] = (struct slot){.start = start,
                                  .cmd = &command_table[i],
                                  .len = (uint8_t)name.len,
                                  .exact = name.len <= START_LEN && is_letters(name.ptr)};
        is_subcommand[i] = strchr(name.ptr, '|') != NULL;
    }
}

static const struct command *find(struct slice name) {
    uint64_t start = name_start(name);

    for (unsigned at = start_hash(start); slots[at].cmd != NULL; at = (at + 1) % INDEX_SIZE) {
        const struct slot *s = &slots[at];

        if (s->start == start && s->len == name.len &&
            (s->exact || slice_caseeq(slice_str(s->cmd->name), name)))
            return s->cmd;
    }
    return NULL;
}

bool command_is_subcommand(const struct command *cmd) {
    return is_subcommand[cmd - command_table];
}

const struct command *command_lookup(struct slice name) {
    const struct command *cmd = find(name);

    return cmd != NULL && !(cmd->flags & CMD_PRIVATE) ? cmd : NULL;
}

const struct command *command_private(const char *name) {
    const struct command *cmd = find(slice_str(name));

    return cmd != NULL && (cmd->flags & CMD_PRIVATE) ? cmd : NULL;
}

struct command_name command_upper(const struct command *cmd) {
    struct command_name name;

    snprintf(name.text, sizeof(name.text), "%s", cmd->name);
    for (char *c = name.text; *c != '\0'; c++)
        *c = *c == '|' ? ' ' : (char)toupper((unsigned char)*c);
    return name;
}
