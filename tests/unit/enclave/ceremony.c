// The ceremony that tests drive (see ceremony.h).
#include "ceremony.h"

#include "base/hex.h"
#include "protocol/share.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct bytes keep(struct ceremony *c, struct bytes in)
{
    struct bytes out;
    assert_ok(arena_copy(&c->arena, in, &out));
    return out;
}

static void make_people(struct ceremony *c)
{
    static const char *const names[PEOPLE] = {"alice", "bob", "carol", "mallory"};
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_ok(p256_pair_generate(&c->pairs[i]));
        c->members[i].alias = bytes_str(names[i]);
        c->members[i].pub_key = p256_public_bytes(p256_pair_public(c->pairs[i]));
    }
    assert_ok(p256_pair_generate(&c->quorum));
    assert_ok(shamir_split(p256_pair_seed(c->quorum), 3, 2, &c->shares));
}

static void make_manifest(struct ceremony *c)
{
    struct manifest *m = &c->envelope.manifest;
    m->version = MANIFEST_V1;
    m->namespace = (struct namespace){.name = BYTES_LIT("test/namespace"), .nonce = 1};
    m->namespace.quorum_key = p256_public_bytes(p256_pair_public(c->quorum));
    c->pivot = BYTES_LIT("#!/bin/sh\nexit 0\n");
    assert_ok(sha256(c->pivot, m->pivot.hash));
    m->manifest_set.threshold = m->share_set.threshold = 2;
    m->manifest_set.members.items = m->share_set.members.items = c->members;
    m->manifest_set.members.n = m->share_set.members.n = 3;
    static const uint8_t measurement[SHA384_SIZE];
    m->enclave = (struct nitro_config){.pcr0 = BYTES_OF(measurement),
                                       .pcr1 = BYTES_OF(measurement),
                                       .pcr2 = BYTES_OF(measurement),
                                       .pcr3 = BYTES_OF(measurement),
                                       .root_certificate = BYTES_LIT("root"),
                                       .qos_commit = BYTES_LIT("commit")};
}

void ceremony_open_enclave(struct ceremony *c)
{
    struct enclave_options options = {
        .tee = c->tee, .supervisor = c->supervisor, .policy = c->policy};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        options.published.paths[i] = c->files[i];
    options.published.app_uid = geteuid();
    assert_ok(enclave_open(&options, &c->enclave));
}

void ceremony_reopen(struct ceremony *c)
{
    enclave_close(&c->enclave);
    ceremony_open_enclave(c);
}

static void name_files(struct ceremony *c)
{
    static const char *const names[PUBLISHED_COUNT] = {
        [PUBLISHED_EPHEMERAL] = "qos.ephemeral.key",
        [PUBLISHED_QUORUM] = "qos.quorum.key",
        [PUBLISHED_PIVOT] = "qos.pivot.bin",
        [PUBLISHED_MANIFEST] = "qos.manifest",
    };
    strcpy(c->folder, "/tmp/quorate-test-XXXXXX");
    assert_non_null(mkdtemp(c->folder));
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        (void)snprintf(c->files[i], sizeof c->files[i], "%s/published/%s", c->folder, names[i]);
}

static void open_tee(const char *folder, struct tee **out)
{
    char sim[96];
    (void)snprintf(sim, sizeof sim, "%s/sim", folder);
    struct tee_options options = {
        .provider = "sim", .sim_dir = sim, .mock = true, .clock = &clock_wall};
    assert_ok(tee_open(&options, out));
}

void ceremony_open(struct ceremony *c)
{
    name_files(c);
    open_tee(c->folder, &c->tee);
    make_people(c);
    make_manifest(c);
    ceremony_approve(c, 2);
    ceremony_open_enclave(c);
}

void ceremony_open_second(const struct ceremony *first, bool own_root, struct ceremony *out)
{
    *out = *first;
    out->arena = (struct arena){0};
    out->enclave = NULL;
    out->second = true;
    name_files(out);
    open_tee(own_root ? out->folder : first->folder, &out->tee);
    ceremony_open_enclave(out);
}

static void free_people(struct ceremony *c)
{
    for (size_t i = 0; i < PEOPLE; i++)
        p256_pair_free(&c->pairs[i]);
    p256_pair_free(&c->quorum);
    secret_free(&c->shares);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

void ceremony_close(struct ceremony *c)
{
    enclave_close(&c->enclave);
    tee_close(&c->tee);
    if (!c->second)
        free_people(c);
    (void)nftw(c->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&c->arena);
}

int ceremony_setup(void **state)
{
    struct ceremony *c = calloc(1, sizeof *c);
    assert_non_null(c);
    ceremony_open(c);
    *state = c;
    return 0;
}

int ceremony_teardown(void **state)
{
    ceremony_close(*state);
    free(*state);
    return 0;
}

struct approval ceremony_approval(struct ceremony *c, size_t person)
{
    uint8_t hash[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    assert_ok(manifest_hash(&c->envelope.manifest, hash));
    assert_ok(p256_sign(c->pairs[person], BYTES_OF(hash), signature));
    return (struct approval){.signature = keep(c, BYTES_OF(signature)),
                             .member = c->members[person]};
}

void ceremony_approve(struct ceremony *c, size_t n)
{
    void *items;
    assert_ok(arena_array(&c->arena, n, sizeof(struct approval), &items));
    c->envelope.manifest_set_approvals.items = items;
    c->envelope.manifest_set_approvals.n = n;
    for (size_t i = 0; i < n; i++)
        c->envelope.manifest_set_approvals.items[i] = ceremony_approval(c, i);
}

struct message ceremony_send_bytes(struct ceremony *c, struct bytes frame, enum encoding *as)
{
    BUF_AUTO raw = {0};
    struct message reply = {0};
    assert_ok(dispatch(c->enclave, frame, &raw));
    assert_ok(message_decode(keep(c, buf_bytes(&raw)), &c->arena, &reply, as, NULL));
    return reply;
}

struct message ceremony_send(struct ceremony *c, const struct message *m, enum encoding as)
{
    BUF_AUTO frame = {0};
    enum encoding was;
    assert_ok(message_encode(m, as, &frame, NULL));
    struct message reply = ceremony_send_bytes(c, buf_bytes(&frame), &was);
    assert_int_equal(was, as);
    return reply;
}

struct message ceremony_boot_request(const struct ceremony *c, enum message_kind kind)
{
    return (struct message){.tag = kind,
                            .boot = {.manifest_envelope = c->envelope, .pivot = c->pivot}};
}

void ceremony_boot(struct ceremony *c)
{
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_BOOT_STANDARD_RESPONSE);
    assert_int_equal(reply.nsm.nsm_response.tag, NSM_ATTESTATION);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
}

void ceremony_provision(struct ceremony *c)
{
    ceremony_boot(c);
    struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post(c, 2, ceremony_share(c, 2));
    assert_reconstructed(&reply, true);
}

struct bytes ceremony_seal(struct ceremony *c, struct bytes plaintext)
{
    BUF_AUTO envelope = {0};
    const struct p256_public *setup = keyring_public(c->enclave->keyring, KEY_SETUP);
    assert_non_null(setup);
    assert_ok(p256_seal(setup, plaintext, &envelope));
    return keep(c, buf_bytes(&envelope));
}

struct bytes ceremony_share(const struct ceremony *c, size_t index)
{
    return bytes_of(c->shares.p + index * SHARE_SIZE, SHARE_SIZE);
}

struct message ceremony_post(struct ceremony *c, size_t person, struct bytes plaintext)
{
    struct message m = {.tag = MSG_PROVISION_REQUEST,
                        .provision = {.share = ceremony_seal(c, plaintext),
                                      .approval = ceremony_approval(c, person)}};
    return ceremony_send(c, &m, ENCODING_JSON);
}

struct message ceremony_post_bound(struct ceremony *c, size_t person, struct bytes plaintext)
{
    BUF_AUTO message = {0};
    uint8_t hash[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    struct bytes share = ceremony_seal(c, plaintext);
    const struct p256_public *setup = keyring_public(c->enclave->keyring, KEY_SETUP);
    assert_ok(manifest_hash(&c->envelope.manifest, hash));
    assert_ok(share_binding_message(hash, p256_public_bytes(setup), share, &message));
    assert_ok(p256_sign(c->pairs[person], buf_bytes(&message), signature));
    struct message m = {.tag = MSG_QUORATE_BOUND_PROVISION_REQUEST,
                        .bound_provision = {.share = share,
                                            .approval = ceremony_approval(c, person),
                                            .binding = BYTES_OF(signature)}};
    return ceremony_send(c, &m, ENCODING_JSON);
}

void ceremony_claims(struct ceremony *c, struct bytes document, struct claims *out)
{
    TRUST_AUTO trust = {0};
    assert_ok(trust_from_der(tee_root(c->tee), "the TEE's root", false, &trust));
    assert_ok(attestation_read(document, &c->arena, out));
    assert_ok(attestation_verify(document, &trust, out->timestamp_ms / 1000, &c->arena, out));
}

void assert_document(struct ceremony *c, struct bytes document, enum commitment which, uint32_t key)
{
    static const uint8_t zero[SHA384_SIZE];
    struct claims claims;
    struct expectation e = {.committed = true, .commitment = which, .allow_debug = true};
    assert_ok(manifest_hash(&c->envelope.manifest, e.manifest_hash));
    e.user_data = BYTES_OF(e.manifest_hash);
    for (int i = 0; i < MEASUREMENT_COUNT; i++)
        e.measurements[i] = BYTES_OF(zero);
    ceremony_claims(c, document, &claims);
    assert_ok(claims_check(&claims, &e));
    assert_bytes(claims.public_key, p256_public_bytes(keyring_public(c->enclave->keyring, key)));
}

void assert_phase(struct ceremony *c, enum phase expected)
{
    struct message m = {.tag = MSG_STATUS_REQUEST};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_STATUS_RESPONSE);
    assert_string_equal(phase_name((enum phase)reply.status.tag), phase_name(expected));
}

void assert_error(const struct message *reply, enum protocol_error_kind expected)
{
    assert_int_equal(reply->tag, MSG_PROTOCOL_ERROR_RESPONSE);
    assert_string_equal(protocol_error_name((enum protocol_error_kind)reply->error.tag),
                        protocol_error_name(expected));
}

void assert_reconstructed(const struct message *reply, bool expected)
{
    if (reply->tag == MSG_PROTOCOL_ERROR_RESPONSE)
        fail_msg("expected a provision reply, got %s: %s",
                 protocol_error_name((enum protocol_error_kind)reply->error.tag), err_text());
    assert_int_equal(reply->tag, MSG_PROVISION_RESPONSE);
    assert_int_equal(reply->provision_reply.reconstructed, expected);
}

void ceremony_snapshot(struct ceremony *c, struct buf *out)
{
    char folder[96];
    struct file_list list;
    (void)snprintf(folder, sizeof folder, "%s/published", c->folder);
    assert_ok(file_list(folder, &c->arena, &list));
    for (size_t i = 0; i < list.n; i++) {
        const char *path;
        struct stat s;
        assert_ok(file_join(&c->arena, folder, list.names[i], &path));
        assert_int_equal(lstat(path, &s), 0);
        assert_ok(buf_printf(out, "%s %o %u\n", path, (unsigned)s.st_mode, (unsigned)s.st_uid));
        assert_ok(file_read(path, (size_t)1 << 20, out));
    }
}

bool ceremony_file_exists(const struct ceremony *c, enum published_file which)
{
    return file_exists(c->files[which]);
}

struct bytes ceremony_read(struct ceremony *c, enum published_file which)
{
    BUF_AUTO contents = {0};
    assert_ok(file_read(c->files[which], (size_t)1 << 20, &contents));
    return keep(c, buf_bytes(&contents));
}

struct bytes ceremony_seed_text(struct ceremony *c, const struct p256_pair *pair)
{
    BUF_AUTO text = {0};
    assert_ok(hex_encode(p256_pair_seed(pair), &text));
    return keep(c, buf_bytes(&text));
}
