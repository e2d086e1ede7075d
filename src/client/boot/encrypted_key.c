// Reading, writing and checking the file (see encrypted_key.h).
#include "client/boot/encrypted_key.h"

#include "codec/json.h"
#include "crypto/p256.h"

#define SEALED_SIZE ((size_t)P256_SEED_SIZE + P256_ENVELOPE_OVERHEAD)

enum q_err encrypted_key_read(struct bytes file, struct arena *a, struct encrypted_quorum_key *out)
{
    return json_decode(&type_encrypted_quorum_key, file, a, out);
}

enum q_err encrypted_key_write(const struct encrypted_quorum_key *k, struct buf *out)
{
    return json_encode(&type_encrypted_quorum_key, k, JSON_PLAIN, out);
}

enum q_err encrypted_key_check(const struct encrypted_quorum_key *k, const struct manifest *m)
{
    struct p256_public quorum;
    if (k->encrypted_quorum_key.n != SEALED_SIZE)
        return fail(Q_BAD_INPUT, "encrypted quorum key: expected an envelope of %zu bytes, got %zu",
                    SEALED_SIZE, k->encrypted_quorum_key.n);
    TRY(err_context(p256_public_parse(m->namespace.quorum_key, &quorum), "manifest: quorum key"));
    if (p256_verify(&quorum, k->encrypted_quorum_key, k->signature) == Q_OK)
        return Q_OK;
    return fail(Q_CRYPTO, "InvalidEncryptedQuorumKeySignature: expected a signature over the "
                          "encrypted key by the manifest's quorum key");
}
