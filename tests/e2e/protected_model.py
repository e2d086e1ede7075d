"""An independent model of protected files (docs/formats.md): Argon2id by libgcrypt, XChaCha20-Poly1305 from
python3-cryptography's ChaCha20 pieces. Both are checked against published vectors when this is imported."""

import ctypes
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

GCRY_KDF_ARGON2, GCRY_KDF_ARGON2ID = 64, 2

_gcrypt = ctypes.CDLL("libgcrypt.so.20")
_gcrypt.gcry_check_version.restype = ctypes.c_char_p
_gcrypt.gcry_check_version(None)


def _sized(data):
    return data, ctypes.c_size_t(len(data))


def argon2id(password, salt, passes, kib, size=32, lanes=1, key=b"", data=b""):
    handle = ctypes.c_void_p()
    numbers = (ctypes.c_ulong * 4)(size, passes, kib, lanes)
    assert _gcrypt.gcry_kdf_open(ctypes.byref(handle), GCRY_KDF_ARGON2, GCRY_KDF_ARGON2ID, numbers, 4,
                                 *_sized(password), *_sized(salt), *_sized(key), *_sized(data)) == 0
    out = ctypes.create_string_buffer(size)
    try:
        assert _gcrypt.gcry_kdf_compute(handle, None) == 0
        assert _gcrypt.gcry_kdf_final(handle, ctypes.c_size_t(size), out) == 0
    finally:
        _gcrypt.gcry_kdf_close(handle)
    return out.raw


def hchacha20(key, nonce):
    """The ChaCha20 block without its last addition, of which the outer words are the new key."""
    block = Cipher(algorithms.ChaCha20(key, nonce), None).encryptor().update(bytes(64))
    start = struct.unpack("<16I", b"expand 32-byte k" + key + nonce)
    words = [(a - b) & 0xFFFFFFFF for a, b in zip(struct.unpack("<16I", block), start)]
    return struct.pack("<8I", *words[:4], *words[12:])


# RFC 9106, 5.3; draft-irtf-cfrg-xchacha, 2.2.1.
assert argon2id(b"\1" * 32, b"\2" * 16, 3, 32, 32, 4, b"\3" * 8, b"\4" * 12).hex() == (
    "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
assert hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")).hex() == (
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")


def _cipher(passphrase, salt, kib, passes, nonce):
    key = argon2id(passphrase, salt, passes, kib)
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def protect(contents, passphrase, salt, nonce, kib=65536, passes=3):
    header = (f"quorate-protected-v1 argon2id m={kib} t={passes} p=1 salt={salt.hex()} "
              f"nonce={nonce.hex()} ").encode()
    cipher, short = _cipher(passphrase, salt, kib, passes, nonce)
    return header + b"box=" + cipher.encrypt(short, contents, header).hex().encode() + b"\n"


def opened(file, passphrase):
    """The contents; InvalidTag with a wrong passphrase."""
    header, box = file.split(b"box=")
    version, kdf, *words = header.decode().split()
    assert (version, kdf) == ("quorate-protected-v1", "argon2id")
    fields = dict(word.split("=") for word in words)
    assert list(fields) == ["m", "t", "p", "salt", "nonce"] and fields["p"] == "1"
    salt, nonce = bytes.fromhex(fields["salt"]), bytes.fromhex(fields["nonce"])
    cipher, short = _cipher(passphrase, salt, int(fields["m"]), int(fields["t"]), nonce)
    return cipher.decrypt(short, bytes.fromhex(box.decode().strip()), header)
