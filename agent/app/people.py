"""Which patient and which accession a study of the spool is of: for lists and filters of an operator.

The ledger holds no word about a patient. The records of the DICOMDIR do (``agent.spool.record_index``), and they are
read beside a running agent. What they do not have yet, or where a site keeps no directory, is read from the head of one
file of the study, ``HEADS`` of them at most, the youngest studies first.
"""

from __future__ import annotations

import struct

from agent.app.source_file import opened
from agent.dataset.decode import decode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import AgentError
from agent.media.records import BIRTH_DATE, PATIENT_ID, PATIENT_NAME, plain_name
from agent.spool import listing
from agent.spool.names import RECORDS, file_path
from agent.spool.view import read_only
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from agent.dataset.dataset import DataSet
    from agent.spool.view import SpoolView

HEADS: Final = 200  # files opened for one answer: some ms each on a slow card
STUDIES: Final = 5000  # looked through for one answer
_IN_ONE: Final = 500  # values in one question
_ACCESSION, _DATE, _DESCRIPTION = 0x00080050, 0x00080020, 0x00081030


class Person(NamedTuple):
    """What a study says of its patient and of itself; empty where nobody knows."""

    patient_id: str = ""
    name: str = ""
    birth_date: str = ""
    accession_number: str = ""
    study_date: str = ""
    description: str = ""


class People:
    """The patients of one spool; close it after use."""

    __slots__ = ("_db", "_heads", "_patients", "_view", "complete")

    def __init__(self, view: SpoolView) -> None:
        self._view = view
        self._db: sqlite3.Connection | None = read_only(f"{view.root}/{RECORDS}")
        self._heads = 0
        self._patients: dict[int, DataSet] = {}
        self.complete = True  # whether every study that was asked for could be looked into

    def close(self) -> None:
        """Close the records."""
        if self._db is not None:
            self._db.close()

    def __enter__(self) -> People:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def of_studies(self, uids: Sequence[str]) -> dict[str, Person]:
        """Say whose the studies are."""
        found: dict[str, Person] = {}
        for start in range(0, len(uids), _IN_ONE):
            some = uids[start : start + _IN_ONE]
            marks = ", ".join("?" * len(some))
            sql = (
                "SELECT s.key, s.body, p.id, p.body FROM part s JOIN part p ON p.id = s.parent WHERE s.depth = 1 "  # noqa: S608 - only marks
                f"AND s.key IN ({marks}) ORDER BY s.id"
            )
            for key, study, number, patient in self._ask(sql, tuple(some)):
                found.setdefault(key, self._person(study, number, patient))
        for uid in uids:
            if uid not in found and (person := self._of_file(uid)) is not None:
                found[uid] = person
        return found

    def find(self, patient: str = "", accession: str = "") -> list[str]:
        """The studies of a patient (Patient ID, or part of the name) and of an Accession Number."""
        found = dict.fromkeys(self._recorded(patient, accession))
        known = {row[0] for row in self._ask("SELECT key FROM part WHERE depth = 1", ())}
        others = [one.study_uid for one in listing.studies(self._view.ask, limit=STUDIES) if one.study_uid not in known]
        for uid, person in self.of_studies(others).items():
            if _is(person, patient, accession):
                found[uid] = None
        return list(found)

    def _recorded(self, patient: str, accession: str) -> Iterable[str]:
        sql, values = "SELECT s.key FROM part s JOIN part p ON p.id = s.parent WHERE s.depth = 1", []
        if patient:
            sql += " AND (p.said = ? OR instr(p.name, ?) > 0)"
            values += [patient, plain_name(patient)]
        if accession:
            sql += " AND instr(s.body, ?) > 0"
            values.append(_element(accession))  # type: ignore[arg-type]  # bytes beside texts
        return [row[0] for row in self._ask(sql, tuple(values))]

    def _person(self, study: bytes, number: int, patient: bytes) -> Person:
        if number not in self._patients:
            self._patients[number] = decode(patient, EXPLICIT_VR_LE)
        return _person(self._patients[number], decode(study, EXPLICIT_VR_LE))

    def _of_file(self, study_uid: str) -> Person | None:
        number = listing.first_live(self._view.ask, study_uid)
        if number is None:
            return None
        if self._heads >= HEADS:
            self.complete = False
            return None
        self._heads += 1
        try:
            with opened(file_path(self._view.root, number), header_only=True) as file:
                return _person(file.dataset, file.dataset)
        except AgentError:
            return None

    def _ask(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Ask the records; they are a cache, and one that cannot be read is none."""
        if self._db is None:
            return []
        try:
            return self._db.execute(sql, values).fetchall()
        except self._db.Error:
            return []


def _person(patient: DataSet, study: DataSet) -> Person:
    return Person(
        *(patient.text(tag) for tag in (PATIENT_ID, PATIENT_NAME, BIRTH_DATE)),
        *(study.text(tag) for tag in (_ACCESSION, _DATE, _DESCRIPTION)),
    )


def _is(person: Person, patient: str, accession: str) -> bool:
    of_patient = not patient or person.patient_id == patient or plain_name(patient) in plain_name(person.name)
    return of_patient and (not accession or person.accession_number == accession)


def _element(accession: str) -> bytes:
    """Accession Number as a record has it (Explicit VR Little Endian)."""
    value = accession.encode("utf-8", "replace")
    value += b" " * (len(value) % 2)
    return struct.pack("<HH2sH", 0x0008, 0x0050, b"SH", len(value)) + value
