"""The application of the machines in QEMU: its manifest's entry, and asking it through qos_bridge."""
import json
import socket

from machine import BUILD, PATIENCE, free_port, wait_until

APPLICATION = BUILD / "tests" / "qemu" / "line_echo"
PORT = 3000
# Of a guest that gets it by boot-key-fwd: there it comes as hex in JSON, three times 12 MB before it is a program.
FORWARD_MEMORY = "96M"
BRIDGES = json.dumps([{"type": "server", "port": PORT, "host": "127.0.0.1"}])


def ask(port, line):
    """The line that the application answers to one line. b"": it is not there (yet). The end of a stream does not come
    through vhost-device-vsock, so nobody waits for it."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
            s.sendall(line.encode() + b"\n")
            while not answer.endswith(b"\n"):
                part = s.recv(65536)
                if not part:
                    return b""
                answer += part
    except ConnectionError:
        return b""
    return answer


class Bridge:
    """qos_bridge before a machine, on a port of its own."""

    def __init__(self, machine):
        self.port = free_port()
        self.bridge = machine.bridge(PORT, self.port)

    def ask(self, line):
        return json.loads(wait_until(lambda: ask(self.port, line), "the application to answer"))
