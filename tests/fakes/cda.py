"""A CDA document made of parts, each of which a test may replace."""

from __future__ import annotations

NAME = "<name><prefix>Dr.</prefix><given>Jane</given><given>Ann Mary</given><family>Döe</family></name>"
IDS = '<id root="1.2.276.0.76.3.1.99" extension="4711"/>'
SEX = '<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>'
BIRTH = '<birthTime value="19700131"/>'
PATIENT = f"<patientRole>{IDS}<patient>{NAME}{SEX}{BIRTH}</patient></patientRole>"


def cda(
    *,
    identifier: str = '<id root="1.2.3.4" extension="77"/>',
    code: str = '<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic imaging report"/>',
    title: str = "<title>Befund  Ä</title>",
    time: str = '<effectiveTime value="20260301101500+0100"/>',
    target: str | None = None,
    ids: str = IDS,
    name: str = NAME,
    sex: str = SEX,
    birth: str = BIRTH,
) -> bytes:
    """The document, in UTF-8."""
    role = f"<patientRole>{ids}<patient>{name}{sex}{birth}</patient></patientRole>"
    target = f"<recordTarget>{role}</recordTarget>" if target is None else target
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3">'
        '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>'
        f'{identifier}{code}{title}{time}<setId root="1.2.3.5" extension="9"/><versionNumber value="2"/>{target}'
        "<component><section><id root='9.9'/><title>not this</title></section></component></ClinicalDocument>"
    ).encode()
