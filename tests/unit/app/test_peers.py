"""A destination of the configuration becomes a peer, with every wait that it may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.app.options import Arguments
from agent.app.peers import peer_of, peer_of_destination
from agent.config.load import parse
from agent.errors import UsageError
from agent.link.tls import TlsSettings

if TYPE_CHECKING:
    from pathlib import Path

DESTINATION = '[[destination]]\nname = "pacs"\ncalled_ae = "PACS"\nhost = "pacs.example.org"\n'


def test_waits_of_a_destination() -> None:
    keys = {"connect": 1.5, "response": 2.5, "pdu": 3.5, "association": 4.5}
    text = DESTINATION + "".join(f"{name}_timeout_s = {seconds}\n" for name, seconds in keys.items())
    settings = parse(text)
    waits = peer_of_destination(settings, settings.destination[0]).timeouts
    assert (waits.connect_s, waits.tls_s) == (1.5, 1.5)
    assert (waits.associate_s, waits.response_s, waits.write_s) == (2.5, 2.5, 2.5)
    assert (waits.pdu_s, waits.association_s) == (3.5, 4.5)


def test_waits_that_nobody_names() -> None:
    settings = parse(DESTINATION)
    waits = peer_of_destination(settings, settings.destination[0]).timeouts
    assert (waits.pdu_s, waits.association_s) == (30.0, 3600.0)


# --- options beside --to ---------------------------------------------------------------------------

TLS = 'tls = true\ntls_server_name = "pacs"\n[tls]\nca_file = "ca"\ncertificate_file = "me"\nkey_file = "me.key"\n'
NO_OPTION = dict.fromkeys(("ae", "ca", "cert", "key", "server_name", "timeout"))


def tls_of(folder: Path, to: str = "pacs", keys: str = TLS, **options: str) -> TlsSettings | None:
    config = folder / "agent.toml"
    config.write_text(DESTINATION + keys)
    for name in ("other", "you", "you.key"):
        (folder / name).write_text("")
    given = {name: str(folder / value) if name != "server_name" else value for name, value in options.items()}
    return peer_of(Arguments(**NO_OPTION | {"to": to, "config": str(config)} | given)).tls


def test_an_option_counts_more_than_the_key_of_the_destination(tmp_path: Path) -> None:
    configured = tls_of(tmp_path)
    assert configured is not None
    other = str(tmp_path / "other")
    assert tls_of(tmp_path, ca="other") == configured._replace(ca_file=other)
    assert tls_of(tmp_path, server_name="x") == configured._replace(server_name="x")
    pair = {"certificate_file": str(tmp_path / "you"), "key_file": str(tmp_path / "you.key")}
    assert tls_of(tmp_path, cert="you", key="you.key") == configured._replace(**pair)
    assert tls_of(tmp_path, keys="", ca="other") == TlsSettings(other)  # switches TLS on
    assert tls_of(tmp_path, "PACS@h:1", ca="other", server_name="x") == TlsSettings(other, server_name="x")


@pytest.mark.parametrize("to", ["pacs", "PACS@h:1"])
@pytest.mark.parametrize("options", [{"server_name": "x"}, {"cert": "you", "key": "you.key"}])
def test_options_of_tls_without_a_ca_are_refused(to: str, options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="TLS needs --ca"):
        tls_of(tmp_path, to, "", **options)


@pytest.mark.parametrize("options", [{"cert": "you"}, {"key": "you.key"}])
def test_half_a_pair_is_refused(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--cert and --key belong together"):
        tls_of(tmp_path, **options)
