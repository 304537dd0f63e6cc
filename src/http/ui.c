/* ui.c - the pages that are embedded in the binary: the console, and the one that shows the OpenAPI document. */
#include "embedded.h"
#include "handlers.h"
#include "respond.h"

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define JS "text/javascript; charset=utf-8"

struct page_file {
    const char *name, *type, *bytes;
    const size_t *len;
};

/* A page's files, the page itself first; a row without a name ends the list. */
static const struct page_file console[] = {
    {"console.html", HTML, console_html, &console_html_len},
    {"base.css", CSS, base_css, &base_css_len},
    {"console.css", CSS, console_css, &console_css_len},
    {"console.js", JS, console_js, &console_js_len},
    {"keys.js", JS, keys_js, &keys_js_len},
    {"page.js", JS, page_js, &page_js_len},
    {"events.js", JS, events_js, &events_js_len},
    {NULL, NULL, NULL, NULL},
};
static const struct page_file docs[] = {
    {"docs.html", HTML, docs_html, &docs_html_len},
    {"base.css", CSS, base_css, &base_css_len},
    {"docs.css", CSS, docs_css, &docs_css_len},
    {"docs.js", JS, docs_js, &docs_js_len},
    {NULL, NULL, NULL, NULL},
};

static enum MHD_Result respond_file(struct request *r, const struct page_file *f) {
    return respond_own_page(r, f->type, slice_of(f->bytes, *f->len));
}

static enum MHD_Result respond_named(struct request *r, const struct page_file *files) {
    for (const struct page_file *f = files; f->name != NULL; f++)
        if (slice_eq(r->target.segments[1], slice_str(f->name)))
            return respond_file(r, f);
    return respond_problem(r, 404, "the page has no such file");
}

enum MHD_Result http_get_console(struct request *r) {
    return respond_file(r, console);
}

enum MHD_Result http_get_console_file(struct request *r) {
    return respond_named(r, console);
}

enum MHD_Result http_get_docs(struct request *r) {
    return respond_file(r, docs);
}

enum MHD_Result http_get_docs_file(struct request *r) {
    return respond_named(r, docs);
}
