"""``echo``: one C-ECHO; the first thing to try with a new peer, and the shortest proof that TLS is right."""

from __future__ import annotations

import time

from agent.app.cli import print_json
from agent.app.peers import add_peer, peer_of
from agent.errors import AgentError, AssociationRejected, ConnectFailed, LinkClosed, LinkTimeout, TlsRefused, UsageError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.forward.deliver import Echo
    from agent.link.peer import Peer

_AGAIN_S: Final = 0.25  # between two tries of --wait
# Nobody tries again here, as the agent would: class of the error -> what to do now.
_HINTS: Final[dict[type[AgentError], str]] = {
    ConnectFailed: "Is the peer started, and on this port? '--wait S' keeps trying.",
    LinkTimeout: "The peer is reachable but too slow or stuck; '--timeout S' gives it longer.",
    LinkClosed: "The connection was cut; is this the DICOM port of the peer? Its log may say why.",
    AssociationRejected: "The peer is busy; try again later.",
}


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_peer(parser)
    parser.add("--wait", read=float, default=0.0, metavar="S", help="keep trying to connect for so long (0)")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Verify the peer."""
    peer = peer_of(args)
    if args.wait < 0:
        raise UsageError("--wait must not be less than 0")
    found = _verify(peer, args)
    if args.json:
        print_json(
            {
                "peer": str(peer),
                "associate_ms": round(found.associate_s * 1000, 3),
                "echo_ms": round(found.echo_s * 1000, 3),
                **found.facts,
            }
        )
        return 0
    how = ", ".join(f"{key} {value}" for key, value in found.facts.items() if key != "certificate")
    print(f"{peer} answers: association {found.associate_s * 1000:.1f} ms, echo {found.echo_s * 1000:.1f} ms ({how})")
    return 0


def _verify(peer: Peer, args: Arguments) -> Echo:
    """Send one C-ECHO; with ``--wait`` a connection that does not come about is tried again."""
    from agent.forward.deliver import echo

    until = time.monotonic() + args.wait
    while True:
        try:
            return echo(peer)
        except AgentError as error:
            left = until - time.monotonic()
            if not isinstance(error, ConnectFailed) or left <= 0:
                if error.hint is type(error).hint:
                    error.hint = _HINTS.get(type(error), error.hint)
                if isinstance(error, TlsRefused) and peer.tls is not None and not peer.tls.certificate_file:
                    error.hint += " The peer may want our certificate: --cert and --key."
                raise
        time.sleep(min(_AGAIN_S, left))
