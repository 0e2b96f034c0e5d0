"""Several associations to one peer at a time, each with its share of the files.

What keeps a peer from being quick is often time in which neither side works: a disk it waits for, an answer on its
way. Other associations fill it. A share is fixed beforehand, so that files of one kind stay together and each
association is what ``deliver`` makes of it. A peer that refuses associations for now may have enough of them: their
files go over a single one when the others have ended, and been counted as ended.
"""

from __future__ import annotations

import time
from queue import SimpleQueue
from threading import Event, Thread

from agent.errors import AssociationRejected
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from agent.forward.deliver import Outcome
    from agent.forward.files import Files, Instance

    Work = Callable[[Sequence[Instance]], Iterator[Outcome]]

# Waits before what was refused is tried again: a quick peer has let go of the others after the first, a slow one last
AGAIN_S: Final = (0.2, 1.0, 5.0)
STOP_S: Final = 2.0  # who interrupts us waits so long for releases


def deliver_parallel(
    work: Work, files: Files, associations: int, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[Outcome]:
    """Yield the outcome of each file once, as they come; ``work`` delivers one share over one association at a time."""
    shares = [files.share(part, associations) for part in range(min(associations, len(files)))]
    outcomes: Iterator[Outcome] = _side_by_side(work, shares)
    for wait in AGAIN_S:
        refused: list[Instance] = []
        for outcome in outcomes:
            if outcome.error is not None and outcome.error.code == AssociationRejected.code:
                refused.append(outcome.instance)
            else:
                yield outcome
        if not refused:
            return
        pause(wait)
        outcomes = work(refused)
    yield from outcomes


def _side_by_side(work: Work, shares: Sequence[Sequence[Instance]]) -> Generator[Outcome, None, None]:
    """Do all shares in threads of their own; what one raises is raised here, and ends the others behind their file."""
    found: SimpleQueue[Outcome | BaseException | None] = SimpleQueue()  # None: a share is done
    stop = Event()

    def run(share: Sequence[Instance]) -> None:
        end: BaseException | None = None
        try:
            for outcome in work(share):
                found.put(outcome)
                if stop.is_set():
                    break
        except BaseException as error:  # noqa: BLE001  (it is raised where somebody sees it)
            end = error
        found.put(end)

    threads = [Thread(target=run, args=(share,), daemon=True) for share in shares]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            item = found.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                running -= 1
            else:
                yield item
    finally:
        stop.set()
        for thread in threads:
            thread.join(STOP_S)
