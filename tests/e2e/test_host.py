"""qos_host against an enclave of scripted answers: every route, status, header and body byte for byte
(qos-behaviour 3), TLS, metrics, slow and dead enclaves, crowds, and its end."""
import contextlib
import datetime
import http.client
import ipaddress
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fake_enclave import FakeEnclave, canonical

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = pathlib.Path(os.environ.get("QUORATE_BIN", ROOT / "build/bin")) / "qos_host"
SHARED = pathlib.Path(os.environ.get("QUORATE_SHARED", ROOT.parent / "shared"))

STATUS = b'"statusRequest"'
ENVELOPE = b'"manifestEnvelopeRequest"'
LIVE = b'"liveAttestationDocRequest"'
STATE = b'"quorateStateRequest"'
UNKNOWN = b'{"protocolErrorResponse":"ProtocolMsgDeserialization"}'
ENCLAVE_CLIENT = b'{"protocolErrorResponse":"EnclaveClient"}'


def wait_until(holds, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.005)


def wire(value):
    return json.dumps(canonical(value), separators=(",", ":"), ensure_ascii=False).encode()


def status(phase):
    return wire({"statusResponse": phase})


class Host:
    def __init__(self, enclave, *options):
        words = [HOST, "--host-ip", "127.0.0.1", "--host-port", "0", "--usock", enclave, *options]
        self.process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = [self.process.stdout.readline().decode() for _ in range(2)]
        self.log = []
        threading.Thread(target=self._read_log, daemon=True).start()
        found = re.fullmatch(r"HostServer listening on 127\.0\.0\.1:([0-9]+)\n", self.lines[1])
        assert found, self.lines
        self.port = int(found.group(1))

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode())

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, headers=None):
        """Status, headers as a dict in lower case, body."""
        connection = self.connect()
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()

    def metrics(self):
        code, headers, body = self.ask("GET", "/metrics")
        assert code == 200
        assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return body.decode()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(10)


@pytest.fixture
def enclaves(tmp_path):
    made = []

    def make(answers, **options):
        made.append(FakeEnclave(tmp_path / f"enclave{len(made)}", answers, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def hosts():
    made = []

    def make(enclave, *options):
        made.append(Host(enclave, *options))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait(10)
        one.process.stdout.close()


# Plain JSON in the order the files have.
MEMBER = {"alias": "member1", "pubKey": "04" * 130}
ENVELOPE_V1 = {
    "manifest": {
        "namespace": {"name": "test/signer", "nonce": 7, "quorumKey": "05" * 130},
        "pivot": {
            "hash": "06" * 32,
            "restart": "Always",
            "bridgeConfig": [{"type": "server", "port": 3000, "host": "0.0.0.0"}],
            "debugMode": False,
            "args": ["--a", "ä \"q\""],
        },
        "manifestSet": {"threshold": 2, "members": [MEMBER, {"alias": "member2", "pubKey": "07" * 130}]},
        "shareSet": {"threshold": 2, "members": [MEMBER]},
        "enclave": {
            "pcr0": "00" * 48,
            "pcr1": "01" * 48,
            "pcr2": "02" * 48,
            "pcr3": "03" * 48,
            "awsRootCertificate": "0a0b",
            "qosCommit": "abc",
        },
        "patchSet": {"threshold": 0, "members": []},
    },
    "manifestSetApprovals": [{"signature": "08" * 64, "member": MEMBER}],
    "shareSetApprovals": [],
}


def document(public_key):
    """A document as a Nitro enclave makes them, with a signature that does not hold: the host only reads."""
    payload = {
        "module_id": "i-0123456789abcdef0-enc0123456789abcdef",
        "digest": "SHA384",
        "timestamp": 1700000000000,
        "pcrs": {i: bytes(48) for i in range(16)},
        "certificate": b"\x30\x03\x02\x01\x00",
        "cabundle": [b"\x30\x03\x02\x01\x00"],
        "public_key": public_key,
        "user_data": bytes(32),
        "nonce": None,
    }
    return cbor2.dumps([cbor2.dumps({1: -35}), {}, cbor2.dumps(payload), bytes(96)])


def live(public_key, envelope=None):
    attestation = {"attestation": {"document": document(public_key).hex()}}
    return wire({"liveAttestationDocResponse": {"nsm_response": attestation, "manifest_envelope": envelope}})


def test_host_health_never_needs_an_enclave(hosts, tmp_path):
    host = hosts(tmp_path / "nothing")
    assert host.lines[0] == f"StreamPool start address: unix socket {tmp_path}/nothing\n"
    code, headers, body = host.ask("GET", "/qos/host-health")
    assert (code, body) == (200, b"Ok!")
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-length"] == "3"


def test_head_is_answered_like_get_without_a_body(hosts, enclaves):
    host = hosts(enclaves({STATUS: status("WaitingForBootInstruction")}).path)
    code, headers, body = host.ask("HEAD", "/qos/host-health")
    assert (code, body, headers["content-length"]) == (200, b"", "3")
    code, headers, body = host.ask("HEAD", "/qos/enclave-health")
    assert (code, body, headers["content-length"]) == (503, b"", str(len("WaitingForBootInstruction")))


@pytest.mark.parametrize(
    "phase, expected",
    [
        ("QuorumKeyProvisioned", 200),
        ("GenesisBooted", 200),
        ("UnrecoverableError", 503),
        ("WaitingForBootInstruction", 503),
        ("WaitingForQuorumShards", 503),
        ("WaitingForForwardedKey", 503),
    ],
)
def test_enclave_health_is_the_phase(hosts, enclaves, phase, expected):
    host = hosts(enclaves({STATUS: status(phase)}).path)
    code, headers, body = host.ask("GET", "/qos/enclave-health")
    assert (code, body.decode()) == (expected, phase)
    assert headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("answer", [b"", b"{]", UNKNOWN, b'{"statusResponse":"<script>"}'])
def test_enclave_health_of_an_enclave_that_babbles_is_500(hosts, enclaves, answer):
    host = hosts(enclaves({STATUS: answer}).path)
    code, headers, body = host.ask("GET", "/qos/enclave-health")
    assert code == 500
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert body and b"<" not in body


def test_enclave_health_without_an_enclave_is_500(hosts, tmp_path):
    code, _, body = hosts(tmp_path / "nothing").ask("GET", "/qos/enclave-health")
    assert code == 500
    assert b"nothing: No such file or directory" in body


def test_enclave_info_before_boot(hosts, enclaves):
    enclave = enclaves(
        {
            STATUS: status("WaitingForBootInstruction"),
            ENVELOPE: b'{"manifestEnvelopeResponse":{}}',
            LIVE: b'{"protocolErrorResponse":{"NoMatchingRoute":"WaitingForBootInstruction"}}',
        }
    )
    code, headers, body = hosts(enclave.path).ask("GET", "/qos/enclave-info")
    assert code == 200
    assert headers["content-type"] == "application/json"
    assert body == b'{"phase":"WaitingForBootInstruction","manifestEnvelope":null,"ephemeralKey":null}'
    assert STATE not in enclave.requests


def booted(phase, **more):
    return {
        STATUS: status(phase),
        ENVELOPE: wire({"manifestEnvelopeResponse": {"manifest_envelope": ENVELOPE_V1}}),
        LIVE: live(b"\x04\xab" * 65, ENVELOPE_V1),
        "other": UNKNOWN,
        **more,
    }


def info(phase, tail=b""):
    envelope = json.dumps(ENVELOPE_V1, separators=(",", ":"), ensure_ascii=False).encode()
    key = b"04ab" * 65
    return b'{"phase":"%s","manifestEnvelope":%s,"ephemeralKey":"%s"%s}' % (phase.encode(), envelope, key, tail)


def test_enclave_info_after_boot(hosts, enclaves):
    enclave = enclaves(booted("WaitingForQuorumShards"))
    host = hosts(enclave.path)
    code, _, body = host.ask("GET", "/qos/enclave-info")
    assert (code, body) == (200, info("WaitingForQuorumShards"))
    wait_until(lambda: any('"namespace":"test/signer","nonce":7' in line for line in host.log))
    assert STATE not in enclave.requests


@pytest.mark.parametrize("running", [True, False])
def test_enclave_info_says_whether_the_application_runs_once_provisioned(hosts, enclaves, running):
    state = {
        "phase": "QuorumKeyProvisioned",
        "pivot_running": running,
        "tee": "sim",
        "shares_held": 2,
        "shares_needed": 2,
    }
    answers = booted("QuorumKeyProvisioned")
    answers[STATE] = wire({"quorateStateResponse": state})
    code, _, body = hosts(enclaves(answers).path).ask("GET", "/qos/enclave-info")
    tail = b',"pivot_running":true' if running else b',"pivot_running":false'
    assert (code, body) == (200, info("QuorumKeyProvisioned", tail))


def test_enclave_info_of_an_enclave_without_our_message(hosts, enclaves):
    enclave = enclaves(booted("QuorumKeyProvisioned"))
    code, _, body = hosts(enclave.path).ask("GET", "/qos/enclave-info")
    assert (code, body) == (200, info("QuorumKeyProvisioned"))
    assert STATE in enclave.requests


def test_enclave_info_with_a_document_that_cannot_be_read(hosts, enclaves):
    answers = booted("WaitingForQuorumShards")
    answers[LIVE] = b'{"liveAttestationDocResponse":{"nsm_response":{"attestation":{"document":"d28443"}}}}'
    code, _, body = hosts(enclaves(answers).path).ask("GET", "/qos/enclave-info")
    assert code == 200
    assert body.endswith(b',"ephemeralKey":null}')


def test_enclave_info_after_genesis_is_500_and_says_why(hosts, enclaves):
    refusal = b'{"protocolErrorResponse":{"NoMatchingRoute":"GenesisBooted"}}'
    enclave = enclaves({STATUS: status("GenesisBooted"), "other": refusal})
    code, headers, body = hosts(enclave.path).ask("GET", "/qos/enclave-info")
    assert code == 500
    assert headers["content-type"] == "application/json"
    error = json.loads(body)
    assert list(error) == ["error"]
    assert "GenesisBooted" in error["error"] and "restart" in error["error"]


def test_enclave_info_without_an_enclave_is_500(hosts, tmp_path):
    code, headers, body = hosts(tmp_path / "nothing").ask("GET", "/qos/enclave-info")
    assert code == 500
    assert headers["content-type"] == "application/json"
    assert "No such file or directory" in json.loads(body)["error"]


def test_enclave_info_is_the_body_that_is_known_for_a_booted_enclave(hosts, enclaves):
    known = SHARED / "vectors/qos/derived/enclave_info_booted_v1.json"
    if not known.exists():
        pytest.skip(f"{known} is not there")
    expected = known.read_bytes()
    value = json.loads(expected)
    answers = {
        STATUS: status(value["phase"]),
        ENVELOPE: wire({"manifestEnvelopeResponse": {"manifest_envelope": value["manifestEnvelope"]}}),
        LIVE: live(bytes.fromhex(value["ephemeralKey"])),
    }
    assert hosts(enclaves(answers).path).ask("GET", "/qos/enclave-info")[2] == expected


def test_enclave_info_is_the_body_that_is_known_for_a_waiting_enclave(hosts, enclaves):
    known = SHARED / "vectors/qos/derived/enclave_info_waiting.json"
    if not known.exists():
        pytest.skip(f"{known} is not there")
    enclave = enclaves({
        STATUS: status("WaitingForBootInstruction"),
        ENVELOPE: wire({"manifestEnvelopeResponse": {}}),
        LIVE: b'{"protocolErrorResponse":{"NoMatchingRoute":"WaitingForBootInstruction"}}',
    })
    assert hosts(enclave.path).ask("GET", "/qos/enclave-info")[2] == known.read_bytes().strip()


def test_messages_pass_unmodified_both_ways(hosts, enclaves):
    enclave = enclaves({"other": lambda request: request[::-1] + b"\0"})
    host = hosts(enclave.path)
    for body in (b'{"a":1}', bytes(range(256)) * 1000, b"\0", b""):
        code, headers, reply = host.ask("POST", "/qos/message", body, {"Content-Type": "text/nonsense"})
        assert (code, reply) == (200, body[::-1] + b"\0")
        assert headers["content-type"] == "application/octet-stream"
        assert body in enclave.requests


def test_a_protocol_error_of_the_enclave_is_200(hosts, enclaves):
    host = hosts(enclaves({"other": UNKNOWN}).path)
    code, _, body = host.ask("POST", "/qos/message", b"x")
    assert (code, body) == (200, UNKNOWN)


def test_a_chunked_body_is_put_together(hosts, enclaves):
    enclave = enclaves({"other": lambda request: request})
    parts = [b"ab", b"c" * 70000, b"d"]
    code, _, body = hosts(enclave.path).ask("POST", "/qos/message", iter(parts))
    assert (code, body) == (200, b"".join(parts))


def test_expect_100_continue_is_honoured(hosts, enclaves):
    host = hosts(enclaves({"other": lambda request: request}).path)
    with socket.create_connection(("127.0.0.1", host.port), 20) as s:
        s.sendall(b"POST /qos/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        s.sendall(b"abc")
        reply = s.recv(1000)
        assert reply.startswith(b"HTTP/1.1 200 OK\r\n") and reply.endswith(b"\r\n\r\nabc")


def test_connections_are_kept_alive(hosts, enclaves):
    host = hosts(enclaves({"other": b"ok"}).path)
    with contextlib.closing(host.connect()) as connection:
        for method, path, body, expected in [
            ("GET", "/qos/host-health", None, 200),
            ("POST", "/qos/message", b"x", 200),
            ("GET", "/nothing", None, 404),
            ("POST", "/nothing", b"y" * 5000, 404),
            ("POST", "/qos/host-health", b"z" * 5000, 405),
            ("POST", "/qos/message", b"w", 200),
        ]:
            connection.request(method, path, body)
            reply = connection.getresponse()
            reply.read()
            assert reply.status == expected
            port = connection.sock.getsockname()[1]
            first = port if path == "/qos/host-health" and method == "GET" else first  # noqa: F821
            assert port == first


def test_the_enclave_sees_one_connection_per_call(hosts, enclaves):
    enclave = enclaves({"other": b"ok"})
    host = hosts(enclave.path)
    wait_until(lambda: enclave.requests.count(STATUS) == 1)
    before = enclave.connections
    for _ in range(3):
        host.ask("POST", "/qos/message", b"x")
    assert enclave.connections == before + 3
    wait_until(lambda: enclave.open == 0)


def test_an_enclave_that_serves_one_connection_at_a_time_serves_many_members(hosts, enclaves):
    enclave = enclaves({"other": lambda request: request}, one_at_a_time=True)
    host = hosts(enclave.path)
    results = []

    def member(i):
        for j in range(20):
            body = f"{i} {j}".encode()
            results.append(host.ask("POST", "/qos/message", body)[::2] == (200, body))

    threads = [threading.Thread(target=member, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert results == [True] * 160
    assert enclave.most_connections == 1


def test_unknown_paths_and_wrong_methods(hosts, enclaves):
    host = hosts(enclaves({}).path)
    for path in ("/qos/", "/qos/message/", "/qos/host-health/x", "/qos/host%2Dhealth", "/qos/host-health%00"):
        code, headers, body = host.ask("GET", path)
        assert (path, code, body, headers["content-length"]) == (path, 404, b"", "0")
        assert "content-type" not in headers
    for path in ("/qos", "/host-health", "//qos/message", "/QOS/host-health", "/nothing?x"):
        code, headers, body = host.ask("GET", path)
        assert (path, code, headers["content-type"]) == (path, 404, "application/json")
        assert json.loads(body)["code"] == 404
    for method, path, allow in [
        ("POST", "/qos/host-health", "GET,HEAD"),
        ("DELETE", "/qos/enclave-health", "GET,HEAD"),
        ("PUT", "/qos/enclave-info", "GET,HEAD"),
        ("GET", "/qos/message", "POST"),
        ("HEAD", "/qos/message", "POST"),
        ("POST", "/metrics", "GET,HEAD"),
    ]:
        code, headers, body = host.ask(method, path)
        assert (method, code, headers["allow"], body) == (method, 405, allow, b"")
    assert host.ask("GET", "/qos/host-health?x=1")[2] == b"Ok!"


def test_another_base_path(hosts, enclaves):
    host = hosts(enclaves({"other": b"r"}).path, "--endpoint-base-path", "a/b")
    assert host.ask("GET", "/a/b/host-health")[0] == 200
    assert host.ask("POST", "/a/b/message", b"x")[2] == b"r"
    assert host.ask("GET", "/qos/host-health")[0] == 404
    assert host.ask("GET", "/metrics")[0] == 200


OVER = (256 << 20) + 1


def test_an_announced_body_over_the_limit_is_refused_before_it_comes(hosts, enclaves):
    enclave = enclaves({"other": b"r"})
    host = hosts(enclave.path)
    for extra in (f"Content-Length: {OVER}\r\nExpect: 100-continue", f"Content-Length: {1 << 60}"):
        with socket.create_connection(("127.0.0.1", host.port), 20) as s:
            s.sendall(f"POST /qos/message HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n\r\n".encode())
            reply = b""
            while part := s.recv(1000):
                reply += part
        assert reply.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"Content-Type: application/octet-stream\r\n" in reply
        assert reply.endswith(b'\r\n\r\n{"protocolErrorResponse":"OversizeMsg"}')
    assert b"" not in enclave.requests


def zeros(total):
    block = bytes(1 << 20)
    while total > 0:
        yield block[:total]
        total -= len(block)


def resident_mib(process):
    """At its highest; 0 for a sanitized program, whose allocator keeps what was released."""
    if b"__asan_init" in HOST.read_bytes():
        return 0
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) / 1024


def test_bodies_over_the_limits_are_answered_and_not_kept(hosts, enclaves):
    enclave = enclaves({"other": b"r"})
    host = hosts(enclave.path)
    code, _, body = host.ask("POST", "/qos/message", zeros(OVER))
    assert (code, body) == (400, b'{"protocolErrorResponse":"OversizeMsg"}')
    code, headers, body = host.ask("POST", "/qos/message", zeros((128 << 20) + 1))
    assert (code, body) == (500, ENCLAVE_CLIENT)
    assert headers["content-type"] == "application/octet-stream"
    assert all(request == STATUS for request in enclave.requests)
    assert resident_mib(host.process) < 200


def test_the_largest_message_passes(hosts, enclaves):
    enclave = enclaves({"other": lambda request: struct.pack("<Q", len(request))})
    code, _, body = hosts(enclave.path).ask("POST", "/qos/message", zeros(128 << 20))
    assert (code, body) == (200, struct.pack("<Q", 128 << 20))


def test_socket_failures_are_enclave_client(hosts, enclaves, tmp_path):
    code, headers, body = hosts(tmp_path / "nothing").ask("POST", "/qos/message", b"x")
    assert (code, body, headers["content-type"]) == (500, ENCLAVE_CLIENT, "application/octet-stream")

    def hang_up(request):
        raise ConnectionError

    assert hosts(enclaves({"other": hang_up}).path).ask("POST", "/qos/message", b"x")[2] == ENCLAVE_CLIENT


def test_a_silent_enclave_is_given_up_after_the_timeout(hosts, enclaves):
    enclave = enclaves({})
    host = hosts(enclave.path, "--socket-timeout", "300")
    began = time.monotonic()
    code, _, body = host.ask("POST", "/qos/message", b"x")
    assert (code, body) == (500, ENCLAVE_CLIENT)
    assert 0.29 < time.monotonic() - began < 5
    code, _, body = host.ask("GET", "/qos/enclave-health")
    assert code == 500
    assert b"no answer within 300 ms" in body


def test_an_enclave_that_comes_later_is_found(hosts, tmp_path):
    host = hosts(tmp_path / "late")
    assert host.ask("GET", "/qos/enclave-health")[0] == 500
    enclave = FakeEnclave(tmp_path / "late", {STATUS: status("GenesisBooted")})
    try:
        assert host.ask("GET", "/qos/enclave-health")[0] == 200
    finally:
        enclave.close()


def test_a_slow_enclave_does_not_stall_host_health(hosts, enclaves):
    go = threading.Event()

    def slow(request):
        go.wait(20)
        return b"late"

    enclave = enclaves({"other": slow})
    host = hosts(enclave.path)
    replies = []
    callers = [
        threading.Thread(target=lambda: replies.append(host.ask("POST", "/qos/message", b"x")[2])) for _ in range(20)
    ]
    for c in callers:
        c.start()
    wait_until(lambda: len(enclave.requests) >= 4)
    slowest = 0
    for _ in range(50):
        began = time.monotonic()
        assert host.ask("GET", "/qos/host-health")[2] == b"Ok!"
        assert host.ask("GET", "/metrics")[0] == 200
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1
    assert replies == []
    go.set()
    for c in callers:
        c.join(20)
    assert replies == [b"late"] * 20


def test_a_crowd_and_a_slow_sender_stop_nobody(hosts, enclaves):
    host = hosts(enclaves({"other": b"r"}).path)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(socket.create_connection(("127.0.0.1", host.port))) for _ in range(400)]
        for s in crowd[:100]:
            s.sendall(b"P")
        for s in crowd[100:200]:
            s.sendall(b"POST /qos/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx")
        began = time.monotonic()
        assert host.ask("POST", "/qos/message", b"x")[2] == b"r"
        assert time.monotonic() - began < 2
        wait_until(lambda: "quorate_http_connections 401\n" in host.metrics())
    wait_until(lambda: "quorate_http_connections 1\n" in host.metrics())


def test_uploads_over_the_budget_cost_the_slowest_sender(hosts, enclaves):
    enclave = enclaves({"other": lambda request: struct.pack("<Q", len(request))})
    host = hosts(enclave.path)
    size = 120 << 20
    with contextlib.ExitStack() as stack:
        stalled = []
        for _ in range(2):
            s = stack.enter_context(socket.create_connection(("127.0.0.1", host.port), 20))
            s.sendall(f"POST /qos/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode())
            for block in zeros(size - 1):
                s.sendall(block)
            stalled.append(s)
        assert host.ask("POST", "/qos/message", zeros(size))[2] == struct.pack("<Q", size)
        with contextlib.suppress(ConnectionError):
            assert stalled[0].recv(1) == b""
        stalled[1].sendall(b"\0")
        assert stalled[1].recv(1000).endswith(struct.pack("<Q", size))
    assert resident_mib(host.process) < 400


def sample(text, name):
    return next(line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " "))


def test_metrics_tell_of_requests_latency_errors_and_the_enclave(hosts, enclaves, tmp_path):
    enclave = enclaves({STATUS: status("WaitingForQuorumShards"), "other": b"r"})
    host = hosts(enclave.path)
    wait_until(lambda: "quorate_enclave_up 1\n" in host.metrics())
    host.ask("GET", "/qos/host-health")
    host.ask("GET", "/qos/host-health")
    host.ask("POST", "/qos/message", b"x")
    host.ask("GET", "/nothing")
    host.ask("GET", "/qos/message")
    text = host.metrics()
    assert sample(text, 'quorate_requests_total{route="/qos/host-health",code="200"}') == "2"
    assert sample(text, 'quorate_requests_total{route="/qos/message",code="200"}') == "1"
    assert sample(text, 'quorate_requests_total{route="other",code="404"}') == "1"
    assert sample(text, 'quorate_requests_total{route="other",code="405"}') == "1"
    assert sample(text, 'quorate_request_duration_seconds_count{route="/qos/host-health"}') == "2"
    assert sample(text, 'quorate_request_duration_seconds_bucket{route="/qos/host-health",le="+Inf"}') == "2"
    counts = [int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if 'bucket{route="/qos/message"' in line]
    assert counts == sorted(counts) and counts[-1] == 1
    assert sample(text, 'quorate_phase{phase="WaitingForQuorumShards"}') == "1"
    assert sample(text, 'quorate_phase{phase="GenesisBooted"}') == "0"
    assert len(re.findall("^quorate_phase", text, re.M)) == 6
    assert re.search(r'^quorate_build_info\{version="[^"]+",commit="[^"]+",compatible="0\.13\.0"\} 1$', text, re.M)
    # Every sample line has a TYPE before it.
    types = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    for line in text.splitlines():
        name = re.match(r"[a-z_]+", line)
        if name and not line.startswith("#"):
            assert re.sub("_(bucket|sum|count)$", "", name.group(0)) in types

    dead = hosts(tmp_path / "nothing")
    wait_until(lambda: sample(dead.metrics(), 'quorate_errors_total{kind="unreachable"}') != "0")
    assert "quorate_enclave_up 0\n" in dead.metrics()


def certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "qos_host of a test")])
    now = datetime.datetime.utcnow()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    return folder / "cert.pem", folder / "key.pem"


def test_tls_with_a_certificate_and_key(hosts, enclaves, tmp_path):
    cert, key = certificate(tmp_path)
    enclave = enclaves({"other": lambda request: request})
    host = hosts(enclave.path, "--tls-certificate", cert, "--tls-key", key)
    trust = ssl.create_default_context(cafile=str(cert))
    connection = http.client.HTTPSConnection("127.0.0.1", host.port, timeout=20, context=trust)
    with contextlib.closing(connection):
        body = os.urandom(300000)
        for _ in range(3):
            connection.request("POST", "/qos/message", body)
            reply = connection.getresponse()
            assert (reply.status, reply.read()) == (200, body)
        assert connection.sock.version() in ("TLSv1.2", "TLSv1.3")
    with socket.create_connection(("127.0.0.1", host.port), 20) as s:
        s.sendall(b"GET /qos/host-health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"Ok!" not in s.recv(1000)
    assert host.stop() == 0


def run(*options):
    done = subprocess.run([str(HOST), *map(str, options)], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def test_errors_are_one_sentence_and_exit_1(hosts, tmp_path):
    cert, key = certificate(tmp_path)
    (tmp_path / "empty").write_text("")
    good = ["--host-ip", "127.0.0.1", "--host-port", "0", "--usock", tmp_path / "s"]
    taken = hosts(tmp_path / "nothing")
    for options, text in [
        ([], "argument host-ip is required but was not found"),
        (good[2:], "argument host-ip is required"),
        (good[:4], "Invalid socket opts"),
        (["--host-ip", "localhost", *good[2:]], "--host-ip: IP address: expected four numbers"),
        (["--host-ip", "127.0.0.1", "--host-port", "65536", *good[4:]], "--host-port: expected a number"),
        ([*good, "--cid", "3"], "argument port is required"),
        ([*good, "--socket-timeout", "0"], "--socket-timeout"),
        ([*good, "--endpoint-base-path", "/x"], "--endpoint-base-path"),
        ([*good, "--vsock-to-host", "true"], "vsock-to-host"),
        ([*good, "--tls-key", key], "tls-certificate"),
        ([*good, "--tls-certificate", cert, "--tls-key", tmp_path / "no"], "No such file"),
        ([*good, "--tls-certificate", tmp_path / "empty", "--tls-key", key], "--tls-certificate"),
        (["--host-ip", "127.0.0.1", "--host-port", taken.port, *good[4:]], "in use"),
        ([*good, "--nonsense"], "found --nonsense, which was not an expected argument"),
    ]:
        code, out, err = run(*options)
        assert (code, out) == (1, ""), (options, err)
        assert err.count("\n") == 1 and err.startswith("qos_host: error: ") and text in err, (options, err)


def test_help_and_version():
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for name in ("host-ip", "host-port", "cid", "port", "usock", "endpoint-base-path", "socket-timeout",
                 "vsock-to-host", "tls-certificate", "tls-key"):
        assert f"--{name} <{name}>" in out
    assert out.startswith("Required CLI inputs:\n\t--host-ip <host-ip>")
    code, out, _ = run("--version")
    assert code == 0
    assert re.fullmatch(r"version: 0\.13\.0\nquorate \S+ \(\S+\)\n", out)


def test_options_of_older_releases_are_accepted(hosts, enclaves):
    host = hosts(enclaves({}).path, "--pool-size", "3", "--app-host-port", "3001")
    assert host.ask("GET", "/qos/host-health")[0] == 200
    wait_until(lambda: any("--pool-size" in line for line in host.log))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_requests_finish(hosts, enclaves, how):
    go = threading.Event()

    def slow(request):
        if request == b"slow":
            go.wait(20)
        return b"done"

    enclave = enclaves({"other": slow})
    host = hosts(enclave.path)
    replies = []
    caller = threading.Thread(target=lambda: replies.append(host.ask("POST", "/qos/message", b"slow")[::2]))
    caller.start()
    wait_until(lambda: b"slow" in enclave.requests)
    host.process.send_signal(how)

    def refused():
        with contextlib.closing(socket.socket()) as s:
            return s.connect_ex(("127.0.0.1", host.port)) != 0

    wait_until(refused)
    assert host.process.poll() is None
    go.set()
    caller.join(20)
    assert replies == [(200, b"done")]
    assert host.process.wait(10) == 0


def test_the_end_does_not_wait_longer_than_five_seconds(hosts, enclaves):
    enclave = enclaves({STATUS: status("GenesisBooted")})
    host = hosts(enclave.path)
    replies = []
    caller = threading.Thread(target=lambda: replies.append(host.ask("POST", "/qos/message", b"never")[::2]))
    caller.start()
    wait_until(lambda: b"never" in enclave.requests)
    began = time.monotonic()
    assert host.stop() == 0
    assert 4.5 < time.monotonic() - began < 7
    caller.join(20)
    assert replies == [(500, ENCLAVE_CLIENT)]


def test_an_idle_host_stops_at_once(hosts, tmp_path):
    host = hosts(tmp_path / "nothing")
    with socket.create_connection(("127.0.0.1", host.port)):
        assert host.ask("GET", "/qos/host-health")[0] == 200
        began = time.monotonic()
        assert host.stop() == 0
        assert time.monotonic() - began < 1
