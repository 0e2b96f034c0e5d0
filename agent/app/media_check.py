"""``media check PATH``: whether a folder is a File-set that every reader can read, and all that is wrong with it.

A finding is a line: severity, where, what, and below it the rule, whose fault it is, and what to do. An error is a
breach that a reader can stumble over; a warning is what most take. The status is 0 without errors and 32 with them.
Findings of one rule beyond ``--limit`` are counted and not shown; ``--json`` has them all.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.file_set_check import Check
from agent.app.file_sets import place_of
from agent.app.term import Progress, count_text, paint, printable
from agent.dataset.uid import uid_name
from agent.errors import NotConformant, UsageError
from agent.media.file_set_rules import ERROR, RULES
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.media.file_set_rules import Finding

DEFAULT_LIMIT: Final = 20  # of one rule: a hundred files that are missing have one cause
_LINE: Final = 500


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--limit", of=("check",), read=int, default=DEFAULT_LIMIT, metavar="N",
        help=f"check: show at most N findings of a rule ({DEFAULT_LIMIT})")  # fmt: skip

    parser.add("--quick", of=("check",), switch=True, help="check: do not decode the frames")


def run(args: Arguments) -> int:
    """Check it; the status says whether there are errors."""
    if args.limit < 1:
        raise UsageError("--limit must be at least 1")
    progress = Progress()

    def watch(what: str, done: int, of: int) -> None:
        if of:
            progress.of(done, of, f"{done} of {of} {what} checked")
        else:
            progress.update(f"{done} {what} that no record refers to")

    check = Check(place_of(args.path), watch, frames=not args.quick)
    by_rule: dict[str, int] = {}
    shown: list[dict[str, Any]] = []
    errors = 0
    for finding in check.findings():
        errors += finding.severity == ERROR
        by_rule[finding.rule] = by_rule.get(finding.rule, 0) + 1
        if args.json:
            shown.append(_object(finding))
        elif by_rule[finding.rule] <= args.limit:
            progress.clear()
            _print(finding)
    progress.clear()
    if args.json:
        counts = {**check.counts._asdict(), "undecoded_transfer_syntax_uids": dict(check.undecoded)}
        print_json({"path": args.path, "findings": shown, "errors": errors, **counts})
    else:
        _end(args.path, check, by_rule, args.limit, errors, quick=args.quick)
    return NotConformant.exit_status if errors else 0


def _object(finding: Finding) -> dict[str, Any]:
    rule = RULES[finding.rule]
    return {**finding._asdict(), "section": rule.section, "whose": rule.whose, "todo": rule.todo}


def _print(finding: Finding) -> None:
    rule = RULES[finding.rule]
    word = paint(finding.severity, "red" if finding.severity == ERROR else "yellow")
    print(f"{word} {printable(finding.where)}: {printable(finding.text, _LINE)} [{finding.rule}]")
    print(f"  {rule.section}; by {rule.whose}. {rule.todo}")


def _end(path: str, check: Check, by_rule: dict[str, int], limit: int, errors: int, *, quick: bool) -> None:
    for name, count in by_rule.items():
        if count > limit:
            print(f"and {count - limit} more of [{name}]")
    warnings = sum(by_rule.values()) - errors
    verdict = f"{count_text(errors, 'error')}, {count_text(warnings, 'warning')}" if by_rule else "a sound File-set"
    counts = check.counts
    looked = f"{count_text(counts.records, 'record')} and {count_text(counts.files, 'file')} checked"
    print(f"{printable(path)}: {verdict}; {looked}")
    if counts.undecoded:
        why = "--quick was asked for" if quick else "there is no decoder here"
        which = ", ".join(f"{uid_name(uid)} ({count})" for uid, count in check.undecoded.most_common())
        print(f"frames of {count_text(counts.undecoded, 'file')} not decoded, {why}: {printable(which, _LINE)}")
