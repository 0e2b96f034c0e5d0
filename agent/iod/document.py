"""Encapsulated PDF and Encapsulated CDA (PS3.3 A.45.1, A.45.2, C.24; PS3.20): a document as it is, inside an instance.

The bytes are never changed; one byte of padding makes their number even, and Encapsulated Document Length says how many
are the document's own. What is taken for a PDF begins with its header and ends with its end-of-file marker: a download
cut short has the first and not the second. Of a CDA document the header is read (``agent.iod.cda``): its identifier,
and where nobody says better, its title and its code. The rest of it is the business of whoever wrote it; whose it is,
the caller has to compare.
"""

from __future__ import annotations

import re

from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import cda
from agent.iod.build import Kind, finish, identity
from agent.iod.cda import DOCUMENT
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.iod.acquisition import Acquisition, Reference
    from agent.iod.codes import Code

PDF, CDA = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2"
KINDS: Final = {
    "pdf": Kind(PDF, "DOC", (), (), multi_frame=False, compose=""),
    "cda": Kind(CDA, "DOC", (), (), multi_frame=False, compose=""),
}
MIME_TYPES: Final = {"pdf": "application/pdf", "cda": "text/XML"}  # A.45.1.4.1, A.45.2.4.1

PDF_HEAD: Final = b"%PDF-"
PDF_END: Final = b"%%EOF"
PDF_END_BYTES: Final = 1024  # readers look for the marker in this much (ISO 32000-1 Annex H.3.4.4)
MAX_DOCUMENT_BYTES: Final = 256 << 20  # of one report in memory; scanned folders of that size are cut up by people


class Document(NamedTuple):
    """A document and what is known of it; ``sources`` are the instances that it was made from.

    ``burned_in`` says whether the pages name the patient; they do, as a rule, so that YES is written when nobody knows.
    ``written`` is the date and time of the content, where that is another moment than the acquisition.
    """

    data: bytes
    title: str = ""
    concept: Code | None = None
    burned_in: bool = True
    verified: bool | None = None
    conversion_type: str = "WSD"
    written: tuple[str, str] | None = None
    sources: tuple[Reference, ...] = ()


def build(kind: str, document: Document, *, context: DataSet, acquisition: Acquisition) -> DataSet:
    """Make the complete Data Set of an encapsulated document (``pdf`` or ``cda``), document included.

    Raises:
        IodError: The bytes are no such document, or a Module table forbids the result.
    """
    row = KINDS[kind]
    ds = identity(row, acquisition, ("InstanceCreation", "Content"))
    title, concept = document.title, document.concept
    if not 0 < len(document.data) <= MAX_DOCUMENT_BYTES:
        raise IodError(f"a document has 1 to {MAX_DOCUMENT_BYTES} bytes, not {len(document.data)}", tag=DOCUMENT)
    if kind == "cda":
        facts = cda.read(document.data)
        title, concept = title or facts.title, concept or facts.code
        ds["HL7InstanceIdentifier"] = str(facts.identifier)
    else:
        require_pdf(document.data)
    ds["ConversionType"] = document.conversion_type
    ds["BurnedInAnnotation"] = "YES" if document.burned_in else "NO"
    if title:
        ds["DocumentTitle"] = title
    if document.written is not None:
        ds["ContentDate"], ds["ContentTime"] = document.written
    if concept is not None:
        ds["ConceptNameCodeSequence"] = [concept.item()]
    if document.verified is not None:
        ds["VerificationFlag"] = "VERIFIED" if document.verified else "UNVERIFIED"
    if document.sources:
        ds["SourceInstanceSequence"] = [_source(source) for source in document.sources]
    ds["MIMETypeOfEncapsulatedDocument"] = MIME_TYPES[kind]
    ds["EncapsulatedDocument"] = document.data + b"\0" * (len(document.data) % 2)
    ds["EncapsulatedDocumentLength"] = len(document.data)
    return finish(ds, row, context, acquisition)


def require_pdf(data: bytes) -> None:
    """Raise ``IodError`` unless the bytes begin and end as a PDF does (ISO 32000-1 7.5.2, 7.5.5)."""
    if not data.startswith(PDF_HEAD):
        raise IodError("is no PDF: it does not begin with %PDF-", tag=DOCUMENT)
    if PDF_END not in data[-PDF_END_BYTES:]:
        raise IodError("the PDF is cut short: no %%EOF at its end", tag=DOCUMENT)


def is_encrypted(data: bytes) -> bool:
    """Whether the trailer of a PDF names an encryption dictionary (ISO 32000-1 7.5.5, 7.6.1)."""
    return re.search(rb"/Encrypt\s*(?:<<|\d+\s+\d+\s+R)", data) is not None


def _source(reference: Reference) -> DataSet:
    item = DataSet()
    item["ReferencedSOPClassUID"] = reference.sop_class_uid
    item["ReferencedSOPInstanceUID"] = reference.sop_instance_uid
    item["PurposeOfReferenceCodeSequence"] = [reference.purpose.item()]
    return item
