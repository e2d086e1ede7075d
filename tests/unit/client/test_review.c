// The questions of approve-manifest and proxy-re-encrypt-share word by word (client/manifest/review.h,
// qos-behaviour 1.7).
#include "../cmocka_setup.h"

#include "client/manifest/review.h"

#include <stdlib.h>

static struct manifest plain_manifest(enum manifest_version version)
{
    return (struct manifest){
        .version = version,
        .namespace = {.name = BYTES_LIT("production-v1"), .nonce = 7},
        .pivot = {.restart = {RESTART_NEVER}},
    };
}

static void fill_lists(struct bytes args[static 2], struct bridge bridges[static 3])
{
    args[0] = BYTES_LIT("--msg");
    args[1] = BYTES_LIT("say \"hi\"\n\x1b[2J");
    bridges[0] = (struct bridge){.tag = BRIDGE_SERVER, .server = {3000, BYTES_LIT("0.0.0.0")}};
    bridges[1] = (struct bridge){.tag = BRIDGE_CLIENT, .client = {443, BYTES_LIT("example.com")}};
    bridges[2] = (struct bridge){.tag = BRIDGE_CLIENT, .client = {80, BYTES_NONE}};
}

static struct manifest full_manifest(struct bytes args[static 2], struct bridge bridges[static 3])
{
    fill_lists(args, bridges);
    struct manifest m = plain_manifest(MANIFEST_V1);
    m.pivot.restart.tag = RESTART_ALWAYS;
    m.pivot.debug_mode = true;
    m.pivot.args.items = args;
    m.pivot.args.n = 2;
    m.pivot.bridges.items = bridges;
    m.pivot.bridges.n = 3;
    return m;
}

// Runs ask with these answers; said is what was printed.
struct asked {
    enum q_err err;
    char *said;
};

static struct asked ask_with(const char *answers, const struct manifest *m,
                             const struct manifest_envelope *e, struct bytes role)
{
    struct asked a = {.said = NULL};
    size_t n;
    const struct prompt p = {fmemopen((void *)(uintptr_t)answers, strlen(answers), "r"),
                             open_memstream(&a.said, &n)};
    assert_non_null(p.in);
    assert_non_null(p.out);
    a.err = m != NULL ? review_manifest(&p, m) : review_provision(&p, e, role);
    (void)fclose(p.in);
    (void)fclose(p.out);
    return a;
}

static void expect_manifest(const char *answers, const struct manifest *m, const char *said)
{
    struct asked a = ask_with(answers, m, NULL, BYTES_NONE);
    assert_ok(a.err);
    assert_string_equal(a.said, said);
    free(a.said);
}

#define FIRST_SEVEN(version)                                                                       \
    "Is this the correct manifest schema version: " version "? (y/n)\n"                            \
    "Is this the correct namespace name: production-v1? (y/n)\n"                                   \
    "Is this the correct namespace nonce: 7? (y/n)\n"                                              \
    "Is this the correct pivot restart policy: RestartPolicy::Never? (y/n)\n"                      \
    "Are these the correct pivot args:\n[]?\n(y/n)\n"                                              \
    "Is this the correct pivot debug mode: false? (y/n)\n"                                         \
    "Is this the correct pivot bridge configuration:\n[]?\n(y/n)\n"

static void versions_0_and_1_have_seven_questions(void **state)
{
    (void)state;
    struct manifest m = plain_manifest(MANIFEST_V1);
    expect_manifest("y\ny\ny\ny\ny\ny\ny\n", &m, FIRST_SEVEN("v1"));
    m.version = MANIFEST_V0;
    expect_manifest("y\ny\ny\ny\ny\ny\ny\n", &m, FIRST_SEVEN("v0"));
}

static void lists_are_shown_as_rust_shows_them(void **state)
{
    (void)state;
    struct bytes args[2];
    struct bridge bridges[3];
    struct manifest m = full_manifest(args, bridges);
    expect_manifest(
        "y\ny\ny\ny\ny\ny\ny\n", &m,
        "Is this the correct manifest schema version: v1? (y/n)\n"
        "Is this the correct namespace name: production-v1? (y/n)\n"
        "Is this the correct namespace nonce: 7? (y/n)\n"
        "Is this the correct pivot restart policy: RestartPolicy::Always? (y/n)\n"
        "Are these the correct pivot args:\n[\"--msg\", \"say \\\"hi\\\"\\n\\u{1b}[2J\"]?\n(y/n)\n"
        "Is this the correct pivot debug mode: true? (y/n)\n"
        "Is this the correct pivot bridge configuration:\n"
        "[Server { port: 3000, host: \"0.0.0.0\" }, Client { port: 443, host: "
        "Some(\"example.com\") }, Client { port: 80, host: None }]?\n(y/n)\n");
}

static void version_2_asks_about_dns(void **state)
{
    (void)state;
    struct bytes resolvers[] = {BYTES_LIT("1.1.1.1"), BYTES_LIT("2606:4700:4700::1111")};
    struct dns_config dns = {.resolvers = {.items = resolvers, .n = 0}};
    struct manifest m = plain_manifest(MANIFEST_V2);
    const char *yes = "y\ny\ny\ny\ny\ny\ny\ny\n";
    expect_manifest(yes, &m,
                    FIRST_SEVEN("v2") "Is this the correct DNS configuration: absent? (y/n)\n");
    m.dns = &dns;
    expect_manifest(yes, &m,
                    FIRST_SEVEN("v2") "Is this the correct DNS configuration: configured with no "
                                      "resolvers? (y/n)\n");
    dns.resolvers.n = 2;
    expect_manifest(yes, &m,
                    FIRST_SEVEN("v2") "Are these the correct DNS resolvers:\n"
                                      "[1.1.1.1, 2606:4700:4700::1111]?\n(y/n)\n");
}

static void an_environment_is_never_signed_unseen(void **state)
{
    (void)state;
    struct env_var env[] = {{BYTES_LIT("LD_PRELOAD"), BYTES_LIT("/tmp/x.so")}};
    struct manifest m = plain_manifest(MANIFEST_V2);
    m.pivot.env.items = env;
    m.pivot.env.n = 1;
    expect_manifest("y\ny\ny\ny\ny\ny\ny\ny\ny\n", &m,
                    FIRST_SEVEN("v2") "Is this the correct DNS configuration: absent? (y/n)\n"
                                      "Is this the correct pivot environment:\n"
                                      "[LD_PRELOAD: \"/tmp/x.so\"]?\n(y/n)\n");
    struct asked a = ask_with("y\ny\ny\ny\ny\ny\ny\ny\nn\n", &m, NULL, BYTES_NONE);
    assert_int_equal(a.err, Q_REFUSED);
    free(a.said);
}

static void each_no_ends_the_review(void **state)
{
    (void)state;
    struct bytes args[2];
    struct bridge bridges[3];
    struct manifest m = full_manifest(args, bridges);
    m.version = MANIFEST_V2;
    for (size_t good = 0; good < 8; good++) {
        char answers[32] = "";
        for (size_t i = 0; i < good; i++)
            strncat(answers, "y\n", 3);
        strncat(answers, "n\n", 3);
        struct asked a = ask_with(answers, &m, NULL, BYTES_NONE);
        assert_refused(a.err, Q_REFUSED, "not confirmed: ");
        size_t questions = 0;
        for (const char *q = strstr(a.said, "(y/n)"); q != NULL; q = strstr(q + 1, "(y/n)"))
            questions++;
        assert_int_equal(questions, good + 1);
        free(a.said);
    }
}

static void hostile_names_cannot_steer_the_terminal(void **state)
{
    (void)state;
    struct manifest m = plain_manifest(MANIFEST_V1);
    m.namespace.name = BYTES_LIT("safe\x1b[8m\xe2\x80\xae"); // hides what follows, turns it around
    struct asked a = ask_with("y\nn\n", &m, NULL, BYTES_NONE);
    assert_non_null(
        strstr(a.said, "Is this the correct namespace name: safe\\u{1b}[8m\\u{202e}? (y/n)\n"));
    free(a.said);
}

static struct manifest_envelope approved_envelope(struct approval approvals[static 2])
{
    approvals[0] = (struct approval){.member = {.alias = BYTES_LIT("member2")}};
    approvals[1] = (struct approval){.member = {.alias = BYTES_LIT("member1")}};
    return (struct manifest_envelope){
        .manifest = plain_manifest(MANIFEST_V1),
        .manifest_set_approvals = {.items = approvals, .n = 2},
    };
}

static void provisioning_has_four_questions_and_sorts_the_approvers(void **state)
{
    (void)state;
    struct approval approvals[2];
    const struct manifest_envelope e = approved_envelope(approvals);
    struct asked a = ask_with("y\ny\ny\ny\n", NULL, &e, BYTES_LIT("arn:aws:iam::1:role/r"));
    assert_ok(a.err);
    assert_string_equal(a.said, "Is this the correct namespace name: production-v1? (y/n)\n"
                                "Is this the correct namespace nonce: 7? (y/n)\n"
                                "Does this AWS IAM role belong to the intended organization: "
                                "arn:aws:iam::1:role/r? (y/n)\n"
                                "The following manifest set members approved:\n\talias: member1\n"
                                "\talias: member2\nIs this ok? (y/n)\n");
    free(a.said);
    assert_true(bytes_is(approvals[0].member.alias, "member2")); // the envelope keeps its order
}

static void each_no_ends_the_provisioning(void **state)
{
    (void)state;
    struct approval approvals[2];
    const struct manifest_envelope e = approved_envelope(approvals);
    static const char *const answers[] = {"n\n", "y\nn\n", "y\ny\nn\n", "y\ny\ny\nn\n",
                                          "y\ny\ny\n"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct asked a = ask_with(answers[i], NULL, &e, BYTES_LIT("role"));
        assert_refused(a.err, Q_REFUSED, "not confirmed: ");
        free(a.said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_0_and_1_have_seven_questions),
        cmocka_unit_test(lists_are_shown_as_rust_shows_them),
        cmocka_unit_test(version_2_asks_about_dns),
        cmocka_unit_test(an_environment_is_never_signed_unseen),
        cmocka_unit_test(each_no_ends_the_review),
        cmocka_unit_test(hostile_names_cannot_steer_the_terminal),
        cmocka_unit_test(provisioning_has_four_questions_and_sorts_the_approvers),
        cmocka_unit_test(each_no_ends_the_provisioning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
