"""Images of the tests: a kernel, qos_core as /init, and what a test adds in the second ramdisk."""
import os
import shutil
import subprocess
from pathlib import Path

from machine import BIN, ROOT

KERNEL = Path(os.environ.get("QUORATE_KERNEL", "/nowhere"))
# Where qos_core and qos_core_unsafe_test_root are that were built without the simulated TEE.
INIT = Path(os.environ.get("QUORATE_INIT", "/nowhere"))
BASE_LIST = ROOT / "deploy" / "image" / "base.list"
CMDLINE = ROOT / "deploy" / "image" / "cmdline"
PARENT = "quorate.parent_cid=2"  # where vhost-device-vsock has the host


def missing():
    for what, path in (("QUORATE_KERNEL", KERNEL), ("QUORATE_INIT", INIT / "qos_core")):
        if not path.exists():
            return f"{path}: {what} names nothing that is there (./check --qemu builds it)"
    return None


def client(*words):
    done = subprocess.run([BIN / "qos_client", *map(str, words)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


class Image:
    """folder: new, ours. files: {path in the image: bytes}, the second ramdisk."""

    def __init__(self, folder, files, program="qos_core", cmdline=PARENT):
        folder.mkdir()
        self.folder = folder
        self.eif, self.pcrs = folder / "enclave.eif", folder / "aws-x86_64.pcrs"
        subprocess.run(["strip", "-o", folder / "init", INIT / program], check=True)
        shutil.copy(BASE_LIST, folder / "base.list")
        lines = []
        for number, (path, data) in enumerate(files.items()):
            (folder / f"file{number}").write_bytes(data)
            lines.append(f"file {path} file{number} 0444 0 0\n")
        (folder / "application.list").write_text("".join(lines))
        for name in ("base", "application"):
            client("eif", "initramfs", "--spec-path", folder / f"{name}.list", "--output-path",
                   folder / f"{name}.cpio")
        self.cmdline = f"{CMDLINE.read_text().strip()} {cmdline}".strip()
        self.said = client("eif", "build", "--kernel-path", KERNEL, "--cmdline", self.cmdline, "--ramdisk-path",
                           folder / "base.cpio", "--ramdisk-path", folder / "application.cpio",
                           "--eif-path", self.eif, "--pcrs-path", self.pcrs, "--name", "test")
