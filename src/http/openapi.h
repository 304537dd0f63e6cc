/* openapi.h - the OpenAPI document, as JSON, in the binary: made from openapi/flashkv.yaml at build time. */
#ifndef FLASHKV_HTTP_OPENAPI_H
#define FLASHKV_HTTP_OPENAPI_H

#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_len;

#endif
