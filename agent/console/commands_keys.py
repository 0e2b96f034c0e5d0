"""Rows of the table that have to do with keys, files over the line, and the end of a box's first life."""

from __future__ import annotations

from agent.console.row import Argument, Command
from agent.console.transfer import PROTOCOLS, RECEIVED, SENT
from agent.typed import Final

_PROTOCOL: Final = Argument("protocol", "how; zmodem without it", keyword=True, value="NAME", choices=tuple(PROTOCOLS))

KEYS: Final = (
    Command(
        "tls request",
        "admin",
        "make a key that stays here, and a certificate request for the CA",
        (
            Argument("subject", "Common Name", "", "--subject", keyword=True, value="NAME"),
            Argument("name", "name or address of this box", "", "--name", keyword=True, value="HOST"),
            Argument("kind", "kind of key", "", "--kind", keyword=True, value="KIND",
                     choices=("p-256", "rsa-2048", "rsa-3072")),
            Argument("same-key", "for the key that is there", "", "--same-key", keyword=True),
        ),
        verb=("tls", "request"),
        changes=True,
        wait_s=120,
    ),
    Command(
        "tls import",
        "admin",
        "paste what the CA returned; it is shown before it is kept",
        (
            Argument("WHAT", "what it is", choices=("certificate", "ca", "crl")),
            Argument("destination", "the CA of this destination alone", "destination", keyword=True, value="NAME"),
            Argument("add", "beside those there are", keyword=True),
        ),
        act="acts_keys:paste",
        changes=True,
        json=False,
    ),
    Command(
        "file send",
        "technician",
        "send a file over this line (lrzsz)",
        (
            Argument("WHAT", "what to send", choices=tuple(SENT)),
            Argument("source", "whose frame, of a preview", "source", keyword=True, value="NAME"),
            _PROTOCOL,
        ),
        act="acts_files:send",
        json=False,
    ),
    Command(
        "file receive",
        "technician",
        "take a file over this line (lrzsz), and use it",
        (Argument("WHAT", "what will come", choices=RECEIVED), _PROTOCOL),
        act="acts_files:receive",
        changes=True,
        json=False,
    ),
    Command("machine", "technician", "a program is at the other end: 'modality-agent provision'",
            act="acts_keys:machine", changes=True, json=False),
    Command("factory reset", "admin", "users, configuration, certificates and keys as at the first start",
            act="acts_keys:factory", changes=True, json=False),
)  # fmt: skip
