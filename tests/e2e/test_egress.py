"""Outgoing connections: an application's SOCKS5 proxy in the enclave, qos_bridge that connects for it, and the
manifest's client entries in between. Only loopback addresses are contacted."""
import errno
import hashlib
import os
import socket
import struct
import threading

import pytest
import socks_model as socks
from bridged import Bridged, ControlUrl
from machine import free_port, wait_until, work_folder
from proxy_model import (Dns, Server, by_ip, dial, digest, echo, frame, http, read_all, read_answer, read_exactly,
                         read_frame, text)
from raw_enclave import SLEEPER, Ceremony, Enclave


def client(port, host=None):
    return {"type": "client", "port": port, **({"host": host} if host else {})}


class Outgoing(Bridged):
    """An enclave whose manifest has these client entries, and what it needs to connect out."""

    def __init__(self, folder, entries, version=1, pivot=SLEEPER, resolvers=None, env=None, debug=False, args=()):
        super().__init__(folder)
        self.entries, self.version, self.program = entries, version, pivot
        self.resolvers, self.env, self.debug, self.args = resolvers, env, debug, args
        self.proxy = free_port()
        self.enclave = Enclave(folder, "--egress-listen", f"127.0.0.1:{self.proxy}")

    def ceremony(self):
        env = self.env(self) if callable(self.env) else self.env
        c = Ceremony(self.program, version=self.version, env=env, debug=self.debug, args=self.args)
        c.manifest["pivot"]["bridgeConfig"] = self.entries
        if self.resolvers is not None:
            c.manifest["dns"] = {"resolvers": self.resolvers}
        return c

    def provision(self):
        self.ceremony().provision(self.enclave)
        return self

    def socket_path(self):
        return f"{self.enclave.socket}.egress.appsock"

    def start_inside(self):
        """The enclave alone: what is at the host's end is the test's."""
        self.start_enclave().provision()
        wait_until(lambda: self.listens(self.proxy, "127.0.0.1"), "the enclave's proxy to listen")
        return self

    def start(self, *more):
        self.start_enclave().start_host().start_bridge(*more).provision()
        wait_until(lambda: self.listens(self.proxy, "127.0.0.1"), "the enclave's proxy to listen")
        self.wait_said("outgoing connections: listening on")
        return self

    def ask(self, host, port):
        return socks.ask(self.proxy, socks.request(host, port))

    def log(self):
        return self.enclave.log.read_text()


@pytest.fixture
def outgoing(folder):
    made = []

    def make(entries, **options):
        made.append(Outgoing(folder, entries, **options))
        return made[-1]

    yield make
    for o in made:
        o.stop()


@pytest.fixture(scope="module")
def shared():
    """Server and proxy that many tests use; none of them may stop anything."""
    folder = work_folder()
    with Server(digest) as server, Server(echo) as echoing, Server(echo) as forbidden:
        o = Outgoing(folder, [client(server.port, "127.0.0.1"), client(echoing.port, "127.0.0.1"),
                              client(forbidden.port, "service.test")])
        o.server, o.echoing, o.forbidden = server, echoing, forbidden
        o.start()
        yield o
        assert o.enclave.process.poll() is None and o.bridge.running()
        o.stop()


def sha(data):
    return hashlib.sha256(data).hexdigest().encode()


def test_an_allowed_connection_is_relayed_both_ways_to_its_end(shared):
    blob = os.urandom(3_000_000)
    s, reply = shared.ask("127.0.0.1", shared.server.port)
    assert reply == socks.SUCCEEDED
    s.sendall(blob)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s) == sha(blob)


def test_bytes_sent_right_behind_the_request_arrive(shared):
    s = socks.connect(shared.proxy)
    s.sendall(b"\5\1\0" + socks.request("127.0.0.1", shared.server.port) + b"early")
    s.shutdown(socket.SHUT_WR)
    assert read_exactly(s, 2) == b"\5\0"
    assert socks.read_reply(s) == socks.SUCCEEDED
    assert read_all(s) == sha(b"early")


def test_a_handshake_byte_by_byte_is_a_handshake(shared):
    s = socks.connect(shared.proxy)
    for byte in b"\5\2\1\0":
        s.sendall(bytes([byte]))
    assert read_exactly(s, 2) == b"\5\0"
    for byte in socks.request("127.0.0.1", shared.echoing.port):
        s.sendall(bytes([byte]))
    assert socks.read_reply(s) == socks.SUCCEEDED
    s.sendall(b"x")
    assert s.recv(1) == b"x"


@pytest.mark.parametrize("spelling", ["::ffff:127.0.0.1", "::ffff:7f00:1"])
def test_a_mapped_address_is_the_address(shared, spelling):
    assert shared.ask(spelling, shared.server.port)[1] == socks.SUCCEEDED


def test_an_address_given_as_a_name_is_the_address(shared):
    s, reply = socks.ask(shared.proxy, socks.by_name("127.0.0.1", shared.echoing.port))
    assert reply == socks.SUCCEEDED
    s.sendall(b"x")
    assert s.recv(1) == b"x"


@pytest.mark.parametrize("host", [
    "127.0.0.2", "::1", "localhost", "LOCALHOST", "127.0.0.1.", "127.1", "0x7f000001", "2130706433", "0.0.0.0",
    b"127.0.0.1\0", b"127.0.0.1\0.example", "a" * 255, "127.0.0.1:80", " 127.0.0.1",
    "\x1b[31mred", "b\u00fccher.example",
])
def test_another_host_is_refused_and_the_server_sees_nothing(shared, host):
    before = shared.echoing.connections
    s, reply = shared.ask(host, shared.echoing.port)
    assert reply == socks.NOT_ALLOWED
    assert s.recv(1) == b""
    assert shared.echoing.connections == before


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1", "service.test.", "other.test"])
def test_an_entry_by_name_is_not_satisfied_by_an_address_nor_by_another_name(shared, host):
    assert shared.ask(host, shared.forbidden.port)[1] == socks.NOT_ALLOWED
    assert shared.forbidden.connections == 0


def test_a_port_without_an_entry_is_refused(shared):
    with Server(echo) as server:
        assert shared.ask("127.0.0.1", server.port)[1] == socks.NOT_ALLOWED
        assert shared.ask("127.0.0.1", 0)[1] == socks.NOT_ALLOWED
        assert server.connections == 0


def test_refusals_are_logged_safely_and_not_without_end(shared):
    asked = 0

    def logged():
        nonlocal asked
        asked += 1
        shared.ask("\x1b[31m\nevil\u202e", 80)
        return asked >= 40 and "more lines like these were left out" in shared.log()

    wait_until(logged, "a line that says how many were left out")
    said = shared.log()
    assert "refused \\u{1b}[31m\\u{a}evil\\u{202e}: host: expected a name or an address" in said
    assert "\x1b" not in said
    assert said.count("evil") < asked


@pytest.mark.parametrize("message, reply", [
    (b"\5\2\0\1\x7f\0\0\1\0\x50", socks.NO_COMMAND), (b"\5\3\0\1\x7f\0\0\1\0\x50", socks.NO_COMMAND),
    (b"\5\1\0\2\x7f\0\0\1\0\x50", socks.NO_ADDRESS_TYPE), (b"\5\1\0\3\0\0\x50", socks.FAILED),
])
def test_what_the_proxy_does_not_do_gets_its_own_answer(shared, message, reply):
    s, got = socks.ask(shared.proxy, message + b"more bytes than anybody reads" * 100)
    assert got == reply
    assert s.recv(1) == b""


@pytest.mark.parametrize("greeting, answer", [
    (b"\4\1\0\x50\x7f\0\0\1\0", b""), (b"GET / HTTP/1.1\r\n\r\n", b""), (b"\5\1\2", b"\5\xff"), (b"\5\0", b"\5\xff"),
])
def test_other_protocols_and_methods_are_turned_away(shared, greeting, answer):
    s = socks.connect(shared.proxy)
    s.sendall(greeting)
    assert read_all(s) == answer


def test_applications_that_leave_half_way_cost_nothing(shared):
    whole = b"\5\1\0" + socks.request("127.0.0.1", shared.echoing.port)
    for n in range(len(whole)):
        with socks.connect(shared.proxy) as s:
            s.sendall(whole[:n])
    assert shared.ask("127.0.0.1", shared.echoing.port)[1] == socks.SUCCEEDED


def test_a_server_that_refuses_is_reported_as_such(outgoing):
    with Server(echo) as server:
        port = server.port
    o = outgoing([client(port, "127.0.0.1")]).start()
    assert o.ask("127.0.0.1", port)[1] == socks.REFUSED
    assert "Connection refused" in o.log()


def test_the_servers_end_comes_first_and_the_applications_bytes_still_arrive(outgoing):
    got = []

    def ends_first(connection):
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        got.append(read_all(connection))

    with Server(ends_first) as server:
        o = outgoing([client(server.port, "127.0.0.1")]).start()
        s, _ = o.ask("127.0.0.1", server.port)
        assert read_all(s) == b"bye"
        s.sendall(b"late")
        s.close()
        wait_until(lambda: got == [b"late"], "the last bytes to arrive")


def test_a_slow_reader_holds_only_itself_up(shared):
    slow, _ = shared.ask("127.0.0.1", shared.echoing.port)
    slow.settimeout(0.2)
    sent = 0
    with pytest.raises(socket.timeout):
        while sent < 64 << 20:
            sent += slow.send(bytes(1 << 20))
    assert sent < 64 << 20
    s, reply = shared.ask("127.0.0.1", shared.echoing.port)
    assert reply == socks.SUCCEEDED
    s.sendall(b"x")
    assert s.recv(1) == b"x"


def test_two_hundred_connections_at_once(shared):
    held = [shared.ask("127.0.0.1", shared.echoing.port) for _ in range(200)]
    assert {reply for _, reply in held} == {socks.SUCCEEDED}
    for i, (s, _) in enumerate(held):
        s.sendall(struct.pack("<I", i) * 1000)
    for i, (s, _) in enumerate(held):
        assert read_exactly(s, 4000) == struct.pack("<I", i) * 1000
        s.close()


def test_connections_beyond_the_limit_wait_for_a_place(outgoing):
    with Server(echo) as server:
        o = outgoing([client(server.port, "127.0.0.1")]).start()
        held = [o.ask("127.0.0.1", server.port) for _ in range(256)]
        assert {reply for _, reply in held} == {socks.SUCCEEDED}
        late = socks.connect(o.proxy)
        late.sendall(b"\5\1\0")
        late.settimeout(0.2)
        with pytest.raises(socket.timeout):
            late.recv(2)
        held.pop()[0].close()
        late.settimeout(20)
        assert read_exactly(late, 2) == b"\5\0"
        late.sendall(socks.request("127.0.0.1", server.port))
        assert socks.read_reply(late) == socks.SUCCEEDED


def dns_on_port_53():
    """A loopback address whose port 53 is free, or the test is skipped."""
    for last in range(50, 60):
        try:
            return Dns({"service.test": ["127.0.0.1"], "rebound.test": ["127.0.0.1"]},
                       ip=f"127.53.{os.getpid() % 250}.{last}", port=53)
        except PermissionError:
            pytest.skip("binding port 53 needs the right to (root)")
        except OSError as e:
            assert e.errno == errno.EADDRINUSE, e
    pytest.skip("port 53 is taken on every loopback address that was tried")


CURL = rb"""#!/bin/sh
for url in "$@"; do
    curl --silent --show-error --max-time 20 "$url" 2>&1
    echo ". curl ended with $?"
done
while :; do sleep 1; done
"""


def test_an_application_fetches_by_name_with_nothing_but_its_environment(outgoing):
    dns = dns_on_port_53()
    with dns, Server(http) as server:
        o = outgoing([client(server.port, "service.test")], version=2, pivot=CURL, debug=True,
                     resolvers=[dns.socket.getsockname()[0]],
                     args=[f"http://Service.TEST:{server.port}/some", f"http://other.test:{server.port}/some"],
                     env=lambda o: {"ALL_PROXY": f"socks5h://127.0.0.1:{o.proxy}", "PATH": "/usr/bin:/bin"}).start()
        wait_until(lambda: o.log().count("curl ended with") == 2, "the application to end its work")
        assert "PIVOT[OUT]: fetched /some. curl ended with 0" in o.log()
        assert "curl ended with 97" in o.log(), "CURLE_PROXY"
        assert server.connections == 1
        assert {name for name, _ in dns.questions} == {"service.test"}


def test_a_name_under_an_entry_without_host_does_not_lead_into_the_hosts_networks(outgoing):
    dns = dns_on_port_53()
    with dns, Server(echo) as server:
        o = outgoing([client(server.port)], version=2, env={"A": "b"}, resolvers=[dns.socket.getsockname()[0]]).start()
        assert o.ask("rebound.test", server.port)[1] == socks.NOT_ALLOWED
        assert o.ask("localhost", server.port)[1] == socks.HOST_UNREACHABLE
        assert o.ask("127.0.0.1", server.port)[1] == socks.NOT_ALLOWED
        assert o.ask("169.254.169.254", server.port)[1] == socks.NOT_ALLOWED
        assert o.ask("nobody.test", server.port)[1] == socks.HOST_UNREACHABLE
        assert server.connections == 0


def test_the_hosts_end_enforces_the_manifest_too(outgoing):
    with Server(echo) as allowed, Server(echo) as forbidden:
        o = outgoing([client(allowed.port, "127.0.0.1")]).start()

        def asked(message):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(20)
            s.connect(o.socket_path())
            s.sendall(frame(message))
            return read_answer(s)

        assert asked(by_ip("127.0.0.1", allowed.port)) == ("connected", "127.0.0.1")
        name, why = asked(by_ip("127.0.0.1", forbidden.port))
        assert name == "QOSIOError" and "not allowed" in why
        assert forbidden.connections == 0


def test_the_hosts_end_follows_the_manifest_when_it_changes(outgoing):
    control = ControlUrl()
    with Server(echo) as first, Server(echo) as second:
        o = outgoing([client(first.port, "127.0.0.1")])
        o.start_bridge(url=control.url)

        def info():
            return {"phase": "QuorumKeyProvisioned", "manifestEnvelope": o.ceremony().envelope(), "ephemeralKey": None}

        def answer(port):
            with dial(o.socket_path()) as s:
                s.sendall(frame(by_ip("127.0.0.1", port)))
                return read_answer(s)[0]

        control.say(info())
        assert (answer(first.port), answer(second.port)) == ("connected", "QOSIOError")
        o.entries = [client(second.port, "127.0.0.1")]
        control.say(info())
        assert (answer(first.port), answer(second.port)) == ("QOSIOError", "connected")
        o.entries = []
        control.say(info())
        assert not os.path.exists(o.socket_path())
        assert o.bridge.running()
    control.close()


def test_without_client_entries_nothing_listens(outgoing):
    o = outgoing([]).start_enclave().start_host().start_bridge().provision()
    o.wait_said("bridge running")
    assert not o.listens(o.proxy, "127.0.0.1")
    assert not os.path.exists(o.socket_path())


def test_a_bridge_that_is_gone_is_an_answer_and_one_that_comes_back_is_used(outgoing):
    with Server(echo) as server:
        o = outgoing([client(server.port, "127.0.0.1")]).start()
        s, _ = o.ask("127.0.0.1", server.port)
        o.bridge.stop()
        try:
            assert s.recv(1) == b""
        except ConnectionResetError:
            pass
        assert o.ask("127.0.0.1", server.port)[1] == socks.FAILED
        assert "no connection to 127.0.0.1" in o.log()
        o.start_bridge()
        o.wait_said("outgoing connections: listening on")
        assert o.ask("127.0.0.1", server.port)[1] == socks.SUCCEEDED


class LyingHost:
    """What listens where the host's proxy should be: say(connection) decides."""

    def __init__(self, path, say):
        self.say = say
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            self.say(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


LIES = {
    "closes at once": lambda c: c.close(),
    "closes after the request": lambda c: (read_frame(c), c.close()),
    "closes in the middle of an answer": lambda c: (read_frame(c), c.sendall(struct.pack("<Q", 100) + b"\5"), c.close()),
    "garbage": lambda c: (read_frame(c), c.sendall(b"garbage that is no frame"), c.close()),
    "a huge frame": lambda c: (read_frame(c), c.sendall(struct.pack("<Q", 2**63))),
    "a frame over the limit": lambda c: (read_frame(c), c.sendall(struct.pack("<Q", 16385))),
    "an empty frame": lambda c: (read_frame(c), c.sendall(frame(b""))),
    "no message": lambda c: (read_frame(c), c.sendall(frame(b"\xff" * 20))),
    "a request": lambda c: (read_frame(c), c.sendall(frame(by_ip("127.0.0.1", 1)))),
    "another address": lambda c: (read_frame(c), c.sendall(frame(b"\5" + text("127.0.0.2")))),
    "no address": lambda c: (read_frame(c), c.sendall(frame(b"\5" + text("somewhere")))),
    "an error with terminal escapes": lambda c: (read_frame(c), c.sendall(frame(b"\0\0" + text("\x1b]0;pwned\7")))),
    "many connections": lambda c: (read_frame(c), c.sendall(frame(b"\0\7" + struct.pack("<Q", 2**64 - 1)))),
}


@pytest.fixture(scope="module")
def inside():
    folder = work_folder()
    o = Outgoing(folder, [client(4711, "127.0.0.1")]).start_inside()
    yield o
    assert o.enclave.process.poll() is None
    o.stop()


@pytest.mark.parametrize("lie", LIES)
def test_a_host_that_lies_is_a_failed_connection(inside, lie):
    with LyingHost(inside.socket_path(), LIES[lie]):
        s, reply = inside.ask("127.0.0.1", 4711)
        assert reply == socks.FAILED
        assert s.recv(1) == b""
    os.unlink(inside.socket_path())
    assert "\x1b" not in inside.log()


def test_a_host_that_says_one_byte_at_a_time_is_understood_and_its_stream_is_not_touched(inside):
    def slowly(connection):
        assert read_frame(connection) == by_ip("127.0.0.1", 4711)
        for byte in frame(b"\5" + text("127.0.0.1")) + b"first bytes":
            connection.sendall(bytes([byte]))
        connection.close()

    with LyingHost(inside.socket_path(), slowly):
        s, reply = inside.ask("127.0.0.1", 4711)
        assert reply == socks.SUCCEEDED
        assert read_all(s) == b"first bytes"
    os.unlink(inside.socket_path())


def test_a_path_that_leaves_no_room_for_the_proxys_is_refused_at_boot(folder):
    deep = folder / ("x" * (107 - len(str(folder)) - 6))
    deep.mkdir()
    enclave = Enclave(deep).start()
    ceremony = Ceremony(SLEEPER)
    ceremony.manifest["pivot"]["bridgeConfig"] = [client(443, "a.test")]
    with pytest.raises(AssertionError):
        ceremony.boot(enclave)
    assert "egress.appsock" in enclave.log.read_text()
    assert enclave.phase() == "WaitingForBootInstruction"
    enclave.end()
