"""``test frame SOURCE``: one frame of a source, shown on the terminal or written as a small PNG.

Nothing is stored and nothing sent. The frame is taken beside a running agent, in this process.
"""

from __future__ import annotations

import time

from agent.app.cli import print_json
from agent.app.preview import WIDTH, Picture, blocks, grey_png, letters
from agent.app.term import printable, size_text
from agent.config.source import parse_source
from agent.dataset.pixels import PixelDescription
from agent.errors import DeviceError, NotFound, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.acquire.sources import Opened
    from agent.app.options import Arguments
    from agent.config.settings import Settings, SourceSettings

PNG_WIDTH: Final = 320  # 30 to 60 KiB: a minute at 9600 baud
_MOST: Final = 4096


def show(args: Arguments, settings: Settings) -> int:
    """Take one and show it."""
    for name, value in (("--width", args.width), ("--lines", args.lines)):
        if value is not None and not 1 <= value <= _MOST:
            raise UsageError(f"{name}: {value} is not 1 to {_MOST}")
    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    row = next((one for one in settings.source if one.name == args.name), None)
    began = time.monotonic()
    picture, number = _frame(_opened(row, args.name, settings), _window(row), args.timeout)
    one = picture.description
    facts: dict[str, Any] = {
        "source": args.name, "frame": number, "after_s": round(time.monotonic() - began, 3), "rows": one.rows,
        "columns": one.columns, "photometric_interpretation": one.photometric_interpretation,
        "bits_stored": one.bits_stored, "shown_black": picture.window.low, "shown_white": picture.window.high,
    }  # fmt: skip
    if args.output:
        facts["file"], facts["size"] = args.output, _write(args.output, grey_png(picture, args.width or PNG_WIDTH))
        lines = []
    else:
        draw = blocks if args.blocks else letters
        lines = draw(picture, args.width or WIDTH, max(1, args.lines - 1), invert=args.invert)
    if args.json:
        print_json({**facts, "lines": lines})
        return 0
    for line in lines:
        print(line.rstrip())
    shown = "" if one.bits_stored <= 8 else f", shown from {picture.window.low:.0f} to {picture.window.high:.0f}"
    kind = f"{one.columns} x {one.rows}, {one.photometric_interpretation}, {one.bits_stored} bits"
    print(f"{printable(args.name, 40)}: {kind}{shown}")
    if args.output:
        print(f"{printable(args.output)}: {size_text(facts['size'])}")
    return 0


def _opened(row: SourceSettings | None, name: str, settings: Settings) -> Opened:
    """A source as its captures see it, or that of a URI."""
    from agent.acquire.sources import open_configured, open_source

    if row is not None:
        return open_configured(row, 1)
    try:
        parse_source(name)
    except ValueError:
        names = ", ".join(one.name for one in settings.source) or "none"
        raise NotFound(f"no source '{printable(name)}' is configured; there are: {names}") from None
    return open_source(name, 1)


def _window(row: SourceSettings | None) -> tuple[float, float] | None:
    return None if row is None or not row.window_width else (row.window_center, row.window_width)


def _frame(one: Opened, window: tuple[float, float] | None, within_s: float) -> tuple[Picture, int]:
    """Take the first frame that comes."""
    with one as opened:
        source = opened.source
        source.start()
        until = time.monotonic() + within_s
        while not source.ended:
            if not source.wait(max(0.0, until - time.monotonic())):
                raise DeviceError(f"no frame came within {within_s:g} s", hint="Is the device on, and its cable in?")
            frame = source.take()
            if frame is not None:
                data = bytes(frame.data)
                source.give_back(frame)
                return Picture(data, _plain(source.description), window), frame.number
    raise DeviceError("the source ended without a frame", hint="Is there a picture in it?")


def _plain(found: Any) -> PixelDescription:
    """The description of a source as one of a Data Set."""
    return PixelDescription(*(getattr(found, name) for name in PixelDescription._fields))


def _write(path: str, data: bytes) -> int:
    from agent.acquire.filesink import FileSink

    sink = FileSink(path)
    try:
        sink.write(data)
        return sink.publish()
    finally:
        sink.abandon()
