"""The bytes of many files made durable at once, then their names; what fails costs itself alone.

A flush of the whole file system stands for all of them. Where it is not to be had (``Medium.watched``), where it fails,
which says only that *something* on the file system could not be written, or where others write so much to it that one
took longer than ``SLOW_S``, each file is synced by itself, which tells whose it was.
"""

from __future__ import annotations

import os

from agent.errors import SpoolError
from agent.spool.circle import Waiting
from agent.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.spool.durable import File, Medium

SLOW_S: Final = 1.0
CALM_S: Final = 60.0  # so long files are synced by themselves after a slow flush
LARGE_BYTES: Final = 4 << 20  # synced by its own thread before it joins, so that a still does not wait for a clip


def _nobody(_error: SpoolError) -> None:
    """Hear nothing."""


class Written(Waiting):
    """One who waits with a file that was written and is not durable."""

    __slots__ = ("file",)

    def __init__(self, file: File) -> None:
        super().__init__()
        self.file = file


Writer = TypeVar("Writer", bound=Written)


class Together:
    """What makes groups durable on one medium; used by one thread at a time."""

    __slots__ = ("_calm_at", "_medium", "_monotonic", "_told")

    def __init__(
        self, medium: Medium, monotonic: Callable[[], float], told: Callable[[SpoolError], None] = _nobody
    ) -> None:
        """``told`` hears of a flush that failed, whatever the files say one by one."""
        self._told = told
        self._medium = medium
        self._monotonic = monotonic
        self._calm_at = 0.0

    def harden(self, members: Sequence[Writer]) -> bool:
        """Make the bytes durable, by one flush (True) or file by file, and close the files; who fails is done."""
        began = self._monotonic()
        whole = self._medium.watched and began >= self._calm_at
        if whole:
            settled = [member for member in members if tried(member, _settle)]
            whole = bool(settled) and self._flush()
            if self._monotonic() > began + SLOW_S:
                self._calm_at = self._monotonic() + CALM_S
        for member in members:
            if not member.done and whole:
                member.file.close()
            elif not member.done:
                tried(member, finish)
        return whole

    def sync_names(self, members: Sequence[Writer]) -> list[Writer]:
        """Make the names durable, each folder once; returns those whose are."""
        failed: dict[str, SpoolError] = {}
        folders = {member: os.path.dirname(member.file.path) for member in members}
        for folder in sorted(set(folders.values())):
            try:
                self._medium.sync_folder(folder)
            except SpoolError as error:
                failed[folder] = error
        for member, folder in folders.items():
            if folder in failed:
                member.fail(failed[folder])
        return [member for member in members if not member.done]

    def _flush(self) -> bool:
        try:
            self._medium.flush()
        except SpoolError as error:  # somebody's bytes are lost; whose, each file tells
            self._told(error)
            return False
        return True


def tried(member: Writer, step: Callable[[Writer], object]) -> bool:
    """Do a step for one member, False when it says so; what it raises ends that one alone."""
    try:
        return step(member) is not False
    except Exception as error:  # noqa: BLE001 - handed to the thread that brought the member
        member.fail(error)
        return False


def finish(member: Written) -> None:
    """Make the bytes of one durable, unless it has done so before."""
    if not member.file.closed:
        member.file.finish()


def _settle(member: Written) -> None:
    if not member.file.closed:
        member.file.settle()
