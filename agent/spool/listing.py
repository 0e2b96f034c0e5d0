"""Lists that go beyond one delivery: studies with what waits of them, and what an operator holds.

Each question goes through an index that holds all it needs (``instance_study``), so that a page of studies costs some
milliseconds with 100,000 instances queued.
"""

from __future__ import annotations

from agent.spool.states import HELD_BY_OPERATOR, WORDS, Life, State
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]

LAST: Final = 2**63 - 1
_STUDIES: Final = f"""
SELECT study_uid, count(*), sum(life = {int(Life.LIVE)}), max(id) FROM instance {{where}} GROUP BY study_uid
  HAVING max(id) < ? AND sum(life = {int(Life.LIVE)}) > 0 ORDER BY max(id) DESC LIMIT ?
"""  # noqa: S608 - our numbers
_STATES: Final = """
SELECT n.name, d.state, count(*) FROM instance i JOIN delivery d ON d.instance = i.id
  JOIN destination n ON n.id = d.destination WHERE i.study_uid = ? GROUP BY n.name, d.state
"""


class Study(NamedTuple):
    """A study of which something is on this box; ``last`` is the id of its youngest instance."""

    study_uid: str
    instances: int  # the spool has ever had
    live: int  # that are on this box
    last: int


class Hold(NamedTuple):
    """What an operator holds: a destination (empty: every one), of it a study (empty: all)."""

    destination: str
    study_uid: str
    at: float


def studies(ask: Ask, *, of: Sequence[str] | None = None, before: int = LAST, limit: int = 100) -> list[Study]:
    """List studies, the one that got an instance last first; ``before`` is the ``last`` of the page before."""
    where = ""
    values: tuple[str, ...] = ()
    if of is not None:
        where, values = f"WHERE study_uid IN ({', '.join('?' * len(of))})", tuple(of)
    return [Study._make(row) for row in ask(_STUDIES.format(where=where), (*values, before, limit))]


def states_of_study(ask: Ask, study_uid: str) -> dict[str, dict[str, int]]:
    """Count the deliveries of a study by destination and state word."""
    found: dict[str, dict[str, int]] = {}
    for name, state, count in ask(_STATES, (study_uid,)):
        found.setdefault(name, {})[WORDS[state]] = count
    return found


def first_live(ask: Ask, study_uid: str) -> int | None:
    """The oldest instance of a study whose file is on this box."""
    rows = ask("SELECT min(id) FROM instance WHERE study_uid = ? AND life = ?", (study_uid, int(Life.LIVE)))
    return None if not rows or rows[0][0] is None else int(rows[0][0])


def captured_at(ask: Ask, number: int) -> float:
    """When an instance was captured, in wall s."""
    return float(ask("SELECT captured_at FROM instance WHERE id = ?", (number,))[0][0])


def study_of(ask: Ask, sop_instance_uid: str) -> str:
    """The study that an instance belongs to; empty for one that the spool never had."""
    rows = ask("SELECT study_uid FROM instance WHERE sop_instance_uid = ?", (sop_instance_uid,))
    return str(rows[0][0]) if rows else ""


def holds(ask: Ask) -> list[Hold]:
    """What an operator holds as a whole, destinations first."""
    sql = (
        "SELECT coalesce(n.name, ''), h.study_uid, h.at FROM hold h LEFT JOIN destination n ON n.id = h.destination "
        "ORDER BY h.study_uid, n.name"
    )
    return [Hold._make(row) for row in ask(sql, ())]


def held_by_operator(ask: Ask, destination: str | None = None, uid: str | None = None) -> int:
    """Count the deliveries that an operator holds one by one."""
    sql = (
        "SELECT count(*) FROM destination n CROSS JOIN delivery d WHERE d.destination = n.id AND d.state = ? "
        "AND d.reason LIKE ? AND n.name = coalesce(?, n.name)"
    )
    values: list[Any] = [int(State.HELD), f"{HELD_BY_OPERATOR}%", destination]
    if uid is not None:
        sql += " AND d.instance IN (SELECT id FROM instance WHERE sop_instance_uid = ?)"
        values.append(uid)
    return int(ask(sql, tuple(values))[0][0])
