"""What an operator installs: units of systemd, the files of settings, the images' recipe, a socket that systemd hands
over; and what doctor says of a machine that runs an enclave."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from machine import BIN, BUILD, ROOT, Process, answers, free_port, request, work_folder

DEPLOY = ROOT / "deploy"
SERVICES = ["qos_enclave", "qos_host", "qos_bridge", "qos_core-simulated", "qos_instance-core@",
            "qos_instance-host@"]


@pytest.fixture(name="folder")
def folder_fixture():
    folder = work_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(name="units")
def units_fixture(folder):
    """The units as Meson makes them, with the programs of this build."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in (DEPLOY / "systemd").glob("qos_*.s*"):
        name = unit.name.replace("@.", "@9000.")  # an instance of a template
        (folder / name).write_text(unit.read_text().replace("@bindir@", str(BIN.resolve())))
    return folder


def test_the_units_are_well_formed(units):
    files = sorted(map(str, units.glob("qos_*")))
    assert len(files) == 8
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *files],
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("service, most", [("qos_enclave", 2.5), ("qos_host", 1.7), ("qos_bridge", 1.7),
                                           ("qos_core-simulated", 1.5), ("qos_instance-core@", 1.5),
                                           ("qos_instance-host@", 1.7)])
def test_the_units_are_hardened(units, service, most):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={int(most * 10)}",
                           units / f"{service.replace('@', '@9000')}.service"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def settings_of(unit, name):
    text = (DEPLOY / "systemd" / f"{unit}.service").read_text().replace("\\\n", " ")
    return [line.split("=", 1)[1] for line in text.splitlines() if line.startswith(f"{name}=")]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_gives_no_more_than_it_must(unit):
    for name, value in (("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("MemoryDenyWriteExecute", "yes"),
                        ("LimitCORE", "0"), ("CapabilityBoundingSet", ""), ("SystemCallArchitectures", "native")):
        assert settings_of(unit, name) == [value], name
    assert (settings_of(unit, "DynamicUser") == ["yes"]) == (unit != "qos_enclave")
    assert "AF_PACKET" not in settings_of(unit, "RestrictAddressFamilies")[0]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_uses_options_that_its_program_has(unit):
    command = settings_of(unit, "ExecStart")[0]
    program = command.split()[0].removeprefix("@bindir@/")
    text = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
    for option in re.findall(r"--[a-z-]+", command + " ".join(settings_of(unit, "Environment"))):
        assert f"\t{option} " in text, option


@pytest.mark.parametrize("unit", SERVICES)
def test_the_settings_that_a_file_explains_are_those_the_unit_reads(unit):
    explained = set(re.findall(r"(?m)^#?([A-Z_]+)=", (DEPLOY / "systemd" / f"{unit.rstrip('@')}.env").read_text()))
    if unit == "qos_enclave":
        text = subprocess.run([BIN / "qos_enclave", "--help"], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"(?m)^\t([A-Z_]+)  ", text)) - {"QUORATE_LAUNCHER"}
    else:
        known = {name for name in re.findall(r"\$\{?([A-Z_]+)", settings_of(unit, "ExecStart")[0])
                 if name.startswith("QOS_")}
    assert explained == known


def test_installing_puts_each_thing_where_it_belongs(folder):
    if not (BUILD / "meson-info").is_dir():
        pytest.skip("this is no build folder of Meson")
    listed = subprocess.run(["meson", "introspect", "--installed", BUILD], capture_output=True, text=True, check=True)
    targets = set(json.loads(listed.stdout).values())
    for name in ("qos_core", "qos_host", "qos_client", "qos_bridge", "qos_enclave"):
        assert any(Path(target).parts[-2:] == ("bin", name) for target in targets), name
    assert any(target.endswith("bash-completion/completions/qos_enclave") for target in targets)


# A listening socket is handed over as systemd does: descriptor 3, LISTEN_PID and LISTEN_FDS.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=sys.argv[2].replace("own", str(os.getpid())), LISTEN_FDS=sys.argv[3])
os.execv(sys.argv[4], sys.argv[4:])
"""


def handed(s, folder, port, pid="own", count="1", ip="127.0.0.1"):
    """qos_host with this socket; its words."""
    fd = os.dup(s.fileno())
    try:
        os.set_inheritable(fd, True)
        with open(folder / "host.out", "wb") as out, open(folder / "host.err", "wb") as err:
            return subprocess.Popen(
                ["/usr/bin/python3", "-c", HAND_OVER, str(fd), pid, count, str(BIN / "qos_host"), "--host-ip", ip,
                 "--host-port", str(port), "--usock", str(folder / "none.sock")], pass_fds=[fd], stdout=out, stderr=err)
    finally:
        os.close(fd)


def test_qos_host_takes_a_socket_from_systemd(folder):
    with socket.create_server(("127.0.0.1", 0), backlog=16) as s:
        port = s.getsockname()[1]
        with handed(s, folder, port) as process:
            try:
                # The connection waits in the socket until the program takes it.
                assert request(port, "GET", "/qos/host-health") == (200, b"Ok!")
                assert f"HostServer listening on 127.0.0.1:{port}" in (folder / "host.out").read_text()
            finally:
                process.terminate()
        assert process.returncode == 0


def test_a_socket_for_another_process_is_left_alone(folder):
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as s:
        with handed(s, folder, port, pid="1") as process:
            try:
                Process.wait_ready(_Waiting(process, folder), lambda: answers(port, "/qos/host-health"), "qos_host")
            finally:
                process.terminate()


class _Waiting:
    def __init__(self, process, folder):
        self.process, self.folder = process, folder

    def running(self):
        return self.process.poll() is None

    def err(self):
        return (self.folder / "host.err").read_text()


@pytest.mark.parametrize("change, reason", [
    ({"count": "2"}, "expected one socket"), ({"count": "x"}, "expected one socket"), ({"port": 1}, "listens on"),
    ({"ip": "0.0.0.0"}, "listens on")])
def test_a_socket_that_is_not_the_options_is_refused(folder, change, reason):
    with socket.create_server(("127.0.0.1", 0)) as s:
        with handed(s, folder, **{"port": s.getsockname()[1], **change}) as process:
            assert process.wait(timeout=30) == 1
    assert reason in (folder / "host.err").read_text()


@pytest.mark.parametrize("kind", ["connected", "unix", "file"])
def test_what_is_no_listening_tcp_socket_is_refused(folder, kind):
    with socket.create_server(("127.0.0.1", 0)) as listening, open(folder / "file", "wb") as file, \
            socket.socket(socket.AF_UNIX) as unix, socket.create_connection(listening.getsockname()) as connected:
        unix.bind(str(folder / "unix"))
        unix.listen()
        what = {"connected": connected, "unix": unix, "file": file}[kind]
        with handed(what, folder, 3000) as process:
            assert process.wait(timeout=30) == 1
    assert "LISTEN_FDS: " in (folder / "host.err").read_text()


# The recipe of the container images.

def stages():
    """{name: lines} of the Containerfile, continuation lines joined."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    found, name = {}, None
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("FROM "):
            name = line.split(" AS ")[1]
            found[name] = []
        if line and not line.startswith("#") and name:
            found[name].append(line)
    return found


def copies(lines):
    return [line.split()[1:] for line in lines if line.startswith("COPY ")]


def test_the_recipe_copies_what_there_is():
    for words in copies(stages()["build"]):
        for source in words[:-1]:
            assert (ROOT / source).exists(), source


def test_the_recipe_copies_programs_that_are_built():
    named = 0
    for stage, lines in stages().items():
        for words in copies(lines):
            for source in words:
                if stage != "build" and source.startswith("/out/"):
                    assert (BIN / Path(source).name).exists(), source
                    named += 1
    assert named >= 4


def test_the_recipe_installs_packages_that_the_project_knows():
    text = (ROOT / "tools" / "install-dependencies").read_text()
    assert any("tools/install-dependencies build" in line for line in stages()["build"])
    assert set(stages()) >= {"build", "runtime", "qos_host", "qos_bridge", "qos_enclave"}
    libraries = {word for line in stages()["runtime"] if "apt-get" in line for word in line.split()
                 if word.startswith("lib")}
    assert len(libraries) >= 5
    for library in libraries:
        stem = re.match(r"lib[a-z]+(-ares)?", library.replace("libc-ares", "libc-ares"))[0]
        assert stem.removesuffix("-") in text, library


def test_the_image_of_the_enclave_has_the_originals_settings():
    lines = stages()["qos_enclave"]
    assert "ENV EIF_PATH=/nitro.eif ENCLAVE_NAME=qos" in lines
    assert 'ENTRYPOINT ["/usr/bin/qos_enclave"]' in lines and "EXPOSE 8080" in lines


def test_the_programs_need_no_library_that_the_recipe_leaves_out():
    runtime = " ".join(stages()["runtime"])
    for name in ("qos_host", "qos_bridge", "qos_net", "qos_enclave"):
        needed = subprocess.run(["readelf", "-d", BIN / name], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"NEEDED.*\[(lib[^\]]+)\]", needed):
            stem = re.match(r"lib([a-zA-Z-]+)", library)[1].rstrip("-")
            if stem in ("c", "asan", "ubsan", "m"):
                continue
            package = {"crypto": "libssl3", "cares": "libc-ares2"}.get(stem, f"lib{stem}")
            assert package in runtime, f"{name} needs {library}"


# doctor --enclave-host, on machines that are folders.

class Machine:
    def __init__(self, root):
        self.root = root
        for name in ("dev/nitro_enclaves", "dev/vsock"):
            self.put(name, link="/dev/null")
        self.put("etc/group", "root:x:0:\nne:x:990:\n")
        self.put("etc/nitro_enclaves/allocator.yaml", "---\nmemory_mib: 2048 # MiB\ncpu_count: 2\n")
        self.put("etc/quorate/qos_enclave.env", "# settings\nEIF_PATH=/srv/app.eif\nMEMORY_MIB=1024\nDEBUG=false\n")
        self.put("srv/app.eif", b".eif" + b"\0" * 4092)
        self.put("sys/module/vhost_vsock/x", "")
        for size, n in ((2048, 0), (1048576, 2)):
            for kind in ("nr", "free"):
                self.put(f"sys/kernel/mm/hugepages/hugepages-{size}kB/{kind}_hugepages", f"{n}\n")

    def put(self, name, contents=None, link=None):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if link:
            path.symlink_to(link)
        elif isinstance(contents, int):  # an image of so many bytes
            path.write_bytes(b".eif")
            os.truncate(path, contents)
        elif contents is not None:
            path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())

    def doctor(self, *words):
        """{id: (level, what)} of what is found of the host."""
        done = subprocess.run([BIN / "qos_client", "doctor", "--enclave-host", "--machine-root", self.root, "--json",
                               *words], capture_output=True, text=True, timeout=60, check=False)
        found = json.loads(done.stdout)
        errors = [f for f in found["findings"] if f["level"] == "error"]
        assert done.returncode == (1 if errors else 0)
        assert all(f["where"] and f["remedy"] for f in found["findings"])
        return {f["id"]: (f["level"], f["what"]) for f in found["findings"] if f["id"] not in
                ("clock-unknown", "memory-lock", "nitro-device-open", "host-not-asked")}


@pytest.fixture(name="nitro")
def nitro_fixture(folder):
    return Machine(folder)


def test_doctor_finds_nothing_wrong_with_a_fit_host(nitro):
    assert nitro.doctor() == {}


@pytest.mark.parametrize("name, contents, finding, level, expected", [
    ("dev/nitro_enclaves", None, "nitro-device", "error", "expected a device"),
    ("dev/nitro_enclaves", "", "nitro-device", "error", "expected a character device"),
    ("dev/vsock", None, "vsock-device", "error", "expected a device"),
    ("etc/group", "nef:x:1:\nroot:x:0:ne:\n", "no-ne-group", "warning", "group ne"),
    ("etc/nitro_enclaves/allocator.yaml", None, "bad-allocator", "error", "No such file"),
    ("etc/nitro_enclaves/allocator.yaml", "memory_mib: 2G\ncpu_count: 2\n", "bad-allocator", "error", "2G"),
    ("etc/nitro_enclaves/allocator.yaml", "#memory_mib: 9\ncpu_count: 2\n", "bad-allocator", "error", "memory_mib"),
    ("etc/nitro_enclaves/allocator.yaml", "memory_mib: 2048\nmemory_mib: 9\ncpu_count: 2\n", "bad-allocator", "error",
     "once"),
    ("etc/nitro_enclaves/allocator.yaml", "memory_mib: 512\ncpu_count: 2\n", "allocator-memory", "error",
     "at least MEMORY_MIB=1024, found 512"),
    ("etc/nitro_enclaves/allocator.yaml", "memory_mib: 2048\ncpu_count: 1\n", "allocator-cpus", "error",
     "at least CPU_COUNT=2, found 1"),
    ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n", "huge-pages", "error", "found 0 MiB"),
    ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n", "huge-pages-in-use", "note", "are free"),
    ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "many", "huge-pages", "error", "found 0 MiB"),
    ("srv/app.eif", None, "enclave-image", "error", "No such file"),
    ("srv/app.eif", "\x7fELF", "enclave-image", "error", "expected an enclave image"),
    ("srv/app.eif", (257 << 20) + 4, "enclave-memory", "error", "at least 1029"),
    ("etc/quorate/qos_enclave.env", "EIF_PATH=/srv/app.eif\nDEBUG=true\n", "enclave-debug", "error", "are"),
    ("etc/quorate/qos_enclave.env", "EIF_PATH=/srv/app.eif\nLOGS='true'\n", "enclave-logs", "note", "no effect"),
])
def test_doctor_names_what_is_wrong_and_only_that(nitro, name, contents, finding, level, expected):
    nitro.put(name, contents)
    found = nitro.doctor()
    assert list(found) == [finding]
    assert found[finding][0] == level and expected in found[finding][1]


@pytest.mark.parametrize("line", ["DEBUG=1", "LOGS=True", "MEMORY_MIB=0", "MEMORY_MIB=1G", "CPU_COUNT=",
                                  "ENCLAVE_CID=3", "EIF_PATH=", "EIF_PATH=/" + "x" * 2000, "DEBUG=\x1b[2J"])
def test_doctor_names_the_setting_that_qos_enclave_refuses(nitro, line):
    nitro.put("etc/quorate/qos_enclave.env", f"EIF_PATH=/srv/app.eif\n{line}\n")
    nitro.put("aws-x86_64.eif", b".eif")
    found = nitro.doctor()
    assert list(found) == ["bad-enclave-settings"]
    assert line.split("=")[0] in found["bad-enclave-settings"][1] and "\x1b" not in found["bad-enclave-settings"][1]


def test_doctor_reads_the_settings_it_is_told(nitro, folder):
    other = folder / "other.env"
    other.write_text('  MEMORY_MIB = "4096"\nEIF_PATH=/srv/app.eif\nUNKNOWN=x\nnonsense\n')
    assert set(nitro.doctor("--enclave-env-path", other)) == {"allocator-memory", "huge-pages"}


def test_doctor_knows_an_allocator_with_a_cpu_pool(nitro):
    nitro.put("etc/nitro_enclaves/allocator.yaml", "memory_mib: 2048\ncpu_pool: 2,3,6-9\n")
    assert nitro.doctor() == {}


def test_doctor_says_when_the_host_does_not_answer(nitro):
    found = nitro.doctor("--host-ip", "127.0.0.1", "--host-port", str(free_port()))
    assert list(found) == ["host-unreachable"] and found["host-unreachable"][0] == "error"


def test_doctor_leaves_a_machine_alone_unless_asked(nitro):
    done = subprocess.run([BIN / "qos_client", "doctor", "--machine-root", nitro.root], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode != 0 and "argument enclave-host is required but was not found" in done.stdout + done.stderr


# Instances in containers.

def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_compose_file_is_equal_in_effect_to_the_guides_commands():
    services = compose()["services"]
    assert {name: service["ports"] for name, service in services.items()} == {
        f"renclave-v2-tee{number}": [f"127.0.0.1:{8999 + number}:8080"] for number in (1, 2, 3)}
    for name, service in services.items():
        assert service["container_name"] == name
        assert service["image"] == "docker-renclave-v2"
        assert service["command"] == "/app/scripts/start-services.sh"
        assert service["build"]["target"] in stages()
        assert service["environment"] == {"INSTANCE_HOST_OPTIONS": f"--host-name {name}"}
    assert compose()["networks"]["renclave-net"]["name"] == "docker_renclave-net"


def test_finding_36_a_container_asks_for_no_privilege():
    for service in compose()["services"].values():
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "volumes"} & set(service)
    lines = stages()["instance"]
    assert [line for line in lines if line.startswith("USER")][-1] == "USER 65534:65534"


def test_the_image_of_an_instance_starts_what_there_is():
    lines = stages()["instance"]
    assert "COPY deploy/instance/start-services.sh /app/scripts/start-services.sh" in lines
    assert 'CMD ["/app/scripts/start-services.sh"]' in lines and "EXPOSE 8080" in lines


class Services:
    """What a container runs, on a port of this machine; programs: a folder that is looked in first."""

    def __init__(self, folder, programs=None, **env):
        self.port = int(env.pop("port", 0)) or free_port()
        path = ":".join(str(p) for p in (programs, BIN, os.environ["PATH"]) if p)
        self.env = dict(os.environ, INSTANCE_IP="127.0.0.1", INSTANCE_PORT=str(self.port), PATH=path,
                        INSTANCE_DIR=str(folder / "run"), INSTANCE_SIM_DIR=str(folder / "sim"), **env)
        self.process = subprocess.Popen([DEPLOY / "instance" / "start-services.sh"], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ready(self):
        subprocess.run(["curl", "-s", "--retry", "600", "--retry-delay", "0", "--retry-connrefused", "--retry-max-time",
                        "60", f"http://127.0.0.1:{self.port}/health"], check=True, stdout=subprocess.DEVNULL)
        return self

    def children(self):
        """{name: process id}"""
        said = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "comm=,pid="], capture_output=True, text=True,
                              check=True).stdout
        return {name: int(pid) for name, pid in map(str.split, said.splitlines())}

    def ended(self):
        """(exit code, what was said); the pipe ends when the last of the programs has."""
        said, _ = self.process.communicate(timeout=30)
        return self.process.returncode, said


@pytest.fixture(name="services")
def services_fixture(folder):
    made = []

    def make(where=folder, **how):
        made.append(Services(where, **how))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.communicate(timeout=30)


def program(folder, name, text):
    (folder / "programs").mkdir(exist_ok=True)
    path = folder / "programs" / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path.parent


def test_an_instance_ends_with_its_container(services, folder):
    one = services().ready()
    assert (folder / "run").stat().st_mode & 0o777 == 0o700
    for signal_ in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        one.process.send_signal(signal_)
    assert one.ended()[0] == 0
    assert not (folder / "run" / "enclave.sock").exists()


def test_an_instance_told_to_stop_while_it_starts_does_not_start(services, folder):
    programs = program(folder, "mkdir", 'kill -TERM $PPID; exec /bin/mkdir "$@"')
    code, said = services(programs=programs).ended()
    assert (code, said) == (0, "")
    programs = program(folder, "qos_core", "kill -TERM $PPID; exec sleep 1000")
    (programs / "mkdir").unlink()
    assert services(programs=programs).ended()[0] == 0


@pytest.mark.parametrize("which", ["qos_core", "qos_host"])
def test_an_instance_does_not_outlive_one_of_its_programs(services, which):
    one = services().ready()
    os.kill(one.children()[which], signal.SIGKILL)
    assert one.ended()[0] == 128 + signal.SIGKILL


@pytest.mark.parametrize("which", ["qos_core", "qos_host"])
def test_an_instance_ends_with_the_code_of_the_program_that_failed_however_soon(services, folder, which):
    other = "qos_host" if which == "qos_core" else "qos_core"
    program(folder, other, "exec sleep 1000")
    programs = program(folder, which, "exit 7")
    for _ in range(10):
        assert services(programs=programs).ended()[0] == 7


def test_an_instance_whose_port_or_folder_is_taken_fails_and_leaves_the_first_alone(services, folder):
    one = services().ready()
    (folder / "second").mkdir()
    code, said = services(folder / "second", port=one.port).ended()
    assert code == 1 and "Address already in use" in said
    code, said = services().ended()
    assert code == 1 and "enclave.sock" in said
    assert (folder / "run" / "enclave.sock").exists()
    one.ready()
    assert one.process.poll() is None and set(one.children()) == {"qos_core", "qos_host"}


def test_an_instance_keeps_nothing_in_a_folder_that_others_gave(services, folder):
    (folder / "elsewhere").mkdir()
    (folder / "run").symlink_to(folder / "elsewhere")
    code, said = services().ended()
    assert code == 1 and "expected a folder of its own" in said
    (folder / "run").unlink()
    if os.geteuid() == 0:
        (folder / "run").mkdir()
        os.chown(folder / "run", 65534, 65534)
        code, said = services().ended()
        assert code == 1 and "expected a folder of its own" in said


def test_the_options_of_an_instance_may_be_on_several_lines(services, folder):
    code, said = services(INSTANCE_CORE_OPTIONS="--require-member-decryption\n  --client-key /nowhere\n").ended()
    assert code == 1 and "/nowhere" in said
