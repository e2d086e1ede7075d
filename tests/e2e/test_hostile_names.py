"""Aliases and namespaces with control, bidirectional, invisible and path characters, very long ones, NUL, bytes that
are no UTF-8, and letters that look alike: shown harmlessly, never a path, never another member."""
import json
import os
import unicodedata

import pytest

import qos_model as qos
from desk import YES, Desk, talk
from machine import BIN, Process, answers, free_port, request
from raw_enclave import SLEEPER, Ceremony

NAMES = {
    "control": "a\x1b[2J\x07b", "newline": "a\nrefused: b", "C1 control": "a\x9b2Jb", "DEL": "a\x7fb",
    "bidirectional": "a\u202egnp.b", "isolate": "a\u2066b", "zero width": "a\u200bb",
    "invisible letter": "a\u3164b", "tag": "a\U000e0041b", "line separator": "a\u2028b",
    "path": "../../../../tmp/quorate-escaped", "absolute": "/tmp/quorate-escaped", "dots": "..",
    "NUL": "a\0b", "very long": "x" * 100_000, "format": "%s%n%s%n",
    "not a control": "\u0430lice", "quote": 'a"b\\c',
}
REFUSED_BY_CLIENT = [n for n in NAMES if n not in ("not a control", "quote", "format", "NUL", "absolute")]


def harmless(text):
    """No character of this text steers or deceives a terminal."""
    bad = [c for c in text if c != "\n" and (unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")
                                             or c == "\u3164")]
    assert not bad, ascii(text[:2000])
    return text


def renamed(ceremony, name):
    """A ceremony whose namespace and second member bear this name."""
    members = ceremony.manifest["shareSet"]["members"]
    members[1]["alias"] = name
    ceremony.manifest["namespace"]["name"] = name
    ceremony.pairs[name] = ceremony.pairs["bob"]
    ceremony.names[1] = name
    return ceremony


@pytest.mark.parametrize("name", NAMES)
def test_the_enclave_takes_a_name_as_bytes_and_logs_it_harmlessly(enclave, name):
    enclave.start()
    c = renamed(Ceremony(SLEEPER), NAMES[name])
    setup = c.boot(enclave)
    outsider = {"provisionRequest": {"share": "00", "approval": qos.approval(
        NAMES[name] + "2", c.pairs["bob"], c.manifest)}}
    assert enclave.send(outsider) == {"protocolErrorResponse": "NotShareSetMember"}
    assert c.post(enclave, c.names[1], setup) == {"provisionResponse": {"reconstructed": False}}
    reply = c.post(enclave, "carol", setup, c.shares[1])
    assert reply == {"protocolErrorResponse": {"QosCrypto": "Vsss(SharingDuplicateIdentifier)"}}
    reply = c.post(enclave, "carol", setup, bytes([9]) + os.urandom(32))
    assert reply == {"protocolErrorResponse": "ReconstructionErrorIncorrectPubKey"}
    assert c.post(enclave, c.names[1], setup) == {"provisionResponse": {"reconstructed": False}}
    assert c.post(enclave, "alice", setup) == {"provisionResponse": {"reconstructed": True}}
    assert enclave.left() == sorted(p.name for p in enclave.files.values())
    assert not os.path.exists("/tmp/quorate-escaped")
    lines = harmless(enclave.log.read_text()).splitlines()
    assert all(line.startswith("qos_core: ") for line in lines), lines
    assert max(map(len, lines)) < 2100
    stored = json.loads(enclave.files["manifest"].read_text())
    assert stored["manifest"]["namespace"]["name"] == NAMES[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_genesis_gives_names_back_as_they_came(enclave, name):
    enclave.start()
    pairs = [qos.Pair(), qos.Pair()]
    members = [qos.member(NAMES[name], pairs[0]), qos.member("other", pairs[1])]
    twice = [members[0], {**members[1], "alias": NAMES[name]}]
    reply = enclave.send({"bootGenesisRequest": {"set": {"members": twice, "threshold": 2}}})
    assert reply == {"protocolErrorResponse": "DuplicateQuorumMember"}
    reply = enclave.send({"bootGenesisRequest": {"set": {"members": members, "threshold": 2}}})
    output = reply["bootGenesisResponse"]["genesis_output"]
    assert output["set"]["members"] == members
    assert [o["shareSetMember"] for o in output["member_outputs"]] == members
    harmless(enclave.log.read_text())


@pytest.mark.parametrize("encoding", ["JSON", "Borsh", "JSON in Borsh"])
def test_names_that_are_no_text_are_refused(enclave, encoding):
    enclave.start()
    c = Ceremony(SLEEPER)
    plain = json.dumps(c.envelope(), separators=(",", ":")).encode().replace(b'"e2e"', b'"e\xff\xfe"')
    request = {
        "JSON": b'{"bootStandardRequest":{"manifest_envelope":' + plain + b',"pivot":"00"}}',
        "Borsh": b"\x05" + qos.b_list([b"\x02\0\0\0\xff\xfe" + qos.b_bytes(c.pairs["bob"].public)],
                                      lambda m: m) + b"\x02\0\0\0\0",
        "JSON in Borsh": b"\x17" + qos.b_bytes(plain) + qos.b_bytes(c.pivot),
    }[encoding]
    reply = json.loads(qos.call(enclave.socket, request))
    assert reply in ({"protocolErrorResponse": "ProtocolMsgDeserialization"},)
    assert enclave.phase() == "WaitingForBootInstruction"
    harmless(enclave.log.read_text())
    c.provision(enclave)


@pytest.mark.parametrize("name", NAMES)
def test_the_host_shows_names_harmlessly(enclave, name):
    enclave.start()
    renamed(Ceremony(SLEEPER), NAMES[name]).boot(enclave)
    port = free_port()
    host = Process(BIN / "qos_host", ["--host-ip", "127.0.0.1", "--host-port", port, "--usock",
                                      enclave.socket], enclave.folder / "host")
    try:
        host.wait_ready(lambda: answers(port, "/qos/host-health"), "qos_host")
        status, body = request(port, "GET", "/qos/enclave-info")
        assert status == 200
        assert json.loads(body)["manifestEnvelope"]["manifest"]["namespace"]["name"] == NAMES[name]
        assert not any(c < 0x20 for c in body)
        harmless(request(port, "GET", "/metrics")[1].decode())
    finally:
        host.stop()
    harmless(host.said())


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def harmless_output(done):
    harmless(done.stdout + done.stderr)
    return done


@pytest.mark.parametrize("name", REFUSED_BY_CLIENT)
def test_a_hostile_namespace_is_refused_when_made_and_when_approved(desk, name):
    words = ["namespace:" if w == "production/v1" else w for w in desk.generate_words()]
    words[words.index("namespace:")] = NAMES[name]
    harmless_output(desk.refused(*words, text="--namespace: expected"))
    assert not desk.path("manifest").exists()
    manifest = desk.generate()
    manifest["namespace"]["name"] = NAMES[name]
    desk.write("manifest", json.dumps(manifest))
    harmless_output(desk.refused(*desk.approve_words("member1"), answers=YES, text="namespace: expected"))
    assert list(desk.path("approvals").iterdir()) == []


@pytest.mark.parametrize("name", [n for n in REFUSED_BY_CLIENT] + ["absolute"])
def test_a_hostile_alias_names_no_approval(desk, name):
    desk.generate()
    words = desk.approve_words("member1")
    words[words.index("member1")] = NAMES[name]
    harmless_output(desk.refused(*words, answers=YES, text="--alias: expected"))
    assert list(desk.path("approvals").iterdir()) == []
    desk.approve("member1")


@pytest.mark.parametrize("file", [
    b"\x1b[2J.pub", b"a\xe2\x80\xaegnp.pub", b"a\nb.pub", b"\xff.pub", b"a\xc2\x9b2J.pub",
    b"\xe3\x85\xa4.pub", b".pub", b"-.\xe2\x80\xae.pub"], ids=ascii)
def test_a_hostile_file_name_in_a_set_folder_is_refused_and_shown_harmlessly(desk, file):
    hostile = os.path.join(os.fsencode(desk.path("share-set")), file)
    with open(hostile, "w", encoding="ascii") as f:
        f.write(qos.Pair().public.hex() if not file.startswith(b"-") else "no key")
    harmless_output(desk.refused(*desk.generate_words(), text="share-set/"))
    assert not desk.path("manifest").exists()
    os.unlink(hostile)
    desk.generate()


@pytest.mark.parametrize("file", [b"\x1b[2J.approval", b"a\xe2\x80\xaegnp.approval", b"\xff.approval"], ids=ascii)
def test_a_hostile_file_name_among_approvals_is_skipped_and_shown_harmlessly(desk, file):
    desk.generate()
    desk.approve("member1", "member2")
    with open(os.path.join(os.fsencode(desk.path("approvals")), file), "w", encoding="ascii") as f:
        f.write("{}")
    done = harmless_output(desk.ok(*desk.envelope_words()))
    assert "skipped" in done.stderr


@pytest.mark.parametrize("name", [n for n in NAMES if n != "very long"])
def test_questions_about_a_hostile_application_are_shown_harmlessly(desk, name):
    manifest = desk.generate()
    manifest["pivot"]["args"] = [NAMES[name]]
    manifest["pivot"]["bridgeConfig"][0]["host"] = NAMES[name]
    desk.write("manifest", json.dumps(manifest))
    questions, code, rest = talk(desk, desk.approve_words("member1"), ["y"] * 7)
    harmless("".join(questions) + rest)
    assert all(q.count("\n") == (2 if "[" in q else 0) for q in questions)
    if name == "NUL":
        assert "a\\0b" in questions[4]


def test_a_member_in_letters_that_look_alike_is_another_member_and_is_told_apart(desk):
    desk.generate()
    manifest = desk.read_json("manifest")
    for folder in ("manifestSet", "shareSet"):
        manifest[folder]["members"][2]["alias"] = "m\u0435mber3"
    desk.write("manifest", json.dumps(manifest))
    done = desk.refused(*desk.approve_words("member1"), answers=YES,
                        text="member 3 is member3, the manifest has m\\u{435}mber3 there")
    assert "Manifest Set composition does not match" in done.stderr
    desk.generate()
    desk.approve("member1")
    stranger = desk.read_json(desk.approval_name("member1"))
    stranger["member"]["alias"] = "m\u0435mber1"
    desk.write("approvals/stranger.approval", json.dumps(stranger))
    desk.refused(*desk.envelope_words(), text="NotEnoughApprovals")
    desk.approve("member2")
    desk.ok(*desk.envelope_words())


def test_a_namespace_in_letters_that_look_alike_is_pointed_out_beside_the_question(desk):
    manifest = desk.generate()
    assert "letters beyond ASCII" not in desk.run(*desk.approve_words("member1"), answers="").stderr
    manifest["namespace"]["name"] = "\u0440roduction/v1"
    desk.write("manifest", json.dumps(manifest))
    done = desk.refused(*desk.approve_words("member1"), answers="y\nn\n", text="not confirmed")
    assert "namespace: has letters beyond ASCII, which may look like others: \\u{440}roduction/v1" in done.stderr
    assert done.stdout.splitlines()[1] == "Is this the correct namespace name: \u0440roduction/v1? (y/n)"


@pytest.mark.parametrize("name", [n for n in NAMES if n != "very long"])
def test_display_of_hostile_names_is_plain_ascii(desk, name):
    manifest = desk.generate()
    manifest["namespace"]["name"] = NAMES[name]
    desk.write("manifest", json.dumps(manifest))
    done = harmless_output(desk.ok("display", "--file-path", "manifest", "--display-type", "manifest"))
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["namespace"]["name"] == NAMES[name]
