"""Windows of the week: ``22:00-06:00`` every day, ``Sat,Sun 00:00-24:00``, ``Mon-Fri 18:00-07:30``; local time.

A window belongs to the day it begins on and may end on the next one. What comes out are spans of minutes of the week,
counted from Monday 00:00, so that a question is one comparison.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES: Final = 24 * 60
WEEK_MINUTES: Final = 7 * DAY_MINUTES
_WINDOW: Final = r"(?:([A-Za-z,-]+) )?([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})"

Span = tuple[int, int]  # minutes of the week, the first in it and the first behind it


def spans(windows: Iterable[str]) -> tuple[Span, ...]:
    """Return the spans of all ``windows``, in order; raises ``ValueError`` in words."""
    found: list[Span] = []
    for text in windows:
        days, begins, length = _read(text)
        for day in days:
            start = day * DAY_MINUTES + begins
            end = start + length
            found.append((start, min(end, WEEK_MINUTES)))
            if end > WEEK_MINUTES:
                found.append((0, end - WEEK_MINUTES))
    return tuple(sorted(found))


def _read(text: str) -> tuple[list[int], int, int]:
    """Return days, the minute it begins at and its length."""
    import re  # few sites have windows

    match = re.fullmatch(_WINDOW, text)
    if match is None:
        raise ValueError(f"'{text}' is no window: HH:MM-HH:MM, with days as Mon-Fri or Sat,Sun in front")
    hours = [(int(match[2]), int(match[3])), (int(match[4]), int(match[5]))]
    if any(hour > 24 or minute > 59 or (hour == 24 and minute) for hour, minute in hours):
        raise ValueError(f"'{text}' has a time of day that does not exist")
    begins, ends = (hour * 60 + minute for hour, minute in hours)
    if begins in (ends, DAY_MINUTES):
        raise ValueError(f"'{text}' is empty: a whole day is 00:00-24:00")
    return _days(match[1], text), begins, ends - begins if ends > begins else ends + DAY_MINUTES - begins


def _days(names: str | None, text: str) -> list[int]:
    if names is None:
        return list(range(7))
    found: set[int] = set()
    for part in names.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"'{text}': days are {', '.join(DAYS)}, or a range of them")
        begin = DAYS.index(first)
        end = DAYS.index(last) if dash else begin
        found.update(day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))
    return sorted(found)
