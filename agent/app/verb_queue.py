"""``queue list|show|retry|priority``: what is on its way, what is stuck and why, and orders to try again or sooner.

Reading never disturbs a running agent. ``retry`` and ``priority`` ask the running agent over its control socket;
without one they open the spool themselves.
"""

from __future__ import annotations

import time

from agent.app.cli import print_json
from agent.app.common import add_spool, settings_of, view_of
from agent.app.term import columns, count_text, paint, printable, size_text, stamp_text, table
from agent.errors import NotFound, UsageError
from agent.spool.ledger import REASON_LIMIT
from agent.spool.receipt import place
from agent.spool.states import PRIORITY_OF_WORD, STATE_OF_WORD
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.spool.receipt import Row
    from agent.spool.view import SpoolView

# One page; --after goes on.
DEFAULT_LIMIT: Final = 100
_COLOURS: Final = {"committed": "green", "held": "red", "damaged": "red", "lost": "red", "deferred": "yellow",
    "unconfirmed": "yellow"}  # fmt: skip
_HEADERS: Final = ("id", "destination", "state", "tries", "size", "captured", "SOP Instance UID", "reason")
_TRIES, _SIZE, _UID = 3, 4, 6
# What is left of the columns when the line is too long: the reason goes below, then the UID, which is never cut.
_LESS: Final = ((1, 2, _TRIES, _UID), (1, 2, _UID), (1, 2, _TRIES))


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("list", "show", "retry", "priority"), help="what to do")
    parser.add(
        "uid",
        amount="?",
        help="SOP Instance UID (show; optional for retry); priority: or the Study Instance UID that 'receipt' shows",
    )
    parser.add(
        "level",
        amount="?",
        of=("priority",),
        choices=tuple(PRIORITY_OF_WORD),
        help="priority: where in the queue it goes",
    )
    add_spool(parser)
    parser.add("--destination", of=("list", "retry"), metavar="NAME", help="only deliveries to this destination")
    parser.add("--state", of=("list",), choices=tuple(STATE_OF_WORD), help="list: only deliveries in this state")
    parser.add(
        "--after",
        of=("list",),
        read=_place,
        default=(0, None),
        metavar="PLACE",
        help="list: go on behind ID or ID/DESTINATION",
    )
    parser.add(
        "--limit", of=("list",), read=int, default=DEFAULT_LIMIT, metavar="N", help=f"list: at most N ({DEFAULT_LIMIT})"
    )


def run(args: Arguments) -> int:
    """Do it."""
    with view_of(args) as view:
        _check(args, view)
        if args.action == "show":
            return _show(args, view)
        if args.action == "list":
            return _list(args, view)
        if args.action == "priority" and not (args.uid and args.level):
            raise UsageError("'queue priority' needs a UID and " + ", ".join(PRIORITY_OF_WORD))
        waiting = view.waiting(args.uid) if args.action == "priority" else 0
        gone = view.diverted(args.destination, args.uid) if args.action == "retry" else {}
    return _prioritize(args, view.root, waiting) if args.action == "priority" else _retry(args, view.root, gone)


def _check(args: Arguments, view: SpoolView) -> None:
    """Refuse a destination or UID that the spool has never had: a script must not take a typing error for 'empty'."""
    known = view.counts()
    if args.destination is not None and args.destination not in known:
        raise NotFound(
            f"no destination '{args.destination}'; there are: {', '.join(known) or 'none'}",
            hint="--destination takes a name of [[destination]] of the configuration.",
        )
    if args.uid is not None and args.action != "priority" and view.receipt(args.uid) is None:
        raise NotFound(f"the spool has never had {args.uid}", hint="'modality-agent queue list' shows what it has.")


def _list(args: Arguments, view: SpoolView) -> int:
    if args.limit < 1:
        raise UsageError("--limit must be at least 1")
    rows = view.rows(
        destination=args.destination,
        state=args.state,
        sop_instance_uid=args.uid,
        after=args.after,
        limit=args.limit,
    )
    if args.json:
        print_json({"deliveries": [row._asdict() for row in rows], "counts": view.counts()})
        return 0
    _print(rows, columns())
    for line in _summary(view.counts(), _hours(args)):
        print(line)
    if len(rows) == args.limit:
        print(f"there may be more: --after {rows[-1].place}")
    return 0


def _print(rows: list[Row], width: int) -> None:
    """Print the table as far as it goes into ``width`` columns; a UID or reason without room stands below its line."""
    if not rows:
        return
    lines, shown = table(_HEADERS, [_cells(row) for row in rows], right=(_TRIES, _SIZE)), tuple(range(len(_HEADERS)))
    for chosen in _LESS:
        if max(map(len, lines)) > width:
            cells = [[_cells(row)[number] for number in chosen] for row in rows]
            right = [index for index, number in enumerate(chosen) if number == _TRIES]
            lines, shown = table([_HEADERS[n] for n in chosen], cells, right=right), chosen
    print(paint(lines[0], "bold"))
    for row, line in zip(rows, lines[1:], strict=True):
        print(paint(line, _COLOURS[row.state]) if row.state in _COLOURS else line)
        if _UID not in shown:
            print(f"  {row.sop_instance_uid}")
        if len(shown) < len(_HEADERS) and row.reason:
            print("\n".join(_folded(printable(row.reason, REASON_LIMIT), width)))


def _folded(text: str, width: int) -> list[str]:
    """``text`` between words in lines of ``width``, indented by two."""
    lines = [" "]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > width and lines[-1].strip():
            lines.append(" ")
        lines[-1] += f" {word}"
    return lines


def _place(text: str) -> tuple[int, str | None]:
    try:
        return place(text)
    except ValueError as error:
        raise UsageError(f"--after: {error}", hint="Give the id of an instance, or id/destination.") from None


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.id:08X}",
        row.destination,
        row.state if row.priority == "normal" else f"{row.state}, {row.priority}",
        str(row.attempt),
        size_text(row.size),
        stamp_text(row.captured_at),
        row.sop_instance_uid,
        row.reason,
    )


def _hours(args: Arguments) -> dict[str, str]:
    """Say of destinations whose windows are closed now when they open; by the configuration."""
    if args.spool is not None:
        return {}
    rows = [row for row in settings_of(args).destination if row.send_windows]
    if not rows:
        return {}
    from agent.app.forwarding import schedule_of, window_facts
    from agent.app.verb_status import window_text

    found = {row.name: window_facts(schedule_of(row.send_windows)) for row in rows}
    return {name: window_text(facts) for name, facts in found.items() if facts and not facts["open"]}


def _summary(counts: dict[str, dict[str, int]], hours: dict[str, str]) -> list[str]:
    lines = []
    for name, states in counts.items():
        text = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing queued yet"
        lines.append(f"{name}: {text}{'; ' * (name in hours)}{hours.get(name, '')}")
    return lines or ["no destination is configured; images stay on this box"]


def _show(args: Arguments, view: SpoolView) -> int:
    if not args.uid:
        raise UsageError("'queue show' needs a SOP Instance UID")
    rows = view.rows(sop_instance_uid=args.uid)
    receipt = view.receipt(args.uid)
    assert receipt is not None
    if args.json:
        print_json({"deliveries": [row._asdict() for row in rows], "events": [e._asdict() for e in receipt.events]})
        return 0
    print(f"instance {receipt.id:08X}  {receipt.sop_instance_uid}  {receipt.state}  {view.root}/{receipt.file}")
    for row in rows:
        what = {"deferred": "next try", "stored": "next question"}.get(row.state)
        due = f"  {what} in {max(0, row.next_at - time.monotonic()):.0f} s" if what and row.next_at else ""
        tries = count_text(row.attempt, "try", "tries")
        print(f"  to {row.destination}: {row.state}, {tries}{due}{'  ' + row.reason if row.reason else ''}")
    cells = [
        (stamp_text(e.at), e.clock or "-", e.destination or "-", e.kind, _detail(e.detail)) for e in receipt.events
    ]
    print("\n".join(table(("time", "clock", "destination", "event", "detail"), cells)))
    return 0


def _detail(detail: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in detail.items() if not key.endswith(("_at", "uid", "sha256")))


def _prioritize(args: Arguments, root: str, waiting: int) -> int:
    from agent.app.control import ask

    answer = ask(root, {"verb": "priority", "uid": args.uid, "priority": args.level})
    count = int(answer["count"]) if answer is not None else _prioritize_alone(args, root)
    if args.json:
        print_json({"instances": count, "waiting": waiting, "agent_running": answer is not None})
    else:
        alone = "" if answer is not None else "; the agent is not running"
        waits = "" if waiting else ", but nothing of it waits to be sent"
        print(f"{count_text(count, 'instance')} {args.level}{waits}{alone}")
    return 0


def _prioritize_alone(args: Arguments, root: str) -> int:
    from agent.app.wiring import open_spool

    settings = settings_of(args)
    with open_spool(settings._replace(spool=settings.spool._replace(path=root))) as spool:
        return spool.prioritize(args.uid, PRIORITY_OF_WORD[args.level])


def _retry(args: Arguments, root: str, gone: dict[str, int]) -> int:
    from agent.app.control import ask

    request: dict[str, Any] = {"verb": "retry", "destination": args.destination, "uid": args.uid}
    answer = ask(root, request)
    found = _retry_alone(args, root) if answer is None else answer
    count, asked = int(found["count"]), int(found["asked"])
    if args.json:
        print_json({"retried": count, "asked": asked, "diverted": gone, "agent_running": answer is not None})
    else:
        alone = "" if answer is not None else "; the agent is not running"
        again = f"; the commitment of {asked} stored is asked for now" if asked else ""
        stay = "".join(f"; {number} diverted to {other} stay there" for other, number in gone.items())
        print(f"{count_text(count, 'delivery', 'deliveries')} queued again{again}{stay}{alone}")
    return 0


def _retry_alone(args: Arguments, root: str) -> dict[str, int]:
    from agent.app.wiring import open_spool

    settings = settings_of(args)
    with open_spool(settings._replace(spool=settings.spool._replace(path=root))) as spool:
        which = args.destination, args.uid
        return {"count": spool.retry(*which), "asked": spool.ask_now(*which)}
