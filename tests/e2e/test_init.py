"""qos_core as /init, the first process of a private machine: namespaces of our own, nothing of Nitro behind them. A real
boot, on a machine with a security module, is tests/qemu's subject."""
import os
import shutil
import signal
import subprocess

import pytest
from machine import BIN, work_folder

NAMESPACES = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount", "--kill-child"]
# The console is a file of the test; what is mounted is gone with the namespace.
SCRIPT = 'mount --bind "$1" /dev/console && { [ -z "$3" ] || mount --bind "$3" "$4"; } && exec "$2" nomodules'
GENERATOR = "/sys/class/misc/hw_random/rng_current"


@pytest.fixture
def boot():
    folder = work_folder()
    shutil.copy(BIN / "static" / "qos_core" if (BIN / "static" / "qos_core").exists() else BIN / "qos_core",
                folder / "init")
    console = folder / "console"

    def run(*over):
        """The end of the machine, and what was on its console; over: one file, and where to put it."""
        console.write_text("")
        probe = subprocess.run([*NAMESPACES, "sh", "-c", 'mount --bind "$1" /dev/console', "sh", console],
                               capture_output=True, text=True, timeout=30)
        if probe.returncode != 0:
            pytest.skip(f"this machine allows no private namespaces: {probe.stderr.strip()}")
        words = ["sh", "-c", SCRIPT, "sh", console, folder / "init", *(over or ("", ""))]
        done = subprocess.run([*NAMESPACES, *words], capture_output=True, text=True, timeout=60)
        return done, console.read_text()

    yield run
    shutil.rmtree(folder)


def test_without_a_security_module_it_says_why_and_switches_off(boot):
    done, console = boot()
    assert done.returncode == -signal.SIGINT  # how such a machine shows that it was switched off, not restarted
    lines = console.splitlines()
    assert lines[0].startswith("[ ") and "] " in lines[0]
    assert any("warning: heartbeat" in line for line in lines)
    assert "hardware random generator" in lines[-1] and lines[-1].endswith("; switching off")
    assert "QuorumOS Booted" not in console
    assert "error: mount /dev: " in done.stderr  # not in its power here: it said so, before it had a console, and went on


def test_with_the_generator_alone_it_still_refuses_to_serve(boot, tmp_path):
    generator = tmp_path / "rng_current"
    generator.write_text("nsm-hwrng\n")
    if not os.path.exists(GENERATOR):
        pytest.skip(f"{GENERATOR} is not there to put another file over")
    done, console = boot(generator, GENERATOR)
    assert done.returncode == -signal.SIGINT
    assert "hardware random generator" not in console
    assert console.splitlines()[-1].endswith("; switching off")
    assert "listening on" not in console


def test_another_first_process_is_an_ordinary_program():
    probe = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, timeout=30)
    if probe.returncode != 0:
        pytest.skip(f"this machine allows no private namespaces: {probe.stderr.strip()}")
    done = subprocess.run([*NAMESPACES, BIN / "qos_core", "--version"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("version: ")
