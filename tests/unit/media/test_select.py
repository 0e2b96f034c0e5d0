"""Paths into a Data Set."""

from __future__ import annotations

import pytest

from agent.dataset.dataset import DataSet
from agent.media.select import MAX_STEPS, Step, parse_path, selected

DATASET = DataSet(
    {
        "Modality": "US",
        "PatientID": "7",
        "ReferencedSeriesSequence": [
            DataSet({"Modality": "CT", "SeriesInstanceUID": "1.2"}),
            DataSet({"SeriesInstanceUID": "1.3", "ReferencedInstanceSequence": [DataSet({"InstanceNumber": 4})]}),
        ],
    }
)


@pytest.mark.parametrize("text", ["PatientID", "0010,0020", "00100020", "(0010,0020)"])
def test_an_element_has_several_names(text: str) -> None:
    assert parse_path(text) == (Step(0x00100020, None),)
    assert list(selected(DATASET, [parse_path(text)])) == [DATASET.element("PatientID")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ReferencedSeriesSequence", DATASET["ReferencedSeriesSequence"]),
        ("ReferencedSeriesSequence[1]", [DATASET.items_of("ReferencedSeriesSequence")[1]]),
        ("ReferencedSeriesSequence[0].SeriesInstanceUID", [DataSet({"SeriesInstanceUID": "1.2"})]),
        ("ReferencedSeriesSequence.Modality", [DataSet({"Modality": "CT"})]),
        ("ReferencedSeriesSequence.SeriesInstanceUID",
         [DataSet({"SeriesInstanceUID": "1.2"}), DataSet({"SeriesInstanceUID": "1.3"})]),
        ("ReferencedSeriesSequence[1].ReferencedInstanceSequence.InstanceNumber",
         [DataSet({"ReferencedInstanceSequence": [DataSet({"InstanceNumber": 4})]})]),
    ],
)  # fmt: skip
def test_a_path_leads_into_sequences(path: str, expected: list[DataSet]) -> None:
    assert selected(DATASET, [parse_path(path)]) == DataSet({"ReferencedSeriesSequence": expected})


@pytest.mark.parametrize("path", ["StudyDate", "PatientID.Rows", "ReferencedSeriesSequence[2]", "00091001",
                                  "ReferencedSeriesSequence.PatientID"])  # fmt: skip
def test_a_path_may_lead_nowhere(path: str) -> None:
    assert len(selected(DATASET, [parse_path(path)])) == 0


def test_several_paths_are_joined() -> None:
    paths = [parse_path("PatientID"), parse_path("ReferencedSeriesSequence[0].Modality")]
    assert selected(DATASET, paths) == DataSet(
        {"PatientID": "7", "ReferencedSeriesSequence": [DataSet({"Modality": "CT"})]}
    )


@pytest.mark.parametrize("text", ["", "Nonsense", "0010,002", "PatientID[", "PatientID[x]", "a..b", "Modality SS",
                                  ".".join(["Rows"] * (MAX_STEPS + 1))])  # fmt: skip
def test_what_is_no_path_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither|not a keyword|at most"):
        parse_path(text)
