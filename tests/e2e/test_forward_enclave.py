"""Export and injection against one real qos_core, with the other enclave played by the independent model: who opens
what is exported, documents and manifests that get no key, both encodings (qos-wire 4.3, qos-behaviour 2.8, 2.9)."""
import copy
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import qos_model as qos
from machine import work_folder
from raw_enclave import APP_UID, SLEEPER, Ceremony, Enclave
from sim_documents import HOUR, Forge
from snapshot import difference, snapshot
from test_memory import Memory, forms, needs_to_read_memory

SETUP = "qos-setup-manifest-pcr-commitment-v1"
LIVE = "qos-live-manifest-pcr-commitment-v1"


class Peer:
    """An enclave that has booted this manifest for a forwarded key, by a document of the same TEE."""

    def __init__(self, c, manifest=None):
        self.pair = qos.Pair()
        self.manifest = manifest or c.manifest
        self.document = c.forge.changed(c.live, **self.claims(self.pair.public), registers=self.registers())
        self.envelope = {**c.envelope(), "manifest": self.manifest,
                         "manifestSetApprovals": [qos.approval(n, c.pairs[n], self.manifest)
                                                  for n in c.names[:2]]}

    def claims(self, public):
        return {"user_data": qos.manifest_hash(self.manifest), "public_key": public}

    def registers(self, public=None):
        hash_ = qos.manifest_hash(self.manifest)
        return {16: qos.commitment_register(SETUP, public or self.pair.public, hash_), 17: bytes(48)}

    def request(self, **changed):
        fields = {"manifest_envelope": self.envelope,
                  "cose_sign1_attestation_doc": self.document.hex(), **changed}
        return {"exportKeyRequest": fields}


def changed(manifest, **places):
    """A copy with other values: namespace_nonce=2 is manifest["namespace"]["nonce"] = 2."""
    made = copy.deepcopy(manifest)
    for place, value in places.items():
        group, key = place.split("_", 1)
        made[group][key] = value
    return made


@pytest.fixture(scope="module", params=[1, 2])
def provisioned(request):
    """A ceremony whose enclave has its quorum key; c.live is its document."""
    folder = work_folder()
    enclave = Enclave(folder, "--app-user", str(APP_UID))
    c = Ceremony(SLEEPER, version=request.param)
    try:
        c.provision(enclave.start())
        c.enclave, c.forge = enclave, Forge(folder / "sim")
        reply = enclave.send("liveAttestationDocRequest")["liveAttestationDocResponse"]
        c.live = bytes.fromhex(reply["nsm_response"]["attestation"]["document"])
        c.check(c.live, LIVE, 17)
        yield c
    finally:
        enclave.end()


def opened(peer, reply):
    """The seed that the peer gets; the signature over it is by the quorum key."""
    key = reply["exportKeyResponse"]
    sealed = bytes.fromhex(key["encrypted_quorum_key"])
    quorum = bytes.fromhex(peer.manifest["namespace"]["quorumKey"])
    assert qos.verify(quorum, sealed, bytes.fromhex(key["signature"]))
    return peer.pair.open(sealed)


def test_the_attested_receiver_opens_the_key(provisioned):
    c = provisioned
    peer = Peer(c)
    assert opened(peer, c.enclave.send(peer.request())) == c.quorum.seed
    higher = Peer(c, changed(c.manifest, namespace_nonce=2, pivot_hash="11" * 32))
    assert opened(higher, c.enclave.send(higher.request())) == c.quorum.seed
    assert c.enclave.phase() == "QuorumKeyProvisioned"


def test_members_of_the_manifest_set_may_stand_in_another_order(provisioned):
    c = provisioned
    members = c.manifest["manifestSet"]["members"][::-1]
    peer = Peer(c, changed(c.manifest, namespace_nonce=2, manifestSet_members=members))
    assert opened(peer, c.enclave.send(peer.request())) == c.quorum.seed


def refused(c, message):
    """The error's name; phase and files are as before."""
    published = c.enclave.files["quorum"].parent
    before = snapshot(published)
    error = c.enclave.send(message)["protocolErrorResponse"]
    assert c.enclave.phase() == "QuorumKeyProvisioned"
    assert difference(before, snapshot(published)) == []
    return (error, None) if isinstance(error, str) else next(iter(error.items()))


DOCUMENTS = {
    "expired": (lambda c, p: c.forge.changed(p.document, valid=(-4 * HOUR, -HOUR)), "expired"),
    "not yet valid": (lambda c, p: c.forge.changed(p.document, valid=(HOUR, 4 * HOUR)), "not yet valid"),
    "wrong signature": (lambda c, p: p.document[:-1] + bytes([p.document[-1] ^ 1]), "signature"),
    "truncated": (lambda c, p: p.document[:-1], "signature"),
    "empty": (lambda c, p: b"", ""),
    "oversized": (lambda c, p: p.document + bytes(40000), ""),
    "of this enclave itself": (lambda c, p: c.live, "DifferentPcr "),
    "with another PCR0": (lambda c, p: c.forge.changed(p.document, registers={0: b"\x11" * 48}), "DifferentPcr0"),
    "with another PCR3": (lambda c, p: c.forge.changed(p.document, registers={3: b"\x11" * 48}), "DifferentPcr3"),
    "of another manifest": (lambda c, p: c.forge.changed(p.document, user_data=os.urandom(32)),
                            "DifferentUserData"),
    "for somebody's nonce": (lambda c, p: c.forge.changed(p.document, nonce=b"n"), "UnexpectedNonce"),
    "with another key": (lambda c, p: c.forge.changed(p.document, public_key=qos.Pair().public), "DifferentPcr "),
    "without a key": (lambda c, p: c.forge.changed(p.document, public_key=None), "MissingPubKey"),
    "without a commitment": (lambda c, p: c.forge.changed(p.document, registers={16: bytes(48)}), "DifferentPcr "),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_key_for_a_document(provisioned, name):
    c = provisioned
    peer = Peer(c)
    spoil, text = DOCUMENTS[name]
    error, why = refused(c, peer.request(cose_sign1_attestation_doc=spoil(c, peer).hex()))
    assert error == "QosAttestError" and text in why, (error, why)
    assert opened(peer, c.enclave.send(peer.request())) == c.quorum.seed


def test_no_key_for_a_committed_key_that_is_none(provisioned):
    c = provisioned
    peer = Peer(c)
    for public in (b"short", peer.pair.public[:-1] + b"\0"):
        document = c.forge.changed(peer.document, public_key=public, registers=peer.registers(public))
        request = peer.request(cose_sign1_attestation_doc=document.hex())
        assert refused(c, request)[0] == "InvalidEphemeralKey"


MANIFESTS = {
    "another quorum key": (lambda m: changed(m, namespace_quorumKey=qos.Pair().public.hex()), "DifferentQuorumKey"),
    "another threshold": (lambda m: changed(m, manifestSet_threshold=1), "DifferentManifestSet"),
    "fewer members": (lambda m: changed(m, manifestSet_members=m["manifestSet"]["members"][:2]),
                      "DifferentManifestSet"),
    "another namespace": (lambda m: changed(m, namespace_name="other"), "DifferentNamespaceName"),
    "a low nonce": (lambda m: changed(m, namespace_nonce=0), "LowNonce"),
    "the same nonce": (lambda m: changed(m, pivot_hash="22" * 32), "DifferentManifest"),
    "another role": (lambda m: changed(m, namespace_nonce=2, enclave_pcr3="33" * 48), "DifferentPcr3"),
    "an impossible threshold": (lambda m: changed(m, namespace_nonce=2, shareSet_threshold=4), "QosCrypto"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_no_key_for_a_manifest(provisioned, name):
    c = provisioned
    make, expected = MANIFESTS[name]
    peer = Peer(c, make(c.manifest))
    role = bytes.fromhex(peer.manifest["enclave"]["pcr3"])
    document = c.forge.changed(peer.document, registers={3: role})
    error, why = refused(c, peer.request(cose_sign1_attestation_doc=document.hex()))
    assert error == expected
    if error == "LowNonce":
        assert {k: int(v) for k, v in why.items()} == {"expected": 1, "actual": 0}


def test_no_key_without_enough_approvals_or_with_share_approvals(provisioned):
    c = provisioned
    peer = Peer(c)
    approvals = peer.envelope["manifestSetApprovals"]
    few = {**peer.envelope, "manifestSetApprovals": approvals[:1]}
    assert refused(c, peer.request(manifest_envelope=few))[0] == "NotEnoughApprovals"
    shared = {**peer.envelope, "shareSetApprovals": approvals[:1]}
    assert refused(c, peer.request(manifest_envelope=shared))[0] == "BadShareSetApprovals"
    stranger = {**peer.envelope, "manifestSetApprovals": approvals[:1] + [
        qos.approval("mallory", qos.Pair(), peer.manifest)]}
    assert refused(c, peer.request(manifest_envelope=stranger))[0] == "NotManifestSetMember"


def test_no_key_under_the_root_of_another_tee(provisioned, folder):
    c = provisioned
    other = Enclave(folder)
    other.start()
    other.end()
    peer = Peer(c)
    document = Forge(folder / "sim").as_own(peer.document)
    error, why = refused(c, peer.request(cose_sign1_attestation_doc=document.hex()))
    assert error == "QosAttestError" and "root" in why


def test_an_enclave_that_has_its_key_takes_no_other(provisioned):
    c = provisioned
    message = {"injectKeyRequest": c.sealed_key(qos.Pair().public)}
    assert refused(c, message) == ("NoMatchingRoute", "QuorumKeyProvisioned")


@pytest.mark.parametrize("version", [1, 2])
def test_the_key_of_another_enclave_starts_the_application(enclave, version):
    c = Ceremony(SLEEPER, version=version)
    c.forward(enclave.start())
    assert enclave.phase() == "QuorumKeyProvisioned"
    assert enclave.files["quorum"].read_text() == c.quorum.seed.hex()
    state = enclave.send("quorateStateRequest")["quorateStateResponse"]
    assert state["pivot_running"] is True
    assert (int(state["shares_held"]), int(state["shares_needed"])) == (0, 0)
    reply = enclave.send("liveAttestationDocRequest")["liveAttestationDocResponse"]
    live = bytes.fromhex(reply["nsm_response"]["attestation"]["document"])
    key = c.check(live, LIVE, 17)
    assert qos.Pair(bytes.fromhex(enclave.files["ephemeral"].read_text())).public == key
    assert reply["manifest_envelope"]["shareSetApprovals"] == []


def test_wrong_keys_are_refused_and_the_right_one_is_taken_afterwards(enclave):
    c = Ceremony(SLEEPER)
    setup = c.boot_forward(enclave.start())
    right = c.sealed_key(setup)

    def signed(sealed, by=c.quorum):
        return {"encrypted_quorum_key": sealed.hex(), "signature": by.sign(sealed).hex()}

    wrong = [
        ({**right, "signature": "00" * 64}, "InvalidEncryptedQuorumKeySignature"),
        ({**right, "signature": right["signature"][2:]}, "InvalidEncryptedQuorumKeySignature"),
        ({**right, "encrypted_quorum_key": right["encrypted_quorum_key"][:-2]}, "InvalidEncryptedQuorumKeySignature"),
        (signed(qos.seal(setup, c.quorum.seed), qos.Pair()), "InvalidEncryptedQuorumKeySignature"),
        (signed(b"no envelope"), "P256Error"),
        (signed(qos.seal(qos.Pair().public, c.quorum.seed)), "P256Error"),
        (signed(qos.seal(setup, c.quorum.seed[:-1])), "EncryptedQuorumKeyInvalidLen"),
        (signed(qos.seal(setup, qos.Pair().seed)), "WrongQuorumKey"),
    ]
    before = snapshot(enclave.files["quorum"].parent)
    for message, expected in wrong:
        error = enclave.send({"injectKeyRequest": message})["protocolErrorResponse"]
        assert (error if isinstance(error, str) else next(iter(error))) == expected
        assert enclave.phase() == "WaitingForForwardedKey"
        assert difference(before, snapshot(enclave.files["quorum"].parent)) == []
    assert enclave.send({"injectKeyRequest": right}) == "injectKeyResponse"
    assert enclave.files["quorum"].read_text() == c.quorum.seed.hex()


def at_once(enclave, messages):
    """The replies to messages that are sent together, each on a connection of its own."""
    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(enclave.send, messages))


def test_of_two_kinds_of_boot_at_once_one_is_taken_and_then_of_many_injections_one(enclave):
    c = Ceremony(SLEEPER)
    enclave.start()
    fields = {"manifest_envelope": c.envelope(), "pivot": c.pivot.hex()}
    replies = at_once(enclave, [{kind: fields} for kind in ("bootKeyForwardRequest", "bootStandardRequest") * 3])
    taken = [reply for reply in replies if "protocolErrorResponse" not in reply]
    assert len(taken) == 1
    assert all(list(r["protocolErrorResponse"]) == ["NoMatchingRoute"] for r in replies if r not in taken)
    if "bootKeyForwardResponse" not in taken[0]:
        assert enclave.phase() == "WaitingForQuorumShards"
        enclave.end()
        c.boot_forward(enclave.start())
    setup = qos.Pair(bytes.fromhex(enclave.files["ephemeral"].read_text())).public
    replies = at_once(enclave, [{"injectKeyRequest": c.sealed_key(setup)} for _ in range(6)])
    assert replies.count("injectKeyResponse") == 1
    refusals = [r["protocolErrorResponse"] for r in replies if r != "injectKeyResponse"]
    assert refusals == [{"NoMatchingRoute": "QuorumKeyProvisioned"}] * 5
    assert enclave.files["quorum"].read_text() == c.quorum.seed.hex()
    assert enclave.log.read_text().count("application: started") == 1


def test_borsh_where_it_can_be_said(enclave):
    """13 and 15 have an envelope whose end Borsh does not tell; 17 is answered in Borsh."""
    c = Ceremony(SLEEPER)
    enclave.start()
    undecodable = {"protocolErrorResponse": "ProtocolMsgDeserialization"}
    approvals = [qos.approval(n, c.pairs[n], c.manifest) for n in c.names[:2]]

    def b_approval(a):
        return qos.b_hex(a["signature"]) + qos.b_member(a["member"])

    envelope = (qos.b_manifest_v1(c.manifest) + qos.b_list(approvals, b_approval) + qos.b_list([], None))
    for frame in (b"\x0d" + envelope + qos.b_bytes(c.pivot), b"\x0f" + envelope + qos.b_bytes(b"document")):
        assert json.loads(qos.call(enclave.socket, frame)) == undecodable
    assert enclave.phase() == "WaitingForBootInstruction"
    key = c.sealed_key(c.boot_forward(enclave))
    frame = b"\x11" + qos.b_hex(key["encrypted_quorum_key"]) + qos.b_hex(key["signature"])
    bad = b"\x11" + qos.b_hex(key["encrypted_quorum_key"]) + qos.b_hex("00" * 64)
    assert qos.call(enclave.socket, bad) == b"\x00\x30"  # 48: InvalidEncryptedQuorumKeySignature
    assert qos.call(enclave.socket, frame) == b"\x12"
    assert enclave.phase() == "QuorumKeyProvisioned"


def test_memory_holds_a_forwarded_key_in_locked_memory_alone_also_after_it_was_exported(enclave):
    needs_to_read_memory()
    c = Ceremony(SLEEPER)
    setup = c.boot_forward(enclave.start())
    setup_pair = qos.Pair(bytes.fromhex(enclave.files["ephemeral"].read_text()))
    assert setup_pair.public == setup
    Memory(enclave.process.pid).assert_nowhere(forms("quorum", c.quorum))
    c.inject(enclave, setup)
    live_pair = qos.Pair(bytes.fromhex(enclave.files["ephemeral"].read_text()))
    reply = enclave.send("liveAttestationDocRequest")["liveAttestationDocResponse"]
    c.live, c.forge = bytes.fromhex(reply["nsm_response"]["attestation"]["document"]), Forge(enclave.folder / "sim")
    peer = Peer(c)
    for _ in range(3):
        assert opened(peer, enclave.send(peer.request())) == c.quorum.seed
    memory = Memory(enclave.process.pid)
    assert memory.places(c.quorum.seed), "the scan must see what is there"
    memory.assert_only_locked(forms("quorum", c.quorum))
    memory.assert_nowhere({**forms("setup", setup_pair), **forms("live", live_pair)})
