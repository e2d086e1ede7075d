// Everything that can be seen of a ceremony from its folders and its host, read once: what
// "ceremony status" shows and "doctor" judges. What no option names is unknown.
#ifndef QUORATE_CLIENT_SURVEY_H
#define QUORATE_CLIENT_SURVEY_H

#include "client/attestation/attestation_checks.h"
#include "client/survey/enclave_survey.h"
#include "client/survey/manifest_survey.h"
#include "client/survey/set_survey.h"

// A folder or file that an option names, and whether it could be read.
enum seen { NOT_ASKED, SEEN, UNSEEN };

struct genesis_survey {
    enum seen seen; // UNSEEN: there is no genesis output, or it cannot be read
    bool there;     // the file is, readable or not
    struct bytes problem;
    struct genesis_output output;
    uint8_t hash[SHA256_SIZE];
    const char *output_path, *document_path, *quorum_key_path;
    struct bytes document; // p == NULL: none that can be read
    struct claims claims;  // of the document, only read
    struct bytes document_problem;
};

struct document_survey { // --attestation-doc-path
    enum seen seen;
    bool there;
    struct bytes problem, document;
    struct claims claims; // only read
};

struct survey {
    int64_t now_s;
    const char *share_set_dir, *manifest_set_dir; // as they were chosen; NULL: not
    enum seen share_set_seen, manifest_set_seen, manifests_seen;
    struct bytes share_set_problem, manifest_set_problem, manifests_problem;
    struct set_survey share_set, manifest_set;
    struct manifest_survey manifests;
    struct genesis_survey genesis;
    struct document_survey document;
    bool enclave_asked;
    struct enclave_survey enclave;
};

// --namespace-dir, --share-set-dir (by default the namespace folder when it has a threshold,
// or no genesis),
// --manifest-set-dir, --manifest-dir, --manifest-approvals-dir, --attestation-doc-path, --host-ip.
// Faults of what it reads are results; it fails when memory is used up or an option is no good.
enum q_err survey_make(const struct options *o, struct arena *a, struct survey *out);

// Whether a document of a booted enclave holds against a manifest and the trusted root, at the
// survey's time; why not otherwise (p == NULL when it does). The root may be one that cannot be
// loaded.
enum q_err survey_attested(const struct trust *trust, int64_t now_s, struct bytes document,
                           const struct manifest_envelope *envelope, enum commitment which,
                           struct arena *a, struct bytes *why_not);

#define OPTIONS_SURVEY                                                                             \
    OPTION_OPTIONAL("namespace-dir", "Folder with the files of the genesis"),                      \
        OPTION_OPTIONAL("share-set-dir", "Folder of the members who hold shares [default: the "    \
                                         "namespace folder]"),                                     \
        OPTION_OPTIONAL("manifest-set-dir", "Folder of the members who approve manifests"),        \
        OPTION_OPTIONAL("manifest-dir", "Folder with manifests and envelopes"),                    \
        OPTION_OPTIONAL("manifest-approvals-dir",                                                  \
                        "Folder with approvals [default: that of the manifests]"),                 \
        OPTION_OPTIONAL("attestation-doc-path", "Document that was fetched from the enclave"),     \
        OPTION_OPTIONAL("qos-release-dir", "Folder with aws-x86_64.pcrs"),                         \
        OPTION_OPTIONAL("pcr3-preimage-path", "File with the role behind PCR3"),                   \
        OPTIONS_HOST_MAYBE

#endif
