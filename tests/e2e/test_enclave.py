"""The real qos_core over its unix socket, against the independent model: genesis, boot and provision, what
it leaves when it is ended or killed, and how it starts. QUORATE_BIN names the folder with qos_core."""

import hashlib
import json
import os
import pathlib
import signal
import stat
import struct
import subprocess

import cbor2
import pytest

import qos_model as qos
from machine import PATIENCE, wait_until
from raw_enclave import APP_UID, CORE, SLEEPER, Ceremony


def test_genesis_gives_shares_that_rebuild_the_key(enclave):
    enclave.start()
    pairs = [qos.Pair() for _ in range(5)]
    recovery = qos.Pair()
    members = [qos.member(f"m{i}", p) for i, p in enumerate(pairs)]
    request = {"set": {"members": members, "threshold": 3}, "dr_key": recovery.public.hex()}
    reply = enclave.send({"bootGenesisRequest": request})["bootGenesisResponse"]
    output = reply["genesis_output"]
    assert output["set"] == {"members": members, "threshold": "3"}
    shares = []
    for pair, mine in zip(pairs, output["member_outputs"]):
        share = pair.open(bytes.fromhex(mine["encryptedQuorumKeyShare"]))
        assert hashlib.sha512(share).hexdigest() == mine["shareHash"]
        shares.append(share)
    for chosen in ([0, 1, 2], [4, 2, 0], [1, 3, 4], [0, 1, 2, 3, 4]):
        seed = qos.combine([shares[i] for i in chosen])
        assert qos.Pair(seed).public.hex() == output["quorum_key"]
    quorum = qos.Pair(seed)
    assert recovery.open(bytes.fromhex(output["dr_key_wrapped_quorum_key"])) == seed
    assert hashlib.sha512(seed.hex().encode()).hexdigest() == output["quorum_key_hash"]
    assert quorum.open(bytes.fromhex(output["test_message_ciphertext"])) == b"qos-test-message"
    assert qos.verify(quorum.public, b"qos-test-message",
                      bytes.fromhex(output["test_message_signature"]))
    document = bytes.fromhex(reply["nsm_response"]["attestation"]["document"])
    payload = cbor2.loads(cbor2.loads(document)[2])
    assert payload["user_data"] == hashlib.sha256(qos.b_genesis_output(output)).digest()
    assert payload["public_key"] is None
    assert enclave.phase() == "GenesisBooted"
    assert enclave.left() == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_whole_provision_starts_the_application(enclave, version):
    result = enclave.folder / "result"
    result.mkdir(mode=0o777)
    result.chmod(0o777)
    pivot = (b'#!/bin/sh\n{ id -u; echo "$1"; echo "COLOUR=$COLOUR"; cat "$2"; } > "$3"/out.tmp\n'
             b'mv "$3"/out.tmp "$3"/out\nwhile :; do sleep 1; done\n')
    args = ["two words", str(enclave.files["quorum"]), str(result)]
    c = Ceremony(pivot, version=version, args=args, env={"COLOUR": "blue"})
    enclave.start()
    c.provision(enclave)
    assert enclave.phase() == "QuorumKeyProvisioned"
    wait_until((result / "out").exists, "the application")
    lines = (result / "out").read_text().split("\n")
    colour = "COLOUR=blue" if version == 2 else "COLOUR="
    assert lines == [str(APP_UID), "two words", colour, c.quorum.seed.hex()]
    assert enclave.send("quorateStateRequest")["quorateStateResponse"]["pivot_running"] is True
    reply = enclave.send("liveAttestationDocRequest")["liveAttestationDocResponse"]
    document = bytes.fromhex(reply["nsm_response"]["attestation"]["document"])
    live = c.check(document, "qos-live-manifest-pcr-commitment-v1", 17)
    seed = bytes.fromhex(enclave.files["ephemeral"].read_text())
    assert qos.Pair(seed).public == live
    approvals = reply["manifest_envelope"]["shareSetApprovals"]
    assert [a["member"]["alias"] for a in approvals] == ["alice", "carol"]
    stored = json.loads(enclave.files["manifest"].read_text())
    assert [a["member"]["alias"] for a in stored["shareSetApprovals"]] == ["alice", "carol"]
    for name, mode in (("quorum", 0o400), ("ephemeral", 0o400), ("pivot", 0o500),
                       ("manifest", 0o444)):
        assert stat.S_IMODE(enclave.files[name].stat().st_mode) == mode
    assert enclave.files["quorum"].stat().st_uid == APP_UID


def test_honest_members_succeed_through_garbage_under_copied_approvals(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    setup = c.boot(enclave)
    assert c.post_bound(enclave, "alice", setup)["provisionResponse"] == {"reconstructed": False}
    for x in (2, 3, 77):
        reply = c.post(enclave, "bob", setup, bytes([x]) + os.urandom(32))
        assert reply == {"protocolErrorResponse": "ReconstructionErrorIncorrectPubKey"}
        assert enclave.phase() == "WaitingForQuorumShards"
    assert c.post_bound(enclave, "bob", setup)["provisionResponse"] == {"reconstructed": True}


def test_sigterm_stops_the_application_and_wipes_everything(enclave):
    enclave.start()
    Ceremony(SLEEPER).provision(enclave)
    children = pathlib.Path(f"/proc/{enclave.process.pid}/task/{enclave.process.pid}/children")
    application = int(children.read_text().split()[0])
    assert len(enclave.left()) == 4
    assert enclave.end() == 0
    assert enclave.left() == []
    assert not os.path.exists(enclave.socket)
    assert not os.path.exists(f"/proc/{application}")


def test_sigint_before_boot_exits_0(enclave):
    enclave.start()
    assert enclave.end(signal.SIGINT) == 0
    assert not os.path.exists(enclave.socket)


def test_after_kill_9_the_application_dies_and_a_new_start_wipes_what_was_left(enclave):
    enclave.start()
    Ceremony(SLEEPER).provision(enclave)
    children = pathlib.Path(f"/proc/{enclave.process.pid}/task/{enclave.process.pid}/children")
    application = int(children.read_text().split()[0])

    def application_is_gone():
        try:
            return "State:\tZ" in pathlib.Path(f"/proc/{application}/status").read_text()
        except FileNotFoundError:
            return True

    enclave.end(signal.SIGKILL)
    wait_until(application_is_gone, "the end of the application")
    assert len(enclave.left()) == 4
    enclave.log.write_text("")
    enclave.start()
    assert enclave.left() == []
    log = enclave.log.read_text()
    for path in enclave.files.values():
        assert str(path) in log
    assert enclave.phase() == "WaitingForBootInstruction"
    Ceremony(SLEEPER).provision(enclave)


def test_files_alone_start_nothing(enclave):
    published = enclave.folder / "published"
    published.mkdir()
    witness = enclave.folder / "witness"
    enclave.files["pivot"].write_text(f"#!/bin/sh\ntouch {witness}\n")
    enclave.files["pivot"].chmod(0o555)
    enclave.files["quorum"].write_text("00" * 32)
    enclave.files["manifest"].write_bytes(
        json.dumps(Ceremony(SLEEPER).envelope()).encode())
    enclave.start()
    assert enclave.left() == []
    assert enclave.phase() == "WaitingForBootInstruction"
    assert enclave.end() == 0
    assert not witness.exists()


def test_a_second_enclave_on_the_same_socket_leaves_the_first_ones_files(enclave):
    enclave.start()
    Ceremony(SLEEPER).provision(enclave)
    second = subprocess.run(enclave.command(), capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode == 1
    assert len(enclave.left()) == 4
    assert enclave.phase() == "QuorumKeyProvisioned"


def test_debug_output_of_the_application_is_shown(enclave):
    enclave.start()
    Ceremony(b"#!/bin/sh\necho hello\necho trouble >&2\n", debug=True).provision(enclave)
    wait_until(lambda: "PIVOT[OUT]: hello" in enclave.log.read_text()
             and "PIVOT[ERR]: trouble" in enclave.log.read_text(), "its output")
    state = lambda: enclave.send("quorateStateRequest")["quorateStateResponse"]["pivot_running"]
    wait_until(lambda: not state(), "its end")
    assert enclave.phase() == "QuorumKeyProvisioned"  # it goes on answering


def test_no_secret_is_in_the_log(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    c.provision(enclave)
    log = enclave.log.read_text()
    assert c.quorum.seed.hex() not in log
    assert enclave.files["ephemeral"].read_text() not in log


# A request of the REST API, its body in hex, and what stands around it.
AFTER_BOOT = 2 * (2 << 20) + (64 << 10)


def test_a_frame_over_the_limit_of_the_phase_closes_only_its_connection(enclave):
    enclave.start()
    Ceremony(SLEEPER).boot(enclave)
    with qos.Connection(enclave.socket) as c:
        c.socket.sendall(struct.pack("<Q", AFTER_BOOT + 1))
        assert c.socket.recv(1) == b""
    with qos.Connection(enclave.socket) as c:
        assert "protocolErrorResponse" in json.loads(c.call(b" " * AFTER_BOOT))
    assert enclave.phase() == "WaitingForQuorumShards"


def test_an_idle_connection_does_not_stop_others(enclave):
    enclave.start()
    idle = [qos.Connection(enclave.socket) for _ in range(200)]
    assert enclave.phase() == "WaitingForBootInstruction"
    for c in idle:
        c.socket.close()


def run(*words):
    return subprocess.run([str(CORE), *words], capture_output=True, text=True, timeout=PATIENCE)


def test_version_and_help():
    version = run("--version")
    assert version.returncode == 0
    assert version.stdout.split("\n")[0] == "version: 0.13.0"
    assert version.stdout.split("\n")[1].startswith("quorate ")
    help_ = run("--help")
    assert help_.returncode == 0
    for flag in ("usock", "cid", "port", "mock", "mock-pcrs", "quorum-file", "pivot-file",
                 "ephemeral-file", "manifest-file", "tee", "sim-dir", "role", "print-pcrs",
                 "app-user", "allow-unlocked-memory"):
        assert f"--{flag}" in help_.stdout


@pytest.mark.parametrize("words", [
    ["--mock"],
    ["--mock", "--usock", "x", "--port", "3"],
    ["--mock", "--cid", "3"],
    ["--usock", "x", "--mock-pcrs", "f"],
    ["--nothing"],
    ["bare"],
    ["--usock", "/tmp/x", "--tee", "none"],
    ["--mock", "--usock", "/tmp/x", "--usock", "/tmp/x"],
])
def test_wrong_options_are_one_sentence_and_exit_1(words, folder):
    done = run(*words, "--sim-dir", str(folder / "sim")) if "bare" not in words else run(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("qos_core: ")
    assert done.stderr.count("\n") == 1


def test_print_pcrs_prints_the_measurements(folder):
    words = ["--tee", "sim", "--sim-dir", str(folder / "sim"), "--print-pcrs"]
    first, second = run(*words), run(*words)
    assert first.returncode == 0
    assert first.stdout == second.stdout
    lines = [line.split(" ") for line in first.stdout.strip().split("\n")]
    assert [name for _, name in lines] == ["PCR0", "PCR1", "PCR2", "PCR3"]
    assert all(len(bytes.fromhex(value)) == 48 for value, _ in lines)
    other = run("--tee", "sim", "--sim-dir", str(folder / "sim"), "--role", "another", "--print-pcrs")
    assert other.stdout.split("\n")[:3] == first.stdout.split("\n")[:3]
    assert other.stdout.split("\n")[3] != first.stdout.split("\n")[3]
