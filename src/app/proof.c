// App proofs (qos-behaviour 7): a payload signed by the ephemeral key, made, written and read.
#include "app/proof.h"

#include "app/sign.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

struct proof_fields {
    struct bytes signature, public_key, payload;
};
static const struct field proof_fields[] = {
    FIELD(struct proof_fields, signature, "signature", &type_bytes),
    FIELD(struct proof_fields, public_key, "public_key", &type_bytes),
    FIELD(struct proof_fields, payload, "payload", &type_bytes),
};
static const struct type type_proof = {STRUCT(struct proof_fields, "app proof", proof_fields),
                                       .closed = true};

// The JSON form of the largest payload, and some white space.
#define PROOF_JSON_MAX ((size_t)2 * APP_PAYLOAD_MAX + 4096)

static enum q_err set_payload(struct app_proof *p, struct bytes payload)
{
    if (payload.n > APP_PAYLOAD_MAX)
        return fail(Q_LIMIT, "app proof: expected a payload of at most %u bytes, found %zu",
                    APP_PAYLOAD_MAX, payload.n);
    return buf_append(&p->payload, payload);
}

static enum q_err set_json(struct app_proof *p)
{
    const struct proof_fields fields = {BYTES_OF(p->signature), p256_public_bytes(&p->public_key),
                                        buf_bytes(&p->payload)};
    TRY(json_encode(&type_proof, &fields, JSON_PLAIN, &p->json));
    return buf_text(&p->json) != NULL ? Q_OK : Q_NOMEM;
}

static enum q_err sign_payload(const struct app_key *key, struct bytes payload, struct app_proof *p)
{
    TRY(set_payload(p, payload));
    TRY(sign_plain(key, payload, p->signature));
    p->public_key = *p256_pair_public(key->pair);
    return set_json(p);
}

static enum q_err read_json(struct bytes json, struct app_proof *p)
{
    ARENA_AUTO a = {0};
    struct proof_fields fields;
    if (json.n > PROOF_JSON_MAX)
        return fail(Q_LIMIT, "app proof: expected at most %zu bytes, found %zu", PROOF_JSON_MAX,
                    json.n);
    TRY(json_decode(&type_proof, json, &a, &fields));
    TRY(err_context(p256_public_parse(fields.public_key, &p->public_key), "app proof"));
    if (fields.signature.n != APP_SIGNATURE_SIZE)
        return fail(Q_BAD_INPUT, "app proof: expected a signature of %d bytes, found %zu",
                    APP_SIGNATURE_SIZE, fields.signature.n);
    memcpy(p->signature, fields.signature.p, APP_SIGNATURE_SIZE);
    TRY(set_payload(p, fields.payload));
    return set_json(p);
}

static enum q_err new_proof(struct app_proof **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? Q_OK : fail(Q_NOMEM, "app proof: no memory for one");
}

// Gives p to the caller, or releases it after a failure.
static enum q_err finish(enum q_err err, struct app_proof *p, struct app_proof **out)
{
    if (err == Q_OK)
        *out = p;
    else
        app_proof_free(p);
    return err;
}

static enum q_err make(const struct app_key *key, const void *payload, size_t size,
                       struct app_proof **out)
{
    struct bytes view;
    struct app_proof *p;
    TRY(needs(out, "app proof"));
    *out = NULL;
    TRY(needs(key, "key"));
    TRY(view_of(payload, size, "payload", &view));
    if (!key->ephemeral)
        return fail(Q_REFUSED, "app proof: expected the ephemeral key, which attestation documents "
                               "name, found a quorum key");
    TRY(new_proof(&p));
    return finish(sign_payload(key, view, p), p, out);
}

static enum q_err parse(const void *json, size_t size, struct app_proof **out)
{
    struct bytes view;
    struct app_proof *p;
    TRY(needs(out, "app proof"));
    *out = NULL;
    TRY(view_of(json, size, "app proof", &view));
    TRY(new_proof(&p));
    return finish(read_json(view, p), p, out);
}

enum app_status app_proof_make(const struct app_key *ephemeral, const void *payload,
                               size_t payload_size, struct app_proof **out)
{
    return status_of(make(ephemeral, payload, payload_size, out));
}

enum app_status app_proof_parse(const void *json, size_t size, struct app_proof **out)
{
    return status_of(parse(json, size, out));
}

void app_proof_free(struct app_proof *proof)
{
    if (proof == NULL)
        return;
    buf_free(&proof->payload);
    buf_free(&proof->json);
    free(proof);
}

const char *app_proof_json(const struct app_proof *proof)
{
    return proof != NULL ? (const char *)proof->json.p : NULL;
}

const uint8_t *app_proof_payload(const struct app_proof *proof, size_t *size)
{
    struct bytes payload = proof != NULL ? buf_bytes(&proof->payload) : BYTES_NONE;
    if (size != NULL)
        *size = payload.n;
    return payload.p;
}

const uint8_t *app_proof_public_key(const struct app_proof *proof)
{
    return proof != NULL ? proof->public_key.bytes : NULL;
}

const uint8_t *app_proof_signature(const struct app_proof *proof)
{
    return proof != NULL ? proof->signature : NULL;
}
