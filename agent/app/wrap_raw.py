"""Raw samples that ``wrap`` is given: what the command line says of them, and whether a file can be that.

They have no mark of their own, so that they must be asked for (``--rows``, ``--columns``), fill their file to the byte,
and not begin like something else; of a program or a clip that is cut short no image is made.
"""

from __future__ import annotations

from agent.acquire.lookalike import recognised
from agent.acquire.pictures import check_geometry
from agent.app.term import count_text
from agent.dataset.pixels import PixelDescription
from agent.errors import DeviceError, InputError, UsageError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

PHOTOMETRIC: Final = ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL")
BITS_HINT: Final = "Check --bits-stored and --signed, and whether the low byte of a sample comes first."
_GEOMETRY: Final = "Check --rows, --columns, --samples, --bits-stored, --bits-allocated, --offset-bytes and --frames."
_OPTIONS: Final = (
    "rows", "columns", "frames", "samples", "bits_allocated", "bits_stored", "photometric", "signed", "offset_bytes",
)  # fmt: skip


class Raw(NamedTuple):
    """How the samples of raw files lie."""

    description: PixelDescription
    offset: int = 0
    frames: int = 1  # in each file
    believed: bool = False  # whatever the first bytes look like


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--rows", read=int, metavar="N", help="raw samples: rows")
    parser.add("--columns", read=int, metavar="N", help="raw samples: columns")
    parser.add("--frames", read=int, metavar="N", help="raw samples: frames in each file, which they fill (1)")
    parser.add("--samples", read=int, metavar="N", help="raw samples: 1 or 3 per pixel (1)")
    parser.add("--bits-allocated", read=int, metavar="N", help="raw samples: 8 or 16 (as bits stored need)")
    parser.add("--bits-stored", read=int, metavar="N", help="raw samples: bits that mean something (8)")
    parser.add("--photometric", metavar="WORD", choices=PHOTOMETRIC, help=f"raw samples: {', '.join(PHOTOMETRIC)}")
    parser.add("--signed", switch=True, help="raw samples: two's complement")
    parser.add("--offset-bytes", read=int, metavar="N", help="raw samples: bytes before the first frame (0)")


def asked_for(args: Arguments) -> Raw | None:
    """The raw samples of a command line; None where it says nothing of any."""
    given = {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None and value is not False}
    if not given:
        return None
    if "rows" not in given or "columns" not in given:
        name = next(iter(given)).replace("_", "-")
        raise UsageError(f"--{name} is for raw samples, and these need both --rows and --columns")
    values = {"samples": 1, "bits_stored": 8, "frames": 1, "offset_bytes": 0, **given}
    for name, low in (("frames", 1), ("offset_bytes", 0)):
        if values[name] < low:
            raise UsageError(f"--{name.replace('_', '-')} is {low} or more, not {values[name]}")
    stored, samples = values["bits_stored"], values["samples"]
    photometric = args.photometric or ("RGB" if samples == 3 else "MONOCHROME2")
    if samples in (1, 3) and (samples == 1) != photometric.startswith("MONOCHROME"):
        raise UsageError(f"--photometric {photometric} is not of {count_text(samples, 'sample')} per pixel (--samples)")
    description = PixelDescription(
        args.rows,
        args.columns,
        samples,
        values.get("bits_allocated", 8 if stored <= 8 else 16),
        stored,
        stored - 1,
        int(args.signed),
        photometric,
        0,
    )
    try:
        check_geometry(description, "raw samples")
    except DeviceError as error:
        raise UsageError(error.message) from None
    return Raw(description, values["offset_bytes"], values["frames"], believed=args.insist)


def require(path: str, head: bytes, size: int, raw: Raw) -> None:
    """Refuse a file of ``size`` bytes that begins with ``head`` and cannot be these samples."""
    name = None if raw.believed else recognised(head, size)
    if name is not None:
        raise InputError(
            f"{path} is {name}, and --rows and --columns are for raw samples",
            hint="Leave them out; or, if these are samples that only look like it, give --insist.",
        )
    frame = raw.description.frame_bytes
    wanted = raw.offset + raw.frames * frame
    if size != wanted:
        more, rest = divmod(size - raw.offset, frame)
        fits = more > 0 and not rest
        raise InputError(
            f"{path} has {size} bytes, and {count_text(raw.frames, 'frame')} of {frame} from byte {raw.offset} on"
            f" need {wanted}",
            hint=f"Are there {count_text(more, 'frame')} in it? Say --frames {more}." if fits else _GEOMETRY,
        )
