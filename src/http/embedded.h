/* embedded.h - files that are in the binary, made into C at build time by embed.sh: the OpenAPI document, the console. */
#ifndef FLASHKV_HTTP_EMBEDDED_H
#define FLASHKV_HTTP_EMBEDDED_H

#include <stddef.h>

extern const char openapi_json[], console_html[], console_css[], console_js[], events_js[];
extern const size_t openapi_json_len, console_html_len, console_css_len, console_js_len, events_js_len;

#endif
