/* Fuzzes a whole data directory: a snapshot and a log of which every checksum is right, whatever the records say. It is scanned and
 * loaded as at a start, and then is a store that works, or an error.
 *
 * The input is a run of chunks: kind 1, length 2, bytes. What no fuzzer would hit upon (checksums, hashes of keys) is put in. */
#include <fcntl.h>
#include <flashkv/command.h>
#include <flashkv/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "persist/load.h"
#include "persist/record.h"

enum { MAX_VALUE = 1 << 16, MAX_INPUT = 1 << 14, WORDS = 32 };
enum chunk { LOG_FRAME, SNAPSHOT_FRAME, LOG_VALUE, SNAPSHOT_VALUE, LOG_COMMAND, SNAPSHOT_LARGE, CHUNKS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/dev/shm/fuzz-directory-XXXXXX";
static struct options options;
static struct server server;
static struct files files = {.lock = -1, .path = path, .secret_id = 1};

static void require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void tidy(void) {
    files_remove_below(&files, RECORD_LOG, UINT64_MAX);
    files_remove_below(&files, RECORD_SNAPSHOT, UINT64_MAX);
    rmdir(path);
}

static void make_server(void) {
    static char program[] = "fuzz", *argv[] = {program, NULL}, *env[] = {NULL};
    struct store_config config = {.max_value = MAX_VALUE, .secret = files.secret};

    if (server.store != NULL)
        return;
    require(options_load(&options, 1, argv, env) == OPTIONS_RUN, "options");
    require(mkdtemp(path) != NULL, "a directory");
    files.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    atexit(tidy);
    server.options = &options;
    server_init(&server);
    server.store = store_create(&config);
    server.pubsub = pubsub_create(server.store);
    require(server.store != NULL && server.pubsub != NULL && files.dir >= 0, "a store");
    notify_init(&server.notify, server.store, server.pubsub);
}

/* ---- chunks to frames ---------------------------------------------------------------------------------------------- */

static void put_long_frame(struct chain *c, struct slice payload) {
    size_t begun = record_begin_frame(c);

    chain_add(c, payload);
    record_end_frame(c, begun);
}

static void put_frame(struct chain *c, struct slice payload, bool snapshot) {
    if (snapshot) {
        put_long_frame(c, payload);
    } else if (payload.len > 0) {
        record_put_frame(c, payload.len);
        chain_add(c, payload);
    }
}

/* An entry, with the hash of its key before it: as an effect, or as a block of its shard. */
static void put_value(struct chain *c, struct slice entry, bool snapshot) {
    struct record_reader r = record_read(entry);
    struct record_entry e;
    struct chain payload = chain_make();
    struct key k;

    if (!record_next_entry(&r, &e))
        return;
    k = store_key(server.store, e.key);
    if (snapshot) {
        record_put_block(&payload, &(struct record_block){.kind = BLOCK_ENTRIES, .shard = key_shard(&k)});
    } else {
        const char kind = EFFECT_VALUE;
        uint64_t length = entry.len;

        chain_add(&payload, slice_of(&kind, 1));
        chain_add(&payload, slice_of((const char *)&k.hash, sizeof(k.hash)));
        chain_add(&payload, slice_of((const char *)&length, sizeof(length)));
    }
    chain_add(&payload, entry);
    put_frame(c, slice_of(payload.bytes.data, payload.bytes.len), snapshot);
    chain_free(&payload);
}

static void put_block(struct chain *c, enum block_kind kind, unsigned shard, struct slice rest) {
    struct chain payload = chain_make();

    record_put_block(&payload, &(struct record_block){.kind = kind, .shard = shard});
    chain_add(&payload, rest);
    put_long_frame(c, slice_of(payload.bytes.data, payload.bytes.len));
    chain_free(&payload);
}

/* A collection in pieces: behind its head the items, then the block that it counts with. False: the entry is none. */
static bool put_large(struct chain *c, struct slice entry) {
    struct record_reader r = record_read(entry);
    struct record_entry e;
    unsigned shard;
    size_t head;

    if (!record_next_entry(&r, &e) || e.gone || e.type == TYPE_STRING)
        return false;
    head = (size_t)(r.at - entry.ptr);
    shard = (unsigned)(store_key(server.store, e.key).hash >> 58);
    put_block(c, BLOCK_LARGE, shard, slice_of(entry.ptr, head));
    put_block(c, BLOCK_ITEMS, shard, slice_of(entry.ptr + head, entry.len - head));
    put_block(c, BLOCK_ENTRIES, shard, slice_of("", 0));
    return true;
}

/* Words between spaces; the second is the key. */
static void put_command(struct chain *c, struct slice text) {
    struct arg words[WORDS];
    struct record_command m;
    size_t n = 0;
    struct key k;

    for (size_t at = 0; at < text.len && n < WORDS; at++) {
        size_t from = at;

        while (at < text.len && text.ptr[at] != ' ')
            at++;
        words[n++] = (struct arg){text.ptr + from, at - from, NULL};
    }
    if (n < 2)
        return;
    k = store_key(server.store, arg_slice(&words[1]));
    m = record_command(&k, n, words);
    record_put_frame(c, m.length);
    record_put_command(c, &m);
}

/* `entries`: those of the snapshot so far. */
static void put_chunk(enum chunk kind, struct slice s, struct chain *log, struct chain *snapshot,
                      uint64_t *entries) {
    switch (kind) {
    case LOG_FRAME:
        put_frame(log, s, false);
        break;
    case SNAPSHOT_FRAME:
        put_frame(snapshot, s, true);
        break;
    case LOG_VALUE:
        put_value(log, s, false);
        break;
    case SNAPSHOT_VALUE:
        put_value(snapshot, s, true);
        ++*entries;
        break;
    case SNAPSHOT_LARGE:
        *entries += put_large(snapshot, s);
        break;
    case LOG_COMMAND:
        put_command(log, s);
        break;
    case CHUNKS:
        break;
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

static void write_file(enum record_file file, struct chain *c) {
    struct record_header h = {.secret_id = files.secret_id, .created_ms = 1};
    char name[FILES_NAME], header[RECORD_HEADER];
    int fd;

    if (file == RECORD_LOG)
        record_seal(c, FRAMES_SHORT, files.secret_id);
    else
        record_seal(c, FRAMES_LONG, RECORD_HEADER);
    record_put_header(header, file, &h);
    files_name(name, file, 0);
    unlinkat(files.dir, name, 0);
    fd = files_create(&files, name);
    require(fd >= 0 && files_write(fd, slice_of(header, sizeof(header)), 0) &&
                files_write(fd, slice_of(c->bytes.data, c->bytes.len), sizeof(header)),
            "a file");
    close(fd);
}

/* Ends a snapshot as it has to end, with the entries that there are. */
static void end_snapshot(struct chain *c, uint64_t entries) {
    size_t begun = record_begin_frame(c);

    record_put_block(c, &(struct record_block){.kind = BLOCK_END, .position = entries});
    record_end_frame(c, begun);
}

static void load_and_use(void) {
    char why[256] = "";
    struct scan s;
    struct txn t;
    bool ok = scan_directory(&files, &s, why, sizeof(why)) == SCAN_WHOLE;

    require(ok || why[0] != '\0', "refused without a reason");
    if (ok && !load_scanned(&s, server.store, 2, command_restore, &server, why, sizeof(why)))
        require(why[0] != '\0', "not loaded, without a reason");
    scan_free(&s);
    txn_begin(&t, server.store, 1, TXN_ALL_SHARDS, TXN_WRITE);
    store_flush(&t, NULL);
    require(store_count(&t) == 0, "a store that cannot be flushed");
    txn_end(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct chain log = chain_make(), snapshot = chain_make();
    uint64_t entries = 0;

    if (size > MAX_INPUT)
        return 0;
    make_server();
    for (size_t at = 0; at + 3 <= size;) {
        size_t len = data[at + 1] | (size_t)data[at + 2] << 8, left = size - at - 3;
        enum chunk kind = (enum chunk)(data[at] % CHUNKS);
        struct slice s = slice_of((const char *)data + at + 3, len < left ? len : left);

        put_chunk(kind, s, &log, &snapshot, &entries);
        at += 3 + s.len;
    }
    if (snapshot.bytes.len > 0)
        end_snapshot(&snapshot, entries);
    if (snapshot.bytes.len > 0)
        write_file(RECORD_SNAPSHOT, &snapshot);
    write_file(RECORD_LOG, &log);
    load_and_use();
    files_remove_below(&files, RECORD_SNAPSHOT, UINT64_MAX);
    chain_free(&log);
    chain_free(&snapshot);
    return 0;
}
