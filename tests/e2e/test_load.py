"""Crowds and large messages: who is idle or slow stops nobody, and no message makes the enclave large. Times are
printed here (pytest -s) and measured by bench/run."""
import contextlib
import json
import os
import re
import resource
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

import qos_model as qos
from machine import PATIENCE
from host_alone import Host
from raw_enclave import SLEEPER, Ceremony
from traced import needs_plain_memory

IDLE = 1000
SLOW = 100
MIB = 1 << 20
CORE_MOST_MIB = 300
HOST_MOST_MIB = 12
CONNECTIONS = 64


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * (IDLE + SLOW) + 512
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} descriptors, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Crowd:
    """Connections that say nothing, and some that say a byte a second of a request that would be good."""

    def __init__(self, connect, slow_bytes):
        self.connect, self.slow_bytes = connect, slow_bytes
        self.idle, self.slow = [], []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._trickle, daemon=True)

    def __enter__(self):
        self.idle = [self.connect() for _ in range(IDLE)]
        self.slow = [self.connect() for _ in range(SLOW)]
        self._send(0)
        self.thread.start()
        return self

    def _send(self, at):
        for s in self.slow:
            with contextlib.suppress(OSError):  # the enclave ends what is too slow
                s.send(self.slow_bytes[at:at + 1])

    def _trickle(self):
        for at in range(1, len(self.slow_bytes)):
            if self.over.wait(1):
                return
            self._send(at)

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for s in self.idle + self.slow:
            s.close()


def frame(payload):
    return struct.pack("<Q", len(payload)) + payload


def to_unix(path):
    def connect():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(PATIENCE)
        s.connect(path)
        return s

    return connect


def test_a_thousand_idle_and_a_hundred_slow_peers_of_host_and_enclave_stop_no_member(enclave):
    ceremony = Ceremony(SLEEPER)
    setup = ceremony.boot(enclave.start())
    host = Host(enclave)
    slow_http = b"POST /qos/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n\"statusRequest\""
    try:
        with Crowd(lambda: socket.create_connection(("127.0.0.1", host.port), PATIENCE), slow_http), \
                Crowd(to_unix(enclave.socket), frame(b'"statusRequest"')):
            for name, complete in (("alice", False), ("carol", True)):
                share = qos.seal(setup, ceremony.shares[ceremony.names.index(name)]).hex()
                message = {"provisionRequest": {"share": share, "approval": qos.approval(
                    name, ceremony.pairs[name], ceremony.manifest)}}
                began = time.monotonic()
                answered = host.send(message)
                took = time.monotonic() - began
                print(f"{name} provisioned in {took * 1000:.0f} ms")
                assert answered == (200, {"provisionResponse": {"reconstructed": complete}})
                assert took < 2
    finally:
        host.process.stop()
    assert enclave.phase() == "QuorumKeyProvisioned"


def most_mib(program):
    text = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) / 1024


def test_the_host_stays_within_12_mib_while_64_connections_ask(enclave):
    needs_plain_memory()
    host = Host(enclave.start())
    ask = b"POST /qos/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n\"statusRequest\""
    end = b'{"statusResponse":"WaitingForBootInstruction"}'
    try:
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(socket.create_connection(("127.0.0.1", host.port), PATIENCE))
                     for _ in range(CONNECTIONS)]
            for _ in range(50):
                for s in crowd:
                    s.sendall(ask)
                for s in crowd:
                    reply = b""
                    while not reply.endswith(end):
                        part = s.recv(4096)
                        assert part, reply
                        reply += part
            print(f"at most {most_mib(host.process):.1f} MiB")
            assert most_mib(host.process) < HOST_MOST_MIB
    finally:
        host.process.stop()


def members(count):
    return [qos.member("m", qos.Pair())] * count


def large_messages():
    """(name, frame's payload), each near a limit of its encoding."""
    boot = Ceremony(SLEEPER)
    envelope = json.dumps(boot.envelope(), separators=(",", ":")).encode()
    json_most, borsh_most = 64 * MIB, 128 * MIB

    def filled(before, after, unit, most):
        return before + unit * ((most - len(before) - len(after)) // len(unit)) + after

    yield "JSON boot with a large application", filled(
        b'{"bootStandardRequest":{"manifest_envelope":' + envelope + b',"pivot":"', b'"}}', b"00", json_most)
    yield "JSON of one string of escapes", filled(b'{"bootStandardRequest":"', b'"}', b"\\u0041", json_most)
    yield "JSON of too many values", filled(b"[", b"0]", b"0,", json_most)
    yield "JSON of as many values as may be", b"[" + b"[]," * 65530 + b"0]"
    yield "JSON of many objects", b"[" + b'{"a":0},' * 32000 + b"0]"
    yield "JSON that is too deep", filled(b"", b"", b"[", json_most)
    yield "JSON with keys of a mebibyte", b"{" + b",".join(
        b'"%d%s":0' % (i, b"k" * MIB) for i in range(60)) + b"}"
    yield "JSON genesis with thousands of members", json.dumps({"bootGenesisRequest": {"set": {
        "threshold": 2, "members": members(20000)}}}).encode()
    yield "Borsh genesis with millions of members", filled(
        b"\x02" + struct.pack("<I", (borsh_most - 16) // 8), bytes(5), bytes(8), borsh_most)
    yield "Borsh boot of an envelope in JSON with a large application", filled(
        b"\x17" + qos.b_bytes(envelope) + struct.pack("<I", borsh_most - len(envelope) - 9), b"", b"p", borsh_most)
    text = filled(b'{"manifest":{"pivot":{"args":[', b'""]}}}', b'"",', borsh_most - 16)
    yield "Borsh boot of a large envelope in JSON", b"\x17" + qos.b_bytes(text) + qos.b_bytes(b"")
    text = filled(b'{"manifest":"', b'"}', b"x", 16 * MIB)
    yield "Borsh boot of the largest envelope in JSON and a large application", (
        b"\x17" + qos.b_bytes(text) + qos.b_bytes(bytes(borsh_most - len(text) - 9)))
    text = filled(b'{"manifest":"', b'"}', b"\\n", 16 * MIB)
    yield "Borsh boot of escapes in JSON and a large application", (
        b"\x17" + qos.b_bytes(text) + qos.b_bytes(bytes(borsh_most - len(text) - 9)))
    text = filled(b'{"manifest":"', b'"}', b"x", borsh_most - 16)
    yield "Borsh boot of one large string in JSON", b"\x17" + qos.b_bytes(text) + qos.b_bytes(b"")


def refused_or_closed(enclave, payload):
    try:
        reply = qos.call(enclave.socket, payload)
    except OSError:
        return "closed"
    assert b"protocolErrorResponse" in reply or reply[:1] == b"\0", reply[:100]
    return "refused"


def test_no_message_makes_the_enclave_larger_than_300_mib(enclave):
    needs_plain_memory()
    enclave.start()
    for name, payload in large_messages():
        what = refused_or_closed(enclave, payload)
        print(f"{name}: {len(payload) / MIB:.0f} MiB, {what}, at most {most_mib(enclave):.0f} MiB")
        assert enclave.process.poll() is None, name
        assert most_mib(enclave) < CORE_MOST_MIB, name
    assert enclave.phase() == "WaitingForBootInstruction"
    Ceremony(SLEEPER).provision(enclave)


def test_the_largest_application_boots_within_300_mib(enclave):
    needs_plain_memory()
    if os.statvfs(enclave.folder).f_bavail * os.statvfs(enclave.folder).f_frsize < 512 * MIB:
        pytest.skip("needs 512 MiB on the disk of temporary files")
    enclave.start()
    ceremony = Ceremony(SLEEPER + b"#" * (127 * MIB))
    ceremony.provision(enclave)
    print(f"at most {most_mib(enclave):.0f} MiB")
    assert most_mib(enclave) < CORE_MOST_MIB
    assert enclave.files["pivot"].stat().st_size == len(ceremony.pivot)


def test_slow_senders_of_small_frames_beside_a_large_one_stay_within_300_mib(enclave):
    needs_plain_memory()
    enclave.start()
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            slow = stack.enter_context(to_unix(enclave.socket)())
            slow.sendall(struct.pack("<Q", MIB) + bytes(MIB - 1))
        pivot = b"p" * (127 * MIB)
        ceremony = Ceremony(pivot)
        ceremony.boot(enclave)
    print(f"at most {most_mib(enclave):.0f} MiB")
    assert most_mib(enclave) < CORE_MOST_MIB


def test_large_frames_of_many_peers_at_once_come_one_after_the_other(enclave):
    needs_plain_memory()
    enclave.start()
    payload = b"\x17" + struct.pack("<I", 60 * MIB) + bytes(60 * MIB)
    replies = []
    callers = [threading.Thread(target=lambda: replies.append(refused_or_closed(enclave, payload)))
               for _ in range(6)]
    for caller in callers:
        caller.start()
    assert enclave.phase() == "WaitingForBootInstruction"
    for caller in callers:
        caller.join(PATIENCE)
    assert replies == ["refused"] * 6
    print(f"at most {most_mib(enclave):.0f} MiB")
    assert most_mib(enclave) < CORE_MOST_MIB
