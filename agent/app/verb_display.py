"""``display calibrate FILE``: the table that makes a display follow the GSDF, from its measured luminances (PS3.14).

FILE is what a photometer gives (``agent.display.measured``): one line per driving level, level and cd/m2. The table
goes to stdout as CSV, or with ``-o`` to a file, so that it can be loaded into the display or its graphics card; what
it achieves is said on stderr or with ``--json``.

``display verify FILE`` judges a display that has its table: FILE then holds luminances of P-values. It ends with status
0 where the contrast response is within the tolerance, and with that of ``NotConformant`` where it is not.
"""

from __future__ import annotations

import sys

from agent.app.cli import print_json
from agent.display.calibration import (
    DEFAULT_ENTRIES,
    MAX_ENTRIES,
    MAX_MEASUREMENTS,
    MIN_ENTRIES,
    Calibration,
    Conformance,
    Measurement,
    calibrate,
    conformance,
)
from agent.display.measured import read
from agent.display.verification import DEFAULT_TOLERANCE_PERCENT, LEVELS, Interval, Verdict, verify
from agent.errors import DisplayError, FileError, NotConformant, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

# A line for each of 65 536 levels of twenty characters.
MAX_FILE_BYTES: Final = MAX_MEASUREMENTS * 32


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("calibrate", "verify"), help="make the table, or judge a display that has it")
    parser.add("file", help=f"measurements, at least {LEVELS}: LEVEL;LUMINANCE per line; verify: P-VALUE;LUMINANCE")
    parser.add("--ambient", read=float, default=0.0, metavar="CD_M2", help="light of the room off the screen (0)")
    parser.add("--entries", read=int, default=DEFAULT_ENTRIES, metavar="N", help=f"P-values ({DEFAULT_ENTRIES})")
    parser.add("--tolerance", read=float, metavar="PERCENT", help="verify: how far contrast may be off the function "
               f"({DEFAULT_TOLERANCE_PERCENT:g}, of AAPM TG 18 for diagnosis; 20 elsewhere)")  # fmt: skip
    parser.add("-o", "--output", metavar="FILE", help="calibrate: write the table there; never replaced")
    parser.add("--json", switch=True, help="print table or verdict as JSON")


def run(args: Arguments) -> int:
    """Calibrate or verify."""
    unused = ("output", "-o") if args.action == "verify" else ("tolerance", "--tolerance")
    if getattr(args, unused[0]) is not None:
        raise UsageError(f"display {args.action} has no use for {unused[1]}")
    if not args.ambient >= 0:  # not a number, too
        raise UsageError(f"--ambient is 0 or more, not {args.ambient:g}")
    if not MIN_ENTRIES <= args.entries <= MAX_ENTRIES:
        raise UsageError(f"--entries is {MIN_ENTRIES} to {MAX_ENTRIES}, not {args.entries}")
    if args.tolerance is not None and not 0 < args.tolerance <= 100:
        raise UsageError(f"--tolerance is above 0 and up to 100 percent, not {args.tolerance:g}")
    try:
        measured = _read(args.file)
        if args.action == "verify":
            return _verify(args, measured)
        made = calibrate(measured, ambient=args.ambient, entries=args.entries)
        _require_enough(measured)
    except DisplayError as error:
        raise DisplayError(f"{args.file}: {error.message}", hint=error.hint) from None
    if args.output:
        _write(args.output, made)
    _report(args, made)
    return 0


# --- verify ----------------------------------------------------------------------------------


def _verify(args: Arguments, measured: list[Measurement]) -> int:
    tolerance = DEFAULT_TOLERANCE_PERCENT if args.tolerance is None else args.tolerance
    verdict = verify(measured, ambient=args.ambient, entries=args.entries, tolerance_percent=tolerance)
    steps = None
    if len(measured) == args.entries:  # every P-value: each step can be told
        steps = conformance([row.luminance for row in sorted(measured)], ambient=args.ambient)
    worst = verdict.worst
    where = f"from P-value {worst.first} to {worst.last}"
    text = f"contrast {where} is {_off(worst)} the function, {tolerance:g} % is allowed"
    if args.json:
        print_json(_verdict_facts(verdict, steps))
    elif verdict.passed:
        print(f"PASS: {text}")
    else:
        print(f"FAIL: {text}")
        for row in verdict.intervals:
            if abs(row.deviation_percent) > tolerance:
                print(f"  from P-value {row.first} to {row.last}: {_off(row)} the function")
    if not args.json:
        ratio = verdict.brightest / verdict.darkest
        print(f"{verdict.darkest:.4g} to {verdict.brightest:.4g} cd/m2 with ambient light, 1 to {ratio:.0f}")
        if steps is not None:
            print(_steps(steps))
    if not verdict.passed:
        raise NotConformant(
            f"{args.file}: {text}", hint="Calibrate the display anew ('display calibrate'), then measure it again."
        )
    return 0


def _off(row: Interval) -> str:
    return f"{abs(row.deviation_percent):.1f} % {'above' if row.deviation_percent > 0 else 'below'}"


def _verdict_facts(verdict: Verdict, steps: Conformance | None) -> dict[str, Any]:
    rows = [{**row._asdict(), "deviation_percent": round(row.deviation_percent, 2)} for row in verdict.intervals]
    facts: dict[str, Any] = {
        "verdict": "pass" if verdict.passed else "fail",
        "tolerance_percent": verdict.tolerance_percent,
        "worst": rows[verdict.intervals.index(verdict.worst)],
        "intervals": rows,
        "darkest": round(verdict.darkest, 4),
        "brightest": round(verdict.brightest, 4),
    }
    return facts | (_step_facts(steps) if steps is not None else {})


# --- calibrate -------------------------------------------------------------------------------


def _require_enough(measured: list[Measurement]) -> None:
    """Refuse a curve that is a guess: what lies between two levels is not measured, and no figure below would show it.

    PS3.14 gives no number of levels. AAPM TG 18 measures 18 where it judges a display, and those are enough for its
    table, too: see ``agent.display.calibration``.
    """
    if len(measured) < LEVELS:
        raise DisplayError(
            f"{len(measured)} measurements; at least {LEVELS} are needed, for nobody knows the display between them",
            hint=f"Measure {LEVELS} levels or more, spread evenly from the lowest to the highest.",
        )


def _report(args: Arguments, made: Calibration) -> None:
    if args.json:
        facts = _step_facts(made.conformance) | {"ambient": made.ambient, "ddl": list(made.ddl)}
        facts["luminance"] = [round(value, 4) for value in made.luminance]
        print_json(facts)
        return
    if not args.output:
        sys.stdout.writelines(_lines(made))
    out = sys.stdout if args.output else sys.stderr
    out.write(_steps(made.conformance) + "\n")


def _step_facts(judged: Conformance) -> dict[str, Any]:
    return {key: round(value, 4) for key, value in judged._asdict().items()}


def _steps(judged: Conformance) -> str:
    return (
        f"{judged.jnd_per_step:.3f} JND per step, largest deviation {judged.max_step_deviation:.3f} JND from"
        f" {judged.worst_step} to {judged.worst_step + 1}, spread {judged.rms_step_deviation:.3f} JND\n"
        f"no P-value is further than {judged.max_index_deviation:.3f} JND from the function"
    )


def _lines(made: Calibration) -> list[str]:
    rows = zip(made.ddl, made.luminance, made.target, strict=True)
    body = [f"{p},{ddl},{reached:.4f},{target:.4f}\n" for p, (ddl, reached, target) in enumerate(rows)]
    return ["p_value,ddl,luminance,target\n", *body]


# --- files -----------------------------------------------------------------------------------


def _write(path: str, made: Calibration) -> None:
    from agent.acquire.filesink import FileSink

    sink = FileSink(path)
    try:
        sink.write("".join(_lines(made)).encode("ascii"))
        sink.publish()
    finally:
        sink.abandon()


def _read(path: str) -> list[Measurement]:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: is larger than {MAX_FILE_BYTES} bytes; measurements are not")
    return read(data)
