// A security module in this process: it answers what a test gives it, and keeps what it was asked.
#ifndef QUORATE_TESTS_FAKE_NSM_H
#define QUORATE_TESTS_FAKE_NSM_H

#include "../vector_file.h"

#include "tee/nsm.h"

#include <errno.h>

struct fake_nsm {
    struct nsm_port port;                   // first, see nsm.h
    struct bytes answers[32], expected[32]; // expected p == NULL: any request
    size_t answers_n, at;
    uint8_t asked[NSM_REQUEST_MAX];
    size_t asked_n;
    uint64_t claimed_length; // not 0: what response.length says
    int fails, interrupted;  // errno value; times of EINTR before each answer
    unsigned calls, closed;
};

static inline __attribute__((unused)) int fake_nsm_call(struct nsm_port *p, struct nsm_raw *raw)
{
    struct fake_nsm *f = (struct fake_nsm *)p;
    f->calls++;
    if (f->interrupted > 0) {
        f->interrupted--;
        raw->response.length = 0; // as a driver might that has not begun
        return EINTR;
    }
    if (f->fails != 0)
        return f->fails;
    assert_true(raw->request.length <= NSM_REQUEST_MAX);
    assert_int_equal(raw->response.length, NSM_RESPONSE_MAX);
    f->asked_n = (size_t)raw->request.length;
    memcpy(f->asked, (const void *)(uintptr_t)raw->request.address, f->asked_n);
    assert_true(f->at < f->answers_n);
    if (f->expected[f->at].p != NULL)
        assert_bytes(bytes_of(f->asked, f->asked_n), f->expected[f->at]);
    struct bytes answer = f->answers[f->at++];
    size_t n =
        answer.n < NSM_RESPONSE_MAX ? answer.n : NSM_RESPONSE_MAX; // cut short without a word
    memcpy((void *)(uintptr_t)raw->response.address, answer.p, n);
    raw->response.length = f->claimed_length != 0 ? f->claimed_length : n;
    return 0;
}

static inline __attribute__((unused)) void fake_nsm_close(struct nsm_port *p)
{
    ((struct fake_nsm *)p)->closed++;
}

static inline __attribute__((unused)) struct fake_nsm fake_nsm_of(struct bytes answer)
{
    return (struct fake_nsm){.port = {.call = fake_nsm_call, .close = fake_nsm_close},
                             .answers = {answer},
                             .answers_n = 1};
}

#endif
