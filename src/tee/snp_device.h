// What a guest asks of AMD's firmware (nitro 5.1), by either of the kernel's doors: /dev/sev-guest,
// and configfs-tsm, which gives no keys. Each stands on a few calls that a test can replace.
// Internal to this room.
#ifndef QUORATE_TEE_SNP_DEVICE_H
#define QUORATE_TEE_SNP_DEVICE_H

#include "base/secret.h"
#include "tee/snp_report.h"

#include <linux/sev-guest.h>

#define SNP_KEY_SIZE 32
// What a derived key depends on, as bits of guest_field_select.
#define SNP_KEY_POLICY (UINT64_C(1) << 0)
#define SNP_KEY_MEASUREMENT (UINT64_C(1) << 3)
#define SNP_KEY_TCB (UINT64_C(1) << 5)

struct snp_device {
    const char *name;
    // The report's bytes, and the host's table of certificates, which may be empty. Neither is
    // checked but for its size.
    enum q_err (*report)(struct snp_device *d, const uint8_t data[static SNP_DATA_SIZE],
                         struct buf *report, struct buf *table);
    // From the chip's own key, bound to policy, measurement and this TCB; SNP_KEY_SIZE bytes. NULL:
    // not by this door.
    enum q_err (*derive)(struct snp_device *d, uint64_t tcb, struct secret *key);
    void (*close)(struct snp_device *d); // releases d too
};

// As ioctl: 0, or -1 with errno.
typedef int (*sev_guest_call)(void *context, unsigned long request,
                              struct snp_guest_request_ioctl *arg);
enum q_err sev_guest_open(const char *path, struct snp_device **out);
enum q_err sev_guest_over(sev_guest_call call, void *context, struct snp_device **out);

// Folders and attributes below /sys/kernel/config/tsm/report; names are "entry" or
// "entry/attribute".
struct tsm_calls {
    enum q_err (*make)(void *context, const char *name);
    enum q_err (*write)(void *context, const char *name, struct bytes value);
    enum q_err (*read)(void *context, const char *name, size_t limit, struct buf *out);
    void (*remove)(void *context, const char *name);
};
bool tsm_present(void);
enum q_err tsm_open(struct snp_device **out);
enum q_err tsm_over(const struct tsm_calls *calls, void *context, struct snp_device **out);

// The provider over these. keys: a second door, to derive keys; NULL: the first does what it can.
// Takes both, also when it fails.
struct tee_options;
struct tee;
enum q_err snp_open_over(const struct tee_options *options, struct snp_device *reports,
                         struct snp_device *keys, struct tee **out);

#endif
