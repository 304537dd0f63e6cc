/* handlers.h - every handler of the route table. Private to http.
 *
 * Each queues one response or suspends its request, and returns what libmicrohttpd expects. Those of BODY_STREAM routes are
 * called before the body instead, and set the intake that consumes it (request_take), or refuse it (request_refuse). */
#ifndef FLASHKV_HTTP_HANDLERS_H
#define FLASHKV_HTTP_HANDLERS_H

#include "request.h"

/* keys.c */
enum MHD_Result http_list_keys(struct request *r);
enum MHD_Result http_get_key(struct request *r);
enum MHD_Result http_put_key(struct request *r);
enum MHD_Result http_delete_key(struct request *r);
enum MHD_Result http_incr_key(struct request *r);
enum MHD_Result http_append_key(struct request *r);
enum MHD_Result http_expire_key(struct request *r);
enum MHD_Result http_persist_key(struct request *r);
/* lists.c */
enum MHD_Result http_get_list(struct request *r);
enum MHD_Result http_push_list(struct request *r);
enum MHD_Result http_delete_list(struct request *r);
enum MHD_Result http_pop_list(struct request *r);
enum MHD_Result http_trim_list(struct request *r);
enum MHD_Result http_set_list_item(struct request *r);
/* hashes.c */
enum MHD_Result http_get_hash(struct request *r);
enum MHD_Result http_set_hash_fields(struct request *r);
enum MHD_Result http_delete_hash(struct request *r);
enum MHD_Result http_get_hash_field(struct request *r);
enum MHD_Result http_put_hash_field(struct request *r);
enum MHD_Result http_delete_hash_field(struct request *r);
/* sets.c */
enum MHD_Result http_get_set(struct request *r);
enum MHD_Result http_add_set_members(struct request *r);
enum MHD_Result http_delete_set(struct request *r);
enum MHD_Result http_has_set_member(struct request *r);
enum MHD_Result http_put_set_member(struct request *r);
enum MHD_Result http_delete_set_member(struct request *r);
/* zsets.c */
enum MHD_Result http_get_zset(struct request *r);
enum MHD_Result http_add_zset_members(struct request *r);
enum MHD_Result http_delete_zset(struct request *r);
enum MHD_Result http_get_zset_member(struct request *r);
enum MHD_Result http_put_zset_member(struct request *r);
enum MHD_Result http_delete_zset_member(struct request *r);
/* batch.c */
enum MHD_Result http_batch(struct request *r);
/* export.c, import.c */
enum MHD_Result http_export(struct request *r);
enum MHD_Result http_import(struct request *r);
/* watch.c */
enum MHD_Result http_watch(struct request *r);
/* channels.c */
enum MHD_Result http_publish(struct request *r);
enum MHD_Result http_subscribe(struct request *r);
enum MHD_Result http_psubscribe(struct request *r);
/* upstash.c, upstash_many.c */
enum MHD_Result http_upstash_command(struct request *r);
enum MHD_Result http_upstash_path(struct request *r);
enum MHD_Result http_upstash_pipeline(struct request *r);
enum MHD_Result http_upstash_transaction(struct request *r);
/* service.c */
enum MHD_Result http_get_root(struct request *r);
enum MHD_Result http_get_health(struct request *r);
enum MHD_Result http_get_ready(struct request *r);
enum MHD_Result http_get_openapi(struct request *r);
enum MHD_Result http_get_stats(struct request *r);
enum MHD_Result http_reset_stats(struct request *r);
enum MHD_Result http_start_snapshot(struct request *r);
/* metrics.c */
enum MHD_Result http_get_metrics(struct request *r);
/* ui.c */
enum MHD_Result http_get_console(struct request *r);
enum MHD_Result http_get_console_file(struct request *r);
enum MHD_Result http_get_docs(struct request *r);
enum MHD_Result http_get_docs_file(struct request *r);

#endif
