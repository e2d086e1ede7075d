// What a TEE instance on hardware takes from another one (renclave 3.2), through the Nitro provider: manifests that the
// manifest set or a pinned key speaks for, and a key for those alone; and that no key passes between a real TEE and a
// simulated one.
#include "ceremony.h"
#include "nsm_machine.h"

#include "codec/json.h"
#include "enclave/platform.h"

#include <stdlib.h>
#include <unistd.h>

struct scene {
    struct ceremony c;
    struct tee *mock, *inside;
    struct nsm_machine machine;
};

static void open_hardware(struct scene *s)
{
    char sim[96], pool[96];
    (void)snprintf(sim, sizeof sim, "%s/inside", s->c.folder);
    (void)snprintf(pool, sizeof pool, "%s/pool", s->c.folder);
    FILE *f = fopen(pool, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    const struct tee_options options = {.provider = "sim", .sim_dir = sim, .clock = &clock_wall};
    assert_ok(tee_open(&options, &s->inside));
    s->machine = nsm_machine_of(s->inside);
    s->mock = s->c.tee;
    assert_ok(nitro_open_port(&s->machine.port, pool, &s->c.tee));
    assert_string_equal(tee_name(s->c.tee), "nitro");
    assert_false(tee_simulated(s->c.tee));
}

// The manifest of this platform, not approved by anybody.
static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    ceremony_open(&s->c);
    enclave_close(&s->c.enclave);
    open_hardware(s);
    ceremony_open_enclave(&s->c);
    assert_ok(platform_measure(s->c.tee, &s->c.arena, &s->c.envelope.manifest.enclave));
    s->c.envelope.manifest_set_approvals.n = 0;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    enclave_close(&s->c.enclave);
    tee_close(&s->c.tee);
    tee_close(&s->inside);
    s->c.tee = s->mock;
    ceremony_close(&s->c);
    free(s);
    return 0;
}

static struct bytes signature_by(struct ceremony *c, const struct p256_pair *pair)
{
    uint8_t hash[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    struct bytes kept;
    assert_ok(manifest_hash(&c->envelope.manifest, hash));
    assert_ok(p256_sign(pair, BYTES_OF(hash), signature));
    assert_ok(arena_copy(&c->arena, BYTES_OF(signature), &kept));
    return kept;
}

static struct api_response call(struct ceremony *c, const char *path, struct bytes body)
{
    const struct message m = {.tag = MSG_QUORATE_API_REQUEST,
                              .api_request = {.method = BYTES_LIT("POST"),
                                              .path = bytes_str(path),
                                              .query = BYTES_LIT(""),
                                              .authorization = BYTES_LIT(""),
                                              .request_id = BYTES_LIT("an id"),
                                              .body = body}};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_QUORATE_API_RESPONSE);
    return reply.api_response;
}

static struct api_response share(struct ceremony *c, struct bytes signature)
{
    struct api_manifest_envelope said;
    BUF_AUTO body = {0};
    assert_ok(api_manifest_from_core(&c->envelope, &c->arena, &said));
    said.quorum_key_signature = signature;
    const struct api_share_manifest_request request = {.manifest_envelope = &said};
    assert_ok(json_encode(&type_api_share_manifest_request, &request, JSON_PLAIN, &body));
    return call(c, "/enclave/share-manifest", buf_bytes(&body));
}

static struct api_response inject(struct ceremony *c)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    BUF_AUTO body = {0};
    const struct p256_public *setup = keyring_public(c->enclave->keyring, KEY_SETUP);
    struct bytes sealed =
        setup != NULL ? ceremony_seal(c, p256_pair_seed(c->quorum)) : BYTES_LIT("x");
    assert_ok(p256_sign(c->quorum, sealed, signature));
    const struct api_inject_key_request request = {.encrypted_quorum_key = sealed,
                                                   .signature = BYTES_OF(signature)};
    assert_ok(json_encode(&type_api_inject_key_request, &request, JSON_PLAIN, &body));
    return call(c, "/enclave/inject-key", buf_bytes(&body));
}

static void assert_says(const struct api_response *r, const char *what)
{
    if (memmem(r->body.p, r->body.n, what, strlen(what)) == NULL)
        fail_msg("expected \"%s\" in %.*s", what, (int)r->body.n, (const char *)r->body.p);
}

static void refused(struct ceremony *c, struct bytes signature, const char *what)
{
    struct api_response r = share(c, signature);
    assert_int_equal(r.status, 400);
    assert_says(&r, what);
    assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    assert_null(c->enclave->booted);
    assert_int_equal(inject(c).status, 409);
}

static void taken(struct ceremony *c, struct bytes signature)
{
    struct api_response r = share(c, signature);
    if (r.status != 200)
        fail_msg("%.*s", (int)r.body.n, (const char *)r.body.p);
    assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_FORWARDED_KEY);
    r = inject(c);
    if (r.status != 200)
        fail_msg("%.*s", (int)r.body.n, (const char *)r.body.p);
    assert_int_equal(c->enclave->phase, PHASE_APPLICATION_READY);
}

static void finding_18_a_manifest_that_speaks_for_itself_is_refused_on_hardware(void **state)
{
    struct scene *s = *state;
    struct ceremony *c = &s->c;
    refused(c, signature_by(c, c->quorum), "on hardware a manifest does not speak for itself");
    refused(c, signature_by(c, c->quorum), "--pinned-quorum-key");
    refused(c, BYTES_NONE, "NotEnoughApprovals");
    ceremony_approve(c, 1);
    refused(c, signature_by(c, c->quorum), "NotEnoughApprovals");
}

static void an_approved_manifest_is_taken_on_hardware_and_then_a_key(void **state)
{
    struct scene *s = *state;
    ceremony_approve(&s->c, 2);
    taken(&s->c, BYTES_NONE);
}

static void an_approved_manifest_may_carry_the_keys_signature_but_no_wrong_one(void **state)
{
    struct scene *s = *state;
    struct ceremony *c = &s->c;
    ceremony_approve(c, 2);
    refused(c, signature_by(c, c->pairs[3]), "quorum_key_signature");
    taken(c, signature_by(c, c->quorum));
}

static void pin(struct ceremony *c, const struct p256_pair *pair)
{
    c->enclave->has_pinned_quorum_key = true;
    c->enclave->pinned_quorum_key = *p256_pair_public(pair);
}

static void a_pinned_key_speaks_for_its_manifest_on_hardware(void **state)
{
    struct scene *s = *state;
    struct ceremony *c = &s->c;
    pin(c, c->quorum);
    refused(c, BYTES_NONE, "NotEnoughApprovals");
    refused(c, signature_by(c, c->pairs[3]), "quorum_key_signature");
    taken(c, signature_by(c, c->quorum));
}

static void another_key_than_the_pinned_one_is_refused_though_approved(void **state)
{
    struct scene *s = *state;
    struct ceremony *c = &s->c;
    pin(c, c->pairs[3]);
    ceremony_approve(c, 3);
    refused(c, signature_by(c, c->quorum), "DifferentQuorumKey");
}

static void a_manifest_of_another_image_or_root_is_refused_on_hardware(void **state)
{
    static const uint8_t other[SHA384_SIZE] = {1};
    struct scene *s = *state;
    struct ceremony *c = &s->c;
    struct nitro_config ours = c->envelope.manifest.enclave;
    assert_bytes(ours.root_certificate, attestation_aws_root);
    c->envelope.manifest.enclave.pcr1 = BYTES_OF(other);
    ceremony_approve(c, 2);
    refused(c, BYTES_NONE, "pcr1");
    c->envelope.manifest.enclave = ours;
    c->envelope.manifest.enclave.root_certificate = tee_root(s->inside);
    ceremony_approve(c, 2);
    refused(c, BYTES_NONE, "aws_root_certificate");
    c->envelope.manifest.enclave = ours;
    ceremony_approve(c, 2);
    taken(c, BYTES_NONE);
}

// Evidence in every way right, but that a simulated TEE signed it.
static void hardware_gives_no_key_to_a_simulated_enclave(void **state)
{
    struct scene *s = *state;
    struct ceremony *c = &s->c;
    struct api_manifest_envelope said;
    BUF_AUTO document = {0};
    BUF_AUTO body = {0};
    ceremony_approve(c, 2);
    taken(c, BYTES_NONE);
    assert_ok(tee_attest(c->tee, BYTES_OF(c->enclave->booted->manifest_hash), BYTES_NONE,
                         p256_public_bytes(keyring_public(c->enclave->keyring, KEY_SETUP)),
                         &document));
    assert_ok(api_manifest_from_core(&c->envelope, &c->arena, &said));
    const struct api_export_request request = {.manifest_envelope = &said,
                                               .attestation_doc = buf_bytes(&document)};
    assert_ok(json_encode(&type_api_export_request, &request, JSON_PLAIN, &body));
    struct api_response r = call(c, "/enclave/export-key", buf_bytes(&body));
    assert_int_equal(r.status, 400);
    assert_says(&r, "Attestation document verification failed");
    assert_int_equal(c->enclave->phase, PHASE_APPLICATION_READY);
}

// Whatever call it dies at: before its registers are touched nothing has changed, afterwards the phase says that this
// machine is spent; no key comes in either way.
static void a_module_that_dies_on_the_way_leaves_no_half_booted_instance(void **state)
{
    unsigned spent = 0, untouched = 0;
    for (unsigned at = 1;; at++) {
        struct scene *s = *state;
        struct ceremony *c = &s->c;
        ceremony_approve(c, 2);
        s->machine.dies_at = s->machine.calls + at;
        struct api_response r = share(c, BYTES_NONE);
        if (r.status == 200)
            break;
        assert_int_equal(r.status, 500);
        bool begun = c->enclave->phase == PHASE_UNRECOVERABLE_ERROR;
        spent += begun;
        untouched += !begun;
        if (!begun)
            assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
        assert_null(c->enclave->booted);
        assert_int_equal(inject(c).status, 409);
        s->machine.dies_at = 0;
        if (!begun)
            taken(c, BYTES_NONE);
        else
            assert_int_equal(share(c, BYTES_NONE).status, 409);
        (void)tear_down(state);
        (void)set_up(state);
    }
    assert_true(spent > 0 && untouched > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(finding_18_a_manifest_that_speaks_for_itself_is_refused_on_hardware),
        TEST(an_approved_manifest_is_taken_on_hardware_and_then_a_key),
        TEST(an_approved_manifest_may_carry_the_keys_signature_but_no_wrong_one),
        TEST(a_pinned_key_speaks_for_its_manifest_on_hardware),
        TEST(another_key_than_the_pinned_one_is_refused_though_approved),
        TEST(a_manifest_of_another_image_or_root_is_refused_on_hardware),
        TEST(hardware_gives_no_key_to_a_simulated_enclave),
        TEST(a_module_that_dies_on_the_way_leaves_no_half_booted_instance),
    };
    return cmocka_run_group_tests_name("enclave/instance_hardware", tests, NULL, NULL);
}
