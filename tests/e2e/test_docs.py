"""The documents keep their word: the guide by hand runs as printed, and every test they name exists."""
import re
import subprocess
import sys

from machine import BIN, ROOT, free_port, port_is_free, work_folder

sys.path.append(str(ROOT / "tests" / "interop"))
import original  # noqa: E402

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path):
    return re.findall(r"(?ms)^```bash\n(.*?)^```", path.read_text(encoding="utf-8"))


def test_the_guide_by_hand_runs_as_printed():
    home = work_folder()
    host, app = (port if port_is_free(port) else free_port() for port in (3000, 4000))
    text = "\n".join(blocks(ROOT / "docs" / "guide.md"))
    text = text.replace("./check --build\n", "")
    text = text.replace("$QUORATE/build", str(BIN.parent))
    text = re.sub(r"\b3000\b", str(host), text)
    text = re.sub(r"\b4000\b", str(app), text)
    assert text.rstrip().endswith("cd && rm -rf $WORKDIR $RUN")
    script = "set -e\ntrap 'kill $HOST $CORE 2>/dev/null || true' EXIT\n" + text
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as yes:
        try:
            done = subprocess.run(["bash", "--noprofile", "--norc", "-c", script], stdin=yes.stdout,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  cwd=ROOT, timeout=120,
                                  env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
        finally:
            yes.kill()
    assert done.returncode == 0, done.stdout
    for said in ("The quorum key has *not* been reconstructed.", "The quorum key has been reconstructed.",
                 '"pivot_running": true', "signature verifies over", "verify-genesis successful",
                 "dr_wrapped_quorum_key", "Enclave phase: WaitingForQuorumShards", "SIMULATED"):
        assert said in done.stdout, f"{said!r} is missing in:\n{done.stdout}"
    assert list(home.iterdir()) == []
    home.rmdir()


def text_of(folder, *patterns):
    return "".join(path.read_text(encoding="utf-8", errors="replace") for pattern in patterns
                   for path in sorted((ROOT / folder).rglob(pattern)) if path.is_file())


def defined_tests():
    return set(re.findall(r"(?m)^static void ([a-z0-9_]+)\(void \*\*", text_of("tests", "*.c"))
               + re.findall(r"(?m)^def (test_[a-z0-9_]+)\(", text_of("tests", "*.py")))


def known_otherwise():
    """Long names that documents may have in back-quotes and that are no tests: functions that a header of ours
    declares, and figures that a bench prints."""
    functions = re.findall(r"\b([a-z0-9_]+)\(", text_of("src", "*.h") + text_of("include", "*.h"))
    figures = re.findall(r"`([a-z0-9_]+)`", text_of("docs", "performance.md"))
    printed = set(re.findall(r"[a-z0-9_]+", text_of("bench", "*")))
    return set(functions) | (set(figures) & printed)


def named(path):
    """Names in back-quotes that look like tests: test_ and more, and in tables whatever has four words."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield from re.findall(r"`(test_[a-z0-9_]+)`", line)
        if line.startswith("|"):
            yield from re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+){3,})`", line)


def test_every_test_that_a_document_names_exists():
    names = {name for path in DOCUMENTS for name in named(path)}
    tests = defined_tests()
    assert len(names & tests) > 30
    assert sorted(names - tests - known_otherwise()) == []


def attacks():
    """(attack, tests) of each row of the threat model's tables of attacks."""
    rows, inside = [], False
    for line in (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8").splitlines():
        inside = line == "| attack | what happens | test |" or (inside and line.startswith("|"))
        if inside and not line.startswith(("| attack |", "|---")):
            attack, _, tests = line.strip("| ").split(" | ")
            rows.append((attack, re.findall(r"`([^`]*)`", tests)))
    return rows


def test_every_attack_of_the_threat_model_names_tests_that_exist():
    tests = defined_tests()
    assert len(attacks()) > 60
    assert [attack for attack, names in attacks() if not names or set(names) - tests] == []


COMPATIBILITY = ROOT / "docs" / "compatibility.md"


def compatibility():
    """(what, ours, names of tests or what stands in their place) of each row about the original."""
    rows = []
    for line in COMPATIBILITY.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and not line.startswith(("| what |", "|---")):
            what, ours, shown = line.strip("| ").split(" | ")
            rows.append((what, ours, re.findall(r"`([^`]*)`", shown) or shown))
    return rows


def test_every_row_on_compatibility_has_a_state_and_tests_that_exist():
    tests = defined_tests()
    rows = compatibility()
    assert len(rows) > 200
    assert [row for row in rows if not re.match(r"(same|better|not)\b", row[1])] == []
    for what, ours, shown in rows:
        if shown == "—":  # only what we do not have can do without a test
            assert ours.startswith("not"), what
        else:
            assert isinstance(shown, list) and set(shown) <= tests, (what, shown)


def test_the_page_on_compatibility_names_every_command_and_flag_of_the_original():
    text = COMPATIBILITY.read_text(encoding="utf-8")
    commands = {**original.COMMANDS, **original.OTHER_COMMANDS}
    tables = [*commands.values(), original.CORE, original.HOST, original.BRIDGE]
    flags = {name for table in tables for name in original.names(table)}
    assert len(commands) == 34 and len(flags) == 70
    assert [c for c in commands if f"`{c}`" not in text] == []
    assert [f for f in sorted(flags) if f"`--{f}`" not in text] == []


def test_the_page_on_compatibility_names_every_environment_variable_we_read():
    text = COMPATIBILITY.read_text(encoding="utf-8")
    sources = text_of("src", "*.[ch]")
    read = set(re.findall(r'getenv\("([A-Z_]+)"\)', sources))
    for macro in re.findall(r"getenv\(([A-Z_]+)\)", sources):
        read.update(re.findall(rf'#define {macro} "([A-Z_]+)"', sources))
    assert read == {"GENESIS_RESPONSE", "HOME", "XDG_STATE_HOME", "QUORATE_ATTESTATION_ROOT", "QUORATE_AUDIT_LOG"}
    assert all(f"`{name}`" in text for name in read)


def test_every_link_between_documents_leads_somewhere():
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


RENCLAVE = ROOT / "docs" / "renclave.md"
FINDINGS = range(1, 40)


def findings():
    """{number: names of tests} of the page's table of the original's weaknesses."""
    rows = {}
    for line in RENCLAVE.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| (\d+) \| ", line):
            shown = line.strip("| ").split(" | ")[-1]
            rows[int(match.group(1))] = re.findall(r"`([^`]*)`", shown)
    return rows


def test_every_finding_has_a_test_that_bears_its_number():
    tests = defined_tests()
    rows = findings()
    assert sorted(rows) == list(FINDINGS)
    for number, names in rows.items():
        assert names and set(names) <= tests, (number, names)
        assert any(f"finding_{number:02}_" in name for name in names), number
