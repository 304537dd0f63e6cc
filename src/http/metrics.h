/* metrics.h - what the service tells Prometheus: one row a metric. Private to http.
 *
 * Two forms of the same rows, by the Accept header: OpenMetrics 1.0 (https://prometheus.io/docs/specs/om), which the
 * Prometheus server asks for, and the older text format 0.0.4, in which a counter's family has "_total" in its name. */
#ifndef FLASHKV_HTTP_METRICS_H
#define FLASHKV_HTTP_METRICS_H

#include <flashkv/buf.h>
#include <flashkv/server.h>

enum metrics_form { METRICS_OPEN, METRICS_TEXT };

/* Appends all of it; false: no memory, or over the buffer's ceiling. Takes no lock that commands take. */
bool metrics_write(struct server *s, enum metrics_form form, struct buf *out);

#endif
