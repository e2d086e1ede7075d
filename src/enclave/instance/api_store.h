// The life of what store-data keeps, for those who bring the key and take it away (see stored_data.h).
#ifndef QUORATE_ENCLAVE_API_STORE_H
#define QUORATE_ENCLAVE_API_STORE_H

#include "enclave/state.h"

// Once the quorum key is there: what earlier lives of this enclave left in the state folder. The handlers do it
// themselves when nobody has.
enum q_err api_store_open(struct enclave *e);
// A reset: memory and files. Also where nothing was opened.
enum q_err api_store_erase(struct enclave *e);

#endif
