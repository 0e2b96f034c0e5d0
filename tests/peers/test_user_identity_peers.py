"""User identity judged by pynetdicom: what its EVT_USER_ID handler hears, and what we make of its answer."""

from __future__ import annotations

import contextlib
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fakes.command import QUICK_SOURCE, run_command
from fakes.process import Process, free_port
from fakes.site import Site
from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import Verification

from agent.dataset.uid import VERIFICATION
from agent.errors import AssociationRejected, UserNotConfirmed
from agent.forward.deliver import echo
from agent.link.conversation import refuse
from agent.link.listener import Listener, serve_requests
from agent.link.peer import Peer, Timeouts
from agent.link.user_identity import User
from agent.service import verification
from agent.service.proposal import acceptor_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAITS = Timeouts(connect_s=5, associate_s=5, response_s=5, release_s=2)
SECRETS = {2: b"pass code \xc3\xa4", 3: bytes(range(256)) * 8, 4: b"<saml:Assertion/>\n", 5: b"eyJhbGciOi.J9.c2ln"}
Answer = tuple[bool, bytes | None]


def asked(event: Any) -> bool:
    """Whether the request asks for a confirmation, as pynetdicom read it."""
    return bool(event.assoc.requestor.user_identity.positive_response_requested)


@contextmanager
def scp(handler: Callable[[Any], Answer] | None) -> Iterator[tuple[Peer, list[Any]]]:
    """Run a pynetdicom SCP; yields the way to it and what it was told of users."""
    heard: list[Any] = []

    def on_user(event: Any) -> Answer:
        heard.append((event.user_id_type, event.primary_field, event.secondary_field, asked(event)))
        assert handler is not None
        return handler(event)

    ae = AE()
    ae.add_supported_context(Verification)
    handlers = [(evt.EVT_USER_ID, on_user)] if handler else []
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield Peer("ANY", "127.0.0.1", server.socket.getsockname()[1], "AGENT", timeouts=WAITS), heard
    finally:
        server.shutdown()


def user(kind: int, folder: Path, *, response: bool) -> User:
    name = "müller" if kind in (1, 2) else ""
    file = folder / f"secret{kind}"
    file.write_bytes(SECRETS.get(kind, b"") + (b"\n" if kind in (2, 5) else b""))
    file.chmod(0o600)
    return User(kind, name, str(file) if kind != 1 else "", response=response, in_clear=True)


@pytest.mark.parametrize("response", [False, True])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
def test_every_type_arrives(kind: int, response: bool, tmp_path: Path) -> None:
    ticket = b"" if kind in (1, 2) else b"of the server"
    # pynetdicom never confirms a user name, which PS3.7 D.3.3.7.2 lets it do with an empty answer.
    unconfirmed = response and kind in (1, 2)
    outcome = pytest.raises(UserNotConfirmed) if unconfirmed else contextlib.nullcontext()
    with scp(lambda _event: (True, ticket)) as (peer, heard), outcome:
        echo(peer._replace(user=user(kind, tmp_path, response=response)))
    primary = "müller".encode() if kind in (1, 2) else SECRETS[kind]
    assert heard == [(kind, primary, SECRETS[2] if kind == 2 else b"", response)]


@pytest.mark.parametrize("kind", [1, 2, 5])
def test_a_user_that_is_not_verified_is_told(kind: int, tmp_path: Path) -> None:
    who = user(kind, tmp_path, response=True)
    with scp(lambda _event: (False, None)) as (peer, heard), pytest.raises(AssociationRejected) as raised:
        echo(peer._replace(user=who))
    assert len(heard) == 1
    assert f"The peer may not know the {who}" in raised.value.hint


def test_a_peer_without_user_identity_is_refused_only_where_proof_was_asked_for(tmp_path: Path) -> None:
    with scp(None) as (peer, _):
        echo(peer._replace(user=user(2, tmp_path, response=False)))
        with pytest.raises(UserNotConfirmed, match="does not confirm the user 'müller'"):
            echo(peer._replace(user=user(2, tmp_path, response=True)))


def test_a_token_that_is_renewed_is_read_anew(tmp_path: Path) -> None:
    with scp(lambda _event: (True, b"")) as (peer, heard):
        known = peer._replace(user=user(5, tmp_path, response=True))
        echo(known)
        (tmp_path / "secret5").write_bytes(b"new.to.ken")
        echo(known)
    assert [primary for _, primary, *_ in heard] == [SECRETS[5], b"new.to.ken"]


def test_the_daemon_says_who_it_is_and_never_the_passcode(tmp_path: Path) -> None:
    """From the configuration to the peer; log, flight record, why and status hold no word of the passcode."""
    passcode = "Tr0ub4dor&3"
    file = tmp_path / "passcode"
    file.write_text(passcode + "\n")
    site = Site(tmp_path / "site")
    with scp(lambda event: (event.secondary_field == passcode.encode(), None)) as (peer, heard):
        destination: dict[str, Any] = {
            "name": "pacs", "called_ae": "ANY", "port": peer.port, "user_identity": "passcode", "user_name": "box7",
            "user_file": str(file), "user_in_clear": True,
        }  # fmt: skip
        site.configure(destinations=[destination], sources=[QUICK_SOURCE])
        open_file = run_command("config", "check", site.config)
        assert open_file.returncode == 10
        assert "only the agent's own user may read or write what proves who it is" in open_file.stderr
        assert f"chmod 600 {file}" in open_file.stderr
        opened = run_command("echo", "--to", "pacs", "--config", site.config)
        assert (opened.returncode, heard) == (10, [])
        assert f"chmod 600 {file}" in opened.stderr
        file.chmod(0o600)
        agent: Process = site.start()
        try:
            agent.wait_until("an association", lambda: heard)
            agent.wait_until("its record", (site.spool / "flight" / "pacs").exists)
            told = run_command("why", "pacs", "--config", site.config, "--text", tmp_path / "text").stdout
            told += run_command("status", "--config", site.config, "--json").stdout
        finally:
            agent.stop()
    assert heard[0] == (2, b"box7", passcode.encode(), False)
    record = (site.spool / "flight" / "pacs").read_text()
    text = (tmp_path / "text").read_text()
    assert "user identity: user name and passcode, no confirmation asked for" in text
    assert json.loads(record.splitlines()[-1])["user"] == [2, False, False]
    assert passcode not in agent.log + record + text + told
    assert "box7" not in record + text


@pytest.fixture
def our_listener() -> Iterator[int]:
    """Run our listener, Verification only; returns its port."""
    policy = acceptor_policy({VERIFICATION: verification.OFFER})
    listener = Listener("127.0.0.1", 0, policy, lambda call: serve_requests(call, refuse, 5))
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    yield listener.port
    stop.set()
    thread.join(10)


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
def test_our_listener_confirms_names_and_takes_the_rest_in_silence(our_listener: int, kind: int, asks: bool) -> None:
    """PS3.15 B.4, judged by pynetdicom as the requestor."""
    item = UserIdentityNegotiation()
    item.user_identity_type, item.primary_field, item.positive_response_requested = kind, b"somebody", asks
    if kind == 2:
        item.secondary_field = b"passcode"
    ae = AE()
    ae.add_requested_context(Verification)
    association = ae.associate("127.0.0.1", our_listener, ext_neg=[item])
    assert association.is_established
    assert association.send_c_echo().Status == 0
    found = association.acceptor.user_identity
    association.release()
    assert (found is not None) is (asks and kind in (1, 2))


def test_our_own_client_is_confirmed_by_our_listener(our_listener: int, tmp_path: Path) -> None:
    peer = Peer("ANY", "127.0.0.1", our_listener, timeouts=WAITS)
    echo(peer._replace(user=user(2, tmp_path, response=True)))
    with pytest.raises(UserNotConfirmed):
        echo(peer._replace(user=user(5, tmp_path, response=True)))


def test_a_passcode_in_clear_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    """A passcode is never sent in clear unasked, whatever else is configured."""
    site = Site(tmp_path / "site")
    file = tmp_path / "passcode"
    file.write_text("x")
    file.chmod(0o600)
    destination = {"name": "pacs", "called_ae": "ANY", "port": free_port(), "user_identity": "passcode",
                   "user_name": "u", "user_file": str(file)}  # fmt: skip
    site.configure(destinations=[destination])
    done = run_command("config", "check", site.config)
    assert done.returncode == 10
    assert "'passcode' would go over the network in clear; set tls, or user_in_clear to insist" in done.stderr
