"""``check``: every rule of the Standard that a file breaks.

One line per finding: severity, tag path (items from 1), attribute, what is wrong, Module and rule. An error is a
breach; a warning is what the Standard allows or leaves to the site and is still usually a slip. Frames in a transfer
syntax that the codecs have are decoded one by one, unless ``--frames off`` leaves that out. The status is 0 when no
file has an error, 32 when one has; a file that cannot be read is reported, the others are checked all the same, and
then the status is that of the first such file.
"""

from __future__ import annotations

from agent.app.checking import Report, check_file
from agent.app.cli import print_json, report
from agent.app.input_files import named
from agent.app.term import Progress, count_text, paint, printable
from agent.dataset import dictionary
from agent.errors import AgentError, NotConformant
from agent.iod.modules import ERROR, Finding
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

_LINE_CHARACTERS = 500  # of one finding: a value in it may be anything


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("files", metavar="FILE", amount="+", help="DICOM files")
    parser.add("--warnings", choices=("on", "off"), default="on", help="show warnings too (on)")
    parser.add("--frames", choices=("on", "off"), default="on", help="decode compressed frames, too (on)")
    parser.add("--json", switch=True, help="print an array with one object per file")


def run(args: Arguments) -> int:
    """Check every file; the status is that of the first that cannot be read, else whether there are errors."""
    unread = 0
    with_errors = 0
    shown: list[dict[str, Any]] = []
    for name in args.files:
        try:
            found = _checked(name, frames=args.frames == "on")
        except AgentError as error:
            failed = report(named(error, name))
            unread = unread or failed
            shown.append({"file": name, "error": {"code": error.code, "message": error.message}})
            continue
        kept = [each for each in found.findings if each.severity == ERROR or args.warnings == "on"]
        with_errors += any(each.severity == ERROR for each in found.findings)
        shown.append(_object(name, found, kept))
        if not args.json:
            _print(name, found, kept)
    if args.json:
        print_json(shown)
    elif len(args.files) > 1:
        _summary(len(args.files), with_errors, sum("error" in each for each in shown))
    return unread or (NotConformant.exit_status if with_errors else 0)


def _checked(name: str, *, frames: bool) -> Report:
    progress = Progress()

    def watch(number: int, count: int) -> None:
        progress.update(f"{name}: {number} of {count_text(count, 'frame')} decoded")

    try:
        return check_file(name, frames=frames, watch=watch)
    finally:
        progress.clear()


def _object(name: str, found: Report, kept: list[Finding]) -> dict[str, Any]:
    return {
        "file": name,
        "sop_class": found.sop_class,
        "transfer_syntax": found.transfer_syntax,
        "findings": [
            {
                "severity": each.severity,
                "path": each.path,
                "keyword": (dictionary.keyword_of(each.tag) or "") if each.path else "",
                "text": each.text,
                "module": each.module,
                "rule": each.where,
                "type": each.type,
            }
            for each in kept
        ],
    }


def _print(name: str, found: Report, kept: list[Finding]) -> None:
    errors = sum(each.severity == ERROR for each in kept)
    counts = [count_text(errors, "error")] if errors else []
    counts += [count_text(len(kept) - errors, "warning")] if len(kept) > errors else []
    what = ", ".join(part for part in (found.sop_class, found.transfer_syntax) if part)
    print(paint(f"{printable(name)}: {printable(what)}{': ' if what else ''}{', '.join(counts) or 'clean'}", "bold"))
    for each in kept:
        text = printable(str(each), _LINE_CHARACTERS).removeprefix(each.severity)
        print(f"  {paint(each.severity, 'red' if each.severity == ERROR else 'yellow')}{text}")


def _summary(files: int, with_errors: int, unread: int) -> None:
    parts = [f"{files - with_errors - unread} without errors", f"{with_errors} with errors"]
    parts += [f"{unread} not readable"] if unread else []
    print(f"{count_text(files, 'file')}: {', '.join(parts)}")
