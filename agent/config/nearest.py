"""The end of a sentence about a word that nobody knows: which known one it may be."""

from __future__ import annotations

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def close_to(word: str, words: Sequence[str]) -> str:
    """Return which of ``words`` it may be, or nothing."""
    import difflib  # only on the way to an error

    begun = [one for one in words if word and one.startswith(word)]
    close = begun if len(begun) == 1 else difflib.get_close_matches(word, words, 1, 0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def nearest(word: str, words: Sequence[str]) -> str:
    """Return which of ``words`` it may be, or all of them."""
    return close_to(word, words) or f"; known are {', '.join(words)}"
