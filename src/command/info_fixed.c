/* info_fixed.c - constant fields of INFO and MEMORY STATS about missing features: scripts, replicas, forks, defragmentation.
 * Monitoring programs for Redis fail if such a field is missing. */
#include "info.h"

static const struct {
    const char *section, *fields;
} fixed[] = {
    {"server", "redis_build_id:0\r\nio_threads_active:0\r\n"},
    {"clients", "client_recent_max_input_buffer:0\r\nclient_recent_max_output_buffer:0\r\n"},
    {"memory",
     "used_memory_lua:0\r\nused_memory_vm_eval:0\r\nused_memory_lua_human:0B\r\nused_memory_scripts_eval:"
     "0\r\n"
     "number_of_cached_scripts:0\r\nnumber_of_functions:0\r\nnumber_of_libraries:0\r\nused_memory_vm_"
     "functions:0\r\n"
     "used_memory_vm_total:0\r\nused_memory_vm_total_human:0B\r\nused_memory_functions:0\r\nused_memory_"
     "scripts:0\r\n"
     "used_memory_scripts_human:0B\r\nmem_replication_backlog:0\r\nmem_total_replication_buffers:0\r\n"
     "mem_clients_slaves:0\r\nmem_cluster_links:0\r\nactive_defrag_running:0\r\n"},
    {"persistence",
     "current_cow_peak:0\r\ncurrent_cow_size:0\r\ncurrent_cow_size_age:0\r\ncurrent_fork_perc:0.00\r\n"
     "rdb_last_cow_size:0\r\naof_rewrite_scheduled:0\r\naof_last_cow_size:0\r\n"
     "module_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\n"},
    {"stats",
     "total_net_repl_input_bytes:0\r\ntotal_net_repl_output_bytes:0\r\ninstantaneous_input_repl_kbps:0.00\r\n"
     "instantaneous_output_repl_kbps:0.00\r\nsync_full:0\r\nsync_partial_ok:0\r\nsync_partial_err:0\r\n"
     "evicted_clients:0\r\nlatest_fork_usec:0\r\ntotal_forks:0\r\nmigrate_cached_sockets:0\r\n"
     "slave_expires_tracked_keys:0\r\nactive_defrag_hits:0\r\nactive_defrag_misses:0\r\nactive_defrag_key_"
     "hits:0\r\n"
     "active_defrag_key_misses:0\r\ntotal_active_defrag_time:0\r\ncurrent_active_defrag_time:0\r\n"
     "tracking_total_keys:0\r\ntracking_total_items:0\r\ntracking_total_prefixes:0\r\nunexpected_error_"
     "replies:0\r\n"
     "dump_payload_sanitizations:0\r\nio_threaded_reads_processed:0\r\nio_threaded_writes_processed:0\r\n"
     "reply_buffer_shrinks:0\r\nreply_buffer_expands:0\r\n"},
    {"replication",
     "master_failover_state:no-failover\r\nmaster_replid2:0000000000000000000000000000000000000000\r\n"
     "second_repl_offset:-1\r\nrepl_backlog_active:0\r\nrepl_backlog_size:1048576\r\n"
     "repl_backlog_first_byte_offset:0\r\nrepl_backlog_histlen:0\r\n"},
    {"cpu", "used_cpu_sys_children:0.000000\r\nused_cpu_user_children:0.000000\r\n"},
};

void info_fixed(const char *section, struct buf *out) {
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (strcmp(fixed[i].section, section) == 0)
            buf_append_slice(out, slice_str(fixed[i].fields));
}
