// One X.509 certificate of an attestation chain, and the rules it must keep alone (nitro 4): how it
// chains to others is chain.c's subject, AMD's own rules are snp_certificates.c's. Internal to this
// room.
#ifndef QUORATE_TEE_CERTIFICATE_H
#define QUORATE_TEE_CERTIFICATE_H

#include "tee/attestation.h"

#include <openssl/x509.h>

enum certificate_role { CERTIFICATE_ROOT, CERTIFICATE_INTERMEDIATE, CERTIFICATE_LEAF };

// DER without trailing bytes. what names it in errors; the caller releases it with X509_free.
enum q_err certificate_parse(struct bytes der, const char *what, X509 **out);

// X.509 v3; key P-384 as an uncompressed point; signed ecdsa-with-SHA384; basicConstraints and
// keyUsage as the role demands; extended key usage, where a CA or leaf has one, includes
// serverAuth; no critical extension that is unknown here, but for quorate-simulated where simulated
// is set.
enum q_err certificate_check(X509 *x, const char *what, enum certificate_role role, bool simulated);

// Parts of it, which also hold elsewhere: version, extensions that are well-formed and, where
// critical, known; what basicConstraints and keyUsage must say of an authority; the key, P-384.
enum q_err certificate_check_form(X509 *x, const char *what, bool simulated);
enum q_err certificate_check_ca(X509 *x, const char *what);
enum q_err certificate_check_p384(const X509 *x, const char *what);

// Whether it carries the critical quorate-simulated extension. The second: false, and no error
// recorded, for bytes that are no certificate.
bool certificate_simulated(const X509 *x);
bool certificate_der_simulated(struct bytes der);
// Seconds since 1970, UTC.
enum q_err certificate_validity(const X509 *x, const char *what, int64_t *not_before_s,
                                int64_t *not_after_s);
// SEC1 uncompressed point of the key, P384_POINT_SIZE bytes after certificate_check; a view into x.
struct bytes certificate_point(const X509 *x);

#endif
