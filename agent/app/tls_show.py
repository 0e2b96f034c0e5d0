"""``tls show``: which certificates are in use, whose they are, until when, and what would keep them from being used.

It judges nothing anew and connects to nobody: what it says of a peer is what the last association showed.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from agent.app.certificates import ending
from agent.app.cli import print_json
from agent.app.common import settings_of
from agent.app.term import printable
from agent.app.tls_text import certificate_lines, certificate_row, chain_text, fingerprint_lines
from agent.errors import AgentError, ConfigError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.config.settings import Settings

_LINE = 400


def show(args: Arguments) -> int:
    """Do it."""
    settings = settings_of(args)
    facts: dict[str, Any] = {
        "certificates": _certificates(settings),
        "chain": _chain(settings),
        "lists": _lists(settings),
        "peers": _peers(settings),
        "notes": ending(settings, time.time()),
        "profile": _profile(),
        "problem": _problem(settings),
    }
    if args.json:
        print_json(facts)
        return 0
    for row in facts["certificates"]:
        print("\n".join(certificate_lines(row)) + "\n")
    if facts["chain"]:
        print(f"our chain: {printable(chain_text(facts['chain']), _LINE)}")
    for row in facts["lists"]:
        print(
            f"list of {printable(row['issuer'])}: {row['revoked']} revoked, good until {row['next_update']}\n"
            f"  file       {printable(row['file'])}"
        )
    for row in facts["peers"]:
        print(
            f"{row['destination']} showed '{printable(row['subject'])}', valid until {row['valid_until']}\n"
            + "\n".join(fingerprint_lines(row["sha256"]))
        )
    if not facts["certificates"]:
        print("no certificate is configured: [tls] is empty")
    profile = facts["profile"]
    print(f"{profile['openssl']}, OPENSSL_CONF {profile['openssl_conf'] or 'not set'}")
    for side in ("client", "server"):
        missing = profile[f"{side}_b13_shortfalls"]
        print(f"as {side}: PS3.15 B.12" + (f"; not B.13: {'; '.join(missing)}" if missing else " and B.13"))
    for note in facts["notes"]:
        print(f"note: {printable(note, _LINE)}")
    if facts["problem"]:
        print(f"problem: {printable(facts['problem'], _LINE)}")
    return 0


def _certificates(settings: Settings) -> list[dict[str, Any]]:
    from agent.app.certificates import held

    rows: list[dict[str, Any]] = []
    with suppress(ConfigError):  # the notes say which file it is
        rows.extend(certificate_row(what, path, one, time.time()) for what, path, one in held(settings))
    return rows


def _chain(settings: Settings) -> dict[str, Any]:
    """Return the chain of our certificate as far as the files of this box know it."""
    from agent.link.certificate_facts import facts, in_order
    from agent.link.pem import readable_certificates

    own = readable_certificates(settings.tls.certificate_file) if settings.tls.certificate_file else []
    if not own:
        return {}
    chain, strangers = in_order(own[0], own[1:])
    whole, _ = in_order(own[0], [*own[1:], *readable_certificates(settings.tls.ca_file)])
    return {
        "subjects": [one.subject for one in whole],
        "sent": [one.subject for one in chain],
        "complete": facts(whole[-1]).self_issued,
        "issuer": whole[-1].issuer,
        "strangers": [one.subject for one in strangers],
    }


def _lists(settings: Settings) -> list[dict[str, Any]]:
    from agent.link.certificate import readable
    from agent.link.pem import revocation_lists

    path = settings.tls.crl_file
    return [
        {
            "issuer": one.issuer,
            "next_update": readable(one.next_update),
            "revoked": sum(1 for _ in one.serials()),
            "file": path,
        }
        for one in (revocation_lists(path) if path else ())
    ]


def _peers(settings: Settings) -> list[dict[str, Any]]:
    from agent.app.flight_text import records

    rows = []
    for row in settings.destination:
        profile = records(settings.spool.path, row.name)[0] if row.tls else {}
        if profile.get("certificate"):
            digest = profile["certificate"].removeprefix("SHA-256 ")
            known = {key: profile.get(key, "") for key in ("subject", "valid_until")}
            rows.append({"destination": row.name, **known, "sha256": digest})
    return rows


def _profile() -> dict[str, Any]:
    import ssl

    from agent.link.tls_offer import offer, shortfalls

    what = offer()
    return {
        "openssl": ssl.OPENSSL_VERSION,
        "openssl_conf": os.environ.get("OPENSSL_CONF", ""),
        "suites": what.suites,
        "client_b13_shortfalls": shortfalls(what, server=False),
        "server_b13_shortfalls": shortfalls(what, server=True),
    }


def _problem(settings: Settings) -> str:
    """Say what would keep the agent from using these files, or nothing."""
    from agent.app.wiring import check_tls

    try:
        check_tls(settings)
    except AgentError as error:
        return error.message
    return ""
