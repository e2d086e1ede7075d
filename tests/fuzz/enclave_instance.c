// Fuzz target: bytes as a sequence of genesis-boot and inject-shares, right, spoiled and garbled, sent to one enclave.
// After each: a refusal changed nothing, no share and no setup secret is in an answer or the log, and the key is
// complete only when enough right shares came; at the end honest members complete it.
#include "enclave/people.h"
#include "enclave/small_tee.h"

#include "codec/json.h"
#include "enclave/instance/api.h"
#include "enclave/dispatch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct people people;

struct session {
    struct reader in;
    struct small_tee tee;
    struct arena arena; // of all answers
    struct enclave *enclave;
    struct api_genesis_reply genesis;
    struct secret shares[MEMBERS]; // once there was a genesis
    bool right[MEMBERS];           // this member's share was sent as it is
    int64_t now_ms;
};

static uint8_t next_byte(struct session *s)
{
    uint8_t value = 0;
    (void)reader_u8(&s->in, &value);
    return value;
}

static enum q_err session_clock(void *context, struct clock_reading *out)
{
    const struct session *s = context;
    *out = (struct clock_reading){.ms = s->now_ms, .source = CLOCK_SOURCE_GIVEN};
    return Q_OK;
}

static struct bytes keep(struct session *s, struct bytes in)
{
    struct bytes out;
    must_ok(arena_copy(&s->arena, in, &out));
    return out;
}

// ---- promises

static size_t right_shares(const struct session *s)
{
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++)
        n += s->right[i] ? 1 : 0;
    return n;
}

// What was booted may be another thing than what was meant: a garbled request can be a good one.
static const struct api_manifest *booted(const struct session *s)
{
    return &s->genesis.manifest_envelope.manifest;
}

static void check_absent(const struct session *s, struct bytes reply)
{
    for (size_t i = 0; i < MEMBERS; i++)
        must(s->shares[i].n == 0 ||
             memmem(reply.p, reply.n, s->shares[i].p + 1, P256_SEED_SIZE) == NULL);
}

static void check_state(const struct session *s)
{
    const struct enclave *e = s->enclave;
    bool complete = e->phase == PHASE_APPLICATION_READY;
    size_t threshold = booted(s)->share_set.threshold;
    must(e->phase != PHASE_UNRECOVERABLE_ERROR && e->phase != PHASE_QUORUM_KEY_PROVISIONED);
    must((e->booted != NULL) == (e->phase != PHASE_WAITING_FOR_BOOT_INSTRUCTION));
    must((keyring_describe(e->keyring, KEY_QUORUM) != NULL) == complete);
    must(!complete || (right_shares(s) >= threshold && e->held == NULL && e->shares.n == 0));
    must(complete || e->shares.n <= right_shares(s));
    must(complete || e->booted == NULL || e->shares.n < threshold);
    must((e->phase == PHASE_WAITING_FOR_QUORUM_SHARDS) == (e->shares.n > 0));
}

// ---- sending

static unsigned ask(struct session *s, const char *path, struct bytes body, struct bytes *answer)
{
    ARENA_AUTO arena = {0};
    BUF_AUTO frame = {0}, raw = {0};
    struct message reply;
    enum encoding as;
    const struct message m = {.tag = MSG_QUORATE_API_REQUEST,
                              .api_request = {.method = BYTES_LIT("POST"),
                                              .path = bytes_str(path),
                                              .query = BYTES_LIT(""),
                                              .authorization = BYTES_LIT(""),
                                              .request_id = BYTES_LIT("fuzz"),
                                              .body = body}};
    enum phase before = s->enclave->phase;
    size_t held = s->enclave->shares.n;
    must_ok(message_encode(&m, ENCODING_JSON, &frame, NULL));
    must_ok(dispatch(s->enclave, buf_bytes(&frame), &raw));
    must_ok(message_decode(buf_bytes(&raw), &arena, &reply, &as, NULL));
    must(reply.tag == MSG_QUORATE_API_RESPONSE);
    unsigned status = reply.api_response.status;
    must(status == 200 || (status >= 400 && status < 500));
    must(status == 200 || (s->enclave->phase == before && s->enclave->shares.n == held));
    check_absent(s, reply.api_response.body);
    *answer = keep(s, reply.api_response.body);
    return status;
}

// Overwrites, cuts off or repeats, as the input says.
static bool garble(struct session *s, struct buf *text)
{
    uint8_t edits = next_byte(s) % 8;
    for (uint8_t i = 0; i < edits && text->n > 0; i++) {
        uint16_t at = 0;
        (void)reader_u16le(&s->in, &at);
        uint8_t how = next_byte(s), value = next_byte(s);
        if (how == 0)
            text->n = at % text->n;
        else
            text->p[at % text->n] = value;
    }
    return edits > 0;
}

static void learn(struct session *s, struct bytes answer)
{
    if (s->shares[0].n > 0)
        return;
    must_ok(
        json_decode_up_to(&type_api_genesis_reply, answer, API_MAX_VALUES, &s->arena, &s->genesis));
    for (size_t i = 0; i < MEMBERS && i < s->genesis.encrypted_shares.n; i++)
        (void)p256_open(people.pairs[i],
                        s->genesis.encrypted_shares.items[i].encrypted_quorum_key_share,
                        &s->shares[i]);
}

static void step_genesis(struct session *s, bool honest)
{
    static const uint8_t pivot[SHA256_SIZE] = {1};
    struct api_member members[MEMBERS];
    BUF_AUTO text = {0};
    struct bytes answer;
    uint64_t nonce = 1;
    uint32_t threshold = THRESHOLD;
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = (struct api_member){.alias = people.members[i].alias,
                                         .pub_key = people.members[i].pub_key};
    const struct api_genesis_request request = {.namespace_name = BYTES_LIT("fuzz"),
                                                .namespace_nonce = &nonce,
                                                .manifest_members = {members, MEMBERS},
                                                .share_members = {members, MEMBERS},
                                                .manifest_threshold = &threshold,
                                                .share_threshold = &threshold,
                                                .pivot_hash = BYTES_OF(pivot)};
    must_ok(json_encode(&type_api_genesis_request, &request, JSON_PLAIN, &text));
    bool garbled = !honest && garble(s, &text);
    bool fresh = s->enclave->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION;
    unsigned status = ask(s, "/enclave/genesis-boot", buf_bytes(&text), &answer);
    must(garbled || !fresh || status == 200);
    if (status == 200)
        learn(s, answer);
}

// One share in one form; spoiled where the input says so, and then it is not the right one.
static struct bytes form_of(struct session *s, size_t i, uint8_t how, bool *right)
{
    uint8_t share[SHARE_SIZE];
    BUF_AUTO envelope = {0};
    memcpy(share, s->shares[i].p, SHARE_SIZE);
    *right = (how & 4) == 0;
    if (!*right)
        share[next_byte(s) % SHARE_SIZE] ^= 1;
    if ((how & 3) == 0)
        return keep(s, BYTES_OF(share));
    if ((how & 3) == 1 && *right)
        return s->genesis.encrypted_shares.items[i].encrypted_quorum_key_share;
    must_ok(p256_seal(keyring_public(s->enclave->keyring, KEY_SETUP), BYTES_OF(share), &envelope));
    return keep(s, buf_bytes(&envelope));
}

// Nobody's key was garbled.
static bool all_open(const struct session *s)
{
    bool all = s->genesis.encrypted_shares.n == MEMBERS;
    for (size_t i = 0; i < MEMBERS; i++)
        all &= s->shares[i].n == SHARE_SIZE;
    return all;
}

static void step_inject(struct session *s, bool honest)
{
    struct api_share shares[4] = {0};
    bool right[MEMBERS] = {false}, one;
    struct api_inject_request request = {.namespace_name = booted(s)->namespace.name,
                                         .namespace_nonce = booted(s)->namespace.nonce,
                                         .shares = {shares, 0}};
    BUF_AUTO text = {0};
    struct bytes answer;
    size_t n = honest ? booted(s)->share_set.threshold : next_byte(s) % 5;
    if (!all_open(s))
        return;
    for (size_t i = 0; i < n; i++) {
        uint8_t how = honest ? 0 : next_byte(s), who = honest ? (uint8_t)i : (how >> 4) % MEMBERS;
        shares[i].member_alias = booted(s)->share_set.members.items[who].alias;
        shares[i].decrypted_share = form_of(s, who, how, &one);
        right[who] |= one;
    }
    request.shares.n = n;
    must_ok(json_encode(&type_api_inject_request, &request, JSON_PLAIN, &text));
    bool garbled = !honest && garble(s, &text);
    unsigned status = ask(s, "/enclave/inject-shares", buf_bytes(&text), &answer);
    for (size_t i = 0; i < MEMBERS; i++)
        s->right[i] |= status == 200 && (right[i] || garbled);
}

static void step(struct session *s)
{
    uint8_t what = next_byte(s);
    if (what % 4 == 0)
        step_genesis(s, false);
    else if (what % 4 == 1)
        s->now_ms += (int64_t)next_byte(s) * 10000;
    else
        step_inject(s, false);
    check_state(s);
}

static const struct clock *clock_of(struct session *s)
{
    static struct clock clock;
    clock = (struct clock){.read = session_clock, .context = s};
    return &clock;
}

static void open_session(struct session *s)
{
    struct enclave_options options = {.tee = &s->tee.tee, .boot_clock = clock_of(s)};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        options.published.paths[i] = people.files[i];
    options.published.app_uid = geteuid();
    small_tee_reset(&s->tee);
    s->tee.tee.simulated = (next_byte(s) & 1) == 0;
    options.policy.unsafe_plaintext_shares = !s->tee.tee.simulated;
    options.policy.require_member_decryption = (next_byte(s) & 1) != 0;
    random_restart();
    must_ok(enclave_open(&options, &s->enclave));
}

static void close_session(struct session *s)
{
    enclave_close(&s->enclave);
    for (size_t i = 0; i < MEMBERS; i++)
        secret_free(&s->shares[i]);
    arena_free(&s->arena);
}

// Whatever was sent before: as many members as it takes bring the key back.
static void honest_end(struct session *s)
{
    if (s->enclave->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION)
        step_genesis(s, true);
    if (all_open(s)) {
        step_inject(s, true);
        must(s->enclave->phase == PHASE_APPLICATION_READY);
    }
    check_state(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session s;
    if (people.quorum == NULL) {
        must_ok(json_start());
        people_make(&people);
    }
    s = (struct session){.in = reader_of(bytes_of(data, size), "session")};
    open_session(&s);
    for (int n = 0; n < STEPS_MAX && reader_left(&s.in) > 0; n++)
        step(&s);
    honest_end(&s);
    close_session(&s);
    return 0;
}
