/* poll.c - watching a key on behalf of a request. */
#include "poll.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/rest.h>

#include "stream.h"

struct poll {
    struct rest_watch watch; /* first */
    struct request *request;
    int64_t until_ns;
};

static void on_changed(struct rest_watch *w) {
    request_wake(((struct poll *)w)->request);
}

/* Starts the watch. False: no memory. */
static bool begin(struct request *r, struct slice key, int64_t ms) {
    struct poll *p = mem_zalloc(sizeof(*p));

    if (p == NULL)
        return false;
    p->watch.changed = on_changed;
    p->request = r;
    p->until_ns = clock_mono_ns() + ms * INT64_C(1000000);
    if (!request_prepare_wait(r) || !rest_watch_begin(&p->watch, r->server, key)) {
        mem_free(p);
        return false;
    }
    r->poll = p;
    return true;
}

enum poll_outcome poll_wait(struct request *r, struct slice key, int64_t ms) {
    bool time_is_up;

    if (r->poll == NULL)
        return begin(r, key, ms) ? POLL_LOOK_AGAIN : POLL_OVER;
    if (request_waited(r, &time_is_up) && time_is_up)
        return POLL_OVER;
    return request_wait(r, r->poll->until_ns) == MHD_YES ? POLL_WAITS : POLL_OVER;
}

void poll_end(struct request *r) {
    if (r->poll == NULL)
        return;
    rest_watch_end(&r->poll->watch, r->server);
    mem_free(r->poll);
    r->poll = NULL;
}

bool poll_time(struct slice text, int64_t *ms) {
    int64_t unit = 1000;

    if (text.len > 2 && memcmp(text.ptr + text.len - 2, "ms", 2) == 0) {
        text.len -= 2;
        unit = 1;
    } else if (text.len > 1 && text.ptr[text.len - 1] == 's') {
        text.len--;
    }
    if (!num_parse_i64(text, ms) || *ms < 0 || *ms > POLL_MS_MAX / unit)
        return false;
    *ms *= unit;
    return true;
}
