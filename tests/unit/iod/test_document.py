"""Encapsulated PDF and CDA: what is taken over, what is refused."""

from __future__ import annotations

import pytest
from fakes.instances import CONTEXT, acquisition

from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import document, modules
from agent.iod.acquisition import Reference
from agent.iod.codes import Code
from agent.iod.document import Document

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3.4" extension="77"/>
<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic imaging report"/>
<title>Befund  der
Schulter ä</title><component><section><id root="9.9"/><title>not this</title></section></component>
</ClinicalDocument>"""


def built(kind: str, data: bytes, **facts: object) -> DataSet:
    made = Document(data, **facts)  # type: ignore[arg-type]
    ds = document.build(kind, made, context=CONTEXT, acquisition=acquisition("sc", anatomy=None))
    assert modules.check(ds) == []
    return ds


@pytest.mark.parametrize("data", [PDF, PDF + b"\n"], ids=["odd or even", "the other"])
def test_a_pdf_goes_in_as_it_is(data: bytes) -> None:
    ds = built("pdf", data, title="Report")
    held = ds["EncapsulatedDocument"]
    assert isinstance(held, bytes)
    assert len(held) % 2 == 0
    assert held[: ds["EncapsulatedDocumentLength"]] == data  # type: ignore[misc]
    assert ds.text("DocumentTitle") == "Report"
    assert ds.text("MIMETypeOfEncapsulatedDocument") == "application/pdf"
    assert ds.text("Modality") == "DOC"
    assert "HL7InstanceIdentifier" not in ds


def test_what_a_cda_says_of_itself_is_taken_over() -> None:
    ds = built("cda", CDA.encode(), verified=True)
    assert ds.text("HL7InstanceIdentifier") == "1.2.3.4^77"
    assert ds.text("DocumentTitle") == "Befund der Schulter ä"
    assert ds.items_of("ConceptNameCodeSequence")[0].text("CodeValue") == "18748-4"
    assert ds.items_of("ConceptNameCodeSequence")[0].text("CodingSchemeDesignator") == "LN"
    assert ds.text("VerificationFlag") == "VERIFIED"
    assert built("cda", CDA.encode(), title="Mine").text("DocumentTitle") == "Mine"


def test_a_code_of_an_unknown_scheme_is_left_out() -> None:
    ds = built("cda", CDA.replace("2.16.840.1.113883.6.1", "1.2.3").encode())
    assert ds["ConceptNameCodeSequence"] == []


def test_sources_are_named() -> None:
    source = Reference("1.2.840.10008.5.1.4.1.1.7", "1.2.3", Code("121320", "DCM", "Uncompressed predecessor"))
    item = built("pdf", PDF, sources=(source,)).items_of("SourceInstanceSequence")[0]
    assert item.text("ReferencedSOPInstanceUID") == "1.2.3"


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("pdf", b"", "1 to"),
        ("pdf", b"PDF", "begin with %PDF-"),
        ("pdf", PDF[:20], "cut short"),
        ("pdf", PDF + bytes(2000), "cut short"),
        ("cda", b"", "1 to"),
        ("cda", b"<a>", "well-formed"),
        ("cda", b'<?xml version="1.0" encoding="NTF-8"?><a/>', "encoding that cannot be read"),
        ("cda", b'<?xml version="1.0" encoding="gb18030"?><a/>', "encoding that cannot be read"),
        ("cda", b'<?xml version="1.0" encoding="shift_jis"?><a/>', "encoding that cannot be read"),
        ("cda", b"<a/>", "its root is a"),
        ("cda", b'<a xmlns="urn:hl7-org:v3"/>', "its root is urn:hl7-org:v3 a"),
        ("cda", b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "has no id"),
        ("cda", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "declares a document type"),
        ("cda", b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "declares a document type"),
        ("cda", b"<a>" * 1000, "nested more than 256 deep"),
        ("cda", CDA.encode()[:-5], "well-formed"),
    ],
)
def test_what_is_no_such_document(kind: str, data: bytes, text: str) -> None:
    with pytest.raises(IodError, match=text):
        built(kind, data)
