"""``transcode``: DICOM files into another transfer syntax, without loss unless it is asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from agent.app.cli import print_json, report
from agent.app.dump_text import escaped
from agent.app.term import Progress, count_text, size_text
from agent.config.words import TRANSFER_SYNTAX_WORDS, transfer_syntax_uid, transfer_syntax_word
from agent.dataset import uid
from agent.errors import AgentError, FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.app.options import Arguments, Parser
    from agent.app.transcoding import Done

# JPEG-LS allows more; beyond this nobody calls a picture near-lossless.
_NEAR_MAX: Final = 255


def arguments(parser: Parser) -> None:
    """Declare the options."""
    words = "|".join(word for word in TRANSFER_SYNTAX_WORDS if word != "jpeg-ls-near")
    parser.add("files", metavar="FILE", amount="+", help="DICOM files")
    parser.add("--to", required=True, metavar="WORD|UID", help=f"{words} or a transfer syntax UID")
    parser.add("-o", "--output", required=True, metavar="FILE|FOLDER", help="the new file, or a folder for files of "
               "the same names; nothing is replaced")  # fmt: skip
    parser.add(
        "--near", read=int, metavar="N", help="JPEG-LS with samples that differ by up to N: a new, lossy instance"
    )
    parser.add("--lenient", switch=True, help="read files that break PS3.10 and say what was tolerated")
    parser.add("--json", switch=True, help="print an array with one object per file")


def run(args: Arguments) -> int:
    """Transcode every file; the status is that of the first that fails."""
    syntax = _syntax(args)
    target_of = _targets(args)
    done: list[dict[str, Any]] = []
    status = 0
    for source in args.files:
        try:
            done.append(_one(source, target_of(source), syntax, args))
        except AgentError as error:
            if not error.message.startswith((source, target_of(source))):
                error.message = f"{source}: {error.message}"
            if len(args.files) == 1:
                raise
            failed = report(error)
            status = status or failed
    if args.json:
        print_json(done)
    return status


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


def _targets(args: Arguments) -> Callable[[str], str]:
    if os.path.isdir(args.output):
        return lambda source: os.path.join(args.output, os.path.basename(source))
    if len(args.files) > 1:
        raise FileError(f"{args.output} is not a folder", hint="Several files need a folder: make it first.")
    return lambda _source: args.output


def _one(source: str, target: str, syntax: str, args: Arguments) -> dict[str, Any]:
    from agent.app.transcoding import transcode
    from agent.app.verb_capture import tidy_end

    progress = Progress()

    def watch(number: int, frames: int) -> None:
        progress.update(f"{source}: {number} of {count_text(frames, 'frame')}")

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
        frames = f", {count_text(done.frames, 'frame')} compared" if done.frames else ""
        print(f"{escaped(done.target)}: {before} as {facts['from']}, {after} as {facts['to']}{frames}")
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
