"""Encapsulated PDF and Encapsulated CDA (PS3.3 A.45.1, A.45.2, C.24; PS3.20): a document as it is, inside an instance.

The bytes are never changed; one byte of padding makes their number even, and Encapsulated Document Length says how many
are the document's own. What is taken for a PDF begins with its header and ends with its end-of-file marker: a download
cut short has the first and not the second. A CDA document is read once, with a parser that refuses every declaration
(entities, external subsets), to take over its identifier, its title and its code; bounds on depth and text keep that
cheap. The rest of it is the business of whoever wrote it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod.build import Kind, finish, identity
from agent.iod.codes import Code

if TYPE_CHECKING:
    from agent.iod.acquisition import Acquisition, Reference

PDF, CDA = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2"
DOCUMENT: Final = 0x00420011
KINDS: Final = {
    "pdf": Kind(PDF, "DOC", (), (), multi_frame=False, compose=""),
    "cda": Kind(CDA, "DOC", (), (), multi_frame=False, compose=""),
}
MIME_TYPES: Final = {"pdf": "application/pdf", "cda": "text/XML"}  # A.45.1.4.1, A.45.2.4.1

PDF_HEAD: Final = b"%PDF-"
PDF_END: Final = b"%%EOF"
PDF_END_BYTES: Final = 1024  # readers look for the marker in this much (ISO 32000-1 Annex H.3.4.4)
HL7_NAMESPACE: Final = "urn:hl7-org:v3"
MAX_DOCUMENT_BYTES: Final = 256 << 20  # of one report in memory; scanned folders of that size are cut up by people
MAX_XML_DEPTH: Final = 256
MAX_TITLE_CHARACTERS: Final = 1024  # Document Title is ST
CDA_HINT: Final = "Encapsulated CDA holds HL7 CDA documents only; other XML has no SOP Class."
ENCODING_HINT: Final = "UTF-8, UTF-16, ISO-8859-1 and US-ASCII can be read; write the document in one of them."


class CdaFacts(NamedTuple):
    """What a CDA document says about itself (PS3.20, HL7 CDA R2 4.2.1)."""

    instance_identifier: str  # root^extension, as in HL7 Instance Identifier
    code: Code | None
    title: str


class Document(NamedTuple):
    """A document and what is known of it; ``sources`` are the instances that it was made from.

    ``burned_in`` says whether the pages name the patient; they do, as a rule, so that YES is written when nobody knows.
    """

    data: bytes
    title: str = ""
    concept: Code | None = None
    burned_in: bool = True
    verified: bool | None = None
    conversion_type: str = "WSD"
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
        facts = read_cda(document.data)
        title, concept = title or facts.title, concept or facts.code
        ds["HL7InstanceIdentifier"] = facts.instance_identifier
    else:
        require_pdf(document.data)
    ds["ConversionType"] = document.conversion_type
    ds["BurnedInAnnotation"] = "YES" if document.burned_in else "NO"
    if title:
        ds["DocumentTitle"] = title[:MAX_TITLE_CHARACTERS]
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


def read_cda(data: bytes) -> CdaFacts:
    """Identifier, code and title of a CDA document; raises ``IodError`` for anything else."""
    reader = _CdaReader()
    reader.parse(data)
    if reader.root != f"{HL7_NAMESPACE} ClinicalDocument":
        raise IodError(f"the XML is no CDA document: its root is {reader.root}", tag=DOCUMENT, hint=CDA_HINT)
    if not reader.identifier.get("root"):
        raise IodError("the CDA document has no id, which HL7 Instance Identifier needs", tag=0x0040E001)
    extension = reader.identifier.get("extension", "")
    identifier = reader.identifier["root"] + (f"^{extension}" if extension else "")
    return CdaFacts(identifier, _concept(reader.code), " ".join(reader.title.split()))


# Object identifiers of code systems -> designators (PS3.16 Table 8-1)
_SCHEMES: Final = {"2.16.840.1.113883.6.1": "LN", "2.16.840.1.113883.6.96": "SCT", "1.2.840.10008.2.16.4": "DCM"}


def _concept(found: dict[str, str]) -> Code | None:
    """The code of the document, where its scheme has a designator in DICOM."""
    scheme = _SCHEMES.get(found.get("codeSystem", ""))
    value = found.get("code", "")
    if scheme is None or not value:
        return None
    return Code(value, scheme, (found.get("displayName") or value)[:64])


def _source(reference: Reference) -> DataSet:
    item = DataSet()
    item["ReferencedSOPClassUID"] = reference.sop_class_uid
    item["ReferencedSOPInstanceUID"] = reference.sop_instance_uid
    item["PurposeOfReferenceCodeSequence"] = [reference.purpose.item()]
    return item


class _CdaReader:
    """Walks the XML once; of the header it keeps the first ``id``, ``code`` and ``title`` below the root."""

    __slots__ = ("_depth", "_in_title", "code", "identifier", "root", "title")

    def __init__(self) -> None:
        self.root = ""
        self.identifier: dict[str, str] = {}
        self.code: dict[str, str] = {}
        self.title = ""
        self._depth = 0
        self._in_title = False

    def parse(self, data: bytes) -> None:
        from xml.parsers import expat

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)  # noqa: FBT003  has no keywords
        except expat.ExpatError as error:
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]:
                raise IodError("has an encoding that cannot be read", tag=DOCUMENT, hint=ENCODING_HINT) from None
            raise IodError(f"is not well-formed XML: {error}", tag=DOCUMENT, hint=CDA_HINT) from None
        except (LookupError, ValueError):  # of the codecs that the parser asks for
            raise IodError("has an encoding that cannot be read", tag=DOCUMENT, hint=ENCODING_HINT) from None

    def _refuse(self, *_declaration: object) -> int:
        raise IodError("the XML declares a document type or entities, which CDA does not use", tag=DOCUMENT)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_XML_DEPTH:
            raise IodError(f"the XML is nested more than {MAX_XML_DEPTH} deep", tag=DOCUMENT)
        if self._depth == 1:
            self.root = name
        elif self._depth == 2 and name == f"{HL7_NAMESPACE} id":
            self.identifier = self.identifier or attributes
        elif self._depth == 2 and name == f"{HL7_NAMESPACE} code":
            self.code = self.code or attributes
        elif self._depth == 2 and name == f"{HL7_NAMESPACE} title":
            self._in_title = True

    def _end(self, _name: str) -> None:
        if self._depth == 2:
            self._in_title = False
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._in_title and len(self.title) < MAX_TITLE_CHARACTERS:
            self.title += text
