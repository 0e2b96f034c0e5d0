"""README.TXT, INDEX.HTM and the label: plain, legal, and without a patient where they lie open."""

from __future__ import annotations

from xml.etree import ElementTree

from agent.exchange import pages
from agent.media.profile import PROFILES

FACTS = pages.Facts(
    "CLINIC_1", 2, 3, PROFILES["STD-GEN-SEC-USB-JPEG"], "Klinik <Süd> & Co", "2026-03-01 10:15", 7, "modality-agent 1"
)


def test_readme_is_ascii_with_lines_that_fit() -> None:
    text = pages.readme(FACTS).decode("ascii")
    assert all(len(line) <= 80 for line in text.split("\r\n"))
    for words in ("medium 2 of 3", "DICOM ONLY", "STD-GEN-SEC-USB-JPEG", "7 DICOM instances", "encrypted", "DICOMDIR"):
        assert words in text


def test_index_is_well_formed_and_fetches_nothing() -> None:
    text = pages.index(FACTS).decode("ascii")
    root = ElementTree.fromstring(text.split("\r\n", 2)[2])
    assert "Klinik <Süd> & Co" in "".join(root.itertext())
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org/", "")


def test_one_is_one() -> None:
    assert "1 DICOM instance;" in pages.readme(FACTS._replace(instances=1)).decode("ascii")


def test_the_label_names_patients_and_the_content() -> None:
    lines = pages.label_text(FACTS, [pages.Patient("1", "ROE^RICHARD"), pages.Patient("2", "DOE^JANE")])
    assert lines[0] == "DOE^JANE, ROE^RICHARD"
    assert "DICOM ONLY, ENCRYPTED" in lines
    assert "2 of 3" in lines[-1]
    many = pages.label_text(FACTS, [pages.Patient(str(number), f"P{number}") for number in range(5)])
    assert many[0].endswith("and 2 more")
    assert pages.label_text(FACTS._replace(volumes=1), [])[0] == "no patient's name"


def test_two_patients_of_one_name_or_without_one_are_two_on_the_label() -> None:
    two = [pages.Patient("A1", "DOE^JANE"), pages.Patient("B2", "DOE^JANE"), pages.Patient("C3", "")]
    assert pages.label_text(FACTS, two)[0] == "(no name) [C3], DOE^JANE [A1], DOE^JANE [B2]"
