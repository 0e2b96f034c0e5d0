"""Which events of the front panel were carried out, over every end of the agent: each at most once, and none silently.

The panel keeps an event until its number is acknowledged. Four things happen to one, and the agent may die between any
two of them::

    a  it is carried out: an order is taken, whose instance will say ``panel_event`` in its first event of the ledger
    b  its number is noted in the ledger, with what it promised                                        (``carried_out``)
    c  it is acknowledged
    d  its instance is durable, in one transaction with ``panel_event``

Where the agent begins again, the number noted says what was carried out, and so does each ``panel_event``:

    death after       the panel sends it again    and it is
    nothing           yes                         carried out, once
    a                 yes                         carried out: nothing of the first time is left
    a, d              yes                         known by its panel_event, and not carried out
    a, b              yes                         known by its number, and told: its image is lost with the agent
    a, b, c           no                          told, for it was promised and its panel_event is not there
    a, b, c, d        no                          done

What is carried out again within 2 s of a foot on a pedal is what the operator wants, for nothing came of the first
time; later he has pressed again (``front_panel.STALE_S``), and it is told. The end of a clip is noted before it is
carried out: heard twice it would begin another one, and a clip does not outlive the agent anyway. A medium that cannot
be written costs this memory, and not the event.
"""

from __future__ import annotations

from agent.errors import SpoolError
from agent.panel.messages import Numbers
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool.ledger import Ledger
    from agent.spool.sqlite import sqlite3

_KEY: Final = "panel"
# What was promised and is not there yet: more than a panel and its exposures can have under way.
OPEN: Final = 32
# Instances whose first event is looked at for what was promised; more are not made in the second between two looks.
_LATEST: Final = 256
_SAVE: Final = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_DETAILS: Final = "SELECT detail FROM event WHERE instance IN (SELECT id FROM instance ORDER BY id DESC LIMIT ?)"


class Heard:
    """The memory of one panel; for its own thread."""

    def __init__(self, ledger: Ledger, say: Callable[[str, str], None]) -> None:
        self._ledger = ledger
        self._say = say
        self._open: dict[int, str] = {}  # number -> what was promised
        self._unsaved = False
        self._behind: int | None = None  # what is to be noted some time
        self.numbers = Numbers()
        try:
            self._load()
        except SpoolError as error:
            say("warning", f"nobody knows which events were carried out before: {error}")

    def name(self, number: int) -> str:
        """How an event is called in the ledger."""
        return f"{self.numbers.run:08x}.{number}"

    def carried_out(self, number: int, promised: str = "") -> None:
        """Note that an event was carried out, and that something is to come of it."""
        if promised:
            self._open[number] = promised
            while len(self._open) > OPEN:
                del self._open[next(iter(self._open))]
        self._save(number + 1 & 0xFFFFFFFF)

    def passed(self, number: int) -> None:
        """Note some time that an event came of which nothing comes."""
        self._behind = number + 1 & 0xFFFFFFFF

    def settle(self, under_way: Callable[[str], bool]) -> None:
        """Forget promises that are kept, and those of which nothing is under way: that was told by their source."""
        if self._behind is not None:
            self._save(self._behind)
        if not self._open:
            return
        idle = [number for number, source in self._open.items() if not under_way(source)]  # before the ledger is asked
        try:
            made = self._made()
        except SpoolError:  # told by others
            return
        gone = made | set(idle)
        if gone & set(self._open):
            self._open = {number: source for number, source in self._open.items() if number not in gone}
            self._save(self.numbers.wanted)

    def _load(self) -> None:
        rows = self._ledger.read("SELECT value FROM meta WHERE key = ?", (_KEY,))
        if not rows:
            return
        run, wanted, *promised = rows[0][0].split()
        self.numbers = Numbers(int(run), int(wanted))
        self._open = {int(number): source for number, _, source in (one.partition(":") for one in promised)}
        made = self._made()
        for number, source in self._open.items():
            if number not in made:
                self._say("error", f"event {self.name(number)} asked for an image of {source}, and there is none: "
                          "the agent ended before it was durable")  # fmt: skip
        self._open = {}
        behind = [number for number in made if (number - self.numbers.wanted) & 0xFFFFFFFF < 0x80000000]
        if behind:  # it died between an instance and the note of its number
            self.numbers.wanted = max(behind, key=lambda one: (one - self.numbers.wanted) & 0xFFFFFFFF) + 1 & 0xFFFFFFFF

    def _made(self) -> set[int]:
        """Numbers of events of this run that have an instance."""
        head = f"panel_event={self.numbers.run:08x}."
        lines = (line for (detail,) in self._ledger.read(_DETAILS, (_LATEST,)) for line in detail.split("\n"))
        return {int(line[len(head) :]) for line in lines if line.startswith(head)}

    def _save(self, wanted: int) -> None:
        self._behind = None
        promised = " ".join(f"{number}:{source}" for number, source in self._open.items())
        value = f"{self.numbers.run} {wanted} {promised}".rstrip()

        def job(db: sqlite3.Connection) -> None:
            db.execute(_SAVE, (_KEY, value))

        try:
            self._ledger.write(job)
        except SpoolError as error:
            if not self._unsaved:
                self._say("warning", f"an event may be carried out twice should the agent end now: {error}")
            self._unsaved = True
        else:
            self._unsaved = False
