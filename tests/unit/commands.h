/* commands.h - a server without ports, for tests that speak commands and compare what they answer.
 *
 * A line is words divided by spaces; "..." keeps spaces and knows \" \\ \r \n and \xNN. A reply is one line:
 *
 *     OK    (error) ERR syntax error    (integer) 1    (double) 0.5    "bytes\x00"    (nil)    (nil array)
 *     ["an", "array"]    {"a": "map"}    ~["a", "set"]    txt:"verbatim" */
#ifndef TESTS_COMMANDS_H
#define TESTS_COMMANDS_H

#include <flashkv/command.h>
#include <flashkv/options.h>

#include "unit.h"

enum { MAX_VALUE_BYTES = 1 << 20 };

/* Made anew for each test by the fixture. Nothing sweeps and no clock runs: a test moves session.now_ms. */
extern struct options options;
extern struct server server;
extern struct session session;

void commands_setup(void);
void commands_teardown(void);

/* Who runs the commands that follow: &session, until a test says otherwise. */
extern struct session *speaker;

/* Runs one command and checks that it gave exactly one reply. The text is valid until the next command. */
const char *run_line(const char *line);
const char *run_args(size_t argc, const struct slice *words);
/* The same with the row already found (NULL: not yet). */
const char *run_row(const struct command *cmd, const char *line);
const char *run_argv(const struct command *cmd, size_t argc, const struct arg *argv);
/* How many values of the last reply came by reference. */
size_t reply_blobs(void);

struct step {
    const char *line, *reply;
};
/* Runs each line and compares its reply. */
void check_steps(const struct step *steps, size_t count);
#define CHECK_STEPS(steps) check_steps(steps, sizeof(steps) / sizeof(*(steps)))
static inline void check_line(const char *line, const char *reply) {
    struct step step = {line, reply};

    check_steps(&step, 1);
}

#endif
