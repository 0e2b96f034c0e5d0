"""Which firmware runs: that of a slot, a folder of the flash, or the frozen one, which no update can take away.

The file ``slot`` is the whole truth, four digits: the good slot, the slot on trial (0: none), whether the trial was
started, and how the last one ended. It is replaced by renaming, so after a loss of power it is the old one or the new
one, and anything else means the frozen firmware. A trial has one start: unless the firmware is confirmed within
``TRIAL_MS`` a timer that it does not know resets the processor, and whatever reset it is, the good one runs then.
Frozen, with ``main`` and ``store``: no update replaces these.
"""

from store import Store

POINTER = "/slot"
FOLDERS = ("", "/a", "/b")  # 0 is the frozen one
NONE, KEPT, CRASHED, NOT_CONFIRMED = 0, 1, 2, 3  # places in messages.OUTCOMES
TRIAL_MS = 60000  # the agent answers within two seconds, and after a line that was pulled meanwhile as well


class Slots:
    """The file ``slot``, and what follows from it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.running = 0
        self.on_trial = False
        self._good, self._trial, self._started, self.outcome = _read(store.load(POINTER, 5))

    def start(self) -> str:
        """Decide what runs now; returns its folder."""
        self.running = self._good
        if self._trial and self._started:
            self._save(self._good, 0, NOT_CONFIRMED)
        elif self._trial and self._save(self._good, self._trial, NONE, started=1):
            self.running = self._trial
            self.on_trial = True
            self.store.guard(TRIAL_MS)
        return FOLDERS[self.running]

    def spare(self) -> int:
        """Return the slot that nothing runs from."""
        return 2 if 1 in (self.running, self._good) else 1

    def waits(self) -> bool:
        """Whether a firmware is on trial or will be: the spare slot is no spare one then."""
        return self._trial != 0

    def install(self, slot: int) -> bool:
        """Put the firmware of a slot on trial, from the next start on; False when the flash does not take it."""
        return self._save(self._good, slot, NONE)

    def keep(self) -> None:
        """Confirm the firmware that is on trial."""
        if self.on_trial and self._save(self.running, 0, KEPT):
            self.on_trial = False
            self.store.guard(0)

    def failed(self, ran: bool) -> None:  # noqa: FBT001  main has one place for both
        """Hear that the running firmware ended by an exception; one that never ``ran`` does not load."""
        if self.on_trial:
            self._save(self._good, 0, CRASHED)
        elif self.running and not ran:
            self._save(0, 0, CRASHED)

    def _save(self, good: int, trial: int, outcome: int, started: int = 0) -> bool:
        """Write it down; False when the flash takes nothing any more, which ends no firmware that runs."""
        try:
            self.store.save(POINTER, b"%d%d%d%d" % (good, trial, started, outcome))
        except OSError:
            return False
        self._good, self._trial, self._started, self.outcome = good, trial, started, outcome
        return True


def _read(text: bytes) -> tuple[int, int, int, int]:
    digits = [byte - 48 for byte in text]
    if len(digits) != 4 or min(digits) < 0 or max(digits[:2]) > 2 or digits[2] > 1 or digits[3] > NOT_CONFIRMED:
        return 0, 0, 0, NONE
    return digits[0], digits[1], digits[2], digits[3]
