"""Lets unmodified programs that know unix sockets talk to a guest: each connection to our socket becomes one to a
vsock port of the guest, through the socket of vhost-device-vsock (nitro 3.3).

That daemon knows no half-close, either way, and stalls on large writes: the end of a client's stream is kept from it
until the client is gone, the end of the guest's comes only with the connection's, and what it is given at once stays
small."""
import contextlib
import os
import select
import socket
import threading

CHUNK = 16384


class Closed(Exception):
    """One side is gone."""


class _Direction:
    """What was read from one side and not yet written to the other."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.held = b""
        self.ended = False

    def take(self):
        with contextlib.suppress(BlockingIOError):
            self.held = self.source.recv(CHUNK)
            self.ended = not self.held

    def give(self):
        with contextlib.suppress(BlockingIOError):
            self.held = self.held[self.sink.send(self.held):]


def _watch(client, guest, up, down):
    """What either side is ready for. A hang-up is told always, so a client that nothing is wanted of is not asked."""
    of_client = (select.POLLOUT if down.held else 0) | (0 if up.held or up.ended else select.POLLIN)
    of_guest = (select.POLLOUT if up.held else 0) | (0 if down.held else select.POLLIN)
    poll = select.poll()
    poll.register(guest, of_guest)
    if of_client or not up.held:
        poll.register(client, of_client)
    return dict(poll.poll())


def _copy(client, guest):
    """Until the guest ends its stream, or the client is gone."""
    up, down = _Direction(client, guest), _Direction(guest, client)
    for s in (client, guest):
        s.setblocking(False)
    while True:
        ready = _watch(client, guest, up, down)
        of_client, of_guest = ready.get(client.fileno(), 0), ready.get(guest.fileno(), 0)
        if of_client & select.POLLIN and not up.held and not up.ended:
            up.take()
        elif of_client & (select.POLLHUP | select.POLLERR) and not up.held:
            return
        if of_guest & (select.POLLIN | select.POLLHUP) and not down.held:
            down.take()
        if up.held:
            up.give()
        if down.held:
            down.give()
        if down.ended:
            return


def connect(uds, port):
    """A connection to a port of the guest."""
    guest = socket.socket(socket.AF_UNIX)
    try:
        guest.connect(str(uds))
        guest.sendall(b"CONNECT %d\n" % port)
        answer = b""
        while not answer.endswith(b"\n"):
            byte = guest.recv(1)
            if not byte:
                raise Closed(f"guest port {port}: nobody listens")
            answer += byte
        if not answer.startswith(b"OK "):
            raise Closed(f"guest port {port}: {answer!r}")
        return guest
    except BaseException:
        guest.close()
        raise


class Relay:
    """path: our socket. Every connection to it is one to the guest's port."""

    def __init__(self, path, uds, port):
        self.uds, self.port = uds, port
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chmod(path, 0o600)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError, Closed), connect(self.uds, self.port) as guest:
            _copy(client, guest)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Parent:
    """The host's end of the sign of life: answers each byte with itself, and says when the first came."""

    def __init__(self, uds, on_byte):
        self.on_byte = on_byte
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{uds}_9000")
        self.listener.listen(4)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                guest, _ = self.listener.accept()
                with guest:
                    byte = guest.recv(1)
                    self.on_byte(byte)
                    guest.sendall(byte)
                    guest.recv(1)  # until the guest closes
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
