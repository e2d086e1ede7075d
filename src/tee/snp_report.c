// Reads the report of AMD's firmware from hostile bytes (see snp_report.h).
#include "tee/snp_report.h"

#include <inttypes.h>

#define SIGNATURE_ECDSA_P384_SHA384 1
#define NUMBER_FIELD 72 // bytes of r and of s, little-endian
#define NUMBER_SIZE 48

static uint64_t number(struct bytes in, size_t at, size_t size)
{
    uint64_t n = 0;
    for (size_t i = size; i > 0; i--)
        n = n << 8 | in.p[at + i - 1];
    return n;
}

static struct bytes part(struct bytes in, size_t at, size_t size)
{
    return bytes_of(in.p + at, size);
}

// Family and model of the processor (nitro 5.2): 19h/0xh Milan, 19h/1xh and Axh Genoa and its kin.
static enum q_err product_of(struct bytes in, const struct amd_chain **out)
{
    unsigned family = in.p[0x188], model = in.p[0x189], line = model >> 4;
    *out = NULL;
    if (family == 0x19 && line == 0x0)
        *out = &amd_milan;
    else if (family == 0x19 && (line == 0x1 || line == 0xa))
        *out = &amd_genoa;
    else if (family == 0x1a)
        *out = &amd_turin;
    if (*out == NULL)
        return fail(Q_ATTESTATION,
                    "report: expected a Milan, Genoa or Turin processor, found family %02xh model "
                    "%02xh",
                    family, model);
    return Q_OK;
}

// From a field of 72 little-endian bytes, the highest 24 of them zero.
static enum q_err read_number(struct bytes field, const char *name, uint8_t out[static NUMBER_SIZE])
{
    if (!bytes_is_zero(part(field, NUMBER_SIZE, NUMBER_FIELD - NUMBER_SIZE)))
        return fail(Q_ATTESTATION, "report: signature: expected %s of %d bytes, found a longer one",
                    name, NUMBER_SIZE);
    for (size_t i = 0; i < NUMBER_SIZE; i++)
        out[i] = field.p[NUMBER_SIZE - 1 - i];
    return Q_OK;
}

static enum q_err read_signature(struct bytes in, uint8_t out[static SNP_SIGNATURE_SIZE])
{
    size_t rest = SNP_REPORT_SIGNED + 2 * (size_t)NUMBER_FIELD;
    TRY(read_number(part(in, SNP_REPORT_SIGNED, NUMBER_FIELD), "r", out));
    TRY(read_number(part(in, SNP_REPORT_SIGNED + NUMBER_FIELD, NUMBER_FIELD), "s",
                    out + NUMBER_SIZE));
    if (!bytes_is_zero(part(in, rest, SNP_REPORT_SIZE - rest)))
        return fail(Q_ATTESTATION, "report: expected zeros after the signature, found other bytes");
    return Q_OK;
}

static enum q_err check_form(struct bytes in)
{
    if (in.n != SNP_REPORT_SIZE)
        return fail(Q_BAD_INPUT, "report: expected %d bytes, found %zu", SNP_REPORT_SIZE, in.n);
    uint64_t version = number(in, 0, 4), algorithm = number(in, 0x34, 4);
    if (version < 2 || version > 5)
        return fail(Q_UNSUPPORTED, "report: expected version 2 to 5, found %" PRIu64, version);
    if (algorithm != SIGNATURE_ECDSA_P384_SHA384)
        return fail(Q_ATTESTATION,
                    "report: expected a signature by ECDSA P-384 with SHA-384 (1), found "
                    "algorithm %" PRIu64,
                    algorithm);
    return Q_OK;
}

enum q_err snp_report_read(struct bytes in, struct snp_report *out)
{
    TRY(check_form(in));
    *out = (struct snp_report){
        .version = (uint32_t)number(in, 0, 4),
        .policy = number(in, 0x08, 8),
        .vmpl = (uint32_t)number(in, 0x30, 4),
        .signer = in.p[0x48] >> 2 & 7U,
        .data = part(in, 0x50, SNP_DATA_SIZE),
        .measurement = part(in, 0x90, SHA384_SIZE),
        .host_data = part(in, 0xc0, SHA256_SIZE),
        .report_id = part(in, 0x140, 32),
        .reported_tcb = number(in, 0x180, 8),
        .chip_id = part(in, 0x1a0, SNP_CHIP_SIZE),
        .committed_tcb = number(in, 0x1e0, 8),
        .launch_tcb = number(in, 0x1f0, 8),
        .signed_part = part(in, 0, SNP_REPORT_SIGNED),
    };
    if (out->version >= 3)
        TRY(product_of(in, &out->product));
    return read_signature(in, out->signature);
}

// Which byte of the field holds which number; -1: this product has none.
struct tcb_layout {
    int fmc, bootloader, tee, snp, microcode;
};
static const struct tcb_layout layout_turin = {0, 1, 2, 3, 7};
static const struct tcb_layout layout_before = {-1, 0, 1, 6, 7};

static uint8_t take_byte(uint64_t *field, int index)
{
    if (index < 0)
        return 0;
    uint8_t value = (uint8_t)(*field >> (8 * index));
    *field &= ~(UINT64_C(0xff) << (8 * index));
    return value;
}

enum q_err snp_tcb_read(uint64_t field, const struct amd_chain *product, struct tcb *out)
{
    const struct tcb_layout *l = product == &amd_turin ? &layout_turin : &layout_before;
    uint64_t left = field;
    out->fmc = take_byte(&left, l->fmc);
    out->bootloader = take_byte(&left, l->bootloader);
    out->tee = take_byte(&left, l->tee);
    out->snp = take_byte(&left, l->snp);
    out->microcode = take_byte(&left, l->microcode);
    if (left == 0)
        return Q_OK;
    return fail(Q_ATTESTATION, "report: TCB: expected a %s one, found %016" PRIx64,
                product->product, field);
}
