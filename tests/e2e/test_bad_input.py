"""Bad input to the enclave, as raw frames and through the host: for each kind the error, that the phase and every
file are as before, and that the right input still succeeds afterwards."""
import copy
import hashlib
import json
import os
import struct

import pytest

import qos_model as qos
from machine import Process, answers, free_port, request, wait_until, BIN
from raw_enclave import SLEEPER, Ceremony
from snapshot import difference, snapshot


class World:
    """An enclave, a ceremony for it, and the way by which messages get there."""

    def __init__(self, enclave, way):
        self.enclave, self.way = enclave, way
        self.c = Ceremony(SLEEPER)
        self.envelope = self.c.envelope()
        self.mallory = qos.Pair()
        self.setup = self.host = None
        enclave.start()
        if way == "host":
            self.port = free_port()
            self.host = Process(BIN / "qos_host", [
                "--host-ip", "127.0.0.1", "--host-port", self.port, "--usock", enclave.socket],
                enclave.folder / "host")
            self.host.wait_ready(lambda: answers(self.port, "/qos/host-health"), "qos_host")

    def send(self, payload):
        """The reply to these bytes, or None when the connection was closed."""
        if self.host:
            status, body = request(self.port, "POST", "/qos/message", payload)
            return body if status == 200 else None
        try:
            return qos.call(self.enclave.socket, payload)
        except ConnectionError:
            return None

    def said(self):
        return self.enclave.log.read_text()

    def state(self):
        published = self.enclave.folder / "published"
        return (self.enclave.phase(), self.enclave.send("quorateStateRequest"),
                self.enclave.send("manifestEnvelopeRequest"), snapshot(published))

    def end(self):
        if self.host:
            self.host.stop()


@pytest.fixture(params=["socket", "host"])
def world(enclave, request):
    w = World(enclave, request.param)
    yield w
    w.end()


def message(value):
    return json.dumps(value).encode()


def approval(w, name="bob", pair=None, manifest=None):
    return qos.approval(name, pair or w.c.pairs["bob"], manifest or w.c.manifest)


def share(w, plaintext=None, approved=None, to=None):
    """bob's posting, with something wrong."""
    sealed = qos.seal(to or w.setup, w.c.shares[1] if plaintext is None else plaintext)
    return {"provisionRequest": {"share": sealed.hex(), "approval": approved or approval(w)}}


def bound(w, signer=None, manifest=None, sealed_for=None, ciphertext=None):
    sealed = qos.seal(w.setup, w.c.shares[1])
    binding = (signer or w.c.pairs["bob"]).sign(qos.binding_message(
        manifest or w.c.manifest, sealed_for or w.setup, ciphertext or sealed))
    return {"quorateBoundProvisionRequest": {
        "share": sealed.hex(), "approval": approval(w), "binding": binding.hex()}}


def other_manifest(w, **changes):
    m = copy.deepcopy(w.c.manifest)
    m["namespace"].update(changes)
    return m


def with_signature(signature):
    def make(w):
        a = approval(w)
        a["signature"] = signature(bytes.fromhex(a["signature"])).hex()
        return share(w, approved=a)
    return make


def twice(w):
    text = json.dumps(share(w))
    return (text[:-1] + "," + text[1:]).encode()


UNDECODABLE = "ProtocolMsgDeserialization"
UNVERIFIED, OUTSIDER = "CouldNotVerifyApproval", "NotShareSetMember"
WRONG_KEY = "ReconstructionErrorIncorrectPubKey"
REPEATED_X = {"QosCrypto": "Vsss(SharingDuplicateIdentifier)"}


def no_route(phase):
    return {"NoMatchingRoute": phase}


# name: (what is sent, the error on the wire, what the enclave's log says of it)
BAD_SHARES = {
    "truncated": (lambda w: message(share(w))[:-40], UNDECODABLE, "JSON"),
    "truncated to nothing": (lambda w: b"", UNDECODABLE, "refused"),
    "truncated hex": (lambda w: message(share(w)).replace(b'"share": "', b'"share": "0'),
                      UNDECODABLE, "hex"),
    "truncated ciphertext": (lambda w: share(w) | {"provisionRequest": {
        "share": qos.seal(w.setup, w.c.shares[1])[:-1].hex(), "approval": approval(w)}},
        "DecryptionFailed", "expected an envelope sealed to this enclave's setup key"),
    "oversized share": (lambda w: share(w, bytes([2]) + bytes(4096)), "InvalidShare",
                        "expected 33 bytes, got 4097"),
    "repeated field": (twice, UNDECODABLE, "refused"),
    "repeated bytes after the message": (lambda w: message(share(w)) * 2, UNDECODABLE, "refused"),
    "reordered, the share of an earlier boot": (
        lambda w: share(w, to=qos.Pair().public), "DecryptionFailed", "setup key"),
    "wrong key of the seal": (lambda w: share(w, to=w.c.quorum.public), "DecryptionFailed",
                              "setup key"),
    "wrong key in the approval": (
        lambda w: share(w, approved={**approval(w), "member": qos.member("bob", w.mallory)}),
        UNVERIFIED, "expected a signature over this manifest by the member's key"),
    "a key that is no point": (
        lambda w: share(w, approved={**approval(w), "member": {"alias": "bob", "pubKey": "04" * 130}}),
        {"P256Error": "FailedToReadPublicKey"}, "member's key"),
    "wrong signature": (with_signature(lambda s: s[:-1] + bytes([s[-1] ^ 1])), UNVERIFIED,
                        "expected a signature over this manifest"),
    "truncated signature": (with_signature(lambda s: s[:-1]), UNVERIFIED, "signature"),
    "signature of zeros": (with_signature(lambda s: bytes(64)), UNVERIFIED, "signature"),
    "wrong signature of the binding": (lambda w: bound(w, signer=w.mallory), UNVERIFIED,
                                       "expected a signature over this share by the member's key"),
    "binding of another ciphertext": (lambda w: bound(w, ciphertext=b"other"), UNVERIFIED,
                                      "signature over this share"),
    "binding for another enclave": (lambda w: bound(w, sealed_for=qos.Pair().public), UNVERIFIED,
                                    "signature over this share"),
    "binding for another manifest": (lambda w: bound(w, manifest=other_manifest(w, nonce=2)),
                                     UNVERIFIED, "signature over this share"),
    "wrong alias": (lambda w: share(w, approved=approval(w, name="bobby")), OUTSIDER,
                    "expected a member of the share set"),
    "another member's alias": (lambda w: share(w, approved=approval(w, name="alice")), OUTSIDER,
                               "expected a member of the share set"),
    "wrong phase: boot again": (lambda w: {"bootStandardRequest": {
        "manifest_envelope": w.envelope, "pivot": w.c.pivot.hex()}},
        no_route("WaitingForQuorumShards"), "not taken in phase WaitingForQuorumShards"),
    "wrong phase: genesis": (lambda w: {"bootGenesisRequest": {"set": {
        "members": w.c.manifest["shareSet"]["members"], "threshold": 2}}},
        no_route("WaitingForQuorumShards"), "not taken"),
    "wrong phase: inject a key": (lambda w: {"injectKeyRequest": {
        "encrypted_quorum_key": "00", "signature": "00"}}, no_route("WaitingForQuorumShards"),
        "not taken"),
    "a reply instead of a request": (lambda w: {"provisionResponse": {"reconstructed": True}},
                                     no_route("WaitingForQuorumShards"), "not taken"),
    "the same share under another name": (lambda w: share(w, w.c.shares[0]), REPEATED_X,
                                          "share of bob: its x is that of the share of alice"),
    "share of another quorum": (lambda w: share(w, Ceremony.split(os.urandom(32))[1]), WRONG_KEY,
                                "expected the manifest's quorum key, got another one"),
    "share from an outsider": (
        lambda w: share(w, approved=qos.approval("mallory", w.mallory, w.c.manifest)), OUTSIDER,
        "expected a member of the share set, got somebody else"),
    "x = 0": (lambda w: share(w, bytes(33)), "InvalidShare", "expected x from 1 to 255, got 0"),
    "wrong length, short": (lambda w: share(w, w.c.shares[1][:-1]), "InvalidShare",
                            "expected 33 bytes, got 32"),
    "wrong length, long": (lambda w: share(w, w.c.shares[1] + b"\0"), "InvalidShare",
                           "expected 33 bytes, got 34"),
    "wrong length, empty": (lambda w: share(w, b""), "InvalidShare", "expected 33 bytes, got 0"),
    "approval of a manifest of another namespace": (
        lambda w: share(w, approved=approval(w, manifest=other_manifest(w, name="other"))),
        UNVERIFIED, "expected a signature over this manifest"),
    "approval of a lower nonce": (
        lambda w: share(w, approved=approval(w, manifest=other_manifest(w, nonce=0))), UNVERIFIED,
        "expected a signature over this manifest"),
}


def refused(w, bad, error, text):
    before, said = w.state(), len(w.said())
    payload = bad if isinstance(bad, bytes) else message(bad)
    assert json.loads(w.send(payload)) == {"protocolErrorResponse": error}
    after = w.state()
    assert after[:3] == before[:3]
    assert difference(before[3], after[3]) == []
    lines = [line for line in w.said()[said:].splitlines() if "refused: " in line]
    assert len(lines) == 1 and text in lines[0], lines


@pytest.mark.parametrize("name", BAD_SHARES)
def test_a_bad_share_is_refused_changes_nothing_and_the_right_one_still_completes_the_key(world, name):
    w = world
    make, error, text = BAD_SHARES[name]
    w.setup = w.c.boot(w.enclave)
    held = w.c.post_bound(w.enclave, "alice", w.setup)
    assert held == {"provisionResponse": {"reconstructed": False}}
    refused(w, make(w), error, text)
    assert json.loads(w.send(message(share(w)))) == {"provisionResponse": {"reconstructed": True}}
    assert w.enclave.files["quorum"].read_text() == w.c.quorum.seed.hex()


def boot(w, change=None, pivot=None):
    """What boots the enclave; change(envelope) spoils it."""
    envelope = copy.deepcopy(w.envelope)
    if change:
        change(envelope)
    return {"bootStandardRequest": {"manifest_envelope": envelope,
                                    "pivot": (pivot or w.c.pivot).hex()}}


def approved_again(w, change, names=("alice", "bob")):
    """A boot with another manifest that these members approved."""
    m = copy.deepcopy(w.c.manifest)
    change(m)

    def put(envelope):
        envelope["manifest"] = m
        envelope["manifestSetApprovals"] = [qos.approval(n, w.c.pairs[n], m) for n in names]
    return boot(w, put)


def variant_23(w, spoil):
    plain = json.dumps(w.envelope, separators=(",", ":")).encode()
    return spoil(b"\x17" + qos.b_bytes(plain) + qos.b_bytes(w.c.pivot))


def set_nonce(nonce):
    return lambda e: e["manifest"]["namespace"].update(nonce=nonce)


def first_approval(**changes):
    return lambda e: e["manifestSetApprovals"][0].update(changes)


def same_alias(set_name):
    return lambda m: m[set_name]["members"][1].update(alias="alice")


def same_key(set_name):
    def change(m):
        members = m[set_name]["members"]
        members[1]["pubKey"] = members[0]["pubKey"]
    return change


def genesis(w, change=None, **more):
    """A genesis for the ceremony's members, spoilt by change(set)."""
    members = {"members": copy.deepcopy(w.c.manifest["shareSet"]["members"]), "threshold": 2}
    if change:
        change(members)
    return {"bootGenesisRequest": {"set": members, **more}}


def forged(w):
    """The approval that the enclave names: the first, which is not over this manifest."""
    return {"InvalidManifestApproval": w.envelope["manifestSetApprovals"][0]}


BAD_BOOTS = {
    "truncated": (lambda w: variant_23(w, lambda b: b[:-1]), UNDECODABLE, "refused"),
    "truncated length": (lambda w: variant_23(w, lambda b: b[:3]), UNDECODABLE, "refused"),
    "a length beyond the message": (lambda w: variant_23(w, lambda b: b[:1] + b"\xff\xff\xff\xff" + b[5:]),
                                    UNDECODABLE, "refused"),
    "repeated bytes after the message": (lambda w: variant_23(w, lambda b: b + b"\0"), UNDECODABLE,
                                         "refused"),
    "reordered: a share before the boot": (
        lambda w: share(w, to=w.mallory.public), no_route("WaitingForBootInstruction"),
        "not taken in phase WaitingForBootInstruction"),
    "reordered: members in another order than was approved": (
        lambda w: boot(w, lambda e: e["manifest"]["shareSet"]["members"].reverse()), forged,
        "approval of alice: expected a signature over this manifest's hash"),
    "wrong key": (lambda w: boot(w, first_approval(member=qos.member("alice", w.mallory))),
                  lambda w: {"InvalidManifestApproval": {
                      **w.envelope["manifestSetApprovals"][0],
                      "member": qos.member("alice", w.mallory)}}, "approval of alice"),
    "wrong signature": (lambda w: boot(w, first_approval(signature="11" * 64)),
                        lambda w: {"InvalidManifestApproval": {
                            **w.envelope["manifestSetApprovals"][0], "signature": "11" * 64}},
                        "approval of alice: expected a signature"),
    "wrong alias": (lambda w: boot(w, first_approval(member=qos.member("alicia", w.c.pairs["alice"]))),
                    "NotManifestSetMember", "approval of alicia: expected a member"),
    "approval of an outsider": (
        lambda w: boot(w, lambda e: e["manifestSetApprovals"].append(
            qos.approval("mallory", w.mallory, w.c.manifest))), "NotManifestSetMember", "mallory"),
    "repeated approval": (
        lambda w: boot(w, lambda e: e["manifestSetApprovals"].append(e["manifestSetApprovals"][0])),
        "DuplicateApproval", "approval of alice: there is one already"),
    "one approval for two": (lambda w: boot(w, lambda e: e["manifestSetApprovals"].pop()),
                             "NotEnoughApprovals", "expected at least 2 approvals, got 1"),
    "duplicate member, by alias": (lambda w: approved_again(w, same_alias("shareSet")),
                                   "DuplicateQuorumMember", "same alias"),
    "duplicate member, by key": (lambda w: approved_again(w, same_key("shareSet")),
                                 "DuplicateQuorumMember", "same encryption key"),
    "duplicate member of the manifest set": (lambda w: approved_again(w, same_alias("manifestSet")),
                                             "DuplicateQuorumMember", "same alias"),
    "share approvals before there are shares": (
        lambda w: boot(w, lambda e: e["shareSetApprovals"].append(approval(w))),
        "BadShareSetApprovals", "expected no share set approvals, got 1"),
    "manifest of another namespace": (
        lambda w: boot(w, lambda e: e["manifest"]["namespace"].update(name="other")), forged,
        "expected a signature over this manifest's hash"),
    "lower nonce than was approved": (lambda w: boot(w, set_nonce(0)), forged, "over this manifest's hash"),
    "changed pivot": (lambda w: boot(w, pivot=b"#!/bin/sh\n"),
                      lambda w: {"InvalidPivotHash": {
                          "expected": w.c.manifest["pivot"]["hash"],
                          "actual": hashlib.sha256(b"#!/bin/sh\n").hexdigest()}},
                      "SHA-256 of the pivot: expected"),
    "changed pivot hash": (lambda w: boot(w, lambda e: e["manifest"]["pivot"].update(hash="00" * 32)),
                           forged, "over this manifest's hash"),
    "a quorum key that is none": (
        lambda w: approved_again(w, lambda m: m["namespace"].update(quorumKey="00" * 130)),
        {"P256Error": "FailedToReadPublicKey"}, "manifest: quorum key"),
    "genesis: duplicate member": (
        lambda w: genesis(w, lambda s: s["members"].append(s["members"][0])),
        "DuplicateQuorumMember", "members alice and alice have the same alias"),
    "genesis: threshold of one": (lambda w: genesis(w, lambda s: s.update(threshold=1)),
                                  {"QosCrypto": "Vsss(SharingMinThreshold)"}, "got threshold 1 of 3"),
    "genesis: threshold above the members": (
        lambda w: genesis(w, lambda s: s.update(threshold=4)),
        {"QosCrypto": "Vsss(SharingLimitLessThanThreshold)"}, "got threshold 4 of 3"),
    "genesis: more members than there are x": (
        lambda w: genesis(w, lambda s: s.update(members=CROWD)),
        {"QosCrypto": "Vsss(SharingMaxRequest)"}, "of 256 members"),
    "genesis: recovery key that is none": (
        lambda w: genesis(w, dr_key="00" * 130), {"InvalidP256DRKey": "FailedToReadPublicKey"},
        "disaster recovery key"),
    "genesis: the original's old form": (lambda w: b"\x05" + qos.b_genesis_set(
        {"members": w.c.manifest["shareSet"]["members"], "threshold": 2}) + b"\0",
        "LegacyGenesisNotSupported", "refused"),
}
CROWD = [qos.member(f"m{i}", qos.Pair()) for i in range(256)]


@pytest.mark.parametrize("name", BAD_BOOTS)
def test_a_bad_boot_is_refused_changes_nothing_and_the_right_one_still_provisions(world, name):
    w = world
    make, error, text = BAD_BOOTS[name]
    refused(w, make(w), error(w) if callable(error) else error, text)
    assert w.enclave.left() == []
    w.c.provision(w.enclave)
    assert w.enclave.phase() == "QuorumKeyProvisioned"


def test_a_message_cut_in_its_frame_is_no_message(world):
    w = world
    w.setup = w.c.boot(w.enclave)
    before, payload = w.state(), message(share(w))
    for cut in (1, len(payload) // 2, len(payload) - 1):
        with qos.Connection(w.enclave.socket) as c:
            c.socket.sendall(struct.pack("<Q", len(payload)) + payload[:cut])
            c.socket.shutdown(1)
            assert c.socket.recv(1) == b""
    assert w.state() == before
    assert json.loads(w.send(payload)) == {"provisionResponse": {"reconstructed": False}}


def test_an_oversized_message_is_refused_in_every_phase_and_the_right_one_goes_on(world):
    w = world

    def refused_at(size):
        before = w.state()
        with qos.Connection(w.enclave.socket) as c:
            c.socket.sendall(struct.pack("<Q", size))
            assert c.socket.recv(1) == b""
        assert w.state() == before

    refused_at((128 << 20) + 1)
    w.setup = w.c.boot(w.enclave)
    after_boot = 2 * (2 << 20) + (64 << 10)  # a body of 2 MiB of the REST API, in hex
    refused_at(after_boot + 1)
    before = w.state()
    assert w.send(b"{" + b" " * after_boot) is None
    assert w.state() == before
    assert json.loads(w.send(message(share(w)))) == {"provisionResponse": {"reconstructed": False}}


def test_the_same_share_twice_counts_once_and_so_does_its_approval(world):
    w = world
    w.setup = w.c.boot(w.enclave)
    payloads = [message(bound(w)), message(share(w))]
    for payload in payloads[1], payloads[1], payloads[0], payloads[0]:
        assert json.loads(w.send(payload)) == {"provisionResponse": {"reconstructed": False}}
        state = w.enclave.send("quorateStateRequest")["quorateStateResponse"]
        assert state["shares_held"] == "1"
        stored = json.loads(w.enclave.files["manifest"].read_text())
        assert [a["member"]["alias"] for a in stored["shareSetApprovals"]] == ["bob"]
    refused(w, payloads[1], "InvalidShare", "is not signed and cannot replace the signed one")
    assert w.c.post(w.enclave, "alice", w.setup) == {"provisionResponse": {"reconstructed": True}}


def test_any_member_may_come_first_and_replies_say_so(world):
    w = world
    w.setup = w.c.boot(w.enclave)
    for name, complete in (("carol", False), ("alice", True)):
        reply = w.c.post_bound(w.enclave, name, w.setup)
        assert reply == {"provisionResponse": {"reconstructed": complete}}
    refused(w, share(w), no_route("QuorumKeyProvisioned"), "not taken in phase QuorumKeyProvisioned")


def test_an_enclave_has_no_memory_of_nonces_so_what_holds_is_the_approvals(world):
    """A fresh enclave takes any manifest that enough members approved, also one of a lower nonce: the nonce is
    shown to every member before approving and before giving a share, and nothing of another boot is taken."""
    w = world
    w.c.manifest["namespace"]["nonce"] = 7
    w.c.provision(w.enclave)
    assert w.enclave.end() == 0
    w.enclave.start()
    w.c.manifest["namespace"]["nonce"] = 3
    w.setup = w.c.boot(w.enclave)
    assert w.enclave.send("manifestEnvelopeRequest")["manifestEnvelopeResponse"][
        "manifest_envelope"]["manifest"]["namespace"]["nonce"] == "3"
    refused(w, share(w, approved=approval(w, manifest=other_manifest(w, nonce=7))), UNVERIFIED,
            "expected a signature over this manifest")
    assert w.c.post(w.enclave, "alice", w.setup) == {"provisionResponse": {"reconstructed": False}}
