"""A host that alters, drops, reorders, repeats, replays and swaps: the client says what is wrong and writes nothing;
the enclave is none the worse; the honest host's answer is still taken afterwards."""
import copy
import json
import shutil
import time

import pytest

import qos_model as qos
from ceremony import NAMESPACE, Ceremony, Refused
from hostile_host import HostileHost, forward, through
from sim_documents import Forge
from snapshot import difference, snapshot


def refused(c, call, text, *folders):
    before = snapshot(c.folder, *folders)
    with pytest.raises(Refused) as refusal:
        call()
    said = [line for line in str(refusal.value).splitlines() if "error: " in line]
    assert len(said) == 1 and text in said[0], str(refusal.value)
    assert difference(before, snapshot(c.folder, *folders)) == []


class Birth:
    """A member set, and the genuine reply of an enclave to its genesis, recorded."""

    def __init__(self, machine):
        self.c = Ceremony(3, 2, machine)
        self.c.machine.start()
        self.c.write_release()
        self.c.keys()
        self.recovery = qos.Pair()
        self.mallory = qos.Pair()
        self.dr_key = self.c.folder / "recovery.pub"
        self.dr_key.write_text(self.recovery.public.hex())
        self.recorded = []
        self.ask(forward(machine.port), lambda reply: self.recorded.append(copy.deepcopy(reply)) or reply)
        self.wipe()

    def ask(self, genuine, alter=None, *words):
        with HostileHost(genuine, alter) as host, through(self.c, host.port):
            self.c.genesis("--dr-key-path", self.dr_key, *words)

    def wipe(self):
        for path in self.c.genesis_dir.iterdir():
            path.unlink()


@pytest.fixture(scope="module")
def birth():
    from machine import Machine
    machine = Machine()
    try:
        yield Birth(machine)
    finally:
        machine.remove()


def output(change):
    def alter(reply):
        change(reply["bootGenesisResponse"]["genesis_output"])
        return reply
    return alter


def swap_shares(g):
    a, b = g["member_outputs"][:2]
    a["encryptedQuorumKeyShare"], b["encryptedQuorumKeyShare"] = (
        b["encryptedQuorumKeyShare"], a["encryptedQuorumKeyShare"])


def swap_hashes(g):
    a, b = g["member_outputs"][:2]
    a["shareHash"], b["shareHash"] = b["shareHash"], a["shareHash"]


def own_key(g):
    g["quorum_key"] = qos.Pair().public.hex()


def own_share(g):
    member = g["set"]["members"][0]
    g["member_outputs"][0]["encryptedQuorumKeyShare"] = qos.seal(
        bytes.fromhex(member["pubKey"]), b"\x01" + bytes(32)).hex()


def another_member(g):
    mallory = qos.member("member1", qos.Pair())
    g["set"]["members"][0] = mallory
    g["member_outputs"][0]["shareSetMember"] = mallory


def no_document(reply):
    del reply["bootGenesisResponse"]["nsm_response"]["attestation"]
    return reply


ECHO = "GenesisOutputDoesNotMatchRequest: "
# What the client can see without any document is seen also where attestation is skipped.
SEEN_WITHOUT_A_DOCUMENT = {
    "another member": (output(another_member), ECHO + "set: expected the members that were sent"),
    "another threshold": (output(lambda g: g["set"].update(threshold=3)), ECHO + "threshold: expected 2, got 3"),
    "one member less": (output(lambda g: (g["set"]["members"].pop(), g["member_outputs"].pop())), ECHO + "set"),
    "one share less": (output(lambda g: g["member_outputs"].pop()), ECHO + "member_outputs: expected 3, got 2"),
    "members in another order": (output(lambda g: g["set"]["members"].reverse()), ECHO + "set"),
    "shares in another order": (output(lambda g: g["member_outputs"].reverse()), ECHO + "member_outputs"),
    "one share twice": (output(lambda g: g["member_outputs"].__setitem__(1, g["member_outputs"][0])),
                        ECHO + "member_outputs"),
    "another recovery key": (output(lambda g: g.update(dr_key=qos.Pair().public.hex())), ECHO + "dr_key"),
    "no recovery key": (output(lambda g: g.pop("dr_key")), ECHO + "dr_key"),
    "no wrapped key": (output(lambda g: g.pop("dr_key_wrapped_quorum_key")),
                       ECHO + "expected a wrapped quorum key exactly when a DR key was sent"),
    "a quorum key that is none": (output(lambda g: g.update(quorum_key="00" * 130)), "genesis output: quorum key"),
    "another kind of reply": (lambda _: {"statusResponse": "GenesisBooted"}, "Unexpected response"),
    "an error": (lambda _: {"protocolErrorResponse": "InvalidMsg"}, "InvalidMsg"),
    "no reply": (lambda _: None, "transport error"),
    "an error of HTTP": (lambda _: (500, b"no\x1b[2J"), "status: 500"),
    "no JSON": (lambda _: b"\xff\xfe", "deserialization error"),
    "half a reply": (lambda r: json.dumps(r).encode()[:5000], "deserialization error"),
    "two replies": (lambda r: json.dumps(r).encode() * 2, "deserialization error"),
    "no document": (no_document, "deserialization error"),
    "an error of the NSM": (
        lambda r: r["bootGenesisResponse"].update(nsm_response={"error": "InvalidOperation"}) or r,
        "found the NSM's error InvalidOperation"),
}
NEEDS_THE_DOCUMENT = {
    "its own quorum key": (output(own_key), "DifferentUserData"),
    "its own share": (output(own_share), "DifferentUserData"),
    "shares swapped between members": (output(swap_shares), "DifferentUserData"),
    "hashes swapped between members": (output(swap_hashes), "DifferentUserData"),
    "another wrapped key": (output(lambda g: g.update(dr_key_wrapped_quorum_key="00" * 125)), "DifferentUserData"),
    "another key hash": (output(lambda g: g.update(quorum_key_hash="00" * 64)), "DifferentUserData"),
    "another test message": (output(lambda g: g.update(test_message="00")), "DifferentUserData"),
}
ALL = {**SEEN_WITHOUT_A_DOCUMENT, **NEEDS_THE_DOCUMENT}


@pytest.mark.parametrize("name", ALL)
def test_a_genesis_is_refused_when_the_host_answers_with(birth, name):
    b = birth
    alter, text = ALL[name]
    refused(b.c, lambda: b.ask(b.recorded[0], alter), text)
    if name in SEEN_WITHOUT_A_DOCUMENT:
        refused(b.c, lambda: b.ask(b.recorded[0], alter, "--unsafe-skip-attestation"), text)
    b.ask(b.recorded[0])
    assert b.c.quorum_key().exists()
    b.wipe()


def changed_request(change):
    """Another set than the client sent, genuinely born and attested."""
    def make(b):
        def ask(body):
            request = json.loads(body)
            change(b, request["bootGenesisRequest"])
            return forward(b.c.machine.port)(json.dumps(request).encode())
        return ask
    return make


@pytest.mark.parametrize("change, text", [
    (lambda b, r: r["set"]["members"].append(qos.member("member9", b.mallory)), ECHO + "set"),
    (lambda b, r: r["set"]["members"].__setitem__(0, qos.member("member1", b.mallory)), ECHO + "set"),
    (lambda b, r: r["set"].update(threshold="3"), ECHO + "threshold"),
    (lambda b, r: r.update(dr_key=b.mallory.public.hex()), ECHO + "dr_key"),
    (lambda b, r: r.pop("dr_key"), ECHO + "dr_key"),
], ids=["a member more", "a member's key", "the threshold", "the recovery key", "no recovery key"])
def test_a_genuine_genesis_is_refused_when_the_host_changed(birth, change, text):
    b = birth
    b.c.machine.restart()
    refused(b.c, lambda: b.ask(changed_request(change)(b)), text)
    b.c.machine.restart()
    b.ask(forward(b.c.machine.port))
    assert b.c.quorum_key().exists()
    b.wipe()


def test_an_earlier_genesis_of_the_same_members_is_refused_as_too_old(birth):
    """It is genuine and echoes the request, but its shares may be why there is a new one."""
    b = birth
    forge = Forge(b.c.machine.sim)

    def aged(minutes):
        def alter(reply):
            attestation = reply["bootGenesisResponse"]["nsm_response"]["attestation"]
            made_at = int((time.time() - 60 * minutes) * 1000)
            attestation["document"] = forge.changed(bytes.fromhex(attestation["document"]),
                                                    timestamp=made_at).hex()
            return reply
        return alter

    refused(b.c, lambda: b.ask(b.recorded[0], aged(7)),
            "expected one made for this request, found one that is 7 min old")
    b.ask(b.recorded[0], aged(3))
    assert b.c.quorum_key().exists()
    b.wipe()


def test_a_genesis_in_the_hosts_own_enclave_is_refused(birth, new_machine):
    b, own = birth, new_machine().start()
    refused(b.c, lambda: b.ask(forward(own.port)), "expected the trusted SIMULATED root, found another")
    own.restart()
    shutil.copytree(b.c.machine.sim, own.sim, dirs_exist_ok=True)
    own.role = "arn:aws:iam::999999999999:role/hosts-own"
    own.restart()
    refused(b.c, lambda: b.ask(forward(own.port)), "DifferentPcr3")


class Pair:
    """Two enclaves of one TEE that booted manifests 1 and 2 of one ceremony, and an older document of the first."""

    def __init__(self, ceremony, second):
        c = self.c = ceremony
        c.machine.restart()
        c.boot(c.pivot)
        self.old = self.live(c.machine)
        c.machine.restart()
        c.boot(c.pivot)
        c.fetch_attestation()
        self.first = self.live(c.machine)
        pivot = c.app.make(version=2)
        c.approved(pivot, nonce=2)
        second.start()
        with through(c, second.port):
            c.boot(pivot, nonce=2)
        self.second = self.live(second)

    @staticmethod
    def live(machine):
        return json.loads(forward(machine.port)(b'"liveAttestationDocRequest"'))


@pytest.fixture(scope="module")
def two(shared_ceremony):
    from machine import Machine
    second = Machine(role=shared_ceremony.machine.role)
    try:
        shutil.copytree(shared_ceremony.machine.sim, second.sim)
        yield Pair(shared_ceremony, second)
    finally:
        second.remove()


def live(reply):
    return reply["liveAttestationDocResponse"]


def mixed(document, envelope):
    reply = copy.deepcopy(envelope)
    live(reply)["nsm_response"] = live(document)["nsm_response"]
    return reply


def envelope(change):
    def make(two):
        reply = copy.deepcopy(two.first)
        change(live(reply)["manifest_envelope"])
        return reply
    return make


def first_key(e):
    e["manifest"]["shareSet"]["members"][0]["pubKey"] = qos.Pair().public.hex()


LIES = {
    "the document of another enclave": (lambda t: mixed(t.second, t.first), "DifferentUserData"),
    "the manifest of another enclave": (lambda t: mixed(t.first, t.second), "DifferentUserData"),
    "approvals dropped": (envelope(lambda e: e["manifestSetApprovals"].pop()), "NotEnoughApprovals"),
    "an approval repeated": (envelope(lambda e: e["manifestSetApprovals"].append(
        e["manifestSetApprovals"][0])), "DuplicateApproval"),
    "a lower nonce": (envelope(lambda e: e["manifest"]["namespace"].update(nonce="0")), "DifferentUserData"),
    "another namespace": (envelope(lambda e: e["manifest"]["namespace"].update(name="other")),
                          "DifferentUserData"),
    "another application": (envelope(lambda e: e["manifest"]["pivot"].update(hash="00" * 32)),
                            "DifferentUserData"),
    "another member's key": (envelope(first_key), "DifferentUserData"),
    "other measurements": (envelope(lambda e: e["manifest"]["enclave"].update(pcr0="11" * 48)),
                           "DifferentUserData"),
    "measurements of debug mode": (envelope(lambda e: e["manifest"]["enclave"].update(
        pcr0="00" * 48, pcr1="00" * 48, pcr2="00" * 48)), "found zeros"),
    "another root": (envelope(lambda e: e["manifest"]["enclave"].update(awsRootCertificate="00")),
                     "attestation root"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_member_gives_no_share_when_the_host_shows(two, name):
    c = two.c
    lie, text = LIES[name]
    with HostileHost(lie(two)) as host, through(c, host.port):
        c.fetch_attestation()
    refused(c, lambda: c.reencrypt("member1"), text, c.machine.state)
    c.fetch_attestation()
    c.reencrypt("member1")
    assert "*not*" in c.post("member1")


def test_an_older_document_of_the_same_manifest_costs_time_but_no_secret(two):
    """No document says that it is the newest, but each names a key that only an enclave with the approved manifest
    has: a share for an older enclave is lost on the way, and nobody can read it."""
    c = two.c
    with HostileHost(two.old) as host, through(c, host.port):
        c.fetch_attestation()
    c.reencrypt("member1")
    refused(c, lambda: c.post("member1"), "not wrapped for this boot of the enclave: fetch its attestation "
            "document and wrap the share again: enclave: DecryptionFailed", c.machine.state)
    c.fetch_attestation()
    c.reencrypt("member1")
    c.post("member1")


NO_DOCUMENT = {
    "nothing": (lambda r: None, "transport error"),
    "another message": (lambda r: {"statusResponse": "WaitingForQuorumShards"}, "Unexpected response"),
    "no manifest": (lambda r: live(r).pop("manifest_envelope") and r, "ManifestEnvelope does not exist in enclave"),
    "no enclave": (lambda r: (500, b'{"protocolErrorResponse":"EnclaveClient"}'), "status: 500"),
    "half a reply": (lambda r: json.dumps(r).encode()[:-9], "deserialization error"),
    "an endless number": (lambda r: b'{"liveAttestationDocResponse":' + b"9" * 70000 + b"}", "deserialization error"),
    "a deep reply": (lambda r: b"[" * 100000, "deserialization error"),
}


@pytest.mark.parametrize("name", NO_DOCUMENT)
def test_nothing_is_kept_when_the_host_answers_with(two, name):
    c = two.c
    alter, text = NO_DOCUMENT[name]
    with HostileHost(two.first, alter) as host, through(c, host.port):
        refused(c, c.fetch_attestation, text, c.machine.state)
    c.fetch_attestation()


@pytest.mark.parametrize("reply, text", [
    (lambda r: None, "transport error"),
    (lambda r: (502, b"<html>"), "status: 502"),
    (lambda r: {"protocolErrorResponse": {"QosCrypto": "\u001b[2J\u202egarbage"}}, "\\u{1b}[2J\\u{202e}garbage"),
    (lambda r: {"statusResponse": "QuorumKeyProvisioned"}, "Unexpected response"),
    (lambda r: {"provisionResponse": {"reconstructed": "yes"}}, "deserialization error"),
], ids=["nothing", "an error of HTTP", "an error that steers the terminal", "another message", "no boolean"])
def test_a_posted_share_answered_badly_is_no_success_and_can_be_posted_again(two, reply, text):
    c = two.c
    c.fetch_attestation()
    c.reencrypt("member1")
    with HostileHost(forward(c.machine.port), reply) as host, through(c, host.port):
        refused(c, lambda: c.post("member1"), text, c.folder / "nothing")
    assert "*not*" in c.post("member1")


def test_messages_that_a_host_repeats_drops_and_reorders_still_make_one_key(two):
    c = two.c
    c.machine.restart()
    c.boot(c.pivot)
    c.fetch_attestation()
    ask, sent = forward(c.machine.port), []
    c.reencrypt("member1")
    c.reencrypt("member3")
    with HostileHost(lambda body: sent.append(body) or None) as host, through(c, host.port):
        for member in ("member1", "member3"):  # dropped
            refused(c, lambda m=member: c.post(m), "transport error", c.machine.state)
    for _ in range(3):  # late, and again and again
        assert json.loads(ask(sent[1])) == {"provisionResponse": {"reconstructed": False}}
    assert json.loads(ask(sent[0])) == {"provisionResponse": {"reconstructed": True}}
    refused(c, lambda: c.post("member1"), "the quorum key is there already", c.machine.state)
    assert c.machine.info()["manifestEnvelope"]["manifest"]["namespace"]["name"] == NAMESPACE
    c.app.wait_healthy()
