"""Which line of a TOML text holds a key: the line of the key itself, or else of the closest table around it."""

from __future__ import annotations

from agent.config.toml_text import Path, statements


def key_lines(text: str) -> dict[str, int]:
    """Map key paths (``spool.path``, ``destination[1].port``, ``destination[1]``) to line numbers from 1."""
    lines: dict[str, int] = {}
    number, at = 1, 0
    for one in statements(text):
        number += text.count("\n", at, one.start)
        at = one.start
        for length in range(len(one.path), 0, -1):  # dotted keys are the only place of their table
            lines.setdefault(_where(one.path[:length]), number)
    return lines


def _where(path: Path) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def given_twice(text: str, number: int) -> tuple[str, int] | None:
    """Return the key of line ``number`` and the line of its table that gives it first; None where that is not seen."""
    rows = text.split("\n")[:number]
    key = rows[-1].partition("=")[0].strip() if rows else ""
    for line in range(number - 1, 0, -1):
        row = rows[line - 1].strip()
        if row.startswith("["):
            return None
        if key and row.partition("=")[0].strip() == key:
            return key.strip("\"'"), line
    return None


def line_of(lines: dict[str, int], where: str) -> int | None:
    """Return the line of ``where`` or of the closest table around it."""
    while where:
        if where in lines:
            return lines[where]
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    return None
