"""The header of a CDA document: what is read, what is refused, and that its size is bounded."""

from __future__ import annotations

import pytest
from fakes.cda import PATIENT, cda

from agent.errors import IodError
from agent.iod.cda import CdaFacts, Identifier, PersonName, read


def facts(**parts: str) -> CdaFacts:
    return read(cda(**parts))


def test_a_whole_header() -> None:
    found = facts()
    assert found.identifier == Identifier("1.2.3.4", "77")
    assert str(found.identifier) == "1.2.3.4^77"
    assert found.code is not None
    assert (found.code.value, found.code.scheme) == ("18748-4", "LN")
    assert found.title == "Befund Ä"
    assert found.effective_time == "20260301101500+0100"
    assert (found.set_id, found.version) == (Identifier("1.2.3.5", "9"), "2")
    (patient,) = found.patients
    assert patient.ids == (Identifier("1.2.276.0.76.3.1.99", "4711"),)
    assert patient.names == (PersonName(0, "Döe", "Jane", "Ann Mary", "Dr."),)
    assert (patient.birth_date, patient.sex) == ("19700131", "F")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("<given>Jane</given><family>Doe</family>", "Doe^Jane"),
        ("<family>Doe</family>", "Doe"),
        ("<prefix qualifier='VV'>van der</prefix><family>Berg</family><given>J</given>", "van der Berg^J"),
        ("<family>Doe</family><family qualifier='BR'>Roe</family><given qualifier='CL'>Jo</given>", "Doe"),
        ("<family>Doe</family><suffix>Jr</suffix>", "Doe^^^^Jr"),
        (" Jane \n Doe ", "Jane Doe"),
        ("<given nullFlavor='UNK'/>", ""),
        ("<family>D<!-- - -->oe</family>", "Doe"),
        ("<other xmlns='urn:other'><family>No</family></other><family>Doe</family>", "Doe"),
        ("<other><family>No</family></other><family>Doe</family>", "Doe"),
    ],
)
def test_names(name: str, text: str) -> None:
    names = facts(name=f"<name>{name}</name>").patients[0].names
    assert ", ".join(map(str, names)) == text


def test_groups_of_a_name() -> None:
    names = (
        facts(
            name="<name use='IDE L'><family>山田</family><given>太郎</given></name><name use='SYL'>"
            "<family>やまだ</family></name><name use='ABC'><family>Yamada</family><given>Tarou</given></name>"
        )
        .patients[0]
        .names
    )
    assert [(name.group, str(name)) for name in names] == [(1, "山田^太郎"), (2, "やまだ"), (0, "Yamada^Tarou")]


def test_what_nobody_knows_is_no_value() -> None:
    found = facts(
        ids="<id nullFlavor='UNK'/><id extension='7'/>", name="<name nullFlavor='ASKU'/>",
        sex="<administrativeGenderCode nullFlavor='UNK'/>", birth="<birthTime nullFlavor='UNK'/>",
    )  # fmt: skip
    assert found.patients[0] == ((), (), "", "")
    assert facts(sex="<administrativeGenderCode code='UN'/>").patients[0].sex == "O"
    assert facts(birth="<birthTime value='1970'/>").patients[0].birth_date == "1970"
    assert facts(birth="<birthTime value='19700131123000+0100'/>").patients[0].birth_date == "19700131"
    assert facts(target="").patients == ()
    assert facts(target="<recordTarget/>").patients == ()
    assert len(facts(target=f"<recordTarget>{PATIENT}</recordTarget>" * 2).patients) == 2


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"name": "<name><family>D^E</family></name>"}, "means something in DICOM"),
        ({"birth": "<birthTime value='yesterday'/>"}, "birthTime of the CDA document is no time"),
        ({"birth": "<birthTime value='197'/>"}, "birthTime of the CDA document is no time"),
        ({"time": "<effectiveTime value='2026-03-01'/>"}, "effectiveTime of the CDA document is no time"),
        ({"ids": "<id root='1.2'/>" * 300}, "more than 256 elements"),
        ({"title": f"<title>{'x' * 1025}</title>"}, "title of the CDA document has more than 1024"),
        ({"identifier": "<id nullFlavor='UNK'/>"}, "has no id"),
        ({"title": "<title>&nbsp;</title>"}, "undefined entity"),
    ],
)
def test_refused(parts: dict[str, str], text: str) -> None:
    with pytest.raises(IodError, match=text):
        facts(**parts)


def test_entities_are_never_expanded() -> None:
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    with pytest.raises(IodError, match="declares a document type"):
        read(f'<!DOCTYPE x [<!ENTITY a0 "ha">{bomb}]><x>&a8;</x>'.encode())


def test_the_root_counts_with_its_namespace() -> None:
    for root in (b"<ClinicalDocument/>", b'<ClinicalDocument xmlns="urn:other"/>'):
        with pytest.raises(IodError, match="no CDA document"):
            read(root)
