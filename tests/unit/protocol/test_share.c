// The bytes a member signs to bind a posted share.
#include "../cmocka_setup.h"

#include "protocol/share.h"

static const uint8_t hash[SHA256_SIZE] = {1, [31] = 2};

static void binding_has_domain_hash_and_both_lengths(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    BUF_AUTO expected = {0};
    assert_ok(share_binding_message(hash, BYTES_LIT("key"), BYTES_LIT("sealed"), &out));
    assert_ok(buf_append_str(&expected, "quorate-share-v1"));
    assert_ok(buf_append(&expected, BYTES_OF(hash)));
    assert_ok(buf_append(&expected, BYTES_LIT("\3\0\0\0key\6\0\0\0sealed")));
    assert_bytes(buf_bytes(&out), buf_bytes(&expected));
}

static void bytes_cannot_move_between_the_key_and_the_ciphertext(void **state)
{
    (void)state;
    BUF_AUTO one = {0};
    BUF_AUTO other = {0};
    assert_ok(share_binding_message(hash, BYTES_LIT("ab"), BYTES_LIT("c"), &one));
    assert_ok(share_binding_message(hash, BYTES_LIT("a"), BYTES_LIT("bc"), &other));
    assert_false(bytes_equal(buf_bytes(&one), buf_bytes(&other)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding_has_domain_hash_and_both_lengths),
        cmocka_unit_test(bytes_cannot_move_between_the_key_and_the_ciphertext),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
