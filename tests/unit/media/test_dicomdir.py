"""PS3.3 Annex F: what is in a directory, in which order, and what becomes of instances that contradict each other."""

from __future__ import annotations

import pytest
from fakes.filesets import FOREIGN
from fakes.instances import CONTEXT, make

from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, JPEG_LOSSLESS_SV1
from agent.errors import EncodeError
from agent.iod.build import KINDS
from agent.iod.document import KINDS as DOCUMENTS
from agent.iod.dose_report import KIND as DOSE
from agent.media import directory, file_id
from agent.media._generated_records import KEYS, LOWER, SOP_CLASSES
from agent.media.dicomdir import Arrangement, FileSet, Row, build, stream
from agent.media.file import open_file
from agent.media.part10 import FileMeta
from agent.media.records import entry_of, keys_of, kind_of

SET = FileSet("2.25.99", "CARD_1")


def entry(number: int = 1, *, syntax: str = EXPLICIT_VR_LE, read: bool = True, **values):
    """The records of one instance, made of a Data Set that was read unless ``read`` says otherwise."""
    facts = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": f"2.25.{number}", "PatientID": "P1",
        "PatientName": "DOE^JANE", "StudyInstanceUID": "2.25.10", "SeriesInstanceUID": "2.25.20", "StudyID": "S",
        "StudyDate": "20260301", "StudyTime": "1015", "SeriesNumber": 1, "InstanceNumber": number, "Modality": "OT",
    }  # fmt: skip
    dataset = DataSet({key: value for key, value in (facts | values).items() if value is not None})
    if read:
        dataset = decode(encode(dataset, IMPLICIT_VR_LE), IMPLICIT_VR_LE)
    meta = FileMeta(dataset.text("SOPClassUID"), dataset.text("SOPInstanceUID"), syntax)
    return entry_of(f"A\\{number:08d}", meta, dataset)


def opened(data: bytes):
    return open_file(lambda length, at: data[at : at + length], len(data))


def records(data: bytes) -> list[DataSet]:
    return opened(data).dataset.items_of("DirectoryRecordSequence")


def test_one_instance_has_four_records_that_find_each_other():
    data = build([entry()], SET)
    file = opened(data)
    assert file.meta.sop_instance_uid == "2.25.99"
    assert file.dataset["FileSetID"] == "CARD_1"
    assert file.dataset["FileSetConsistencyFlag"] == 0
    found = records(data)
    assert [each["DirectoryRecordType"] for each in found] == ["PATIENT", "STUDY", "SERIES", "IMAGE"]
    assert list(directory.stray_offsets(file)) == []
    lower = [each["OffsetOfReferencedLowerLevelDirectoryEntity"] for each in found]
    assert lower == [*sorted(lower[:3]), 0]
    first = file.dataset["OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"]
    assert first == file.dataset["OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity"]
    assert data[first : first + 4] == b"\xfe\xff\x00\xe0"
    leaf = found[3]
    assert leaf["ReferencedFileID"] == ["A", "00000001"]
    assert leaf["ReferencedTransferSyntaxUIDInFile"] == EXPLICIT_VR_LE
    assert leaf["RecordInUseFlag"] == 0xFFFF


def test_an_empty_file_set_has_a_directory_without_records():
    file = opened(build([], FileSet("2.25.99")))
    assert file.dataset["OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"] == 0
    assert file.dataset.items_of("DirectoryRecordSequence") == []
    assert "FileSetID" in file.dataset


def test_siblings_are_chained_whatever_is_below_them():
    entries = [
        entry(1),
        entry(2),
        entry(3, SeriesInstanceUID="2.25.21", SeriesNumber=2),
        entry(4, StudyInstanceUID="2.25.11", SeriesInstanceUID="2.25.22", StudyDate="20260302"),
        entry(5, PatientID="P2", PatientName="ROE^RICHARD", StudyInstanceUID="2.25.12", SeriesInstanceUID="2.25.23"),
    ]
    data = build(reversed(entries), SET)
    assert list(directory.stray_offsets(opened(data))) == []
    kinds = " ".join(str(each["DirectoryRecordType"]) for each in records(data))
    assert kinds == ("PATIENT STUDY SERIES IMAGE IMAGE SERIES IMAGE STUDY SERIES IMAGE PATIENT STUDY SERIES IMAGE")
    assert data == build(entries, SET)


def test_the_record_names_the_transfer_syntax_of_the_copy_in_the_file_set():
    data = build([entry(syntax=JPEG_LOSSLESS_SV1)], SET)
    assert records(data)[3]["ReferencedTransferSyntaxUIDInFile"] == JPEG_LOSSLESS_SV1


@pytest.mark.parametrize("read", [True, False])
def test_character_set_is_where_a_key_needs_it_and_nowhere_else(read):
    data = build([entry(PatientName="Müller^Änne", SpecificCharacterSet="ISO_IR 100", read=read)], SET)
    found = records(data)
    assert [each.text("SpecificCharacterSet") for each in found] == ["ISO_IR 100", "", "", ""]
    assert found[0]["PatientName"] == "Müller^Änne"
    assert b"M\xfcller^\xc4nne" in data


def test_what_an_instance_leaves_empty_is_supplied():
    nothing = dict.fromkeys(
        ("PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber", "PatientName")
    )
    made = entry(**nothing, ContentDate="20260228", ContentTime="0815")
    assert made.notes == ()
    patient, study, series, image = records(build([made], SET))
    assert patient["PatientID"] == "NO_ID_2.25.10"
    assert (study["StudyDate"], study["StudyTime"], study["StudyID"]) == ("20260228", "0815", "NONE")
    assert (series["SeriesNumber"], image["InstanceNumber"]) == (0, 0)
    assert "PatientName" in patient
    assert "StudyDescription" in study


def test_what_cannot_be_written_is_left_empty_and_told():
    made = entry(read=False, AccessionNumber="too long for a short string", StudyDate=None, SeriesDate="1.1.2026")
    study = records(build([made], SET))[1]
    assert study.text("AccessionNumber") == ""
    assert study["StudyDate"] == "19000101"
    assert "(0008,0050)" in made.notes[0]


def test_without_a_patient_id_each_study_is_a_patient_of_its_own():
    one, two = entry(1, PatientID=None), entry(2, PatientID=None, StudyInstanceUID="2.25.11")
    kinds = [each["DirectoryRecordType"] for each in records(build([one, two], SET))]
    assert kinds.count("PATIENT") == 2


@pytest.mark.parametrize("other", [{"PatientName": "ROE^RICHARD"}, {"IssuerOfPatientID": "X"}])
def test_another_patient_of_the_same_id_is_not_listed_under_the_first(other):
    elsewhere = {"StudyInstanceUID": "2.25.11", "SeriesInstanceUID": "2.25.21"}
    arranged = Arrangement(
        [entry(1, IssuerOfPatientID="A"), entry(2, **elsewhere, **{"IssuerOfPatientID": "A"} | other)]
    )
    data = b"".join(stream(arranged, SET))
    assert {each["PatientID"] for each in records(data) if "PatientID" in each} == {"P1", "P1_2"}
    assert [name for name, _ in arranged.notes] == ["A\\00000002"]
    assert "another patient" in arranged.notes[0][1]


def test_a_patient_is_one_whoever_spells_the_name_or_leaves_it_out():
    entries = [
        entry(1),
        entry(2, PatientName="Doe^Jane^^", StudyInstanceUID="2.25.11"),
        entry(3, PatientName=None, StudyInstanceUID="2.25.12"),
        entry(4, PatientBirthDate="19700101", StudyInstanceUID="2.25.13"),
    ]
    arranged = Arrangement(entries)
    assert arranged.notes == []
    assert [row.kind for row in arranged].count("PATIENT") == 1


@pytest.mark.parametrize("other", [{"PatientID": "P2"}, {"PatientName": "ROE^RICHARD"}, {"PatientID": None}])
def test_a_study_of_two_patients_is_listed_under_each_and_told(other):
    arranged = Arrangement([entry(1), entry(2, **other), entry(3), entry(4, **other)])
    assert [row.kind for row in arranged] == ["PATIENT", "STUDY", "SERIES", "IMAGE", "IMAGE"] * 2
    assert "2.25.10" in arranged.notes[-1][1]
    below: dict[str, set[str]] = {}
    for each in records(b"".join(stream(arranged, SET))):
        if "PatientID" in each:
            mine = below.setdefault(each["PatientID"], set())
        if "ReferencedFileID" in each:
            mine.add("\\".join(each["ReferencedFileID"]))
    assert sorted(map(sorted, below.values())) == [["A\\00000001", "A\\00000003"], ["A\\00000002", "A\\00000004"]]


def test_who_says_no_name_joins_the_patient_of_the_study_and_nobody_where_two_fit():
    named = {"PatientName": "ROE^RICHARD", "StudyInstanceUID": "2.25.11"}
    arranged = Arrangement([entry(1), entry(2, **named), entry(3, **named | {"PatientName": None})])
    assert [row.kind for row in arranged] == ["PATIENT", "STUDY", "SERIES", "IMAGE", *["PATIENT", "STUDY", "SERIES"],
                                             "IMAGE", "IMAGE"]  # fmt: skip
    nobody = {"PatientName": None, "StudyInstanceUID": "2.25.12"}
    arranged = Arrangement([entry(1), entry(2, **named), entry(3, **nobody), entry(4, **nobody)])
    assert [row.kind for row in arranged].count("PATIENT") == 3


def test_two_of_one_name_are_refused():
    with pytest.raises(EncodeError, match=r"two instances are called A\\00000001"):
        build([entry(1), entry(1, SOPInstanceUID="2.25.5")], SET)
    with pytest.raises(EncodeError, match=r"two instances are called 2.25.1;"):
        build([entry(1), entry(2, SOPInstanceUID="2.25.1")], SET)


def test_what_no_record_may_refer_to_is_refused():
    with pytest.raises(EncodeError, match="no Directory Record"):
        entry(SOPClassUID="1.2.840.10008.5.1.4.1.1.200.2")
    with pytest.raises(EncodeError, match="no study"):
        entry(StudyInstanceUID=None)


def test_a_class_that_is_not_known_is_listed_by_what_it_holds():
    assert entry(SOPClassUID="1.2.3.4", Rows=5).kind == "IMAGE"
    assert entry(SOPClassUID="1.2.3.4", MIMETypeOfEncapsulatedDocument="text/plain").kind == "ENCAP DOC"
    assert entry(SOPClassUID="1.2.3.4", RelatedGeneralSOPClassUID="1.2.840.10008.5.1.4.1.1.88.22").kind == "SR DOCUMENT"


def test_every_class_that_we_make_has_a_record():
    made = [*KINDS.values(), *DOCUMENTS.values(), DOSE]
    assert [each.sop_class_uid for each in made if not kind_of(each.sop_class_uid)] == []
    assert [uid for uid in FOREIGN if not kind_of(uid)] == []


def test_the_tables_fit_together():
    below = set("|".join(LOWER.values()).split("|"))
    assert set(SOP_CLASSES) <= set(KEYS) <= below | {"PATIENT"}
    for kind in KEYS:
        assert all(key.type in {"1", "1C", "2", "2C"} for key in keys_of(kind)), kind


def test_a_report_keeps_what_modifies_its_title_and_when_it_was_verified():
    title = DataSet({"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": "Report"})
    said = DataSet({"RelationshipType": "HAS CONCEPT MOD", "ValueType": "TEXT", "TextValue": "x"})
    said.set("ContentSequence", [DataSet({"TextValue": "deeper"})])
    observers = [DataSet({"VerificationDateTime": when}) for when in ("20260301", "20260302", "20260228")]
    made = entry(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.22", CompletionFlag="COMPLETE", VerificationFlag="VERIFIED",
        ContentDate="20260301", ContentTime="10", ConceptNameCodeSequence=[title], VerifyingObserverSequence=observers,
        ContentSequence=[said, DataSet({"RelationshipType": "CONTAINS", "TextValue": "y"})],
    )  # fmt: skip
    record = records(build([made], SET))[3]
    assert record["VerificationDateTime"] == "20260302"
    assert [item["TextValue"] for item in record.items_of("ContentSequence")] == ["x"]
    assert "ContentSequence" not in record.items_of("ContentSequence")[0]
    assert record.items_of("ConceptNameCodeSequence")[0]["CodeMeaning"] == "Report"


def test_a_presentation_state_keeps_only_the_references():
    image = DataSet({"ReferencedSOPClassUID": "1.2", "ReferencedSOPInstanceUID": "1.3", "ReferencedFrameNumber": 1})
    series = DataSet({"SeriesInstanceUID": "2.25.9", "RetrieveAETitle": "X", "ReferencedImageSequence": [image]})
    made = entry(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1", ContentLabel="A", ReferencedSeriesSequence=[series],
        PresentationCreationDate="20260301", PresentationCreationTime="10",
    )  # fmt: skip
    kept = records(build([made], SET))[3].items_of("ReferencedSeriesSequence")[0]
    assert kept.tags() == [0x00081140, 0x0020000E]


def test_what_a_profile_asks_for_is_copied_where_there_is_something():
    dataset = make("us", context=CONTEXT)
    meta = FileMeta(dataset.text("SOPClassUID"), dataset.text("SOPInstanceUID"), EXPLICIT_VR_LE)
    extra = {"PATIENT": [0x00100030], "IMAGE": [0x00280010, 0x00280011, 0x00080008, 0x00282112]}
    icon = DataSet({"Rows": 2, "Columns": 2})
    patient, _, _, image = records(build([entry_of("A", meta, dataset, extra=extra, icon=icon)], SET))
    assert patient["PatientBirthDate"] == "19700102"
    assert (image["Rows"], image["Columns"], image["ImageType"]) == (12, 16, dataset["ImageType"])
    assert 0x00282112 not in image
    assert image.items_of("IconImageSequence") == [icon]


def test_the_writer_keeps_no_record():
    class Many:
        asked = 0

        def __iter__(self):
            self.asked += 1
            for number in range(3000):
                yield Row(number > 0, "IMAGE" if number else "PATIENT", b"")

    many = Many()
    pieces = stream(many, SET)
    next(pieces)
    assert many.asked == 1
    assert sum(1 for _ in pieces) == 3000
    assert many.asked == 2


@pytest.mark.parametrize(
    "text", ["", "a", "A.DCM", "..", "A\\..", "A\\", "\\A", "ABCDEFGHI", "A B", "\\".join("ABCDEFGHI"), "Ä", "A/B"]
)
def test_file_ids_that_are_none(text):
    assert file_id.fault_of(text)


@pytest.mark.parametrize("text", ["A", "DICOMDIR", "INST\\000000\\00000001", "\\".join("ABCDEFGH"), "_1234567"])
def test_file_ids(text):
    assert file_id.fault_of(text) == ""


def test_a_label_is_made_of_any_text():
    assert file_id.label_of("us-box 7/é" + "x" * 20) == "US_BOX_7__XXXXXX"
    assert file_id.is_label(file_id.label_of("ä"))
    with pytest.raises(EncodeError, match="File-set ID"):
        build([], FileSet("2.25.1", "lower"))
