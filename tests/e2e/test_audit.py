"""The audit log: what client and host leave in it, and that nothing can be done to it unseen."""
import hashlib
import json
import os
import re
import signal
import subprocess

import pytest
import qos_model as model
from desk import YES, Desk, environment
from machine import BIN, Process, answers, request, wait_until

KEYS = {"seq", "time", "who", "event", "details", "prev"}


def events(log):
    """The log, read and checked by an independent implementation."""
    lines = log.read_bytes().split(b"\n")
    assert lines.pop() == b""
    previous, found = bytes(32).hex(), []
    for number, line in enumerate(lines, 1):
        record = json.loads(line)
        assert line == model.canonical(record)
        assert record["seq"] == str(number) and record["prev"] == previous
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["time"])
        assert KEYS <= set(record) <= KEYS | {"manifestHash", "documentDigest"}
        previous = hashlib.sha256(line).hexdigest()
        found.append(record)
    return found


def head(log):
    return hashlib.sha256(log.read_bytes().splitlines()[-1]).hexdigest()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def logged(desk, **more):
    return dict(env=dict(environment(), QUORATE_AUDIT_LOG=str(desk.path("log"))), **more)


def key_words(name, *more):
    return ["generate-file-key", "--master-seed-path", f"{name}.secret", "--pub-path", f"{name}.pub",
            *more]


def test_every_step_leaves_an_event_with_what_it_was_about(desk):
    desk.ok(*desk.generate_words(), **logged(desk))
    manifest_hash = model.manifest_hash(desk.read_json("manifest")).hex()
    desk.ok(*desk.approve_words("member1", "--unsafe-auto-confirm"), **logged(desk))
    desk.refused(*desk.approve_words("member2"), answers="y\nn\n", text="not confirmed", **logged(desk))
    desk.ok(*desk.approve_words("member2"), answers=YES, **logged(desk))
    desk.ok(*desk.envelope_words(), **logged(desk))
    assert [(e["event"], e["who"], e["details"], e.get("manifestHash")) for e in events(desk.path("log"))] == [
        ("generate-manifest", "operator", "done", manifest_hash),
        ("approve-manifest", "member1", "done, with --unsafe-auto-confirm", manifest_hash),
        ("approve-manifest", "member2", "refused: not confirmed: Is this the correct namespace name: "
         "production/v1? (y/n)", manifest_hash),
        ("approve-manifest", "member2", "done", manifest_hash),
        ("generate-manifest-envelope", "operator", "done", manifest_hash),
    ]


def test_the_option_goes_before_the_environment_and_looking_leaves_nothing(desk):
    desk.generate()
    desk.ok(*key_words("a", "--audit-log", "other"), **logged(desk))
    desk.ok("display", "--file-path", "manifest", "--display-type", "manifest", **logged(desk))
    desk.ok("pivot-hash", "--pivot-path", "app", "--output-path", "h", **logged(desk))
    assert [e["event"] for e in events(desk.path("other"))] == ["generate-file-key"]
    assert not desk.path("log").exists()
    assert desk.path("other").stat().st_mode & 0o7777 == 0o600


def test_bundles_are_recorded_with_their_member(desk):
    desk.generate()
    desk.ok("bundle", "out", "--bundle-path", "b", "--alias", "member1", "--manifest-path", "manifest",
            "--pcr3-preimage-path", "pcr3-preimage.txt", **logged(desk))
    desk.ok("bundle", "sign", "--bundle-path", "b", "--answer-path", "a", "--secret-path",
            "member1.secret", answers=YES, **logged(desk))
    desk.ok("bundle", "in", "--bundle-path", "b", "--answer-path", "a", "--manifest-approvals-dir",
            "approvals", **logged(desk))
    hash_ = model.manifest_hash(desk.read_json("manifest")).hex()
    assert [(e["event"], e["who"], e["details"], e["manifestHash"]) for e in events(desk.path("log"))] == [
        (f"bundle {step}", "member1", "done", hash_) for step in ("out", "sign", "in")]


def three_events(desk):
    for name in "abc":
        desk.ok(*key_words(name), **logged(desk))
    return desk.path("log")


def test_verify_prints_the_count_and_the_head(desk):
    log = three_events(desk)
    done = desk.ok("audit", "verify", "--audit-log", "log")
    assert done.stdout == f"events: 3\nhead: {head(log)}\n" and done.stderr == ""
    desk.ok("audit", "verify", "--audit-log", "log", "--expect-head", head(log))
    desk.refused("audit", "verify", "--audit-log", "log", "--expect-head", "00" * 32,
                 text=f"found {head(log)}")
    desk.refused("audit", "verify", "--audit-log", "log", "--expect-head", "00", text="--expect-head")
    desk.refused("audit", "verify", "--audit-log", "none", text="audit log none")
    assert events(log)


def test_lines_taken_off_the_end_have_another_head(desk):
    log = three_events(desk)
    noted, lines = head(log), log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:2]))
    assert desk.ok("audit", "verify", "--audit-log", "log").stdout.startswith("events: 2\n")
    desk.refused("audit", "verify", "--audit-log", "log", "--expect-head", noted,
                 text="its last lines were taken off or changed")


BROKEN = [
    (lambda lines: [lines[0], lines[2]], "line 2: expected number 2, found 3"),
    (lambda lines: [lines[1], lines[0], lines[2]], "line 1: expected number 1, found 2"),
    (lambda lines: [*lines, lines[2]], "line 4: expected number 4, found 3"),
    (lambda lines: [lines[0].replace(b"operator", b"nobody"), *lines[1:]], "line 2 does not follow"),
    (lambda lines: [lines[0].replace(b'"who"', b'"why"'), *lines[1:]], "line 1 is no record"),
    (lambda lines: [lines[0], lines[1], lines[2][:-40]], "the last line, 3, is cut"),
    (lambda lines: [lines[0], lines[1], lines[2][:-1]], "the last line, 3, is cut"),
    (lambda lines: [lines[0], b"\n", *lines[1:]], "line 2 is no record"),
    (lambda lines: [b"\0" * 100000], "line 1 is no record"),
]


@pytest.mark.parametrize("change, text", BROKEN)
def test_a_broken_log_is_refused_before_anything_is_done(desk, change, text):
    log = three_events(desk)
    log.write_bytes(b"".join(change(log.read_bytes().splitlines(keepends=True))))
    before = log.read_bytes()
    desk.refused("audit", "verify", "--audit-log", "log", text=f"audit log log: {text}")
    desk.refused(*key_words("d"), text=text, **logged(desk))
    assert log.read_bytes() == before and not desk.path("d.secret").exists()


def test_the_remedy_for_a_cut_line_is_the_one_that_is_named(desk):
    log = three_events(desk)
    log.write_bytes(log.read_bytes()[:-25])
    done = desk.refused(*key_words("d"), text="is cut: a write was interrupted", **logged(desk))
    remedy = re.search(r"take it off: (truncate -s \d+ \S+)", done.stderr).group(1)
    subprocess.run(remedy.split(), check=True)
    desk.ok(*key_words("d"), **logged(desk))
    assert len(events(log)) == 3


def test_members_at_the_same_time_lose_nothing(desk):
    env = logged(desk)["env"]
    running = [subprocess.Popen([BIN / "qos_client", *key_words(f"k{i}")], cwd=desk.folder, env=env,
                                stdout=subprocess.DEVNULL) for i in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
    assert len(events(desk.path("log"))) == 8


def test_a_full_disk_is_said_and_leaves_a_whole_log(desk):
    for number in range(8):
        desk.ok(*key_words(f"k{number}"), **logged(desk))
    log = desk.path("log")
    before = log.read_bytes()
    for spare in (0, 1, 100):
        limited = ["prlimit", f"--fsize={len(before) + spare}", str(BIN / "qos_client"), *key_words("d", "--force")]
        done = subprocess.run(limited, capture_output=True, text=True, cwd=desk.folder,
                              env=logged(desk)["env"])
        assert done.returncode == 1, done.stdout + done.stderr
        assert "generate-file-key: was done, but is not in the audit log: audit log" in done.stderr
        assert log.read_bytes() == before
    refused = ["prlimit", f"--fsize={len(before)}", str(BIN / "qos_client"), *key_words("d")]
    done = subprocess.run(refused, capture_output=True, text=True, cwd=desk.folder, env=logged(desk)["env"])
    assert "error: not in the audit log" in done.stderr and "error: d.secret: exists already" in done.stderr
    desk.ok(*key_words("e"), **logged(desk))
    assert len(events(log)) == 9


def test_a_command_killed_at_its_question_leaves_a_whole_log(desk):
    desk.generate()
    three_events(desk)
    process = subprocess.Popen([BIN / "qos_client", *map(str, desk.approve_words("member1"))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=desk.folder,
                               env=logged(desk)["env"])
    process.stdout.readline()  # it asks, with the log open
    desk.ok(*key_words("d"), **logged(desk))  # and keeps nobody else from it
    process.send_signal(signal.SIGKILL)
    process.communicate()
    desk.ok(*key_words("e"), **logged(desk))
    assert len(events(desk.path("log"))) == 5


def test_a_log_that_cannot_be_written_is_refused_first(desk):
    desk.refused(*key_words("a", "--audit-log", "none/log"), text="audit log none/log")
    desk.path("folder").mkdir()
    desk.refused(*key_words("a", "--audit-log", "folder"), text="audit log folder")
    os.mkfifo(desk.path("fifo"))
    desk.refused(*key_words("a", "--audit-log", "fifo"), text="regular file")
    os.symlink("elsewhere", desk.path("link"))
    desk.refused(*key_words("a", "--audit-log", "link"), text="audit log link")
    assert not desk.path("a.secret").exists() and not desk.path("elsewhere").exists()


# The host's log.

def host_with_log(machine, log):
    """The machine's host, started again with a log."""
    machine.host.stop()
    machine.host = Process(BIN / "qos_host", [
        "--host-ip", "127.0.0.1", "--host-port", machine.port, "--usock", machine.socket,
        "--audit-log", log], machine.folder / f"log{machine.starts}.audited-host")
    machine.host.wait_ready(lambda: answers(machine.port, "/qos/host-health"), "qos_host to answer")


def brief(event):
    return re.sub(r"request of \d+ bytes, SHA-256 [0-9a-f]{64}; ", "", event["details"])


def test_client_and_host_tell_the_same_ceremony(new_ceremony, monkeypatch):
    c = new_ceremony()
    own, hosts = c.folder / "client.log", c.folder / "host.log"
    monkeypatch.setenv("QUORATE_AUDIT_LOG", str(own))
    c.machine.start()
    host_with_log(c.machine, hosts)
    c.write_release()
    c.keys()
    c.genesis()
    for member in c.members:
        c.after_genesis(member)
    c.machine.restart()
    host_with_log(c.machine, hosts)
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.provision()
    c.client("enclave-status", *c.host())
    manifest = json.loads(c.manifest_path().read_text())
    manifest_hash = model.manifest_hash(manifest).hex()
    genesis_document = hashlib.sha256((c.genesis_dir / "genesis_attestation_doc").read_bytes()).hexdigest()
    fetched = hashlib.sha256(c.attestation().read_bytes()).hexdigest()
    mine = events(own)
    assert {e["details"] for e in mine} == {"done"}
    assert [(e["event"], e["who"]) for e in mine] == [
        *[("generate-file-key", "operator")] * 3, ("boot-genesis", "operator"),
        *[("after-genesis", member) for member in c.members], ("generate-manifest", "operator"),
        ("approve-manifest", "member1"), ("approve-manifest", "member2"),
        ("generate-manifest-envelope", "operator"), ("boot-standard", "operator"),
        ("get-attestation-doc", "operator"), ("proxy-re-encrypt-share", "member1"),
        ("proxy-re-encrypt-share", "member2"), ("post-share", "member1"), ("post-share", "member2")]
    by_event = {e["event"]: e for e in mine}
    assert {e["documentDigest"] for e in mine[3:7]} == {genesis_document}
    assert {e.get("manifestHash") for e in mine[7:15]} == {manifest_hash}
    assert by_event["get-attestation-doc"]["documentDigest"] == fetched
    assert by_event["proxy-re-encrypt-share"]["documentDigest"] == fetched
    theirs = events(hosts)
    assert {e["who"] for e in theirs} == {"qos_host"}
    accepted = "accepted; phase "
    assert [(e["event"], brief(e)) for e in theirs] == [
        ("bootGenesisRequest", accepted + "GenesisBooted"),
        ("bootStandardJsonEnvelopeRequest", accepted + "WaitingForQuorumShards"),
        ("quorateBoundProvisionRequest",
         "accepted, the quorum key has not been reconstructed; phase WaitingForQuorumShards"),
        ("quorateBoundProvisionRequest",
         "accepted, the quorum key has been reconstructed; phase QuorumKeyProvisioned")]
    assert theirs[0]["documentDigest"] == genesis_document and "manifestHash" not in theirs[0]
    assert theirs[1]["documentDigest"] == by_event["boot-standard"]["documentDigest"]
    assert theirs[1]["manifestHash"] == manifest_hash
    for log in (own, hosts):
        text = log.read_text()
        for member in c.members:
            assert c.secret(member).read_text() not in text
            assert c.share(member).read_bytes().hex() not in text


def test_the_host_records_refusals_and_what_it_cannot_read_but_no_questions(new_machine, tmp_path):
    machine, log = new_machine().start(), tmp_path / "log"
    host_with_log(machine, log)
    sent = b'{"provisionRequest":{"share":"00","approval":{"signature":"00","member":{"alias":"x","pubKey":"00"}}}}'

    def post(body):
        return request(machine.port, "POST", "/qos/message", body)

    for body in (b'"statusRequest"', b'{"versionRequest":null}', b'\x01', sent, b"garbage", b"\x03"):
        assert post(body)[0] == 200
    found = events(log)
    assert [e["event"] for e in found] == ["provisionRequest", "unknown message", "bootStandardRequest"]
    assert f"request of {len(sent)} bytes, SHA-256 {hashlib.sha256(sent).hexdigest()}; " in found[0]["details"]
    assert brief(found[0]).startswith("refused: NoMatchingRoute")
    assert brief(found[1]).startswith("refused: ProtocolMsgDeserialization")
    assert all(e["details"].endswith("; phase WaitingForBootInstruction") for e in found)
    machine.core.stop()
    assert post(sent) == (500, b'{"protocolErrorResponse":"EnclaveClient"}')
    last = events(log)[-1]
    assert brief(last).startswith("no answer: ") and last["details"].endswith("; phase unknown")


def test_a_host_does_not_start_on_a_broken_log(new_machine, desk):
    log = three_events(desk)
    log.write_bytes(log.read_bytes()[:-3])
    words = ["--host-ip", "127.0.0.1", "--host-port", "0", "--usock", str(desk.path("none")),
             "--audit-log", str(log)]
    done = subprocess.run([BIN / "qos_host", *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "the last line, 3, is cut" in done.stderr and done.stdout == ""


def test_a_log_that_breaks_keeps_nobody_from_the_enclave(new_machine, tmp_path):
    machine, log = new_machine().start(), tmp_path / "log"
    host_with_log(machine, log)
    assert request(machine.port, "POST", "/qos/message", b"one")[0] == 200
    whole = log.read_bytes()
    log.write_bytes(whole[:20])
    assert request(machine.port, "POST", "/qos/message", b"two")[0] == 200
    wait_until(lambda: "not in the audit log: audit log" in machine.host.err(), "the host to say so")
    assert "is shorter than it was" in machine.host.err() and log.read_bytes() == whole[:20]
    log.write_bytes(whole)
    assert request(machine.port, "POST", "/qos/message", b"three")[0] == 200
    assert len(events(log)) == 2


def test_host_and_client_may_share_a_log(new_machine, desk):
    machine, log = new_machine().start(), desk.path("log")
    host_with_log(machine, log)
    for number in range(3):
        assert request(machine.port, "POST", "/qos/message", b"x")[0] == 200
        desk.ok(*key_words(f"k{number}"), **logged(desk))
    assert [e["who"] for e in events(log)] == ["qos_host", "operator"] * 3
