"""qos_net over its own protocol: what it serves, what it refuses, and that a bad peer costs only itself."""
import hashlib
import os
import socket
import struct

import pytest
from machine import BIN, Process, wait_until
from proxy_model import (PATIENCE, Dns, Server, by_ip, by_name, dial, digest, echo, frame, read_all, read_answer,
                         read_exactly, text)


def start(folder, *words):
    path = folder / "net.sock"
    process = Process(BIN / "qos_net", ["--usock", path, *words], folder / "net")
    process.wait_ready(lambda: "listening on" in process.err(), "qos_net to listen")
    return process, path


@pytest.fixture
def net(folder):
    process, path = start(folder)
    yield path
    assert process.running(), process.err()
    assert process.stop() == 0, process.err()


def asked(path, message):
    s = dial(path)
    s.sendall(frame(message))
    return s, read_answer(s)


def test_a_status_request_is_answered_with_zero_and_the_connection_closed(net):
    s, answer = asked(net, b"\1")
    assert answer == ("status", 0)
    assert s.recv(1) == b""


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1"])
def test_a_connection_by_address_is_relayed(net, ip):
    with Server(echo, ip=ip) as server:
        s, answer = asked(net, by_ip(ip, server.port))
        assert answer == ("connected", ip)
        s.sendall(b"hello")
        assert read_exactly(s, 5) == b"hello"
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b""


def test_bytes_sent_with_the_request_arrive(net):
    with Server(digest) as server:
        s = dial(net)
        s.sendall(frame(by_ip("127.0.0.1", server.port)) + b"early")
        assert read_answer(s)[0] == "connected"
        s.sendall(b" and late")
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).decode() == hashlib.sha256(b"early and late").hexdigest()


def test_a_name_is_resolved_by_the_resolvers_of_the_request(net):
    with Server(echo) as server, Dns({"service.test": ["127.0.0.1"]}) as dns:
        s, answer = asked(net, by_name("Service.Test", server.port, ["127.0.0.1"], dns.port))
        assert answer == ("connected", "127.0.0.1")
        assert sorted(set(dns.questions)) == [("service.test", 1), ("service.test", 28)]
        s.sendall(b"x")
        assert s.recv(1) == b"x"


def test_without_resolvers_those_of_the_machine_are_asked(net):
    with Server(echo) as server:
        assert asked(net, by_name("localhost", server.port))[1] == ("connected", "127.0.0.1")


def test_addresses_are_tried_in_order_ipv4_first(net):
    with Server(echo) as server, Dns({"both.test": ["::1", "127.0.0.9", "127.0.0.1"]}) as dns:
        assert asked(net, by_name("both.test", server.port, ["127.0.0.1"], dns.port))[1] == ("connected", "127.0.0.1")
    with Server(echo, ip="::1") as server, Dns({"both.test": ["::1", "127.0.0.1"]}) as dns:
        assert asked(net, by_name("both.test", server.port, ["127.0.0.1"], dns.port))[1] == ("connected", "::1")


def test_a_name_that_is_not_there_is_an_error_of_resolution(net):
    with Dns({}) as dns:
        name, why = asked(net, by_name("nobody.test", 1, ["127.0.0.1"], dns.port))[1]
        assert name == "DNSResolutionError" and "not found" in why


def test_a_resolver_that_never_answers_gives_way_to_the_next_and_the_last_to_an_error(net):
    with Server(echo) as server, Dns({"slow.test": None}) as silent:
        with Dns({"slow.test": ["127.0.0.1"]}, ip="127.0.0.2", port=silent.port):
            answer = asked(net, by_name("slow.test", server.port, ["127.0.0.1", "127.0.0.2"], silent.port))[1]
            assert answer == ("connected", "127.0.0.1")
        name, why = asked(net, by_name("slow.test", server.port, ["127.0.0.1"], silent.port))[1]
        assert name == "DNSResolutionError" and "Timeout" in why


def test_search_domains_are_not_used(net):
    with Dns({}) as dns:
        asked(net, by_name("single", 1, ["127.0.0.1"], dns.port))
        assert {name for name, _ in dns.questions} == {"single"}


def test_a_refused_connection_is_an_io_error(net):
    with Server(echo) as server:
        port = server.port
    name, why = asked(net, by_ip("127.0.0.1", port))[1]
    assert name == "QOSIOError" and "Connection refused" in why


@pytest.mark.parametrize("message, error", [
    (b"", "InvalidMsg"), (b"\6", "InvalidMsg"), (b"\1\0", "InvalidMsg"), (b"\2" + bytes(8), "InvalidMsg"),
    (b"\5" + text("1.2.3.4"), "InvalidMsg"), (b"\0\1", "InvalidMsg"),
    (b"\3" + struct.pack("<I", 2**32 - 1) + b"x", "InvalidMsg"),
    (by_ip("localhost", 1), "ParseError"), (by_ip("127.1", 1), "ParseError"), (by_ip("127.0.0.1", 0), "ParseError"),
    (by_name("a\0b", 1), "ParseError"), (by_name("", 1), "ParseError"), (by_name("a.test.", 1), "ParseError"),
    (by_name("x" * 254, 1), "ParseError"), (by_name("a.test", 1, ["dns.test"]), "ParseError"),
    (by_name("a.test", 1, ["127.0.0.1"] * 9), "ParseError"),
])
def test_a_message_that_is_no_request_is_refused_by_name(net, message, error):
    s, answer = asked(net, message)
    assert answer[0] == error
    assert s.recv(1) == b""


def test_a_frame_that_is_too_large_is_refused_before_it_comes(net):
    for size in (16385, 2**27, 2**64 - 1):
        s = dial(net)
        s.sendall(struct.pack("<Q", size))
        assert read_answer(s) == ("OversizeMsg", None)
        assert s.recv(1) == b""


def test_a_request_byte_by_byte_is_a_request(net):
    with Server(echo) as server:
        s = dial(net)
        for byte in frame(by_ip("127.0.0.1", server.port)):
            s.sendall(bytes([byte]))
        assert read_answer(s)[0] == "connected"


def test_peers_that_leave_half_way_cost_nothing(net):
    with Server(echo) as server:
        whole = frame(by_ip("127.0.0.1", server.port))
        for n in range(len(whole)):
            with dial(net) as s:
                s.sendall(whole[:n])
        assert asked(net, by_ip("127.0.0.1", server.port))[1][0] == "connected"


def test_one_connection_too_many_is_told_so_and_place_is_made_again(folder):
    process, path = start(folder, "--max-connections", 3)
    with Server(echo) as server:
        held = [asked(path, by_ip("127.0.0.1", server.port)) for _ in range(3)]
        assert all(answer[0] == "connected" for _, answer in held)
        s = dial(path)
        assert read_answer(s) == ("TooManyConnections", 3)
        assert s.recv(1) == b""
        held.pop()[0].close()

        def served():
            return asked(path, b"\1")[1] == ("status", 0)
        wait_until(served, "a place to be free")
        wait_until(lambda: server.connections == 3, "the server to have seen just those")
    process.stop()


def test_a_pool_listens_on_consecutive_paths(folder):
    for given, expected in (("p", ["p", "p_0", "p_1"]), ("p_8", ["p_8", "p_9", "p_10"])):
        process = Process(BIN / "qos_net", ["--usock", folder / given, "--pool-size", 3], folder / "net")
        process.wait_ready(lambda: "listening on" in process.err(), "qos_net to listen")
        assert sorted(p.name for p in folder.iterdir() if p.is_socket()) == sorted(expected)
        for name in expected:
            assert asked(folder / name, b"\1")[1] == ("status", 0)
        assert process.stop() == 0
        assert not [p for p in folder.iterdir() if p.is_socket()]


@pytest.mark.parametrize("words, why", [
    ([], "Invalid socket opts"), (["--usock", "a", "--pool-size", "0"], "--pool-size"),
    (["--usock", "a", "--pool-size", "65"], "--pool-size"),
    (["--usock", "a", "--max-connections", "none"], "--max-connections"), (["--cid", "3"], "port"),
    (["--cid", "3", "--port", "4294967295", "--pool-size", "2"], "--pool-size"),
])
def test_options_that_make_no_sense_are_refused(folder, words, why):
    process = Process(BIN / "qos_net", words, folder / "net")
    assert process.process.wait(PATIENCE) == 1
    assert why in process.err()


def test_many_at_once_and_both_ways(net):
    blob = os.urandom(300_000)
    with Server(digest) as server:
        held = [asked(net, by_ip("127.0.0.1", server.port))[0] for _ in range(200)]
        for s in held:
            s.sendall(blob[:1000])
        for s in held:
            s.shutdown(socket.SHUT_WR)
        expected = hashlib.sha256(blob[:1000]).hexdigest()
        assert {read_all(s).decode() for s in held} == {expected}
        s = asked(net, by_ip("127.0.0.1", server.port))[0]
        s.sendall(blob)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).decode() == hashlib.sha256(blob).hexdigest()
