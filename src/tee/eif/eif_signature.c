// Makes and verifies the signature section (see eif_signature.h). Its strings are CBOR arrays of
// numbers, not byte strings: that is how the tools of AWS write them, and all that QEMU takes.
#include "tee/eif/eif_signature.h"

#include "codec/cbor.h"
#include "crypto/p384.h"
#include "tee/document.h"
#include "tee/eif/signing_key.h"

#include <inttypes.h>

#define SECTION_MAX ((size_t)128 << 10)

static enum q_err write_numbers(struct bytes in, struct buf *out)
{
    TRY(cbor_write_array(out, in.n));
    for (size_t i = 0; i < in.n; i++)
        TRY(cbor_write_uint(out, in.p[i]));
    return Q_OK;
}

// What is signed: {"register_index": 0, "register_value": [..48 numbers..]}.
static enum q_err write_payload(const struct eif_measurements *m, struct buf *out)
{
    TRY(cbor_write_map(out, 2));
    TRY(cbor_write_text(out, BYTES_LIT("register_index")));
    TRY(cbor_write_uint(out, 0));
    TRY(cbor_write_text(out, BYTES_LIT("register_value")));
    return write_numbers(BYTES_OF(m->pcr[0]), out);
}

static enum q_err write_cose(const struct eif_measurements *m, const struct secret *scalar,
                             struct buf *out)
{
    BUF_AUTO payload = {0}, signed_bytes = {0};
    uint8_t signature[P384_SIGNATURE_SIZE];
    TRY(write_payload(m, &payload));
    const struct cose cose = {.protected_header = cose_es384_header,
                              .payload = buf_bytes(&payload)};
    TRY(cose_signed_bytes(&cose, &signed_bytes));
    TRY(p384_sign(secret_bytes(scalar), buf_bytes(&signed_bytes), signature));
    TRY(cbor_write_array(out, 4));
    TRY(cbor_write_bytes(out, cose.protected_header));
    TRY(cbor_write_map(out, 0));
    TRY(cbor_write_bytes(out, cose.payload));
    return cbor_write_bytes(out, BYTES_OF(signature));
}

static enum q_err write_section(struct bytes pem, struct bytes cose, struct buf *out)
{
    TRY(cbor_write_array(out, 1));
    TRY(cbor_write_map(out, 2));
    TRY(cbor_write_text(out, BYTES_LIT("signing_certificate")));
    TRY(write_numbers(pem, out));
    TRY(cbor_write_text(out, BYTES_LIT("signature")));
    return write_numbers(cose, out);
}

enum q_err eif_sign(const struct eif_measurements *m, struct bytes pem,
                    const struct secret *key_pem, struct buf *out)
{
    SECRET_AUTO scalar = {0};
    BUF_AUTO cose = {0}, section = {0};
    struct eif_signer signer;
    TRY(signing_key_read(key_pem, &scalar));
    TRY(write_cose(m, &scalar, &cose));
    TRY(write_section(pem, buf_bytes(&cose), &section));
    enum q_err err = eif_signature_verify(buf_bytes(&section), m, &signer);
    if (err == Q_CRYPTO)
        return fail(Q_CRYPTO, "signing key: expected the key of the certificate, found another");
    TRY(err);
    return buf_append(out, buf_bytes(&section));
}

static enum q_err expect_count(struct reader *r, enum cbor_kind kind, uint64_t count,
                               const char *what)
{
    struct cbor_item item;
    size_t at = r->at;
    TRY(err_context(cbor_expect(r, kind, &item), "%s: offset %zu: %s", r->what, at, what));
    if (item.indefinite || item.number != count)
        return fail(Q_BAD_INPUT,
                    "%s: offset %zu: %s: expected %" PRIu64 " entries, found %" PRIu64 "%s",
                    r->what, at, what, count, item.number, item.indefinite ? " or more" : "");
    return Q_OK;
}

static enum q_err expect_key(struct reader *r, const char *key)
{
    struct cbor_item item;
    size_t at = r->at;
    TRY(err_context(cbor_expect(r, CBOR_TEXT, &item), "%s: offset %zu: key %s", r->what, at, key));
    if (!bytes_is(item.string, key))
        return fail(Q_BAD_INPUT, "%s: offset %zu: expected the key %s, found another", r->what, at,
                    key);
    return Q_OK;
}

static enum q_err read_number(struct reader *r, const char *what, struct buf *out)
{
    struct cbor_item item;
    size_t at = r->at;
    TRY(err_context(cbor_expect(r, CBOR_UINT, &item), "%s: offset %zu: %s", r->what, at, what));
    if (item.number > UINT8_MAX)
        return fail(Q_BAD_INPUT, "%s: offset %zu: %s: expected 0 to 255, found %" PRIu64, r->what,
                    at, what, item.number);
    return buf_u8(out, (uint8_t)item.number);
}

// Each byte of the array is at least one of the input, so the input bounds what is kept.
static enum q_err read_numbers(struct reader *r, const char *what, struct buf *out)
{
    struct cbor_item head;
    size_t at = r->at;
    TRY(err_context(cbor_expect(r, CBOR_ARRAY, &head), "%s: offset %zu: %s", r->what, at, what));
    if (head.indefinite)
        return fail(Q_BAD_INPUT,
                    "%s: offset %zu: %s: expected an array that says its length, found "
                    "one that does not",
                    r->what, at, what);
    for (uint64_t i = 0; i < head.number; i++)
        TRY(read_number(r, what, out));
    return Q_OK;
}

static enum q_err read_section(struct bytes section, struct buf *pem, struct buf *cose)
{
    struct reader r = reader_of(section, "signature section");
    if (section.n > SECTION_MAX)
        return fail(Q_LIMIT, "signature section: expected at most %zu bytes, found %zu",
                    SECTION_MAX, section.n);
    TRY(expect_count(&r, CBOR_ARRAY, 1, "signatures"));
    TRY(expect_count(&r, CBOR_MAP, 2, "signature"));
    TRY(expect_key(&r, "signing_certificate"));
    TRY(read_numbers(&r, "signing_certificate", pem));
    TRY(expect_key(&r, "signature"));
    TRY(read_numbers(&r, "signature", cose));
    return reader_end(&r);
}

static enum q_err check_payload(struct bytes payload, const struct eif_measurements *m)
{
    struct reader r = reader_of(payload, "signature payload");
    struct cbor_item index;
    BUF_AUTO value = {0};
    TRY(expect_count(&r, CBOR_MAP, 2, "payload"));
    TRY(expect_key(&r, "register_index"));
    TRY(err_context(cbor_expect(&r, CBOR_UINT, &index), "signature payload: register_index"));
    if (index.number != 0)
        return fail(Q_BAD_INPUT, "signature payload: register_index: expected 0, found %" PRIu64,
                    index.number);
    TRY(expect_key(&r, "register_value"));
    TRY(read_numbers(&r, "register_value", &value));
    TRY(reader_end(&r));
    if (!bytes_equal(buf_bytes(&value), BYTES_OF(m->pcr[0])))
        return fail(
            Q_REFUSED,
            "signature payload: register_value: expected PCR0 of this image, found another");
    return Q_OK;
}

static enum q_err check_cose(const struct cose *cose, struct bytes pem)
{
    BUF_AUTO signed_bytes = {0};
    uint8_t point[P384_POINT_SIZE];
    TRY(signing_certificate_point(pem, "signing certificate", point));
    TRY(cose_signed_bytes(cose, &signed_bytes));
    return p384_verify(BYTES_OF(point), buf_bytes(&signed_bytes), cose->signature);
}

enum q_err eif_signature_verify(struct bytes section, const struct eif_measurements *m,
                                struct eif_signer *out)
{
    BUF_AUTO pem = {0}, cose_bytes = {0};
    struct cose cose;
    TRY(read_section(section, &pem, &cose_bytes));
    TRY(eif_signer_read(buf_bytes(&pem), "signing certificate", out));
    TRY(err_context(cose_read(buf_bytes(&cose_bytes), &cose), "signature"));
    TRY(check_payload(cose.payload, m));
    return err_context(check_cose(&cose, buf_bytes(&pem)), "signature");
}
