// Approvals of a manifest: every way in which they fail, in the original's order and by its names.
#include "protocol_vectors.h"

#include "crypto/p256.h"

static void check_row(const json_t *row)
{
    ARENA_AUTO a = {0};
    struct manifest_envelope e;
    struct protocol_error why = {.tag = PE_COUNT};
    const char *name = vector_text(row, "name");
    const char *error = json_string_value(json_object_get(row, "error"));
    const char *p256 = json_string_value(json_object_get(row, "p256"));
    assert_ok(envelope_read(text_field(row, "envelope"), &a, &e));
    enum q_err err = envelope_check_approvals(&e, &why);
    if (error == NULL) {
        if (err != Q_OK)
            fail_msg("%s: %s", name, err_text());
        return;
    }
    if (err != Q_REFUSED ||
        strcmp(protocol_error_name((enum protocol_error_kind)why.tag), error) != 0)
        fail_msg("%s: expected %s, got %d: %s", name, error, (int)err, err_text());
    assert_non_null(strstr(err_text(), error));
    if (p256 != NULL)
        assert_string_equal(type_p256_error.variants[why.p256.tag].name, p256);
}

static void approvals_hold_or_fail_by_these_names(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/approvals.json");
    size_t i;
    json_t *row;
    assert_true(json_array_size(f.root) > 20);
    json_array_foreach(f.root, i, row)
    {
        check_row(row);
    }
}

static const json_t *row_named(const struct vector_file *f, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(f->root, i, row)
    {
        if (strcmp(vector_text(row, "name"), name) == 0)
            return row;
    }
    fail_msg("no row %s", name);
    return NULL;
}

static void an_invalid_approval_is_carried_and_its_alias_named(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    VECTOR_FILE_AUTO f;
    struct manifest_envelope e;
    struct protocol_error why;
    vector_file_own(&f, "protocol/approvals.json");
    const json_t *row = row_named(&f, "of another manifest");
    assert_ok(envelope_read(text_field(row, "envelope"), &a, &e));
    assert_refused(envelope_check_approvals(&e, &why), Q_REFUSED, "approval of bo");
    assert_bytes(why.approval.member.alias, BYTES_LIT("bo"));
    assert_bytes(why.approval.signature, e.manifest_set_approvals.items[1].signature);
}

static void refusals_name_the_alias(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"a stranger", "approval of stranger"},
        {"twice the same member", "approval of ann"},
        {"two members with one key", "members ann and twin have the same encryption key"},
        {"two members with one signing key", "members ann and x have the same signing key"},
        {"a member whose key is not one", "member x"},
    };
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/approvals.json");
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ARENA_AUTO a = {0};
        struct manifest_envelope e;
        const json_t *row = row_named(&f, expected[i][0]);
        assert_ok(envelope_read(text_field(row, "envelope"), &a, &e));
        assert_refused(envelope_check_approvals(&e, NULL), Q_REFUSED, expected[i][1]);
    }
}

static void share_set_approvals_and_the_share_set_do_not_matter_here(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    VECTOR_FILE_AUTO f;
    struct manifest_envelope e;
    vector_file_own(&f, "protocol/manifests.json");
    const json_t *envelope = vector_field(manifest_row(&f, 1), "envelope");
    assert_ok(envelope_read(text_field(envelope, "storage"), &a, &e));
    assert_int_equal(e.share_set_approvals.n, 1);
    assert_ok(envelope_check_approvals(&e, NULL));
}

static void refuse_records_kind_and_sentence(void **state)
{
    (void)state;
    struct protocol_error why = {.tag = PE_LOW_NONCE, .low_nonce = {1, 2}};
    assert_refused(refuse(&why, PE_WRONG_QUORUM_KEY, "share set: %d", 7), Q_REFUSED,
                   "WrongQuorumKey: share set: 7");
    assert_int_equal(why.tag, PE_WRONG_QUORUM_KEY);
    assert_int_equal(why.low_nonce.expected, 0);
    assert_refused(refuse(NULL, PE_INVALID_SHARE, "x"), Q_REFUSED, "InvalidShare: x");
}

static void refuse_p256_keeps_the_cryptographic_cause(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    struct p256_public key;
    assert_int_not_equal(p256_public_parse(BYTES_LIT("short"), &key), Q_OK);
    assert_refused(refuse_p256(&why, PE_INVALID_P256_DR_KEY, "DR key"), Q_REFUSED,
                   "InvalidP256DRKey: DR key: EncodedPublicKeyTooShort");
    assert_int_equal(why.tag, PE_INVALID_P256_DR_KEY);
    assert_int_equal(why.p256.tag, P256_PUBLIC_KEY_TOO_SHORT);
}

static void refuse_p256_without_a_cause_can_still_be_encoded(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    struct message m = {.tag = MSG_PROTOCOL_ERROR_RESPONSE};
    (void)fail(Q_NOMEM, "no memory");
    assert_refused(refuse_p256(&m.error, PE_P256_ERROR, "key"), Q_REFUSED, "no memory");
    assert_ok(message_encode(&m, ENCODING_JSON, &out, NULL));
    assert_non_null(strstr(buf_text(&out), "{\"P256Error\":{\"IOError\":"));
}

static void shared_golden_approval_holds(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO manifest = {0};
    BUF_AUTO approval = {0};
    BUF_AUTO stored = {0};
    struct manifest_envelope e = {0};
    struct approval one;
    shared_bytes("derived/golden_manifest_v2.canonical.json", &manifest);
    shared_bytes("derived/golden_v2.approval", &approval);
    assert_ok(manifest_read(buf_bytes(&manifest), &a, &e.manifest));
    assert_ok(approval_read(buf_bytes(&approval), &a, &one));
    assert_ok(json_encode(&type_approval, &one, JSON_PLAIN, &stored));
    assert_bytes(buf_bytes(&stored), buf_bytes(&approval));
    e.manifest_set_approvals.items = &one;
    e.manifest_set_approvals.n = 1;
    assert_ok(envelope_check_approvals(&e, NULL));
    e.manifest.namespace.nonce++;
    assert_refused(envelope_check_approvals(&e, NULL), Q_REFUSED, "InvalidManifestApproval");
}

// The members have no keys: nothing of them may be looked at.
static void more_members_or_approvals_than_are_worth_checking_are_refused(void **state)
{
    (void)state;
    static struct member members[VOTERS_MAX + 1];
    static struct approval approvals[VOTERS_MAX + 1];
    struct protocol_error why = {0};
    struct manifest_envelope e = {
        .manifest.manifest_set.members = {members, VOTERS_MAX + 1},
        .manifest_set_approvals = {approvals, 1},
    };
    assert_refused(envelope_check_approvals(&e, &why), Q_REFUSED, "at most 1000 members");
    assert_int_equal(why.tag, PE_INVALID_MSG);
    e.manifest.manifest_set.members.n = 1;
    e.manifest_set_approvals.n = VOTERS_MAX + 1;
    assert_refused(envelope_check_approvals(&e, &why), Q_REFUSED, "at most 1000 members");
    e.manifest_set_approvals.n = 1;
    assert_refused(envelope_check_approvals(&e, &why), Q_REFUSED, "P256Error"); // looks at them
}

static void shared_golden_envelope_holds(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    BUF_AUTO stored = {0};
    struct manifest_envelope e;
    shared_bytes("derived/golden_manifest_envelope_v2.canonical.json", &file);
    assert_ok(envelope_read(buf_bytes(&file), &a, &e));
    assert_ok(envelope_store(&e, &stored));
    assert_bytes(buf_bytes(&stored), buf_bytes(&file));
    assert_ok(envelope_check_approvals(&e, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(approvals_hold_or_fail_by_these_names),
        cmocka_unit_test(an_invalid_approval_is_carried_and_its_alias_named),
        cmocka_unit_test(refusals_name_the_alias),
        cmocka_unit_test(share_set_approvals_and_the_share_set_do_not_matter_here),
        cmocka_unit_test(refuse_records_kind_and_sentence),
        cmocka_unit_test(refuse_p256_keeps_the_cryptographic_cause),
        cmocka_unit_test(refuse_p256_without_a_cause_can_still_be_encoded),
        cmocka_unit_test(shared_golden_approval_holds),
        cmocka_unit_test(shared_golden_envelope_holds),
        cmocka_unit_test(more_members_or_approvals_than_are_worth_checking_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
