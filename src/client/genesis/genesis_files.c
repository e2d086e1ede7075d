// Reading and writing the files of a genesis (see genesis_files.h).
#include "client/genesis/genesis_files.h"

#include "base/arena.h"
#include "base/hex.h"
#include "protocol/genesis.h"

#include <stdio.h>

#define GENESIS_OUTPUT_MAX ((size_t)16 << 20)

enum q_err genesis_paths_in(const char *folder, struct arena *a, struct genesis_paths *out)
{
    TRY(file_join(a, folder, "genesis_output", &out->output));
    TRY(file_join(a, folder, "genesis_attestation_doc", &out->document));
    TRY(file_join(a, folder, "genesis_dr_artifacts", &out->artifacts));
    TRY(file_join(a, folder, "quorum_key.pub", &out->quorum_key));
    return file_join(a, folder, "dr_wrapped_quorum_key", &out->wrapped_key);
}

// A temporary file that is removed at once shows whether the folder takes files.
static enum q_err check_writable(const char *path)
{
    struct staged_file probe;
    TRY(file_stage(path, BYTES_LIT("probe"), 0600, FILE_OWNER_UNCHANGED, FILE_REPLACE, &probe));
    file_discard(&probe);
    return Q_OK;
}

enum q_err genesis_files_check(const struct genesis_paths *p, bool with_dr_key, bool force)
{
    const struct output out = {.force = force};
    TRY(output_check(&out, p->output));
    TRY(output_check(&out, p->document));
    TRY(output_check(&out, p->artifacts));
    TRY(output_check(&out, p->quorum_key));
    if (with_dr_key)
        TRY(output_check(&out, p->wrapped_key));
    return check_writable(p->output);
}

static enum q_err artifact(struct buf *out, const char *name, struct bytes value)
{
    TRY(buf_printf(out, "%s%s ", out->n == 0 ? "" : "\n", name));
    return hex_encode(value, out);
}

// Exactly four lines without a final newline.
static enum q_err stage_artifacts(struct output *out, const char *path,
                                  const struct genesis_output *g)
{
    BUF_AUTO lines = {0};
    TRY(artifact(&lines, "quorum_key_hash", BYTES_OF(g->quorum_key_hash)));
    TRY(artifact(&lines, "test_message_ciphertext", g->test_message_ciphertext));
    TRY(artifact(&lines, "test_message_signature", g->test_message_signature));
    TRY(artifact(&lines, "test_message", g->test_message));
    return output_stage(out, "Genesis DR Artifacts", path, buf_bytes(&lines), OUTPUT_LASTING);
}

enum q_err genesis_files_write(const struct genesis_paths *p, const struct genesis_output *g,
                               struct bytes document, bool force)
{
    OUTPUT_AUTO out = {.force = force};
    BUF_AUTO borsh = {0}, key = {0};
    TRY(genesis_output_write(g, &borsh));
    TRY(hex_encode(g->quorum_key, &key));
    TRY(stage_artifacts(&out, p->artifacts, g));
    TRY(output_stage(&out, "COSE Sign1 Attestation Doc", p->document, document, OUTPUT_LASTING));
    TRY(output_stage(&out, "`GenesisOutput`", p->output, buf_bytes(&borsh), OUTPUT_LASTING));
    TRY(output_stage(&out, "quorum_key.pub", p->quorum_key, buf_bytes(&key), OUTPUT_LASTING));
    if (g->dr_key_wrapped_quorum_key.p != NULL)
        TRY(output_stage(&out, "DR Wrapped Quorum Key", p->wrapped_key,
                         g->dr_key_wrapped_quorum_key, OUTPUT_LASTING));
    return output_publish(&out);
}

enum q_err genesis_files_read(const struct genesis_paths *p, struct arena *a,
                              struct genesis_output *out)
{
    BUF_AUTO file = {0};
    TRY(file_read_regular(p->output, GENESIS_OUTPUT_MAX, &file));
    return err_context(genesis_output_read(buf_bytes(&file), a, out), "%s", p->output);
}

enum q_err genesis_output_file_read(const char *path, struct arena *a, struct genesis_output *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, GENESIS_OUTPUT_MAX, &file));
    return err_context(genesis_output_read(buf_bytes(&file), a, out), "%s", path);
}

enum q_err dr_key_announce(struct bytes dr_key)
{
    if (dr_key.p == NULL)
        return Q_OK;
    uint8_t hash[SHA256_SIZE];
    BUF_AUTO hex = {0};
    TRY(sha256(dr_key, hash));
    TRY(hex_encode(BYTES_OF(hash), &hex));
    const char *fingerprint = buf_text(&hex);
    if (fingerprint == NULL)
        return Q_NOMEM;
    fprintf(
        stderr,
        "**WARNING:** DISASTER RECOVERY KEY: this genesis wraps the WHOLE quorum key to one key "
        "(SHA-256 %s).\n"
        "**WARNING:** Whoever holds its secret recovers the quorum key ALONE, without any other "
        "member. Keep it offline.\n",
        fingerprint);
    return Q_OK;
}
