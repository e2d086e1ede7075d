// Showing a bundle to the member it asks, before anything is done with it.
#ifndef QUORATE_CLIENT_BUNDLE_VIEW_H
#define QUORATE_CLIENT_BUNDLE_VIEW_H

#include "client/bundle/bundle.h"
#include "client/manifest/manifest_parts.h"
#include "client/prompt.h"

// What is asked, of whom, about which namespace and nonce, and when it was made: on stderr.
enum q_err bundle_show(const struct bundle *b);
// One question about every part of the manifest that the member compared with nothing of their own
// (from is NULL); none when there is no such part.
enum q_err bundle_review(const struct prompt *p, const struct manifest *m,
                         const struct manifest_parts *parts);

#endif
