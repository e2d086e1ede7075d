"""TEE instances on the booted image, where the rules of hardware hold: shares in envelopes alone, keys of clients and
administrators in the manifest, manifests that members approved (renclave 3.1, 3.2, 3.5; 9)."""
import json
import os

import pytest
import qos_model as qos
import seed_model
from instance import ApiKey
from instance_ceremony import Party, assert_complete, document_of, hash_of
from instance_forwarding import attestation
from instance_machine import BootedInstance, Desk, key_arguments
from machine import ROLE, request
from qemu_machine import QemuMachine
from test_boot import SETUP, extended, measured

GENESIS, INJECT, RESET = "/enclave/genesis-boot", "/enclave/inject-shares", "/enclave/reset"
SHARE = "/enclave/share-manifest"
TOKEN = "Bearer a-token-of-some-length"
ETHEREUM = "m/44'/60'/0'/0/0"


class Life:
    """An instance, its members and the keys that its manifest names."""

    def __init__(self, machine, image):
        self.one, self.image = BootedInstance(machine), image
        self.party, self.client, self.admin = Party(), ApiKey(), ApiKey(long=True)

    def genesis(self):
        self.party.genesis(self.one, pivot_args=key_arguments(self.client, self.admin))
        return self

    def inject(self, people, form="E"):
        return self.one.signed_ok(self.admin, "POST", INJECT, self.party.injection(people, form))

    def inject_refused(self, form):
        return self.one.signed_refused(400, self.admin, "POST", INJECT, self.party.injection((0, 1), form))

    def complete(self):
        assert_complete(self.party, self.one, self.inject((2, 0)))
        return self

    def quorum(self):
        return seed_model.QuorumKey(self.party.seed(), long=False)

    def client_ok(self, method, path, body=None, **how):
        return self.one.signed_ok(self.client, method, path, body, **how)


@pytest.fixture
def desk(pki, trusting):
    made = Desk(pki, trusting)
    yield made
    made.remove()


@pytest.fixture
def fresh(new_machine, released):
    return Life(new_machine().start(), released)


@pytest.fixture(scope="module")
def ready(released, pki):
    """An instance of the released image that has its quorum key."""
    machine = QemuMachine(released, pki)
    try:
        yield Life(machine.start(), released).genesis().complete()
    finally:
        machine.remove()


def assert_nitro(said):
    assert said["tee"] == "nitro" and said["simulated"] is False, said


# ---- what it says of itself

def test_a_fresh_instance_says_that_it_is_no_simulation(fresh):
    status = fresh.one.status()
    for said in (fresh.one.info(), status):
        assert_nitro(said)
    assert status["phase"] == "WaitingForBootInstruction" and status["has_quorum_key"] is False
    assert not any("simulated" in w.lower() for w in status["warnings"])
    assert "no client key is configured: the application routes are off" in status["warnings"]
    own = {**measured(fresh.image.eif), 3: extended(ROLE.encode())}
    assert status["measurements"] == {f"pcr{i}": value.hex() for i, value in own.items()}
    assert request(fresh.one.port, "GET", "/status/attestation")[0] == 409


def test_the_status_page_gets_a_document_of_the_security_module(ready, desk):
    status, document = request(ready.one.port, "GET", "/status/attestation")
    assert status == 200
    said = document_of(document)
    assert said["user_data"].hex() == ready.party.reply["manifest_hash"]
    assert said["module_id"].startswith("i-test-enc")
    (desk.folder / "document").write_bytes(document)
    assert desk.run("qos_client", "attestation", "verify", "--attestation-doc-path", "document", *desk.trust)
    assert_nitro(ready.one.info())
    assert_nitro(ready.one.status())


# ---- shares

def test_the_genesis_is_attested_by_what_was_booted(ready):
    reply, manifest = ready.party.reply, ready.party.reply["manifest_envelope"]["manifest"]
    said = document_of(reply["attestation_doc"])
    assert said["user_data"] == hash_of(manifest) and said["public_key"] == bytes(reply["ephemeral_key"])
    assert said["pcrs"][16] == qos.commitment_register(SETUP, said["public_key"], said["user_data"])
    for index, value in {**measured(ready.image.eif), 3: extended(ROLE.encode())}.items():
        assert said["pcrs"][index] == value == bytes(manifest["enclave"][f"pcr{index}"])
    assert sorted(said["pcrs"]) == list(range(32))
    live = document_of(attestation(ready.one))
    assert live["public_key"] != said["public_key"] and live["pcrs"][16] == said["pcrs"][16]


def test_hardware_takes_shares_in_envelopes_alone(fresh):
    fresh.genesis()
    assert fresh.party.reply["share_mode"] == "envelope" and fresh.one.status()["share_mode"] == "envelope"
    fresh.one.refused(401, "POST", INJECT, fresh.party.injection((0, 1), "E"))
    for form, what in (("P", "found a share in clear"), ("A", "on hardware the genesis keeps nothing")):
        said = fresh.inject_refused(form)
        assert what in said and "an envelope to the setup key (ephemeral_key)" in said
        assert fresh.one.phase() == "GenesisBooted"
    assert fresh.inject((1,))["shares_received"] == 1
    assert fresh.inject_refused("P") and fresh.one.status()["shares_received"] == ["member2"]
    assert_complete(fresh.party, fresh.one, fresh.inject((2,)))


# ---- who may use it

def test_without_keys_in_its_manifest_an_instance_does_nothing_for_anybody(fresh):
    assert "--client-key FILE" in fresh.one.refused(403, "POST", "/generate-seed", {"strength": 256})
    assert "admin-key=<hex>" in fresh.one.refused(403, "POST", RESET)
    fresh.party.genesis(fresh.one)
    assert fresh.party.inject(fresh.one, (0, 1), "E")["success"] is True
    for method, path, body in (("POST", "/generate-seed", {}), ("POST", "/enclave/sign-message", {"message": [1]}),
                               ("GET", "/enclave/get-data", None)):
        assert "no client key is configured" in fresh.one.refused(403, method, path, body)
        assert "found a bearer token" in fresh.one.refused(401, method, path, body, authorization=TOKEN)
    assert fresh.one.phase() == "ApplicationReady"


def test_the_application_is_for_the_client_key_of_the_manifest(ready):
    ready.one.refused(401, "POST", "/generate-seed", {"strength": 256})
    ready.one.refused(401, "POST", "/generate-seed", {"strength": 256}, authorization=TOKEN)
    ready.one.signed_refused(403, ready.admin, "POST", "/generate-seed", {"strength": 256})
    ready.one.signed_refused(401, ApiKey(), "POST", "/generate-seed", {"strength": 256})
    seed = ready.client_ok("POST", "/generate-seed", {"strength": 256})
    opened = ready.quorum().open(bytes.fromhex(seed["seed_phrase"]), b"quorate-seed-v1")
    entropy, _ = seed_model.stored_seed(opened)
    secret = seed_model.derive("secp256k1", seed_model.bip39_seed(seed_model.phrase(entropy)), ETHEREUM)
    said = ready.client_ok("POST", "/derive-address", {"encrypted_seed_phrase": seed["seed_phrase"], "path": ETHEREUM,
                                                       "curve": "secp256k1"})
    assert said["address"] == seed_model.ethereum_address(secret)


def test_answers_with_plaintext_are_sealed_to_who_asked(ready):
    reply, data = qos.Pair(), os.urandom(4 << 10)
    sealed = ready.client_ok("POST", "/enclave/encrypt-data", {"data": list(data), "recipient_public": []})
    path = "/enclave/decrypt-data"
    assert "reply" in ready.one.signed_refused(400, ready.client, "POST", path, sealed)
    header = {}
    status, answer = ready.one.signed(ready.client, "POST", path, sealed, reply=Witness(reply, header))
    assert status == 200 and list(header["sent"]) == ["sealed"] and bytes(answer["decrypted_data"]) == data
    ready.client_ok("POST", "/enclave/store-data", {"key": "k", "data": list(data)})
    assert bytes(ready.client_ok("GET", "/enclave/get-data", query="key=k", reply=reply)["data"]) == data


class Witness:
    """A pair that remembers what it was given to open."""

    def __init__(self, pair, seen):
        self.pair, self.seen, self.public = pair, seen, pair.public

    def open(self, envelope):
        self.seen["sent"] = {"sealed": envelope}
        return self.pair.open(envelope)


def test_a_request_as_large_as_is_taken_comes_through_and_a_larger_one_does_not(ready):
    """Two megabytes over the guest's vsock, whose daemon takes them in small pieces."""
    largest = ready.one.signed(ready.client, "POST", "/generate-seed", raw=b'{"strength":256}'.ljust(2 << 20))
    assert largest[0] == 200, largest
    assert ready.one.signed(ready.client, "POST", "/generate-seed", raw=b'{"strength":256}'.ljust((2 << 20) + 1))[0] == 413
    assert ready.one.phase() == "ApplicationReady"


def test_a_request_that_the_guest_has_no_memory_for_costs_it_nothing(ready):
    """Anybody may send this one. Where there is room for its values, it is only too long."""
    status, answer = ready.one.call("POST", "/enclave/generate-attestation", raw=b'{"nonce":[' + b"0," * 262000 + b"0]}")
    assert (status, answer["error"].split(":")[0]) in ((500, "JSON"), (400, "attestation")), answer
    assert ready.one.phase() == "ApplicationReady"
    assert ready.client_ok("POST", "/generate-seed", {"strength": 128})["word_count"] == 12


# ---- the end

def test_a_reset_leaves_nothing_and_only_a_new_start_helps(fresh):
    fresh.genesis().complete()
    seed = fresh.client_ok("POST", "/generate-seed", {})
    fresh.client_ok("POST", "/enclave/store-data", {"key": "k", "data": [1]})
    fresh.one.refused(401, "POST", RESET)
    fresh.one.signed_refused(403, fresh.client, "POST", RESET)
    said = fresh.one.signed_ok(fresh.admin, "POST", RESET)
    assert said["success"] is True and "started anew" in said["warning"]
    status = fresh.one.status()
    assert status["phase"] == "UnrecoverableError" and status["has_quorum_key"] is False
    assert status["data_count"] == 0 and status["members"] == [] and not status.get("manifest_hash")
    assert "UnrecoverableError" in fresh.one.refused(409, "GET", SHARE)
    for path, body in ((GENESIS, fresh.party.request()), (INJECT, fresh.party.injection((0, 1), "E")),
                       ("/enclave/generate-attestation", {})):
        assert "UnrecoverableError" in fresh.one.refused(409, "POST", path, body), path
    for key in (fresh.client, fresh.admin):  # nobody has a key here any more
        asked = {"encrypted_seed_phrase": seed["seed_phrase"], "path": "m", "curve": "P-256"}
        fresh.one.signed_refused(401, key, "POST", "/derive-key", asked)
    fresh.one.machine.restart()
    again = BootedInstance(fresh.one.machine)
    assert again.phase() == "WaitingForBootInstruction" and again.id != fresh.one.id


# ---- with our commands, and from one instance to the next

def genesis_words(desk, one):
    """A request whose manifest names the desk's administrator and client; what our commands are to be told."""
    arguments = [word for key, name in ((desk.admin, "admin"), (desk.client_key, "client"))
                 for word in ("--pivot-arg", f"{name}-key={key}")]
    desk.generate(3, 2, *arguments)
    return "--url", one.url, "--request", "request.json", *desk.trust, *desk.measured


def test_members_bring_a_key_up_and_let_it_go_on_with_our_commands(desk, new_machine, trusting, released):
    first, second = (BootedInstance(new_machine(trusting).start()) for _ in range(2))
    words = genesis_words(desk, first)
    changed = [released.folder if word == trusting.folder else word for word in words]
    desk.refused("DifferentPcr0", "genesis", *changed, "--out", "wrong.json")
    words += ("--admin-key", "admin.secret")  # whom the manifest will name
    desk.client("genesis", *words, "--out", "genesis.json")
    words += ("--response", "genesis.json")
    desk.refused("on hardware", "inject", *words, "--acknowledge")
    desk.client("inject", *words, "--secret", "request.member1.secret")
    assert "has been reconstructed" in desk.client("inject", *words, "--secret", "request.member3.secret").stdout
    desk.path("approvals").mkdir()
    chain = ("--response", "genesis.json", "--from", first.url, "--to", second.url, "--admin-key", "admin.secret",
             *desk.trust, *desk.measured)
    for member, approvals in ((None, ()), (1, ("--manifest-approvals-dir", "approvals"))):
        if member:
            approve(desk, member)
        desk.refused("approvals of the manifest set" if not member else "approvals", "share-to", *chain, *approvals)
        assert second.phase() == "WaitingForBootInstruction"
    approve(desk, 2)
    said = desk.client("share-to", *chain, "--manifest-approvals-dir", "approvals").stdout
    assert said == f"{second.url}: has got the quorum key\n"
    assert second.status()["manifest_approved_by"] == ["member1", "member2"]


def approve(desk, member):
    desk.client("approve", "--response", "genesis.json", "--request", "request.json", "--secret",
                f"request.member{member}.secret", "--manifest-approvals-dir", "approvals", *desk.trust, *desk.measured)


@pytest.fixture
def two(new_machine, trusting):
    """TEE1 with its key, TEE2 fresh; both trust the tests' root as their own, as an enclave does AWS's."""
    first = Life(new_machine(trusting).start(), trusting).genesis().complete()
    return first, BootedInstance(new_machine(trusting).start())


def approved(party):
    """The manifest's envelope with approvals of k members, and without the quorum key's own word."""
    given = {**party.reply["manifest_envelope"], "manifest_set_approvals": [party.approval(i) for i in (0, 2)]}
    del given["quorum_key_signature"]
    return given


def test_a_key_goes_to_another_instance_when_members_approved_the_manifest(two):
    first, second = two
    party = first.party
    seed = first.client_ok("POST", "/generate-seed", {"strength": 256})
    itself = party.reply["manifest_envelope"]
    for envelope in (itself, {**approved(party), "manifest_set_approvals": [party.approval(0)]}):
        assert "pprovals" in second.refused(400, "POST", SHARE, {"manifest_envelope": envelope})
        assert second.phase() == "WaitingForBootInstruction"
    second.ok("POST", SHARE, {"manifest_envelope": approved(party)})
    asked = {"manifest_envelope": approved(party), "attestation_doc": list(attestation(second))}
    first.one.refused(401, "POST", "/enclave/export-key", asked)
    key = first.one.signed_ok(first.admin, "POST", "/enclave/export-key", asked)["result"]["ExportKeyResponse"]
    second.refused(401, "POST", "/enclave/inject-key", key)
    assert second.signed_ok(first.admin, "POST", "/enclave/inject-key", key)["result"]
    assert (second.phase(), first.one.phase()) == ("ApplicationReady", "ApplicationReady")
    asked = {"encrypted_seed_phrase": seed["seed_phrase"], "path": ETHEREUM, "curve": "secp256k1"}
    addresses = {one.signed_ok(first.client, "POST", "/derive-address", asked)["address"] for one in (first.one, second)}
    assert len(addresses) == 1
    assert "UNSAFE TEST BUILD" in second.machine.console()


def test_a_released_instance_gives_its_key_to_no_module_but_a_real_one(ready):
    """Its own document of the genesis: all of it is right but the root."""
    asked = {"manifest_envelope": approved(ready.party), "attestation_doc": ready.party.reply["attestation_doc"]}
    said = ready.one.signed_refused(400, ready.admin, "POST", "/enclave/export-key", asked)
    assert "Attestation document verification failed" in said and "root" in said
