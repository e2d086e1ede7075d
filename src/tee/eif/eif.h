// Enclave image files, EIF version 4 (nitro 1.1, 1.2): written byte for byte as eif_build does, read
// from hostile files, and measured as Nitro measures them. For programs that make and examine images;
// the enclave itself does not link this.
#ifndef QUORATE_TEE_EIF_EIF_H
#define QUORATE_TEE_EIF_EIF_H

#include "base/bytes.h"
#include "crypto/hash.h"

#define EIF_VERSION 4
#define EIF_HEADER_SIZE 548
#define EIF_SECTION_HEADER_SIZE 12
#define EIF_MAX_SECTIONS 32
#define EIF_MAX_SIZE ((size_t)1 << 30) // of a file that is read or written
#define EIF_MAX_CMDLINE 2047           // COMMAND_LINE_SIZE of x86, without its end
#define EIF_MAX_RAMDISKS (EIF_MAX_SECTIONS - 2)

enum eif_section_type {
    EIF_KERNEL = 1,
    EIF_CMDLINE = 2,
    EIF_RAMDISK = 3,
    EIF_SIGNATURE = 4,
    EIF_METADATA = 5,
};

struct eif_section {
    enum eif_section_type type;
    size_t offset; // of its header in the file
    struct bytes data;
};

// What an image is made of. Absent (p == NULL) may be metadata and signature.
struct eif_parts {
    struct bytes kernel, cmdline, metadata, signature;
    struct bytes ramdisks[EIF_MAX_RAMDISKS];
    size_t ramdisk_count;
};

struct eif_image {
    uint64_t default_mem, default_cpus; // not measured, ignored by QEMU
    uint32_t crc;
    struct eif_section sections[EIF_MAX_SECTIONS]; // in the order of the file
    size_t section_count;
    struct eif_parts parts;
};

// Reads a whole file; all views point into it. Refuses what Nitro and QEMU refuse, and what they would
// measure differently: another version or architecture; a section that is unknown, out of order, there
// twice, of a size that its header denies, or that leaves a gap, overlaps or leaves the file; a missing
// kernel, command line or ramdisk; a wrong CRC. Errors name the place, and its offset in the file.
// Metadata and signature are not looked into.
enum q_err eif_read(struct bytes file, struct eif_image *out);

// Appends the file: kernel, cmdline, metadata, ramdisks, signature, with 1 GiB and 2 processors as the
// default. Refuses an empty kernel or ramdisk, a ramdisk that is no multiple of 4 bytes (they are
// loaded one behind the other, and the kernel looks for the next archive at such offsets), a command
// line with a NUL or over EIF_MAX_CMDLINE bytes, metadata that is absent.
enum q_err eif_write(const struct eif_parts *parts, struct buf *out);

// PCR0, PCR1 and PCR2.
#define EIF_REGISTERS 3
struct eif_measurements {
    uint8_t pcr[EIF_REGISTERS][SHA384_SIZE];
};
enum q_err eif_measure(const struct eif_parts *parts, struct eif_measurements *out);
// What a register holds after data is extended into 48 zero bytes: PCR3 from a role's ARN, PCR4 from
// the id of the parent instance, PCR8 from the SHA-384 of a certificate.
enum q_err eif_extend_zero(struct bytes data, uint8_t out[static SHA384_SIZE]);

const char *eif_section_name(enum eif_section_type type); // "kernel"

#endif
