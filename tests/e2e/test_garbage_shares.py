"""The attack of the design: somebody who only reaches the host posts garbage sealed to the setup key under copied
public approvals, and replays what members sent to other boots. Members with our client need only their commands."""
import json
import os
import random

import cbor2
import pytest

import qos_model as qos
from machine import request
from raw_enclave import SLEEPER, Ceremony

NOT_YET = "The quorum key has *not* been reconstructed.\n"
DONE = "The quorum key has been reconstructed.\n"


class Peer:
    """Knows only what the host tells everybody, and what it saw members send earlier."""

    def __init__(self, port, seed=1):
        self.port, self.random = port, random.Random(seed)
        self.seen = []

    def send(self, message):
        status, body = request(self.port, "POST", "/qos/message", json.dumps(message).encode())
        assert status == 200, body
        return json.loads(body)

    def look(self):
        """(setup key, {alias: an approval in that member's name}) as anybody may read them."""
        live = self.send("liveAttestationDocRequest")["liveAttestationDocResponse"]
        document = bytes.fromhex(live["nsm_response"]["attestation"]["document"])
        envelope = live["manifest_envelope"]
        copied = envelope["manifestSetApprovals"] + envelope["shareSetApprovals"]
        key = cbor2.loads(cbor2.loads(document)[2])["public_key"]
        return key, {a["member"]["alias"]: a for a in copied}

    def remember(self, ceremony, member):
        """What a member sent to an enclave: share, approval and binding."""
        wrapped = ceremony.wrapped(member)
        self.seen.append({"share": wrapped.read_bytes().hex(),
                          "approval": json.loads(ceremony.share_approval(member).read_text()),
                          "binding": wrapped.with_name(wrapped.name + ".binding").read_text()})

    def garbage(self):
        setup, approvals = self.look()
        for approved in approvals.values():
            for x in self.random.sample(range(1, 12), 4):
                share = bytes([x]) + os.urandom(32)
                self.send({"provisionRequest": {"share": qos.seal(setup, share).hex(),
                                                "approval": approved}})

    def replay(self):
        """Everything ever seen, with its binding, without it, and under every other member's name."""
        approvals = self.look()[1]
        for seen in self.seen:
            self.send({"quorateBoundProvisionRequest": seen})
            for approved in approvals.values():
                self.send({"provisionRequest": {"share": seen["share"], "approval": approved}})
                self.send({"quorateBoundProvisionRequest": {**seen, "approval": approved}})

    def attack(self):
        self.garbage()
        self.replay()
        self.garbage()


def booted_again(ceremony):
    ceremony.machine.restart()
    ceremony.boot(ceremony.pivot)
    ceremony.fetch_attestation()


def provisioned_under_attack(ceremony, peer, members, when):
    """Every command of every member ends with 0; peer attacks when told to. What post-share said."""
    said = []
    if "before" in when:
        peer.attack()
    for member in members:
        ceremony.reencrypt(member)
        if "between" in when:
            peer.attack()
        said.append(ceremony.post(member))
        if "between" in when and member != members[-1]:
            peer.attack()
    assert said == [NOT_YET] * (len(members) - 1) + [DONE]
    return said


@pytest.fixture(scope="module")
def watched(shared_ceremony):
    """A ceremony whose members' messages to an earlier boot the peer has seen, and its peer."""
    ceremony = shared_ceremony
    peer = Peer(ceremony.machine.port)
    booted_again(ceremony)
    for member in ceremony.members:
        ceremony.reencrypt(member)
        peer.remember(ceremony, member)
    return ceremony, peer


@pytest.mark.parametrize("when", [["before"], ["between"], ["before", "between"]], ids="+".join)
@pytest.mark.parametrize("pair", [(0, 1), (2, 0)], ids=lambda p: f"members {p[0] + 1} and {p[1] + 1}")
def test_honest_members_complete_the_key_through_garbage_and_replays(watched, when, pair):
    ceremony, peer = watched
    booted_again(ceremony)
    before = len(ceremony.machine.core.err())
    provisioned_under_attack(ceremony, peer, [ceremony.members[i] for i in pair], when)
    assert ceremony.machine.phase() == "QuorumKeyProvisioned"
    log = ceremony.machine.core.err()[before:]
    assert "another key than the manifest's; dropped the unsigned shares posted as member" in log
    peer.attack()
    assert ceremony.machine.phase() == "QuorumKeyProvisioned"
    ceremony.app.wait_healthy()
    assert bytes.fromhex(ceremony.app.echo("after the attack")["public_key_hex"]) == ceremony.public()


def test_the_peer_may_also_repeat_what_members_send_to_this_very_enclave(watched):
    ceremony, peer = watched
    booted_again(ceremony)
    here = Peer(ceremony.machine.port, seed=2)
    first, second = ceremony.members[:2]
    ceremony.reencrypt(first)
    ceremony.reencrypt(second)
    assert ceremony.post(first) == NOT_YET
    here.remember(ceremony, first)
    for _ in range(3):
        here.attack()
    state = here.send("quorateStateRequest")["quorateStateResponse"]
    assert state["phase"] == "WaitingForQuorumShards" and state["shares_held"] == "1"
    assert ceremony.post(second) == DONE


def test_three_of_five_complete_the_key_through_garbage(new_ceremony):
    ceremony = new_ceremony(members=5, threshold=3)
    ceremony.born()
    ceremony.pivot = ceremony.app.make()
    ceremony.approved(ceremony.pivot)
    booted_again(ceremony)
    provisioned_under_attack(ceremony, Peer(ceremony.machine.port, seed=3),
                             [ceremony.members[i] for i in (4, 0, 2)], ["before", "between"])


def test_a_member_who_signs_garbage_is_named_and_a_manifest_without_them_is_the_remedy(enclave):
    """The enclave cannot know whose share is wrong, but what is signed has an author, and shares stay good."""
    enclave.start()
    c = Ceremony(SLEEPER)
    setup = c.boot(enclave)
    assert c.post_bound(enclave, "carol", setup, bytes([9]) + os.urandom(32)) == {
        "provisionResponse": {"reconstructed": False}}
    assert c.post_bound(enclave, "alice", setup) == {
        "protocolErrorResponse": "ReconstructionErrorIncorrectPubKey"}
    assert "shares of carol, alice: expected the manifest's quorum key" in enclave.log.read_text()
    assert enclave.end() == 0
    enclave.start()
    c.manifest["shareSet"] = {"threshold": 2, "members": c.manifest["shareSet"]["members"][:2]}
    setup = c.boot(enclave)
    assert c.post_bound(enclave, "carol", setup) == {"protocolErrorResponse": "NotShareSetMember"}
    assert c.post_bound(enclave, "alice", setup) == {"provisionResponse": {"reconstructed": False}}
    assert c.post_bound(enclave, "bob", setup) == {"provisionResponse": {"reconstructed": True}}


def test_what_members_sent_to_another_boot_of_the_same_manifest_is_refused(watched):
    ceremony, peer = watched
    booted_again(ceremony)
    for seen in peer.seen:
        before = peer.look()[1].keys()
        assert peer.send({"quorateBoundProvisionRequest": seen}) == {
            "protocolErrorResponse": "DecryptionFailed"}
        assert peer.send({"provisionRequest": {k: seen[k] for k in ("share", "approval")}}) == {
            "protocolErrorResponse": "DecryptionFailed"}
        assert peer.look()[1].keys() == before
    provisioned_under_attack(ceremony, peer, ceremony.members[:2], [])
