/* options.h - what an administrator can set, each option one row of src/config/options_table.c.
 *
 * From the row come the flag (--http-port), the environment name (FLASHKV_HTTP_PORT), the key of the JSON
 * file ("http-port"), --help, README's table, flashkv.1 and CONFIG GET. Flag over environment over file over default.
 * Layer: config. */
#ifndef FLASHKV_OPTIONS_H
#define FLASHKV_OPTIONS_H

#include <flashkv/buf.h>
#include <flashkv/log.h>
#include <flashkv/slice.h>
#include <stdbool.h>
#include <stdint.h>

/* The values. Read-only once main has loaded them, except for the atomic ones; numbers are within their row's range. */
struct options {
    char *bind;                           /* addresses, comma-separated */
    uint64_t http_port;                   /* 0: any free one */
    uint64_t upstash_port;                /* 0: none */
    char *cors_origins;                   /* "*", or comma-separated; "": none */
    uint64_t admin_port;                  /* 0: none, and http_port has all routes */
    char *admin_bind;                     /* its addresses */
    uint64_t resp_port;                   /* 0: any free one */
    uint64_t http_threads;                /* 0: one per core it may use */
    uint64_t resp_threads;                /* 0: one per core it may use */
    _Atomic uint64_t max_connections;     /* per port */
    uint64_t max_connections_per_address; /* both ports together; 0: no limit */
    uint64_t max_key_bytes;
    uint64_t max_value_bytes;
    uint64_t max_args;             /* arguments of one RESP command */
    uint64_t max_request_bytes;    /* of one RESP command, all arguments */
    uint64_t max_output_bytes;     /* unsent replies of one RESP connection */
    _Atomic uint64_t idle_timeout; /* seconds without traffic before a connection is closed, 0: never */
    uint64_t
        command_timeout; /* seconds without progress of a RESP command that has begun to arrive; 0: for ever */
    uint64_t max_json_depth;      /* nesting of arrays and objects */
    uint64_t http_header_timeout; /* seconds for the headers of an HTTP request to arrive; 0: for ever */
    uint64_t http_timeout;        /* seconds for an HTTP request to arrive or a response to be sent */
    uint64_t http_memory;         /* bytes of buffer per HTTP connection: bounds URL plus headers */
    uint64_t http_heartbeat;      /* seconds between heartbeats on an event stream */
    uint64_t watch_history;       /* bytes of changes that /watch can resume from */
    uint64_t log_level;           /* enum log_level */
    uint64_t log_format;          /* enum log_format */
    uint64_t max_memory;          /* bytes; 0: no limit */
    uint64_t max_memory_policy;   /* index of setting_policies (settings.h) */
    uint64_t max_memory_samples;  /* keys sampled for each eviction */
    char *config_file;            /* path or "" */
    char *access_log;             /* path, "-" or "off" */
    char *data_dir;               /* path or "": nothing is kept */
    uint64_t fsync;               /* enum fsync_mode */
    uint64_t log_buffer;          /* bytes of the log that may wait for the disk */
    uint64_t snapshot_bytes;      /* growth of the log after which a snapshot is due; 0: never */
    uint64_t snapshot_seconds;    /* age of the last snapshot at which one is due; 0: never */
    char *requirepass;            /* "": no password; loaded from requirepass_file if that is set */
    char *requirepass_file;       /* path or "" */
    char *tokens_file;            /* path or "" (tokens.h) */
    uint64_t open;                /* the ports may be reachable by others without a password */
    char *tls_cert, *tls_key;     /* paths, or both "": no TLS */
    uint64_t tls_ports;           /* enum tls_ports */
    uint64_t debug_command;       /* enum debug_command */
    char *tls_client_ca;          /* path or "": clients need no certificate */
    uint64_t tls_client_auth;     /* enum tls_client_auth */
};

enum debug_command { DEBUG_NO, DEBUG_YES, DEBUG_LOCAL };
enum tls_ports { TLS_PORTS_BOTH, TLS_PORTS_HTTP, TLS_PORTS_RESP };
enum tls_client_auth { TLS_CLIENT_REQUIRED, TLS_CLIENT_OPTIONAL };

/* OPTION_LIVE_UINT: CONFIG SET may change it while the server runs, so its field is atomic. */
enum option_type {
    OPTION_UINT,
    OPTION_LIVE_UINT,
    OPTION_BYTES,
    OPTION_MEMORY, /* bytes, or a percentage of the memory that the machine, or the container, has */
    OPTION_TEXT,
    OPTION_CHOICE
};

struct option_row {
    const char *name;  /* "http-port" */
    const char *group; /* heading in --help; rows of a group stand together */
    enum option_type type;
    size_t offset;        /* of the field in struct options: uint64_t, or char * for OPTION_TEXT */
    const char *fallback; /* the default, as text */
    uint64_t min, max;    /* of a number, or of the length of a text; inclusive */
    /* OPTION_CHOICE: words, NULL-terminated; the value is the index. With "no" and "yes" the flag alone means yes. */
    const char *const *choices;
    const char *unit;       /* "port", "bytes", "seconds", "address,...": for --help */
    const char *redis_name; /* its further name in CONFIG GET, or NULL */
    const char *help;       /* one sentence */
};

extern const struct option_row option_table[];
extern const size_t option_count;

enum options_outcome {
    OPTIONS_RUN,   /* loaded: start the server */
    OPTIONS_CHECK, /* --check: check the health of the running instance that these options describe */
    OPTIONS_VERIFY,
    OPTIONS_REPAIR,
    OPTIONS_DUMP, /* --verify, --repair, --dump-resp DIR: about the data in data_dir */
    OPTIONS_DONE, /* --help or --version was printed: exit 0 */
    OPTIONS_BAD,  /* the message is on stderr: exit 2 */
};

/* Fills *o from defaults, the file, `env` (as environ) and the flags. A repeated flag: the last wins. Only
 * OPTIONS_RUN and OPTIONS_CHECK leave something to free. */
enum options_outcome options_load(struct options *o, int argc, char *const argv[], char *const env[]);
/* Logs a warning for each FLASHKV_* variable that sets no option but looks like a misspelt one. */
void options_warn_unknown(char *const env[]);
void options_free(struct options *o);

/* Looks a row up by option name or redis_name, in any case; NULL: unknown. */
const struct option_row *option_find(struct slice name);
/* Appends the current value as text to `out`; false: out of room. */
bool option_format(const struct options *o, const struct option_row *row, struct buf *out);
/* Parses and range-checks `text` into *o. On failure nothing changes and `why` (cap bytes) says what is accepted, e.g.
 * "expects 0 to 65535 (port)". */
bool option_set(struct options *o, const struct option_row *row, struct slice text, char *why, size_t cap);
/* Appends the accepted values to `out`: "0 to 65535", "1 to 64kb", "text, json", "path". */
bool option_range(const struct option_row *row, struct buf *out);
/* The row's name in the environment: "FLASHKV_HTTP_PORT". */
struct option_env {
    char name[48];
};
struct option_env options_env_name(const struct option_row *row);
/* Writes the help text (for --help) or README's Markdown table to `out`. */
bool options_help(struct buf *out);
bool options_markdown(struct buf *out);

#endif
