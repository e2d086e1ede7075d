#!/usr/bin/python3
"""Makes tests/vectors/eif: enclave images and cpio archives, good ones and ones with one defect each.

An independent model of nitro.md sections 1 and 6: bytes by struct, CRC by Python's zlib, CBOR by hand, certificates
by python3-cryptography. Signatures are randomised, so every run makes other bytes; the verdicts stay.
Run it with /usr/bin/python3; it replaces the folder's files.
"""
import datetime
import hashlib
import json
import pathlib
import struct
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

OUT = pathlib.Path(__file__).parent / "eif"
KERNEL, CMDLINE, RAMDISK, SIGNATURE, METADATA = 1, 2, 3, 4, 5
PEM = serialization.Encoding.PEM


# ---- the image ---------------------------------------------------------------------------------------------
class Image:
    """A header whose every field can be set wrong, and sections of (type, data)."""

    def __init__(self, sections):
        self.sections = [{"type": t, "data": d, "flags": 0} for t, d in sections]
        self.fields = {"magic": b".eif", "version": 4, "flags": 0, "mem": 1 << 30, "cpus": 2, "reserved": 0,
                       "count": None, "unused": 0, "crc": None}
        self.offsets, self.sizes = {}, {}  # of sections that say something wrong
        self.tail = b""

    def write(self):
        f = self.fields
        at, body, offsets, sizes = 548, b"", [0] * 32, [0] * 32
        for i, s in enumerate(self.sections):
            if i < 32:
                offsets[i], sizes[i] = at, len(s["data"])
            one = struct.pack(">HHQ", s["type"], s["flags"], s.get("size", len(s["data"]))) + s["data"]
            at += len(one)
            body += one
        for i, value in self.offsets.items():
            offsets[i] = value
        for i, value in self.sizes.items():
            sizes[i] = value
        count = len(self.sections) if f["count"] is None else f["count"]
        head = f["magic"] + struct.pack(">HHQQHH", f["version"], f["flags"], f["mem"], f["cpus"], f["reserved"], count)
        head += struct.pack(">32Q", *offsets) + struct.pack(">32Q", *sizes) + struct.pack(">I", f["unused"])
        body += self.tail
        crc = zlib.crc32(head + body) if f["crc"] is None else f["crc"]
        return head + struct.pack(">I", crc) + body


def extend(data):
    return hashlib.sha384(bytes(48) + data).digest()


def measure(kernel, cmdline, ramdisks):
    def of(pieces):
        return extend(hashlib.sha384(b"".join(pieces)).digest())
    return [of([kernel, cmdline, *ramdisks]), of([kernel, cmdline, ramdisks[0]]), of(ramdisks[1:])]


# ---- the signature -------------------------------------------------------------------------------------------
def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, form in ((24, ">B"), (25, ">H"), (26, ">I")):
        if n < 1 << (8 * struct.calcsize(form)):
            return bytes([major << 5 | info]) + struct.pack(form, n)
    raise ValueError(n)


def text(s):
    return head(3, len(s)) + s.encode()


def bstr(b):
    return head(2, len(b)) + b


def numbers(b):
    return head(4, len(b)) + b"".join(head(0, x) for x in b)


def make_certificate(key, name="image signer"):
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(7).not_valid_before(datetime.datetime(2026, 1, 1))
            .not_valid_after(datetime.datetime(2126, 1, 1)).sign(key, hashes.SHA384()))


def payload(pcr0, index=0):
    return b"\xa2" + text("register_index") + head(0, index) + text("register_value") + numbers(pcr0)


def cose(key, content, protected=b"\xa1\x01\x38\x22", flip=False):
    covered = b"\x84" + text("Signature1") + bstr(protected) + bstr(b"") + bstr(content)
    r, s = decode_dss_signature(key.sign(covered, ec.ECDSA(hashes.SHA384())))
    raw = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    if flip:
        raw = raw[:-1] + bytes([raw[-1] ^ 1])
    return b"\x84" + bstr(protected) + b"\xa0" + bstr(content) + bstr(raw)


def section(pem, signed, first="signing_certificate", second="signature", wrap=numbers, entries=1, extra=b""):
    pairs = text(first) + wrap(pem) + text(second) + wrap(signed) + extra
    return head(4, entries) + head(5, 2 + bool(extra)) + pairs


# ---- cases -----------------------------------------------------------------------------------------------------
K, C, M = b"KERNEL" * 30, b"console=ttyS0 panic=1", b'{"ImageName":"vector","ImageVersion":"1"}'
R1, R2, R3 = b"base" * 32, b"application1" * 16, b"conf" * 8
key, other_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
certificate = make_certificate(key)
PCR8 = extend(hashlib.sha384(certificate.public_bytes(serialization.Encoding.DER)).digest())
P = measure(K, C, [R1, R2])
cases = []


def good(name, image, pcrs, pcr8=None):
    cases.append({"name": name, "accept": True, "eif": image.write().hex(), "pcrs": [p.hex() for p in pcrs],
                  "pcr8": pcr8.hex() if pcr8 else None})


def bad(name, says, image=None, raw=None):
    cases.append({"name": name, "accept": False, "eif": (image.write() if raw is None else raw).hex(), "says": says})


def usual(*more):
    return Image([(KERNEL, K), (CMDLINE, C), (METADATA, M), (RAMDISK, R1), (RAMDISK, R2), *more])


def with_field(name, says, field, value):
    image = usual()
    image.fields[field] = value
    bad(name, says, image)


def headers():
    with_field("magic", "offset 0: magic", "magic", b".elf")
    with_field("version_3", "offset 4: version: expected 4, found 3", "version", 3)
    with_field("version_5", "offset 4: version: expected 4, found 5", "version", 5)
    with_field("aarch64", "offset 6: flags", "flags", 1)
    with_field("flags_high", "offset 6: flags", "flags", 0x8000)
    with_field("reserved", "offset 24: reserved", "reserved", 1)
    with_field("count_0", "offset 26: number of sections", "count", 0)
    with_field("count_33", "offset 26: number of sections", "count", 33)
    with_field("count_65535", "offset 26: number of sections", "count", 65535)
    with_field("count_one_less", "offset 60: offset of a section that is not there", "count", 4)
    with_field("count_one_more", "offset 68: offset of a section, which begins", "count", 6)
    with_field("unused", "offset 540: unused", "unused", 1)
    with_field("crc", "offset 544: CRC-32", "crc", 12345)
    with_field("crc_0", "offset 544: CRC-32", "crc", 0)


def tables():
    at = [548]
    for s in usual().sections:
        at.append(at[-1] + 12 + len(s["data"]))
    for name, i, value in (("offset_overlap", 1, at[1] - 1), ("offset_gap", 1, at[1] + 1), ("offset_0", 0, 0),
                           ("offset_in_header", 0, 547), ("offset_beyond", 4, 1 << 20), ("offset_huge", 4, 2**64 - 1),
                           ("offset_twice", 4, at[3]), ("offset_sign", 2, 2**63)):
        image = usual()
        image.offsets[i] = value
        bad(name, f"offset {28 + 8 * i}: offset of a section, which begins", image)
    for name, i, value in (("table_size_small", 0, 1), ("table_size_large", 4, 1 << 40), ("table_size_max", 4, 2**64 - 1),
                           ("table_size_0", 3, 0)):
        image = usual()
        image.sizes[i] = value
        bad(name, f"offset {284 + 8 * i}: size of a section, as its own header has it", image)
    for name, value in (("both_sizes_huge", 2**64 - 1), ("both_sizes_one_more", len(R2) + 1), ("both_sizes_2_63", 2**63)):
        image = usual()
        image.sizes[4] = image.sections[4]["size"] = value
        bad(name, "to the end of the file", image)
    image = usual()
    image.sizes[4] = image.sections[4]["size"] = len(R2) - 1
    bad("size_one_less", "expected the end of the file, found 1 more", image)
    image = usual()
    image.tail = b"\0"
    bad("trailing", "expected the end of the file, found 1 more", image)
    image = usual()
    image.offsets[9] = 600
    bad("unused_offset", "offset 100: offset of a section that is not there", image)
    image = usual()
    image.sizes[31] = 1
    bad("unused_size", "offset 532: size of a section that is not there", image)
    for kind in (0, 6, 65535):
        image = usual()
        image.sections[2]["type"] = kind
        bad(f"type_{kind}", "type of a section: expected 1 to 5", image)
    image = usual()
    image.sections[3]["flags"] = 1
    bad("section_flags", "flags of a section", image)
    whole = usual().write()
    for n in (0, 3, 4, 547, 548, 559, 560, len(whole) - 1):
        bad(f"truncated_{n}", "EIF: ", raw=whole[:n])


def sections():
    for name, parts, says in (
            ("no_kernel", [(CMDLINE, C), (METADATA, M), (RAMDISK, R1)], "expected a kernel"),
            ("no_cmdline", [(KERNEL, K), (METADATA, M), (RAMDISK, R1)], "expected a command line"),
            ("no_ramdisk", [(KERNEL, K), (CMDLINE, C), (METADATA, M)], "expected a ramdisk"),
            ("two_kernels", [(KERNEL, K), (KERNEL, K), (CMDLINE, C), (RAMDISK, R1)], "one of its kind"),
            ("two_cmdlines", [(KERNEL, K), (CMDLINE, C), (CMDLINE, C), (RAMDISK, R1)], "one of its kind"),
            ("two_metadata", [(KERNEL, K), (CMDLINE, C), (METADATA, M), (METADATA, M), (RAMDISK, R1)],
             "one of its kind"),
            ("cmdline_first", [(CMDLINE, C), (KERNEL, K), (RAMDISK, R1)], "section kernel"),
            ("ramdisk_first", [(RAMDISK, R1), (KERNEL, K), (CMDLINE, C)], "section kernel"),
            ("ramdisk_before_cmdline", [(KERNEL, K), (RAMDISK, R1), (CMDLINE, C)], "section cmdline"),
            ("cmdline_nul", [(KERNEL, K), (CMDLINE, b"a\0b"), (RAMDISK, R1)], "without NUL"),
            ("ramdisks_32", [(RAMDISK, R1)] * 32, "no more than 30")):
        bad(name, says, Image(parts))


def signatures():
    pem = certificate.public_bytes(PEM)
    right = cose(key, payload(P[0]))
    good("signed", usual((SIGNATURE, section(pem, right))), P, PCR8)
    good("signed_text_before_pem", usual((SIGNATURE, section(b"Subject: signer\n" + pem, right))), P, PCR8)
    weak = ec.generate_private_key(ec.SECP256R1())
    for name, says, data in (
            ("signature_empty", "", b""),
            ("signature_flipped", "P-384 signature: expected one by this key", section(pem, cose(key, payload(P[0]), flip=True))),
            ("signature_other_key", "P-384 signature: expected one by this key", section(pem, cose(other_key, payload(P[0])))),
            ("signature_other_pcr0", "expected PCR0 of this image", section(pem, cose(key, payload(P[1])))),
            ("signature_short_value", "expected PCR0 of this image", section(pem, cose(key, payload(P[0][:47])))),
            ("signature_register_1", "register_index: expected 0, found 1", section(pem, cose(key, payload(P[0], 1)))),
            ("signature_alg_es256", "protected header", section(pem, cose(key, payload(P[0]), b"\xa1\x01\x26"))),
            ("signature_alg_none", "protected header", section(pem, cose(key, payload(P[0]), b"\xa1\x01\x20"))),
            ("signature_byte_strings", "signing_certificate", section(pem, right, wrap=bstr)),
            ("signature_key_order", "expected the key signing_certificate",
             section(right, pem, first="signature", second="signing_certificate")),
            ("signature_third_key", "expected 2 entries", section(pem, right, extra=text("x") + b"\0")),
            ("signature_two", "expected 1 entries", section(pem, right, entries=2)),
            ("signature_none", "expected 1 entries", b"\x80"),
            ("signature_trailing", "signature section", section(pem, right) + b"\0"),
            ("signature_truncated", "", section(pem, right)[:-1]),
            ("signature_count_huge", "", b"\x81\xa2" + text("signing_certificate") + b"\x9b" + b"\xff" * 8),
            ("signature_number_256", "expected 0 to 255, found 256",
             b"\x81\xa2" + text("signing_certificate") + b"\x81\x19\x01\x00"),
            ("certificate_none", "expected one certificate in PEM, found none", section(b"nothing", right)),
            ("certificate_two", "expected one certificate in PEM, found two", section(pem + pem, right)),
            ("certificate_p256", "expected a P-384 key",
             section(make_certificate(weak).public_bytes(PEM), right))):
        bad(name, says, usual((SIGNATURE, data)))
    twice = section(pem, right)
    bad("two_signatures", "one of its kind", usual((SIGNATURE, twice), (SIGNATURE, twice)))


good("one_ramdisk", Image([(KERNEL, K), (CMDLINE, C), (METADATA, M), (RAMDISK, R1)]), measure(K, C, [R1]))
good("two_ramdisks", usual(), P)
good("three_ramdisks", usual((RAMDISK, R3)), measure(K, C, [R1, R2, R3]))
good("no_metadata", Image([(KERNEL, K), (CMDLINE, C), (RAMDISK, R1), (RAMDISK, R2)]), P)
good("metadata_last", Image([(KERNEL, K), (CMDLINE, C), (RAMDISK, R1), (RAMDISK, R2), (METADATA, M)]), P)
good("other_metadata", Image([(KERNEL, K), (CMDLINE, C), (METADATA, b"{}"), (RAMDISK, R1), (RAMDISK, R2)]), P)
good("cmdline_empty", Image([(KERNEL, K), (CMDLINE, b""), (METADATA, M), (RAMDISK, R1)]), measure(K, b"", [R1]))
good("ramdisks_30", Image([(KERNEL, K), (CMDLINE, C)] + [(RAMDISK, R3)] * 30), measure(K, C, [R3] * 30))
assert measure(K, C, [R1])[2].hex().startswith("21b9efbc184807662e966d34f3908213")
headers()
tables()
sections()
signatures()


# ---- cpio archives -----------------------------------------------------------------------------------------------
def cpio(entries):
    out = b""

    def member(ino, name, mode, uid, gid, links, data, rdev):
        nonlocal out
        fields = (ino, mode, uid, gid, links, 0, len(data), 0, 0, rdev[0], rdev[1], len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4)
        out += data
        out += bytes(-len(out) % 4)
    for i, (name, mode, uid, gid, data, rdev) in enumerate(entries):
        member(i + 1, name, mode, uid, gid, 2 if mode >> 12 == 4 else 1, data, rdev)
    member(0, "TRAILER!!!", 0, 0, 0, 1, b"", (0, 0))
    return out + bytes(-len(out) % 512)


archives = [
    {"name": "base",
     "list": "# what an enclave begins with\ndir dev 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\n\n"
             "file /init init 0755 0 0\nslink sbin/init /init 0777 0 0\n".replace("slink", "dir sbin 0755 0 0\nslink"),
     "files": {"init": b"#!/nothing\n".hex()},
     "cpio": cpio([("dev", 0o40755, 0, 0, b"", (0, 0)), ("dev/console", 0o20600, 0, 0, b"", (5, 1)),
                   ("init", 0o100755, 0, 0, b"#!/nothing\n", (0, 0)), ("sbin", 0o40755, 0, 0, b"", (0, 0)),
                   ("sbin/init", 0o120777, 0, 0, b"/init", (0, 0))]).hex()},
    {"name": "owners_and_sizes",
     "list": "\tdir  a\t0700 1000 1001\r\nfile a/0 empty 0644 1 2\nfile a/1 one 0400 3 4\nfile a/4 four 04755 5 6\n"
             "nod a/disk 0660 0 6 b 259 4294967295",
     "files": {"empty": "", "one": "01", "four": "01020304"},
     "cpio": cpio([("a", 0o40700, 1000, 1001, b"", (0, 0)), ("a/0", 0o100644, 1, 2, b"", (0, 0)),
                   ("a/1", 0o100400, 3, 4, b"\1", (0, 0)), ("a/4", 0o104755, 5, 6, b"\1\2\3\4", (0, 0)),
                   ("a/disk", 0o60660, 0, 6, b"", (259, 4294967295))]).hex()},
]

OUT.mkdir(exist_ok=True)
for old in OUT.iterdir():
    old.unlink()
(OUT / "images.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")
(OUT / "archives.json").write_text(json.dumps(archives, indent=1) + "\n", encoding="utf-8")
(OUT / "signer.pem").write_bytes(certificate.public_bytes(PEM))
plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
(OUT / "signer.key").write_bytes(key.private_bytes(PEM, *plain))
(OUT / "other.key").write_bytes(other_key.private_bytes(PEM, *plain))
sec1 = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
(OUT / "signer_sec1.key").write_bytes(key.private_bytes(PEM, *sec1))
locked = serialization.BestAvailableEncryption(b"passphrase")
(OUT / "signer_locked.key").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
(OUT / "p256.key").write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, *plain))
print(f"{len(cases)} images, {len(archives)} archives")
