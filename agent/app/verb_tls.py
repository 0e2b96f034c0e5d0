"""``tls request``: key and request of this box. ``tls import``: what the CA returned. ``tls show``: what is in use."""

from __future__ import annotations

import os
import socket

from agent.app.cli import print_json
from agent.app.common import DEFAULT_CONFIG, add_config, settings_of
from agent.errors import UsageError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings
    from agent.link.certificate import Certificate

_OF = {
    "request": ("key", "output", "subject", "organization", "name", "kind", "same_key"),
    "import": ("what", "file", "destination", "add", "dry_run"),
    "show": (),
}
_WHAT = ("certificate", "ca", "crl")


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add(
        "action",
        choices=("request", "import", "show"),
        help="make key and request, take in what a CA returned, or show what is in use",
    )
    parser.add("what", of=("import",), amount="?", choices=_WHAT, help="import: our certificate, a CA, or its CRL")
    parser.add("file", of=("import",), amount="?", help="import: PEM or DER, '-' for standard input")
    add_config(parser)
    parser.add("--destination", of=("import",), metavar="NAME", help="import: the CA of this destination alone")
    parser.add("--add", of=("import",), switch=True, help="import: keep the CAs, or the lists of other CAs, there are")
    parser.add("--dry-run", of=("import",), switch=True, help="import: say what it is and judge it; keep nothing")
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
    for action, options in _OF.items():
        given = [option for option in options if getattr(args, option)]
        if given and action != args.action:
            word = given[0] if given[0] in ("what", "file") else f"--{given[0].replace('_', '-')}"
            raise UsageError(f"tls {args.action} has no use for {word}")
    if args.action == "request":
        return _request(args)
    if args.action == "import":
        return _import(args)
    from agent.app.tls_show import show

    return show(args)


# --- request -------------------------------------------------------------------------------------------


def _request(args: Arguments) -> int:
    from agent.app import tls_request

    settings = (
        None if args.key and args.config == DEFAULT_CONFIG and not os.path.exists(args.config) else settings_of(args)
    )
    key, unset = args.key or "", ""
    if not key:
        assert settings is not None
        key, unset = _place_of_key(settings, args.config)
    if args.kind and args.same_key:
        raise UsageError("--kind is of a new key, and --same-key takes the one that is there")
    wanted = _wanted(args, settings)
    tls_request.check_names(wanted.names)
    path = args.output or os.path.splitext(key)[0] + ".csr"
    if not args.same_key:
        tls_request.make_key(key, args.kind or "p-256")
    tls_request.make_request(path, key, wanted)
    certificate = settings.tls.certificate_file if settings is not None else ""
    unset = f"{unset} {key}" if unset else ""
    facts = {
        "key": key,
        "request": path,
        "subject": wanted.common_name,
        "names": list(wanted.names),
        "public_key_sha256": tls_request.public_key_sha256(key),
        "certificate": certificate,
        "set": unset,
    }
    if args.json:
        print_json(facts)
        return 0
    print(f"key      {key}" + (" (as it was)" if args.same_key else " (new, mode 0600; it stays on this box)"))
    print(f"request  {path}, for {wanted.common_name}: {', '.join(wanted.names)}")
    print(f"SHA-256  of the public key {facts['public_key_sha256']}")
    if unset:
        print(f"not yet in use: set {unset}")
    print(f"1. Have the CA sign {path}, for server and client authentication.")
    print(
        "2. What it returns, CAs between with it: 'modality-agent tls import certificate FILE' says whether it fits and"
    )
    print(f"   keeps it as {certificate or 'certificate_file'}; it is in use with the next connection.")
    return 0


def _place_of_key(settings: Settings, config: str) -> tuple[str, str]:
    """Return where the key goes and the key of the configuration to be set for it; its folder is made."""
    from agent.app.tls_import import make_folder, place_of

    place = place_of(settings, "key_file", config)
    if place.unset:
        make_folder(os.path.dirname(place.path))
    return place


def _wanted(args: Arguments, settings: Settings | None) -> Any:
    from agent.app.tls_request import Wanted

    if args.subject and ("=" in args.subject or args.subject.startswith("/")):
        raise UsageError(
            f"--subject: '{args.subject}' is a whole subject, and the Common Name alone is wanted",
            hint="Write the name without 'CN='; the organization is --organization, or [agent] institution_name.",
        )
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


# --- import --------------------------------------------------------------------------------------------


def _import(args: Arguments) -> int:
    from agent.app import tls_import, tls_text
    from agent.link.tls import now_stamp

    if not (args.what and args.file):
        raise UsageError("'tls import' needs what it is (certificate, ca or crl) and a file, or '-'")
    if args.destination and args.what != "ca":
        raise UsageError("--destination is for a CA")
    if args.add and args.what == "certificate":
        raise UsageError("--add is for CAs and lists: there is one certificate of this box")
    settings, now = settings_of(args), now_stamp()
    place = tls_import.place_of(settings, tls_import.KINDS[args.what], args.config, args.destination or "")
    given, where = tls_import.read_given(args.file, args.what)
    if args.what == "certificate":
        key = tls_import.place_of(settings, "key_file", args.config)
        taken = tls_import.our_certificate(given, where, key.path, now)
    elif args.what == "ca":
        before = tls_import.present_certificates(place.path) if args.add else ()
        taken = tls_import.authorities(given, where, now, pinned=bool(args.destination), before=before)
    else:
        before_lists = tls_import.present_lists(place.path) if args.add else ()
        taken = tls_import.revocations(given, where, now, before=before_lists)
    result = "same"
    if tls_import.is_new(place.path, taken.data):
        result = "would be kept"
        if not args.dry_run:
            result = "replaced" if tls_import.keep(place.path, taken.data) else "kept"
    tls_text.say_import(args, taken, place, result)
    return 0
