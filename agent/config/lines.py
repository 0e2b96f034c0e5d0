"""Which line of a TOML text holds a key.

``tomllib`` gives values without positions. This scanner reads headers and keys line by line, skips the inside of
multi-line strings and arrays well enough for configuration files, and answers with the nearest line it knows: the key,
else its table, else nothing. It never decides validity; that is ``tomllib``'s.
"""

from __future__ import annotations


def key_lines(text: str) -> dict[str, int]:
    """Map key paths (``spool.path``, ``destination[1].port``, ``destination[1]``) to line numbers from 1."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    skip_until = ""
    depth = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if skip_until:
            skip_until = "" if skip_until in line else skip_until
            continue
        if depth > 0:
            depth += line.count("[") - line.count("]")
            continue
        if line.startswith("["):
            table = _header(line, counts)
            lines.setdefault(table, number)
            continue
        name, equals, value = line.partition("=")
        if not equals or name.startswith("#"):
            continue
        key = name.strip().strip("\"'")
        lines.setdefault(f"{table}.{key}" if table else key, number)
        if "." in key and not table:
            lines.setdefault(key.partition(".")[0], number)
        skip_until = _opens_string(value)
        if not skip_until and value.lstrip().startswith("["):
            depth = value.count("[") - value.count("]")
    return lines


def given_twice(text: str, number: int) -> tuple[str, int] | None:
    """Return the key of line ``number`` and the line of its table that gives it first; None where that is not seen."""
    rows = text.splitlines()[:number]
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
        where = where.rpartition(".")[0]
    return None


def _header(line: str, counts: dict[str, int]) -> str:
    repeated = line.startswith("[[")
    name = line.strip("[").partition("]")[0].strip().strip("\"'")
    if not repeated:
        return name
    index = counts.get(name, 0)
    counts[name] = index + 1
    return f"{name}[{index}]"


def _opens_string(value: str) -> str:
    for quote in ('"""', "'''"):
        if value.count(quote) == 1:
            return quote
    return ""
