"""An enclave with an application that serves TCP, its host, and qos_bridge before it: all real processes."""
import hashlib
import json
import socket
import struct
import threading
from pathlib import Path

from machine import BIN, BUILD, PATIENCE, Process, answers, free_port, request, wait_until
from raw_enclave import Ceremony, Enclave

# The application: the first line of a connection says what to do with it. It listens on the ports that are
# its arguments, on 127.0.0.1, as an application in an enclave does.
APPLICATION = rb'''#!/usr/bin/python3 -I
import asyncio, hashlib, os, struct, sys

async def frames(r, w):
    while True:
        n = struct.unpack("<Q", await r.readexactly(8))[0]
        w.write(struct.pack("<Q", n) + (await r.readexactly(n))[::-1])
        await w.drain()

async def echo(r, w):
    while data := await r.read(65536):
        w.write(data)
        await w.drain()
    w.write(b"end")

async def digest(r, w):
    h, n = hashlib.sha256(), 0
    while data := await r.read(1 << 20):
        h.update(data)
        n += len(data)
    w.write(b"%d %s" % (n, h.hexdigest().encode()))

async def source(r, w, size):
    block = bytes(range(251)) * 256
    while size > 0:
        w.write(block[:size])
        size -= len(block[:size])
        await w.drain()

async def serve(r, w):
    try:
        word, *args = (await r.readline()).split()
        if word == b"frames": await frames(r, w)
        elif word == b"echo": await echo(r, w)
        elif word == b"digest": await digest(r, w)
        elif word == b"source": await source(r, w, int(args[0]))
        elif word == b"close-first":
            w.write(b"bye")
            w.write_eof()
            while await r.read(65536): pass
        elif word == b"hold": await asyncio.sleep(3600)
        elif word == b"reset":
            w.write(b"part")
            await w.drain()
            await r.readline()
            import socket
            w.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            w.transport.abort()
            return
        elif word == b"exit": os._exit(3)
        await w.drain()
        w.close()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        w.close()

async def main():
    servers = [await asyncio.start_server(serve, "127.0.0.1", int(p), backlog=4096) for p in sys.argv[1:]]
    await asyncio.gather(*(s.serve_forever() for s in servers))

asyncio.run(main())
'''

HERE = "127.0.0.2"  # where the bridge listens: the application has the same ports on 127.0.0.1


def server(port, host=HERE):
    return {"type": "server", "port": port, "host": host}


def source_bytes(size):
    block = bytes(range(251)) * 256
    return (block * (size // len(block) + 1))[:size]


def sanitized():
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    return next(o["value"] for o in options if o["name"] == "b_sanitize") != "none"


def resident(pid):
    """Bytes of memory a process has."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


class Client:
    """A plain TCP connection."""

    def __init__(self, port, host=HERE, first=b""):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self.send(first)

    def send(self, data):
        self.socket.sendall(data)

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def take(self, size):
        got = b""
        while len(got) < size:
            part = self.socket.recv(size - len(got))
            if not part:
                raise AssertionError(f"ended after {len(got)} of {size} bytes")
            got += part
        return got

    def rest(self):
        parts = []
        while part := self.socket.recv(1 << 20):
            parts.append(part)
        return b"".join(parts)

    def frame(self, payload):
        self.send(struct.pack("<Q", len(payload)) + payload)
        return self.take(struct.unpack("<Q", self.take(8))[0])

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Bridged:
    """Enclave, host and bridge in one folder."""

    def __init__(self, folder, ports=None, extra=(), restart="Never", pivot=APPLICATION):
        self.folder = folder
        self.ports = ports or [free_port()]
        self.extra = list(extra)
        self.restart = restart
        self.pivot = pivot
        self.enclave = Enclave(folder)
        self.host = self.bridge = None
        self.host_port = free_port()
        self.starts = 0

    def ceremony(self):
        c = Ceremony(self.pivot, restart=self.restart, args=[str(p) for p in self.ports])
        c.manifest["pivot"]["bridgeConfig"] = [server(p) for p in self.ports] + self.extra
        return c

    def start_enclave(self):
        self.enclave.start()
        return self

    def start_host(self):
        self.host = Process(BIN / "qos_host", ["--host-ip", "127.0.0.1", "--host-port", self.host_port,
                                               "--usock", self.enclave.socket], self.folder / "host")
        self.host.wait_ready(lambda: answers(self.host_port, "/qos/host-health"), "qos_host to answer")
        return self

    def start_bridge(self, *more, url=None, before=()):
        """before: words in front of the program, such as prlimit's."""
        self.starts += 1
        url = url or f"http://127.0.0.1:{self.host_port}/qos"
        program, *words = [*before, BIN / "qos_bridge", "--control-url", url, "--usock", self.enclave.socket,
                           "--poll-interval", 50, *more]
        self.bridge = Process(program, words, self.folder / f"bridge{self.starts}")
        return self

    def provision(self):
        self.ceremony().provision(self.enclave)
        for port in self.ports:
            wait_until(lambda p=port: self.listens(p, "127.0.0.1"), "the application to listen")
        return self

    def start(self, *more):
        self.start_enclave().start_host().provision().start_bridge(*more)
        for port in self.ports:
            if "--host-port-override" not in more:
                self.wait_served(port)
        return self

    @staticmethod
    def listens(port, host=HERE):
        with socket.socket() as s:
            return s.connect_ex((host, port)) == 0

    def wait_served(self, port, host=HERE):
        self.bridge.wait_ready(lambda: self.listens(port, host), f"the bridge to serve {port}")

    def wait_said(self, text):
        self.bridge.wait_ready(lambda: text in self.bridge.said(), f"the bridge to say {text}")

    def client(self, first=b"", port=None, host=HERE):
        return Client(port or self.ports[0], host, first)

    def info(self):
        return json.loads(request(self.host_port, "GET", "/qos/enclave-info")[1])

    def stop(self):
        for process in (self.bridge, self.host):
            if process:
                process.stop()
        if self.enclave.process and self.enclave.process.poll() is None:
            self.enclave.end()
        said = self.enclave.log.read_text() if self.enclave.process else ""
        said += "".join(p.err() for p in (self.bridge, self.host) if p)
        assert "Sanitizer" not in said and "runtime error" not in said, said


class ControlUrl:
    """A stand-in for qos_host that answers what it is told to: bytes, written as they are, or a function of the
    socket."""

    def __init__(self):
        self.answer = b""
        self.asked = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/qos"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer):
        with peer:
            try:
                peer.recv(65536)
                self.asked += 1
                if callable(self.answer):
                    self.answer(peer)
                else:
                    peer.sendall(self.answer)
            except OSError:
                pass

    def say(self, body, status=200):
        """Answers with this body from now on, and waits until that was asked for."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = (f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body
        self.wait_asked(2)

    def wait_asked(self, times):
        so_far = self.asked
        wait_until(lambda: self.asked >= so_far + times, "the bridge to ask again")

    def close(self):
        self.listener.close()


def sha256(data):
    return hashlib.sha256(data).hexdigest()
