/* Fuzzes what an administrator writes: the JSON files of --config and --tokens-file, values of options, FLASHKV_ variables. Each is
 * told what is wrong with it, or is taken and says the same when it is asked for.
 *
 * The first byte of the input says what the rest is. */
#include <flashkv/options.h>
#include <flashkv/tokens.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WHY = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* A file in memory with the bytes. */
static int file_of(const uint8_t *data, size_t size, char path[32]) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "a file");
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static void fuzz_tokens(const uint8_t *data, size_t size) {
    char *env[] = {NULL}, path[32], why[WHY] = "";
    int fd = file_of(data, size, path);
    struct tokens t;

    if (tokens_load(&t, path, env, why, sizeof(why))) {
        for (size_t i = 0; i < t.count; i++) {
            require(t.list[i].name != NULL && t.list[i].scopes != 0, "a token without a name or a scope");
            rights_cover(&t.list[i], SLICE_LIT("key"));
        }
        tokens_find(&t, SLICE_LIT("guess"));
        tokens_free(&t);
    } else {
        require(why[0] != '\0' && t.count == 0, "refused without a reason");
    }
    close(fd);
}

static void fuzz_file(const uint8_t *data, size_t size) {
    static char program[] = "fuzz";
    char *env[] = {NULL}, path[32], flag[64], *argv[] = {program, flag, NULL};
    int fd = file_of(data, size, path);
    struct options o;

    snprintf(flag, sizeof(flag), "--config=%s", path);
    if (options_load(&o, 2, argv, env) == OPTIONS_RUN)
        options_free(&o);
    close(fd);
}

/* What was set is said as text that sets the same again. */
static void round_trip(struct options *o, const struct option_row *row) {
    struct buf said = buf_make(1 << 16), again = buf_make(1 << 16);
    char why[WHY] = "";
    struct slice text;

    require(option_format(o, row, &said), "a value that cannot be said");
    text = slice_of(said.len > 0 ? said.data : "", said.len);
    require(option_set(o, row, text, why, sizeof(why)), "its own value is refused");
    require(option_format(o, row, &again), "a value that cannot be said again");
    require(slice_eq(text, slice_of(again.data, again.len)), "another value");
    buf_free(&said);
    buf_free(&again);
}

static void fuzz_value(const uint8_t *data, size_t size) {
    static char program[] = "fuzz";
    char *argv[] = {program, NULL}, *env[] = {NULL}, why[WHY] = "";
    const struct option_row *row;
    struct options o;

    if (size == 0)
        return;
    row = &option_table[data[0] % option_count];
    require(options_load(&o, 1, argv, env) == OPTIONS_RUN, "options");
    if (option_set(&o, row, slice_of((const char *)data + 1, size - 1), why, sizeof(why)))
        round_trip(&o, row);
    else
        require(why[0] != '\0', "refused without a reason");
    options_free(&o);
}

static void fuzz_environment(const uint8_t *data, size_t size) {
    static char program[] = "fuzz";
    char *argv[] = {program, NULL}, *variable = malloc(size + 1), *env[] = {variable, NULL};
    struct options o;

    require(variable != NULL, "memory");
    memcpy(variable, data, size);
    variable[size] = '\0';
    if (strncmp(variable, "FLASHKV_CONFIG=", 15) != 0 &&
        strncmp(variable, "FLASHKV_REQUIREPASS_FILE=", 25) != 0 &&
        options_load(&o, 1, argv, env) == OPTIONS_RUN) {
        options_warn_unknown(env);
        options_free(&o);
    }
    free(variable);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const readers[])(const uint8_t *data, size_t size) = {fuzz_tokens, fuzz_file, fuzz_value,
                                                                        fuzz_environment};

    if (size > 0)
        readers[data[0] % 4](data + 1, size - 1);
    return 0;
}
