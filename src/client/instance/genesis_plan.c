// Reading the options of a genesis, and writing its request (see genesis_plan.h).
#include "client/instance/genesis_plan.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "client/json_tree.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#define PUBLIC_KEY_FILE_MAX 4096

// What the original writes when nobody says otherwise (renclave 4.1).
static const char *const usual_pivot_args[] = {"arg1", "arg2"};

static enum q_err read_counts(const struct options *o, struct genesis_plan *p)
{
    TRY(options_u32(o, "member-count", 2, SHAMIR_MAX_SHARES, &p->count));
    p->threshold = p->count;
    if (options_given(o, "threshold"))
        TRY(options_u32(o, "threshold", 2, SHAMIR_MAX_SHARES, &p->threshold));
    if (p->threshold > p->count)
        return fail(Q_BAD_INPUT,
                    "--threshold: Invalid share threshold: expected at most the %" PRIu32
                    " of --member-count, found %" PRIu32,
                    p->count, p->threshold);
    for (uint32_t i = 0; i < p->count; i++)
        (void)snprintf(p->members[i].alias, sizeof p->members[i].alias, "member%" PRIu32, i + 1);
    return Q_OK;
}

static enum q_err read_format(const struct options *o, struct genesis_plan *p)
{
    const struct bytes format = bytes_str(options_value(o, "key-format"));
    p->suite = bytes_is(format, "qos-130") ? P256_SUITE_QOS : P256_SUITE_RENCLAVE;
    if (p->suite == P256_SUITE_QOS || bytes_is(format, "sec1-65"))
        return Q_OK;
    return fail(Q_BAD_INPUT, "--key-format: expected sec1-65 or qos-130, found %s",
                options_value(o, "key-format"));
}

static enum q_err read_pivot(const struct options *o, struct genesis_plan *p)
{
    const char *hash = options_value(o, "pivot-hash");
    for (size_t i = 0; i < sizeof p->pivot_hash; i++)
        p->pivot_hash[i] = (uint8_t)(i + 1);
    if (hash != NULL)
        TRY(err_context(hex_decode_fixed(bytes_str(hash), p->pivot_hash, sizeof p->pivot_hash),
                        "--pivot-hash"));
    bool given = options_given(o, "pivot-arg");
    p->pivot_args = given ? o->values : usual_pivot_args;
    p->pivot_args_count =
        given ? o->values_count : sizeof usual_pivot_args / sizeof usual_pivot_args[0];
    for (size_t i = 0; i < p->pivot_args_count; i++) {
        if (!bytes_is_utf8(bytes_str(p->pivot_args[i])))
            return fail(Q_BAD_INPUT, "--pivot-arg: expected UTF-8");
    }
    return Q_OK;
}

enum q_err instance_public_key_read(const char *path, struct p256_public *out)
{
    BUF_AUTO text = {0}, key = {.limit = PUBLIC_KEY_FILE_MAX};
    TRY(file_read(path, PUBLIC_KEY_FILE_MAX, &text));
    TRY(err_context(hex_decode(bytes_trim(buf_bytes(&text)), &key), "%s", path));
    return err_context(p256_public_parse_short(buf_bytes(&key), out), "%s", path);
}

enum q_err genesis_plan_read(const struct options *o, struct genesis_plan *out)
{
    const char *dr_key = options_value(o, "dr-key");
    *out = (struct genesis_plan){.namespace = options_value(o, "namespace")};
    TRY(read_counts(o, out));
    TRY(read_format(o, out));
    TRY(text_check_name("--namespace", bytes_str(out->namespace), true));
    TRY(options_u32(o, "nonce", 0, UINT32_MAX, &out->nonce));
    TRY(read_pivot(o, out));
    out->has_dr_key = dr_key != NULL;
    return dr_key == NULL ? Q_OK
                          : err_context(instance_public_key_read(dr_key, &out->dr_key), "--dr-key");
}

// ---- the request

static enum q_err put_bytes(json_t *object, const char *key, struct bytes value)
{
    json_t *list = NULL;
    TRY(json_tree_array(&list));
    enum q_err err = Q_OK;
    for (size_t i = 0; err == Q_OK && i < value.n; i++)
        err = json_push(list, json_integer(value.p[i]));
    if (err != Q_OK) {
        json_decref(list);
        return err;
    }
    return json_put(object, key, list);
}

static enum q_err put_args(const struct genesis_plan *p, json_t *object, const char *key)
{
    json_t *list = NULL;
    TRY(json_tree_array(&list));
    TRY(json_put(object, key, list)); // which owns it from here
    for (size_t i = 0; i < p->pivot_args_count; i++)
        TRY(json_push(list, json_string(p->pivot_args[i])));
    return Q_OK;
}

// twice: the alias also under the name that the original's documents give it.
static enum q_err put_members(const struct genesis_plan *p, json_t *object, const char *key,
                              bool twice)
{
    json_t *list = NULL;
    TRY(json_tree_array(&list));
    TRY(json_put(object, key, list));
    for (uint32_t i = 0; i < p->count; i++) {
        const struct planned_member *m = &p->members[i];
        json_t *member = NULL;
        TRY(json_tree_object(&member));
        TRY(json_push(list, member));
        TRY(json_put(member, "alias", json_string(m->alias)));
        if (twice)
            TRY(json_put(member, "member_alias", json_string(m->alias)));
        TRY(put_bytes(member, "pub_key", p256_public_short(&m->public)));
    }
    return Q_OK;
}

static enum q_err put_names(const struct genesis_plan *p, json_t *object)
{
    TRY(json_put(object, "namespace_name", json_string(p->namespace)));
    TRY(json_put(object, "namespace_nonce", json_integer(p->nonce)));
    return p->has_dr_key ? put_bytes(object, "dr_key", p256_public_short(&p->dr_key))
                         : json_put(object, "dr_key", json_null());
}

static enum q_err put_flat(const struct genesis_plan *p, json_t *object)
{
    TRY(put_names(p, object));
    TRY(put_members(p, object, "manifest_members", false));
    TRY(json_put(object, "manifest_threshold", json_integer(p->threshold)));
    TRY(put_members(p, object, "share_members", false));
    TRY(json_put(object, "share_threshold", json_integer(p->threshold)));
    TRY(put_bytes(object, "pivot_hash", BYTES_OF(p->pivot_hash)));
    return put_args(p, object, "pivot_args");
}

static enum q_err put_parameters(const struct genesis_plan *p, json_t *object)
{
    json_t *parameters = NULL, *pivot = NULL;
    TRY(json_tree_object(&parameters));
    TRY(json_put(object, "parameters", parameters));
    TRY(put_names(p, parameters));
    TRY(put_members(p, parameters, "manifest_members", true));
    TRY(put_members(p, parameters, "share_members", true));
    TRY(json_put(parameters, "threshold", json_integer(p->threshold)));
    TRY(json_tree_object(&pivot));
    TRY(json_put(parameters, "pivot", pivot));
    TRY(put_bytes(pivot, "hash", BYTES_OF(p->pivot_hash)));
    return put_args(p, pivot, "args");
}

static enum q_err put_activity(json_t *object)
{
    BUF_AUTO time = {0};
    int64_t now_ms;
    TRY(clock_ms(&clock_wall, &now_ms));
    TRY(buf_printf(&time, "%" PRId64, now_ms));
    TRY(json_put(object, "type", json_string("ACTIVITY_TYPE_GENESIS_BOOT_V2")));
    TRY(json_put(object, "timestampMs", json_stringn((const char *)buf_bytes(&time).p, time.n)));
    return json_put(object, "organizationId", json_string("local"));
}

enum q_err genesis_plan_write(const struct genesis_plan *p, struct buf *out)
{
    JSON_AUTO *root = NULL;
    TRY(json_tree_object(&root));
    TRY(put_flat(p, root));
    TRY(put_activity(root));
    TRY(put_parameters(p, root));
    TRY(json_write_tree(root, JSON_SORT_KEYS | JSON_INDENT(2), out));
    return buf_u8(out, '\n');
}
