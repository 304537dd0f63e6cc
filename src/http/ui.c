/* ui.c - the console: one page, its style and its script, embedded in the binary. */
#include "embedded.h"
#include "handlers.h"
#include "respond.h"

static const struct {
    const char *name, *type, *bytes;
    const size_t *len;
} files[] = {
    {"console.html", "text/html; charset=utf-8", console_html, &console_html_len},
    {"console.css", "text/css; charset=utf-8", console_css, &console_css_len},
    {"console.js", "text/javascript; charset=utf-8", console_js, &console_js_len},
    {"events.js", "text/javascript; charset=utf-8", events_js, &events_js_len},
};

static enum MHD_Result respond_file(struct request *r, struct slice name) {
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (slice_eq(name, slice_str(files[i].name)))
            return respond_own_page(r, files[i].type, slice_of(files[i].bytes, *files[i].len));
    return respond_problem(r, 404, "the console has no such file");
}

enum MHD_Result http_get_console(struct request *r) {
    return respond_file(r, SLICE_LIT("console.html"));
}

enum MHD_Result http_get_console_file(struct request *r) {
    return respond_file(r, r->target.segments[1]);
}
