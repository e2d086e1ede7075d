"""Images through the real program: built, described, signed, listed by GNU cpio, measured by a model of our own."""
import datetime
import hashlib
import json
import os
import shutil
import struct
import subprocess
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID
from machine import BIN, ROOT, VECTORS

CMDLINE = "console=ttyS0 panic=1"
LIST = """dir /dev 0755 0 0
nod /dev/console 0600 0 0 c 5 1
file /init init 0755 0 0
slink /linuxrc /init 0777 0 0
"""


def run(folder, *words, ok=True, stdin=subprocess.DEVNULL):
    done = subprocess.run([BIN / "qos_client", "eif", *map(str, words)], text=True, capture_output=True, cwd=folder,
                          stdin=stdin, timeout=60, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout if ok else done.stderr


def refused(folder, *words):
    return run(folder, *words, ok=False)


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "bzImage").write_bytes(b"a kernel " * 999)
    (tmp_path / "init").write_bytes(b"\x7fELF an init")
    (tmp_path / "base.list").write_text(LIST)
    (tmp_path / "app.list").write_text("dir /etc 0755 0 0\nfile /etc/x init 0644 7 8\n")
    run(tmp_path, "initramfs", "--spec-path", "base.list", "--output-path", "base.cpio")
    run(tmp_path, "initramfs", "--spec-path", "app.list", "--output-path", "app.cpio")
    return tmp_path


def build(folder, *more, out="x.eif"):
    return run(folder, "build", "--kernel-path", "bzImage", "--cmdline", CMDLINE, "--ramdisk-path", "base.cpio",
               "--ramdisk-path", "app.cpio", "--eif-path", out, *more)


def extend(data):
    return hashlib.sha384(bytes(48) + data).hexdigest()


def model_pcrs(folder):
    kernel, base, app = ((folder / name).read_bytes() for name in ("bzImage", "base.cpio", "app.cpio"))
    first = kernel + CMDLINE.encode() + base
    return [extend(hashlib.sha384(x).digest()) for x in (first + app, first, app)]


def sections(image):
    """(type, data) of each, after the CRC."""
    crc = zlib.crc32(image[:544] + image[548:])
    assert struct.unpack_from(">I", image, 544)[0] == crc
    count = struct.unpack_from(">H", image, 26)[0]
    found = []
    for i in range(count):
        at, size = struct.unpack_from(">Q", image, 28 + 8 * i)[0], struct.unpack_from(">Q", image, 284 + 8 * i)[0]
        kind, flags, again = struct.unpack_from(">HHQ", image, at)
        assert (flags, again) == (0, size)
        found.append((kind, image[at + 12:at + 12 + size]))
    return found


def test_an_image_is_what_the_model_says_and_so_are_its_measurements(parts):
    said = json.loads(build(parts, "--json", "--pcrs-path", "aws-x86_64.pcrs", "--name", "n", "--image-version", "v"))
    pcrs = model_pcrs(parts)
    assert said == {"Measurements": {"HashAlgorithm": "Sha384 { ... }",
                                     **{f"PCR{i}": value for i, value in enumerate(pcrs)}}}
    assert (parts / "aws-x86_64.pcrs").read_text() == "".join(f"{p} PCR{i}\n" for i, p in enumerate(pcrs))
    found = sections((parts / "x.eif").read_bytes())
    assert [kind for kind, _ in found] == [1, 2, 5, 3, 3]
    assert found[1][1] == CMDLINE.encode()
    metadata = json.loads(found[2][1])
    assert list(metadata) == ["ImageName", "ImageVersion", "BuildMetadata", "DockerInfo", "CustomMetadata"]
    assert (metadata["ImageName"], metadata["ImageVersion"]) == ("n", "v")
    assert list(metadata["BuildMetadata"]) == ["BuildTime", "BuildTool", "BuildToolVersion", "OperatingSystem",
                                               "KernelVersion"]


def test_the_same_parts_give_the_same_bytes_and_metadata_is_not_measured(parts):
    one, other = build(parts, out="one.eif"), build(parts, out="other.eif")
    assert (parts / "one.eif").read_bytes() == (parts / "other.eif").read_bytes()
    assert one.replace("one.eif", "other.eif") == other
    build(parts, "--build-time", "2026-11-21T00:00:00Z", "--pcrs-path", "p", out="dated.eif")
    assert (parts / "one.eif").read_bytes() != (parts / "dated.eif").read_bytes()
    assert [line.split()[0] for line in (parts / "p").read_text().splitlines()] == model_pcrs(parts)


def test_a_release_folder_with_the_measurements_is_what_other_commands_read(parts):
    (parts / "release").mkdir()
    build(parts, "--pcrs-path", "release/aws-x86_64.pcrs")
    run(parts, "describe", "--eif-path", "x.eif", "--pcrs-path", "again.pcrs")
    assert (parts / "again.pcrs").read_text() == (parts / "release/aws-x86_64.pcrs").read_text()
    document = VECTORS / "tee" / "good.cose"
    done = subprocess.run([BIN / "qos_client", "attestation", "verify", "--attestation-doc-path", document, "--at",
                           "document", "--attestation-root-path", VECTORS / "tee" / "root.der", "--qos-release-dir",
                           parts / "release"], text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert model_pcrs(parts)[0] in done.stdout + done.stderr  # it was read, and is another enclave's


def test_describe_shows_what_is_there_without_harm(parts):
    name = "\x1b[31mred\u202e\x07"
    build(parts, "--name", name)
    text = run(parts, "describe", "--eif-path", "x.eif")
    assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text
    assert "Not signed" in text and CMDLINE in text and all(p in text for p in model_pcrs(parts))
    raw = run(parts, "describe", "--eif-path", "x.eif", "--json")
    assert raw.isascii() and "\x1b" not in raw
    said = json.loads(raw)
    assert said["Metadata"]["ImageName"] == name
    assert (said["EifVersion"], said["IsSigned"], said["CheckCRC"]) == (4, False, True)
    assert [s["Type"] for s in said["Sections"]] == ["kernel", "cmdline", "metadata", "ramdisk", "ramdisk"]
    assert said["Sections"][0]["Offset"] == 548


def test_describe_refuses_every_defect_of_the_models_images_by_name(tmp_path):
    rows = json.loads((VECTORS / "eif" / "images.json").read_text())
    for row in rows[:: 1 if os.environ.get("QUORATE_FULL") else 6]:
        (tmp_path / "x.eif").write_bytes(bytes.fromhex(row["eif"]))
        if not row["accept"]:
            said = refused(tmp_path, "describe", "--eif-path", "x.eif")
            assert said.startswith("error: x.eif: ") and row["says"] in said, row["name"]
            continue
        said = json.loads(run(tmp_path, "describe", "--eif-path", "x.eif", "--json"))
        assert [said["Measurements"][f"PCR{i}"] for i in range(3)] == row["pcrs"], row["name"]
        assert said["Measurements"].get("PCR8") == row["pcr8"]


def certify(folder, key, days=(-1, 30)):
    now = datetime.datetime.utcnow()
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(3)
            .not_valid_before(now + datetime.timedelta(days[0])).not_valid_after(now + datetime.timedelta(days[1]))
            .sign(key, hashes.SHA384()))
    (folder / "signer.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "signer.key").write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                                          serialization.PrivateFormat.PKCS8,
                                                          serialization.NoEncryption()))
    return made


def sign_words(*more):
    return ["sign", "--eif-path", "x.eif", "--certificate-path", "signer.pem", "--key-path", "signer.key",
            "--output-path", "signed.eif", *more]


def numbers(data):
    """A CBOR array of small numbers, and what follows it."""
    assert data[0] in (0x98, 0x99)
    n, at = (data[1], 2) if data[0] == 0x98 else (int.from_bytes(data[1:3], "big"), 3)
    out = bytearray()
    for _ in range(n):
        if data[at] == 0x18:
            at += 1
        else:
            assert data[at] < 24
        out.append(data[at])
        at += 1
    return bytes(out), data[at:]


def test_a_signed_image_names_its_signer_and_an_independent_library_agrees(parts):
    build(parts)
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = certify(parts, key)
    der = certificate.public_bytes(serialization.Encoding.DER)
    said = json.loads(run(parts, *sign_words("--json", "--pcrs-path", "signed.pcrs")))
    assert said["Measurements"]["PCR8"] == extend(hashlib.sha384(der).digest())
    assert [said["Measurements"][f"PCR{i}"] for i in range(3)] == model_pcrs(parts)
    assert (parts / "signed.pcrs").read_text().splitlines()[3].endswith(" PCR8")
    found = sections((parts / "signed.eif").read_bytes())
    assert [kind for kind, _ in found] == [1, 2, 5, 3, 3, 4]
    data = found[5][1]
    assert data.startswith(b"\x81\xa2\x73signing_certificate")
    pem, rest = numbers(data[2 + 20:])
    assert pem == (parts / "signer.pem").read_bytes()
    assert rest.startswith(b"\x69signature")
    cose, rest = numbers(rest[10:])
    assert rest == b"" and cose.startswith(b"\x84\x44\xa1\x01\x38\x22\xa0\x58")
    payload, signature = cose[9:9 + cose[8]], cose[9 + cose[8] + 2:]
    assert payload.startswith(b"\xa2\x6eregister_index\x00\x6eregister_value")
    assert numbers(payload[32:]) == (bytes.fromhex(model_pcrs(parts)[0]), b"")
    covered = b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40\x58" + bytes([len(payload)]) + payload
    r, s = int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")
    key.public_key().verify(encode_dss_signature(r, s), covered, ec.ECDSA(hashes.SHA384()))
    described = json.loads(run(parts, "describe", "--eif-path", "signed.eif", "--json"))
    assert described["IsSigned"] and described["SignatureCheck"]
    assert described["SigningCertificate"]["Sha256"] == hashlib.sha256(der).hexdigest()
    assert "the signature holds" in run(parts, "describe", "--eif-path", "signed.eif")


def test_sign_refuses_what_nitro_would_not_start_and_replaces_nothing_unasked(parts):
    build(parts)
    key = ec.generate_private_key(ec.SECP384R1())
    for days in ((-2, -1), (1, 2)):
        certify(parts, key, days)
        assert "expected a certificate that is valid now" in refused(parts, *sign_words())
    certify(parts, key)
    (parts / "signed.eif").write_text("precious")
    assert "not replaced without --force" in refused(parts, *sign_words())
    assert (parts / "signed.eif").read_text() == "precious"
    run(parts, *sign_words("--force"))
    shutil.copy(parts / "signed.eif", parts / "x.eif")
    assert "expected an image that is not signed" in refused(parts, *sign_words("--force"))
    build(parts)
    certify(parts, ec.generate_private_key(ec.SECP256R1()))
    assert "expected a P-384 key" in refused(parts, *sign_words("--force"))


def test_build_refuses_parts_that_make_no_image_and_writes_nothing(parts):
    usual = {"--kernel-path": "bzImage", "--cmdline": "x", "--ramdisk-path": "base.cpio", "--eif-path": "y.eif"}

    def without(name, **other):
        words = {**{k: v for k, v in usual.items() if k != name}, **{f"--{k.replace('_', '-')}": v
                                                                    for k, v in other.items()}}
        return refused(parts, "build", *(w for pair in words.items() for w in pair))
    (parts / "empty").write_bytes(b"")
    (parts / "odd").write_bytes(b"12345")
    (parts / "long").write_text("x" * 2048)
    (parts / "two").write_text("a\nb\n")
    assert "either --cmdline or --cmdline-path, found neither" in without("--cmdline")
    assert "found both" in without("", cmdline_path="two")
    assert "expected one line" in without("--cmdline", cmdline_path="two")
    assert "2047" in without("--cmdline", cmdline_path="long")
    assert "kernel: expected one" in without("", kernel_path="empty")
    assert "missing: cannot be opened" in without("", kernel_path="missing")
    assert "multiple of 4" in without("", ramdisk_path="odd")
    assert "expected texts in UTF-8" in refused(
        parts, "build", *(w for pair in usual.items() for w in pair), "--name", b"\xff".decode(errors="surrogateescape"))
    assert not (parts / "y.eif").exists()


needs_cpio = pytest.mark.skipif(shutil.which("cpio") is None, reason="GNU cpio is not installed")


@needs_cpio
def test_gnu_cpio_lists_what_the_list_says(parts):
    listed = subprocess.run(["cpio", "-itv", "--numeric-uid-gid", "--quiet"], input=(parts / "base.cpio").read_bytes(),
                            capture_output=True, check=True, env={"TZ": "UTC0", "LC_ALL": "C"}).stdout.decode()
    lines = [line.split() for line in listed.splitlines()]
    assert [(line[0], line[2], line[3]) for line in lines] == [
        ("drwxr-xr-x", "0", "0"), ("crw-------", "0", "0"), ("-rwxr-xr-x", "0", "0"), ("lrwxrwxrwx", "0", "0")]
    assert [line[-1] for line in lines] == ["dev", "dev/console", "init", "/init"]
    assert all("1970" in line for line in lines)


@needs_cpio
def test_gnu_cpio_unpacks_the_same_contents(parts):
    place = parts / "unpacked"
    place.mkdir()
    subprocess.run(["cpio", "-id", "--quiet", "--no-preserve-owner", "etc/*", "etc"], check=True, cwd=place,
                   input=(parts / "app.cpio").read_bytes())
    assert (place / "etc/x").read_bytes() == (parts / "init").read_bytes()


@needs_cpio
def test_gnu_cpio_makes_the_same_archive_of_a_tree(parts):
    """But for its inode numbers, and the links it counts of folders, which are this file system's."""
    tree = parts / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "d/f").write_bytes(b"contents")
    os.chmod(tree / "d", 0o750)
    os.chmod(tree / "d/f", 0o640)
    for path in (tree / "d/f", tree / "d"):
        os.utime(path, (0, 0))
    theirs = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "--reproducible", "-R", "0:0"], cwd=tree, check=True,
                            input=b"d\nd/f\n", capture_output=True).stdout
    (parts / "t.list").write_text(f"dir d 0750 0 0\nfile d/f {tree}/d/f 0640 0 0\n")
    run(parts, "initramfs", "--spec-path", "t.list", "--output-path", "t.cpio")
    ours = (parts / "t.cpio").read_bytes()

    def members(archive):
        at, found = 0, []
        while True:
            fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            name = archive[at + 110:at + 110 + fields[11] - 1]
            start = at + 110 + fields[11] + 3 & ~3
            found.append((name, fields[1:4], fields[5:7], fields[9:11], archive[start:start + fields[6]]))
            at = start + fields[6] + 3 & ~3
            if name == b"TRAILER!!!":
                return found
    assert members(ours) == members(theirs)
    assert len(ours) == len(theirs)


def test_a_refused_list_leaves_the_archive_as_it_was(parts):
    before = (parts / "base.cpio").read_bytes()
    (parts / "base.list").write_text(LIST + "file /no/folder init 0755 0 0\n")
    said = refused(parts, "initramfs", "--spec-path", "base.list", "--output-path", "base.cpio")
    assert "base.list: line 5: expected a name in a folder that an earlier line makes" in said
    (parts / "base.list").write_text("file /init missing 0755 0 0\n")
    assert "base.list: line 1: " in refused(parts, "initramfs", "--spec-path", "base.list", "--output-path", "base.cpio")
    assert (parts / "base.cpio").read_bytes() == before


def test_registers_that_no_image_has(parts):
    role, instance = "arn:aws:iam::123456789012:role/x", "i-0123456789abcdef0"
    assert run(parts, "pcr3", "--role", role) == f"{extend(role.encode())} PCR3\n"
    (parts / "role.txt").write_text(role + "\n")
    assert json.loads(run(parts, "pcr3", "--pcr3-preimage-path", "role.txt", "--json")) == {"PCR3": extend(role.encode())}
    assert run(parts, "pcr4", "--instance-id", instance) == f"{extend(instance.encode())} PCR4\n"
    assert "found neither" in refused(parts, "pcr3")
    assert "found both" in refused(parts, "pcr3", "--role", role, "--pcr3-preimage-path", "role.txt")
    assert "expected one line" in refused(parts, "pcr3", "--role", "")
    for wrong in ("x-0123456789abcdef0", "i-0123", "i-0123456789abcdefg", "i-0123456789ABCDEF0"):
        assert "--instance-id: expected i- and 8 or 17" in refused(parts, "pcr4", "--instance-id", wrong)


def compare(one, other):
    done = subprocess.run([ROOT / "deploy/image/compare", one, other], text=True, capture_output=True, check=False)
    return done.returncode, done.stdout


@pytest.fixture
def two_builds(parts):
    for name in ("one", "other"):
        place = parts / name
        place.mkdir()
        build(parts, out=place / "enclave.eif")
        for part in ("bzImage", "base.cpio"):
            shutil.copy(parts / part, place)
        shutil.copy("/bin/true", place / "init")
    return parts / "one", parts / "other"


def test_builds_that_are_the_same_are_said_to_be(two_builds):
    code, said = compare(*two_builds)
    assert code == 0
    assert said.count("same ") == 4 and "DIFFERS" not in said


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_the_first_byte_that_differs_is_named_with_its_file_and_section(two_builds):
    one, other = two_builds
    image = (one / "enclave.eif").read_bytes()
    contents = image.index(b"\x7fELF an init")
    for at, where in ((5, "the header"), (548, "the header of section 0 (kernel)"), (561, "section 0 (kernel), offset 1"),
                      (contents + 2, "(ramdisk), offset 358: contents of init, offset 2")):
        flip(other / "enclave.eif", at)
        code, said = compare(one, other)
        line = next(line for line in said.splitlines() if line.startswith("DIFFERS"))
        assert code == 1 and line.startswith(f"DIFFERS enclave.eif: offset {at}, "), said
        assert where in line
        flip(other / "enclave.eif", at)


def test_a_program_that_differs_names_its_section_and_a_missing_file_is_named(two_builds):
    one, other = two_builds
    sections_of = subprocess.run(["readelf", "-SW", one / "init"], text=True, capture_output=True, check=True).stdout
    text = next(line for line in sections_of.splitlines() if " .rodata " in line)
    at = int(text.split("PROGBITS")[1].split()[1], 16) + 3
    flip(other / "init", at)
    (other / "bzImage").write_bytes((one / "bzImage").read_bytes() + b"\0")
    (other / "base.cpio").unlink()
    code, said = compare(one, other)
    assert code == 1
    assert f"DIFFERS init: offset {at}, section .rodata, offset 3: " in said
    assert f"DIFFERS bzImage: offset {(one / 'bzImage').stat().st_size}, the file: the end and 00" in said
    assert "DIFFERS base.cpio: only one build made it" in said
    assert "same    enclave.eif" in said
