"""Images of the tests: a kernel, qos_core as /init, and what a test adds in the second ramdisk."""
import os
import shutil
import subprocess
from pathlib import Path

from machine import BIN, ROOT

# What ./image has made, and the program that trusts a root of the tests (build option unsafe_test_root).
RELEASE = Path(os.environ.get("QUORATE_IMAGE", "/nowhere"))
UNSAFE_INIT = Path(os.environ.get("QUORATE_UNSAFE_INIT", "/nowhere"))
BASE_LIST = ROOT / "deploy" / "image" / "base.list"
CMDLINE = ROOT / "deploy" / "image" / "cmdline"
PARENT = "quorate.parent_cid=2"  # where vhost-device-vsock has the host


def missing():
    for what, path in (("QUORATE_IMAGE", RELEASE / "enclave.eif"), ("QUORATE_UNSAFE_INIT", UNSAFE_INIT)):
        if not path.exists():
            return f"{path}: {what} names nothing that is there (./check --qemu builds it)"
    return None


def client(*words):
    done = subprocess.run([BIN / "qos_client", *map(str, words)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


class Released:
    """The image as ./image made it."""

    eif, pcrs = RELEASE / "enclave.eif", RELEASE / "aws-x86_64.pcrs"


class Image:
    """The released kernel and /init (or another), with the line and the files of a test. folder: new, ours.
    files: {path in the image: bytes}, the second ramdisk."""

    def __init__(self, folder, files, init=None, cmdline=PARENT):
        folder.mkdir()
        self.folder = folder
        self.eif, self.pcrs = folder / "enclave.eif", folder / "aws-x86_64.pcrs"
        subprocess.run(["strip", "-o", folder / "init", init or RELEASE / "init"], check=True)
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
        self.said = client("eif", "build", "--kernel-path", RELEASE / "bzImage", "--cmdline", self.cmdline, "--ramdisk-path",
                           folder / "base.cpio", "--ramdisk-path", folder / "application.cpio",
                           "--eif-path", self.eif, "--pcrs-path", self.pcrs, "--name", "test")
