// From a seed down a path (see hd_key.h). HMAC-SHA512 is libsodium's: its state lies where we put it, in locked
// memory.
#include "app/wallet/hd_key.h"
#include "app/wallet/curve_rules.h"

#include <sodium.h>
#include <string.h>

#define HALF 32

// A node of the tree and what its children are made from; in locked memory.
struct node {
    uint8_t key[HALF], chain[HALF];
    uint8_t data[1 + WALLET_PRIVATE_SIZE +
                 4]; // what is hashed: 00 || key, or the public key; the index
    uint8_t hash[2 * HALF], child[HALF];
    crypto_auth_hmacsha512_state hmac;
};

void hd_key_free(struct hd_key *key)
{
    secret_free(&key->private_key);
}

static void hmac_sha512(struct node *node, struct bytes key, struct bytes data)
{
    crypto_auth_hmacsha512_init(&node->hmac, key.p, key.n);
    crypto_auth_hmacsha512_update(&node->hmac, data.p, data.n);
    crypto_auth_hmacsha512_final(&node->hmac, node->hash);
}

static enum q_err out_of_range(const struct curve_rules *rules)
{
    return fail(Q_CRYPTO, "%s key: expected one from 1 to n - 1 at each level, found 0 or one >= n",
                rules->name);
}

static enum q_err make_master(const struct curve_rules *rules, struct bytes seed, struct node *node)
{
    bool fits = false;
    hmac_sha512(node, bytes_str(rules->master_label), seed);
    TRY(rules->fits(node->hash, &fits));
    while (!fits && rules->hashes_again) {
        // The whole hash is the next input.
        hmac_sha512(node, bytes_str(rules->master_label), BYTES_OF(node->hash));
        TRY(rules->fits(node->hash, &fits));
    }
    if (!fits)
        return out_of_range(rules);
    memcpy(node->key, node->hash, HALF);
    memcpy(node->chain, node->hash + HALF, HALF);
    return Q_OK;
}

static void put_index(struct node *node, uint32_t index)
{
    for (size_t i = 0; i < 4; i++)
        node->data[sizeof node->data - 4 + i] = (uint8_t)(index >> (24 - 8 * i));
}

static enum q_err make_child(const struct curve_rules *rules, struct node *node, bool *fits)
{
    if (rules->add != NULL)
        return rules->add(node->hash, node->key, node->child, fits);
    memcpy(node->child, node->hash, HALF);
    *fits = true;
    return Q_OK;
}

static enum q_err go_down(const struct curve_rules *rules, struct node *node, uint32_t index)
{
    bool fits = false;
    if ((index & HD_HARDENED) != 0) {
        node->data[0] = 0;
        memcpy(node->data + 1, node->key, HALF);
    } else {
        TRY(rules->public_key(node->key, node->data));
    }
    put_index(node, index);
    hmac_sha512(node, BYTES_OF(node->chain), BYTES_OF(node->data));
    TRY(make_child(rules, node, &fits));
    while (!fits && rules->hashes_again) {
        node->data[0] = 1;
        memcpy(node->data + 1, node->hash + HALF, HALF);
        hmac_sha512(node, BYTES_OF(node->chain), BYTES_OF(node->data));
        TRY(make_child(rules, node, &fits));
    }
    if (!fits)
        return out_of_range(rules);
    memcpy(node->key, node->child, HALF);
    memcpy(node->chain, node->hash + HALF, HALF);
    return Q_OK;
}

static enum q_err follow(const struct curve_rules *rules, struct bytes seed,
                         const struct hd_path *path, struct node *node)
{
    TRY(make_master(rules, seed, node));
    for (size_t i = 0; i < path->n; i++)
        TRY(go_down(rules, node, path->level[i]));
    return Q_OK;
}

static enum q_err derive(const struct curve_rules *rules, struct bytes seed,
                         const struct hd_path *path, struct hd_key *out)
{
    SECRET_AUTO memory = {0};
    TRY(secret_new(&memory, sizeof(struct node)));
    struct node *node = (struct node *)(void *)memory.p;
    TRY(follow(rules, seed, path, node));
    TRY(rules->public_key(node->key, out->public_key));
    return secret_copy(&out->private_key, BYTES_OF(node->key));
}

enum q_err hd_derive(enum wallet_curve curve, struct bytes seed, struct bytes path,
                     struct hd_key *out)
{
    const struct curve_rules *rules = curve_rules_of(curve);
    struct hd_path levels;
    *out = (struct hd_key){.curve = curve, .public_size = rules->public_size};
    if (seed.n < HD_SEED_MIN || seed.n > HD_SEED_MAX)
        return fail(Q_BAD_INPUT, "seed: expected from %d to %d bytes, found %zu", HD_SEED_MIN,
                    HD_SEED_MAX, seed.n);
    TRY(hd_path_parse(path, &levels));
    for (size_t i = 0; i < levels.n && rules->hardened_only; i++)
        levels.level[i] |= HD_HARDENED;
    hd_path_text(&levels, out->effective_path);
    return derive(rules, seed, &levels, out);
}
