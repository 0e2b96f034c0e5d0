"""The checker against documents and dose reports damaged in one place at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.documents import DOCUMENTS, PDF

from agent.dataset.dataset import DataSet
from agent.iod.modules import check, errors

CONTENT = "ContentSequence"


def child(ds: DataSet, code: str) -> DataSet:
    """The item of a content sequence that a concept names."""
    return next(
        item
        for item in ds.items_of(CONTENT)
        if item.items_of("ConceptNameCodeSequence") and item.items_of("ConceptNameCodeSequence")[0]["CodeValue"] == code
    )


def without(ds: DataSet, code: str) -> None:
    gone = child(ds, code)
    ds[CONTENT] = [item for item in ds.items_of(CONTENT) if item is not gone]


def reference(ds: DataSet) -> None:
    """Refer to an image that is not listed as evidence."""
    sop = DataSet({"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1", "ReferencedSOPInstanceUID": "2.25.9"})
    image = DataSet({"RelationshipType": "CONTAINS", "ValueType": "IMAGE", "ReferencedSOPSequence": [sop]})
    ds[CONTENT] = [*ds.items_of(CONTENT), image]


def deny(ds: DataSet, flag: str) -> None:
    """Say that these data are not available, although they are there."""
    child(ds, flag).items_of("ConceptCodeSequence")[0]["CodeValue"] = "373067005"


def test_the_rows_of_a_cassette_based_system_are_its_own() -> None:
    ds = DOCUMENTS["rdsr"]()
    kind = child(ds, "113945").copy()
    for sequence, code in (("ConceptNameCodeSequence", "122142"), ("ConceptCodeSequence", "113959")):
        item = kind.items_of(sequence)[0].copy()
        item["CodeValue"] = code
        kind[sequence] = [item]
    child(ds, "113945").items_of("ConceptCodeSequence")[0]["CodeValue"] = "373066001"
    ds[CONTENT] = [*ds.items_of(CONTENT), kind]
    assert [f.text.partition(" under")[0] for f in errors(check(ds))] == [
        "lacks Detector Type (113947)",
        "lacks Total Number of Radiographic Frames (113731)",
    ]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_we_make_has_no_findings(kind: str) -> None:
    assert check(DOCUMENTS[kind]()) == []


DAMAGE: list[tuple[str, Callable[[DataSet], object], str]] = [
    ("pdf", lambda ds: ds.set("MIMETypeOfEncapsulatedDocument", "text/plain"), "must be application/pdf"),
    ("pdf", lambda ds: ds.set("EncapsulatedDocument", b"PK" * 20, "OB"), "does not start like a PDF"),
    ("pdf", lambda ds: ds.set("EncapsulatedDocumentLength", len(PDF) + 4), "the document has"),
    ("pdf", lambda ds: ds.__delitem__("BurnedInAnnotation"), "BurnedInAnnotation is absent"),
    ("pdf", lambda ds: ds.__delitem__("DocumentTitle"), "DocumentTitle is absent"),
    ("cda", lambda ds: ds.__delitem__("HL7InstanceIdentifier"), "is absent although the document is CDA"),
    ("cda", lambda ds: ds.set("EncapsulatedDocument", b"not XML!", "OB"), "does not start like XML"),
    ("cda", lambda ds: ds.set("MIMETypeOfEncapsulatedDocument", "application/pdf"), "must be text/XML"),
    ("rdsr", lambda ds: ds.set("CompletionFlag", "PARTIAL"), "must be COMPLETE"),
    ("rdsr", lambda ds: ds.set("VerificationFlag", "VERIFIED"), "VerifyingObserverSequence is absent although"),
    ("rdsr", lambda ds: ds.__delitem__("DeviceSerialNumber"), "DeviceSerialNumber is absent"),
    ("rdsr", lambda ds: ds.set("ValueType", "TEXT"), "must be CONTAINER at the root"),
    ("rdsr", lambda ds: ds.__delitem__("ConceptNameCodeSequence"), "must be present at the root"),
    ("rdsr", lambda ds: without(ds, "121058"), "lacks Procedure reported (121058)"),
    ("rdsr", lambda ds: without(ds, "113705"), "lacks Scope of Accumulation (113705)"),
    ("rdsr", lambda ds: without(ds, "113702"), "lacks Accumulated X-Ray Dose Data (113702)"),
    ("rdsr", lambda ds: without(child(ds, "113706"), "113769"), "lacks Irradiation Event UID (113769)"),
    ("rdsr", lambda ds: without(child(ds, "121058"), "363703001"), "lacks Has Intent (363703001)"),
    ("rdsr", lambda ds: without(ds, "121012"), "lacks Device Observer UID (121012) under 113701, TID 1004"),
    ("rdsr", lambda ds: without(ds, "121005"), "lacks Person Observer Name (121008) under 113701, TID 1002"),
    *(
        ("rdsr", lambda ds, code=code: without(child(ds, "113702"), code), f"({code}) under 113702, TID {template}")
        for template, codes in {
            "10007": ("113722", "113725", "113780"),
            "10004": ("113726", "113728", "113730", "113727", "113729", "113855"),
        }.items()
        for code in codes
    ),
    *(
        ("rdsr", lambda ds, code=code: without(child(ds, "113706"), code), f"({code}) under 113706, TID 10003B")
        for code in ("113738", "113780", "113791", "113768", "113733", "113734", "113824")
    ),
    ("rdsr", lambda ds: deny(ds, "113943"), "has data that (113943) says are not available"),
    ("rdsr", lambda ds: child(ds, "113705").__delitem__("ConceptCodeSequence"), "ConceptCodeSequence is absent"),
    ("rdsr", lambda ds: child(ds, "113705").set("TextValue", "more"), "must not be present unless the Value Type"),
    ("rdsr", lambda ds: child(ds, "113705").set("ValueType", "WAVEFORM"), "has 'WAVEFORM', allowed are"),
    ("rdsr", lambda ds: child(ds, "113706").set("RelationshipType", "HAS PROPERTIES"), "is not allowed"),
    ("rdsr", lambda ds: child(ds, "113706").set("RelationshipType", "LIKES"), "allowed are CONTAINS"),
    ("rdsr", lambda ds: child(ds, "113706").__delitem__("ContinuityOfContent"), "ContinuityOfContent is absent"),
    ("rdsr", lambda ds: child(ds, "113705").set("ReferencedContentItemIdentifier", [1, 2]), "are by value"),
    (
        "rdsr",
        lambda ds: child(child(ds, "113706"), "122130").set("MeasuredValueSequence", []),
        "NumericValueQualifierCodeSequence is absent although no value was measured",
    ),
    (
        "rdsr",
        lambda ds: (
            child(child(ds, "113706"), "122130")
            .items_of("MeasuredValueSequence")[0]
            .__delitem__("MeasurementUnitsCodeSequence")
        ),
        "MeasurementUnitsCodeSequence is absent",
    ),
    ("rdsr", reference, "is not listed in the Current Requested Procedure"),
]


@pytest.mark.parametrize(("kind", "change", "text"), DAMAGE, ids=[f"{kind} {text}" for kind, _, text in DAMAGE])
def test_damage_in_one_place(kind: str, change: Callable[[DataSet], object], text: str) -> None:
    ds = DOCUMENTS[kind]()
    change(ds)
    said = [str(finding) for finding in errors(check(ds))]
    assert any(text in each for each in said), said


def test_a_finding_deep_in_the_tree_names_the_way() -> None:
    ds = DOCUMENTS["rdsr"]()
    without(child(ds, "113706"), "123014")
    at = ds.items_of(CONTENT).index(child(ds, "113706")) + 1
    assert [str(finding) for finding in errors(check(ds))] == [
        (
            f"error: (0040,A730)[{at}].(0040,A730) ContentSequence lacks Target Region (123014) under 113706, "
            "TID 10003: SR Document Content (PS3.16 TID 10001)"
        )
    ]
