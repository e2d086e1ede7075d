// Plans and approvals of a resharing: every rule, the two roles, the hash that is no manifest's, and the chain.
#include "../cmocka_setup.h"

#include "../reshare_scene.h"

#include "codec/json.h"

static void refuses(const struct reshare_plan *p, enum protocol_error_kind kind)
{
    struct protocol_error why = {0};
    assert_int_equal(reshare_plan_check(p, &why), Q_REFUSED);
    assert_int_equal(why.tag, kind);
}

static void a_plan_is_written_and_read_as_the_same(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0}, again = {0};
    struct reshare_plan read;
    uint8_t hash[SHA256_SIZE];
    s->plan.dr_key = s->people[0].pub_key;
    s->plan.new_key = true;
    assert_ok(reshare_plan_write(&s->plan, &file));
    assert_ok(reshare_plan_read(buf_bytes(&file), &a, &read));
    assert_ok(reshare_plan_write(&read, &again));
    assert_bytes(buf_bytes(&again), buf_bytes(&file));
    assert_ok(reshare_plan_hash(&s->plan, s->hash));
    assert_ok(reshare_plan_hash(&read, hash));
    assert_memory_equal(hash, s->hash, sizeof hash);
}

static void the_hash_is_of_its_domain_and_the_file(void **state)
{
    struct reshare_scene *s = *state;
    BUF_AUTO file = {0}, with_domain = {0};
    uint8_t hash[SHA256_SIZE], bare[SHA256_SIZE];
    assert_ok(reshare_plan_write(&s->plan, &file));
    assert_ok(buf_append_str(&with_domain, "quorate-reshare-plan-v1"));
    assert_ok(buf_append(&with_domain, buf_bytes(&file)));
    assert_ok(sha256(buf_bytes(&with_domain), hash));
    assert_memory_equal(hash, s->hash, sizeof hash);
    assert_ok(sha256(buf_bytes(&file), bare));
    assert_memory_not_equal(bare, s->hash, sizeof bare);
}

static void other_forms_of_a_plan_are_refused(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0}, plain = {0};
    struct reshare_plan read;
    assert_ok(reshare_plan_write(&s->plan, &file));
    for (size_t n = 0; n < file.n; n += 7)
        assert_int_not_equal(reshare_plan_read(bytes_of(file.p, n), &a, &read), Q_OK);
    assert_ok(json_encode(&type_reshare_plan, &s->plan, JSON_PLAIN, &plain));
    assert_int_equal(reshare_plan_read(buf_bytes(&plain), &a, &read), Q_BAD_INPUT);
    assert_ok(buf_append_str(&file, "\n"));
    assert_int_equal(reshare_plan_read(buf_bytes(&file), &a, &read), Q_BAD_INPUT);
}

static void every_rule_of_a_plan_is_kept(void **state)
{
    struct reshare_scene *s = *state;
    uint8_t off_curve[P256_PUBLIC_SIZE] = {4};
    struct reshare_plan p = s->plan;
    struct member twice[2] = {s->people[0], s->people[0]};
    assert_ok(reshare_plan_check(&p, NULL));
    p.format = BYTES_LIT("quorate-reshare-plan-v2");
    refuses(&p, PE_INVALID_MSG);
    p = s->plan;
    p.namespace.n = 0;
    refuses(&p, PE_INVALID_MSG);
    p = s->plan;
    p.epoch = 0;
    refuses(&p, PE_INVALID_MSG);
    p = s->plan;
    p.old_share_hashes.n--;
    refuses(&p, PE_INVALID_MSG);
    p = s->plan;
    p.quorum_key = BYTES_OF(off_curve);
    refuses(&p, PE_P256_ERROR);
    p = s->plan;
    p.dr_key = BYTES_OF(off_curve);
    refuses(&p, PE_INVALID_P256_DR_KEY);
    struct member_set *const sets[] = {&p.manifest_set, &p.old_share_set, &p.new_share_set};
    for (size_t i = 0; i < 3; i++) {
        p = s->plan;
        *sets[i] = scene_set(twice, 2, 2);
        refuses(&p, PE_DUPLICATE_QUORUM_MEMBER);
        p = s->plan;
        sets[i]->threshold = 0;
        refuses(&p, i == 0 ? PE_NOT_ENOUGH_APPROVALS : PE_QOS_CRYPTO);
        p = s->plan;
        sets[i]->threshold = (uint32_t)sets[i]->members.n + 1;
        refuses(&p, i == 0 ? PE_NOT_ENOUGH_APPROVALS : PE_QOS_CRYPTO);
    }
    p = s->plan;
    p.new_share_set = scene_set(s->people, 1, 2); // the development share set is none here
    refuses(&p, PE_QOS_CRYPTO);
}

static void approval_is(const struct reshare_scene *s, enum reshare_role role,
                        const struct approval *a, enum protocol_error_kind kind)
{
    struct protocol_error why = {0};
    assert_int_equal(reshare_approval_check(&s->plan, s->hash, role, a, NULL, &why), Q_REFUSED);
    assert_int_equal(why.tag, kind);
}

static void an_approval_serves_one_role_of_one_plan_alone(void **state)
{
    struct reshare_scene *s = *state;
    size_t index = 99;
    for (int role = 0; role < 2; role++) {
        assert_ok(reshare_approval_check(&s->plan, s->hash, (enum reshare_role)role,
                                         &s->approvals[role][1], &index, NULL));
        assert_int_equal(index, 1);
        approval_is(s, (enum reshare_role)role, &s->approvals[1 - role][1],
                    PE_COULD_NOT_VERIFY_APPROVAL);
    }
    struct approval bare = s->approvals[0][0], renamed = bare, wrong_key = bare;
    uint8_t signature[P256_SIGNATURE_SIZE];
    assert_ok(p256_sign(s->pairs[0], BYTES_OF(s->hash), signature)); // as a manifest is approved
    bare.signature = BYTES_OF(signature);
    approval_is(s, RESHARE_ROLE_MANIFEST, &bare, PE_COULD_NOT_VERIFY_APPROVAL);
    renamed.member.alias = BYTES_LIT("bob");
    approval_is(s, RESHARE_ROLE_MANIFEST, &renamed, PE_NOT_MANIFEST_SET_MEMBER);
    wrong_key.member.pub_key = BYTES_LIT("x");
    approval_is(s, RESHARE_ROLE_MANIFEST, &wrong_key, PE_P256_ERROR);
    renamed = s->approvals[1][0];
    renamed.member.alias = BYTES_LIT("bob");
    approval_is(s, RESHARE_ROLE_SHARE, &renamed, PE_NOT_SHARE_SET_MEMBER);
    s->plan.epoch = 2;
    assert_ok(reshare_plan_hash(&s->plan, s->hash));
    approval_is(s, RESHARE_ROLE_MANIFEST, &s->approvals[0][0], PE_COULD_NOT_VERIFY_APPROVAL);
}

static void as_many_members_as_are_needed_each_once(void **state)
{
    struct reshare_scene *s = *state;
    struct protocol_error why;
    for (int role = 0; role < 2; role++) {
        struct approval *all = s->approvals[role], twice[2] = {all[0], all[0]};
        enum reshare_role r = (enum reshare_role)role;
        assert_ok(reshare_approvals_check(&s->plan, s->hash, r, all, 2, NULL));
        assert_ok(reshare_approvals_check(&s->plan, s->hash, r, all, 3, NULL));
        for (size_t n = 0; n < 2; n++) {
            assert_int_equal(reshare_approvals_check(&s->plan, s->hash, r, all, n, &why),
                             Q_REFUSED);
            assert_int_equal(why.tag, PE_NOT_ENOUGH_APPROVALS);
        }
        assert_int_equal(reshare_approvals_check(&s->plan, s->hash, r, twice, 2, &why), Q_REFUSED);
        assert_int_equal(why.tag, PE_DUPLICATE_APPROVAL);
    }
}

// What a genesis of the old set could have left, as far as the chain looks.
static struct genesis_output genesis_of(struct reshare_scene *s,
                                        struct genesis_member_output outputs[static OLD])
{
    struct genesis_output g = {.set = {.members = {s->people, OLD}, .threshold = 2},
                               .quorum_key = s->plan.quorum_key,
                               .member_outputs = {outputs, OLD}};
    for (size_t i = 0; i < OLD; i++) {
        outputs[i].share_set_member = s->people[i];
        outputs[i].encrypted_share = BYTES_LIT("x");
        memcpy(outputs[i].share_hash, s->hashes[i].bytes, SHA512_SIZE);
    }
    g.test_message_ciphertext = g.test_message_signature = g.test_message = BYTES_LIT("x");
    return g;
}

static void a_plan_follows_the_epoch_it_was_made_after_and_no_other(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    struct genesis_member_output outputs[OLD] = {0};
    struct genesis_output g = genesis_of(s, outputs);
    struct share_epoch before;
    struct reshare_plan p, changed;
    assert_ok(share_epoch_of_genesis(&g, &before));
    assert_int_equal(before.epoch, 0);
    assert_ok(reshare_plan_after(&before, &a, &p));
    p.namespace = s->plan.namespace;
    p.new_share_set = s->plan.new_share_set;
    p.manifest_set = s->plan.manifest_set;
    assert_ok(reshare_plan_check(&p, NULL));
    assert_ok(reshare_plan_follows(&p, &before));
    changed = p;
    changed.epoch = 2;
    assert_int_equal(reshare_plan_follows(&changed, &before), Q_REFUSED);
    changed = p;
    changed.previous[0] ^= 1;
    assert_int_equal(reshare_plan_follows(&changed, &before), Q_REFUSED);
    changed = p;
    changed.quorum_key = s->people[0].pub_key;
    assert_int_equal(reshare_plan_follows(&changed, &before), Q_REFUSED);
    changed = p;
    changed.old_share_set.threshold = 3;
    assert_int_equal(reshare_plan_follows(&changed, &before), Q_REFUSED);
    p.old_share_hashes.items[1].bytes[5] ^= 1;
    assert_int_equal(reshare_plan_follows(&p, &before), Q_REFUSED);
    before.namespace = BYTES_LIT("other");
    p.old_share_hashes.items[1].bytes[5] ^= 1;
    assert_int_equal(reshare_plan_follows(&p, &before), Q_REFUSED);
    before.epoch = UINT64_MAX;
    assert_int_equal(reshare_plan_after(&before, &a, &p), Q_LIMIT);
    g.member_outputs.n--; // two lists that say different things
    assert_int_equal(reshare_plan_after(&before, &a, &p), Q_REFUSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(a_plan_is_written_and_read_as_the_same),
        TEST(the_hash_is_of_its_domain_and_the_file),
        TEST(other_forms_of_a_plan_are_refused),
        TEST(every_rule_of_a_plan_is_kept),
        TEST(an_approval_serves_one_role_of_one_plan_alone),
        TEST(as_many_members_as_are_needed_each_once),
        TEST(a_plan_follows_the_epoch_it_was_made_after_and_no_other),
    };
    return cmocka_run_group_tests_name("protocol/reshare", tests, NULL, NULL);
}
