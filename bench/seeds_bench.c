// What the enclave's part of the built-in application costs: requests as its socket gets them, frame to reply, on one
// thread; microseconds of processor time (system calls included) for each, the mean of many.
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "enclave/dispatch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PHRASE                                                                                     \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "about"

static struct instance {
    char folder[64], paths[PUBLISHED_COUNT][96];
    struct tee *tee;
    struct enclave *enclave;
} instance;

static double used_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static enum q_err start(enum key_suite suite)
{
    char sim[80];
    (void)snprintf(sim, sizeof sim, "%s/sim", instance.folder);
    const struct tee_options tee = {
        .provider = "sim", .sim_dir = sim, .mock = true, .clock = &clock_wall};
    TRY(tee_open(&tee, &instance.tee));
    struct enclave_options options = {.tee = instance.tee, .published = {.app_uid = geteuid()}};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++) {
        (void)snprintf(instance.paths[i], sizeof instance.paths[i], "%s/%zu", instance.folder, i);
        options.published.paths[i] = instance.paths[i];
    }
    TRY(enclave_open(&options, &instance.enclave));
    const struct key_description key = {
        .id = KEY_QUORUM, .suite = suite, .uses = USE_SIGN | USE_OPEN | USE_SEAL};
    TRY(keyring_generate(instance.enclave->keyring, &key));
    instance.enclave->phase = PHASE_APPLICATION_READY;
    instance.enclave->birth = BIRTH_GENESIS_HELD;
    return Q_OK;
}

static void stop(void)
{
    enclave_close(&instance.enclave);
    tee_close(&instance.tee);
}

static enum q_err frame_of(const char *path, const char *body, struct buf *out)
{
    const struct message m = {.tag = MSG_QUORATE_API_REQUEST,
                              .api_request = {.method = BYTES_LIT("POST"),
                                              .path = bytes_str(path),
                                              .query = BYTES_LIT(""),
                                              .authorization = BYTES_LIT(""),
                                              .request_id = BYTES_LIT("bench"),
                                              .body = bytes_str(body)}};
    return message_encode(&m, ENCODING_JSON, out, NULL);
}

static enum q_err check(struct bytes raw, struct arena *a)
{
    struct message reply;
    enum encoding as;
    TRY(message_decode(raw, a, &reply, &as, NULL));
    if (reply.tag == MSG_QUORATE_API_RESPONSE && reply.api_response.status == 200)
        return Q_OK;
    return fail(Q_INTERNAL, "refused: %s", err_text());
}

static enum q_err measure(const char *name, const char *path, const char *body, unsigned rounds)
{
    ARENA_AUTO arena = {0};
    BUF_AUTO frame = {0}, reply = {0};
    TRY(frame_of(path, body, &frame));
    TRY(dispatch(instance.enclave, buf_bytes(&frame), &reply));
    TRY(check(buf_bytes(&reply), &arena));
    double begin = used_us();
    for (unsigned i = 0; i < rounds; i++)
        TRY(dispatch(instance.enclave, buf_bytes(&frame), &reply));
    printf("%s %.0f us\n", name, (used_us() - begin) / rounds);
    return Q_OK;
}

static enum q_err measure_all(const char *suite)
{
    char name[64];
    static const struct {
        const char *name, *path, *body;
        unsigned rounds;
    } requests[] = {
        {"generate_seed", "/generate-seed", "{\"strength\":256}", 3000},
        {"validate_phrase", "/validate-seed", "{\"seed_phrase\":\"" PHRASE "\"}", 3000},
        {"derive_key", "/derive-key",
         "{\"encrypted_seed_phrase\":\"" PHRASE
         "\",\"path\":\"m/44'/60'/0'/0/0\",\"curve\":\"secp256k1\"}",
         300},
        {"encrypt_data", "/enclave/encrypt-data", "{\"data\":[1,2,3],\"recipient_public\":[]}",
         3000},
        {"sign_message", "/enclave/sign-message", "{\"message\":[1,2,3]}", 3000},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        (void)snprintf(name, sizeof name, "instance_%s%s", requests[i].name, suite);
        TRY(measure(name, requests[i].path, requests[i].body, requests[i].rounds));
    }
    return Q_OK;
}

static enum q_err run(void)
{
    TRY(secret_init(true));
    TRY(start(SUITE_RENCLAVE_P256));
    enum q_err err = measure_all("");
    stop();
    TRY(err);
    TRY(start(SUITE_QOS_P256));
    err = measure_all("_qos");
    stop();
    return err;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

int main(void)
{
    log_start("seeds_bench", LOG_ERROR);
    (void)snprintf(instance.folder, sizeof instance.folder, "/tmp/quorate-bench-XXXXXX");
    if (mkdtemp(instance.folder) == NULL)
        return 1;
    enum q_err err = run();
    (void)nftw(instance.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (err != Q_OK)
        (void)fprintf(stderr, "seeds_bench: %s\n", err_text());
    return err == Q_OK ? 0 : 1;
}
