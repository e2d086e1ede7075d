// Fuzz target: texts and stored forms of seed phrases. What is read can be written and read again; reading agrees with
// itself whatever the white space; no input is both forms.
#include "app/wallet/mnemonic.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static bool same(const struct secret *a, const struct secret *b)
{
    return bytes_equal(secret_bytes(a), secret_bytes(b));
}

// The phrase's own words are read as that phrase.
static void check_words(const struct seed_phrase *phrase)
{
    SECRET_AUTO words = {0};
    SECRET_AUTO back = {0};
    size_t count = 0;
    must(mnemonic_text(secret_bytes(&phrase->entropy), &words) == Q_OK);
    must(mnemonic_parse(secret_bytes(&words), &back) == Q_OK && same(&back, &phrase->entropy));
    must(mnemonic_count_words(secret_bytes(&words), &count) == Q_OK);
    must(count == mnemonic_words_of(phrase->entropy.n));
}

// Stored and read again it is the same; what is not stored is a passphrase that is too long or not assigned.
static void check_stored(const struct seed_phrase *phrase)
{
    SECRET_AUTO stored = {0};
    SEED_PHRASE_AUTO back = {0};
    SEED_PHRASE_AUTO text = {0};
    if (seed_phrase_store(secret_bytes(&phrase->entropy), secret_bytes(&phrase->passphrase),
                          &stored) != Q_OK) {
        must(phrase->passphrase.n > 0);
        return;
    }
    must(seed_phrase_read(secret_bytes(&stored), &back) == Q_OK);
    must(same(&back.entropy, &phrase->entropy) && same(&back.passphrase, &phrase->passphrase));
    must(seed_phrase_read_text(secret_bytes(&stored), &text) != Q_OK);
}

static void check_parsed(struct bytes in, const struct seed_phrase *read)
{
    SECRET_AUTO entropy = {0};
    if (mnemonic_parse(in, &entropy) == Q_OK)
        must(same(&entropy, &read->entropy) && read->passphrase.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    SEED_PHRASE_AUTO read = {0};
    if (seed_phrase_read(in, &read) != Q_OK) {
        SECRET_AUTO entropy = {0};
        must(read.entropy.p == NULL && read.passphrase.p == NULL);
        must(mnemonic_parse(in, &entropy) != Q_OK);
        return 0;
    }
    must(read.passphrase.n <= size);
    check_words(&read);
    check_stored(&read);
    check_parsed(in, &read);
    return 0;
}
