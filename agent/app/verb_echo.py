"""``echo``: one C-ECHO; the first thing to try with a new peer, and the shortest proof that TLS is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.app.cli import print_json
from agent.app.peers import add_peer, peer_of

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_peer(parser)
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Verify the peer."""
    from agent.forward.deliver import echo

    peer = peer_of(args)
    found = echo(peer)
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
    how = ", ".join(f"{key} {value}" for key, value in found.facts.items())
    print(f"{peer} answers: association {found.associate_s * 1000:.1f} ms, echo {found.echo_s * 1000:.1f} ms ({how})")
    return 0
