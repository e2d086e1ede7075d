"""A SOCKS5 client written from RFC 1928 alone, to talk to an enclave's proxy byte by byte."""
import socket
import struct

from proxy_model import PATIENCE, read_exactly

SUCCEEDED, FAILED, NOT_ALLOWED, HOST_UNREACHABLE, REFUSED, NO_COMMAND, NO_ADDRESS_TYPE = 0, 1, 2, 4, 5, 7, 8


def request(host, port, command=1):
    try:
        address = b"\1" + socket.inet_pton(socket.AF_INET, host)
    except (OSError, TypeError, ValueError):
        try:
            address = b"\4" + socket.inet_pton(socket.AF_INET6, host)
        except (OSError, TypeError, ValueError):
            address = named(host)
    return b"\5" + bytes([command]) + b"\0" + address + struct.pack(">H", port)


def named(host):
    name = host if isinstance(host, bytes) else host.encode()
    return b"\3" + bytes([len(name)]) + name


def by_name(host, port):
    """A request that gives even an address as a name."""
    return b"\5\1\0" + named(host) + struct.pack(">H", port)


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    s.settimeout(PATIENCE)
    return s


def greeted(port):
    s = connect(port)
    s.sendall(b"\5\1\0")
    assert read_exactly(s, 2) == b"\5\0"
    return s


def read_reply(s):
    reply = read_exactly(s, 10)
    assert reply[0] == 5 and reply[2:] == b"\0\1" + bytes(6), reply
    return reply[1]


def ask(port, message):
    """(socket, reply)."""
    s = greeted(port)
    s.sendall(message)
    return s, read_reply(s)
