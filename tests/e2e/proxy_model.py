"""The protocol of qos_net (qos-wire 4.5) written from its specification alone, a DNS server on loopback, and
servers to connect to: what the tests of outgoing connections share."""
import contextlib
import hashlib
import socket
import struct
import threading

PATIENCE = 20.0


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<I", len(value)) + value


def frame(payload):
    return struct.pack("<Q", len(payload)) + payload


def by_ip(ip, port):
    return b"\4" + text(ip) + struct.pack("<H", port)


def by_name(name, port, resolvers=(), dns_port=53):
    return (b"\3" + text(name) + struct.pack("<H", port) + struct.pack("<I", len(resolvers))
            + b"".join(map(text, resolvers)) + struct.pack("<H", dns_port))


def read_exactly(s, n):
    got = b""
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more:
            raise EOFError(f"closed after {len(got)} of {n} bytes")
        got += more
    return got


def read_all(s):
    got = b""
    while more := s.recv(65536):
        got += more
    return got


def read_frame(s):
    return read_exactly(s, struct.unpack("<Q", read_exactly(s, 8))[0])


ERRORS = ["QOSIOError", "OversizeMsg", "OversizedPayload", "InvalidMsg", "ParseError", "DNSResolutionError",
          "ReadOverflow", "TooManyConnections"]


def read_answer(s):
    """("connected", ip), ("status", n) or (error name, its text or number)."""
    body = read_frame(s)
    if body[0] == 2:
        return "status", struct.unpack("<Q", body[1:])[0]
    if body[0] == 5:
        assert struct.unpack("<I", body[1:5])[0] == len(body) - 5
        return "connected", body[5:].decode()
    assert body[0] == 0, body
    name, rest = ERRORS[body[1]], body[2:]
    if name in ("QOSIOError", "ParseError", "DNSResolutionError"):
        return name, rest[4:].decode()
    return name, struct.unpack("<Q", rest)[0] if rest else None


def dial(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(str(path))
    return s


class Server:
    """A TCP server on loopback: serve(connection) in a thread for each; counts its connections."""

    def __init__(self, serve, ip="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        self.serve, self.connections = serve, 0
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((ip, port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        connection.settimeout(PATIENCE)
        with connection, contextlib.suppress(OSError, EOFError):
            self.serve(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # a thread in accept() would keep it open
        self.listener.close()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def digest(connection):
    """Reads to the end, then says what came: works only when ends are passed on one by one."""
    h = hashlib.sha256()
    while data := connection.recv(65536):
        h.update(data)
    connection.sendall(h.hexdigest().encode())


def http(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    body = b"fetched " + head.split()[1]
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Dns:
    """A DNS server on a loopback address: A and AAAA from a table {name: [addresses]}, else NXDOMAIN; a name
    with None is never answered. Remembers the questions."""

    def __init__(self, table, ip="127.0.0.1", port=0):
        self.table, self.questions = table, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ip, port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            reply = self._reply(query)
            if reply:
                self.socket.sendto(reply, peer)

    def _reply(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        question, name = query[12:at + 5], ".".join(labels).lower()
        self.questions.append((name, kind))
        if name in self.table and self.table[name] is None:
            return None
        family, wanted = (socket.AF_INET, 1) if kind == 1 else (socket.AF_INET6, 28)
        found = [a for a in self.table.get(name, []) if (":" in a) == (wanted == 28)] if kind == wanted else []
        answers = b""
        for address in found:
            data = socket.inet_pton(family, address)
            answers += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
        code = 0 if name in self.table else 3
        return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0) + question + answers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
