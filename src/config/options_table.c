/* options_table.c - every option: one row. */
#include <flashkv/options.h>

#define FIELD(name) offsetof(struct options, name)

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const fsyncs[] = {"always", "everysec", "no", NULL};

enum { KIB = 1024, MIB = 1024 * 1024 };
#define GIB (UINT64_C(1024) * MIB)

const struct option_row option_table[] = {
    {"config", "General", OPTION_TEXT, FIELD(config_file), "", 0, 4096, NULL, "path", NULL,
     "JSON file with options, named as here"},
    {"log-level", "General", OPTION_CHOICE, FIELD(log_level), "info", 0, 0, levels, NULL, "loglevel",
     "Least level to log"},
    {"log-format", "General", OPTION_CHOICE, FIELD(log_format), "text", 0, 0, formats, NULL, NULL,
     "Log as text, or as JSON objects, a line each"},
    {"data-dir", "Persistence", OPTION_TEXT, FIELD(data_dir), "", 0, 4096, NULL, "path", "dir",
     "Directory that keeps the data; none: nothing outlives the process"},
    {"fsync", "Persistence", OPTION_CHOICE, FIELD(fsync), "everysec", 0, 0, fsyncs, NULL, "appendfsync",
     "A change is on disk before it is acknowledged, within a second, or some time"},
    {"log-buffer", "Persistence", OPTION_BYTES, FIELD(log_buffer), "256mb", 64 * KIB, 64 * GIB, NULL, "bytes",
     NULL, "Changes that may wait for the disk; more are refused"},
    {"snapshot-log-bytes", "Persistence", OPTION_BYTES, FIELD(snapshot_bytes), "1gb", 0, 1024 * GIB, NULL,
     "bytes", NULL, "Writes a snapshot when the log has grown by so much; 0 never does"},
    {"snapshot-seconds", "Persistence", OPTION_UINT, FIELD(snapshot_seconds), "3600", 0, 31536000, NULL,
     "seconds", NULL, "Writes a snapshot when the last one is so old; 0 never does"},
    {"requirepass", "Security", OPTION_TEXT, FIELD(requirepass), "", 0, 512, NULL, "password", NULL,
     "Password of clients (AUTH); a flag can be seen by others, the environment or a file cannot"},
    {"requirepass-file", "Security", OPTION_TEXT, FIELD(requirepass_file), "", 0, 4096, NULL, "path", NULL,
     "File whose first line is the password"},
    {"tokens-file", "Security", OPTION_TEXT, FIELD(tokens_file), "", 0, 4096, NULL, "path", NULL,
     "JSON file of further passwords, each with a name, scopes and key prefixes"},
    {"bind", "Network", OPTION_TEXT, FIELD(bind), "127.0.0.1", 1, 4096, NULL, "address,...", "bind",
     "Addresses to listen on; 0.0.0.0 is every IPv4 address, and open to whoever reaches it"},
    {"http-port", "Network", OPTION_UINT, FIELD(http_port), "8080", 0, 65535, NULL, "port", NULL,
     "Port of the REST interface; 0 takes a free one"},
    {"upstash-port", "Network", OPTION_UINT, FIELD(upstash_port), "0", 0, 65535, NULL, "port", NULL,
     "Port of its own for Upstash's clients, who find /upstash at its root; 0 is none"},
    {"resp-port", "Network", OPTION_UINT, FIELD(resp_port), "6379", 0, 65535, NULL, "port", "port",
     "Port of the Redis protocol; 0 takes a free one"},
    {"http-threads", "Network", OPTION_UINT, FIELD(http_threads), "0", 0, 256, NULL, "threads", NULL,
     "Threads that serve HTTP; 0 is one per core it may use"},
    {"resp-threads", "Network", OPTION_UINT, FIELD(resp_threads), "0", 0, 256, NULL, "threads", NULL,
     "Threads that serve the Redis protocol; 0 is one per core it may use"},
    {"max-connections", "Network", OPTION_LIVE_UINT, FIELD(max_connections), "10000", 1, 1000000, NULL,
     "connections", "maxclients", "Open connections, for each port; more are refused"},
    {"max-connections-per-address", "Network", OPTION_UINT, FIELD(max_connections_per_address), "0", 0,
     1000000, NULL, "clients", NULL,
     "Open connections of one address (/64 of IPv6), all ports together; 0 is no limit"},
    {"idle-timeout", "Network", OPTION_LIVE_UINT, FIELD(idle_timeout), "0", 0, 31536000, NULL, "seconds",
     "timeout", "Closes a Redis connection without commands for so long; 0 never does"},
    {"command-timeout", "Network", OPTION_UINT, FIELD(command_timeout), "60", 0, 86400, NULL, "seconds", NULL,
     "Closes a Redis connection amid a command of which 16 KiB take longer; 0 never does"},
    {"http-timeout", "Network", OPTION_UINT, FIELD(http_timeout), "30", 0, 86400, NULL, "seconds", NULL,
     "Closes an HTTP connection that moves less than 16 KiB in so long; 0 never does"},
    {"http-heartbeat", "Network", OPTION_UINT, FIELD(http_heartbeat), "15", 1, 3600, NULL, "seconds", NULL,
     "Sends a comment on an event stream on which nothing else was sent for so long"},
    {"http-memory", "Network", OPTION_BYTES, FIELD(http_memory), "6kb", 2 * KIB, MIB, NULL, "bytes", NULL,
     "Buffer of an HTTP connection: bounds URL plus headers"},
    {"max-key-bytes", "Limits", OPTION_BYTES, FIELD(max_key_bytes), "64kb", 1, 64 * KIB, NULL, "bytes", NULL,
     "Longest key"},
    {"max-value-bytes", "Limits", OPTION_BYTES, FIELD(max_value_bytes), "512mb", 1, 4 * GIB - MIB, NULL,
     "bytes", "proto-max-bulk-len", "Longest string value, or element of a list"},
    {"max-args", "Limits", OPTION_UINT, FIELD(max_args), "1048576", 16, 1 << 30, NULL, "arguments", NULL,
     "Most arguments of one Redis command"},
    {"max-request-bytes", "Limits", OPTION_BYTES, FIELD(max_request_bytes), "1gb", 64 * KIB, 64 * GIB, NULL,
     "bytes", "client-query-buffer-limit", "Largest Redis command, all arguments together"},
    {"max-json-depth", "Limits", OPTION_UINT, FIELD(max_json_depth), "32", 1, 32, NULL, "levels", NULL,
     "Arrays and objects within each other in a JSON body"},
    {"max-output-bytes", "Limits", OPTION_BYTES, FIELD(max_output_bytes), "256mb", 64 * KIB, 64 * GIB, NULL,
     "bytes", NULL, "Replies that may wait for a client that does not read; more, and it is disconnected"},
    {"watch-history", "Limits", OPTION_BYTES, FIELD(watch_history), "16mb", MIB, 64 * GIB, NULL, "bytes",
     NULL, "Changes that a client of /watch can resume from; kept only while somebody watches"},
};
const size_t option_count = sizeof(option_table) / sizeof(*option_table);
