"""``why UID`` or ``why DESTINATION``: what became of it, what it waits for and what to do, in words.

Exit status 0 says that the answer was printed; scripts read ``--json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.app.cli import print_json
from agent.app.common import add_spool, spool_root, view_of
from agent.app.term import paint, printable
from agent.dataset.uid import is_valid_uid
from agent.errors import NotFound, SpoolError

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

_LINE = 500  # a sentence with a reason in it is longer than a line of a table


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("what", help="SOP Instance UID, or name of a destination")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Answer."""
    from agent.app import why

    links = _links(spool_root(args))
    with view_of(args) as view:
        known = view.counts()
        if args.what in known or args.what in links:
            facts = why.of_destination(view, args.what, links.get(args.what))
            lines = why.destination_lines(facts)
        else:
            receipt = view.receipt(args.what) if is_valid_uid(args.what) else None
            if receipt is None:
                raise _unknown(args.what, known)
            enough = view.stored_is_enough()
            asked = {custody.destination for custody in receipt.deliveries} - enough
            uncommitting = {name for name in asked if why.refuses_commitment(view, name)}
            facts = why.of_instance(receipt, enough, links, uncommitting)
            lines = why.instance_lines(facts, receipt)
    if args.json:
        print_json({**facts, "says": lines})
        return 0
    print(paint(printable(lines[0], _LINE), "bold"))
    for line in lines[1:]:
        print(printable(line, _LINE))
    return 0


def _links(root: str) -> dict[str, Any]:
    """How the ways are now, by a running agent; nothing without one."""
    from agent.app.control import ask

    try:
        answer = ask(root, {"verb": "status"})
    except (SpoolError, OSError):  # a busy agent must not keep the ledger from being read
        return {}
    return {} if answer is None else dict(answer["destinations"])


def _unknown(what: str, known: dict[str, Any]) -> NotFound:
    if is_valid_uid(what) and "." in what:
        return NotFound(f"the spool has never had {what}", hint="'modality-agent queue list' shows what it has.")
    return NotFound(
        f"'{what}' is no destination and no SOP Instance UID; destinations are: {', '.join(known) or 'none'}",
        hint="'modality-agent queue list' shows the UIDs.",
    )
