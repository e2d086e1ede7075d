// The REST API's client for tests (see api_client.h). It writes headers by itself, not with what reads them.
#include "api_client.h"

#include "base/hex.h"
#include "crypto/hash.h"

struct api_reply api_send(struct ceremony *c, const struct api_request *r)
{
    const struct message m = {.tag = MSG_QUORATE_API_REQUEST, .api_request = *r};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_QUORATE_API_RESPONSE);
    return (struct api_reply){reply.api_response.status, reply.api_response.body};
}

struct api_reply api_ask(struct ceremony *c, const char *method, const char *path, const char *body)
{
    const struct api_request r = {.method = bytes_str(method),
                                  .path = bytes_str(path),
                                  .query = BYTES_LIT(""),
                                  .authorization = BYTES_LIT(""),
                                  .request_id = BYTES_LIT("asked"),
                                  .body = bytes_str(body)};
    return api_send(c, &r);
}

static struct bytes hex(struct ceremony *c, struct bytes raw)
{
    BUF_AUTO text = {0};
    struct bytes kept;
    assert_ok(hex_encode(raw, &text));
    assert_ok(arena_copy(&c->arena, buf_bytes(&text), &kept));
    return kept;
}

struct bytes api_key_text(struct ceremony *c, const struct p256_pair *pair)
{
    return hex(c, p256_public_short(p256_pair_public(pair)));
}

#define TEXT(b) (int)(b).n, (const char *)(b).p

struct bytes api_sign(struct ceremony *c, const struct api_request *r, const struct p256_pair *by,
                      uint64_t nonce, struct bytes reply_key)
{
    uint8_t digest[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    struct bytes text, header;
    struct bytes reply = hex(c, reply_key.p != NULL ? reply_key : BYTES_LIT(""));
    assert_ok(sha256(r->body, digest));
    assert_ok(arena_printf(
        &c->arena, &text, "quorate-api-v1\n%.*s\n%.*s\n%.*s%s%.*s\n%.*s\n%llu\n%.*s",
        TEXT(c->enclave->id), TEXT(r->method), TEXT(r->path), r->query.n > 0 ? "?" : "",
        TEXT(r->query), TEXT(hex(c, BYTES_OF(digest))), (unsigned long long)nonce, TEXT(reply)));
    assert_ok(p256_sign(by, text, signature));
    assert_ok(arena_printf(&c->arena, &header, "Quorate key=%.*s, nonce=%llu%s%.*s, signature=%.*s",
                           TEXT(api_key_text(c, by)), (unsigned long long)nonce,
                           reply.n > 0 ? ", reply-key=" : "", TEXT(reply),
                           TEXT(hex(c, BYTES_OF(signature)))));
    return header;
}

struct api_reply api_send_signed(struct ceremony *c, struct api_request r,
                                 const struct p256_pair *by, uint64_t nonce)
{
    r.authorization = api_sign(c, &r, by, nonce, BYTES_NONE);
    return api_send(c, &r);
}

const char *api_key_file(struct ceremony *c, const char *name, struct bytes contents)
{
    const char *path;
    assert_ok(file_join(&c->arena, c->folder, name, &path));
    assert_ok(file_write(path, contents, 0600, FILE_REPLACE));
    return path;
}

bool api_says(const struct api_reply *r, const char *text)
{
    return memmem(r->body.p, r->body.n, text, strlen(text)) != NULL;
}
