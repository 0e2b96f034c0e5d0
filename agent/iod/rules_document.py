"""What PS3.3 says in prose about encapsulated documents and what reports refer to; rules.py says what a rule is.

Dose reports are in rules_dose.py.

Sources: PS3.3 A.45.1.4, C.17.2.3, C.24.2.
"""

from __future__ import annotations

from agent.iod.conditions import first, values
from agent.iod.rules_dose import REPORT, items
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.dataset import DataSet
    from agent.iod.rules import Complaint, Place, Rule

PDF, CDA = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2"
DOCUMENT, DOCUMENT_LENGTH, MIME_TYPE = 0x00420011, 0x00420015, 0x00420012
HEAD_BYTES = 1024  # readers look for the header of a PDF in this much (ISO 32000-1 Annex H.3.4.1)
MIME_TYPES = {PDF: "application/pdf", CDA: "text/XML"}

VALUES: dict[tuple[str, int], tuple[str, ...]] = {}


def document(ds: DataSet) -> Iterator[Complaint]:
    """MIME type, length and first bytes are those of the document (A.45.1.4, C.24.2)."""
    kind = str(first(ds, 0x00080016))
    wanted, mime = MIME_TYPES.get(kind), first(ds, MIME_TYPE)
    if wanted is not None and mime is not None and str(mime).lower() != wanted.lower():
        yield MIME_TYPE, f"has {mime!r}, must be {wanted}"
    data, length = ds.get(DOCUMENT), first(ds, DOCUMENT_LENGTH)
    size = len(data) if isinstance(data, bytes) else getattr(data, "length", None)
    if isinstance(length, int) and size is not None and size != length + length % 2:
        yield DOCUMENT_LENGTH, f"is {length}, and the document has {size} bytes"
    if isinstance(data, bytes):
        yield from first_bytes(kind, data[:HEAD_BYTES])


def first_bytes(kind: str, head: bytes) -> Iterator[Complaint]:
    """Whether a document begins as its SOP Class says."""
    if kind == PDF and b"%PDF-" not in head:
        yield DOCUMENT, "does not start like a PDF"
    if kind == CDA and head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1] != b"<":
        yield DOCUMENT, "does not start like XML"


def evidence(ds: DataSet) -> Iterator[Complaint]:
    """Instances that the content refers to are listed as evidence (C.17.2.3)."""
    listed = {
        first(sop, 0x00081155)
        for sequence in (0x0040A375, 0x0040A385)
        for study in ds.items_of(sequence)
        for series in study.items_of(0x00081115)
        for sop in series.items_of(0x00081199)
    }
    for way, _, item in items(ds):
        for number, reference in enumerate(item.items_of(0x00081199), 1):
            if values(reference, 0x00081155) and first(reference, 0x00081155) not in listed:
                place: Place = (*way, 0x00081199, number, 0x00081155)
                yield place, "is not listed in the Current Requested Procedure or Pertinent Other Evidence Sequence"


RULES: dict[str, tuple[tuple[str, Rule], ...]] = {
    "C.24-2": (("C.24.2", document),),
    "C.17-2": (("C.17.2.3", evidence),),
    **REPORT,
}
