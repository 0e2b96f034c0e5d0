"""``queue``: what is on its way, whose it is, what is stuck and why; and orders to try again, sooner, or not now.

Reading never disturbs a running agent. Orders are in ``queue_orders``, studies and patients in ``queue_studies``.
"""

from __future__ import annotations

import time

from agent.app.cli import print_json
from agent.app.common import add_spool, settings_of, view_of
from agent.app.queue_orders import ORDERS
from agent.app.term import columns, count_text, paint, printable, size_text, stamp_text, table
from agent.errors import NotFound, UsageError
from agent.spool import listing
from agent.spool.ledger import REASON_LIMIT
from agent.spool.receipt import place
from agent.spool.states import PRIORITY_OF_WORD, STATE_OF_WORD
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.spool.receipt import Row
    from agent.spool.view import SpoolView

# One page; --after goes on.
DEFAULT_LIMIT: Final = 100
_COLOURS: Final = {"committed": "green", "held": "red", "damaged": "red", "lost": "red", "deferred": "yellow",
    "unconfirmed": "yellow"}  # fmt: skip
_HEADERS: Final = ("id", "destination", "state", "tries", "size", "captured", "SOP Instance UID", "reason")
LISTS: Final = ("list", "studies", "patients")
_TRIES, _SIZE, _UID = 3, 4, 6
# What is left of the columns when the line is too long: the reason goes below, then the UID, which is never cut.
_LESS: Final = ((1, 2, _TRIES, _UID), (1, 2, _UID), (1, 2, _TRIES))


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("list", "show", "studies", "patients", *ORDERS), help="what to do")
    parser.add(
        "uid",
        amount="?",
        help="SOP Instance UID (show; optional for retry); priority, hold, release: or Study Instance UID (studies)",
    )
    parser.add(
        "level",
        amount="?",
        of=("priority",),
        choices=tuple(PRIORITY_OF_WORD),
        help="priority: where in the queue it goes",
    )
    add_spool(parser)
    parser.add(
        "--destination",
        of=("list", "retry", "hold", "release"),
        metavar="NAME",
        help="only deliveries to this destination",
    )
    parser.add("--state", of=("list",), choices=tuple(STATE_OF_WORD), help="list: only deliveries in this state")
    for name, what in (
        ("study", "Study Instance UID"),
        ("patient", "Patient ID, or part of the name"),
        ("accession", "Accession Number"),
    ):  # fmt: skip
        parser.add(f"--{name}", of=LISTS, metavar=name.upper(), help=f"lists: only of this {what}")
    parser.add(
        "--after", of=LISTS, read=_place, default=(0, None), metavar="PLACE", help="lists: go on behind this place"
    )
    parser.add(
        "--limit", of=LISTS, read=int, default=DEFAULT_LIMIT, metavar="N", help=f"lists: at most N ({DEFAULT_LIMIT})"
    )


def run(args: Arguments) -> int:
    """Do it."""
    _check_options(args)
    with view_of(args) as view:
        _check(args, view)
        if args.action == "show":
            return _show(args, view)
        if args.action == "list":
            return _list(args, view)
        if args.action in LISTS:
            from agent.app.queue_studies import list_patients, list_studies

            return (list_studies if args.action == "studies" else list_patients)(args, view)
        from agent.app.queue_orders import order

        return order(args, view)


def _check_options(args: Arguments) -> None:
    if args.limit < 1:
        raise UsageError("--limit must be at least 1")
    given = [name for name in ("study", "patient", "accession") if getattr(args, name)]
    if given and args.action not in LISTS:
        raise UsageError(f"'queue {args.action}' has no use for --{given[0]}", hint="Give it a UID; lists show them.")
    if args.destination is not None and args.action in ("studies", "patients", "show", "priority"):
        raise UsageError(f"'queue {args.action}' has no use for --destination")


def _check(args: Arguments, view: SpoolView) -> None:
    """Refuse a destination or UID that the spool has never had: a script must not take a typing error for 'empty'."""
    known = view.counts()
    if args.destination is not None and args.destination not in known:
        raise NotFound(
            f"no destination '{args.destination}'; there are: {', '.join(known) or 'none'}",
            hint="--destination takes a name of [[destination]] of the configuration.",
        )
    if args.uid is not None and args.action not in ("priority", "hold", "release") and view.receipt(args.uid) is None:
        raise NotFound(f"the spool has never had {args.uid}", hint="'modality-agent queue list' shows what it has.")


def _list(args: Arguments, view: SpoolView) -> int:
    studies = None
    if args.study or args.patient or args.accession:
        from agent.app.queue_studies import chosen

        studies = chosen(args, view)
    rows = view.rows(
        destination=args.destination,
        state=args.state,
        sop_instance_uid=args.uid,
        studies=studies,
        after=args.after,
        limit=args.limit,
    )
    if args.json:
        held = [one._asdict() for one in listing.holds(view.ask)]
        print_json({"deliveries": [row._asdict() for row in rows], "counts": view.counts(), "holds": held})
        return 0
    _print(rows, columns())
    for line in _summary(view.counts(), {**_hours(args), **_holds(view)}):
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


def _holds(view: SpoolView) -> dict[str, str]:
    """Say of destinations that the operator holds since when."""
    found = listing.holds(view.ask)
    return {one.destination: f"held by the operator since {stamp_text(one.at)}" for one in found if not one.study_uid}


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
