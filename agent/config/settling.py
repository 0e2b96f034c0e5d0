"""What everybody does who comes to a configuration: finish what was cut off, revert what is due, mend what is damaged.

A commit writes ``next.toml``, then replaces FILE (one rename), then gives ``next.toml`` its number. So whatever a crash
or a power cut leaves, FILE is the old configuration or the new one, and FILE says which: where it is the text of
``next.toml``, the commit took place and only its number is missing, and otherwise it did not. A revert is such a
commit. Each step here may itself be cut off; the next one who comes does it again. What a person should know is written
into ``notice`` *before* it is done.

FILE may be something that no commit made:

* *edited by hand*, and right: it becomes a generation of its own. What waited to be confirmed is no more in force, so
  it does not revert: a person has decided since, and nothing a person wrote is overwritten unseen.
* *edited by hand*, and wrong: it is left alone. A reload and a start refuse it, with the line.
* only *another patient or exam*: what waits goes on waiting, and a revert leaves them as they are (``examined``).
* *damaged*, as a power cut leaves files (missing, empty, zeros, no text, cut off): it is set aside, and the last good
  generation takes its place, without patient and exam, which may be somebody else's; one that was not confirmed is not
  good. What ends where a kept generation goes on is cut off, unless a person may have deleted the rest: whole lines,
  and what is left is right.
"""

from __future__ import annotations

import time

from agent.config import unconfirmed
from agent.config.at_rest import FINISHED, NEXT, NOTICE, PENDING, reset_waits
from agent.config.examined import carried, only_another_exam, without
from agent.config.generations import Folder, Generation, digest
from agent.config.unconfirmed import Times, Unconfirmed
from agent.errors import ConfigError
from agent.spool.grades import grade
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

AGENT: Final = "modality-agent"  # who, where nobody did it
FIRST, COMMIT, HAND, REVERT, RESTORED = "first", "commit", "hand", "revert", "restored"
# Editors that do not replace a file empty it first and write it then.
BEING_WRITTEN_S: Final = 0.5
# What a power cut leaves of a file ends here more often than anywhere else, and an edit hardly ever.
_SECTOR: Final = 512
_NO_TEXT: Final = ("is missing", "is empty", "holds zeros", "is not text")
_NOTICE_LIMIT: Final = 20  # lines


def settle(folder: Folder, times: Times) -> list[str]:
    """Bring everything to rest; returns what was done, in words. To be called in a turn."""
    said = _finish_reset(folder)
    said += _finish(folder)
    said += _mend(folder, times)
    said += _revert(folder, times)
    adopted = _adopt(folder, times)
    return [*said, adopted] if adopted else said


def text_of(data: bytes | None) -> str | None:
    """Return FILE as text; None for what is none."""
    if data is None or not data.strip() or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def is_valid(text: str) -> bool:
    """Whether a text is a configuration, whatever the files that it names."""
    from agent.config.load import parse

    try:
        parse(text)
    except ConfigError:
        return False
    return True


def damage_of(data: bytes | None, kept: Sequence[Generation]) -> str:
    """Say how FILE is damaged, or ''. What is merely wrong is not damaged."""
    text = text_of(data)
    if text is None:
        return _NO_TEXT[0 if data is None else 1 if not data.strip() else 2 if b"\0" in data else 3]
    line, last, whole = _syntax_error(text), text.rstrip("\n").count("\n") + 1, text.endswith("\n")
    if line >= last and not whole:
        return f"is cut off in line {line}"
    if not any(one.text.startswith(text) and one.text.rstrip() != text.rstrip() for one in kept):
        return ""
    if not whole:
        return f"is cut off in line {last}"
    return "" if is_valid(text) and len(text.encode()) % _SECTOR else f"is cut off behind line {last}"


def _syntax_error(text: str) -> int:
    """Return the line at which a text is no TOML; 0 when it is."""
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = str(error).partition("(at line ")[2].partition(",")[0]
        return int(place) if place.isdigit() else text.rstrip("\n").count("\n") + 1
    except (ValueError, RecursionError):
        return 0  # wrong, not damaged
    return 0


def words_of(generation: Generation | int) -> str:
    """Name a generation."""
    return f"generation {generation if isinstance(generation, int) else generation.number}"


def when(at: float, clock: str) -> str:
    """Return a time with its grade."""
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(at))} (clock {clock})"


def stamped(folder: Folder, times: Times) -> tuple[float, str]:
    """Return the time and its grade for something that is recorded now."""
    now, newest = times.wall(), folder.newest()
    return now, grade(now, newest.at if newest is not None else now, kept=times.kept())


def install(folder: Folder, made: Generation, before: bytes | None, keep: Sequence[int] = ()) -> bool:
    """Let a generation take the place of FILE, and keep it under its number; False when FILE is not ``before`` now."""
    folder.announce(made)
    if not folder.replace(made.text, before):
        folder.remove(NEXT)
        return False
    folder.publish(made.number, {*keep})
    return True


def begin(folder: Folder, at: float, clock: str) -> Generation:
    """Begin the history of a box that has none: what its first start has is what may come back."""
    from agent.config.reset import first_text

    made = Generation(next_number(folder), at, clock, AGENT, FIRST, "before the first commit", first_text(folder.file))
    folder.announce(made)
    folder.publish(made.number, set())
    return made


def next_number(folder: Folder) -> int:
    """Return the number after the last."""
    numbers = folder.numbers()
    return numbers[0] + 1 if numbers else 1


def tell(folder: Folder, times: Times, text: str) -> None:
    """Leave a notice for a person; the same one is left once."""
    now, clock = stamped(folder, times)
    lines = (folder.read(NOTICE) or b"").decode(errors="replace").splitlines()
    if not lines or lines[-1].partition("): ")[2] != text:
        lines = [*lines[-_NOTICE_LIMIT + 1 :], f"{when(now, clock)}: {text}"]
        folder.write(NOTICE, ("\n".join(lines) + "\n").encode())


# --- the steps -----------------------------------------------------------------------------------


def _finish_reset(folder: Folder) -> list[str]:
    """A factory reset that was cut off."""
    if not reset_waits(folder.file):
        return []
    from agent.config.reset import finish

    return [FINISHED] if finish(folder.file, folder.medium) else []


def _finish(folder: Folder) -> list[str]:
    """A commit that was cut off: done when FILE is its text, and not done when it is not."""
    if folder.read(NEXT) is None:
        return []
    one = folder.next()
    if one is not None and text_of(folder.current()) == one.text:
        folder.publish(one.number, {*(entry.before for entry in _entries(folder))})
        return [] if one.how == HAND else [f"a commit was cut off behind its decision: {words_of(one)} is in force"]
    folder.remove(NEXT)
    return ["a commit was cut off before its decision: the configuration before it is in force"]


def _mend(folder: Folder, times: Times) -> list[str]:
    """A damaged FILE: set aside, and the last good generation in its place."""
    numbers = folder.numbers()
    if not numbers:
        return []
    data = folder.current()
    text = text_of(data)
    newest = folder.newest()
    if newest is not None and (text == newest.text or (data is None and newest.how == FIRST)):
        return []  # as it is to be, or nothing has ever been in force
    kept = [one for one in map(folder.generation, numbers) if one is not None]
    damage = damage_of(data, kept)
    good = _last_good(folder, kept)
    if not damage or good is None:
        return []
    times.rest(BEING_WRITTEN_S)
    if folder.current() != data:
        return []  # somebody is writing it at this very moment; who comes next sees what it became
    aside = folder.set_aside(data) if data is not None else ""
    what = f"{folder.file} {damage}{f', and was set aside as {aside}' if aside else ''}"
    told, text = f"{what}: {words_of(good)} of {when(good.at, good.clock)} is in force again", without(good.text)
    if text != good.text:
        told += ", without patient and exam: they may be somebody else's"
    tell(folder, times, told)
    if newest is not None and text == newest.text:
        folder.replace(text, data)
    else:
        at, clock = stamped(folder, times)
        comment = f"as {words_of(good)}: the file {damage}"
        made = Generation(next_number(folder), at, clock, AGENT, RESTORED, comment, text)
        if not install(folder, made, data):
            return []
        folder.remove(PENDING)
    return [told]


def _last_good(folder: Folder, kept: Sequence[Generation]) -> Generation | None:
    entries = {entry.text: entry for entry in _entries(folder)}
    waiting = entries.get(digest(kept[0].text)) if kept else None
    if waiting is None:
        return kept[0] if kept else None
    return _before(folder, waiting)


def _before(folder: Folder, waiting: Unconfirmed) -> Generation | None:
    """Return the generation that an unconfirmed one gives way to; an older one, where that is damaged."""
    older = (folder.generation(number) for number in folder.numbers() if number <= waiting.before)
    return next((one for one in older if one is not None), None)


def _entries(folder: Folder) -> list[Unconfirmed]:
    try:
        return unconfirmed.read(folder)
    except ValueError:
        return []


def _revert(folder: Folder, times: Times) -> list[str]:
    """What was not confirmed in time gives way to what was before."""
    try:
        entries = unconfirmed.read(folder)
    except ValueError:
        entries = _out_of_history(folder)
        if not entries:
            return _given_up(folder, times, "what waited to be confirmed is damaged, and does not revert by itself")
    if not entries:
        return []
    data, newest = folder.current(), folder.newest()
    text_now = text_of(data)
    waiting = next((entry for entry in entries if text_now is not None and entry.text == digest(text_now)), None)
    if waiting is None and newest is not None and text_now is not None:
        waiting = _carried_over(folder, entries, newest, text_now)
    if waiting is None and text_now is not None and (newest is None or text_now != newest.text):
        what = f"{folder.file} was edited by hand while {words_of(entries[-1].number)} waited to be confirmed"
        told = f"{what}: nothing reverts by itself; {words_of(entries[-1].before)} was before it"
        return _given_up(folder, times, told)
    if waiting is None:
        folder.remove(PENDING)
        return []
    return taken_back(folder, times, waiting, data) if waiting.left_s(times) <= 0 else []


def _out_of_history(folder: Folder) -> list[Unconfirmed]:
    """What waits as its generation says it, where ``pending`` is damaged: nobody knows for how long, so it is over."""
    one = folder.newest()
    return [Unconfirmed(digest(one.text), one.number, one.back_to, 0, 0, "", one.who)] if one and one.back_to else []


def _carried_over(folder: Folder, entries: list[Unconfirmed], newest: Generation, text: str) -> Unconfirmed | None:
    """Another patient or exam in what waits to be confirmed: it goes on waiting."""
    was = next((entry for entry in entries if entry.text == digest(newest.text)), None)
    if was is None or not only_another_exam(text, newest.text) or not is_valid(text):
        return None
    now = was._replace(text=digest(text), number=next_number(folder))
    unconfirmed.write(folder, [*entries, now])
    return now


def _given_up(folder: Folder, times: Times, told: str) -> list[str]:
    tell(folder, times, told)
    folder.remove(PENDING)
    return [told]


def taken_back(folder: Folder, times: Times, waiting: Unconfirmed, data: bytes | None, by: str = "") -> list[str]:
    """Let the one that was before be in force again, because the time is over or because of ``by``."""
    why, good = f"was taken back by {by}" if by else "was not confirmed in time", _before(folder, waiting)
    what = f"{words_of(waiting.number)} by {waiting.who} {why}"
    if good is None:
        return _given_up(folder, times, f"{what}, and no generation before it can be read")
    told = f"{what}: {words_of(good)} is in force again"
    if not by:
        tell(folder, times, told)
    at, clock = stamped(folder, times)
    comment = f"{words_of(waiting.number)} {why}; as {words_of(good)}"
    text = carried(good.text, text_of(data) or "")
    made = Generation(next_number(folder), at, clock, by or AGENT, REVERT, comment, text)
    if not install(folder, made, data, [good.number]):
        return []  # edited by hand at this very moment: who comes next sees it
    folder.remove(PENDING)
    return [told]


def _adopt(folder: Folder, times: Times) -> str:
    """A FILE that no commit made becomes a generation of its own, if it is right."""
    text, newest = text_of(folder.current()), folder.newest()
    if text is None or (newest is not None and newest.text == text) or not is_valid(text):
        return ""
    at, clock = stamped(folder, times)
    back_to = next((entry.before for entry in _entries(folder) if entry.text == digest(text)), 0)
    made = Generation(next_number(folder), at, clock, owner_of(folder.file), HAND, "", text, back_to)
    folder.announce(made)
    folder.publish(made.number, {entry.before for entry in _entries(folder)})
    if newest is not None and newest.how == HAND and _is_stale(folder, newest, text):
        folder.remove(f"{newest.number:06d}.toml")
    return f"{folder.file} was {'edited' if newest is not None else 'written'} by hand: it is {words_of(made)} now"


def _is_stale(folder: Folder, before: Generation, text: str) -> bool:
    """A hundred patients a day are no history of the configuration, unless something goes back or on from there."""
    candidate = folder.candidate()
    needed = _entries(folder) or (candidate is not None and candidate.number == before.number)
    return not needed and only_another_exam(text, before.text)


def owner_of(path: str) -> str:
    """Return the name of a file's owner."""
    import os
    import pwd

    uid = os.stat(path).st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
