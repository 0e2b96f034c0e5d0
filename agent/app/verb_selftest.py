"""``selftest``: would this configuration work, here and now; on any configuration file, without a running agent.

Every check is a row: what, outcome, and where it is not ``ok`` whose fault that is and what to do. Exit status 0: all
is well or only warned of; 52: at least one check failed.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.common import add_config, settings_of
from agent.app.selftest import FAILED, OK, WARNING, Check, groups
from agent.app.selftest import run as run_checks
from agent.app.term import columns, count_text, paint, printable
from agent.errors import ChecksFailed, NotFound, UsageError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

DEFAULT_TIMEOUT_S: Final = 5.0
_COLOURS: Final = {OK: "green", WARNING: "yellow", FAILED: "red"}
_WHOSE: Final = {"here": "on this box", "network": "on the way", "peer": "at the peer"}
_WIDTH: Final = 80
_INDENT: Final = 10


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("names", amount="*", metavar="NAME", help="only these: destinations, clock, spool, tls")
    add_config(parser)
    parser.add("--timeout", read=float, default=DEFAULT_TIMEOUT_S, metavar="S",
               help=f"wait so long for each step with a peer ({DEFAULT_TIMEOUT_S:g})")  # fmt: skip
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Check."""
    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    known = groups(settings_of(args), args.timeout)
    names = args.names or []
    for name in names:
        if name not in known:
            raise NotFound(f"there is no check '{printable(name)}'", hint=f"There are: {', '.join(known)}.")
    found = run_checks({name: known[name] for name in (names or known)})
    failed = [one for one in found if one.outcome == FAILED]
    if args.json:
        print_json({"passed": not failed, "checks": [one._asdict() for one in found]})
    else:
        width = min(columns(), _WIDTH)
        for one in found:
            print("\n".join(_lines(one, width)))
    if failed:
        names_of = ", ".join(one.name for one in failed)
        raise ChecksFailed(f"{count_text(len(failed), 'check')} of {len(found)} failed: {names_of}")
    if not args.json:
        warned = sum(one.outcome == WARNING for one in found)
        print(f"{count_text(len(found), 'check')} passed" + (f", {warned} with a warning" if warned else ""))
    return 0


def _lines(one: Check, width: int) -> list[str]:
    whose = f" ({_WHOSE[one.whose]})" if one.outcome != OK and one.whose else ""
    head = f"{one.outcome:<8}"
    lines = folded(f"{one.name}: {printable(one.says, 600)}{whose}", width - _INDENT)
    told = [paint(head, _COLOURS[one.outcome]) + f"  {lines[0]}", *(" " * _INDENT + line for line in lines[1:])]
    if one.do:
        told += [" " * _INDENT + line for line in folded(f"do: {printable(one.do, 600)}", width - _INDENT)]
    return told


def folded(text: str, width: int) -> list[str]:
    """``text`` between words in lines of ``width``."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
