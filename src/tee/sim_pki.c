// Loads the PKI of the simulated TEE, and puts a new one in place on first use: all of it or
// nothing, never over a file that is there (see sim_dir.h).
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "tee/certificate.h"
#include "tee/document.h"
#include "tee/sim_dir.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <stdio.h>

#define MAX_SECRET_FILE 256

enum pki_file { ROOT, INTERMEDIATE, LEAF, LEAF_KEY, ROOT_KEY, INTERMEDIATE_KEY };
#define PKI_FILES 6
#define PKI_NEEDED 4 // the first four; the authorities' keys stay with whoever made the PKI

static const char *const names[PKI_FILES] = {
    [ROOT] = "root.der",
    [INTERMEDIATE] = "intermediate.der",
    [LEAF] = "leaf.der",
    [LEAF_KEY] = "leaf_p384_secret.hex",
    [ROOT_KEY] = "root_p384_secret.hex",
    [INTERMEDIATE_KEY] = "intermediate_p384_secret.hex",
};

struct pki_paths {
    const char *path[PKI_FILES];
};

// What a killed run left: everything was staged before the first file was published, so a publication that
// began is finished, and one that did not is forgotten.
static enum q_err settle(const struct pki_paths *p, struct arena *a, bool begun)
{
    for (int i = 0; i < PKI_FILES; i++) {
        struct file_list left;
        TRY(file_leftovers(p->path[i], a, &left));
        for (size_t j = 0; j < left.n; j++) {
            log_warn("%s: a leftover of an earlier run, %s", left.names[j],
                     begun && !file_exists(p->path[i]) ? "put in place" : "removed");
            if (begun)
                (void)renameat2(AT_FDCWD, left.names[j], AT_FDCWD, p->path[i], RENAME_NOREPLACE);
            TRY(file_remove(left.names[j]));
        }
    }
    return Q_OK;
}

static enum q_err name_files(const struct sim_dir *d, struct arena *a, struct pki_paths *out)
{
    bool begun = false;
    for (int i = 0; i < PKI_FILES; i++) {
        TRY(file_join(a, d->path, names[i], &out->path[i]));
        begun = begun || file_exists(out->path[i]);
    }
    return settle(out, a, begun);
}

static enum q_err find(const struct sim_dir *d, struct arena *a, struct pki_paths *out,
                       bool *complete)
{
    int present = 0, needed = 0, missing = ROOT;
    TRY(name_files(d, a, out));
    for (int i = 0; i < PKI_FILES; i++) {
        bool there = file_exists(out->path[i]);
        present += there;
        needed += there && i < PKI_NEEDED;
        if (!there && i < PKI_NEEDED)
            missing = i;
    }
    *complete = needed == PKI_NEEDED;
    if (*complete || present == 0)
        return Q_OK;
    return fail(Q_MISSING,
                "%s: expected a whole PKI of a simulated TEE or none of it, found one without %s",
                d->path, names[missing]);
}

static enum q_err stage_key(const char *path, const struct secret *key, struct staged_file *out)
{
    SECRET_AUTO hex = {0};
    TRY(hex_encode_secret(secret_bytes(key), &hex));
    return file_stage(path, secret_bytes(&hex), 0600, FILE_OWNER_UNCHANGED, FILE_NEW, out);
}

static enum q_err stage_der(const char *path, const struct buf *der, struct staged_file *out)
{
    return file_stage(path, buf_bytes(der), 0644, FILE_OWNER_UNCHANGED, FILE_NEW, out);
}

static enum q_err stage_all(const struct pki_paths *p, const struct sim_pki_new *fresh,
                            struct staged_file staged[static PKI_FILES])
{
    TRY(stage_der(p->path[ROOT], &fresh->pki.root, &staged[ROOT]));
    TRY(stage_der(p->path[INTERMEDIATE], &fresh->pki.intermediate, &staged[INTERMEDIATE]));
    TRY(stage_der(p->path[LEAF], &fresh->pki.leaf, &staged[LEAF]));
    TRY(stage_key(p->path[LEAF_KEY], &fresh->pki.leaf_key, &staged[LEAF_KEY]));
    TRY(stage_key(p->path[ROOT_KEY], &fresh->root_key, &staged[ROOT_KEY]));
    return stage_key(p->path[INTERMEDIATE_KEY], &fresh->intermediate_key,
                     &staged[INTERMEDIATE_KEY]);
}

// The lock of the folder is held, so what was published here is ours to take back.
static enum q_err publish_all(const struct pki_paths *p,
                              struct staged_file staged[static PKI_FILES])
{
    for (int i = 0; i < PKI_FILES; i++) {
        enum q_err err = file_publish(&staged[i]);
        if (err == Q_OK)
            continue;
        for (int j = 0; j < i; j++)
            (void)file_remove(p->path[j]);
        return err;
    }
    return Q_OK;
}

static enum q_err create(const struct sim_dir *d, const struct pki_paths *p, int64_t now_s)
{
    __attribute__((cleanup(sim_pki_new_free))) struct sim_pki_new fresh = {0};
    TRY(sim_pki_generate(now_s, &fresh));
    struct staged_file staged[PKI_FILES] = {0};
    enum q_err err = stage_all(p, &fresh, staged);
    if (err == Q_OK)
        err = publish_all(p, staged);
    for (int i = 0; i < PKI_FILES; i++)
        file_discard(&staged[i]);
    if (err == Q_OK)
        log_info("%s: made a PKI for the SIMULATED TEE", d->path);
    return err;
}

// The point that a scalar gives, or an error.
static enum q_err point_of(struct bytes scalar, uint8_t out[static P384_POINT_SIZE])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    BIGNUM *number = BN_secure_new();
    bool made = point != NULL && number != NULL &&
                BN_bin2bn(scalar.p, (int)scalar.n, number) != NULL &&
                EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
                EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out,
                                   P384_POINT_SIZE, NULL) == P384_POINT_SIZE;
    BN_clear_free(number);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return made ? Q_OK : fail(Q_CRYPTO, "expected a P-384 scalar, found another number");
}

static enum q_err check_leaf_key(const struct pki_paths *p, const struct sim_pki *pki)
{
    uint8_t point[P384_POINT_SIZE];
    TRY(err_context(point_of(secret_bytes(&pki->leaf_key), point), "%s", p->path[LEAF_KEY]));
    X509 *leaf = NULL;
    TRY(certificate_parse(buf_bytes(&pki->leaf), p->path[LEAF], &leaf));
    bool same = bytes_equal(certificate_point(leaf), BYTES_OF(point));
    X509_free(leaf);
    if (!same)
        return fail(Q_BAD_INPUT, "%s: expected the key of %s, found another", p->path[LEAF_KEY],
                    names[LEAF]);
    return Q_OK;
}

static enum q_err read_all(const struct pki_paths *p, struct sim_pki *out)
{
    TRY(file_read(p->path[ROOT], DOCUMENT_MAX_CERTIFICATE, &out->root));
    TRY(file_read(p->path[INTERMEDIATE], DOCUMENT_MAX_CERTIFICATE, &out->intermediate));
    TRY(file_read(p->path[LEAF], DOCUMENT_MAX_CERTIFICATE, &out->leaf));
    SECRET_AUTO hex = {0};
    TRY(file_read_secret(p->path[LEAF_KEY], MAX_SECRET_FILE, &hex));
    TRY(err_context(hex_decode_secret(secret_bytes(&hex), P384_SCALAR_SIZE, &out->leaf_key), "%s",
                    p->path[LEAF_KEY]));
    return check_leaf_key(p, out);
}

enum q_err sim_pki_load(const struct sim_dir *d, int64_t now_s, struct sim_pki *out)
{
    *out = (struct sim_pki){0};
    ARENA_AUTO a = {0};
    struct pki_paths paths;
    bool complete = false;
    TRY(find(d, &a, &paths, &complete));
    if (!complete)
        TRY(err_context(create(d, &paths, now_s), "%s", d->path));
    enum q_err err = read_all(&paths, out);
    if (err != Q_OK)
        sim_pki_free(out);
    return err;
}

void sim_pki_free(struct sim_pki *p)
{
    buf_free(&p->root);
    buf_free(&p->intermediate);
    buf_free(&p->leaf);
    secret_free(&p->leaf_key);
}

void sim_pki_new_free(struct sim_pki_new *p)
{
    sim_pki_free(&p->pki);
    secret_free(&p->root_key);
    secret_free(&p->intermediate_key);
}
