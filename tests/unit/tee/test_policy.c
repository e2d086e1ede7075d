// The policy over claims and its file: every rule admits what it names and refuses what it does not.
#include "snp_vectors.h"

#include "codec/json.h"
#include "tee/policy.h"

#define IMAGE                                                                                      \
    "7158862be7ff7d2ae0a585b872f415cf09b7fe8c6ce170ef944061e7788d73c1"                             \
    "f5835652d8afe9939b01905d5aa7c48c"
#define ZERO32 "0000000000000000000000000000000000000000000000000000000000000000"
#define TCB(product, bootloader, tee, snp, microcode, fmc)                                         \
    "{\"minimumTcb\":[{\"product\":\"" product "\",\"bootloader\":" bootloader ",\"tee\":" tee     \
    ",\"snp\":" snp ",\"microcode\":" microcode ",\"fmc\":" fmc "}]}"

// Claims of a Milan machine: bootloader 4, tee 0, snp 22, microcode 213, VMPL 0.
static void milan(struct arena *a, struct claims *c)
{
    TRUST_AUTO trust = {0};
    BUF_AUTO evidence = {0};
    snp_file("good_milan_v3", ".bin", &evidence);
    snp_trust("ark_milan", &trust);
    assert_ok(attestation_verify(buf_bytes(&evidence), &trust, SNP_AT, a, c));
}

static enum q_err ask(const char *json, const struct claims *c, struct arena *a)
{
    struct tee_policy policy;
    assert_ok(policy_read(bytes_str(json), a, &policy));
    return policy_check(&policy, c);
}

static void the_table_is_well_formed(void **state)
{
    (void)state;
    assert_ok(type_check(&type_tee_policy));
}

static void what_a_policy_names_is_admitted(void **state)
{
    (void)state;
    static const char *const admitting[] = {
        "{}",
        "{\"providers\":[\"nitro\",\"snp\"]}",
        "{\"measurements\":[{\"image\":\"" ZERO32 "\"},{\"image\":\"" IMAGE "\"}]}",
        "{\"measurements\":[{\"image\":\"" IMAGE "\",\"boot\":\"" IMAGE "\",\"role\":\"" ZERO32
        "00000000000000000000000000000000\"}]}",
        TCB("Milan", "4", "0", "22", "213", "0"),
        TCB("Milan", "3", "0", "8", "115", "0"),
        "{\"hostData\":[\"" ZERO32 "\"]}",
        "{\"vmpl\":0}",
    };
    ARENA_AUTO a = {0};
    struct claims c;
    milan(&a, &c);
    assert_ok(policy_check(NULL, &c));
    for (size_t i = 0; i < sizeof admitting / sizeof admitting[0]; i++) {
        if (ask(admitting[i], &c, &a) != Q_OK)
            fail_msg("%s: %s", admitting[i], err_text());
    }
}

static void what_it_does_not_name_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } refusing[] = {
        {"{\"providers\":[\"nitro\",\"sim\"]}", "allowed provider, found snp"},
        {"{\"measurements\":[{\"image\":\"" ZERO32 "\"}]}", "one of 1 images, found another: 7158"},
        {"{\"measurements\":[{\"image\":\"" IMAGE "\",\"application\":\"" IMAGE "\"}]}", "images"},
        {TCB("Milan", "5", "0", "22", "213", "0"), "bootloader: expected at least 5, found 4"},
        {TCB("Milan", "4", "1", "22", "213", "0"), "tee: expected at least 1, found 0"},
        {TCB("Milan", "0", "0", "23", "0", "0"), "snp: expected at least 23, found 22"},
        {TCB("Milan", "0", "0", "0", "214", "0"), "microcode: expected at least 214, found 213"},
        {TCB("Milan", "0", "0", "0", "0", "1"), "fmc: expected at least 1, found 0"},
        {TCB("Genoa", "0", "0", "0", "0", "0"), "a product with a minimum, found Milan"},
        {"{\"hostData\":[\"1111111111111111111111111111111111111111111111111111111111111111\"]}",
         "host data"},
        {"{\"vmpl\":2}", "VMPL: expected 2, found 0"},
    };
    ARENA_AUTO a = {0};
    struct claims c;
    milan(&a, &c);
    for (size_t i = 0; i < sizeof refusing / sizeof refusing[0]; i++)
        assert_refused(ask(refusing[i].json, &c, &a), Q_REFUSED, refusing[i].text);
    c.verified = false;
    assert_refused(ask("{}", &c, &a), Q_ATTESTATION, "only read");
}

static void firmware_that_was_replaced_under_the_guest_is_judged_too(void **state)
{
    (void)state;
    static const struct {
        struct tcb launch;
        const char *text;
    } refusing[] = {
        {{.bootloader = 3, .snp = 22, .microcode = 213}, "start: bootloader: expected at least 4"},
        {{.bootloader = 4, .snp = 21, .microcode = 213}, "start: snp: expected at least 22"},
        {{.bootloader = 4, .snp = 22, .microcode = 212}, "start: microcode: expected at least 213"},
        {{0}, "start: bootloader: expected at least 4, found 0"},
    };
    ARENA_AUTO a = {0};
    struct claims c;
    milan(&a, &c);
    for (size_t i = 0; i < sizeof refusing / sizeof refusing[0]; i++) {
        c.platform.launch = refusing[i].launch;
        assert_refused(ask(TCB("Milan", "4", "0", "22", "213", "0"), &c, &a), Q_REFUSED,
                       refusing[i].text);
        assert_ok(ask("{}", &c, &a));
    }
}

static void simulated_evidence_must_be_named_as_such(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct claims c = {.provider = "nitro", .simulated = true, .verified = true};
    assert_refused(ask("{\"providers\":[\"nitro\"]}", &c, &a), Q_REFUSED, "found sim");
    assert_ok(ask("{\"providers\":[\"sim\"]}", &c, &a));
    c.simulated = false;
    assert_ok(ask("{\"providers\":[\"nitro\"]}", &c, &a));
    assert_refused(ask("{\"providers\":[\"sim\"]}", &c, &a), Q_REFUSED, "found nitro");
    // Nitro says nothing of firmware: only its providers can be chosen.
    assert_ok(ask(TCB("Milan", "9", "9", "9", "9", "9"), &c, &a));
    assert_refused(ask("{\"measurements\":[{\"image\":\"" IMAGE "\"}]}", &c, &a), Q_REFUSED,
                   "images");
}

static void a_file_that_leaves_doubt_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{\"provider\":[\"snp\"]}",
        "{\"providers\":[]}",
        "{\"measurements\":[]}",
        "{\"minimumTcb\":[]}",
        "{\"hostData\":[]}",
        "{\"providers\":[\"sgx\"]}",
        "{\"providers\":\"snp\"}",
        "{\"measurements\":[{}]}",
        "{\"measurements\":[{\"image\":\"00\"}]}",
        "{\"measurements\":[{\"image\":\"" IMAGE "\",\"boot\":\"\"}]}",
        "{\"measurements\":[{\"image\":\"" IMAGE "\",\"pcr8\":\"\"}]}",
        "{\"hostData\":[\"00\"]}",
        "{\"vmpl\":4}",
        "{\"vmpl\":-1}",
        "{\"vmpl\":0,\"vmpl\":1}",
        "{\"minimumTcb\":[{\"product\":\"Milan\"}]}",
        TCB("Rome", "0", "0", "0", "0", "0"),
        TCB("Milan", "-1", "0", "0", "0", "0"),
        "{\"minimumTcb\":[{\"product\":\"Milan\",\"bootloader\":0,\"tee\":0,\"snp\":0,"
        "\"microcode\":0,\"fmc\":0},{\"product\":\"Milan\",\"bootloader\":0,\"tee\":0,\"snp\":0,"
        "\"microcode\":0,\"fmc\":0}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ARENA_AUTO a = {0};
        struct tee_policy policy;
        enum q_err err = policy_read(bytes_str(bad[i]), &a, &policy);
        if (err == Q_OK || err == Q_INTERNAL)
            fail_msg("%s: taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_well_formed),
        cmocka_unit_test(what_a_policy_names_is_admitted),
        cmocka_unit_test(what_it_does_not_name_is_refused),
        cmocka_unit_test(firmware_that_was_replaced_under_the_guest_is_judged_too),
        cmocka_unit_test(simulated_evidence_must_be_named_as_such),
        cmocka_unit_test(a_file_that_leaves_doubt_is_refused),
    };
    if (json_start() != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
