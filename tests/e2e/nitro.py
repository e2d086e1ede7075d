"""A Nitro host that is not there: a stand-in for nitro-cli that keeps its enclaves in a folder and misbehaves as
the files in that folder say, and qos_enclave run with it."""
import json
import os
import socket

from machine import BIN, Process, wait_until, work_folder

# An act is one line in a file named like the command: hang, die, garbage, huge, status:N, or nothing.
NITRO_CLI = r'''#!/usr/bin/python3
import json, os, signal, sys, time
folder = os.environ["NITRO_FOLDER"]
command, words = sys.argv[1], sys.argv[2:]
with open(folder + "/calls", "a") as f:
    f.write(json.dumps([command, *words]) + "\n")
def act(name):
    try:
        with open(folder + "/" + name + ".act") as f:
            return f.read()
    except FileNotFoundError:
        return ""
def option(name):
    return words[words.index(name) + 1]
def load():
    try:
        with open(folder + "/enclaves") as f:
            return json.load(f)
    except FileNotFoundError:
        return []
def save(enclaves):
    with open(folder + "/enclaves.new", "w") as f:
        json.dump(enclaves, f)
    os.rename(folder + "/enclaves.new", folder + "/enclaves")
def refuse(code, text, status=1):
    sys.stderr.write("[ E%02d ] %s\nFor more details, please visit the documentation\n" % (code, text))
    sys.exit(status)
how = act(command)
if how == "hang":
    signal.pause()
if how == "die":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "garbage":
    print('{"EnclaveID": ')
    sys.exit(0)
if how == "other":
    print(act("other"))
    sys.exit(0)
if how == "huge":
    sys.stdout.write("x" * (3 << 20))
    sys.exit(0)
if how.startswith("refuse "):
    refuse(int(how.split()[1]), how.split(" ", 2)[2])
if command == "run-enclave":
    while act("gate") == "shut":
        time.sleep(0.005)
    enclaves = load()
    if any(str(e["EnclaveCID"]) == option("--enclave-cid") for e in enclaves):
        refuse(29, "The CID is in use")
    name = option("--enclave-name")
    e = {"EnclaveName": name, "EnclaveID": "i-0abc-enc%x" % os.getpid(), "ProcessID": os.getpid(),
         "EnclaveCID": int(option("--enclave-cid")), "NumberOfCPUs": int(option("--cpu-count")), "CPUIDs": [1, 3],
         "MemoryMiB": int(option("--memory"))}
    print("Start allocating memory...")
    print("Started enclave with enclave-cid: %d, memory: %d MiB, cpu-ids: [1, 3]" % (e["EnclaveCID"], e["MemoryMiB"]))
    print(json.dumps(e, indent=2))
    save(enclaves + [{**e, "State": "RUNNING", "Flags": "DEBUG_MODE" if "--debug-mode" in words else "NONE"}])
elif command == "describe-enclaves":
    print(json.dumps(load(), indent=2))
elif command == "terminate-enclave":
    enclaves = load()
    left = [e for e in enclaves if e["EnclaveID"] != option("--enclave-id")]
    if len(left) == len(enclaves):
        refuse(28, "No such enclave")
    save(left)
    print("Successfully terminated enclave %s.\n%s" % (option("--enclave-id"), json.dumps({"Terminated": True})))
elif command == "console":
    sys.stdout.write(act("console-text"))
    sys.stdout.flush()
    if act("console-end") == "":
        signal.pause()
'''


class Launcher:
    """One qos_enclave and the Nitro host it believes in; settings are its environment."""

    def __init__(self, host=None, words=(), eif=b".eif and more", **settings):
        self.host = host or NitroHost()
        self.eif = self.host.folder / "image.eif"
        if eif is not None:
            self.eif.write_bytes(eif)
        self.number = self.host.launched
        self.host.launched += 1
        env = {"PATH": "/usr/bin:/bin", "NITRO_FOLDER": str(self.host.folder), "EIF_PATH": str(self.eif),
               **{k: str(v) for k, v in settings.items()}}
        self.env = {k: v for k, v in env.items() if v != "None"}
        run = self.host.folder / "run"
        self.process = Process(BIN / "qos_enclave",
                               ["--nitro-cli", self.host.program, "--health-ip", "127.0.0.1", "--health-port", 0,
                                "--run-folder", run, *words],
                               self.host.folder / f"launcher{self.number}", env=self.env)

    def lines(self):
        return [json.loads(line) for line in self.process.out().splitlines()]

    def said(self, text, level=None, target="qos_enclave"):
        return [line for line in self.lines() if text in line["fields"]["message"] and line["target"] == target
                and level in (None, line["level"])]

    def wait_said(self, text, **how):
        wait_until(lambda: self.said(text, **how), f"a line with {text!r}")

    def port(self):
        wait_until(lambda: self.said("health service on port"), "the health service")
        return int(self.said("health service on port")[0]["fields"]["message"].rsplit(" ", 1)[1])

    def health(self, asked=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        """The whole answer, read to its end."""
        with socket.create_connection(("127.0.0.1", self.port()), timeout=30) as s:
            s.sendall(asked)
            parts = []
            while part := s.recv(4096):
                parts.append(part)
        return b"".join(parts)

    def wait_healthy(self):
        wait_until(lambda: self.health() == b"HTTP/1.1 200 OK\r\n\r\n", "health")

    def wait_unhealthy(self):
        wait_until(lambda: self.health() == b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "no health")

    def ended(self):
        return self.process.process.wait(timeout=30)

    def stop(self, signal):
        self.process.process.send_signal(signal)
        return self.ended()


class NitroHost:
    def __init__(self):
        self.folder = work_folder()
        self.launched = 0
        self.program = self.folder / "nitro-cli"
        self.program.write_text(NITRO_CLI)
        self.program.chmod(0o755)

    def act(self, command, how):
        new = self.folder / "new.act"
        new.write_text(how)
        os.rename(new, self.folder / f"{command}.act")

    def calls(self, command=None):
        path = self.folder / "calls"
        all_calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [c for c in all_calls if command in (None, c[0])]

    def enclaves(self):
        path = self.folder / "enclaves"
        return json.loads(path.read_text()) if path.exists() else []

    def change(self, **fields):
        changed = [{**e, **fields} for e in self.enclaves()]
        (self.folder / "enclaves.changed").write_text(json.dumps(changed))
        os.rename(self.folder / "enclaves.changed", self.folder / "enclaves")
