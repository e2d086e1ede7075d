// Choosing the trusted root and comparing it with a manifest's (see trust_root.h).
#include "client/attestation/trust_root.h"

#include "base/hex.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

static const char *chosen_path(const struct options *o)
{
    const char *path = options_value(o, "attestation-root-path");
    if (path == NULL)
        path = secure_getenv(TRUST_ROOT_VARIABLE);
    return path == NULL || *path == '\0' ? NULL : path;
}

static enum q_err fingerprint(struct bytes der, struct buf *out)
{
    uint8_t hash[SHA256_SIZE];
    TRY(sha256(der, hash));
    return hex_encode(BYTES_OF(hash), out);
}

static enum q_err announce(const struct trust *t, const char *path)
{
    BUF_AUTO print = {0};
    struct bytes root = buf_bytes(&t->root);
    if (bytes_equal(root, attestation_aws_root) || attestation_amd_product(root) != NULL)
        return Q_OK;
    TRY(fingerprint(buf_bytes(&t->root), &print));
    const char *hex = buf_text(&print);
    if (hex == NULL)
        return Q_NOMEM;
    if (t->simulated)
        fprintf(stderr,
                "SIMULATED: trusting the root of a simulated TEE, %s (SHA-256 %s); what it attests "
                "is not protected by hardware\n",
                path, hex);
    else
        log_warn("trusting an attestation root that is neither AWS's nor AMD's nor marked as "
                 "simulated: %s (SHA-256 %s)",
                 path, hex);
    return Q_OK;
}

enum q_err trust_root_load(const struct options *o, struct trust *out)
{
    const char *path = chosen_path(o);
    if (path == NULL)
        return trust_aws(out);
    TRY(err_context(trust_load(path, options_given(o, "unsafe-any-attestation-root"), out),
                    "attestation root"));
    return announce(out, path);
}

enum q_err trust_root_load_for(const struct options *o, struct bytes document, struct trust *out)
{
    ARENA_AUTO a = {0};
    struct claims c;
    *out = (struct trust){0};
    if (chosen_path(o) != NULL || attestation_read(document, &a, &c) != Q_OK)
        return trust_root_load(o, out);
    const char *product = attestation_amd_product(c.root);
    return product != NULL ? trust_amd(product, out) : trust_root_load(o, out);
}

static const char *kind_of_root(struct bytes der)
{
    if (bytes_equal(der, attestation_aws_root))
        return "the AWS Nitro root";
    if (attestation_amd_product(der) != NULL)
        return "an AMD root (ARK)";
    struct trust t = {0};
    char cause[Q_ERR_TEXT_SIZE];
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    bool simulated = trust_from_der(der, "root", true, &t) == Q_OK && t.simulated;
    trust_free(&t);
    err_record(-1, "%s", cause);
    return simulated ? "the root of a simulated TEE" : "another root";
}

enum q_err trust_root_same(struct bytes trusted, struct bytes manifest_root)
{
    if (bytes_equal(trusted, manifest_root))
        return Q_OK;
    BUF_AUTO manifest_print = {0}, our_print = {0};
    TRY(fingerprint(manifest_root, &manifest_print));
    TRY(fingerprint(trusted, &our_print));
    const char *theirs_hex = buf_text(&manifest_print), *ours_hex = buf_text(&our_print);
    if (theirs_hex == NULL || ours_hex == NULL)
        return Q_NOMEM;
    return fail(Q_REFUSED,
                "attestation root: the manifest names %s (SHA-256 %s), this command trusts %s "
                "(SHA-256 %s); name the manifest's root with --attestation-root-path or "
                "%s, or make a manifest for the root that is trusted",
                kind_of_root(manifest_root), theirs_hex, kind_of_root(trusted), ours_hex,
                TRUST_ROOT_VARIABLE);
}
