"""Targets of TLS: certificates and revocation lists as DER, which a peer shows before anybody has verified them, and
what somebody brings to the box as one.

The first byte of ``certificate`` chooses between the two.
"""

from __future__ import annotations

import hashlib
import re

from agent.errors import PemError
from agent.link import pem_input
from agent.link.certificate import TEXT_LIMIT, read, read_list, readable
from agent.link.certificate_facts import facts

STAMP = re.compile(r"\d{14}Z")


def run_certificate(data: bytes) -> None:
    """Nothing but ValueError leaves; what was read can be said on one line, and its dates can be compared."""
    if not data:
        return
    body = data[1:]
    try:
        if data[0] & 1:
            listed = read_list(body)
            stamps, texts = [listed.next_update], [listed.issuer]
            assert sum(1 for _ in listed.serials()) <= len(body) / 4
        else:
            shown = read(body)
            assert shown.sha256 == hashlib.sha256(body).hexdigest()
            stamps = [shown.validity.not_before, shown.validity.not_after]
            texts = [shown.subject, shown.issuer, shown.weakness, *shown.names]
            shown.validity.problem("20260101000000Z")
    except ValueError:
        return
    for stamp in stamps:
        assert STAMP.fullmatch(stamp), stamp
        assert readable(stamp).isprintable()
    for text in texts:
        assert text.isprintable()
        assert len(text) <= TEXT_LIMIT


def run_pem(data: bytes) -> None:
    """Nothing but PemError leaves, no key is kept, and what is kept reads the same again."""
    try:
        given = pem_input.sort(data, "x")
    except PemError:
        return
    assert b"PRIVATE KEY-----" not in data
    for one in given.certificates:
        assert facts(one).key.isprintable()
    for kept in (
        pem_input.of_certificates(list(given.certificates)),
        pem_input.of_lists([der for _, der in given.lists]),
    ):
        if kept:
            again = pem_input.sort(kept, "x")
            assert [one.der for one in again.certificates] in ([], [one.der for one in given.certificates])
            assert [der for _, der in again.lists] in ([], [der for _, der in given.lists])
