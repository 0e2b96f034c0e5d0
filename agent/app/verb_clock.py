"""``clock``: how good the time of this box is; and ``set``, ``zone``, ``ntp`` to make it better.

What changes the clock belongs to the operating system: timedatectl, or chrony where that keeps the time. Where they are
and the right is there, they are called; else the error says exactly what to type. A running agent is told afterwards,
so that it notes the step in the history of the images at once (P12).
"""

from __future__ import annotations

import os
import time

from agent.app import clock_tools
from agent.app.cli import print_json
from agent.app.clock_facts import clock, quality_text
from agent.app.common import add_spool, spool_root
from agent.app.term import printable, stamp_text
from agent.errors import AgentError, MediaError, UsageError
from agent.spool.grades import EARLIEST_WALL_S
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

_FORMS: Final = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_TODAY: Final = ("%H:%M:%S", "%H:%M")
_ZONES: Final = "/usr/share/zoneinfo"
_NEEDS: Final = {
    "set": "a time: 2026-03-01T10:15:00, or 10:15 of today",
    "zone": "a time zone: Europe/Berlin, UTC",
    "ntp": "a server: its name or address",
}


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("show", "set", "zone", "ntp"), help="what to do")
    parser.add("value", amount="?", help="set: local time; zone: its name; ntp: a server")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Do it."""
    if args.action == "show":
        return _show(args)
    if not args.value:
        raise UsageError(f"'clock {args.action}' needs {_NEEDS[args.action]}")
    done = {"set": _set, "zone": _zone, "ntp": _ntp}[args.action](args.value)
    noted = _tell(args)
    if args.json:
        print_json({"done": done, "noted_by_agent": noted, "clock": clock()})
    else:
        print(done)
        print(f"it is {stamp_text(time.time())}")
    return 0


def _show(args: Arguments) -> int:
    facts = _facts(args)
    if args.json:
        print_json(facts)
        return 0
    print(f"{stamp_text(facts['at'])} ({printable(facts['zone'])})")
    print(quality_text(facts))
    told = facts["ledger"]
    if told and told["grade"]:
        print(f"images are recorded with: {told['grade']}")
    if told and told["step_s"] is not None:
        print(f"last step: by {told['step_s']:+.3f} s, noted {stamp_text(told['step_at'])}")
    for server in clock_tools.servers():
        print(f"asked: {printable(server)}")
    return 0


def _facts(args: Arguments) -> dict[str, Any]:
    """What is known, also of what the ledger has noted, where there is a ledger."""
    from agent.spool.view import SpoolView

    try:
        with SpoolView.open(spool_root(args)) as view:
            return clock(view)
    except (MediaError, AgentError):  # the clock can be looked at without a spool or configuration
        return clock()


def _set(text: str) -> str:
    at = moment_of(text, time.time())
    if at < EARLIEST_WALL_S:
        raise UsageError(f"{stamp_text(at)} is before this program was made", hint="Is the year right?")
    clock_tools.set_time(at)
    return f"the clock was set to {stamp_text(at)}"


def moment_of(text: str, now: float) -> float:
    """Seconds since 1970 of a local time; raises ``UsageError``."""
    for form in _FORMS:
        try:
            return time.mktime(time.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    for form in _TODAY:
        try:
            hour = time.strptime(text, form)
        except ValueError:
            continue
        day = time.localtime(now)
        return time.mktime((*day[:3], hour.tm_hour, hour.tm_min, hour.tm_sec, 0, 0, -1))
    raise UsageError(f"'{printable(text)}' is no time", hint="As 2026-03-01T10:15:00, or 10:15 for today; local time.")


def _zone(name: str) -> str:
    if name.startswith("/") or ".." in name or not os.path.isfile(f"{_ZONES}/{name}"):
        from difflib import get_close_matches

        place = name.rpartition("/")[2].replace(" ", "_")
        close = get_close_matches(place, [one.rpartition("/")[2] for one in zones()], 1, 0.6)
        nearest = next((one for one in zones() if close and one.endswith(close[0])), "")
        hint = f"Did you mean {nearest}?" if nearest else "As Europe/Berlin; the names are those of tzdata."
        raise UsageError(f"there is no time zone '{printable(name)}'", hint=hint)
    clock_tools.set_zone(name, f"{_ZONES}/{name}")
    return f"the time zone is {name}; 'modality-agent restart' lets the running agent use it"


def zones() -> list[str]:
    """The names of time zones that this box knows."""
    try:
        with open(f"{_ZONES}/tzdata.zi", encoding="ascii") as file:
            lines = (line.split() for line in file)
            return [parts[1] if parts[0] == "Z" else parts[2] for parts in lines if parts and parts[0] in ("Z", "L")]
    except (OSError, UnicodeDecodeError, IndexError):
        return []


def _ntp(server: str) -> str:
    from agent.config.kinds import KINDS

    reason = KINDS["host"].check(server)
    if reason:
        raise UsageError(f"'{printable(server)}' is no server: {reason}")
    by = clock_tools.set_server(server)
    return f"{by} asks {server} for the time from now on; 'modality-agent clock show' says whether it answers"


def _tell(args: Arguments) -> bool:
    """Let a running agent note what became of the clock; whether one did."""
    from agent.app.control import ask
    from agent.app.orders import who

    try:
        answer = ask(spool_root(args), {"verb": "clock", "by": who(), "value": f"{args.action} {args.value}"})
    except AgentError:  # without configuration or spool there is nobody to tell
        return False
    return answer is not None
