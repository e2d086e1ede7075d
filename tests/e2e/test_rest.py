"""The REST API's routes in qos_host before an enclave of scripted answers: what reaches the enclave, what comes
back, and what slow, many, lying and absent peers get (renclave 1, 3.6)."""
import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest
from machine import BIN, free_port, wait_until
from rest_fake import ENCLAVE_ID, RestEnclave, answer, frame
from test_host import Host

JSON = {"Content-Type": "application/json"}
POSTS = ["/generate-seed", "/validate-seed", "/derive-key", "/derive-address"] + ["/enclave/" + name for name in (
    "genesis-boot", "inject-shares", "encrypt-data", "decrypt-data", "sign-transaction", "sign-message",
    "store-data", "boot-key-forward", "export-key", "inject-key", "generate-attestation", "share-manifest")]
GETS = ["/enclave/" + name for name in ("info", "application-status", "get-data", "generate-attestation",
                                        "share-manifest")]
PEERS = ["/enclave/" + name for name in ("boot-key-forward", "export-key", "inject-key", "generate-attestation",
                                         "share-manifest")]


@pytest.fixture
def start(tmp_path):
    """start(api=..., options=..., one_at_a_time=...) gives (host, enclave)."""
    made = []

    def make(api=None, options=(), **enclave):
        fake = RestEnclave(tmp_path / f"sock{len(made)}", api, **enclave)
        made.append((Host(fake.path, *options), fake))
        return made[-1]

    yield make
    for host, fake in made:
        if host.process.poll() is None:
            host.process.kill()
        host.process.wait(10)
        host.process.stdout.close()
        fake.close()


def last(enclave):
    return enclave.calls[-1]


@pytest.mark.parametrize("path", POSTS)
def test_a_post_reaches_the_enclave_unread(start, path):
    host, enclave = start()
    for body in (b'{"a": [1, 2]}', b"no json", b"\x00\xff\x80" * 1000, b""):
        headers = {"Content-Type": "Application/JSON ; charset=utf-8", "Authorization": "Quorate key=04ab, nonce=7"}
        status, _, text = host.ask("POST", path, body, headers)
        assert (status, json.loads(text)) == (200, {"echo": path})
        call = last(enclave)
        assert (call["method"], call["path"], call["body"], call["query"]) == ("POST", path, body, "")
        assert call["authorization"] == "Quorate key=04ab, nonce=7"


@pytest.mark.parametrize("path", GETS)
def test_a_get_reaches_the_enclave_with_its_query_as_it_came(start, path):
    host, enclave = start()
    for query in ("", "key=k", "key=a%20b+c&&x=&%00", "?", "key=%E4%B8%AD", "a=" + "b" * 4000):
        status, _, _ = host.ask("GET", path + ("?" + query if query else ""))
        assert status == 200
        call = last(enclave)
        assert (call["method"], call["path"], call["query"], call["body"]) == ("GET", path, query, b"")
        assert call["authorization"] == ""


def test_each_request_has_an_id_of_its_own_that_the_enclave_sees(start):
    host, enclave = start(lambda request: answer(200, {"id": request["requestId"]}))
    seen = [json.loads(host.ask("POST", "/generate-seed", b"{}", JSON)[2])["id"] for _ in range(50)]
    assert len(set(seen)) == 50
    for one in seen:
        assert uuid.UUID(one).version == 4 and str(uuid.UUID(one)) == one


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422, 500, 503, 599])
def test_the_status_and_body_of_the_enclave_are_the_answer(start, status):
    body = ' {"odd" : "\\u00e4 ä", "n":1e3}\n'.encode()
    host, _ = start(lambda request: answer(status, body))
    got, headers, text = host.ask("POST", "/enclave/export-key", b"{}", JSON)
    assert (got, text, headers["content-type"]) == (status, body, "application/json")
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_what_takes_no_body_passes_it_on_unread(start):
    """A signature is over what was sent: the enclave must get that, wanted or not."""
    host, enclave = start()
    most = b"x" * (2 << 20)
    for method, path in [("POST", "/enclave/reset")] + [("GET", path) for path in GETS]:
        for body, headers in ((b"", {}), (b"{}", JSON), (b"\0\xff", {"Content-Type": "text/plain"}), (most, {})):
            assert host.ask(method, path, body, headers)[0] == 200
            assert last(enclave)["body"] == body
        calls = len(enclave.calls)
        status, _, text = host.ask(method, path, most + b"x")
        assert (status, json.loads(text)["code"], len(enclave.calls)) == (413, 413, calls)


def unreachable(status, text, peer):
    value = json.loads(text)
    assert status == 503
    assert (value["code"], "Enclave communication failed: " in value["error"]) == (503, True)
    assert uuid.UUID(value["request_id"])
    if peer:
        assert value["id"] == value["request_id"]
        assert value["result"] == {"Error": {"message": value["error"], "code": 503}}
    else:
        assert "result" not in value
    return value["error"]


def hang_up(request):
    raise ConnectionError


@pytest.mark.parametrize("reply", [
    b"", b"{", b"\x00" * 100, b'"statusRequest"', frame({"statusResponse": "GenesisBooted"}),
    b'{"protocolErrorResponse":"ProtocolMsgDeserialization"}', frame({"quorateApiResponse": {"status": 200}}),
    frame({"quorateApiResponse": {"status": 199, "body": "{}"}}),
    frame({"quorateApiResponse": {"status": 600, "body": "{}"}}),
    frame({"quorateApiResponse": {"status": "x", "body": "{}"}}),
    frame({"quorateApiResponse": {"status": 200, "body": "{}"}})[:-2], hang_up])
def test_an_enclave_that_babbles_or_hangs_up_is_503(start, reply):
    host, _ = start(reply if callable(reply) else lambda request: reply)
    unreachable(*host.ask("POST", "/generate-seed", b"{}", JSON)[::2], peer=False)
    unreachable(*host.ask("POST", "/enclave/inject-key", b"{}", JSON)[::2], peer=True)
    error = unreachable(*host.ask("GET", "/enclave/info")[::2], peer=False)
    assert error.startswith("Enclave is not available: ")
    status, _, text = host.ask("GET", "/health")
    assert (status, json.loads(text)["status"]) == (503, "unhealthy")
    info = json.loads(host.ask("GET", "/info")[2])
    assert (info["healthy"], info["phase"]) == (False, None)


def test_a_silent_enclave_is_503_after_the_timeout(start):
    host, _ = start(lambda request: None, ["--socket-timeout", "200"])
    began = time.monotonic()
    error = unreachable(*host.ask("POST", "/enclave/export-key", b"{}", JSON)[::2], peer=True)
    assert "no answer within 200 ms" in error
    assert 0.19 < time.monotonic() - began < 5


def test_info_of_an_enclave_that_says_something_odd_is_unknown_or_unavailable(start):
    host, _ = start(lambda request: answer(500, {"error": "x", "code": 500}))
    info = json.loads(host.ask("GET", "/info")[2])
    assert (info["enclave_id"], info["healthy"], info["service"]) == ("unavailable", False, "QEMU Host API Gateway")
    host, _ = start()
    info = json.loads(host.ask("GET", "/info")[2])
    assert (info["enclave_id"], info["healthy"], info["phase"]) == (ENCLAVE_ID, True, "ApplicationReady")


def test_bytes_that_are_no_text_are_refused_before_the_enclave(start):
    host, enclave = start()
    for line, header in (("GET /enclave/get-data?key=\xff", ""), ("GET /enclave/get-data", "Authorization: \xe4")):
        with socket.create_connection(("127.0.0.1", host.port), 20) as s:
            s.sendall(f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n".encode("latin-1")
                      .replace(b"\r\n\r\n\r\n", b"\r\n\r\n"))
            reply = b"".join(iter(lambda: s.recv(4096), b""))
        assert reply.startswith(b"HTTP/1.1 400 "), reply
        assert b'"code":400' in reply
    assert enclave.calls == []


def test_finding_35_every_refusal_is_json_with_its_true_status(start):
    host, enclave = start()
    for method, path, body, headers, expected in [
            ("GET", "/no-such-route", None, {}, 404), ("GET", "/status", None, {}, 404),
            ("GET", "/status/no-such-route", None, {}, 404), ("POST", "/status/attestation", b"{}", JSON, 405), ("POST", "/enclave/no-such-route", b"{}", JSON, 404),
            ("GET", "/generate-seed", None, {}, 405), ("DELETE", "/enclave/export-key", None, {}, 405),
            ("POST", "/generate-seed", b"{}", {}, 415), ("POST", "/enclave/export-key", b"{}", {}, 415),
            ("POST", "/network/test", b"{", JSON, 400), ("POST", "/network/test", b"[]", JSON, 422),
            ("POST", "/enclave/inject-key", b" " * ((2 << 20) + 1), JSON, 413)]:
        status, got, text = host.ask(method, path, body, headers)
        value = json.loads(text)
        assert (status, value["code"], got["content-type"]) == (expected, expected, "application/json"), path
        assert value["error"] and uuid.UUID(value["request_id"])
        if path in PEERS and expected != 405:
            assert value["result"]["Error"] == {"message": value["error"], "code": expected}
    assert enclave.calls == []


OTHERS = ["http://evil.example", "https://evil.example", "null", "", "http://localhost", "http://127.0.0.1",
          "http://127.0.0.1:1", "file://", "chrome-extension://abcdef", "HTTP://127.0.0.1:{port}",
          "http://127.0.0.1:{port}.evil.example", "http://evil.example/127.0.0.1:{port}", "127.0.0.1:{port}",
          "http://127.0.0.1:{port} http://evil.example", "http://user@127.0.0.1:{port}", "ftp://127.0.0.1:{port}"]
EVERYWHERE = ([("POST", path) for path in POSTS + ["/enclave/reset", "/network/test", "/qos/message", "/no-such-route"]]
              + [("GET", path) for path in GETS + ["/", "/info", "/metrics", "/qos/enclave-info", "/status/attestation"]]
              + [("OPTIONS", "/generate-seed")])


def refused_page(host, enclave, method, path, **headers):
    calls = len(enclave.calls)
    status, _, text = host.ask(method, path, b"" if method == "POST" else None, headers)
    value = json.loads(text)
    assert (status, value["code"], len(enclave.calls)) == (403, 403, calls), (method, path, headers)
    assert uuid.UUID(value["request_id"])
    return value["error"]


@pytest.mark.parametrize("method, path", EVERYWHERE)
def test_finding_13_a_page_of_another_site_asks_nothing(start, method, path):
    host, enclave = start()
    for origin in OTHERS if path == "/generate-seed" else OTHERS[:1]:
        assert "Origin: " in refused_page(host, enclave, method, path, Origin=origin.format(port=host.port))
    assert "Host: " in refused_page(host, enclave, method, path, Host=f"evil.example:{host.port}",
                                    Origin=f"http://evil.example:{host.port}")


def test_finding_13_a_name_that_another_sites_dns_gives_this_host_is_refused(start):
    host, enclave = start()
    for name in ("evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.",
                 "tee1", "[evil.example]:{port}", "127.0.0.1:{port}:x", "127.1", "2130706433", "0x7f000001", ":1"):
        refused_page(host, enclave, "GET", "/enclave/get-data", Host=name.format(port=host.port))
    for name in ("127.0.0.1", "127.0.0.1:{port}", "localhost", "LocalHost:{port}", "localhost:8080", "[::1]:{port}",
                 "192.0.2.7:9000", ""):
        name = name.format(port=host.port)
        assert host.ask("POST", "/generate-seed", b"{}", {**JSON, "Host": name})[0] == 200, name
        if name:
            for scheme in ("http", "https"):
                headers = {**JSON, "Host": name, "Origin": f"{scheme}://{name}"}
                assert host.ask("POST", "/generate-seed", b"{}", headers)[0] == 200
    with socket.create_connection(("127.0.0.1", host.port), 20) as s: # a program that sends no Host at all
        s.sendall(b"GET /enclave/info HTTP/1.0\r\n\r\n")
        assert read_answers(s, 1)[0][0] == 200


def test_names_of_proxies_and_containers_are_taken_where_they_are_meant_to_be(start):
    host, enclave = start(options=["--host-name", "tee1,api.example"])
    for name, expected in (("tee1:8080", 200), ("API.example", 200), ("localhost:9000", 200), ("evil.example", 403),
                           ("tee1,api.example", 403), ("tee", 403), ("tee11", 403)):
        assert host.ask("GET", "/enclave/info", None, {"Host": name})[0] == expected, name
    assert host.ask("POST", "/generate-seed", b"{}", {**JSON, "Host": "api.example",
                                                      "Origin": "https://api.example"})[0] == 200
    # Beyond loopback whoever published the port gave the names, unless they are given here.
    for options, expected in (((), 200), (("--host-name", "tee1"), 403)):
        process = subprocess.Popen([str(BIN / "qos_host"), "--host-ip", "0.0.0.0", "--host-port", "0", "--usock",
                                    enclave.path, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            process.stdout.readline()
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), 20) as s:
                s.sendall(b"GET /enclave/info HTTP/1.1\r\nHost: tee2.internal:8080\r\n\r\n"
                          b"GET /enclave/info HTTP/1.1\r\nHost: tee1:8080\r\nOrigin: http://evil.example\r\n\r\n")
                assert [status for status, _ in read_answers(s, 2)] == [expected, 403]
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()


def read_answers(s, n):
    """n answers of one connection: (status, body)."""
    stream = s.makefile("rb")
    out = []
    for _ in range(n):
        status = int(stream.readline().split()[1])
        length = 0
        while (line := stream.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        out.append((status, stream.read(length)))
    return out


def test_requests_in_one_go_keep_their_queries_apart(start):
    host, _ = start(lambda request: answer(200, {"q": request["query"], "b": request["body"].decode()}))
    with socket.create_connection(("127.0.0.1", host.port), 20) as s:
        s.sendall(b"GET /enclave/get-data?key=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  b"GET /enclave/get-data HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  b"POST /generate-seed?a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 2\r\n\r\n{}GET /enclave/get-data?key=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = [json.loads(body) for _, body in read_answers(s, 4)]
    assert got == [{"q": "key=1", "b": ""}, {"q": "", "b": ""}, {"q": "a", "b": "{}"}, {"q": "key=2", "b": ""}]


def test_finding_34_bodies_headers_and_lines_have_limits(start):
    host, enclave = start()
    most = b"[" + b" " * ((2 << 20) - 2) + b"]"
    assert host.ask("POST", "/enclave/store-data", most, JSON)[0] == 200
    assert last(enclave)["body"] == most
    calls = len(enclave.calls)
    for body in (most + b" ", iter([most, b" "])):
        status, _, text = host.ask("POST", "/enclave/store-data", body, JSON)
        assert (status, json.loads(text)["code"]) == (413, 413)
    with socket.create_connection(("127.0.0.1", host.port), 20) as s: # announced, and refused before it comes
        s.sendall(b"POST /enclave/store-data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 9999999999\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 413 ")
    for head in (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200000 + b"\r\n\r\n",
                 b"GET /" + b"z" * 200000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 30000 + b"\r\n"):
        with socket.create_connection(("127.0.0.1", host.port), 20) as s, contextlib.suppress(ConnectionError):
            s.sendall(head)
            reply = s.recv(1000)
            assert reply == b"" or re.match(rb"HTTP/1\.1 (400|413|414|431) ", reply), reply
    assert len(enclave.calls) == calls
    assert host.ask("GET", "/health")[0] == 200


def test_finding_34_many_large_bodies_at_once_stay_within_the_budget(start):
    """Before an enclave that is slow: body and message of each request together."""
    host, _ = start(lambda request: None, ["--socket-timeout", "5000"])
    body = b"x" * (2 << 20)
    head = (b"POST /generate-seed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body))
    outcomes = []
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", host.port), 30)) for _ in range(120)]
        for s in sockets:
            with contextlib.suppress(OSError): # dropped for another's sake
                s.sendall(head + body)
        for s in sockets:
            try:
                outcomes.append(s.recv(12))
            except OSError:
                outcomes.append(b"")
    assert set(outcomes) <= {b"HTTP/1.1 503", b""} and b"HTTP/1.1 503" in outcomes
    status = Path(f"/proc/{host.process.pid}/status").read_text()
    most = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    if "libasan" not in Path(f"/proc/{host.process.pid}/maps").read_text():
        assert most < (256 + 48) << 10, most
    assert "/generate-seed" in host.metrics()


def system_calls(host, folder, act):
    """What qos_host asked the kernel for during act()."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = subprocess.Popen(["strace", "-f", "-p", str(host.process.pid), "-o", str(folder / "trace"), "-e",
                              "trace=connect,execve,fork,vfork,openat,ioctl,mount"], stderr=subprocess.PIPE, text=True)
    try:
        line = trace.stderr.readline()
        if "attached" not in line:
            pytest.skip(f"strace cannot trace here: {line}")
        act()
    finally:
        trace.terminate()
        trace.communicate()
    return (folder / "trace").read_text().splitlines()


def test_finding_34_asking_for_the_network_again_and_again_costs_nothing(start, tmp_path):
    host, _ = start()

    def ask():
        for _ in range(100):
            assert host.ask("GET", "/network/status")[0] == 200
            assert host.ask("GET", "/info")[0] == 200
            assert json.loads(host.ask("POST", "/network/test")[2])["success"]

    began = time.monotonic()
    lines = system_calls(host, tmp_path, ask)
    most = 2 + (time.monotonic() - began) / 5
    assert 0 < sum("/net/route" in line for line in lines) <= most


def test_finding_36_the_network_is_only_read(start, tmp_path):
    host, _ = start()

    def ask():
        for method, path in (("GET", "/network/status"), ("POST", "/network/test"), ("GET", "/info")):
            assert host.ask(method, path)[0] == 200

    lines = system_calls(host, tmp_path, ask)
    assert not [line for line in lines if re.search(r"execve|fork|mount\(|O_WRONLY|O_RDWR|O_CREAT", line)]
    assert not [line for line in lines if "connect(" in line and "AF_UNIX" not in line]
    asked = {m.group(1) for line in lines if (m := re.search(r"ioctl\(\d+, (SIOC\w+)", line))}
    assert asked == {"SIOCGIFCONF", "SIOCGIFFLAGS"}


def test_finding_36_no_privilege_is_needed(tmp_path):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody without privileges, with setpriv")
    (tmp_path / "x").mkdir()
    port = free_port()
    host = subprocess.Popen(["setpriv", "--reuid", "65433", "--regid", "65433", "--clear-groups", "--no-new-privs",
                             "--inh-caps=-all", "--bounding-set=-all", str(BIN / "qos_host"), "--host-ip",
                             "127.0.0.1", "--host-port", str(port), "--usock", "/nonexistent/sock"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert host.stdout.readline() and host.stdout.readline()
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(b"GET /network/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            ((status, body),) = read_answers(s, 1)
        assert (status, json.loads(body)["connectivity"]["loopback"]) == (200, True)
    finally:
        host.kill()
        host.wait()
        host.stdout.close()


def test_finding_13_plain_http_beyond_this_machine_is_warned_of(tmp_path):
    done = subprocess.run([str(BIN / "qos_host"), "--host-port", "0", "--usock", "x"], capture_output=True, text=True)
    assert done.returncode == 1 and "host-ip" in done.stderr # no address is taken for granted
    host = subprocess.Popen([str(BIN / "qos_host"), "--host-ip", "0.0.0.0", "--host-port", "0", "--usock",
                             str(tmp_path / "s")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert "plain HTTP beyond this machine" in host.stderr.readline()
    finally:
        host.terminate()
        host.communicate()


def test_network_status_is_what_the_kernel_says(start):
    host, _ = start()
    value = json.loads(host.ask("GET", "/network/status")[2])
    assert value["tap_interface"] == "tap0"
    routes = [line.split() for line in open("/proc/net/route", encoding="ascii").readlines()[1:]]
    default = [r for r in routes if r[1] == "00000000" and r[7] == "00000000"]
    assert value["connectivity"]["gateway"] == any(r[2] != "00000000" for r in default)
    if default:
        best = min(default, key=lambda r: int(r[6]))
        gateway = socket.inet_ntoa(struct.pack("=I", int(best[2], 16)))
        assert value["configuration"]["interface"] == best[0]
        assert value["gateway_ip"] == ("" if gateway == "0.0.0.0" else gateway)
    assert value["configuration"]["listening"] == f"127.0.0.1:{host.port}"


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


def network_test(host, **body):
    status, _, text = host.ask("POST", "/network/test", json.dumps(body), JSON)
    return status, json.loads(text)


def test_network_test_connects_to_the_targets_of_the_operator_only(start, listener):
    closed = free_port()
    targets = [f"127.0.0.1:{listener}", f"localhost:{listener}", f"127.0.0.1:{closed}"]
    host, _ = start(options=[w for t in targets for w in ("--network-test-target", t)])
    for name in ("127.0.0.1", "localhost"):
        status, value = network_test(host, target_host=name, target_port=listener, timeout_seconds=5)
        assert (status, value["success"], value["target"]) == (200, True, f"{name}:{listener}")
        assert 0 <= value["response_time_ms"] < 5000
    status, value = network_test(host, target_host="127.0.0.1", target_port=closed)
    assert (status, value["success"], value["error"]) == (200, False, "connecting: Connection refused")
    for name, port in (("127.0.0.2", listener), ("127.0.0.1", host.port), ("LOCALHOST", listener),
                       ("169.254.169.254", 80), ("::1", listener)):
        assert network_test(host, target_host=name, target_port=port)[0] == 403, name
    for body in ({"target_host": "127.0.0.1"}, {"target_host": "127.0.0.1", "target_port": 0},
                 {"target_host": "127.0.0.1", "target_port": 65536 + listener},
                 {"target_host": "127.1", "target_port": listener}, {"target_host": "a b", "target_port": listener},
                 {"target_host": "", "target_port": 1},
                 {"target_host": "127.0.0.1", "target_port": listener, "timeout_seconds": 0},
                 {"target_host": "127.0.0.1", "target_port": listener, "timeout_seconds": 31}):
        assert network_test(host, **body)[0] == 400, body


def test_network_test_ends_at_its_deadline_and_with_the_program(start, tmp_path):
    with socket.socket() as full: # whose queue takes no more connections
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        host, _ = start(options=["--network-test-target", f"127.0.0.1:{port}"])
        status, value = network_test(host, target_host="127.0.0.1", target_port=port, timeout_seconds=1)
        assert (status, value["success"]) == (200, False)
        assert "timed out after 1000 ms" in value["error"]
        replies = []
        ask = threading.Thread(target=lambda: replies.append(network_test(
            host, target_host="127.0.0.1", target_port=port, timeout_seconds=30)))
        ask.start()
        wait_until(lambda: "quorate_http_connections 2\n" in host.metrics(), "the request to be there")
        began = time.monotonic()
        assert host.stop() == 0
        assert time.monotonic() - began < 2
        ask.join(20)
        assert replies and replies[0][1]["success"] is False and "the program stops" in replies[0][1]["error"]
        for one in waiting:
            one.close()


def test_bad_targets_are_refused_at_the_start(tmp_path):
    for target in ("localhost", "localhost:", "localhost:0", "localhost:65536", "a b:1", ":1", "127.1:1"):
        done = subprocess.run([str(BIN / "qos_host"), "--host-ip", "127.0.0.1", "--host-port", "0", "--usock",
                               str(tmp_path / "s"), "--network-test-target", target], capture_output=True, text=True)
        assert done.returncode == 1 and "--network-test-target" in done.stderr, target


def test_a_base_path_above_the_rest_routes_is_refused(tmp_path):
    for base in ("enclave", "network"):
        done = subprocess.run([str(BIN / "qos_host"), "--host-ip", "127.0.0.1", "--host-port", "0", "--usock",
                               str(tmp_path / "s"), "--endpoint-base-path", base], capture_output=True, text=True)
        assert done.returncode == 1 and f"found {base}, which has /{base}/" in done.stderr


def test_slow_senders_and_readers_stop_nobody(start):
    host, _ = start()
    with contextlib.ExitStack() as stack:
        for i in range(100):
            s = stack.enter_context(socket.create_connection(("127.0.0.1", host.port)))
            s.sendall(b"POST /generate-seed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: 100000\r\n\r\n{" if i % 2 else b"GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n")
        began = time.monotonic()
        for _ in range(20):
            assert host.ask("POST", "/generate-seed", b"{}", JSON)[0] == 200
        assert time.monotonic() - began < 5


def test_many_at_once_get_each_their_own_answer(start):
    host, enclave = start(lambda request: answer(200, {"b": request["body"].decode()}))
    wrong = []

    def member(i):
        with contextlib.closing(host.connect()) as connection:
            for j in range(30):
                body = json.dumps({"n": [i, j]})
                connection.request("POST", "/enclave/encrypt-data", body, JSON)
                reply = connection.getresponse()
                if (reply.status, json.loads(reply.read())) != (200, {"b": body}):
                    wrong.append((i, j))

    threads = [threading.Thread(target=member, args=(i,)) for i in range(64)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert wrong == [] and len(enclave.calls) == 64 * 30
    assert 'quorate_requests_total{route="/enclave/encrypt-data",code="200"} 1920\n' in host.metrics()


def test_a_path_of_two_methods_is_one_series_in_the_metrics(start):
    host, _ = start()
    assert host.ask("GET", "/enclave/share-manifest")[0] == 200
    assert host.ask("POST", "/enclave/share-manifest", b"{}", JSON)[0] == 200
    found = [line for line in host.metrics().splitlines() if 'route="/enclave/share-manifest",code' in line]
    assert found == ['quorate_requests_total{route="/enclave/share-manifest",code="200"} 2']


def test_what_changes_the_key_is_in_the_audit_log_without_its_body(start, tmp_path):
    log = tmp_path / "audit.log"
    host, _ = start(options=["--audit-log", log])
    for path in POSTS + ["/enclave/reset"]:
        assert host.ask("POST", path, b'{"secret": "hush"}', JSON)[0] == 200
    for path in GETS:
        assert host.ask("GET", path)[0] == 200
    text = log.read_text()
    events = re.findall(r'"event":"POST /enclave/([a-z-]+)"', text)
    assert sorted(events) == sorted(["genesis-boot", "inject-shares", "reset", "boot-key-forward", "export-key",
                                     "inject-key", "share-manifest"])
    assert text.count("answered with status 200") == 7
    assert "hush" not in text
