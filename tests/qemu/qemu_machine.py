"""One machine under test: an image booted by QEMU's nitro-enclave machine, and qos_host before it, which reaches the
guest's vsock through a relay. It has the face of tests/e2e's Machine, so the same ceremonies run on it."""
import hashlib
import os
import threading
import time
from pathlib import Path

from machine import BIN, ROLE, Machine, Process, answers, wait_until, work_folder
from vsock_relay import Parent, Relay

CONTROL_PORT = 3   # where qos_core listens as PID 1
GUEST_CID = 16
DEADLINE = 600.0   # seconds after which a machine is ended, whatever it does
BOOT_PATIENCE = 60.0
UNMEASURED = "reboot=t"  # QEMU appends it after the module has measured: a restart then ends QEMU


class Tools:
    """What QUORATE_QEMU (folder of qemu-system-x86_64 and vhost-device-vsock) and QUORATE_FIRMWARE say."""

    def __init__(self):
        self.folder = Path(os.environ.get("QUORATE_QEMU", "/nowhere"))
        self.firmware = os.environ.get("QUORATE_FIRMWARE", "/usr/share/seabios:/usr/share/qemu").split(":")
        self.qemu = self.folder / "qemu-system-x86_64"
        self.vsock = self.folder / "vhost-device-vsock"

    def missing(self):
        """What is not there, or nothing."""
        for program in (self.qemu, self.vsock):
            if not os.access(program, os.X_OK):
                return f"{program.name}: QUORATE_QEMU names no folder that has it (./check --qemu builds it)"
        for name in ("bios-microvm.bin", "linuxboot_dma.bin"):
            if not any((Path(place) / name).exists() for place in self.firmware):
                return f"{name}: not in {' or '.join(self.firmware)} (packages seabios and qemu-system-data)"
        return None


def _dies_with_us(program, *words):
    """A command that the kernel ends when the tests end, however they end."""
    return "/usr/bin/setpriv", ["--pdeathsig", "KILL", str(program), *map(str, words)]


class QemuMachine(Machine):
    """image: see image.py. pki: the folder that the security module signs with, when it signs."""

    running = set()

    def __init__(self, image, pki, memory="64M", role=ROLE, parent=True, signs=True):
        super().__init__(folder=work_folder(), role=role)
        self.image, self.sim, self.signs = image, pki, signs
        self.memory = memory
        self.tools, self.has_parent = Tools(), parent
        self.qemu = self.daemon = self.parent = self.deadline = self.heartbeat_s = self.answer_s = None
        self.relays = {}
        self.bridges = []

    def uds(self):
        return self.folder / f"vm{self.starts}"

    def print_pcrs(self):
        """What the image's file of measurements says, and what the role gives."""
        pcrs = {}
        for line in self.image.pcrs.read_text().splitlines():
            value, name = line.split()
            pcrs[name] = value
        pcrs["PCR3"] = hashlib.sha384(bytes(48) + self.role.encode()).hexdigest()
        return pcrs

    def _start_daemon(self):
        control = self.folder / f"vhost{self.starts}"
        program, words = _dies_with_us(self.tools.vsock, "--vm",
                                       f"guest-cid={GUEST_CID},socket={control},uds-path={self.uds()}")
        self.daemon = Process(program, words, self.folder / f"daemon{self.starts}")
        self.daemon.wait_ready(control.exists, "vhost-device-vsock to listen")
        return control

    def qemu_words(self, control):
        machine = ["nitro-enclave", "vsock=c", "accel=tcg", f"id=i-test-enc{self.port}",
                   f"parent-role={self.role}", "parent-id=i-0123456789abcdef0"]
        words = [word for place in self.tools.firmware for word in ("-L", place)]
        words += ["-M", ",".join(machine), "-chardev", f"socket,id=c,path={control}", "-kernel",
                  self.image.eif, "-m", self.memory, "-nographic", "-no-reboot", "-append", UNMEASURED]
        return words + (["-global", f"virtio-nsm-device.pki={self.sim}"] if self.signs else [])

    def _start_qemu(self, control):
        program, words = _dies_with_us(self.tools.qemu, *self.qemu_words(control))
        self.qemu = Process(program, words, self.folder / f"console{self.starts}",
                            env={**os.environ, "TMPDIR": str(self.folder)})
        self.deadline = threading.Timer(DEADLINE, self.qemu.process.kill)
        self.deadline.daemon = True
        self.deadline.start()
        self.running.add(self)

    def console(self):
        """What the guest said on its serial line."""
        return self.qemu.said()

    def logs(self):
        """What every process of this machine has said."""
        processes = {"console": self.qemu, "daemon": self.daemon, "host": self.host}
        processes.update((f"bridge {n}", one) for n, one in enumerate(self.bridges))
        return {name: process.said() for name, process in processes.items() if process}

    def start_guest(self):
        """Starts daemon and QEMU; returns before the guest has booted."""
        self.starts += 1
        self.socket = self.folder / f"enclave{self.starts}.sock"
        self.heard = threading.Event()
        control = self._start_daemon()
        self.begun = time.monotonic()
        if self.has_parent:
            self.parent = Parent(self.uds(), self._heartbeat)
        self._start_qemu(control)
        return self

    def _heartbeat(self, byte):
        self.heartbeat, self.heartbeat_s = byte, time.monotonic() - self.begun
        self.heard.set()

    def wait_console(self, text):
        self.qemu.wait_ready(lambda: text in self.console(), f"the console to say {text}")

    def start(self):
        self.start_guest()
        self.relay(CONTROL_PORT, self.socket)
        if self.has_parent:
            self.qemu.wait_ready(self.heard.is_set, "the sign of life")
        else:
            self.wait_console("listening on vsock")
        self.host = Process(BIN / "qos_host", ["--host-ip", "127.0.0.1", "--host-port", self.port, "--usock",
                                               self.socket], self.folder / f"host{self.starts}")
        self.host.wait_ready(lambda: answers(self.port, "/qos/host-health"), "qos_host to answer")
        self.qemu.wait_ready(lambda: self.phase().startswith("WaitingFor"), "the enclave's first answer")
        self.answer_s = time.monotonic() - self.begun
        return self

    def relay(self, port, path):
        self.relays[port] = Relay(path, self.uds(), port)

    def bridge(self, port, listen):
        """qos_bridge, whose connections to that port of the application are relayed; it listens on another one."""
        self.relay(port, f"{self.socket}.{port}.appsock")
        bridge = Process(BIN / "qos_bridge", [
            "--control-url", f"http://127.0.0.1:{self.port}/qos", "--usock", self.socket, "--poll-interval", 50,
            "--host-port-override", listen], self.folder / f"bridge{self.starts}")
        self.bridges.append(bridge)
        return bridge

    def wait_end(self):
        """Until the guest has ended QEMU by itself."""
        wait_until(lambda: not self.qemu.running(), "the guest's own end", BOOT_PATIENCE)

    def resident_kib(self):
        """Memory of this machine on the host: QEMU's, guest included."""
        for line in Path(f"/proc/{self.qemu.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def stop(self):
        for process in (*self.bridges, self.host):
            if process:
                process.stop()
        self.running.discard(self)
        for process in (self.qemu, self.daemon):
            if process:
                process.stop()
        if self.deadline:
            self.deadline.cancel()
        for relay in (*self.relays.values(), self.parent):
            if relay:
                relay.close()
        self.bridges, self.relays, self.host = [], {}, None
        self.qemu = self.daemon = self.parent = None


