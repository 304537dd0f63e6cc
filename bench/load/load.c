/* load.c - a load generator for RESP, HTTP and memcached: options, threads, one line of JSON on stdout.
 *
 * Exit status: 0 all went well, 1 a connection or a request failed, 2 bad usage.
 */
#include "worker.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 16 };

static const char usage[] =
    "usage: load [option value]...\n"
    "  --protocol resp|http|memcached   (resp)\n"
    "  --port N                         on 127.0.0.1; several: connections to each in turn\n"
    "  --target PATH                    HTTP: %k is where the key goes (/keys/%k)\n"
    "  --connections N (50)  --threads N (1)  --pipeline N (1)\n"
    "  --ops N (100000)      --seconds N (60): at most so long\n"
    "  --rate N              requests a second (0: as fast as answered)\n"
    "  --spin US (100)                  with a rate: no sleep when one is due so soon\n"
    "  --reads PERCENT (100) the rest writes\n"
    "  --keys N (1000)       --key-size BYTES (16)  --value-size BYTES (64)\n"
    "  --ttl SECONDS         RESP: SET with EX (0: without)\n"
    "  --order uniform|zipf|sequential  (uniform)\n";

static void die(const char *what, const char *value) {
    fprintf(stderr, "load: bad %s: %s\n%s", what, value, usage);
    exit(2);
}

static double number(const char *name, const char *text, double least, double most) {
    char *end;
    double v = strtod(text, &end);

    if (end == text || *end != '\0' || !(v >= least && v <= most))
        die(name, text);
    return v;
}

/* The place of `text` in a list of words that NULL ends. */
static unsigned choice(const char *name, const char *text, const char *const *words) {
    for (unsigned i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    die(name, text);
    return 0;
}

static const char *const protocols[] = {"resp", "http", "memcached", NULL};
static const char *const orders[] = {"uniform", "zipf", "sequential", NULL};

static const struct option options[] = {
    {"protocol", 1, NULL, 'P'},
    {"port", 1, NULL, 'p'},
    {"target", 1, NULL, 't'},
    {"connections", 1, NULL, 'c'},
    {"threads", 1, NULL, 'T'},
    {"pipeline", 1, NULL, 'd'},
    {"ops", 1, NULL, 'n'},
    {"seconds", 1, NULL, 's'},
    {"rate", 1, NULL, 'r'},
    {"reads", 1, NULL, 'R'},
    {"keys", 1, NULL, 'k'},
    {"key-size", 1, NULL, 'K'},
    {"value-size", 1, NULL, 'V'},
    {"ttl", 1, NULL, 'e'},
    {"order", 1, NULL, 'o'},
    {"spin", 1, NULL, 'S'},
    {0},
};

static void set_option(struct worker_spec *s, int option, const char *v) {
    switch (option) {
    case 'P':
        s->wire.protocol = (enum wire_protocol)choice("protocol", v, protocols);
        break;
    case 'p':
        if (s->port_count == PORTS_MAX)
            die("port", "one too many");
        s->ports[s->port_count++] = (uint16_t)number("port", v, 1, 65535);
        break;
    case 't':
        s->wire.target = v;
        break;
    case 'c':
        s->connections = (unsigned)number("connections", v, 1, 60000);
        break;
    case 'T':
        s->threads = (unsigned)number("threads", v, 1, THREADS_MAX);
        break;
    case 'd':
        s->pipeline = (unsigned)number("pipeline", v, 1, 100000);
        break;
    case 'n':
        s->ops = (uint64_t)number("ops", v, 1, 1e12);
        break;
    case 's':
        s->seconds = number("seconds", v, 0.01, 3600);
        break;
    case 'r':
        s->rate = number("rate", v, 0, 1e9);
        break;
    case 'S':
        s->spin_ns = (uint64_t)(number("spin", v, 0, 1e6) * 1e3);
        break;
    case 'R':
        s->reads = (unsigned)number("reads", v, 0, 100);
        break;
    case 'k':
        s->keys = (uint64_t)number("keys", v, 1, 1e12);
        break;
    case 'K':
        s->wire.key_size = (size_t)number("key-size", v, 1, 65536);
        break;
    case 'V':
        s->wire.value_size = (size_t)number("value-size", v, 0, 1 << 30);
        break;
    case 'e':
        s->wire.ttl = (unsigned)number("ttl", v, 0, 1e9);
        break;
    case 'o':
        s->order = (enum keys_order)choice("order", v, orders);
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static void print_results(const struct worker *workers, unsigned count) {
    static struct histogram all;
    uint64_t done = 0, misses = 0, errors = 0;
    double seconds = 0;

    for (unsigned i = 0; i < count; i++) {
        histogram_merge(&all, &workers[i].latency);
        done += workers[i].done;
        misses += workers[i].misses;
        errors += workers[i].errors;
        seconds = seconds < workers[i].seconds ? workers[i].seconds : seconds;
    }
    printf(
        "{\"ops\": %llu, \"seconds\": %.6f, \"ops_per_second\": %.0f, \"misses\": %llu, \"errors\": %llu, ",
        (unsigned long long)done, seconds, (double)done / seconds, (unsigned long long)misses,
        (unsigned long long)errors);
    printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}\n", histogram_quantile(&all, 0.5) / 1e3,
           histogram_quantile(&all, 0.99) / 1e3, histogram_quantile(&all, 0.999) / 1e3);
}

int main(int argc, char **argv) {
    static struct worker workers[THREADS_MAX];
    struct worker_spec s = {
        .wire = {.key_size = 16, .value_size = 64, .target = "/keys/%k"},
        .keys = 1000,
        .threads = 1,
        .connections = 50,
        .pipeline = 1,
        .reads = 100,
        .ops = 100000,
        .spin_ns = 100000,
        .seconds = 60,
    };
    pthread_t threads[THREADS_MAX];
    bool ok = true;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        set_option(&s, c, optarg);
    if (optind < argc || s.port_count == 0)
        die("usage", optind < argc ? argv[optind] : "no --port");
    if (s.connections < s.threads)
        die("connections", "fewer than threads");
    for (unsigned i = 0; i < s.threads; i++) {
        workers[i].spec = &s;
        workers[i].number = i;
        if (pthread_create(&threads[i], NULL, worker_run, &workers[i]) != 0)
            die("threads", "cannot be started");
    }
    for (unsigned i = 0; i < s.threads; i++) {
        pthread_join(threads[i], NULL);
        ok = ok && !workers[i].failed && workers[i].errors == 0;
    }
    print_results(workers, s.threads);
    return ok ? 0 : 1;
}
