"""``display calibrate FILE``: the table that makes a display follow the GSDF, from its measured luminances (PS3.14).

FILE is what a photometer gives: one line per driving level, level and cd/m2, parted by a comma, semicolon or white
space; lines that do not start with a digit are headings. The table goes to stdout as CSV, or with ``-o`` to a file, so
that it can be loaded into the display or its graphics card; what it achieves is said on stderr or with ``--json``.

``display verify FILE`` judges a display after calibration: FILE then holds luminances of P-values.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from agent.app.cli import print_json
from agent.display.calibration import (
    DEFAULT_ENTRIES,
    MAX_MEASUREMENTS,
    Calibration,
    Conformance,
    Measurement,
    calibrate,
    conformance,
)
from agent.errors import DisplayError, FileError, UsageError

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

# A line for each of 65 536 levels of twenty characters.
MAX_FILE_BYTES: Final = MAX_MEASUREMENTS * 32


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("calibrate", "verify"), help="make the table, or judge a display that has it")
    parser.add("file", help="measurements: LEVEL,LUMINANCE per line; verify: P-VALUE,LUMINANCE")
    parser.add("--ambient", read=float, default=0.0, metavar="CD_M2", help="light of the room off the screen (0)")
    parser.add(
        "--entries", read=int, default=DEFAULT_ENTRIES, metavar="N", help=f"P-values of the table ({DEFAULT_ENTRIES})"
    )
    parser.add("-o", "--output", metavar="FILE", help="write the table there; never replaced")
    parser.add("--json", switch=True, help="print table and conformance as JSON")


def run(args: Arguments) -> int:
    """Calibrate or verify."""
    measured = _read(args.file)
    if args.action == "verify":
        levels = [row.ddl for row in sorted(measured)]
        if levels != list(range(len(levels))):
            raise DisplayError(f"{args.file}: needs the luminance of every P-value from 0 on, each once")
        judged = conformance([row.luminance for row in sorted(measured)], ambient=args.ambient)
        _report(args, judged, None)
        return 0
    made = calibrate(measured, ambient=args.ambient, entries=args.entries)
    if args.output:
        _write(args.output, made)
    _report(args, made.conformance, made)
    return 0


def _report(args: Arguments, judged: Conformance, made: Calibration | None) -> None:
    facts: dict[str, Any] = {key: round(value, 4) for key, value in judged._asdict().items()}
    if args.json:
        if made is not None:
            facts |= {"ambient": made.ambient, "ddl": list(made.ddl)}
            facts["luminance"] = [round(value, 4) for value in made.luminance]
        print_json(facts)
        return
    if made is not None and not args.output:
        sys.stdout.writelines(_lines(made))
    out = sys.stdout if made is None or args.output else sys.stderr
    out.write(
        f"{judged.jnd_per_step:.3f} JND per step, largest deviation {judged.max_step_deviation:.3f} JND from"
        f" {judged.worst_step} to {judged.worst_step + 1}, spread {judged.rms_step_deviation:.3f} JND\n"
        f"no P-value is further than {judged.max_index_deviation:.3f} JND from the function\n"
    )


def _lines(made: Calibration) -> list[str]:
    rows = zip(made.ddl, made.luminance, made.target, strict=True)
    body = [f"{p},{ddl},{reached:.4f},{target:.4f}\n" for p, (ddl, reached, target) in enumerate(rows)]
    return ["p_value,ddl,luminance,target\n", *body]


def _write(path: str, made: Calibration) -> None:
    try:
        with open(path, "x", encoding="ascii") as file:
            file.writelines(_lines(made))
    except FileExistsError:
        raise FileError(f"{path}: exists already", hint="Name another file; nothing is replaced.") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None


def _read(path: str) -> list[Measurement]:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: is larger than {MAX_FILE_BYTES} bytes; measurements are not")
    lines = data.decode("utf-8", "replace").splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip()[:1].isdigit():
            continue
        words = line.replace(",", " ").replace(";", " ").split()
        try:
            found.append(Measurement(int(words[0]), float(words[1])))
        except (ValueError, IndexError):
            raise DisplayError(f"{path}, line {number}: {line.strip()[:40]!r} is not LEVEL,LUMINANCE") from None
    return found
