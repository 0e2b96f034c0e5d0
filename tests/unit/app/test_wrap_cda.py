"""``wrap`` of a CDA document: its patient is taken over, or compared with the one that was given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.cda import IDS, PATIENT, cda

from agent.app import cli
from agent.app.source_file import opened
from agent.dataset.dataset import DataSet


def wrapped(folder: Path, data: bytes, *words: str) -> int:
    (folder / "a.xml").write_bytes(data)
    return cli.main(["wrap", str(folder / "a.xml"), "-o", str(folder / "a.dcm"), *words])


def made(folder: Path, data: bytes, *words: str) -> DataSet:
    assert wrapped(folder, data, *words) == 0
    with opened(str(folder / "a.dcm")) as file:
        return file.dataset


def test_the_patient_of_the_document_is_taken_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ds = made(tmp_path, cda(), "--json", "--set", "TimezoneOffsetFromUTC=+0000")
    assert (ds.text("PatientID"), ds.text("PatientName")) == ("4711", "Döe^Jane^Ann Mary^Dr.")
    assert (ds.text("PatientBirthDate"), ds.text("PatientSex")) == ("19700131", "F")
    issuer = ds.items_of("IssuerOfPatientIDQualifiersSequence")[0]
    assert issuer.text("UniversalEntityID") == "1.2.276.0.76.3.1.99"
    assert issuer.text("UniversalEntityIDType") == "ISO"
    assert ds.text("DocumentTitle") == "Befund Ä"
    assert (ds.text("ContentDate"), ds.text("ContentTime")) == ("20260301", "091500")  # 10:15 one hour east
    said = json.loads(capsys.readouterr().out)
    assert "PatientID 4711" in said["taken"]
    assert said["overruled"] == []
    assert said["document_version"] == "2 of 1.2.3.5^9"
    assert said["empty"].count("PatientName") == 0


AGREEING = [
    ("PatientID=4711",),
    ("PatientID= 4711 ",),
    ("PatientName=DÖE^JANE",),
    ("PatientName=döe^Jane Ann Mary",),
    ("PatientName=Do\u0308e^Jane^A.nn-Mary",),
    ("PatientBirthDate=19700131", "PatientSex=F", "PatientName=Döe^Jane"),
    ("ContentDate=20260301",),
    ("DocumentTitle=Befund Ä",),
]


@pytest.mark.parametrize("said", AGREEING)
def test_what_agrees_stays_as_it_was_given(said: tuple[str, ...], tmp_path: Path) -> None:
    ds = made(tmp_path, cda(), *(word for text in said for word in ("--set", text)))
    for text in said:
        keyword, _, value = text.partition("=")
        assert ds.text(keyword).strip() == value.strip()
    assert ds.text("PatientID").strip() == "4711"


CONTRADICTING = [
    ("PatientID=4712", "PatientID 1.2.276.0.76.3.1.99^4711, and 4712 is given"),
    ("PatientID=", "PatientID 4711, and none is given"),
    ("PatientName=SMITH^JANE", "PatientName Döe^Jane^Ann Mary^Dr., and SMITH^JANE is given"),
    ("PatientName=DÖE^JOHN", "PatientName"),
    ("PatientName=DÖE", "PatientName"),
    ("PatientName==山田^太郎", "PatientName"),
    ("PatientName=DÖE^JANE^BETTY", "PatientName"),
    ("PatientBirthDate=19700113", "PatientBirthDate 19700131, and 19700113 is given"),
    ("PatientSex=M", "PatientSex F, and M is given"),
    ("DocumentTitle=Other", "DocumentTitle Befund Ä, and Other is given"),
    ("ContentDate=20260302", "ContentDate 20260301, and 20260302 is given"),
]


@pytest.mark.parametrize(("said", "text"), CONTRADICTING)
def test_what_contradicts_is_refused_unless_insisted_upon(
    said: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrapped(tmp_path, cda(), "--set", said) == 33
    error = capsys.readouterr().err
    assert text in error
    assert "--insist keeps it" in error
    assert not (tmp_path / "a.dcm").exists()
    keyword, _, value = said.partition("=")
    ds = made(tmp_path, cda(), "--set", said, "--insist", "--json")
    assert ds.text(keyword) == value
    assert json.loads(capsys.readouterr().out)["overruled"][0].startswith(keyword)
    if keyword == "PatientID":  # a number of ours is not one of theirs
        assert "IssuerOfPatientIDQualifiersSequence" not in ds


def test_an_issuer_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.json"
    for root, status in (("1.2.276.0.76.3.1.99", 0), ("1.2.3", 33)):
        issuer = [{"UniversalEntityID": root, "UniversalEntityIDType": "ISO"}]
        path.write_text(json.dumps({"PatientID": "4711", "IssuerOfPatientIDQualifiersSequence": issuer}))
        assert wrapped(tmp_path, cda(), "--attributes", str(path)) == status
        (tmp_path / "a.dcm").unlink(missing_ok=True)
    assert "says PatientID" in capsys.readouterr().err


def test_several_identifiers_want_a_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = IDS + '<id root="1.2.276.0.76.4.8" extension="A123456789"/>'
    assert wrapped(tmp_path, cda(ids=ids)) == 33
    error = capsys.readouterr().err
    assert "has 2 identifiers of the patient: 1.2.276.0.76.3.1.99^4711, 1.2.276.0.76.4.8^A123456789" in error
    assert "--patient-id" in error
    ds = made(tmp_path, cda(ids=ids), "--patient-id", "A123456789")
    issuer = ds.items_of("IssuerOfPatientIDQualifiersSequence")[0]
    assert issuer.text("UniversalEntityID") == "1.2.276.0.76.4.8"


@pytest.mark.parametrize(
    ("root", "kind"),
    [("0f8fad5b-d9cb-469f-a165-70867728950e", "UUID"), ("2.25.4", "ISO"), ("a-local-word", None)],
)
def test_the_kind_of_an_issuer(root: str, kind: str | None, tmp_path: Path) -> None:
    ds = made(tmp_path, cda(ids=f'<id root="{root}" extension="5"/>'))
    assert ds.text("PatientID") == "5"
    found = [item.text("UniversalEntityIDType") for item in ds.items_of("IssuerOfPatientIDQualifiersSequence")]
    assert found == ([kind] if kind else [])


def test_an_identifier_that_is_a_root_alone(tmp_path: Path) -> None:
    ds = made(tmp_path, cda(ids='<id root="2.25.4711"/>'))
    assert ds.text("PatientID") == "2.25.4711"
    assert "IssuerOfPatientIDQualifiersSequence" not in ds


def test_a_name_without_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loose = cda(name="<name>Dr. Jane Döe</name>")
    assert wrapped(tmp_path, loose) == 33
    assert "without saying what is family name" in capsys.readouterr().err
    assert wrapped(tmp_path, loose, "--patient-name", "SMITH^JANE") == 33
    assert made(tmp_path, loose, "--patient-name", "DÖE^JANE").text("PatientName") == "DÖE^JANE"


@pytest.mark.parametrize(
    "target",
    [
        f"<recordTarget>{PATIENT}</recordTarget>" * 2,
        f"<recordTarget>{PATIENT.replace('</patient>', '</patient><patient/>')}</recordTarget>",
    ],
)
def test_several_patients_are_refused_always(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrapped(tmp_path, cda(target=target), "--patient-id", "4711", "--insist") == 33
    assert "is about 2 patients" in capsys.readouterr().err


def named(*names: tuple[str, str]) -> bytes:
    return cda(name="".join(f"<name{use}><family>{family}</family></name>" for use, family in names))


def test_several_names_want_a_choice_unless_one_is_legal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrapped(tmp_path, named(("", "Roe"), ("", "Döe"))) == 33
    error = capsys.readouterr().err
    assert "has several names of the patient: Roe, Döe" in error
    assert "--patient-name" in error
    assert made(tmp_path, named(("", "Roe"), ("", "Döe")), "--patient-name", "DÖE").text("PatientName") == "DÖE"
    (tmp_path / "a.dcm").unlink()
    alias = named((" use='P'", "Stage"), (" use='L'", "Döe"))
    assert made(tmp_path, alias).text("PatientName") == "Döe"
    (tmp_path / "a.dcm").unlink()
    assert made(tmp_path, named(("", "Döe"), ("", "Döe"))).text("PatientName") == "Döe"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("राम", "<family>रामी</family>"),
        ("राम", "<family>रमी</family>"),
        ("สมศรี", "<family>สมศรา</family>"),
        ("^", "Jane Döe"),
    ],
)
def test_names_of_other_scripts_are_told_apart(given: str, said: str, tmp_path: Path) -> None:
    assert wrapped(tmp_path, cda(name=f"<name>{said}</name>"), "--patient-name", given) == 33


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("20260301", ("20260301", "")),
        ("2026030110", ("20260301", "10")),
        ("202603011015", ("20260301", "1015")),
        ("20260301101500.25", ("20260301", "101500.25")),
        ("20260301003000+0100", ("20260228", "233000")),
        ("2026030100+0030", ("20260228", "233000")),
    ],
)
def test_the_time_of_the_document(moment: str, wanted: tuple[str, str], tmp_path: Path) -> None:
    data = cda(time=f'<effectiveTime value="{moment}"/>')
    ds = made(tmp_path, data, "--set", "TimezoneOffsetFromUTC=+0000")
    assert (ds.text("ContentDate"), ds.text("ContentTime")) == wanted


def test_a_day_that_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrapped(tmp_path, cda(time='<effectiveTime value="20260230"/>')) == 33
    assert "is no time that exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "text", "instead"),
    [
        (cda(birth='<birthTime value="19700230"/>'), "says PatientBirthDate 19700230: ", "PatientBirthDate=19700228"),
        (cda(ids=f'<id root="1.2" extension="{"7" * 65}"/>'), "says PatientID 777", "PatientID=7"),
        (cda(name=f"<name><family>{'x' * 65}</family></name>"), "says PatientName xxx", "PatientName=X"),
    ],
)
def test_what_no_attribute_can_hold(
    data: bytes, text: str, instead: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrapped(tmp_path, data) == 33
    error = capsys.readouterr().err
    assert text in error
    assert "Correct the document, or give --set" in error
    assert (
        made(tmp_path, data, "--set", instead, "--insist").text(instead.partition("=")[0]) == instead.partition("=")[2]
    )


def test_a_document_that_names_nobody_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert made(tmp_path, cda(target=""), "--patient-id", "1").text("PatientID") == "1"
    assert "that the document, which names no patient, is of the one given" in capsys.readouterr().out
