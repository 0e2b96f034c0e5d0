"""``tls request``: a key and a certificate request of this box. ``tls show``: which certificates are in use.

``show`` judges nothing anew and connects to nobody: what it says of a peer is what the last association showed.
"""

from __future__ import annotations

import os
import socket
import time

from agent.app.certificates import ending
from agent.app.cli import print_json
from agent.app.common import DEFAULT_CONFIG, add_config, settings_of
from agent.app.term import printable, table
from agent.errors import AgentError, UsageError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings
    from agent.link.certificate import Certificate

_LINE = 400
_OF_REQUEST = ("key", "output", "subject", "organization", "name", "kind", "same_key")


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("request", "show"), help="make key and request, or show what is in use")
    add_config(parser)
    parser.add("--key", of=("request",), metavar="FILE", help="request: where the new key goes ([tls] key_file)")
    parser.add(
        "-o",
        "--output",
        of=("request",),
        metavar="FILE",
        help="request: where the request goes (the key's name with .csr)",
    )
    parser.add(
        "--kind", of=("request",), choices=("p-256", "rsa-2048", "rsa-3072"), help="request: kind of key (p-256)"
    )
    parser.add(
        "--same-key", of=("request",), switch=True, help="request: for the key that is there, to renew its certificate"
    )
    parser.add(
        "--subject",
        of=("request",),
        metavar="NAME",
        help="request: Common Name (that of the certificate in use, or the name of this host)",
    )
    parser.add(
        "--organization", of=("request",), metavar="NAME", help="request: organization ([agent] institution_name)"
    )
    parser.add(
        "--name",
        of=("request",),
        repeated=True,
        metavar="HOST",
        help="request: a name or address of this host; may be repeated (those of the certificate in use)",
    )
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Do it."""
    if args.action == "request":
        return _request(args)
    given = [option for option in _OF_REQUEST if getattr(args, option)]
    if given:
        raise UsageError(f"tls show has no use for --{given[0].replace('_', '-')}")
    return _show(args)


# --- request -------------------------------------------------------------------------------------------


def _request(args: Arguments) -> int:
    from agent.app import tls_request

    settings = (
        None if args.key and args.config == DEFAULT_CONFIG and not os.path.exists(args.config) else settings_of(args)
    )
    key = args.key or (settings.tls.key_file if settings else "")
    if not key:
        raise UsageError("where shall the key go? [tls] key_file is empty", hint="Set it, or give --key FILE.")
    if args.kind and args.same_key:
        raise UsageError("--kind is of a new key, and --same-key takes the one that is there")
    wanted = _wanted(args, settings)
    tls_request.check_names(wanted.names)
    path = args.output or os.path.splitext(key)[0] + ".csr"
    if not args.same_key:
        tls_request.make_key(key, args.kind or "p-256")
    tls_request.make_request(path, key, wanted)
    certificate = settings.tls.certificate_file if settings is not None else ""
    facts = {
        "key": key,
        "request": path,
        "subject": wanted.common_name,
        "names": list(wanted.names),
        "public_key_sha256": tls_request.public_key_sha256(key),
        "certificate": certificate,
    }
    if args.json:
        print_json(facts)
        return 0
    print(f"key      {key}" + (" (as it was)" if args.same_key else " (new, mode 0600; it stays on this box)"))
    print(f"request  {path}, for {wanted.common_name}: {', '.join(wanted.names)}")
    print(f"SHA-256  of the public key {facts['public_key_sha256']}")
    print(f"1. Have the CA sign {path}, for server and client authentication.")
    print(
        f"2. Put what it returns, and the CAs between behind it, in PEM form into {certificate or 'certificate_file'}."
    )
    print("3. 'modality-agent config check' says whether it fits; SIGHUP (systemctl reload) takes it into use.")
    return 0


def _wanted(args: Arguments, settings: Settings | None) -> Any:
    from agent.app.tls_request import Wanted

    host, known = socket.gethostname(), _in_use(settings)
    names = tuple(args.name) or (known.names if known is not None else ())
    if not names:
        listener = settings.listener.host if settings is not None else ""
        names = tuple(dict.fromkeys(name for name in (host, listener) if name not in ("", "0.0.0.0", "::")))  # noqa: S104  no address of anybody
    organization = args.organization or (settings.agent.institution_name if settings is not None else "")
    return Wanted(args.subject or (known.subject if known is not None else host), organization, names)


def _in_use(settings: Settings | None) -> Certificate | None:
    """Return our certificate of now, whose name and names the next one keeps; None before there is one."""
    from agent.link.pem import readable_certificates

    path = settings.tls.certificate_file if settings is not None else ""
    return next(iter(readable_certificates(path)), None) if path else None


# --- show ----------------------------------------------------------------------------------------------


def _show(args: Arguments) -> int:
    settings = settings_of(args)
    facts: dict[str, Any] = {
        "certificates": _certificates(settings),
        "lists": _lists(settings),
        "peers": _peers(settings),
        "notes": ending(settings, time.time()),
        "profile": _profile(),
        "problem": _problem(settings),
    }
    if args.json:
        print_json(facts)
        return 0
    for title, rows, keys in (
        ("what", facts["certificates"], ("what", "subject", "issuer", "valid_until", "file", "sha256")),
        ("list of", facts["lists"], ("issuer", "next_update", "revoked", "file")),
        ("peer", facts["peers"], ("destination", "subject", "valid_until", "sha256")),
    ):
        if rows:
            head = (title, *(key.replace("_", " ").replace("sha256", "SHA-256") for key in keys[1:]))
            print("\n".join(table(head, [tuple(printable(str(row[key]), _LINE) for key in keys) for row in rows])))
            print()
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
    from agent.link.certificate import readable
    from agent.link.expiry import expiry_text

    rows = []
    for what, path, one in held(settings):
        until = readable(one.validity.not_after)
        rows.append(
            {
                "what": what,
                "file": path,
                "subject": one.subject,
                "issuer": one.issuer,
                "names": list(one.names),
                "valid_from": readable(one.validity.not_before),
                "valid_until": until,
                "sha256": one.sha256,
                "ends": expiry_text(until, time.time()),
                "weakness": one.weakness,
            }
        )
    return rows


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
