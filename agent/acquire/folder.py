"""The recorder of a drop folder: files that a vendor's system leaves become instances, each once.

    seen -> still for ``settle_s``, closed, whole by its own format -> instance in the spool -> the file is taken away

It needs no trigger. A picture is one still of the source: pixel path, exam, SOP Class and spool are those of any other
source. A DICOM File goes into the spool as it is, by whatever the daemon gives as ``take_in``.

Once each: the SOP Instance UID of a picture is made of the SHA-256 of its file (with ``repeats=each`` of its inode and
time, too). So the seal in the spool is itself the durable note that a file is taken, in one step with the instance, and
it outlives a lost ledger, for the UID stands in the instance. Whatever a crash leaves, the file is found again with the
UID that the spool knows, and only the rest is done. The same content under another name is recognised likewise, and
told; with another patient than the instance has it is not taken for either, and waits for a person. An instance that
was lost or damaged since is no reason to refuse the file: it gets the next UID of its digest.

What is wrong with a file is told once, costs that file alone and is looked at again; after ``reject_s`` the file is set
aside with the reason, and never deleted. Room is asked for first: without it files stay where they are, and the role
fails as that of any source does. A folder that is gone, or another one, is its failure, too, and is opened anew.

A picture belongs to the patient of the time at which it was put here. What lies in the folder, and is not taken, when
patient or exam change is therefore never taken for the new one: it is told and waits until a person moves it away and
back. Whose the folder is stands in the ledger (``folder_whose``), before anything is taken for him: a start that finds
another exam there than its own, or none, trusts nothing that lies in the folder. A DICOM File says itself whose it is.
The time of an instance is that at which its file was written last, where that can be.
"""

from __future__ import annotations

import hashlib
import os
import time

from agent.acquire.asking import CAPTURE
from agent.acquire.folder_file import MIB, Instance, Limits, Picture, is_written, look, stamp_of
from agent.acquire.folder_place import MAX_FILES, Place
from agent.acquire.folder_seen import ASIDE_AGAIN_S, Files
from agent.acquire.folder_watch import Bell, Waiter
from agent.acquire.folder_whose import Whose, load, save
from agent.acquire.identity import uid_of
from agent.acquire.recorder import Recorder
from agent.config.source import parse_source, raw_layout
from agent.errors import AgentError, DeviceError, SpoolConflict, SpoolError, StoppedEarly, UsageError
from agent.spool.grades import EARLIEST_WALL_S
from agent.spool.states import PRIORITY_OF_WORD, Life
from agent.typed import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from agent.acquire.asking import Ask
    from agent.acquire.exam import Exam
    from agent.acquire.folder_file import Stamp
    from agent.acquire.folder_seen import Seen
    from agent.acquire.sources import Opened
    from agent.config.settings import SourceSettings
    from agent.spool.states import Priority

_NAMESPACE: Final = b"modality-agent drop folder\0"
_NAMES: Final = 3  # named in one sentence; more are counted
_SHOWN: Final = 80  # characters of a name
_CROWD: Final = f"more than {MAX_FILES} files lie in it, and the others are not looked at until some are gone"
_MARK: Final = "exam_sha256"  # of the event that made an instance: ``Exam.mark``
_IT: Final = "it"  # the file, in reasons that are told behind its name


class TakenIn(Protocol):
    """What became of a DICOM File; ``state`` is "new" where the spool did not have it."""

    @property
    def state(self) -> str:
        """One of those of ``agent.exchange.take_in``."""

    @property
    def code(self) -> str:
        """Of the error, if it is one."""

    @property
    def message(self) -> str:
        """Why."""


class TakeIn(Protocol):
    """Puts an open DICOM File into the spool as it is."""

    def __call__(
        self, descriptor: int, *, source: str, stopped: Callable[[], bool], unchanged: Callable[[int], None],
        priority: Priority,
    ) -> TakenIn:  # fmt: skip
        """Say what became of it; see ``agent.exchange.take_in.take``."""


class FolderRecorder(Recorder):
    """A drop folder at work."""

    def __init__(
        self,
        *what: Any,
        take_in: TakeIn,
        refuse: Callable[[], None],
        say: Callable[[str, str], None],
        before: Recorder | None = None,
        **how: Any,
    ) -> None:
        """As ``Recorder``, and more.

        Args:
            *what: Of ``Recorder``.
            take_in: For DICOM Files.
            refuse: Raises ``SpoolError`` where nothing can be taken.
            say: Logs (level, text).
            before: The recorder that this one takes over from, whose role ends before this one's begins.
            **how: Of ``Recorder``.
        """
        super().__init__(*what, **how)
        uri = parse_source(self.source.uri)
        self.path = uri.what
        self._patterns = tuple(uri.texts["pattern"].split(","))
        self._done_word, self._marker = uri.texts["done"], uri.texts["marker"]
        self._each = uri.texts["repeats"] == "each"
        raw = uri.texts["raw"]
        self._limits = Limits(
            int(uri.options["max_mib"]) * MIB, int(uri.options["max_file_mib"]) * MIB, raw_layout(raw) if raw else None
        )
        self._poll_s = uri.options["poll_s"]
        self.files = Files(uri.options["settle_s"], uri.options["reject_s"])
        self._take_in, self._refuse, self._log = take_in, refuse, say
        self._bell = Bell()
        self._trouble = self._crowd = ""  # of the folder as a whole
        self._still: Opened | None = None
        self._before = before
        self._noted: Whose | None = None  # what the ledger says of whose files these are

    def ask(self, ask: Ask) -> None:
        """Look at once, for a file has the priority of its source; raises ``UsageError`` for a clip or a still."""
        if ask.kind != CAPTURE:
            raise UsageError(
                f"source '{self.source.name}' is a folder, which makes no {ask.kind}: files make its instances",
                hint="Put a file into it; 'trigger' alone looks at it at once.",
            )
        self._bell.ring()

    def wake(self) -> None:
        """Make ``work`` look at its stop event."""
        self._bell.ring()

    waits_for = "files"

    @property
    def exam(self) -> Exam:
        """What its pictures belong to."""
        return self._exam

    @property
    def attention(self) -> str:
        """What lies in the folder and cannot be taken."""
        if self._trouble:
            return self._trouble
        crowd = [f"{self.path}: {self._crowd}"] if self._crowd else []
        told = crowd + [f"{shown(name)}: {one.told}" for name, one in [*self.files.seen.items()] if one.told]
        more = f"; and {len(told) - _NAMES} more" if len(told) > _NAMES else ""
        return "; ".join(told[:_NAMES]) + more

    # --- the role ----------------------------------------------------------------------------------

    def _take_over(self) -> None:
        """Go on with what the recorder before this one knew of the folder, and with what is durable of it."""
        before, self._before = self._before, None
        if isinstance(before, FolderRecorder) and before.path == self.path:
            self.files.inherit(before.files, one_exam=not self._exam.is_other(before.exam))
        self._noted = load(self._spool, self.path)
        self.files.remember(self._noted.others, one_exam=self._noted.exam == self._exam.identity)

    def _turns(self, stop: threading.Event) -> None:
        self._take_over()
        try:
            with Place(self.path, self._patterns) as place, Waiter(place.fd, self._bell) as waiter:
                if self._done_word == "keep":
                    place.give_back()
                else:
                    place.prepare()
                while not stop.is_set():
                    waiter.read()
                    self._turn(place, waiter, stop)
                    now = time.monotonic()
                    if held_s := self.held_s():
                        waiter.wait(now + min(held_s, self._poll_s))
                    else:
                        waiter.wait(self.files.next_at(waiter.written, now + self._poll_s))
        except AgentError as error:
            self._trouble = str(error)
            raise

    def _turn(self, place: Place, waiter: Waiter, stop: threading.Event) -> None:
        """Look at everything once, unless the power is about to fail."""
        if self.held_s():
            return
        self._look(place)
        now = time.monotonic()
        for name in self.files.due(waiter.written, now):
            if stop.is_set() or self.held_s():
                return
            self._one(place, name, stop)
        now = time.monotonic()
        self.files.note_written(waiter.written, now)
        for name, one in self.files.to_tell(now):
            one.told = one.reason
            self._log("warning", f"not taken: {shown(name)}: {one.reason}")
        for name in self.files.hopeless(now):
            self._set_aside(place, name)
        if place.crowded and not self._crowd:
            self._log("warning", f"{self.path}: {_CROWD}")
        self._crowd = _CROWD if place.crowded else ""
        if place.stuck and place.stuck != self._trouble:
            self._log("warning", place.stuck)
        self._trouble = place.stuck

    def _look(self, place: Place) -> None:
        """See what lies there; whose it is, is durable before anything of it is taken."""
        found = place.scan()
        for name, one in self.files.look(found, time.monotonic(), whole=place.is_whole):
            if one.reason and not one.done:
                self._log("warning", f"{shown(name)}: is gone, and was not taken: {one.reason}")
        whose = Whose("" if self.files.distrusts else self._exam.identity, self.files.of_others)
        if whose != self._noted:
            save(self._spool, self.path, whose)
            self._noted = Whose(whose.exam, {**whose.others})

    def _one(self, place: Place, name: str, stop: threading.Event) -> None:
        """Take one file, or say why not; raises what is wrong with the spool or the folder."""
        one = self.files.seen.get(name)
        if one is None:
            return  # the marker of one that was taken
        if self._marker and name.endswith(self._marker) and name.removesuffix(self._marker) in self.files.seen:
            one.fail("", time.monotonic())  # it goes with its file
            return
        try:
            if not one.done and not one.is_conflict:
                self._refuse()
                self._take(place, name, one, stop)
            if one.is_conflict:
                self._set_aside(place, name)
            else:
                self._let_go(place, name, one)
        except (SpoolError, StoppedEarly) as error:
            if not stop.is_set():
                raise
            if not isinstance(error, StoppedEarly):
                self._log("warning", f"{shown(name)}: is not taken: {error}")
        except FileNotFoundError:
            return  # the next look says so
        except OSError as error:
            one.fail(error.strerror or str(error), time.monotonic())
        except AgentError as error:
            place.assure()
            one.came_back(place.has(name))
            one.fail(str(error).removeprefix(f"{_IT}: "), time.monotonic())

    def _take(self, place: Place, name: str, one: Seen, stop: threading.Event) -> None:
        """Make an instance of a file; ``one.done`` where the spool has it."""
        if self._marker:
            self._require_marker(place, name, one)
        with place.opened(name) as fd:

            def unchanged(descriptor: int) -> None:
                if stamp_of(os.fstat(descriptor)) != one.stamp:
                    raise DeviceError("has changed while it was read")

            unchanged(fd)
            if is_written(fd):
                raise DeviceError("some program has it open for writing")
            found = look(fd, _IT, self._limits)
            unchanged(fd)
            if isinstance(found, Instance):
                self._instance(fd, name, one, found, stop, unchanged)
            else:
                self._picture(name, one, found, stop)

    def _require_marker(self, place: Place, name: str, one: Seen) -> None:
        if name.endswith(self._marker):
            raise DeviceError(f"is a marker, and there is no {shown(name.removesuffix(self._marker))}")
        there = place.has(name + self._marker)
        if there is None or there.st_mtime_ns < one.stamp.mtime_ns:
            raise DeviceError(f"waits for its marker, {shown(name + self._marker)}{' (one is older)' if there else ''}")

    # --- pictures ------------------------------------------------------------------------------------

    def _picture(self, name: str, one: Seen, found: Picture, stop: threading.Event) -> None:
        from agent.acquire.sources import Opened, configured
        from agent.acquire.still import Still

        uid, known = self._uid(found.sha256, one.stamp)
        if name in self.files.of_others and not (known and self._done_word == "keep"):
            raise DeviceError("was put here when [patient] or [exam] was another, or it is not known when; "
                              "move it away and back if it is theirs")  # fmt: skip
        if known:
            if name not in self.files.of_others and (other := self._differs(uid, found.sha256)):
                raise DeviceError(
                    f"its content is in the spool already, as {uid}, whose {' and '.join(other)} is another"
                )
            one.done = True
            level = "info" if self._done_word == "keep" else "notice"
            self._log(level, f"{shown(name)}: its content is in the spool already, as {uid}; nothing is doubled")
            return
        facts = (("file_sha256", found.sha256.hex()), (_MARK, self._exam.mark(found.sha256)))
        still = Still(found.description, found.data, _moment_ns(one.stamp.mtime_ns), facts)
        self._named = uid
        self._still = configured(Opened(still, 1), self.source)
        try:
            done = self._capture(stop, self._seal, self.asks.begin_alone())
        finally:
            self.asks.end()
            self._named, self._still = "", None
        one.done = True
        self._log("info", f"{shown(name)}: taken as {uid}")
        self._tell(*done)
        if done.captured.failure is not None:
            self._log("warning", f"{uid}: {done.captured.failure}")

    def _opened(self, source: SourceSettings) -> Opened:  # noqa: ARG002  it was opened with it
        assert self._still is not None
        return self._still

    def _uid(self, sha256: bytes, stamp: Stamp) -> tuple[str, bool]:
        """The SOP Instance UID of a content, and whether the spool has or had that instance whole."""
        which = f"{stamp.inode} {stamp.mtime_ns}".encode() if self._each else b""
        number = 0
        while True:
            salt = str(number).encode() if number else b""
            uid = uid_of(hashlib.sha256(b"\0".join((_NAMESPACE + sha256, which, salt))).digest())
            known = self._spool.known(uid)
            if known is None or known[1] not in (Life.DAMAGED, Life.LOST):
                return uid, known is not None
            number += 1

    def _differs(self, uid: str, sha256: bytes) -> list[str]:
        """In what an instance is not of the present patient and exam; what cannot be compared is another one's."""
        from agent.media.file import open_file

        receipt = self._spool.receipt(uid)
        marks = [event.detail[_MARK] for event in receipt.events if _MARK in event.detail] if receipt else []
        if self._exam.mark(sha256) in marks:
            return []
        known = self._spool.known(uid)
        if known is None or known[1] is not Life.LIVE:
            return ["patient or exam"]
        with open(self._spool.path(known[0]), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            found = open_file(lambda length, at: os.pread(file.fileno(), length, at), size, header_only=True)
        return self._exam.differs(found.dataset, empty=True) or (["patient or exam"] if marks else [])

    # --- DICOM Files -----------------------------------------------------------------------------------

    def _instance(
        self, fd: int, name: str, one: Seen, found: Instance, stop: threading.Event, unchanged: Callable[[int], None]
    ) -> None:
        priority = PRIORITY_OF_WORD[self.source.priority or self._exam.priority]
        end = self._take_in(
            fd, source=self.source.name, stopped=stop.is_set, unchanged=unchanged, priority=priority
        )  # fmt: skip
        uid = found.sop_instance_uid
        if end.code == SpoolConflict.code:
            self._log("error", end.message)
            one.reason, one.is_conflict = f"other content under a known SOP Instance UID: {end.message}", True
            return
        if end.code:
            raise _error_of(end)
        one.done = True
        if end.state != "new":
            self._log("notice", f"{shown(name)}: {uid} is in the spool already; nothing is doubled")
            return
        captures, frames, dropped, _ = self._done
        self._done = (captures + 1, frames + found.frames, dropped, uid)
        self._log("info", f"{shown(name)}: taken as it is, {uid}")
        if other := self._exam.differs(found.dataset):
            self._log("warning", f"{uid}: {', '.join(other)} of this DICOM File are not those of the configuration; "
                      "it is kept as it is")  # fmt: skip

    # --- the end of a file ---------------------------------------------------------------------------

    def _let_go(self, place: Place, name: str, one: Seen) -> None:
        """Take away a file whose instance is durable; what cannot be is tried again, and nothing is doubled by it."""
        if self._done_word == "keep":
            one.reason = one.told = ""
            return
        place.take_away(name, one.stamp, keep=self._done_word == "move")
        self.files.seen.pop(name)  # whatever has its name now is another one
        marker = place.has(name + self._marker) if self._marker else None
        if marker is not None:
            place.take_away(name + self._marker, stamp_of(marker), keep=self._done_word == "move")
            self.files.seen.pop(name + self._marker, None)

    def _set_aside(self, place: Place, name: str) -> None:
        """Reject a file; where that fails, say so, and go on with the others."""
        one, now = self.files.seen[name], time.monotonic()
        if now < one.aside_at:
            return
        try:
            self._reject(place, name)
        except DeviceError as error:
            place.assure()
            one.came_back(place.has(name))
            one.fail(one.reason, now)
            one.aside_at = now + ASIDE_AGAIN_S
            text = f"{one.reason}; it cannot be set aside: {error}"
            if one.told != text:
                one.told = text
                self._log("warning", f"not taken: {shown(name)}: {text}")

    def _reject(self, place: Place, name: str) -> None:
        one = self.files.seen[name]
        where = place.reject(name, one.stamp, one.reason)
        self.files.seen.pop(name)
        if where:
            self._log("error", f"{shown(name)}: set aside in {where}: {one.reason}")


def _error_of(end: TakenIn) -> AgentError:
    """What a file was not taken in for: that of the spool is for the role, any other for the file."""
    from agent.errors import class_of

    kind = class_of(end.code)
    return kind(end.message) if kind is not None and issubclass(kind, SpoolError) else DeviceError(end.message)


def shown(name: str) -> str:
    """A name from outside, as it may stand in a log."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _moment_ns(mtime_ns: int) -> int:
    """When a file was written, on the monotonic clock; now, where no clock was set then or it is yet to come."""
    now, wall_ns = time.monotonic_ns(), time.time_ns()
    return now - (wall_ns - mtime_ns) if EARLIEST_WALL_S * 1e9 <= mtime_ns <= wall_ns else now
