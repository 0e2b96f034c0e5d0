"""A command line becomes words, and the pieces between bars.

Blanks part words; a quote may stand within a word, as in a shell. ``'...'`` is taken as it is, ``"..."`` with the
escapes of a TOML basic string, as the lines of ``config commands`` have them. A bar outside of quotes begins a filter.
An open quote is no error here: the line may still be under way.
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple

_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\"}
_LENGTHS: Final = {"u": 4, "U": 8}
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,:/@%^=[]")


class Words(NamedTuple):
    """One piece of a line: its ``words``, and whether the last one is still ``open`` (no blank behind it).

    ``quoted``: the open word stands in quotes that are not closed. ``fault``: an escape that is none.
    """

    words: tuple[str, ...]
    open: bool
    quoted: bool
    fault: str = ""


def split(line: str) -> list[Words]:
    """Return the pieces of ``line`` between bars; the first is the command."""
    pieces: list[Words] = []
    words: list[str] = []
    held: str | None = None
    quote = fault = ""
    at = 0
    while at < len(line):
        char = line[at]
        at += 1
        if quote == '"' and char == "\\":
            text, at, wrong = _escape(line, at)
            held, fault = (held or "") + text, fault or wrong
        elif quote and char != quote:
            held = (held or "") + char
        elif char in "\"'":
            held, quote = held or "", "" if quote else char
        elif char in " |":
            if held is not None:
                words.append(held)
                held = None
            if char == "|":
                pieces.append(Words(tuple(words), open=False, quoted=False, fault=fault))
                words, fault = [], ""
        else:
            held = (held or "") + char
    if held is not None:
        words.append(held)
    pieces.append(Words(tuple(words), held is not None, bool(quote), fault))
    return pieces


def _escape(line: str, at: int) -> tuple[str, int, str]:
    """Return the character behind a backslash, where it ends, and what is wrong with it."""
    kind = line[at : at + 1]
    length = _LENGTHS.get(kind)
    if length is None:
        return _ESCAPES.get(kind, kind), at + 1, "" if kind in _ESCAPES else f"'\\{kind}' is no escape"
    digits = line[at + 1 : at + 1 + length]
    try:
        if len(digits) != length or not digits.isalnum():
            raise ValueError
        char = chr(int(digits, 16))
        if not char.encode().strip(b"\0"):  # no program takes it as an argument
            raise ValueError
    except (ValueError, OverflowError):
        return "", at + 1 + len(digits), f"'\\{kind}{digits}' is no character"
    return char, at + 1 + length, ""


def quoted(word: str) -> str:
    """Return ``word`` as it can be typed."""
    if word and set(word) <= _PLAIN:
        return word
    if "'" not in word and word.isprintable():
        return f"'{word}'"
    text = "".join(_escaped(char) for char in word)
    return f'"{text}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\U{ord(char):08X}"


def joined(words: tuple[str, ...] | list[str]) -> str:
    """Return ``words`` as a line."""
    return " ".join(quoted(word) for word in words)
