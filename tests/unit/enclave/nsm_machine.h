// A Nitro security module in this process whose registers and documents are a simulated TEE's: through it the Nitro
// provider runs whole, but for the root that its documents chain to.
#ifndef QUORATE_TESTS_NSM_MACHINE_H
#define QUORATE_TESTS_NSM_MACHINE_H

#include "codec/cbor.h"
#include "tee/nitro.h"

#include <errno.h>

struct nsm_machine {
    struct nsm_port port; // first, see nsm.h
    struct tee *inside;   // simulated; not owned
    unsigned calls;
    unsigned dies_at; // from this call on the device fails; 0: never
};

static inline void nsm_answer_head(struct buf *out, const char *operation, uint64_t entries)
{
    assert_ok(cbor_write_map(out, 1));
    assert_ok(cbor_write_text(out, bytes_str(operation)));
    assert_ok(cbor_write_map(out, entries));
}

static inline void nsm_answer_bytes(struct buf *out, const char *key, struct bytes value)
{
    assert_ok(cbor_write_text(out, bytes_str(key)));
    assert_ok(cbor_write_bytes(out, value));
}

static inline void nsm_answer_number(struct buf *out, const char *key, uint64_t value)
{
    assert_ok(cbor_write_text(out, bytes_str(key)));
    assert_ok(cbor_write_uint(out, value));
}

static inline void nsm_say_description(struct nsm_machine *m, struct buf *out)
{
    struct tee_description d;
    assert_ok(m->inside->ops->describe(m->inside, &d));
    nsm_answer_head(out, "DescribeNSM", 7);
    nsm_answer_number(out, "version_major", 1);
    nsm_answer_number(out, "version_minor", 0);
    nsm_answer_number(out, "version_patch", 0);
    assert_ok(cbor_write_text(out, BYTES_LIT("module_id")));
    assert_ok(cbor_write_text(out, BYTES_LIT("i-0-enc0")));
    nsm_answer_number(out, "max_pcrs", d.register_count);
    assert_ok(cbor_write_text(out, BYTES_LIT("locked_pcrs")));
    assert_ok(cbor_write_array(out, (uint64_t)__builtin_popcountll(d.locked)));
    for (unsigned i = 0; i < d.register_count; i++)
        if ((d.locked >> i & 1) != 0)
            assert_ok(cbor_write_uint(out, i));
    assert_ok(cbor_write_text(out, BYTES_LIT("digest")));
    assert_ok(cbor_write_text(out, BYTES_LIT("SHA384")));
}

// The value of one entry of the request's map; p == NULL: null.
static inline struct cbor_item nsm_asked(struct reader r, const char *key)
{
    struct cbor_item head, name, value = {0};
    assert_ok(cbor_expect(&r, CBOR_MAP, &head));
    for (uint64_t i = 0; i < head.number; i++) {
        assert_ok(cbor_expect(&r, CBOR_TEXT, &name));
        assert_ok(cbor_next(&r, &value));
        if (bytes_is(name.string, key))
            return value;
    }
    fail_msg("the request has no %s", key);
    return value;
}

static inline struct bytes nsm_asked_bytes(const struct reader *r, const char *key)
{
    struct cbor_item value = nsm_asked(*r, key);
    return value.kind == CBOR_NULL ? BYTES_NONE : value.string;
}

static inline void nsm_say(struct nsm_machine *m, struct bytes operation, const struct reader *r,
                           struct buf *out)
{
    struct tee *t = m->inside;
    static const uint8_t chosen[32] = {4};
    if (bytes_is(operation, "DescribePCR")) {
        struct register_state s;
        assert_ok(t->ops->read(t, (unsigned)nsm_asked(*r, "index").number, &s));
        nsm_answer_head(out, "DescribePCR", 2);
        assert_ok(cbor_write_text(out, BYTES_LIT("lock")));
        assert_ok(cbor_write_bool(out, s.locked));
        nsm_answer_bytes(out, "data", bytes_of(s.value.value, s.value.n));
    } else if (bytes_is(operation, "ExtendPCR")) {
        struct register_value after;
        assert_ok(t->ops->extend(t, (unsigned)nsm_asked(*r, "index").number,
                                 nsm_asked_bytes(r, "data"), &after));
        nsm_answer_head(out, "ExtendPCR", 1);
        nsm_answer_bytes(out, "data", bytes_of(after.value, after.n));
    } else if (bytes_is(operation, "LockPCRs")) {
        assert_ok(t->ops->lock(t, (unsigned)nsm_asked(*r, "range").number));
        assert_ok(cbor_write_text(out, operation));
    } else if (bytes_is(operation, "Attestation")) {
        BUF_AUTO document = {0};
        assert_ok(t->ops->attest(t, nsm_asked_bytes(r, "user_data"), nsm_asked_bytes(r, "nonce"),
                                 nsm_asked_bytes(r, "public_key"), &document));
        nsm_answer_head(out, "Attestation", 1);
        nsm_answer_bytes(out, "document", buf_bytes(&document));
    } else if (bytes_is(operation, "GetRandom")) {
        nsm_answer_head(out, "GetRandom", 1);
        nsm_answer_bytes(out, "random", BYTES_OF(chosen));
    } else {
        assert_true(bytes_is(operation, "DescribeNSM"));
        nsm_say_description(m, out);
    }
}

static inline int nsm_machine_call(struct nsm_port *p, struct nsm_raw *raw)
{
    struct nsm_machine *m = (struct nsm_machine *)p;
    BUF_AUTO out = {0};
    struct cbor_item head, operation;
    m->calls++;
    if (m->dies_at != 0 && m->calls >= m->dies_at)
        return EIO;
    struct reader r = reader_of(
        bytes_of((const uint8_t *)(uintptr_t)raw->request.address, (size_t)raw->request.length),
        "request");
    assert_ok(cbor_next(&r, &head));
    operation = head;
    if (head.kind == CBOR_MAP)
        assert_ok(cbor_expect(&r, CBOR_TEXT, &operation));
    nsm_say(m, operation.string, &r, &out);
    assert_true(out.n <= NSM_RESPONSE_MAX);
    memcpy((void *)(uintptr_t)raw->response.address, out.p, out.n);
    raw->response.length = out.n;
    return 0;
}

static inline void nsm_machine_close(struct nsm_port *p)
{
    (void)p;
}

static inline struct nsm_machine nsm_machine_of(struct tee *simulated)
{
    return (struct nsm_machine){.port = {.call = nsm_machine_call, .close = nsm_machine_close},
                                .inside = simulated};
}

#endif
