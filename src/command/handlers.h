/* handlers.h - every handler of the command table, by file. Private to the command layer. */
#ifndef FLASHKV_COMMAND_HANDLERS_H
#define FLASHKV_COMMAND_HANDLERS_H

#include <flashkv/command.h>

/* cmd_acl.c */
void cmd_acl_deluser(struct call *c);
void cmd_acl_dryrun(struct call *c);
void cmd_acl_file(struct call *c);
void cmd_acl_genpass(struct call *c);
void cmd_acl_getuser(struct call *c);
void cmd_acl_list(struct call *c);
void cmd_acl_log(struct call *c);
void cmd_acl_setuser(struct call *c);
void cmd_acl_users(struct call *c);
void cmd_acl_whoami(struct call *c);
void cmd_auth(struct call *c);

/* cmd_client.c */
void cmd_client_kill(struct call *c);
void cmd_client_no_evict(struct call *c);
void cmd_client_no_touch(struct call *c);
void cmd_client_pause(struct call *c);
void cmd_client_reply(struct call *c);
void cmd_client_unblock(struct call *c);
void cmd_client_unpause(struct call *c);
/* cmd_client_list.c */
void cmd_client_info(struct call *c);
void cmd_client_list(struct call *c);

/* cmd_command.c */
void cmd_acl_cat(struct call *c);
void cmd_command(struct call *c);
void cmd_command_count(struct call *c);
void cmd_command_docs(struct call *c);
void cmd_command_info(struct call *c);
void cmd_command_list(struct call *c);

/* cmd_command_keys.c */
void cmd_command_getkeys(struct call *c);
void cmd_command_getkeysandflags(struct call *c);

/* cmd_config.c */
void cmd_config_get(struct call *c);
void cmd_config_resetstat(struct call *c);
void cmd_config_rewrite(struct call *c);
void cmd_config_set(struct call *c);

/* cmd_connection.c */
void cmd_client_getname(struct call *c);
void cmd_client_id(struct call *c);
void cmd_client_setinfo(struct call *c);
void cmd_client_setname(struct call *c);
void cmd_echo(struct call *c);
void cmd_hello(struct call *c);
void cmd_ping(struct call *c);
void cmd_quit(struct call *c);
void cmd_reset(struct call *c);
void cmd_select(struct call *c);

/* cmd_copy.c */
void cmd_copy(struct call *c);

/* cmd_debug.c */
bool debug_refused(struct call *c);
void cmd_debug_error(struct call *c);
void cmd_debug_log(struct call *c);
void cmd_debug_nothing(struct call *c);
void cmd_debug_set_active_expire(struct call *c);
void cmd_debug_sleep(struct call *c);
void cmd_debug_stringmatch_len(struct call *c);
/* cmd_debug_data.c */
void cmd_debug_digest(struct call *c);
void cmd_debug_digest_value(struct call *c);
void cmd_debug_loadaof(struct call *c);
void cmd_debug_reload(struct call *c);

/* cmd_hash.c */
void cmd_hdel(struct call *c);
void cmd_hexists(struct call *c);
void cmd_hget(struct call *c);
void cmd_hgetall(struct call *c);
void cmd_hincrby(struct call *c);
void cmd_hincrbyfloat(struct call *c);
void cmd_hkeys(struct call *c);
void cmd_hlen(struct call *c);
void cmd_hmget(struct call *c);
void cmd_hmset(struct call *c);
void cmd_hrandfield(struct call *c);
void cmd_hscan(struct call *c);
void cmd_hset(struct call *c);
void cmd_hsetnx(struct call *c);
void cmd_hstrlen(struct call *c);
void cmd_hvals(struct call *c);

/* cmd_help.c */
void cmd_help(struct call *c);

/* cmd_hash_expiry.c */
void cmd_hexpire(struct call *c);
void cmd_hexpireat(struct call *c);
void cmd_hexpiretime(struct call *c);
void cmd_hpersist(struct call *c);
void cmd_hpexpire(struct call *c);
void cmd_hpexpireat(struct call *c);
void cmd_hpexpiretime(struct call *c);
void cmd_hpttl(struct call *c);
void cmd_httl(struct call *c);

/* cmd_key.c */
void cmd_del(struct call *c);
void cmd_exists(struct call *c);
void cmd_touch(struct call *c);
void cmd_expire(struct call *c);
void cmd_expireat(struct call *c);
void cmd_expiretime(struct call *c);
void cmd_keys(struct call *c);
void cmd_object_encoding(struct call *c);
void cmd_object_freq(struct call *c);
void cmd_object_help(struct call *c);
void cmd_object_idletime(struct call *c);
void cmd_object_refcount(struct call *c);
void cmd_persist(struct call *c);
void cmd_pexpire(struct call *c);
void cmd_pexpireat(struct call *c);
void cmd_pexpiretime(struct call *c);
void cmd_pttl(struct call *c);
void cmd_randomkey(struct call *c);
void cmd_rename(struct call *c);
void cmd_renamenx(struct call *c);
void cmd_scan(struct call *c);
void cmd_ttl(struct call *c);
void cmd_type(struct call *c);
void cmd_wait(struct call *c);

/* cmd_lcs.c */
void cmd_lcs(struct call *c);
/* cmd_latency.c */
void cmd_latency_doctor(struct call *c);
void cmd_latency_graph(struct call *c);
void cmd_latency_histogram(struct call *c);
void cmd_latency_history(struct call *c);
void cmd_latency_latest(struct call *c);
void cmd_latency_reset(struct call *c);

/* cmd_list.c */
void cmd_lindex(struct call *c);
void cmd_linsert(struct call *c);
void cmd_llen(struct call *c);
void cmd_lpop(struct call *c);
void cmd_lpush(struct call *c);
void cmd_lpushx(struct call *c);
void cmd_lrange(struct call *c);
void cmd_lrem(struct call *c);
void cmd_lset(struct call *c);
void cmd_ltrim(struct call *c);
void cmd_rpop(struct call *c);
void cmd_rpush(struct call *c);
void cmd_rpushx(struct call *c);

/* cmd_list_block.c */
void cmd_blmove(struct call *c);
void cmd_blmpop(struct call *c);
void cmd_blpop(struct call *c);
void cmd_brpop(struct call *c);
void cmd_brpoplpush(struct call *c);

/* cmd_list_move.c */
void cmd_lmove(struct call *c);
void cmd_lmpop(struct call *c);
void cmd_rpoplpush(struct call *c);

/* cmd_list_pos.c */
void cmd_lpos(struct call *c);

/* cmd_monitor.c */
void cmd_monitor(struct call *c);

/* cmd_persist.c */
void cmd_bgrewriteaof(struct call *c);
void cmd_bgsave(struct call *c);
void cmd_lastsave(struct call *c);
void cmd_save(struct call *c);

/* cmd_pubsub.c */
void cmd_psubscribe(struct call *c);
void cmd_publish(struct call *c);
void cmd_pubsub_channels(struct call *c);
void cmd_pubsub_help(struct call *c);
void cmd_pubsub_numpat(struct call *c);
void cmd_pubsub_numsub(struct call *c);
void cmd_pubsub_shardchannels(struct call *c);
void cmd_pubsub_shardnumsub(struct call *c);
void cmd_punsubscribe(struct call *c);
void cmd_spublish(struct call *c);
void cmd_ssubscribe(struct call *c);
void cmd_subscribe(struct call *c);
void cmd_sunsubscribe(struct call *c);
void cmd_unsubscribe(struct call *c);

/* multi.c */
void cmd_discard(struct call *c);
void cmd_exec(struct call *c);
void cmd_multi(struct call *c);
void cmd_unwatch(struct call *c);
void cmd_watch(struct call *c);

/* cmd_memory.c */
void cmd_memory_doctor(struct call *c);
void cmd_memory_malloc_stats(struct call *c);
void cmd_memory_purge(struct call *c);
void cmd_memory_stats(struct call *c);
void cmd_memory_usage(struct call *c);

/* cmd_role.c */
void cmd_lolwut(struct call *c);
void cmd_move(struct call *c);
void cmd_replicaof(struct call *c);
void cmd_role(struct call *c);
void cmd_shutdown(struct call *c);
void cmd_swapdb(struct call *c);

/* cmd_rest.c */
void cmd_rest_append(struct call *c);
void cmd_rest_blob(struct call *c);
void cmd_rest_incr(struct call *c);
void cmd_rest_page(struct call *c);
void cmd_rest_get(struct call *c);
void cmd_rest_read(struct call *c);
void cmd_rest_part(struct call *c);
void cmd_rest_load(struct call *c);
void cmd_rest_remove(struct call *c);
void cmd_rest_tag(struct call *c);
void cmd_rest_watch(struct call *c);
void cmd_rest_write(struct call *c);

/* cmd_server.c */
void cmd_dbinfo(struct call *c);
void cmd_dbsize(struct call *c);
void cmd_flushall(struct call *c);
void cmd_info(struct call *c);
void cmd_time(struct call *c);

/* cmd_set.c */
void cmd_sadd(struct call *c);
void cmd_scard(struct call *c);
void cmd_sismember(struct call *c);
void cmd_smembers(struct call *c);
void cmd_smismember(struct call *c);
void cmd_smove(struct call *c);
void cmd_spop(struct call *c);
void cmd_srandmember(struct call *c);
void cmd_srem(struct call *c);
void cmd_sscan(struct call *c);

/* cmd_set_algebra.c */
void cmd_sdiff(struct call *c);
void cmd_sdiffstore(struct call *c);
void cmd_sinter(struct call *c);
void cmd_sintercard(struct call *c);
void cmd_sinterstore(struct call *c);
void cmd_sunion(struct call *c);
void cmd_sunionstore(struct call *c);

/* cmd_sort.c */
void cmd_sort(struct call *c);
/* cmd_slowlog.c */
void cmd_slowlog_get(struct call *c);
void cmd_slowlog_len(struct call *c);
void cmd_slowlog_reset(struct call *c);

/* cmd_string.c */
void cmd_append(struct call *c);
void cmd_decr(struct call *c);
void cmd_decrby(struct call *c);
void cmd_get(struct call *c);
void cmd_getdel(struct call *c);
void cmd_getex(struct call *c);
void cmd_getset(struct call *c);
void cmd_incr(struct call *c);
void cmd_incrby(struct call *c);
void cmd_mget(struct call *c);
void cmd_mset(struct call *c);
void cmd_msetnx(struct call *c);
void cmd_psetex(struct call *c);
void cmd_set(struct call *c);
void cmd_setex(struct call *c);
void cmd_setnx(struct call *c);
void cmd_strlen(struct call *c);

/* cmd_string_if.c */
void cmd_delex(struct call *c);
void cmd_digest(struct call *c);

/* cmd_string_range.c */
void cmd_getrange(struct call *c);
void cmd_incrbyfloat(struct call *c);
void cmd_setrange(struct call *c);

/* cmd_zset.c */
void cmd_zadd(struct call *c);
void cmd_zcard(struct call *c);
void cmd_zincrby(struct call *c);
void cmd_zmscore(struct call *c);
void cmd_zrandmember(struct call *c);
void cmd_zrank(struct call *c);
void cmd_zrem(struct call *c);
void cmd_zrevrank(struct call *c);
void cmd_zscan(struct call *c);
void cmd_zscore(struct call *c);

/* cmd_zset_algebra.c */
void cmd_zdiff(struct call *c);
void cmd_zdiffstore(struct call *c);
void cmd_zinter(struct call *c);
void cmd_zintercard(struct call *c);
void cmd_zinterstore(struct call *c);
void cmd_zunion(struct call *c);
void cmd_zunionstore(struct call *c);

/* cmd_zset_block.c */
void cmd_bzmpop(struct call *c);
void cmd_bzpopmax(struct call *c);
void cmd_bzpopmin(struct call *c);

/* cmd_zset_pop.c */
void cmd_zmpop(struct call *c);
void cmd_zpopmax(struct call *c);
void cmd_zpopmin(struct call *c);

/* cmd_zset_range.c */
void cmd_zcount(struct call *c);
void cmd_zlexcount(struct call *c);
void cmd_zrange(struct call *c);
void cmd_zrangebylex(struct call *c);
void cmd_zrangebyscore(struct call *c);
void cmd_zrangestore(struct call *c);
void cmd_zremrangebylex(struct call *c);
void cmd_zremrangebyrank(struct call *c);
void cmd_zremrangebyscore(struct call *c);
void cmd_zrevrange(struct call *c);
void cmd_zrevrangebylex(struct call *c);
void cmd_zrevrangebyscore(struct call *c);

#endif
