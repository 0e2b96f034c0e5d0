"""Completion and ``?``: what the line may become, from the tree, the filters and those who know names."""

from __future__ import annotations

from agent.console import filters
from agent.console.tree import Choice, Refused, Tree
from agent.console.words import Words, quoted, split
from agent.typed import Final

_NAME_COLUMNS: Final = 20
_WIDTH: Final = 79
# ? shows no more than a screen.
LINES_LIMIT: Final = 200


class TreeAssist:
    """Helps with a line of commands."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def complete(self, before: str) -> tuple[str, list[str]]:
        """Return what to add, or lines to show."""
        pieces = split(before)
        last = pieces[-1]
        if last.quoted:
            return "", []
        part = last.words[-1] if last.open else ""
        try:
            choice = self._choice(pieces)
        except Refused as error:
            return "", [str(error)]
        words = [word for word, _ in choice.words if word.startswith(part) and word[:1] != "<"]
        if not words:
            told = [*((word, about) for word, about in choice.words if word[:1] == "<"), *choice.values]
            return "", [line for name, about in told for line in _row(name, about)] if not part else []
        common = words[0]
        for word in words[1:]:
            while not word.startswith(common):
                common = common[:-1]
        if len(words) == 1 and (not choice.values or part):
            return quoted(words[0])[len(part) :] + " " if quoted(words[0]).startswith(part) else "", []
        if len(common) > len(part):
            return common[len(part) :], []
        return "", in_columns(words)

    def explain(self, before: str) -> list[str] | None:
        """Return help for what may come next; None within quotes."""
        pieces = split(before)
        last = pieces[-1]
        if last.quoted:
            return None
        part = last.words[-1] if last.open else ""
        try:
            choice = self._choice(pieces)
        except Refused as error:
            return [str(error)]
        rows = [(word, about) for word, about in choice.words if word.startswith(part) or word[:1] == "<"]
        if not part or not rows:
            rows += [(name, about) for name, about in choice.values]
        if choice.end and not part:
            rows.append(("<Enter>", "does it"))
            if len(pieces) == 1:
                rows.append(("|", "filters what it prints"))
        if not rows:
            return [f"nothing begins with '{part}'"]
        return [line for name, about in rows[:LINES_LIMIT] for line in _row(name, about)]

    def _choice(self, pieces: list[Words]) -> Choice:
        last = pieces[-1]
        words = last.words[:-1] if last.open else last.words
        part = last.words[-1] if last.open else ""
        if len(pieces) == 1:
            return self._tree.following(words, part)
        if not words:
            return Choice(tuple(sorted(filters.HELP.items())), (), end=False)
        value = filters.VALUE.get(words[0])
        if value and len(words) == 1:
            return Choice((), ((value, filters.HELP[words[0]]),), end=False)
        return Choice((), (), end=True)


def _row(name: str, about: str) -> list[str]:
    """Return one line of help, or more where it does not fit."""
    lines, line = [], f"  {name:<{_NAME_COLUMNS - 2}}"
    if len(name) > _NAME_COLUMNS - 4:
        line = f"  {name}  "
    for word in about.split():
        if len(line) + len(word) > _WIDTH and len(line) > _NAME_COLUMNS:
            lines.append(line.rstrip())
            line = " " * _NAME_COLUMNS
        line += word + " "
    return [*lines, line.rstrip()]


def in_columns(words: list[str]) -> list[str]:
    """Return words as columns of a screen."""
    width = max(len(word) for word in words) + 2
    across = max(_WIDTH // width, 1)
    return [
        "".join(word.ljust(width) for word in words[at : at + across]).rstrip() for at in range(0, len(words), across)
    ]
