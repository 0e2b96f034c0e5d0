"""What TLS is really spoken, asked of OpenSSL's own programs: each answer is taken away until nothing is left.

*A listener:* ``s_client`` offers everything OpenSSL has at security level 0. What the listener chooses is noted and not
offered again, until it refuses: so the whole of what it accepts is known, in its own order, in as many handshakes as
there are answers. What OpenSSL no longer has (RC4, DES, NULL of SSL 3 ...) is offered by ``raw_refusal``, which writes
a ClientHello with every number there is.

*A client:* ``s_server`` prints what a ClientHello offers.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from fakes.peers import need
from fakes.process import free_port, is_listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

VERSIONS = {"TLSv1": "-tls1", "TLSv1.1": "-tls1_1", "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}
SUITES_TLS13 = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
)
# Every group that OpenSSL 3 knows for TLS, by its names; what it prints of some of them is another name.
GROUPS = (
    *(f"sect{size}" for size in ("163k1", "163r1", "163r2", "193r1", "193r2", "233k1", "233r1", "239k1", "283k1")),
    *(f"sect{size}" for size in ("283r1", "409k1", "409r1", "571k1", "571r1")),
    *("secp160k1", "secp160r1", "secp160r2", "secp192k1", "prime192v1", "secp224k1", "secp224r1", "secp256k1"),
    *("prime256v1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"),
    *("X25519", "X448", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"),
)
SIGNATURES = (
    *(f"{kind}+SHA{bits}" for kind in ("ECDSA", "RSA", "DSA") for bits in (1, 224, 256, 384, 512)),
    *(f"RSA-PSS+SHA{bits}" for bits in (256, 384, 512)),
    "ed25519",
    "ed448",
)
_SUITE = re.compile(r"^New, \S+ Cipher is (\S+)$", re.MULTILINE)
_GROUP = re.compile(r"^Server Temp Key: (?:ECDH, |DH, )?([\w-]+)", re.MULTILINE)
_SIGNATURE = re.compile(r"^Peer signing digest: (\S+)\nPeer signature type: (\S+)$", re.MULTILINE)
_GROUP_NAMES = {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}
_FULL_RECORD = 1 << 14


class Spoken(NamedTuple):
    """What a listener accepts: each in the order in which it chose."""

    versions: tuple[str, ...]
    suites: dict[str, tuple[str, ...]]  # by version
    groups: dict[str, tuple[str, ...]]  # by version
    signatures: tuple[str, ...]  # it signs with, in TLS 1.2
    requested: tuple[str, ...]  # signatures of a caller that it takes


class Offered(NamedTuple):
    """What the ClientHello of a client says, in its order."""

    versions: tuple[str, ...]
    suites: tuple[str, ...]
    signatures: tuple[str, ...]
    groups: tuple[str, ...]


class Caller:
    """Calls one listener with ``s_client`` and the files of a bench CA."""

    def __init__(self, port: int, folder: Path, name: str = "agent") -> None:
        self.port = port
        self._command = [need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}"]
        self._command += ["-cert", str(folder / f"{name}.pem"), "-key", str(folder / f"{name}.key")]

    def call(self, version: str, *, suites: str = "", groups: Iterable[str] = GROUPS, more: Sequence[str] = ()) -> str:
        """Shake hands once and return what ``s_client`` says of it."""
        command = [*self._command, VERSIONS[version], "-groups", ":".join(groups), *more]
        twelve = suites if suites and version != "TLSv1.3" else "ALL:COMPLEMENTOFALL"
        command += ["-cipher", f"{twelve}:@SECLEVEL=0"]
        if version == "TLSv1.3":
            command += ["-ciphersuites", suites or ":".join(SUITES_TLS13)]
        done = subprocess.run(command, input=b"", capture_output=True, timeout=20, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def choice(self, version: str, **offer: object) -> str:
        """Return the suite that the listener chose; '' when it refused."""
        found = _SUITE.search(self.call(version, **offer))  # type: ignore[arg-type] # as call has them
        return "" if found is None or found.group(1) == "(NONE)" else found.group(1)

    def spoken(self) -> Spoken:
        """Find out everything."""
        versions = tuple(version for version in VERSIONS if self.choice(version))
        signed = [kind for kind in SIGNATURES if self.choice("TLSv1.2", more=("-sigalgs", kind))]
        said = self.call(versions[-1]) if versions else ""
        found = re.search(r"^Requested Signature Algorithms: (\S+)$", said, re.MULTILINE)
        return Spoken(
            versions,
            {version: tuple(self._suites(version)) for version in versions},
            {version: tuple(self._groups(version)) for version in versions},
            tuple(signed),
            tuple(found.group(1).split(":")) if found else (),
        )

    def _suites(self, version: str) -> list[str]:
        def chosen(left: Sequence[str]) -> str:
            return self.choice(version, suites=":".join(left))

        known = SUITES_TLS13 if version == "TLSv1.3" else _openssl_suites()
        return _until_refused(known, chosen)

    def _groups(self, version: str) -> list[str]:
        def chosen(left: Sequence[str]) -> str:
            found = _GROUP.search(self.call(version, groups=left))
            name = "" if found is None else found.group(1)
            return _GROUP_NAMES.get(name, f"ffdhe{name}" if name.isdigit() else name)

        return _until_refused(GROUPS, chosen)


def _until_refused(known: Sequence[str], chosen: Callable[[Sequence[str]], str]) -> list[str]:
    left, found = list(known), []
    while left:
        name = chosen(left)
        if not name:
            break
        assert name in left, f"{name} was not offered"
        left.remove(name)
        found.append(name)
    return found


def _openssl_suites() -> list[str]:
    command = (need("openssl"), "ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return [suite for suite in done.stdout.strip().split(":") if not suite.startswith("TLS_")]


def offered(folder: Path, name: str, call: Callable[[int], object]) -> Offered:
    """Let ``call(port)`` connect to ``s_server`` (certificate ``name``) and return what its ClientHello offers."""
    port = free_port()
    command = [need("openssl"), "s_server", "-accept", str(port), "-naccept", "1", "-msg", "-CAfile"]
    command += [str(folder / "ca.pem"), "-Verify", "2", "-cert", str(folder / f"{name}.pem")]
    command += ["-key", str(folder / f"{name}.key"), "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    command += ["-ciphersuites", ":".join(SUITES_TLS13), "-groups", ":".join(GROUPS)]
    # Its standard input stays open: s_server quits when that ends.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        deadline = time.monotonic() + 10
        while not is_listening(port) and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            call(port)
        finally:
            time.sleep(0.05)
            server.terminate()
            said = server.communicate(timeout=10)[0].decode(errors="replace")
    return Offered(
        _hello_versions(said), _list(said, "Shared ciphers"), _list(said, "Signature Algorithms"),
        _list(said, "Supported groups"),
    )  # fmt: skip


def _list(said: str, title: str) -> tuple[str, ...]:
    found = re.search(rf"^{title}: ?(\S+)$", said, re.MULTILINE)
    assert found is not None, f"no '{title}' in what s_server says:\n{said[-3000:]}"
    return tuple(found.group(1).split(":"))


def _hello_versions(said: str) -> tuple[str, ...]:
    """Read supported_versions (RFC 8446 4.2.1) from the bytes of the ClientHello that ``-msg`` prints."""
    found = re.search(r"ClientHello\n((?:    [0-9a-f ]+\n)+)", said)
    assert found is not None, said[-3000:]
    hello = bytes.fromhex(found.group(1).replace("\n", " "))
    at = hello.find(b"\x00\x2b")
    assert at > 0, "a ClientHello without supported_versions: TLS 1.2 at most"
    codes = hello[at + 5 : at + 5 + hello[at + 4]]
    return tuple(f"TLSv1.{codes[i + 1] - 1}" for i in range(0, len(codes), 2))


# --- what OpenSSL's programs cannot say any more -----------------------------------------------------


def raw_refusal(port: int, version: int, suites: Sequence[int]) -> str:
    """Offer ``suites`` by number in a ClientHello of ``version`` (0x0300 ...); return the answer in words.

    'alert N' (RFC 8446 6.2), 'closed', or 'server hello NNNN' with the suite chosen.
    """
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(_records(version, _client_hello(version, suites)))
        head = sock.recv(1024)
    if head[:1] == b"\x15":
        return f"alert {head[6]}"
    if head[:1] == b"\x16":
        suite = head[44 + head[43] :][:2]
        return f"server hello {suite.hex()}"
    return "closed"


def _client_hello(version: int, suites: Sequence[int]) -> bytes:
    listed = b"".join(suite.to_bytes(2) for suite in suites)
    groups = b"".join(group.to_bytes(2) for group in (29, 23, 30, 25, 24, *range(1, 23), *range(256, 261)))
    signatures = bytes(code for digest in range(1, 7) for kind in range(1, 4) for code in (digest, kind))
    extensions = b"".join(
        kind.to_bytes(2) + len(body).to_bytes(2) + body
        for kind, body in (
            (10, len(groups).to_bytes(2) + groups),
            (11, b"\x01\x00"),
            (13, len(signatures).to_bytes(2) + signatures),
        )
    )
    body = version.to_bytes(2) + bytes(32) + b"\x00" + len(listed).to_bytes(2) + listed + b"\x01\x00"
    if version > 0x0300:
        body += len(extensions).to_bytes(2) + extensions
    return b"\x01" + len(body).to_bytes(3) + body


def _records(version: int, message: bytes) -> bytes:
    head = b"\x16" + min(version, 0x0301).to_bytes(2)
    parts = [message[at : at + _FULL_RECORD] for at in range(0, len(message), _FULL_RECORD)]
    return b"".join(head + len(part).to_bytes(2) + part for part in parts)
