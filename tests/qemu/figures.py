"""usage: tests/qemu/figures.py [--memory]: what a machine in QEMU takes, one line a figure: "name value unit". Times
are medians, from the start of QEMU; memory is that of the whole QEMU process with 64 MiB for the guest. --memory also
looks for the smallest guest in which a ceremony ends well."""
import shutil
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from ceremony import Ceremony, Refused  # noqa: E402
import image  # noqa: E402
from machine import work_folder  # noqa: E402
from pki import make_pki  # noqa: E402
from qemu_machine import QemuMachine, Tools  # noqa: E402
from served import APPLICATION  # noqa: E402

BOOTS = 5
MEMORY_MIB = (40, 44, 48, 52, 56, 64, 80, 96, 128)


def figure(name, value, unit):
    print(f"{name} {value} {unit}", flush=True)


def boots(one, pki):
    heard, answered, resident = [], [], []
    for _ in range(BOOTS):
        machine = QemuMachine(one, pki)
        try:
            machine.start()
            heard.append(machine.heartbeat_s)
            answered.append(machine.answer_s)
            resident.append(machine.resident_kib() / 1024)
        finally:
            machine.remove()
    figure("qemu_boot_to_sign_of_life", f"{statistics.median(heard):.2f}", "s")
    figure("qemu_boot_to_first_answer", f"{statistics.median(answered):.2f}", "s")
    figure("qemu_resident", f"{statistics.median(resident):.0f}", "MiB")


def serves(one, pki, mebibytes):
    """Whether a whole ceremony with the test application fits into a guest of this size."""
    c = Ceremony(machine=QemuMachine(one, pki, memory=f"{mebibytes}M"))
    try:
        c.born()
        c.approved(APPLICATION)
        c.boot(APPLICATION)
        c.provision()
        return True
    except (AssertionError, OSError, Refused):
        return False
    finally:
        c.machine.remove()


def main():
    missing = Tools().missing() or image.missing()
    if missing:
        sys.exit(f"figures: {missing}")
    place = work_folder()
    try:
        pki, one = make_pki(place / "pki"), image.Image(place / "image", {"/etc-release": b"figures\n"})
        boots(one, pki)
        if sys.argv[1:] == ["--memory"]:
            smallest = next((m for m in MEMORY_MIB if serves(one, pki, m)), None)
            figure("qemu_smallest_guest", smallest, "MiB")
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
