// The routes between instances, whose answers lie in {"id","result":{"<Name>Response":...}} (renclave 1.2, 3.2).
#ifndef QUORATE_CLIENT_TEE_ANSWER_H
#define QUORATE_CLIENT_TEE_ANSWER_H

#include "client/instance/instance_link.h"
#include "protocol/instance.h"

// generate-attestation: the instance's document over the manifest it has.
enum q_err instance_document(struct instance_link *l, struct arena *a, struct bytes *document);
enum q_err instance_share_manifest(struct instance_link *l, struct api_manifest_envelope *envelope,
                                   struct arena *a);
enum q_err instance_export_key(struct instance_link *l, struct api_manifest_envelope *envelope,
                               struct bytes document, struct arena *a,
                               struct encrypted_quorum_key *out);
enum q_err instance_inject_key(struct instance_link *l, const struct encrypted_quorum_key *key,
                               struct arena *a);

#endif
