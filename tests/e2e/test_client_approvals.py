"""approve-manifest and generate-manifest-envelope: the questions, the comparisons, whose approval counts."""
import hashlib
import json
import os
import threading

import pytest
import qos_model as model
from desk import AWS_ROOT_SHA256, PCRS, QUESTIONS_V1, YES, Desk, talk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_questions_are_asked_one_by_one_in_their_order(desk):
    desk.generate()
    questions, code, rest = talk(desk, desk.approve_words("member1"), ["y"] * 7)
    assert questions == QUESTIONS_V1
    assert code == 0
    assert rest == f"Manifest Approval written to: {desk.approval_name('member1')}\n"


def test_v2_has_one_more_question(desk):
    desk.generate("--use-manifest-version", "2", "--dns-resolvers", "[1.1.1.1,::1]", patch=False)
    questions, code, _ = talk(desk, desk.approve_words("member1", patch=False), ["yes"] * 8)
    assert questions[0] == "Is this the correct manifest schema version: v2? (y/n)"
    assert questions[1:7] == QUESTIONS_V1[1:]
    assert questions[7] == "Are these the correct DNS resolvers:\n[1.1.1.1, ::1]?\n(y/n)"
    assert code == 0


@pytest.mark.parametrize("number", range(7))
def test_each_question_can_be_answered_no(desk, number):
    desk.generate()
    questions, code, rest = talk(desk, desk.approve_words("member1"), ["y"] * number + ["n"])
    assert questions == QUESTIONS_V1[: number + 1]
    assert code == 1 and rest == ""
    assert list(desk.path("approvals").iterdir()) == []


def test_three_hesitations_and_the_end_of_input_are_no(desk):
    desk.generate()
    again = 'Please answer with either "yes" (y) or "no" (n)'
    questions, code, rest = talk(desk, desk.approve_words("member1"), ["maybe", "", "Yess"])
    assert questions == [QUESTIONS_V1[0], again, again]
    assert code == 1 and rest == ""
    questions, code, _ = talk(desk, desk.approve_words("member1"), ["oops", "hm"] + ["Y"] * 7)
    assert questions[:4] == [QUESTIONS_V1[0], again, again, QUESTIONS_V1[1]]
    assert code == 0
    for answers in ("", "y\ny\ny\ny\ny\n"):  # the guide's five answers are two too few
        done = desk.refused(*desk.approve_words("member2"), answers=answers, text="not confirmed")
        assert "Exiting early without approving manifest\n" in done.stderr
    assert not desk.path(desk.approval_name("member2")).exists()


def test_an_approval_signs_the_hash_of_the_manifest(desk):
    for more, patch in (([], True), (["--use-manifest-version", "2"], False)):
        m = desk.generate(*more, patch=patch)
        done = desk.ok(*desk.approve_words("member1", patch=patch), answers=YES)
        text = desk.path(desk.approval_name("member1")).read_text()
        approval = json.loads(text)
        assert text == json.dumps(approval, separators=(",", ":"))
        pair = desk.members["member1"]
        assert approval["member"] == model.member("member1", pair)
        assert model.verify(pair.public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))
        assert f"Manifest hash: {model.manifest_hash(m).hex()}\n" in done.stderr


def test_only_the_expected_manifest_is_approved(desk):
    expected = model.manifest_hash(desk.generate()).hex()
    words = desk.approve_words("member1", "--unsafe-auto-confirm", "--expect-manifest-hash")
    done = desk.refused(*words, "00" * 32, text="--expect-manifest-hash")
    assert f"Manifest hash: {expected}" in done.stderr
    desk.refused(*words, "00", text="--expect-manifest-hash")
    assert list(desk.path("approvals").iterdir()) == []
    desk.ok(*words, expected.upper())


@pytest.mark.parametrize("change, text", [
    (lambda d: d.write("manifest-set/quorum_threshold", "1\n"), "Manifest Set composition does not match"),
    (lambda d: d.write("manifest-set/other.pub", model.Pair().public.hex()),
     "Manifest Set composition does not match"),
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
def test_a_manifest_that_differs_from_the_files_is_not_approved(desk, change, text):
    desk.generate()
    change(desk)
    done = desk.refused(*desk.approve_words("member1", "--unsafe-auto-confirm"), text="manifest")
    assert f"{text}\nExiting early without approving manifest\n" in done.stderr
    assert "**WARNING:** --unsafe-auto-confirm: " in done.stderr
    assert done.stdout == ""
    assert list(desk.path("approvals").iterdir()) == []


def test_a_changed_commit_or_root_in_the_manifest_is_not_approved(desk):
    m = desk.generate()
    for key, value in (("qosCommit", "abc"), ("awsRootCertificate", "3000")):
        changed = json.loads(json.dumps(m))
        changed["enclave"][key] = value
        desk.write("manifest", json.dumps(changed))
        done = desk.refused(*desk.approve_words("member1"), text="manifest", answers=YES)
        assert done.stderr.startswith("Nitro configuration does not match\n")
    assert AWS_ROOT_SHA256 in done.stderr and hashlib.sha256(b"\x30\x00").hexdigest() in done.stderr


def test_strangers_and_borrowed_names_cannot_approve(desk):
    desk.generate()
    desk.write("stranger.secret", model.Pair().seed.hex())
    for alias, secret in (("member1", "member2.secret"), ("member1", "stranger.secret"),
                          ("stranger", "stranger.secret"), ("Member1", "member1.secret")):
        desk.refused(*desk.approve_words(alias, "--unsafe-auto-confirm", secret=secret),
                     text="NotManifestSetMember")
    desk.refused(*desk.approve_words("../member1", secret="member1.secret"), text="--alias")
    assert list(desk.path("approvals").iterdir()) == []


def test_a_hostile_namespace_names_no_file(desk):
    m = desk.generate()
    for name in ("../../../tmp/x", "a\u202eb", "a\x1b[2Jb", ".hidden", ""):
        m["namespace"]["name"] = name
        desk.write("manifest", json.dumps(m))
        desk.refused(*desk.approve_words("member1", "--unsafe-auto-confirm"), text="namespace")
    desk.refused(*[w.replace("production/v1", "a..b") if isinstance(w, str) else w
                   for w in desk.generate_words()], text="--namespace")


def test_secret_may_come_through_a_fifo_or_descriptor(desk):
    m = desk.generate()
    fifo = desk.path("fifo")
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_text(desk.members["member1"].seed.hex() + "\n"))
    writer.start()
    desk.ok(*desk.approve_words("member1", "--unsafe-auto-confirm", secret="fifo"))
    writer.join()
    read, write = os.pipe()
    os.write(write, desk.members["member2"].seed.hex().encode())
    os.close(write)
    desk.ok(*desk.approve_words("member2", "--unsafe-auto-confirm", secret=f"/dev/fd/{read}"),
            pass_fds=[read])
    os.close(read)
    for member in ("member1", "member2"):
        approval = desk.read_json(desk.approval_name(member))
        assert model.verify(desk.members[member].public, model.manifest_hash(m),
                            bytes.fromhex(approval["signature"]))


@pytest.mark.parametrize("contents", ["", "zz" * 32, "00" * 31, "00" * 33, "0x" + "00" * 31])
def test_a_secret_that_is_none_is_refused_and_never_shown(desk, contents):
    desk.generate()
    desk.write("bad.secret", contents)
    done = desk.refused(*desk.approve_words("member1", secret="bad.secret"), text="bad.secret")
    assert not contents or contents not in done.stderr + done.stdout


def test_a_key_is_needed_and_only_one(desk):
    desk.generate()
    words = desk.approve_words("member1")
    at = words.index("--secret-path")
    rest = words[:at] + words[at + 2:]
    desk.refused(*rest, text="Need either yubikey flag or secret path")
    done = desk.run(*words, "--yubikey")
    assert done.returncode == 1
    assert done.stdout == ("Invalid input: arguments secret-path and yubikey are mutually exclusive "
                           "and cannot be used at the same time\n")


def test_an_envelope_has_the_manifest_and_its_approvals(desk):
    for more, patch in (([], True), (["--use-manifest-version", "2"], False)):
        m = desk.generate(*more, patch=patch)
        desk.approve("member2", "member1", patch=patch)
        done = desk.ok(*desk.envelope_words())
        assert done.stdout == "Manifest Envelope written to: approvals/manifest_envelope\n"
        e = desk.read_json("approvals/manifest_envelope")
        assert e["manifest"] == m and e["shareSetApprovals"] == []
        assert [a["member"]["alias"] for a in e["manifestSetApprovals"]] == ["member1", "member2"]
        text = desk.path("approvals/manifest_envelope").read_bytes()
        compact = json.dumps(e, separators=(",", ":")).encode()
        assert text == (compact if patch else model.canonical(e))


def test_stale_foreign_and_broken_approvals_are_named_and_left_out(desk):
    desk.generate()
    desk.approve("member1", "member3")
    m = desk.generate("--debug-mode", "true", nonce=2)
    desk.approve("member1", "member2")
    approvals = desk.path("approvals")
    stranger = model.Pair()
    desk.write("approvals/stranger.approval", json.dumps(model.approval("stranger", stranger, m)))
    borrowed = model.approval("member3", desk.members["member3"], m)
    borrowed["member"]["alias"] = "member1"
    desk.write("approvals/borrowed.approval", json.dumps(borrowed))
    desk.write("approvals/copy.approval", desk.path(desk.approval_name("member2", 2)).read_text())
    desk.write("approvals/broken.approval", "{")
    (approvals / "folder.approval").mkdir()
    done = desk.ok(*desk.envelope_words())
    for name in ("member1-production-v1-1.approval", "member3-production-v1-1.approval",
                 "stranger.approval", "borrowed.approval", "broken.approval", "folder.approval"):
        assert name in done.stderr, done.stderr
    e = desk.read_json("approvals/manifest_envelope")
    assert [a["member"]["alias"] for a in e["manifestSetApprovals"]] == ["member2", "member1"]
    assert "there already" in done.stderr


def test_too_few_approvals_make_no_envelope(desk):
    desk.generate()
    desk.approve("member1")
    desk.refused(*desk.envelope_words(), text="NotEnoughApprovals")
    assert not desk.path("approvals/manifest_envelope").exists()


def test_what_can_be_made_again_is_replaced_and_that_is_said(desk):
    desk.generate()
    done = desk.ok(*desk.generate_words(nonce=2))
    assert done.stdout == "Manifest written to: manifest\n"
    assert "manifest: an earlier file was replaced" in done.stderr
    assert desk.read_json("manifest")["namespace"]["nonce"] == 2
