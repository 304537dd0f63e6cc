/* wire.c - see wire.h. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- requests -------------------------------------------------------------------------------------------- */

/* Prints the head of a request, with `key` where the key goes. */
static int print_head(FILE *out, const struct wire_spec *spec, enum wire_op op, const char *key) {
    size_t before = strcspn(spec->target, "%");
    const char *after = spec->target + before;
    const char *shown = after[0] == '%' ? key : "";

    after += strnlen(after, 2);
    switch (spec->protocol) {
    case WIRE_RESP:
        fprintf(out, "*%d\r\n$3\r\n%s\r\n$%zu\r\n%s\r\n", op == WIRE_GET ? 2 : 3 + 2 * (spec->ttl > 0),
                op == WIRE_GET ? "GET" : "SET", spec->key_size, key);
        return op == WIRE_GET ? 0 : fprintf(out, "$%zu\r\n", spec->value_size);
    case WIRE_HTTP:
        fprintf(out, "%s %.*s%s%s HTTP/1.1\r\nHost: bench\r\n", op == WIRE_GET ? "GET" : "PUT", (int)before,
                spec->target, shown, after);
        return op == WIRE_GET ? fprintf(out, "\r\n")
                              : fprintf(out, "Content-Length: %zu\r\n\r\n", spec->value_size);
    case WIRE_MEMCACHED:
        return op == WIRE_GET ? fprintf(out, "get %s\r\n", key)
                              : fprintf(out, "set %s 0 0 %zu\r\n", key, spec->value_size);
    }
    return -1;
}

bool wire_request_init(struct wire_request *r, const struct wire_spec *spec, enum wire_op op) {
    char *key = malloc(spec->key_size + 1), *bytes = NULL, *hole;
    size_t len = 0;
    FILE *out = key == NULL ? NULL : open_memstream(&bytes, &len);

    if (out == NULL) {
        free(key);
        return false;
    }
    memset(key, '\1', spec->key_size); /* a byte that no head holds, to find the hole by */
    key[spec->key_size] = '\0';
    print_head(out, spec, op, key);
    for (size_t i = 0; op == WIRE_SET && i < spec->value_size; i++)
        fputc('a' + (int)(i % 26), out);
    if (op == WIRE_SET && spec->protocol != WIRE_HTTP)
        fputs("\r\n", out);
    if (op == WIRE_SET && spec->ttl > 0)
        fprintf(out, "$2\r\nEX\r\n$%d\r\n%u\r\n", snprintf(NULL, 0, "%u", spec->ttl), spec->ttl);
    free(key);
    if (fclose(out) != 0)
        return false;
    hole = memchr(bytes, '\1', len);
    *r = (struct wire_request){
        .bytes = bytes,
        .len = len,
        .key_at = hole == NULL ? len : (size_t)(hole - bytes),
        .key_size = hole == NULL ? 0 : spec->key_size,
    };
    return true;
}

void wire_request_put(const struct wire_request *r, uint64_t number, char *to) {
    static const char digits[] = "0123456789abcdef";

    memcpy(to, r->bytes, r->len);
    for (size_t i = r->key_size; i-- > 0; number >>= 4)
        to[r->key_at + i] = digits[number & 15];
}

/* ---- replies --------------------------------------------------------------------------------------------- */

/* The number that the digits at `p` spell. The text ends in something else: a reply's head ends in CR LF. */
static size_t number_at(const char *p) {
    size_t n = 0;

    while (*p >= '0' && *p <= '9')
        n = n * 10 + (size_t)(*p++ - '0');
    return n;
}

static void read_resp(const char *line, size_t len, struct wire_reply *out) {
    (void)len;
    if (line[0] == '$')
        *out = line[1] == '-' ? (struct wire_reply){WIRE_MISS, 0}
                              : (struct wire_reply){WIRE_HIT, number_at(line + 1) + 2};
    else
        *out = (struct wire_reply){line[0] == '+' || line[0] == ':' ? WIRE_HIT : WIRE_ERROR, 0};
}

/* The text behind a header's name, "\nName: "; NULL: it is not there. */
static const char *header(const char *head, size_t len, const char *name) {
    const char *at = head, *end = head + len;
    size_t name_len = strlen(name);

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && (size_t)(end - at) > name_len) {
        if (strncasecmp(at, name, name_len) == 0)
            return at + name_len;
        at++;
    }
    return NULL;
}

static void read_http(const char *head, size_t len, struct wire_reply *out) {
    const char *length = header(head, len, "\nContent-Length: ");
    size_t status = len > 12 ? number_at(head + 9) : 0;

    out->outcome = status == 404 ? WIRE_MISS : status >= 200 && status < 300 ? WIRE_HIT : WIRE_ERROR;
    out->body = length != NULL ? number_at(length) : 0;
}

/* The length of the head; with the first chunk's line, if there is one, and then the body is
 * that chunk and the last: servers that send large values in several cannot be measured. 0: the line is not there. */
static size_t read_chunk(const char *p, size_t head, size_t len, struct wire_reply *out) {
    const char *end;

    if (header(p, head, "\nTransfer-Encoding: chunked") == NULL)
        return head;
    end = memchr(p + head, '\n', len - head);
    if (end == NULL)
        return 0;
    out->body = strtoul(p + head, NULL, 16) + sizeof("\r\n0\r\n\r\n") - 1;
    return (size_t)(end + 1 - p);
}

/* A value is "VALUE key flags bytes" CR LF, the bytes, CR LF "END" CR LF. */
static void read_memcached(const char *line, size_t len, struct wire_reply *out) {
    *out = (struct wire_reply){WIRE_HIT, 0};
    if (line[0] == 'V') {
        const char *last = line + len - 2;
        while (last[-1] != ' ')
            last--;
        out->body = number_at(last) + 7;
    } else if (line[0] == 'E' && line[1] == 'N') {
        out->outcome = WIRE_MISS;
    } else if (line[0] != 'S' || line[1] != 'T') {
        out->outcome = WIRE_ERROR;
    }
}

size_t wire_reply_head(enum wire_protocol protocol, const char *p, size_t len, struct wire_reply *out) {
    static const struct {
        const char *end;
        size_t end_len;
        void (*read)(const char *head, size_t len, struct wire_reply *out);
    } kinds[] = {
        [WIRE_RESP] = {"\r\n", 2, read_resp},
        [WIRE_HTTP] = {"\r\n\r\n", 4, read_http},
        [WIRE_MEMCACHED] = {"\r\n", 2, read_memcached},
    };
    const char *end = memmem(p, len, kinds[protocol].end, kinds[protocol].end_len);
    size_t head;

    if (end == NULL)
        return 0;
    head = (size_t)(end - p) + kinds[protocol].end_len;
    kinds[protocol].read(p, head, out);
    return protocol == WIRE_HTTP ? read_chunk(p, head, len, out) : head;
}
