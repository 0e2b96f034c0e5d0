"""``why UID`` or ``why DESTINATION``: what became of it, what it waits for and what to do, in words.

It ends with the paragraph for the PACS team, where something must be looked at there (``agent.app.why_note``).

Exit status 0 says that the answer was printed; scripts read ``--json``.
"""

from __future__ import annotations

import time

from agent.app.cli import print_json
from agent.app.common import add_spool, settings_of, spool_root, view_of
from agent.app.term import paint, printable
from agent.dataset.uid import is_valid_uid
from agent.errors import NotFound, SpoolError, UsageError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings

_PARAGRAPH, _WIDTH = 1200, 77
_LINE = 500  # a sentence with a reason in it is longer than a line of a table


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("what", help="SOP Instance UID, or name of a destination")
    parser.add("--text", metavar="FILE", help="of a destination: write its last associations there, for a vendor")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Answer."""
    from agent.app import why
    from agent.app.flight_text import records
    from agent.app.why_note import of_destination, of_instance

    answer, silent = _agent(spool_root(args))
    links, listens = answer.get("destinations", {}), _listens(args, answer)
    with view_of(args) as view:
        known = view.counts()
        if args.what in known or args.what in links:
            profile, flights = records(view.root, args.what)
            if args.text:
                _write(args.text, args.what, flights)
            deaf = not listens and not why.has_reported(view, args.what)
            facts = why.of_destination(view, args.what, links.get(args.what), flights, profile, deaf=deaf,
                                       running=bool(answer), silent=silent)  # fmt: skip
            facts["certificates"] = _ending(args, profile)
            facts["note"] = of_destination(facts, flights, _settings(args), answer)
            lines = why.destination_lines(facts)
        elif args.text:
            raise UsageError("--text is for a destination: what was on the line with it, instance by instance or not")
        else:
            receipt = view.receipt(args.what) if is_valid_uid(args.what) else None
            if receipt is None:
                raise _unknown(args.what, known)
            enough = view.stored_is_enough()
            asked = {custody.destination for custody in receipt.deliveries} - enough
            uncommitting = {name for name in asked if why.refuses_commitment(view, name)}
            deaf_to = {name for name in asked if not listens and not why.has_reported(view, name)}
            rows, now = view.rows(sop_instance_uid=args.what), time.monotonic()
            due_in_s = {row.destination: row.next_at - now for row in rows}
            facts = why.of_instance(receipt, enough, links, uncommitting, deaf_to, due_in_s)
            facts["note"] = of_instance(receipt, facts["destinations"], links, _settings(args), answer)
            lines = why.instance_lines(facts, receipt)
    if silent:
        lines.append(f"{silent}; this is what its spool shows")
    if facts["note"]:
        lines += ["for the PACS team:", f"  {facts['note']}"]
    if args.json:
        print_json({**facts, "says": lines})
        return 0
    print(paint(printable(lines[0], _LINE), "bold"))
    for line in lines[1:]:
        print("\n".join(_folded(line) if line == f"  {facts['note']}" else [printable(line, _LINE)]))
    return 0


def _folded(text: str) -> list[str]:
    """A paragraph within the lines of a terminal."""
    from agent.app.verb_selftest import folded

    return [f"  {line}" for line in folded(printable(text.strip(), _PARAGRAPH), _WIDTH)]


def _settings(args: Arguments) -> Settings | None:
    """The configuration, where there is one: of a bare spool there need not be."""
    return None if args.spool is not None else settings_of(args)


def _ending(args: Arguments, profile: dict[str, Any]) -> list[str]:
    """Say which certificates between us and a destination end soon; ours need the configuration."""
    from agent.app.certificates import ending
    from agent.link.expiry import expiry_text

    now = time.time()
    of_peer = expiry_text(profile.get("valid_until", ""), now)
    told = [f"its own {of_peer}"] if of_peer else []
    if args.spool is not None:
        return told
    settings = settings_of(args)
    row = next((row for row in settings.destination if row.name == args.what and row.tls), None)
    return told if row is None else [*told, *ending(settings, now, row)]


def _write(path: str, name: str, flights: list[dict[str, Any]]) -> None:
    """Write the text for a vendor; what is there already stays."""
    from agent.acquire.filesink import FileSink
    from agent.app.flight_text import capture_text

    sink = FileSink(path)
    try:
        sink.write(capture_text(name, flights).encode())
        sink.publish()
    finally:
        sink.abandon()


def _agent(root: str) -> tuple[dict[str, Any], str]:
    """How things are now, by a running agent, and why it does not say so; the ledger is read all the same."""
    from agent.app.control import ask

    try:
        return ask(root, {"verb": "status"}) or {}, ""
    except SpoolError as error:
        return {}, str(error)
    except OSError:
        return {}, ""


def _listens(args: Arguments, answer: dict[str, Any]) -> bool:
    """Tell whether reports on associations of others can arrive; of a bare spool nobody knows, so that they may."""
    if answer:
        return answer["listener"] is not None
    return args.spool is not None or settings_of(args).listener.enabled


def _unknown(what: str, known: dict[str, Any]) -> NotFound:
    if is_valid_uid(what) and "." in what:
        return NotFound(f"the spool has never had {what}", hint="'modality-agent queue list' shows what it has.")
    return NotFound(
        f"'{what}' is no destination and no SOP Instance UID; destinations are: {', '.join(known) or 'none'}",
        hint="'modality-agent queue list' shows the UIDs.",
    )
