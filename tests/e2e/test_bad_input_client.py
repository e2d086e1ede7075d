"""Bad input to the commands of members and operators: for each the error, that files and phase are as before, and
that the right input still succeeds afterwards. (Documents: test_bad_documents; hosts: test_hostile_host; files:
test_hostile_files; names: test_hostile_names.)"""
import contextlib
import json
import shutil

import pytest

import qos_model as qos
from ceremony import Refused
from snapshot import difference, snapshot


@pytest.fixture(scope="module")
def ready(shared_ceremony):
    """A booted enclave, and every file that the members' commands need."""
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.fetch_attestation()
    for member in c.members:
        c.reencrypt(member)
    c.outsider = qos.Pair()
    c.strange = c.folder / "strange"
    c.strange.mkdir()
    (c.strange / "outsider.secret").write_text(c.outsider.seed.hex())
    c.other_pivot = c.app.make(version=2)
    pivot_hash = c.pivot_hash_file(c.pivot)
    c.pivot_hash_file = lambda _: pivot_hash
    return c


@contextlib.contextmanager
def instead(path, contents):
    """Other contents in a file, for a while; its time comes back too."""
    kept = path.with_name(path.name + ".kept")
    path.rename(kept)
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    try:
        yield
    finally:
        kept.replace(path)


def changed(path, change):
    value = json.loads(path.read_text())
    change(value)
    return instead(path, json.dumps(value))


def refused(c, call, text):
    phase, before = c.machine.phase(), snapshot(c.folder, c.machine.state)
    with pytest.raises(Refused) as refusal:
        call()
    said = [line for line in str(refusal.value).splitlines() if "error: " in line]
    assert len(said) == 1 and text in said[0], str(refusal.value)
    assert difference(before, snapshot(c.folder, c.machine.state)) == []
    assert c.machine.phase() == phase


@contextlib.contextmanager
def pretending(c, alias=None, secret=None):
    """Commands use another alias or key, for a while."""
    real = c.client

    def client(*given, **more):
        given = list(given)
        if alias:
            given[given.index("--alias") + 1] = alias
        if secret:
            given[given.index("--secret-path") + 1] = secret
        return real(*given, **more)

    c.client = client
    try:
        yield
    finally:
        del c.client


def reversed_shares(e):
    e["manifest"]["shareSet"]["members"].reverse()


BAD_APPROVALS = {
    "wrong alias": (lambda c: pretending(c, alias="member2"), "NotManifestSetMember"),
    "wrong key": (lambda c: pretending(c, secret=c.secret("member2")), "NotManifestSetMember"),
    "an outsider": (lambda c: pretending(c, alias="outsider", secret=c.strange / "outsider.secret"),
                    "NotManifestSetMember"),
    "changed pivot": (lambda c: changed(c.manifest_path(), lambda m: m["pivot"].update(hash="00" * 32)),
                      "pivot hash: the manifest has another value"),
    "duplicate member": (lambda c: changed(c.manifest_path(), lambda m: m["shareSet"]["members"].append(
        m["shareSet"]["members"][0])), "has 3 members, the manifest 4"),
    "reordered members": (lambda c: changed(c.manifest_path(), lambda m: m["shareSet"]["members"].reverse()),
                          "member 1 is member1, the manifest has member3 there"),
    "another quorum key": (lambda c: changed(c.manifest_path(), lambda m: m["namespace"].update(
        quorumKey=c.outsider.public.hex())), "quorum key: the manifest has another value"),
    "other measurements": (lambda c: changed(c.manifest_path(), lambda m: m["enclave"].update(pcr1="00" * 48)),
                           "PCR1: the manifest has another value"),
    "another threshold": (lambda c: changed(c.manifest_path(), lambda m: m["shareSet"].update(threshold=3)),
                          "threshold is 2, the manifest says 3"),
    "repeated field": (lambda c: instead(c.manifest_path(), '{"namespace":{},' + c.manifest_path().read_text()[1:]),
                       "manifest-1"),
    "unknown version": (lambda c: changed(c.manifest_path(), lambda m: m.update(version="v9")), "manifest-1"),
    "a number too large": (lambda c: changed(c.manifest_path(), lambda m: m["namespace"].update(nonce=1 << 32)),
                           "manifest-1"),
}


@pytest.mark.parametrize("name", BAD_APPROVALS)
def test_no_approval_is_made_with(ready, name):
    c = ready
    bad, text = BAD_APPROVALS[name]
    with bad(c):
        refused(c, lambda: c.approve("member1", c.pivot), text)
    c.approve("member1", c.pivot)


def test_a_lower_nonce_and_another_namespace_are_for_the_member_to_see(ready):
    """Nothing offline knows the newest nonce: the question shows it, and no is an answer."""
    c = ready
    with changed(c.manifest_path(), lambda m: m["namespace"].update(nonce=0, name="other")):
        refused(c, lambda: c.approve("member1", c.pivot, answers="y\nn\n"),
                "not confirmed: Is this the correct namespace name: other?")
        refused(c, lambda: c.approve("member1", c.pivot, answers="y\ny\nn\n"),
                "not confirmed: Is this the correct namespace nonce: 0?")
        refused(c, lambda: c.approve("member1", c.pivot, "--expect-manifest-hash", qos.manifest_hash(
            json.loads((c.made / "manifest-1.kept").read_text())).hex()), "--expect-manifest-hash: expected")
        refused(c, c.envelope, "NotEnoughApprovals")
    c.envelope()


BAD_ENVELOPES = {
    "truncated": (lambda c: instead(c.envelope_path(), c.envelope_path().read_bytes()[:-2]), "envelope-1"),
    "repeated": (lambda c: instead(c.envelope_path(), c.envelope_path().read_bytes() * 2), "envelope-1"),
    "wrong signature": (lambda c: changed(c.envelope_path(), lambda e: e["manifestSetApprovals"][0].update(
        signature="11" * 64)), "InvalidManifestApproval"),
    "wrong alias": (lambda c: changed(c.envelope_path(), lambda e: e["manifestSetApprovals"][0]["member"].update(
        alias="member9")), "NotManifestSetMember"),
    "one approval": (lambda c: changed(c.envelope_path(), lambda e: e["manifestSetApprovals"].pop()),
                     "NotEnoughApprovals"),
    "repeated approval": (lambda c: changed(c.envelope_path(), lambda e: e["manifestSetApprovals"].append(
        e["manifestSetApprovals"][0])), "DuplicateApproval"),
    "another namespace": (lambda c: changed(c.envelope_path(), lambda e: e["manifest"]["namespace"].update(
        name="other")), "InvalidManifestApproval"),
    "lower nonce": (lambda c: changed(c.envelope_path(), lambda e: e["manifest"]["namespace"].update(nonce=0)),
                    "InvalidManifestApproval"),
    "reordered members": (lambda c: changed(c.envelope_path(), reversed_shares), "InvalidManifestApproval"),
}


@pytest.mark.parametrize("name", BAD_ENVELOPES)
def test_nothing_is_booted_by_an_envelope_with(ready, name):
    c = ready
    bad, text = BAD_ENVELOPES[name]
    with bad(c):
        refused(c, lambda: c.boot(c.pivot), text)
    refused(c, lambda: c.boot(c.pivot), "NoMatchingRoute(WaitingForQuorumShards)")


def test_nothing_is_booted_with_a_changed_application(ready):
    c = ready
    refused(c, lambda: c.boot(c.other_pivot), "InvalidPivotHash")


def fetched(c):
    return c.made / "fetched_envelope"


BAD_WRAPS = {
    "wrong alias": (lambda c: pretending(c, alias="member2"), "NotShareSetMember"),
    "wrong key": (lambda c: pretending(c, secret=c.secret("member2")), "NotShareSetMember"),
    "an outsider": (lambda c: pretending(c, alias="outsider", secret=c.strange / "outsider.secret"),
                    "NotShareSetMember"),
    "another member's share": (lambda c: instead(c.share("member1"), c.share("member2").read_bytes()),
                               "Failed to decrypt share with personal key"),
    "a truncated share": (lambda c: instead(c.share("member1"), c.share("member1").read_bytes()[:-1]),
                          "Failed to decrypt share"),
    "a share with bytes after it": (lambda c: instead(c.share("member1"), c.share("member1").read_bytes() + b"\0"),
                                    "Failed to decrypt share"),
    "x = 0": (lambda c: instead(c.share("member1"), sealed(c, bytes(33))), "found 0"),
    "wrong length": (lambda c: instead(c.share("member1"), sealed(c, b"\1" + bytes(31))), "expected 33 bytes"),
    "a manifest of another namespace": (lambda c: changed(fetched(c), lambda e: e["manifest"]["namespace"].update(
        name="other")), "DifferentUserData"),
    "a manifest of a lower nonce": (lambda c: changed(fetched(c), lambda e: e["manifest"]["namespace"].update(
        nonce=0)), "DifferentUserData"),
    "a changed pivot": (lambda c: changed(fetched(c), lambda e: e["manifest"]["pivot"].update(hash="00" * 32)),
                        "DifferentUserData"),
    "another role": (lambda c: instead(c.role_file, "arn:aws:iam::1:role/other\n"),
                     "Pcr3PreimageDoesNotMatchManifest"),
}


def sealed(c, plaintext):
    return qos.seal(bytes.fromhex((c.set_dir / "member1.pub").read_text()), plaintext)


@pytest.mark.parametrize("name", BAD_WRAPS)
def test_no_share_is_wrapped_with(ready, name):
    c = ready
    bad, text = BAD_WRAPS[name]
    with bad(c):
        refused(c, lambda: c.reencrypt("member1"), text)
    c.reencrypt("member1")


def binding(c, member):
    return c.wrapped(member).with_name(c.wrapped(member).name + ".binding")


BAD_POSTS = {
    "another member's approval": (lambda c: instead(c.share_approval("member1"), c.share_approval(
        "member2").read_bytes()), "CouldNotVerifyApproval"),
    "another member's share": (lambda c: instead(c.wrapped("member1"), c.wrapped("member2").read_bytes()),
                               "CouldNotVerifyApproval"),
    "another share's binding": (lambda c: instead(binding(c, "member1"), binding(c, "member2").read_text()),
                                "CouldNotVerifyApproval"),
    "a truncated share": (lambda c: instead(c.wrapped("member1"), c.wrapped("member1").read_bytes()[:-1]),
                          "DecryptionFailed"),
    "a share that was not wrapped": (lambda c: instead(c.wrapped("member1"), c.share("member1").read_bytes()),
                                     "wrap the share again: enclave: DecryptionFailed"),
    "a wrong signature": (lambda c: changed(c.share_approval("member1"), lambda a: a.update(signature="11" * 64)),
                          "CouldNotVerifyApproval"),
    "a wrong alias": (lambda c: changed(c.share_approval("member1"), lambda a: a["member"].update(alias="member2")),
                      "NotShareSetMember"),
    "an outsider's approval": (lambda c: changed(c.share_approval("member1"), lambda a: a.update(
        qos.approval("outsider", c.outsider, json.loads(c.manifest_path().read_text())))), "NotShareSetMember"),
    "an approval of another namespace": (lambda c: changed(c.share_approval("member1"), lambda a: a.update(
        of_other(c))), "CouldNotVerifyApproval"),
}


def of_other(c):
    manifest = json.loads(c.manifest_path().read_text())
    manifest["namespace"]["name"] = "other"
    return qos.approval("member1", qos.Pair(bytes.fromhex(c.secret("member1").read_text())), manifest)


@pytest.mark.parametrize("name", BAD_POSTS)
def test_no_share_is_taken_with(ready, name):
    c = ready
    bad, text = BAD_POSTS[name]
    c.reencrypt("member1")
    with bad(c):
        refused(c, lambda: c.post("member1"), text)
    assert "*not*" in c.post("member1")


def test_a_share_of_another_quorum_makes_no_key_and_the_right_ones_do(ready):
    c = ready
    c.machine.restart()
    c.boot(c.pivot)
    c.fetch_attestation()
    for member in ("member1", "member2"):
        c.reencrypt(member)
    assert "*not*" in c.post("member1")
    pair = qos.Pair(bytes.fromhex(c.secret("member2").read_text()))
    with instead(c.share("member2"), qos.seal(pair.public, b"\2" + bytes(32))):
        c.reencrypt("member2")
    with pytest.raises(Refused, match="ReconstructionErrorIncorrectPubKey"):
        c.post("member2")
    assert c.machine.phase() == "WaitingForQuorumShards"
    assert not c.machine.file("quorum.key").exists()
    log = c.machine.core.err().splitlines()[-1]
    assert "shares of member1, member2: expected the manifest's quorum key, got another one" in log
    assert "*not*" in c.post("member1")
    c.reencrypt("member2")
    assert c.post("member2") == "The quorum key has been reconstructed.\n"


def test_a_set_with_one_member_twice_makes_nothing(ready):
    c = ready
    twice = c.set_dir / "member4.pub"
    shutil.copy(c.set_dir / "member1.pub", twice)
    try:
        refused(c, lambda: c.generate_manifest(c.pivot), "DuplicateQuorumMember")
        kept = c.genesis_dir
        c.genesis_dir = c.strange
        try:
            refused(c, c.genesis, "DuplicateQuorumMember")
        finally:
            c.genesis_dir = kept
    finally:
        twice.unlink()
    c.generate_manifest(c.pivot)
