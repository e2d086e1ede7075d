"""proxy-re-encrypt-share: whom a share is encrypted to, and what is refused before."""
import json
import os
import re

import cbor2
import pytest
import qos_model as model
from desk import ROLE, YES, Desk, booted, talk


def attestation_document(public):
    """A document that parses and proves nothing: enough where attestation is skipped."""
    payload = {
        "module_id": "test", "digest": "SHA384", "timestamp": 1700000000000,
        "pcrs": {i: bytes(48) for i in range(32)}, "certificate": b"leaf", "cabundle": [b"root"],
        "public_key": public, "user_data": None, "nonce": None}
    return cbor2.dumps([cbor2.dumps({1: -35}), {}, cbor2.dumps(payload), bytes(96)])


class WrapDesk(Desk):
    """The desk of member1 with a share, and the document of an enclave whose setup key we know."""

    def __init__(self, folder):
        super().__init__(folder)
        booted(self)
        self.setup = model.Pair()
        self.share = b"\x01" + os.urandom(32)
        self.put_share(self.share)
        self.path("doc").write_bytes(attestation_document(self.setup.public))

    def put_share(self, plaintext, member="member1"):
        self.path("m.share").write_bytes(model.seal(self.members[member].public, plaintext))

    def wrap_words(self, *more, alias="member1", secret="member1.secret", skip=True):
        words = ["proxy-re-encrypt-share", "--share-path", "m.share", "--secret-path", secret,
                 "--attestation-doc-path", "doc", "--eph-wrapped-share-path", "w.share",
                 "--approval-path", "w.approval", "--manifest-envelope-path",
                 "approvals/manifest_envelope", "--pcr3-preimage-path", "pcr3-preimage.txt",
                 "--manifest-set-dir", "manifest-set", "--alias", alias, *more]
        return words + (["--unsafe-skip-attestation"] if skip else [])

    def made(self):
        return [name for name in ("w.share", "w.approval", "w.share.binding")
                if self.path(name).exists()]


@pytest.fixture
def wrap_desk(tmp_path):
    return WrapDesk(tmp_path)


WARNING = "**WARNING:** Skipping attestation document verification.\n"
WRAP_QUESTIONS = [
    WARNING + "Is this the correct namespace name: production/v1? (y/n)",
    "Is this the correct namespace nonce: 1? (y/n)",
    f"Does this AWS IAM role belong to the intended organization: {ROLE}? (y/n)",
    "The following manifest set members approved:\n\talias: member1\n\talias: member2\n"
    "Is this ok? (y/n)",
]


def test_a_share_is_encrypted_to_the_enclave_and_signed(wrap_desk):
    d = wrap_desk
    questions, code, rest = talk(d, d.wrap_words(), ["y"] * 4)
    assert questions == WRAP_QUESTIONS and code == 0
    assert rest == ("Share Set Approval written to: w.approval\n"
                    "Ephemeral key wrapped share written to: w.share\n"
                    "Share binding written to: w.share.binding\n")
    wrapped = d.path("w.share").read_bytes()
    assert d.setup.open(wrapped) == d.share
    m, pair = d.read_json("manifest"), d.members["member1"]
    approval = d.read_json("w.approval")
    assert approval["member"] == model.member("member1", pair)
    assert model.verify(pair.public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))
    binding = d.path("w.share.binding").read_text()
    assert re.fullmatch("[0-9a-f]{128}", binding)
    assert model.verify(pair.public, model.binding_message(m, d.setup.public, wrapped),
                        bytes.fromhex(binding))


@pytest.mark.parametrize("number", range(4))
def test_each_question_about_the_enclave_can_be_answered_no(wrap_desk, number):
    questions, code, rest = talk(wrap_desk, wrap_desk.wrap_words(), ["y"] * number + ["n"])
    assert questions == WRAP_QUESTIONS[: number + 1]
    assert code == 1 and rest == ""
    assert wrap_desk.made() == []


@pytest.mark.parametrize("plaintext, text", [
    (b"\x01" + bytes(31), "InvalidShare"), (b"\x01" + bytes(33), "InvalidShare"),
    (bytes(33), "InvalidShare"), (b"", "InvalidShare")])
def test_what_is_no_share_is_not_sent_on(wrap_desk, plaintext, text):
    wrap_desk.put_share(plaintext)
    wrap_desk.refused(*wrap_desk.wrap_words("--unsafe-auto-confirm"), text=text)
    assert wrap_desk.made() == []


def test_what_does_not_fit_together_is_not_wrapped(wrap_desk):
    d = wrap_desk
    early = "Exiting early without re-encrypting / approving\n"
    done = d.refused(*d.wrap_words(alias="member2"), answers=YES, text="NotShareSetMember")
    assert "The provided share set key and alias are not part of the Share Set\n" + early in done.stderr
    d.refused(*d.wrap_words(alias="member2", secret="member2.secret"), answers=YES,
              text="Failed to decrypt share with personal key")
    d.write("manifest-set/quorum_threshold", "1\n")
    done = d.refused(*d.wrap_words(), answers=YES, text="manifest-set")
    assert "Manifest's manifest set does not match locally found Manifest Set\n" + early in done.stderr
    d.write("manifest-set/quorum_threshold", "2\n")
    e = d.read_json("approvals/manifest_envelope")
    e["manifestSetApprovals"][0]["signature"] = e["manifestSetApprovals"][1]["signature"]
    d.write("approvals/manifest_envelope", json.dumps(e))
    done = d.refused(*d.wrap_words(), answers=YES, text="InvalidManifestApproval")
    assert "Manifest envelope did not have valid approvals: " in done.stderr and early in done.stderr
    assert d.made() == []


def test_an_unproven_document_is_refused_before_anything_is_asked(wrap_desk):
    done = wrap_desk.refused(*wrap_desk.wrap_words(skip=False), answers=YES,
                             text="attestation document")
    assert done.stdout == "" and wrap_desk.made() == []


def test_the_key_of_the_enclave_can_be_overridden_loudly(wrap_desk):
    d, other = wrap_desk, model.Pair()
    d.write("eph.secret", other.seed.hex())
    done = d.ok(*d.wrap_words("--unsafe-eph-path-override", "eph.secret"), answers=YES)
    assert other.open(d.path("w.share").read_bytes()) == d.share
    assert "--unsafe-eph-path-override" in done.stderr
    d.path("doc").write_bytes(b"\xff")
    d.refused(*d.wrap_words("--unsafe-eph-path-override", "eph.secret"), text="attestation document")
