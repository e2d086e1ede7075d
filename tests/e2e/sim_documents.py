"""Attestation documents that a genuine enclave would never give out, signed with the keys of a simulated TEE's
folder: changed registers, other times, other certificates."""
import datetime
import time
from pathlib import Path

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

HOUR = 3600


def payload_of(document):
    return cbor2.loads(cbor2.loads(document)[2])


def _private(path):
    return ec.derive_private_key(int(Path(path).read_text().strip(), 16), ec.SECP384R1())


def _signature(key, message, size=48):
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class Forge:
    """Signs what it is told to, with the leaf of a simulated TEE or one that it issues from its intermediate."""

    def __init__(self, sim):
        self.sim = Path(sim)
        self.leaf_key = _private(self.sim / "leaf_p384_secret.hex")
        self.intermediate_key = _private(self.sim / "intermediate_p384_secret.hex")

    def _leaf(self, begin, end):
        """The DER of a leaf for the same key, valid from begin to end (seconds from now)."""
        issuer = x509.load_der_x509_certificate((self.sim / "intermediate.der").read_bytes())
        now = datetime.datetime.utcnow().replace(microsecond=0)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")])
        usage = {n: False for n in ("content_commitment", "key_encipherment", "data_encipherment",
                                    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
                                    "decipher_only")}
        return (x509.CertificateBuilder().subject_name(name).issuer_name(issuer.subject)
                .public_key(self.leaf_key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now + datetime.timedelta(seconds=begin))
                .not_valid_after(now + datetime.timedelta(seconds=end))
                .add_extension(x509.BasicConstraints(False, None), True)
                .add_extension(x509.KeyUsage(digital_signature=True, **usage), True)
                .sign(self.intermediate_key, hashes.SHA384()).public_bytes(Encoding.DER))

    def sign(self, payload):
        protected = cbor2.dumps({1: -35})
        body = cbor2.dumps(payload)
        covered = cbor2.dumps(["Signature1", protected, b"", body])
        return cbor2.dumps([protected, {}, body, _signature(self.leaf_key, covered)])

    def changed(self, document, valid=None, registers=None, **fields):
        """The document with other fields, registers {index: bytes}, or a leaf valid in that time, signed again."""
        payload = payload_of(document)
        payload["pcrs"] = {**payload["pcrs"], **(registers or {})}
        payload.update(fields)
        if valid:
            payload["certificate"] = self._leaf(*valid)
            payload["timestamp"] = int((time.time() + sum(valid) / 2) * 1000)
        return self.sign(payload)

    def as_own(self, document):
        """The same claims under the certificates of this TEE."""
        chain = [(self.sim / name).read_bytes() for name in ("root.der", "intermediate.der")]
        return self.changed(document, cabundle=chain,
                            certificate=(self.sim / "leaf.der").read_bytes())
