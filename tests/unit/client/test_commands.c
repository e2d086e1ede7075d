// The table of commands: complete, consistent with itself, and with the manual page.
#include "../cmocka_setup.h"

#include "base/file.h"
#include "client/command.h"

static void every_command_has_a_name_a_function_and_help(void **state)
{
    (void)state;
    assert_true(commands_count >= 16);
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = commands[i];
        assert_non_null(c->name);
        assert_non_null(c->run);
        assert_non_null(c->help);
        assert_true(c->count > 0 && c->count <= OPTIONS_MAX);
        assert_ptr_equal(command_find(c->name), c); // names are unique
    }
}

static const struct option *option_of(const struct command *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->options[i].name, name) == 0)
            return &c->options[i];
    }
    return NULL;
}

// Each of the comma-separated names is an option of the same command.
static void assert_names_options(const struct command *c, const char *names)
{
    while (names != NULL && *names != '\0') {
        char name[64];
        size_t n = strcspn(names, ",");
        assert_true(n > 0 && n < sizeof name);
        memcpy(name, names, n);
        name[n] = '\0';
        assert_non_null(option_of(c, name));
        names += n + (names[n] == ',' ? 1 : 0);
    }
}

static void every_option_is_unique_and_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_count; i++) {
        for (size_t k = 0; k < commands[i]->count; k++) {
            const struct option *o = &commands[i]->options[k];
            assert_non_null(o->help);
            assert_null(strchr(o->help, '\n'));
            assert_ptr_equal(option_of(commands[i], o->name), o);
            assert_false(o->required && o->fallback != NULL);
            assert_names_options(commands[i], o->forbids);
            assert_names_options(commands[i], o->requires_);
        }
    }
}

// Otherwise a machine without lockable memory could not be used at all, or would be without notice.
static void commands_with_secrets_and_only_those_can_be_told_to_go_on_unlocked(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = commands[i];
        assert_int_equal(c->secrets, option_of(c, "allow-unlocked-memory") != NULL);
        bool holds_key =
            option_of(c, "secret-path") != NULL || option_of(c, "master-seed-path") != NULL ||
            option_of(c, "current-pin-path") != NULL || option_of(c, "share") != NULL ||
            option_of(c, "key-path") != NULL || option_of(c, "admin-key") != NULL ||
            option_of(c, "secret") != NULL || strcmp(c->name, "dangerous-dev-boot") == 0;
        assert_int_equal(c->secrets, holds_key);
    }
}

// What is recorded can be told where; audit verify is told what to check.
static void steps_of_a_ceremony_and_only_those_take_an_audit_log(void **state)
{
    (void)state;
    size_t audited = 0;
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = commands[i];
        bool takes = option_of(c, "audit-log") != NULL;
        assert_int_equal(takes, c->audited || strcmp(c->name, "audit verify") == 0);
        assert_true(c->audited ||
                    (option_of(c, "secret-path") == NULL || strcmp(c->name, "share check") == 0));
        audited += c->audited ? 1 : 0;
    }
    assert_true(audited >= 14);
}

// Where attestation can be skipped, a root can be named: one rule for all commands.
static void commands_that_verify_take_the_same_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = commands[i];
        if (option_of(c, "unsafe-skip-attestation") != NULL) {
            assert_non_null(option_of(c, "attestation-root-path"));
            assert_non_null(option_of(c, "unsafe-any-attestation-root"));
            assert_non_null(option_of(c, "unsafe-allow-debug"));
        }
    }
}

static void manual_page_has_every_command_and_option(void **state)
{
    (void)state;
    BUF_AUTO page = {0};
    assert_ok(file_read(SOURCE_ROOT "/docs/man/qos_client.1.scd", (size_t)1 << 20, &page));
    const char *text = buf_text(&page);
    assert_non_null(text);
    for (size_t i = 0; i < commands_count; i++) {
        char wanted[80];
        (void)snprintf(wanted, sizeof wanted, "*%s*", commands[i]->name);
        if (strstr(text, wanted) == NULL)
            fail_msg("the manual page lacks the command %s", commands[i]->name);
        for (size_t k = 0; k < commands[i]->count; k++) {
            (void)snprintf(wanted, sizeof wanted, "*--%s*", commands[i]->options[k].name);
            if (strstr(text, wanted) == NULL)
                fail_msg("the manual page lacks --%s", commands[i]->options[k].name);
        }
    }
}

static void a_command_of_two_words_is_found_by_both(void **state)
{
    (void)state;
    char share[] = "share", check[] = "check", bare[] = "share check", option[] = "--alias",
         one[] = "doctor";
    int taken = 0;
    char *two[] = {share, check, option};
    const struct command *c = command_match(3, two, &taken);
    assert_non_null(c);
    assert_string_equal(c->name, "share check");
    assert_int_equal(taken, 2);
    assert_null(command_match(1, two, &taken));
    char *wrong[] = {share, option};
    assert_null(command_match(2, wrong, &taken));
    char *quoted[] = {bare, option}; // one word with a space in it names it too
    assert_ptr_equal(command_match(2, quoted, &taken), c);
    assert_int_equal(taken, 1);
    char *single[] = {one, check};
    assert_ptr_equal(command_match(2, single, &taken), command_find("doctor"));
    assert_int_equal(taken, 1);
    assert_null(command_match(0, NULL, &taken));
    BUF_AUTO help = {0};
    assert_ok(command_help_one(c, &help));
    assert_int_equal(strncmp(buf_text(&help), "Command: ShareCheck\n", 20), 0);
}

static void commands_of_the_unreleased_branch_are_known_and_are_none(void **state)
{
    (void)state;
    static const char *const names[] = {
        "boot-reshard",         "generate-reshard-input",   "get-reshard-attestation-doc",
        "get-reshard-output",   "reshard-re-encrypt-share", "reshard-post-share",
        "verify-reshard-output"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(command_is_unreleased(names[i]));
        assert_null(command_find(names[i]));
    }
    for (size_t i = 0; i < commands_count; i++)
        assert_false(command_is_unreleased(commands[i]->name));
    assert_false(command_is_unreleased("reshard"));
}

static void a_mistyped_command_finds_its_neighbour(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *meant;
    } near[] = {
        {"boot-gensis", "boot-genesis"},
        {"approve-manifst", "approve-manifest"},
        {"generate-manifest-envelop", "generate-manifest-envelope"},
        {"post_share", "post-share"},
        {"diplay", "display"},
        {"ceremony", "ceremony status"},
        {"share chek", "share check"},
        {"attestation", "attestation verify"},
    };
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        const struct command *c = command_nearest(near[i].typed);
        assert_non_null(c);
        assert_string_equal(c->name, near[i].meant);
    }
    assert_null(command_nearest("frobnicate"));
    assert_null(command_nearest(""));
    char long_name[4096];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_null(command_nearest(long_name));
}

static void help_begins_with_the_name_as_the_original_writes_it(void **state)
{
    (void)state;
    BUF_AUTO help = {0};
    assert_ok(command_help_one(command_find("proxy-re-encrypt-share"), &help));
    const char *text = buf_text(&help);
    assert_int_equal(strncmp(text, "Command: ProxyReEncryptShare\n", 29), 0);
    assert_non_null(strstr(text, "\nRequired CLI inputs:\n"));
    assert_non_null(strstr(text, "\nOptional CLI inputs:\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_a_name_a_function_and_help),
        cmocka_unit_test(every_option_is_unique_and_explained),
        cmocka_unit_test(commands_with_secrets_and_only_those_can_be_told_to_go_on_unlocked),
        cmocka_unit_test(steps_of_a_ceremony_and_only_those_take_an_audit_log),
        cmocka_unit_test(commands_that_verify_take_the_same_options),
        cmocka_unit_test(manual_page_has_every_command_and_option),
        cmocka_unit_test(a_command_of_two_words_is_found_by_both),
        cmocka_unit_test(commands_of_the_unreleased_branch_are_known_and_are_none),
        cmocka_unit_test(a_mistyped_command_finds_its_neighbour),
        cmocka_unit_test(help_begins_with_the_name_as_the_original_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
