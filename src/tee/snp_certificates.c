// The host's table of certificates, and the rules for those of AMD (see snp_certificates.h).
#include "tee/snp_certificates.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define TABLE_ENTRY 24
#define TABLE_MAX_ENTRIES 32
#define GUID_SIZE 16

// As the GUID is written; Linux hands on what the host stored, which is in this order or, by some
// hosts' tools, with the first three groups little-endian.
static const uint8_t guid_vcek[GUID_SIZE] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                             0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t guid_vlek[GUID_SIZE] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                             0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
static const uint8_t guid_ask[GUID_SIZE] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                            0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
static const uint8_t guid_ark[GUID_SIZE] = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                                            0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};

static bool same_guid(struct bytes found, const uint8_t guid[static GUID_SIZE])
{
    static const uint8_t order[GUID_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t little[GUID_SIZE];
    for (size_t i = 0; i < GUID_SIZE; i++)
        little[i] = guid[order[i]];
    return bytes_equal(found, bytes_of(guid, GUID_SIZE)) || bytes_equal(found, BYTES_OF(little));
}

static struct bytes *place_of(struct snp_certificates *c, struct bytes guid)
{
    if (same_guid(guid, guid_vcek))
        return &c->vcek;
    if (same_guid(guid, guid_vlek))
        return &c->vlek;
    if (same_guid(guid, guid_ask))
        return &c->ask;
    return same_guid(guid, guid_ark) ? &c->ark : NULL;
}

struct table_entry {
    struct bytes guid;
    uint32_t offset, length;
};

static enum q_err read_entry(struct reader *r, struct table_entry *out)
{
    TRY(reader_take(r, GUID_SIZE, &out->guid));
    TRY(reader_u32le(r, &out->offset));
    return reader_u32le(r, &out->length);
}

static bool is_end(const struct table_entry *e)
{
    return bytes_is_zero(e->guid) && e->offset == 0 && e->length == 0;
}

// Takes what one entry names. what: the walker's own.
typedef enum q_err (*entry_taker)(struct bytes table, const struct table_entry *e, void *what);

static enum q_err walk(struct bytes table, entry_taker take, void *what)
{
    struct reader r = reader_of(table, "certificate table");
    for (unsigned i = 0; i < TABLE_MAX_ENTRIES; i++) {
        struct table_entry e;
        TRY(read_entry(&r, &e));
        if (is_end(&e))
            return Q_OK;
        if (e.length == 0 || e.offset > table.n || e.length > table.n - e.offset)
            return fail(Q_BAD_INPUT,
                        "certificate table: expected an entry inside its %zu bytes, found %u bytes "
                        "at %u",
                        table.n, e.length, e.offset);
        TRY(take(table, &e, what));
    }
    return fail(Q_LIMIT, "certificate table: expected at most %d entries, found more",
                TABLE_MAX_ENTRIES);
}

static enum q_err take_certificate(struct bytes table, const struct table_entry *e, void *what)
{
    struct bytes *place = place_of(what, e->guid);
    if (place == NULL)
        return Q_OK;
    if (place->p != NULL)
        return fail(Q_BAD_INPUT, "certificate table: expected each certificate once, found one "
                                 "twice");
    *place = bytes_of(table.p + e->offset, e->length);
    return Q_OK;
}

enum q_err snp_certificates_read(struct bytes table, struct snp_certificates *out)
{
    *out = (struct snp_certificates){0};
    return table.n == 0 ? Q_OK : walk(table, take_certificate, out);
}

static enum q_err take_size(struct bytes table, const struct table_entry *e, void *what)
{
    size_t *entries_end = what, end = (size_t)e->offset + e->length;
    (void)table;
    entries_end[0] += TABLE_ENTRY;
    if (end > entries_end[1])
        entries_end[1] = end;
    return Q_OK;
}

enum q_err snp_certificates_size(struct bytes buffer, size_t *out)
{
    size_t entries_end[2] = {TABLE_ENTRY, 0}; // the entries with the last one; what they name
    TRY(walk(buffer, take_size, entries_end));
    *out = entries_end[0] > entries_end[1] ? entries_end[0] : entries_end[1];
    return Q_OK;
}

bool amd_certificate_is_rsa(X509 *x)
{
    const EVP_PKEY *key = X509_get0_pubkey(x);
    ERR_clear_error();
    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
}

// X509_SIG_INFO_TLS stands for: MGF1 with the digest of the message, and a salt as long as it.
static enum q_err check_signature_algorithm(X509 *x, const char *what)
{
    const X509_ALGOR *outer = NULL;
    int digest = NID_undef, key = NID_undef;
    uint32_t flags = 0;
    X509_get0_signature(NULL, &outer, x);
    if (X509_get_signature_nid(x) == NID_rsassaPss &&
        X509_get_signature_info(x, &digest, &key, NULL, &flags) == 1 && digest == NID_sha384 &&
        (flags & X509_SIG_INFO_TLS) != 0 && X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x)) == 0)
        return Q_OK;
    return fail(Q_ATTESTATION,
                "%s: expected a signature by RSASSA-PSS with SHA-384, found another algorithm",
                what);
}

static enum q_err check_authority(X509 *x, const char *what)
{
    if (!amd_certificate_is_rsa(x) || EVP_PKEY_get_bits(X509_get0_pubkey(x)) != 4096)
        return fail(Q_ATTESTATION, "%s: expected an RSA key of 4096 bits, found another", what);
    return certificate_check_ca(x, what);
}

enum q_err amd_certificate_check(X509 *x, const char *what, enum amd_role role)
{
    TRY(certificate_check_form(x, what, false));
    TRY(check_signature_algorithm(x, what));
    if (role != AMD_KEY)
        return check_authority(x, what);
    if ((X509_get_extension_flags(x) & EXFLAG_CA) != 0)
        return fail(Q_ATTESTATION, "%s: expected the key of a machine, found an authority", what);
    return certificate_check_p384(x, what);
}
