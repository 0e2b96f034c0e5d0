"""Rehearse the sources of a configuration: here, or in a child that takes its memory with it.

A daemon that starts must know that every source can make its instance, and must not keep the 8 MiB of tables and codecs
that it takes to know. So ``Apart`` forks while there is one thread: the child rehearses while the parent loads the
runtime, and its answer is awaited before anything is promised.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.config.settings import Settings

Answer = tuple[list[tuple[str, str]], list[str]]


def rehearse(path: str, settings: Settings) -> list[str]:
    """Rehearse every source of the configuration in ``path``; gives notes, raises ``ConfigError`` with all problems."""
    if not settings.source:
        return []
    return _judge(path, _answer(settings))


def _answer(settings: Settings) -> Answer:
    from agent.acquire.rehearsal import rehearse_sources  # what a capture needs: not for a box without sources

    found = rehearse_sources(settings)
    return found.problems, found.notes


def _judge(path: str, answer: Answer) -> list[str]:
    from agent.config.load import refuse

    problems, notes = answer
    if problems:
        raise refuse(path, problems)
    return notes


class Apart:
    """A rehearsal in a child; to be begun before the process has threads."""

    def __init__(self, path: str, settings: Settings) -> None:
        self._path = path
        self._pid = 0
        self._fd = -1
        if settings.source:
            self._fork(settings)

    def _fork(self, settings: Settings) -> None:
        self._fd, theirs = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(theirs)
            return
        status = 1
        try:
            gc.disable()
            with open(theirs, "w", encoding="utf-8") as file:
                answer = _answer(settings)
                if any(answer):
                    import json

                    file.write(json.dumps(answer))
            status = 0
        except BaseException:  # noqa: BLE001  whatever it is, the parent goes on with its own life
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def notes(self) -> list[str]:
        """Wait for the answer, see ``rehearse``; that there was none is a note, for captures may still work."""
        if not self._pid:
            return []
        with open(self._fd, encoding="utf-8") as file:
            said = file.read()
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        if status:
            return [f"the rehearsal of the sources ended by itself (status {status}): nobody knows what they lack"]
        if not said:
            return []
        import json  # only where there is something to say

        return _judge(self._path, json.loads(said))
