"""Forms and switches: display and json-to-borsh of every version, the key in a document, the warning of every unsafe
switch, words of older releases and of the branch that was never released."""
import json
import os
import re
import subprocess

import pytest
import qos_model as model
from desk import Desk
from machine import BIN, SHARED
from snapshot import difference, snapshot
from test_client_crypto import nothing_changes, put
from test_client_share import attestation_document

KINDS = ("manifest", "manifest-envelope")
KEYS = {"manifest": "manifest", "manifest-envelope": "manifest_envelope"}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def vectors():
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there")
    return SHARED / "vectors" / "qos"


def display(desk, path, kind, *more):
    done = desk.ok("display", "--file-path", path, "--display-type", kind, *more)
    assert all(c == "\n" or " " <= c <= "~" for c in done.stdout)
    return done


def convert_words(path, kind, out="borsh"):
    return ["json-to-borsh", "--file-path", path, "--display-type", kind, "--output-path", out]


def envelope_borsh(e):
    approvals = [model.b_list(e[name], lambda a: model.b_hex(a["signature"]) + model.b_member(a["member"]))
                 for name in ("manifestSetApprovals", "shareSetApprovals")]
    return model.b_manifest_v1(e["manifest"]) + b"".join(approvals)


def as_v1(manifest):
    pivot = {"bridgeConfig": [], "debugMode": False, **manifest["pivot"]}
    return {**manifest, "pivot": pivot}


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("kind", KINDS)
def test_json_and_borsh_of_a_version_are_displayed_as_the_same(desk, vectors, kind, version):
    known = vectors / "stable" / f"{KEYS[kind]}_{version}.json"
    expected = json.loads(known.read_text())
    for path in (known, known.with_suffix(".borsh")):
        shown = display(desk, path, kind)
        assert json.loads(shown.stdout) == expected and shown.stdout.count("\n") > 10
        assert shown.stderr == ""
        line = display(desk, path, kind, "--json").stdout
        assert line.count("\n") == 1 and json.loads(line) == expected
        assert list(json.loads(line)) == list(expected)


def test_version_2_is_displayed_as_it_is(desk):
    m = desk.generate("--use-manifest-version", "2", "--dns-resolvers", "[1.1.1.1,2606:4700:4700::1111]", "--debug-mode",
                      "true", patch=False)
    plain = json.loads(display(desk, "manifest", "manifest", "--json").stdout)
    assert model.canonical(plain) == model.canonical(m) == desk.path("manifest").read_bytes()
    assert plain["namespace"]["nonce"] == 1 and plain["dns"]["resolvers"] == ["1.1.1.1", "2606:4700:4700::1111"]
    assert plain["pivot"]["debugMode"] is True
    desk.approve("member1", "member2", patch=False)
    desk.ok(*desk.envelope_words())
    shown = json.loads(display(desk, "approvals/manifest_envelope", "manifest-envelope").stdout)
    assert model.canonical(shown) == model.canonical(desk.read_json("approvals/manifest_envelope"))


def test_a_genesis_output_is_displayed_and_its_recovery_key_announced(desk, vectors):
    known = vectors / "protocol" / "compat_genesis_output.borsh"
    for more in ([], ["--json"]):
        done = display(desk, known, "genesis-output", *more)
        shown = json.loads(done.stdout)
        assert model.b_genesis_set(shown["set"]) == known.read_bytes()[:len(model.b_genesis_set(shown["set"]))]
        assert ("DISASTER RECOVERY KEY" in done.stderr) == ("dr_key" in shown)
    for name, text in (("legacy_genesis_output_MUST_FAIL.borsh", "genesis"), ("compat_manifest_v1.borsh", "genesis")):
        done = desk.refused("display", "--file-path", vectors / "protocol" / name, "--display-type", "genesis-output",
                            text=text)
        assert done.stdout == ""


@pytest.mark.parametrize("kind", KINDS)
def test_what_two_versions_accept_is_neither(desk, vectors, kind):
    name = {"manifest": "ambiguous_manifest_v0.borsh", "manifest-envelope": "ambiguous_envelope_v0.borsh"}[kind]
    path = vectors / "stable" / name
    desk.refused("display", "--file-path", path, "--display-type", kind, text=name)
    nothing_changes(desk, *convert_words(path, kind), text=name)


@pytest.mark.parametrize("kind", KINDS)
def test_version_1_becomes_the_bytes_of_the_original(desk, vectors, kind):
    known = vectors / "stable" / f"{KEYS[kind]}_v1.json"
    done = desk.ok(*convert_words(known, kind))
    assert done.stdout + done.stderr == ""
    assert desk.path("borsh").read_bytes() == known.with_suffix(".borsh").read_bytes()
    done = desk.ok(*convert_words("borsh", kind, "again"))
    assert desk.path("again").read_bytes() == desk.path("borsh").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_version_0_becomes_version_1(desk, vectors, kind):
    known = vectors / "stable" / f"{KEYS[kind]}_v0.json"
    value = json.loads(known.read_text())
    desk.ok(*convert_words(known, kind))
    written = desk.path("borsh").read_bytes()
    if kind == "manifest":
        assert written == model.b_manifest_v1(as_v1(value))
        assert json.loads(display(desk, "borsh", kind).stdout) == as_v1(value)
    else:
        shown = json.loads(display(desk, "borsh", kind).stdout)
        assert written == envelope_borsh(shown) and shown["manifest"] == as_v1(value["manifest"])


def test_our_own_files_become_what_an_independent_model_makes_of_them(desk):
    m = desk.generate()
    desk.approve("member1", "member2")
    desk.ok(*desk.envelope_words())
    desk.ok(*convert_words("manifest", "manifest"))
    assert desk.path("borsh").read_bytes() == model.b_manifest_v1(m)
    put(desk, "borsh", b"an earlier one, which can be made again")
    done = desk.ok(*convert_words("approvals/manifest_envelope", "manifest-envelope"))
    assert done.stdout + done.stderr == ""
    assert desk.path("borsh").read_bytes() == envelope_borsh(desk.read_json("approvals/manifest_envelope"))
    boot = display(desk, "borsh", "manifest-envelope", "--json").stdout
    assert json.loads(boot) == desk.read_json("approvals/manifest_envelope")


def test_what_has_no_borsh_form_is_refused_by_name(desk, vectors):
    desk.generate("--use-manifest-version", "2", patch=False)
    nothing_changes(desk, *convert_words("manifest", "manifest"), text="manifest: ManifestV2NotConvertibleToBorsh")
    desk.approve("member1", "member2", patch=False)
    desk.ok(*desk.envelope_words())
    nothing_changes(desk, *convert_words("approvals/manifest_envelope", "manifest-envelope"),
                    text="ManifestV2NotConvertibleToBorsh")
    nothing_changes(desk, *convert_words(vectors / "protocol" / "compat_genesis_output.borsh", "genesis-output"),
                    text="GenesisOutput cannot be converted from JSON")
    nothing_changes(desk, *convert_words("manifest", "envelope"),
                    text="--display-type: expected manifest, manifest-envelope or genesis-output, found envelope")
    nothing_changes(desk, *convert_words("app", "manifest"), text="app")
    nothing_changes(desk, *convert_words("approvals/manifest_envelope", "manifest"), text="manifest_envelope")
    nothing_changes(desk, *convert_words("absent", "manifest"), text="absent")
    desk.generate()
    nothing_changes(desk, *convert_words("manifest", "manifest", "nowhere/borsh"), text="nowhere/borsh")
    nothing_changes(desk, *convert_words("manifest", "manifest", "approvals"), text="approvals")


def key_words(document="doc"):
    return ["get-ephemeral-key-hex", "--attestation-doc-path", document, "--ephemeral-key-path", "eph.pub"]


def test_the_key_of_a_document_is_written_and_nothing_is_said(desk):
    pair = model.Pair()
    put(desk, "doc", attestation_document(pair.public))
    for _ in range(2):
        done = desk.ok(*key_words())
        assert done.stdout + done.stderr == ""
        assert desk.path("eph.pub").read_bytes() == pair.public.hex().encode()


def test_the_key_of_the_mock_of_the_original(desk, vectors):
    known = json.loads((vectors / "derived" / "mock_attestation_doc.json").read_text())
    desk.ok(*key_words(vectors / "derived" / "mock_setup_attestation_doc"))
    assert desk.path("eph.pub").read_text() in json.dumps(known)


def test_what_has_no_key_gives_none(desk):
    good = attestation_document(model.Pair().public)
    for document, text in ((b"", "doc"), (b"\xff", "doc: "), (good[:-1], "doc: "), (good + b"\0", "doc: "),
                           (bytes(40000), "doc"), (attestation_document(None), "doc: attestation document: MissingPubKey"),
                           (attestation_document(b"\4" * 130), "doc: "), (attestation_document(b"\4" * 65), "doc: ")):
        put(desk, "doc", document)
        nothing_changes(desk, *key_words(), text=text)
    nothing_changes(desk, *key_words("absent"), text="absent")


# The golden files of version 2

def golden(vectors, name):
    return (vectors / "derived" / name).read_bytes()


def test_the_golden_manifest_is_read_approved_and_enveloped_to_the_same_bytes(desk, vectors):
    manifest = put(desk, "golden", golden(vectors, "golden_manifest_v2.canonical.json"))
    shown = json.loads(display(desk, manifest, "manifest").stdout)
    assert model.canonical(shown) == desk.path(manifest).read_bytes()
    known_hash = golden(vectors, "golden_manifest_v2.sha256").decode().split()[0]
    assert model.manifest_hash(shown).hex() == known_hash
    primary = next(key for key in json.loads((vectors / "crypto" / "keypairs.json").read_text())
                   if key["name"] == "primary")
    desk.write("seed", primary["master_seed"])
    put(desk, "hash", bytes.fromhex(known_hash))
    desk.ok("p256-sign", "--payload-path", "hash", "--signature-path", "sig", "--master-seed-path", "seed")
    approval = json.loads(golden(vectors, "golden_v2.approval"))
    assert desk.path("sig").read_text() == approval["signature"]
    put(desk, "approvals/dev.approval", golden(vectors, "golden_v2.approval"))
    desk.ok("generate-manifest-envelope", "--manifest-approvals-dir", "approvals", "--manifest-path", manifest)
    assert desk.path("approvals/manifest_envelope").read_bytes() == golden(
        vectors, "golden_manifest_envelope_v2.canonical.json")


def test_the_golden_manifest_is_made_again_but_for_its_share_set(desk, vectors):
    """The golden share set is 1 of 1, which we refuse; with 2 of 2 everything else is the same."""
    known = json.loads(golden(vectors, "golden_manifest_v2.canonical.json"))
    member = known["manifestSet"]["members"][0]
    desk.write("golden-set/dev.pub", member["pubKey"])
    desk.write("golden-set/quorum_threshold", "1\n")
    desk.write("golden-shares/dev.pub", member["pubKey"])
    desk.write("golden-shares/quorum_threshold", "1\n")
    desk.write("golden-release/aws-x86_64.pcrs",
               "".join(f"{known['enclave'][f'pcr{i}']} PCR{i}\n" for i in range(3)))
    desk.write("golden-hash", known["pivot"]["hash"] + "\n")
    desk.write("golden-key.pub", known["namespace"]["quorumKey"])
    role = json.loads((vectors / "nsm" / "pcr_commitments.json").read_text())["pcr3"]
    desk.write("golden-role", next(v for k, v in role.items() if k != "pcr3" and "arn:" in str(v)) + "\n")
    words = ["generate-manifest", "--nonce", "31", "--namespace", "production/signer", "--restart-policy", "always",
             "--manifest-path", "golden", "--pivot-args", "[--config,/etc/config.json]", "--bridge-config",
             '[{"type":"server","port":3000,"host":"0.0.0.0"}]', "--dns-resolvers", "[1.1.1.1,2606:4700:4700::1111]",
             "--debug-mode", "true", "--use-manifest-version", "2", "--pivot-hash-path", "golden-hash",
             "--qos-release-dir", "golden-release", "--pcr3-preimage-path", "golden-role", "--manifest-set-dir",
             "golden-set", "--share-set-dir", "golden-shares", "--quorum-key-path", "golden-key.pub"]
    nothing_changes(desk, *words, text="share set")
    other = model.Pair()
    desk.write("golden-shares/other.pub", other.public.hex())
    desk.write("golden-shares/quorum_threshold", "2\n")
    desk.ok(*words)
    known["shareSet"] = {"members": [member, model.member("other", other)], "threshold": "2"}
    assert desk.path("golden").read_bytes() == model.canonical(known)


# Switches

def help_of(command):
    return subprocess.run([BIN / "qos_client", "help", *command.split()], capture_output=True, text=True, check=True,
                          timeout=60).stdout


def commands():
    listed = subprocess.run([BIN / "qos_client", "help"], capture_output=True, text=True, check=True, timeout=60).stdout
    return re.findall(r"(?m)^  ([a-z0-9-]+(?: [a-z-]+)?)  ", listed)


def unsafe_switches():
    return [(command, switch) for command in commands()
            for switch in sorted(set(re.findall(r"\t(--unsafe-[a-z-]+)", help_of(command))))]


def filled(command, folder):
    """Words that are enough to start a command, and no more."""
    required = help_of(command).partition("Optional CLI inputs:")[0]
    words = command.split()
    for name in re.findall(r"\t(--[a-z0-9-]+) <", required):
        words += [name, {"--host-ip": "127.0.0.1", "--host-port": "1"}.get(name, str(folder / "nowhere"))]
    return words


def test_every_unsafe_switch_is_known_here():
    assert {switch for _, switch in unsafe_switches()} == {
        "--unsafe-skip-attestation", "--unsafe-allow-debug", "--unsafe-any-attestation-root", "--unsafe-auto-confirm",
        "--unsafe-eph-path-override", "--unsafe-placeholder-pcrs"}
    assert len(unsafe_switches()) >= 30


def test_every_unsafe_switch_of_every_command_warns_on_stderr(desk):
    for command, switch in unsafe_switches():
        words = filled(command, desk.folder)
        value = ["nowhere"] if f"{switch} <" in help_of(command) else []
        quiet, loud = desk.run(*words), desk.run(*words, switch, *value)
        assert f"**WARNING:** {switch}: " in loud.stderr, (command, switch, loud)
        assert switch not in quiet.stderr and switch not in loud.stdout, (command, switch)
        assert loud.returncode == quiet.returncode, (command, switch)


def test_all_switches_at_once_warn_one_by_one(desk):
    words = filled("proxy-re-encrypt-share", desk.folder)
    switches = [switch for command, switch in unsafe_switches() if command == "proxy-re-encrypt-share"]
    given = [word for s in switches for word in ([s, "x"] if s == "--unsafe-eph-path-override" else [s])]
    done = desk.run(*words, *given)
    warned = re.findall(r"(?m)^\*\*WARNING:\*\* (--unsafe-[a-z-]+): \S", done.stderr)
    assert sorted(warned) == sorted(switches) and len(switches) == 5


def test_skipping_is_the_first_line_of_commands_that_write_anything(new_ceremony):
    """As the original's stdout has it, and the warning on stderr besides."""
    c = new_ceremony()
    c.machine.start()
    c.write_release()
    c.keys()
    line = "**WARNING:** Skipping attestation document verification.\n"

    def parted(*words):
        done = subprocess.run([BIN / "qos_client", *map(str, words)], capture_output=True, text=True, cwd=c.folder,
                              env=c.environment(None), check=True, timeout=60)
        assert "**WARNING:** --unsafe-skip-attestation: " in done.stderr
        return done.stdout

    said = parted("boot-genesis", *c.host(), "--share-set-dir", c.set_dir, "--namespace-dir", c.genesis_dir,
                  "--qos-release-dir", c.release, "--pcr3-preimage-path", "nowhere", "--unsafe-skip-attestation")
    assert said.startswith(line) and said.count("written to: ") == 4
    said = parted("after-genesis", "--secret-path", c.secret("member1"), "--share-path", c.share("member1"), "--alias",
                  "member1", "--namespace-dir", c.genesis_dir, "--qos-release-dir", c.release, "--pcr3-preimage-path",
                  "nowhere", "--unsafe-skip-attestation")
    assert said.startswith(line) and "Encrypted Quorum Share written to: " in said


# Values

@pytest.mark.parametrize("value, text", [
    ("", "--bridge-config"), ("{}", "--bridge-config"), ("[", "--bridge-config"), ("[1]", "--bridge-config"),
    ('[{"type":"server","port":65536,"host":"h"}]', "--bridge-config"),
    ('[{"type":"server","port":3000}]', "--bridge-config"), ('[{"type":"relay","port":1,"host":"h"}]', "--bridge-config"),
    ('[{"type":"server","port":1,"host":"h"},{"type":"client","port":1}]', "got 1 twice"),
])
def test_bridges_that_are_none(desk, value, text):
    words = desk.generate_words()
    words[words.index("--bridge-config") + 1] = value
    nothing_changes(desk, *words, text=text)


@pytest.mark.parametrize("value", ["1.1.1.1", "[1.1.1]", "[1.1.1.1, 8.8.8.8]", "[example.com]", "[1.1.1.1,]", "[::1%lo]"])
def test_resolvers_that_are_none(desk, value):
    nothing_changes(desk, *desk.generate_words("--use-manifest-version", "2", "--dns-resolvers", value, patch=False),
                    text="--dns-resolvers")


def test_absent_and_no_resolvers_are_different(desk):
    without = desk.generate("--use-manifest-version", "2", patch=False)
    empty = desk.generate("--use-manifest-version", "2", "--dns-resolvers", "[]", patch=False)
    assert "dns" not in without and empty["dns"] == {"resolvers": []}
    assert model.manifest_hash(without) != model.manifest_hash(empty)


def test_debug_mode_takes_a_value_and_is_false_without_one(desk):
    assert desk.generate("--debug-mode", "true")["pivot"]["debugMode"] is True
    assert desk.generate("--debug-mode")["pivot"]["debugMode"] is False
    assert desk.generate("--debug-mode", "false")["pivot"]["debugMode"] is False
    nothing_changes(desk, *desk.generate_words("--debug-mode", "TRUE"), text="--debug-mode: expected true or false")


@pytest.mark.parametrize("value", ["0", "-5", "1e9", "yesterday", "253402300800", "18446744073709551616", "", " 1"])
def test_times_that_are_none(desk, value):
    words = ["after-genesis", "--share-path", "s", "--alias", "member1", "--namespace-dir", "nowhere",
             "--qos-release-dir", "release", "--pcr3-preimage-path", "pcr3-preimage.txt", "--secret-path",
             "member1.secret", "--validation-time-override"]
    nothing_changes(desk, *words, value, text="--validation-time-override: ")
    nothing_changes(desk, *words, "1700000000", text="nowhere/genesis_attestation_doc")


@pytest.mark.parametrize("version", ["0", "3", "v2", "", "02"])
def test_other_versions_are_refused(desk, version):
    nothing_changes(desk, *desk.generate_words("--use-manifest-version", version),
                    text=f"unsupported manifest version {version}; expected 1 or 2")


# Other times

@pytest.mark.parametrize("flag", ["pool-size", "client-timeout", "app-host-enabled", "app-host-port", "app-pool-size"])
def test_flags_of_older_releases_do_nothing_but_warn(desk, flag):
    expected = desk.generate()
    for value in ([], ["5"]):
        desk.path("manifest").unlink()
        done = desk.ok(*desk.generate_words(f"--{flag}", *value))
        assert f"warning: --{flag} belongs to an older release and has no effect" in done.stderr
        assert desk.read_json("manifest") == expected


def test_flags_of_older_enclaves_do_nothing_but_warn(tmp_path):
    for flag in ("app-usock", "pool-size"):
        done = subprocess.run([BIN / "qos_core", "--print-pcrs", "--tee", "sim", "--sim-dir", tmp_path / "sim", "--role",
                               "r", "--allow-unlocked-memory", f"--{flag}", "5"], capture_output=True, text=True,
                              check=False, timeout=60)
        assert done.returncode == 0 and "PCR0" in done.stdout, done
        assert f"warning: --{flag} belongs to an older release and has no effect" in done.stderr


@pytest.mark.parametrize("command", [
    "boot-reshard", "generate-reshard-input", "get-reshard-attestation-doc", "get-reshard-output",
    "reshard-re-encrypt-share", "reshard-post-share", "verify-reshard-output"])
def test_commands_that_were_never_released_are_named_and_refused(desk, command):
    for more in ([], ["--new-share-set-dir", "x"], ["--help"]):
        done = nothing_changes(desk, command, *more, text=f"{command}: is of a branch of QuorumOS that was never released")
        assert "qos_client --help" in done.stderr and done.stdout == ""


def test_a_pipe_that_nobody_reads_is_no_success(desk):
    desk.generate()
    read, write = os.pipe()
    os.close(read)
    before = snapshot(desk.folder)
    done = subprocess.run([BIN / "qos_client", "display", "--file-path", "manifest", "--display-type", "manifest"],
                          stdout=write, stderr=subprocess.PIPE, cwd=desk.folder, check=False, timeout=60)
    os.close(write)
    assert done.returncode != 0 and difference(before, snapshot(desk.folder)) == []
