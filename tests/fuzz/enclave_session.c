// Fuzz target: bytes as a session with one enclave. They choose messages, right, spoiled and garbled, and calls
// of memory, OpenSSL, files, randomness and TEE that fail. After each step the promises of design.md are checked;
// at the end honest members must still get their key in place.
#include "enclave/peer.h"
#include "enclave/people.h"
#include "enclave/small_tee.h"

#include "base/hex.h"
#include "codec/json.h"
#include "enclave/dispatch.h"
#include "protocol/share.h"

#include "../unit/failing/failing_calls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX 24
#define EDITS_MAX 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct people people;
static struct peer peer; // its setup key is the first member's
static struct buf heard; // what the log said during the step

// What a step is going to let fail; zero: nothing.
struct faults {
    unsigned calls[FAILING_KINDS], random, tee, lie;
};

struct session {
    struct reader in;
    struct small_tee tee;
    struct enclave *enclave;
    struct faults next;
    unsigned edits;               // garble the next message so many times
    bool right[MEMBERS][MEMBERS]; // member i sent share j as it is
    bool injected;                // the key was sent as it is
    bool spoiled;                 // what is sent asks for a key that must not leave
    bool wanted;                  // or for one that must, unless calls fail
};

static void hear(const void *p, size_t n)
{
    // There is room already: the log must not be what meets the failing allocation.
    if (heard.cap - heard.n >= n)
        must_ok(buf_append(&heard, bytes_of(p, n)));
}

static uint8_t next_byte(struct session *s)
{
    uint8_t value = 0;
    (void)reader_u8(&s->in, &value);
    return value;
}

// ---- promises

static bool two_right_shares(const struct session *s)
{
    for (size_t a = 0; a < MEMBERS * MEMBERS; a++)
        for (size_t b = 0; b < a; b++)
            if (s->right[a / MEMBERS][a % MEMBERS] && s->right[b / MEMBERS][b % MEMBERS] &&
                a / MEMBERS != b / MEMBERS && a % MEMBERS != b % MEMBERS)
                return true;
    return false;
}

static void check_quorum_file(const struct session *s)
{
    bool provisioned = s->enclave->phase == PHASE_QUORUM_KEY_PROVISIONED;
    must(file_exists(people.files[PUBLISHED_QUORUM]) == provisioned);
    if (!provisioned)
        return;
    must(s->injected || two_right_shares(s));
    SECRET_AUTO text = {0};
    must_ok(file_read_secret(people.files[PUBLISHED_QUORUM], 64, &text));
    must(secret_equal(secret_bytes(&text), secret_bytes(&people.seed_text)));
}

static bool contains(struct bytes in, struct bytes what)
{
    return memmem(in.p, in.n, what.p, what.n) != NULL;
}

static void check_absent(struct bytes secret, struct bytes reply)
{
    BUF_AUTO hex = {0};
    must_ok(hex_encode(secret, &hex));
    struct bytes places[] = {reply, buf_bytes(&heard)};
    for (size_t i = 0; i < 2; i++)
        must(!contains(places[i], secret) && !contains(places[i], buf_bytes(&hex)));
}

static void check_key_absent(const struct session *s, uint32_t key, struct bytes reply)
{
    SECRET_AUTO text = {0};
    SECRET_AUTO seed = {0};
    if (custody_use(s->enclave->keyring, key, USE_RELEASE, BYTES_NONE, &text) != Q_OK)
        return;
    must_ok(hex_decode_secret(secret_bytes(&text), P256_SEED_SIZE, &seed));
    check_absent(secret_bytes(&seed), reply);
}

static void check_secrets(const struct session *s, struct bytes reply)
{
    check_absent(p256_pair_seed(people.quorum), reply);
    for (size_t i = 0; i < MEMBERS; i++) {
        struct bytes share = people_share(&people, i);
        check_absent(bytes_of(share.p + 1, share.n - 1), reply);
    }
    check_key_absent(s, KEY_SETUP, reply);
    check_key_absent(s, KEY_LIVE, reply);
}

// A refusal changes nothing. Two exceptions: shares that made a wrong key are forgotten, and with them their
// approvals in the manifest; and where calls failed, files other than the quorum key may be the newer ones.
static void check_refusal(const struct session *s, enum phase before, bool faulty,
                          const struct message *reply, struct bytes files)
{
    BUF_AUTO now = {0};
    if (s->enclave->phase != before) {
        must(faulty && before == PHASE_WAITING_FOR_BOOT_INSTRUCTION);
        must(s->enclave->phase == PHASE_UNRECOVERABLE_ERROR);
        return;
    }
    if (faulty)
        return;
    people_snapshot(&people, reply->error.tag != PE_RECONSTRUCTION_INCORRECT_PUB_KEY, &now);
    if (reply->error.tag != PE_RECONSTRUCTION_INCORRECT_PUB_KEY)
        must(bytes_equal(files, buf_bytes(&now)));
}

// A key leaves only for the enclave of the right document, and only it can read the key.
static void check_export(const struct session *s, const struct encrypted_quorum_key *key)
{
    SECRET_AUTO seed = {0};
    must(!s->spoiled);
    must_ok(p256_open(people.pairs[0], key->encrypted_quorum_key, &seed));
    must(secret_equal(secret_bytes(&seed), p256_pair_seed(people.quorum)));
    must_ok(
        p256_verify(p256_pair_public(people.quorum), key->encrypted_quorum_key, key->signature));
}

static void check_reply(const struct session *s, enum phase before, bool faulty, struct bytes reply,
                        struct bytes files)
{
    ARENA_AUTO arena = {0};
    struct message decoded;
    enum encoding as;
    must_ok(message_decode(reply, &arena, &decoded, &as, NULL));
    if (decoded.tag == MSG_PROTOCOL_ERROR_RESPONSE)
        check_refusal(s, before, faulty, &decoded, files);
    must(faulty || !s->wanted || decoded.tag == MSG_EXPORT_KEY_RESPONSE);
    if (decoded.tag == MSG_EXPORT_KEY_RESPONSE)
        check_export(s, &decoded.encrypted_key);
}

static void check_no_temporary_files(void)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    must_ok(file_list(people.folder, &a, &list));
    for (size_t i = 0; i < list.n; i++)
        must(list.names[i][0] != '.');
}

// ---- sending

static void arm(struct session *s)
{
    for (int kind = 0; kind < FAILING_KINDS; kind++)
        failing_at((enum failing_kind)kind, s->next.calls[kind]);
    random_fails_at(s->next.random);
    s->tee.fails_at = s->next.tee;
    s->tee.lies_at = s->next.lie;
    s->next = (struct faults){0};
}

// True when anything failed since arm.
static bool disarm(struct session *s)
{
    bool failed = failing_stop() || random_failed() || s->tee.failed || s->tee.lied;
    random_fails_at(0);
    s->tee.fails_at = s->tee.lies_at = 0;
    s->tee.failed = s->tee.lied = false;
    return failed;
}

static void send_frame(struct session *s, struct bytes frame)
{
    BUF_AUTO reply = {0}, files = {0};
    enum phase before = s->enclave->phase;
    people_snapshot(&people, true, &files);
    buf_clear(&heard);
    arm(s);
    enum q_err err = dispatch(s->enclave, frame, &reply);
    bool faulty = disarm(s);
    must(err == Q_OK || (faulty && err == Q_NOMEM));
    if (err == Q_OK)
        check_reply(s, before, faulty, buf_bytes(&reply), buf_bytes(&files));
    check_secrets(s, buf_bytes(&reply));
    check_quorum_file(s);
    check_no_temporary_files();
}

// Overwrites, cuts off or repeats, as the input says.
static void garble(struct session *s, struct buf *frame)
{
    for (; s->edits > 0 && frame->n > 0; s->edits--) {
        uint16_t at = 0;
        (void)reader_u16le(&s->in, &at);
        uint8_t how = next_byte(s), value = next_byte(s);
        size_t place = at % frame->n;
        if (how == 0)
            frame->n = place;
        else if (how == 1)
            must_ok(buf_u8(frame, value));
        else
            frame->p[place] = value;
    }
    s->edits = 0;
}

static void send_message(struct session *s, const struct message *m, enum encoding as)
{
    BUF_AUTO frame = {0};
    if (message_encode(m, as, &frame, NULL) != Q_OK)
        return;
    garble(s, &frame);
    send_frame(s, buf_bytes(&frame));
}

// ---- steps

static void raw(struct session *s)
{
    uint16_t n = 0;
    struct bytes frame;
    (void)reader_u16le(&s->in, &n);
    size_t left = reader_left(&s->in);
    if (reader_take(&s->in, n < left ? n : left, &frame) == Q_OK)
        send_frame(s, frame);
}

static void query(struct session *s)
{
    static const enum message_kind kinds[] = {
        MSG_STATUS_REQUEST, MSG_VERSION_REQUEST, MSG_MANIFEST_ENVELOPE_REQUEST,
        MSG_LIVE_ATTESTATION_DOC_REQUEST, MSG_QUORATE_STATE_REQUEST};
    uint8_t which = next_byte(s);
    struct message m = {.tag = kinds[which % (sizeof kinds / sizeof *kinds)]};
    send_message(s, &m, which >= 128 ? ENCODING_BORSH : ENCODING_JSON);
}

static void genesis(struct session *s)
{
    struct message m = {.tag = MSG_BOOT_GENESIS_REQUEST};
    uint8_t flags = next_byte(s);
    m.genesis.set.threshold = flags & 7;
    m.genesis.set.members.items = people.members;
    m.genesis.set.members.n = (flags >> 3) % (PEOPLE + 1);
    m.genesis.dr_key = (flags & 128) != 0 ? people.members[0].pub_key : BYTES_NONE;
    send_message(s, &m, ENCODING_JSON);
}

#define BOOT_FORWARD 32 // not for shares, but for a forwarded key

// Each other flag spoils one thing; none: a boot that must be taken.
static void boot_with(struct session *s, uint8_t flags)
{
    struct message m = {.tag = MSG_BOOT_STANDARD_REQUEST,
                        .boot = {.manifest_envelope = people.envelope, .pivot = people_pivot}};
    struct manifest_envelope *e = &m.boot.manifest_envelope;
    if ((flags & 1) != 0)
        e->manifest_set_approvals.n = flags >> 6;
    if ((flags & 2) != 0)
        m.boot.pivot = BYTES_LIT("other");
    if ((flags & 4) != 0) {
        e->share_set_approvals.items = people.approvals;
        e->share_set_approvals.n = 1;
    }
    if ((flags & 8) != 0)
        e->manifest.namespace.nonce = 2;
    if ((flags & 16) != 0)
        m.tag = MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST;
    else if ((flags & BOOT_FORWARD) != 0)
        m.tag = MSG_BOOT_KEY_FORWARD_REQUEST;
    send_message(s, &m, (flags & 16) != 0 ? ENCODING_BORSH : ENCODING_JSON);
}

static void boot(struct session *s)
{
    boot_with(s, next_byte(s));
}

struct share_choice {
    size_t person, index;
    uint8_t flags, place;
};

#define SHARE_LENGTH 3U // flags: two bits of length
#define SHARE_SHORTER 4 // three bytes less
#define SHARE_RESIZED 8
#define SHARE_BOUND 16
#define SHARE_BOUND_BY_OTHER 32
#define SHARE_BORSH 64
#define SHARE_WHOLE UINT8_MAX // place: nothing is spoiled

static void bind_share(struct message *m, size_t person, struct bytes setup,
                       uint8_t signature[static P256_SIGNATURE_SIZE])
{
    BUF_AUTO message = {0};
    struct bytes share = m->provision.share;
    struct approval approval = m->provision.approval;
    must_ok(share_binding_message(people.hash, setup, share, &message));
    must_ok(p256_sign(people.pairs[person], buf_bytes(&message), signature));
    m->tag = MSG_QUORATE_BOUND_PROVISION_REQUEST;
    m->bound_provision = (struct bound_provision_request){
        .share = share, .approval = approval, .binding = bytes_of(signature, P256_SIGNATURE_SIZE)};
}

// The share as the choice spoils it. Notes when it is right.
static size_t make_share(struct session *s, const struct share_choice *c, uint8_t *share)
{
    memcpy(share, people_share(&people, c->index).p, SHARE_SIZE);
    if (c->place < SHARE_SIZE)
        share[c->place] ^= (uint8_t)(c->flags | 1);
    size_t n = SHARE_SIZE;
    if ((c->flags & SHARE_RESIZED) != 0)
        n = n + (c->flags & SHARE_LENGTH) - ((c->flags & SHARE_SHORTER) != 0 ? SHARE_LENGTH : 0);
    if (c->person < MEMBERS && c->place >= SHARE_SIZE && n == SHARE_SIZE)
        s->right[c->person][c->index] = true;
    return n;
}

static void post_share(struct session *s, const struct share_choice *c)
{
    const struct p256_public *setup = keyring_public(s->enclave->keyring, KEY_SETUP);
    uint8_t share[SHARE_SIZE + SHARE_LENGTH] = {0}, signature[P256_SIGNATURE_SIZE];
    BUF_AUTO envelope = {0};
    if (setup == NULL)
        return;
    size_t n = make_share(s, c, share);
    must_ok(p256_seal(setup, bytes_of(share, n), &envelope));
    struct message m = {
        .tag = MSG_PROVISION_REQUEST,
        .provision = {.share = buf_bytes(&envelope), .approval = people.approvals[c->person]}};
    if ((c->flags & SHARE_BOUND) != 0)
        bind_share(&m, (c->flags & SHARE_BOUND_BY_OTHER) != 0 ? PEOPLE - 1 : c->person,
                   p256_public_bytes(setup), signature);
    send_message(s, &m, (c->flags & SHARE_BORSH) != 0 ? ENCODING_BORSH : ENCODING_JSON);
}

static void post(struct session *s)
{
    struct share_choice c = {.person = next_byte(s) % PEOPLE, .index = next_byte(s) % MEMBERS};
    c.flags = next_byte(s);
    c.place = next_byte(s);
    post_share(s, &c);
}

// Of the people's own manifest: the flags spoil one thing each; none, with the right document: a key must leave.
static void export(struct session *s)
{
    uint8_t flags = next_byte(s), which = next_byte(s) % PEER_DOCUMENTS;
    struct message m = {
        .tag = MSG_EXPORT_KEY_REQUEST,
        .export_key = {.manifest_envelope = people.envelope,
                       .cose_sign1_attestation_doc = buf_bytes(&peer.documents[which])}};
    struct manifest_envelope *e = &m.export_key.manifest_envelope;
    if ((flags & 1) != 0)
        e->manifest_set_approvals.n = 1;
    if ((flags & 2) != 0) {
        e->share_set_approvals.items = people.approvals;
        e->share_set_approvals.n = 1;
    }
    if ((flags & 4) != 0)
        e->manifest.namespace.nonce = 2;
    if ((flags & 8) != 0)
        e->manifest.namespace.name = BYTES_LIT("other");
    s->spoiled = (flags & 15) != 0 || which != PEER_RIGHT;
    s->wanted = !s->spoiled && s->edits == 0 && s->enclave->phase == PHASE_QUORUM_KEY_PROVISIONED;
    send_message(s, &m, ENCODING_JSON);
    s->spoiled = s->wanted = false;
}

#define INJECT_BY_OTHER 1
#define INJECT_OTHER_KEY 2
#define INJECT_SHORT 4
#define INJECT_TO_OTHER 8
#define INJECT_BORSH 16

static void inject_with(struct session *s, uint8_t flags)
{
    const struct p256_public *setup = keyring_public(s->enclave->keyring, KEY_SETUP);
    const struct p256_pair *signer =
        (flags & INJECT_BY_OTHER) != 0 ? people.pairs[1] : people.quorum;
    struct bytes seed =
        p256_pair_seed((flags & INJECT_OTHER_KEY) != 0 ? people.pairs[1] : people.quorum);
    uint8_t signature[P256_SIGNATURE_SIZE];
    BUF_AUTO sealed = {0};
    if (setup == NULL || (flags & INJECT_TO_OTHER) != 0)
        setup = p256_pair_public(people.pairs[2]);
    else if ((flags & (INJECT_BY_OTHER | INJECT_OTHER_KEY | INJECT_SHORT)) == 0)
        s->injected = true;
    seed.n -= (flags & INJECT_SHORT) != 0;
    must_ok(p256_seal(setup, seed, &sealed));
    must_ok(p256_sign(signer, buf_bytes(&sealed), signature));
    struct message m = {.tag = MSG_INJECT_KEY_REQUEST,
                        .encrypted_key = {.encrypted_quorum_key = buf_bytes(&sealed),
                                          .signature = BYTES_OF(signature)}};
    send_message(s, &m, (flags & INJECT_BORSH) != 0 ? ENCODING_BORSH : ENCODING_JSON);
}

static void inject(struct session *s)
{
    inject_with(s, next_byte(s));
}

// The next message meets a failing call.
static void fault(struct session *s)
{
    uint8_t what = next_byte(s) % (FAILING_KINDS + 3), n = next_byte(s);
    unsigned *places[] = {&s->next.random, &s->next.tee, &s->next.lie};
    if (what < FAILING_KINDS)
        s->next.calls[what] = n;
    else
        *places[what - FAILING_KINDS] = n;
}

static void spoil(struct session *s)
{
    s->edits = next_byte(s) % EDITS_MAX;
}

// ---- whatever happened, the members get their key in place

// Signed shares of two members in turn: a third member's signed garbage may cost them rounds, but not more than
// it takes to be forgotten.
static void honest_end(struct session *s)
{
    s->next = (struct faults){0};
    s->edits = 0;
    if (s->enclave->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION) {
        boot_with(s, 0);
        must(s->enclave->phase == PHASE_WAITING_FOR_QUORUM_SHARDS);
    }
    for (int i = 0; i < 6 && s->enclave->phase == PHASE_WAITING_FOR_QUORUM_SHARDS; i++) {
        size_t person = (size_t)i % 2;
        struct share_choice right = {person, person, SHARE_BOUND, SHARE_WHOLE};
        post_share(s, &right);
    }
    must(s->enclave->phase != PHASE_WAITING_FOR_QUORUM_SHARDS);
    if (s->enclave->phase == PHASE_WAITING_FOR_FORWARDED_KEY) {
        inject_with(s, 0);
        must(s->enclave->phase == PHASE_QUORUM_KEY_PROVISIONED);
    }
}

static void session_run(struct session *s)
{
    static void (*const steps[])(struct session *) = {raw,   query, genesis, boot,  post,
                                                      fault, spoil, export,  inject};
    for (int n = 0; n < STEPS_MAX && reader_left(&s->in) > 0; n++)
        steps[next_byte(s) % (sizeof steps / sizeof *steps)](s);
    honest_end(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session s;
    if (people.quorum == NULL) {
        must_ok(json_start());
        must_ok(buf_reserve(&heard, (size_t)64 << 10));
        people_make(&people);
        peer_make(people.hash, people.members[0].pub_key, &peer);
    }
    random_restart();
    failing_listen(hear);
    s = (struct session){.in = reader_of(bytes_of(data, size), "session")};
    small_tee_reset(&s.tee);
    small_tee_believe(&s.tee, peer.root, buf_bytes(&peer.own));
    struct enclave_options options = {.tee = &s.tee.tee, .published = {.app_uid = geteuid()}};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        options.published.paths[i] = people.files[i];
    must_ok(enclave_open(&options, &s.enclave));
    session_run(&s);
    enclave_close(&s.enclave);
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        must(!file_exists(people.files[i]));
    failing_listen(NULL);
    return 0;
}
