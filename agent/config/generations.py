"""The folder ``FILE.history`` beside a configuration: its generations, the candidate, what waits to be confirmed.

::

    000012.toml    a generation: two lines of facts as comments, then the text as it was in force
    next.toml      one that is about to be: written before FILE is replaced, renamed to its number behind that
    candidate.toml what is being edited, with the digest of the FILE that it began from
    pending        which generations revert by themselves, to which, and when
    damaged-3      what was set aside because it could not be used
    notice         what a person should know; goes with the next commit
    lock, turn     who edits; who is changing something at this very moment

Every file with facts has their digest and that of its text in it, so that one that a power cut damaged is known, and
never used. Every change goes through ``agent.spool.durable``: whole and synced, or not at all. Files get the mode and
the owner of FILE, because the agent may run as another user than whoever commits.
"""

from __future__ import annotations

import os

from agent.config.at_rest import NEXT, SUFFIX
from agent.errors import FileError, SpoolError
from agent.spool.durable import Medium
from agent.spool.small_sha256 import sha256
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# So many generations are kept: weeks of work on a box, and a fraction of a megabyte.
KEPT: Final = 30
DAMAGED_KEPT: Final = 5
# As agent.config.load bounds a configuration, with the facts in front.
_MAX_BYTES: Final = (1 << 20) + 65_536
CANDIDATE, LOCK, TURN = "candidate.toml", "lock", "turn"
_MARK: Final = "# modality-agent "
_DIGEST: Final = "# sha256 "
_GENERATION: Final = ".toml"
_HINT: Final = "Check that the folder of the configuration can be written by you, and that there is room."


class Generation(NamedTuple):
    """One generation: ``at`` wall s, ``clock`` its grade, ``how`` it came to be (``settling``).

    ``back_to`` is the one that it gives way to unless it is confirmed, 0 for none; ``pending`` says until when.
    """

    number: int
    at: float
    clock: str
    who: str
    how: str
    comment: str
    text: str
    back_to: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """Everything but the text."""
        return {name: value for name, value in self._asdict().items() if name != "text"}


class Candidate(NamedTuple):
    """What is being edited; ``base`` is the digest of the FILE it began from, ``began`` that text."""

    text: str
    base: str
    number: int
    at: float
    who: str


def digest(text: str) -> str:
    """Return SHA-256 of a text, hexadecimal."""
    return sha256(text.encode()).hexdigest()


def packed(facts: dict[str, Any], text: str) -> bytes:
    """Return facts and text as one file."""
    import json

    head = f"{_MARK}{json.dumps(facts)}\n"
    return f"{head}{_DIGEST}{digest(head + text)}\n{text}".encode()


def unpacked(data: bytes) -> tuple[dict[str, Any], str] | None:
    """Return facts and text of a file; None for one that is damaged."""
    import json

    try:
        head, stated, text = data.decode().split("\n", 2)
        if stated.removeprefix(_DIGEST) != digest(f"{head}\n{text}"):
            return None
        facts = json.loads(head.removeprefix(_MARK))
    except ValueError:
        return None
    return (facts, text) if isinstance(facts, dict) else None


class Folder:
    """The files of one configuration; knows nothing of what they mean to each other."""

    def __init__(self, file: str, medium: Medium | None = None) -> None:
        self.file = file
        self.path = file + SUFFIX
        self.medium = medium or Medium(self.path)

    def in_it(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return f"{self.path}/{name}"

    def make(self) -> None:
        """Make the folder, if there is none."""
        if not os.path.isdir(self.path):
            mode, owner = _like(self.file, 0o600)
            self._do(lambda: self.medium.make_folder(self.path, mode | (mode & 0o444) >> 2))
            _own(self.path, owner)

    def own(self, name: str) -> None:
        """Give a file of ours to whom FILE belongs."""
        self._do(lambda: _own(self.in_it(name), _like(self.file, 0)[1]))

    # --- FILE ------------------------------------------------------------------------------------

    def current(self) -> bytes | None:
        """Return FILE as it is; None where there is none."""
        return _read(self.file)

    def replace(self, text: str, before: bytes | None) -> bool:
        """Put ``text`` in the place of FILE: at every moment it is the old one or the new one.

        False when it is not ``before`` any more: a person has written it meanwhile. (Between that look and the rename
        are some microseconds in which nobody would be seen; editors take no locks.)
        """
        folder, name = os.path.split(self.file)
        _, (user, _group) = _like(self.file, 0)
        if os.geteuid() not in (0, user):
            raise FileError(f"{self.file} belongs to another user", hint="Run this as that user, or as root.")
        return self._put(f"{folder}/.{name}.new", self.file, text.encode(), lambda: self.current() == before)

    # --- generations -----------------------------------------------------------------------------

    def numbers(self) -> list[int]:
        """Return the numbers of all generations, the newest first."""
        return sorted((int(name[:6]) for name in self._names() if _is_generation(name)), reverse=True)

    def generation(self, number: int) -> Generation | None:
        """Return a generation; None for one that is not there, or damaged."""
        return self._generation(f"{number:06d}{_GENERATION}")

    def next(self) -> Generation | None:
        """Return the generation that is about to be."""
        return self._generation(NEXT)

    def newest(self) -> Generation | None:
        """Return the newest generation that is whole."""
        found = (self.generation(number) for number in self.numbers())
        return next((one for one in found if one is not None), None)

    def announce(self, generation: Generation) -> None:
        """Write down the generation that is about to be."""
        self.write(NEXT, packed(generation.facts, generation.text))

    def publish(self, number: int, keep: set[int]) -> None:
        """Give the generation that is about to be its number; the oldest go, but those that are needed."""
        final = self.in_it(f"{number:06d}{_GENERATION}")
        if os.path.lexists(final):  # damaged: it is no generation
            self.remove(f"{number:06d}{_GENERATION}")
        self._do(lambda: self.medium.publish(self.in_it(NEXT), final))
        for old in self.numbers()[KEPT:]:
            if old not in keep:
                self.remove(f"{old:06d}{_GENERATION}")

    def _generation(self, name: str) -> Generation | None:
        found = self._unpacked(name)
        try:
            return None if found is None else Generation(**found[0], text=found[1])
        except TypeError:
            return None

    # --- candidate -------------------------------------------------------------------------------

    def candidate(self) -> Candidate | None:
        """Return what is being edited; None where nothing is, or it is damaged."""
        found = self._unpacked(CANDIDATE)
        try:
            return None if found is None else Candidate(text=found[1], **found[0])
        except TypeError:
            return None

    def edit(self, candidate: Candidate) -> None:
        """Keep what is being edited."""
        self.write(CANDIDATE, packed({k: v for k, v in candidate._asdict().items() if k != "text"}, candidate.text))

    # --- any file --------------------------------------------------------------------------------

    def read(self, name: str) -> bytes | None:
        """Return a file; None where there is none."""
        return _read(self.in_it(name))

    def write(self, name: str, data: bytes) -> None:
        """Put ``data`` in the place of a file, durable."""
        self._put(self.in_it(f"{name}~"), self.in_it(name), data)

    def remove(self, name: str) -> bool:
        """Remove a file, durably; False when there was none."""
        return os.path.lexists(self.in_it(name)) and self._do(lambda: self.medium.remove(self.in_it(name)))

    def set_aside(self, data: bytes) -> str:
        """Keep what cannot be used; returns its path. The same bytes are kept once."""
        kept = sorted(int(name[8:]) for name in self._names() if name.startswith("damaged-") and name[8:].isdigit())
        for number in kept:
            if self.read(f"damaged-{number}") == data:
                return self.in_it(f"damaged-{number}")
        name = f"damaged-{kept[-1] + 1 if kept else 1}"
        self.write(name, data)
        for number in kept[: -DAMAGED_KEPT + 1]:
            self.remove(f"damaged-{number}")
        return self.in_it(name)

    def _unpacked(self, name: str) -> tuple[dict[str, Any], str] | None:
        data = self.read(name)
        return None if data is None else unpacked(data)

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.path)
        except OSError:
            return []

    def _put(self, part: str, final: str, data: bytes, still: Callable[[], bool] = lambda: True) -> bool:
        mode, owner = _like(self.file, 0o600)

        def put() -> bool:
            if os.path.lexists(part):
                self.medium.remove(part, sync=False)
            file = self.medium.create(part, mode)
            try:
                file.write_at(0, data)
                file.finish()
            finally:
                file.close()
            if os.stat(part).st_mode & 0o777 != mode:
                os.chmod(part, mode)
            _own(part, owner)
            if not still():
                self.medium.remove(part, sync=False)
                return False
            self.medium.swap(part, final)
            return True

        return bool(self._do(put))

    @staticmethod
    def _do(change: Callable[[], Any]) -> Any:
        try:
            return change()
        except SpoolError as error:
            raise FileError(f"the configuration cannot be changed: {error.message}", hint=_HINT) from error
        except OSError as error:
            raise FileError(f"the configuration cannot be changed: {error}", hint=_HINT) from error


def _is_generation(name: str) -> bool:
    return len(name) == 11 and name[:6].isdigit() and name.endswith(_GENERATION)


def _read(path: str) -> bytes | None:
    """Return at most so many bytes that too many can be told; None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError.of(path, error) from None


def _like(file: str, default: int) -> tuple[int, tuple[int, int]]:
    """Return mode and owner of a file; of its folder of generations where it is gone; or what a new one gets."""
    for path in (file, file + SUFFIX):
        try:
            found = os.stat(path)
        except OSError:
            continue
        return found.st_mode & 0o666, (found.st_uid, found.st_gid)
    return default, (os.geteuid(), os.getegid())


def _own(path: str, owner: tuple[int, int]) -> None:
    found = os.stat(path)
    if (found.st_uid, found.st_gid) != owner and os.geteuid() == 0:
        os.chown(path, *owner)
