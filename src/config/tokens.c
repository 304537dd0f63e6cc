/* tokens.c - loading tokens, and looking one up. */
#include <flashkv/mem.h>
#include <flashkv/tokens.h>
#include <jansson.h>
#include <stdio.h>

enum { TOKENS_MAX = 1000 };

/* The state of loading. */
struct reading {
    struct tokens *tokens;
    char *why;
    size_t cap;
};

static bool wrong(struct reading *r, size_t i, const char *why) {
    snprintf(r->why, r->cap, "token %zu: %s", i + 1, why);
    return false;
}

/* ---- one token ------------------------------------------------------------------------------------------------ */

static char *copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *out = mem_alloc(size);

    if (out != NULL)
        memcpy(out, text, size);
    return out;
}

static bool read_hex(const char *text, struct sha256 *out) {
    if (strlen(text) != SHA256_HEX - 1 || strspn(text, "0123456789abcdefABCDEF") != SHA256_HEX - 1)
        return false;
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        unsigned byte;

        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        out->bytes[i] = (unsigned char)byte;
    }
    return true;
}

static bool read_secret(const json_t *token, struct sha256 *digest) {
    const char *secret = json_string_value(json_object_get(token, "secret"));
    const char *hex = json_string_value(json_object_get(token, "sha256"));

    if ((secret == NULL) == (hex == NULL))
        return false;
    if (hex != NULL)
        return read_hex(hex, digest);
    *digest = sha256(slice_str(secret));
    return *secret != '\0';
}

static bool read_scopes(const json_t *scopes, unsigned *out) {
    static const char *const names[] = {"read", "write", "admin"};
    const json_t *each;
    size_t i;

    if (!json_is_array(scopes) || json_array_size(scopes) == 0)
        return false;
    json_array_foreach(scopes, i, each) {
        unsigned k = 0;

        while (k < 3 && (!json_is_string(each) || strcmp(json_string_value(each), names[k]) != 0))
            k++;
        if (k == 3)
            return false;
        *out |= 1U << k;
    }
    return true;
}

/* No "prefixes": any key. An empty list, which could be meant as "no key", is refused. */
static bool read_prefixes(const json_t *prefixes, struct rights *rights) {
    const json_t *each;
    size_t i;

    if (prefixes == NULL)
        return true;
    if (!json_is_array(prefixes) || json_array_size(prefixes) == 0)
        return false;
    rights->prefixes = mem_zalloc(json_array_size(prefixes) * sizeof(*rights->prefixes));
    if (rights->prefixes == NULL)
        return false;
    json_array_foreach(prefixes, i, each) {
        if (!json_is_string(each) || json_string_length(each) == 0 ||
            (rights->prefixes[i] = copy(json_string_value(each))) == NULL)
            return false;
        rights->prefix_count++;
    }
    return true;
}

static bool known_members(json_t *token) {
    static const char *const names[] = {"name", "secret", "sha256", "scopes", "prefixes"};
    const char *name;
    json_t *value;

    json_object_foreach(token, name, value) {
        size_t k = 0;

        while (k < sizeof(names) / sizeof(*names) && strcmp(name, names[k]) != 0)
            k++;
        if (k == sizeof(names) / sizeof(*names))
            return false;
    }
    return true;
}

/* "default" is the user of the password. */
static bool name_is_free(const struct tokens *t, const char *name) {
    if (name == NULL || *name == '\0' || strcmp(name, "default") == 0)
        return false;
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->list[i].name, name) == 0)
            return false;
    return true;
}

static bool read_token(struct reading *r, size_t i, json_t *token) {
    const char *name = json_string_value(json_object_get(token, "name"));
    struct rights *rights = &r->tokens->list[r->tokens->count];

    if (!json_is_object(token) || !known_members(token))
        return wrong(r, i,
                     "expects an object with name, secret or sha256, scopes, and prefixes if it has any");
    if (!name_is_free(r->tokens, name))
        return wrong(r, i, "name: expects a string, not empty, not \"default\", and no other's");
    if ((rights->name = copy(name)) == NULL)
        return wrong(r, i, "out of memory");
    r->tokens->count++; /* now tokens_free frees it */
    if (!read_secret(token, &rights->digest))
        return wrong(r, i, "expects secret, a string that is not empty, or sha256, 64 hex digits");
    if (!read_scopes(json_object_get(token, "scopes"), &rights->scopes))
        return wrong(r, i, "scopes: expects one or more of read, write and admin");
    if (!read_prefixes(json_object_get(token, "prefixes"), rights))
        return wrong(r, i, "prefixes: expects one or more strings that are not empty");
    if (rights->prefix_count > 0 && rights->scopes & SCOPE_ADMIN)
        return wrong(r, i, "scope admin is about the whole service, prefixes cannot narrow it");
    return true;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static const char *const variables[] = {"UPSTASH_REDIS_REST_TOKEN", "SRH_TOKEN"};
enum { VARIABLES = sizeof(variables) / sizeof(*variables) };

static bool read_environment(struct reading *r, char *const env[]) {
    for (char *const *e = env; *e != NULL; e++)
        for (size_t k = 0; k < VARIABLES; k++) {
            size_t len = strlen(variables[k]);
            struct rights *rights = &r->tokens->list[r->tokens->count];

            if (strncmp(*e, variables[k], len) != 0 || (*e)[len] != '=' || (*e)[len + 1] == '\0' ||
                !name_is_free(r->tokens, variables[k]))
                continue;
            if ((rights->name = copy(variables[k])) == NULL)
                return wrong(r, r->tokens->count, "out of memory");
            rights->digest = sha256(slice_str(*e + len + 1));
            rights->scopes = SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN;
            r->tokens->count++;
        }
    return true;
}

/* The file's array; NULL: r->why. An empty path: an empty array. */
static json_t *parse(struct reading *r, const char *path) {
    json_error_t error;
    json_t *root = *path == '\0' ? json_array() : json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL && *path != '\0' && error.line > 0)
        snprintf(r->why, r->cap, "line %d, column %d: %s", error.line, error.column, error.text);
    else if (root == NULL)
        snprintf(r->why, r->cap, "%s", *path != '\0' ? error.text : "out of memory");
    else if (!json_is_array(root) || json_array_size(root) > TOKENS_MAX ||
             (*path != '\0' &&
              json_array_size(root) == 0)) { /* without any token no password would be needed */
        snprintf(r->why, r->cap, "expects a JSON array of 1 to %d tokens", TOKENS_MAX);
        json_decref(root);
        return NULL;
    }
    return root;
}

bool tokens_load(struct tokens *t, const char *path, char *const env[], char *why, size_t cap) {
    struct reading r = {t, why, cap};
    json_t *root, *token;
    bool ok;
    size_t i;

    *t = (struct tokens){NULL, 0};
    if ((root = parse(&r, path)) == NULL)
        return false;
    t->list = mem_zalloc((json_array_size(root) + VARIABLES) * sizeof(*t->list));
    ok = t->list != NULL || wrong(&r, 0, "out of memory");
    json_array_foreach(root, i, token) ok = ok && read_token(&r, i, token);
    ok = ok && read_environment(&r, env);
    json_decref(root);
    if (!ok)
        tokens_free(t);
    return ok;
}

void tokens_free(struct tokens *t) {
    for (size_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < t->list[i].prefix_count; k++)
            mem_free(t->list[i].prefixes[k]);
        mem_free(t->list[i].prefixes);
        mem_free(t->list[i].name);
    }
    mem_free(t->list);
    *t = (struct tokens){NULL, 0};
}

const struct rights *tokens_find(const struct tokens *t, struct slice secret) {
    struct sha256 digest;
    const struct rights *found = NULL;

    if (t->count == 0)
        return NULL;
    digest = sha256(secret);
    for (size_t i = 0; i < t->count; i++)
        if (sha256_equal(&t->list[i].digest, &digest))
            found = &t->list[i];
    return found;
}

bool rights_cover(const struct rights *r, struct slice beginning) {
    for (size_t i = 0; i < r->prefix_count; i++)
        if (slice_starts(beginning, slice_str(r->prefixes[i])))
            return true;
    return r->prefix_count == 0;
}
