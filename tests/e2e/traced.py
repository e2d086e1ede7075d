"""qos_core under strace: which system calls of a run leave a trace, and runs in which one of them kills the
enclave, fails, or is the first that fails. The tracer is a grandchild (strace -D): our child is qos_core."""
import os
import re
import shutil
import subprocess

import pytest

from machine import wait_until
from raw_enclave import CORE, Enclave

# By what they leave in the file system or tell somebody outside; names that this machine lacks are passed over.
CALLS = ("openat", "open", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link",
         "linkat", "unlink", "unlinkat", "fchmod", "chmod", "fchown", "chown", "mkdir", "mkdirat", "ftruncate",
         "sendmsg")
LINE = re.compile(r"(\w+)\((.*)")
# What each call may say when the disk is full or broken.
ERRORS = {"openat": "ENOSPC", "open": "ENOSPC", "write": "ENOSPC", "fchown": "EPERM", "chown": "EPERM",
          "fchmod": "EPERM", "chmod": "EPERM", "mkdir": "EROFS", "mkdirat": "EROFS", "mmap": "ENOMEM",
          "mprotect": "ENOMEM", "getrandom": "ENOSYS"}


def needs_plain_memory():
    if b"__asan_init" in CORE.read_bytes():
        pytest.skip("a sanitized program has a memory of its own kind")


def needs_strace():
    needs_plain_memory()  # the leak checker does not work under a tracer
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    if subprocess.run(["strace", "-D", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets nobody trace a process")


def sampled(points, every):
    """All of them with QUORATE_FULL=1, else each every-th."""
    return points if os.environ.get("QUORATE_FULL") == "1" else points[::every]


class TracedEnclave(Enclave):
    """start() traces when trace_words is set, and gives itself back also when the enclave is dead by then."""

    def __init__(self, folder, *options):
        super().__init__(folder, *options)
        self.trace = folder / "trace"
        self.trace_words = []
        self.locked_only = False

    def command(self, *more):
        words = super().command(*more)
        if self.locked_only:
            words.remove("--allow-unlocked-memory")
        if not self.trace_words:
            return words
        return ["strace", "-D", "-q", "-o", str(self.trace), *self.trace_words, *words]

    def record(self, calls=CALLS):
        self.trace_words = ["-e", "trace=" + ",".join("?" + name for name in calls)]
        return self

    def kill_at(self, call, number):
        return self.inject(call, f"signal=KILL:when={number}")

    def fail_at(self, call, number):
        if call == "brk":  # reports failure by an end of the heap below the one asked for, never by an error
            return self.inject(call, f"retval=0:when={number}")
        return self.inject(call, f"error={ERRORS.get(call, 'EIO')}:when={number}")

    def inject(self, calls, what):
        self.trace_words = ["-e", f"trace={calls}", "-e", f"inject={calls}:{what}"]
        return self

    def untraced(self):
        self.trace_words = []
        return self

    def start(self, must_live=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self.answers(), "qos_core")
        assert not must_live or self.process.poll() is None, self.log.read_text()
        return self

    def points(self):
        """(call, number) of every call in the trace that leaves something: the number counts that call."""
        counts, found = {}, []
        for line in self.trace.read_text().splitlines():
            match = LINE.match(line)
            if not match:
                continue
            call, words = match.groups()
            counts[call] = counts.get(call, 0) + 1
            opens = call.startswith("open")
            if (opens and "O_CREAT" in words) or not (opens or words.startswith("2,")):
                found.append((call, counts[call]))
        return found
