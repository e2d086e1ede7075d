"""TEE instances on booted images: the REST API over HTTP through qos_host, as tests/e2e's Instance has it, and the desk
of the people around them."""
import instance
from instances import Field
from machine import ROLE, work_folder


class BootedInstance(instance.Instance):
    """machine: started. All requests go over HTTP, and so over vsock."""

    def __init__(self, machine):
        self.machine, self.port, self.http = machine, machine.port, True
        self.id = self.info()["enclave_id"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def signed_ok(self, key, method, path, body=None, **how):
        status, answer = self.signed(key, method, path, body, **how)
        assert status == 200, (path, status, answer)
        return answer

    def signed_refused(self, expected, key, method, path, body=None, **how):
        status, answer = self.signed(key, method, path, body, **how)
        assert status == answer["code"] == expected, (path, status, answer)
        return answer["error"]


def key_arguments(client, admin):
    """The pivot's arguments of a manifest that names who may use and who may administer."""
    return [f"client-key={client.hex}", f"admin-key={admin.hex}"]


class Desk(Field):
    """Our commands, with the tests' root, an image's measurements and the role; keys of an administrator and a client."""

    def __init__(self, pki, image):
        self.folder, self.made = work_folder(), []
        self.root = pki / "root.der"
        self.trust = ("--attestation-root-path", self.root)
        self.path("role").write_text(ROLE + "\n")
        self.measured = ("--qos-release-dir", image.folder, "--pcr3-preimage-path", "role")
        self.admin, self.client_key = self.new_key("admin"), self.new_key("client")

    def new_key(self, name):
        """Makes name.secret; the public key in hex."""
        self.run("qos_client", "generate-file-key", "--master-seed-path", f"{name}.secret", "--pub-path", f"{name}.pub")
        return self.path(f"{name}.pub").read_text().strip()
