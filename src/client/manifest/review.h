// The questions people answer before they sign (qos-behaviour 1.7). Each returns Q_REFUSED at the
// first no.
#ifndef QUORATE_CLIENT_REVIEW_H
#define QUORATE_CLIENT_REVIEW_H

#include "client/prompt.h"
#include "protocol/types.h"

// One question; the sentence of a refusal has it on one line.
enum q_err review_ask(const struct prompt *p, struct buf *question);
// approve-manifest: 7 questions for versions 0 and 1, 8 for version 2, and one more where version 2
// has an environment, which the original neither sets nor shows.
enum q_err review_manifest(const struct prompt *p, const struct manifest *m);
// proxy-re-encrypt-share: 4 questions.
enum q_err review_provision(const struct prompt *p, const struct manifest_envelope *e,
                            struct bytes role);

#endif
