"""``status``: what the agent is doing, asked over its control socket; without a running agent, what its spool holds.

``--trigger NAME`` asks the running agent for one capture of that source, as a foot-switch would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.app.cli import print_json
from agent.app.common import add_spool, spool_root
from agent.app.term import paint, printable, table
from agent.errors import SpoolError

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_spool(parser)
    parser.add("--trigger", metavar="NAME", help="ask the running agent for one capture of this source")


def run(args: Arguments) -> int:
    """Print the status."""
    from agent.app.control import ask

    root = spool_root(args)
    if args.trigger:
        _trigger(root, args)
        return 0
    answer = ask(root, {"verb": "status"}) or _offline(root)
    if args.json:
        print_json(answer)
    else:
        _print(answer, root)
    return 0


def _trigger(root: str, args: Arguments) -> None:
    from agent.app.control import ask

    answer = ask(root, {"verb": "capture", "source": args.trigger})
    if answer is None:
        raise SpoolError(f"no agent is running on {root}", hint="Start it with 'modality-agent run'.")
    if args.json:
        print_json(answer)
    else:
        print(f"capture of {args.trigger} asked for")


def _offline(root: str) -> dict[str, Any]:
    from agent.spool.view import SpoolView

    with SpoolView.open(root) as view:
        return {"running": False, "spool_held": view.running(), "queue": view.counts(), "instances": view.lives()}


def _print(answer: dict[str, Any], root: str) -> None:
    if answer["running"]:
        memory = answer["memory"]
        print(f"{paint('running', 'green')}, pid {answer['pid']}, up {answer['uptime_s']:.0f} s, {answer['config']}")
        print(f"memory   {memory['rss_kib'] / 1024:.1f} MiB, peak {memory['peak_kib'] / 1024:.1f} MiB")
        listener = answer["listener"]
        where = f"{answer['ae_title']}@{listener['host']}:{listener['port']}" if listener else "off"
        print(f"listener {where}")
    else:
        print(
            paint("not running", "yellow") + (", but another process holds the spool" if answer["spool_held"] else "")
        )
    print(f"spool    {root}")
    rows = []
    for name, states in answer["queue"].items():
        text = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing queued yet"
        rows.append((name, text, printable(answer.get("destinations", {}).get(name, {}).get("state", ""))))
    print("\n".join(table(("destination", "queue", "way"), rows)))
    sources = answer.get("sources", {})
    if sources:
        cells = [
            (n, str(c["captures"]), str(c["frames"]), str(c["dropped"]), "recording" if c["recording"] else "waiting")
            for n, c in sources.items()
        ]
        print("\n".join(table(("source", "captures", "frames", "dropped", "state"), cells, right=(1, 2, 3))))
    for name, role in answer.get("roles", {}).items():
        if role["last_error"]:
            print(f"{name}: failed {role['failures']} times, last: {printable(role['last_error'])}")
