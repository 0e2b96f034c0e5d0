"""A configuration is changed as a network engineer changes one: edit a candidate, compare, commit, confirm, roll back.

``Stage(path)`` is all of it for the file ``path`` (FILE). Its state is in the folder ``FILE.history`` beside it
(``generations``). Nothing is in force before ``commit``: that checks the candidate, refuses when FILE is not what the
candidate began from, and replaces FILE in one step (``settling`` tells why a crash leaves the old one or the new one).
With ``confirm_s`` the generation before comes back by itself unless ``confirm`` is called in time (``unconfirmed``).

Generations are counted backwards: 0 is in force, 1 was before it. Who runs the agent tells it to reload; this is only
the files. Values of secret keys are masked wherever a line leaves (``difference``).

Raises ``ConfigError`` for what is wrong with a text, ``UsageError`` for words that name nothing, ``ConfigLocked`` when
somebody else edits, ``ConfigChanged`` when FILE is not what it was, ``NotFound``, and ``FileError`` for the medium.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from agent.config import settling, unconfirmed
from agent.config.at_rest import NOTICE, PENDING, reset_waits
from agent.config.command_line import is_commands
from agent.config.difference import apply, commands, delete_words, difference, set_words
from agent.config.examined import carried, followed
from agent.config.generations import CANDIDATE, Candidate, Folder, Generation, digest
from agent.config.settling import text_of
from agent.config.turns import EditLock, Holder, turn
from agent.config.unconfirmed import Times, Unconfirmed
from agent.errors import AgentError, ConfigChanged, ConfigError, FileError, NotFound, UsageError
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.config.edit import Edited
    from agent.spool.durable import Medium

# A technician who tries something is back within the hour; a day is enough for anybody.
CONFIRM_MAX_S: Final = 86_400.0
_ALL: Final = "Correct the candidate; 'config check --candidate' lists every problem."
__all__ = ["CONFIRM_MAX_S", "Committed", "Entry", "Pending", "Stage"]


class Committed(NamedTuple):
    """What a commit did: the generation now in force, the lines it changed, and how it was before."""

    number: int
    lines: list[str]
    before: str
    confirmed: int | None  # the unconfirmed generation that it confirmed by taking its place


class Entry(NamedTuple):
    """One line of the history: how many generations back, which, whether it is in force, and still to be confirmed."""

    back: int
    generation: Generation
    in_force: bool
    waits: bool


class Pending(NamedTuple):
    """What reverts by itself in ``left_s``, and to which generation."""

    number: int
    before: int
    who: str
    left_s: float


class Stage:
    """The candidate and the history of one configuration file."""

    def __init__(self, path: str, *, times: Times | None = None, medium: Medium | None = None) -> None:
        self.path = os.path.abspath(path)
        self._folder = Folder(os.path.realpath(path), medium)
        self._times = times or Times()
        self._lock = EditLock(self._folder)
        self._who = ""
        self.notes: list[str] = []  # what was found and done that nobody asked for, since it was last taken

    # --- the candidate ---------------------------------------------------------------------------

    def text(self) -> str:
        """Return the candidate, or what is in force where nothing was edited."""
        candidate = self.edited_by()
        return self._in_force() if candidate is None else candidate.text

    @property
    def changed(self) -> bool:
        """Whether there is a candidate that is not what is in force."""
        candidate = self.edited_by()
        return candidate is not None and candidate.text != self._in_force()

    def edited_by(self) -> Candidate | None:
        """Return the candidate with who changed it last; None where there is none.

        Where only another patient or exam came since it began, it goes on with that.
        """
        candidate = self._folder.candidate()
        now = text_of(self._folder.current())
        if candidate is None or now is None or candidate.base == digest(now):
            return candidate
        began = self._folder.generation(candidate.number)
        if began is None or digest(began.text) != candidate.base:
            return candidate
        text = followed(candidate.text, began.text, now)
        return candidate if text is None else candidate._replace(text=text, base=digest(now))

    def document(self) -> dict[str, Any]:
        """Return what the candidate says, without defaults."""
        return self._parsed(self.text())

    def set(self, words: Sequence[str], value: str | None) -> bool:
        """Set a key; False when the candidate had to be written anew, without its comments."""
        return self._change(lambda text, said: set_words(text, said, words, value))

    def delete(self, words: Sequence[str]) -> bool:
        """Delete a key, a table or a section; as ``set``."""
        return self._change(lambda text, said: delete_words(text, said, words))

    def load(self, text: str, *, replace: bool = False) -> bool:
        """Take over lines of ``set`` and ``delete``, or TOML: on top of the candidate, or in its place."""
        if is_commands(text):
            return self._change(lambda old, said: apply(*(("", {}) if replace else (old, said)), text.splitlines()))
        said = self._parsed(text, "what was loaded")
        if replace:
            self._put(text)
            return True
        lines = commands(said, masked=False)
        return self._change(lambda old, was: apply(old, was, lines))

    def discard(self) -> bool:
        """Drop the candidate; False when there was none."""
        with self._editing():
            return self._folder.remove(CANDIDATE)

    def update(self) -> bool:
        """Put the changes of the candidate on top of FILE as it is now; as ``set``."""
        with self._editing(), turn(self._folder):
            self._settle()
            candidate, now = self.edited_by(), self._in_force()
            if candidate is None or candidate.base == digest(now):
                return True
            began = self._folder.generation(candidate.number)
            if began is None or digest(began.text) != candidate.base:
                raise NotFound("what the candidate began from is not kept any more",
                               hint="'config commands' prints the candidate, 'config discard' drops it.")  # fmt: skip
            lines = difference(self._parsed(began.text), self._parsed(candidate.text), masked=False)
            edited = apply(now, self._parsed(now), _possible(lines, self._parsed(now)))
            self._folder.edit(self._candidate(edited.text, None))
            return not edited.anew

    def compare(self, against: int = 0) -> list[str]:
        """Return the lines that make the candidate out of the generation ``against``, 0: what is in force."""
        old = self._in_force() if against == 0 else self._back(against).text
        return difference(self._parsed(old), self.document())

    def commands(self) -> list[str]:
        """Return the whole candidate as lines of ``set``."""
        return commands(self.document())

    def problems(self, *, files: bool = True) -> list[str]:
        """Return what is wrong with the candidate, each with line and key path; [] when it can be committed."""
        from agent.config.load import MAX_FILE_BYTES, parse

        text = self.text()
        if len(text.encode()) > MAX_FILE_BYTES:
            return [f"candidate: is larger than {MAX_FILE_BYTES} bytes"]
        try:
            parse(text, path=self.path, files=files)
        except ConfigError as error:
            from agent.config.problems import line_text

            return [line_text("candidate", problem) for problem in error.problems] or [error.message]
        return []

    # --- in force --------------------------------------------------------------------------------

    def commit(self, who: str, comment: str = "", confirm_s: float | None = None) -> Committed | None:
        """Let the candidate take the place of FILE, for ``confirm_s`` if that is given; None: nothing to do."""
        if confirm_s is not None and not 0 < confirm_s <= CONFIRM_MAX_S:
            raise UsageError(f"a commit waits {CONFIRM_MAX_S / 60:.0f} minutes at most, not {confirm_s / 60:g}")
        with self._editing(who), turn(self._folder):
            self._settle()
            candidate = self.edited_by()
            data = self._folder.current()
            before = text_of(data)
            if candidate is None or candidate.text == before:
                return None
            self._refuse_changed(candidate, before)
            problems = self.problems()
            if problems:
                raise ConfigError(_several(problems), hint=_ALL)
            lines = difference(self._said(before), self._parsed(candidate.text))
            if before is not None and not settling.is_valid(before):
                assert data is not None
                self.notes.append(f"what was in {self.path} was wrong, and is kept as {self._folder.set_aside(data)}")
            by = _one_line(who), _one_line(comment)
            return self._install(candidate, by, lines, confirm_s)

    def _install(
        self, candidate: Candidate, by: tuple[str, str], lines: list[str], confirm_s: float | None
    ) -> Committed:
        (who, comment), text, data = by, candidate.text, self._folder.current()
        at, clock = settling.stamped(self._folder, self._times)
        newest, waiting = self._folder.newest(), self._waiting()
        keep = [] if newest is None else [newest.number]
        back_to = 0
        if confirm_s is not None:
            if newest is None:
                newest = settling.begin(self._folder, at, clock)
            back_to = newest.number if waiting is None else waiting.before
            keep.append(back_to)
        number = settling.next_number(self._folder)
        made = Generation(number, at, clock, who, settling.COMMIT, comment, text, back_to)
        if confirm_s is not None:
            self._await(Unconfirmed(digest(text), made.number, back_to, self._times.running(),
                                    self._times.running() + confirm_s, self._times.boot(), who), waiting)  # fmt: skip
        if not settling.install(self._folder, made, data, keep):
            self._refuse_changed(candidate, text_of(self._folder.current()))
        if confirm_s is None:
            self._folder.remove(PENDING)
        self._folder.remove(CANDIDATE)
        self._folder.remove(NOTICE)
        confirmed = waiting.number if waiting is not None and confirm_s is None else None
        return Committed(made.number, lines, "" if newest is None else newest.text, confirmed)

    def _await(self, entry: Unconfirmed, waiting: Unconfirmed | None) -> None:
        """Keep what reverts now, too: until FILE is replaced it is what is in force."""
        unconfirmed.write(self._folder, [entry] if waiting is None else [waiting, entry])

    def confirm(self) -> int:
        """Let the unconfirmed generation stand, whoever edits; returns its number. ``NotFound`` when nothing waits."""
        with self._what_waits() as (waiting, _data):
            self._folder.remove(PENDING)
            self._folder.remove(NOTICE)
            return waiting.number

    def take_back(self, who: str) -> list[str]:
        """Do now what would be done if nobody confirmed; returns what was done, in words."""
        with self._what_waits() as (waiting, data):
            return settling.taken_back(self._folder, self._times, waiting, data, _one_line(who))

    @contextmanager
    def _what_waits(self) -> Iterator[tuple[Unconfirmed, bytes | None]]:
        self._folder.make()
        with turn(self._folder):
            self._settle()
            data = self._folder.current()
            waiting = self._waiting(data)
            if waiting is None:
                told = self.notes[-1:] or self.notice()[-1:]
                raise NotFound("nothing waits to be confirmed" + (f": {told[0]}" if told else ""),
                               hint="'config history' shows which generation is in force.")  # fmt: skip
            yield waiting, data

    def pending(self) -> Pending | None:
        """Return what waits to be confirmed."""
        waiting = self._waiting()
        if waiting is None:
            return None
        return Pending(waiting.number, waiting.before, waiting.who, waiting.left_s(self._times))

    def rollback(self, back: int) -> int:
        """Make the generation ``back`` the candidate; returns its number. It is in force once it is committed.

        Patient and exam stay as they are now (``examined``).
        """
        generation = self._back(back)
        self._put(carried(generation.text, self._in_force()))
        return generation.number

    def history(self) -> list[Entry]:
        """Return all generations, that in force first."""
        self._settle_softly()
        text, waiting = text_of(self._folder.current()), self._waiting()
        entries: list[Entry] = []
        for number in self._folder.numbers():
            one = self._folder.generation(number)
            if one is not None:
                back = len(entries)
                waits = back == 0 and waiting is not None
                entries.append(Entry(back, one, back == 0 and text == one.text, waits))
        return entries

    def revert_if_due(self) -> list[str]:
        """Do what is due, and whatever was cut off; returns what was done, in words."""
        before = len(self.notes)
        if os.path.isdir(self._folder.path) or reset_waits(self.path):
            self._folder.make()
            with turn(self._folder):
                self._settle()
        return self.notes[before:]

    def adopt(self) -> list[str]:
        """Do the same, and begin a history where there is none."""
        self._folder.make()
        return self.revert_if_due()

    def notice(self) -> list[str]:
        """Return what a person should know, oldest first; the next commit or confirmation takes it away."""
        return (self._folder.read(NOTICE) or b"").decode(errors="replace").splitlines()

    # --- the edit lock ---------------------------------------------------------------------------

    def lock(self, who: str) -> None:
        """Edit alone, until ``unlock`` or the end of this process; raises ``ConfigLocked``, which says by whom."""
        self._folder.make()
        self._lock.take(who)
        self._who = who

    def unlock(self) -> None:
        """Let others edit."""
        self._lock.release()

    def holder(self) -> Holder | None:
        """Return who edits."""
        return self._lock.holder()

    # --- inside ----------------------------------------------------------------------------------

    @contextmanager
    def _editing(self, who: str = "") -> Iterator[None]:
        self._who = who or self._who or settling.owner_of(f"/proc/{os.getpid()}")
        if self._lock.held:
            yield
            return
        self._folder.make()
        self._lock.take(self._who)
        try:
            yield
        finally:
            self._lock.release()

    def _settle(self) -> None:
        self.notes += settling.settle(self._folder, self._times)

    def _settle_softly(self) -> None:
        """For those who only look, and perhaps may not write."""
        try:
            self.revert_if_due()
        except FileError as error:
            self.notes.append(error.message)

    def _change(self, change: Callable[[str, dict[str, Any]], Edited]) -> bool:
        with self._editing(), turn(self._folder):
            self._settle()
            old = self.edited_by()
            text = self._in_force() if old is None else old.text
            edited = change(text, self._parsed(text))
            self._folder.edit(self._candidate(edited.text, old))
            return not edited.anew

    def _put(self, text: str) -> None:
        """Make a text the candidate, whole by itself: it began from what is there now."""
        with self._editing(), turn(self._folder):
            self._settle()
            self._folder.edit(self._candidate(text, None))

    def _candidate(self, text: str, old: Candidate | None) -> Candidate:
        base, newest = digest(self._in_force()) if old is None else old.base, self._folder.newest()
        number = newest.number if newest is not None and digest(newest.text) == base else 0
        if old is not None and not number:
            number = old.number
        return Candidate(text, base, number, self._times.wall(), self._who)

    def _in_force(self) -> str:
        """Return the text of FILE; of the newest generation where FILE is none."""
        text = text_of(self._folder.current())
        if text is not None:
            return text
        newest = self._folder.newest()
        return "" if newest is None or newest.how == settling.FIRST else newest.text

    def _parsed(self, text: str, what: str = "") -> dict[str, Any]:
        from agent.config.load import document_of

        return document_of(text, what or self.path)

    def _said(self, text: str | None) -> dict[str, Any]:
        """Return what FILE says; nothing where it is no TOML."""
        try:
            return {} if text is None else self._parsed(text)
        except ConfigError:
            return {}

    def _refuse_changed(self, candidate: Candidate, now: str | None) -> None:
        if candidate.base == digest(now or ""):
            return
        began = self._folder.generation(candidate.number)
        error = ConfigChanged(f"{self.path} is not what the candidate began from: it was changed meanwhile, as follows")
        error.lines = difference(self._said(None if began is None else began.text), self._said(now))
        raise error

    def _waiting(self, data: bytes | None = None) -> Unconfirmed | None:
        try:
            entries = unconfirmed.read(self._folder)
        except ValueError:
            return None
        text = text_of(self._folder.current() if data is None else data)
        return next((one for one in entries if text is not None and one.text == digest(text)), None)

    def _back(self, back: int) -> Generation:
        entries = self.history()
        if not 0 <= back < len(entries):
            raise NotFound(f"there is no generation {back} back; there are 0 to {len(entries) - 1}"
                           if entries else "there is no history yet", hint="'config history' lists them.")  # fmt: skip
        return entries[back].generation


def _possible(lines: Sequence[str], document: dict[str, Any]) -> Iterator[str]:
    """Leave out what deletes what is not there any more."""
    from agent.config.command_line import split
    from agent.config.key_path import is_set

    for one in lines:
        words = split(one)
        if words[0] != "delete" or is_set(words[1:], document):
            yield one


def _several(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _main(path: str) -> int:
    """Let a file that no commit made become a generation, for a daemon that keeps none of the memory."""
    import sys

    try:
        Stage(path).adopt()
    except AgentError as error:
        sys.stderr.write(f"modality-agent: warning: {error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(_main(sys.argv[1]))
