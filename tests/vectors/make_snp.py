#!/usr/bin/python3
"""Makes tests/vectors/snp: SEV-SNP evidence, good and with one defect each.

An independent model of nitro.md sections 5 and 7: certificates by python3-cryptography (whose builder knows no
RSASSA-PSS, so they are signed again by hand), reports, the table and the container by struct. Keys and signatures are
random, so every run makes other bytes; the verdicts stay. Run it with /usr/bin/python3; it replaces the folder's files.
"""
import datetime
import hashlib
import json
import pathlib
import struct
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID, ObjectIdentifier

OUT = pathlib.Path(__file__).parent / "snp"
T0 = 1767225600  # 2026-01-01 00:00:00 UTC
AT = T0 + 600
DAY = 86400
SHA384_RSA = bytes.fromhex("300d06092a864886f70d01010c0500")


# ---- DER and certificates --------------------------------------------------------------------------------
def der(tag, body):
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82]) + struct.pack(">H", n)
    return bytes([tag]) + length + body


def der_items(b):
    while b:
        n, at = b[1], 2
        if n & 0x80:
            at = 2 + (n & 0x7f)
            n = int.from_bytes(b[2:at], "big")
        yield b[0], b[at:at + n]
        b = b[at + n:]


def pss_algorithm(digest, salt):
    arc = {"sha256": "01", "sha384": "02"}[digest]
    sha = bytes.fromhex("300d06096086480165030402" + arc + "0500")
    mgf = der(0x30, bytes.fromhex("06092a864886f70d010108") + sha)
    params = der(0xa0, sha) + der(0xa1, mgf) + der(0xa2, der(2, bytes([salt])))
    return der(0x30, bytes.fromhex("06092a864886f70d01010a") + der(0x30, params))


def common_name(cn):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Quorate test"),
                      x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def usage(**on):
    flags = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    flags.update(on)
    return x509.KeyUsage(**flags)


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(number):
    return ObjectIdentifier("1.3.6.1.4.1.3704.1." + number)


def issue(cn, key, issuer_cn, issuer_key, start=T0 - DAY, end=T0 + 365 * DAY, ca=None, extra=(), pss=("sha384", 48),
          pkcs1=False, key_usage=True, constraints=True, critical=()):
    builder = (x509.CertificateBuilder().subject_name(common_name(cn)).issuer_name(common_name(issuer_cn))
               .public_key(key.public_key()).serial_number(1)
               .not_valid_before(datetime.datetime.utcfromtimestamp(start))
               .not_valid_after(datetime.datetime.utcfromtimestamp(end)))
    if ca is not None and constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    if ca and key_usage:
        builder = builder.add_extension(usage(key_cert_sign=True), True)
    for number, value in extra:
        builder = builder.add_extension(x509.UnrecognizedExtension(oid(number), value), number in critical)
    plain = builder.sign(issuer_key, hashes.SHA384())
    if pkcs1:
        return plain.public_bytes(serialization.Encoding.DER)
    algorithm = pss_algorithm(*pss)
    items = [der(tag, body) for tag, body in der_items(next(der_items(plain.tbs_certificate_bytes))[1])]
    items[items.index(SHA384_RSA)] = algorithm
    if ca is None:
        items[1] = der(2, b"\0")  # AMD's own have the serial number 0
    tbs = der(0x30, b"".join(items))
    digest = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}[pss[0]]
    signature = issuer_key.sign(tbs, padding.PSS(padding.MGF1(digest), pss[1]), digest)
    return der(0x30, tbs + algorithm + der(3, b"\0" + signature))


def rsa_key():
    return rsa.generate_private_key(65537, 4096)


def leaf_scalar(label):
    return int.from_bytes(hashlib.sha256(("quorate snp " + label).encode()).digest(), "big")


class Product:
    """One kind of processor with its authorities."""

    def __init__(self, name, family, model, name_in_key=None):
        self.name, self.family, self.model = name, family, model
        self.name_in_key = name_in_key or name
        self.turin = name == "Turin"
        self.ark_key, self.ask_key, self.asvk_key = rsa_key(), rsa_key(), rsa_key()
        self.ark = issue("ARK-" + name, self.ark_key, "ARK-" + name, self.ark_key, ca=True, start=T0 - 400 * DAY,
                         end=T0 + 4000 * DAY)
        self.ask = issue("SEV-" + name, self.ask_key, "ARK-" + name, self.ark_key, ca=True, end=T0 + 3650 * DAY)
        self.asvk = issue("SEV-VLEK-" + name, self.asvk_key, "ARK-" + name, self.ark_key, ca=True, end=T0 + 3650 * DAY)
        self.chip = hashlib.sha512(("chip " + name).encode()).digest()[:8 if self.turin else 64]
        self.key = ec.derive_private_key(leaf_scalar(name), ec.SECP384R1())
        self.tcb = dict(bootloader=4, tee=0, snp=22, microcode=213)
        if self.turin:
            self.tcb["fmc"] = 1

    def extensions(self, cloud=False, drop=(), tcb=None, chip=None, product=None, add=()):
        t = tcb or self.tcb
        numbers = [("3.1", t["bootloader"]), ("3.2", t["tee"]), ("3.3", t["snp"]), ("3.8", t["microcode"])]
        if "fmc" in t:
            numbers.append(("3.9", t["fmc"]))
        name = (product or self.name_in_key).encode()
        rows = [("1", integer(1 if self.turin else 0)), ("2", der(0x16, name))]
        rows += [(number, integer(value)) for number, value in numbers]
        rows.append(("5", der(0x16, b"test cloud")) if cloud else ("4", self.chip if chip is None else chip))
        return [row for row in rows if row[0] not in drop] + list(add)

    def vcek(self, **change):
        what = {k: change.pop(k) for k in ("drop", "tcb", "chip", "product", "add") if k in change}
        row = dict(cn="SEV-VCEK", key=self.key, issuer_cn="SEV-" + self.name, issuer_key=self.ask_key,
                   extra=self.extensions(**what))
        row.update(change)
        return issue(**row)

    def vlek(self, **change):
        what = {k: change.pop(k) for k in ("drop", "tcb", "add") if k in change}
        row = dict(cn="SEV-VLEK", key=self.key, issuer_cn="SEV-VLEK-" + self.name, issuer_key=self.asvk_key,
                   extra=self.extensions(cloud=True, **what))
        row.update(change)
        return issue(**row)

    def tcb_field(self, tcb=None):
        t = tcb or self.tcb
        if self.turin:
            return bytes([t.get("fmc", 0), t["bootloader"], t["tee"], t["snp"], 0, 0, 0, t["microcode"]])
        return bytes([t["bootloader"], t["tee"], 0, 0, 0, 0, t["snp"], t["microcode"]])


# ---- report, table, container ----------------------------------------------------------------------------
def report(p, version, data, **change):
    r = bytearray(0x4a0)
    v = dict(policy=0x30000, vmpl=0, algorithm=1, key_info=0, measurement=hashlib.sha384(b"image").digest(),
             host_data=bytes(32), tcb=p.tcb_field(), chip=p.chip, family=p.family, model=p.model, signer=p.key)
    v.update({k: change.pop(k) for k in list(change) if k in v})
    struct.pack_into("<IIQ", r, 0, change.pop("version", version), 7, v["policy"])
    r[0x10:0x20], r[0x20:0x30] = b"family".ljust(16, b"\0"), b"image".ljust(16, b"\0")
    struct.pack_into("<II", r, 0x30, v["vmpl"], v["algorithm"])
    r[0x38:0x40] = p.tcb_field()
    r[0x48] = v["key_info"]
    r[0x50:0x90], r[0x90:0xc0], r[0xc0:0xe0] = data, v["measurement"], v["host_data"]
    r[0x140:0x160] = hashlib.sha256(b"report id").digest()
    r[0x160:0x180] = b"\xff" * 32
    r[0x180:0x188] = v["tcb"]
    if version >= 3:
        r[0x188:0x18b] = bytes([v["family"], v["model"], 1])
    r[0x1a0:0x1a0 + len(v["chip"])] = v["chip"]
    r[0x1e0:0x1e8] = r[0x1f0:0x1f8] = p.tcb_field()
    if version >= 5:
        struct.pack_into("<QQ", r, 0x1f8, 3, 7)
    n = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973
    a, b = decode_dss_signature(v["signer"].sign(bytes(r[:0x2a0]), ec.ECDSA(hashes.SHA384())))
    assert 0 < a < n and 0 < b < n
    r[0x2a0:0x2a0 + 72], r[0x2e8:0x2e8 + 72] = a.to_bytes(72, "little"), b.to_bytes(72, "little")
    edit = change.pop("edit", None)
    assert not change, change
    if edit:
        edit(r)
    return bytes(r)


GUID = {"vcek": "63da758d-e664-4564-adc5-f4b93be8accd", "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
        "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782", "ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae",
        "crl": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea"}


def table(rows, little=False, end=True):
    head, body, at = b"", b"", 24 * (len(rows) + 1)
    for kind, certificate in rows:
        guid = uuid.UUID(GUID[kind])
        head += (guid.bytes_le if little else guid.bytes) + struct.pack("<II", at + len(body), len(certificate))
        body += certificate
    return head + bytes(24 if end else 0) + body


def text(b):
    return struct.pack("<I", len(b)) + b


def maybe(b):
    return b"\0" if b is None else b"\1" + text(b)


REGISTERS = b"".join(hashlib.sha384(b"register %d" % i).digest() if i in (16, 17) else bytes(48) for i in range(16, 32))
BOUND = dict(nonce=b"nonce", public_key=b"key" * 40, user_data=b"user data", role=None, registers=REGISTERS)


def bind(b):
    key_hash = None if b["public_key"] is None else hashlib.sha384(b["public_key"]).digest()
    return hashlib.sha512(text(b"quorate-evidence-binding-v1") + maybe(b["nonce"]) + maybe(key_hash)
                          + maybe(b["user_data"]) + maybe(b["role"]) + text(b["registers"])).digest()


def container(rep, certificates, b, form=b"quorate-snp-evidence-v1"):
    return (text(form) + text(rep) + text(certificates) + maybe(b["nonce"]) + maybe(b["public_key"])
            + maybe(b["user_data"]) + maybe(b["role"]) + b["registers"])


# ---- cases -----------------------------------------------------------------------------------------------
CASES = []


def save(name, p, evidence, step=None, error=None, at=AT, **claims):
    (OUT / (name + ".bin")).write_bytes(evidence)
    row = {"name": name, "root": "ark_" + p.name.lower(), "at": at}
    if step:
        row.update(step=step, error=error)
    else:
        row.update(product=p.name, tcb=dict(p.tcb, **claims.pop("tcb", {})), **claims)
    CASES.append(row)


def case(name, p, version=3, step=None, error=None, at=AT, bound=None, shown=None, cloud=False, certificates=None,
         leaf=None, ask=None, ark=None, **change):
    """bound: what is signed; shown: what the container says."""
    b = dict(BOUND, **(bound or {}))
    if cloud:
        change.setdefault("key_info", 1 << 2)
        change.setdefault("chip", b"")
    rep = report(p, version, bind(b), **change)
    if certificates is None:
        rows = [("vlek" if cloud else "vcek", leaf or (p.vlek() if cloud else p.vcek())),
                ("ask", ask or (p.asvk if cloud else p.ask)), ("ark", ark or p.ark)]
        certificates = table(rows)
    says = dict(b, **(shown or {}))
    claims = {} if step else dict(vmpl=change.get("vmpl", 0), policy=change.get("policy", 0x30000), cloud=cloud,
                                  nonce=(says["nonce"] or b"").hex(), user_data=(says["user_data"] or b"").hex(),
                                  public_key=(says["public_key"] or b"").hex(), role=(says["role"] or b"").decode())
    save(name, p, container(rep, certificates, says), step, error, at, **claims)


def set_bytes(at, value):
    def edit(r):
        r[at:at + len(value)] = value
    return edit


def good(milan, genoa, turin):
    case("good_milan_v2", milan, 2)
    case("good_milan_v3", milan, 3)
    case("good_genoa_v3", genoa, 3)
    case("good_genoa_bergamo", genoa, 4, model=0xa0)
    case("good_turin_v5", turin, 5)
    case("good_turin_v2", turin, 2)
    case("good_vlek_milan_v3", milan, 3, cloud=True)
    case("good_vlek_genoa_v2", genoa, 2, cloud=True)
    case("good_vlek_turin_v5", turin, 5, cloud=True)
    case("good_hwid_wrapped", milan, leaf=milan.vcek(chip=der(4, milan.chip)))
    case("good_hwid_wrapped_turin", turin, 5, leaf=turin.vcek(chip=der(4, turin.chip)))
    case("good_vmpl_1", milan, vmpl=1)
    case("good_policy_smt_off", milan, policy=0x20000)
    case("good_nothing_bound", milan, bound=dict(nonce=None, public_key=None, user_data=None))
    case("good_empty_user_data", milan, bound=dict(user_data=b"", nonce=b""))
    role = "arn:aws:iam::123456789012:role/test"
    case("good_role", milan, bound=dict(role=role.encode()), host_data=hashlib.sha256(role.encode()).digest())
    rows = [("vcek", milan.vcek()), ("ask", milan.ask), ("ark", milan.ark)]
    case("good_table_little_endian", milan, certificates=table(rows, little=True))
    case("good_table_with_crl", milan, certificates=table([("crl", b"crl")] + rows))
    case("good_first_second", milan, at=T0 - DAY)
    case("good_last_second", milan, at=T0 + 365 * DAY)


def bad_reports(milan, genoa, turin):
    flip = lambda at: lambda r: r.__setitem__(at, r[at] ^ 1)
    case("signature_flipped", milan, step="signature", error="signature: expected", edit=flip(0x2a5))
    case("signature_of_other_bytes", milan, step="signature", error="signature: expected", edit=flip(0x90))
    case("signature_by_other_key", milan, step="signature", error="signature: expected", signer=genoa.key)
    case("signature_r_long", milan, step="parse", error="longer", edit=set_bytes(0x2a0 + 48, b"\1"))
    case("signature_s_long", milan, step="parse", error="longer", edit=set_bytes(0x2e8 + 71, b"\1"))
    case("signature_then_bytes", milan, step="parse", error="zeros after", edit=set_bytes(0x49f, b"\1"))
    case("signature_r_zero", milan, step="signature", error="signature: expected", edit=set_bytes(0x2a0, bytes(48)))
    case("signature_s_is_order", milan, step="signature", error="signature: expected", edit=set_bytes(
        0x2e8, bytes.fromhex("ffffffffffffffffffffffffffffffffffffffffffffffff"
                             "c7634d81f4372ddf581a0db248b0a77aecec196accc52973")[::-1]))
    case("version_1", milan, step="parse", error="version 2 to 5", version=1)
    case("version_6", milan, 5, step="parse", error="version 2 to 5", edit=set_bytes(0, b"\6"))
    case("algorithm_2", milan, step="parse", error="algorithm 2", algorithm=2)
    case("processor_unknown", milan, step="parse", error="family 17h", family=0x17)
    case("debug", milan, step="platform", error="DEBUG", policy=0xb0000)
    case("migration", milan, step="platform", error="migration agent", policy=0x70000)
    case("policy_bit_17", milan, step="platform", error="bit 17", policy=0x10000)
    case("vmpl_4", milan, step="platform", error="VMPL", vmpl=4)
    case("signer_none", milan, step="certificates", error="signing key none", key_info=7 << 2)
    case("signer_unknown", milan, step="certificates", error="found key 2", key_info=2 << 2)
    case("signer_vlek_without_one", milan, step="certificates", error="VLEK certificate, found none", key_info=1 << 2)
    case("tcb_lower", milan, step="platform", error="TCB: expected that of its certificate",
         tcb=milan.tcb_field(dict(milan.tcb, microcode=212)))
    case("tcb_higher", milan, step="platform", error="TCB: expected that of its certificate",
         tcb=milan.tcb_field(dict(milan.tcb, snp=23)))
    case("tcb_bootloader", genoa, step="platform", error="TCB: expected that", tcb=b"\3" + genoa.tcb_field()[1:])
    case("tcb_tee", genoa, step="platform", error="TCB: expected that",
         tcb=genoa.tcb_field(dict(genoa.tcb, tee=1)))
    case("tcb_fmc", turin, 5, step="platform", error="TCB: expected that", tcb=b"\0" + turin.tcb_field()[1:])
    case("tcb_reserved", milan, step="platform", error="expected a Milan one",
         tcb=milan.tcb_field()[:3] + b"\1" + milan.tcb_field()[4:])
    case("tcb_of_milan_on_turin", turin, 5, step="platform", error="TCB", tcb=milan.tcb_field())
    case("chip_other", milan, step="platform", error="chip id", chip=milan.chip[:63] + b"!")
    case("chip_masked", milan, step="platform", error="masked", chip=b"")
    case("chip_turin_with_tail", turin, 5, step="platform", error="chip id", chip=turin.chip + b"\1")
    case("processor_of_genoa", milan, step="platform", error="wrong product", model=0x11)
    case("processor_of_turin", milan, step="platform", error="wrong product", family=0x1a)


def bad_certificates(milan, genoa, turin, other):
    leaf = milan.vcek
    case("vcek_expired", milan, step="validity", error="have expired", leaf=leaf(end=T0))
    case("vcek_not_yet", milan, step="validity", error="not yet valid", leaf=leaf(start=AT + 1))
    case("ask_expired", milan, step="validity", error="have expired",
         ask=issue("SEV-Milan", milan.ask_key, "ARK-Milan", milan.ark_key, ca=True, end=T0))
    case("vcek_by_other_key", milan, step="chain", error="certificate chain", leaf=leaf(issuer_key=other.ask_key))
    case("ask_by_other_key", milan, step="chain", error="certificate chain", ask=other.ask, leaf=leaf(
        issuer_key=other.ask_key))
    case("ark_lookalike", milan, step="root", error="found another", ark=other.ark, ask=other.ask,
         leaf=leaf(issuer_key=other.ask_key))
    case("ark_of_genoa", milan, step="root", error="found another", ark=genoa.ark)
    case("ark_missing", milan, step="root", error="found another",
         certificates=table([("vcek", leaf()), ("ask", milan.ask)]))
    case("ask_missing", milan, step="chain", error="certificate chain",
         certificates=table([("vcek", leaf()), ("ark", milan.ark)]))
    case("ask_is_asvk", milan, step="chain", error="certificate chain", ask=milan.asvk)
    case("vcek_under_asvk", milan, step="certificates", error="expected the issuer SEV-Milan", ask=milan.asvk,
         leaf=leaf(issuer_cn="SEV-VLEK-Milan", issuer_key=milan.asvk_key))
    case("vcek_of_genoa_under_milan", milan, 2, step="certificates", error="wrong product",
         leaf=leaf(product="Genoa"))
    case("vcek_of_genoa", milan, step="chain", error="certificate chain", ask=genoa.ask,
         leaf=leaf(product="Genoa", issuer_cn="SEV-Genoa", issuer_key=genoa.ask_key))
    case("vlek_as_vcek", milan, step="platform", error="signing key", certificates=table(
        [("vcek", milan.vlek()), ("ask", milan.asvk), ("ark", milan.ark)]))
    case("vcek_as_vlek", milan, step="platform", error="signing key", key_info=4, certificates=table(
        [("vlek", leaf()), ("ask", milan.ask), ("ark", milan.ark)]))
    case("vcek_named_vlek", milan, step="certificates", error="expected the name SEV-VCEK", leaf=leaf(cn="SEV-VLEK"))
    case("vcek_pkcs1", milan, step="certificates", error="RSASSA-PSS", leaf=leaf(pkcs1=True))
    case("vcek_sha256", milan, step="certificates", error="RSASSA-PSS", leaf=leaf(pss=("sha256", 32)))
    case("vcek_salt_32", milan, step="certificates", error="RSASSA-PSS", leaf=leaf(pss=("sha384", 32)))
    case("vcek_is_ca", milan, step="certificates", error="found an authority", leaf=leaf(ca=True))
    p256 = ec.derive_private_key(leaf_scalar("p256"), ec.SECP256R1())
    case("vcek_p256", milan, step="certificates", error="P-384", leaf=leaf(key=p256))
    case("vcek_rsa", milan, step="certificates", error="P-384", leaf=leaf(key=milan.ask_key))
    case("vcek_unknown_critical", milan, step="certificates", error="unknown critical extension",
         leaf=leaf(add=[("99", b"\5\0")], critical=("99",)))
    for number, name in (("2", "product"), ("3.1", "bootloader"), ("3.2", "tee"), ("3.3", "snp"), ("3.8", "microcode")):
        case("vcek_without_" + name, milan, step="certificates", error="3704.1." + number, leaf=leaf(drop=(number,)))
    case("vcek_without_hwid", milan, step="certificates", error="found neither", leaf=leaf(drop=("4",)))
    case("vcek_with_cloud", milan, step="certificates", error="found both", leaf=leaf(add=[("5", der(0x16, b"c"))]))
    case("vcek_hwid_63", milan, step="certificates", error="64 bytes", leaf=leaf(chip=milan.chip[:63]))
    case("vcek_hwid_wrapped_63", milan, step="certificates", error="64 bytes", leaf=leaf(chip=der(4, milan.chip[:63])))
    case("vcek_hwid_other", milan, step="platform", error="chip id", leaf=leaf(chip=bytes(range(64))))
    case("vcek_hwid_other_wrapped", milan, step="platform", error="chip id", leaf=leaf(chip=der(4, bytes(range(64)))))
    case("vcek_product_unknown", milan, step="certificates", error="Milan, Genoa or Turin", leaf=leaf(product="Rome"))
    case("vcek_product_empty", milan, step="certificates", error="Milan, Genoa or Turin", leaf=leaf(product="-B0"))
    case("vcek_number_256", milan, step="certificates", error="0 to 255", leaf=leaf(tcb=dict(milan.tcb, snp=256)))
    case("vcek_fmc_on_milan", milan, step="certificates", error="Turin only", leaf=leaf(add=[("3.9", integer(1))]))
    case("vcek_turin_without_fmc", turin, 5, step="certificates", error="3704.1.3.9", leaf=turin.vcek(drop=("3.9",)))
    case("vcek_garbage", milan, step="certificates", error="one DER certificate", leaf=b"garbage")
    case("vcek_trailing", milan, step="certificates", error="one DER certificate", leaf=leaf() + b"\0")
    ask = lambda **change: issue("SEV-Milan", milan.ask_key, "ARK-Milan", milan.ark_key, **dict(dict(ca=True), **change))
    case("ask_not_ca", milan, step="certificates", error="basicConstraints", ask=ask(constraints=False))
    case("ask_key_usage", milan, step="certificates", error="keyCertSign", ask=ask(key_usage=False))
    case("ask_pkcs1", milan, step="certificates", error="RSASSA-PSS", ask=ask(pkcs1=True))
    small = rsa.generate_private_key(65537, 2048)
    case("ask_2048", milan, step="certificates", error="4096", leaf=leaf(issuer_key=small),
         ask=issue("SEV-Milan", small, "ARK-Milan", milan.ark_key, ca=True))
    case("ask_ec", milan, step="certificates", error="4096",
         ask=issue("SEV-Milan", ec.derive_private_key(5, ec.SECP384R1()), "ARK-Milan", milan.ark_key, ca=True))


def bad_containers(milan):
    rows = [("vcek", milan.vcek()), ("ask", milan.ask), ("ark", milan.ark)]
    whole = table(rows)
    case("table_empty", milan, step="root", error="found another", certificates=b"", version=2)
    case("table_without_end", milan, step="parse", error="certificate table", certificates=table(rows, end=False))
    case("table_cut", milan, step="parse", error="certificate table", certificates=whole[:-1])
    case("table_offset", milan, step="parse", error="inside its",
         certificates=whole[:16] + b"\xff\xff\xff\xff" + whole[20:])
    case("table_length", milan, step="parse", error="inside its",
         certificates=whole[:20] + b"\xff\xff\xff\xff" + whole[24:])
    case("table_entry_empty", milan, step="parse", error="inside its", certificates=table([("vcek", b"")] + rows))
    case("table_twice", milan, step="parse", error="twice", certificates=table(rows + rows[:1]))
    case("table_40_entries", milan, step="parse", error="at most 32", certificates=table([("crl", b"x")] * 40))
    case("table_large", milan, step="parse", error="certificate", certificates=whole + bytes(24 << 10))
    case("bound_nonce", milan, step="binding", error="report data", shown=dict(nonce=b"other"))
    case("bound_no_nonce", milan, step="binding", error="report data", shown=dict(nonce=None))
    case("bound_empty_nonce", milan, step="binding", error="report data", bound=dict(nonce=None), shown=dict(nonce=b""))
    case("bound_key", milan, step="binding", error="report data", shown=dict(public_key=b"other"))
    case("bound_user_data", milan, step="binding", error="report data", shown=dict(user_data=b"other"))
    case("bound_shifted", milan, step="binding", error="report data", bound=dict(nonce=b"ab", user_data=b"c"),
         shown=dict(nonce=b"a", user_data=b"bc"))
    case("bound_register", milan, step="binding", error="report data", shown=dict(registers=bytes(768)))
    role = dict(role=b"a role")
    case("bound_role", milan, step="binding", error="report data", shown=role, host_data=hashlib.sha256(
        b"a role").digest())
    case("role_of_other_host_data", milan, step="binding", error="role: expected", bound=role)
    case("role_empty", milan, step="parse", error="role", bound=dict(role=b""))
    case("role_not_text", milan, step="parse", error="role", bound=dict(role=b"\xff"))
    case("public_key_empty", milan, step="parse", error="public key", bound=dict(public_key=b""))
    case("public_key_1025", milan, step="parse", error="publicKey", bound=dict(public_key=bytes(1025)))
    case("nonce_513", milan, step="parse", error="nonce", bound=dict(nonce=bytes(513)))
    case("user_data_513", milan, step="parse", error="userData", bound=dict(user_data=bytes(513)))
    rep = report(milan, 3, bind(BOUND))
    save("report_1183", milan, container(rep[:-1], whole, BOUND), "parse", "1184")
    save("report_1185", milan, container(rep + b"\0", whole, BOUND), "parse", "report")
    save("trailing", milan, container(rep, whole, BOUND) + b"\0", "parse", "SEV-SNP evidence")
    save("registers_short", milan, container(rep, whole, BOUND)[:-1], "parse", "registers")


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    milan, genoa, turin = Product("Milan", 0x19, 1, "Milan-B0"), Product("Genoa", 0x19, 0x11), Product("Turin", 0x1a, 2)
    other = Product("Milan", 0x19, 1)
    for p in (milan, genoa, turin):
        (OUT / f"ark_{p.name.lower()}.der").write_bytes(p.ark)
    # What a test's device signs with and hands out, also to tests that live by the real clock.
    (OUT / "table_milan.bin").write_bytes(table(
        [("vcek", milan.vcek(end=T0 + 3650 * DAY)), ("ask", milan.ask), ("ark", milan.ark)]))
    good(milan, genoa, turin)
    bad_reports(milan, genoa, turin)
    bad_certificates(milan, genoa, turin, other)
    bad_containers(milan)
    (OUT / "cases.json").write_text(json.dumps({
        "at": AT, "registers": REGISTERS.hex(), "measurement": hashlib.sha384(b"image").hexdigest(),
        "keys": {p.name: "%096x" % leaf_scalar(p.name) for p in (milan, turin)},
        "chips": {p.name: p.chip.hex() for p in (milan, turin)}, "cases": CASES}, indent=1) + "\n", encoding="utf-8")
    print(len(CASES), "cases")


main()
