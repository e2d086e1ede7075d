// The parts of a manifest that options and files give, for the command that makes one and the one
// that checks one (qos-behaviour 1.6).
#ifndef QUORATE_CLIENT_MANIFEST_PARTS_H
#define QUORATE_CLIENT_MANIFEST_PARTS_H

#include "base/options.h"
#include "protocol/types.h"

// What both commands read from the same files and folders, and where each part comes from.
enum manifest_part {
    PART_MEASUREMENTS,
    PART_ROLE,
    PART_PIVOT_HASH,
    PART_MANIFEST_SET,
    PART_SHARE_SET,
    PART_PATCH_SET,
    PART_QUORUM_KEY,
};
#define MANIFEST_PART_COUNT 7
struct manifest_parts {
    struct member_set manifest_set, share_set;
    struct patch_set patch_set; // v0, v1
    struct nitro_config enclave;
    struct bytes role; // behind enclave.pcr3
    uint8_t pivot_hash[SHA256_SIZE];
    struct bytes quorum_key;
    const char *from[MANIFEST_PART_COUNT]; // a path; NULL: no option names this part
};

// ManifestV1RequiresPatchSet, ManifestV2DoesNotSupportPatchSet.
enum q_err patch_set_rule(const struct options *o, enum manifest_version version);
enum q_err manifest_parts_read(const struct options *o, enum manifest_version version,
                               struct arena *a, struct manifest_parts *out);
// The same where options may be absent: what none names is the manifest's own, with this role and
// without a commit. The root is the manifest's, until manifest_parts_trust.
enum q_err manifest_parts_given(const struct options *o, const struct manifest *m,
                                struct bytes role, struct arena *a, struct manifest_parts *out);
// The root this command trusts.
enum q_err manifest_parts_trust(const struct options *o, struct arena *a,
                                struct manifest_parts *out);
enum q_err manifest_file_read(const char *path, struct arena *a, struct manifest *out);
enum q_err envelope_file_read(const char *path, struct arena *a, struct manifest_envelope *out);
// --manifest-envelope-path, which the table calls optional as the original does.
enum q_err envelope_path(const struct options *o, const char **out);

#define FILE_OF_MANIFEST_MAX ((size_t)16 << 20)

// "[a,b]": in brackets, split at every comma, nothing trimmed; "[]" is none.
enum q_err pivot_args_parse(const char *value, struct arena *a, struct pivot_config *out);
// JSON array of {"type":"server"|"client","port":...,"host":...}; no port twice.
enum q_err bridge_config_parse(const char *value, struct arena *a, struct pivot_config *out);
// "[1.1.1.1,2606:4700:4700::1111]".
enum q_err dns_resolvers_parse(const char *value, struct arena *a, struct dns_config *out);
// never or always, in any case.
enum q_err restart_policy_parse(const char *value, struct restart *out);
// true or false.
enum q_err debug_mode_parse(const char *value, bool *out);

// The parts but the role, each of them as somebody has it.
#define OPTIONS_MANIFEST_PARTS_MAYBE                                                               \
    OPTION_OPTIONAL("pivot-hash-path", "File with the SHA-256 of the application's binary"),       \
        OPTION_OPTIONAL("qos-release-dir", "Folder with aws-x86_64.pcrs"),                         \
        OPTION_OPTIONAL("manifest-set-dir", "Folder of the members who approve manifests"),        \
        OPTION_OPTIONAL("share-set-dir", "Folder of the members who hold shares"),                 \
        OPTION_OPTIONAL("patch-set-dir", "Folder of the patch set; version 1 only"),               \
        OPTION_OPTIONAL("quorum-key-path", "The quorum public key"),                               \
        OPTION_SWITCH("unsafe-placeholder-pcrs",                                                   \
                      "Take placeholders such as <PCR0_VALUE> as zeros, for tests only")
#define OPTIONS_MANIFEST_PARTS                                                                     \
    OPTION_REQUIRED("pivot-hash-path", "File with the SHA-256 of the application's binary"),       \
        OPTION_REQUIRED("qos-release-dir", "Folder with aws-x86_64.pcrs"),                         \
        OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),                   \
        OPTION_REQUIRED("manifest-set-dir", "Folder of the members who approve manifests"),        \
        OPTION_REQUIRED("share-set-dir", "Folder of the members who hold shares"),                 \
        OPTION_OPTIONAL("patch-set-dir", "Folder of the patch set: needed for version 1"),         \
        OPTION_REQUIRED("quorum-key-path", "The quorum public key"),                               \
        OPTION_SWITCH("unsafe-placeholder-pcrs",                                                   \
                      "Take placeholders such as <PCR0_VALUE> as zeros, for tests only"),          \
        OPTIONS_TRUST

#endif
