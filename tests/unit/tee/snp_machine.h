// A recorded SEV-SNP machine: what its firmware and kernel answer, made from the test PKI of
// tests/vectors/snp. It can be told to answer wrongly.
#ifndef QUORATE_TESTS_SNP_MACHINE_H
#define QUORATE_TESTS_SNP_MACHINE_H

#include "snp_vectors.h"

#include "crypto/p384.h"
#include "tee/provider.h"
#include "tee/snp_device.h"

#include <errno.h>
#include <sys/ioctl.h>

struct machine {
    struct vector_file vectors;
    struct buf table;
    uint8_t measurement[SHA384_SIZE], host_data[SHA256_SIZE], chip[SNP_CHIP_SIZE];
    uint8_t key_root[32]; // of derived keys
    uint64_t policy, committed;
    uint32_t vmpl;
    // What goes wrong.
    uint32_t status, size, firmware_error, vmm_error, needed_room;
    int os_error;
    bool other_data, key_of_zeros;
    // The one entry of configfs-tsm.
    char entry[64];
    struct buf inblob;
    const char *provider, *floor;
    unsigned long generation;
    unsigned intruder, entries; // writes by somebody else; entries that are there
};

VECTOR_HELPER void machine_start(struct machine *m)
{
    *m = (struct machine){.policy = 0x30000,
                          .committed = 0xd516000000000004,
                          .size = 0x4a0,
                          .provider = "sev_guest\n",
                          .floor = "0\n",
                          .generation = 7};
    vector_file_own(&m->vectors, "snp/cases.json");
    snp_file("table_milan", ".bin", &m->table);
    struct bytes image = vector_hex(&m->vectors, m->vectors.root, "measurement");
    struct bytes chip = vector_hex(&m->vectors, vector_field(m->vectors.root, "chips"), "Milan");
    memcpy(m->measurement, image.p, sizeof m->measurement);
    memcpy(m->chip, chip.p, sizeof m->chip);
    memset(m->key_root, 0x5a, sizeof m->key_root);
}

VECTOR_HELPER void machine_end(struct machine *m)
{
    vector_file_close(&m->vectors);
    buf_free(&m->table);
    buf_free(&m->inblob);
}
#define MACHINE_AUTO __attribute__((cleanup(machine_end))) struct machine

VECTOR_HELPER void put_number(uint8_t *p, uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++)
        p[i] = (uint8_t)(n >> (8 * i));
}

// A report of version 3, signed with the test's VCEK.
VECTOR_HELPER void machine_report(struct machine *m, const uint8_t data[static SNP_DATA_SIZE],
                                  uint8_t r[static SNP_REPORT_SIZE])
{
    uint8_t signature[P384_SIGNATURE_SIZE];
    memset(r, 0, SNP_REPORT_SIZE);
    put_number(r, 3, 4);
    put_number(r + 0x08, m->policy, 8);
    put_number(r + 0x30, m->vmpl, 4);
    put_number(r + 0x34, 1, 4);
    memcpy(r + 0x50, data, SNP_DATA_SIZE);
    r[0x50] ^= (uint8_t)m->other_data;
    memcpy(r + 0x90, m->measurement, sizeof m->measurement);
    memcpy(r + 0xc0, m->host_data, sizeof m->host_data);
    memset(r + 0x140, 0xa7, 32);
    put_number(r + 0x180, UINT64_C(0xd516000000000004), 8); // as make_snp.py's Milan
    r[0x188] = 0x19;
    r[0x189] = 1;
    memcpy(r + 0x1a0, m->chip, sizeof m->chip);
    put_number(r + 0x1e0, m->committed, 8);
    struct bytes key = vector_hex(&m->vectors, vector_field(m->vectors.root, "keys"), "Milan");
    assert_ok(p384_sign(key, bytes_of(r, SNP_REPORT_SIGNED), signature));
    for (size_t i = 0; i < 48; i++) {
        r[0x2a0 + i] = signature[47 - i];
        r[0x2e8 + i] = signature[95 - i];
    }
}

// SHA-512 over everything that such a key depends on, cut.
VECTOR_HELPER void machine_key(const struct machine *m, const struct snp_derived_key_req *req,
                               uint8_t out[static SNP_KEY_SIZE])
{
    BUF_AUTO in = {0};
    uint8_t hash[SHA512_SIZE];
    assert_ok(buf_append(&in, BYTES_OF(m->key_root)));
    assert_ok(buf_append(&in, BYTES_OF(m->measurement)));
    assert_ok(buf_u64le(&in, req->tcb_version));
    assert_ok(sha512(buf_bytes(&in), hash));
    memcpy(out, hash, SNP_KEY_SIZE);
    if (m->key_of_zeros)
        memset(out, 0, SNP_KEY_SIZE);
}

// /dev/sev-guest.
VECTOR_HELPER int machine_ioctl(void *context, unsigned long number,
                                struct snp_guest_request_ioctl *arg)
{
    struct machine *m = context;
    uint8_t *answer = (uint8_t *)(uintptr_t)arg->resp_data; // NOLINT(performance-no-int-to-ptr)
    void *request = (void *)(uintptr_t)arg->req_data;       // NOLINT(performance-no-int-to-ptr)
    assert_int_equal(arg->msg_version, 1);
    if (m->os_error != 0 || m->firmware_error != 0 || m->vmm_error != 0) {
        if (m->needed_room != 0)
            ((struct snp_ext_report_req *)request)->certs_len = m->needed_room;
        arg->fw_error = m->firmware_error;
        arg->vmm_error = m->vmm_error;
        errno = m->os_error != 0 ? m->os_error : EIO;
        return -1;
    }
    put_number(answer, m->status, 4);
    if (number == SNP_GET_DERIVED_KEY) {
        const struct snp_derived_key_req *req = request;
        assert_int_equal(req->root_key_select, 0);
        assert_int_equal(req->guest_field_select, 0x29); // policy, measurement, TCB
        machine_key(m, req, answer + 0x20);
        return 0;
    }
    assert_int_equal(number, SNP_GET_EXT_REPORT);
    struct snp_ext_report_req *req = request;
    assert_int_equal(req->certs_len % 4096, 0);
    assert_true(req->certs_len >= m->table.n);
    memcpy((void *)(uintptr_t)req->certs_address, m->table.p, // NOLINT(performance-no-int-to-ptr)
           m->table.n);
    put_number(answer + 4, m->size, 4);
    machine_report(m, req->data.user_data, answer + 0x20);
    return 0;
}

VECTOR_HELPER enum q_err machine_open(struct machine *m, const char *role, struct tee **out)
{
    struct snp_device *device = NULL;
    const struct tee_options options = {.provider = "snp", .role = role};
    assert_ok(sev_guest_over(machine_ioctl, m, &device));
    *out = NULL;
    return snp_open_over(&options, device, NULL, out);
}

#endif
