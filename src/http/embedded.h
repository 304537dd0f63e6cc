/* embedded.h - files that are in the binary, made into C at build time by embed.sh: the OpenAPI document, and the files
 * of pages. */
#ifndef FLASHKV_HTTP_EMBEDDED_H
#define FLASHKV_HTTP_EMBEDDED_H

#include <stddef.h>

extern const char openapi_json[], base_css[], console_html[], console_css[], console_js[], keys_js[],
    page_js[], events_js[], docs_html[], docs_css[], docs_js[];
extern const size_t openapi_json_len, base_css_len, console_html_len, console_css_len, console_js_len,
    keys_js_len, page_js_len, events_js_len, docs_html_len, docs_css_len, docs_js_len;

#endif
