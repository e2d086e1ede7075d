"""dangerous-dev-boot: an enclave in one go, with our own programs and, message by message, with scripted answers."""
import hashlib
import json
import re
import shlex
import stat
import struct

import pytest
import qos_model as model
from desk import Desk
from machine import ROOT, wait_until
from test_client_host import UNDECODABLE, FakeHost
from test_client_share import attestation_document

ALIAS = "DANGEROUS_DEV_BOOT_MEMBER"
WARNING = "**WARNING:** DANGEROUS, FOR DEVELOPMENT ONLY"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def fake_host():
    made = []

    def make(*answers):
        made.append(FakeHost(*answers))
        return made[-1]

    yield make
    for host in made:
        host.close()


def writer(machine):
    """An application that writes down its arguments and ends."""
    folder = machine.folder / "app"
    folder.mkdir()
    folder.chmod(0o777)
    program = folder / "program"
    program.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "<$a>"; done > {folder}/new\nmv {folder}/new {folder}/said\n')
    program.chmod(0o755)
    return program, folder / "said"


def dev_boot_words(machine, program, *more):
    return ["dangerous-dev-boot", "--host-ip", "127.0.0.1", "--host-port", machine.port, "--pivot-path", program,
            "--restart-policy", "never", "--pivot-args", "[--msg,vapers-only,a b]", *more]


@pytest.mark.parametrize("override", [False, True])
def test_an_application_runs_with_its_arguments(new_machine, desk, override):
    machine = new_machine().start()
    program, said = writer(machine)
    more = ["--unsafe-eph-path-override", machine.file("ephemeral.key")] if override else []
    done = desk.ok(*dev_boot_words(machine, program, *more))
    assert done.stdout == "Enclave is provisioned!\n"
    assert WARNING in done.stderr and "No attestation is verified" in done.stderr
    assert ("--unsafe-eph-path-override: " in done.stderr) == override
    wait_until(said.exists, "the application to write its arguments")
    assert said.read_text() == "<--msg>\n<vapers-only>\n<a b>\n"
    info = machine.info()
    assert info["phase"] == "QuorumKeyProvisioned"
    manifest = info["manifestEnvelope"]["manifest"]
    seed = bytes.fromhex(machine.file("quorum.key").read_text().strip())
    assert model.Pair(seed).public.hex() == manifest["namespace"]["quorumKey"]
    assert manifest["namespace"]["name"] == ALIAS + "_NAMESPACE" and manifest["namespace"]["nonce"] == 4294967295
    assert seed.hex() not in done.stdout + done.stderr
    assert not any(seed.hex() in path.read_text(errors="replace") for path in desk.folder.rglob("*") if path.is_file())


def test_a_second_boot_is_refused_and_changes_nothing(new_machine, desk):
    machine = new_machine().start()
    program, said = writer(machine)
    desk.ok(*dev_boot_words(machine, program))
    wait_until(said.exists, "the application to write its arguments")
    key = machine.file("quorum.key").read_bytes()
    done = desk.refused(*dev_boot_words(machine, program), text="NoMatchingRoute(QuorumKeyProvisioned)")
    assert "provisioned!" not in done.stdout
    assert machine.file("quorum.key").read_bytes() == key
    assert machine.info()["phase"] == "QuorumKeyProvisioned"


def test_a_wrong_override_provisions_nothing_and_says_why(new_machine, desk):
    machine = new_machine().start()
    program, said = writer(machine)
    desk.refused(*dev_boot_words(machine, program, "--unsafe-eph-path-override", "member1.secret"),
                 text="DecryptionFailed")
    assert not said.exists() and not machine.file("quorum.key").exists()


def test_the_page_for_applications_shows_what_works(new_machine, desk):
    page = (ROOT / "docs" / "applications.md").read_text()
    section = page.split("\n## Trying it\n")[1].split("\n## ")[0]
    (commands,), (shown,) = (re.findall(rf"```{kind}\n(.*?)```", section, re.S) for kind in ("bash", "text"))
    words = shlex.split(commands.replace("\\\n", " "), comments=False)
    words = words[words.index("dangerous-dev-boot"):]
    machine = new_machine().start()
    program, said = writer(machine)
    given = {"3000": str(machine.port), "app": str(program)}
    done = desk.ok(*[given.get(word, word) for word in words])
    assert done.stdout == shown
    wait_until(said.exists, "the application to write its arguments")
    assert said.read_text() == "<--port>\n<4000>\n"


def booted_answer(document):
    return json.dumps({"bootStandardResponse": {"nsm_response": {"attestation": {"document": document.hex()}}}}).encode()


def provisioned_answer(reconstructed):
    return json.dumps({"provisionResponse": {"reconstructed": reconstructed}}).encode()


def words(host, *more):
    return ["dangerous-dev-boot", *host.words, "--pivot-path", "app", "--restart-policy", "AlwayS", *more]


def envelope_borsh(e):
    approvals = [model.b_list(e[name], lambda a: model.b_hex(a["signature"]) + model.b_member(a["member"]))
                 for name in ("manifestSetApprovals", "shareSetApprovals")]
    return model.b_manifest_v1(e["manifest"]) + b"".join(approvals)


def envelope_of(body):
    """The envelope in a boot request of the newer form, checked to the last byte."""
    assert body[0] == 23
    (n,) = struct.unpack("<I", body[1:5])
    rest = body[5 + n:]
    assert rest == model.b_bytes(b"#!/bin/sh\n")
    return json.loads(body[5:5 + n])


def check_envelope(e):
    m = e["manifest"]
    zero = "00" * 48
    member = m["manifestSet"]["members"][0]
    assert m["pivot"] == {"hash": hashlib.sha256(b"#!/bin/sh\n").hexdigest(), "restart": "Always", "bridgeConfig": [],
                          "debugMode": False, "args": []}
    assert member["alias"] == ALIAS
    assert m["manifestSet"] == {"threshold": 1, "members": [member]}
    assert m["shareSet"] == {"threshold": 2, "members": [member]}
    assert m["patchSet"] == {"threshold": 0, "members": []}
    enclave = {k: m["enclave"][k] for k in ("pcr0", "pcr1", "pcr2", "pcr3", "qosCommit")}
    assert enclave == {"pcr0": zero, "pcr1": zero, "pcr2": zero, "pcr3": zero, "qosCommit": "mock-qos-commit-ref"}
    assert e["shareSetApprovals"] == []
    (approval,) = e["manifestSetApprovals"]
    assert approval["member"] == member
    assert model.verify(bytes.fromhex(member["pubKey"]), model.manifest_hash(m), bytes.fromhex(approval["signature"]))
    return approval


def test_two_shares_of_one_member_make_the_key_of_the_manifest(desk, fake_host):
    setup = model.Pair()
    host = fake_host(booted_answer(attestation_document(setup.public)), provisioned_answer(False),
                     provisioned_answer(True))
    assert desk.ok(*words(host)).stdout == "Enclave is provisioned!\n"
    assert [path for path, _ in host.requests] == ["/qos/message"] * 3
    e = envelope_of(host.requests[0][1])
    approval = check_envelope(e)
    posts = [json.loads(body)["provisionRequest"] for _, body in host.requests[1:]]
    assert [post["approval"] for post in posts] == [approval] * 2
    shares = [setup.open(bytes.fromhex(post["share"])) for post in posts]
    assert [share[0] for share in shares] == [1, 2] and {len(share) for share in shares} == {33}
    assert model.Pair(model.combine(shares)).public.hex() == e["manifest"]["namespace"]["quorumKey"]


def test_each_boot_has_keys_of_its_own(desk, fake_host):
    keys = set()
    for _ in range(2):
        host = fake_host(b'{"protocolErrorResponse":"IOError"}')
        desk.refused(*words(host), text="IOError")
        m = envelope_of(host.requests[0][1])["manifest"]
        keys |= {m["namespace"]["quorumKey"], m["shareSet"]["members"][0]["pubKey"]}
    assert len(keys) == 4


def test_older_enclaves_get_the_older_forms(desk, fake_host):
    setup = model.Pair()
    host = fake_host(UNDECODABLE, booted_answer(attestation_document(setup.public)),
                     UNDECODABLE, b"\x08\x00", provisioned_answer(True))
    desk.ok(*words(host, "--pool-size", "5", "--client-timeout", "1"))
    bodies = [body for _, body in host.requests]
    e = envelope_of(bodies[0])
    assert bodies[1] == b"\x03" + envelope_borsh(e) + model.b_bytes(b"#!/bin/sh\n")
    json_post, borsh_post = json.loads(bodies[2])["provisionRequest"], bodies[3]
    approval = json_post["approval"]
    assert borsh_post == (b"\x07" + model.b_hex(json_post["share"]) + model.b_hex(approval["signature"])
                          + model.b_member(approval["member"]))
    assert json.loads(bodies[4])["provisionRequest"]["approval"] == approval
    assert len(bodies) == 5


def nsm_error():
    return json.dumps({"bootStandardResponse": {"nsm_response": {"error": "InputTooLarge"}}}).encode()


REFUSALS = {
    "an error of the enclave": ([b'{"protocolErrorResponse":"FailedToPutPivot"}'], "FailedToPutPivot", 1),
    "an error to the older form": ([UNDECODABLE, b'{"protocolErrorResponse":"FailedToPutPivot"}'],
                                   "FailedToPutPivot", 2),
    "no form understood": ([UNDECODABLE, UNDECODABLE], "ProtocolMsgDeserialization", 2),
    "an error of the NSM": ([nsm_error()], "InputTooLarge", 1),
    "an error of HTTP": ([(500, b"broken", {})], "status: 500", 1),
    "another answer": ([b'"injectKeyResponse"'], "Unexpected response", 1),
    "no document": ([booted_answer(b"\xff")], "attestation document", 1),
    "a document without a key": ([booted_answer(attestation_document(None))], "MissingPubKey", 1),
    "a key too early": ([booted_answer(attestation_document(model.Pair().public)), provisioned_answer(True)],
                        "expected the quorum key to be reconstructed with the last share only", 2),
    "no key at the end": ([booted_answer(attestation_document(model.Pair().public)), provisioned_answer(False),
                           provisioned_answer(False)],
                          "expected the quorum key to be reconstructed with the last share", 3),
    "a refused share": ([booted_answer(attestation_document(model.Pair().public)),
                         b'{"protocolErrorResponse":"NotShareSetMember"}'], "NotShareSetMember", 2),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_it_ends_at(desk, fake_host, name):
    answers, text, requests = REFUSALS[name]
    host = fake_host(*answers)
    done = desk.refused(*words(host), text=text)
    assert done.stdout == "" and len(host.requests) == requests


def test_nothing_is_sent_when_the_words_are_wrong(desk, fake_host):
    host = fake_host()
    for more, text in ((["--pivot-args", "a,b"], "--pivot-args: expected a list in brackets"),
                       (["--unsafe-eph-path-override"], None)):
        done = desk.run(*words(host, *more))
        assert done.returncode == 1 and (text or "requires a value") in done.stdout + done.stderr
    for path in ("absent", "approvals"):
        given = words(host)
        given[given.index("--pivot-path") + 1] = path
        desk.refused(*given, text="FailedToReadPivot")
    given = words(host)
    given[given.index("--restart-policy") + 1] = "sometimes"
    desk.refused(*given, text="--restart-policy: expected never or always, found sometimes")
    assert host.requests == []


def test_the_application_keeps_its_modes(new_machine, desk):
    """A development boot is a boot: files are those of every other one."""
    machine = new_machine().start()
    program, said = writer(machine)
    desk.ok(*dev_boot_words(machine, program))
    wait_until(said.exists, "the application to write its arguments")
    modes = {name: stat.S_IMODE(machine.file(name).stat().st_mode)
             for name in ("quorum.key", "ephemeral.key", "pivot.bin", "manifest")}
    assert modes == {"quorum.key": 0o400, "ephemeral.key": 0o400, "pivot.bin": 0o500, "manifest": 0o444}
