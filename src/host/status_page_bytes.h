// The status page as it was when the program was built (make-status-page). Only for status_page.c.
#ifndef QUORATE_HOST_STATUS_PAGE_BYTES_H
#define QUORATE_HOST_STATUS_PAGE_BYTES_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t status_page[];
extern const size_t status_page_size;
extern const char status_page_policy[]; // Content-Security-Policy

#endif
