"""The documents that ``wrap`` is given: a PDF, a CDA document, a JSON of exposure events."""

from __future__ import annotations

from agent.app import wrap_facts, wrap_inputs
from agent.errors import InputError, IodError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.app.wrap_facts import Facts
    from agent.dataset.dataset import DataSet
    from agent.iod.build import Kind


_ENCRYPTED: Final = "Save it without a password; if everybody can open it as it is, --insist carries it."


def build(args: Arguments, content: str) -> tuple[Kind, Facts, DataSet]:
    """The complete Data Set of a document, and what it was made from."""
    return _dose(args) if content == "dose" else _encapsulated(args, content)


def _encapsulated(args: Arguments, content: str) -> tuple[Kind, Facts, DataSet]:
    from agent.app.wrap_cda import Merged, merge
    from agent.iod import cda, document

    path, row = args.files[0], document.KINDS[content]
    data = wrap_inputs.read_bytes(path, document.MAX_DOCUMENT_BYTES)
    try:
        if content == "pdf" and not args.insist and document.is_encrypted(data):
            raise InputError(f"{path}: the PDF is encrypted, and who has no password sees nothing", hint=_ENCRYPTED)
        merged = Merged(wrap_facts.given(args), None, [], [], "")
        if content == "cda":
            zone = wrap_facts.offset_of(merged.found)
            merged = merge(path, merged.found, cda.read(data), offset=zone, insist=args.insist)
        title = merged.found.text("DocumentTitle")
        if title:
            del merged.found["DocumentTitle"]
        facts = wrap_facts.sort(row, merged.found, args)._replace(
            taken=merged.taken, overruled=merged.overruled, version=merged.version
        )
        if not merged.named:
            facts.assumed.append("that the document, which names no patient, is of the one given")
        burned_in = facts.acquisition.burned_in_annotation
        if burned_in is None:
            facts.assumed.append("BurnedInAnnotation YES")
        made = document.Document(
            data,
            title=title,
            burned_in=burned_in is not False,
            conversion_type=facts.acquisition.capture.conversion_type,
            written=merged.written,
        )
        return row, facts, document.build(content, made, context=facts.context, acquisition=facts.acquisition)
    except IodError as error:
        if error.tag != cda.DOCUMENT:
            raise
        hint = None if error.hint == IodError.hint else error.hint
        raise InputError(f"{path}: {error.message.partition(' at (')[0]}", hint=hint) from None


def _dose(args: Arguments) -> tuple[Kind, Facts, DataSet]:
    from decimal import Decimal

    from agent.acquire.identity import new_uid
    from agent.iod import dose_events, dose_report

    row = dose_report.KIND
    facts = wrap_facts.sort(row, wrap_facts.given(args), args)
    found = wrap_facts.parsed_json(args.files[0], parse_float=Decimal)
    try:
        report = dose_events.read(found, new_uid)
    except IodError as error:
        raise InputError(f"{args.files[0]}: {error.message}", hint=error.hint) from None
    for key, value in (("intent", report.intent), ("source", report.source)):
        if isinstance(found, dict) and key not in found:
            facts.assumed.append(f"{key} {value.meaning}")
    facts.assumed[:] = [text for text in facts.assumed if not text.startswith("ConversionType")]
    return row, facts, dose_report.build(report, context=facts.context, acquisition=facts.acquisition)
