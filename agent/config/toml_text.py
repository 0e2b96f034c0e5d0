"""Where the statements of a TOML text are: which lines, which table, which characters are the value.

``tomllib`` gives values without positions, and a file that a person wrote is to be changed at one place only. The
scanner knows enough of TOML to tell strings, arrays and comments apart. It decides nothing: whoever edits by it parses
the outcome again and compares (``agent.config.edit``).
"""

from __future__ import annotations

from agent.typed import NamedTuple

Path = tuple[str | int, ...]  # ("spool", "path"), ("destination", 0, "port"), ("destination", 0)


class Statement(NamedTuple):
    """A header or a key; ``start`` to ``end`` are whole lines, ``value`` to ``value_end`` what stands behind the =."""

    path: Path
    start: int
    end: int
    value: int = 0
    value_end: int = 0

    @property
    def header(self) -> bool:
        """Whether it is one."""
        return not self.value


def statements(text: str) -> list[Statement]:
    """Return the statements of ``text`` in their order; what it does not understand is left out."""
    found: list[Statement] = []
    counts: dict[Path, int] = {}
    table: Path = ()
    at = 0
    while at < len(text):
        start, at = at, _skip_blanks(text, at)
        if at >= len(text) or text[at] in "#\r\n":
            at = _line_end(text, at)
        elif text[at] == "[":
            end = _line_end(text, at)
            table = _header(text[at:end], counts)
            found.append(Statement(table, start, end))
            at = end
        else:
            name, equals = _key(text, at)
            if not equals:
                at = _line_end(text, at)
                continue
            value = _skip_blanks(text, equals)
            value_end = _value_end(text, value)
            at = _line_end(text, value_end)
            found.append(Statement((*table, *name), start, at, value, value_end))
    return found


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _line_end(text: str, at: int) -> int:
    """Return the position behind the newline of the line that ``at`` is in."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _header(line: str, counts: dict[Path, int]) -> Path:
    repeated = line.startswith("[[")
    name, _ = _names(line, 2 if repeated else 1, "]")
    path: Path = tuple(name)
    if not repeated:
        return path
    index = counts.get(path, 0)
    counts[path] = index + 1
    return (*path, index)


def _key(text: str, at: int) -> tuple[list[str], int]:
    """Return the name of a key and the position behind its ``=``; 0 where there is none."""
    name, end = _names(text, at, "=")
    return (name, end + 1) if text[end : end + 1] == "=" else (name, 0)


def _names(text: str, at: int, end: str) -> tuple[list[str], int]:
    """Read a dotted name up to ``end``, or to the end of the line."""
    name, word = [], ""
    while at < len(text) and text[at] not in (end, "\n", "#"):
        character = text[at]
        if character in "\"'":
            close = text.find(character, at + 1)
            if close < 0:
                break
            word += text[at + 1 : close]
            at = close
        elif character == ".":
            name.append(word)
            word = ""
        elif character not in " \t":
            word += character
        at += 1
    return [*name, word], at


def _value_end(text: str, at: int) -> int:
    """Return the position behind a value: before the comment, or before the end of the line."""
    depth, end = 0, at
    while at < len(text):
        character = text[at]
        if character in "\"'":
            at = end = _string_end(text, at)
            continue
        if character in "\r\n" and depth <= 0:
            break
        if character == "#":
            if depth <= 0:
                break
            at = _line_end(text, at)
            continue
        depth += (character in "[{") - (character in "]}")
        at += 1
        if character not in " \t":
            end = at
    return end


def _string_end(text: str, at: int) -> int:
    quote = text[at]
    triple = text[at : at + 3] == quote * 3
    close = quote * 3 if triple else quote
    at += len(close)
    while at < len(text):
        if quote == '"' and text[at] == "\\":
            at += 2
        elif text.startswith(close, at):
            at += len(close)
            while triple and text[at : at + 1] == quote:  # up to two more belong to the string
                at += 1
            return at
        elif not triple and text[at] == "\n":
            return at
        else:
            at += 1
    return len(text)
