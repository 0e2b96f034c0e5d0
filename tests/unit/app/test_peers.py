"""A destination of the configuration becomes a peer, with every wait that it may name."""

from __future__ import annotations

from agent.app.peers import peer_of_destination
from agent.config.load import parse

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
