/* metrics_http.c - metrics of requests, by the rows of the route table. */
#include <stdio.h>

#include "metrics.h"
#include "routes.h"
#include "server.h"

enum { LABELS_MAX = 128 };

/* Labels of a row; route_count stands for requests that found no route. */
static void route_labels(size_t route, char out[LABELS_MAX]) {
    if (route < route_count)
        snprintf(out, LABELS_MAX, "route=\"%s\",method=\"%s\"", route_table[route].template,
                 route_table[route].method);
    else
        snprintf(out, LABELS_MAX, "route=\"none\",method=\"none\"");
}

static void status_samples(struct scrape *s, const struct metric *m, size_t route, const char *labels) {
    for (size_t i = 0; i < TRAFFIC_STATUSES; i++) {
        uint64_t n = atomic_load_explicit(&s->traffic->routes[route].statuses[i], memory_order_relaxed);
        char all[LABELS_MAX + 16];

        if (n == 0)
            continue;
        if (traffic_statuses[i] == 0)
            snprintf(all, sizeof(all), "%s,code=\"other\"", labels);
        else
            snprintf(all, sizeof(all), "%s,code=\"%u\"", labels, traffic_statuses[i]);
        sample(s, m, all, n);
    }
}

void of_requests(struct scrape *s, const struct metric *m) {
    char labels[LABELS_MAX];

    for (size_t i = 0; i <= route_count; i++) {
        route_labels(i, labels);
        status_samples(s, m, i, labels);
    }
}

void of_request_durations(struct scrape *s, const struct metric *m) {
    char labels[LABELS_MAX];

    for (size_t i = 0; i <= route_count; i++) {
        const struct route_traffic *row = &s->traffic->routes[i];

        route_labels(i, labels);
        sample_histogram(s, m, labels, row->histogram, row->ns);
    }
}

void of_requests_in_flight(struct scrape *s, const struct metric *m) {
    uint64_t begun = s->traffic->begun, ended = s->traffic->ended;

    sample(s, m, "", begun > ended ? begun - ended : 0); /* the counters move while they are read */
}

void of_access_log_dropped(struct scrape *s, const struct metric *m) {
    sample(s, m, "", http_access_log_dropped(s->http));
}
