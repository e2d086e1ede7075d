"""qos_client alone: keys, manifests, display and the command line. What it writes is checked by an independent model."""
import hashlib
import json
import re
import stat
import subprocess

import pytest
import qos_model as model
from desk import AWS_ROOT_SHA256, BRIDGES, PCRS, PLACEHOLDERS, ROLE, YES, Desk
from machine import BIN


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_new_key_is_a_random_seed_and_its_public_half(desk):
    done = desk.ok("generate-file-key", "--master-seed-path", "k.secret", "--pub-path", "k.pub")
    assert done.stdout == "Master Seed written to: k.secret\nFile Key Public written to: k.pub\n"
    assert done.stderr == ""
    seed, public = desk.path("k.secret").read_text(), desk.path("k.pub").read_text()
    assert re.fullmatch("[0-9a-f]{64}", seed) and re.fullmatch("[0-9a-f]{260}", public)
    assert model.Pair(bytes.fromhex(seed)).public.hex() == public
    assert stat.S_IMODE(desk.path("k.secret").stat().st_mode) == 0o600


def test_keys_are_never_overwritten_without_force(desk):
    words = ["generate-file-key", "--master-seed-path", "k.secret", "--pub-path", "k.pub"]
    desk.ok(*words)
    before = desk.path("k.secret").read_text()
    desk.refused(*words, text="k.secret: exists already")
    desk.path("k.secret").unlink()
    desk.refused(*words, text="k.pub: exists already")
    assert not desk.path("k.secret").exists()  # both or none
    desk.ok(*words, "--force")
    assert desk.path("k.secret").read_text() != before
    assert [entry.name for entry in desk.folder.iterdir() if entry.name.startswith(".")] == []


def test_a_key_that_cannot_be_written_leaves_nothing(desk):
    desk.refused("generate-file-key", "--master-seed-path", "k.secret", "--pub-path", "none/k.pub",
                 text="none/k.pub")
    assert not desk.path("k.secret").exists()


def test_pivot_hash_is_the_digest_and_nothing_else(desk):
    done = desk.ok("pivot-hash", "--pivot-path", "app", "--output-path", "hash")
    assert done.stdout == done.stderr == ""
    assert desk.path("hash").read_text() == hashlib.sha256(b"#!/bin/sh\n").hexdigest()


def test_manifest_v1_has_exactly_what_was_given(desk):
    m = desk.generate()
    text = desk.path("manifest").read_text()
    assert text == json.dumps(m, separators=(",", ":"))  # compact, in declaration order
    assert list(m) == ["namespace", "pivot", "manifestSet", "shareSet", "enclave", "patchSet"]
    assert m["namespace"] == {"name": "production/v1", "nonce": 1,
                              "quorumKey": desk.quorum.public.hex()}
    assert m["pivot"] == {"hash": hashlib.sha256(b"#!/bin/sh\n").hexdigest(), "restart": "Never",
                          "bridgeConfig": json.loads(BRIDGES), "debugMode": False,
                          "args": ["--msg", "testing420"]}
    members = [model.member(alias, pair) for alias, pair in sorted(desk.members.items())]
    assert m["manifestSet"] == m["shareSet"] == {"threshold": 2, "members": members}
    keys = sorted(pair.public.hex() for pair in desk.members.values())
    assert m["patchSet"] == {"threshold": 2, "members": [{"pubKey": key} for key in keys]}
    enclave = m["enclave"]
    assert [enclave[f"pcr{i}"] for i in range(3)] == ["a1" * 48, "b2" * 48, "c3" * 48]
    assert enclave["pcr3"] == hashlib.sha384(bytes(48) + ROLE.encode()).hexdigest()
    assert enclave["qosCommit"] == ""
    root = bytes.fromhex(enclave["awsRootCertificate"])
    assert hashlib.sha256(root).hexdigest() == AWS_ROOT_SHA256


def test_manifest_v2_is_canonical(desk):
    m = desk.generate("--use-manifest-version", "2", "--debug-mode", "true", "--dns-resolvers",
                      "[1.1.1.1,2606:4700:4700:0::1111]", patch=False)
    assert desk.path("manifest").read_bytes() == model.canonical(m)
    assert m["version"] == "v2" and m["namespace"]["nonce"] == "1"
    assert m["dns"] == {"resolvers": ["1.1.1.1", "2606:4700:4700::1111"]}
    assert m["pivot"]["debugMode"] is True and "patchSet" not in m
    assert "dns" not in desk.generate("--use-manifest-version", "2", patch=False)
    empty = desk.generate("--use-manifest-version", "2", "--dns-resolvers", "[]", patch=False)
    assert empty["dns"] == {"resolvers": []}


@pytest.mark.parametrize("words, patch, text", [
    ([], False, "ManifestV1RequiresPatchSet"),
    (["--dns-resolvers", "[1.1.1.1]"], True, "ManifestV1DoesNotSupportDnsConfig"),
    (["--use-manifest-version", "2"], True, "ManifestV2DoesNotSupportPatchSet"),
    (["--use-manifest-version", "3"], True, "unsupported manifest version 3; expected 1 or 2"),
    (["--debug-mode", "maybe"], True, "--debug-mode"),
])
def test_versions_keep_their_rules(desk, words, patch, text):
    desk.refused(*desk.generate_words(*words, patch=patch), text=text)
    assert not desk.path("manifest").exists()


@pytest.mark.parametrize("name, contents, text", [
    ("share-set/quorum_threshold", "1\n", "share set"),
    ("share-set/quorum_threshold", "4\n", "share set"),
    ("manifest-set/quorum_threshold", "0\n", "manifest set"),
    ("manifest-set/quorum_threshold", "4\n", "manifest set"),
    ("patch-set/quorum_threshold", "4\n", "patch set"),
    ("manifest-set/quorum_threshold", "two\n", "quorum_threshold"),
    ("manifest-set/member1.pub", "04" * 130, "member1.pub"),
    ("manifest-set/member1.pub", "zz", "member1.pub"),
    ("pivot-hash.txt", "abcd\n", "pivot hash was not 256 bits"),
    ("pcr3-preimage.txt", "\n", "pcr3-preimage.txt"),
    ("release/aws-x86_64.pcrs", "nonsense\n", "Not exactly 2 words in line of file"),
    ("quorum_key.pub", "00", "quorum_key.pub"),
])
def test_unusable_files_are_refused_by_name(desk, name, contents, text):
    desk.write(name, contents)
    desk.refused(*desk.generate_words(), text=text)
    assert not desk.path("manifest").exists()


def test_a_member_under_two_names_is_refused(desk):
    desk.write("share-set/member4.pub", desk.members["member1"].public.hex())
    desk.refused(*desk.generate_words(), text="DuplicateQuorumMember")


def test_quorum_key_in_a_set_folder_is_refused(desk):
    desk.write("share-set/quorum_key.pub", desk.quorum.public.hex())
    desk.refused(*desk.generate_words(), text="share-set/quorum_key.pub: is the quorum key")


def test_files_from_other_editors_are_read(desk):
    desk.write("release/aws-x86_64.pcrs", PCRS.replace("\n", "\r\n") + "\r\n")
    desk.write("pcr3-preimage.txt", ROLE + "\r\n\r\n")
    desk.write("pivot-hash.txt", desk.path("pivot-hash.txt").read_text().replace("\n", "\r\n"))
    desk.write("share-set/quorum_threshold", "2\r\n")
    desk.write("share-set/._member1.pub", "resource fork")
    m = desk.generate()
    assert m["enclave"]["pcr3"] == hashlib.sha384(bytes(48) + ROLE.encode()).hexdigest()
    assert len(m["shareSet"]["members"]) == 3


def test_placeholder_measurements_are_refused_unless_asked_for(desk):
    desk.write("release/aws-x86_64.pcrs", PLACEHOLDERS)
    done = desk.refused(*desk.generate_words(), text="placeholder <PCR0_VALUE>")
    assert "qos_core --print-pcrs" in done.stderr
    done = desk.ok(*desk.generate_words("--unsafe-placeholder-pcrs"))
    assert "placeholders" in done.stderr
    enclave = desk.read_json("manifest")["enclave"]
    assert enclave["pcr0"] == enclave["pcr1"] == enclave["pcr2"] == "00" * 48
    desk.refused(*desk.approve_words("member1"), answers=YES, text="placeholder")
    for member in ("member1", "member2"):
        desk.ok(*desk.approve_words(member, "--unsafe-placeholder-pcrs"), answers=YES)
    desk.ok(*desk.envelope_words())
    boot = ["boot-standard", "--host-ip", "127.0.0.1", "--host-port", "9", "--pivot-path", "app",
            "--manifest-envelope-path", "approvals/manifest_envelope", "--pcr3-preimage-path",
            "pcr3-preimage.txt"]
    desk.refused(*boot, text="expected measurements in PCR0, PCR1 and PCR2, found zeros")
    done = desk.refused(*boot, "--unsafe-skip-attestation", text="transport error")  # nobody listens
    assert done.stdout == "**WARNING:** Skipping attestation document verification.\n"


def test_flags_of_older_releases_are_ignored_with_a_warning(desk):
    done = desk.ok(*desk.generate_words("--pool-size", "5", "--app-host-enabled"))
    assert "--pool-size" in done.stderr and "--app-host-enabled" in done.stderr


def test_display_shows_what_the_file_says_and_nothing_else(desk):
    m = desk.generate()
    m["pivot"]["args"] = ["\x1b[2J", "\u202e", "\x7f", "grüße"]
    desk.write("manifest", json.dumps(m))
    words = ["display", "--file-path", "manifest", "--display-type", "manifest"]
    for more, lines in (([], None), (["--json"], 1)):
        done = desk.ok(*words, *more)
        assert json.loads(done.stdout) == m
        assert all(c == "\n" or " " <= c <= "~" for c in done.stdout)
        assert lines is None or done.stdout.count("\n") == lines
    desk.refused("display", "--file-path", "manifest", "--display-type", "envelope",
                 text="--display-type")
    desk.refused("display", "--file-path", "manifest", "--display-type", "genesis-output",
                 text="genesis output")


def test_command_line_errors_are_told_as_the_original_tells_them(desk):
    for words, text in (
        ([], "argument No command provided is required but was not found"),
        (["pivot-hash"], "argument output-path is required but was not found"),
        (["pivot-hash", "..."], "found ..., which was not an expected argument"),
        (["pivot-hash", "--output-path=x"],
         "found --output-path=x, which was not an expected argument"),
        (["pivot-hash", "--pivot-path", "a", "--pivot-path", "b"],
         "found argument pivot-path more then once, but only one instance was expected"),
        (["pivot-hash", "--output-path", "--pivot-path"],
         "found argument output-path, which requires a value, but no value was given"),
    ):
        done = desk.run(*words)
        assert done.returncode == 1
        assert done.stdout == f"Invalid input: {text}\n"
        assert done.stderr == ""


def test_unknown_commands_name_the_nearest(desk):
    done = desk.refused("aprove-manifest", text="did you mean approve-manifest?")
    assert done.stdout == ""
    desk.refused("frobnicate", text="qos_client --help lists the commands")
    desk.refused("help", "frobnicate", text="Unrecognized command frobnicate")
    desk.refused("share", "chek", "--alias", "x", text="did you mean share check?")
    desk.refused("ceremony", "--json", text="did you mean ceremony status?")


def test_help_and_version(desk):
    listed = desk.ok("--help").stdout
    assert listed == desk.ok("help").stdout
    commands = re.findall(r"(?m)^  ([a-z-]+(?: [a-z-]+)?)  ", listed)
    assert len(commands) >= 21 and "share check" in commands
    for command in commands:
        text = desk.ok("help", *command.split()).stdout
        camel = "".join(part.capitalize() for part in re.split("[- ]", command))
        assert text.startswith(f"Command: {camel}\n")
        assert desk.ok(*command.split(), "--nonsense", "--help").stdout == text
    for words in (["--version"], ["pivot-hash", "--version"]):
        assert desk.ok(*words).stdout.startswith("version: 0.13.0\n")


def test_output_that_cannot_be_printed_is_no_success(desk):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN / "qos_client", "--help"], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60)
    assert done.returncode == 1 and "standard output" in done.stderr
