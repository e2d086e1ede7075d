// Writes the Nitro attestation document as AWS does (nitro 4, qos-wire 7.1): a definite map of nine
// entries, null for what is absent, untagged, signed ES384. Also the bytes that such a signature
// covers.
#include "tee/document.h"

#include "codec/cbor.h"

enum q_err cose_signed_bytes(const struct cose *c, struct buf *out)
{
    TRY(cbor_write_array(out, 4));
    TRY(cbor_write_text(out, BYTES_LIT("Signature1")));
    TRY(cbor_write_bytes(out, c->protected_header));
    TRY(cbor_write_bytes(out, BYTES_LIT("")));
    return cbor_write_bytes(out, c->payload);
}

static enum q_err write_registers(const struct document *d, struct buf *out)
{
    TRY(cbor_write_text(out, BYTES_LIT("pcrs")));
    TRY(cbor_write_map(out, d->register_count));
    for (size_t i = 0; i <= DOCUMENT_MAX_REGISTER_INDEX; i++) {
        if (!d->registers[i].present)
            continue;
        TRY(cbor_write_uint(out, i));
        TRY(cbor_write_bytes(out, bytes_of(d->registers[i].value, d->registers[i].n)));
    }
    return Q_OK;
}

static enum q_err write_chain(const struct document *d, struct buf *out)
{
    TRY(cbor_write_text(out, BYTES_LIT("certificate")));
    TRY(cbor_write_bytes(out, d->certificate));
    TRY(cbor_write_text(out, BYTES_LIT("cabundle")));
    TRY(cbor_write_array(out, d->cabundle_count));
    for (size_t i = 0; i < d->cabundle_count; i++)
        TRY(cbor_write_bytes(out, d->cabundle[i]));
    return Q_OK;
}

static enum q_err write_optional(const char *key, struct bytes value, struct buf *out)
{
    TRY(cbor_write_text(out, bytes_str(key)));
    return value.p == NULL ? cbor_write_null(out) : cbor_write_bytes(out, value);
}

static enum q_err write_payload(const struct document *d, struct buf *out)
{
    TRY(cbor_write_map(out, 9));
    TRY(cbor_write_text(out, BYTES_LIT("module_id")));
    TRY(cbor_write_text(out, d->module_id));
    TRY(cbor_write_text(out, BYTES_LIT("digest")));
    TRY(cbor_write_text(out, BYTES_LIT("SHA384")));
    TRY(cbor_write_text(out, BYTES_LIT("timestamp")));
    TRY(cbor_write_uint(out, (uint64_t)d->timestamp_ms));
    TRY(write_registers(d, out));
    TRY(write_chain(d, out));
    TRY(write_optional("public_key", d->public_key, out));
    TRY(write_optional("user_data", d->user_data, out));
    return write_optional("nonce", d->nonce, out);
}

enum q_err document_write(const struct document *d, struct bytes key, struct buf *out)
{
    BUF_AUTO payload = {0}, signed_bytes = {0};
    TRY(write_payload(d, &payload));
    const struct cose cose = {.protected_header = cose_es384_header,
                              .payload = buf_bytes(&payload)};
    TRY(cose_signed_bytes(&cose, &signed_bytes));
    uint8_t signature[P384_SIGNATURE_SIZE];
    TRY(p384_sign(key, buf_bytes(&signed_bytes), signature));

    TRY(cbor_write_array(out, 4));
    TRY(cbor_write_bytes(out, cose.protected_header));
    TRY(cbor_write_map(out, 0));
    TRY(cbor_write_bytes(out, cose.payload));
    return cbor_write_bytes(out, BYTES_OF(signature));
}
