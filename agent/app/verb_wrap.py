"""``wrap``: pictures, documents or exposure events into one DICOM instance.

What the files are is told by their content, what the instance shall be by ``--sop-class`` or, without it, by what they
are. JPEG and JPEG-LS pictures are carried as they are and never compressed again; the others go in as native samples or
in the transfer syntax asked for. What had to be assumed is printed, so that a person can say better with ``--set``.
The file appears complete or not at all, and never in the place of another.
"""

from __future__ import annotations

import os
from itertools import pairwise

from agent.app import wrap_documents, wrap_facts, wrap_inputs, wrap_raw
from agent.app.cli import print_json
from agent.app.term import count_text, printable, size_text
from agent.config.words import LOSSLESS, transfer_syntax_uid, transfer_syntax_word
from agent.dataset import dictionary, uid
from agent.dataset.pixels import PixelDescription
from agent.errors import EncodeError, IodError, UsageError
from agent.iod.acquisition import LossyStep
from agent.iod.build import KINDS
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.acquire.filesink import FileSink
    from agent.app.options import Arguments, Parser
    from agent.app.wrap_facts import Facts
    from agent.app.wrap_inputs import Picture
    from agent.app.wrap_raw import Raw
    from agent.dataset.dataset import DataSet

DOCUMENTS: Final = ("pdf", "cda", "dose")
CHOICES: Final = ("auto", *KINDS, *DOCUMENTS)
MIN_FRAME_TIME_MS: Final = 0.001  # no camera takes a million frames a second
MAX_FRAME_TIME_MS: Final = 86_400_000  # a day: slower frames are pages
_MUST_SAY_BURNED_IN: Final = ("sc-mf", "dx")  # type 1 there (PS3.3 C.8.6.3, C.8.11.3)
_VALUE_HINT: Final = "Correct the value in --set KEYWORD=VALUE or in the file of --attributes."
_TRANSFER_SYNTAX: Final = 0x00020010
_OF_PICTURES: Final = ("anatomy", "laterality", "frame_time_ms")
_SPARE_BYTES: Final = 64  # Number of Frames, which the writer adds where it is missing
_HINT: Final = (
    "Say or correct it with --set KEYWORD=VALUE or --attributes FILE, or choose another --sop-class;"
    " 'modality-agent wrap --help' shows how."
)


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("files", metavar="FILE", amount="+", help="PNG, JPEG, JPEG-LS, PGM, PPM or raw pictures (several: the "
               "frames of one instance), or one PDF, CDA or JSON of exposure events")  # fmt: skip
    parser.add("-o", "--output", required=True, metavar="FILE", help="the file to make; never replaced")
    parser.add("--sop-class", choices=CHOICES, default="auto", help="kind of instance (auto: by content)")
    parser.add("--transfer-syntax", metavar="WORD|UID", help=f"{'|'.join(LOSSLESS)} (explicit); JPEG stays as it is")
    parser.add("--patient-id", metavar="ID", help="Patient ID")
    parser.add("--patient-name", metavar="NAME", help="Patient's Name, FAMILY^GIVEN")
    parser.add("--set", metavar="KEYWORD=VALUE", repeated=True, help="an Attribute; several values with backslashes")
    parser.add("--attributes", metavar="FILE", help="Attributes as JSON: keyword to value, or the DICOM JSON Model")
    parser.add("--title", metavar="TEXT", help="Document Title of a PDF or CDA")
    parser.add("--anatomy", metavar="WORD", help="region looked at, for example CHEST")
    parser.add("--laterality", choices=("R", "L", "U", "B"), help="side of a paired region")
    parser.add("--frame-time-ms", read=float, metavar="MS", help="time between frames (without it: pages)")
    parser.add("--insist", switch=True, help="what is given counts, whatever the file says: another patient in a CDA, "
               "raw samples that begin like another format, a PDF with a password, this order of frames")  # fmt: skip
    parser.add("--ignore-orientation", switch=True, help="carry a JPEG as it lies, whatever its Exif says")
    wrap_raw.arguments(parser)
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Make one instance."""
    if args.frame_time_ms is not None and not MIN_FRAME_TIME_MS <= args.frame_time_ms <= MAX_FRAME_TIME_MS:
        raise UsageError(f"--frame-time-ms is {MIN_FRAME_TIME_MS} to {MAX_FRAME_TIME_MS}, not {args.frame_time_ms:g}")
    raw = wrap_raw.asked_for(args)
    content = wrap_inputs.content_of(args.files[0], raw=raw is not None)
    _require(args, content)
    try:
        facts = _document(args, content) if content != "picture" else _pictures(args, args.sop_class, raw)
    except IodError as error:
        if error.tag == _TRANSFER_SYNTAX:
            error.hint = f"Words for --transfer-syntax are {', '.join(LOSSLESS)}."
        elif error.hint == IodError.hint:
            error.hint = _HINT
        raise
    except EncodeError as error:
        keyword = dictionary.keyword_of(error.tag) if error.tag is not None else ""
        raise EncodeError(f"{keyword}: {error.message}" if keyword else error.message, hint=_VALUE_HINT) from None
    if args.json:
        print_json(facts)
    else:
        _print(facts)
    return 0


def _require(args: Arguments, content: str) -> None:
    """Refuse options that do not fit what the files are."""
    first, kind = args.files[0], args.sop_class
    if content == "picture":
        if kind in DOCUMENTS:
            raise UsageError(f"{first} is a picture and makes no instance of {kind}")
        _require_order(args)
        return
    if kind not in ("auto", content):
        raise UsageError(f"{first} is {content} and makes no instance of {kind}")
    if len(args.files) > 1:
        several = f"one {content} makes one instance; {len(args.files)} files are given"
        raise UsageError(several, hint="Wrap each on its own.")
    for name in _OF_PICTURES:
        if getattr(args, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} says something of pictures, and {first} is {content}", hint="Leave it out.")


def _require_order(args: Arguments) -> None:
    """Refuse numbers that fall, as in the order of a shell, and a file given twice: no instance would show either."""
    if args.insist:
        return
    names = args.files
    seen: set[str] = set()
    for name in names:
        if os.path.realpath(name) in seen:
            raise UsageError(f"{name} is given twice and would be two frames", hint="--insist takes it twice.")
        seen.add(os.path.realpath(name))
    for name, following in pairwise(names):
        if _numbers_fall(name, following):
            raise UsageError(
                f"frames are taken in the order given, and {name} is given before {following}",
                hint="Number them with leading zeros, or give $(ls -v NAMES); --insist keeps this order.",
            )


def _numbers_fall(name: str, following: str) -> bool:
    """Whether two names differ first in a number, and that of the second is the lower one."""
    import re

    pairs = zip(re.split(r"([0-9]+)", name), re.split(r"([0-9]+)", following), strict=False)  # text, digits, text ...
    one, other = next(((a, b) for a, b in pairs if a != b), ("", ""))
    return one.isdigit() and other.isdigit() and int(one) > int(other)


def _print(facts: dict[str, Any]) -> None:
    frames = f", {count_text(facts['frames'], 'frame')}" if facts["frames"] else ""
    syntax = facts["transfer_syntax"]
    syntax = uid.uid_name(syntax) if syntax[:1].isdigit() else syntax
    print(f"{facts['file']}: {facts['sop_class']}, {size_text(facts['size'])}{frames}, {syntax}")
    if facts["document_version"]:
        print(f"version {printable(facts['document_version'])}")
    for key, title in (("taken", "from the document"), ("overruled", "overruled by what is given"), ("assumed",) * 2):
        if facts[key]:
            print(f"{title}: {printable(', '.join(facts[key]), 2000)}")
    if facts["empty"]:
        side = ", Laterality with --anatomy or --laterality" if "Laterality" in facts["empty"] else ""
        print(f"empty: {', '.join(facts['empty'])}\nfill them with --set KEYWORD=VALUE{side}")
    print(f"SOP Instance UID {facts['sop_instance_uid']}")


# --- documents -------------------------------------------------------------------------------


def _document(args: Arguments, content: str) -> dict[str, Any]:
    from agent.media.instance import encode_instance
    from agent.media.part10 import FileMeta

    syntax = transfer_syntax_uid(args.transfer_syntax or "explicit")
    if syntax not in (uid.EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE):
        raise UsageError(f"a document has no pixels to be coded in {transfer_syntax_word(syntax)}")
    row, facts, ds = wrap_documents.build(args, content)
    meta = FileMeta(row.sop_class_uid, facts.acquisition.sop_instance_uid, syntax)
    parts = encode_instance(meta, ds)

    def write(sink: FileSink) -> None:
        for part in parts:
            sink.write(part)

    return _made(args, content, ds, syntax, facts, 0, write)


# --- pictures --------------------------------------------------------------------------------


def _pictures(args: Arguments, kind: str, raw: Raw | None) -> dict[str, Any]:
    from agent.acquire.writers import make_writer
    from agent.dataset.encode import encode
    from agent.iod.build import build
    from agent.media.part10 import FileMeta
    from agent.media.stream import HEADER_BYTES

    found = [wrap_inputs.look(path, raw, ignore_orientation=args.ignore_orientation) for path in args.files]
    wrap_inputs.same_kind(found)
    frames = sum(picture.frames for picture in found)
    kind = _auto(found[0].description, frames) if kind == "auto" else kind
    row = KINDS[kind]
    if frames > 1 and not row.multi_frame:
        clips = ", ".join(word for word, known in KINDS.items() if known.multi_frame)
        raise UsageError(f"{kind} holds one frame, and there are {frames}", hint=f"Use one of {clips}.")
    if args.frame_time_ms is not None and not row.multi_frame:
        raise UsageError(f"--frame-time-ms is for clips, and {kind} holds one frame", hint="Leave it out.")
    facts = wrap_facts.sort(row, wrap_facts.given(args), args)
    if not kind.startswith("sc"):
        facts.assumed[:] = [text for text in facts.assumed if not text.startswith("ConversionType")]
    syntax = _syntax(args, found[0])
    _require_colour(kind, found[0])
    burned_in = facts.acquisition.burned_in_annotation
    if burned_in is None and kind.startswith(_MUST_SAY_BURNED_IN):
        burned_in = True  # nobody looked at the pixels: the cautious answer
        facts.assumed.append("BurnedInAnnotation YES")
    acquisition = facts.acquisition._replace(
        transfer_syntax_uid=syntax,
        number_of_frames=frames,
        frame_time_ms=args.frame_time_ms,
        lossy_steps=_lossy(found),
        burned_in_annotation=burned_in,
        capture=facts.acquisition.capture._replace(pages=args.frame_time_ms is None),
    )
    ds = build(kind, description=found[0].description, context=facts.context, acquisition=acquisition)
    meta = FileMeta(row.sop_class_uid, acquisition.sop_instance_uid, syntax)
    more = len(encode(ds, uid.EXPLICIT_VR_LE)) + _SPARE_BYTES - HEADER_BYTES  # all is known: no room for a guess

    def write(sink: FileSink) -> None:
        if found[0].stream is not None:
            _as_is(sink, found, meta, ds, more)
            return
        writer = make_writer(sink, syntax, found[0].description, frames, more)
        for picture in found:
            for frame in wrap_inputs.frames_of(picture, raw):
                writer.frame(memoryview(frame))
        writer.finish(meta, ds)

    return _made(args, kind, ds, syntax, facts, frames, write)


def _as_is(sink: FileSink, found: list[Picture], meta: Any, ds: DataSet, more: int) -> None:
    """Write compressed pictures as they are, one fragment each."""
    from agent.media.stream import InstanceLayout

    layout = InstanceLayout(
        meta.transfer_syntax_uid, found[0].description, max_frames=len(found), more_header_bytes=more
    )
    sink.seek(layout.pixel_offset)
    for picture in found:
        for stream in wrap_inputs.frames_of(picture, None):
            sink.write(layout.before(len(stream)))
            sink.write(stream)
            sink.write(layout.after(len(stream)))
    head, tail = layout.finish(meta, ds)
    sink.write(tail)
    sink.write_at(0, head)


def _auto(description: PixelDescription, frames: int) -> str:
    """A secondary capture that holds these pictures."""
    if frames == 1:
        return "sc"
    if description.samples_per_pixel == 3:
        return "sc-mf-color"
    return "sc-mf-byte" if description.bits_allocated == 8 else "sc-mf-word"


def _require_colour(kind: str, first: Picture) -> None:
    """Lossy JPEG of RGB is for plain secondary captures only (PS3.3 C.8.5.6.1.2, C.8.6.4, C.8.12.1)."""
    rgb = first.description.photometric_interpretation == "RGB"
    if first.stream is not None and first.stream.lossy and rgb and kind != "sc":
        from agent.errors import InputError

        raise InputError(
            f"{first.path} is lossy JPEG of RGB, and {kind} takes only that of YCbCr",
            hint="Use --sop-class sc, or save the picture as PNG or as JPEG in the usual way.",
        )


def _syntax(args: Arguments, first: Picture) -> str:
    wanted = transfer_syntax_uid(args.transfer_syntax) if args.transfer_syntax else ""
    if first.stream is None:
        if uid.is_lossy(wanted):
            raise UsageError(f"nothing is wrapped with loss: {uid.uid_name(wanted)}", hint="jpeg-ls loses nothing.")
        return wanted or uid.EXPLICIT_VR_LE
    own = first.stream.transfer_syntax_uid
    if wanted not in ("", own):
        raise UsageError(
            f"{first.path} is {uid.uid_name(own)} and is carried as it is",
            hint="Leave --transfer-syntax out; 'modality-agent transcode' changes what it can without loss.",
        )
    return own


def _lossy(found: list[Picture]) -> tuple[LossyStep, ...]:
    """The step that compressed pictures bring with them: native bytes to one compressed byte."""
    from agent.iod.syntaxes import LOSSY_METHOD

    stream = found[0].stream
    if stream is None or not any(picture.stream is not None and picture.stream.lossy for picture in found):
        return ()
    d = found[0].description
    native = d.rows * d.columns * d.samples_per_pixel * (d.bits_allocated // 8) * len(found)
    return (LossyStep(native / sum(picture.size for picture in found), LOSSY_METHOD[stream.transfer_syntax_uid]),)


# --- the file --------------------------------------------------------------------------------


def _made(
    args: Arguments, kind: str, ds: DataSet, syntax: str, facts: Facts, frames: int, write: Any
) -> dict[str, Any]:
    """Write the file and say what it is."""
    from agent.acquire.filesink import FileSink
    from agent.app.verb_capture import tidy_end

    with tidy_end():
        sink = FileSink(args.output)
        try:
            write(sink)
            size = sink.publish()
        finally:
            sink.abandon()
    return {
        "file": args.output,
        "size": size,
        "sop_class": kind,
        "sop_class_uid": ds.text("SOPClassUID"),
        "sop_instance_uid": ds.text("SOPInstanceUID"),
        "study_instance_uid": ds.text("StudyInstanceUID"),
        "transfer_syntax": transfer_syntax_word(syntax),
        "frames": frames,
        "taken": facts.taken,
        "overruled": facts.overruled,
        "document_version": facts.version,
        "assumed": facts.assumed,
        "empty": _empty(ds),
    }


def _empty(ds: DataSet) -> list[str]:
    """Keywords of what the Standard wants present and nobody filled in."""
    from agent.dataset import dictionary

    return [dictionary.keyword_of(tag) or f"{tag:08X}" for tag in ds.tags() if ds.get(tag) in (None, [], "")]
