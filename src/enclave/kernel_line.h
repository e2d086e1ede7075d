// What the kernel's command line says to us: words "quorate.<name>=<value>" (the kernel itself does
// not read names with a dot that no module has). The line is measured with the image.
#ifndef QUORATE_ENCLAVE_KERNEL_LINE_H
#define QUORATE_ENCLAVE_KERNEL_LINE_H

#include "base/bytes.h"

#define PARENT_CID_NITRO 3 // where the host is on Nitro; another machine may have it elsewhere

struct kernel_line {
    uint32_t parent_cid;        // quorate.parent_cid=N
    bool unsafe_unfiltered_app; // quorate.unsafe_unfiltered_app=1: see syscall_filter.h
};

// Refuses unknown names that begin with "quorate.", a name given twice, and values out of range;
// all other words are the kernel's own.
enum q_err kernel_line_read(struct bytes line, struct kernel_line *out);

#endif
