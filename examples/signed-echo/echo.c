// The example application's answers (see echo.h), by jansson and libquorate-app. The key is read for
// every request and released with it: nothing of it stays in this process between two requests.
#include "echo.h"

#include <jansson.h>
#include <quorate/app.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct reply ok(char *json)
{
    return (struct reply){200, json};
}

// Compact, members in their order; takes the object over. NULL when there is no memory.
static char *text_of(json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

struct reply echo_health(void)
{
    return ok(text_of(json_pack("{s:s, s:s}", "status", "healthy", "app_version", APP_VERSION)));
}

struct reply echo_error(unsigned status, const char *text)
{
    return (struct reply){status, text_of(json_pack("{s:s}", "error", text))};
}

static void hex_of(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

// What is signed, in its one canonical form; NULL when there is no memory. Takes message over.
static char *payload_of(json_t *message)
{
    char now[24], *canonical = NULL;
    (void)snprintf(now, sizeof now, "%lld", (long long)time(NULL));
    char *plain = text_of(
        json_pack("{s:s, s:o, s:s}", "domain", "echo app signed", "message", message, "time", now));
    if (plain != NULL && app_canonical_json(plain, strlen(plain), &canonical) != APP_OK)
        canonical = NULL;
    free(plain);
    return canonical;
}

static enum app_status sign(const char *quorum_file, const char *payload, char *signature_hex,
                            char *public_hex)
{
    struct app_key *key;
    uint8_t signature[APP_SIGNATURE_SIZE];
    enum app_status status = app_quorum_key_read(quorum_file, &key);
    if (status != APP_OK)
        return status;
    // Plain, as QuorumOS's own example does it: the payload names its domain itself.
    status = app_sign(key, payload, strlen(payload), signature);
    if (status == APP_OK) {
        hex_of(signature, sizeof signature, signature_hex);
        hex_of(app_key_public(key), APP_PUBLIC_KEY_SIZE, public_hex);
    }
    app_key_free(key);
    return status;
}

static struct reply sign_payload(const char *quorum_file, const char *payload)
{
    char signature[2 * APP_SIGNATURE_SIZE + 1], public_key[2 * APP_PUBLIC_KEY_SIZE + 1];
    if (sign(quorum_file, payload, signature, public_key) != APP_OK)
        return echo_error(500, app_error());
    return ok(text_of(json_pack("{s:s, s:s, s:s}", "signed_payload_json", payload, "signature_hex",
                                signature, "public_key_hex", public_key)));
}

struct reply echo_sign(const char *quorum_file, const char *message, size_t size)
{
    json_t *text = json_stringn(size > 0 ? message : "", size);
    if (text == NULL)
        return echo_error(400, "message: expected UTF-8 text");
    char *payload = payload_of(text);
    if (payload == NULL)
        return echo_error(500, "message: no memory for it");
    struct reply reply = sign_payload(quorum_file, payload);
    app_text_free(payload);
    return reply;
}
