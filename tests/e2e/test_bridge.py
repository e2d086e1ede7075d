"""qos_bridge and the enclave's end of the bridges, with an application behind them."""
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from bridged import (APPLICATION, HERE, Bridged, Client, ControlUrl, resident, sanitized, server, sha256,
                     source_bytes)
from machine import BIN, PATIENCE, ROOT, free_port, wait_until, work_folder
from raw_enclave import Ceremony, Enclave

MIB = 1 << 20


@pytest.fixture(scope="module")
def shared():
    """One that many tests use; none of them may stop anything."""
    folder = work_folder()
    b = Bridged(folder, ports=[free_port(), free_port()]).start()
    yield b
    b.stop()
    shutil.rmtree(folder)


@pytest.fixture
def bridged(folder):
    made = []

    def make(*args, **options):
        made.append(Bridged(folder, *args, **options))
        return made[-1]

    yield make
    for b in made:
        b.stop()


@pytest.fixture
def control():
    c = ControlUrl()
    yield c
    c.close()


def envelope(b):
    return json.loads(json.dumps(b.ceremony().envelope()))


def info(b, bridges=None):
    e = envelope(b)
    if bridges is not None:
        e["manifest"]["pivot"]["bridgeConfig"] = bridges
    return {"phase": "QuorumKeyProvisioned", "manifestEnvelope": e, "ephemeralKey": None}


NO_MANIFEST = {"phase": "WaitingForBootInstruction", "manifestEnvelope": None, "ephemeralKey": None}


def test_it_says_that_it_runs_and_which_addresses_it_serves(shared):
    assert shared.bridge.out() == "qos_bridge: bridge running, press ctrl+c to quit\n"
    for port in shared.ports:
        assert f"port {port}: listening on {HERE}:{port}" in shared.bridge.err()
        assert os.path.exists(f"{shared.enclave.socket}.{port}.appsock")


def test_a_connection_to_each_port_reaches_the_application(shared):
    for port in shared.ports:
        with shared.client(b"echo\nhello ", port) as c:
            assert c.take(6) == b"hello "
            c.send(b"again")
            assert c.take(5) == b"again"


def test_a_framed_application_is_reached_many_times_on_one_connection(shared):
    with shared.client(b"frames\n") as c:
        for n in (0, 1, 8, 31226, 31234, 65536, 300001):
            assert c.frame(source_bytes(n)) == source_bytes(n)[::-1]


def test_the_clients_end_reaches_the_application_and_the_answer_still_comes(shared):
    with shared.client(b"digest\n") as c:
        c.send(b"all of it")
        c.end()
        assert c.rest() == f"9 {sha256(b'all of it')}".encode()


def test_the_applications_end_reaches_the_client_who_may_go_on(shared):
    with shared.client(b"close-first\n") as c:
        assert c.rest() == b"bye"
        c.send(b"x" * MIB)
        c.end()


def test_a_reset_by_the_application_ends_the_clients_connection(shared):
    with shared.client(b"reset\n") as c:
        assert c.take(4) == b"part"
        c.send(b"now\n")
        with contextlib.suppress(ConnectionResetError):
            assert c.rest() == b""
    with shared.client(b"echo\nfine") as c:
        assert c.take(4) == b"fine"


def test_a_reset_by_the_client_hurts_nobody_else(shared):
    with shared.client(b"echo\n") as other:
        c = shared.client(b"echo\n" + b"x" * 100000)
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
        other.send(b"still here")
        assert other.take(10) == b"still here"


def needs_plain_memory():
    if sanitized():
        pytest.skip("a sanitizer keeps memory that was released")


def test_memory_stays_flat_while_a_client_does_not_read(shared):
    size = 64 * MIB
    needs_plain_memory()
    pids = (shared.bridge.pid, shared.enclave.process.pid)
    before = [resident(pid) for pid in pids]
    with shared.client(b"source %d\n" % size) as c:
        c.socket.recv(1, socket.MSG_PEEK)
        other = shared.client(b"echo\n")
        for _ in range(200):  # the stream is stuck long before these are answered
            other.send(b"ping")
            assert other.take(4) == b"ping"
        other.close()
        grown = [resident(pid) - was for pid, was in zip(pids, before)]
        assert all(g < 2 * MIB for g in grown), grown
        assert sha256(c.rest()) == sha256(source_bytes(size))
    assert all(resident(pid) - was < 2 * MIB for pid, was in zip(pids, before))


def test_memory_stays_flat_while_the_application_does_not_read(shared):
    needs_plain_memory()
    pids = (shared.bridge.pid, shared.enclave.process.pid)
    before = [resident(pid) for pid in pids]
    with shared.client(b"hold\n") as c:
        c.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while True:
                sent += c.socket.send(b"x" * MIB)
        assert sent < 64 * MIB  # the kernel's buffers, not ours
        assert all(resident(pid) - was < 2 * MIB for pid, was in zip(pids, before))


async def framed_call(port, payload):
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(b"frames\n" + struct.pack("<Q", len(payload)) + payload)
    n = struct.unpack("<Q", await reader.readexactly(8))[0]
    reply = await reader.readexactly(n)
    writer.close()
    await writer.wait_closed()
    return reply == payload[::-1]


def test_500_requests_in_flight_are_all_answered(shared):
    async def all_at_once():
        calls = [framed_call(shared.ports[0], os.urandom(1000)) for _ in range(500)]
        return await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)

    assert asyncio.run(all_at_once()) == [True] * 500


def test_hundreds_of_idle_connections_keep_nobody_out(shared):
    idle = [shared.client() for _ in range(400)]
    try:
        with shared.client(b"echo\nme too") as c:
            assert c.take(6) == b"me too"
        assert shared.info()["phase"] == "QuorumKeyProvisioned"
        idle[0].send(b"echo\nawake")
        assert idle[0].take(5) == b"awake"
    finally:
        for c in idle:
            c.close()


def test_with_few_descriptors_connections_wait_for_their_turn(bridged):
    b = bridged()
    b.start_enclave().start_host().provision().start_bridge(before=["prlimit", "--nofile=64:64"])
    b.wait_served(b.ports[0])
    served = []
    for _ in range(16):  # a quarter of 64: half of them, two for each
        served.append(b.client(b"echo\nin"))
        assert served[-1].take(2) == b"in"
    waiting = [b.client(b"echo\nlate") for _ in range(20)]
    waiting[0].socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        waiting[0].take(1)
    for c in served:
        c.close()
    for c in waiting:
        c.socket.settimeout(PATIENCE)
        assert c.take(4) == b"late"
        c.close()
    assert b.bridge.running()


def test_a_bridge_that_is_killed_and_started_again_serves_at_once(bridged):
    b = bridged().start()
    running = b.client(b"echo\nx")
    assert running.take(1) == b"x"
    b.bridge.process.kill()
    b.bridge.process.wait(PATIENCE)
    b.start_bridge().wait_served(b.ports[0])
    assert echoes(b)
    assert "cannot be served" not in b.bridge.err()


def both_ways(port, size, seed):
    """Sends and receives at the same time; (bytes, SHA-256) of what came back."""
    data = random.Random(seed).randbytes(size)
    with Client(port, first=b"echo\n") as c:
        def send():
            c.send(data)
            c.end()

        sender = threading.Thread(target=send)
        sender.start()
        got = c.rest()
        sender.join()
    assert got == data + b"end"


def test_no_byte_is_lost_in_many_short_and_one_long_connection(shared):
    both_ways(shared.ports[0], 16 * MIB, 1)
    for i in range(300):
        both_ways(shared.ports[i % 2], i * 13, i)


def expect_turned_away(b):
    """Without a byte; the reset may come before the client knows that it is connected."""
    with contextlib.suppress(ConnectionResetError), b.client(b"echo\n") as c:
        assert c.rest() == b""


def test_a_client_is_turned_away_while_the_application_does_not_listen(bridged):
    b = bridged(pivot=b"#!/bin/sh\nwhile :; do sleep 1; done\n")
    b.start_enclave().start_host()
    b.ceremony().provision(b.enclave)
    b.start_bridge().wait_served(b.ports[0])
    expect_turned_away(b)
    assert "127.0.0.1" in b.enclave.log.read_text()


def test_before_the_application_runs_nobody_is_let_through(bridged):
    b = bridged()
    b.start_enclave().start_host()
    ceremony = b.ceremony()
    setup = ceremony.boot(b.enclave)
    b.start_bridge().wait_served(b.ports[0])
    expect_turned_away(b)
    ceremony.post(b.enclave, "alice", setup)
    ceremony.post(b.enclave, "bob", setup)
    wait_until(lambda: b.listens(b.ports[0], "127.0.0.1"), "the application to listen")
    with b.client(b"echo\nnow") as c:
        assert c.take(3) == b"now"


def echoes(b, port=None):
    try:
        with b.client(b"echo\nhi", port) as c:
            return c.take(2) == b"hi"
    except (OSError, AssertionError):
        return False


def test_an_application_that_restarts_is_reached_again(bridged):
    b = bridged(restart="Always").start()
    with b.client(b"exit\n") as c:
        with contextlib.suppress(ConnectionResetError):
            assert c.rest() == b""
    wait_until(lambda: echoes(b), "the application to be back")


def test_bridges_stay_after_the_application_ended_for_good(bridged):
    b = bridged().start()
    b.client(b"exit\n").close()
    wait_until(lambda: "exited with status 3" in b.enclave.log.read_text(), "the end")
    assert os.path.exists(f"{b.enclave.socket}.{b.ports[0]}.appsock")
    expect_turned_away(b)


def test_an_enclave_that_comes_back_with_another_manifest_is_served_on_its_other_port(bridged):
    b = bridged().start()
    old = b.ports[0]
    running = b.client(b"echo\n")
    b.enclave.end(signal.SIGKILL)
    with contextlib.suppress(ConnectionResetError):
        assert running.rest() == b""
    b.ports = [free_port()]
    b.start_enclave()
    wait_until(lambda: not b.listens(old), "the old port to be closed")
    b.provision()
    b.wait_served(b.ports[0])
    assert echoes(b)
    assert not b.listens(old)
    assert b.bridge.out().count("running") == 1


def test_a_socket_that_a_killed_enclave_left_is_replaced(bridged):
    b = bridged().start()
    b.enclave.end(signal.SIGKILL)
    left = f"{b.enclave.socket}.{b.ports[0]}.appsock"
    assert os.path.exists(left)
    b.start_enclave().provision()
    wait_until(lambda: echoes(b), "the bridge to reach the new enclave")
    b.enclave.end()
    assert not os.path.exists(left)


def test_something_else_in_the_place_of_a_bridges_socket_is_left_alone(bridged):
    b = bridged()
    b.start_enclave().start_host()
    place = f"{b.enclave.socket}.{b.ports[0]}.appsock"
    with open(place, "w") as f:
        f.write("mine")
    b.provision().start_bridge()
    wait_until(lambda: "is not open, trying again" in b.enclave.log.read_text(), "the error")
    with open(place) as f:
        assert f.read() == "mine"
    os.unlink(place)
    wait_until(lambda: os.path.exists(place), "the bridge to be opened after all")
    wait_until(lambda: echoes(b), "a connection")


def test_the_port_can_be_overridden(bridged):
    other = free_port()
    b = bridged().start("--host-port-override", other)
    b.wait_served(other)
    assert not b.listens(b.ports[0])
    with b.client(b"echo\nover there", other) as c:
        assert c.take(10) == b"over there"


def test_of_two_entries_that_an_override_puts_on_one_address_the_first_is_served(bridged):
    other = free_port()
    b = bridged(ports=[free_port(), free_port()]).start("--host-port-override", other)
    b.wait_served(other)
    assert f"port {b.ports[1]} of the manifest is not served: another entry" in b.bridge.err()
    assert echoes(b, other)


def test_a_port_that_is_taken_is_served_once_it_is_free(bridged):
    b = bridged()
    b.start_enclave().start_host().provision()
    with socket.create_server((HERE, b.ports[0])):
        b.start_bridge()
        b.wait_said("cannot be served, trying again")
        b.wait_said("bridge running")
    wait_until(lambda: echoes(b), "the bridge to get the port")
    assert b.bridge.err().count("cannot be served") == 1


def test_entries_that_cannot_be_served_are_named_and_the_others_served(bridged, control):
    b = bridged()
    good = b.ports[0]
    bad = [server(0), server(4000, "localhost"), server(4001, "::1"), server(4002, ""),
           server(4003, "127.0.0.1\n\x1b[2Jevil"), server(4004, "x" * 100000), server(good, "127.0.0.3"),
           {"type": "client", "port": 443}]
    b.start_bridge(url=control.url)
    control.say(info(b, [server(good), *bad]))
    b.wait_served(good)
    said = b.bridge.err()
    for port in (0, 4000, 4001, 4002, 4003, 4004):
        assert f"port {port} of the manifest is not served" in said
    assert f"port {good} of the manifest is not served: expected each port once" in said
    assert "\x1b" not in said and "x" * 100 not in said
    control.wait_asked(5)
    assert b.bridge.err().count("is not served") == 7  # said once, not at every look


def test_hundreds_of_entries_are_served_and_thousands_do_no_harm(bridged, control):
    b = bridged()
    ports = [free_port() for _ in range(300)]
    b.start_bridge(url=control.url)
    control.say(info(b, [server(p) for p in ports]))
    for port in ports[:256]:
        b.wait_served(port)
    assert not any(b.listens(p) for p in ports[256:])
    assert "too many entries" in b.bridge.err()
    control.say(info(b, [server(p) for p in range(1, 20000)]), )
    control.say(info(b, [server(ports[299])]))
    b.wait_served(ports[299])
    wait_until(lambda: not b.listens(ports[0]), "the other ports to be closed")


GARBAGE = [b"", b"{", b"null", b"[]", b"{}", b'{"manifestEnvelope":1}', b'{"manifestEnvelope":{}}',
           b'{"manifestEnvelope":' + b"[" * 100000, b'{"manifestEnvelope":"\xff"}', os.urandom(1000),
           b'{"manifestEnvelope":' + b"[" * 200 + b"]" * 200 + b"}", b"[" + b"1," * 100000 + b"1]"]


def slowly(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(b" ")
            if threading.Event().wait(0.2):
                return


def silently(peer):
    peer.recv(1)  # until it gives up


def hugely(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(b" " * MIB)


@pytest.fixture(scope="module")
def behind_control():
    """A running application whose bridge asks somebody who can be made to misbehave."""
    folder = work_folder()
    control = ControlUrl()
    b = Bridged(folder)
    b.start_enclave().start_host().provision().start_bridge(url=control.url)
    control.say(info(b))
    b.wait_served(b.ports[0])
    yield b, control
    b.stop()
    control.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda g: g[:24].hex() or "nothing")
def test_garbage_from_the_control_url_changes_nothing(behind_control, garbage):
    b, control = behind_control
    with b.client(b"echo\n") as c:
        control.say(garbage)
        c.send(b"undisturbed")
        assert c.take(11) == b"undisturbed"
    assert echoes(b)
    control.say(info(b))


@pytest.mark.parametrize("way", [slowly, silently, hugely, b"HTTP/1.1 302 X\r\nLocation: /x\r\n\r\n", b"not http\r\n\r\n",
                                 b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"],
                         ids=["slow", "silent", "huge", "redirect", "not-http", "500"])
def test_a_control_url_that_misbehaves_stalls_no_connection(behind_control, way):
    b, control = behind_control
    before = resident(b.bridge.pid)
    with b.client(b"echo\n") as c:
        control.answer = way
        control.wait_asked(1)
        worst = 0
        for _ in range(300):
            start = time.monotonic()
            c.send(b"ping")
            assert c.take(4) == b"ping"
            worst = max(worst, time.monotonic() - start)
        control.wait_asked(1)
        assert worst < 0.9
    assert sanitized() or resident(b.bridge.pid) - before < 32 * MIB
    control.say(info(b))
    assert echoes(b)


def test_without_a_control_url_it_goes_on_and_takes_it_up_again(bridged):
    b = bridged().start()
    b.host.stop()
    b.wait_said("trying again every")
    assert echoes(b)
    b.start_host()
    b.wait_said("answers again")
    assert b.bridge.err().count("trying again every") == 1


def test_an_answer_without_a_manifest_closes_what_is_served(bridged, control):
    b = bridged()
    b.start_bridge(url=control.url)
    control.say(NO_MANIFEST)
    assert "no manifest yet" in b.bridge.err()
    assert b.bridge.out() == ""
    control.say(info(b))
    b.wait_served(b.ports[0])
    control.say(NO_MANIFEST)
    assert not b.listens(b.ports[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0(bridged, number):
    b = bridged().start()
    c = b.client(b"echo\nx")
    assert c.take(1) == b"x"
    b.bridge.process.send_signal(number)
    assert b.bridge.process.wait(PATIENCE) == 0
    with contextlib.suppress(ConnectionResetError):
        assert c.rest() == b""


@pytest.mark.parametrize("words, said", [
    ([], "argument control-url is required but was not found"),
    (["--control-url", "http://x"], "Invalid socket opts"),
    (["--control-url", "http://x", "--cid", "3", "--usock", "s"], "mutually exclusive"),
    (["--control-url", "ftp://x", "--cid", "3"], "expected http://"),
    (["--control-url", "http://x", "--cid", "three"], "--cid: expected a number"),
    (["--control-url", "http://x", "--cid", "3", "--host-port-override", "0"], "--host-port-override"),
    (["--control-url", "http://x", "--cid", "3", "--vsock-to-host", "maybe"], "expected true or false"),
    (["--control-url", "http://x", "--cid", "3", "--port", "3"], "--port, which was not an expected"),
])
def test_wrong_options_end_it_with_status_1_and_the_reason(words, said):
    done = subprocess.run([BIN / "qos_bridge", *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert said in done.stderr


def test_help_and_version():
    text = subprocess.run([BIN / "qos_bridge", "--help"], capture_output=True, text=True, check=True).stdout
    assert "--control-url" in text and "--host-port-override" in text
    text = subprocess.run([BIN / "qos_bridge", "--version"], capture_output=True, text=True, check=True).stdout
    assert text.startswith("version: 0.13.0\n")


def completed(*words):
    script = (f'. "{ROOT}/deploy/completion/qos_bridge.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '_qos_bridge; printf "%s\\n" "${COMPREPLY[@]}"')
    return subprocess.run(["bash", "-c", script, "bash", BIN / "qos_bridge", *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()


def test_completion_offers_what_help_lists_and_the_man_page_explains_it():
    offered = completed("--")
    assert {"--control-url", "--cid", "--usock", "--host-port-override", "--vsock-to-host"} <= set(offered)
    page = (ROOT / "docs" / "man" / "qos_bridge.8.scd").read_text()
    assert [o for o in offered if f"*{o}*" not in page] == []
    assert completed("--vsock-to-host", "t") == ["true"]


def test_options_of_the_originals_egress_are_taken_with_a_warning(bridged, control):
    b = bridged().start_bridge("--egress-bin-path", "/qos_egress", "--egress-host", url=control.url)
    b.wait_said("egress-bin-path")
    b.wait_said("egress-host")
    assert b.bridge.running()


@pytest.mark.parametrize("bridges, said", [
    ([server(4000), server(4000)], "each port once"),
    ([server(4000), {"type": "client", "port": 4000}], "each port once"),
    ([server(0)], "server port from 1 to 65535"),
    ([server(p) for p in range(1, 3001)], "at most 256 entries"),
])
def test_a_manifest_with_impossible_bridges_is_not_booted(enclave, bridges, said):
    enclave.start()
    ceremony = Ceremony(APPLICATION)
    ceremony.manifest["pivot"]["bridgeConfig"] = bridges
    with pytest.raises(AssertionError):
        ceremony.boot(enclave)
    assert enclave.phase() == "WaitingForBootInstruction"
    assert said in enclave.log.read_text()


def test_a_manifest_whose_bridge_has_no_room_for_its_path_is_not_booted(folder):
    long = folder / ("s" * (106 - len(str(folder)) - 1))
    e = Enclave(folder)
    e.socket = str(long)
    e.start()
    try:
        ceremony = Ceremony(APPLICATION)
        ceremony.manifest["pivot"]["bridgeConfig"] = [server(4000)]
        with pytest.raises(AssertionError):
            ceremony.boot(e)
        assert "shorter path of the control socket" in e.log.read_text()
        ceremony.manifest["pivot"]["bridgeConfig"] = []
        ceremony.boot(e)
    finally:
        e.end()
