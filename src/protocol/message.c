// Messages as payloads of frames: JSON first, then Borsh (qos-wire 4.3, qos-behaviour 2.3).
#include "protocol/message.h"

#include "codec/borsh.h"
#include "codec/json.h"
#include "protocol/genesis.h"
#include "protocol/refuse.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

// Every message in JSON is an object or a string. An array is none, but its sender meant JSON.
static bool looks_like_json(struct bytes in)
{
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return c == '{' || c == '"' || c == '[';
    }
    return false;
}

// A genesis reply in the layout of release 0.13.0 or older: its output has a threshold but no set.
static bool is_legacy_genesis(const struct json_t *json)
{
    const struct json_t *reply = json_object_get(json, "bootGenesisResponse");
    const struct json_t *output = json_object_get(reply, "genesis_output");
    return json_object_get(output, "threshold") != NULL && json_object_get(output, "set") == NULL;
}

static enum q_err decode_json(struct bytes in, struct arena *a, struct message *out,
                              struct protocol_error *why)
{
    if (in.n > MESSAGE_MAX_JSON)
        return refuse(
            why, PE_PROTOCOL_MSG_DESERIALIZATION,
            "message: expected at most %zu bytes of JSON, got %zu (a larger application is "
            "booted with message 23)",
            MESSAGE_MAX_JSON, in.n);
    struct json_t *json = NULL;
    enum q_err err = json_parse(in, &json);
    if (err == Q_OK)
        err = json_read(&type_message, json, a, out);
    bool legacy = err != Q_OK && is_legacy_genesis(json);
    json_decref(json);
    if (legacy)
        return refuse(why, PE_LEGACY_GENESIS_NOT_SUPPORTED,
                      "message: expected a genesis output with set and dr_key, got one of release "
                      "0.13.0 or older");
    if (err != Q_OK)
        return refuse(why, PE_PROTOCOL_MSG_DESERIALIZATION, "message: %s", err_text());
    return Q_OK;
}

// What has an index but cannot be decoded from Borsh: ours, and those whose envelope is not last.
static enum q_err check_borsh_index(struct bytes in)
{
    if (in.n == 0)
        return fail(Q_BAD_INPUT, "message: expected at least 1 byte, got none");
    uint8_t index = in.p[0];
    if (index >= MSG_QUORATE_BOUND_PROVISION_REQUEST)
        return fail(Q_BAD_INPUT, "message: expected an index of Borsh, 0 to %d, got %d",
                    MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST, index);
    if (index == MSG_BOOT_STANDARD_REQUEST || index == MSG_BOOT_KEY_FORWARD_REQUEST ||
        index == MSG_EXPORT_KEY_REQUEST)
        return fail(Q_BAD_INPUT,
                    "message: expected message %d as JSON, got Borsh, where the end of its "
                    "envelope cannot be known",
                    index);
    return Q_OK;
}

static bool is_genesis(const struct message *m)
{
    return m->tag == MSG_BOOT_GENESIS_REQUEST || m->tag == MSG_BOOT_GENESIS_RESPONSE;
}

static enum q_err decode_borsh(struct bytes in, struct arena *a, struct message *out,
                               struct protocol_error *why)
{
    enum q_err err = check_borsh_index(in);
    if (err == Q_OK)
        err = borsh_decode(&type_message, in, a, out);
    if (err != Q_OK)
        return refuse(why, PE_PROTOCOL_MSG_DESERIALIZATION, "%s", err_text());
    if (is_genesis(out))
        return refuse(why, PE_LEGACY_GENESIS_NOT_SUPPORTED,
                      "message: expected genesis as JSON, got Borsh");
    return Q_OK;
}

enum q_err message_decode(struct bytes in, struct arena *a, struct message *out, enum encoding *was,
                          struct protocol_error *why)
{
    if (in.n > MESSAGE_MAX_SIZE)
        return refuse(why, PE_OVERSIZED_PAYLOAD, "message: expected at most %zu bytes, got %zu",
                      MESSAGE_MAX_SIZE, in.n);
    struct protocol_error json_why = {.tag = PE_PROTOCOL_MSG_DESERIALIZATION};
    char sentence[Q_ERR_TEXT_SIZE] = "";
    bool json = looks_like_json(in);
    if (json) {
        memset(out, 0, sizeof *out);
        *was = ENCODING_JSON;
        if (decode_json(in, a, out, &json_why) == Q_OK)
            return Q_OK;
        (void)snprintf(sentence, sizeof sentence, "%s", err_text());
    }
    memset(out, 0, sizeof *out);
    *was = ENCODING_BORSH;
    enum q_err err = decode_borsh(in, a, out, why);
    if (err == Q_OK || !json)
        return err;
    if (why != NULL)
        *why = json_why;
    return fail(Q_REFUSED, "%s", sentence);
}

enum q_err message_encode(const struct message *m, enum encoding as, struct buf *out,
                          struct protocol_error *why)
{
    size_t before = out->n;
    enum q_err err;
    if (as == ENCODING_JSON)
        err = json_encode(&type_message, m, JSON_CANONICAL, out);
    else if (is_genesis(m))
        return refuse(why, PE_LEGACY_GENESIS_NOT_SUPPORTED, "message: genesis has no Borsh form");
    else if (m->tag >= MSG_QUORATE_BOUND_PROVISION_REQUEST)
        return refuse(why, PE_INVALID_MSG, "message: message %u has no Borsh form", m->tag);
    else
        err = borsh_encode(&type_message, m, out);
    if (err == Q_OK)
        return Q_OK;
    out->n = before;
    return refuse(why, PE_INVALID_MSG, "%s", err_text());
}
