// Nothing of ours takes a branch or an address from a secret (docs/constant-time.md): valgrind is told that each
// secret is undefined and reports every jump and access that depends on one. Run by
// "valgrind --error-exitcode=1 --suppressions=constant_time.supp". With the argument "leak" it does what must
// not be done: then valgrind has to find it.
#include "../cmocka_setup.h"

#include "base/hex.h"
#include "base/random.h"
#include "crypto/p384.h"
#include "crypto/shamir.h"
#include "custody/keyring.h"
#include "custody/shares.h"

#include <stdlib.h>
#include <valgrind/memcheck.h>

static void only_under_valgrind(void)
{
    if (RUNNING_ON_VALGRIND)
        return;
    print_message("skipped: not run by valgrind\n");
    skip();
}

static void make_secret(void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

// What is told to everybody anyway: results, public keys, signatures.
static void make_public(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

// The secret must have reached the result still marked, or the test proves nothing.
static void assert_still_secret(const void *p)
{
    uint8_t undefined_bits = 0;
    assert_int_equal(VALGRIND_GET_VBITS(p, &undefined_bits, 1), 1);
    assert_int_not_equal(undefined_bits, 0);
}

// The outcome is public; only how it came about must not depend on the secret.
static void assert_public_ok(enum q_err err)
{
    make_public(&err, sizeof err);
    assert_ok(err);
}

static enum q_err secret_source(uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(i * 29 + 7);
    make_secret(out, n);
    return Q_OK;
}

static void fill_secret(uint8_t *out, size_t n, uint8_t first)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(first + i);
    make_secret(out, n);
}

static void comparing_does_not_depend_on_what_is_compared(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t a[32], b[32];
    fill_secret(a, sizeof a, 1);
    fill_secret(b, sizeof b, 1);
    bool same = secret_equal(BYTES_OF(a), BYTES_OF(b));
    assert_still_secret(&same);
    make_public(&same, sizeof same);
    assert_true(same);
}

static void hex_does_not_depend_on_the_secret(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t seed[32];
    SECRET_AUTO text = {0};
    SECRET_AUTO back = {0};
    fill_secret(seed, sizeof seed, 0x70);
    assert_ok(hex_encode_secret(BYTES_OF(seed), &text));
    assert_still_secret(text.p);
    assert_public_ok(hex_decode_secret(secret_bytes(&text), sizeof seed, &back));
    assert_still_secret(back.p);
    make_public(seed, sizeof seed);
    make_public(back.p, back.n);
    assert_bytes(secret_bytes(&back), BYTES_OF(seed));
}

static void sharing_does_not_depend_on_the_secret(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t seed[32];
    struct bytes quorum[3];
    SECRET_AUTO shares = {0};
    SECRET_AUTO rebuilt = {0};
    fill_secret(seed, sizeof seed, 9);
    random_set_source(secret_source);
    enum q_err err = shamir_split(BYTES_OF(seed), 5, 3, &shares);
    random_set_source(NULL);
    assert_public_ok(err);
    for (size_t i = 0; i < 3; i++)
        quorum[i] = bytes_of(shares.p + (i + 2) * 33, 33);
    assert_public_ok(shamir_combine(quorum, 3, &rebuilt));
    assert_still_secret(rebuilt.p);
    make_public(seed, sizeof seed);
    make_public(rebuilt.p, rebuilt.n);
    assert_bytes(secret_bytes(&rebuilt), BYTES_OF(seed));
}

// A pair whose seed, scalars and AES key are all secret.
static void secret_pair(struct p256_pair **out)
{
    uint8_t seed[P256_SEED_SIZE];
    fill_secret(seed, sizeof seed, 3);
    assert_public_ok(p256_pair_from_seed(BYTES_OF(seed), out));
    make_public(out, sizeof(*out));
    make_public(p256_pair_public(*out), sizeof(struct p256_public));
    assert_still_secret(p256_pair_seed(*out).p);
}

static void deriving_and_signing_do_not_depend_on_the_seed(void **state)
{
    (void)state;
    only_under_valgrind();
    P256_PAIR_AUTO *pair = NULL;
    uint8_t signature[P256_SIGNATURE_SIZE];
    secret_pair(&pair);
    assert_public_ok(p256_sign(pair, BYTES_LIT("message"), signature));
    assert_still_secret(signature);
    make_public(signature, sizeof signature);
    assert_ok(p256_verify(p256_pair_public(pair), BYTES_LIT("message"), BYTES_OF(signature)));
}

static void signing_with_p384_does_not_depend_on_the_scalar(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t scalar[P384_SCALAR_SIZE], signature[P384_SIGNATURE_SIZE];
    fill_secret(scalar, sizeof scalar, 5);
    assert_public_ok(p384_sign(BYTES_OF(scalar), BYTES_LIT("message"), signature));
    assert_still_secret(signature);
}

static void envelopes_do_not_depend_on_key_or_plaintext(void **state)
{
    (void)state;
    only_under_valgrind();
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO envelope = {0};
    SECRET_AUTO opened = {0};
    uint8_t plaintext[33];
    fill_secret(plaintext, sizeof plaintext, 1);
    secret_pair(&pair);
    random_set_source(secret_source);
    enum q_err err = p256_seal(p256_pair_public(pair), BYTES_OF(plaintext), &envelope);
    random_set_source(NULL);
    assert_public_ok(err);
    make_public(envelope.p, envelope.n);
    assert_public_ok(p256_open(pair, buf_bytes(&envelope), &opened));
    assert_still_secret(opened.p);
    make_public(opened.p, opened.n);
    make_public(plaintext, sizeof plaintext);
    assert_bytes(secret_bytes(&opened), BYTES_OF(plaintext));
}

static void symmetric_envelopes_do_not_depend_on_key_or_plaintext(void **state)
{
    (void)state;
    only_under_valgrind();
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO envelope = {0};
    SECRET_AUTO opened = {0};
    uint8_t plaintext[33];
    fill_secret(plaintext, sizeof plaintext, 1);
    secret_pair(&pair);
    assert_public_ok(p256_seal_symmetric(pair, BYTES_OF(plaintext), &envelope));
    make_public(envelope.p, envelope.n);
    assert_public_ok(p256_open_symmetric(pair, buf_bytes(&envelope), &opened));
    assert_still_secret(opened.p);
}

static void the_keyring_s_door_does_not_depend_on_the_key(void **state)
{
    (void)state;
    only_under_valgrind();
    KEYRING_AUTO *ring = NULL;
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO derived = {0};
    SECRET_AUTO released = {0};
    const struct key_description what = {
        .id = KEY_QUORUM, .suite = SUITE_QOS_P256, .uses = USE_DERIVE | USE_RELEASE};
    secret_pair(&pair);
    assert_ok(keyring_new(&ring));
    assert_ok(keyring_put(ring, &what, &pair));
    assert_public_ok(custody_use(ring, KEY_QUORUM, USE_DERIVE, BYTES_LIT("label"), &derived));
    assert_still_secret(derived.p);
    assert_public_ok(custody_use(ring, KEY_QUORUM, USE_RELEASE, BYTES_NONE, &released));
    assert_still_secret(released.p);
}

// What a posted share is asked: its length and its x, which are public, and no more.
static void holding_a_share_looks_at_its_x_alone(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t signature[P256_SIGNATURE_SIZE] = {0};
    SECRET_AUTO plaintext = {0};
    struct held_share *held = NULL;
    assert_ok(secret_new(&plaintext, SHARE_SIZE));
    plaintext.p[0] = 1;
    make_secret(plaintext.p + 1, plaintext.n - 1);
    assert_ok(held_share_new(0, true, signature, &plaintext, &held, NULL));
    assert_still_secret(held->share.p + 1);
    held_share_free(&held);
}

// The other suite: the seed itself is the scalar (renclave 8.2 C1).
static void secret_raw_pair(struct p256_pair **out)
{
    uint8_t seed[P256_SEED_SIZE];
    fill_secret(seed, sizeof seed, 3);
    assert_public_ok(p256_pair_from_seed_suite(P256_SUITE_RENCLAVE, BYTES_OF(seed), out));
    make_public(out, sizeof(*out));
    make_public(p256_pair_public(*out), sizeof(struct p256_public));
    assert_still_secret(p256_pair_seed(*out).p);
}

static void finding_29_keys_of_the_rest_api_do_not_depend_on_their_scalar(void **state)
{
    (void)state;
    only_under_valgrind();
    KEYRING_AUTO *ring = NULL;
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO signature = {0};
    SECRET_AUTO sealed = {0};
    SECRET_AUTO opened = {0};
    uint8_t plaintext[33];
    const struct key_description what = {
        .id = KEY_QUORUM, .suite = SUITE_RENCLAVE_P256, .uses = USE_SIGN | USE_OPEN | USE_SEAL};
    fill_secret(plaintext, sizeof plaintext, 1);
    secret_raw_pair(&pair);
    assert_ok(keyring_new(&ring));
    assert_ok(keyring_put(ring, &what, &pair));
    assert_public_ok(custody_use(ring, KEY_QUORUM, USE_SIGN, BYTES_LIT("message"), &signature));
    assert_still_secret(signature.p);
    random_set_source(secret_source);
    enum q_err err = custody_use_for(ring, KEY_QUORUM, USE_SEAL, BYTES_LIT("quorate-data-v1"),
                                     BYTES_OF(plaintext), &sealed);
    random_set_source(NULL);
    assert_public_ok(err);
    make_public(sealed.p, sealed.n);
    assert_public_ok(custody_use_for(ring, KEY_QUORUM, USE_OPEN, BYTES_LIT("quorate-data-v1"),
                                     secret_bytes(&sealed), &opened));
    assert_still_secret(opened.p);
    make_public(opened.p, opened.n);
    make_public(plaintext, sizeof plaintext);
    assert_bytes(secret_bytes(&opened), BYTES_OF(plaintext));
}

// What an injected share is asked besides: whether it has the hash that the genesis said.
static void finding_29_a_shares_hash_is_compared_whole(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t share[SHARE_SIZE], hash[SHA512_SIZE], expected[SHA512_SIZE] = {0};
    fill_secret(share, sizeof share, 1);
    assert_public_ok(sha512(BYTES_OF(share), hash));
    assert_still_secret(hash);
    bool same = secret_equal(BYTES_OF(hash), BYTES_OF(expected));
    assert_still_secret(&same);
    make_public(&same, sizeof same);
    assert_false(same);
}

// What the test is there to catch: a comparison that ends early, a table read at a secret place.
static void leak(void)
{
    static const uint8_t table[256] = {[7] = 1};
    uint8_t a[32], b[32];
    size_t same = 0;
    fill_secret(a, sizeof a, 1);
    fill_secret(b, sizeof b, 1);
    while (same < sizeof a && a[same] == b[same])
        same++;
    volatile uint8_t sink = table[a[0]];
    (void)sink;
    print_message("%zu bytes alike\n", same);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "leak") == 0) {
        leak();
        return EXIT_SUCCESS;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_does_not_depend_on_what_is_compared),
        cmocka_unit_test(hex_does_not_depend_on_the_secret),
        cmocka_unit_test(sharing_does_not_depend_on_the_secret),
        cmocka_unit_test(deriving_and_signing_do_not_depend_on_the_seed),
        cmocka_unit_test(signing_with_p384_does_not_depend_on_the_scalar),
        cmocka_unit_test(envelopes_do_not_depend_on_key_or_plaintext),
        cmocka_unit_test(symmetric_envelopes_do_not_depend_on_key_or_plaintext),
        cmocka_unit_test(the_keyring_s_door_does_not_depend_on_the_key),
        cmocka_unit_test(holding_a_share_looks_at_its_x_alone),
        cmocka_unit_test(finding_29_keys_of_the_rest_api_do_not_depend_on_their_scalar),
        cmocka_unit_test(finding_29_a_shares_hash_is_compared_whole),
    };
    return cmocka_run_group_tests_name("custody/constant_time", tests, NULL, NULL);
}
