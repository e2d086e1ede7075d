"""Members' keys on PKCS#11 tokens: SoftHSM2 behind the real programs, judged by python3-cryptography and OpenSC."""
import json
import os
import re
import subprocess

import independent
import pytest
import qos_model as model
from ceremony import YES, Ceremony
from desk import Desk, environment
from machine import BIN, ROOT
from softhsm import MODULE, PIN, SoftHsm
from test_memory import Memory
from traced import needs_plain_memory
from typist import Typist


@pytest.fixture
def hsm(tmp_path):
    hsm = SoftHsm(tmp_path / "hsm")
    hsm.token("quorum")
    return hsm


class TokenDesk(Desk):
    """A member's desk on which programs see the tokens of one SoftHSM folder."""

    def __init__(self, folder, hsm):
        super().__init__(folder)
        self.hsm = hsm

    def environment(self):
        return {**environment(), **self.hsm.environment()}

    def run(self, *words, **more):
        return super().run(*words, env=self.environment(), **more)

    def provision(self, *more, label=None):
        self.ok("token", "provision", *self.hsm.words(label), "--pub-path", "token.pub", *more)
        return bytes.fromhex(self.path("token.pub").read_text())

    def join(self, public, member="member1"):
        """The token's key takes the place of the member's in every set."""
        for name in ("manifest-set", "share-set", "patch-set"):
            self.write(f"{name}/{member}.pub", public.hex())

    def token_approve_words(self, member="member1", **how):
        words = self.approve_words(member)
        at = words.index("--secret-path")
        return words[:at] + words[at + 2:] + self.hsm.words(**how)


@pytest.fixture
def desk(tmp_path, hsm):
    return TokenDesk(tmp_path, hsm)


class TokenCeremony(Ceremony):
    """A ceremony in which one member has a token wherever the others have a secret in a file."""

    def with_token(self, hsm, member="member1"):
        self.hsm, self.held = hsm, member
        return self

    def environment(self, root=""):
        return {**super().environment(root), **self.hsm.environment()}

    def client(self, *words, **how):
        words = list(words)
        if self.secret(self.held) in words:
            at = words.index(self.secret(self.held))
            assert words[at - 1] == "--secret-path"
            words[at - 1:at + 1] = self.hsm.words("quorum")
        return super().client(*words, **how)

    def keys(self):
        for member in self.members:
            public = ["--pub-path", self.set_dir / f"{member}.pub"]
            if member == self.held:
                self.client("token", "provision", *self.hsm.words("quorum"), *public)
            else:
                self.client("generate-file-key", "--master-seed-path", self.secret(member), *public)
        (self.set_dir / "quorum_threshold").write_text(f"{self.threshold}\n")


def test_a_ceremony_with_one_member_on_a_token(new_machine, hsm):
    """Genesis, approval, share, drill and update; every signature of the token read by other code."""
    c = TokenCeremony(machine=new_machine()).with_token(hsm)
    c.born()
    assert not c.secret("member1").exists()
    public = bytes.fromhex((c.set_dir / "member1.pub").read_text())
    pivot = c.app.make()
    c.approved(pivot)
    approvals = [json.loads(p.read_text()) for p in c.made.glob("member1-*.approval")]
    assert len(approvals) == 1
    manifest = json.loads(c.manifest_path().read_text())
    independent.verify(public, model.manifest_hash(manifest), bytes.fromhex(approvals[0]["signature"]))
    said = c.client("share", "check", "--namespace-dir", c.genesis_dir, "--alias", "member1", "--share-path",
                    c.share("member1"), "--secret-path", c.secret("member1"))
    assert "Yes: the share of member1 opens" in said
    c.boot(pivot)
    c.provision(["member1", "member3"])
    assert c.machine.phase() == "QuorumKeyProvisioned" or "Provisioned" in c.machine.phase()
    answer = c.app.echo("from a token's share")
    independent.verify_echo(c.public(), answer, "from a token's share")


def test_a_bundle_is_signed_by_a_token(desk, hsm):
    public = desk.provision()
    desk.join(public)
    m = desk.generate()
    desk.ok("bundle", "out", "--bundle-path", "b", "--alias", "member1", "--manifest-path", "manifest",
            "--pcr3-preimage-path", "pcr3-preimage.txt")
    desk.ok("bundle", "sign", "--bundle-path", "b", "--answer-path", "a", *desk.parts(), *hsm.words(),
            answers=YES)
    desk.ok("bundle", "in", "--bundle-path", "b", "--answer-path", "a", "--manifest-approvals-dir", "approvals")
    approval = desk.read_json(desk.approval_name("member1"))
    independent.verify(public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))


def test_keys_from_a_seed_are_those_of_the_file(desk, hsm):
    seed = desk.members["member1"].seed
    public = desk.provision("--master-seed-path", "member1.secret")
    assert public == independent.public_of_seed(seed)
    done = desk.ok("token", "public", "--pkcs11-module", MODULE)
    assert done.stdout == public.hex() + "\n"
    m = desk.generate()
    desk.ok(*desk.token_approve_words(), answers=YES)
    approval = desk.read_json(desk.approval_name("member1"))
    independent.verify(public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))


def test_private_keys_stay_in_the_token(desk, hsm):
    desk.provision()
    listed = hsm.tool("quorum", "--list-objects", "--type", "privkey")
    assert listed.count("Private Key Object") == 2
    assert listed.count("sensitive, always sensitive, never extractable, local") == 2
    usage = dict(zip(re.findall(r"label: +(\S+)", listed), re.findall(r"Usage: +(.+)", listed)))
    assert "derive" in usage["quorum-encryption"] and "sign" not in usage["quorum-encryption"]
    assert "sign" in usage["quorum-signing"] and "derive" not in usage["quorum-signing"]


def test_keys_that_another_program_made_are_used(desk, hsm):
    """By OpenSC, named by identifiers; its private keys and ours are alike."""
    for number, use in ((1, "--usage-derive"), (2, "--usage-sign")):
        hsm.tool("quorum", "--keypairgen", "--key-type", "EC:prime256v1", "--id", f"0{number}", "--label",
                 f"made{number}", use)
    names = ["--encryption-key", "id:01", "--signing-key", "made2"]
    public = bytes.fromhex(desk.ok("token", "public", "--pkcs11-module", MODULE, *names).stdout)
    desk.join(public)
    m = desk.generate()
    desk.ok(*desk.token_approve_words(), *names, answers=YES)
    approval = desk.read_json(desk.approval_name("member1"))
    independent.verify(public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))


def test_keys_of_another_curve_are_refused(desk, hsm):
    for number in (1, 2):
        hsm.tool("quorum", "--keypairgen", "--key-type", "EC:secp384r1", "--id", f"0{number}", "--label", "x")
    desk.refused("token", "public", "--pkcs11-module", MODULE, "--encryption-key", "id:01", "--signing-key",
                 "id:02", text="key id:01: expected a key on the curve P-256, found another curve")


def test_two_keys_of_one_name_are_refused(desk, hsm):
    desk.provision()
    hsm.tool("quorum", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "77", "--label", "quorum-signing")
    desk.refused("token", "public", "--pkcs11-module", MODULE,
                 text="expected one public key named quorum-signing, found several")


def test_what_is_on_the_token_is_not_replaced(desk, hsm):
    public = desk.provision()
    desk.refused("token", "provision", *hsm.words(), "--pub-path", "other.pub",
                 text="expected nothing named quorum-encryption, found it there already")
    desk.refused("token", "provision", *hsm.words(), "--pub-path", "token.pub", "--signing-key", "a",
                 "--encryption-key", "b", text="token.pub: exists already")
    assert not desk.path("other.pub").exists()
    assert desk.ok("token", "public", "--pkcs11-module", MODULE).stdout == public.hex() + "\n"


def test_keys_nobody_has_the_public_half_of_are_taken_off_again(desk, hsm):
    desk.refused("token", "provision", *hsm.words(), "--pub-path", "nowhere/token.pub", text="nowhere")
    assert "Object" not in hsm.tool("quorum", "--list-objects")


def test_several_tokens_must_be_told_apart(desk, hsm):
    hsm.token("other")
    done = desk.refused("token", "provision", *hsm.words(), "--pub-path", "token.pub",
                        text="token: expected one, found 2: name it with --token-uri")
    assert "token=quorum" in done.stderr and "token=other" in done.stderr
    desk.provision(label="other")
    listed = desk.ok("token", "list", "--pkcs11-module", MODULE).stdout
    assert "quorum\n" in listed and "other\n" in listed and listed.count("PIN set") == 2
    uris = re.findall(r"pkcs11:\S+", listed)
    for uri in uris:  # what it prints, it takes
        found = desk.ok("token", "list", "--pkcs11-module", MODULE, "--token-uri", uri).stdout
        assert re.findall(r"pkcs11:\S+", found) == [uri]
    serial = next(re.search("serial=[0-9a-f]+", u)[0] for u in uris if "token=quorum" in u)
    desk.refused("token", "public", "--pkcs11-module", MODULE, "--token-uri", f"pkcs11:{serial}",
                 text="expected a public key or certificate named quorum-encryption, found none")
    desk.refused("token", "public", "--pkcs11-module", MODULE, "--token-uri", "pkcs11:token=third",
                 text="expected one that is pkcs11:token=third, found none")


@pytest.mark.parametrize("uri, text", [
    ("token=quorum", "expected a PKCS#11 URI"), ("pkcs11:token=%zz", "expected a PKCS#11 URI"),
    ("pkcs11:token=quorum?pin-value=271828", "expected no PIN in it"),
    ("pkcs11:token=quorum?pin-source=pin", "expected no PIN in it"),
    ("pkcs11:token=quorum?module-path=/x.so", "expected no module in it"),
    ("pkcs11:token=quorum;object=key", "expected no object in it"),
    ("pkcs11:token=quorum;colour=red", "found an unknown one")])
def test_a_uri_names_a_token_and_nothing_else(desk, hsm, uri, text):
    done = desk.refused("token", "public", "--pkcs11-module", MODULE, "--token-uri", uri, text=text)
    assert "271828" not in done.stderr


def test_a_wrong_pin_costs_one_try_and_says_so(desk, hsm):
    desk.provision()
    desk.generate()
    right = hsm.pin_file.read_text()
    hsm.pin_file.write_text("000000\n")
    done = desk.refused(*desk.token_approve_words(), answers=YES,
                        text="PIN: expected the right one, found a wrong one")
    assert done.stdout == "" and "000000" not in done.stderr
    assert list(desk.path("approvals").iterdir()) == []
    hsm.pin_file.write_text("0\n")
    desk.refused(*desk.token_approve_words(), answers=YES, text="found another length (not tried)")
    hsm.pin_file.write_text("\n")
    desk.refused(*desk.token_approve_words(), answers=YES, text="expected a PIN, found an empty line")
    hsm.pin_file.write_text(right)


def test_the_pin_may_come_through_a_descriptor(desk, hsm):
    desk.provision()
    desk.join(bytes.fromhex(desk.path("token.pub").read_text()))
    desk.generate()
    read, write = os.pipe()
    os.write(write, PIN.encode() + b"\nwhat follows the first line is not read\n")
    os.close(write)
    desk.ok(*desk.token_approve_words(pin=False), "--current-pin-path", f"/dev/fd/{read}", answers=YES,
            pass_fds=[read])
    os.close(read)


def test_the_pin_is_asked_for_on_the_terminal_without_echo(desk, hsm):
    desk.join(desk.provision())
    desk.generate()
    with Typist(desk, desk.token_approve_words(pin=False), YES, env=desk.environment()) as t:
        t.asked("Enter your pin: ")
        t.type(PIN + "\n")
        code, out, err = t.ended()
        assert code == 0, err
        assert PIN not in t.shown + out + err and t.echoes()
    done = desk.refused(*desk.token_approve_words(pin=False), start_new_session=True, answers=YES,
                        text="PIN: expected a terminal to ask on")
    assert "--current-pin-path" in done.stderr


def test_an_exact_place_of_the_key_is_needed(desk, hsm):
    desk.generate()
    words = desk.token_approve_words()
    for more, pair in ((["--secret-path", "member1.secret"], "pkcs11-module and secret-path"),
                       (["--yubikey"], "pkcs11-module and yubikey")):
        done = desk.run(*words, *more)
        assert done.returncode == 1
        assert done.stdout == f"Invalid input: arguments {pair} are mutually exclusive and cannot be used at the same time\n"
    at = words.index("--pkcs11-module")
    for option, needs in (("--token-uri", "pkcs11-module"), ("--signing-key", "pkcs11-module"),
                          ("--encryption-key", "pkcs11-module"), ("--yubikey-module", "yubikey")):
        done = desk.run(*words[:at], *words[at + 2:], option, "x")
        assert done.returncode == 1 and f"{needs} is required" in done.stdout
    plain = desk.ok(*desk.approve_words("member1", "--current-pin-path", hsm.pin_file), answers=YES)
    assert "--current-pin-path: not needed" in plain.stderr


@pytest.mark.parametrize("name, text", [
    ("", "expected a label of 1 to 64 bytes"), ("x" * 65, "expected a label of 1 to 64 bytes"),
    ("id:", "expected from 1 to 64 bytes"), ("id:zz", "--signing-key"), ("id:" + "00" * 65, "from 1 to 64"),
    ("quorum-encryption", "expected another key than --encryption-key, found the same")])
def test_a_key_name_that_is_none_is_refused(desk, hsm, name, text):
    desk.refused("token", "public", "--pkcs11-module", MODULE, "--signing-key", name, text=text)


@pytest.mark.parametrize("module, text", [
    ("/nowhere/module.so", "/nowhere/module.so: expected a PKCS#11 module"),
    ("hsm/pin", "expected a PKCS#11 module, found what cannot be loaded"),
    ("/lib/x86_64-linux-gnu/libm.so.6", "C_GetFunctionList")])
def test_what_is_no_module_is_refused(desk, hsm, module, text):
    desk.refused("token", "list", "--pkcs11-module", module, text=text)


def test_many_commands_use_one_token_at_once(desk, hsm):
    """Each is a process with a session of its own. SoftHSM empties its token's file for a moment at every login;
    who looks just then finds no token, which is one sentence and no approval, and works the next time."""
    public = desk.provision()
    desk.join(public)
    m = desk.generate()
    words = [BIN / "qos_client", *map(str, desk.token_approve_words())]
    at = words.index("approvals")
    running = {}
    for i in range(8):
        folder = f"approvals-{i}"
        desk.path(folder).mkdir()
        running[folder] = subprocess.Popen([*words[:at], folder, *words[at + 1:]], cwd=desk.folder,
                                           env=desk.environment(), stdin=subprocess.PIPE, text=True,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    worked = 0
    for folder, process in running.items():
        _, err = process.communicate(YES, timeout=60)
        worked += process.returncode == 0
        if process.returncode != 0:
            assert err.splitlines()[-1].startswith("error: token: "), err
            assert list(desk.path(folder).iterdir()) == []
            desk.ok(*words[1:at], folder, *words[at + 1:], answers=YES)
        approval = desk.read_json(f"{folder}/member1-production-v1-1.approval")
        independent.verify(public, model.manifest_hash(m), bytes.fromhex(approval["signature"]))
    assert worked > 0


def test_two_provisions_at_once_leave_one_key_or_none(desk, hsm):
    words = [BIN / "qos_client", "token", "provision", *map(str, hsm.words())]
    running = [subprocess.Popen([*words, "--pub-path", f"{i}.pub"], cwd=desk.folder, env=desk.environment(),
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
               for i in range(4)]
    worked = []
    for i, process in enumerate(running):
        _, err = process.communicate(timeout=60)
        if process.returncode == 0:
            worked.append(i)
        else:
            assert "error: token: " in err
    assert len(worked) <= 1
    assert len(list(desk.folder.glob("?.pub"))) == len(worked)
    if worked:
        shown = desk.ok("token", "public", "--pkcs11-module", MODULE).stdout.strip()
        assert shown == desk.path(f"{worked[0]}.pub").read_text()
    else:
        assert "Object" not in hsm.tool("quorum", "--list-objects")


def test_a_pin_is_in_nobodys_sight(desk, hsm):
    """Neither printed nor in what the audit log keeps."""
    public = desk.provision("--audit-log", "log")
    desk.join(public)
    desk.generate()
    done = desk.ok(*desk.token_approve_words(), "--audit-log", "log", answers=YES)
    assert PIN not in done.stdout + done.stderr + desk.path("log").read_text()


def test_the_commands_of_the_page_work(desk, hsm):
    page = (ROOT / "docs" / "tokens.md").read_text(encoding="utf-8")
    lines = re.search(r"(?s)```bash\n(.*?)```", page)[1].splitlines()
    assert len(lines) == 3
    for line in lines:
        name, *words = line.split()
        assert name == "qos_client"
        desk.ok(*words, *(["--current-pin-path", hsm.pin_file] if "provision" in words else []))


def test_a_pin_is_in_locked_memory_only(desk, hsm):
    """While the command waits for an answer, logged in to the token."""
    needs_plain_memory()
    pin = "72918463500917"
    hsm.token("other", pin)
    hsm.pin_file.write_text(pin + "\n")
    desk.join(desk.provision(label="other"))
    desk.generate()
    words = [BIN / "qos_client", *map(str, desk.token_approve_words(label="other"))]
    process = subprocess.Popen(words, cwd=desk.folder, env=desk.environment(), text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert "(y/n)" in process.stdout.readline()
        memory = Memory(process.pid)
        assert memory.places(pin.encode()), "the test looks for what is not there"
        memory.assert_only_locked({"PIN": pin.encode()})
    finally:
        process.kill()
        process.communicate()
