"""Studies and patients of the spool, from the kept records and from the files; filters and pages of lists."""

from __future__ import annotations

import json

import pytest
from fakes.spool_world import BOTH, NO_WAIT, SECONDARY_CAPTURE, data_set, element, uid_of

from agent.app import cli
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool.draft import InstanceRecord
from agent.spool.file_set import refresh
from agent.spool.store import Spool, prepare

# number of the instance -> Patient ID, name, study, accession
WHO = {
    1: ("4711", "MUELLER^EVA", "1.2.3.1", "A1"),
    2: ("4711", "MUELLER^EVA", "1.2.3.1", "A1"),
    3: ("4711", "MUELLER^EVA", "1.2.3.2", "A22"),
    4: ("0815", "DOE^JOHN", "1.2.3.3", "A3"),
    5: ("", "", "1.2.3.4", ""),
}


def instance(number: int) -> bytes:
    patient, name, study, accession = WHO[number]
    whole = data_set(number)
    pixels = whole[whole.index(b"\xe0\x7f\x10\x00") :]
    parts = (
        element(0x00080016, b"UI", SECONDARY_CAPTURE.encode()), element(0x00080018, b"UI", uid_of(number).encode()),
        element(0x00080050, b"SH", accession.encode()), element(0x00081030, b"LO", b"THORAX"),
        element(0x00100010, b"PN", name.encode()), element(0x00100020, b"LO", patient.encode()),
        element(0x0020000D, b"UI", study.encode()), element(0x0020000E, b"UI", f"{study}.1".encode()), pixels,
    )  # fmt: skip
    return encode_prefix(FileMeta(SECONDARY_CAPTURE, uid_of(number), EXPLICIT_VR_LE)) + b"".join(parts)


@pytest.fixture
def root(tmp_path):
    folder = str(tmp_path / "spool")
    prepare(folder)
    with Spool.open(folder, destinations=BOTH, policy=NO_WAIT) as spool:
        for number in WHO:
            data = instance(number)
            with spool.draft(len(data)) as draft:
                draft.write(data)
                draft.seal(InstanceRecord(uid_of(number), SECONDARY_CAPTURE, EXPLICIT_VR_LE, source="test"))
    return folder


@pytest.fixture(params=["files", "records", "both"])
def known(root, request):
    """Where the patients are to be found."""
    if request.param != "files":
        with Spool.open(root, destinations=BOTH, policy=NO_WAIT) as spool:
            live = spool.reader.live_numbers
            some = live if request.param == "records" else lambda after, limit: [n for n in live(after, limit) if n < 4]
            refresh(spool.medium, some, "BOX", lambda: "2.25.1")
    return root


def ask(capsys, root, *words):
    assert cli.main(["queue", *words, "--spool", root, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_studies_are_told_with_their_patients(known, capsys):
    found = ask(capsys, known, "studies")["studies"]
    assert [(row["study_uid"], row["patient_id"], row["accession_number"], row["live"]) for row in found] == [
        ("1.2.3.4", found[0]["patient_id"], "", 1),
        ("1.2.3.3", "0815", "A3", 1),
        ("1.2.3.2", "4711", "A22", 1),
        ("1.2.3.1", "4711", "A1", 2),
    ]
    assert found[3]["destinations"] == {"pacs": {"queued": 2}, "second": {"queued": 2}}
    assert found[1]["description"] == "THORAX"


def test_patients_are_told_with_their_studies(known, capsys):
    found = ask(capsys, known, "patients")["patients"]
    rows = {row["patient_id"]: (row["name"], row["studies"], row["instances"]) for row in found}
    assert rows["4711"] == ("MUELLER^EVA", 2, 3)
    assert rows["0815"] == ("DOE^JOHN", 1, 1)
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--patient", "4711"), [1, 2, 3]),
        (("--patient", "mueller"), [1, 2, 3]),
        (("--patient", "Doe^John"), [4]),
        (("--accession", "A22"), [3]),
        (("--patient", "4711", "--accession", "A1"), [1, 2]),
        (("--study", "1.2.3.3"), [4]),
        (("--study", "1.2.3.3", "--patient", "4711"), []),
    ],
)
def test_deliveries_are_chosen(known, capsys, options, numbers):
    found = ask(capsys, known, "list", "--destination", "pacs", *options)["deliveries"]
    assert [row["id"] for row in found] == numbers


def test_pages_go_on_where_the_last_one_ended(root, capsys):
    seen, after = [], "0"
    while page := ask(capsys, root, "studies", "--limit", "2", "--after", after)["studies"]:
        seen += [row["study_uid"] for row in page]
        after = str(page[-1]["last"])
    assert seen == ["1.2.3.4", "1.2.3.3", "1.2.3.2", "1.2.3.1"]
    first = ask(capsys, root, "patients", "--limit", "1")["patients"]
    rest = ask(capsys, root, "patients", "--after", str(first[0]["last"]))["patients"]
    assert len(rest) == 2


def test_lists_fit_a_terminal(root, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for what in ("studies", "patients", "list"):
        assert cli.main(["queue", what, "--spool", root]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("list", "--patient", "nobody"), 4, "no study on this box is of patient 'nobody'"),
        (("studies", "--study", "1.9"), 4, "never had study 1.9"),
        (("show", "1.2", "--patient", "x"), 2, "no use for --patient"),
        (("studies", "--destination", "pacs"), 2, "no use for --destination"),
        (("list", "--limit", "0"), 2, "--limit must be at least 1"),
    ],
)
def test_mistakes_are_said(root, capsys, words, status, text):
    assert cli.main(["queue", *words, "--spool", root]) == status
    assert text in capsys.readouterr().err


def test_what_was_evicted_is_on_no_list_of_studies(root, capsys):
    with Spool.open(root, destinations=BOTH, policy=NO_WAIT) as spool:
        spool.ledger.write(lambda db: db.execute("UPDATE instance SET life = 23 WHERE id = 4").rowcount)
    assert "1.2.3.3" not in [row["study_uid"] for row in ask(capsys, root, "studies")["studies"]]


def test_broken_records_are_none(root, capsys):
    with open(f"{root}/records.db", "wb") as file:
        file.write(b"no database at all" * 100)
    assert len(ask(capsys, root, "patients")["patients"]) == 3
