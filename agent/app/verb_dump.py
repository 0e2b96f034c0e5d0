"""``dump``: what is in DICOM files, for people and as JSON (PS3.18 Annex F).

Files of any size: values above ``REFER_BYTES`` and pixels stay on disk, and JSON names their place instead of them, as
``file:///PATH?offset=N&length=N``. A file that cannot be read is reported and the others are shown all the same.

Of a damaged file what stands in front of the damage is shown, then the error. In JSON its object has a member "error"
besides the tags: no tag, so that nobody takes half a Data Set for a whole one, whatever became of the exit status.
"""

from __future__ import annotations

import os
import sys
from itertools import islice

from agent.app.cli import print_json, report
from agent.app.dump_text import data_set_lines, escaped, hex_text
from agent.app.input_files import named
from agent.app.source_file import opened
from agent.app.term import count_text, paint, size_text
from agent.dataset.uid import uid_name
from agent.dataset.values import Element, Reference
from agent.errors import AgentError, DecodeError, NotFound, UsageError
from agent.media.file import PIXEL_TAGS
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from agent.app.options import Arguments, Parser
    from agent.dataset.dataset import DataSet
    from agent.media.file import DicomFile, PixelValue
    from agent.media.select import Step

# What is longer stays on disk: no text a person reads, and as base64 no JSON a person wants.
REFER_BYTES: Final = 64 * 1024
# Fragments and entries of an offset table that are shown without --full.
_ROWS: Final = 8
_FIRST_BYTES: Final = 16


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("files", metavar="FILE", amount="+", help="DICOM files")
    parser.add("--tag", metavar="PATH", repeated=True, help="only this: PatientID, 0010,0020 or a path such as "
               "ReferencedSeriesSequence[0].Modality; may be repeated")  # fmt: skip
    parser.add("--full", switch=True, help="show long values whole, and every fragment")
    parser.add("--lenient", switch=True, help="read files that break PS3.10 and say what was tolerated")
    parser.add("--json", switch=True, help="print an array with one Data Set per file in the DICOM JSON Model")


def run(args: Arguments) -> int:
    """Show every file; the status is that of the first that cannot be shown."""
    paths = [_path(text) for text in args.tag]
    shown: list[dict[str, Any]] = []
    status, anything = 0, False
    for name in args.files:
        try:
            found, damage = _json(name, args, paths) if args.json else _text(name, args, paths)
        except AgentError as error:
            failed = report(named(error, name))
            status = status or failed
            continue
        anything = anything or bool(found)
        shown.append(found)
        if damage is not None:
            sys.stdout.flush()  # what was read comes first where both go to one place
            failed = report(named(damage, name))
            found["error"] = _facts(damage)
            status = status or failed
    if args.json:
        print_json(shown)
    if paths and not anything and not status:
        raise NotFound(f"{' and '.join(args.tag)}: not in {count_text(len(shown), 'file')}",
                       hint="'modality-agent dump' without --tag shows what there is.")  # fmt: skip
    return status


def _path(text: str) -> tuple[Step, ...]:
    from agent.media.select import parse_path

    try:
        return parse_path(text)
    except ValueError as error:
        raise UsageError(f"--tag: {error}") from None


def _opened(name: str, args: Arguments, paths: Sequence[tuple[Step, ...]]) -> AbstractContextManager[DicomFile]:
    """The file, read no further than what was asked for may stand."""
    header_only = bool(paths) and all(path[0].tag < PIXEL_TAGS[0] for path in paths)
    return opened(name, lenient=args.lenient, refer_above=REFER_BYTES, header_only=header_only, partial=True)


def _facts(damage: DecodeError) -> dict[str, Any]:
    tag = None if damage.tag is None else f"{damage.tag:08X}"
    return {"code": damage.code, "message": damage.message, "tag": tag, "offset": damage.offset}


# --- JSON ---------------------------------------------------------------------------------------


def _json(name: str, args: Arguments, paths: Sequence[tuple[Step, ...]]) -> tuple[dict[str, Any], DecodeError | None]:
    from urllib.parse import quote

    from agent.media.json_model import to_json

    def uri(element: Element) -> str | None:
        value = element.value
        if not isinstance(value, Reference):
            return None
        return f"file://{quote(os.fsencode(os.path.abspath(name)))}?offset={value.offset}&length={value.length}"

    with _opened(name, args, paths) as file:
        for note in file.notes:
            sys.stderr.write(f"modality-agent: {escaped(name)}: {note}\n")
        return to_json(_chosen(_whole(file), paths), bulk_uri=uri), file.damage


# --- text ---------------------------------------------------------------------------------------


def _text(name: str, args: Arguments, paths: Sequence[tuple[Step, ...]]) -> tuple[dict[str, Any], DecodeError | None]:
    with _opened(name, args, paths) as file:
        parts = [_chosen(_meta(file), paths), _chosen(_whole(file), paths)]
        behind = {}
        if file.pixel_value is not None:
            behind[file.pixel_value.tag] = _pixel_lines(file, file.pixel_value, full=args.full)
        if not paths or len(args.files) > 1:
            syntax = uid_name(file.meta.transfer_syntax_uid)
            print(paint(f"# {escaped(name)}: {size_text(os.stat(name).st_size)}, {syntax}", "bold"))
        for note in file.notes:
            print(paint(f"# {note}", "yellow"))
        for part in parts:
            for line in data_set_lines(part, full=args.full, behind=behind):
                print(line)
        if file.damage is not None:
            print(paint(f"# damaged: {escaped(file.damage.message)}", "red"))
        return dict.fromkeys(map(str, [*parts[0].tags(), *parts[1].tags()])), file.damage


def _pixel_lines(file: DicomFile, value: PixelValue, *, full: bool) -> Iterator[str]:
    """How encapsulated Pixel Data are cut up; how native ones begin."""
    show = None if full else _ROWS
    if value.fragments is None:
        yield f"begins {hex_text(file.pread(_FIRST_BYTES + 1, value.offset)[:_FIRST_BYTES], full=True)}"
        return
    table = value.fragments.table
    yield f"Basic Offset Table at byte {table.offset}: {_entries(file, table.offset, table.length // 4, show)}"
    total = sum(1 for _ in value.fragments.fragments())
    for number, (offset, length) in enumerate(islice(value.fragments.fragments(), show)):
        begin = hex_text(file.pread(min(length, _FIRST_BYTES), offset), full=True)
        yield f"fragment {number}: {length} bytes at byte {offset}, begins {begin}"
    if show is not None and total > show:
        yield f"... {count_text(total, 'fragment')} in all"


def _entries(file: DicomFile, offset: int, count: int, show: int | None) -> str:
    if not count:
        return "empty"
    data = file.pread(4 * (count if show is None else min(count, show)), offset)
    numbers = [str(int.from_bytes(data[at : at + 4], "little")) for at in range(0, len(data), 4)]
    return f"{' '.join(numbers)}{' ...' if len(numbers) < count else ''} ({count_text(count, 'entry', 'entries')})"


# --- Data Sets ----------------------------------------------------------------------------------


def _whole(file: DicomFile) -> DataSet:
    """The Data Set with a reference for its pixels; those of a Deflated file are in memory anyway, and nowhere else."""
    value = file.pixel_value
    if value is not None:
        length = value.end - value.offset
        in_file = file.pread is file.file_pread
        place = Reference(value.offset, length, encapsulated=value.fragments is not None)
        found = place if in_file else file.pread(length, value.offset)
        file.dataset.stored[value.tag] = Element(value.tag, value.vr, found)
    return file.dataset


def _meta(file: DicomFile) -> DataSet:
    """Group 0002 as a Data Set; empty where it is not even one."""
    from agent.dataset.dataset import DataSet
    from agent.dataset.decode import decode
    from agent.dataset.uid import EXPLICIT_VR_LE
    from agent.media.part10 import MAX_META_BYTES

    length = file.data_set_offset - file.meta_offset
    if not 0 < length <= MAX_META_BYTES:
        return DataSet()
    try:
        return decode(file.file_pread(length, file.meta_offset), EXPLICIT_VR_LE)
    except DecodeError:
        return DataSet()


def _chosen(dataset: DataSet, paths: Sequence[tuple[Step, ...]]) -> DataSet:
    if not paths:
        return dataset
    from agent.media.select import selected

    return selected(dataset, paths)
