"""The question whether an archive lists an instance: its Identifier with pydicom as judge, and its answers."""

from __future__ import annotations

from io import BytesIO

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE
from agent.errors import DecodeError, EncodeError
from agent.service import query
from agent.service.query import Place

HERE = Place("1.2.840.1", "1.2.840.2", "1.2.840.33")
SYNTAXES = [IMPLICIT_VR_LE, EXPLICIT_VR_LE]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_identifier_has_the_level_and_its_three_unique_keys(syntax: str) -> None:
    decode = pytest.importorskip("pynetdicom.dsutils").decode
    theirs = decode(BytesIO(query.encode_identifier(HERE, syntax)), syntax == IMPLICIT_VR_LE, True)
    assert {element.keyword: element.value for element in theirs} == {
        "QueryRetrieveLevel": "IMAGE",
        "StudyInstanceUID": "1.2.840.1",
        "SeriesInstanceUID": "1.2.840.2",
        "SOPInstanceUID": "1.2.840.33",
    }


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_answer_names_an_instance_or_none(syntax: str) -> None:
    dsutils, dataset = pytest.importorskip("pynetdicom.dsutils"), pytest.importorskip("pydicom.dataset")
    answer = dataset.Dataset()
    answer.QueryRetrieveLevel = "IMAGE"
    answer.PatientName = "A^B"
    for uid in ("", "1.2.3"):
        data = dsutils.encode(answer, syntax == IMPLICIT_VR_LE, True)
        assert query.decode_identifier(data, syntax) == uid
        answer.SOPInstanceUID = "1.2.3"
    assert query.decode_identifier(b"", syntax) == ""


def test_what_cannot_be_asked_or_read() -> None:
    with pytest.raises(EncodeError):
        query.encode_identifier(HERE._replace(study_uid="1.2.x"), EXPLICIT_VR_LE)
    with pytest.raises(DecodeError):
        query.decode_identifier(bytes(query.IDENTIFIER_LIMIT_BYTES + 2), EXPLICIT_VR_LE)
    with pytest.raises(DecodeError):
        query.decode_identifier(b"\x08\x00\x18\x00UI\xff\xff1", EXPLICIT_VR_LE)
