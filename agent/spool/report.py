"""What a start found and did: counted, and said in lines."""

from __future__ import annotations

from agent.typed import NamedTuple


class Report(NamedTuple):
    """What recovery found and did; all zero after a clean stop."""

    ledger_rebuilt: bool = False  # from the files: it was damaged, or it was gone
    ledger_aside: str | None = None  # where a damaged ledger was moved
    clips_kept: int = 0  # cut off by a crash: instances of the frames that were durable
    drafts_deleted: int = 0  # .part files: captures nobody was promised anything about
    adopted: int = 0  # files without row: durable, but the crash came before the row
    named: int = 0  # rows of a group that were there before the names of their files
    requeued: int = 0  # deliveries that were under way
    evictions_finished: int = 0
    healed: int = 0  # files that were missing or damaged and are whole again
    duplicates_removed: int = 0  # a second file of the same UID and Data Set
    damaged: int = 0  # set aside: not what was written
    lost: int = 0  # rows whose file is gone: an alarm
    unreadable: int = 0  # left in place: the medium returns errors for them
    strange: int = 0  # set aside: names that are not ours, files that are not DICOM, UIDs with other content
    notes: tuple[str, ...] = ()  # one line each, the first NOTES_LIMIT

    @property
    def clean(self) -> bool:
        """Whether there was nothing to do."""
        return self == Report()

    @property
    def alarm(self) -> bool:
        """Whether an operator must know: something was lost, damaged, unreadable or strange."""
        return bool(self.lost or self.damaged or self.unreadable or self.strange or self.ledger_rebuilt)

    def words(self) -> str:
        """Say what was done, with how often; empty: nothing."""
        counts = self._asdict()
        del counts["notes"]
        return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in counts.items() if value)


NOTES_LIMIT = 100  # lines; a broken medium must not turn the report into a memory problem


class Tally:
    """Counts and notes while recovery runs."""

    __slots__ = ("counts", "left", "notes")

    def __init__(self) -> None:
        self.left: set[int] = set()  # drafts that are still needed; clips have lower numbers than what lies beside them
        self.counts: dict[str, int] = {}
        self.notes: list[str] = []

    def add(self, what: str, text: str, count: int = 1) -> None:
        """Count it, and keep its line while there are few."""
        self.counts[what] = self.counts.get(what, 0) + count
        if len(self.notes) < NOTES_LIMIT:
            self.notes.append(text)
