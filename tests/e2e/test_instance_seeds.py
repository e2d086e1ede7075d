"""The built-in application of a TEE instance end to end: a real genesis, then seeds, data and signatures, checked with
python3-cryptography and a BIP39/BIP32 of the tests' own (renclave 1.3, 2.7, 2.8, 7; findings 11, 12, 22, 31, 32, 37 to
39)."""

import json
import os

import pytest
import qos_model as qos
import seed_model as model
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from instance import ApiKey
from instance_ceremony import SHARED, Party, RawPair
from traced import needs_plain_memory

ETHEREUM = "m/44'/60'/0'/0/0"
SOLANA = "m/44'/501'/0'/0/0"
ZERO = " ".join(["abandon"] * 11 + ["about"])
DERIVATIONS = [("CURVE_SECP256K1", "secp256k1", ETHEREUM), ("secp256k1", "secp256k1", "m/44'/0'/0'/0/7"),
               ("CURVE_ED25519", "ed25519", SOLANA), ("P-256", "p256", "m/44'/1'/2/3'")]


def ready(instance, long=False, party=None):
    """An instance in ApplicationReady; its quorum key as the model has it."""
    party = party or Party(long=long)
    party.genesis(instance)
    # Form P is refused nowhere on the simulated TEE.
    assert party.inject(instance, [0, 2])["success"] is True
    return model.QuorumKey(party.seed(), long)


@pytest.fixture(params=[False, True], ids=["renclave", "qos"])
def long(request):
    return request.param


def post(instance, route, /, **body):
    return instance.ok("POST", route, body)


def decrypt(instance, envelope):
    return bytes(post(instance, "/enclave/decrypt-data", encrypted_data=list(envelope))["decrypted_data"])


def address_of(curve, secret):
    if curve == "secp256k1":
        return model.ethereum_address(secret)
    public = model.public_key(curve, secret)
    return model.base58(public) if curve == "ed25519" else public.hex()


def check_derivation(instance, key, seed, envelope):
    for name, curve, path in DERIVATIONS:
        secret = model.derive(curve, seed, path)
        answer = post(instance, "/derive-key", encrypted_seed_phrase=envelope, path=path, curve=name)
        assert key.open(bytes.fromhex(answer["private_key"]), b"quorate-private-key-v1") == secret
        assert answer["public_key"] == model.public_key(curve, secret).hex()
        assert answer["address"] == address_of(curve, secret)
        assert (answer["path"], answer["curve"]) == (path, name)
        only = post(instance, "/derive-address", encrypted_seed_phrase=envelope, path=path, curve=name)
        assert only["address"] == answer["address"]


def test_seeds_are_whole_and_what_is_derived_from_them_is_right(instance, long):
    """Findings 31 and 32 on seeds that nobody chose."""
    key = ready(instance, long)
    for strength, passphrase in ((128, None), (192, "two  spaces "), (256, "abandon about"), (256, "p\u00e4ss")):
        body = {"strength": strength} | ({"passphrase": passphrase} if passphrase else {})
        answer = instance.ok("POST", "/generate-seed", body)
        assert (answer["strength"], answer["word_count"]) == (strength, strength * 3 // 32)
        entropy, kept = model.stored_seed(key.open(bytes.fromhex(answer["seed_phrase"]), b"quorate-seed-v1"))
        assert len(entropy) == strength // 8 and kept.decode() == (passphrase or "")
        sealed = key.open(bytes.fromhex(answer["entropy"]), b"quorate-entropy-v1")
        assert bytes.fromhex(sealed.decode()) == entropy
        check_derivation(instance, key, model.bip39_seed(model.phrase(entropy), passphrase or ""),
                         answer["seed_phrase"])


def test_the_guide_s_request_makes_a_seed(instance):
    ready(instance)
    answer = post(instance, "/generate-seed", seed_type="test-seed", seed_data="test-data")
    assert (answer["strength"], answer["word_count"]) == (256, 24)


def test_finding_11_decrypt_data_is_no_oracle(instance, long):
    key = ready(instance, long)
    seed = instance.ok("POST", "/generate-seed", {})
    derived = post(instance, "/derive-key", encrypted_seed_phrase=seed["seed_phrase"], path=ETHEREUM,
                   curve="secp256k1")
    for envelope in (seed["seed_phrase"], seed["entropy"], derived["private_key"]):
        with pytest.raises(InvalidTag):
            key.open(bytes.fromhex(envelope), b"quorate-data-v1")
        said = instance.refused(400, "POST", "/enclave/decrypt-data",
                                {"encrypted_data": list(bytes.fromhex(envelope))})
        assert "Data decryption failed" in said
    # Nor what the original sealed without a purpose, whatever its lengths look like.
    for length in (None, b"\x41", (65).to_bytes(8, "big")):
        old = key.seal(b"an old seed", length=length)
        instance.refused(400, "POST", "/enclave/decrypt-data", {"encrypted_data": list(old)})


def test_data_comes_back_and_finding_39_goes_to_whom_it_is_for(instance, long):
    key = ready(instance, long)
    data = os.urandom(5000)
    envelope = bytes(post(instance, "/enclave/encrypt-data", data=list(data), recipient_public=[])["encrypted_data"])
    assert key.open(envelope, b"quorate-data-v1") == data
    assert decrypt(instance, envelope) == data
    assert decrypt(instance, key.seal(b"from outside", b"quorate-data-v1")) == b"from outside"
    for recipient in (RawPair(), qos.Pair()):
        sealed = post(instance, "/enclave/encrypt-data", data=[1, 2, 3], recipient_public=list(recipient.public))
        assert recipient.open(bytes(sealed["encrypted_data"])) == b"\1\2\3"
    for bad in (b"\4" * 65, b"\2" + bytes(32), bytes(130), RawPair().public * 2):
        said = instance.refused(400, "POST", "/enclave/encrypt-data", {"data": [1], "recipient_public": list(bad)})
        assert "recipient_public" in said


def test_findings_22_and_37_signatures_verify_with_the_key_they_name(instance, long):
    key = ready(instance, long)
    for route, member, domain in (("sign-message", "message", b"quorate-message-v1"),
                                  ("sign-transaction", "transaction_data", b"quorate-transaction-v1")):
        message = os.urandom(100)
        answer = instance.ok("POST", f"/enclave/{route}", {member: list(message)})
        assert bytes(answer["public_key"]) == key.signing_point
        assert answer["algorithm"] == "ecdsa-p256-sha256/" + domain.decode()
        public = ec.EllipticCurvePublicKey.from_encoded_point(qos.CURVE, key.signing_point)
        public.verify(bytes(answer["signature"]), domain + b"\0" + message, ec.ECDSA(hashes.SHA256()))
        seed = model.bip39_seed(ZERO)
        for name, curve, path in DERIVATIONS:
            signer = {"encrypted_seed_phrase": ZERO, "path": path, "curve": name}
            answer = instance.ok("POST", f"/enclave/{route}", {member: list(message), "signer": signer})
            expected = model.public_key(curve, model.derive(curve, seed, path))
            assert bytes(answer["public_key"]) == expected
            model.verify(curve, expected, message, bytes(answer["signature"]), route == "sign-message")


def test_the_quorum_key_signs_nothing_that_the_protocol_would_believe(instance):
    """A manifest's hash, given to sign-message, gets a signature over something else."""
    party = Party()
    key = ready(instance, party=party)
    digest = bytes.fromhex(party.reply["manifest_hash"])
    answer = instance.ok("POST", "/enclave/sign-message", {"message": list(digest)})
    public = ec.EllipticCurvePublicKey.from_encoded_point(qos.CURVE, key.signing_point)
    with pytest.raises(Exception):
        public.verify(bytes(answer["signature"]), digest, ec.ECDSA(hashes.SHA256()))
    public.verify(bytes(answer["signature"]), b"quorate-message-v1\0" + digest, ec.ECDSA(hashes.SHA256()))


def test_seeds_of_the_original_still_open(instance):
    """The migration fact: envelopes without purpose, in both forms of lengths, under a key of 65 bytes."""
    key = ready(instance)
    text = ZERO + " test-passphrase"
    for length in ((65).to_bytes(8, "big"), b"\x41"):
        old = key.seal(text.encode(), length=length).hex()
        entropy = key.seal(b"00" * 16, length=length).hex()
        answer = post(instance, "/validate-seed", seed_phrase=old, encrypted_entropy=entropy)
        assert answer == {"valid": True, "word_count": 13, "entropy_match": True, "derived_entropy": None} | {
            k: v for k, v in answer.items() if k == "warning"}
        check_derivation(instance, key, model.bip39_seed(ZERO, "test-passphrase"), old)


def test_finding_12_entropy_goes_to_who_has_the_phrase(instance, long):
    key = ready(instance, long)
    seed = instance.ok("POST", "/generate-seed", {"strength": 128})
    sealed = post(instance, "/validate-seed", seed_phrase=seed["seed_phrase"], encrypted_entropy=seed["entropy"])
    assert sealed["entropy_match"] is True and sealed["derived_entropy"] is None
    entropy, _ = model.stored_seed(key.open(bytes.fromhex(seed["seed_phrase"]), b"quorate-seed-v1"))
    clear = post(instance, "/validate-seed", seed_phrase=model.phrase(entropy), encrypted_entropy=seed["entropy"])
    assert clear["entropy_match"] is True and clear["derived_entropy"] == entropy.hex()


def test_a_phrase_in_clear_is_judged_before_there_is_a_key(instance):
    vectors = json.loads((SHARED / "seed_vectors.json").read_text()) if SHARED.exists() else None
    if vectors is None:
        pytest.skip(f"{SHARED} is not there")
    for case in vectors["validate_cases"]:
        if "http" in case:
            instance.refused(400, "POST", "/validate-seed", {"seed_phrase": case["seed_phrase"]})
            continue
        answer = post(instance, "/validate-seed", seed_phrase=case["seed_phrase"])
        assert (answer["valid"], answer["word_count"]) == (case["valid"], case["word_count"])
    answer = post(instance, "/derive-address", encrypted_seed_phrase=ZERO, path=ETHEREUM, curve="secp256k1")
    assert answer["address"] == "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    said = instance.refused(503, "POST", "/generate-seed", {"strength": 256})
    assert "Cannot generate seed: Quorum key not provisioned." in said


def test_what_the_one_client_of_the_original_sends_is_answered(instance):
    """The requests of gauth's collection, its variables filled in."""
    file = SHARED / "gauth_postman_requests.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    ready(instance)
    seed = instance.ok("POST", "/generate-seed", {"strength": 256, "passphrase": "optional-secure-passphrase"})
    collection = json.loads(file.read_text())
    variables = collection["variables"] | {"test_encrypted_seed_phrase": seed["seed_phrase"],
                                           "encrypted_entropy": seed["entropy"]}
    bad = {"Derive Key - Test Invalid Path", "Derive Key - Test Invalid Seed"}
    answered = 0
    for request in collection["requests"]:
        if not request["path"].startswith(("/generate", "/validate", "/derive", "/enclave")):
            continue
        text = json.dumps(request["body"])
        for name, value in variables.items():
            text = text.replace("{{" + name + "}}", value)
        status, answer = instance.call(request["method"], request["path"], json.loads(text))
        assert status == (400 if request["name"] in bad else 200), (request["name"], answer)
        answered += 1
    assert answered >= 9


def test_finding_38_stored_data_has_an_owner(new_instance, folder):
    alice, bob, admin = ApiKey(), ApiKey(long=True), ApiKey()
    clients, admins = folder / "clients", folder / "admins"
    clients.write_text(f"{alice.hex}\n{bob.hex}\n")
    admins.write_text(admin.hex + "\n")
    instance = new_instance("--client-key", str(clients), "--admin-key", str(admins)).start()
    party = Party()
    status, party.reply = instance.signed(admin, "POST", "/enclave/genesis-boot", party.request())
    assert status == 200
    status, _ = instance.signed(admin, "POST", "/enclave/inject-shares", party.injection([0, 1]))
    assert status == 200
    store = {"key": "k", "data": [1, 2]}
    assert instance.signed(alice, "POST", "/enclave/store-data", store)[0] == 200
    assert instance.call("POST", "/enclave/store-data", store)[0] == 401
    assert instance.call("GET", "/enclave/get-data", query="key=k")[0] == 401
    reply = qos.Pair()
    get = {"query": "key=k", "reply": reply}
    assert instance.signed(alice, "GET", "/enclave/get-data", **get)[1]["data"] == [1, 2]
    assert instance.signed(bob, "GET", "/enclave/get-data", **get)[1]["data"] is None
    assert instance.signed(bob, "POST", "/enclave/store-data", {"key": "k", "data": [3]})[0] == 200
    assert instance.signed(alice, "GET", "/enclave/get-data", **get)[1]["data"] == [1, 2]
    # In clear it goes to nobody who signs.
    assert instance.signed(alice, "GET", "/enclave/get-data", query="key=k")[0] == 400


def stored_files(instance):
    return sorted((instance.folder / "state").glob("data-*"))


@pytest.fixture
def keeping(new_instance, folder):
    """An instance with a state folder, ready, and its party."""
    party, state = Party(), folder / "instance1" / "state"
    instance = new_instance("--state-dir", str(state))
    state.mkdir(mode=0o700)
    instance.start()
    ready(instance, party=party)
    return instance, party


def test_stored_data_survives_a_restart_and_a_kill_with_its_key(keeping):
    instance, party = keeping
    instance.ok("POST", "/enclave/store-data", {"key": "first", "data": [1, 2, 3]})
    instance.ok("POST", "/enclave/store-data", {"key": "first", "data": [4]})
    instance.ok("POST", "/enclave/store-data", {"key": "secöond", "data": []})
    for file in stored_files(instance):
        assert file.stat().st_mode & 0o777 == 0o600 and b"first" not in file.read_bytes()
    instance.restart()
    assert "Quorum key not provisioned" in instance.refused(503, "GET", "/enclave/get-data", query="key=first")
    assert party.inject(instance, [1, 2])["success"] is True
    assert instance.status()["data_count"] == 2
    assert instance.ok("GET", "/enclave/get-data", query="key=first")["data"] == [4]
    instance.ok("POST", "/enclave/store-data", {"key": "third", "data": [5]})
    instance.kill()
    instance.start()
    party.inject(instance, [0, 1])
    assert instance.ok("GET", "/enclave/get-data", query="key=sec%C3%B6ond")["data"] == []
    assert instance.ok("GET", "/enclave/get-data", query="key=third")["data"] == [5]


def test_a_damaged_file_is_named_and_the_others_are_read(keeping):
    instance, party = keeping
    for key in ("one", "two"):
        instance.ok("POST", "/enclave/store-data", {"key": key, "data": [1]})
    instance.stop()
    damaged = stored_files(instance)[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    instance.start()
    party.inject(instance, [0, 1])
    answers = [instance.call("GET", "/enclave/get-data", query=f"key={key}") for key in ("one", "two")]
    assert sorted(status for status, _ in answers) == [200, 500]
    assert damaged.name in instance.log()
    assert instance.status()["data_count"] == 1


def test_without_a_state_folder_nothing_survives(instance):
    party = Party()
    ready(instance, party=party)
    instance.ok("POST", "/enclave/store-data", {"key": "k", "data": [1]})
    instance.restart()
    assert instance.phase() == "WaitingForBootInstruction"
    ready(instance)
    assert instance.ok("GET", "/enclave/get-data", query="key=k")["data"] is None


def resident_kib(instance):
    with open(f"/proc/{instance.core.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_memory_stays_flat(instance):
    needs_plain_memory()
    ready(instance)
    rounds = 20000 if os.environ.get("QUORATE_FULL") else 400
    for _ in range(200):
        instance.ok("POST", "/generate-seed", {})
    before = resident_kib(instance)
    for _ in range(rounds):
        instance.ok("POST", "/generate-seed", {})
    assert resident_kib(instance) - before < 512


def test_nothing_of_a_seed_is_in_the_log(instance):
    ready(instance)
    words = "abandon zebra"
    post(instance, "/generate-seed", strength=128, passphrase="a-telling-passphrase")
    post(instance, "/validate-seed", seed_phrase=words)
    instance.refused(400, "POST", "/derive-key",
                     {"encrypted_seed_phrase": words, "path": "m", "curve": "secp256k1"})
    post(instance, "/derive-address", encrypted_seed_phrase=ZERO, path="m", curve="secp256k1")
    for path, curve in (("m", "a-telling-curve"), ("a-telling-path", "secp256k1"), ("m/zebra", "secp256k1")):
        instance.refused(400, "POST", "/derive-address",
                         {"encrypted_seed_phrase": ZERO, "path": path, "curve": curve})
    instance.refused(422, "POST", "/generate-seed", {"strength": "telling"})
    instance.refused(400, "GET", "/enclave/get-data", query="key=telling%")
    instance.refused(400, "POST", "/validate-seed", raw=b'{"seed_phrase": abandon zebra')
    log = instance.log()
    assert "telling" not in log and "abandon" not in log and "zebra" not in log
