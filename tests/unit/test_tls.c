/* TLS over a pair of sockets: files that cannot be used, the handshake step by step, full sockets, ends of every kind. */
#include <errno.h>
#include <flashkv/tls.h>
#include <gnutls/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

enum { LARGE = 4 * 1024 * 1024 };

static char dir[] = "/tmp/test_tls.XXXXXX";
static char cert[64], key[64], other_key[64], nothing[64], why[256];
static int ends[2];
static struct tls *tls;
static struct tls_conn *server, *client;

/* ---- files --------------------------------------------------------------------------------------------------------- */

static void put(const char *path, const void *bytes, size_t len) {
    FILE *f = fopen(path, "we");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static gnutls_x509_privkey_t make_key(const char *path) {
    gnutls_x509_privkey_t made;
    gnutls_datum_t pem;

    gnutls_x509_privkey_init(&made);
    ck_assert_int_eq(
        gnutls_x509_privkey_generate(made, GNUTLS_PK_EC, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
        0);
    ck_assert_int_eq(gnutls_x509_privkey_export2(made, GNUTLS_X509_FMT_PEM, &pem), 0);
    put(path, pem.data, pem.size);
    gnutls_free(pem.data);
    return made;
}

/* A certificate that signs itself. */
static void make_cert(const char *path, gnutls_x509_privkey_t by, unsigned char serial) {
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;

    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, &serial, 1);
    gnutls_x509_crt_set_dn(crt, "CN=localhost", NULL);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
    gnutls_x509_crt_set_key(crt, by);
    ck_assert_int_eq(gnutls_x509_crt_sign2(crt, crt, by, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
    put(path, pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
}

static void make_files(void) {
    gnutls_x509_privkey_t made;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    snprintf(key, sizeof(key), "%s/key.pem", dir);
    snprintf(other_key, sizeof(other_key), "%s/other.pem", dir);
    snprintf(nothing, sizeof(nothing), "%s/nothing.pem", dir);
    gnutls_x509_privkey_deinit(make_key(other_key));
    made = make_key(key);
    make_cert(cert, made, 1);
    gnutls_x509_privkey_deinit(made);
    put(nothing, "", 0);
}

static void remove_files(void) {
    unlink(cert);
    unlink(key);
    unlink(other_key);
    unlink(nothing);
    rmdir(dir);
    memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
}

static struct tls *open_with(const char *c, const char *k, const char *ca) {
    return tls_open(&(struct tls_files){c, k, ca, true}, why, sizeof(why));
}

START_TEST(files_that_cannot_be_used) {
    make_files();
    ck_assert_ptr_null(open_with("/nowhere", key, ""));
    ck_assert_str_eq(why, "/nowhere: No such file or directory");
    ck_assert_ptr_null(open_with(cert, "/nowhere", ""));
    ck_assert_str_eq(why, "/nowhere: No such file or directory");
    ck_assert_ptr_null(open_with(cert, other_key, ""));
    ck_assert_ptr_nonnull(strstr(why, "cert.pem with "));
    ck_assert_ptr_null(open_with(nothing, key, ""));
    ck_assert_ptr_null(open_with(cert, key, nothing));
    ck_assert_ptr_nonnull(strstr(why, "nothing.pem: no certificate"));
    remove_files();
}
END_TEST

START_TEST(files_that_change) {
    gnutls_x509_privkey_t made;
    struct tls *t;

    make_files();
    t = open_with(cert, key, "");
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(tls_reload(t, false, why, sizeof(why)), TLS_SAME);
    ck_assert_int_eq(tls_reload(t, true, why, sizeof(why)), TLS_CHANGED);
    put(cert, "spoilt", 6);
    ck_assert_int_eq(tls_reload(t, false, why, sizeof(why)), TLS_KEPT);
    ck_assert_int_eq(tls_reload(t, false, why, sizeof(why)), TLS_SAME); /* and not said again and again */
    unlink(cert);
    ck_assert_int_eq(tls_reload(t, false, why, sizeof(why)), TLS_KEPT);
    made = make_key(key);
    make_cert(cert, made, 2);
    gnutls_x509_privkey_deinit(made);
    ck_assert_int_eq(tls_reload(t, false, why, sizeof(why)), TLS_CHANGED);
    tls_close(t);
    remove_files();
}
END_TEST

/* ---- connections ----------------------------------------------------------------------------------------------------- */

static void setup(void) {
    signal(SIGPIPE, SIG_IGN);
    make_files();
    tls = open_with(cert, key, "");
    ck_assert_ptr_nonnull(tls);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    server = tls_accept(tls, ends[0]);
    client = tls_connect(&(struct tls_files){"", "", "", false}, ends[1]);
    ck_assert(server != NULL && client != NULL);
}

static void teardown(void) {
    tls_free(server);
    tls_free(client);
    tls_close(tls);
    close(ends[0]);
    close(ends[1]);
    remove_files();
}

static void shake_hands(void) {
    enum tls_progress theirs = TLS_WANTS_INPUT, ours = TLS_WANTS_INPUT;

    ck_assert_int_eq(tls_handshake(server), TLS_WANTS_INPUT); /* nothing has come */
    for (int i = 0; i < 10 && (theirs != TLS_DONE || ours != TLS_DONE); i++) {
        theirs = theirs == TLS_DONE ? theirs : tls_handshake(client);
        ours = ours == TLS_DONE ? ours : tls_handshake(server);
    }
    ck_assert(theirs == TLS_DONE && ours == TLS_DONE);
}

static void expect_nothing(struct tls_conn *c) {
    char byte;

    errno = 0;
    ck_assert_int_eq(tls_recv(c, &byte, 1), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(bytes_both_ways) {
    char got[64] = "";

    shake_hands();
    expect_nothing(server);
    ck_assert_int_eq(tls_send(client, "one", 3), 3);
    ck_assert_int_eq(tls_send(client, "two", 3), 3);
    ck_assert_int_eq(tls_recv(server, got, sizeof(got)), 6); /* of several records */
    ck_assert_mem_eq(got, "onetwo", 6);
    ck_assert_int_eq(tls_send(server, "three", 5), 5);
    ck_assert_int_eq(tls_recv(client, got, 2), 2);
    ck_assert(tls_pending(client));
    ck_assert_int_eq(tls_recv(client, got + 2, sizeof(got) - 2), 3);
    ck_assert_mem_eq(got, "three", 5);
    ck_assert(!tls_pending(client));
    expect_nothing(client);
}
END_TEST

/* What a full socket did not take is taken up again, wherever the bytes are by then. */
START_TEST(a_full_socket) {
    char *bytes = malloc(LARGE), *got = malloc(LARGE), *copy = malloc(TLS_RECORD);
    size_t sent = 0, received = 0;

    ck_assert(bytes != NULL && got != NULL && copy != NULL);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
    shake_hands();
    while (received < LARGE) {
        size_t len = LARGE - sent < TLS_RECORD ? LARGE - sent : TLS_RECORD;
        ssize_t n;

        memcpy(copy, bytes + sent, len);
        n = len > 0 ? tls_send(server, copy, len) : -1;
        memset(copy, 0, TLS_RECORD);
        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        n = tls_recv(client, got + received, LARGE - received);
        ck_assert_int_gt(n, 0);
        received += (size_t)n;
    }
    ck_assert_mem_eq(got, bytes, LARGE);
    free(bytes);
    free(got);
    free(copy);
}
END_TEST

START_TEST(a_proper_end) {
    char got[8];

    shake_hands();
    ck_assert_int_eq(tls_send(client, "last", 4), 4);
    tls_end(client);
    ck_assert_int_eq(tls_recv(server, got, sizeof(got)), 4);
    ck_assert_int_eq(tls_recv(server, got, sizeof(got)), 0);
    ck_assert_int_eq(tls_recv(server, got, sizeof(got)), 0);
    ck_assert_int_eq(tls_send(server, "reply", 5), 5); /* the other way is still open */
    ck_assert_int_eq(tls_recv(client, got, sizeof(got)), 5);
}
END_TEST

START_TEST(an_end_without_a_word) {
    char got[8];

    shake_hands();
    shutdown(ends[1], SHUT_WR);
    ck_assert_int_eq(tls_recv(server, got, sizeof(got)), 0);
}
END_TEST

START_TEST(a_broken_record) {
    static const char record[] = "\x17\x03\x03\x00\x20"
                                 "0123456789012345678901234567890";
    char got[8];

    shake_hands();
    ck_assert_int_eq(send(ends[1], record, sizeof(record), 0), sizeof(record));
    errno = 0;
    ck_assert_int_eq(tls_recv(server, got, sizeof(got)), -1);
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_int_eq(tls_send(server, "x", 1), -1);
}
END_TEST

START_TEST(no_handshake_at_all) {
    ck_assert_int_eq(send(ends[1], "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    ck_assert_int_eq(tls_handshake(server), TLS_FAILED);
}
END_TEST

/* A connection keeps what it began with, while others begin with something else, and may outlast it. */
START_TEST(a_change_in_the_midst) {
    gnutls_x509_privkey_t made;
    char got[8];

    ck_assert_int_eq(tls_handshake(client), TLS_WANTS_INPUT);
    made = make_key(key);
    make_cert(cert, made, 2);
    gnutls_x509_privkey_deinit(made);
    ck_assert_int_eq(tls_reload(tls, true, why, sizeof(why)), TLS_CHANGED);
    for (int i = 0; i < 10 && tls_handshake(server) != TLS_DONE; i++)
        ck_assert_int_ne(tls_handshake(client), TLS_FAILED);
    ck_assert_int_eq(tls_send(server, "x", 1), 1);
    ck_assert_int_eq(tls_recv(client, got, sizeof(got)), 1);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("tls");
    TCase *files = tcase_create("files"), *connections = tcase_create("connections");

    tcase_add_test(files, files_that_cannot_be_used);
    tcase_add_test(files, files_that_change);
    suite_add_tcase(s, files);
    tcase_add_checked_fixture(connections, setup, teardown);
    tcase_add_test(connections, bytes_both_ways);
    tcase_add_test(connections, a_full_socket);
    tcase_add_test(connections, a_proper_end);
    tcase_add_test(connections, an_end_without_a_word);
    tcase_add_test(connections, a_broken_record);
    tcase_add_test(connections, no_handshake_at_all);
    tcase_add_test(connections, a_change_in_the_midst);
    suite_add_tcase(s, connections);
    return s;
}
