// app-proof: both sides of an app proof (qos-behaviour 7). Inside an enclave it signs a text; outside,
// anybody checks that the text came from an enclave that runs a manifest they believe in.
//   app-proof make TEXT [EPHEMERAL_KEY_FILE] >PROOF
//   app-proof verify PROOF ATTESTATION_DOC MANIFEST_ENVELOPE [ROOT_DER]
// Builds outside of this tree: cc main.c $(pkg-config --cflags --libs quorate-app)
#include <quorate/app.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)

struct file {
    unsigned char *p;
    size_t n;
};

static int failed(void)
{
    fprintf(stderr, "app-proof: error: %s\n", app_error());
    return EXIT_FAILURE;
}

// Reads a whole file of at most FILE_MAX bytes; says why it cannot.
static bool read_file(const char *path, struct file *out)
{
    FILE *f = fopen(path, "rb");
    *out = (struct file){malloc(FILE_MAX), 0};
    if (f != NULL && out->p != NULL)
        out->n = fread(out->p, 1, FILE_MAX, f);
    bool whole = f != NULL && out->p != NULL && ferror(f) == 0 && out->n < FILE_MAX;
    if (f != NULL)
        (void)fclose(f);
    if (whole)
        return true;
    fprintf(stderr, "app-proof: error: %s: cannot be read\n", path);
    free(out->p);
    out->p = NULL;
    return false;
}

static int make(const char *text, const char *key_file)
{
    bool locked;
    struct app_key *key = NULL;
    struct app_proof *proof = NULL;
    if (app_start(true, &locked) != APP_OK || app_ephemeral_key_read(key_file, &key) != APP_OK)
        return failed();
    if (!locked)
        fprintf(stderr, "app-proof: warning: memory cannot be locked here\n");
    enum app_status status = app_proof_make(key, text, strlen(text), &proof);
    app_key_free(key);
    if (status != APP_OK)
        return failed();
    puts(app_proof_json(proof));
    app_proof_free(proof);
    return EXIT_SUCCESS;
}

// Prints what the enclave claims, then the text, once everything holds.
static int show(const struct app_proof *proof, const struct app_evidence *evidence)
{
    size_t size;
    char *claims = NULL;
    if (app_manifest_check_approvals(evidence->manifest) != APP_OK ||
        app_proof_verify(proof, evidence, &claims) != APP_OK)
        return failed();
    const unsigned char *payload = app_proof_payload(proof, &size);
    printf("%s\n%s nonce %u\n%.*s\n", claims, app_manifest_namespace(evidence->manifest),
           (unsigned)app_manifest_nonce(evidence->manifest), (int)size, (const char *)payload);
    app_text_free(claims);
    return EXIT_SUCCESS;
}

static int verify_files(const struct file *proof_file, struct app_evidence *evidence,
                        const char *manifest_path)
{
    int result = EXIT_FAILURE;
    struct app_proof *proof = NULL;
    struct app_manifest *manifest = NULL;
    if (app_start(true, NULL) != APP_OK ||
        app_proof_parse(proof_file->p, proof_file->n, &proof) != APP_OK ||
        app_manifest_read(manifest_path, &manifest) != APP_OK) {
        (void)failed();
    } else {
        evidence->manifest = manifest;
        result = show(proof, evidence);
    }
    app_manifest_free(manifest);
    app_proof_free(proof);
    return result;
}

static int verify(char **paths, const char *root_path)
{
    int result = EXIT_FAILURE;
    struct file proof = {NULL, 0}, document = {NULL, 0}, root = {NULL, 0};
    if (read_file(paths[0], &proof) && read_file(paths[1], &document) &&
        (root_path == NULL || read_file(root_path, &root))) {
        struct app_evidence evidence = {0};
        evidence.document = document.p;
        evidence.document_size = document.n;
        evidence.root = root.p; // NULL: AWS's
        evidence.root_size = root.n;
        result = verify_files(&proof, &evidence, paths[2]);
    }
    free(proof.p);
    free(document.p);
    free(root.p);
    return result;
}

int main(int argc, char **argv)
{
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "make") == 0)
        return make(argv[2], argc == 4 ? argv[3] : NULL);
    if ((argc == 5 || argc == 6) && strcmp(argv[1], "verify") == 0)
        return verify(argv + 2, argc == 6 ? argv[5] : NULL);
    fprintf(stderr, "usage: app-proof make TEXT [EPHEMERAL_KEY_FILE]\n"
                    "       app-proof verify PROOF ATTESTATION_DOC MANIFEST_ENVELOPE [ROOT_DER]\n");
    return 2;
}
