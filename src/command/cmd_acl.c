/* cmd_acl.c - AUTH, and ACL for the one user there is, "default", who may do everything.
 * Source: https://redis.io/docs/management/security/acl */
#include <flashkv/num.h>
#include <flashkv/random.h>
#include <stdio.h>
#include <sys/random.h>

#include "args.h"
#include "auth.h"
#include "handlers.h"
#include "table.h"

static const char default_user[] = "default";

/* ---- authentication ------------------------------------------------------------------------------------------ */

bool auth_check(struct call *c, struct slice user, struct slice password) {
    struct secret *secret = &c->server->password;
    const struct rights *rights = tokens_find(&c->server->tokens, password);
    bool is_default = slice_eq(user, slice_str(default_user));

    if (is_default && (!server_requires_auth(c->server) || secret_matches(secret, password)))
        rights = NULL;
    else if (rights == NULL || !(is_default || slice_eq(user, slice_str(rights->name)))) {
        reply_error(c->reply, "WRONGPASS invalid username-password pair or user is disabled.");
        return false;
    }
    c->session->unauthenticated = false;
    c->session->rights = rights;
    return true;
}

void cmd_auth(struct call *c) {
    bool named = c->argc == 3;

    if (c->argc > 3)
        reply_syntax_error(c);
    else if (!named && !server_requires_auth(c->server))
        reply_error(c->reply,
                    "ERR AUTH <password> called without any password configured for the default user. "
                    "Are you sure your configuration is correct?");
    else if (auth_check(c, named ? call_arg(c, 1) : slice_str(default_user), call_arg(c, c->argc - 1)))
        reply_ok(c->reply);
}

void cmd_acl_whoami(struct call *c) {
    reply_text(c->reply, c->session->rights != NULL ? c->session->rights->name : default_user);
}

/* ---- the user ------------------------------------------------------------------------------------------------ */

/* The password's digest in hex, or "" if there is none. A session with a token sees zeros: it could crack the digest offline. */
static void password_hex(const struct call *c, char out[SHA256_HEX]) {
    struct sha256 digest = {{0}};

    if (c->session->rights == NULL)
        digest = secret_digest(&c->server->password);
    out[0] = '\0';
    if (secret_is_set(&c->server->password))
        sha256_hex(&digest, out);
}

void cmd_acl_users(struct call *c) {
    reply_array(c->reply, 1);
    reply_text(c->reply, default_user);
}

void cmd_acl_list(struct call *c) {
    char hex[SHA256_HEX], line[SHA256_HEX + 64];

    password_hex(c, hex);
    snprintf(line, sizeof(line), "user default on %s%s ~* &* +@all", *hex != '\0' ? "#" : "nopass", hex);
    reply_array(c->reply, 1);
    reply_text(c->reply, line);
}

void cmd_acl_getuser(struct call *c) {
    char hex[SHA256_HEX];
    bool nopass;

    if (!slice_eq(call_arg(c, 2), slice_str(default_user))) {
        reply_null(c->reply);
        return;
    }
    password_hex(c, hex);
    nopass = *hex == '\0';
    reply_map(c->reply, 6);
    reply_text(c->reply, "flags");
    reply_set(c->reply, nopass ? 2 : 1);
    reply_text(c->reply, "on");
    if (nopass)
        reply_text(c->reply, "nopass");
    reply_text(c->reply, "passwords");
    reply_array(c->reply, nopass ? 0 : 1);
    if (!nopass)
        reply_text(c->reply, hex);
    reply_text(c->reply, "commands");
    reply_text(c->reply, "+@all");
    reply_text(c->reply, "keys");
    reply_text(c->reply, "~*");
    reply_text(c->reply, "channels");
    reply_text(c->reply, "&*");
    reply_text(c->reply, "selectors");
    reply_array(c->reply, 0);
}

/* Rules that grant what the default user has anyway. */
static bool is_granted(struct slice rule) {
    static const char *const rules[] = {"on", "~*", "allkeys", "&*", "allchannels", "+@all", "allcommands"};

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (slice_caseeq(rule, slice_str(rules[i])))
            return true;
    return false;
}

/* There is one user, and CONFIG SET requirepass is its password: rules that would restrict the user are refused
 * rather than stored without effect. */
void cmd_acl_setuser(struct call *c) {
    if (!slice_eq(call_arg(c, 2), slice_str(default_user))) {
        reply_error(c->reply, "ERR FlashKV has one user, 'default'");
        return;
    }
    for (size_t i = 3; i < c->argc; i++)
        if (!is_granted(call_arg(c, i))) {
            reply_error(
                c->reply,
                "ERR Error in ACL SETUSER modifier '%.*s': the default user may do everything, and its "
                "password is set by CONFIG SET requirepass",
                arg_shown(&c->argv[i]), c->argv[i].ptr);
            return;
        }
    reply_ok(c->reply);
}

void cmd_acl_deluser(struct call *c) {
    for (size_t i = 2; i < c->argc; i++)
        if (slice_eq(call_arg(c, i), slice_str(default_user))) {
            reply_error(c->reply, "ERR The 'default' user cannot be removed");
            return;
        }
    reply_integer(c->reply, 0);
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

void cmd_acl_genpass(struct call *c) {
    enum { DEFAULT_BITS = 256, BITS_MAX = 4096 };
    static const char digits[] = "0123456789abcdef";
    char text[BITS_MAX / 4];
    int64_t bits = DEFAULT_BITS;
    size_t len;

    if (arg_too_many(c, 3) || (c->argc == 3 && !arg_i64(c, 2, &bits)))
        return;
    if (bits <= 0 || bits > BITS_MAX) {
        reply_error(c->reply,
                    "ERR ACL GENPASS argument must be the number of bits for the output password, a "
                    "positive number up to 4096");
        return;
    }
    len = (size_t)(bits + 3) / 4;
    if (getrandom(text, len, 0) != (ssize_t)len) {
        reply_error(c->reply, "ERR no random bytes to be had");
        return;
    }
    for (size_t i = 0; i < len; i++)
        text[i] = digits[(unsigned char)text[i] % 16];
    reply_bulk(c->reply, slice_of(text, len));
}

void cmd_acl_dryrun(struct call *c) {
    const struct command *cmd = command_lookup(call_arg(c, 3));
    size_t argc = c->argc - 3;

    if (!slice_eq(call_arg(c, 2), slice_str(default_user)))
        reply_error(c->reply, "ERR User '%.*s' not found", arg_shown(&c->argv[2]), c->argv[2].ptr);
    else if (cmd == NULL)
        reply_error(c->reply, "ERR Command '%.*s' not found", arg_shown(&c->argv[3]), c->argv[3].ptr);
    else if (cmd->arity >= 0 ? argc != (size_t)cmd->arity : argc < (size_t)-cmd->arity)
        reply_error(c->reply, "ERR wrong number of arguments for '%s' command", cmd->name);
    else
        reply_ok(c->reply);
}

/* Always empty: the one user is never denied anything. */
void cmd_acl_log(struct call *c) {
    int64_t count;

    if (arg_too_many(c, 3))
        return;
    if (c->argc == 3 && arg_is(c, 2, "reset"))
        reply_ok(c->reply);
    else if (c->argc == 2 || arg_i64(c, 2, &count))
        reply_array(c->reply, 0);
}

void cmd_acl_file(struct call *c) {
    reply_error(c->reply,
                "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
                "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
                "configuration file set) in order to store users in the Redis configuration.");
}
