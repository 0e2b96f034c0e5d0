"""``transcode``: DICOM files into another transfer syntax, without loss unless it is asked for.

A folder stands for the files in and below it, and the new ones lie in the output folder as the old ones did in theirs.
What fails is said with its file and does not stop the others.
"""

from __future__ import annotations

import os
import sys

from agent.app.cli import print_json, report
from agent.app.dump_text import escaped
from agent.app.input_files import files_in, named
from agent.app.term import Progress, count_text, size_text
from agent.config.words import TRANSFER_SYNTAX_WORDS, transfer_syntax_uid, transfer_syntax_word
from agent.dataset import uid
from agent.errors import AgentError, FileError, NotAllDone, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.app.transcoding import Done

# One byte in JPEG-LS; samples of 8 bits and less have a lower limit of their own.
_NEAR_MAX: Final = 255


def arguments(parser: Parser) -> None:
    """Declare the options."""
    words = "|".join(word for word in TRANSFER_SYNTAX_WORDS if word != "jpeg-ls-near")
    parser.add("files", metavar="FILE", amount="+", help="DICOM files, folders of them, or patterns")
    parser.add("--to", required=True, metavar="WORD|UID", help=f"{words} or a transfer syntax UID")
    parser.add("-o", "--output", required=True, metavar="FILE|FOLDER", help="the new file, or a folder for files of "
               "the same names (FOLDER/ is made); nothing is replaced")  # fmt: skip
    parser.add(
        "--near", read=int, metavar="N", help="JPEG-LS with samples that differ by up to N: a new, lossy instance"
    )
    parser.add("--lenient", switch=True, help="read files that break PS3.10 and say what was tolerated")
    parser.add("--json", switch=True, help="print an array with one object per file")


def run(args: Arguments) -> int:
    """Transcode every file: 0 when all are done, the status of the first failure when none is, else 36."""
    syntax = _syntax(args)
    into = _folder(args)
    inputs = list(files_in(args.files, leave_out=into))  # before there is anything new among them
    if not inputs:
        raise FileError(f"{', '.join(args.files)}: no file in it")
    rows: list[dict[str, Any]] = []
    failures: list[AgentError] = []
    for number, (source, relative) in enumerate(inputs):
        place = f"file {number + 1} of {len(inputs)}: " if len(inputs) > 1 else ""
        try:
            target = _target(into, relative) if into else args.output
            rows.append(_one(source, target, syntax, args, place))
        except AgentError as error:
            failures.append(named(error, source, args.output))
            if len(inputs) == 1:
                raise
            report(error)
            rows.append({"file": source, "error": {"code": error.code, "message": error.message}})
    return _sum(rows, failures, args)


def _sum(rows: list[dict[str, Any]], failures: list[AgentError], args: Arguments) -> int:
    """Say how many are done; the exit status."""
    if args.json:
        print_json(rows)
    done = len(rows) - len(failures)
    if len(rows) > 1 and not args.json:
        print(f"{done} of {count_text(len(rows), 'file')} transcoded")
    if not failures:
        return 0
    if not done:
        return failures[0].exit_status
    return report(NotAllDone(f"{len(failures)} of {count_text(len(rows), 'file')} not transcoded"))


def _syntax(args: Arguments) -> str:
    syntax = transfer_syntax_uid(args.to)
    if not uid.is_valid_uid(syntax):
        raise UsageError(f"--to: '{args.to}' is neither a word for a transfer syntax nor a UID",
                         hint=f"Words are: {', '.join(TRANSFER_SYNTAX_WORDS)}.")  # fmt: skip
    if args.near is None:
        if uid.is_lossy(syntax):
            raise UsageError(f"--to: {uid.uid_name(syntax)} may lose information",
                             hint="Only JPEG-LS is written with loss: '--to jpeg-ls --near N'.")  # fmt: skip
        return syntax
    if not 0 < args.near <= _NEAR_MAX:
        raise UsageError(f"--near is 1 to {_NEAR_MAX}; without it nothing is lost")
    if syntax not in (uid.JPEG_LS_LOSSLESS, uid.JPEG_LS_NEAR):
        raise UsageError(f"--near is for JPEG-LS, not for {uid.uid_name(syntax)}")
    return uid.JPEG_LS_NEAR


def _folder(args: Arguments) -> str:
    """The folder that new files go into; empty where the output is a file."""
    output: str = args.output
    if os.path.isdir(output) or output.endswith(os.sep):
        return output
    if len(args.files) > 1 or os.path.isdir(args.files[0]):
        raise FileError(f"{output} is not a folder", hint=f"Several files need one; '-o {output}/' makes it.")
    return ""


def _target(folder: str, relative: str) -> str:
    """Where a file goes in the folder of the new ones: the folders that it was found in are made there, too."""
    target = os.path.join(folder, relative)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    except OSError as error:
        raise FileError(f"{error.filename}: {error.strerror}") from None
    return target


def _one(source: str, target: str, syntax: str, args: Arguments, place: str) -> dict[str, Any]:
    from agent.app.transcoding import transcode
    from agent.app.verb_capture import tidy_end

    progress = Progress()

    def watch(step: str, done: int, of: int) -> None:
        unit, did = step.split()
        many = f"{size_text(done)} of {size_text(of)}" if unit == "bytes" else f"{done} of {count_text(of, 'frame')}"
        progress.update(f"{place}{source}: {many} {did}")

    try:
        with tidy_end():
            done = transcode(source, target, syntax, near=args.near or 0, lenient=args.lenient, watch=watch)
    finally:
        progress.clear()
    for note in done.notes:
        sys.stderr.write(f"modality-agent: {escaped(source)}: {note}\n")
    facts = _facts(done)
    if not args.json:
        before, after = size_text(done.size_before), size_text(done.size_after)
        names = [uid.uid_name(facts[key]) for key in ("from", "to")]  # a word stays one
        frames = f", {count_text(done.frames, 'frame')} compared" if done.frames else ""
        print(f"{escaped(done.target)}: {before} as {names[0]}, {after} as {names[1]}{frames}")
        if args.near:
            print(f"new SOP Instance UID {done.sop_instance_uid}")
    return facts


def _facts(done: Done) -> dict[str, Any]:
    return {
        "file": done.source,
        "output": done.target,
        "from": transfer_syntax_word(done.from_syntax),
        "to": transfer_syntax_word(done.to_syntax),
        "frames_compared": done.frames,
        "size_before": done.size_before,
        "size_after": done.size_after,
        "sop_instance_uid": done.sop_instance_uid,
        "tolerated": list(done.notes),
    }
