"""qos_core, qos_host and qos_bridge over vsock: over the kernel's loopback where the machine has it, and always
over a stand-in that records what the programs ask of vsock (vsock_stand_in.c)."""
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
import qos_model as qos
import socks_model as socks
from bridged import APPLICATION, HERE, Bridged, Client, sanitized, server, sha256
from machine import BIN, Process, answers, free_port, request, wait_until
from proxy_model import Server, digest, read_all
from raw_enclave import FILES, Ceremony

LOCAL = 1  # VMADDR_CID_LOCAL
CONTROL = 3
LONGEST_WRITE = 31234


def loopback_missing():
    """Why this machine has no vsock loopback; None if it has."""
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as listener:
            listener.bind((LOCAL, socket.VMADDR_PORT_ANY))
            listener.listen(1)
            with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as s:
                s.settimeout(5)
                s.connect(listener.getsockname())
    except OSError as e:
        return str(e)
    return None


class OverVsock:
    """The three programs, each told a CID."""

    def __init__(self, folder, cid, port, environment=None):
        self.folder, self.cid, self.port, self.environment = folder, cid, port, environment
        self.host_port, self.app_port = free_port(), free_port()
        self.made = []

    def run(self, name, *words):
        self.made.append(Process(BIN / name, words, self.folder / f"{name}{len(self.made)}", self.environment))
        return self.made[-1]

    def start(self, to_host="false", *core_words):
        files = [w for name, file in FILES.items() for w in (f"--{name}-file", self.folder / "published" / file)]
        self.core = self.run("qos_core", "--mock", "--sim-dir", self.folder / "sim", "--allow-unlocked-memory",
                             "--cid", self.cid, "--port", self.port, *files, *core_words)
        self.host = self.run("qos_host", "--host-ip", "127.0.0.1", "--host-port", self.host_port, "--cid", self.cid,
                             "--port", self.port, "--vsock-to-host", to_host)
        self.host.wait_ready(lambda: answers(self.host_port, "/qos/host-health"), "qos_host to answer")
        self.core.wait_ready(lambda: answers(self.host_port, "/qos/enclave-info"), "qos_core to answer")
        return self

    socket = None  # for Ceremony: messages go through the host

    def call(self, _, frame):
        status, body = request(self.host_port, "POST", "/qos/message", frame)
        assert status == 200
        return body

    def send(self, message):
        return qos.call_json(None, message)

    def provision(self, monkeypatch, port=None, more=()):
        monkeypatch.setattr(qos, "call", self.call)
        ceremony = Ceremony(APPLICATION + b"#" * 1000000, args=[str(self.app_port)])
        ceremony.manifest["pivot"]["bridgeConfig"] = [server(port or self.app_port), *more]
        ceremony.provision(self)
        wait_until(lambda: Bridged.listens(self.app_port, "127.0.0.1"), "the application to listen")

    def bridge(self, *more):
        self.run("qos_bridge", "--control-url", f"http://127.0.0.1:{self.host_port}/qos", "--cid",
                 self.cid, "--poll-interval", 50, *more)
        wait_until(lambda: Bridged.listens(self.app_port), "the bridge to listen")

    def stop(self):
        for process in reversed(self.made):
            process.stop()


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    if sanitized():
        pytest.skip("a sanitizer must come before every other library")
    library = tmp_path_factory.mktemp("vsock") / "vsock_stand_in.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("vsock_stand_in.c"),
                    "-ldl"], check=True)
    return library


@pytest.fixture
def over_stand_in(folder, stand_in):
    sockets = folder / "vsock"
    sockets.mkdir()
    v = OverVsock(folder, LOCAL, CONTROL,
                  {**os.environ, "LD_PRELOAD": str(stand_in), "VSOCK_FOLDER": str(sockets)})
    v.log = lambda: (sockets / "log").read_text()
    yield v
    v.stop()


@pytest.fixture
def over_loopback(folder):
    why = loopback_missing()
    if why:
        pytest.skip(f"this machine has no usable vsock loopback ({why})")
    v = OverVsock(folder, LOCAL, 20000 + os.getpid() % 20000)
    yield v
    v.stop()


def megabytes_go_through(v):
    data = os.urandom(3 << 20)
    with Client(v.app_port, HERE, b"digest\n") as c:
        c.send(data)
        c.end()
        assert c.rest() == f"{len(data)} {sha256(data)}".encode()
    with Client(v.app_port, HERE, b"frames\n") as c:
        assert c.frame(data) == data[::-1]


def test_boot_and_bridge_over_the_kernels_loopback(over_loopback, monkeypatch):
    v = over_loopback.start()
    v.provision(monkeypatch)
    v.bridge("--vsock-to-host", "false")
    megabytes_go_through(v)


def test_boot_and_bridge_over_vsock_sockets(over_stand_in, monkeypatch):
    v = over_stand_in.start()
    v.provision(monkeypatch)
    v.bridge()
    megabytes_go_through(v)
    assert {int(n) for n in re.findall(r"write (\d+)", v.log())} >= {LONGEST_WRITE}


def test_no_write_to_vsock_is_longer_than_the_kernel_can_take(over_stand_in, monkeypatch):
    v = over_stand_in.start()
    v.provision(monkeypatch)  # a message of a megabyte and more
    v.bridge()
    megabytes_go_through(v)
    assert max(int(n) for n in re.findall(r"write (\d+)", v.log())) == LONGEST_WRITE


def test_the_bridge_goes_to_the_host_and_the_host_does_not_unless_told(over_stand_in, monkeypatch):
    v = over_stand_in.start()
    v.provision(monkeypatch)
    assert "Configuring vsock with VMADDR_NO_FLAGS.\n" in v.host.out()
    v.bridge()
    assert v.made[-1].out().startswith("Configuring vsock with VMADDR_FLAG_TO_HOST.\n")
    megabytes_go_through(v)
    asked = set(v.log().splitlines())
    assert f"bind cid {LOCAL} port {CONTROL} flags 0" in asked
    assert f"bind cid {LOCAL} port {v.app_port} flags 0" in asked
    assert f"connect cid {LOCAL} port {CONTROL} flags 0" in asked
    assert f"connect cid {LOCAL} port {v.app_port} flags 1" in asked
    assert f"connect cid {LOCAL} port {v.app_port} flags 0" not in asked


def test_the_flags_can_be_told(over_stand_in, monkeypatch):
    v = over_stand_in.start("true")
    v.provision(monkeypatch)
    assert "Configuring vsock with VMADDR_FLAG_TO_HOST.\n" in v.host.out()
    v.bridge("--vsock-to-host", "false")
    megabytes_go_through(v)
    asked = set(v.log().splitlines())
    assert f"connect cid {LOCAL} port {CONTROL} flags 1" in asked
    assert f"connect cid {LOCAL} port {v.app_port} flags 0" in asked


def test_the_enclave_listens_on_any_cid_when_told(over_stand_in, monkeypatch):
    v = over_stand_in
    v.cid = 4294967295
    v.start()
    v.provision(monkeypatch)
    assert f"bind cid 4294967295 port {CONTROL} flags 0" in v.log()
    assert f"bind cid 4294967295 port {v.app_port} flags 0" in v.log()


def test_a_bridge_on_the_control_sockets_port_is_not_booted(over_stand_in, monkeypatch):
    v = over_stand_in.start()
    with pytest.raises(AssertionError):
        v.provision(monkeypatch, port=CONTROL)
    assert "expected another port than that of the control socket" in v.core.err()
    assert request(v.host_port, "GET", "/qos/enclave-health")[1] == b"WaitingForBootInstruction"


def starts_outgoing(v, server, monkeypatch, *more):
    proxy = free_port()
    v.start("false", "--egress-listen", f"127.0.0.1:{proxy}", *more)
    v.provision(monkeypatch, more=[{"type": "client", "port": server.port, "host": "127.0.0.1"}])
    v.bridge(*more)
    wait_until(lambda: "outgoing connections: listening on" in v.made[-1].err(), "the bridge to connect out")
    return proxy


def test_outgoing_connections_go_over_vsock_to_the_parent(over_stand_in, monkeypatch):
    data = os.urandom(3 << 20)
    with Server(digest) as server:
        proxy = starts_outgoing(over_stand_in, server, monkeypatch)
        s, reply = socks.ask(proxy, socks.request("127.0.0.1", server.port))
        assert reply == socks.SUCCEEDED
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).decode() == sha256(data)
    asked = set(over_stand_in.log().splitlines())
    assert {"connect cid 3 port 1000 flags 0", "bind cid 4294967295 port 1000 flags 0"} <= asked
    assert max(int(n) for n in re.findall(r"write (\d+)", over_stand_in.log())) == LONGEST_WRITE


def test_outgoing_connections_have_their_port_and_take_their_enclave_only(over_stand_in, monkeypatch):
    over_stand_in.environment["VSOCK_PEER"] = "7"
    with Server(digest) as server:
        proxy = starts_outgoing(over_stand_in, server, monkeypatch, "--egress-port", "1234")
        assert socks.ask(proxy, socks.request("127.0.0.1", server.port))[1] == socks.FAILED
        assert server.connections == 0
    assert "bind cid 4294967295 port 1234 flags 0" in over_stand_in.log()
    assert f"connection from vsock cid 7 closed: expected {LOCAL}" in over_stand_in.made[-1].err()
