// Where the secrets of a pair are after it was used: in memory that never reaches a core dump, and
// nowhere else, neither on the stack nor in a freed block (design: Secrets).
#include "../leftovers.h"
#include "../vector_file.h"

#include "crypto/p256_internal.h"

#include <openssl/crypto.h>

// As bytes, and as the little-endian words OpenSSL computes with.
static void add_both_ways(struct patterns *p, struct bytes secret)
{
    uint8_t turned[P256_SCALAR_SIZE];
    assert_int_equal(secret.n, sizeof turned);
    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = secret.p[sizeof turned - 1 - i];
    add_pattern(p, secret.p);
    add_pattern(p, turned);
    wipe(turned, sizeof turned);
}

// Closing the file zeroes what was decoded from it, before anything is searched.
static void known_pair(struct patterns *p, struct p256_pair **pair)
{
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p256_keys.json");
    const json_t *v = json_array_get(vector_field(f.root, "pairs"), 1);
    const char *const fields[] = {"seed", "aes_key", "encrypt_scalar", "sign_scalar"};
    for (size_t i = 0; i < 4; i++)
        add_both_ways(p, vector_hex(&f, v, fields[i]));
    assert_ok(p256_pair_from_seed(vector_hex(&f, v, "seed"), pair));
}

static void use(const struct p256_pair *pair)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    BUF_AUTO envelope = {0}, symmetric = {0};
    SECRET_AUTO opened = {0};
    SECRET_AUTO again = {0};
    assert_ok(p256_sign(pair, BYTES_LIT("m"), signature));
    assert_ok(p256_seal(p256_pair_public(pair), p256_pair_seed(pair), &envelope));
    assert_ok(p256_open(pair, buf_bytes(&envelope), &opened));
    assert_bytes(secret_bytes(&opened), p256_pair_seed(pair));
    assert_ok(p256_seal_symmetric(pair, p256_pair_seed(pair), &symmetric));
    assert_ok(p256_open_symmetric(pair, buf_bytes(&symmetric), &again));
}

static void secrets_are_only_in_memory_that_is_never_dumped(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(secret_init(true));
    known_pair(&patterns, &pair);
    size_t heap = CRYPTO_secure_used();
    for (int i = 0; i < 3; i++)
        use(pair);
    assert_int_equal(CRYPTO_secure_used(), heap);
    struct count count = count_everywhere(&patterns);
    assert_true(count.regions > 3);
    assert_int_equal(count.hidden, 4); // seed, AES key and two scalars, once each
    assert_int_equal(count.dumped, 0);
}

static void nothing_is_left_of_a_pair_that_was_freed(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(secret_init(true));
    known_pair(&patterns, &pair);
    use(pair);
    p256_pair_free(&pair);
    struct count count = count_everywhere(&patterns);
    assert_int_equal(count.hidden + count.dumped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_only_in_memory_that_is_never_dumped),
        cmocka_unit_test(nothing_is_left_of_a_pair_that_was_freed),
    };
    return cmocka_run_group_tests_name("crypto/p256_memory", tests, NULL, NULL);
}
