"""An enclave made of scripted answers on a unix socket, for tests of the host alone. It records every request,
byte for byte; an answer may be bytes, a function of the request, or None for silence."""
import os
import socket
import struct
import threading


def canonical(value):
    """The wire's JSON: sorted keys, integers as strings, nulls dropped."""
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in sorted(value.items()) if v is not None}
    if isinstance(value, list):
        return [canonical(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


class FakeEnclave:
    def __init__(self, path, answers=None, one_at_a_time=False):
        self.path = str(path)
        self.answers = answers if answers is not None else {}
        self.requests = []
        self.connections = 0
        self.most_connections = 0
        self.open = 0
        self.one_at_a_time = one_at_a_time
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open += 1
                self.most_connections = max(self.most_connections, self.open)
            if self.one_at_a_time:
                self._serve(peer)
            else:
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    @staticmethod
    def _exactly(peer, n):
        parts = bytearray()
        while len(parts) < n:
            part = peer.recv(min(1 << 20, n - len(parts)))
            if not part:
                raise ConnectionError
            parts += part
        return bytes(parts)

    def _serve(self, peer):
        try:
            with peer:
                while True:
                    (n,) = struct.unpack("<Q", self._exactly(peer, 8))
                    request = self._exactly(peer, n)
                    self.requests.append(request)
                    answer = self.answers.get(request, self.answers.get("other"))
                    if callable(answer):
                        answer = answer(request)
                    if answer is None:
                        continue
                    peer.sendall(struct.pack("<Q", len(answer)) + answer)
        except (ConnectionError, OSError):
            pass
        finally:
            with self.lock:
                self.open -= 1

    def close(self):
        # Closing alone does not wake a thread that accepts.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
