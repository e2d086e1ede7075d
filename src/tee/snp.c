// The provider of an AMD SEV-SNP guest (nitro 5, 7). The firmware signs 64 bytes for whoever asks:
// they are the hash of what this process shows, with registers that it keeps itself (registers.h),
// for the processor has none.
#include "base/log.h"
#include "tee/registers.h"
#include "tee/seal.h"
#include "tee/snp_device.h"
#include "tee/snp_evidence.h"

#include <stdlib.h>
#include <string.h>

struct snp {
    struct tee tee; // first, see provider.h
    struct snp_device *reports, *keys;
    struct buf role; // empty: none
    struct registers registers;
    struct buf first; // the report of the start: what is measured, and where
    struct snp_report self;
};

static struct snp *snp_of(struct tee *t)
{
    return (struct snp *)t;
}

static enum q_err snp_describe(struct tee *t, struct tee_description *out)
{
    registers_describe(&snp_of(t)->registers, out);
    return Q_OK;
}

static enum q_err snp_read(struct tee *t, unsigned index, struct register_state *out)
{
    return registers_read(&snp_of(t)->registers, index, out);
}

static enum q_err snp_extend(struct tee *t, unsigned index, struct bytes data,
                             struct register_value *after)
{
    return registers_extend(&snp_of(t)->registers, index, data, after);
}

static enum q_err snp_lock(struct tee *t, unsigned end)
{
    return registers_lock(&snp_of(t)->registers, end);
}

static struct bytes role_of(const struct snp *s)
{
    return s->role.n > 0 ? buf_bytes(&s->role) : BYTES_NONE;
}

// What the kernel gave must be of this guest, and sign what was asked.
static enum q_err check_report(const struct snp *s, struct bytes report,
                               const uint8_t data[static SNP_DATA_SIZE])
{
    struct snp_report r;
    TRY(snp_report_read(report, &r));
    if (!bytes_equal(r.data, bytes_of(data, SNP_DATA_SIZE)))
        return fail(Q_TEE, "report: expected the data that was asked for, found other data");
    if (s->first.n > 0 && (!bytes_equal(r.measurement, s->self.measurement) ||
                           !bytes_equal(r.host_data, s->self.host_data)))
        return fail(Q_TEE, "report: expected the measurement of the start, found another");
    return Q_OK;
}

static enum q_err ask(struct snp *s, const uint8_t data[static SNP_DATA_SIZE], struct buf *report,
                      struct buf *table)
{
    TRY(err_context(s->reports->report(s->reports, data, report, table), "%s", s->reports->name));
    return err_context(check_report(s, buf_bytes(report), data), "%s", s->reports->name);
}

static enum q_err snp_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                             struct bytes public_key, struct buf *document)
{
    struct snp *s = snp_of(t);
    BUF_AUTO report = {0}, table = {0};
    uint8_t data[SNP_DATA_SIZE];
    struct snp_container c = {
        .format = BYTES_LIT(SNP_EVIDENCE_FORMAT),
        .bound = {.nonce = nonce,
                  .public_key = public_key,
                  .user_data = user_data,
                  .role = role_of(s)},
    };
    for (size_t i = 0; i < SNP_REGISTERS; i++)
        memcpy(c.bound.registers + i * SHA384_SIZE,
               s->registers.value[SNP_FIRST_REGISTER + i].value, SHA384_SIZE);
    TRY(snp_bind(&c.bound, data));
    TRY(ask(s, data, &report, &table));
    c.report = buf_bytes(&report);
    c.certificates = buf_bytes(&table);
    return snp_evidence_write(&c, document);
}

static enum q_err snp_seal_identity(struct tee *t, struct seal_identity *out)
{
    const struct snp_report *r = &snp_of(t)->self;
    *out = (struct seal_identity){.firmware = r->committed_tcb};
    memcpy(out->image, r->measurement.p, sizeof out->image);
    return bytes_is_zero(r->chip_id) ? Q_OK : sha256(r->chip_id, out->machine);
}

static enum q_err snp_seal_key(struct tee *t, uint64_t firmware, struct secret *out)
{
    const struct snp *s = snp_of(t);
    struct snp_device *door = s->keys != NULL ? s->keys : s->reports;
    if (door->derive == NULL)
        return fail(
            Q_UNSUPPORTED,
            "sealing: expected /dev/sev-guest, which derives keys, found configfs-tsm alone");
    return err_context(door->derive(door, firmware, out), "%s", door->name);
}

static void snp_close(struct tee *t)
{
    struct snp *s = snp_of(t);
    if (s->reports != NULL)
        s->reports->close(s->reports);
    if (s->keys != NULL)
        s->keys->close(s->keys);
    buf_free(&s->role);
    buf_free(&s->first);
    buf_free(&s->tee.root);
    free(s);
}

static const struct tee_ops snp_ops = {
    .describe = snp_describe,
    .read = snp_read,
    .extend = snp_extend,
    .lock = snp_lock,
    .attest = snp_attest,
    .seal_identity = snp_seal_identity,
    .seal_key = snp_seal_key,
    .close = snp_close,
};

// AMD's own root for this machine, by the host's certificate or by the processor in the report.
static enum q_err find_root(struct snp *s, struct bytes table)
{
    struct snp_certificates certificates;
    const struct amd_chain *product = s->self.product;
    TRY(snp_certificates_read(table, &certificates));
    struct bytes leaf = s->self.signer == SNP_SIGNER_VLEK ? certificates.vlek : certificates.vcek;
    if (leaf.p == NULL)
        log_warn("SEV-SNP: the host gives no certificate for this machine's key: evidence made "
                 "here cannot be verified");
    else if (product == NULL)
        TRY(snp_product_of_certificate(leaf, &product));
    if (product == NULL)
        return fail(Q_TEE, "report: expected to learn the product from the report or from the "
                           "host's certificate, found neither");
    return buf_append(&s->tee.root, product->ark);
}

static enum q_err check_soundness(const struct snp_report *r)
{
    if ((r->policy & (SNP_POLICY_DEBUG | SNP_POLICY_MIGRATION)) != 0)
        return fail(Q_TEE, "policy: expected neither DEBUG nor a migration agent, found one "
                           "allowed: others could read the keys of this guest");
    return Q_OK;
}

static enum q_err take_role(struct snp *s, const char *role)
{
    uint8_t hash[SHA256_SIZE];
    if (role == NULL) {
        if (!bytes_is_zero(s->self.host_data))
            log_warn("SEV-SNP: there is host data and no --role that explains it: PCR3 is missing");
        return Q_OK;
    }
    struct bytes text = bytes_str(role);
    if (text.n == 0 || text.n > SNP_MAX_ROLE || !bytes_is_utf8(text))
        return fail(Q_BAD_INPUT, "role: expected 1 to %d bytes of text, found %zu bytes",
                    SNP_MAX_ROLE, text.n);
    TRY(sha256(text, hash));
    if (!bytes_equal(s->self.host_data, BYTES_OF(hash)))
        return fail(Q_TEE, "role: expected the one whose SHA-256 is this guest's host data, found "
                           "another");
    return buf_append(&s->role, text);
}

static enum q_err start(struct snp *s, const struct tee_options *o)
{
    static const uint8_t nothing[SNP_DATA_SIZE];
    BUF_AUTO table = {0}, report = {0};
    TRY(ask(s, nothing, &report, &table));
    TRY(buf_append(&s->first, buf_bytes(&report)));
    TRY(snp_report_read(buf_bytes(&s->first), &s->self));
    TRY(check_soundness(&s->self));
    TRY(find_root(s, buf_bytes(&table)));
    TRY(take_role(s, o->role));
    registers_start(&s->registers);
    const struct snp_bound bound = {.role = role_of(s)};
    struct register_value measured[TEE_REGISTERS];
    TRY(snp_registers(&s->self, &bound, measured));
    memcpy(s->registers.value, measured, MEASUREMENT_COUNT * sizeof measured[0]);
    return Q_OK;
}

enum q_err snp_open_over(const struct tee_options *options, struct snp_device *reports,
                         struct snp_device *keys, struct tee **out)
{
    struct snp *s = calloc(1, sizeof *s);
    if (s == NULL) {
        reports->close(reports);
        if (keys != NULL)
            keys->close(keys);
        return fail(Q_NOMEM, "no memory for the SEV-SNP provider");
    }
    s->tee = (struct tee){.ops = &snp_ops, .name = "snp"};
    s->reports = reports;
    s->keys = keys;
    enum q_err err = start(s, options);
    if (err != Q_OK)
        snp_close(&s->tee);
    else
        *out = &s->tee;
    return err;
}

// Reports preferably through configfs-tsm, which knows of SVSMs; keys come from the device alone.
enum q_err snp_open(const struct tee_options *options, struct tee **out)
{
    struct snp_device *guest = NULL, *tsm = NULL;
    if (!tsm_present()) {
        TRY(sev_guest_open("/dev/sev-guest", &guest));
        return snp_open_over(options, guest, NULL, out);
    }
    TRY(tsm_open(&tsm));
    if (sev_guest_open("/dev/sev-guest", &guest) != Q_OK)
        guest = NULL; // sealing says so when it is asked for
    return snp_open_over(options, tsm, guest, out);
}
