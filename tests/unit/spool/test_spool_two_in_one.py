"""A file whose Data Set is another instance than its File Meta Information says is none (one UID, one content)."""

from __future__ import annotations

import os

import pytest
from fakes.spool_world import BOTH, EXPLICIT_LE, SECONDARY_CAPTURE, capture, data_set, record, uid_of

from agent.errors import DecodeError
from agent.exchange.take_in import ERROR, take
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool.store import Spool, prepare

CALLED, IS = 7, 1
BAD = encode_prefix(FileMeta(SECONDARY_CAPTURE, uid_of(CALLED), EXPLICIT_LE)) + data_set(IS, salt=5)


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH) as spool:
        capture(spool, IS)
    return tmp_path / "spool"


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.dcm"
    path.write_bytes(BAD)
    return path


def test_it_is_neither_imported_nor_sealed(root, bad):
    with Spool.open(str(root), destinations=BOTH) as spool:
        with open(bad, "rb") as file:
            (taken,) = take(spool, [file.fileno()])
        assert (taken.state, taken.code) == (ERROR, DecodeError.code)
        assert uid_of(IS) in taken.message
        assert uid_of(CALLED) in taken.message
        with pytest.raises(DecodeError, match="its Data Set has SOP Instance UID"):
            spool.import_file(str(bad))
        with spool.draft(len(BAD)) as draft:
            draft.write(BAD)
            with pytest.raises(DecodeError, match="its Data Set has SOP Instance UID"):
                draft.seal(record(CALLED))
        assert spool.known(uid_of(CALLED)) is None
        assert sorted(os.listdir(root / "INST/000000")) == ["00000001"]


@pytest.mark.parametrize("others", [0, 2])
def test_a_start_sets_it_aside(root, others):
    (root / "INST/000000/00000009").write_bytes(BAD)
    for number in range(2, 2 + others):  # then a folder is taken in at once
        good = encode_prefix(FileMeta(SECONDARY_CAPTURE, uid_of(number), EXPLICIT_LE)) + data_set(number)
        (root / f"INST/000000/{number:08X}").write_bytes(good)
    with Spool.open(str(root), destinations=BOTH) as spool:
        assert (spool.report.strange, spool.report.adopted) == (1, others)
        assert any("its Data Set has SOP Instance UID" in note for note in spool.report.notes)
        assert spool.known(uid_of(CALLED)) is None
    assert [path.read_bytes() for path in root.rglob("00000009")] == [BAD]
    assert not (root / "INST/000000/00000009").exists()
