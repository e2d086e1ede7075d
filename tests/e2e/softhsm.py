"""Tokens for tests: SoftHSM2, the PKCS#11 implementation of OpenDNSSEC, with all it keeps in one folder."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, SO_PIN = "271828", "31415926"


class SoftHsm:
    """A folder of tokens; environment() makes every program see these and no others."""

    def __init__(self, folder):
        if not MODULE.exists():
            pytest.skip(f"{MODULE} is not there (Debian's softhsm2)")
        if shutil.which("pkcs11-tool") is None:
            pytest.skip("pkcs11-tool is not there (Debian's opensc)")
        self.folder = Path(folder)
        (self.folder / "tokens").mkdir(parents=True)
        self.conf = self.folder / "softhsm2.conf"
        self.conf.write_text(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\n"
                             "log.level = ERROR\n")
        self.pin_file = self.folder / "pin"
        self.pin_file.write_text(PIN + "\n")

    def environment(self):
        return {"SOFTHSM2_CONF": str(self.conf)}

    def run(self, *words):
        return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, timeout=60,
                              env={**os.environ, **self.environment()}).stdout

    def token(self, label, pin=PIN):
        self.run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", pin)

    def tool(self, label, *words):
        """pkcs11-tool of OpenSC: another program that reads and fills the same token."""
        return self.run("pkcs11-tool", "--module", MODULE, "--token-label", label, "--login", "--pin", PIN, *words)

    def words(self, label=None, pin=True):
        return ["--pkcs11-module", MODULE,
                *(["--token-uri", f"pkcs11:token={label}"] if label else []),
                *(["--current-pin-path", self.pin_file] if pin else [])]
