"""Resharing through the real programs: what members and operators get, checked with the independent model."""
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

import qos_model as qos
from ceremony import Ceremony, Refused
from hostile_host import HostileHost, forward, through
from machine import BIN, ROOT, request
from resharing import (Resharing, approval_message, binding_message, canonical, handover_message, output_hash,
                       plan_hash)
from sim_documents import Forge, payload_of
from test_memory import Memory, forms, needs_to_read_memory
from traced import needs_strace


@pytest.fixture(scope="module")
def born():
    """A 2-of-3 quorum key, made once."""
    ceremony = Ceremony()
    try:
        yield ceremony.born()
    finally:
        ceremony.machine.remove()


@pytest.fixture(scope="module")
def approved(born):
    """Its resharing to 3 of 5, planned and approved."""
    return Resharing(born).planned()


@pytest.fixture(scope="module")
def made(born):
    """A resharing that was gone through to its end."""
    return Resharing(born, epoch=1, members=4, threshold=2, name="made").done()


@pytest.fixture
def waiting(approved, folder):
    """A copy of the approved one's files, in a fresh enclave that waits for old shares."""
    twin = approved.copy(folder / "waiting")
    twin.c.machine.restart()
    twin.boot()
    return twin


@pytest.fixture
def copy(made, folder):
    """A copy of the finished one's files, to be spoiled."""
    return made.copy(folder / "copy")


def refused(call, *words):
    with pytest.raises(Refused) as raised:
        call()
    for word in words:
        assert word in str(raised.value), str(raised.value)
    return str(raised.value)


def send(resharing, message):
    status, body = request(resharing.c.machine.port, "POST", "/qos/message", json.dumps(message).encode())
    assert status == 200, body
    return json.loads(body)


def error_of(reply):
    error = reply["protocolErrorResponse"]
    return error if isinstance(error, str) else next(iter(error))


def document(resharing):
    return payload_of((resharing.dir / "reshare_attestation_doc").read_bytes())


# --- what it is for ----------------------------------------------------------------------------------------------

def test_two_of_three_become_three_of_five_of_the_same_key_and_the_new_shares_start_the_application(new_ceremony):
    c = new_ceremony().born()
    r = Resharing(c).booted()
    assert c.machine.phase() == "WaitingForQuorumShards"
    said = r.given()
    assert "*not* been made" in said[0] and "have been made" in said[1]
    assert c.machine.phase() == "GenesisBooted"
    r.fetch()
    for member in r.members:
        assert "epoch 1" in r.take(member)
    assert r.public() == c.public()
    # No key file, no application.
    assert not c.machine.state.exists() or list(c.machine.state.iterdir()) == []
    assert c.machine.children() == []
    c.machine.restart()
    pivot = c.app.make()
    c.set_words = lambda patch=True: ["--manifest-set-dir", c.set_dir, "--share-set-dir", r.set_dir, "--patch-set-dir",
                                      c.set_dir, "--quorum-key-path", r.dir / "quorum_key.pub"]
    c.approved(pivot)
    c.boot(pivot)
    c.share = r.share
    c.provision(r.members[2:])
    assert bytes.fromhex(c.app.echo("after resharing")["public_key_hex"]) == c.public()


def test_old_shares_still_make_the_same_key_new_ones_do_too_and_a_mixture_does_not(made):
    c = made.c
    assert qos.Pair(qos.combine(made.opened(made.members[1:3]))).public == c.public()
    assert qos.Pair(qos.combine(made.opened(c.members[:2], made.old))).public == c.public()
    mixed = made.opened(made.members[:1]) + made.opened(c.members[1:2], made.old)
    assert qos.Pair(qos.combine(mixed)).public != c.public()


def test_every_step_says_that_old_shares_keep_their_power(approved):
    warning = "any 2 of the 3 shares of epoch 0 still rebuild the same quorum key"
    assert warning in approved.approve(approved.c.members[0])
    assert "keep their power until they are destroyed: any 2 of those 3" in approved.approve(approved.c.members[0])


def test_the_output_and_its_document_hold_by_the_independent_model(made):
    output, plan = made.output_file(), made.plan_file()
    claims = payload_of((made.dir / "reshare_output_attestation_doc").read_bytes())
    assert output["plan"] == plan
    assert claims["user_data"] == output_hash(output)
    assert claims["pcrs"][16] == qos.commitment_register(
        "qos-setup-manifest-pcr-commitment-v1", claims["public_key"], plan_hash(plan))
    for role, approvals in (("manifest", "manifestApprovals"), ("share", "shareApprovals")):
        assert len(output[approvals]) == 2
        for a in output[approvals]:
            assert qos.verify(bytes.fromhex(a["member"]["pubKey"]), approval_message(role, plan),
                              bytes.fromhex(a["signature"]))
    assert "handover" not in output
    shares = output["shares"]
    assert qos.verify(made.public(), b"qos-test-message", bytes.fromhex(shares["test_message_signature"]))
    for given, share in zip(shares["member_outputs"], made.opened(made.members)):
        assert hashlib.sha512(share).hexdigest() == given["shareHash"]


def test_a_chain_of_two_resharings_is_verified_and_share_check_tells_the_epochs_apart(made):
    c = made.c
    second = Resharing(c, epoch=2, members=3, threshold=3, previous=made.dir, old=made.shares(), name="second").done()
    history = ("--namespace-dir", c.genesis_dir, "--reshare-dir", second.dir, "--reshare-dir", made.dir)
    said = c.client("reshare", "verify", *history)
    assert "epoch 2 is the last one here" in said and said.count("same quorum key") == 2
    check = ("share", "check", *history)
    new, middle, old = second.members[0], made.members[0], c.members[0]
    assert "of epoch 2, current" in c.client(*check, *second.key(new), "--share-path", second.share(new))
    refused(lambda: c.client(*check, *second.key(middle), "--share-path", made.share(middle)),
            "share of epoch 1, superseded by epoch 2 on 20")
    refused(lambda: c.client(*check, *second.key(old), "--share-path", c.share(old)),
            "share of epoch 0, superseded by epoch 1 on 20")
    assert "3 passed, 0 failed" in c.client(*check, "--all", second.dir)
    assert qos.Pair(qos.combine(second.opened(second.members))).public == c.public()
    # A history with a hole, or of another key, is none.
    refused(lambda: c.client("reshare", "verify", "--namespace-dir", c.genesis_dir, "--reshare-dir", second.dir),
            "epoch: expected 1, found 2")
    assert "of the genesis" in c.client("share", "check", "--namespace-dir", c.genesis_dir, *second.key(old),
                                        "--share-path", c.share(old))


def test_a_new_key_is_handed_over_by_both_keys(born):
    r = Resharing(born, members=3, threshold=2, name="newkey").done("--new-key")
    output, plan = r.output_file(), r.plan_file()
    assert r.public() != born.public()
    assert qos.Pair(qos.combine(r.opened(r.members[:2]))).public == r.public()
    message = handover_message(plan, r.public())
    assert qos.verify(born.public(), message, bytes.fromhex(output["handover"]["byOldKey"]))
    assert qos.verify(r.public(), message, bytes.fromhex(output["handover"]["byNewKey"]))
    assert "NEW quorum key, hand-over signed by both" in born.client(
        "reshare", "verify", "--namespace-dir", born.genesis_dir, "--reshare-dir", r.dir)
    assert "OLD quorum key" in r.approve(born.members[0])


def test_a_hand_over_that_thieves_of_enough_old_members_made_is_told_from_ours(born, made):
    """They have secrets and shares of the old set, and a manifest set of their own; the enclave is genuine."""
    r, genesis = Resharing(born, members=2, threshold=2, name="thieves"), ("--namespace-dir", born.genesis_dir)
    r.parts = lambda: (*born.pcr_words(), "--manifest-set-dir", r.set_dir)
    r.keys().plan("--new-key")
    for member in r.members:
        r.approve(member)
    born.machine.restart()
    r.boot()
    r.given()
    r.fetch()
    ours = (*born.pcr_words(), "--manifest-set-dir", born.set_dir)
    verify = ("reshare", "verify", *genesis, "--reshare-dir")
    said = born.client(*verify, r.dir)
    assert "NEW quorum key" in said and "nothing says that the right people approved" in said
    refused(lambda: born.client(*verify, r.dir, *ours), "Manifest Set composition does not match")
    said = born.client(*verify, made.dir, *ours)
    assert "epoch 1 is the last one here" in said and "right people" not in said
    refused(lambda: born.client(*verify, made.dir, "--manifest-set-dir", born.set_dir), "qos-release-dir is required")


def test_a_recovery_key_gets_the_whole_key_and_that_is_said(born, folder):
    recovery = qos.Pair()
    (folder / "dr.pub").write_text(recovery.public.hex())
    r = Resharing(born, members=2, threshold=2, name="recovery")
    r.keys().plan("--dr-key-path", folder / "dr.pub")
    assert "DISASTER RECOVERY KEY" in r.approve(born.members[0])
    r.approve(born.members[1])
    born.machine.restart()
    r.boot()
    r.given()
    r.fetch()
    assert qos.Pair(recovery.open((r.dir / "dr_wrapped_quorum_key").read_bytes())).public == born.public()


def test_who_is_asked_nothing_compares_the_recovery_key_and_the_new_members_instead(born, folder):
    (folder / "dr.pub").write_text(qos.Pair().public.hex())
    (folder / "other.pub").write_text(qos.Pair().public.hex())
    mine, other, unasked = ("--dr-key-path", folder / "dr.pub"), ("--dr-key-path", folder / "other.pub"), \
        "--unsafe-auto-confirm"
    r = Resharing(born, members=2, threshold=2, name="unasked")
    r.keys().plan(*mine)
    alice, bob = born.members[:2]
    refused(lambda: r.approve(alice, unasked), "--unsafe-auto-confirm: expected --dr-key-path")
    for more in ((), (unasked,)):
        refused(lambda: r.approve(alice, *more, *other), "disaster recovery key: expected that of --dr-key-path")
    assert not (r.dir / f"{alice}.reshare_approval").exists()
    r.approve(alice, unasked, *mine)
    r.approve(bob, *mine)
    born.machine.restart()
    r.boot()
    refused(lambda: r.wrap(alice, unasked), "--unsafe-auto-confirm: expected --dr-key-path")
    refused(lambda: r.wrap(alice, *other), "disaster recovery key: expected that of --dr-key-path")
    blind = ("reshare", "wrap-share", *r.words(), *r.key(alice), "--previous-dir", r.previous, *r.parts(),
             "--share-path", r.old[alice], unasked, *mine)
    refused(lambda: born.client(*blind), "--unsafe-auto-confirm: expected --share-set-dir")
    assert not (r.dir / f"{alice}.reshare_share").exists()
    r.wrap(alice, unasked, *mine)
    without = Resharing(born, members=2, threshold=2, name="without").keys()
    without.plan()
    refused(lambda: without.approve(alice, *mine), "disaster recovery key: expected that of --dr-key-path, found none")


# --- who must agree ----------------------------------------------------------------------------------------------

def test_one_approval_short_boots_nothing(approved, folder):
    short = approved.copy(folder / "short")
    (short.dir / f"{approved.c.members[0]}.reshare_approval").unlink()
    approved.c.machine.restart()
    refused(short.boot, "NotEnoughApprovals")
    approval = json.loads((short.dir / f"{approved.c.members[1]}.reshare_approval").read_bytes())
    boot = {"plan": short.plan_file(), "approvals": [approval]}
    assert error_of(send(short, {"quorateReshareBootRequest": boot})) == "NotEnoughApprovals"
    boot["approvals"] = [approval, approval]
    assert error_of(send(short, {"quorateReshareBootRequest": boot})) == "DuplicateApproval"
    assert short.c.machine.phase() == "WaitingForBootInstruction"


def test_approvals_of_the_other_role_another_plan_or_a_stranger_boot_nothing(approved):
    c, plan = approved.c, approved.plan_file()
    later = {**plan, "epoch": "2"}
    c.machine.restart()
    pairs = {m: approved.pair(m) for m in c.members}

    def by(message, member=c.members[0], pair=None):
        return {"signature": (pair or pairs[member]).sign(message).hex(),
                "member": qos.member(member, pair or pairs[member])}

    good = by(approval_message("manifest", plan), c.members[1])
    stranger = qos.Pair()
    for bad, error in ((by(approval_message("share", plan)), "CouldNotVerifyApproval"),
                       (by(approval_message("manifest", later)), "CouldNotVerifyApproval"),
                       (by(plan_hash(plan)), "CouldNotVerifyApproval"),
                       (by(approval_message("manifest", plan), "mallory", stranger), "NotManifestSetMember"),
                       (by(approval_message("manifest", plan), c.members[0], stranger), "NotManifestSetMember")):
        boot = {"plan": plan, "approvals": [good, bad]}
        assert error_of(send(approved, {"quorateReshareBootRequest": boot})) == error
    for part, value in (("epoch", "0"), ("namespace", ""), ("format", "other"), ("oldShareHashes", []),
                        ("newShareSet", {**plan["newShareSet"], "threshold": "1"}),
                        ("newShareSet", {**plan["newShareSet"], "threshold": "6"}),
                        ("manifestSet", {**plan["manifestSet"], "threshold": "0"}),
                        ("quorumKey", "04" * 130), ("drKey", "00")):
        spoiled = {**plan, part: value}
        boot = {"plan": spoiled, "approvals": [by(approval_message("manifest", spoiled), m) for m in c.members[:2]]}
        assert "protocolErrorResponse" in send(approved, {"quorateReshareBootRequest": boot})
    assert c.machine.phase() == "WaitingForBootInstruction"
    assert c.machine.folder.exists() and approved.boot()


def test_one_old_share_short_makes_nothing_and_one_member_counts_once(waiting):
    first = waiting.c.members[0]
    waiting.wrap(first)
    for _ in range(3):
        assert "*not* been made" in waiting.post(first)
    refused(waiting.fetch, "NoMatchingRoute(WaitingForQuorumShards)")
    assert not (waiting.dir / "reshare_output").exists()


class Sender:
    """Makes share requests as it likes, knowing some member's secret."""

    def __init__(self, resharing):
        self.r, self.plan = resharing, resharing.plan_file()
        self.setup = document(resharing)["public_key"]

    def request(self, member, share, pair=None, role="share", setup=None, plan=None, binder=None):
        pair = pair or self.r.pair(member)
        sealed = qos.seal(setup or self.setup, share)
        bound = binding_message(plan or self.plan, self.setup, sealed)
        return {"quorateReshareShareRequest": {
            "share": sealed.hex(), "binding": (binder or pair).sign(bound).hex(),
            "approval": {"signature": pair.sign(approval_message(role, plan or self.plan)).hex(),
                         "member": qos.member(member, pair)}}}

    def error(self, *words, **more):
        return error_of(send(self.r, self.request(*words, **more)))


def test_garbage_wrong_roles_and_other_epochs_are_refused_by_name_and_do_not_stop_the_ceremony(waiting, made):
    c = waiting.c
    sender = Sender(waiting)
    alice, bob = c.members[:2]
    right, other = waiting.opened([alice, bob], waiting.old)
    new = made.opened(made.members[:1])[0]
    stranger = qos.Pair()

    def attack():
        assert sender.error(alice, b"\x01" + os.urandom(32)) == "InvalidShare"
        assert sender.error(alice, right[:-1]) == "InvalidShare"
        assert sender.error(alice, b"\x00" + right[1:]) == "InvalidShare"
        assert sender.error(alice, other) == "InvalidShare"  # bob's
        assert sender.error(alice, new) == "InvalidShare"  # of a later epoch
        assert sender.error(alice, right, role="manifest") == "CouldNotVerifyApproval"
        assert sender.error(alice, right, plan={**sender.plan, "epoch": "2"}) == "CouldNotVerifyApproval"
        assert sender.error(alice, right, binder=stranger) == "CouldNotVerifyApproval"
        assert sender.error(alice, right, pair=stranger) == "NotShareSetMember"
        assert sender.error(waiting.members[0], right) == "NotShareSetMember"
        assert sender.error(alice, right, setup=stranger.public) == "DecryptionFailed"

    attack()
    for member in (alice, bob):
        waiting.wrap(member)
        attack()
        said = waiting.post(member)
        if member == alice:
            attack()
    assert "have been made" in said
    waiting.fetch()


def test_what_was_sent_to_an_earlier_boot_is_refused(waiting):
    alice = waiting.c.members[0]
    waiting.wrap(alice)
    waiting.c.machine.restart()
    waiting.boot()
    refused(lambda: waiting.post(alice), "DecryptionFailed", "wrap the share again")


def test_members_refuse_a_share_of_another_epoch_before_it_leaves_them(waiting, made, folder):
    c, alice = waiting.c, waiting.c.members[0]
    # A share of another member's, re-encrypted to alice, opens but is not the one of the plan.
    other = folder / "other.share"
    other.write_bytes(qos.seal(waiting.pair(alice).public, made.opened(made.members[:1])[0]))
    refused(lambda: waiting.wrap(alice, share=other), "expected the share of the epoch before")
    refused(lambda: waiting.wrap(waiting.members[0], share=c.share(alice)), "NotShareSetMember")
    refused(lambda: waiting.wrap(alice, answers="n\n" * 9), "not confirmed")
    refused(lambda: waiting.approve(alice, answers=""), "not confirmed")


def test_a_plan_that_does_not_follow_or_differs_from_the_members_files_is_not_approved(born, approved, made, folder):
    alice = born.members[0]
    twin = approved.copy(folder / "twin")
    twin.previous = made.dir
    refused(lambda: twin.approve(alice), "epoch: expected 2, found 1")
    twin.previous, twin.set_dir = born.genesis_dir, made.set_dir
    refused(lambda: twin.approve(alice), "Share Set composition does not match")
    twin.set_dir = approved.set_dir
    plan = twin.plan_file()
    for part, value, word in (("previous", "00" * 32, "hash of the output before"),
                              ("oldShareHashes", plan["oldShareHashes"][::-1], "hashes of the old shares"),
                              ("quorumKey", made.pair(alice).public.hex(), "quorum key"),
                              ("manifestSet", plan["newShareSet"], "Manifest Set composition"),
                              ("enclave", {**plan["enclave"], "pcr0": "11" * 48}, "PCR0"),
                              ("enclave", {**plan["enclave"], "pcr3": "11" * 48}, "role")):
        (twin.dir / "reshare_plan").write_bytes(canonical({**plan, part: value}))
        refused(lambda: twin.approve(alice), word)
    for text, word in ((b"", ""), (b"{}", "reshare plan"), (canonical(plan) + b"\n", "canonical"),
                       (canonical({**plan, "more": "1"}), "reshare plan")):
        (twin.dir / "reshare_plan").write_bytes(text)
        refused(lambda: twin.approve(alice), word)
    refused(lambda: approved.plan("--new-key"), "exists already")


# --- whom to trust -----------------------------------------------------------------------------------------------

def test_another_binary_is_refused_by_the_operator_and_by_members(approved, folder):
    c, good = approved.c, approved.c.machine.core_program
    other = folder / "qos_core"
    other.write_bytes(good.read_bytes() + b"\0")
    other.chmod(0o755)
    c.machine.core_program = other
    twin = approved.copy(folder / "twin")
    try:
        c.machine.restart()
        refused(twin.boot, "DifferentPcr0")
        reply = send(twin, "quorateReshareAttestationRequest")["quorateReshareAttestationResponse"]
        (twin.dir / "reshare_attestation_doc").write_bytes(
            bytes.fromhex(reply["nsm_response"]["attestation"]["document"]))
        refused(lambda: twin.wrap(c.members[0]), "DifferentPcr0")
    finally:
        c.machine.core_program = good


def test_a_document_of_another_plan_key_or_boot_is_refused(waiting):
    c, alice = waiting.c, waiting.c.members[0]
    path = waiting.dir / "reshare_attestation_doc"
    genuine, forge = path.read_bytes(), Forge(c.machine.sim)
    for changed, word in (({"user_data": bytes(32)}, "DifferentUserData"),
                          ({"public_key": qos.Pair().public}, "DifferentPcr"),
                          ({"registers": {16: bytes(48)}}, "DifferentPcr"),
                          ({"registers": {0: bytes(48)}}, "DifferentPcr0"),
                          ({"nonce": b"x"}, "UnexpectedNonce")):
        path.write_bytes(forge.changed(genuine, **changed))
        refused(lambda: waiting.wrap(alice), word)
    spoiled = bytearray(genuine)
    spoiled[len(spoiled) // 2] ^= 1
    for bad in (bytes(spoiled), genuine[:-1], b"", (c.genesis_dir / "genesis_attestation_doc").read_bytes()):
        path.write_bytes(bad)
        refused(lambda: waiting.wrap(alice))
    assert not (waiting.dir / f"{alice}.reshare_share").exists()


def test_a_tampered_output_or_document_is_refused_by_every_new_member(copy):
    member = copy.members[0]
    output, text = copy.output_file(), (copy.dir / "reshare_output").read_bytes()
    document = (copy.dir / "reshare_output_attestation_doc").read_bytes()
    shares = output["shares"]
    swapped = [*shares["member_outputs"][1:], shares["member_outputs"][0]]
    for spoiled in ({**output, "shares": {**shares, "member_outputs": swapped}},
                    {**output, "shares": {**shares, "quorum_key": qos.Pair().public.hex()}},
                    {**output, "manifestApprovals": output["manifestApprovals"][:1]},
                    {**output, "shareApprovals": output["manifestApprovals"]},
                    {**output, "handover": {"byOldKey": "00", "byNewKey": "00"}},
                    {**output, "plan": {**output["plan"], "newKey": True}},
                    {**output, "plan": {**output["plan"], "epoch": "2"}}):
        (copy.dir / "reshare_output").write_bytes(canonical(spoiled))
        refused(lambda: copy.take(member, "--force"))
    # What only the document can tell.
    resealed = [{**o, "encryptedQuorumKeyShare": qos.seal(bytes.fromhex(o["shareSetMember"]["pubKey"]), b"x").hex()}
                for o in shares["member_outputs"]]
    (copy.dir / "reshare_output").write_bytes(canonical({**output, "shares": {**shares, "member_outputs": resealed}}))
    refused(lambda: copy.take(member, "--force"), "DifferentUserData")
    (copy.dir / "reshare_output").write_bytes(text)
    forge = Forge(copy.c.machine.sim)
    for bad, word in ((forge.changed(document, registers={16: bytes(48)}), "DifferentPcr"),
                      (forge.changed(document, registers={2: bytes(48)}), "DifferentPcr2"),
                      ((copy.dir / "reshare_attestation_doc").read_bytes(), "DifferentUserData"),
                      (document[:-1], "")):
        (copy.dir / "reshare_output_attestation_doc").write_bytes(bad)
        refused(lambda: copy.take(member, "--force"), word)
    (copy.dir / "reshare_output_attestation_doc").write_bytes(document)
    assert "epoch 1" in copy.take(member)


def finished(resharing):
    """The resharing's enclave, with its shares made."""
    resharing.c.machine.restart()
    resharing.boot()
    resharing.given()
    for name in ("reshare_output", "reshare_output_attestation_doc", "quorum_key.pub"):
        (resharing.dir / name).unlink(missing_ok=True)
    return resharing


def test_a_lost_reply_loses_nothing_and_every_command_can_be_run_again(approved, folder):
    r = approved.copy(folder / "again")
    r.c.machine.restart()
    with HostileHost(forward(r.c.machine.port), lambda reply: None) as host, through(r.c, host.port):
        refused(r.boot)
    assert r.c.machine.phase() == "WaitingForQuorumShards"
    r.boot()
    r.attestation()
    first, last = r.givers()
    for _ in range(2):
        r.wrap(first)
        r.post(first)
    r.wrap(last)
    with HostileHost(forward(r.c.machine.port), lambda reply: None) as host, through(r.c, host.port):
        refused(lambda: r.post(last))
    refused(lambda: r.post(last), "made already")
    with HostileHost(forward(r.c.machine.port), lambda reply: None) as host, through(r.c, host.port):
        refused(r.fetch)
    r.fetch()
    before = (r.dir / "reshare_output").read_bytes()
    assert "is there already" in r.fetch()
    assert (r.dir / "reshare_output").read_bytes() == before
    r.take(r.members[0])
    assert "is there already" in r.take(r.members[0])


def test_a_host_that_swaps_or_keeps_answers_is_refused(approved, made, folder):
    r = finished(approved.copy(folder / "swap"))
    port = r.c.machine.port
    old = {"quorateReshareOutputResponse": {
        "nsm_response": {"attestation": {"document": (made.dir / "reshare_output_attestation_doc").read_bytes().hex()}},
        "output": made.output_file()}}
    forge = Forge(r.c.machine.sim)

    def edit(change):
        def alter(reply):
            body = reply["quorateReshareOutputResponse"]
            change(body)
            return reply
        return alter

    def stale(body):
        nsm = body["nsm_response"]["attestation"]
        raw = bytes.fromhex(nsm["document"])
        nsm["document"] = forge.changed(raw, timestamp=payload_of(raw)["timestamp"] - 400_000).hex()

    def approvals(body):
        body["output"]["manifestApprovals"] = made.output_file()["manifestApprovals"]

    for alter, word in ((lambda reply: old, "of this plan"), (edit(stale), "min old"),
                        (edit(approvals), "CouldNotVerifyApproval"),
                        (edit(lambda b: b["output"]["plan"].update(epoch="7")), ""),
                        (edit(lambda b: b.update(output=made.output_file())), "of this plan"),
                        (edit(lambda b: b["output"]["shares"]["member_outputs"].pop()), "")):
        with HostileHost(forward(port), alter) as host, through(r.c, host.port):
            refused(r.fetch, word)
        assert not (r.dir / "reshare_output").exists()
    r.fetch()


def test_a_host_that_boots_another_plan_is_found_out(approved, made, folder):
    r = approved.copy(folder / "other-plan")
    twin = made.copy(folder / "twin")
    r.c.machine.restart()
    twin.boot()
    refused(r.boot, "DifferentUserData")
    refused(r.attestation, "DifferentUserData")


def test_programs_that_know_nothing_of_resharing_see_a_sensible_enclave(waiting):
    c = waiting.c
    assert c.machine.phase() == "WaitingForQuorumShards"
    info = c.machine.info()
    assert info["phase"] == "WaitingForQuorumShards" and info["manifestEnvelope"] is None
    assert "WaitingForQuorumShards" in c.client("enclave-status", *c.host())
    for message in ("liveAttestationDocRequest", {"provisionRequest": {
            "share": "00", "approval": {"signature": "00", "member": qos.member("a", qos.Pair())}}}):
        assert error_of(send(waiting, message)) == "NoMatchingRoute"
    waiting.given()
    info = c.machine.info()
    assert info["phase"] == "GenesisBooted" and info["manifestEnvelope"] is None
    assert error_of(send(waiting, {"bootGenesisRequest": {"set": {"members": [], "threshold": "2"}}})) == "NoMatchingRoute"


# --- the end of the old shares -----------------------------------------------------------------------------------

def test_old_shares_are_destroyed_only_when_the_new_ones_are_known_to_open(made, folder):
    c = made.c
    r = made.copy(folder / "destroy")
    alice, bob = c.members[:2]
    old = folder / "alice.share"
    shutil.copy(c.share(alice), old)
    results = {m: (r.dir / f"{m}.result").read_bytes() for m in r.members}
    for member in r.members[1:]:
        (r.dir / f"{member}.result").unlink()
    refused(lambda: r.destroyed(alice, share=old), "expected 2 new members", "found 1")
    (r.dir / f"{r.members[1]}.result").write_bytes(results[r.members[0]])  # somebody else's word
    refused(lambda: r.destroyed(alice, share=old), "found 1")
    (r.dir / f"{r.members[1]}.result").write_bytes(results[r.members[1]])
    refused(lambda: r.destroyed(alice, share=old, answers="n\n"), "nothing was destroyed")
    attested = r.dir / "reshare_output_attestation_doc"
    genuine = attested.read_bytes()
    attested.write_bytes(Forge(c.machine.sim).changed(genuine, user_data=bytes(32)))
    refused(lambda: r.destroyed(alice, "--force", share=old), "DifferentUserData")
    attested.write_bytes(genuine)
    refused(lambda: r.destroyed(r.members[0], share=made.share(r.members[0])), "NotShareSetMember")
    refused(lambda: r.destroyed(bob, share=old))  # not bob's
    assert old.read_bytes() == c.share(alice).read_bytes()
    os.link(old, folder / "second-name")  # shows what is left on the disk
    assert "overwritten and removed" in r.destroyed(alice, share=old)
    assert not old.exists() and set((folder / "second-name").read_bytes()) == {0}
    assert "There is nothing at" in r.destroyed(alice, share=old)  # after a run that was killed in between
    statement = json.loads((r.dir / f"{alice}.share_destroyed").read_bytes())
    message = (b"quorate-share-destroyed-v1" + plan_hash(r.plan_file()) + bytes(8) + c.public()
               + qos.b_bytes(alice.encode()) + int(statement["time"]).to_bytes(8, "little"))
    assert statement["epoch"] in (0, "0")
    assert qos.verify(r.pair(alice).public, message, bytes.fromhex(statement["signature"]))
    said = r.status()
    assert "Old shares destroyed: 1 of 3" in said and "nobody has signed away: 2; any 2 of them" in said
    shutil.copy(r.dir / f"{alice}.share_destroyed", r.dir / f"{bob}.share_destroyed")
    assert "Old shares destroyed: 1 of 3" in r.status()


def test_a_resharing_that_somebody_staged_in_a_genuine_enclave_makes_no_member_destroy_a_share(born, folder):
    """Another key, other members, another manifest set; of ours only the aliases, keys and hashes, which are no secret."""
    staged = Resharing(born, members=2, threshold=2, name="staged").keys()
    staged.plan()
    c, plan = born, staged.plan_file()
    first, second = staged.members
    pairs = {m: staged.pair(m) for m in staged.members}
    key, slope = qos.Pair(), os.urandom(32)
    theirs = [bytes([x]) + bytes(s ^ qos._multiply(x, r) for s, r in zip(key.seed, slope)) for x in (1, 2)]
    members = [qos.member(m, pair) for m, pair in pairs.items()]
    plan["quorumKey"] = key.public.hex()
    plan["manifestSet"] = {"threshold": "2", "members": members}
    plan["oldShareSet"]["members"] += members
    plan["oldShareHashes"] += [hashlib.sha512(share).hexdigest() for share in theirs]
    (staged.dir / "reshare_plan").write_bytes(canonical(plan))
    for name, pair in pairs.items():
        (staged.dir / f"{name}.reshare_approval").write_text(json.dumps({
            "signature": pair.sign(approval_message("manifest", plan)).hex(), "member": qos.member(name, pair)}))
    c.machine.restart()
    staged.boot()
    sender = Sender(staged)
    for name, share in zip(staged.members, theirs):
        assert "quorateReshareShareResponse" in send(staged, sender.request(name, share))
    staged.fetch()
    for name in staged.members:
        c.client("reshare", "take", *staged.words(), *staged.key(name), *c.pcr_words(), "--manifest-set-dir",
                 staged.set_dir, "--share-path", staged.share(name))
    for member in c.members:
        share = folder / member
        shutil.copy(c.share(member), share)
        refused(lambda: staged.destroyed(member, share=share), "Manifest Set composition does not match")
        refused(lambda: staged.destroyed(member, "--force", share=share), "Manifest Set composition does not match")
        refused(lambda: c.client("reshare", "destroyed", *staged.words(), *staged.key(member), *staged.before(),
                                 *c.pcr_words(), "--manifest-set-dir", staged.set_dir, "--share-path", share),
                "reshare plan: quorum key: expected that of the epoch before")
        assert share.read_bytes() == c.share(member).read_bytes()
        assert not (staged.dir / f"{member}.share_destroyed").exists()


def test_a_new_share_is_never_taken_for_the_old_one(born):
    """The same member in both sets: only the share of the epoch before is destroyed."""
    r = Resharing(born, name="same")
    shutil.rmtree(r.set_dir)
    shutil.copytree(born.set_dir, r.set_dir)
    r.members = born.members
    r.done()
    alice = born.members[0]
    refused(lambda: r.destroyed(alice, share=r.share(alice)), "expected the share of epoch 0, found another: it stays")
    assert r.share(alice).exists()
    refused(lambda: r.wrap(alice, share=r.share(alice)), "expected the share of the epoch before")


def test_an_old_share_among_new_ones_is_refused_by_a_boot_too(born):
    """The same members in both sets, so that only their shares tell the epochs apart."""
    c, r = born, Resharing(born, threshold=2, name="mixed")
    shutil.rmtree(r.set_dir)
    shutil.copytree(born.set_dir, r.set_dir)
    r.members = c.members
    r.done()
    alice, bob, carol = c.members
    pivot = c.app.make()
    c.machine.restart()
    c.approved(pivot)
    c.boot(pivot)
    c.fetch_attestation()
    old_share = c.share

    def post(member, share):
        c.share = share
        try:
            c.reencrypt(member)
            return c.post(member)
        finally:
            c.share = old_share

    assert "*not*" in post(alice, old_share)
    refused(lambda: post(bob, r.share), "ReconstructionErrorIncorrectPubKey")
    assert "*not*" in post(alice, r.share)
    assert "has been reconstructed" in post(carol, r.share)
    c.machine.restart()
    c.boot(pivot)
    c.fetch_attestation()
    assert "*not*" in post(alice, old_share)  # what keeps its power, until the manifest names another set
    assert "has been reconstructed" in post(bob, old_share)


def test_status_says_what_comes_next(born, folder):
    r = Resharing(born, members=2, threshold=2, name="status").keys()
    r.plan()
    assert "Next: reshare approve" in r.status() and "0 of 3, 2 needed" in r.status()
    for member in born.members[:2]:
        r.approve(member)
    assert "Next: reshare boot" in r.status()
    born.machine.restart()
    r.boot()
    assert "WaitingForQuorumShards, 0 of 2 shares" in r.status(*born.host())
    r.given()
    assert "Next: reshare post-share" in r.status()
    r.fetch()
    assert "Next: reshare take" in r.status()
    for member in r.members:
        r.take(member)
    assert "Next: reshare destroyed" in r.status()
    for member in born.members:
        shutil.copy(born.share(member), folder / member)
        r.destroyed(member, share=folder / member)
    assert "Next: nothing" in r.status() and "signed away: 0" in r.status()


# --- what is left where ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("words", [(), ("--new-key",)], ids=["same key", "new key"])
def test_the_memory_of_the_enclave_holds_shares_locked_and_afterwards_nothing(born, words):
    needs_to_read_memory()
    r = Resharing(born, members=3, threshold=2, name="memory" + "".join(words)).booted(*words)
    alice, bob = born.members[:2]
    old = {m: share[1:] for m, share in zip((alice, bob), r.opened([alice, bob], r.old))}
    quorum = qos.Pair(qos.combine(r.opened([alice, bob], r.old)))
    r.wrap(alice)
    r.wrap(bob)
    r.post(alice)
    memory = Memory(born.machine.core.pid)
    assert memory.places(old[alice]), "the scan must see what is there"
    memory.assert_only_locked(old)
    memory.assert_nowhere({**forms("quorum", quorum), "bob's share": old[bob]})
    r.post(bob)
    r.fetch()
    new = {}
    for member in r.members:
        r.take(member)
        new[member] = r.opened([member])[0][1:]
    made = qos.Pair(qos.combine(r.opened(r.members[:2])))
    memory = Memory(born.machine.core.pid)
    memory.assert_nowhere({**old, **new, **forms("quorum", quorum), **forms("made", made)})


CHANGING = "openat,write,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,pwrite64,exit_group"


def killed_at_each(c, words, again, every=1):
    """Runs the command killed at its n-th changing call, for each n, and whole after each time."""
    for n in range(1, 500, every):
        done = subprocess.run(
            ["strace", "-D", "-o", "/dev/null", "-e", f"trace={CHANGING}", "-e",
             f"inject={CHANGING}:signal=KILL:when={n}", BIN / "qos_client", *map(str, words)], input="y\n" * 32,
            text=True, cwd=c.folder, env=c.environment(), capture_output=True, timeout=60)
        again()
        if done.returncode == 0:
            return n
        assert done.returncode == -9, done.stdout + done.stderr
    raise AssertionError("the command did not end")


def test_commands_that_are_killed_at_any_call_can_be_run_again(approved, folder):
    needs_strace()
    r = finished(approved.copy(folder / "killed"))
    r.name = "killed"
    c, member, alice = r.c, r.members[0], r.c.members[0]
    every = 1 if os.environ.get("QUORATE_FULL") == "1" else 7

    def fetched():
        r.fetch()
        for name in ("reshare_output", "reshare_output_attestation_doc"):
            (r.dir / name).unlink()

    assert killed_at_each(c, ("reshare", "output", *r.words(), *c.host()), fetched, every) > 20
    r.fetch()
    for each in r.members[1:]:
        r.take(each)
    share = r.share(member)

    def taken():
        r.take(member)
        share.unlink()

    take = ("reshare", "take", *r.words(), *r.key(member), *r.parts(), "--share-path", share)
    assert killed_at_each(c, take, taken, every) > 20
    old = folder / "old.share"
    shutil.copy(c.share(alice), old)

    def destroyed():
        said = r.status()
        assert old.exists() or "Old shares destroyed: 1" in said or "Old shares destroyed: 0" in said
        r.destroyed(alice, share=old)
        assert not old.exists() and "Old shares destroyed: 1" in r.status()
        (r.dir / f"{alice}.share_destroyed").unlink()
        shutil.copy(c.share(alice), old)

    destroy = ("reshare", "destroyed", *r.words(), *r.key(alice), *r.before(), *r.parts(), "--share-path", old)
    assert killed_at_each(c, destroy, destroyed, every) > 20


def test_the_commands_of_the_document_are_a_ceremony(new_ceremony):
    """docs/resharing.md as printed: its blocks in their order, each for as many members as are needed."""
    c = new_ceremony().born()
    new = c.folder / "new-members"
    new.mkdir()
    (new / "quorum_threshold").write_text("2\n")
    for member in ("new1", "new2"):
        c.client("generate-file-key", "--master-seed-path", c.secret(member), "--pub-path", new / f"{member}.pub")
    text = (ROOT / "docs" / "resharing.md").read_text(encoding="utf-8")
    blocks = [b.replace("--host-port 3000", f"--host-port {c.machine.port}")
              for b in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    assert len(blocks) == 7

    def run(block):
        done = subprocess.run(["bash", "-ec", block], input="y\n" * 32, text=True, cwd=c.folder, timeout=60,
                              env={**c.environment(), "PATH": f"{BIN}:{os.environ['PATH']}"}, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for block in blocks:
        said = run(block)
        if "--alias member1" in block and "destroyed" not in block:
            said = run(block.replace("member1", "member2"))
        if "--alias new1" in block:
            said = run(block.replace("new1", "new2"))
    assert "Old shares destroyed: 1 of 3" in said
    assert "epoch 1 is the last one here" in c.client(
        "reshare", "verify", "--namespace-dir", "genesis", "--reshare-dir", "epoch-1")
