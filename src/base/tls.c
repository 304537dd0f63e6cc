/* tls.c - certificates: loading, reloading, verifying those of clients. */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/lock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/tls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls_creds.h"

enum { FILES = 3, RESUMABLE_S = 3600 };

const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* Identifies a version of a file; all 0: it does not exist. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* The role of tls.mutex (flashkv/thread_safety.h). */
extern struct mutex tls_role;

struct tls {
    struct tls_files files;
    struct stamp seen[FILES]; /* when they were last read, even if that failed */
    struct mutex mutex;
    struct tls_creds *creds GUARDED_BY(tls_role);
};

static void tls_lock(struct tls *t) ACQUIRE(tls_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&t->mutex);
}

static void tls_unlock(struct tls *t) RELEASE(tls_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&t->mutex);
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static void look(const struct tls_files *files, struct stamp seen[FILES]) {
    const char *const paths[FILES] = {files->cert, files->key, files->client_ca};

    memset(seen, 0, FILES * sizeof(*seen));
    for (size_t i = 0; i < FILES; i++) {
        struct stat st;

        if (*paths[i] != '\0' && stat(paths[i], &st) == 0) {
            seen[i].device = st.st_dev;
            seen[i].inode = st.st_ino;
            seen[i].size = st.st_size;
            seen[i].changed = st.st_mtim;
        }
    }
}

/* GnuTLS reports only that a file cannot be read; this finds the reason. */
static bool can_read(const char *path, char *why, size_t cap) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        snprintf(why, cap, "%s: %s", path, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

static bool said(int result, const char *path, char *why, size_t cap) {
    if (result < 0)
        snprintf(why, cap, "%s: %s", path, gnutls_strerror(result));
    return result >= 0;
}

/* ---- clients' certificates ------------------------------------------------------------------------------------------ */

static bool is_our_own(gnutls_session_t session, const gnutls_datum_t *theirs) {
    const gnutls_datum_t *ours = gnutls_certificate_get_ours(session);

    return ours != NULL && ours->size == theirs->size && memcmp(ours->data, theirs->data, ours->size) == 0;
}

/* Called in the handshake. The library itself refuses a client without a required certificate. */
static int judge_client(gnutls_session_t session) {
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    unsigned count = 0, status = 0;
    const gnutls_datum_t *theirs = gnutls_certificate_get_peers(session, &count);

    if (theirs == NULL || count == 0 || is_our_own(session, theirs))
        return 0;
    if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
        return GNUTLS_E_CERTIFICATE_ERROR;
    return 0;
}

/* False: `why`. */
static bool know_clients(struct tls_creds *creds, const struct tls_files *files, char *why, size_t cap) {
    int found;

    if (*files->client_ca == '\0')
        return true;
    if (!can_read(files->client_ca, why, cap))
        return false;
    found = gnutls_certificate_set_x509_trust_file(creds->certificate, files->client_ca, GNUTLS_X509_FMT_PEM);
    if (found == 0)
        snprintf(why, cap, "%s: no certificate is in it", files->client_ca);
    if (found <= 0)
        return found == 0 ? false : said(found, files->client_ca, why, cap);
    gnutls_certificate_set_verify_function(creds->certificate, judge_client);
    creds->request = files->required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST;
    return true;
}

/* ---- credentials ------------------------------------------------------------------------------------------------------ */

static bool fill(struct tls_creds *creds, const struct tls_files *files, char *why, size_t cap) {
    char pair[512];

    if (!can_read(files->cert, why, cap) || !can_read(files->key, why, cap))
        return false;
    snprintf(pair, sizeof(pair), "%s with %s", files->cert, files->key);
    return said(gnutls_certificate_set_x509_key_file(creds->certificate, files->cert, files->key,
                                                     GNUTLS_X509_FMT_PEM),
                pair, why, cap) &&
           know_clients(creds, files, why, cap) &&
           said(gnutls_session_ticket_key_generate(&creds->ticket_key), files->cert, why, cap);
}

struct tls_creds *tls_creds_new(void) {
    struct tls_creds *creds = mem_zalloc(sizeof(*creds));

    if (creds == NULL)
        return NULL;
    atomic_init(&creds->refs, 1);
    creds->request = GNUTLS_CERT_IGNORE;
    if (gnutls_certificate_allocate_credentials(&creds->certificate) == 0)
        return creds;
    mem_free(creds);
    return NULL;
}

struct tls_creds *tls_creds_load(const struct tls_files *files, char *why, size_t cap) {
    struct tls_creds *creds = tls_creds_new();

    snprintf(why, cap, "out of memory");
    if (creds == NULL || fill(creds, files, why, cap))
        return creds;
    tls_creds_unref(creds);
    return NULL;
}

void tls_creds_unref(struct tls_creds *creds) {
    if (creds == NULL || atomic_fetch_sub_explicit(&creds->refs, 1, memory_order_acq_rel) > 1)
        return;
    gnutls_certificate_free_credentials(creds->certificate);
    if (creds->ticket_key.data != NULL)
        gnutls_memset(creds->ticket_key.data, 0, creds->ticket_key.size);
    gnutls_free(creds->ticket_key.data);
    mem_free(creds);
}

static struct tls_creds *take_creds(struct tls *t) {
    struct tls_creds *creds;

    tls_lock(t);
    creds = t->creds;
    atomic_fetch_add_explicit(&creds->refs, 1, memory_order_relaxed);
    tls_unlock(t);
    return creds;
}

struct tls_creds *tls_prepare(struct tls *t, void *session) {
    struct tls_creds *creds = take_creds(t);

    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, creds->certificate) == 0) {
        gnutls_certificate_server_set_request(session, creds->request);
        gnutls_db_set_cache_expiration(session, RESUMABLE_S);
        if (gnutls_session_ticket_enable_server(session, &creds->ticket_key) != 0)
            log_debug("tls: a client is given no ticket, for want of memory");
        return creds;
    }
    tls_creds_unref(creds);
    return NULL;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

struct tls *tls_open(const struct tls_files *files, char *why, size_t cap) NO_THREAD_SAFETY_ANALYSIS {
    struct tls *t = mem_zalloc(sizeof(*t));

    snprintf(why, cap, "out of memory");
    if (t == NULL)
        return NULL;
    t->files = *files;
    look(files, t->seen);
    t->creds = tls_creds_load(files, why, cap);
    if (t->creds == NULL) {
        mem_free(t);
        return NULL;
    }
    mutex_init(&t->mutex, LOCK_RANK_LEAF);
    return t;
}

void tls_close(struct tls *t) NO_THREAD_SAFETY_ANALYSIS {
    if (t == NULL)
        return;
    tls_creds_unref(t->creds);
    mutex_destroy(&t->mutex);
    mem_free(t);
}

enum tls_change tls_reload(struct tls *t, bool anyway, char *why, size_t cap) {
    struct stamp now[FILES];
    struct tls_creds *fresh, *old;

    look(&t->files, now);
    if (!anyway && memcmp(now, t->seen, sizeof(now)) == 0)
        return TLS_SAME;
    memcpy(t->seen, now, sizeof(now));
    fresh = tls_creds_load(&t->files, why, cap);
    if (fresh == NULL)
        return TLS_KEPT;
    tls_lock(t);
    old = t->creds;
    t->creds = fresh;
    tls_unlock(t);
    tls_creds_unref(old);
    return TLS_CHANGED;
}
