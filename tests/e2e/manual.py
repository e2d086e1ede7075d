"""Pages that are typed: a shell that runs a chapter's commands as printed, and what the page says they answer."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading

from machine import BIN, PATIENCE, ROOT, free_port, work_folder

PAGES = ROOT / "docs"
MANY = 1 << 18  # answers: a command may read far ahead


def chapter(page, title):
    """The blocks of a chapter: ("bash", commands) and ("text", lines that are seen), in order."""
    text = (PAGES / page).read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text)
    assert found, f"{page}: no chapter {title!r}"
    return re.findall(r"(?ms)^```(bash|text)\n(.*?)^```", found[1])


def chapters(page):
    return re.findall(r"(?m)^## (.*)$", (PAGES / page).read_text(encoding="utf-8"))


def is_seen(line, said):
    """Whether a line of the page was said; "..." stands for anything within a line."""
    return re.search(".*".join(map(re.escape, line.strip().split("..."))), said) is not None


class Typist:
    """The guide's folders, its machine's processes, and one bash for them all."""

    def __init__(self):
        self.home = work_folder()
        self.work = self.home / "work"
        self.run = self.home / "run"
        self.kept = self.home / "kept"
        self.host_port, self.app_port = free_port(), free_port()
        for folder in (self.work, self.run):
            folder.mkdir()
            folder.chmod(0o711)
        self.output = self.home / "said"
        environment = {"HOME": str(self.home), "PATH": f"{BIN}:/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                       "QUORATE": str(ROOT), "WORKDIR": str(self.work), "RUN": str(self.run)}
        self.shell = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.work,
                                      env=environment, start_new_session=True)
        self.blocks = []

    def shown(self, text):
        """The page's commands with this machine's ports, folders and build."""
        text = text.replace("$QUORATE/build", str(BIN.parent)).replace("export RUN=$(mktemp -d) && ", "")
        return re.sub(r"\b4000\b", str(self.app_port), re.sub(r"\b3000\b", str(self.host_port), text))

    def bash(self, commands, works=True, answer="y"):
        """What the commands said; works: every one of them ended with 0."""
        (self.home / "block.sh").write_text(self.shown(commands))
        (self.home / "answers").write_text(f"{answer}\n" * MANY)
        print(f"trap 'echo >> {self.home}/failed \"$BASH_COMMAND\"' ERR; set -E; rm -f {self.home}/failed\n"
              f"source {self.home}/block.sh < {self.home}/answers > {self.output} 2>&1\n"
              "trap - ERR; echo 'end of block'", file=self.shell.stdin, flush=True)
        ended = self._ends()
        said = self.output.read_text(errors="replace")
        assert ended, f"{commands}\nlasts too long, or ended the shell:\n{said}"
        failed = self.home / "failed"
        assert failed.exists() != works, f"{commands}\n{said}\n{failed.read_text() if works else ''}"
        return said

    def read(self, page, title):
        self.blocks = chapter(page, title)

    def _next(self, kind):
        assert self.blocks and self.blocks[0][0] == kind, f"the page goes on with {self.blocks[:1]}, not {kind}"
        return self.blocks.pop(0)[1]

    def _ends(self):
        too_long = threading.Timer(2 * PATIENCE, self.shell.kill)
        too_long.start()
        try:
            return any(line == "end of block\n" for line in self.shell.stdout)
        finally:
            too_long.cancel()

    def types(self, works=True, answer="y"):
        """Types the next block; what it said."""
        return self.bash(self._next("bash"), works, answer)

    def sees(self, said):
        """Every line of the next block of texts is in what was said."""
        for line in self.shown(self._next("text")).splitlines():
            assert is_seen(line, said), f"{line!r} is missing in:\n{said}"

    def keep(self):
        """Remembers the folders as they are."""
        shutil.copytree(self.work, self.kept)

    def restore(self):
        """The folders as they were kept, and nothing running."""
        self.bash("stop >/dev/null 2>&1 || true")
        for path in self.work.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.kept, self.work, dirs_exist_ok=True)
        (self.run / "core.log").unlink()
        self.blocks = []

    def core_log(self):
        return (self.run / "core.log").read_text(errors="replace")

    def remove(self):
        if self.shell.poll() is None:
            self.bash("stop >/dev/null 2>&1 || true")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGKILL)  # the shell and what it started
        self.shell.wait(PATIENCE)
        self.shell.stdin.close()
        self.shell.stdout.close()
        shutil.rmtree(self.home)
