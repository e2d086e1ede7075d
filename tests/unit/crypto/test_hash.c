// crypto/hash.h: the digests of FIPS 180-4's examples, and SHA-384 over two pieces as PCRs use it.
#include "../vector_file.h"

#include "crypto/hash.h"

static struct bytes unhex(const char *text, uint8_t *out, size_t size)
{
    size_t n = 0;
    assert_int_equal(sodium_hex2bin(out, size, text, strlen(text), NULL, &n, NULL), 0);
    return bytes_of(out, n);
}

struct example {
    struct bytes in;
    const char *sha256, *sha384, *sha512;
};

static void check_example(const struct example *e)
{
    uint8_t got[SHA512_SIZE], want[SHA512_SIZE];
    assert_ok(sha256(e->in, got));
    assert_bytes(bytes_of(got, SHA256_SIZE), unhex(e->sha256, want, sizeof want));
    assert_ok(sha384(e->in, got));
    assert_bytes(bytes_of(got, SHA384_SIZE), unhex(e->sha384, want, sizeof want));
    assert_ok(sha512(e->in, got));
    assert_bytes(bytes_of(got, SHA512_SIZE), unhex(e->sha512, want, sizeof want));
}

static void digests_are_those_of_fips_180_4(void **state)
{
    (void)state;
    const struct example examples[] = {
        {BYTES_LIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
        {BYTES_NONE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
         "274edebfe76f65fbd51ad2f14898b95b",
         "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
         "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        check_example(&examples[i]);
}

static void sha384_pair_is_the_digest_of_both_pieces_in_order(void **state)
{
    (void)state;
    uint8_t pair[SHA384_SIZE], whole[SHA384_SIZE];
    assert_ok(sha384_pair(BYTES_LIT("a"), BYTES_LIT("bc"), pair));
    assert_ok(sha384(BYTES_LIT("abc"), whole));
    assert_memory_equal(pair, whole, sizeof pair);
    assert_ok(sha384_pair(BYTES_NONE, BYTES_LIT("abc"), pair));
    assert_memory_equal(pair, whole, sizeof pair);
    assert_ok(sha384_pair(BYTES_LIT("bc"), BYTES_LIT("a"), pair));
    assert_memory_not_equal(pair, whole, sizeof pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180_4),
        cmocka_unit_test(sha384_pair_is_the_digest_of_both_pieces_in_order),
    };
    return cmocka_run_group_tests_name("crypto/hash", tests, NULL, NULL);
}
