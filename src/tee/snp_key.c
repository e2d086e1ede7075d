// What AMD says of a chip's key (VCEK) or a cloud's (VLEK) in its certificate (nitro 5.3).
#include "tee/snp_certificates.h"

#include <openssl/asn1.h>
#include <stdio.h>
#include <string.h>

#define AMD_OID "1.3.6.1.4.1.3704.1."
#define NAME_SIZE 64

// The contents of AMD's extension of that number; p == NULL: the certificate has none.
static enum q_err extension(const X509 *x, const char *number, struct bytes *out)
{
    char wanted[40], found[80];
    (void)snprintf(wanted, sizeof wanted, AMD_OID "%s", number);
    *out = BYTES_NONE;
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *e = X509_get_ext(x, i);
        int n = OBJ_obj2txt(found, sizeof found, X509_EXTENSION_get_object(e), 1);
        if (n <= 0 || strcmp(found, wanted) != 0)
            continue;
        if (out->p != NULL)
            return fail(Q_ATTESTATION, "certificate: expected extension %s once, found it twice",
                        wanted);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(e);
        *out = bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    }
    return Q_OK;
}

static enum q_err odd(const char *number, const char *expected)
{
    return fail(Q_ATTESTATION, "certificate: extension " AMD_OID "%s: expected %s, found another",
                number, expected);
}

// A DER INTEGER of 0 to 255: 02 01 xx, and 02 02 00 xx from 128 on.
static enum q_err read_number(const X509 *x, const char *number, uint8_t *out)
{
    struct bytes v;
    TRY(extension(x, number, &v));
    if (v.p != NULL && v.n == 3 && v.p[0] == 0x02 && v.p[1] == 1 && v.p[2] < 0x80)
        *out = v.p[2];
    else if (v.p != NULL && v.n == 4 && v.p[0] == 0x02 && v.p[1] == 2 && v.p[2] == 0 &&
             v.p[3] >= 0x80)
        *out = v.p[3];
    else
        return odd(number, "a number of 0 to 255");
    return Q_OK;
}

// An IA5String: "Milan-B0", "Genoa", "Turin". What follows a hyphen is the stepping.
static enum q_err read_product(const X509 *x, const struct amd_chain **out)
{
    struct bytes v;
    TRY(extension(x, "2", &v));
    if (v.p == NULL || v.n < 2 || v.p[0] != 0x16 || v.p[1] != v.n - 2)
        return odd("2", "the name of a product");
    struct bytes name = bytes_of(v.p + 2, v.n - 2);
    const uint8_t *hyphen = memchr(name.p, '-', name.n);
    if (hyphen != NULL)
        name.n = (size_t)(hyphen - name.p);
    *out = amd_chain_of_product(name);
    return *out != NULL ? Q_OK : odd("2", "Milan, Genoa or Turin");
}

static enum q_err read_tcb(const X509 *x, const struct amd_chain *product, struct tcb *out)
{
    struct bytes fmc;
    *out = (struct tcb){0};
    TRY(read_number(x, "3.1", &out->bootloader));
    TRY(read_number(x, "3.2", &out->tee));
    TRY(read_number(x, "3.3", &out->snp));
    TRY(read_number(x, "3.8", &out->microcode));
    if (product == &amd_turin)
        return read_number(x, "3.9", &out->fmc);
    TRY(extension(x, "3.9", &fmc));
    return fmc.p == NULL ? Q_OK : odd("3.9", "it on Turin only");
}

// Raw, or an OCTET STRING of its own: both are in use.
static enum q_err read_chip(struct bytes v, const struct amd_chain *product,
                            uint8_t out[static SNP_CHIP_SIZE])
{
    size_t size = product == &amd_turin ? SNP_CHIP_SIZE_TURIN : SNP_CHIP_SIZE;
    if (v.n == size + 2 && v.p[0] == 0x04 && v.p[1] == size)
        v = bytes_of(v.p + 2, size);
    if (v.n != size)
        return odd("4", product == &amd_turin ? "a hardware id of 8 bytes"
                                              : "a hardware id of 64 bytes");
    memset(out, 0, SNP_CHIP_SIZE);
    memcpy(out, v.p, size);
    return Q_OK;
}

static bool common_name_is(const X509_NAME *name, const char *expected)
{
    int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0)
        return false;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
    return bytes_is(bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                    expected);
}

static enum q_err check_names(const X509 *x, const struct snp_key *k)
{
    char issuer[NAME_SIZE];
    const char *subject = k->cloud_key ? "SEV-VLEK" : "SEV-VCEK";
    (void)snprintf(issuer, sizeof issuer, k->cloud_key ? "SEV-VLEK-%s" : "SEV-%s",
                   k->product->product);
    if (!common_name_is(X509_get_subject_name(x), subject))
        return fail(Q_ATTESTATION, "certificate: expected the name %s, found another", subject);
    if (!common_name_is(X509_get_issuer_name(x), issuer))
        return fail(Q_ATTESTATION,
                    "certificate: wrong product: expected the issuer %s for a key of %s, found "
                    "another",
                    issuer, k->product->product);
    return Q_OK;
}

enum q_err snp_key_read(X509 *leaf, struct snp_key *out)
{
    struct bytes chip, cloud;
    *out = (struct snp_key){0};
    TRY(read_product(leaf, &out->product));
    TRY(read_tcb(leaf, out->product, &out->tcb));
    TRY(extension(leaf, "4", &chip));
    TRY(extension(leaf, "5", &cloud));
    if ((chip.p == NULL) == (cloud.p == NULL))
        return fail(Q_ATTESTATION,
                    "certificate: expected a hardware id (VCEK) or a cloud's name (VLEK), found %s",
                    chip.p == NULL ? "neither" : "both");
    out->cloud_key = chip.p == NULL;
    if (!out->cloud_key)
        TRY(read_chip(chip, out->product, out->chip));
    return check_names(leaf, out);
}

enum q_err snp_product_of_certificate(struct bytes der, const struct amd_chain **out)
{
    X509 *x = NULL;
    TRY(certificate_parse(der, "certificate", &x));
    enum q_err err = read_product(x, out);
    X509_free(x);
    return err;
}
