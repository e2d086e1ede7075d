"""qos_enclave: its environment, its enclave by a stand-in for nitro-cli, its health service, its log, its end."""
import datetime
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from machine import BIN, alive, wait_until
from nitro import Launcher, NitroHost


@pytest.fixture(name="launch")
def launch_fixture():
    """Starts launchers and ends what is left of them."""
    started = []

    def start(*words, **settings):
        launcher = Launcher(*words, **settings)
        started.append(launcher)
        return launcher

    yield start
    for launcher in started:
        if launcher.process.running():
            launcher.process.process.kill()
            launcher.ended()
    for folder in {launcher.host.folder for launcher in started}:
        shutil.rmtree(folder)


def test_the_defaults_are_the_originals(launch):
    launcher = launch(DEBUG=None)
    launcher.wait_healthy()
    assert launcher.host.calls("run-enclave") == [
        ["run-enclave", "--eif-path", str(launcher.eif), "--enclave-cid", "16", "--memory", "1024", "--cpu-count", "2",
         "--enclave-name", "nitro"]]
    assert (launcher.host.folder / "run").is_dir()
    assert launcher.host.calls("console") == []


def test_the_image_by_default_is_the_originals(launch):
    launcher = launch(EIF_PATH=None)
    assert launcher.ended() == 1
    assert launcher.said("EIF_PATH: /aws-x86_64.eif: No such file", level="ERROR")


def test_every_setting_reaches_the_enclave(launch):
    launcher = launch(ENCLAVE_CID=77, MEMORY_MIB=4096, CPU_COUNT=4, DEBUG="true", LOGS="false", ENCLAVE_NAME="qos")
    launcher.wait_healthy()
    assert launcher.host.calls("run-enclave")[0][3:] == [
        "--enclave-cid", "77", "--memory", "4096", "--cpu-count", "4", "--enclave-name", "qos", "--debug-mode"]


def test_debug_is_said_loudly(launch):
    launcher = launch(DEBUG="true")
    launcher.wait_healthy()
    assert launcher.said("ARE ZERO", level="WARN")
    assert launcher.said("members' clients will refuse this enclave", level="WARN")


@pytest.mark.parametrize("setting, value", [
    ("DEBUG", "1"), ("DEBUG", "TRUE"), ("DEBUG", ""), ("DEBUG", "true "), ("LOGS", "yes"), ("ENCLAVE_CID", "3"),
    ("ENCLAVE_CID", "4294967295"), ("ENCLAVE_CID", "0x10"), ("ENCLAVE_CID", ""), ("MEMORY_MIB", "0"),
    ("MEMORY_MIB", "1G"), ("MEMORY_MIB", "-1"), ("CPU_COUNT", "0"), ("CPU_COUNT", "4097"), ("CPU_COUNT", "2.5"),
    ("EIF_PATH", ""), ("EIF_PATH", "--help"), ("ENCLAVE_NAME", "--debug-mode"), ("ENCLAVE_NAME", "../x"),
    ("ENCLAVE_NAME", ""), ("QUORATE_LAUNCHER", "kvm")])
def test_a_bad_setting_is_one_clear_error(launch, setting, value):
    launcher = launch(**{setting: value})
    assert launcher.ended() == 1
    errors = [line for line in launcher.lines() if line["level"] == "ERROR"]
    assert len(errors) == 1 and setting in errors[0]["fields"]["message"]
    assert launcher.host.calls() == []


@pytest.mark.parametrize("contents", [b"", b".ei", b"\x7fELF", b".EIF...."])
def test_what_is_no_image_is_refused_before_anything_runs(launch, contents):
    launcher = launch(eif=contents)
    assert launcher.ended() == 1
    assert launcher.said("expected an enclave image", level="ERROR")
    assert launcher.host.calls() == []


def test_health_follows_the_state_of_this_enclave(launch):
    launcher = launch()
    launcher.wait_healthy()
    launcher.host.change(State="TERMINATING")
    launcher.wait_unhealthy()
    launcher.host.change(State="RUNNING")
    launcher.wait_healthy()
    launcher.host.change(EnclaveID="i-0-enc-of-somebody-else")
    launcher.wait_unhealthy()
    assert launcher.process.running()  # a crash is only seen by health
    assert launcher.said("the enclave is not running", level="ERROR")


def test_health_is_503_until_the_enclave_has_started(launch):
    host = NitroHost()
    host.act("gate", "shut")
    launcher = launch(host)
    wait_until(lambda: host.calls("run-enclave"), "the start")
    assert launcher.health() == b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
    host.act("gate", "open")
    launcher.wait_healthy()


@pytest.mark.parametrize("asked", [b"", b"\0", b"POST /x HTTP/9\r\n", b"x" * 200000])
def test_health_does_not_read_what_is_asked(launch, asked):
    launcher = launch()
    launcher.wait_healthy()
    assert launcher.health(asked) == b"HTTP/1.1 200 OK\r\n\r\n"


def test_health_half_closes(launch):
    launcher = launch()
    launcher.wait_healthy()
    with socket.create_connection(("127.0.0.1", launcher.port()), timeout=30) as s:
        answer = b""
        while part := s.recv(100):
            answer += part
        assert answer == b"HTTP/1.1 200 OK\r\n\r\n"
        s.sendall(b"the other direction is still open")
        assert s.recv(1) == b""


def test_a_crowd_that_asks_starts_few_programs(launch):
    launcher = launch()
    launcher.wait_healthy()
    before = len(launcher.host.calls("describe-enclaves"))
    started = datetime.datetime.now()
    crowd = [socket.create_connection(("127.0.0.1", launcher.port()), timeout=60) for _ in range(80)]
    assert [s.recv(100) for s in crowd] == [b"HTTP/1.1 200 OK\r\n\r\n"] * 80
    for s in crowd:
        s.close()
    took = (datetime.datetime.now() - started).total_seconds()
    assert len(launcher.host.calls("describe-enclaves")) - before <= 2 * took + 2


@pytest.mark.parametrize("how", ["garbage", "huge", "die", "refuse 11 Socket error"])
def test_an_answer_without_sense_is_no_health(launch, how):
    launcher = launch()
    launcher.wait_healthy()
    launcher.host.act("describe-enclaves", how)
    launcher.wait_unhealthy()
    assert launcher.said("whether the enclave runs is unknown", level="WARN")
    launcher.host.act("describe-enclaves", "")
    launcher.wait_healthy()


@pytest.mark.parametrize("answer", ["{}", "null", "[1, null, {}]", '[{"EnclaveID": 5, "State": "RUNNING"}]',
                                    '[{"State": "RUNNING"}]', "[" * 5000])
def test_another_answer_is_no_health(launch, answer):
    launcher = launch()
    launcher.wait_healthy()
    launcher.host.act("other", answer)
    launcher.host.act("describe-enclaves", "other")
    launcher.wait_unhealthy()
    assert launcher.process.running()


def test_a_program_that_hangs_is_no_health_and_is_killed(launch):
    launcher = launch(None, ("--ask-timeout", 200))
    launcher.wait_healthy()
    launcher.host.act("describe-enclaves", "hang")
    launcher.wait_unhealthy()
    assert launcher.said("expected an end within its time, found it running: killed", level="WARN")


@pytest.mark.parametrize("code, text, remedy", [
    (26, "Insufficient memory requested", "raise MEMORY_MIB"), (27, "Insufficient memory available", "allocator.yaml"),
    (22, "Insufficient CPUs requested", "CPU_COUNT"), (29, "Ioctl failure", "/dev/nitro_enclaves"),
    (36, "Enclave boot failure", "LOGS=true"), (39, "Enclave process connection failure", "/var/log/nitro_enclaves")])
def test_an_error_of_nitro_cli_is_passed_on_with_a_remedy(launch, code, text, remedy):
    host = NitroHost()
    host.act("run-enclave", f"refuse {code} {text}")
    launcher = launch(host)
    assert launcher.ended() == 1
    last = launcher.lines()[-1]
    assert last["level"] == "ERROR"
    for part in ("nitro-cli run-enclave: expected exit status 0, found 1", f"[ E{code} ] {text}", remedy):
        assert part in last["fields"]["message"]


@pytest.mark.parametrize("how, reason", [("garbage", "its answer"), ("huge", "found more: killed"),
                                         ("die", "ended by signal 9"), ("other", "EnclaveID")])
def test_a_start_without_an_answer_is_an_error(launch, how, reason):
    host = NitroHost()
    host.act("run-enclave", how)
    host.act("other", '{"EnclaveID": "--all"}')  # would be an option of the next command
    launcher = launch(host)
    assert launcher.ended() == 1
    assert launcher.said(reason, level="ERROR")


def test_a_missing_program_is_named(launch):
    launcher = launch()
    launcher.wait_healthy()
    done = subprocess.run([BIN / "qos_enclave", "--nitro-cli", "/nowhere/nitro-cli", "--health-port", "0",
                           "--run-folder", launcher.host.folder / "run"], capture_output=True, text=True, timeout=30,
                          env=launcher.env, check=False)
    assert done.returncode == 1
    assert "/nowhere/nitro-cli: cannot be started: No such file or directory" in done.stdout


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_terminates_the_enclave(launch, which):
    launcher = launch()
    launcher.wait_healthy()
    enclave = launcher.host.enclaves()[0]["EnclaveID"]
    assert launcher.stop(which) == 0
    assert launcher.host.calls("terminate-enclave") == [["terminate-enclave", "--enclave-id", enclave]]
    assert launcher.host.enclaves() == []


def test_a_signal_during_the_start_terminates_what_started(launch):
    host = NitroHost()
    host.act("gate", "shut")
    launcher = launch(host)
    wait_until(lambda: host.calls("run-enclave"), "the start")
    launcher.process.process.send_signal(signal.SIGTERM)
    launcher.wait_said("terminating the enclave")
    host.act("gate", "open")
    assert launcher.ended() == 0
    assert host.enclaves() == [] and len(host.calls("terminate-enclave")) == 1


@pytest.mark.parametrize("command", ["run-enclave", "terminate-enclave"])
def test_a_program_that_hangs_does_not_stop_the_end(launch, command):
    host = NitroHost()
    host.act(command, "hang")
    launcher = launch(host, ("--stop-timeout", 300))
    wait_until(lambda: host.calls("run-enclave"), "the start")
    if command == "terminate-enclave":
        launcher.wait_healthy()
    assert launcher.stop(signal.SIGTERM) == 0
    assert launcher.said("did not end in time and may still run", level="ERROR")


def test_a_termination_that_is_refused_ends_with_0_all_the_same(launch):
    launcher = launch()
    launcher.wait_healthy()
    launcher.host.act("terminate-enclave", "refuse 28 Invalid enclave descriptor")
    assert launcher.stop(signal.SIGTERM) == 0
    assert launcher.said("[ E28 ] Invalid enclave descriptor", level="ERROR")


def test_the_console_becomes_lines_of_the_log(launch):
    host = NitroHost()
    host.act("console-text", 'one\r\n"two"\\\n\x1b[1mthr\xebe\n' + "x" * 5000 + "\nlast")
    host.act("console-end", "yes")
    launcher = launch(host, DEBUG="true", LOGS="true")
    launcher.wait_said("the enclave's console has ended")
    texts = [line["fields"]["message"] for line in launcher.lines() if line["target"] == "qos_enclave::console"]
    assert texts[:3] == ["one", '"two"\\', "?[1mthr\xebe"]
    assert "".join(texts[3:-1]) == "x" * 5000 and texts[-1] == "last"
    enclave = host.enclaves()[0]["EnclaveID"]
    assert host.calls("console") == [["console", "--enclave-id", enclave]]


def test_the_console_needs_debug(launch):
    launcher = launch(LOGS="true")
    launcher.wait_healthy()
    assert launcher.said("LOGS=true has no effect", level="WARN")
    assert launcher.host.calls("console") == []


def test_nobody_who_reads_the_log_stops_nothing(launch):
    """The console floods a log that nobody reads: the launcher goes on answering."""
    host = NitroHost()
    host.act("console-text", ("y" * 1000 + "\n") * 20000)
    first = launch(host, DEBUG="true")  # for its environment
    port = first.port()
    first.wait_healthy()
    assert first.stop(signal.SIGTERM) == 0
    read, write = os.pipe()
    with subprocess.Popen([BIN / "qos_enclave", "--nitro-cli", host.program, "--health-port", str(port),
                           "--health-ip", "127.0.0.1", "--run-folder", host.folder / "run"], stdout=write,
                          env={**first.env, "LOGS": "true", "DEBUG": "true"}) as process:
        os.close(write)
        try:
            wait_until(lambda: host.calls("console"), "the console")

            def answers():
                try:
                    return first.health() == b"HTTP/1.1 200 OK\r\n\r\n"
                except OSError:
                    return False

            wait_until(answers, "health")
        finally:
            process.kill()
            os.close(read)


def test_every_line_of_the_log_is_json_as_the_original_writes_it(launch):
    launcher = launch()
    launcher.wait_healthy()
    assert launcher.stop(signal.SIGTERM) == 0
    assert launcher.process.err() == ""
    for line in launcher.lines():
        assert set(line) == {"timestamp", "level", "fields", "target"}
        datetime.datetime.strptime(line["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_second_launcher_on_the_same_port_starts_nothing(launch):
    launcher = launch()
    launcher.wait_healthy()
    second = launch(launcher.host)
    wait_until(lambda: not second.process.running(), "its end")
    assert second.said("The CID is in use", level="ERROR")  # it had a port of its own
    done = subprocess.run([BIN / "qos_enclave", "--nitro-cli", launcher.host.program, "--health-port",
                           str(launcher.port()), "--health-ip", "127.0.0.1"], capture_output=True, text=True,
                          timeout=30, env=launcher.env, check=False)
    assert done.returncode == 1 and "health service" in done.stdout and "in use" in done.stdout
    assert len(launcher.host.calls("run-enclave")) == 2
    launcher.wait_healthy()


def test_it_starts_again_after_its_end(launch):
    launcher = launch()
    launcher.wait_healthy()
    assert launcher.stop(signal.SIGTERM) == 0
    again = launch(launcher.host)
    again.wait_healthy()
    assert len(launcher.host.enclaves()) == 1


def test_after_a_kill_the_enclave_that_is_left_is_not_hidden(launch):
    launcher = launch()
    launcher.wait_healthy()
    launcher.process.process.kill()
    launcher.ended()
    assert len(launcher.host.enclaves()) == 1
    again = launch(launcher.host)
    assert again.ended() == 1
    assert again.said("The CID is in use", level="ERROR")


def test_help_and_version():
    text = subprocess.run([BIN / "qos_enclave", "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--nitro-cli", "--health-port", "EIF_PATH", "ENCLAVE_CID", "MEMORY_MIB", "CPU_COUNT", "DEBUG", "LOGS",
                 "ENCLAVE_NAME", "RUST_LOG", "QUORATE_LAUNCHER"):
        assert word in text
    version = subprocess.run([BIN / "qos_enclave", "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("version: 0.13.0\n")


# For development: QEMU and vhost-device-vsock, here as stand-ins that do what the launcher relies on.
VSOCK = r'''#!/usr/bin/python3
import os, signal, socket, sys
vm = dict(part.split("=", 1) for part in sys.argv[sys.argv.index("--vm") + 1].split(","))
open(os.environ["NITRO_FOLDER"] + "/vsock.pid", "w").write(str(os.getpid()))
if os.environ.get("VSOCK_FAILS"):
    sys.exit("no")
s = socket.socket(socket.AF_UNIX)
s.bind(vm["socket"])
s.listen()
heart = socket.socket(socket.AF_UNIX)
heart.connect(vm["uds-path"] + "_9000")
heart.sendall(b"\xb7")
open(os.environ["NITRO_FOLDER"] + "/beat", "wb").write(heart.recv(1))
signal.pause()
'''
QEMU = r'''#!/usr/bin/python3
import json, os, signal, sys
folder = os.environ["NITRO_FOLDER"]
open(folder + "/qemu.new", "w").write(json.dumps([os.getpid(), sys.argv[1:]]))
os.rename(folder + "/qemu.new", folder + "/qemu")
print("hello from the image", flush=True)
signal.pause()
'''


@pytest.fixture(name="qemu")
def qemu_fixture(launch):
    def start(**settings):
        host = NitroHost()
        for name, text in (("vsock", VSOCK), ("qemu-system", QEMU)):
            (host.folder / name).write_text(text)
            (host.folder / name).chmod(0o755)
        return launch(host, ("--qemu", host.folder / "qemu-system", "--vhost-device-vsock", host.folder / "vsock"),
                      QUORATE_LAUNCHER="qemu", **settings)

    return start


def qemu_of(launcher):
    """(pid, arguments) of the QEMU it started."""
    path = launcher.host.folder / "qemu"
    wait_until(path.exists, "QEMU")
    return json.loads(path.read_text())


def test_qemu_is_started_for_development_and_said_loudly(qemu):
    launcher = qemu(MEMORY_MIB=256, DEBUG="true", LOGS="true")
    launcher.wait_healthy()
    launcher.wait_said("hello from the image", target="qos_enclave::console")
    launcher.wait_said("the image has started")
    pid, words = qemu_of(launcher)
    assert words[words.index("-M") + 1].startswith("nitro-enclave,vsock=c")
    assert words[words.index("-m") + 1] == "256M" and words[words.index("-kernel") + 1] == str(launcher.eif)
    assert launcher.said("FOR DEVELOPMENT", level="WARN")
    assert launcher.stop(signal.SIGTERM) == 0
    wait_until(lambda: not alive(pid), "QEMU's end")
    vsock = int((launcher.host.folder / "vsock.pid").read_text())
    wait_until(lambda: not alive(vsock), "the end of vhost-device-vsock")
    assert (launcher.host.folder / "beat").read_bytes() == b"\xb7"


def test_qemu_that_ends_is_no_health(qemu):
    launcher = qemu()
    launcher.wait_healthy()
    os.kill(qemu_of(launcher)[0], signal.SIGKILL)
    launcher.wait_unhealthy()
    assert launcher.stop(signal.SIGTERM) == 0


def test_qemu_without_its_vsock_device_does_not_start(qemu):
    launcher = qemu(VSOCK_FAILS="yes")
    assert launcher.ended() == 1
    assert launcher.said("vhost-device-vsock: expected exit status 0, found 1", level="ERROR")
    assert not (launcher.host.folder / "qemu").exists()
