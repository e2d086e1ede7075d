// Makes the documents (see peer.h).
#include "peer.h"

#include "people.h"

#include "tee/document.h"
#include "tee/sim_dir.h"

#include <string.h>

#define MADE_S INT64_C(1700000000)
#define SETUP_REGISTER 16

static void write_document(const struct document *like, const struct sim_pki *pki, struct buf *out)
{
    struct document d = *like;
    d.certificate = buf_bytes(&pki->leaf);
    d.cabundle[0] = buf_bytes(&pki->root);
    d.cabundle[1] = buf_bytes(&pki->intermediate);
    d.cabundle_count = 2;
    must_ok(document_write(&d, secret_bytes(&pki->leaf_key), out));
}

static void start(struct document *d)
{
    *d = (struct document){.module_id = BYTES_LIT("fuzzed"),
                           .timestamp_ms = MADE_S * 1000,
                           .register_count = TEE_REGISTERS};
    for (size_t i = 0; i < TEE_REGISTERS; i++)
        d->registers[i] = (struct register_value){.present = true, .n = SHA384_SIZE};
}

static void make_wrong(const struct document *right, const struct sim_pki *pki, struct peer *out)
{
    struct document d = *right;
    d.registers[MEASUREMENT_IMAGE].value[0] = 1;
    write_document(&d, pki, &out->documents[PEER_OTHER_IMAGE]);
    d = *right;
    memset(d.registers[SETUP_REGISTER].value, 0, SHA384_SIZE);
    write_document(&d, pki, &out->documents[PEER_UNCOMMITTED]);
    d = *right;
    d.public_key = BYTES_NONE;
    write_document(&d, pki, &out->documents[PEER_KEYLESS]);
    write_document(right, pki, &out->documents[PEER_FLIPPED]);
    out->documents[PEER_FLIPPED].p[out->documents[PEER_FLIPPED].n - 1] ^= 1;
}

void peer_make(const uint8_t hash[static SHA256_SIZE], struct bytes key, struct peer *out)
{
    struct sim_pki_new ours = {0}, others = {0};
    struct document d;
    must_ok(sim_pki_generate(MADE_S, &ours));
    must_ok(sim_pki_generate(MADE_S, &others));
    must_ok(buf_append(&out->root, buf_bytes(&ours.pki.root)));
    start(&d);
    write_document(&d, &ours.pki, &out->own);
    d.public_key = key;
    d.user_data = bytes_of(hash, SHA256_SIZE);
    must_ok(commitment_register(COMMITMENT_SETUP, hash, key, d.registers[SETUP_REGISTER].value));
    write_document(&d, &ours.pki, &out->documents[PEER_RIGHT]);
    write_document(&d, &others.pki, &out->documents[PEER_OTHER_ROOT]);
    make_wrong(&d, &ours.pki, out);
    sim_pki_new_free(&ours);
    sim_pki_new_free(&others);
}
