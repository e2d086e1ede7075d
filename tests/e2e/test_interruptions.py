"""Programs that die in the middle of a call: the host, whoever asked it, the enclave under its host. The call is
caught in its middle by stopping the enclave (SIGSTOP) until the request has reached it."""
import contextlib
import http.client
import json
import signal
import socket
import struct

import pytest

import qos_model as qos
from host_alone import Host
from machine import answers, request
from raw_enclave import SLEEPER, Ceremony


@pytest.fixture
def new_host():
    made = []

    def make(enclave):
        made.append(Host(enclave))
        return made[-1]

    yield make
    for one in made:
        one.process.stop()


@contextlib.contextmanager
def stopped(enclave):
    enclave.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        enclave.process.send_signal(signal.SIGCONT)


class Provisioning:
    """An enclave that waits for shares, and the messages that bring them."""

    def __init__(self, enclave):
        self.ceremony = Ceremony(SLEEPER)
        self.enclave = enclave
        self.setup = self.ceremony.boot(enclave.start())

    def message(self, name):
        c = self.ceremony
        return {"provisionRequest": {
            "share": qos.seal(self.setup, c.shares[c.names.index(name)]).hex(),
            "approval": qos.approval(name, c.pairs[name], c.manifest)}}

    def finish(self, host):
        for name, complete in (("alice", False), ("carol", True)):
            assert host.send(self.message(name)) == (
                200, {"provisionResponse": {"reconstructed": complete}})
        assert self.enclave.phase() == "QuorumKeyProvisioned"


def test_a_host_killed_in_the_middle_of_a_share_costs_only_the_answer(enclave, new_host):
    provisioning = Provisioning(enclave)
    first = new_host(enclave)
    with stopped(enclave):
        connection = first.begin(provisioning.message("alice"))
        first.kill()
        with pytest.raises((OSError, http.client.HTTPException)):
            connection.getresponse()
    provisioning.finish(new_host(enclave))


def test_a_client_gone_in_the_middle_of_a_share_costs_only_the_answer(enclave, new_host):
    provisioning = Provisioning(enclave)
    host = new_host(enclave)
    with stopped(enclave):
        connection = host.begin(provisioning.message("alice"))
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()  # with a reset, as from a machine that lost its power
    assert answers(host.port, "/qos/host-health")
    provisioning.finish(host)


def test_an_enclave_killed_in_the_middle_of_a_share_is_named_and_its_successor_found(enclave, new_host):
    provisioning = Provisioning(enclave)
    host = new_host(enclave)
    enclave.process.send_signal(signal.SIGSTOP)
    connection = host.begin(provisioning.message("alice"))
    enclave.end(signal.SIGKILL)
    response = connection.getresponse()
    assert (response.status, response.read()) == (500, b'{"protocolErrorResponse":"EnclaveClient"}')
    status, text = request(host.port, "GET", "/qos/enclave-health")
    assert status == 500 and text
    enclave.start()
    assert request(host.port, "GET", "/qos/enclave-health") == (503, b"WaitingForBootInstruction")
    provisioning.setup = provisioning.ceremony.boot(enclave)
    provisioning.finish(host)


def test_a_boot_whose_answer_nobody_took_has_happened(enclave, new_host):
    ceremony = Ceremony(SLEEPER)
    enclave.start()
    with stopped(enclave):
        plain = json.dumps(ceremony.envelope(), separators=(",", ":")).encode()
        with qos.Connection(enclave.socket) as c:
            frame = b"\x17" + qos.b_bytes(plain) + qos.b_bytes(ceremony.pivot)
            c.socket.sendall(struct.pack("<Q", len(frame)) + frame)
    assert enclave.phase() == "WaitingForQuorumShards"
    document = enclave.send("liveAttestationDocRequest")["liveAttestationDocResponse"]
    assert document["manifest_envelope"]["manifest"]["namespace"]["name"] == "e2e"
    assert enclave.end() == 0
    assert enclave.left() == []
    ceremony.provision(enclave.start())
