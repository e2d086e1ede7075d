"""A host that lies: it answers a client with whatever a test makes of a genuine reply, or of the request itself."""
import contextlib
import http.server
import json
import socket
import struct
import threading
import urllib.request

from fake_enclave import canonical


def forward(port):
    """What the host at this port answers to a request."""
    def ask(body):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/qos/message", data=body)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read()
    return ask


class HostileHost:
    """Answers every POST with alter(genuine). genuine is a JSON value, bytes, or a function of the request's bytes;
    alter gets a JSON value when the reply is one, else bytes. None: the connection is closed without an answer.
    A tuple (status, bytes) is sent as it is."""

    def __init__(self, genuine, alter=None):
        self.genuine, self.alter = genuine, alter or (lambda reply: reply)
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(body)
                answer = outer.answer(body)
                if answer is None:
                    self.close_connection = True
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                status, text = answer if isinstance(answer, tuple) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, body):
        reply = self.genuine(body) if callable(self.genuine) else self.genuine
        try:
            reply = json.loads(reply) if isinstance(reply, bytes) else json.loads(json.dumps(reply))
        except ValueError:
            pass
        reply = self.alter(reply)
        if reply is None or isinstance(reply, (bytes, tuple)):
            return reply
        return json.dumps(canonical(reply), separators=(",", ":")).encode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@contextlib.contextmanager
def through(ceremony, port):
    """Lets the ceremony's commands talk to this port instead of its machine's."""
    ceremony.host = lambda: ("--host-ip", "127.0.0.1", "--host-port", port)
    try:
        yield
    finally:
        del ceremony.host
