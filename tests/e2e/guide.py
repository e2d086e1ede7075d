"""The provisioning guide: its bash blocks, the few lines that cannot run here replaced, run as a reader pastes them."""
import os
import re
import subprocess
from pathlib import Path

from machine import BIN, ROLE, SHARED, Application, Machine, free_port, port_is_free

COPY = Path(__file__).with_name("guide_commands.md")
GUIDE = SHARED / "guides" / "qos-provisioning.md"
HEADING = re.compile(r"^#{2,3} (?:Phase )?(\d+(?:\.\d+)?)(?:[: ]|$)")


def blocks_of(path):
    """[(section, text)] of every bash block, in order."""
    found, section, inside = [], None, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if inside is not None:
            if line.startswith("```"):
                found.append((section, "\n".join(inside)))
                inside = None
            else:
                inside.append(line)
        elif line.strip() == "```bash":
            inside = []
        elif match := HEADING.match(line):
            section = match.group(1)
    return found


class Reader:
    """Somebody who follows the guide: a home folder, a shell that remembers, an enclave to start and restart."""

    def __init__(self, path, pcrs=True):
        # The guide's own port when it is free, for then not even that is replaced.
        self.machine = Machine(port=3000 if port_is_free(3000) else free_port())
        self.app = Application(self.machine)
        self.pcrs = self.machine.print_pcrs() if pcrs else None
        self.blocks = blocks_of(path)
        self.home = self.machine.folder / "home"
        self.workdir = self.home / "qos-production"
        self.tools = self.machine.folder / "tools"
        self.saved = self.machine.folder / "shell-state"
        self.dr_dir = "dr-genesis-dir"
        self.home.mkdir()
        self.tools.mkdir()
        self.saved.write_text("")
        self.make_pkill()

    def make_pkill(self):
        """A pkill that ends the processes of this test and nobody else's."""
        shim = self.tools / "pkill"
        shim.write_text(f"""#!/bin/sh
read -r pid < "{self.machine.folder}/$1.pid" && kill "$pid"
""")
        shim.chmod(0o755)

    def start(self):
        self.machine.start()
        for name, process in (("qos_core", self.machine.core), ("qos_host", self.machine.host)):
            (self.machine.folder / f"{name}.pid").write_text(f"{process.pid}\n")

    def environment(self):
        env = dict(os.environ)
        env.update(HOME=str(self.home), PATH=f"{self.tools}:{BIN}:{env['PATH']}",
                   QUORATE_ATTESTATION_ROOT=str(self.machine.sim / "root.der"))
        return env

    def replace(self, section, text):
        """The only lines that are not run as they are printed."""
        version = 2 if section == "8.1" else 1
        text = re.sub(r"(?m)^cd /path/to/.*\n", "", text)
        text = re.sub(r"(?m)^cargo build .*\n", "", text)
        if "cp target/" in text:
            text = re.sub(r"(?m)^cp target/\S+", f"cp {self.app.make(version)}", text)
        text = text.replace("arn:aws:iam::YOUR_AWS_ACCOUNT_ID:role/YOUR_ENCLAVE_ROLE", ROLE)
        for name, value in (self.pcrs or {}).items():
            text = text.replace(f"<{name}_VALUE>", value)
        flags = (f"--share-set-dir {self.dr_dir} --namespace-dir {self.dr_dir} --host-ip 127.0.0.1 "
                 "--host-port 3000 --qos-release-dir qos-release-dir "
                 "--pcr3-preimage-path genesis-dir/pcr3-preimage.txt")
        text = re.sub(r"(?m)^( *)\.\.\.( \\)$", lambda m: m[1] + flags + m[2], text)
        if self.machine.port != 3000:
            text = re.sub(r"(--host-port |127\.0\.0\.1:)3000\b", rf"\g<1>{self.machine.port}", text)
        return text

    def shell(self, text):
        """Pastes text into a shell that goes on where the last one stopped, and answers y to every question.

        Returns (exit code, all that was printed).
        """
        pasted = self.machine.folder / "pasted"
        pasted.write_text(text + "\n")  # as a person ends a paste: a last backslash joins nothing
        script = f'. "{self.saved}"; . "{pasted}"; {{ export -p; printf "cd %q\\n" "$PWD"; }} >"{self.saved}"'
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as yes:
            try:
                done = subprocess.run(["bash", "--noprofile", "--norc", "-e", "-c", script],
                                      stdin=yes.stdout, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, env=self.environment(),
                                      cwd=self.home, timeout=120)
            finally:
                yes.kill()
        return done.returncode, done.stdout

    def run(self, section, text):
        """One block; returns what it printed. A block that starts the machine starts ours."""
        if text.startswith("sudo docker run"):
            return ""
        if re.match(r"sudo \S*/qos_host ", text):
            self.start()
            return ""
        code, said = self.shell(self.replace(section, text))
        assert code == 0, f"section {section}: exit {code}\n{text}\n---\n{said}"
        if "# Restart enclave and host" in text:
            assert self.machine.core.process.wait(10) is not None
            assert self.machine.host.process.wait(10) is not None
            self.start()
        return said

    def run_section(self, section):
        """All blocks of a section, in order; returns what they printed."""
        blocks = [text for where, text in self.blocks if where == section]
        assert blocks, f"the guide has no section {section}"
        return "".join(self.run(section, text) for text in blocks)

    def sections(self):
        return list(dict.fromkeys(section for section, _ in self.blocks))
