"""Finding 3: what an instance says of itself in a whole life holds nothing of what it keeps secret."""
import qos_model as qos

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def secrets_of(seed, shares):
    raw = [seed, *shares]
    return [s.hex() for s in raw] + [str(list(s))[1:40] for s in raw] + [str(list(s)).replace(" ", "")[1:40]
                                                                         for s in raw]


def test_finding_03_the_log_of_a_whole_life_holds_no_secret(instance):
    pairs = [qos.Pair() for _ in range(3)]
    members = [{"alias": f"member{i}", "pub_key": list(p.public)} for i, p in enumerate(pairs)]
    genesis = instance.ok("POST", "/enclave/genesis-boot", {
        "namespace_name": "log", "namespace_nonce": 1, "manifest_members": members, "manifest_threshold": 2,
        "share_members": members, "share_threshold": 2, "pivot_hash": [1] * 32, "pivot_args": []})
    sealed = [bytes(s["encrypted_quorum_key_share"]) for s in genesis["encrypted_shares"]]
    shares = [pair.open(share) for pair, share in zip(pairs, sealed)]
    seed = qos.combine(shares[:2])
    injected = instance.ok("POST", "/enclave/inject-shares", {
        "namespace_name": "log", "namespace_nonce": 1,
        "shares": [{"member_alias": f"member{i}", "decrypted_share": list(sealed[i])} for i in range(2)]})
    assert injected["success"] is True
    made = instance.ok("POST", "/generate-seed", {"strength": 256, "passphrase": "a passphrase of mine"})
    instance.call("POST", "/validate-seed", {"seed_phrase": PHRASE})
    instance.call("POST", "/validate-seed", {"seed_phrase": made["seed_phrase"], "passphrase": 7})
    instance.ok("POST", "/derive-key", {"encrypted_seed_phrase": made["seed_phrase"], "path": "m/44'/60'/0'/0/0",
                                        "curve": "secp256k1"})
    data = b"data that is nobody's business"
    box = instance.ok("POST", "/enclave/encrypt-data", {"data": list(data), "recipient_public": []})
    opened = instance.ok("POST", "/enclave/decrypt-data", {"encrypted_data": box["encrypted_data"]})
    assert bytes(opened["decrypted_data"]) == data
    instance.call("POST", "/generate-seed", raw=f'{{"passphrase": {PHRASE}'.encode())
    instance.call("POST", "/derive-key", {"encrypted_seed_phrase": PHRASE, "path": PHRASE, "curve": PHRASE})
    instance.stop()
    said = instance.log()
    assert "listening" in said and len(said) > 100
    for secret in [*secrets_of(seed, shares), PHRASE, "sausage", "a passphrase of mine", data.decode(),
                   made["seed_phrase"], made["entropy"]]:
        assert secret and secret not in said, secret
