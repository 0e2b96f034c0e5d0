"""Taking out of a text what may say who a patient is, or open a door: for what leaves the house (``support``).

Two ways at once. What is *known* goes: the patients of the spool and of the configuration, and the content of secret
files, wherever they stand in a text. And what *could be* goes, known or not: text of peers (Error Comments), what
stands in quotation marks, UIDs of instances, paths that are not ours, private keys.
"""

from __future__ import annotations

import re

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST: Final = 3  # characters of a name that are worth to be looked for: "O" would take a letter out of every word
_TERMS: Final = 20_000
_STANDARD: Final = "1.2.840.10008."
_UID: Final = re.compile(r"\b[0-9]+(?:\.[0-9]+){5,}\b")
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_COMMENT: Final = re.compile(r"(status [0-9A-F]{4}H: [^(\n]*)\(.*")
_QUOTED: Final = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_PATH: Final = re.compile(r"(?<![\w/])/(?:[^\s/:;,()\[\]]+/)*[^\s:;,()\[\]]+")
_OPEN: Final = ("/proc", "/sys", "/etc/modality-agent", "/run", "/usr", "/dev")
UID_MARK, TEXT_MARK, PATH_MARK, PATIENT_MARK, KEY_MARK = "[uid]", "'[text]'", "[path]", "[patient]", "[key]"


class Scrubber:
    """Scrubs texts; ``known`` are words and names that must not be in them, ``roots`` folders that may be named."""

    __slots__ = ("_known", "_roots")

    def __init__(self, known: Iterable[str] = (), roots: Iterable[str] = ()) -> None:
        terms = {one.casefold() for text in known for one in _terms(text) if len(one) >= SHORTEST}
        some = sorted(terms, key=lambda one: (-len(one), one))[:_TERMS]
        self._known = re.compile("|".join(map(re.escape, some)), re.IGNORECASE) if some else None
        self._roots = tuple(root.rstrip("/") for root in roots if root) + _OPEN

    def text(self, text: str) -> str:
        """Scrub a text of people: a log, a reason."""
        text = _COMMENT.sub(r"\1([text])", _PEM.sub(KEY_MARK, text))
        text = _PATH.sub(self._path, text)
        text = _QUOTED.sub(TEXT_MARK, text)
        return self.value(text)

    def value(self, text: str) -> str:
        """Scrub a text whose place says what it is: what is known goes, and UIDs."""
        text = _PEM.sub(KEY_MARK, text)
        if self._known is not None:
            text = self._known.sub(PATIENT_MARK, text)
        return _UID.sub(_uid, text)

    def tree(self, value: object) -> object:
        """Scrub every text of plain values; names of keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(str(key)): self.tree(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(one) for one in value]
        return value

    def _path(self, found: re.Match[str]) -> str:
        path = found[0]
        return path if any(path == root or path.startswith(f"{root}/") for root in self._roots) else PATH_MARK


def _uid(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith(_STANDARD) else UID_MARK


def _terms(text: str) -> list[str]:
    """A text and the parts of it that are names of their own."""
    whole = text.strip()
    return [whole, *re.split(r"[\s^=,;/\\]+", whole)] if whole else []
