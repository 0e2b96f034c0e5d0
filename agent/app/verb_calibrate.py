"""``calibrate FRAME``: a template of calibrated regions from a frame in which distances are known.

Everything is typed, for the box has a serial line and no display: rectangles of regions and marks, places whose
distance is known, ticks of the scanner's own scale. What a pixel is worth is printed with its bound
(``calibrate_measure``), and what the regions then measure, so that it can be compared with the screen of the scanner.
``--preview`` draws it.

Ticks are only ever suggested (``--find-ticks``): nothing is written until a person has given them back as an option.
``--against`` shows whether a frame has the marks of templates, and how far off it is: what tolerance a grabber needs.
"""

from __future__ import annotations

import sys

from agent.acquire.region_template import (
    MAX_MARK_BYTES,
    MAX_MARKS,
    MAX_TOLERANCE,
    Mark,
    Rectangle,
    Template,
    contrast_of,
    load,
    parse,
    samples_of,
    text_of,
    unfit,
)
from agent.app import calibrate_measure as measured
from agent.app.calibrate_frame import Shown, take
from agent.app.calibrate_measure import ACROSS, DOWN, Measure, worth
from agent.app.calibrate_picture import Drawing, draw
from agent.app.cli import print_json
from agent.app.common import add_config
from agent.app.term import count_text, printable, size_text
from agent.config.regions import REGIONS_MAX, region
from agent.errors import ConfigError, NotFound, UsageError
from agent.iod.region_words import FLAGS, UNITS, contradictions, word_of
from agent.iod.regions import COLOUR_FLOW as FLOW
from agent.iod.regions import CW_DOPPLER, M_MODE, PW_DOPPLER, SPECTRAL, TISSUE, TWO_D, Region
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

DEFAULT_TIMEOUT_S: Final = 10.0
# What --kind says -> Region Spatial Format, Region Data Type.
KINDS: Final = {
    "tissue": (TWO_D, TISSUE), "colour-flow": (TWO_D, FLOW), "m-mode": (M_MODE, TISSUE),
    "pw-doppler": (SPECTRAL, PW_DOPPLER), "cw-doppler": (SPECTRAL, CW_DOPPLER),
}  # fmt: skip
_PLACES: Final = "ROW,COL-ROW,COL=LENGTH"
_TICKS: Final = "N,N,N,...=LENGTH"
_RECTANGLE: Final = "TOP,LEFT,ROWS,COLUMNS"


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("frame_of", metavar="FRAME", help="PNG, PGM, PPM, DICOM or raw file, a configured source, or a URI as "
               "'capture' takes it; places are counted in it from 0, before black-out and crop")  # fmt: skip
    parser.add("--frame", read=int, default=1, metavar="N", help="which frame of it (1)")
    parser.add("--region", repeated=True, metavar=_RECTANGLE, help="what may be measured in; several with one scale")
    parser.add("--kind", choices=tuple(KINDS), default="tissue", help="what the regions show (tissue)")
    parser.add("--across", repeated=True, metavar=_PLACES,
               help="two places in one row and how far apart they are: mm (without a unit), cm, s, ms")  # fmt: skip
    parser.add("--down", repeated=True, metavar=_PLACES, help="two places in one column: mm, cm, cm/s, m/s, Hz, kHz")
    parser.add("--ticks-across", repeated=True, metavar=_TICKS,
               help="columns of neighbouring ticks of a scale, and how far these are apart")  # fmt: skip
    parser.add("--ticks-down", repeated=True, metavar=_TICKS, help="rows of neighbouring ticks")
    parser.add("--square", switch=True, help="pixels are square: one direction is enough")
    parser.add("--baseline", read=int, metavar="ROW", help="row of a Doppler spectrum where the velocity is 0")
    parser.add("--mark", repeated=True, metavar=_RECTANGLE, help="what every frame must show: the depth, a logo; never "
               "the text of a patient")  # fmt: skip
    parser.add("--tolerance", read=int, default=0, metavar="N", help="most that a sample of the marks may differ (0)")
    parser.add("--model", default="", metavar="TEXT", help="scanner and setting, for people")
    parser.add("--add", metavar="FILE", help="begin with the regions and marks of this template")
    parser.add("-o", "--output", metavar="FILE", help="write the template there; never replaced (without it: stdout)")
    parser.add("--preview", metavar="FILE", help="draw regions, marks, places and scales into a PNG; never replaced")
    parser.add("--find-ticks", metavar=_RECTANGLE, help="look for ticks in this strip and suggest them; writes nothing")
    parser.add("--against", metavar="PATH", help="is the frame recognised by this template, or one of this folder")
    add_config(parser)
    parser.add("--timeout", read=float, default=DEFAULT_TIMEOUT_S, metavar="S",
               help=f"wait so long for the frame ({DEFAULT_TIMEOUT_S:g})")  # fmt: skip
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Make a template, suggest ticks, or compare."""
    shown = take(args)
    if args.find_ticks:
        return _suggest(args, shown)
    if args.against:
        return _compare(args, shown)
    across, down = _scales(args)
    begun = _begun(args, shown)
    regions = [_region(args, shown, text, across, down) for text in args.region]
    if not 1 <= len(regions) + len(begun.regions) <= REGIONS_MAX:
        raise UsageError(f"a template has 1 to {REGIONS_MAX} regions", hint=f"Give --region {_RECTANGLE}.")
    marks = (*begun.marks, *(_mark(args, shown, text) for text in args.mark))
    if len(marks) > MAX_MARKS:
        raise UsageError(f"a template has at most {MAX_MARKS} marks, not {len(marks)}")
    made = begun._replace(
        model=args.model or begun.model, samples=samples_of(shown.description), marks=marks,
        regions=(*begun.regions, *regions),
    )  # fmt: skip
    if not made.model.isprintable():
        raise UsageError("--model is no printable text")
    text = text_of(made)
    try:
        parse(text.encode(), "this template")
    except ConfigError as error:
        raise UsageError(str(error), hint="See 'modality-agent calibrate --help'.") from None
    facts = _facts(shown, made, across, down)
    if args.preview:
        places = [place for one in _measures(args) for place in one.places]
        facts["preview"] = _preview(args, shown, made, places)
    if args.output:
        _write(args.output, text.encode())
    _report(args, facts, text)
    return 0


# --- the pieces --------------------------------------------------------------------------------


def _measures(args: Arguments) -> list[Measure]:
    return [
        *(measured.distance(ACROSS, text) for text in args.across),
        *(measured.distance(DOWN, text) for text in args.down),
        *(measured.ticks(ACROSS, text) for text in args.ticks_across),
        *(measured.ticks(DOWN, text) for text in args.ticks_down),
    ]


def _scales(args: Arguments) -> tuple[Measure, Measure]:
    """What a pixel is worth to the right, and down."""
    found = _measures(args)
    by_axis = {axis: [one for one in found if one.axis == axis] for axis in (ACROSS, DOWN)}
    missing = next((axis for axis, those in by_axis.items() if not those), "")
    if not found or (missing and not args.square):
        hint = "Two places of a known distance, or ticks; --square if one direction is enough."
        raise UsageError(f"--{missing or DOWN} is missing: what a pixel is worth there is not known", hint=hint)
    across, down = (measured.chosen(those or found) for those in by_axis.values())
    if args.square:
        compared = measured.compared(across, down)
        if compared is None or not compared.agrees:
            raise UsageError(f"--square: a pixel is {worth(across)} wide and {worth(down)} high",
                             hint="Without --square each direction has its own scale.")  # fmt: skip
        across = down = min(across, down, key=lambda one: one.bound)
    return across, down


def _begun(args: Arguments, shown: Shown) -> Template:
    d = shown.description
    if not args.add:
        return Template("", "not named", d.rows, d.columns, "", (), (), "")
    found = load(args.add)
    reason = f"{args.add} holds {len(found)} templates" if len(found) != 1 else unfit(found[0], d)
    if reason:
        raise UsageError(f"--add: {reason}")
    return found[0]


def _inside(option: str, text: str, shown: Shown) -> Rectangle:
    try:
        found = region(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}") from None
    d = shown.description
    if found[0] + found[2] > d.rows or found[1] + found[3] > d.columns:
        raise UsageError(f"{option} {text}: leaves the frame of {d.rows} rows and {d.columns} columns")
    return found


def _region(args: Arguments, shown: Shown, text: str, across: Measure, down: Measure) -> Region:
    top, left, rows, columns = _inside("--region", text, shown)
    spatial, kind = KINDS[args.kind]
    one = Region(
        left, top, left + columns - 1, top + rows - 1, across.delta, down.delta, across.unit, down.unit, spatial, kind
    )
    if (spatial == SPECTRAL) is not (args.baseline is not None):
        raise UsageError(f"--baseline belongs to a spectrum, and to nothing else; --kind is {args.kind}")
    if spatial == SPECTRAL:  # towards the transducer is up, and rows count down
        flag = FLAGS["doppler-frequency"] if down.unit == UNITS["Hz"] else 0
        one = one._replace(delta_y=-down.delta, flags=flag, reference_y=args.baseline - top, reference_value_y=0.0)
    for reason in contradictions(one):
        raise UsageError(f"--kind {args.kind}: {reason}", hint="The unit behind a length says what an axis is.")
    return one


def _mark(args: Arguments, shown: Shown, text: str) -> Mark:
    where = _inside("--mark", text, shown)
    pixels = shown.part(where)
    if len(pixels) > MAX_MARK_BYTES:
        raise UsageError(
            f"--mark {text}: is {size_text(len(pixels))}, at most {size_text(MAX_MARK_BYTES)} are compared"
        )
    if not 0 <= args.tolerance <= MAX_TOLERANCE:
        raise UsageError(f"--tolerance is 0 to {MAX_TOLERANCE}, not {args.tolerance}")
    contrast = contrast_of(pixels, where[2] * where[3], planar=shown.description.planar_configuration == 1)
    if 2 * args.tolerance >= contrast:
        raise UsageError(
            f"--mark {text}: its samples differ by {contrast}"
            + (f", which --tolerance {args.tolerance} would take for an empty place" if contrast else ""),
            hint="Choose a place with text or a logo on it.",
        )
    return Mark(where, args.tolerance, pixels)


# --- what is said ------------------------------------------------------------------------------


def _facts(shown: Shown, made: Template, across: Measure, down: Measure) -> dict[str, Any]:
    d = shown.description
    square = measured.compared(across, down)
    notes = []
    if square is not None and not square.agrees:
        notes.append(f"X and Y differ by {abs(square.ratio - 1):.1%}, and the places explain {square.bound:.1%}: the "
                     "picture is stretched, or a distance is wrong")  # fmt: skip
    if not made.marks:
        notes.append(
            "there is no mark, and nobody would notice when depth or zoom are others: give --mark, or the template is "
            "used only once 'fixed_depth = true' is set in it"
        )
    if made.model == "not named":
        notes.append("--model names scanner and setting, for people")
    return {
        "frame": shown.name, "rows": d.rows, "columns": d.columns, "samples": samples_of(d),
        "delta_x": _delta(across), "delta_y": _delta(down),
        "square": None if square is None else {"ratio": round(square.ratio, 6), "bound": round(square.bound, 6),
                                               "agrees": square.agrees},
        "regions": [_extent(one) for one in made.regions],
        "marks": [{"rectangle": ",".join(map(str, one.rectangle)), "tolerance": one.tolerance} for one in made.marks],
        "notes": notes,
    }  # fmt: skip


def _delta(one: Measure) -> dict[str, Any]:
    return {"value": one.delta, "bound": one.bound, "unit": word_of(UNITS, one.unit), "by": one.option,
            "text": worth(one)}  # fmt: skip


def _extent(one: Region) -> dict[str, Any]:
    """How large a region is by its own scale: what a person compares with the scanner's screen."""
    rows, columns = one.max_y - one.min_y + 1, one.max_x - one.min_x + 1
    return {
        "rectangle": f"{one.min_y},{one.min_x},{rows},{columns}",
        "kind": next(word for word, codes in KINDS.items() if codes == (one.spatial_format, one.data_type))
        if (one.spatial_format, one.data_type) in KINDS.values() else "other",
        "width": abs(columns * one.delta_x), "width_unit": word_of(UNITS, one.units_x),
        "height": abs(rows * one.delta_y), "height_unit": word_of(UNITS, one.units_y),
    }  # fmt: skip


def _report(args: Arguments, facts: dict[str, Any], text: str) -> None:
    if args.json:
        print_json({**facts, "output": args.output, "template": text})
        return
    out = sys.stdout if args.output else sys.stderr

    def say(line: str) -> None:
        print(line, file=out)

    say(f"a pixel is {facts['delta_x']['text']} wide, {facts['delta_y']['text']} high")
    square = facts["square"]
    if square is not None and square["agrees"]:
        say(f"X and Y agree within {square['bound']:.1%}: pixels may be square")
    for one in facts["regions"]:
        say(f"region {one['rectangle']} ({one['kind']}): {one['width']:.4g} {one['width_unit']} wide, "
            f"{one['height']:.4g} {one['height_unit']} high")  # fmt: skip
    for note in facts["notes"]:
        say(f"note: {note}")
    if args.output:
        say(f"{printable(args.output)}: {count_text(len(facts['regions']), 'region')}, "
            f"{count_text(len(facts['marks']), 'mark')}")  # fmt: skip
    else:
        print(text, end="")


def _preview(
    args: Arguments, shown: Shown, made: Template | None, places: list[tuple[float, float]],
    within: Rectangle | None = None,
) -> str:  # fmt: skip
    d = shown.description
    drawing = Drawing(shown.bytes8(), d.rows, d.columns)
    regions = () if made is None else made.regions
    marks = [] if made is None else [one.rectangle for one in made.marks]
    draw(drawing, regions, marks, places, within or (0, 0, d.rows, d.columns))
    _write(args.preview, drawing.png())
    return str(args.preview)


def _write(path: str, data: bytes) -> None:
    from agent.acquire.filesink import FileSink

    sink = FileSink(path)
    try:
        sink.write(data)
        sink.publish()
    finally:
        sink.abandon()


# --- the other two -----------------------------------------------------------------------------


def _suggest(args: Arguments, shown: Shown) -> int:
    """Print ticks as the option that takes them; a person compares them with the picture."""
    from agent.app.calibrate_ticks import found

    if args.output or args.region:
        raise UsageError("--find-ticks suggests and writes no template", hint="Give its ticks back with --ticks-down.")
    strip = _inside("--find-ticks", args.find_ticks, shown)
    axis = DOWN if strip[2] >= strip[3] else ACROSS
    pixels = shown.bytes8()
    places = found(pixels, shown.description.columns, strip, 3 if shown.description.samples_per_pixel == 3 else 1)
    if places is None:
        raise NotFound(f"no ticks that lie evenly in {args.find_ticks}",
                       hint="Take a narrow strip with the ticks of the scale alone, or type their places.")  # fmt: skip
    words = ",".join(f"{place:.4g}" if place < 1000 else f"{place:.5g}" for place in places)
    facts: dict[str, Any] = {"ticks": [round(place, 2) for place in places], "option": f"--ticks-{axis} {words}=LENGTH"}
    if args.preview:
        unknown = float("nan")
        lines = [(one, unknown) if axis == DOWN else (unknown, one) for one in places]
        facts["preview"] = _preview(args, shown, None, lines, strip)
    if args.json:
        print_json(facts)
    else:
        print(f"{len(places)} ticks, {abs(places[-1] - places[0]) / (len(places) - 1):.2f} pixels apart; compare them "
              "with the picture, and give them back with their distance:")  # fmt: skip
        print(facts["option"])
    return 0


def _compare(args: Arguments, shown: Shown) -> int:
    """Say of each template whether the frame has its marks, and how far off it is."""
    from agent.native.frame import frame_difference
    from agent.native.region import Region as Part
    from agent.native.region import cropped

    rows = []
    for one in load(args.against):
        reason = unfit(one, shown.description)
        off = [
            frame_difference(shown.part(mark.rectangle), mark.pixels, cropped(shown.description, Part(*mark.rectangle)))
            for mark in (() if reason else one.marks)
        ]
        seen = not reason and all(most <= mark.tolerance for most, mark in zip(off, one.marks, strict=True))
        rows.append({"template": one.name, "recognised": seen, "unfit": reason, "off": off,
                     "tolerance": [mark.tolerance for mark in one.marks]})  # fmt: skip
    recognised = [str(row["template"]) for row in rows if row["recognised"]]
    if args.json:
        print_json({"frame": shown.name, "templates": rows, "chosen": recognised[0] if len(recognised) == 1 else None})
    else:
        for row in rows:
            print(f"{row['template']}: {_verdict(row)}")
    if len(recognised) != 1:
        several = f"{len(recognised)} templates are recognised at once" if recognised else "no template is recognised"
        raise NotFound(f"{several}: an instance of this frame would have no regions",
                       hint="Make a template with a mark that only this setting shows.")  # fmt: skip
    return 0


def _verdict(row: dict[str, Any]) -> str:
    if row["unfit"]:
        return str(row["unfit"])
    pairs = enumerate(zip(row["off"], row["tolerance"], strict=True), 1)
    off = ", ".join(f"mark {number} is off by {most} (tolerance {allowed})" for number, (most, allowed) in pairs)
    return ("recognised" if row["recognised"] else "not recognised") + (f": {off}" if off else ": it has no mark")
