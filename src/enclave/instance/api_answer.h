// What api.c alone needs of an answer: its end, and what stands there when the request failed (see api.h).
#ifndef QUORATE_ENCLAVE_API_ANSWER_H
#define QUORATE_ENCLAVE_API_ANSWER_H

#include "enclave/instance/api.h"

// Appends the members of api_add.
enum q_err api_answer_finish(struct api_call *c);
// Behind those, of a TEE instance that has its quorum key, to a signed request: its signature (see api_answer_message).
// A host can neither make an answer up nor give one for another request.
enum q_err api_answer_sign(const struct enclave *e, struct api_call *c);
// Instead of any answer: the sentence recorded last, under c->status, or what err means when that is none of a
// failure.
enum q_err api_answer_error(struct api_call *c, bool route_known, enum q_err err);
// Whether it is 503 and not 409 while the quorum key is still to come.
bool api_needs_key(enum api_operation operation);

#endif
