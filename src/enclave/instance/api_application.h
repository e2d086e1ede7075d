// The built-in application (renclave 1.2 routes 3 to 6, 12 to 15, 17, 18): its handlers, and what they share.
#ifndef QUORATE_ENCLAVE_API_APPLICATION_H
#define QUORATE_ENCLAVE_API_APPLICATION_H

#include "app/wallet/hd_key.h"
#include "enclave/instance/api.h"

enum q_err api_generate_seed(struct enclave *e, struct api_call *c);
enum q_err api_validate_seed(struct enclave *e, struct api_call *c);
enum q_err api_derive_key(struct enclave *e, struct api_call *c);
enum q_err api_derive_address(struct enclave *e, struct api_call *c);
enum q_err api_encrypt_data(struct enclave *e, struct api_call *c);
enum q_err api_decrypt_data(struct enclave *e, struct api_call *c);
enum q_err api_sign_transaction(struct enclave *e, struct api_call *c);
enum q_err api_sign_message(struct enclave *e, struct api_call *c);
enum q_err api_store_data(struct enclave *e, struct api_call *c);
enum q_err api_get_data(struct enclave *e, struct api_call *c);

// The key of a seed, a path and a curve, which the request names in one way or another.
enum q_err api_derive(const struct enclave *e, struct api_call *c,
                      const struct api_derive_request *from, struct hd_key *out);

#endif
