"""``send``: files to a peer, now, without the queue; one association, and a new one where the peer ends it.

With ``--parallel`` so many at a time.

One line per file, and a sum. Files that are no DICOM are named first, before anything is sent; the others are sent all
the same with ``--skip-bad``. Memory does not depend on the size of the files. Exit status: 0 when every file was
stored, and with ``--commit`` committed; the status of the common cause when nothing could be sent at all; 50 when some
were not stored; 51 when all were stored and some not committed.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from agent.app.input_files import files_in, named
from agent.app.peers import add_peer, pace_of, peer_of
from agent.app.term import Progress, count_text, paint, printable, size_text
from agent.dataset.uid import uid_name
from agent.errors import AgentError, DataSetError, FileError, NotDelivered, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.app.options import Arguments, Parser
    from agent.app.send_commit import Commitment
    from agent.forward.deliver import Outcome
    from agent.forward.files import Files, Instance
    from agent.link.peer import Peer


PARALLEL_MAX: Final = 16  # a peer has better things to do
OPERATIONS_MAX: Final = 16  # as of a destination
COMMIT_TIMEOUT_S: Final = 60.0


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("files", amount="+", metavar="FILE", help="DICOM files, folders of them, or patterns as 'IMG*'")
    add_peer(parser)
    parser.add("--lossless-copy", switch=True, help="where the peer refuses the transfer syntax of a file, send a copy "
               "that loses nothing, every frame compared")  # fmt: skip
    parser.add("--parallel", metavar="N", default=1, read=int, help="associations at a time (1); a peer that "
               "refuses some gets their files over the others")  # fmt: skip
    parser.add("--operations", metavar="N", default=1, read=int, help="files under way at once on one, where "
               "the peer grants such a window (1)")  # fmt: skip
    parser.add("--bandwidth", metavar="RATE", read=_bandwidth, help="send at most so much, as 8 Mbit/s or a number of "
               "bit/s from 16000, all associations together")  # fmt: skip
    parser.add("--commit", switch=True, help="ask for Storage Commitment of what was stored, and wait for the answer")
    parser.add("--commit-timeout", read=float, metavar="S", help=f"wait so long for it ({COMMIT_TIMEOUT_S:g})")
    parser.add("--listen", metavar="[HOST:]PORT", help="take a commitment report on an association that the archive "
               "opens to this port")  # fmt: skip
    parser.add("--skip-bad", switch=True, help="send the rest when some files are no DICOM files")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Send."""
    if not 1 <= args.parallel <= PARALLEL_MAX:
        raise UsageError(f"--parallel: {args.parallel} is not 1 to {PARALLEL_MAX}")
    peer = peer_of(args)
    if not 1 <= args.operations <= OPERATIONS_MAX:
        raise UsageError(f"--operations: {args.operations} is not 1 to {OPERATIONS_MAX}")
    if args.operations > 1:
        peer = peer._replace(operations=args.operations)
    if args.bandwidth:
        peer = peer._replace(pace=pace_of(args.bandwidth))
    files, bad = _open(args.files)
    alone = len(bad) == 1 and not files  # then the error line says it all
    for path, error in () if alone else bad:
        sys.stderr.write(printable(f"{named(error, path)} [{error.code}]", 2000) + "\n")
    if bad and not (args.skip_bad and files):
        raise _first(bad, len(files))
    if not files:
        raise FileError(
            f"{', '.join(args.files)}: no file to send in it", hint="Nothing but a DICOMDIR counts as empty."
        )
    _warn_of_twins(files)
    if not args.commit:
        if args.listen is not None or args.commit_timeout is not None:
            raise UsageError("--listen and --commit-timeout belong to --commit")
        return _run(peer, files, bad, args, None)
    from agent.app.send_commit import Commitment  # a quarter of a MiB, for those who ask

    within_s = COMMIT_TIMEOUT_S if args.commit_timeout is None else args.commit_timeout
    with Commitment(args, peer, within_s) as commitment:
        return _run(peer, files, bad, args, commitment)


def _run(
    peer: Peer, files: Files, bad: list[tuple[str, AgentError]], args: Arguments, commitment: Commitment | None
) -> int:
    tally = Tally()
    started = time.monotonic()
    progress = Progress()
    _send(peer, files, tally, args, progress, commitment)
    seconds = time.monotonic() - started
    if commitment is not None:
        commitment.wait(progress)
    failure = _failure(tally, len(bad), commitment)
    if args.json:
        _print_json(peer, tally, bad, seconds, commitment, failure)
    else:
        if commitment is not None:
            commitment.print_lines(files)
        print(_sum(tally, len(bad), seconds, commitment))
    if failure is not None:
        raise failure
    return 0


def _failure(tally: Tally, bad: int, commitment: Commitment | None) -> AgentError | None:
    try:
        _judge(tally, bad)
        if commitment is not None:
            commitment.judge()
    except AgentError as error:
        return error
    return None


def _warn_of_twins(files: Files) -> None:
    """Say which files are different instances of one UID: the peer can keep but one of them, and nobody knows which."""
    if not files.uids_repeat():
        return
    first: dict[int, int] = {}  # by the hash of the UID: a few bytes for each of thousands
    for number, instance in enumerate(files):
        known = files[first.setdefault(hash(instance.sop_instance_uid), number)]
        if known.path == instance.path or known.sop_instance_uid != instance.sop_instance_uid:
            continue
        from filecmp import cmp

        if not cmp(known.path, instance.path, shallow=False):
            text = f"warning: {known.path} and {instance.path} have one SOP Instance UID and are not the same"
            sys.stderr.write(printable(text, 2000) + "\n")


def _bandwidth(text: str) -> str:
    from agent.config.words import bits_per_s

    try:
        bits_per_s(text)
    except ValueError as error:
        raise UsageError(f"--bandwidth: {error}") from None
    return text


class Tally:
    """What came of the files so far; the rows are kept only for ``--json``, because there may be thousands."""

    __slots__ = ("bytes", "codes", "first", "rows", "sent", "stored")

    def __init__(self) -> None:
        self.sent = self.stored = self.bytes = 0
        self.first: AgentError | None = None  # of those that were not stored
        self.codes: set[str] = set()
        self.rows: list[dict[str, Any]] = []

    def add(self, outcome: Outcome, *, keep: bool) -> None:
        """Count one outcome."""
        self.sent += 1
        if outcome.stored:
            self.stored += 1
            self.bytes += outcome.bytes
        elif outcome.error is not None:
            self.first = self.first or outcome.error
            self.codes.add(outcome.error.code)
        if keep:
            self.rows.append(_facts(outcome))


def _open(paths: list[str]) -> tuple[Files, list[tuple[str, AgentError]]]:
    from agent.forward.files import Files

    good = Files()
    bad: list[tuple[str, AgentError]] = []
    for path, _ in files_in(paths):
        try:
            good.add(path)
        except (FileError, DataSetError) as error:
            bad.append((path, error))
    return good, bad


def _first(bad: list[tuple[str, AgentError]], good: int) -> AgentError:
    path, first = bad[0]
    if len(bad) == 1 and not good:
        return named(first, path)
    error = type(first)(f"{len(bad)} of {len(bad) + good} files cannot be sent; nothing was sent")
    error.hint = "Remove them from the list, or use --skip-bad to send the others."
    return error


def _sum(tally: Tally, bad: int, seconds: float, commitment: Commitment | None) -> str:
    text = f"{tally.stored} of {count_text(tally.sent + bad, 'file')} stored"
    if commitment is not None:
        text += f", {count_text(len(commitment.promises.committed), 'instance')} committed"
    if bad:
        text += f", {bad} skipped"
    if not tally.bytes:
        return text
    rate = f", {size_text(tally.bytes / seconds)}/s" if seconds else ""
    return f"{text}, {size_text(tally.bytes)} in {seconds:.3f} s{rate}"


def _send(
    peer: Peer, files: Files, tally: Tally, args: Arguments, progress: Progress, commitment: Commitment | None
) -> None:
    from agent.forward.deliver import deliver

    ways: dict[str, Any] = {}
    if args.lossless_copy:
        from agent.forward.scratch import send_or_copy  # media and the C core, for those who ask
        from agent.transcode.choose import LOSSLESS

        ways = {"copies": LOSSLESS, "send": send_or_copy}
    for outcome in _deliver(partial(deliver, peer, **ways), files, args.parallel):
        tally.add(outcome, keep=args.json)
        if commitment is not None:
            commitment.add(outcome)
        plain = outcome.stored and not outcome.status and not outcome.copied_to
        if args.json or (plain and len(files) > 20):
            progress.of(tally.sent, len(files), f"{tally.sent} of {count_text(len(files), 'file')} answered")
        else:
            progress.clear()
            if outcome.stored or len(files) > 1:  # of a single file the error line says it all
                print(_line(outcome))
    progress.clear()


def _deliver(work: Callable[[Sequence[Instance]], Iterator[Outcome]], files: Files, parallel: int) -> Iterator[Outcome]:
    if parallel == 1:
        return work(files)
    from agent.forward.parallel import deliver_parallel  # threads, for those who ask

    return deliver_parallel(work, files, parallel)


def _line(outcome: Outcome) -> str:
    path = printable(outcome.instance.path)
    status = "" if outcome.status is None else f" {outcome.status:04X}"
    comment = f" '{printable(outcome.comment)}'" if outcome.comment else ""
    if outcome.stored:
        word = paint("stored", "green") if not outcome.status else paint("stored with warning", "yellow")
        meaning = f" {outcome.meaning}" if outcome.status else ""
        if outcome.copied_to:
            meaning += f" as a lossless copy in {uid_name(outcome.copied_to)}"
        return f"{path}: {word}{status}{meaning}{comment} ({size_text(outcome.bytes)}, {outcome.seconds * 1000:.1f} ms)"
    code = f" [{outcome.error.code}]" if outcome.error else ""
    meaning = printable(outcome.meaning.removeprefix(f"{outcome.instance.path}: "))
    word = "not stored" if outcome.begun else "not sent"
    return f"{path}: {paint(word, 'red')}:{status} {meaning}{comment}{code}"


def _print_json(
    peer: Peer, tally: Tally, bad: list[tuple[str, AgentError]], seconds: float, commitment: Commitment | None,
    failure: AgentError | None,
) -> None:  # fmt: skip
    from agent.app.cli import facts_of, print_json

    refused = [{"file": path, "stored": False, "error": error.code, "meaning": str(error)} for path, error in bad]
    rows = tally.rows + refused
    facts: dict[str, Any] = {"peer": str(peer), "stored": tally.stored, "seconds": round(seconds, 6)}
    if commitment is not None:
        commitment.facts(rows)
        facts["committed"] = len(commitment.promises.committed)
    facts["error"] = None if failure is None else facts_of(failure)
    print_json({**facts, "files": rows})


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
        "copied_to": outcome.copied_to,
    }


def _judge(tally: Tally, bad: int) -> None:
    """Raise what the exit status should say; returns when every file was stored."""
    failures = tally.sent - tally.stored
    if not failures and not bad:
        return
    if tally.first is not None and not tally.stored and not bad and len(tally.codes) == 1:
        raise tally.first
    hint = "See the line of each file."
    if tally.first is not None and len(tally.codes) == 1:
        hint += f" {tally.first.hint}"
    raise NotDelivered(f"{failures + bad} of {count_text(tally.sent + bad, 'file')} not stored", hint=hint)
