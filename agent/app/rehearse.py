"""Rehearse the sources of a configuration: here, or in another process that takes its memory with it.

A daemon must know that every source can make its instance, and must not keep the 8 MiB of tables and codecs that it
takes to know. At its start there is one thread: ``Apart`` forks, the child rehearses while the parent opens and binds
what it needs, and its answer is awaited before any role works and before anything is promised. Later there are threads,
whose locks a fork would copy as they are: for a reload ``rehearse_elsewhere`` starts a Python of its own, which reads
the configuration again. Its answer counts only if it read the same.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.config.settings import Settings

Answer = tuple[list[tuple[str, str]], list[str]]

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
# -P: the folder that the daemon was started in is no place to import from.
_ELSEWHERE: Final = ("-P", "-m", "agent.app.rehearse")
_UNKNOWN: Final = "nobody knows what the sources lack"


def rehearse(path: str, settings: Settings) -> list[str]:
    """Rehearse every source of the configuration in ``path``; gives notes, raises ``ConfigError`` with all problems."""
    if not settings.source:
        return []
    return _judge(path, _answer(settings))


def rehearse_elsewhere(path: str, settings: Settings) -> list[str]:
    """Do the same in a process of its own; ``ConfigError`` also when ``path`` does not hold ``settings`` any more."""
    if not settings.source:
        return []
    ours, theirs = os.pipe()
    try:
        pid = os.posix_spawn(
            sys.executable, [sys.executable, *_ELSEWHERE, path], os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1)], setsigmask=(),
        )  # fmt: skip
    except OSError as error:
        os.close(ours)
        return [f"{_UNKNOWN} (no process for the rehearsal: {error.strerror})"]
    finally:
        os.close(theirs)
    said, note = _hear(ours, pid)
    if note:
        return [note]
    seen, *answer = said
    if seen != identity(settings):
        from agent.errors import ConfigError

        raise ConfigError(f"{path} changed while it was read", hint="Reload again when it is complete.")
    return _judge(path, answer)


def identity(settings: Settings) -> str:
    """Return the same words for the same settings, in any process."""
    from hashlib import sha256

    return sha256(repr(settings).encode()).hexdigest()


def _answer(settings: Settings) -> Answer:
    from agent.acquire.rehearsal import rehearse_sources  # what a capture needs: not for a box without sources

    found = rehearse_sources(settings)
    return found.problems, found.notes


def _judge(path: str, answer: Any) -> list[str]:
    problems, notes = answer
    if problems:
        from agent.config.load import refuse

        raise refuse(path, problems)
    return list(notes)


def _hear(pipe: int, pid: int) -> tuple[Any, str]:
    """Return what the child said, None for nothing; or a note: that there was no answer is one, captures may work."""
    with open(pipe, encoding="utf-8") as file:
        said = file.read()
    _, status = os.waitpid(pid, 0)
    if status:
        return None, f"{_UNKNOWN}: the rehearsal ended by itself (status {status})"
    if not said:
        return None, ""
    import json  # only where there is something to say

    return json.loads(said), ""


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
        except BrokenPipeError:  # the parent found a fault of its own and is gone
            pass
        except BaseException:  # noqa: BLE001  whatever it is, the parent goes on with its own life
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def notes(self) -> list[str]:
        """Wait for the answer, see ``rehearse``; meanwhile a stop ends the process, for nothing is promised yet."""
        if not self._pid:
            return []
        before = signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        try:
            said, note = _hear(self._fd, self._pid)
        finally:
            self._pid = 0
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if note:
            return [note]
        return [] if said is None else _judge(self._path, said)


def _main(path: str) -> None:
    import json

    from agent.config.load import load

    settings = load(path, files=True)
    sys.stdout.write(json.dumps((identity(settings), *_answer(settings))))


if __name__ == "__main__":
    _main(sys.argv[1])
