"""Resumed TLS sessions, told by OpenSSL and by other toolkits; and every reason not to resume one."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fakes.faulty_pki import PAST, Pki, make_faulty
from fakes.peers import Orthanc, dcmtk_tls, need
from fakes.process import free_port, is_listening

from agent.errors import LinkTimeout, TlsRefused
from agent.forward.deliver import echo
from agent.link import listener as listener_module
from agent.link import sessions
from agent.link.listener import Listener, serve_requests
from agent.link.peer import Peer, Timeouts
from agent.link.tls import TlsSettings
from agent.link.transport import connect
from agent.service import verification
from agent.service.proposal import acceptor_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAITS = Timeouts(connect_s=5, tls_s=5, associate_s=5, write_s=5, response_s=5, release_s=2)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_faulty(tmp_path_factory.mktemp("faulty"))


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    sessions._kept.clear()


def files(folder: Path, name: str = "agent", **more: Any) -> TlsSettings:
    return TlsSettings(str(folder / "ca.pem"), str(folder / f"{name}.pem"), str(folder / f"{name}.key"), **more)


class Server:
    """An ``s_server`` that greets, and so gives its tickets to whoever reads."""

    def __init__(self, pki: Pki, name: str, *options: str, mode: tuple[str, ...] = ("-rev",)) -> None:
        self.port = free_port()
        command = [need("openssl"), "s_server", "-accept", str(self.port), "-CAfile", "ca.pem", *mode, *options]
        command += ["-cert", f"{name}.pem", "-key", f"{name}.key", "-Verify", "2", "-verify_return_error"]
        self._log = pki.folder / f"s_server{self.port}.log"
        # Its standard input stays open: s_server quits when that ends.
        with self._log.open("wb") as out:
            self._child = subprocess.Popen(
                command, cwd=pki.folder, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 10
        while not is_listening(self.port):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> str:
        """End it; returns what it has said."""
        self._child.terminate()
        self._child.communicate(timeout=10)
        return self._log.read_text(errors="replace")


@contextmanager
def s_server(pki: Pki, name: str = "good", *options: str) -> Iterator[Server]:
    server = Server(pki, name, *options)
    try:
        yield server
    finally:
        server.stop()


def visit(server: Server | int, tls: TlsSettings) -> str:
    """Connect, let it turn a word round, and return whether the session was resumed."""
    port = server if isinstance(server, int) else server.port
    transport = connect(Peer("ANY", "127.0.0.1", port, tls=tls, timeouts=WAITS))
    try:
        transport.write(b"abc\n", time.monotonic() + 5)
        assert transport.read(time.monotonic() + 5, "response") == b"cba\n"
        return transport.facts()["resumed"]
    finally:
        transport.close()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_says_that_the_sessions_are_resumed(pki: Pki, version: str) -> None:
    server = Server(pki, "good", version, mode=())
    peer = Peer("ANY", "127.0.0.1", server.port, tls=files(pki.folder), timeouts=WAITS)
    try:
        for _ in range(3):
            transport = connect(peer)
            with pytest.raises(LinkTimeout):  # it has nothing to say, but gives its tickets
                transport.read(time.monotonic() + 0.3, "response")
            transport.close()
    finally:
        said = server.stop()
    assert said.count("Reused session-id") == 2
    assert said.count("CIPHER is") == 3


def test_the_second_connection_resumes_the_session_of_the_first(pki: Pki) -> None:
    with s_server(pki) as server:
        assert [visit(server, files(pki.folder)) for _ in range(3)] == ["no", "yes", "yes"]


def test_another_name_or_another_ca_is_another_peer(pki: Pki) -> None:
    with s_server(pki) as server:
        assert visit(server, files(pki.folder)) == "no"
        assert visit(server, files(pki.folder, server_name="localhost")) == "no"
        with pytest.raises(TlsRefused, match="is not for the name elsewhere"):
            visit(server, files(pki.folder, server_name="elsewhere"))
        with pytest.raises(TlsRefused, match=r"comes with a CA that is not in|is not signed by a CA"):
            visit(server, files(pki.folder)._replace(ca_file=str(pki.folder / "other.pem")))


@pytest.mark.parametrize("file", ["ca.pem", "agent.pem", "agent.key"])
def test_files_that_change_end_the_session(pki: Pki, file: str) -> None:
    with s_server(pki) as server:
        tls = files(pki.folder)
        assert [visit(server, tls), visit(server, tls)] == ["no", "yes"]
        os.utime(pki.folder / file)
        assert [visit(server, tls), visit(server, tls)] == ["no", "yes"]


def test_a_peer_that_is_revoked_meanwhile_is_refused(pki: Pki) -> None:
    pki.issue("soon")
    pki.crl("live.crl", "ca")
    tls = files(pki.folder, crl_file=str(pki.folder / "live.crl"))
    with s_server(pki, "soon") as server:
        assert [visit(server, tls), visit(server, tls)] == ["no", "yes"]
        pki.revoke("soon")
        pki.crl("live.crl", "ca")
        with pytest.raises(TlsRefused, match="has been revoked by its CA"):
            visit(server, tls)


def test_a_list_that_ends_meanwhile_ends_the_session(pki: Pki) -> None:
    """The list of 3 s is over when the third connection comes: OpenSSL must see it again."""
    soon = time.gmtime(time.time() + 3)
    pki.crl("short.crl", "ca", dates=("20200101000000Z", time.strftime("%Y%m%d%H%M%SZ", soon)))
    tls = files(pki.folder, crl_file=str(pki.folder / "short.crl"))
    with s_server(pki) as server:
        assert [visit(server, tls), visit(server, tls)] == ["no", "yes"]
        time.sleep(3.2)
        with pytest.raises(TlsRefused, match=r"the revocation list in .*short\.crl is out of date"):
            visit(server, tls)


def test_a_session_has_a_bounded_life(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    with s_server(pki) as server:
        tls = files(pki.folder)
        assert [visit(server, tls), visit(server, tls)] == ["no", "yes"]
        monkeypatch.setattr(sessions, "LIFE_S", 0.0)
        assert visit(server, tls) == "no"


def test_a_clock_that_was_set_back_ends_the_session(pki: Pki) -> None:
    peer = Peer("ANY", "127.0.0.1", 1, tls=files(pki.folder))
    held = sessions.take(peer, lambda: 1000.0)
    assert sessions.take(peer, lambda: 1001.0) is held
    assert sessions.take(peer, lambda: 999.0) is not held


def test_what_is_kept_is_bounded(pki: Pki) -> None:
    peer = Peer("ANY", "127.0.0.1", 1, tls=files(pki.folder))
    first = sessions.take(peer)
    for port in range(2, sessions.KEPT + 1):
        sessions.take(peer._replace(port=port))
    assert sessions.take(peer) is first
    for port in range(2, sessions.KEPT + 2):
        sessions.take(peer._replace(port=port))
    assert len(sessions._kept) == sessions.KEPT
    assert sessions.take(peer) is not first


def test_a_peer_that_chokes_on_a_session_is_asked_for_a_whole_handshake(pki: Pki) -> None:
    """OpenSSL servers without a session id context break a resumption off with an alert: internal error."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.folder / "good.pem", pki.folder / "good.key")
    chokes = [False, True, False, False]  # the second, and with it the fourth, shows a ticket

    def serve() -> None:
        for choke in chokes:
            side, _ = listener.accept()
            with side:
                if choke:
                    assert side.recv(4096)
                    side.sendall(b"\x15\x03\x03\x00\x02\x02\x50")
                    continue
                with context.wrap_socket(side, server_side=True) as wrapped:
                    wrapped.sendall(wrapped.recv(4)[2::-1] + b"\n")
                    wrapped.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        assert [visit(port, files(pki.folder)) for _ in range(3)] == ["no", "no", "no"]
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("option", ["--require-peer-cert", "--ignore-peer-cert"])
def test_storescp_resumes(storescp: Callable[..., Any], bench_ca: Path, option: str) -> None:
    peer = storescp(*dcmtk_tls(bench_ca, "archive"), option)
    at = Peer("ANY", "127.0.0.1", peer.port, "AGENT", files(bench_ca), WAITS)
    assert [echo(at).facts["resumed"] for _ in range(3)] == ["no", "yes", "yes"]


def test_orthanc_resumes(orthanc: Callable[..., Orthanc], bench_ca: Path) -> None:
    peer = orthanc(tls=bench_ca, modalities={"agent": ["AGENT", "127.0.0.1", 1]})
    at = Peer(peer.aet, "127.0.0.1", peer.port, "AGENT", files(bench_ca), WAITS)
    assert [echo(at).facts["resumed"] for _ in range(3)] == ["no", "yes", "yes"]


# --- as listener ---------------------------------------------------------------------------------------


@contextmanager
def listening(tls: TlsSettings, said: list[str]) -> Iterator[int]:
    offers = {verification.VERIFICATION: verification.OFFER}
    listener = Listener(
        "127.0.0.1", 0, acceptor_policy(offers), lambda call: serve_requests(call, _nothing, 2), tls=tls,
        timeouts=WAITS, say=said.append,
    )  # fmt: skip
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    try:
        yield listener.port
    finally:  # a test that fails ends, too
        stop.set()
        thread.join(10)


def _nothing(_incoming: object) -> Any:
    raise AssertionError


def s_client(pki: Pki, port: int, *options: str) -> str:
    """Connect with ``s_client``, let it take the tickets, and return what it says."""
    command = [need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", "ca.pem", "-cert", "agent.pem"]
    command += ["-key", "agent.key", *options]
    with subprocess.Popen(
        command, cwd=pki.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as client:
        time.sleep(0.4)  # TLS 1.3 brings tickets after the handshake
        return client.communicate(b"Q\n", timeout=10)[0].decode(errors="replace")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_callers_resume_until_the_context_is_renewed(pki: Pki, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(files(pki.folder, "good"), []) as port:
        assert "New, TLSv1" in s_client(pki, port, version, "-sess_out", "session.pem")
        assert "Reused, TLSv1" in s_client(pki, port, version, "-sess_in", "session.pem", "-sess_out", "session.pem")
        monkeypatch.setattr(listener_module, "CONTEXT_S", 0.0)
        assert "New, TLSv1" in s_client(pki, port, version, "-sess_in", "session.pem")


def test_callers_do_not_resume_where_there_are_revocation_lists(pki: Pki) -> None:
    with listening(files(pki.folder, "good", crl_file=str(pki.folder / "ca.crl")), []) as port:
        said = s_client(pki, port, "-tls1_2", "-sess_out", "none.pem")
        assert "New, TLSv1.2" in said
        assert "New, TLSv1.2" in s_client(pki, port, "-tls1_2", "-sess_in", "none.pem")


def test_a_list_that_is_kept_fresh_counts_for_callers_at_once(pki: Pki) -> None:
    """Revoked: refused by the next handshake. A list that was out of date and is fresh again lets callers in."""
    pki.issue("caller")
    caller = ("-tls1_2", "-cert", "caller.pem", "-key", "caller.key")
    pki.crl("kept.crl", "ca")
    said: list[str] = []
    with listening(files(pki.folder, "good", crl_file=str(pki.folder / "kept.crl")), said) as port:
        assert "New, TLSv1.2" in s_client(pki, port, *caller)
        pki.crl("kept.crl", "ca", dates=PAST)
        assert "alert" in s_client(pki, port, *caller)
        pki.crl("kept.crl", "ca")
        assert "New, TLSv1.2" in s_client(pki, port, *caller)
        pki.revoke("caller")
        pki.crl("kept.crl", "ca")
        assert "alert certificate revoked" in s_client(pki, port, *caller)


def test_a_context_that_cannot_be_renewed_stays(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    gone = pki.folder / "gone.pem"
    gone.write_bytes((pki.folder / "good.pem").read_bytes())
    with listening(files(pki.folder, "good")._replace(certificate_file=str(gone)), said) as port:
        gone.unlink()
        monkeypatch.setattr(listener_module, "CONTEXT_S", 0.0)
        assert "New, TLSv1.3" in s_client(pki, port, "-tls1_3")
    assert any("the certificates of before stay in use" in line for line in said)
