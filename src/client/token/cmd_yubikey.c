// The commands for a YubiKey: its keys, its PIN, its reset (qos-behaviour 1.6).
#include "client/command.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "client/key_file.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "client/token/token_key.h"
#include "client/token/yubikey.h"

#include <string.h>

#define MANAGEMENT_KEY_FILE_MAX 256
#define PAYLOAD_MAX ((size_t)64 << 20)

static enum q_err print_hex(struct bytes in)
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(in, &hex));
    const char *text = buf_text(&hex);
    if (text == NULL)
        return Q_NOMEM;
    printf("%s\n", text);
    return Q_OK;
}

// What both ways of provisioning do: seed NULL makes new keys, else its scalars are imported.
struct provision {
    struct yubikey *yubikey;
    const struct p256_pair *seed;
    struct secret pin, encrypt, sign;
    uint8_t points[P256_PUBLIC_SIZE];
};

static enum q_err open_management(const struct options *o, struct yubikey *y)
{
    SECRET_AUTO file = {0}, key = {0};
    const char *path = options_value(o, "management-key-path");
    if (path == NULL)
        return yubikey_authenticate(y, BYTES_NONE);
    TRY(file_read_secret(path, MANAGEMENT_KEY_FILE_MAX, &file));
    size_t size = bytes_trim(secret_bytes(&file)).n / 2;
    if (size == 0)
        return fail(Q_BAD_INPUT, "%s: expected a management key in hex, found none", path);
    TRY(err_context(hex_decode_secret(secret_bytes(&file), size, &key), "%s", path));
    return yubikey_authenticate(y, secret_bytes(&key));
}

static enum q_err fill_slot(struct provision *p, enum yubikey_slot slot,
                            const struct secret *scalar, uint8_t point[static P256_POINT_SIZE])
{
    if (p->seed == NULL)
        TRY(yubikey_generate(p->yubikey, slot, point));
    else
        TRY(yubikey_import(p->yubikey, slot, secret_bytes(scalar)));
    return yubikey_certify(p->yubikey, slot, &p->pin, point);
}

static enum q_err fill_slots(struct provision *p)
{
    uint8_t *encryption = p->points, *signing = p->points + P256_POINT_SIZE;
    TRY(fill_slot(p, YUBIKEY_SIGNATURE, &p->sign, signing));
    return err_context(
        fill_slot(p, YUBIKEY_KEY_MANAGEMENT, &p->encrypt, encryption),
        "slot 9c holds its new key already; once the cause is gone, run this again with "
        "--force");
}

static void warn_factory(const struct options *o, const struct secret *pin)
{
    if (secret_equal(secret_bytes(pin), BYTES_LIT("123456")))
        log_warn("the PIN is the factory's; yubikey-change-pin changes it");
    if (!options_given(o, "management-key-path"))
        log_warn(
            "the PIV management key is the factory's: whoever holds the YubiKey can overwrite its "
            "keys");
}

// Everything that can be refused is asked for before a slot is changed.
static enum q_err prepare(const struct options *o, struct provision *p)
{
    if (!options_given(o, "force")) {
        TRY(yubikey_check_empty(p->yubikey, YUBIKEY_SIGNATURE));
        TRY(yubikey_check_empty(p->yubikey, YUBIKEY_KEY_MANAGEMENT));
    }
    TRY(pin_read(options_value(o, "current-pin-path"), PIN_QUESTION, &p->pin));
    TRY(yubikey_verify_pin(p->yubikey, &p->pin));
    warn_factory(o, &p->pin);
    return open_management(o, p->yubikey);
}

static void provision_release(struct provision *p)
{
    secret_free(&p->pin);
    secret_free(&p->encrypt);
    secret_free(&p->sign);
    yubikey_close(&p->yubikey);
}
#define PROVISION_AUTO __attribute__((cleanup(provision_release))) struct provision

static enum q_err provision_yubikey(const struct options *o)
{
    PROVISION_AUTO p = {.seed = NULL};
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    BUF_AUTO hex = {0};
    const char *path = options_value(o, "pub-path");
    struct p256_public public;
    TRY(output_check(&out, path));
    TRY(yubikey_open(&p.yubikey));
    TRY(prepare(o, &p));
    TRY(fill_slots(&p));
    TRY(p256_public_parse(BYTES_OF(p.points), &public));
    TRY(hex_encode(p256_public_bytes(&public), &hex));
    TRY(err_context(output_stage(&out, "YubiKey encrypt+sign public key", path, buf_bytes(&hex),
                                 OUTPUT_LASTING),
                    "the keys are made (yubikey-public prints them)"));
    return output_publish(&out);
}

#define OPTION_MANAGEMENT_KEY                                                                      \
    OPTION_OPTIONAL("management-key-path",                                                         \
                    "File with the PIV management key in hex [default: the factory's]")
#define OPTION_FORCE_SLOTS OPTION_SWITCH("force", "Replace files, and what slots 9c and 9d hold")

static const struct option provision_yubikey_options[] = {
    OPTION_REQUIRED("pub-path", "File for the public key"),
    OPTION_SWITCH("yubikey", "Accepted; it is a YubiKey in any case"),
    OPTION_PIN,
    OPTION_MANAGEMENT_KEY,
    OPTION_FORCE_SLOTS,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_provision_yubikey = {
    .name = "provision-yubikey",
    .run = provision_yubikey,
    .help = "Make a member's two keys in a YubiKey",
    COMMAND_OPTIONS(provision_yubikey_options),
    .audited = true,
    .secrets = true,
};

static enum q_err advanced_provision_yubikey(const struct options *o)
{
    P256_PAIR_AUTO *seed = NULL;
    PROVISION_AUTO p = {.seed = NULL};
    TRY(seed_file_read(o, options_value(o, "master-seed-path"), &seed));
    p.seed = seed;
    memcpy(p.points, p256_pair_public(seed)->bytes, sizeof p.points);
    TRY(p256_pair_scalars(seed, &p.encrypt, &p.sign));
    TRY(yubikey_open(&p.yubikey));
    TRY(prepare(o, &p));
    return fill_slots(&p);
}

static const struct option advanced_provision_yubikey_options[] = {
    OPTION_REQUIRED("master-seed-path", "Master seed of the member, a file, FIFO or /dev/fd/N"),
    OPTION_PIN,
    OPTION_MANAGEMENT_KEY,
    OPTION_PASSPHRASE,
    OPTION_FORCE_SLOTS,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_advanced_provision_yubikey = {
    .name = "advanced-provision-yubikey",
    .run = advanced_provision_yubikey,
    .help = "Put a member's two keys from a seed into a YubiKey",
    COMMAND_OPTIONS(advanced_provision_yubikey_options),
    .audited = true,
    .secrets = true,
};

static enum q_err yubikey_sign(const struct options *o)
{
    MEMBER_KEY_AUTO *key = NULL;
    BUF_AUTO payload = {.limit = PAYLOAD_MAX};
    struct token_wanted wanted;
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(err_context(hex_decode(bytes_str(options_value(o, "payload")), &payload), "--payload"));
    TRY(token_wanted_yubikey(o, &wanted));
    wanted.tap = stdout;
    TRY(token_key_open(&wanted, &key));
    statement_warn(buf_bytes(&payload));
    TRY(member_key_sign(key, buf_bytes(&payload), signature));
    return print_hex(BYTES_OF(signature));
}

static const struct option yubikey_sign_options[] = {
    OPTION_REQUIRED("payload", "What to sign, in hex"),
    OPTION_PIN,
    OPTION_OPTIONAL("yubikey-module", YUBIKEY_MODULE_HELP),
    OPTION_UNLOCKED,
};

const struct command command_yubikey_sign = {
    .name = "yubikey-sign",
    .run = yubikey_sign,
    .help = "Sign with a YubiKey",
    COMMAND_OPTIONS(yubikey_sign_options),
    .secrets = true,
};

static enum q_err yubikey_public(const struct options *o)
{
    TOKEN_AUTO token = {.open = false};
    struct token_wanted wanted;
    struct p256_public public;
    TRY(token_wanted_yubikey(o, &wanted));
    TRY(token_open(&wanted, false, &token));
    TRY(token_key_public(&token, &wanted, &public));
    return print_hex(p256_public_bytes(&public));
}

static const struct option yubikey_public_options[] = {
    OPTION_OPTIONAL("yubikey-module", YUBIKEY_MODULE_HELP),
};

const struct command command_yubikey_public = {
    .name = "yubikey-public",
    .run = yubikey_public,
    .help = "Print the public key of a YubiKey",
    COMMAND_OPTIONS(yubikey_public_options),
};

static enum q_err change_pin(const struct options *o)
{
    YUBIKEY_AUTO *yubikey = NULL;
    SECRET_AUTO current = {0}, new_pin = {0};
    TRY(pin_read(options_value(o, "new-pin-path"), PIN_QUESTION, &new_pin));
    TRY(yubikey_check_pin("new PIN", &new_pin));
    TRY(yubikey_open(&yubikey));
    TRY(pin_read(options_value(o, "current-pin-path"), PIN_QUESTION, &current));
    TRY(yubikey_change_pin(yubikey, &current, &new_pin));
    printf("PIN changed\n");
    return Q_OK;
}

static const struct option yubikey_change_pin_options[] = {
    OPTION_REQUIRED("new-pin-path", "The new PIN: the first line of a file, FIFO or /dev/fd/N"),
    OPTION_PIN,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_yubikey_change_pin = {
    .name = "yubikey-change-pin",
    .run = change_pin,
    .help = "Change the PIN of a YubiKey",
    COMMAND_OPTIONS(yubikey_change_pin_options),
    .audited = true,
    .secrets = true,
};

static enum q_err piv_reset(const struct options *o)
{
    YUBIKEY_AUTO *yubikey = NULL;
    (void)o;
    TRY(yubikey_open(&yubikey));
    TRY(yubikey_reset(yubikey));
    printf("PIV application reset: its keys are gone, its PIN is the factory's\n");
    return Q_OK;
}

static const struct option yubikey_piv_reset_options[] = {
    OPTION_AUDIT,
};

const struct command command_yubikey_piv_reset = {
    .name = "yubikey-piv-reset",
    .run = piv_reset,
    .help = "Take all keys out of a YubiKey's PIV application for good",
    COMMAND_OPTIONS(yubikey_piv_reset_options),
    .audited = true,
};
