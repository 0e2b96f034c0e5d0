"""The frame that a template is made from: of a file, of a URI, or of a configured source, as the source delivers it.

Places of a template are counted before black-out and crop, so that the pixel path of a source is not gone through.
"""

from __future__ import annotations

import os
import time

from agent.acquire.sources import open_source
from agent.app.common import settings_of
from agent.app.term import count_text, printable
from agent.config.source import parse_source
from agent.dataset.pixels import PixelDescription
from agent.errors import DeviceError, NotFound, UsageError
from agent.native.picture import thumbnail
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.acquire.region_template import Rectangle
    from agent.app.options import Arguments


class Shown(NamedTuple):
    """One frame: what it came from, and its samples."""

    name: str
    number: int
    description: PixelDescription
    data: bytes

    def part(self, where: Rectangle) -> bytes:
        """Return the samples of a rectangle inside of it."""
        from agent.native.region import Region, crop, cropped

        out = bytearray(cropped(self.description, Region(*where)).frame_bytes)
        crop(self.data, self.description, Region(*where), out)
        return bytes(out)

    def bytes8(self) -> bytes:
        """Return it as a person sees it: 8 bits, grey or RGB by pixel."""
        return thumbnail(self.data, self.description, self.description.rows, self.description.columns)


def take(args: Arguments) -> Shown:
    """Take the frame ``--frame`` of what the command line names."""
    if args.frame < 1:
        raise UsageError("--frame counts from 1")
    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    with open_source(_uri(args), args.frame) as opened:
        source = opened.source
        source.start()
        until, number = time.monotonic() + args.timeout, 0
        while not source.ended:
            if not source.wait(max(0.0, until - time.monotonic())):
                raise DeviceError(f"no frame came within {args.timeout:g} s", hint="Is the device on, its cable in?")
            frame = source.take()
            if frame is None:
                continue
            number += 1
            data = bytes(frame.data) if number == args.frame else b""
            source.give_back(frame)
            if data:
                found = source.description
                plain = PixelDescription(*(getattr(found, name) for name in PixelDescription._fields))
                return Shown(args.frame_of, number, plain, data)
    raise DeviceError(f"{args.frame_of} has {count_text(number, 'frame')}, and --frame asks for frame {args.frame}",
                      hint="Frames count from 1.")  # fmt: skip


def _uri(args: Arguments) -> str:
    name: str = args.frame_of
    if os.path.exists(name):
        return f"replay:{os.path.abspath(name)}"
    try:
        parse_source(name)
    except ValueError:
        pass
    else:
        return name
    if os.sep in name or "." in name:  # no source has such a name
        raise DeviceError(f"{name}: there is no such file", hint="Name a picture, a source, or a URI of one.")
    settings = settings_of(args)
    row = next((one for one in settings.source if one.name == name), None)
    if row is None:
        names = ", ".join(one.name for one in settings.source) or "none"
        raise NotFound(f"'{printable(name)}' is no file and no configured source; there are: {names}")
    return row.uri
