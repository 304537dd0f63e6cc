/* upload.c - dropping, streaming or buffering bodies. */
#include "upload.h"

#include <flashkv/clock.h>
#include <flashkv/num.h>
#include <sys/socket.h>

#include "conn.h"
#include "respond.h"
#include "routes.h"
#include "stream.h"

enum {
    DROP_QUIETLY = 1024 * 1024,   /* of an unwanted body, so that the refusal can wait for its end */
    DROP_AFTER = 8 * 1024 * 1024, /* after an early response, before the connection is closed */
    STREAM_PIECE = 1024,          /* of a streamed body, between two looks at the clock */
};

/* Has the client closed its side? libmicrohttpd does not notice if the end came with the last bytes: it takes a short read for
 * all there is, and its edge-triggered epoll does not report it again. */
static bool has_left(struct request *r) {
    char byte;

    return recv(conn_of_request(r)->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Drops bytes of an unwanted body. If there are too many, the refusal is sent before the body is complete, at once if
 * Content-Length announces it; then up to DROP_AFTER more bytes are dropped, for the client to notice, before the connection is
 * closed. */
static enum MHD_Result drop(struct request *r, size_t len) {
    uint64_t announced = 0;

    r->dropped += len;
    num_parse_u64(r->headers.content_length, &announced);
    if (!r->answered && r->verdict.status >= 400 && (announced > DROP_QUIETLY || r->dropped > DROP_QUIETLY)) {
        respond_verdict_now(r);
        r->dropped = 0;
    }
    return r->answered && (r->dropped > DROP_AFTER || has_left(r)) ? MHD_NO : MHD_YES;
}

static enum MHD_Result refuse_midway(struct request *r, unsigned status, const char *why) {
    request_refuse(r, status, "%s", why);
    respond_verdict_now(r);
    return MHD_YES;
}

/* Passes a piece to the intake, which the handler sets at the first one. A handler that fails has left a verdict. */
static bool take_piece(struct request *r, const char *bytes, size_t len) {
    if ((r->intake != NULL || r->route->handler(r) == MHD_YES) &&
        (r->intake == NULL || r->intake->piece(r, r->intake_ctx, bytes, len)))
        return true;
    respond_verdict_now(r);
    return false;
}

/* A piece of a streamed body: as much of it as a turn allows. *left: the rest of its `len` bytes, for the next turn. */
static enum MHD_Result stream_came(struct request *r, const char *bytes, size_t len, size_t *left) {
    r->now_ms = clock_wall_ms();
    for (*left = len; *left > 0;) {
        size_t n = *left < STREAM_PIECE ? *left : STREAM_PIECE;

        r->body_bytes += n;
        if (!take_piece(r, bytes + len - *left, n)) {
            *left = 0;
            return MHD_YES;
        }
        *left -= n;
        if (*left > 0 && request_turn_over(r) && request_prepare_wait(r))
            return request_yield(r);
    }
    return MHD_YES;
}

enum MHD_Result upload_ended(struct request *r) {
    if (r->intake == NULL && r->route->handler(r) != MHD_YES)
        return respond_verdict(r);
    return r->intake->finish(r, r->intake_ctx);
}

enum MHD_Result upload_came(struct request *r, const char *bytes, size_t len, size_t *left) {
    *left = 0;
    if (r->verdict.status == 0 && r->route->body == BODY_STREAM)
        return stream_came(r, bytes, len, left);
    r->body_bytes += len;
    if (r->verdict.status != 0 || r->route->body == BODY_NONE)
        return drop(r, len);
    switch (request_body_add(r, bytes, len)) {
    case BODY_OK:
        break;
    case BODY_TOO_LONG:
        return refuse_midway(r, 413, "the body is longer than max-value-bytes");
    case BODY_NO_MEMORY:
        return refuse_midway(r, 503, "out of memory");
    }
    return MHD_YES;
}
