"""Bundles: a member without a network gets one file, gives one file back, and is asked all that others are."""
import hashlib
import json
import os
import shutil
import time

import pytest
import qos_model as model
from ceremony import Refused
from desk import PCRS, QUESTIONS_V1, ROLE, YES, Desk, talk
from test_client_share import WRAP_QUESTIONS, WrapDesk

OWN = ["--pivot-hash-path", "pivot-hash.txt", "--qos-release-dir", "release", "--pcr3-preimage-path",
       "pcr3-preimage.txt", "--manifest-set-dir", "manifest-set", "--share-set-dir", "share-set",
       "--quorum-key-path", "quorum_key.pub", "--patch-set-dir", "patch-set"]


class Island(Desk):
    """A member's machine: a folder with a secret, and what somebody carried there."""

    def __init__(self, desk, folder, member):
        folder.mkdir()
        self.folder, self.members, self.quorum = folder, desk.members, desk.quorum
        self.bring(desk, f"{member}.secret")

    def bring(self, desk, *names):
        for name in names:
            path = desk.path(name)
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, self.path(name))


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "desk").mkdir()
    desk = Desk(tmp_path / "desk")
    desk.generate()
    return desk


@pytest.fixture
def island(desk, tmp_path):
    """The bundle for member1 is there already."""
    desk.ok(*out_words())
    island = Island(desk, tmp_path / "island", "member1")
    island.bring(desk, "m.bundle")
    return island


def out_words(member="member1", *more):
    return ["bundle", "out", "--bundle-path", "m.bundle", "--alias", member, "--manifest-path",
            "manifest", "--pcr3-preimage-path", "pcr3-preimage.txt", *more]


def sign_words(*more, member="member1"):
    return ["bundle", "sign", "--bundle-path", "m.bundle", "--answer-path", "m.answer",
            "--secret-path", f"{member}.secret", *more]


def in_words(*more):
    return ["bundle", "in", "--bundle-path", "m.bundle", "--answer-path", "m.answer", *more]


def fingerprint(key):
    return hashlib.sha256(key).hexdigest()


def members_shown(desk, label):
    return "\n".join([f"\t{label}: 2 of 3",
                      *(f"\t\t{alias}, key with SHA-256 {fingerprint(pair.public)}"
                        for alias, pair in sorted(desk.members.items()))])


def parts_shown(desk):
    """What the question shows of each part, in its order."""
    keys = sorted(pair.public for pair in desk.members.values())
    return {
        "release": "\n".join(f"\tPCR{i}: {v * 48}" for i, v in enumerate(("a1", "b2", "c3"))),
        "role": f"\trole: {ROLE}",
        "pivot hash": "\tpivot hash: " + hashlib.sha256(b"#!/bin/sh\n").hexdigest(),
        "manifest set": members_shown(desk, "manifest set"),
        "share set": members_shown(desk, "share set"),
        "patch set": "\n".join(["\tpatch set: 2 of 3", *(
            f"\t\tkey with SHA-256 {fingerprint(key)}" for key in keys)]),
        "quorum key": f"\tquorum key: key with SHA-256 {fingerprint(desk.quorum.public)}",
    }


def question_about(desk, *names):
    shown = parts_shown(desk)
    return "\n".join(["From the bundle, compared with nothing of yours:",
                      *(shown[name] for name in names or shown),
                      "Is all of this what you expect? (y/n)"])


def assert_approval(approval, desk, member="member1"):
    pair, m = desk.members[member], desk.read_json("manifest")
    assert approval["member"] == model.member(member, pair)
    assert model.verify(pair.public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))


def test_a_bundle_is_canonical_and_has_no_secret(desk):
    before = int(time.time())
    done = desk.ok(*out_words())
    assert done.stdout == "Bundle written to: m.bundle\n"
    file = desk.path("m.bundle").read_bytes()
    b, m = json.loads(file), desk.read_json("manifest")
    assert file == model.canonical(b)
    assert b.pop("task") == {"approveManifest": json.loads(model.canonical(m))}
    assert before <= int(b.pop("made")) <= time.time()
    assert b == {"format": "quorate-bundle-v1", "alias": "member1", "role": ROLE,
                 "manifestHash": model.manifest_hash(m).hex()}
    for pair in (*desk.members.values(), desk.quorum):
        assert pair.seed.hex().encode() not in file


def test_a_manifest_is_approved_with_nothing_but_the_bundle_and_the_secret(desk, island):
    assert sorted(p.name for p in island.folder.iterdir()) == ["m.bundle", "member1.secret"]
    done = island.ok(*sign_words(), answers=YES)
    m = desk.read_json("manifest")
    assert done.stdout.endswith("Answer written to: m.answer\n")
    assert done.stderr.startswith("Bundle: asks member1 to approve a manifest; made 20")
    assert "Namespace: production/v1, nonce 1\n" in done.stderr
    assert f"Manifest hash: {model.manifest_hash(m).hex()}\n" in done.stderr
    shutil.copy(island.path("m.answer"), desk.path("m.answer"))
    done = desk.ok(*in_words("--manifest-approvals-dir", "approvals"))
    assert done.stdout == f"Manifest Approval written to: {desk.approval_name('member1')}\n"
    # The very file that approve-manifest writes.
    placed = desk.path(desk.approval_name("member1")).read_bytes()
    desk.approve("member1")
    assert desk.path(desk.approval_name("member1")).read_bytes() == placed
    desk.approve("member2")
    desk.ok(*desk.envelope_words())


def test_version_2_travels_too(desk):
    desk.generate("--use-manifest-version", "2", "--dns-resolvers", "[1.1.1.1]", patch=False)
    desk.ok(*out_words())
    desk.refused(*out_words("member1", "--patch-set-dir", "patch-set"),
                 text="ManifestV2DoesNotSupportPatchSet")
    questions, code, _ = talk(desk, sign_words(), ["y"] * 9)
    assert code == 0 and "patch set" not in questions[0]
    assert_approval(desk.read_json("m.answer")["approval"], desk)


def test_what_comes_from_the_bundle_alone_is_asked_about_first(desk, island):
    questions, code, _ = talk(island, sign_words(), ["y"] * 8)
    assert questions == [question_about(desk), *QUESTIONS_V1] and code == 0
    names = [OWN[i + 1] for i in range(0, len(OWN), 2)]
    island.bring(desk, *names)
    questions, code, rest = talk(island, sign_words(*OWN), ["y"] * 7)
    assert questions == QUESTIONS_V1 and code == 0
    assert rest == "Answer written to: m.answer\n"
    questions, code, _ = talk(island, sign_words(*OWN[:-4]), ["y"] * 8)
    assert questions == [question_about(desk, "patch set", "quorum key"), *QUESTIONS_V1]
    assert code == 0


@pytest.mark.parametrize("number", range(8))
def test_each_question_of_a_bundle_can_be_answered_no(island, number):
    questions, code, rest = talk(island, sign_words(), ["y"] * number + ["n"])
    assert len(questions) == number + 1 and code == 1 and rest == ""
    assert not island.path("m.answer").exists()


def test_silence_signs_nothing(island):
    for answers in ("", "y\n" * 7):
        done = island.refused(*sign_words(), answers=answers, text="not confirmed")
        assert "Exiting early without approving manifest\n" in done.stderr
    assert not island.path("m.answer").exists()


@pytest.mark.parametrize("change, text", [
    (lambda d: d.write("manifest-set/quorum_threshold", "1\n"), "Manifest Set composition does not match"),
    (lambda d: d.write("share-set/member1.pub", model.Pair().public.hex()),
     "Share Set composition does not match"),
    (lambda d: d.path("patch-set/member3.pub").unlink(), "Patch Set composition does not match"),
    (lambda d: d.write("release/aws-x86_64.pcrs", PCRS.replace("c3", "c4")),
     "Nitro configuration does not match"),
    (lambda d: d.write("pcr3-preimage.txt", "arn:aws:iam::1:role/other"),
     "Nitro configuration does not match"),
    (lambda d: d.write("pivot-hash.txt", "00" * 32), "Pivot hash does not match"),
    (lambda d: d.write("quorum_key.pub", model.Pair().public.hex()),
     "Quorum public key does not match"),
])
def test_what_the_member_has_goes_before_the_bundle(desk, island, change, text):
    island.bring(desk, *(OWN[i + 1] for i in range(0, len(OWN), 2)))
    change(island)
    done = island.refused(*sign_words("--unsafe-auto-confirm", *OWN), text="manifest")
    assert f"{text}\nExiting early without approving manifest\n" in done.stderr
    assert not island.path("m.answer").exists()
    # The operator's files are compared in the same way, before the bundle travels.
    change(desk)
    words = [word for word in OWN if "pcr3" not in word]
    done = desk.refused(*out_words("member1", *words), text="manifest")
    assert f"{text}\n" in done.stderr


def rewritten(island, change):
    """The bundle with this change, in canonical form and with the hash of the manifest it now has."""
    b = json.loads(island.path("m.bundle").read_text())
    change(b)
    return b


def test_a_changed_bundle_is_refused(island):
    def nonce(b):
        b["task"]["approveManifest"]["namespace"]["nonce"] = "2"

    b = rewritten(island, nonce)
    island.path("m.bundle").write_bytes(model.canonical(b))
    island.refused(*sign_words(), answers=YES, text="another hash than the bundle says")
    expected = b["manifestHash"]
    m = b["task"]["approveManifest"]
    b["manifestHash"] = model.manifest_hash(m).hex()
    island.path("m.bundle").write_bytes(model.canonical(b))
    # Consistent in itself: who was told the hash finds out, and everybody sees the nonce.
    island.refused(*sign_words("--expect-manifest-hash", expected), answers=YES,
                   text="--expect-manifest-hash")
    questions, _, _ = talk(island, sign_words(), ["y"] * 3 + ["n"])
    assert questions[3] == "Is this the correct namespace nonce: 2? (y/n)"


def test_a_role_that_is_not_the_manifests_is_refused(island):
    b = rewritten(island, lambda b: b.update(role=ROLE + "x"))
    island.path("m.bundle").write_bytes(model.canonical(b))
    island.refused(*sign_words(), answers=YES, text="PCR3, the role")


def test_a_commit_in_the_manifest_is_refused(island):
    b = rewritten(island, lambda b: b["task"]["approveManifest"]["enclave"].update(qosCommit="abc"))
    b["manifestHash"] = model.manifest_hash(b["task"]["approveManifest"]).hex()
    island.path("m.bundle").write_bytes(model.canonical(b))
    island.refused(*sign_words(), answers=YES, text="qosCommit")


def test_only_the_one_form_of_a_bundle_is_read(island):
    good = island.path("m.bundle").read_text()
    b = json.loads(good)
    extra = dict(b, more="x")
    inner = json.loads(good)
    inner["task"]["approveManifest"]["more"] = "x"
    two = '{"alias":"member1",' + good[1:]
    for bad, text in ((good + "\n", "canonical"), (json.dumps(b), "canonical"), (good[:-1], "m.bundle"),
                      (model.canonical(extra).decode(), "known fields only"),
                      (model.canonical(inner).decode(), "canonical"), (two, "m.bundle"),
                      (good.replace("bundle-v1", "bundle-v2"), "format quorate-bundle-v1"),
                      ("", "m.bundle"), ("[]", "format quorate-bundle-v1"), ("null", "m.bundle"),
                      (good.replace('"task":{', '"task":{"reEncryptShare":{},'), "m.bundle")):
        island.write("m.bundle", bad)
        island.refused(*sign_words(), answers=YES, text=text)
    island.path("m.bundle").write_bytes(b" " * ((16 << 20) + 1))
    island.refused(*sign_words(), answers=YES, text="at most 16777216 bytes")
    assert not island.path("m.answer").exists()


def test_hostile_text_in_a_bundle_cannot_steer_the_terminal(desk, island):
    b = rewritten(island, lambda b: b.update(alias="member1\x1b[2J"))
    island.path("m.bundle").write_bytes(model.canonical(b))
    island.refused(*sign_words(), answers=YES, text="alias")
    b = json.loads(model.canonical(dict(b, alias="member1")))
    m = b["task"]["approveManifest"]
    m["namespace"]["name"] = "a\x1b[2J\u202eb"
    m["shareSet"]["members"][0]["alias"] = "\x07bell"
    b["manifestHash"] = model.manifest_hash(m).hex()
    island.path("m.bundle").write_bytes(model.canonical(b))
    done = island.run(*sign_words(), answers=YES)
    assert not {"\x1b", "\u202e", "\x07"} & set(done.stdout + done.stderr)


def test_a_bundle_is_for_one_member(desk, island):
    island.bring(desk, "member2.secret")
    island.refused(*sign_words(member="member2"), answers=YES, text="NotManifestSetMember")
    island.refused(*sign_words("--alias", "member2"), answers=YES, text="does not ask member2")
    island.ok(*sign_words("--alias", "member1"), answers=YES)
    desk.refused(*out_words("stranger"), text="found no stranger")
    desk.refused(*out_words("../member1"), text="--alias")


def test_the_trusted_root_never_comes_from_the_bundle(new_ceremony):
    """A manifest of a simulated enclave: only who names that root signs."""
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.generate_manifest(pivot)
    bundle, answer = c.folder / "m.bundle", c.folder / "m.answer"
    c.client("bundle", "out", "--bundle-path", bundle, "--alias", "member1", "--manifest-path",
             c.manifest_path(), "--pcr3-preimage-path", c.role_file)
    words = ["bundle", "sign", "--bundle-path", bundle, "--answer-path", answer, "--secret-path",
             c.secret("member1")]
    with pytest.raises(Refused, match="attestation root: the manifest names the root of a simulated"):
        c.client(*words, root=None)
    assert not answer.exists()
    assert "SIMULATED" in c.client(*words)


def answered(desk):
    desk.ok(*out_words())
    desk.ok(*sign_words(), answers=YES)
    return desk.read_json("m.answer")


def test_an_answer_is_canonical_and_names_its_bundle(desk):
    answer = answered(desk)
    assert desk.path("m.answer").read_bytes() == model.canonical(answer)
    assert_approval(answer.pop("approval"), desk)
    assert answer == {
        "format": "quorate-answer-v1", "result": "approveManifest",
        "bundleHash": hashlib.sha256(desk.path("m.bundle").read_bytes()).hexdigest()}


def test_answers_that_are_none_to_this_bundle_are_refused(desk):
    answer = answered(desk)
    m, pairs = desk.read_json("manifest"), desk.members
    other = model.Pair()
    bad = [
        (dict(answer, bundleHash="00" * 32), "expected one to this bundle"),
        (dict(answer, approval=model.approval("member2", pairs["member2"], m)),
         "expected one of member1, found one of member2"),
        (dict(answer, approval=model.approval("member1", pairs["member2"], m)), "member of the set"),
        (dict(answer, approval=model.approval("member1", other, m)), "member of the set"),
        (dict(answer, approval=dict(answer["approval"], signature=other.sign(b"x").hex())),
         "approval of member1"),
        (dict(answer, approval=dict(answer["approval"], signature="00")), "approval of member1"),
        (dict(answer, format="quorate-answer-v2"), "format quorate-answer-v1"),
        (dict(answer, more="x"), "known fields only"),
        (dict(answer, result={"reEncryptShare": {"share": "00", "binding": "00" * 64}}),
         "expected one to this bundle"),
    ]
    words = in_words("--manifest-approvals-dir", "approvals")
    for changed, text in bad:
        desk.path("m.answer").write_bytes(model.canonical(changed))
        desk.refused(*words, text=text)
    desk.write("m.answer", json.dumps(answer))
    desk.refused(*words, text="canonical")
    desk.path("m.answer").write_bytes(b" " * (64 * 1024 + 1))
    desk.refused(*words, text="at most 65536 bytes")
    assert list(desk.path("approvals").iterdir()) == []
    desk.path("m.answer").write_bytes(model.canonical(answer))
    desk.refused(*in_words(), text="--manifest-approvals-dir: needed")
    desk.ok(*words)


def test_a_bundle_needs_its_task(desk):
    words = out_words()
    at = words.index("--manifest-path")
    desk.refused(*words[:at], *words[at + 2:], text="expected --manifest-path")
    done = desk.run(*words, "--manifest-envelope-path", "x")
    assert done.returncode == 1 and "mutually exclusive" in done.stdout
    desk.refused(*words[:at], *words[at + 2:], "--manifest-envelope-path", "x",
                 text="--attestation-doc-path: needed")
    assert not desk.path("m.bundle").exists()


# A share for a booted enclave.

@pytest.fixture
def wrap_desk(tmp_path):
    return WrapDesk(tmp_path)


def share_out_words(*more):
    return ["bundle", "out", "--bundle-path", "m.bundle", "--alias", "member1",
            "--manifest-envelope-path", "approvals/manifest_envelope", "--attestation-doc-path", "doc",
            "--pcr3-preimage-path", "pcr3-preimage.txt", *more]


def share_sign_words(*more):
    return sign_words("--share-path", "m.share", "--unsafe-skip-attestation", *more)


def test_a_share_bundle_asks_all_that_the_command_asks(wrap_desk):
    d = wrap_desk
    d.ok(*share_out_words())
    questions, code, rest = talk(d, share_sign_words(*OWN), ["y"] * 4)
    assert questions == WRAP_QUESTIONS and code == 0
    assert rest == "Answer written to: m.answer\n"
    questions, code, _ = talk(d, share_sign_words(), ["y"] * 5)
    warning, first = questions[0].split("\n", 1)
    assert warning.startswith("**WARNING:** Skipping") and first == question_about(d)
    assert [warning + "\n" + questions[1], *questions[2:]] == WRAP_QUESTIONS and code == 0
    answer = d.read_json("m.answer")
    m, pair = d.read_json("manifest"), d.members["member1"]
    sealed = answer["result"]["reEncryptShare"]
    wrapped = bytes.fromhex(sealed["share"])
    assert d.setup.open(wrapped) == d.share
    assert_approval(answer["approval"], d)
    assert model.verify(pair.public, model.binding_message(m, d.setup.public, wrapped),
                        bytes.fromhex(sealed["binding"]))
    assert d.share.hex() not in d.path("m.answer").read_text()


@pytest.mark.parametrize("number", range(5))
def test_each_question_of_a_share_bundle_can_be_answered_no(wrap_desk, number):
    wrap_desk.ok(*share_out_words())
    _, code, rest = talk(wrap_desk, share_sign_words(), ["y"] * number + ["n"])
    assert code == 1 and rest == "" and not wrap_desk.path("m.answer").exists()


def test_a_share_is_not_encrypted_for_what_does_not_fit(wrap_desk):
    d = wrap_desk
    d.ok(*share_out_words())
    d.refused(*sign_words("--unsafe-skip-attestation"), answers=YES, text="--share-path: needed")
    d.refused(*sign_words("--share-path", "m.share"), answers=YES, text="attestation document")
    d.refused(*share_sign_words("--expect-manifest-hash", "00" * 32), answers=YES,
              text="--expect-manifest-hash")
    d.write("release/aws-x86_64.pcrs", PCRS.replace("a1", "aa"))
    d.refused(*share_sign_words("--qos-release-dir", "release"), answers=YES, text="PCR0")
    d.write("manifest-set/quorum_threshold", "1\n")
    done = d.refused(*share_sign_words("--manifest-set-dir", "manifest-set"), answers=YES,
                     text="manifest-set")
    assert "Manifest's manifest set does not match locally found Manifest Set\n" in done.stderr
    d.put_share(os.urandom(33), member="member2")
    d.refused(*share_sign_words(), answers=YES, text="Failed to decrypt share with personal key")
    b = d.read_json("m.bundle")
    b["task"]["reEncryptShare"]["manifestEnvelope"]["manifestSetApprovals"].pop()
    d.path("m.bundle").write_bytes(model.canonical(b))
    d.refused(*share_sign_words(), answers=YES, text="NotEnoughApprovals")
    assert not d.path("m.answer").exists()


def test_a_changed_share_or_binding_is_not_posted(wrap_desk):
    d = wrap_desk
    d.ok(*share_out_words())
    d.ok(*share_sign_words(), answers=YES)
    answer = d.read_json("m.answer")
    other = model.seal(d.setup.public, d.share).hex()
    host = ["--host-ip", "127.0.0.1", "--host-port", "1"]
    for field, value in (("share", other), ("binding", "11" * 64)):
        changed = json.loads(json.dumps(answer))
        changed["result"]["reEncryptShare"][field] = value
        d.path("m.answer").write_bytes(model.canonical(changed))
        d.refused(*in_words(*host), text="share binding")
    d.path("m.answer").write_bytes(model.canonical(answer))
    d.refused(*in_words(), text="--host-ip and --host-port: needed")
    d.refused(*in_words(*host), text="transport error")


def carried(c, member):
    """bundle out, sign in an empty folder, and the answer back; by real programs against a real document."""
    bundle, answer = c.made / f"{member}.bundle", c.made / f"{member}.answer"
    c.client("bundle", "out", "--bundle-path", bundle, "--alias", member, "--manifest-envelope-path",
             c.made / "fetched_envelope", "--attestation-doc-path", c.attestation(),
             *c.pcr_words(), *c.set_words())
    c.client("bundle", "sign", "--bundle-path", bundle, "--answer-path", answer, "--secret-path",
             c.secret(member), "--share-path", c.share(member))
    return ["bundle", "in", "--bundle-path", bundle, "--answer-path", answer, *c.host()]


def test_a_quorum_key_comes_together_from_bundles(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.fetch_attestation()
    stale = carried(c, "member1")
    c.machine.restart()
    c.boot(pivot)
    with pytest.raises(Refused, match="not wrapped for this boot"):
        c.client(*stale)
    c.fetch_attestation()
    assert "has *not* been reconstructed" in c.client(*carried(c, "member1"))
    assert "The quorum key has been reconstructed." in c.client(*carried(c, "member2"))
    c.app.wait_healthy()


def test_a_bundle_of_an_enclave_that_runs_something_else_is_not_answered(new_ceremony):
    """The document in the bundle is of an enclave with another manifest than the one in the bundle."""
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.fetch_attestation()
    c.approved(pivot, nonce=2)
    bundle = c.made / "m.bundle"
    c.client("bundle", "out", "--bundle-path", bundle, "--alias", "member1", "--manifest-envelope-path",
             c.envelope_path(2), "--attestation-doc-path", c.attestation(), *c.pcr_words())
    with pytest.raises(Refused, match="DifferentUserData"):
        c.client("bundle", "sign", "--bundle-path", bundle, "--answer-path", c.made / "m.answer",
                 "--secret-path", c.secret("member1"), "--share-path", c.share("member1"))
    assert not (c.made / "m.answer").exists()
