"""What a key and a section of the configuration are.

A key has a kind (what TOML type it is and what text is legal), a default or ``REQUIRED``, bounds, a unit and a help
sentence. Secrets are never values: the file that holds one is named instead; ``secret`` marks a key whose value must
not be shown should one ever be needed.
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple

Value = str | int | float | bool | tuple[str, ...]


class _Required:
    """The mark of a key without default."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()


class Key(NamedTuple):
    """One key of one section.

    ``kind`` is a row of ``agent.config.kinds.KINDS``; ``low`` and ``high`` bound numbers and the length of text;
    ``example`` is what ``configs/agent.toml`` shows for a key that has no default; ``completes`` is the repeated
    section whose names its values are (``agent.config.words_of`` offers them, ``choices``, and those of the kind).
    """

    name: str
    kind: str
    default: Value | _Required
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    example: Value = ""
    secret: bool = False
    completes: str = ""


class Section(NamedTuple):
    """One TOML table (``[name]``) or, when ``repeated``, one array of tables (``[[name]]``)."""

    name: str
    repeated: bool
    help: str
    keys: tuple[Key, ...]
