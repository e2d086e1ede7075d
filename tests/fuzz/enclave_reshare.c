// Fuzz target: bytes as a session of a resharing with one enclave. They choose messages, right, spoiled and garbled,
// and calls of memory, OpenSSL, randomness and TEE that fail. No secret ever leaves, nothing is published, and
// at the end honest members still get their new shares.
#include "enclave/people.h"
#include "enclave/small_tee.h"

#include "base/hex.h"
#include "codec/json.h"
#include "enclave/dispatch.h"
#include "protocol/reshare.h"
#include "protocol/share.h"

#include "../unit/failing/failing_calls.h"

#include <string.h>
#include <unistd.h>

#define STEPS_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct people people;
static struct buf heard; // what the log said during the step
static struct share_hash hashes[MEMBERS];
static struct reshare_plan plans[2]; // the same key, and a new one
static uint8_t plan_hashes[2][SHA256_SIZE];
static uint8_t signatures[2][2][PEOPLE][P256_SIGNATURE_SIZE]; // by plan and role
static struct approval approvals[2][2][PEOPLE];

struct session {
    struct reader in;
    struct small_tee tee;
    struct enclave *enclave;
    unsigned calls[FAILING_KINDS], random, tee_fails, edits; // of the next message
    size_t plan;                                             // that the enclave has booted
};

static void hear(const void *p, size_t n)
{
    if (heard.cap - heard.n >= n)
        must_ok(buf_append(&heard, bytes_of(p, n)));
}

static uint8_t next_byte(struct session *s)
{
    uint8_t value = 0;
    (void)reader_u8(&s->in, &value);
    return value;
}

static void make_plan(size_t which)
{
    struct reshare_plan *p = &plans[which];
    struct bytes empty = BYTES_LIT("");
    *p = (struct reshare_plan){.format = BYTES_LIT(RESHARE_PLAN_FORMAT),
                               .namespace = BYTES_LIT("fuzz"),
                               .epoch = 1,
                               .new_key = which == 1,
                               .enclave = {empty, empty, empty, empty, empty, empty}};
    p->quorum_key = p256_public_bytes(p256_pair_public(people.quorum));
    p->old_share_set = people.envelope.manifest.share_set;
    p->new_share_set = p->manifest_set = people.envelope.manifest.manifest_set;
    p->old_share_hashes.items = hashes;
    p->old_share_hashes.n = MEMBERS;
    must_ok(reshare_plan_hash(p, plan_hashes[which]));
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < PEOPLE; i++) {
            BUF_AUTO message = {0};
            must_ok(
                reshare_approval_message((enum reshare_role)role, plan_hashes[which], &message));
            must_ok(p256_sign(people.pairs[i], buf_bytes(&message), signatures[which][role][i]));
            approvals[which][role][i] = (struct approval){
                .signature = BYTES_OF(signatures[which][role][i]), .member = people.members[i]};
        }
}

static bool contains(struct bytes in, struct bytes what)
{
    return memmem(in.p, in.n, what.p, what.n) != NULL;
}

static void check_absent(struct bytes secret, struct bytes reply)
{
    BUF_AUTO hex = {0};
    must_ok(hex_encode(secret, &hex));
    const struct bytes places[] = {reply, buf_bytes(&heard)};
    for (size_t i = 0; i < 2; i++)
        must(!contains(places[i], secret) && !contains(places[i], buf_bytes(&hex)));
}

static void check_secrets(struct bytes reply)
{
    check_absent(p256_pair_seed(people.quorum), reply);
    for (size_t i = 0; i < MEMBERS; i++)
        check_absent(bytes_of(people_share(&people, i).p + 1, P256_SEED_SIZE), reply);
}

static void arm(struct session *s)
{
    for (int kind = 0; kind < FAILING_KINDS; kind++)
        failing_at((enum failing_kind)kind, s->calls[kind]);
    random_fails_at(s->random);
    s->tee.fails_at = s->tee_fails;
    memset(s->calls, 0, sizeof s->calls);
    s->random = s->tee_fails = 0;
}

static bool disarm(struct session *s)
{
    bool failed = failing_stop() || random_failed() || s->tee.failed;
    random_fails_at(0);
    s->tee.fails_at = 0;
    s->tee.failed = false;
    return failed;
}

// An output that leaves the enclave holds, whatever came before it.
static void check_reply(const struct session *s, enum phase before, size_t held, bool faulty,
                        struct bytes reply)
{
    ARENA_AUTO arena = {0};
    struct message m;
    enum encoding as;
    must_ok(message_decode(reply, &arena, &m, &as, NULL));
    if (m.tag == MSG_QUORATE_RESHARE_OUTPUT_RESPONSE)
        must_ok(reshare_output_check(&m.reshare_output.output));
    if (m.tag != MSG_PROTOCOL_ERROR_RESPONSE)
        return;
    must(s->enclave->shares.n == held);
    if (s->enclave->phase != before)
        must(faulty && before == PHASE_WAITING_FOR_BOOT_INSTRUCTION &&
             s->enclave->phase == PHASE_UNRECOVERABLE_ERROR);
}

static void send_frame(struct session *s, struct bytes frame)
{
    BUF_AUTO reply = {0};
    enum phase before = s->enclave->phase;
    size_t held = s->enclave->shares.n;
    buf_clear(&heard);
    arm(s);
    enum q_err err = dispatch(s->enclave, frame, &reply);
    bool faulty = disarm(s);
    must(err == Q_OK || (faulty && err == Q_NOMEM));
    if (err == Q_OK)
        check_reply(s, before, held, faulty, buf_bytes(&reply));
    check_secrets(buf_bytes(&reply));
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        must(!file_exists(people.files[i]));
}

static void garble(struct session *s, struct buf *frame)
{
    for (; s->edits > 0 && frame->n > 0; s->edits--) {
        uint16_t at = 0;
        (void)reader_u16le(&s->in, &at);
        uint8_t value = next_byte(s);
        frame->p[at % frame->n] = value;
    }
    s->edits = 0;
}

static void send_message(struct session *s, const struct message *m)
{
    BUF_AUTO frame = {0};
    must_ok(message_encode(m, ENCODING_JSON, &frame, NULL));
    garble(s, &frame);
    send_frame(s, buf_bytes(&frame));
}

static void query(struct session *s)
{
    static const enum message_kind kinds[] = {
        MSG_STATUS_REQUEST,        MSG_MANIFEST_ENVELOPE_REQUEST,
        MSG_QUORATE_STATE_REQUEST, MSG_QUORATE_RESHARE_ATTESTATION_REQUEST,
        MSG_VERSION_REQUEST,       MSG_QUORATE_RESHARE_OUTPUT_REQUEST,
    };
    const struct message m = {.tag = kinds[next_byte(s) % (sizeof kinds / sizeof *kinds)]};
    send_message(s, &m);
}

// Each flag spoils one thing; none: a boot that must be taken.
static void boot_with(struct session *s, uint8_t flags)
{
    size_t which = flags & 1;
    struct message m = {.tag = MSG_QUORATE_RESHARE_BOOT_REQUEST,
                        .reshare_boot = {.plan = plans[which]}};
    m.reshare_boot.approvals.items =
        approvals[(flags & 2) != 0 ? 1 - which : which][(flags & 4) != 0 ? 1 : 0];
    m.reshare_boot.approvals.n = (flags & 8) != 0 ? flags >> 6 : THRESHOLD;
    if ((flags & 16) != 0)
        m.reshare_boot.plan.new_share_set.threshold = flags >> 5;
    bool waits = s->enclave->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION;
    send_message(s, &m);
    if (waits && s->enclave->phase == PHASE_WAITING_FOR_QUORUM_SHARDS)
        s->plan = which;
}

static void boot(struct session *s)
{
    boot_with(s, next_byte(s));
}

#define SHARE_WHOLE UINT8_MAX // place: nothing is spoiled

static void post_share(struct session *s, size_t person, size_t index, uint8_t flags, uint8_t place)
{
    const struct p256_public *setup = keyring_public(s->enclave->keyring, KEY_SETUP);
    uint8_t share[SHARE_SIZE], binding[P256_SIGNATURE_SIZE];
    BUF_AUTO envelope = {0}, message = {0};
    if (setup == NULL)
        return;
    memcpy(share, people_share(&people, index).p, SHARE_SIZE);
    if (place < SHARE_SIZE)
        share[place] ^= (uint8_t)(flags | 1);
    must_ok(p256_seal(setup, bytes_of(share, SHARE_SIZE - ((flags & 32) != 0 ? 1 : 0)), &envelope));
    must_ok(share_binding_message(plan_hashes[s->plan], p256_public_bytes(setup),
                                  buf_bytes(&envelope), &message));
    must_ok(p256_sign(people.pairs[(flags & 16) != 0 ? PEOPLE - 1 : person], buf_bytes(&message),
                      binding));
    struct message m = {.tag = MSG_QUORATE_RESHARE_SHARE_REQUEST};
    m.reshare_share.share = buf_bytes(&envelope);
    m.reshare_share.approval =
        approvals[(flags & 4) != 0 ? 1 - s->plan : s->plan][(flags & 8) != 0 ? 0 : 1][person];
    m.reshare_share.binding = BYTES_OF(binding);
    send_message(s, &m);
}

static void post(struct session *s)
{
    size_t person = next_byte(s) % PEOPLE, index = next_byte(s) % MEMBERS;
    uint8_t flags = next_byte(s), place = next_byte(s);
    post_share(s, person, index, flags, place);
}

static void fault(struct session *s)
{
    uint8_t what = next_byte(s) % (FAILING_KINDS + 2), n = next_byte(s);
    if (what < FAILING_KINDS)
        s->calls[what] = n;
    else
        *(what == FAILING_KINDS ? &s->random : &s->tee_fails) = n;
}

static void spoil(struct session *s)
{
    s->edits = next_byte(s) % 6;
}

// Whatever was sent before: no garbage is ever held, so two members need to post but once each.
static void honest_end(struct session *s)
{
    const struct message ask = {.tag = MSG_QUORATE_RESHARE_OUTPUT_REQUEST};
    memset(s->calls, 0, sizeof s->calls);
    s->random = s->tee_fails = s->edits = 0;
    if (s->enclave->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION)
        boot_with(s, 0);
    if (s->enclave->phase == PHASE_UNRECOVERABLE_ERROR)
        return;
    for (size_t i = 0; i < 2 && s->enclave->phase == PHASE_WAITING_FOR_QUORUM_SHARDS; i++)
        post_share(s, i, i, 0, SHARE_WHOLE);
    must(s->enclave->phase == PHASE_GENESIS_BOOTED);
    send_message(s, &ask);
    must_ok(reshare_output_check(&s->enclave->reshare->output));
}

static void session_run(struct session *s)
{
    static void (*const steps[])(struct session *) = {query, boot, post, fault, spoil};
    for (int n = 0; n < STEPS_MAX && reader_left(&s->in) > 0; n++)
        steps[next_byte(s) % (sizeof steps / sizeof *steps)](s);
    honest_end(s);
}

static void start(void)
{
    must_ok(json_start());
    must_ok(buf_reserve(&heard, (size_t)64 << 10));
    people_make(&people);
    for (size_t i = 0; i < MEMBERS; i++)
        must_ok(sha512(people_share(&people, i), hashes[i].bytes));
    make_plan(0);
    make_plan(1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session s;
    if (people.quorum == NULL)
        start();
    random_restart();
    failing_listen(hear);
    s = (struct session){.in = reader_of(bytes_of(data, size), "session")};
    small_tee_reset(&s.tee);
    struct enclave_options options = {.tee = &s.tee.tee, .published = {.app_uid = geteuid()}};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        options.published.paths[i] = people.files[i];
    must_ok(enclave_open(&options, &s.enclave));
    session_run(&s);
    enclave_close(&s.enclave);
    failing_listen(NULL);
    return 0;
}
