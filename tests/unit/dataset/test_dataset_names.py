"""Person Names taken apart and put together."""

from __future__ import annotations

import pydicom
import pytest

from agent.dataset.names import NameGroup, PersonName, person_name

NAMES = [
    "",
    "Adams^John Robert Quincy^^Rev.^B.A. M.Div.",
    "Morrison-Jones^Susan^^^Ph.D., Chief Executive Officer",
    "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046",
    "=\u5c71\u7530^\u592a\u90ce",
    "Doe^Jane^",
    "Doe^^",
]


@pytest.mark.parametrize("text", NAMES)
def test_the_parts_are_those_of_pydicom(text: str) -> None:
    name, theirs = person_name(text), pydicom.valuerep.PersonName(text)
    assert name.alphabetic == (
        theirs.family_name,
        theirs.given_name,
        theirs.middle_name,
        theirs.name_prefix,
        theirs.name_suffix,
    )
    assert (str(name.ideographic), str(name.phonetic)) == (theirs.ideographic, theirs.phonetic)
    assert person_name(str(name)) == name


def test_a_name_is_written_without_trailing_delimiters() -> None:
    assert str(PersonName(NameGroup("Doe", suffix="Jr."))) == "Doe^^^^Jr."
    assert str(PersonName(ideographic=NameGroup("\u5c71\u7530"))) == "=\u5c71\u7530"
    assert str(person_name(" Doe ^ Jane ^^= =")) == "Doe^Jane"


def test_a_name_as_people_write_it() -> None:
    assert person_name("Adams^John^Q^Rev.^B.A.").formatted == "Rev. John Q Adams B.A."
    assert person_name("=\u5c71\u7530^\u592a\u90ce").formatted == "\u592a\u90ce \u5c71\u7530"
    assert person_name("").formatted == ""


def test_what_is_too_much_is_not_lost() -> None:
    assert str(person_name("a^b^c^d^e^f=g=h=i")) == "a^b^c^d^e^f=g=h=i"
