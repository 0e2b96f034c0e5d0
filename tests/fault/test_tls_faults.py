# ruff: noqa: E501  a sentence is one line of its table
"""Each fault of a certificate has its own sentence: as client of OpenSSL's s_server, as listener called by s_client."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fakes.faulty_pki import P_256, Pki, make_faulty
from fakes.peers import need
from fakes.process import free_port, is_listening

from agent.errors import ConfigError, LinkClosed, LinkError, TlsRefused
from agent.link.listener import Listener
from agent.link.peer import Peer, Timeouts
from agent.link.pem import first_certificate
from agent.link.tls import TlsSettings, client_context, judge_chain, server_context
from agent.link.tls_transport import start_server
from agent.link.tls_words import refused
from agent.link.transport import connect
from agent.service import verification
from agent.service.proposal import acceptor_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAITS = Timeouts(connect_s=5, tls_s=5, associate_s=5, write_s=5, response_s=5, release_s=1)
WEAK_SERVER = ("-cipher", "ALL:@SECLEVEL=0")
CLIENT = "the certificate of PEER "
LISTENER = "the certificate of caller "


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_faulty(tmp_path_factory.mktemp("faulty"))


def files(pki: Pki, name: str | None = "agent", ca: str = "ca.pem", **more: Any) -> TlsSettings:
    own = None if name is None else str(pki.folder / f"{name}.pem")
    key = None if name is None else str(pki.folder / f"{name}.key")
    if "crl_file" in more:
        more["crl_file"] = str(pki.folder / more["crl_file"])
    return TlsSettings(str(pki.folder / ca), own, key, **more)


def sentence(pki: Pki, text: str, peer: str) -> str:
    """Make a pattern of a sentence: PEER, DIR and NOW stand for what differs from run to run."""
    pattern = re.escape(text).replace("PEER", re.escape(peer)).replace("DIR", re.escape(str(pki.folder)))
    return pattern.replace("NOW", r"20\d\d-\d\d-\d\d \d\d:\d\d UTC")


@contextmanager
def s_server(pki: Pki, name: str, *options: str) -> Iterator[int]:
    port = free_port()
    command = [need("openssl"), "s_server", "-accept", str(port), "-quiet", "-cert", f"{name}.pem", "-cert_chain"]
    command += [f"{name}.pem", "-key", f"{name}.key", "-CAfile", "ca.pem", *options]
    # Its standard input stays open: s_server quits when that ends.
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=pki.folder, **pipes) as server:  # type: ignore[call-overload] # three pipes
        try:
            deadline = time.monotonic() + 10
            while not is_listening(port):
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield port
        finally:
            server.terminate()


def call(port: int, tls: TlsSettings, *, quiet: bool = False) -> str:
    """Connect, and (if not ``quiet``) hear what TLS 1.3 says late; returns the refusal."""
    transport = None
    try:
        transport = connect(Peer("ANY", "127.0.0.1", port, tls=tls, timeouts=WAITS))
        if not quiet:
            transport.read(time.monotonic() + 2, "response")
    except TlsRefused as error:
        return error.message
    finally:
        if transport is not None:
            transport.close()
    return ""


AS_CLIENT = {
    "expired": ("expired", {}, (), CLIENT + "has expired on 2020-02-01 00:00 UTC (the clock of this box says NOW)"),
    "not yet valid": ("future", {}, (), CLIENT + "is not yet valid before 2099-01-01 00:00 UTC (is the clock of this box right? it says NOW)"),
    "wrong address": ("elsewhere", {}, (), CLIENT + "is not for the address 127.0.0.1; it is for pacs.example.org"),
    "wrong name": ("good", {"server_name": "pacs.example.org"}, (), CLIENT + "is not for the name pacs.example.org; it is for localhost, 127.0.0.1"),
    "unknown CA": ("stranger", {}, (), CLIENT + "is not signed by a CA of DIR/ca.pem; its issuer is 'other'"),
    "self-signed": ("self-signed", {}, (), CLIENT + "is self-signed and not itself in DIR/ca.pem"),
    "revoked": ("revoked", {"crl_file": "ca.crl"}, (), CLIENT + "has been revoked by its CA, says DIR/ca.crl; its issuer is 'ca'"),
    "its CA revoked": ("below", {"crl_file": "middle-revoked.crl"}, (), CLIENT + "comes from a CA that has been revoked, says DIR/middle-revoked.crl; its issuer is 'middle'"),
    "no list of its CA": ("good", {"crl_file": "other.crl"}, (), CLIENT + "cannot be checked: DIR/other.crl has no revocation list of its CA 'ca'; there are lists of 'other'"),
    "no list of the CA of its CA": ("below", {"crl_file": "middle-only.crl"}, (), CLIENT + "cannot be checked: DIR/middle-only.crl has no revocation list of a CA above 'middle'; there are lists of 'middle'"),
    "list out of date": ("good", {"crl_file": "old.crl"}, (), CLIENT + "cannot be checked: the revocation list in DIR/old.crl is out of date since 2020-02-01 00:00 UTC (the clock of this box says NOW)"),
    "list of the future": ("good", {"crl_file": "new.crl"}, (), CLIENT + "cannot be checked: a list in DIR/new.crl is not yet valid (is the clock of this box right? it says NOW)"),
    "RSA key too small": ("rsa-1024", {}, WEAK_SERVER, CLIENT + "has an RSA key of 1024 bits; 2048 are the least"),
    "SHA-1": ("sha-1", {}, WEAK_SERVER, CLIENT + "is signed with SHA-1; SHA-256 is the least"),
    "SHA-224": ("sha-224", {}, WEAK_SERVER, CLIENT + "is signed with SHA-224; SHA-256 is the least"),
    "wrong use": ("client-only", {}, (), CLIENT + "may not be used by a server: its extended key usage forbids it"),
    "old TLS only": ("good", {}, ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "PEER speaks no TLS but versions older than 1.2, which are forbidden (PS3.15 B.12)"),
    "no common suite": ("good", {}, ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"), "PEER refuses the handshake: it has no suite, key or signature that PS3.15 B.13 permits, or does not say why"),
    "our certificate demanded": ("good", {"name": None}, ("-Verify", "2"), "PEER demands a certificate of ours and none is configured"),
    "our certificate unknown": ("good", {"name": "stranger"}, ("-Verify", "2", "-verify_return_error"), "PEER does not know the CA of our certificate DIR/stranger.pem"),
    "our certificate of no use": ("good", {"name": "server-only"}, ("-Verify", "2", "-verify_return_error"), "PEER does not accept our certificate DIR/server-only.pem for this use"),
    "our certificate revoked": ("good", {"name": "revoked"}, ("-Verify", "2", "-verify_return_error", "-crl_check", "-CRL", "ca.crl"), "PEER says that our certificate DIR/revoked.pem is revoked"),
}  # fmt: skip


@pytest.mark.parametrize("fault", AS_CLIENT)
def test_as_client(pki: Pki, fault: str) -> None:
    server, ours, options, text = AS_CLIENT[fault]
    with s_server(pki, server, *options) as port:
        said = call(port, files(pki, **ours))
    assert re.fullmatch(sentence(pki, text, f"ANY@127.0.0.1:{port}"), said), said


@pytest.mark.parametrize("fault", ["our certificate demanded", "our certificate unknown", "unknown CA", "expired"])
def test_as_client_of_tls_12(pki: Pki, fault: str) -> None:
    server, ours, options, text = AS_CLIENT[fault]
    with s_server(pki, server, "-tls1_2", *options) as port:
        said = call(port, files(pki, **ours))
    assert re.fullmatch(sentence(pki, text, f"ANY@127.0.0.1:{port}"), said), said


@pytest.mark.parametrize(
    ("server", "ours"),
    [
        ("good", {}),
        ("good", {"crl_file": "ca.crl"}),
        ("below", {"crl_file": "all.crl"}),
        ("self-signed", {"ca": "self-signed.pem"}),
        ("elsewhere", {"server_name": "pacs.example.org"}),
        ("elsewhere", {"check_name": False}),
    ],
)
def test_without_a_fault_nothing_is_refused(pki: Pki, server: str, ours: dict[str, Any]) -> None:
    with s_server(pki, server, "-Verify", "2", "-verify_return_error") as port:
        transport = connect(Peer("ANY", "127.0.0.1", port, tls=files(pki, **ours), timeouts=WAITS))
        try:
            transport.write(b"said", time.monotonic() + 5)
            assert transport.facts()["transport"] == "tls"
        finally:
            transport.close()


def test_every_sentence_is_another_one() -> None:
    for table in (AS_CLIENT, AS_LISTENER):
        texts = [row[-1] for fault, row in table.items() if fault != "ECC key too small"]  # OpenSSL does not say which
        assert len(set(texts)) == len(texts)


def test_a_server_with_a_small_ecc_key_finds_nothing_in_common(pki: Pki) -> None:
    """Its curve is not among those that we offer, so that it never shows its certificate."""
    with s_server(pki, "p-224", "-tls1_2", "-cipher", "ALL:@SECLEVEL=0") as port:
        assert "refuses the handshake: it has no suite, key or signature" in call(port, files(pki))


# --- as listener ---------------------------------------------------------------------------------------

AS_LISTENER = {
    "expired": (("-cert", "expired.pem", "-key", "expired.key"), {}, LISTENER + "has expired (the clock of this box says NOW)"),
    "not yet valid": (("-cert", "future.pem", "-key", "future.key"), {}, LISTENER + "is not yet valid (is the clock of this box right? it says NOW)"),
    "unknown CA": (("-cert", "stranger.pem", "-key", "stranger.key"), {}, LISTENER + "is not signed by a CA of DIR/ca.pem"),
    "self-signed": (("-cert", "self-signed.pem", "-key", "self-signed.key"), {}, LISTENER + "is self-signed and not itself in DIR/ca.pem"),
    "revoked": (("-cert", "revoked.pem", "-key", "revoked.key"), {"crl_file": "ca.crl"}, LISTENER + "has been revoked, or a CA above it, says DIR/ca.crl"),
    "no list": (("-cert", "agent.pem", "-key", "agent.key"), {"crl_file": "other.crl"}, LISTENER + "cannot be checked: DIR/other.crl has no revocation list of its CA, or of one above it; there are lists of 'other'"),
    "list out of date": (("-cert", "agent.pem", "-key", "agent.key"), {"crl_file": "old.crl"}, LISTENER + "cannot be checked: the revocation list in DIR/old.crl is out of date since 2020-02-01 00:00 UTC (the clock of this box says NOW)"),
    "RSA key too small": (("-cert", "rsa-1024.pem", "-key", "rsa-1024.key", "-cipher", "ALL:@SECLEVEL=0"), {}, LISTENER + "has a key that is too weak: RSA 2048 bits and ECC 256 bits are the least"),
    "ECC key too small": (("-tls1_2", "-cert", "p-224.pem", "-key", "p-224.key", "-cipher", "ALL:@SECLEVEL=0"), {}, LISTENER + "has a key that is too weak: RSA 2048 bits and ECC 256 bits are the least"),
    "SHA-1": (("-cert", "sha-1.pem", "-key", "sha-1.key", "-cipher", "ALL:@SECLEVEL=0"), {}, LISTENER + "is signed with a hash that is too weak: SHA-256 is the least"),
    "SHA-224": (("-cert", "sha-224.pem", "-key", "sha-224.key", "-cipher", "ALL:@SECLEVEL=0"), {}, LISTENER + "is signed with SHA-224; SHA-256 is the least"),
    "wrong use": (("-cert", "server-only.pem", "-key", "server-only.key"), {}, LISTENER + "may not be used by a client: its extended key usage forbids it"),
    "no certificate": ((), {}, "caller shows no certificate and we demand one"),
    "old TLS only": (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), {}, "caller speaks no TLS but versions older than 1.2, which are forbidden (PS3.15 B.12)"),
    "no common suite": (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"), {}, "caller offers no suite that PS3.15 B.13 permits"),
    "our CA unknown": (("-CAfile", "other.pem", "-verify_return_error"), {}, "caller does not know the CA of our certificate DIR/good.pem"),
}  # fmt: skip


def heard(pki: Pki, settings: TlsSettings, caller: Callable[[int], object]) -> str:
    """Let ``caller(port)`` call our TLS responder once; returns what it says of that."""
    context = server_context(settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=caller, args=(listener.getsockname()[1],))
        thread.start()
        connection, _ = listener.accept()
        try:
            transport = start_server(connection, "caller", WAITS, settings, context)
            transport.close()
        except LinkError as error:
            return error.message
        finally:
            connection.close()
            thread.join(10)
    return ""


# What a listener says in addition that has seen the certificate.
AS_WATCHED_LISTENER = {
    "expired": LISTENER + "has expired on 2020-02-01 00:00 UTC (the clock of this box says NOW)",
    "not yet valid": LISTENER + "is not yet valid before 2099-01-01 00:00 UTC (is the clock of this box right? it says NOW)",
    "unknown CA": LISTENER + "is not signed by a CA of DIR/ca.pem; its issuer is 'other'",
    "revoked": LISTENER + "has been revoked by its CA, says DIR/ca.crl; its issuer is 'ca'",
    "no list": LISTENER + "cannot be checked: DIR/other.crl has no revocation list of its CA 'ca'; there are lists of 'other'",
    "RSA key too small": LISTENER + "has an RSA key of 1024 bits; 2048 are the least",
    "ECC key too small": LISTENER + "has an ECC key of 224 bits; 256 are the least",
    "SHA-1": LISTENER + "is signed with SHA-1; SHA-256 is the least",
}  # fmt: skip


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("fault", AS_LISTENER)
def test_as_listener(pki: Pki, fault: str, watched: bool) -> None:
    options, ours, text = AS_LISTENER[fault]

    def caller(port: int) -> None:
        command = (need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", *options)
        subprocess.run(command, cwd=pki.folder, input=b"", capture_output=True, timeout=10, check=False)

    said = heard(pki, files(pki, "good", watch_callers=watched, **ours), caller)
    text = AS_WATCHED_LISTENER.get(fault, text) if watched else text
    assert re.fullmatch(sentence(pki, text, "caller"), said), said


def test_a_caller_who_refuses_our_certificate_is_told_of_once(pki: Pki) -> None:
    """He looks at it again without showing his own, which is no second fault."""
    said: list[str] = []
    policy = acceptor_policy([verification.NEED], called_aes=["ANY"])
    listener = Listener("127.0.0.1", 0, policy, lambda call: None, tls=files(pki, "elsewhere"), say=said.append)
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    try:
        for _ in range(2):
            assert "is not for the address 127.0.0.1" in call(listener.port, files(pki))
        assert "demands a certificate" in call(listener.port, files(pki, None, check_name=False))
        until = time.monotonic() + 5
        while len(said) < 3 and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        stop.set()
        thread.join(10)
    bad = f"127.0.0.1 finds our certificate {pki.folder}/elsewhere.pem bad: its name, its key or its signature"
    assert said[:2] == [f"{bad} [link.tls]"] * 2
    assert said[2:] == ["127.0.0.1 shows no certificate and we demand one [link.tls]"]


def test_a_list_that_changes_meanwhile_revokes_no_ca(pki: Pki) -> None:
    """OpenSSL read a list with the certificate on it; when the sentence is made, the file has another one."""
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = 23, "certificate revoked"
    shown = first_certificate(str(pki.folder / "good.pem"))
    said = refused(error, "P", files(pki, crl_file="other.crl"), "p", shown)
    assert "of P has been revoked, or a CA above it, says" in said.message


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_caller_with_a_chain_is_known_by_its_own_certificate(pki: Pki, version: str) -> None:
    def caller(port: int) -> None:
        command = (need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", version, "-cert", "leaf.pem")
        command += ("-cert_chain", "below.pem", "-key", "leaf.key")
        subprocess.run(command, cwd=pki.folder, input=b"", capture_output=True, timeout=10, check=False)

    said = heard(pki, files(pki, "good", ca="other.pem", watch_callers=True), caller)
    assert said.endswith("; its issuer is 'middle'"), said


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"\x01\x00\x00\x00\x00\xcc" + bytes(204), "caller does not speak TLS on this port"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "caller does not speak TLS, it speaks HTTP"),
    ],
)
def test_callers_without_tls(pki: Pki, sent: bytes, text: str) -> None:
    def caller(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(sent)
            with contextlib.suppress(ConnectionResetError):
                sock.recv(100)

    assert heard(pki, files(pki, "good"), caller) == text


# --- peers without TLS, or with one of the last century --------------------------------------------------


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A listener that says ``answer`` to whoever calls, whatever he says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


TLS_10_HELLO = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" + bytes(32) + b"\x00\xc0\x0a\x00"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x01", "PEER does not speak TLS on this port"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "PEER does not speak TLS on this port"),
        (TLS_10_HELLO, "PEER speaks no TLS but versions older than 1.2, which are forbidden (PS3.15 B.12)"),
        (b"", "PEER closed the connection in the TLS handshake: no TLS port, or it refuses us"),
    ],
)
def test_peers_without_tls(pki: Pki, answer: bytes, text: str) -> None:
    with answering(answer) as port:
        said = call(port, files(pki))
    assert said == text.replace("PEER", f"ANY@127.0.0.1:{port}")


# --- our own files ---------------------------------------------------------------------------------------


OWN = {
    "expired": ({"name": "expired"}, "our own certificate DIR/expired.pem expired on 2020-02-01 00:00 UTC"),
    "not yet valid": ({"name": "future"}, "our own certificate DIR/future.pem is not valid before 2099-01-01 00:00 UTC (this box's clock says NOW)"),
    "RSA key too small": ({"name": "rsa-1024"}, "certificate DIR/rsa-1024.pem has an RSA key of 1024 bits; 2048 are the least (PS3.15 B.13)"),
    "ECC key too small": ({"name": "p-224"}, "certificate DIR/p-224.pem has an ECC key of 224 bits; 256 are the least (PS3.15 B.13)"),
    "SHA-1": ({"name": "sha-1"}, "certificate DIR/sha-1.pem is signed with SHA-1; SHA-256 is the least (PS3.15 B.13)"),
    "another key": ({"key_file": "good.key"}, "key DIR/good.key does not belong to certificate DIR/agent.pem"),
    "encrypted key": ({"key_file": "encrypted.key"}, "key DIR/encrypted.key is encrypted: nobody is there to type its pass phrase"),
    "no key": ({"key_file": "agent.pem"}, "key DIR/agent.pem holds no private key in PEM form"),
    "key that is not there": ({"key_file": "none.key"}, "key file DIR/none.key cannot be read: No such file or directory"),
    "key that is a folder": ({"key_file": "."}, "key file DIR/. cannot be read: Is a directory"),
    "certificate that is a key": ({"certificate_file": "agent.key"}, "certificate file DIR/agent.key holds no certificate in PEM form"),
    "CA with a small key": ({"ca_file": "small-ca.pem"}, "the CA 'small-ca' in DIR/small-ca.pem has an ECC key of 224 bits; 256 are the least (PS3.15 B.13)"),
    "list that is none": ({"crl_file": "ca.pem"}, "CRL file DIR/ca.pem holds no revocation list (CRL) in PEM form"),
    "CA that is none": ({"ca_file": "agent.key"}, "CA file DIR/agent.key holds no certificate in PEM form"),
}  # fmt: skip


@pytest.mark.parametrize("make", [client_context, server_context])
@pytest.mark.parametrize("fault", OWN)
def test_our_own_files(pki: Pki, fault: str, make: Callable[[TlsSettings], object]) -> None:
    change, text = OWN[fault]
    pki.openssl("pkey", "-in", "agent.key", "-aes256", "-passout", "pass:secret", "-out", "encrypted.key")
    settings = files(pki, change.get("name", "agent"))
    paths = {key: f"{pki.folder}/{value}" for key, value in change.items() if key != "name"}
    with pytest.raises((ConfigError, TlsRefused)) as raised:
        make(settings._replace(**paths))
    assert re.fullmatch(sentence(pki, text, ""), raised.value.message), raised.value.message


# --- the limits of certificates ------------------------------------------------------------------------

CURVES = {"prime192v1": False, "secp224r1": False, "prime256v1": True, "secp384r1": True, "secp521r1": True}
LIMITS = {
    **{f"rsa:{bits}": ((f"rsa:{bits}",), "sha256", bits >= 2048) for bits in (1024, 2047, 2048, 3072)},
    **{curve: (("ec", "-pkeyopt", f"ec_paramgen_curve:{curve}"), "sha256", good) for curve, good in CURVES.items()},
    **{f"sha{bits}": (P_256, f"sha{bits}", bits >= 256) for bits in (1, 224, 256, 384, 512)},
    **{f"rsa with sha{bits}": (("rsa:2048",), f"sha{bits}", bits >= 256) for bits in (1, 224, 256, 384, 512)},
}


@pytest.fixture(scope="module")
def limits(pki: Pki) -> Pki:
    """Write a certificate for each row; those of RSA are signed by a CA with an RSA key."""
    pki.alone("rsa-ca", key=("rsa:2048",), extensions="basicConstraints=critical,CA:TRUE\n")
    (pki.folder / "rsa-ca.db").write_text("")
    pki.bundle("cas.pem", "ca.pem", "rsa-ca.pem")
    for number, (name, (key, digest, _)) in enumerate(LIMITS.items()):
        pki.issue(f"limit{number}", key=key, digest=digest, by="rsa-ca" if name.startswith("rsa with") else "ca")
    return pki


@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_certificates_as_client(limits: Pki, name: str) -> None:
    """PS3.15 Table B.13-1: RSA 2048 bits, ECC 256 bits, SHA-256 are the least; all that is more is taken."""
    number, good = list(LIMITS).index(name), LIMITS[name][2]
    with s_server(limits, f"limit{number}", "-cipher", "ALL:@SECLEVEL=0") as port:
        assert (call(port, files(limits, ca="cas.pem"), quiet=True) == "") is good


@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_certificates_as_listener(limits: Pki, name: str) -> None:
    number, good = list(LIMITS).index(name), LIMITS[name][2]

    def caller(port: int) -> None:
        command = (need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-cipher", "ALL:@SECLEVEL=0")
        command += ("-cert", f"limit{number}.pem", "-key", f"limit{number}.key")
        subprocess.run(command, cwd=limits.folder, input=b"", capture_output=True, timeout=10, check=False)

    assert (heard(limits, files(limits, "good", ca="cas.pem"), caller) == "") is good


@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_our_own_certificate(limits: Pki, name: str) -> None:
    number, good = list(LIMITS).index(name), LIMITS[name][2]
    outcome = contextlib.nullcontext() if good else pytest.raises(ConfigError, match=r"the least \(PS3.15 B.13\)")
    with outcome:
        client_context(files(limits, f"limit{number}", ca="cas.pem"))


def der(pki: Pki, name: str) -> bytes:
    pki.openssl("x509", "-in", f"{name}.pem", "-outform", "DER", "-out", "one.der")
    return (pki.folder / "one.der").read_bytes()


@pytest.mark.parametrize(
    ("between", "root", "text"),
    [
        ("middle", "ca", ""),
        ("small-middle", "ca", "from the CA 'small-middle', which has an ECC key of 224 bits; 256 are the least"),
        ("old-middle", "ca", "from the CA 'old-middle', which is signed with SHA-224; SHA-256 is the least"),
        ("middle", "small-ca", "from the CA 'small-ca', which has an ECC key of 224 bits; 256 are the least"),
        ("middle", "sha-1", ""),  # the signature of what is trusted counts for nothing
    ],
)
def test_limits_of_the_cas_between(pki: Pki, between: str, root: str, text: str) -> None:
    """Python 3.13 shows the chain that it verified."""
    chain = [der(pki, name) for name in ("leaf", between, root)]
    outcome = pytest.raises(TlsRefused, match=re.escape(text)) if text else contextlib.nullcontext()
    with outcome:
        judge_chain(chain, "ANY")


@pytest.mark.skipif(sys.version_info < (3, 13), reason="this Python does not show the chain that it verified")
@pytest.mark.parametrize("name", ["small-middle", "old-middle"])
def test_weak_cas_between_are_refused(pki: Pki, name: str) -> None:
    pki.bundle("weak.pem", f"leaf-of-{name}.pem", f"{name}.pem")
    pki.bundle("weak.key", f"leaf-of-{name}.key")
    with s_server(pki, "weak", "-cipher", "ALL:@SECLEVEL=0") as port:
        assert f"comes from the CA '{name}', which" in call(port, files(pki), quiet=True)


def test_a_list_of_a_large_ca(pki: Pki) -> None:
    """50 000 entries, more than a MiB of PEM; the certificate that is on it is found, the other one is taken."""
    rows = [
        f"R\t991231235959Z\t260101000000Z\t{number:08X}\tunknown\t/CN={number}"
        for number in range(1 << 20, (1 << 20) + 50_000)
    ]
    known = (pki.folder / "ca.db").read_text()
    (pki.folder / "many.db").write_text(known + "\n".join(rows) + "\n")
    command = ("ca", "-cert", "ca.pem", "-keyfile", "ca.key", "-gencrl", "-crldays", "9", "-out", "many.crl")
    pki.openssl(*command, database="many")
    assert (pki.folder / "many.crl").stat().st_size > (1 << 20)
    for server, text in (("good", ""), ("revoked", "has been revoked by its CA, says")):
        with s_server(pki, server) as port:
            said = call(port, files(pki, crl_file="many.crl"), quiet=True)
        assert text in said
        assert bool(text) is bool(said)


# --- the second look -------------------------------------------------------------------------------------


def test_the_second_look_obeys_a_stop(pki: Pki) -> None:
    """The peer shows a bad certificate once and then says nothing: only a stop ends the second look early."""
    stopping = threading.Event()

    def serve(listener: socket.socket) -> None:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.folder / "stranger.pem", pki.folder / "stranger.key")
        first, _ = listener.accept()
        try:
            context.wrap_socket(first, server_side=True).close()
        except OSError:
            first.close()
        silent, _ = listener.accept()
        silent.settimeout(10)
        with silent:
            assert silent.recv(4096)  # it is in the handshake, and not in the connect any more
            stopping.set()
            while silent.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        peer = Peer("ANY", "127.0.0.1", listener.getsockname()[1], tls=files(pki), timeouts=WAITS)
        begun = time.monotonic()
        with pytest.raises(TlsRefused, match=r"is not signed by a CA of \S+ca\.pem$"):
            connect(peer, cancelled=stopping.is_set)
        assert time.monotonic() - begun < 1.0
        thread.join(10)


def test_the_handshake_obeys_a_stop(pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        waits = WAITS._replace(write_s=0.2)
        peer = Peer("ANY", "127.0.0.1", listener.getsockname()[1], tls=files(pki), timeouts=waits)
        begun = time.monotonic()
        with pytest.raises(LinkClosed, match="the agent is stopping"):
            connect(peer, cancelled=lambda: time.monotonic() > begun + 0.1)
        assert time.monotonic() - begun < 1.0
