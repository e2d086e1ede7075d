// HTTP by libcurl (see http.h).
#include "client/http.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_TIMEOUT_S 30L
#define STALLED_AFTER_S 120L // without one byte in either direction
#define HEADER_MAX 1024

enum q_err http_check_part(const char *option, const char *value, const char *allowed)
{
    size_t good = strspn(value, allowed);
    if (*value != '\0' && value[good] == '\0')
        return Q_OK;
    return fail(Q_BAD_INPUT, "--%s: expected only letters, digits and %s, found %s", option,
                allowed + sizeof HTTP_LETTERS_AND_DIGITS - 1, *value == '\0' ? "nothing" : value);
}

// One transfer: its handle, headers, and the text libcurl leaves about a failure.
struct transfer {
    CURL *handle;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];
};
#define TRANSFER_AUTO __attribute__((cleanup(transfer_end))) struct transfer

static void transfer_end(struct transfer *t)
{
    curl_slist_free_all(t->headers);
    curl_easy_cleanup(t->handle);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    size_t n = size * count; // libcurl: size is 1
    return buf_append(body, bytes_of(data, n)) == Q_OK ? n : 0;
}

static bool set_options(struct transfer *t, const struct http_request *r, struct buf *body)
{
    CURL *c = t->handle;
    return curl_easy_setopt(c, CURLOPT_URL, r->url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALLED_AFTER_S) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT, r->whole_s) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "qos_client/" QUORATE_VERSION) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, body) == CURLE_OK;
}

static bool add_header(struct transfer *t, const char *name, const char *value)
{
    BUF_AUTO line = {.limit = HEADER_MAX};
    if (buf_printf(&line, "%s:%s%s", name, *value == '\0' ? "" : " ", value) != Q_OK)
        return false;
    const char *text = buf_text(&line);
    struct curl_slist *more = text == NULL ? NULL : curl_slist_append(t->headers, text);
    if (more != NULL)
        t->headers = more;
    return more != NULL;
}

// A pivot is large: with an empty "Expect" libcurl does not wait for "100 Continue" first.
static bool set_upload(struct transfer *t, const struct http_request *r)
{
    return add_header(t, "Expect", "") && add_header(t, "Content-Type", r->content_type) &&
           curl_easy_setopt(t->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n) ==
               CURLE_OK &&
           curl_easy_setopt(t->handle, CURLOPT_POSTFIELDS, r->body.p) == CURLE_OK;
}

static bool set_up(struct transfer *t, const struct http_request *r, struct buf *body)
{
    return set_options(t, r, body) && (r->body.p == NULL || set_upload(t, r)) &&
           (r->authorization == NULL || add_header(t, "Authorization", r->authorization)) &&
           curl_easy_setopt(t->handle, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static void read_date(CURL *handle, struct http_answer *out)
{
    struct curl_header *date;
    out->dated = curl_easy_header(handle, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK;
    if (!out->dated)
        return;
    out->date_s = (int64_t)curl_getdate(date->value, NULL);
    out->dated = out->date_s > 0;
}

enum q_err http_exchange(const struct http_request *r, struct http_answer *out, struct buf *body)
{
    TRANSFER_AUTO t = {0};
    *out = (struct http_answer){0};
    if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return fail(Q_NOMEM, "libcurl: cannot be started");
    t.handle = curl_easy_init();
    if (t.handle == NULL || !set_up(&t, r, body))
        return fail(Q_NOMEM, "libcurl: a transfer cannot be set up");
    CURLcode code = curl_easy_perform(t.handle);
    if (code == CURLE_WRITE_ERROR)
        return fail(Q_LIMIT, "http_post error: %s: expected an answer of at most %zu bytes", r->url,
                    body->limit);
    if (code != CURLE_OK)
        return fail(code == CURLE_OPERATION_TIMEDOUT ? Q_TIMEOUT : Q_IO,
                    "http_post error: transport error: %s: %s", r->url,
                    t.why[0] != '\0' ? t.why : curl_easy_strerror(code));
    if (curl_easy_getinfo(t.handle, CURLINFO_RESPONSE_CODE, &out->status) != CURLE_OK)
        return fail(Q_INTERNAL, "libcurl: no status of a finished transfer");
    read_date(t.handle, out);
    return Q_OK;
}
