"""Person Names: three component groups of five components (PS3.5 6.2.1).

::

    Yamada^Tarou=...^...=...^...
    alphabetic    ideographic  phonetic      each: family^given^middle^prefix^suffix

A Data Set holds a name as its text. Whoever wants a part of it reads the text with ``person_name``, which never fails:
what is too much stays where it came from, in the last component.
"""

from __future__ import annotations

from agent.typed import NamedTuple

_GROUPS, _COMPONENTS = 3, 5


class NameGroup(NamedTuple):
    """One representation of a name."""

    family: str = ""
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        """The components with their delimiters, without trailing empty ones."""
        return "^".join(self).rstrip("^")


class PersonName(NamedTuple):
    """The three representations; one that is not there is empty."""

    alphabetic: NameGroup = NameGroup()
    ideographic: NameGroup = NameGroup()
    phonetic: NameGroup = NameGroup()

    def __str__(self) -> str:
        """The value of an element of VR PN, without trailing delimiters."""
        return "=".join(map(str, self)).rstrip("=")

    @property
    def formatted(self) -> str:
        """As people write it in the first representation there is: prefix, given, middle, family, suffix."""
        group = next((group for group in self if any(group)), self.alphabetic)
        return " ".join(part for part in (group.prefix, group.given, group.middle, group.family, group.suffix) if part)


def person_name(text: str) -> PersonName:
    """The parts of a value of VR PN; spaces around components are insignificant."""
    groups = [
        NameGroup(*(component.strip(" ") for component in group.split("^", _COMPONENTS - 1)))
        for group in text.split("=", _GROUPS - 1)
    ]
    return PersonName(*groups)
