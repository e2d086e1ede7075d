"""qos_host before an enclave alone, and calls that are caught in their middle."""
import http.client
import json

from machine import BIN, PATIENCE, Process, answers, free_port, request


class Host:
    def __init__(self, enclave):
        self.port = free_port()
        self.process = Process(BIN / "qos_host", ["--host-ip", "127.0.0.1", "--host-port", self.port,
                                                  "--usock", enclave.socket],
                               enclave.folder / f"host{self.port}")
        self.process.wait_ready(lambda: answers(self.port, "/qos/host-health"), "qos_host")

    def send(self, message):
        status, body = request(self.port, "POST", "/qos/message", json.dumps(message).encode())
        return status, json.loads(body)

    def begin(self, message):
        """A connection on which a message was sent, once the host has handed it on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("POST", "/qos/message", json.dumps(message).encode())
        # Two turns of its loop after the bytes were there.
        assert answers(self.port, "/qos/host-health")
        assert answers(self.port, "/qos/host-health")
        return connection

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()
