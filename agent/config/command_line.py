"""Lines of commands as a technician types them: ``set destination pacs host 10.0.0.7``, split and put together.

Words are parted by blanks. ``'...'`` is taken as it is, ``"..."`` with the escapes of a TOML basic string; a quote may
stand within a word, as in a shell. ``line`` quotes what needs it, so that what ``split`` gives is what went in: a diff
made of such lines can be typed, pasted or loaded again.
"""

from __future__ import annotations

from agent.errors import UsageError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,:/@%^=[]*")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\"}
_LENGTHS: Final = {"u": 4, "U": 8}


def split(line: str) -> list[str]:
    """Split a line into its words; raises ``UsageError`` for a quote without its end."""
    words: list[str] = []
    word: list[str] | None = None
    at = 0
    while at < len(line):
        character = line[at]
        if character.isspace():
            if word is not None:
                words.append("".join(word))
            word, at = None, at + 1
            continue
        word = [] if word is None else word
        if character == "'":
            end = line.find("'", at + 1)
            if end < 0:
                raise UsageError(f"the quote ' at character {at + 1} has no end", hint="Close it with another one.")
            word.append(line[at + 1 : end])
            at = end + 1
        elif character == '"':
            at = _quoted(line, at, word)
        else:
            word.append(character)
            at += 1
    return words if word is None else [*words, "".join(word)]


def _quoted(line: str, start: int, word: list[str]) -> int:
    at = start + 1
    while at < len(line) and line[at] != '"':
        if line[at] != "\\":
            word.append(line[at])
            at += 1
            continue
        kind = line[at + 1 : at + 2]
        length = _LENGTHS.get(kind, 0)
        if length:
            digits = line[at + 2 : at + 2 + length]
            try:
                word.append(chr(int(digits, 16)))
            except (ValueError, OverflowError):
                raise UsageError(f"\\{kind}{digits} is no character") from None
        elif kind in _ESCAPES and kind:
            word.append(_ESCAPES[kind])
        else:
            raise UsageError(f"\\{kind} is no escape", hint="Within '...' a backslash is a backslash.")
        at += 2 + length
    if at >= len(line):
        raise UsageError(f'the quote " at character {start + 1} has no end', hint="Close it with another one.")
    return at + 1


def quoted(word: str) -> str:
    """Return ``word`` so that ``split`` gives it back as one word."""
    if word and set(word) <= _PLAIN:
        return word
    if "'" not in word and word.isprintable():
        return f"'{word}'"
    return basic(word)


def basic(text: str) -> str:
    """Return ``text`` as a TOML basic string."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def line(words: Sequence[str]) -> str:
    """Put words together."""
    return " ".join(map(quoted, words))


def is_commands(text: str) -> bool:
    """Whether a text is lines of ``set`` and ``delete``, and not TOML."""
    for row in text.splitlines():
        words = row.split(None, 2)
        if words and not row.lstrip().startswith("#"):
            return words[0] in ("set", "delete") and len(words) > 1 and words[1][:1] != "="
    return False
