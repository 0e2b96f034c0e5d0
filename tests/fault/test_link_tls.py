"""Every way a TLS handshake is refused, both directions, and the words the technician reads."""

from __future__ import annotations

import contextlib
import functools
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from fakes.peers import need

from agent.app.bench_ca import Identity, issue, make_ca
from agent.errors import ConfigError, ConnectFailed, LinkError, LinkTimeout, TlsRefused
from agent.link.peer import Peer, Timeouts
from agent.link.tls import TlsSettings, client_context, server_context
from agent.link.tls_transport import start_server
from agent.link.transport import Transport, connect

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHORT = Timeouts(connect_s=2, tls_s=0.5, associate_s=2, write_s=1, response_s=1, release_s=0.5)
HELLO = b"hello, world"
P_256 = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
WEAK = (
    ("rsa-1024", ("rsa:1024",), "sha256"),
    ("p-224", ("ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"), "sha256"),
    ("sha-1", P_256, "sha1"),
    ("sha-224", P_256, "sha224"),
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    ca, other = make_ca(str(folder), "ca"), make_ca(str(folder), "other")
    local = ("localhost", "127.0.0.1")
    for name in ("agent", "archive"):
        issue(str(folder), name, ca, hosts=local)
    issue(str(folder), "stranger", other, hosts=local)
    issue(str(folder), "elsewhere", ca, hosts=("pacs.example.org",))
    issue(str(folder), "expired", ca, hosts=local, days=-1)
    issue(str(folder), "revoked", ca, hosts=local)
    _future(folder, ca)
    _lists(folder)
    _weak(folder)
    return folder


def _lists(folder: Path) -> None:
    """Write ``crl.pem``, which revokes ``revoked``, the same out of date as ``old-crl.pem``, and that of nobody."""
    run = functools.partial(subprocess.run, check=True, capture_output=True, timeout=30)
    ca = (need("openssl"), "ca", "-config", str(folder / "ca.cnf"))
    run((*ca, "-revoke", str(folder / "revoked.pem")))
    run((*ca, "-gencrl", "-crldays", "30", "-out", str(folder / "crl.pem")))
    past = ("-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z")
    run((*ca, "-gencrl", *past, "-out", str(folder / "old-crl.pem")))
    other = ("-cert", str(folder / "other.pem"), "-keyfile", str(folder / "other.key"))
    run((*ca, *other, "-gencrl", "-crldays", "30", "-out", str(folder / "other-crl.pem")))


def _weak(folder: Path) -> None:
    """Write certificates that PS3.15 Table B.13-1 forbids; each is its own CA."""
    for name, kind, digest in WEAK:
        command = (need("openssl"), "req", "-x509", "-newkey", *kind, "-nodes", f"-{digest}", "-days", "9")
        command += ("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
        command += ("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"))
        subprocess.run(command, check=True, capture_output=True, timeout=30)


def _future(folder: Path, ca: Identity) -> None:
    """Write ``future.pem``, valid from 2099."""
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
        f"certificate={ca.certificate_file}\nprivate_key={ca.key_file}\ndefault_md=sha256\npolicy=p\n"
        "x509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n"
        "[req]\ndistinguished_name=d\n[d]\n"
    )
    config = ("-config", str(folder / "ca.cnf"))
    request = str(folder / "future.csr")
    run = functools.partial(subprocess.run, check=True, capture_output=True, timeout=30)
    run(
        (
            need("openssl"),
            "req",
            *config,
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=future",
            "-keyout",
            str(folder / "future.key"),
            "-out",
            request,
        )
    )
    run(
        (
            need("openssl"),
            "ca",
            "-batch",
            "-notext",
            *config,
            "-in",
            request,
            "-out",
            str(folder / "future.pem"),
            "-startdate",
            "20990101000000Z",
            "-enddate",
            "20991231000000Z",
        )
    )


def files(pki: Path, name: str | None = "agent", ca: str = "ca", **more: object) -> TlsSettings:
    own = None if name is None else str(pki / f"{name}.pem")
    key = None if name is None else str(pki / f"{name}.key")
    return TlsSettings(str(pki / f"{ca}.pem"), own, key, **more)  # type: ignore[arg-type] # the caller's keywords


Answer = "Callable[[socket.socket], None]"


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Run ``answer(connection)`` for each connection to the port it returns."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threads.append(threading.Thread(target=loop))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def tls_server(settings: TlsSettings, said: list[LinkError]) -> Callable[[socket.socket], None]:
    """Return our own TLS responder: it greets and notes what it refused."""
    context = server_context(settings)

    def answer(connection: socket.socket) -> None:
        try:
            transport = start_server(connection, "caller", SHORT, settings, context)
            try:
                transport.read(time.monotonic() + 1, "response")
                transport.write(HELLO, time.monotonic() + 5)
            finally:
                transport.close()
        except LinkError as error:
            said.append(error)

    return answer


def talk(port: int, tls: TlsSettings, host: str = "127.0.0.1") -> Transport:
    """Connect, send something and read the answer; the transport comes back closed."""
    transport = connect(Peer("ARCHIVE", host, port, tls=tls, timeouts=SHORT))
    try:
        transport.write(HELLO, time.monotonic() + 5)
        assert transport.read(time.monotonic() + 2, "response") == HELLO
        return transport
    finally:
        facts = transport.facts()
        transport.close()
        assert facts["transport"] == "tls"


def test_mutual_tls_13(pki: Path, serve: Callable[..., int]) -> None:
    said: list[LinkError] = []
    port = serve(tls_server(files(pki, "archive"), said))
    transport = connect(Peer("ARCHIVE", "localhost", port, tls=files(pki), timeouts=SHORT))
    assert transport.facts()["version"] == "TLSv1.3"
    transport.write(HELLO, time.monotonic() + 5)
    assert transport.read(time.monotonic() + 2, "response") == HELLO
    transport.close()
    talk(port, files(pki))
    talk(port, files(pki, server_name="localhost"))
    assert said == []


@pytest.mark.parametrize(
    ("server", "client", "words"),
    [
        ({"name": "stranger", "ca": "other"}, {}, r"ARCHIVE@127\.0\.0\.1:\d+ .*ca\.pem; its issuer is 'other'"),
        ({"name": "elsewhere"}, {}, r"is not for the address 127.0.0.1; it is for pacs\.example\.org"),
        ({"name": "archive"}, {"server_name": "pacs.example.org"}, "example.org; it is for localhost, 127.0.0.1"),
        ({"name": "archive", "ca": "other"}, {}, "does not know the CA of our certificate .*agent.pem"),
        ({"name": "archive"}, {"name": None}, "demands a certificate of ours and none is configured"),
    ],
)  # fmt: skip
def test_refusals_in_words(
    pki: Path, serve: Callable[..., int], server: dict[str, str], client: dict[str, str], words: str
) -> None:
    port = serve(tls_server(files(pki, **server), []))  # type: ignore[arg-type] # keywords of files()
    with pytest.raises(TlsRefused, match=words):
        talk(port, files(pki, **client))  # type: ignore[arg-type] # keywords of files()


def test_configured_name_replaces_the_host(pki: Path, serve: Callable[..., int]) -> None:
    port = serve(tls_server(files(pki, "elsewhere"), []))
    talk(port, files(pki, server_name="pacs.example.org"))
    talk(port, files(pki, check_name=False))


@pytest.mark.parametrize(
    ("name", "words"),
    [("expired", r"has expired on 20\d\d-"), ("future", r"not yet valid before 2099-01-01 00:00 UTC .is the clock")],
)
def test_dates_of_the_peer(pki: Path, serve: Callable[..., int], name: str, words: str) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")

    with pytest.raises(TlsRefused, match=words):
        talk(serve(_whatever_comes(context)), files(pki))


def _whatever_comes(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Return a responder that the caller refuses, and then looks at again to say why."""

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1)

    return answer


@pytest.mark.parametrize(
    ("server", "crl", "words"),
    [
        ("revoked", "crl", r"has been revoked by its CA, says .*crl\.pem; its issuer is 'ca'"),
        ("archive", "old-crl", r"the revocation list in .*old-crl\.pem is out of date since 2020-02-01 00:00 UTC"),
        ("archive", "other-crl", r"cannot be checked: .*other-crl\.pem has no revocation list of its CA"),
        ("archive", "crl", ""),
    ],
)
def test_revocation_lists(pki: Path, serve: Callable[..., int], server: str, crl: str, words: str) -> None:
    port = serve(tls_server(files(pki, server), []))
    settings = files(pki, crl_file=str(pki / f"{crl}.pem"))
    if not words:
        talk(port, settings)
        return
    with pytest.raises(TlsRefused, match=words):
        talk(port, settings)


def test_caller_on_the_revocation_list_is_refused_by_the_listener(pki: Path, serve: Callable[..., int]) -> None:
    said: list[LinkError] = []
    port = serve(tls_server(files(pki, "archive", crl_file=str(pki / "crl.pem")), said))
    with pytest.raises(TlsRefused, match=r"says that our certificate .*revoked\.pem is revoked"):
        talk(port, files(pki, "revoked"))
    deadline = time.monotonic() + 2
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "the certificate of caller has been revoked by its CA, says" in str(said[0])
    talk(port, files(pki))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rsa-1024", "RSA key of 1024 bits; 2048 are the least|too weak: RSA 2048 bits"),
        ("p-224", "ECC key of 224 bits; 256 are the least|refuses the handshake|offers no"),
        ("sha-1", "signed with SHA-1|too weak: SHA-256 at least"),
        ("sha-224", "signed with SHA-1 or SHA-224; SHA-256 is the least"),
    ],
)
def test_weak_certificates(pki: Path, serve: Callable[..., int], name: str, words: str) -> None:
    import ssl

    with pytest.raises(ConfigError, match=r"(has an (RSA|ECC) key of|is signed with).* the least \(PS3.15 B.13\)"):
        server_context(files(pki, name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    if name == "p-224":
        context.set_ecdh_curve("prime256v1")
    context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    with pytest.raises(TlsRefused, match=words):
        talk(serve(_whatever_comes(context)), files(pki, ca=name))


@pytest.mark.parametrize(
    ("name", "words"),
    [("expired", r"our own certificate .*expired.pem expired on 20"), ("future", "not valid before 2099")],
)
def test_dates_of_our_own_are_told_before_the_network(pki: Path, name: str, words: str) -> None:
    with pytest.raises(TlsRefused, match=words):
        talk(1, files(pki, name))


def test_plain_peer_on_a_tls_port(pki: Path, serve: Callable[..., int]) -> None:
    def abort(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x01")

    with pytest.raises(TlsRefused, match="does not speak TLS on this port"):
        talk(serve(abort), files(pki))


def test_peer_that_closes_in_the_handshake(pki: Path, serve: Callable[..., int]) -> None:
    with pytest.raises(TlsRefused, match="closed the connection in the TLS handshake"):
        talk(serve(lambda connection: connection.recv(9) and None), files(pki))


def test_silent_peer_ends_by_the_tls_deadline(pki: Path, serve: Callable[..., int]) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.settimeout(2)
        connection.recv(1)

    started = time.monotonic()
    with pytest.raises(LinkTimeout, match="wait 'tls'"):
        talk(serve(silent), files(pki))
    assert time.monotonic() - started < 1.5


def test_server_names_what_it_refuses(pki: Path, serve: Callable[..., int]) -> None:
    said: list[LinkError] = []
    port = serve(tls_server(files(pki, "archive"), said))
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"\x01\x00\x00\x00\x00\xcc" + bytes(204))
    deadline = time.monotonic() + 2
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "caller does not speak TLS" in str(said[0])


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ConnectFailed, match="nothing listens"):
        connect(Peer("ARCHIVE", "127.0.0.1", port, timeouts=SHORT))
    with pytest.raises(ConnectFailed, match="host name is not known"):
        connect(Peer("ARCHIVE", "no-such-host.invalid", 104, timeouts=SHORT))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ca_file": "/none/ca.pem"}, "CA file /none/ca.pem cannot be read: No such file"),
        ({"certificate_file": "/none/a.pem"}, "certificate file /none/a.pem cannot be read"),
        ({"key_file": "/none/a.key"}, "key file /none/a.key cannot be read"),
        ({"key_file": "archive.key"}, "archive.key does not belong to certificate"),
        ({"key_file": "agent.pem"}, "agent.pem is encrypted or not in PEM form"),
        ({"certificate_file": "agent.key"}, "agent.key holds no certificate"),
        ({"ca_file": "agent.key"}, "agent.key holds no certificate"),
        ({"crl_file": "/none/crl.pem"}, "CRL file /none/crl.pem cannot be read"),
        ({"crl_file": "ca.pem"}, "ca.pem holds no revocation list"),
    ],
)
def test_wrong_files_are_configuration_errors(pki: Path, change: dict[str, str], words: str) -> None:
    settings = files(pki)._replace(**{key: str(pki / value) for key, value in change.items()})
    with pytest.raises(ConfigError, match=words):
        client_context(settings)


def test_context_knows_no_public_ca_and_no_old_version(pki: Path) -> None:
    import ssl

    context = client_context(files(pki))
    assert len(context.get_ca_certs()) == 1
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = {suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"}
    assert names
    assert all(name.startswith("ECDHE-") and ("GCM" in name or "CCM" in name or "POLY1305" in name) for name in names)
