// resolv.conf (see resolvers.h).
#include "enclave/resolvers.h"

#include "base/file.h"

enum q_err resolvers_publish(const struct dns_config *dns, const char *path)
{
    BUF_AUTO text = {0};
    if (dns == NULL || path == NULL)
        return Q_OK;
    for (size_t i = 0; i < dns->resolvers.n; i++) {
        TRY(buf_append_str(&text, "nameserver "));
        TRY(buf_append(&text, dns->resolvers.items[i]));
        TRY(buf_u8(&text, '\n'));
    }
    TRY(file_make_parents(path, 0755));
    return err_context(file_write(path, buf_bytes(&text), 0644, FILE_REPLACE), "DNS resolvers");
}
