"""One machine under test: a simulated enclave and its host as real processes, and the folders they use."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("QUORATE_BUILD", ROOT / "build"))
BIN = Path(os.environ.get("QUORATE_BIN", BUILD / "bin"))
SIGNED_ECHO = BUILD / "examples" / "signed-echo"
VECTORS = ROOT / "tests" / "vectors"
SHARED = Path(os.environ.get("QUORATE_SHARED", ROOT.parent / "shared"))

ROLE = "arn:aws:iam::123456789012:role/quorate-test"
PATIENCE = 30.0  # seconds until a condition that must come true counts as failed


def wait_until(condition, what, patience=PATIENCE):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s for {what}")
        time.sleep(0.005)


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    """A TCP port below the range the kernel gives to outgoing connections."""
    for port in range(20000 + os.getpid() % 8000, 32000):
        if port not in free_port.given and port_is_free(port):
            free_port.given.add(port)
            return port
    raise AssertionError("no free port")


free_port.given = set()


def work_folder():
    """A temporary folder that an application under another uid can go through."""
    folder = Path(tempfile.mkdtemp(prefix="quorate-test-"))
    folder.chmod(0o711)
    return folder


def request(port, method, path, body=None, patience=PATIENCE):
    """(status, body) of one HTTP request to this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request(method, path, body=body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answers(port, path):
    try:
        return request(port, "GET", path)[0] == 200
    except OSError:
        return False


def alive(pid):
    """Whether a process runs: one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Process:
    """A program of ours, its output in files, ended by its own id only."""

    def __init__(self, program, words, log, env=None):
        self.log = Path(log)
        with open(f"{log}.out", "wb") as out, open(f"{log}.err", "wb") as err:
            self.process = subprocess.Popen(
                [str(program), *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=env)
        self.pid = self.process.pid

    def out(self):
        return Path(f"{self.log}.out").read_text(errors="replace")

    def err(self):
        return Path(f"{self.log}.err").read_text(errors="replace")

    def said(self):
        return self.out() + self.err()

    def running(self):
        return self.process.poll() is None

    def wait_ready(self, condition, what):
        def ready():
            if not self.running():
                raise AssertionError(f"{what}: ended with {self.process.returncode}: {self.err()}")
            return condition()

        wait_until(ready, what)

    def stop(self):
        if self.running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


class Machine:
    """qos_core with the simulated TEE on a unix socket, and qos_host before it."""

    def __init__(self, folder=None, core=None, port=None, role=ROLE):
        self.folder = Path(folder) if folder else work_folder()
        self.core_program = Path(core) if core else BIN / "qos_core"
        self.port = port or free_port()
        self.role = role
        self.sim = self.folder / "sim"
        self.state = self.folder / "state"
        self.socket = self.folder / "enclave.sock"
        self.core = self.host = None
        self.starts = 0

    def file(self, which):
        return self.state / f"qos.{which}"

    def tee_words(self):
        return ["--tee", "sim", "--sim-dir", self.sim, "--role", self.role]

    def print_pcrs(self):
        """{"PCR0": hex, ...} of this enclave."""
        done = subprocess.run([self.core_program, *self.tee_words(), "--print-pcrs"], check=True,
                              capture_output=True, text=True)
        return {name: value for value, name in map(str.split, done.stdout.splitlines())}

    def connects(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(self.socket)) == 0

    def start(self):
        self.starts += 1
        log = self.folder / f"log{self.starts}"
        self.core = Process(self.core_program, [
            *self.tee_words(), "--usock", self.socket,
            "--quorum-file", self.file("quorum.key"), "--pivot-file", self.file("pivot.bin"),
            "--ephemeral-file", self.file("ephemeral.key"), "--manifest-file", self.file("manifest"),
        ], f"{log}.core")
        self.core.wait_ready(self.connects, "qos_core to listen")
        self.host = Process(BIN / "qos_host", [
            "--host-ip", "127.0.0.1", "--host-port", self.port, "--usock", self.socket], f"{log}.host")
        self.host.wait_ready(lambda: answers(self.port, "/qos/host-health"), "qos_host to answer")
        return self

    def stop(self):
        for process in (self.host, self.core):
            if process:
                process.stop()

    def restart(self):
        self.stop()
        return self.start()

    def phase(self):
        return request(self.port, "GET", "/qos/enclave-health")[1].decode()

    def info(self):
        status, body = request(self.port, "GET", "/qos/enclave-info")
        assert status == 200, body
        return json.loads(body)

    def children(self):
        """Process ids of the enclave's own children: the application."""
        text = Path(f"/proc/{self.core.pid}/task/{self.core.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)


class Application:
    """A stand-in for the reader's own program: a script, for it gets no arguments, that becomes signed-echo."""

    def __init__(self, machine, before=""):
        self.machine = machine
        self.port = free_port()
        self.before = before

    def make(self, version=1):
        """The file to give to --pivot-path; version 2 is another program with another hash."""
        name = "signed-echo" if version == 1 else "signed-echo-v2"
        folder = self.machine.folder / f"app-v{version}"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        program = folder / name
        shutil.copy(SIGNED_ECHO / name, program)
        program.chmod(0o755)
        script = folder / "your_app"
        script.write_text(f"#!/bin/sh\n{self.before}\nexec {program} --port {self.port} "
                          f"--quorum-file {self.machine.file('quorum.key')}\n")
        script.chmod(0o755)
        return script

    def wait_healthy(self):
        wait_until(lambda: answers(self.port, "/health"), "the application to answer")

    def health(self):
        self.wait_healthy()
        return json.loads(request(self.port, "GET", "/health")[1])

    def echo(self, message):
        self.wait_healthy()
        status, body = request(self.port, "POST", "/echo", body=message.encode())
        assert status == 200, body
        return json.loads(body)
