"""Properties of a DICOMDIR: whatever is listed is read the same, under its own patient; any bytes end in an error."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dataset.dataset import DataSet
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import DecodeError
from agent.media.dicomdir import Arrangement, FileSet, Row, build, stream
from agent.media.dicomdir_reader import open_directory
from agent.media.dicomdir_tree import Tree
from agent.media.part10 import FileMeta
from agent.media.records import entry_of, plain_name
from agent.spool.record_index import RecordIndex

CLASSES = ("1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.104.1",
    "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.39.1")  # fmt: skip
TEXT = st.sampled_from(["", "A", "B", "Müller^Änne", "DOE^JANE", "doe^jane^^", "山田^太郎=やまだ", "x" * 64])
INSTANCE = st.fixed_dictionaries({
    "SOPClassUID": st.sampled_from(CLASSES),
    "PatientID": st.sampled_from(["", "1", "2", "1_2"]),
    "PatientName": TEXT,
    "IssuerOfPatientID": st.sampled_from(["", "X"]),
    "StudyInstanceUID": st.sampled_from(["2.25.1", "2.25.2", "2.25.3"]),
    "SeriesInstanceUID": st.sampled_from(["2.25.11", "2.25.12"]),
    "StudyDate": st.sampled_from(["", "20260301", "20250301"]),
    "InstanceNumber": st.sampled_from([None, -1, 0, 7, 12]),
    "SeriesNumber": st.sampled_from([None, 1, 2]),
    "StudyDescription": TEXT,
})  # fmt: skip


def opened(data: bytes) -> Tree:
    return Tree(open_directory(lambda length, offset: data[offset : offset + length], len(data)))


def entries(facts):
    made = []
    for number, values in enumerate(facts):
        dataset = DataSet({key: value for key, value in values.items() if value not in ("", None)})
        meta = FileMeta(values["SOPClassUID"], f"2.25.{900 + number}", EXPLICIT_VR_LE)
        made.append(entry_of(f"A\\{number:08d}", meta, dataset))
    return made


@given(st.lists(INSTANCE, max_size=12))
@settings(max_examples=40)
def test_what_is_listed_is_read_the_same(facts):
    made = entries(facts)
    rows = list(Arrangement(made))
    tree = opened(b"".join(stream(rows, FileSet("2.25.5"))))
    steps = list(tree.walk())
    assert [(step.depth, tree.kind(step.number)) for step in steps] == [(row.depth, row.kind) for row in rows]
    assert tree.faults == []
    names = {}
    above = []
    for step in steps:
        record = tree.read(step.number)
        del above[step.depth :]
        above.append(record.dataset)
        if record.file_id:
            names[record.file_id] = above[0].text("PatientName") if step.depth else None
    assert sorted(names) == sorted(entry.file_id for entry in made)
    for entry, values in zip(made, facts, strict=True):
        of_study = {
            (one["PatientID"], one["IssuerOfPatientID"], plain_name(one["PatientName"]))
            for one in facts
            if one["StudyInstanceUID"] == values["StudyInstanceUID"] and one["SOPClassUID"] != CLASSES[-1]
        }
        shown = names[entry.file_id]
        if shown and values["PatientName"] and len(of_study) == 1:  # nobody is listed under another name
            assert plain_name(shown) == plain_name(values["PatientName"])
    ids = [each.dataset["PatientID"] for each in map(tree.read, range(len(tree))) if each.kind == "PATIENT"]
    assert len(set(ids)) == len(ids)


@given(st.lists(INSTANCE, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_kept_records_are_arranged_as_those_at_hand(tmp_path_factory, facts, chance):
    """The spool keeps them in a database, an export in memory: one directory, whatever came and went before."""
    made = entries(facts)
    gone = [number for number in range(len(made)) if chance.random() < 0.3]
    path = tmp_path_factory.mktemp("index") / "records.db"
    with RecordIndex(str(path)) as index:
        index.begin()
        for number, entry in enumerate(made, 1):
            index.add(number, entry)
        kept = list(index)
        for number in gone:
            index.remove(number + 1)
        index.prune()
        index.commit()
        assert kept == list(Arrangement(made))
        left = [row.body for row in index if row.depth == 3 or row.kind == "PALETTE"]
    assert sorted(left) == sorted(entry.body for number, entry in enumerate(made) if number not in gone)


@given(st.lists(st.integers(0, 5), max_size=40))
@settings(max_examples=40)
def test_any_tree_is_read_as_it_was_written(depths):
    rows, depth = [], 0
    for wanted in depths:
        depth = min(wanted, depth + 1) if rows else 0
        rows.append(Row(depth, "PRIVATE", b""))
    tree = opened(b"".join(stream(rows, FileSet("2.25.5"))))
    assert [step.depth for step in tree.walk()] == [row.depth for row in rows]
    assert tree.faults == []


@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 600))
def test_any_bytes_end_in_a_documented_error(noise, start, end):
    whole = build(entries([{"SOPClassUID": CLASSES[0], "StudyInstanceUID": "2.25.1", "SeriesInstanceUID": "2.25.2"}]),
        FileSet("2.25.5"))  # fmt: skip
    data = whole[:start] + noise + whole[end:]
    try:
        tree = opened(data)
    except DecodeError:
        return
    assert len(list(tree.walk())) <= len(tree)
