"""Orders for captures on their way to the recorder in force, and what is said of captures.

An order goes to the recorder in force under one lock, never to one that was replaced. Foot-switch, console, verb and
control socket come in by the same two doors: ``order`` and ``stop``.
"""

from __future__ import annotations

import time
from functools import partial

from agent.app.control import priority_of, text_of
from agent.config.source import FOLDER, parse_source
from agent.errors import AgentError, CaptureWaiting, NotArmed, NotFound
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from agent.acquire.exam import Exam
    from agent.acquire.recorder import Recorded, Recorder
    from agent.app.journal import Journal
    from agent.app.runtime import Runtime
    from agent.config.settings import SourceSettings
    from agent.exchange.take_in import Taken
    from agent.spool.store import Spool

# Verb of a request -> the kind of order (``agent.acquire.asking``); 'stop' is none.
KINDS: Final = {"capture": "capture", "start": "clip", "still": "still"}
VERBS: Final = (*KINDS, "stop")


def answer(runtime: Runtime, request: dict[str, Any]) -> dict[str, Any]:
    """Carry out a request for a capture, or for its end; raises ``AgentError``."""
    source = text_of(request, "source") or ""
    now_ns = time.monotonic_ns()
    if request["verb"] == "stop":
        stop(runtime, source, now_ns)
    else:
        order(runtime, KINDS[request["verb"]], source, now_ns, priority_of(request, ""))
    return {"ok": True}


def order(
    runtime: Runtime, kind: str, source: str, at_ns: int, priority: str = "", event: str = "", held_by: str = ""
) -> None:
    """Ask for one capture, in the name of an ``event`` of the front panel; raises ``AgentError``."""
    from agent.acquire.asking import Ask  # a box without sources pays nothing for them

    with runtime.lock:
        recorder = _recorder(runtime, source)
        if recorder.trouble:
            raise NotArmed(f"{source} is not ready: {recorder.trouble}")
        recorder.asks.require_free(kind)  # an answer that costs no look at the medium
        _refuse(runtime)
        recorder.ask(Ask(kind, priority, at_ns, event=event, held_by=held_by))


def expose(runtime: Runtime, source: str, at_s: float | None, uncertain_s: float, event: str) -> str:
    """Ask for the frame of an exposure at this moment; returns why it has no image, which is told, or ''."""
    from agent.acquire.asking import EXPOSURE, Ask

    with runtime.lock:
        recorder = _recorder(runtime, source)
        why = recorder.trouble or ("" if at_s is not None else "it was too long ago to say when")
        if at_s is not None and not why:
            try:
                _refuse(runtime)
                recorder.ask(Ask(EXPOSURE, "", int(at_s * 1e9), int(uncertain_s * 1e9), event))
            except AgentError as error:
                why = f"{error} [{error.code}]"
        if why:
            recorder.lose_exposure(why)
        return why


def stop(runtime: Runtime, source: str, at_ns: int, held_by: str = "") -> None:
    """End the clip of a source that runs, or was asked for, at this moment; raises ``NotFound`` or ``NoClip``."""
    with runtime.lock:
        _recorder(runtime, source).asks.stop(at_ns, held_by)


def _refuse(runtime: Runtime) -> None:
    """Raise why no capture can be made now: of the medium, or of the supply."""
    runtime.keeper.refuse()
    runtime.power.refuse()


def _recorder(runtime: Runtime, source: str) -> Recorder:
    recorder = runtime.recorders.get(source)
    if recorder is None:
        names = ", ".join(runtime.recorders) or "none"
        raise NotFound(f"no source '{source}' is configured; there are: {names}")
    return recorder


def make(runtime: Runtime, source: SourceSettings, exam: Exam) -> Recorder:
    """Make the recorder of a source: one for frames, one for a folder that files are put into."""
    role, say, before = f"from {source.name}", runtime.journal.say, runtime.recorders.get(source.name)
    what = (source, exam, runtime.spool, partial(_captured, runtime.journal))
    how: dict[str, Any] = {
        "warn": partial(say, "warning", role),
        "destinations": lambda: runtime.settings.destination,
        "kept": runtime.keeper.kept,
    }
    if parse_source(source.uri).scheme == FOLDER:
        from agent.acquire.folder import FolderRecorder

        recorder: Recorder = FolderRecorder(
            *what,
            **how,
            take_in=partial(_take_in, runtime.spool),
            refuse=partial(_refuse, runtime),
            say=lambda level, text: say(level, role, text),
            before=before,
        )
    else:
        from agent.acquire import recorder as frames

        recorder = frames.Recorder(*what, **how)
    recorder.alarm, recorder.held_s = partial(say, "error", role), runtime.power.left_s
    if before is not None:
        recorder.imageless = before.imageless
    return recorder


def _take_in(spool: Spool, descriptor: int, **how: Any) -> Taken:
    from agent.exchange.take_in import take  # few folders have DICOM Files

    return take(spool, [descriptor], **how)[0]


def hand_on(
    before: Mapping[str, Recorder],
    after: Mapping[str, Recorder],
    lock: threading.Lock,
    journal: Journal,
    *,
    one_exam: bool,
) -> None:
    """Give captures that were asked for and not begun to the recorders that took over, within ``one_exam``.

    A role that did not stop in time may still give up what it has begun: nobody takes that over, and it is told.
    """
    for name, recorder in before.items():
        heir = after.get(name)
        if heir is recorder:
            continue
        drop = partial(_drop, heir, name, journal)
        with lock:
            turn = recorder.asks.give(partial(drop, "its source did not deliver, nor stop in time for new settings"))
            if turn is None:
                continue
            reason = "patient or exam changed before it began"
            if heir is None:
                reason = "the source was removed"
            elif one_exam:
                try:
                    heir.inherit(turn)
                    continue
                except CaptureWaiting:
                    reason = "another one was asked for meanwhile"
            drop(reason)


def _drop(heir: Recorder | None, name: str, journal: Journal, reason: str) -> None:
    text = f"a capture was asked for and is not made: {reason}"
    journal.say("warning", f"from {name}", text)
    if heir is not None:
        heir.lost = text


def _captured(journal: Journal, source: SourceSettings, done: Recorded) -> None:
    from agent.acquire.pipeline import frames_missing
    from agent.app.clip_end import early_end

    captured, sealed = done
    missing = frames_missing(source, captured.frames, captured.ended_by)
    early = early_end(captured.ended_by, captured.frames, missing)
    journal.say(
        "warning" if captured.dropped or any(captured.losses) or early else "info",
        f"from {source.name}",
        f"captured {captured.sop_instance_uid}: {captured.frames} frame{'s' * (captured.frames != 1)}, "
        f"{captured.dropped} dropped{captured.losses.said}, "
        f"{sealed.size} bytes, ended by {captured.ended_by}, sha256 {sealed.file_sha256}{early and f'; {early}'}",
    )


def facts(recorder: Recorder) -> dict[str, Any]:
    """What the status says of a source."""
    return {
        **recorder.counts._asdict(),
        "every_s": recorder.source.every_s,
        "planned": recorder.source.captures,
        "waiting": recorder.pending,
        "lost": recorder.lost,
        "waits_for": recorder.waits_for,
        "attention": recorder.attention,
        "armed": recorder.armed if recorder.source.pre_trigger_s else None,
        "trouble": recorder.trouble,
        "exposures_lost": recorder.imageless.count,
        "exposure_lost_s": time.monotonic() - recorder.imageless.at if recorder.imageless.count else None,
    }
