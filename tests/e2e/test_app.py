"""libquorate-app as it is installed: names and versions, programs built outside of the tree, and an app proof
from a provisioned enclave to a verifier that knows only files."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import independent
import pytest
from machine import BUILD, ROOT

HEADER = ROOT / "include" / "quorate" / "app.h"
MAP = ROOT / "src" / "app" / "quorate-app.map"
EXAMPLE = ROOT / "examples" / "app-proof" / "main.c"
VERSION = "QUORATE_APP_0.1"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def declared():
    """The functions of the public header."""
    code = re.sub(r"//.*", "", HEADER.read_text())
    return set(re.findall(r"\b(app_\w+)\(", code))


def sanitized():
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    return next(o["value"] for o in options if o["name"] == "b_sanitize") != "none"


class Installed:
    """What `meson install` puts on a machine, in a folder of its own."""

    def __init__(self, folder):
        self.root = folder
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--tags", "devel", "--destdir", folder)
        self.library = next(folder.rglob("libquorate-app.a")).parent
        self.environment = {**os.environ, "PKG_CONFIG_PATH": str(self.library / "pkgconfig"),
                            "PKG_CONFIG_SYSROOT_DIR": str(folder)}

    def flags(self, *words):
        return run("pkg-config", *words, "quorate-app", env=self.environment).split()

    def build(self, source, compiler="cc", how=(), libs=None, tail=()):
        """A program made of one source by somebody who has nothing but the installed files."""
        out = self.root / f"{source.stem}-{compiler}{''.join(how)}"
        libs = self.flags("--libs") if libs is None else libs
        run(compiler, *how, *STRICT, "-o", out, source, *self.flags("--cflags"), *libs, *tail,
            cwd=self.root)
        return out


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    if sanitized():
        pytest.skip("a library with a sanitizer is not one to install")
    return Installed(tmp_path_factory.mktemp("installed"))


def shared_environment(installed):
    return {**os.environ, "LD_LIBRARY_PATH": str(installed.library)}


def test_header_and_version_script_name_the_same_functions():
    assert set(re.findall(r"^ {4}(app_\w+);$", MAP.read_text(), re.MULTILINE)) == declared()
    assert len(declared()) > 40


def test_the_shared_library_shows_versioned_functions_and_nothing_else(installed):
    lines = run("nm", "-D", "--defined-only", installed.library / "libquorate-app.so.0").splitlines()
    names = {line.split()[2] for line in lines}
    assert names == {f"{name}@@{VERSION}" for name in declared()} | {VERSION}


def test_the_static_library_shows_its_functions_and_nothing_else(installed):
    archive = installed.library / "libquorate-app.a"
    lines = run("nm", "-g", "--defined-only", archive).splitlines()
    assert {line.split()[2] for line in lines if len(line.split()) == 3} == declared()
    assert not re.search(r"\bsim_|\btee_open", run("nm", archive))  # nothing of the simulated TEE


def test_the_header_stands_alone_in_c_and_cpp(tmp_path):
    for name, compiler, standard in (("c", "cc", "c11"), ("cpp", "c++", "c++11")):
        source = tmp_path / f"alone.{name}"
        source.write_text("#include <quorate/app.h>\n#include <quorate/app.h>\n"
                          "int main(void) { return app_start(true, NULL) == APP_OK ? 0 : 1; }\n")
        if shutil.which(compiler) is None:
            pytest.skip(f"no {compiler}")
        run(compiler, f"-std={standard}", *STRICT, "-fsyntax-only", "-I", ROOT / "include", source)


CPP = """
#include <quorate/app.h>
#include <cstdio>
int err_text = 1; // names of our own rooms are the application's to use
extern "C" int buf_append(void) { return 2; }
int main() { std::puts(app_version()); return err_text + buf_append() == 3 ? 0 : 1; }
"""


def test_programs_outside_of_the_tree_build_against_what_is_installed(installed):
    if shutil.which("c++") is None:
        pytest.skip("no c++")
    source = installed.root / "outside.cpp"
    source.write_text(CPP)
    version = next(line.split()[1] for line in (installed.library / "pkgconfig" / "quorate-app.pc")
                   .read_text().splitlines() if line.startswith("Version:"))
    shared = installed.build(source, "c++")
    assert run(shared, env=shared_environment(installed)).strip() == version
    assert "libquorate-app.so.0" in run("readelf", "-d", shared)
    archive = installed.library / "libquorate-app.a"
    needed = [flag for flag in installed.flags("--static", "--libs") if flag != "-lquorate-app"]
    mixed = installed.build(source, "c++", ("-g",), [archive, *needed])
    assert run(mixed).strip() == version
    assert "quorate" not in run("ldd", mixed)
    whole = installed.build(source, "c++", ("-static",), installed.flags("--static", "--libs"))
    assert run(whole).strip() == version
    assert "statically linked" in run("file", whole) if shutil.which("file") else True


@pytest.fixture(scope="module")
def app_proof(installed):
    """examples/app-proof, built as an application's author would: one static program."""
    return installed.build(EXAMPLE, "cc", ("-static",), installed.flags("--static", "--libs"))


class Verifier:
    """Knows a proof, a document, a manifest envelope and a root, all of them files."""

    def __init__(self, program, folder, ceremony):
        self.program = program
        self.folder = folder
        self.document = ceremony.attestation()
        self.envelope = ceremony.made / "fetched_envelope"
        self.root = ceremony.root

    def __call__(self, proof, document=None, envelope=None, root=""):
        path = self.folder / "proof.json"
        path.write_text(proof)
        words = [self.program, "verify", path, document or self.document, envelope or self.envelope]
        words += [] if root is None else [root or self.root]
        done = subprocess.run([str(word) for word in words], text=True, capture_output=True, timeout=60,
                              check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def proved(shared_ceremony, app_proof, tmp_path_factory):
    """A provisioned enclave, a proof by its live key, and the verifier of files."""
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.fetch_attestation()
    setup_document = c.made / "setup_doc"
    shutil.copy(c.attestation(), setup_document)
    c.provision()
    c.fetch_attestation()
    proof = run(app_proof, "make", "bob owns 5", c.machine.file("ephemeral.key"))
    return c, proof, Verifier(app_proof, tmp_path_factory.mktemp("verifier"), c), setup_document


def test_an_app_proof_is_traced_to_the_enclave_and_its_manifest(proved):
    c, proof, verify, _ = proved
    code, out, err = verify(proof)
    assert code == 0, err
    claims, namespace, payload = out.splitlines()
    assert payload == "bob owns 5"
    assert namespace == "production-v1 nonce 1"
    claims, proof = json.loads(claims), json.loads(proof)
    assert claims["provider"] == "SIMULATED nitro" and claims["simulated"] is True
    assert claims["publicKey"] == proof["public_key"]
    seed = independent.read_hex(c.machine.file("ephemeral.key"))
    assert independent.public_of_seed(seed).hex() == proof["public_key"]
    independent.verify(bytes.fromhex(proof["public_key"]), b"bob owns 5",
                       bytes.fromhex(proof["signature"]))
    pcrs = c.machine.print_pcrs()
    assert claims["registers"][:3] == [pcrs[f"PCR{i}"] for i in range(3)]


def test_what_does_not_trace_back_is_refused(proved):
    c, proof, verify, setup_document = proved
    other = json.loads(proof)
    other["payload"] = b"bob owns 6".hex()
    assert verify(json.dumps(other))[0] == 1
    code, out, err = verify(json.dumps(other))
    assert (code, out) == (1, "") and "FailedSignatureVerification" in err
    code, out, err = verify(proof, root=None)  # AWS's root
    assert (code, out) == (1, "") and "attestation root" in err
    code, out, err = verify(proof, document=setup_document)  # attests the setup key
    assert (code, out) == (1, "") and "attestation document" in err
    bare = json.loads(verify.envelope.read_text())
    bare["manifestSetApprovals"] = bare["manifestSetApprovals"][:1]
    few = verify.folder / "few"
    few.write_text(json.dumps(bare))
    code, out, err = verify(proof, envelope=few)
    assert (code, out) == (1, "") and "NotEnoughApprovals" in err


def test_the_quorum_key_makes_no_app_proof(proved, app_proof):
    c, _, verify, _ = proved
    proof = run(app_proof, "make", "x", c.machine.file("quorum.key"))  # passed off as the live key
    code, out, err = verify(proof)
    assert (code, out) == (1, "") and "public key that the enclave attests" in err


def test_signed_echo_sees_nothing_but_the_public_header():
    for source in Path(ROOT / "examples" / "signed-echo").glob("*.[ch]"):
        ours = re.findall(r'#include [<"]((?:base|codec|crypto|app|tee|protocol|quorate)/[^>"]+)',
                          source.read_text())
        assert set(ours) <= {"quorate/app.h"}, source
