#!/usr/bin/python3
"""Makes tests/vectors/tee: attestation documents, good ones and ones with one defect each.

An independent model of nitro.md section 4: certificates by python3-cryptography, CBOR written by hand so that
it can be wrong on purpose. Signatures are randomised, so every run makes other bytes; the verdicts stay.
Run it with /usr/bin/python3 (Debian's python3-cryptography); it replaces the folder's files.
"""
import base64
import datetime
import hashlib
import json
import pathlib
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

OUT = pathlib.Path(__file__).parent / "tee"
# The extension's OID is 2.25.229233533266012724673119154098365580543, an arc too large for this library: another
# OID of the same length stands in for it until the certificate is signed.
STAND_IN_OID = ObjectIdentifier("1.3.6.1.4.1" + ".1" * 15)
OTHER_OID = ObjectIdentifier("1.3.6.1.4.1.32473.1")
T0 = 1767225600  # 2026-01-01 00:00:00 UTC
AT = T0 + 600
HOUR, DAY = 3600, 86400


# ---- CBOR, by hand ---------------------------------------------------------------------------------------
def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, size, form in ((24, 1, ">B"), (25, 2, ">H"), (26, 4, ">I"), (27, 8, ">Q")):
        if n < 1 << (8 * size):
            return bytes([major << 5 | info]) + struct.pack(form, n)
    raise ValueError(n)


def uint(n):
    return head(0, n)


def bstr(b):
    return head(2, len(b)) + b


def text(s):
    return head(3, len(s.encode())) + s.encode()


def array(items):
    return head(4, len(items)) + b"".join(items)


def cmap(pairs, indefinite=False):
    body = b"".join(k + v for k, v in pairs)
    return b"\xbf" + body + b"\xff" if indefinite else head(5, len(pairs)) + body


NULL = b"\xf6"
ES384 = bytes.fromhex("a1013822")


# ---- certificates ----------------------------------------------------------------------------------------
def key_of(label, curve=None):
    curve = curve or ec.SECP384R1()
    scalar = int.from_bytes(hashlib.sha256(("quorate " + label).encode()).digest(), "big")
    return ec.derive_private_key(scalar, curve)


def when(seconds):
    return datetime.datetime.utcfromtimestamp(seconds)


def name(cn):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Quorate test"),
                      x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def usage(*names):
    flags = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    flags.update(dict.fromkeys(names, True))
    return x509.KeyUsage(**flags)


CA_USAGE = usage("digital_signature", "key_cert_sign", "crl_sign")
LEAF_USAGE = usage("digital_signature", "content_commitment")


class Cert:
    """What one certificate says; issue() turns it into DER."""

    def __init__(self, cn, start, end, ca, pathlen=None, **change):
        self.cn, self.start, self.end, self.ca, self.pathlen = cn, start, end, ca, pathlen
        self.key = key_of(cn)
        self.usage = CA_USAGE if ca else LEAF_USAGE
        self.constraints = self.constraints_critical = True
        self.extra = []  # (extension, critical)
        self.hash = hashes.SHA384()
        self.issuer_name = None
        self.edit = None  # from DER of the to-be-signed part to another
        self.__dict__.update(change)

    def issue(self, issuer):
        builder = (x509.CertificateBuilder().subject_name(name(self.cn))
                   .issuer_name(name(self.issuer_name or issuer.cn)).public_key(self.key.public_key())
                   .serial_number(int.from_bytes(hashlib.sha256(self.cn.encode()).digest()[:15], "big") | 1)
                   .not_valid_before(when(self.start)).not_valid_after(when(self.end)))
        if self.constraints:
            builder = builder.add_extension(x509.BasicConstraints(self.ca, self.pathlen),
                                            self.constraints_critical)
        if self.usage:
            builder = builder.add_extension(self.usage, self.ca)
        for extension, critical in self.extra:
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(issuer.key, self.hash)
        der = certificate.public_bytes(serialization.Encoding.DER)
        if self.edit is None and SIMULATED not in self.extra:
            return der
        tbs = (self.edit or (lambda same: same))(certificate.tbs_certificate_bytes)
        return resign(tbs.replace(STAND_IN, simulated_oid()), der, issuer.key)


def der_item(b):
    """Splits the first DER item off: tag, contents, rest."""
    n, at = b[1], 2
    if n & 0x80:
        at = 2 + (n & 0x7f)
        n = int.from_bytes(b[2:at], "big")
    return b[0], b[at:at + n], b[at + n:]


def der_write(tag, body):
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x82]) + struct.pack(">H", n)
    return bytes([tag]) + length + body


def der_items(b):
    while b:
        tag, body, b = der_item(b)
        yield tag, body


def resign(tbs, der, key):
    parts = list(der_items(der_item(der)[1]))
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA384()))
    return der_write(0x30, tbs + der_write(*parts[1]) + der_write(0x03, b"\0" + signature))


def as_version_1(tbs):
    items = [i for i in der_items(der_item(tbs)[1]) if i[0] not in (0xa0, 0xa3)]
    return der_write(0x30, b"".join(der_write(*i) for i in items))


def with_compressed_key(tbs):
    items = list(der_items(der_item(tbs)[1]))
    algorithm, (_, bits) = list(der_items(items[6][1]))
    point = bits[1:]
    short = bytes([2 + (point[-1] & 1)]) + point[1:49]
    items[6] = (0x30, der_write(*algorithm) + der_write(0x03, b"\0" + short))
    return der_write(0x30, b"".join(der_write(*i) for i in items))


def with_extension_twice(tbs):
    items = list(der_items(der_item(tbs)[1]))
    extensions = der_item(items[-1][1])[1]
    first = der_write(*next(der_items(extensions)))
    items[-1] = (0xa3, der_write(0x30, extensions + first))
    return der_write(0x30, b"".join(der_write(*i) for i in items))


STAND_IN = bytes.fromhex("2b06010401") + b"\x01" * 15


def simulated_oid():
    """Contents of the OID 2.25.N: 105, then N in base 128."""
    n, out = 229233533266012724673119154098365580543, []
    while n:
        out.append(n & 0x7f | (0x80 if out else 0))
        n >>= 7
    return bytes([105] + out[::-1])


SIMULATED = (x509.UnrecognizedExtension(STAND_IN_OID, b"\x0c\x09SIMULATED"), True)
UNKNOWN_CRITICAL = (x509.UnrecognizedExtension(OTHER_OID, b"\x05\x00"), True)
UNKNOWN = (x509.UnrecognizedExtension(OTHER_OID, b"\x05\x00"), False)
CLIENT_ONLY = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
SERVER = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)


def chain(**changes):
    """Root, three authorities and leaf as AWS has them; changes: name of a certificate -> attributes."""
    certs = {
        "root": Cert("test root", T0 - 5 * 365 * DAY, T0 + 20 * 365 * DAY, True, extra=[SIMULATED]),
        "regional": Cert("test regional", T0 - 5 * DAY, T0 + 15 * DAY, True, 2),
        "zonal": Cert("test zonal", T0 - 2 * DAY, T0 + 4 * DAY, True, 1),
        "instance": Cert("test instance", T0 - 6 * HOUR, T0 + 18 * HOUR, True, 0),
        "leaf": Cert("test leaf", T0 - 3, T0 + 3 * HOUR, False),
    }
    for which, change in changes.items():
        certs[which].__dict__.update(change)
    order = list(certs.values())
    root = certs["root"].issue(certs["root"]) if "root" in changes else the_root(certs["root"])
    return [root] + [c.issue(above) for above, c in zip(order, order[1:])], certs["leaf"].key


ROOTS = {}  # common name -> DER


def the_root(root):
    """The same bytes in every chain, although signatures are randomised."""
    if root.cn not in ROOTS:
        ROOTS[root.cn] = root.issue(root)
    return ROOTS[root.cn]


# ---- documents -------------------------------------------------------------------------------------------
def registers(n=16):
    out = {i: bytes(48) for i in range(n)}
    for i in (0, 1, 2, 3, 4):
        out[i] = hashlib.sha384(b"register %d" % i).digest()
    return out


def fields(ders, **change):
    """The payload's entries as (key, encoded value), in AWS's order; a change of None drops the key."""
    out = {
        "module_id": text("i-0123456789abcdef0-enc0123456789abcdef"),
        "digest": text("SHA384"),
        "timestamp": uint(T0 * 1000 + 123),
        "pcrs": pcr_map(registers()),
        "certificate": bstr(ders[-1]),
        "cabundle": array([bstr(d) for d in ders[:-1]]),
        "public_key": bstr(b"\x04" + bytes(range(64))),
        "user_data": bstr(hashlib.sha256(b"user data").digest()),
        "nonce": NULL,
    }
    out.update(change)
    return [(text(k), v) for k, v in out.items() if v is not None]


def pcr_map(values, indefinite=False):
    return cmap([(uint(i), bstr(v)) for i, v in values.items()], indefinite)


def sign(key, payload, protected=ES384, hash_=None):
    tbs = array([text("Signature1"), bstr(protected), bstr(b""), bstr(payload)])
    r, s = decode_dss_signature(key.sign(tbs, ec.ECDSA(hash_ or hashes.SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def cose(key, payload, protected=ES384, unprotected=b"\xa0", prefix=b"\x84", signature=None, end=b"", hash_=None):
    signature = sign(key, payload, protected, hash_) if signature is None else signature
    return prefix + bstr(protected) + unprotected + bstr(payload) + bstr(signature) + end


CASES = []


def case(file, document, verdict, error=None, at=AT, root="root.der", **claims):
    (OUT / (file + ".cose")).write_bytes(document)
    entry = {"name": file, "root": root, "at": at, "verdict": verdict}
    if error:
        entry["error"] = error
    if claims:
        entry["claims"] = claims
    CASES.append(entry)


def accepted(file, document, **claims):
    case(file, document, "accept", **{"not_before": T0 - 3, "not_after": T0 + 3 * HOUR, "debug": False, **claims})


def refused(file, document, error, **more):
    case(file, document, "refuse", error, **more)


def good_documents(ders, key):
    f = fields(ders)
    payload = cmap(f)
    accepted("good", cose(key, payload), registers=16, timestamp=T0 * 1000 + 123)
    accepted("good_tagged", cose(key, payload, prefix=b"\xd2\x84"))
    accepted("good_indefinite", cose(key, cmap(f, True)))
    accepted("good_indefinite_registers", cose(key, cmap(fields(ders, pcrs=pcr_map(registers(), True)))))
    accepted("good_other_order", cose(key, cmap(f[::-1])))
    accepted("good_unknown_key", cose(key, cmap(f + [(text("later"), array([uint(1), NULL, cmap([])]))])))
    accepted("good_optional_absent", cose(key, cmap(fields(ders, public_key=None, user_data=None, nonce=None))))
    accepted("good_optional_null", cose(key, cmap(fields(ders, public_key=NULL, user_data=NULL))))
    accepted("good_empty_nonce", cose(key, cmap(fields(ders, user_data=bstr(b""), nonce=bstr(b"")))), nonce=0)
    accepted("good_largest_fields", cose(key, cmap(fields(ders, public_key=bstr(bytes(1024)),
                                                          user_data=bstr(bytes(512)), nonce=bstr(bytes(512))))))
    accepted("good_unprotected", cose(key, payload, unprotected=cmap([(uint(4), bstr(b"11"))])))
    accepted("good_32_registers", cose(key, cmap(fields(ders, pcrs=pcr_map(registers(32))))), registers=32)
    quirk = {**registers(31), 32: bytes(48)}
    accepted("good_index_32", cose(key, cmap(fields(ders, pcrs=pcr_map(quirk)))), registers=32)
    mixed = {0: b"\1" * 48, 1: bytes(32), 2: bytes(64)}
    accepted("good_other_lengths", cose(key, cmap(fields(ders, pcrs=pcr_map(mixed)))), registers=3)
    zero = {i: bytes(48) for i in range(16)}
    accepted("good_debug", cose(key, cmap(fields(ders, pcrs=pcr_map(zero)))), debug=True)


def committed_document(ders, key):
    manifest_hash = hashlib.sha256(b"manifest").digest()
    setup, live = b"\x04" + b"\x51" * 129, b"\x04" + b"\x11" * 129
    values = registers(32)
    for index, which, public in ((16, "setup", setup), (17, "live", live)):
        preimage = json.dumps({"domain": "qos-%s-manifest-pcr-commitment-v1" % which,
                               "ephemeralPublicKey": public.hex(), "manifestHash": manifest_hash.hex()},
                              separators=(",", ":"), sort_keys=True).encode()
        values[index] = hashlib.sha384(bytes(48) + hashlib.sha384(preimage).digest()).digest()
    for file, public in (("committed_setup", setup), ("committed_live", live)):
        payload = cmap(fields(ders, pcrs=pcr_map(values), public_key=bstr(public), user_data=bstr(manifest_hash)))
        accepted(file, cose(key, payload), registers=32)


def bad_certificates():
    def one(file, error, signer=None, **changes):
        ders, key = chain(**changes)
        hash_ = hashes.SHA384()
        refused(file, cose(signer or key, cmap(fields(ders)), hash_=hash_), error)

    p256 = key_of("p256 leaf", ec.SECP256R1())
    one("leaf_is_ca", "basicConstraints", leaf={"ca": True})
    one("leaf_with_path_length", "certificate:", leaf={"edit": leaf_with_pathlen})
    one("leaf_without_constraints", "basicConstraints", leaf={"constraints": False})
    one("intermediate_not_ca", "basicConstraints", zonal={"ca": False, "pathlen": None, "usage": CA_USAGE})
    one("intermediate_constraints_not_critical", "basicConstraints", zonal={"constraints_critical": False})
    one("path_length_violated", "path length", zonal={"pathlen": 0})
    one("leaf_key_usage", "keyUsage", leaf={"usage": usage("key_agreement")})
    one("leaf_without_key_usage", "keyUsage", leaf={"usage": None})
    one("intermediate_key_usage", "keyUsage", instance={"usage": usage("digital_signature")})
    one("leaf_unknown_critical", "critical extension", leaf={"extra": [UNKNOWN_CRITICAL]})
    one("intermediate_unknown_critical", "critical extension", zonal={"extra": [UNKNOWN_CRITICAL]})
    one("leaf_simulated_extension", "critical extension", leaf={"extra": [SIMULATED]})
    one("leaf_client_only", "extendedKeyUsage", leaf={"extra": [CLIENT_ONLY]})
    one("leaf_p256", "P-384", leaf={"key": p256})
    one("intermediate_sha256", "ecdsa-with-SHA384", instance={"hash": hashes.SHA256()})
    one("leaf_sha512", "ecdsa-with-SHA384", leaf={"hash": hashes.SHA512()})
    one("leaf_version_1", "version 3", leaf={"edit": as_version_1})
    one("leaf_compressed_key", "uncompressed", leaf={"edit": with_compressed_key})
    one("leaf_extension_twice", "extensions", leaf={"edit": with_extension_twice})
    one("issuer_name", "certificate chain", leaf={"issuer_name": "test elsewhere"})
    one("leaf_by_other_key", "signature", signer=key_of("somebody else"))
    ders, key = chain(leaf={"extra": [SERVER, UNKNOWN]})
    accepted("good_server_auth", cose(key, cmap(fields(ders))))
    # A leaf that claims the right issuer but was signed by another key.
    real, _ = chain()
    fake, key = chain(instance={"key": key_of("impostor")})
    refused("impostor_instance", cose(key, cmap(fields(real[:4] + fake[4:]))), "certificate chain")


def leaf_with_pathlen(tbs):
    items = list(der_items(der_item(tbs)[1]))
    out = []
    for tag, body in der_items(der_item(items[-1][1])[1]):
        if bytes.fromhex("0603551d13") in body:  # CA:FALSE, pathlen 0
            body = bytes.fromhex("0603551d130101ff0405") + bytes.fromhex("3003020100")
        out.append(der_write(tag, body))
    items[-1] = (0xa3, der_write(0x30, b"".join(out)))
    return der_write(0x30, b"".join(der_write(*i) for i in items))


def bad_roots(ders, key):
    good = cose(key, cmap(fields(ders)))
    refused("trusted_root_is_another", good, "cabundle[0]", root="plain_root.der")
    fake, fake_key = chain(root={"key": key_of("lookalike")})
    refused("lookalike_root", cose(fake_key, cmap(fields(fake))), "cabundle[0]")
    # The trusted root is shown, but the chain below it leads to the lookalike.
    refused("lookalike_behind_root", cose(fake_key, cmap(fields(ders[:1] + fake[1:]))), "certificate chain")
    refused("lookalike_as_intermediate", cose(fake_key, cmap(fields(ders[:1] + fake))), "critical extension")
    fake, fake_key = chain(root={"key": key_of("lookalike"), "extra": []})
    refused("plain_lookalike_as_intermediate", cose(fake_key, cmap(fields(ders[:1] + fake))), "certificate chain")
    refused("missing_intermediate", cose(key, cmap(fields(ders[:2] + ders[3:]))), "certificate chain")
    refused("root_only", cose(key, cmap(fields([ders[0], ders[4]]))), "certificate chain")
    refused("certificate_trailing", cose(key, cmap(fields(ders[:4] + [ders[4] + b"\0"]))), "certificate")
    refused("certificate_garbage", cose(key, cmap(fields(ders[:4] + [bytes(64)]))), "certificate")
    refused("intermediate_garbage", cose(key, cmap(fields(ders[:2] + [bytes(64)] + ders[3:]))), "cabundle[2]")


def bad_times(ders, key):
    good = cose(key, cmap(fields(ders)))
    hint = "--validation-time-override %d" % T0
    refused("expired", good, "expired", at=T0 + 3 * HOUR + 1)
    refused("expired_hint", good, hint, at=T0 + 365 * DAY)
    refused("not_yet_valid", good, "not yet valid", at=T0 - 4)
    refused("before_1970", good, hint, at=-1)
    for edge, at in (("first_second", T0 - 3), ("last_second", T0 + 3 * HOUR)):
        case("good_" + edge, good, "accept", at=at)
    ders, key = chain(zonal={"end": T0 + 60})
    refused("intermediate_expired", cose(key, cmap(fields(ders))), "expired")


def bad_payloads(ders, key):
    def one(file, error, **change):
        refused(file, cose(key, cmap(fields(ders, **change))), error)

    f = fields(ders)
    many = {i: bytes(48) for i in range(33)}
    one("digest_sha256", "digest", digest=text("SHA256"))
    one("registers_none", "pcrs", pcrs=cmap([]))
    one("registers_33", "pcrs", pcrs=pcr_map(many))
    one("register_index_33", "pcrs", pcrs=pcr_map({33: bytes(48)}))
    one("register_47_bytes", "pcrs", pcrs=pcr_map({0: bytes(47)}))
    one("register_65_bytes", "pcrs", pcrs=pcr_map({0: bytes(65)}))
    one("register_twice", "twice", pcrs=cmap([(uint(1), bstr(bytes(48)))] * 2))
    one("register_index_text", "pcrs", pcrs=cmap([(text("1"), bstr(bytes(48)))]))
    one("timestamp_0", "timestamp", timestamp=uint(0))
    one("timestamp_huge", "timestamp", timestamp=uint(2**64 - 1))
    one("timestamp_text", "timestamp", timestamp=text("now"))
    one("module_id_empty", "module_id", module_id=text(""))
    one("module_id_null", "module_id", module_id=NULL)
    one("module_id_bytes", "module_id", module_id=bstr(b"i-0"))
    one("nonce_513", "nonce", nonce=bstr(bytes(513)))
    one("user_data_513", "user_data", user_data=bstr(bytes(513)))
    one("public_key_1025", "public_key", public_key=bstr(bytes(1025)))
    one("public_key_empty", "public_key", public_key=bstr(b""))
    one("nonce_text", "nonce", nonce=text("n"))
    one("nonce_indefinite", "nonce", nonce=b"\x5f\x41\x01\xff")
    one("nonce_float", "nonce", nonce=bytes.fromhex("fb3ff0000000000000"))
    one("nonce_undefined", "nonce", nonce=b"\xf7")
    one("certificate_null", "certificate", certificate=NULL)
    one("certificate_empty", "certificate", certificate=bstr(b""))
    one("certificate_1025", "certificate", certificate=bstr(bytes(1025)))
    one("cabundle_empty", "cabundle", cabundle=array([]))
    one("cabundle_9", "cabundle", cabundle=array([bstr(ders[0])] * 9))
    one("cabundle_entry_empty", "cabundle", cabundle=array([bstr(ders[0]), bstr(b"")]))
    for missing in ("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"):
        one("missing_" + missing, missing, **{missing: None})
    refused("key_twice", cose(key, cmap(f + [f[0]])), "twice")
    refused("unknown_key_twice", cose(key, cmap(f + [(text("x"), uint(1))] * 2)), "twice")
    refused("key_not_text", cose(key, cmap(f + [(uint(1), uint(1))])), "key")
    refused("unknown_float", cose(key, cmap(f + [(text("x"), bytes.fromhex("f93c00"))])), "")
    refused("unknown_deep", cose(key, cmap(f + [(text("x"), b"\x81" * 12 + b"\x00")])), "")
    refused("unknown_many", cose(key, cmap(f + [(text("x%d" % i), NULL) for i in range(17)])), "unknown")
    refused("payload_trailing", cose(key, cmap(f) + b"\0"), "payload")
    refused("payload_too_short", cose(key, cmap(f)[:-1]), "")
    refused("payload_count_too_large", cose(key, b"\xaa" + cmap(f)[1:]), "")
    refused("payload_without_end", cose(key, cmap(f, True)[:-1]), "")
    refused("payload_array", cose(key, array([uint(1)])), "payload")
    refused("payload_empty", cose(key, b""), "payload")
    refused("payload_16385", cose(key, bytes(16385)), "payload")


def bad_envelopes(ders, key):
    payload = cmap(fields(ders))
    good = cose(key, payload)
    signature = sign(key, payload)
    es256 = bytes.fromhex("a10126")
    refused("trailing", good + b"\0", "")
    refused("truncated", good[:-1], "")
    refused("protected_empty", cose(key, payload, protected=b""), "protected header")
    refused("protected_es256", cose(key, payload, protected=es256), "protected header")
    refused("protected_es256_in_4_bytes", cose(key, payload, protected=bytes.fromhex("a1011826")), "ES384")
    refused("protected_second_entry", cose(key, payload, protected=bytes.fromhex("a2013822044161")),
            "protected header")
    refused("protected_long_form", cose(key, payload, protected=bytes.fromhex("a101390022")), "protected header")
    refused("unprotected_array", cose(key, payload, unprotected=b"\x80"), "unprotected header")
    refused("unprotected_float", cose(key, payload, unprotected=bytes.fromhex("a104f93c00")), "unprotected header")
    refused("tag_17", cose(key, payload, prefix=b"\xd1\x84"), "tag")
    refused("tag_twice", cose(key, payload, prefix=b"\xd2\xd2\x84"), "array")
    refused("array_of_5", cose(key, payload, prefix=b"\x85", end=NULL), "array")
    refused("array_indefinite", cose(key, payload, prefix=b"\x9f", end=b"\xff"), "array")
    refused("payload_detached", b"\x84" + bstr(ES384) + b"\xa0" + NULL + bstr(signature), "payload")
    refused("signature_95", cose(key, payload, signature=signature[:-1]), "signature")
    refused("signature_97", cose(key, payload, signature=signature + b"\0"), "signature")
    refused("signature_zero", cose(key, payload, signature=bytes(96)), "signature")
    refused("signature_of_other_payload", cose(key, payload, signature=sign(key, payload + b"\0")), "signature")
    refused("signature_sha256", cose(key, payload, hash_=hashes.SHA256()), "signature")
    refused("too_large", bytes(32769), "32768")
    refused("empty", b"", "")


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.glob("*"):
        old.unlink()
    ders, key = chain()
    # The same root without the extension is another certificate with the same key and name.
    plain = chain(root={"extra": []})[0][0]
    (OUT / "root.der").write_bytes(ders[0])
    (OUT / "plain_root.der").write_bytes(plain)
    (OUT / "root.pem").write_text("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(ders[0]).decode()
                                  + "-----END CERTIFICATE-----\n")
    (OUT / "leaf.der").write_bytes(ders[4])
    (OUT / "unknown_critical_root.der").write_bytes(chain(root={"extra": [SIMULATED, UNKNOWN_CRITICAL]})[0][0])
    good_documents(ders, key)
    committed_document(ders, key)
    bad_certificates()
    bad_roots(ders, key)
    bad_times(ders, key)
    bad_payloads(ders, key)
    bad_envelopes(ders, key)
    (OUT / "cases.json").write_text(json.dumps(CASES, indent=1) + "\n")


if __name__ == "__main__":
    main()
