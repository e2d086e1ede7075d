// Shamir sharing: shares byte for byte those of the model, rebuilt from every quorum, refused by
// name (qos-wire 2); and the field underneath.
#include "../vector_file.h"
#include "fixed_random.h"

#include "crypto/gf256.h"
#include "crypto/shamir.h"

static void products_and_inverses_are_those_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/shamir.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "mul"), i, v)
    {
        json_int_t a = json_integer_value(json_array_get(v, 0));
        json_int_t b = json_integer_value(json_array_get(v, 1));
        assert_int_equal(gf256_mul((uint8_t)a, (uint8_t)b),
                         json_integer_value(json_array_get(v, 2)));
    }
    assert_true(i > 0);
    json_array_foreach(vector_field(f.root, "inverses"), i, v)
        assert_int_equal(gf256_inverse((uint8_t)i), json_integer_value(v));
    assert_int_equal(i, 256);
}

// All 65,536 products against multiplication as a school would do it: polynomial product, then
// division.
static void every_product_is_the_remainder_by_0x11b(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            unsigned product = 0;
            for (unsigned bit = 0; bit < 8; bit++)
                product ^= b >> bit & 1 ? a << bit : 0;
            for (unsigned bit = 14; bit >= 8; bit--)
                product ^= product >> bit & 1 ? 0x11bu << (bit - 8) : 0;
            assert_int_equal(gf256_mul((uint8_t)a, (uint8_t)b), product);
        }
    }
}

static struct bytes share_of(const struct secret *shares, size_t size, size_t i)
{
    return bytes_of(shares->p + i * (size + 1), size + 1);
}

static void check_split(struct vector_file *f, const json_t *v)
{
    struct bytes secret = vector_hex(f, v, "secret");
    unsigned n = vector_number(v, "n"), k = vector_number(v, "k");
    SECRET_AUTO shares = {0};
    fixed_random(vector_hex(f, v, "random"));
    enum q_err err = shamir_split(secret, n, k, &shares);
    assert_int_equal(fixed_random_end(), 0);
    assert_ok(err);
    assert_int_equal(shares.n, n * (secret.n + 1));
    size_t i;
    json_t *expected;
    json_array_foreach(vector_field(v, "shares"), i, expected)
        assert_bytes(share_of(&shares, secret.n, i), vector_hex_value(f, expected));
    assert_int_equal(i, n);
}

static void shares_are_those_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/shamir.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "split"), i, v) check_split(&f, v);
    assert_true(i >= 8);
}

static void assert_combines(const struct bytes *shares, size_t count, struct bytes secret)
{
    SECRET_AUTO got = {0};
    assert_ok(shamir_combine(shares, count, &got));
    assert_bytes(secret_bytes(&got), secret);
}

// Every subset of k to n shares, in rising and in falling order.
static void check_subsets(const struct secret *shares, struct bytes secret, unsigned n, unsigned k)
{
    for (unsigned set = 0; set < 1u << n; set++) {
        struct bytes up[8], down[8];
        size_t count = (size_t)__builtin_popcount(set), at = 0;
        for (unsigned i = 0; i < n; i++) {
            if ((set >> i & 1) == 0)
                continue;
            up[at] = down[count - 1 - at] = share_of(shares, secret.n, i);
            at++;
        }
        if (count < k)
            continue;
        assert_combines(up, count, secret);
        assert_combines(down, count, secret);
    }
}

static void check_quorums(struct bytes secret, unsigned n, unsigned k)
{
    SECRET_AUTO shares = {0};
    assert_ok(shamir_split(secret, n, k, &shares));
    check_subsets(&shares, secret, n, k);
}

static void every_quorum_rebuilds_the_secret(void **state)
{
    (void)state;
    const uint8_t secret[] = {0, 1, 2, 0x80, 0xfe, 0xff};
    for (unsigned n = 2; n <= 6; n++) {
        for (unsigned k = 2; k <= n; k++)
            check_quorums(BYTES_OF(secret), n, k);
    }
}

static void the_largest_set_rebuilds_from_its_last_shares(void **state)
{
    (void)state;
    uint8_t secret[32];
    struct bytes quorum[128];
    SECRET_AUTO shares = {0};
    assert_ok(random_bytes(secret, sizeof secret));
    assert_ok(shamir_split(BYTES_OF(secret), SHAMIR_MAX_SHARES, 128, &shares));
    for (size_t i = 0; i < 128; i++)
        quorum[i] = share_of(&shares, sizeof secret, SHAMIR_MAX_SHARES - 1 - i);
    assert_combines(quorum, 128, BYTES_OF(secret));
}

static void too_few_shares_give_another_secret_and_no_error(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/shamir.json");
    const json_t *v = vector_field(f.root, "too_few");
    const json_t *list = vector_field(v, "shares");
    struct bytes shares[2];
    for (size_t i = 0; i < 2; i++)
        shares[i] = vector_hex_value(&f, json_array_get(list, i));
    assert_combines(shares, 2, vector_hex(&f, v, "combined"));
}

static void malformed_sets_of_shares_are_refused_by_name(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/shamir.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "refused"), i, v)
    {
        const json_t *list = vector_field(v, "shares");
        struct bytes shares[8];
        char name[96];
        SECRET_AUTO got = {0};
        assert_true(json_array_size(list) <= 8);
        for (size_t j = 0; j < json_array_size(list); j++)
            shares[j] = vector_hex_value(&f, json_array_get(list, j));
        (void)snprintf(name, sizeof name, "QosCrypto(Vsss(%s)): ", vector_text(v, "error"));
        print_message("%s\n", vector_text(v, "name"));
        assert_refused(shamir_combine(shares, json_array_size(list), &got), Q_CRYPTO, name);
        assert_null(got.p);
    }
    assert_true(i >= 11);
}

static void more_shares_than_identifiers_are_refused(void **state)
{
    (void)state;
    uint8_t data[300][2];
    struct bytes shares[300];
    SECRET_AUTO got = {0};
    for (size_t i = 0; i < 300; i++) {
        data[i][0] = (uint8_t)(i % 255 + 1);
        data[i][1] = 7;
        shares[i] = BYTES_OF(data[i]);
    }
    assert_refused(shamir_combine(shares, 300, &got), Q_CRYPTO, "SharingDuplicateIdentifier");
    assert_null(got.p);
}

static void impossible_thresholds_and_secrets_are_refused_by_name(void **state)
{
    (void)state;
    static const uint8_t large[(64 << 10) + 1];
    const struct {
        size_t length;
        unsigned n, k;
        const char *name;
    } cases[] = {
        {32, 3, 0, "SharingMinThreshold"},
        {32, 3, 1, "SharingMinThreshold"},
        {32, 1, 1, "SharingMinThreshold"},
        {32, 0, 0, "SharingMinThreshold"},
        {32, 1, 2, "SharingLimitLessThanThreshold"},
        {32, 4, 5, "SharingLimitLessThanThreshold"},
        {32, 255, 256, "SharingLimitLessThanThreshold"},
        {32, 256, 2, "SharingMaxRequest"},
        {32, UINT32_MAX, UINT32_MAX, "SharingMaxRequest"},
        {0, 3, 2, "InvalidSecret"},
        {sizeof large, 3, 2, "InvalidSecret"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SECRET_AUTO shares = {0};
        char name[96];
        (void)snprintf(name, sizeof name, "QosCrypto(Vsss(%s)): ", cases[i].name);
        assert_refused(
            shamir_split(bytes_of(large, cases[i].length), cases[i].n, cases[i].k, &shares),
            Q_CRYPTO, name);
        assert_null(shares.p);
    }
}

static void splitting_without_enough_randomness_fails(void **state)
{
    (void)state;
    SECRET_AUTO shares = {0};
    fixed_random(BYTES_LIT("one byte too few of these 64 bytes, as the polynomials want: ..."));
    fixed_stream.in.n = 63;
    enum q_err err = shamir_split(bytes_of("0123456789abcdef0123456789abcdef", 32), 3, 3, &shares);
    fixed_random_end();
    assert_refused(err, Q_BAD_INPUT, "fixed randomness: expected 64 bytes");
    assert_null(shares.p);
}

// Every pair and the whole set, given as a JSON array or object of shares.
static void check_shared_set(struct vector_file *f, const json_t *list, struct bytes secret)
{
    struct bytes shares[3];
    const char *const names[] = {"user1", "user2", "user3"};
    for (size_t i = 0; i < 3; i++)
        shares[i] = vector_hex_value(f, json_is_array(list) ? json_array_get(list, i)
                                                            : vector_field(list, names[i]));
    assert_combines(shares, 3, secret);
    assert_combines(shares, 2, secret);
    assert_combines(shares + 1, 2, secret);
    shares[1] = shares[2];
    assert_combines(shares, 2, secret);
}

static void shares_of_the_shared_vectors_combine(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/qos/crypto/shamir.json");
    const json_t *old = vector_field(f.root, "old_shares");
    const json_t *boot = vector_field(f.root, "boot_e2e");
    const json_t *field = vector_field(f.root, "gf256");
    check_shared_set(&f, vector_field(old, "shares"), bytes_str(vector_text(old, "secret_ascii")));
    check_shared_set(&f, vector_field(boot, "shares"), vector_hex(&f, boot, "secret_master_seed"));
    assert_int_equal(gf256_mul(0x53, 0xca), vector_number(field, "mul_53_ca"));
    assert_int_equal(gf256_inverse(0x53), vector_number(field, "inv_53"));
}

// The coefficients of one secret byte stand together in the file; coefficients of x^1 and up are
// drawn.
static void fixed_polynomials_of_the_shared_vectors_give_their_shares(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/qos/crypto/shamir.json");
    const json_t *v = vector_field(f.root, "derived_fixed_poly");
    struct bytes secret = vector_hex(&f, v, "secret");
    unsigned k = vector_number(v, "k");
    uint8_t random[64];
    SECRET_AUTO shares = {0};
    assert_true((k - 1) * secret.n <= sizeof random);
    for (size_t j = 0; j < secret.n; j++) {
        const json_t *polynomial = json_array_get(vector_field(v, "coefficients_per_byte"), j);
        assert_int_equal(json_integer_value(json_array_get(polynomial, 0)), secret.p[j]);
        for (size_t c = 1; c < k; c++)
            random[(c - 1) * secret.n + j] =
                (uint8_t)json_integer_value(json_array_get(polynomial, c));
    }
    fixed_random(bytes_of(random, (k - 1) * secret.n));
    enum q_err err = shamir_split(secret, SHAMIR_MAX_SHARES, k, &shares);
    assert_int_equal(fixed_random_end(), 0);
    assert_ok(err);
    size_t i;
    json_t *expected;
    json_array_foreach(vector_field(v, "shares"), i, expected)
    {
        struct bytes share = vector_hex_value(&f, expected);
        assert_bytes(share_of(&shares, secret.n, share.p[0] - 1u), share);
    }
    assert_true(i > 0);
}

static void eight_products_at_once_are_those_of_one_by_one(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t each[8];
            uint64_t word;
            for (unsigned i = 0; i < 8; i++)
                each[i] = (uint8_t)(a + 37 * i);
            memcpy(&word, each, sizeof word);
            word = gf256_mul8(word, (uint8_t)b);
            for (unsigned i = 0; i < 8; i++)
                each[i] = gf256_mul(each[i], (uint8_t)b);
            assert_memory_equal(&word, each, sizeof each);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_products_at_once_are_those_of_one_by_one),
        cmocka_unit_test(products_and_inverses_are_those_of_the_model),
        cmocka_unit_test(every_product_is_the_remainder_by_0x11b),
        cmocka_unit_test(shares_are_those_of_the_model),
        cmocka_unit_test(every_quorum_rebuilds_the_secret),
        cmocka_unit_test(the_largest_set_rebuilds_from_its_last_shares),
        cmocka_unit_test(too_few_shares_give_another_secret_and_no_error),
        cmocka_unit_test(malformed_sets_of_shares_are_refused_by_name),
        cmocka_unit_test(more_shares_than_identifiers_are_refused),
        cmocka_unit_test(impossible_thresholds_and_secrets_are_refused_by_name),
        cmocka_unit_test(splitting_without_enough_randomness_fails),
        cmocka_unit_test(shares_of_the_shared_vectors_combine),
        cmocka_unit_test(fixed_polynomials_of_the_shared_vectors_give_their_shares),
    };
    return cmocka_run_group_tests_name("crypto/shamir", tests, NULL, NULL);
}
