"""A YubiKey's PIV application in Python (NIST SP 800-73-4 and Yubico's extensions), behind fake_pcsc.c.

It is written from the standard and python3-cryptography, not from a YubiKey: what it proves is that our commands
and the real libykpiv and ykcs11 agree about the protocol, not how a device behaves."""
import os
import socketserver
import struct
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from machine import BUILD

CURVE = ec.SECP256R1()
SHIM = BUILD / "tests" / "e2e" / "libpcsclite.so.1"
YKCS11 = Path("/usr/lib/x86_64-linux-gnu/libykcs11.so.2")
FACTORY_PIN, FACTORY_PUK = b"123456", b"12345678"
FACTORY_KEY = bytes.fromhex("010203040506070801020304050607080102030405060708")
TDES, AES128, AES192, AES256 = 0x03, 0x08, 0x0A, 0x0C
SIGNATURE, MANAGEMENT = 0x9C, 0x9D
CERTIFICATE = {SIGNATURE: 0x5FC10A, MANAGEMENT: 0x5FC10B}

OK, WRONG_DATA, NOT_FOUND, NO_REFERENCE = 0x9000, 0x6A80, 0x6A82, 0x6A88
NOT_ALLOWED, BLOCKED, CONDITIONS, UNKNOWN = 0x6982, 0x6983, 0x6985, 0x6D00


class Status(Exception):
    pass


def tlv(tag, value):
    n = len(value)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + n.to_bytes(2, "big")
    return (bytes([tag]) if isinstance(tag, int) else tag) + length + value


def parse(data):
    """{tag: value} of one-byte tags."""
    found, at = {}, 0
    while at < len(data):
        tag, n, at = data[at], data[at + 1], at + 2
        if n & 0x80:
            size = n & 0x7F
            n, at = int.from_bytes(data[at:at + size], "big"), at + size
        found[tag] = data[at:at + n]
        at += n
    return found


def point(private):
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Slot:
    def __init__(self, private, pin_policy, touch_policy, origin):
        self.private, self.pin_policy, self.touch_policy, self.origin = private, pin_policy, touch_policy, origin


class Card:
    """One YubiKey; firmware (5, 7, 0) and above has an AES management key from the factory."""

    def __init__(self, firmware=(5, 7, 1), lies=()):
        self.firmware, self.lies = firmware, set(lies)
        self.serial = 12345678
        self.touches = 0
        self.resets = 0
        self.factory()

    def factory(self):
        self.secret = {0x80: FACTORY_PIN, 0x81: FACTORY_PUK}
        self.tries = {0x80: 3, 0x81: 3}
        self.management, self.algorithm = FACTORY_KEY, AES192 if self.firmware >= (5, 7, 0) else TDES
        self.slots, self.objects = {}, {}
        self.connect()

    def connect(self):
        self.verified = self.fresh = self.authenticated = False
        self.challenge = None
        self.chained, self.waiting = b"", b""

    def transmit(self, apdu):
        cla, ins, p1, p2 = apdu[:4]
        data = apdu[5:5 + apdu[4]] if len(apdu) > 5 else b""
        if ins == 0xC0:
            return self.reply(self.waiting)
        self.chained += data
        if cla & 0x10:
            return struct.pack(">H", OK)
        data, self.chained = self.chained, b""
        fresh, self.fresh = self.fresh, False
        try:
            return self.reply(self.command(ins, p1, p2, data, fresh))
        except Status as status:
            return struct.pack(">H", status.args[0])

    def reply(self, data):
        self.waiting = data[256:]
        rest = min(len(self.waiting), 255)
        return data[:256] + struct.pack(">H", 0x6100 | rest if self.waiting else OK)

    def command(self, ins, p1, p2, data, fresh):
        simple = {0xA4: self.select, 0xFD: lambda *_: bytes(self.firmware), 0x20: self.verify, 0x24: self.change,
                  0x2C: self.unblock, 0xCB: self.get_data, 0xDB: self.put_data, 0x47: self.generate,
                  0xFE: self.import_key, 0xFB: self.reset, 0xF7: self.metadata,
                  0xF8: lambda *_: struct.pack(">I", self.serial)}
        if ins == 0x87:
            return self.authenticate(p1, p2, data, fresh)
        if ins not in simple:
            raise Status(UNKNOWN)
        return simple[ins](p1, p2, data)

    def select(self, p1, p2, data):
        if not bytes.fromhex("a000000308").startswith(data[:5]):
            raise Status(NOT_FOUND)
        self.verified = self.authenticated = False
        return tlv(0x61, tlv(0x4F, bytes.fromhex("000010000100")) + tlv(0x79, tlv(0x4F, data[:5])))

    def check(self, reference, given):
        if self.tries[reference] == 0:
            raise Status(BLOCKED)
        if given.rstrip(b"\xff") == self.secret[reference]:
            self.tries[reference] = 3
            return
        self.tries[reference] -= 1
        raise Status(0x63C0 | self.tries[reference] if self.tries[reference] else BLOCKED)

    def verify(self, p1, p2, data):
        if p1 == 0xFF:
            self.verified = False
            return b""
        if not data:
            raise Status(OK if self.verified else 0x63C0 | self.tries[p2])
        self.verified = False
        self.check(p2, data)
        self.verified = self.fresh = True
        return b""

    def change(self, p1, p2, data):
        self.check(p2, data[:8])
        self.secret[p2] = data[8:16].rstrip(b"\xff")
        return b""

    def unblock(self, p1, p2, data):
        self.check(0x81, data[:8])
        self.secret[0x80], self.tries[0x80] = data[8:16].rstrip(b"\xff"), 3
        return b""

    def get_data(self, p1, p2, data):
        tag = int.from_bytes(parse(data)[0x5C], "big")
        if tag not in self.objects:
            raise Status(NOT_FOUND)
        return tlv(0x53, self.objects[tag])

    def manager(self):
        if not self.authenticated:
            raise Status(NOT_ALLOWED)

    def put_data(self, p1, p2, data):
        self.manager()
        parts = parse(data)
        self.objects[int.from_bytes(parts[0x5C], "big")] = parts[0x53]
        return b""

    def metadata(self, p1, slot, data):
        if self.firmware < (5, 3, 0):
            raise Status(UNKNOWN)
        if slot == 0x9B and "talks nonsense" in self.lies:
            return b"\x02\x05\x01"
        if slot == 0x9B and "has a key of an unknown kind" in self.lies:
            return tlv(1, b"\x77")
        if slot == 0x9B:
            return tlv(1, bytes([self.algorithm])) + tlv(2, b"\0\1") + tlv(5, b"\1")
        if slot in (0x80, 0x81):
            return tlv(1, b"\xff") + tlv(5, b"\1") + tlv(6, bytes([3, self.tries[slot]]))
        if slot not in self.slots:
            raise Status(NO_REFERENCE)
        s = self.slots[slot]
        return (tlv(1, b"\x11") + tlv(2, bytes([s.pin_policy, s.touch_policy])) + tlv(3, bytes([s.origin])) +
                tlv(4, tlv(0x86, point(s.private))))

    def generate(self, p1, slot, data):
        self.manager()
        parts = parse(parse(data)[0xAC])
        assert parts[0x80] == b"\x11"
        private = ec.generate_private_key(CURVE)
        self.slots[slot] = Slot(private, *self.policies(parts), origin=1)
        shown = ec.generate_private_key(CURVE) if "shows another key" in self.lies else private
        encoded = point(shown)
        if "shows a point off the curve" in self.lies:
            encoded = encoded[:-1] + bytes([encoded[-1] ^ 1])
        return tlv(b"\x7f\x49", tlv(0x86, encoded))

    def import_key(self, algorithm, slot, data):
        self.manager()
        parts = parse(data)
        assert algorithm == 0x11
        scalar = int.from_bytes(parts[0x06], "big") + (1 if "keeps another key" in self.lies else 0)
        self.slots[slot] = Slot(ec.derive_private_key(scalar, CURVE), *self.policies(parts), origin=2)
        return b""

    def policies(self, parts):
        return parts.get(0xAA, b"\0")[0], parts.get(0xAB, b"\0")[0]

    def reset(self, p1, p2, data):
        if self.tries[0x80] or self.tries[0x81]:
            raise Status(CONDITIONS)
        self.factory()
        self.resets += 1
        return b""

    def cipher(self):
        algorithm = algorithms.TripleDES if self.algorithm == TDES else algorithms.AES
        return Cipher(algorithm(self.management), modes.ECB())

    def authenticate(self, algorithm, slot, data, fresh):
        parts = parse(parse(data)[0x7C])
        return self.manage(algorithm, parts) if slot == 0x9B else self.use(slot, parts, fresh)

    def manage(self, algorithm, parts):
        if algorithm != self.algorithm:
            raise Status(WRONG_DATA)
        size = 8 if self.algorithm == TDES else 16
        encryptor = self.cipher().encryptor()
        if parts.get(0x80) == b"":
            self.challenge = os.urandom(size)
            shown = b"short" if "sends a short witness" in self.lies else encryptor.update(self.challenge)
            return tlv(0x7C, tlv(0x80, shown))
        if self.challenge is None or parts.get(0x80) != self.challenge:
            raise Status(NOT_ALLOWED)
        self.challenge, self.authenticated = None, True
        answer = os.urandom(size) if "does not know its key" in self.lies else encryptor.update(parts[0x81])
        return tlv(0x7C, tlv(0x82, answer))

    def use(self, slot, parts, fresh):
        if slot not in self.slots:
            raise Status(NO_REFERENCE)
        s = self.slots[slot]
        if s.pin_policy == 3 and not fresh:  # always: the command just before was the PIN
            raise Status(NOT_ALLOWED)
        self.touches += s.touch_policy == 2
        if 0x81 in parts and "signs something else" in self.lies:
            made = s.private.sign(os.urandom(32), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        elif 0x81 in parts:
            made = s.private.sign(parts[0x81], ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        else:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, parts[0x85])
            made = s.private.exchange(ec.ECDH(), peer)
        return tlv(0x7C, tlv(0x82, made))


class Machine:
    """The USB port: the readers of a machine, on a unix socket."""

    def __init__(self, folder, *cards):
        if not SHIM.exists() or not YKCS11.exists():
            pytest.skip(f"{SHIM} or {YKCS11} is not there")
        self.path = str(Path(folder) / "pcsc")
        self.readers = {f"Yubico YubiKey OTP+FIDO+CCID {i:02} 00": card for i, card in enumerate(cards)}
        self.lock = threading.Lock()
        outer = self

        class Client(socketserver.BaseRequestHandler):
            def handle(self):
                outer.serve(self.request.makefile("rwb"))

        self.server = socketserver.ThreadingUnixStreamServer(self.path, Client)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def serve(self, stream):
        card = None
        while head := stream.read(5):
            what, n = head[:1], int.from_bytes(head[1:], "little")
            data = stream.read(n)
            with self.lock:
                if what == b"L":
                    answer = b"".join(name.encode() + b"\0" for name in self.readers)
                    answer += b"\0" if answer else b""
                elif what == b"C":
                    card = self.readers[data.decode()]
                    card.connect()
                    answer = b""
                else:
                    answer = card.transmit(data)
            stream.write(len(answer).to_bytes(4, "little") + answer)
            stream.flush()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def environment(self):
        return {"FAKE_CARD": self.path, "LD_LIBRARY_PATH": str(SHIM.parent)}
