// The report that AMD's firmware signs for a guest (nitro 5.2): 1184 bytes, little-endian. Internal
// to this room.
#ifndef QUORATE_TEE_SNP_REPORT_H
#define QUORATE_TEE_SNP_REPORT_H

#include "tee/amd_chain.h"
#include "tee/attestation.h"

#define SNP_REPORT_SIZE 0x4a0
#define SNP_REPORT_SIGNED 0x2a0 // the bytes that the signature covers
#define SNP_DATA_SIZE 64        // what the guest asks the firmware to sign
#define SNP_CHIP_SIZE 64
#define SNP_CHIP_SIZE_TURIN 8 // the rest is zero
#define SNP_SIGNATURE_SIZE 96 // r || s, big-endian

#define SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATION (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_MAX_VMPL 3

enum snp_signer { SNP_SIGNER_VCEK = 0, SNP_SIGNER_VLEK = 1, SNP_SIGNER_NONE = 7 };

// Views point into the report's bytes.
struct snp_report {
    uint32_t version; // 2 to 5
    uint64_t policy;
    uint32_t vmpl, signer; // signer: enum snp_signer, or a value that has no meaning yet
    struct bytes data, measurement, host_data, report_id, chip_id;
    uint64_t reported_tcb, committed_tcb, launch_tcb;
    const struct amd_chain *product; // by its CPUID (version 3 on); NULL: it does not say
    struct bytes signed_part;
    uint8_t signature[SNP_SIGNATURE_SIZE];
};

// Refuses other sizes and versions, a processor that is unknown, another signature algorithm, and a
// signature whose numbers are longer than 48 bytes. Whether they are in [1, n-1] is p384_verify's.
enum q_err snp_report_read(struct bytes in, struct snp_report *out);
// The numbers in a report's TCB field; bytes without a meaning must be zero.
enum q_err snp_tcb_read(uint64_t field, const struct amd_chain *product, struct tcb *out);

#endif
