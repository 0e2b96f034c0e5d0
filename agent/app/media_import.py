"""``media import PATH``: the instances of a File-set, of a folder, or a single file, into the spool.

With a DICOMDIR the files are taken that it names; without one, or with ``--files``, every DICOM File in and below the
folder. The running agent takes them, and without one this process does. A UID that the spool knows is never doubled:
the same Data Set is done, another one is quarantined and an alarm. What is refused is said, each with its reason, and
the rest goes on.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from itertools import islice

from agent.app.cli import Streamed, print_json, report
from agent.app.common import settings_of, spool_root
from agent.app.term import Progress, count_text, printable
from agent.errors import DecodeError, FileError, NotAllDone, NotFound, SpoolConflict, UsageError, class_of
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.app.options import Arguments, Parser
    from agent.exchange.finding import Candidate, Found
    from agent.exchange.opening import Opener
    from agent.exchange.shelf import Rows, Shelf
    from agent.exchange.take_in import Taken

    Take = Callable[[list[Candidate]], list[Taken]]

_OF: Final = ("import",)
# The agent copies up to 32 files, or one of 16 GiB, from a slow medium before it answers.
_WAIT_S: Final = 3600.0
_LINES: Final = 50  # refusals shown; more are counted


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--key", of=_OF, metavar="PEM", help="import: the private key that opens encrypted media (PS3.15 D.1)")
    parser.add("--cert", of=_OF, metavar="PEM", help="import: its certificate; without it every recipient is tried")
    parser.add("--trust", of=_OF, metavar="PEM", help="import: take from encrypted media only what somebody has signed "
               "whom this authority has certified")  # fmt: skip
    parser.add("--destination", of=_OF, repeated=True, metavar="NAME", help="import: send new instances to this "
               "destination (all); 'none': to none")  # fmt: skip


def run(args: Arguments) -> int:
    """Import: 0 when everything is in the spool, 36 when something was refused, 15 for other content of a known UID."""
    from agent.exchange.finding import Refused
    from agent.exchange.shelf import Shelf

    with _taker(args) as (take, root), _opener(args, root) as opener:
        shelf = Shelf()  # names of files and what became of them: of a million, memory would hold a GiB
        ends = _Ends(shelf)
        progress = Progress()
        try:
            for batch, others in _batches(args.path, root, opener, files=args.files):
                for name, taken in zip([one.name for one in batch], take(batch) if batch else [], strict=True):
                    ends.add({"file": name, **taken._asdict()})
                for found in others:
                    if isinstance(found, Refused):
                        ends.add(_refusal(found.name, found.error))
                    else:
                        ends.passed_over += 1
                progress.update(f"{count_text(len(ends.rows), 'file')} of {printable(args.path)}")
        finally:
            progress.clear()
        if opener is not None and opener.unknown:
            _say(f"{count_text(opener.unknown, 'file')} signed by nobody knows whom: '--trust CA.pem' would verify it")
        return _sum(ends, as_json=args.json)


@contextmanager
def _opener(args: Arguments, root: str) -> Iterator[Opener | None]:
    """What opens encrypted files, if there is a key."""
    if not args.key:
        if args.cert or args.trust:
            raise UsageError("--cert and --trust are for encrypted media, and need a --key")
        yield None
        return
    from agent.exchange.opening import Key, opener

    with opener(Key(args.key, args.cert or "", args.trust or ""), root) as made:
        yield made


def _say(text: str) -> None:
    sys.stderr.write(f"modality-agent: {printable(text, 500)}\n")


class _Ends:
    """What became of each file."""

    def __init__(self, shelf: Shelf) -> None:
        self.rows: Rows[dict[str, Any]] = shelf.rows(dict, key=lambda row: str(row["state"]))
        self.noted: Rows[dict[str, Any]] = shelf.rows(dict)
        self.failed: Rows[dict[str, Any]] = shelf.rows(dict, key=lambda row: str(row["code"]))
        self.passed_over = 0

    def add(self, row: dict[str, Any]) -> None:
        """One more."""
        from agent.exchange.take_in import ERROR

        self.rows.append(row)
        if row["note"]:
            self.noted.append(row)
        if row["state"] == ERROR:
            self.failed.append(row)


def _refusal(name: str, error: Any) -> dict[str, Any]:
    return {
        "file": name,
        "state": "error",
        "sop_instance_uid": "",
        "note": "",
        "code": error.code,
        "message": str(error),
    }


# --- who takes them -----------------------------------------------------------------------------


@contextmanager
def _taker(args: Arguments) -> Iterator[tuple[Take, str]]:
    """A function that takes open files in: through the running agent, or with the spool in our own hands."""
    from agent.app.control import ask

    root = spool_root(args)
    wanted: list[str] | None = args.destination or None
    if wanted == ["none"]:
        wanted = []
    if os.path.isdir(root) and ask(root, {"verb": "status"}) is not None:

        def remote(batch: list[Candidate]) -> list[Taken]:
            from agent.exchange.take_in import Taken

            request = {"verb": "import", "destinations": wanted}
            answer = ask(root, request, descriptors=[one.descriptor for one in batch], wait_s=_WAIT_S)
            if answer is None:
                raise NotFound(
                    "the agent has stopped meanwhile", hint="Import again: what is in the spool is recognised."
                )
            return [Taken._make(row) for row in answer["files"]]

        yield remote, root
        return
    from agent.app.wiring import open_spool

    settings = settings_of(args)
    with open_spool(settings._replace(spool=settings.spool._replace(path=root))) as spool:
        names = None if wanted is None else tuple(wanted)
        for name in names or ():
            spool.destination_id(name)

        def alone(batch: list[Candidate]) -> list[Taken]:
            from agent.exchange.take_in import take

            return take(spool, [one.descriptor for one in batch], destinations=names)

        yield alone, root


# --- what is taken ------------------------------------------------------------------------------


def _batches(
    path: str, root: str, opener: Opener | None, *, files: bool
) -> Iterator[tuple[list[Candidate], list[Any]]]:
    """Open files, so many that they are handed over together, and what is refused or passed over."""
    from agent.exchange.finding import Candidate
    from agent.exchange.take_in import BATCH, BATCH_BYTES

    batch: list[Candidate] = []
    others: list[Any] = []
    try:
        for found in _found(path, root, opener, files=files):
            if isinstance(found, Candidate):
                batch.append(found)
            else:
                others.append(found)
            if len(batch) == BATCH or sum(one.size for one in batch) >= BATCH_BYTES or len(others) >= BATCH:
                yield batch, others
                _close(batch)
                batch, others = [], []
        yield batch, others
    finally:
        _close(batch)


def _close(batch: list[Candidate]) -> None:
    for one in batch:
        os.close(one.descriptor)
    batch.clear()


def _found(path: str, root: str, opener: Opener | None, *, files: bool) -> Iterator[Found]:
    from agent.exchange import finding
    from agent.exchange.beneath import folder
    from agent.exchange.foreign import refuse_foreign

    if f"{os.path.realpath(path)}/".startswith(f"{os.path.realpath(root)}/"):
        raise UsageError(f"{path} is the spool itself", hint="'modality-agent spool check' looks after its files.")
    if not os.path.exists(path):
        raise FileError.of(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    refuse_foreign(path, key=opener is not None)
    if not os.path.isdir(path):
        name = os.path.basename(path)
        if name.upper() == "DICOMDIR":
            path, name = os.path.dirname(path) or ".", ""
        else:
            with folder(os.path.dirname(path) or ".") as top:
                found = finding.one_file(top, name, opener)
                if isinstance(found, finding.PassedOver):
                    raise FileError(
                        f"{path} is no DICOM File", hint="A folder may hold others; a file that is named must be one."
                    )
                if isinstance(found, finding.Refused):
                    raise found.error
                yield found
            return
    with folder(path) as top:
        directory = "" if files else finding.directory_of(top)
        if not directory:
            yield from finding.all_files(top, without=_spool_below(path, root), opener=opener)
            return
        try:
            yield from finding.named_files(top, directory, opener)
        except DecodeError as error:
            error.hint = f"The DICOMDIR is damaged or none ({error.hint}) '--files' looks at the files themselves."
            raise


def _spool_below(path: str, root: str) -> tuple[int, int] | None:
    """Device and inode of a spool that lies below ``path``, which is said: its files are no news to it."""
    if not os.path.isdir(root) or not f"{os.path.realpath(root)}/".startswith(f"{os.path.realpath(path).rstrip('/')}/"):
        return None
    sys.stderr.write(f"modality-agent: {printable(root)} is the spool itself: left out\n")
    there = os.stat(root)
    return (there.st_dev, there.st_ino)


# --- words --------------------------------------------------------------------------------------


def _sum(ends: _Ends, *, as_json: bool) -> int:
    from agent.exchange.take_in import ERROR, NEW, OURS, SAME

    counts = {state: ends.rows.times(state) for state in (NEW, SAME, OURS, ERROR)}
    for row in islice(ends.noted, _LINES):
        sys.stderr.write(f"modality-agent: {printable(row['file'])}: its preamble was {row['note']}\n")
    for row in islice(ends.failed, _LINES):
        sys.stderr.write(
            f"modality-agent: error: {printable(row['file'])}: {printable(row['message'], 1000)} [{row['code']}]\n"
        )
    failed = len(ends.failed)
    if failed > _LINES:
        sys.stderr.write(f"modality-agent: ... and {failed - _LINES} more, all of them with --json\n")
    if as_json:
        print_json({"files": Streamed(ends.rows), "passed_over": ends.passed_over, **counts})
    else:
        over = f", {count_text(ends.passed_over, 'other file')} passed over" if ends.passed_over else ""
        known = f"{counts[SAME] + counts[OURS]} there already, {failed} refused"
        print(f"{count_text(counts[NEW], 'new instance')} in the spool, {known}{over}")
    return _status(len(ends.rows), ends.failed)


def _status(count: int, failed: Rows[dict[str, Any]]) -> int:
    if conflicts := failed.times(SpoolConflict.code):
        return report(SpoolConflict(f"{count_text(conflicts, 'file')} with other content under a known UID"))
    if not count:
        raise NotFound("there is no DICOM File", hint="Is it the right folder?")
    if not len(failed):
        return 0
    if len(failed) == count:
        kind = class_of(failed[0]["code"])
        return report(NotAllDone("nothing was taken in")) if kind is None else kind.exit_status
    return report(NotAllDone(f"{len(failed)} of {count_text(count, 'file')} not taken in"))
