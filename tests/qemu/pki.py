"""A PKI that signs as the security module of a test machine: root (marked as simulated, critically, so that no client
takes it unless it is named), intermediate and leaf, in the shape of AWS's own (nitro 4)."""
import datetime
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

# OpenSSL makes the root: python3-cryptography takes no number as large as the one that marks it.
ROOT_CONFIG = """[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = test root
[extensions]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
keyUsage = critical,digitalSignature,keyCertSign,cRLSign
"""
MARK = "2.25.229233533266012724673119154098365580543 = critical,DER:0c0953494d554c41544544\n"
ROOT_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
          "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def _usage(*names):
    return x509.KeyUsage(**{name: name in names for name in USAGES})


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _root(folder, key, marked):
    (folder / "root.cnf").write_text(ROOT_CONFIG + (MARK if marked else ""))
    (folder / "root.pem").write_bytes(_pem(key))
    subprocess.run(["openssl", "req", "-x509", "-new", "-sha384", "-days", "30", "-config", folder / "root.cnf",
                    "-key", folder / "root.pem", "-outform", "DER", "-out", folder / "root.der"],
                   check=True, capture_output=True)


def _issue(name, key, issuer, issuer_key, constraints, usage):
    now = datetime.datetime.utcnow().replace(microsecond=0)
    return (x509.CertificateBuilder().issuer_name(issuer).public_key(key.public_key())
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(constraints, True).add_extension(usage, True)
            .sign(issuer_key, hashes.SHA384()))


def make_pki(folder, marked=True):
    """Fills a folder with what the module reads (root.der, intermediate.der, leaf.der, leaf.pem) and the keys, as the
    folder of a simulated TEE has them."""
    folder.mkdir()
    keys = {name: ec.generate_private_key(ec.SECP384R1()) for name in ("root", "intermediate", "leaf")}
    _root(folder, keys["root"], marked)
    middle = _issue("test intermediate", keys["intermediate"], ROOT_NAME, keys["root"],
                    x509.BasicConstraints(True, 0), _usage("digital_signature", "key_cert_sign", "crl_sign"))
    leaf = _issue("test leaf", keys["leaf"], middle.subject, keys["intermediate"],
                  x509.BasicConstraints(False, None), _usage("digital_signature"))
    for name, certificate in (("intermediate", middle), ("leaf", leaf)):
        (folder / f"{name}.der").write_bytes(certificate.public_bytes(Encoding.DER))
    for name, key in keys.items():
        (folder / f"{name}_p384_secret.hex").write_text(f"{key.private_numbers().private_value:096x}")
    (folder / "leaf.pem").write_bytes(_pem(keys["leaf"]))
    return folder
