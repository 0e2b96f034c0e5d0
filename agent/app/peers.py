"""Who ``--to`` means: ``AET@HOST:PORT`` or the name of a configured destination; options count more than its keys."""

from __future__ import annotations

import os

from agent.app.common import DEFAULT_CONFIG, load_config
from agent.app.wiring import tls_settings
from agent.errors import FileError, UsageError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import DestinationSettings, Settings
    from agent.link.pace import Pace
    from agent.link.peer import Peer
    from agent.link.tls import TlsSettings
    from agent.link.user_identity import User


def add_peer(parser: Parser) -> None:
    """Declare ``--to`` and what belongs to it."""
    parser.add("--to", required=True, metavar="AET@HOST:PORT|NAME", help="the peer, or a configured destination")
    parser.add("--config", metavar="FILE", default=DEFAULT_CONFIG, help=f"where NAME is ({DEFAULT_CONFIG})")
    parser.add("--ae", metavar="AET", help="our AE Title (MODALITY)")
    parser.add("--ca", metavar="PEM", help="TLS: CAs that may vouch for the peer; switches TLS on")
    parser.add("--cert", metavar="PEM", help="TLS: our certificate")
    parser.add("--key", metavar="PEM", help="TLS: our private key")
    parser.add("--server-name", metavar="NAME", help="TLS: the name in the peer's certificate (the host)")
    from agent.link.peer import Timeouts

    waits = Timeouts()
    bounds = (
        f"connection ({waits.connect_s:g}), association ({waits.associate_s:g}), each answer ({waits.response_s:g})"
    )
    parser.add("--timeout", read=float, metavar="S", help=f"bound of {bounds}")


def peer_of(args: Arguments) -> Peer:
    """Return the peer that the options describe; raises ``UsageError`` or ``ConfigError``."""
    peer = _secured(_address(args) if "@" in args.to else _configured(args), args)
    if args.ae:
        from agent.link.peer import ae_title_problem

        problem = ae_title_problem(args.ae)
        if problem:
            raise UsageError(f"--ae: AE Title '{args.ae}' {problem}")
        peer = peer._replace(calling_ae=args.ae)
    if args.timeout is not None:
        if args.timeout <= 0:
            raise UsageError("--timeout must be more than 0")
        waits = dict.fromkeys(("connect_s", "tls_s", "associate_s", "response_s", "write_s"), args.timeout)
        peer = peer._replace(timeouts=peer.timeouts._replace(**waits))
    return peer


def _address(args: Arguments) -> Peer:
    from agent.link.peer import parse_peer

    return parse_peer(args.to)._replace(calling_ae="MODALITY")


def _secured(peer: Peer, args: Arguments) -> Peer:
    """Return the peer with the TLS of the options, each in the place of what is configured."""
    if not (args.ca or args.cert or args.key or args.server_name):
        return peer
    if not args.ca and peer.tls is None:
        raise UsageError("TLS needs --ca: nobody else says which CA may vouch for the peer")
    if bool(args.cert) != bool(args.key):
        raise UsageError("--cert and --key belong together")
    check_pem_files(args)
    from agent.link.tls import TlsSettings

    tls = peer.tls or TlsSettings(args.ca)
    if args.ca:
        tls = tls._replace(ca_file=args.ca)
    if args.cert:
        tls = tls._replace(certificate_file=args.cert, key_file=args.key)
    return peer._replace(tls=tls._replace(server_name=args.server_name or tls.server_name))


def check_pem_files(args: Arguments) -> None:
    """Raise ``FileError`` naming the option whose file cannot be read."""
    for option, path in (("--ca", args.ca), ("--cert", args.cert), ("--key", args.key)):
        try:
            if path:
                os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise FileError(f"{option} {path}: {error.strerror}") from None


def _configured(args: Arguments) -> Peer:
    if args.config == DEFAULT_CONFIG and not os.path.exists(DEFAULT_CONFIG):
        hint = "--config FILE names the configuration that has the destination."
        raise UsageError(f"'{args.to}' is neither AET@HOST:PORT nor a destination; no configuration given", hint=hint)
    settings = load_config(args.config)
    for row in settings.destination:
        if row.name == args.to:
            return peer_of_destination(settings, row)
    names = ", ".join(row.name for row in settings.destination) or "none"
    raise UsageError(f"no destination '{args.to}' in {args.config}", hint=f"There are: {names}. Or use AET@HOST:PORT.")


def configured_listener(args: Arguments) -> tuple[str, int, TlsSettings | None] | None:
    """Return host, port and TLS of the ``[listener]`` of the configuration that has the destination, if it has one."""
    if "@" in args.to:
        return None
    settings = load_config(args.config)
    one = settings.listener
    return (one.host, one.port, tls_settings(settings) if one.tls else None) if one.enabled else None


def peer_of_destination(settings: Settings, row: DestinationSettings) -> Peer:
    """Translate one ``[[destination]]``."""
    from agent.link.peer import Peer, Timeouts

    tls = tls_settings(settings, row) if row.tls else None
    waits = Timeouts(
        connect_s=row.connect_timeout_s,
        tls_s=row.connect_timeout_s,
        associate_s=row.response_timeout_s,
        response_s=row.response_timeout_s,
        write_s=row.response_timeout_s,
        pdu_s=row.pdu_timeout_s,
        association_s=row.association_timeout_s,
    )
    pace = pace_of(row.bandwidth)
    who = settings.agent.ae_title
    return Peer(row.called_ae, row.host, row.port, who, tls, waits, pace, user_of(row), row.async_operations)


def user_of(row: DestinationSettings) -> User | None:
    """Return who we are to a destination; None where nothing is said of that."""
    if not row.user_identity:
        return None
    from agent.config.user import WORDS
    from agent.link.user_identity import User

    kind = WORDS[row.user_identity].kind
    return User(kind, row.user_name, row.user_file, row.user_response, row.user_in_clear)


def pace_of(bandwidth: str | int) -> Pace | None:
    """Return the limit that a checked bandwidth asks for; None without one."""
    if not bandwidth:
        return None
    from agent.config.words import bits_per_s
    from agent.link.pace import Pace

    return Pace(bits_per_s(bandwidth))
