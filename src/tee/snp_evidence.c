// The evidence of an SEV-SNP guest, read from hostile bytes and written (see snp_evidence.h).
#include "tee/snp_evidence.h"

#include "codec/borsh.h"
#include "tee/document.h"

#include <string.h>

static const struct type type_report = {
    .name = "report", .shape = SHAPE_BYTES, .size = sizeof(struct bytes), .limit = SNP_REPORT_SIZE};
static const struct type type_table = {.name = "certificate table",
                                       .shape = SHAPE_BYTES,
                                       .size = sizeof(struct bytes),
                                       .limit = SNP_MAX_TABLE};
static const struct type type_user_data = {.name = "user data",
                                           .shape = SHAPE_BYTES,
                                           .size = sizeof(struct bytes),
                                           .limit = DOCUMENT_MAX_USER_DATA};
static const struct type type_nonce = {.name = "nonce",
                                       .shape = SHAPE_BYTES,
                                       .size = sizeof(struct bytes),
                                       .limit = DOCUMENT_MAX_NONCE};
static const struct type type_public_key = {.name = "public key",
                                            .shape = SHAPE_BYTES,
                                            .size = sizeof(struct bytes),
                                            .limit = DOCUMENT_MAX_PUBLIC_KEY};
static const struct type type_role = {
    .name = "role", .shape = SHAPE_BYTES, .size = sizeof(struct bytes), .limit = SNP_MAX_ROLE};
static const struct type type_registers = {FIXED("registers", SNP_REGISTERS *SHA384_SIZE)};

static const struct field container_fields[] = {
    FIELD(struct snp_container, format, "format", &type_text),
    FIELD(struct snp_container, report, "report", &type_report),
    FIELD(struct snp_container, certificates, "certificates", &type_table),
    FIELD_MAYBE(struct snp_container, bound.nonce, "nonce", &type_nonce),
    FIELD_MAYBE(struct snp_container, bound.public_key, "publicKey", &type_public_key),
    FIELD_MAYBE(struct snp_container, bound.user_data, "userData", &type_user_data),
    FIELD_MAYBE(struct snp_container, bound.role, "role", &type_role),
    FIELD(struct snp_container, bound.registers, "registers", &type_registers),
};
static const struct type type_container = {
    STRUCT(struct snp_container, "SEV-SNP evidence", container_fields)};

struct preimage {
    struct bytes domain, nonce, key_hash;
    struct bytes user_data, role, registers;
};
static const struct field preimage_fields[] = {
    FIELD(struct preimage, domain, "domain", &type_text),
    FIELD_MAYBE(struct preimage, nonce, "nonce", &type_bytes),
    FIELD_MAYBE(struct preimage, key_hash, "publicKeyHash", &type_bytes),
    FIELD_MAYBE(struct preimage, user_data, "userData", &type_bytes),
    FIELD_MAYBE(struct preimage, role, "role", &type_bytes),
    FIELD(struct preimage, registers, "registers", &type_bytes),
};
static const struct type type_preimage = {
    STRUCT(struct preimage, "evidence binding", preimage_fields)};

enum q_err snp_bind(const struct snp_bound *b, uint8_t out[static SNP_DATA_SIZE])
{
    BUF_AUTO encoded = {0};
    uint8_t key_hash[SHA384_SIZE];
    if (b->public_key.p != NULL)
        TRY(sha384(b->public_key, key_hash));
    const struct preimage preimage = {
        .domain = BYTES_LIT("quorate-evidence-binding-v1"),
        .nonce = b->nonce,
        .key_hash = b->public_key.p != NULL ? BYTES_OF(key_hash) : BYTES_NONE,
        .user_data = b->user_data,
        .role = b->role,
        .registers = BYTES_OF(b->registers),
    };
    TRY(borsh_encode(&type_preimage, &preimage, &encoded));
    return sha512(buf_bytes(&encoded), out);
}

// The format as Borsh writes text: its length in four bytes, then its characters.
static const char prefix[] = "\x17\0\0\0" SNP_EVIDENCE_FORMAT;
#define PREFIX_SIZE (sizeof prefix - 1)

bool snp_evidence_recognise(struct bytes in)
{
    return in.n >= PREFIX_SIZE &&
           bytes_equal(bytes_of(in.p, PREFIX_SIZE), bytes_of(prefix, PREFIX_SIZE));
}

static enum q_err check_bound(const struct snp_bound *b)
{
    if (b->public_key.p != NULL && b->public_key.n == 0)
        return fail(Q_BAD_INPUT, "SEV-SNP evidence: public key: expected at least 1 byte, found 0");
    if (b->role.p != NULL && (b->role.n == 0 || !bytes_is_utf8(b->role)))
        return fail(Q_BAD_INPUT, "SEV-SNP evidence: role: expected text, found something else");
    return Q_OK;
}

enum q_err snp_evidence_read(struct bytes in, struct arena *a, struct snp_evidence *out)
{
    *out = (struct snp_evidence){0};
    TRY(borsh_decode(&type_container, in, a, &out->container));
    TRY(check_bound(&out->container.bound));
    TRY(snp_report_read(out->container.report, &out->report));
    TRY(snp_certificates_read(out->container.certificates, &out->certificates));
    if (out->report.signer == SNP_SIGNER_VCEK)
        out->leaf = out->certificates.vcek;
    else if (out->report.signer == SNP_SIGNER_VLEK)
        out->leaf = out->certificates.vlek;
    return Q_OK;
}

enum q_err snp_evidence_write(const struct snp_container *c, struct buf *out)
{
    return borsh_encode(&type_container, c, out);
}

static void set_register(struct register_value *r, struct bytes value)
{
    *r = (struct register_value){.present = true, .n = SHA384_SIZE};
    memcpy(r->value, value.p, SHA384_SIZE);
}

static enum q_err role_register(const struct snp_report *r, struct bytes role,
                                struct register_value *out)
{
    uint8_t value[SHA384_SIZE] = {0};
    *out = (struct register_value){0};
    if (role.p != NULL)
        TRY(role_measurement(role, value));
    if (role.p != NULL || bytes_is_zero(r->host_data))
        set_register(out, BYTES_OF(value));
    return Q_OK;
}

enum q_err snp_registers(const struct snp_report *r, const struct snp_bound *b,
                         struct register_value out[static 32])
{
    static const uint8_t zero[SHA384_SIZE];
    uint8_t empty[SHA384_SIZE], second[SHA384_SIZE];
    TRY(sha384(BYTES_LIT(""), empty));
    TRY(sha384_pair(BYTES_OF(zero), BYTES_OF(empty), second));
    set_register(&out[MEASUREMENT_IMAGE], r->measurement);
    set_register(&out[MEASUREMENT_BOOT], r->measurement);
    set_register(&out[MEASUREMENT_APPLICATION], BYTES_OF(second));
    TRY(role_register(r, b->role, &out[MEASUREMENT_ROLE]));
    for (size_t i = MEASUREMENT_COUNT; i < SNP_FIRST_REGISTER; i++)
        set_register(&out[i], BYTES_OF(zero));
    for (size_t i = 0; i < SNP_REGISTERS; i++)
        set_register(&out[SNP_FIRST_REGISTER + i],
                     bytes_of(b->registers + i * SHA384_SIZE, SHA384_SIZE));
    return Q_OK;
}
