// The health service of qos_enclave (qos-behaviour 6): each connection is answered, without reading what
// it asks, with 200 while the enclave runs and 503 otherwise, then half-closed.
#ifndef QUORATE_HOST_HEALTH_H
#define QUORATE_HOST_HEALTH_H

#include "net/listener.h"

struct health;

// ask is called when somebody wants to know; the answer comes by health_answer, there or later.
enum q_err health_start(struct loop *l, const struct address *listen, void (*ask)(void *context),
                        void *context, struct health **out);
enum q_err health_port(const struct health *h, uint32_t *port);
void health_answer(struct health *h, bool running); // to all who wait
void health_stop(struct health **h);                // safe on NULL

#endif
