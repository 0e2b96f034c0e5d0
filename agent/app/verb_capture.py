"""``capture``: one instance from a source into one file, without spool and network.

The source is a URI, or the name of a source of ``--config``, whose settings then apply; options given here win. What
the program can do is decided before the source is opened: a transfer syntax this build does not have is refused.
Whatever ends the command before the file is complete, Ctrl-C and SIGTERM too, leaves no file.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager

from agent.app.cli import print_json
from agent.app.common import DEFAULT_CONFIG, load_config
from agent.app.term import Progress, count_text, printable, size_text
from agent.config.check import check_value
from agent.config.key import Key
from agent.config.load import build
from agent.config.schema import SECTIONS
from agent.config.schema_source import MULTI_FRAME_WORDS, SOP_CLASS_WORDS
from agent.config.settings import SourceSettings
from agent.config.source import OF_PATHS, parse_source
from agent.config.words import MADE, near_refusal, transfer_syntax_uid, transfer_syntax_word
from agent.errors import DeviceError, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.acquire.described import Captured
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings
    from agent.errors import FileError

# Options of this verb that are keys of [[source]] by another name.
_OPTIONS = {
    "sop_class": "sop_class",
    "transfer_syntax": "transfer_syntax",
    "frames": "clip_frames",
    "seconds": "clip_s",
    "anatomy": "anatomy",
    "laterality": "laterality",
    "frame_log": "frame_digest_file",
}

_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments(parser: Parser) -> None:
    """Declare the options."""
    syntaxes = "|".join(MADE)
    parser.add("--source", required=True, metavar="NAME|URI", help="pattern:KIND?..., replay:PATH?... or a name")
    parser.add("-o", "--output", required=True, metavar="FILE", help="the file to make; never replaced")
    parser.add("--frames", read=int, metavar="N", help="end after N frames")
    parser.add("--seconds", read=float, metavar="S", help="end after this time")
    parser.add("--sop-class", choices=SOP_CLASS_WORDS, help="kind of instance (us-mf)")
    parser.add("--transfer-syntax", metavar="WORD|UID", help=f"{syntaxes} or a UID (explicit)")
    parser.add("--anatomy", metavar="WORD", help="region looked at, for example CHEST")
    parser.add("--laterality", choices=("R", "L", "U", "B"), help="side of a paired region")
    parser.add("--set", repeated=True, metavar="KEY=VALUE", help="any other key of [[source]], for example view=PA")
    parser.add("--frame-log", metavar="FILE", help="append the SHA-256 of every frame before compression")
    parser.add("--config", metavar="FILE", help=f"patient, exam, equipment and named sources ({DEFAULT_CONFIG})")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Capture one instance."""
    settings = _settings(args)
    source = _source(args, settings)
    with tidy_end():
        done, size, unproven = _capture(args, settings, source)
    if unproven is not None:
        sys.stderr.write(f"modality-agent: warning: {printable(str(unproven))}\n")
    facts = _facts(args.output, size, done)
    if source.frame_digest_file:
        facts["frame_log"] = "complete" if unproven is None else "failed"
    if args.json:
        print_json(facts)
    else:
        _print(args.output, size, done)
    if done.failure is not None:  # what came before it is in the file
        raise done.failure
    if args.frames is not None and done.ended_by in ("frames", "source") and 1 < source.clip_frames > done.frames:
        raise DeviceError(
            f"asked for {source.clip_frames} frames, the source has {done.frames}; {args.output} holds what it gave",
            hint=f"Ask for fewer, or add repeat=1 to the replay; clips are {', '.join(MULTI_FRAME_WORDS)}.",
        )
    return 0


def _print(path: str, size: int, done: Captured) -> None:
    syntax = transfer_syntax_word(done.transfer_syntax_uid)
    dropped = f"{done.dropped} dropped{done.losses.said}"
    print(f"{path}: {size_text(size)}, {count_text(done.frames, 'frame')}, {dropped}, {syntax}")
    if done.frames > 1:
        print(f"frame time {done.frame_time_ms:.3f} ms, ended by {done.ended_by}")
    if done.report is not None and done.report.method:
        print(f"no sample differs by more than {done.report.near}, {done.report.ratio:.1f}:1")
    for said in (done.grey, done.calibration):
        if said:
            print(said)
    if done.uncalibrated:
        print(f"no calibrated regions: {printable(done.uncalibrated)}")
    print(f"SOP Instance UID {done.sop_instance_uid}")


def _capture(args: Arguments, settings: Settings, source: SourceSettings) -> tuple[Captured, int, FileError | None]:
    """Make the file: what was captured, its size in bytes, why its frame log is not complete."""
    from agent.acquire.automatic import pick
    from agent.acquire.described import Order
    from agent.acquire.exam import Exam
    from agent.acquire.filesink import FileSink
    from agent.acquire.frame_log import FrameLog
    from agent.acquire.pipeline import capture
    from agent.acquire.sources import open_configured
    from agent.link.timekeeping import timekeeping

    progress = Progress()
    log = FrameLog(source.frame_digest_file) if source.frame_digest_file else None

    def watch(uid: str, frame: int, number: int, data: memoryview, beside: tuple[str, ...]) -> None:
        if log is not None:
            log.add(uid, frame, number, data, beside)
        progress.update(f"captured {count_text(frame, 'frame')}")

    sink: FileSink | None = None
    try:
        sink = FileSink(args.output)
        with open_configured(source) as opened:
            order = Order(source, pick(source, opened).syntax, watch, kept=timekeeping())
            done = capture(opened, order, Exam(settings), sink, threading.Event())
        if log is not None:
            log.close()
        return done, sink.publish(), log.failure if log is not None else None
    finally:
        if sink is not None:
            sink.abandon()
        progress.clear()
        if log is not None:
            log.close()


@contextmanager
def tidy_end() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the command as Ctrl-C does: once, through every ``finally``."""

    def end(number: int, _frame: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    wanted = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
    before = {number: signal.getsignal(number) for number in wanted}
    try:
        for number in wanted:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings(args: Arguments) -> Settings:
    from agent.config.check import examine

    if args.config is not None:
        return load_config(args.config)
    if os.path.exists(DEFAULT_CONFIG):
        return load_config(DEFAULT_CONFIG)
    return build(examine({})[0])


def _source(args: Arguments, settings: Settings) -> SourceSettings:
    base = next((row for row in settings.source if row.name == args.source), None)
    if base is None:
        try:
            parse_source(args.source)
        except ValueError as error:
            raise UsageError(f"{error}", hint=_source_hint(args.source, settings)) from None
        defaults: dict[str, Any] = {key.name: key.default for key in _keys().values()}
        base = SourceSettings(**{**defaults, "name": "capture", "uri": _from_here(args.source)})
    changes: dict[str, Any] = {}
    for name, value in [*map(_set, args.set), *_named(args)]:
        if changes.setdefault(name, value) != value:
            said = f"{name} is said twice: {changes[name]} and {value}"
            raise UsageError(said, hint="Which one is meant? Say it once.")
    if args.frames is not None and args.frames < 1:
        raise UsageError("--frames must be at least 1")
    kind = changes.get("sop_class", base.sop_class)
    if args.frames is not None and args.frames > 1 and kind not in MULTI_FRAME_WORDS:
        hint = f"Use --sop-class {{{','.join(MULTI_FRAME_WORDS)}}} for a clip."
        raise UsageError(f"--frames: an instance of {kind} has one frame", hint=hint)
    # Frames alone say how long: the default time of a clip must not cut them short.
    if args.frames and args.seconds is None:
        changes["clip_s"] = _keys()["clip_s"].high
    source = base._replace(**changes)
    reason = near_refusal(transfer_syntax_uid(source.transfer_syntax), source.near)
    if reason:
        raise UsageError(reason, hint="Give both: --transfer-syntax jpeg-ls-near --set near=N.")
    return source


def _named(args: Arguments) -> Iterator[tuple[str, Any]]:
    """The keys of [[source]] that have an option of their own, and their values."""
    for option, name in _OPTIONS.items():
        given = getattr(args, option)
        if given is not None:
            value, reason = check_value(_keys()[name], given)
            if reason:
                raise UsageError(f"--{option.replace('_', '-')}: {reason}")
            yield name, value


def _source_hint(source: str, settings: Settings) -> str:
    """What to write instead of a source that is none."""
    if source.startswith(("pattern:", "replay:")):
        return "It is written like 'pattern:us-rgb?rows=480&columns=640' or 'replay:PATH?rate_hz=30&repeat=1'."
    if source.startswith("openigtlink:"):
        return "It is written like 'openigtlink:192.168.7.20:18944?device=Image_Reference'."
    if os.path.exists(source):
        return f"Did you mean replay:{source}?"
    return f"Sources of the configuration: {', '.join(row.name for row in settings.source) or 'none'}."


def _set(text: str) -> tuple[str, Any]:
    """A key of [[source]] and its value from ``KEY=VALUE``; files count from here."""
    name, equals, given = text.partition("=")
    key = _keys().get(name)
    if not equals or key is None or name in ("name", "uri"):
        hint = "'modality-agent config example' explains the keys of [[source]]."
        raise UsageError(f"--set: '{text}' is no KEY=VALUE with a key of [[source]]", hint=hint)
    value, reason = check_value(key, _typed(key.kind, given))
    if reason:
        raise UsageError(f"--set {name}: {reason}")
    return name, os.path.abspath(given) if key.kind == "path" and given else value


def _typed(kind: str, text: str) -> object:
    """The text as TOML would have read it; what does not fit stays a text, which the check of the key refuses."""
    try:
        return {"integer": int, "number": float}[kind](text)
    except (KeyError, ValueError):
        return {"true": True, "false": False}.get(text, text) if kind == "switch" else text


def _keys() -> dict[str, Key]:
    return {key.name: key for section in SECTIONS if section.name == "source" for key in section.keys}


def _from_here(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    return f"{scheme}:{os.path.abspath(rest)}" if scheme in OF_PATHS else uri


def _facts(path: str, size: int, done: Captured) -> dict[str, Any]:
    return {
        "file": path,
        "size": size,
        "sop_instance_uid": done.sop_instance_uid,
        "sop_class_uid": done.sop_class_uid,
        "transfer_syntax": transfer_syntax_word(done.transfer_syntax_uid),
        "frames": done.frames,
        "dropped": done.dropped,
        "losses": done.losses._asdict(),
        "device": dict(done.told),
        "clock": dict(done.clock),
        "frame_time_ms": round(done.frame_time_ms, 3),
        "native_bytes": done.native_bytes,
        "near": done.report.near if done.report else 0,
        "frames_verified": done.report.verified if done.report else 0,
        "ended_by": done.ended_by,
        "failure": None if done.failure is None else done.failure.code,
        "grey": done.grey,
        "calibration": done.calibration,
        "uncalibrated": done.uncalibrated,
    }
