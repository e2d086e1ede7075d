"""qos_client with somebody at a terminal of its own."""
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time

from desk import environment
from machine import BIN


class Typist:
    """qos_client with a terminal of its own, at which somebody types; its standard streams are elsewhere."""

    def __init__(self, desk, words, answers="", env=None):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.shown = ""

        def take_terminal():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)  # whoever started the tests may ignore some

        self.process = subprocess.Popen(
            [BIN / "qos_client", *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=desk.folder, env=env or environment(),
            start_new_session=True, preexec_fn=take_terminal)
        self.process.stdin.write(answers)
        self.process.stdin.close()
        self.process.stdin = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def until(self, text, patience=30):
        deadline = time.monotonic() + patience
        while text not in self.shown:
            assert time.monotonic() < deadline, f"waited for {text!r}, saw {self.shown!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 4096).decode()

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def asked(self, question):
        """The question is there, and what is typed next is not shown."""
        self.until(question)
        assert not self.echoes()
        self.shown = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def ended(self):
        out, err = self.process.communicate(timeout=60)
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 4096).decode()
        return self.process.returncode, out, err
