/* redact.c - passwords among arguments. */
#include "redact.h"

#include "args.h"

/* AUTH [username] password */
static bool auth_secret(const struct call *c, size_t i) {
    (void)c;
    return i > 0;
}

/* HELLO 3 AUTH username password */
static bool hello_secret(const struct call *c, size_t i) {
    return (i > 1 && arg_is(c, i - 1, "auth")) || (i > 2 && arg_is(c, i - 2, "auth"));
}

/* CONFIG SET requirepass password */
static bool config_set_secret(const struct call *c, size_t i) {
    static const char *const names[] = {"requirepass", "password",          "masterauth",
                                        "masteruser",  "tls-key-file-pass", "tls-client-key-file-pass"};

    for (size_t n = 0; n < sizeof(names) / sizeof(*names) && i > 2 && i % 2 == 1; n++)
        if (arg_is(c, i - 1, names[n]))
            return true;
    return false;
}

/* ACL SETUSER username rule ... */
static bool setuser_secret(const struct call *c, size_t i) {
    (void)c;
    return i > 1;
}

bool arg_is_secret(const struct call *c, size_t i) {
    static const struct {
        const char *command;
        bool (*secret)(const struct call *c, size_t i);
    } rows[] = {
        {"auth", auth_secret},
        {"hello", hello_secret},
        {"config|set", config_set_secret},
        {"acl|setuser", setuser_secret},
    };

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++)
        if (strcmp(c->command->name, rows[r].command) == 0)
            return rows[r].secret(c, i);
    return false;
}
