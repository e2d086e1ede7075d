// Fuzz target: requests of the REST API to an enclave that waits for a boot. The input is four lines (method, path,
// query, authorization) and a body. Every answer is JSON with a true status; one that is refused has the shape of
// errors and has changed nothing.
#include "enclave/people.h"
#include "enclave/small_tee.h"

#include "codec/json.h"
#include "enclave/dispatch.h"

#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct people people;

static struct bytes take_line(struct bytes *in)
{
    const uint8_t *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
    size_t n = end != NULL ? (size_t)(end - in->p) : in->n;
    struct bytes line = bytes_of(in->p, n);
    n += end != NULL;
    *in = bytes_of(in->p + n, in->n - n);
    return line;
}

static void check(const struct enclave *e, const struct api_response *r, struct arena *a)
{
    struct json_t *tree = NULL;
    struct api_error error;
    must_ok(json_parse_up_to(r->body, 4 * API_MAX_VALUES, &tree));
    json_tree_free(tree);
    must(r->status == 200 || (r->status >= 400 && r->status < 504));
    if (r->status == 200)
        return;
    must_ok(json_decode_up_to(&type_api_error, r->body, 4 * API_MAX_VALUES, a, &error));
    must(error.code == r->status && error.error.n > 0 && error.request_id.n > 0);
    must(e->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION && e->booted == NULL);
    must(keyring_describe(e->keyring, KEY_QUORUM) == NULL);
}

static void ask(struct enclave *e, const struct message *m)
{
    ARENA_AUTO a = {0};
    BUF_AUTO frame = {0}, raw = {0};
    struct message reply;
    enum encoding was;
    if (message_encode(m, ENCODING_JSON, &frame, NULL) != Q_OK)
        return; // what is no text never gets here
    must_ok(dispatch(e, buf_bytes(&frame), &raw));
    must_ok(message_decode(buf_bytes(&raw), &a, &reply, &was, NULL));
    must(reply.tag == MSG_QUORATE_API_RESPONSE);
    check(e, &reply.api_response, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct small_tee tee;
    struct enclave *e = NULL;
    if (people.quorum == NULL) {
        must_ok(json_start());
        people_make(&people);
    }
    random_restart();
    small_tee_reset(&tee);
    struct enclave_options options = {.tee = &tee.tee};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        options.published.paths[i] = people.files[i];
    options.published.app_uid = geteuid();
    must_ok(enclave_open(&options, &e));
    struct message m = {.tag = MSG_QUORATE_API_REQUEST};
    m.api_request.method = take_line(&in);
    m.api_request.path = take_line(&in);
    m.api_request.query = take_line(&in);
    m.api_request.authorization = take_line(&in);
    m.api_request.request_id = BYTES_LIT("fuzz");
    m.api_request.body = in;
    ask(e, &m);
    enclave_close(&e);
    return 0;
}
