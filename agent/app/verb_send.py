"""``send``: files to a peer over one association, now, without the queue.

One line per file, and a sum. Files that are no DICOM are named first, before anything is sent; the others are sent all
the same with ``--skip-bad``. Memory does not depend on the size of the files. Exit status: 0 when every file was
stored; the status of the common cause when nothing could be sent at all; else 50.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from agent.app.peers import add_peer, peer_of
from agent.app.term import Progress, paint, printable, size_text
from agent.errors import AgentError, DataSetError, FileError, NotDelivered

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.forward.deliver import Instance, Outcome
    from agent.link.peer import Peer


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="DICOM files")
    add_peer(parser)
    parser.add_argument("--skip-bad", action="store_true", help="send the rest when some files are no DICOM files")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace) -> int:
    """Send."""
    peer = peer_of(args)
    instances, bad = _open(args.files)
    for path, error in bad:
        sys.stderr.write(f"{printable(path)}: {error} [{error.code}]\n")
    if bad and not (args.skip_bad and instances):
        raise _first(bad, instances)
    started = time.monotonic()
    outcomes = _send(peer, instances, args)
    seconds = time.monotonic() - started
    if args.json:
        _print_json(peer, outcomes, bad, seconds)
    else:
        _print_sum(outcomes, seconds)
    _judge(outcomes, bad)
    return 0


def _open(files: list[str]) -> tuple[list[Instance], list[tuple[str, AgentError]]]:
    from agent.forward.deliver import open_instance

    good: list[Instance] = []
    bad: list[tuple[str, AgentError]] = []
    for path in files:
        try:
            good.append(open_instance(path))
        except (FileError, DataSetError) as error:
            bad.append((path, error))
    return good, bad


def _first(bad: list[tuple[str, AgentError]], instances: list[Instance]) -> AgentError:
    if len(bad) == 1:
        return bad[0][1]
    error = type(bad[0][1])(f"{len(bad)} of {len(bad) + len(instances)} files cannot be sent; nothing was sent")
    error.hint = "Remove them from the list, or use --skip-bad to send the others."
    return error


def _send(peer: Peer, instances: list[Instance], args: Namespace) -> list[Outcome]:
    from agent.forward.deliver import deliver

    progress = Progress()
    outcomes = []
    for outcome in deliver(peer, instances):
        outcomes.append(outcome)
        if args.json or (outcome.stored and not outcome.status and len(instances) > 20):
            progress.update(f"{len(outcomes)} of {len(instances)} files answered")
        else:
            progress.clear()
            print(_line(outcome))
    progress.clear()
    return outcomes


def _line(outcome: Outcome) -> str:
    path = printable(outcome.instance.path)
    status = "" if outcome.status is None else f" {outcome.status:04X}"
    comment = f" '{printable(outcome.comment)}'" if outcome.comment else ""
    if outcome.stored:
        word = paint("stored", "green") if not outcome.status else paint("stored with warning", "yellow")
        meaning = f" {outcome.meaning}" if outcome.status else ""
        return f"{path}: {word}{status}{meaning}{comment} ({size_text(outcome.bytes)}, {outcome.seconds * 1000:.1f} ms)"
    code = f" [{outcome.error.code}]" if outcome.error else ""
    return f"{path}: {paint('not sent', 'red')}{status} {printable(outcome.meaning)}{comment}{code}"


def _print_sum(outcomes: list[Outcome], seconds: float) -> None:
    stored = [outcome for outcome in outcomes if outcome.stored]
    size = sum(outcome.bytes for outcome in stored)
    rate = size_text(size / seconds) if seconds else "-"
    print(f"{len(stored)} of {len(outcomes)} stored, {size_text(size)} in {seconds:.3f} s, {rate}/s")


def _print_json(peer: Peer, outcomes: list[Outcome], bad: list[tuple[str, AgentError]], seconds: float) -> None:
    from agent.app.cli import print_json

    rows: list[dict[str, Any]] = [_facts(outcome) for outcome in outcomes]
    refused = [{"file": path, "stored": False, "error": error.code, "meaning": str(error)} for path, error in bad]
    stored = sum(outcome.stored for outcome in outcomes)
    print_json({"peer": str(peer), "stored": stored, "seconds": round(seconds, 6), "files": rows + refused})


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": outcome.instance.path,
        "sop_instance_uid": outcome.instance.sop_instance_uid,
        "stored": outcome.stored,
        "status": None if outcome.status is None else f"{outcome.status:04X}",
        "meaning": outcome.meaning,
        "comment": outcome.comment,
        "bytes": outcome.bytes,
        "seconds": round(outcome.seconds, 6),
        "error": None if outcome.error is None else outcome.error.code,
    }


def _judge(outcomes: list[Outcome], bad: list[tuple[str, AgentError]]) -> None:
    """Raise what the exit status should say; returns when every file was stored."""
    failures = [outcome for outcome in outcomes if not outcome.stored]
    if not failures and not bad:
        return
    errors = [outcome.error for outcome in failures if outcome.error is not None]
    if errors and len(failures) == len(outcomes) and not bad and len({error.code for error in errors}) == 1:
        raise errors[0]
    count = len(failures) + len(bad)
    raise NotDelivered(
        f"{count} of {len(outcomes) + len(bad)} files were not stored",
        hint="See the line of each file.",
    )
