"""The guide to TEE instances: its bash blocks, pasted into one shell whose docker and cargo are small stand-ins."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from machine import BIN, ROOT, SHARED, free_port

COPY = Path(__file__).with_name("instance_guide_commands.md")
GUIDE = SHARED / "guides" / "renclave-tee-instances.md"
HEADING = re.compile(r"^(#{2,4}) (.*)$")
GUIDE_PORTS = (9000, 9001, 9002)
MARK = "--- end of block ---"

# What the guide does with containers, done with processes: the same program that the image of an instance runs.
DOCKER = """#!/usr/bin/env bash
set -eu
state=$GUIDE_STATE
case $1 in
run)
    name='' port=''
    while (($# > 0)); do
        case $1 in
        --name) name=$2 && shift ;;
        -p) port=${2%%:*} && shift ;;
        esac
        shift
    done
    [[ -n $name && -n $port ]] || { echo "docker: image not known here" >&2; exit 125; }
    [[ ! -e $state/$name ]] || { echo "docker: name $name is in use" >&2; exit 125; }
    mkdir "$state/$name"
    INSTANCE_IP=127.0.0.1 INSTANCE_PORT=$port INSTANCE_DIR=$state/$name/run INSTANCE_SIM_DIR=$state/sim \\
        setsid "$GUIDE_START" >"$state/$name/log" 2>&1 </dev/null &
    echo $! >"$state/$name/pid"
    echo "$port" >"$state/$name/port"
    echo "$name"
    ;;
ps)
    for one in "$state"/*/pid; do
        [[ ! -e $one ]] || echo "$(basename "$(dirname "$one")") docker-renclave-v2 Up"
    done
    ;;
stop)
    shift
    for name; do
        kill "$(cat "$state/$name/pid")" || true
        tail --pid="$(cat "$state/$name/pid")" -f /dev/null
        rm "$state/$name/pid"
        echo "$name"
    done
    ;;
rm)
    shift
    for name; do rm -r "${state:?}/$name" && echo "$name"; done
    ;;
logs) cat "$state/$2/log" ;;
info | network) echo "$*" ;;
*) exit 1 ;;
esac
"""

# The guide waits 30 seconds for its containers; whoever reads it waits until they answer.
SLEEP = """#!/usr/bin/env bash
for port in "$GUIDE_STATE"/*/port; do
    curl -s --retry 200 --retry-delay 0 --retry-connrefused --retry-max-time 30 \\
        "http://localhost:$(cat "$port")/health" >/dev/null
done
"""


def blocks_of(path):
    """[(heading path, text)] of every bash block, in order."""
    found, headings, inside = [], {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if inside is not None:
            if line.startswith("```"):
                found.append((" / ".join(headings[level] for level in sorted(headings)), "\n".join(inside)))
                inside = None
            else:
                inside.append(line)
        elif line.strip() == "```bash":
            inside = []
        elif match := HEADING.match(line):
            level = len(match.group(1))
            headings = {deep: text for deep, text in headings.items() if deep < level}
            headings[level] = match.group(2)
    return found


class Reader:
    """Somebody who follows the guide in one shell, from which the stand-ins are found first."""

    def __init__(self, path):
        self.folder = Path(tempfile.mkdtemp(prefix="quorate-guide-"))
        self.blocks = blocks_of(path)
        self.ports = {port: free_port() for port in GUIDE_PORTS}
        self.state = self.folder / "containers"
        self.tools = self.folder / "tools"
        self.work = self.folder / "work"
        self.tmp = self.folder / "tmp"
        for folder in (self.state, self.tools, self.work, self.tmp):
            folder.mkdir()
        self._tool("docker", DOCKER)
        self._tool("sleep", SLEEP)
        (self.tools / "cargo").symlink_to(ROOT / "tools" / "guide" / "cargo")
        for script in Path(__file__).parent.glob("test_*.sh"):
            (self.work / script.name).symlink_to(script)
        self.shell = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, cwd=self.work,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                      env=self._environment(), start_new_session=True)

    def _tool(self, name, text):
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)

    def _environment(self):
        env = dict(os.environ)
        env.update(PATH=f"{self.tools}:{BIN}:{env['PATH']}", GUIDE_STATE=str(self.state), HOME=str(self.folder),
                   GUIDE_START=str(ROOT / "deploy" / "instance" / "start-services.sh"),
                   QUORATE_BUILD=str(BIN.parent))
        return env

    def paste(self, text):
        """Runs text as it stands; returns (exit code of its last command, all that was printed)."""
        self.shell.stdin.write(f"{text}\nprintf '\\n%s %d\\n' '{MARK}' $?\n")
        self.shell.stdin.flush()
        said = []
        for line in self.shell.stdout:
            if line.startswith(MARK):
                return int(line.removeprefix(MARK)), "".join(said).removesuffix("\n")
            said.append(line)
        raise AssertionError("the shell ended:\n" + "".join(said))

    def replace(self, text):
        """The only changes: the ports, and the folder of temporary files."""
        for port, own in self.ports.items():
            text = re.sub(rf"\b{port}\b", str(own), text)
        return text.replace("/tmp/", f"{self.tmp}/")

    def run(self, *headings):
        """All blocks under the heading that ends in these words; returns what they printed."""
        wanted = " / ".join(headings)
        found = [text for where, text in self.blocks if where.endswith(wanted)]
        assert found, f"the guide has no block under {wanted}"
        said = []
        for text in found:
            code, output = self.paste(self.replace(text))
            assert code == 0, f"{wanted}: exit {code}\n{text}\n---\n{output}"
            said.append(output)
        return "\n".join(said)

    def variable(self, name):
        return self.paste(f'printf "%s" "${name}"')[1]

    def port(self, tee):
        return self.ports[GUIDE_PORTS[tee - 1]]

    def remove(self):
        self.shell.stdin.close()
        for pid in self.state.glob("*/pid"):
            os.kill(int(pid.read_text()), signal.SIGTERM)
        self.shell.wait(10)
        for pid in self.state.glob("*/pid"):
            subprocess.run(["tail", f"--pid={pid.read_text().strip()}", "-f", "/dev/null"], check=False, timeout=30)
        self.shell.stdout.close()
        shutil.rmtree(self.folder)
