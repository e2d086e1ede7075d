// Fuzz target: bytes as edits of an instance's state file, or as all of it, found at a start. What is booted from it is
// what the genesis signed, and on hardware nothing without a pin; whatever it is, the file stays as it was.
#include "enclave/people.h"
#include "enclave/small_tee.h"

#include "codec/json.h"
#include "enclave/dispatch.h"
#include "enclave/instance/instance_state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EDITS_MAX 16
#define ALL_OF_IT 0xff // first byte: the rest is the file

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct people people;
static struct small_tee tee;
static char folder[96], path[128];
static struct buf good; // what a genesis left
static uint8_t hash[SHA256_SIZE], share_hashes[MEMBERS][SHA512_SIZE];

static struct enclave *open_enclave(bool simulated)
{
    struct enclave *e;
    struct enclave_options options = {.tee = &tee.tee};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        options.published.paths[i] = people.files[i];
    options.published.app_uid = geteuid();
    options.policy.state_dir = folder;
    small_tee_reset(&tee);
    tee.tee.simulated = simulated;
    must_ok(enclave_open(&options, &e));
    return e;
}

static void ask_for_genesis(struct enclave *e)
{
    static const uint8_t pivot[SHA256_SIZE] = {1};
    struct api_member members[MEMBERS];
    BUF_AUTO body = {0}, frame = {0}, reply = {0};
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
    must_ok(json_encode(&type_api_genesis_request, &request, JSON_PLAIN, &body));
    const struct message m = {.tag = MSG_QUORATE_API_REQUEST,
                              .api_request = {.method = BYTES_LIT("POST"),
                                              .path = BYTES_LIT("/enclave/genesis-boot"),
                                              .query = BYTES_LIT(""),
                                              .authorization = BYTES_LIT(""),
                                              .request_id = BYTES_LIT("fuzz"),
                                              .body = buf_bytes(&body)}};
    must_ok(message_encode(&m, ENCODING_JSON, &frame, NULL));
    must_ok(dispatch(e, buf_bytes(&frame), &reply));
    must(e->phase == PHASE_GENESIS_BOOTED);
}

static void make_good(void)
{
    must_ok(json_start());
    people_make(&people);
    (void)snprintf(folder, sizeof folder, "%s/state", people.folder);
    (void)snprintf(path, sizeof path, "%s/" INSTANCE_STATE_NAME, folder);
    struct enclave *e = open_enclave(true);
    ask_for_genesis(e);
    memcpy(hash, e->booted->manifest_hash, sizeof hash);
    memcpy(share_hashes, e->booted->share_hashes, sizeof share_hashes);
    enclave_close(&e);
    must_ok(file_read(path, INSTANCE_STATE_MAX, &good));
}

static void edit(struct reader *in, struct buf *text)
{
    uint16_t at = 0;
    uint8_t how = 0, value = 0;
    (void)reader_u16le(in, &at);
    (void)reader_u8(in, &how);
    (void)reader_u8(in, &value);
    if (text->n == 0)
        return;
    if (how == 0)
        text->n = at % text->n;
    else
        text->p[at % text->n] = value;
}

static void check(const struct enclave *e, bool simulated)
{
    must(keyring_describe(e->keyring, KEY_QUORUM) == NULL && e->held == NULL);
    if (e->booted == NULL) {
        must(e->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION);
        return;
    }
    must(e->phase == PHASE_GENESIS_BOOTED && e->birth == BIRTH_GENESIS_HELD && simulated);
    must(memcmp(e->booted->manifest_hash, hash, sizeof hash) == 0);
    must(memcmp(e->booted->share_hashes, share_hashes, sizeof share_hashes) == 0);
    must(e->booted->genesis == NULL && e->booted->quorum_key_signature.n == P256_SIGNATURE_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BUF_AUTO text = {0}, after = {0};
    uint8_t first = 0;
    if (good.n == 0)
        make_good();
    struct reader in = reader_of(bytes_of(data, size), "edits");
    (void)reader_u8(&in, &first);
    bool all = first == ALL_OF_IT, simulated = (first & 1) == 0 || all;
    must_ok(buf_append(&text, all ? bytes_of(data + 1, size - 1) : buf_bytes(&good)));
    for (int i = 0; i < EDITS_MAX && !all && reader_left(&in) > 0; i++)
        edit(&in, &text);
    must_ok(file_write(path, buf_bytes(&text), 0600, FILE_REPLACE));
    struct enclave *e = open_enclave(simulated);
    must(e->booted != NULL || text.n != good.n || all || !simulated ||
         memcmp(text.p, good.p, good.n) != 0);
    check(e, simulated);
    enclave_close(&e);
    must_ok(file_read(path, INSTANCE_STATE_MAX, &after));
    must(bytes_equal(buf_bytes(&after), buf_bytes(&text)));
    return 0;
}
