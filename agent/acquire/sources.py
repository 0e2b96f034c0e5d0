"""Open the source that a URI names, and of a configured one what its frames become (``pixel_path``)."""

from __future__ import annotations

import os

from agent.config.source import parse_source
from agent.errors import DeviceError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.calibration import Watch
    from agent.acquire.frame_source import FrameSource
    from agent.config.settings import SourceSettings
    from agent.config.source import SourceUri
    from agent.native.source import Source


class Opened(NamedTuple):
    """An open source that closes itself as a context manager; ``frames`` it will deliver, 0 where it never ends.

    ``stamp_late_ns`` after a frame was begun its time stamp may be.
    """

    source: FrameSource
    frames: int
    calibration: Watch | None = None
    stamp_late_ns: int = 0

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.source.close()


def open_configured(settings: SourceSettings, limit: int | None = None) -> Opened:
    """Open a source with its pixel path and the templates of its regions.

    Raises ``ConfigError`` besides, where the path does not fit its frames; what is wrong with templates is in them.
    """
    return configured(open_source(settings.uri, limit), settings)


def configured(opened: Opened, settings: SourceSettings) -> Opened:
    """Put what the settings of a source say behind one that is open; it is closed where that fails."""
    from agent.acquire.pixel_path import Treated, is_asked

    try:
        if settings.calibration:
            from agent.acquire.calibration import Watch, Watched

            watch = Watch(settings, opened.source.description)
            opened = opened._replace(source=Watched(opened.source, watch), calibration=watch)
        if not is_asked(settings):
            return opened
        return opened._replace(source=Treated(opened.source, settings))
    except BaseException:
        opened.source.close()
        raise


def open_source(uri: str, limit: int | None = None) -> Opened:
    """Open (do not start) the source of a checked URI, of a replay at most ``limit`` frames; raises ``DeviceError``."""
    parsed = parse_source(uri)
    return _OPENERS[parsed.scheme](parsed, limit)


def _folder(uri: SourceUri, _limit: int | None) -> Opened:
    raise DeviceError(
        f"{uri.what}: a folder gives pictures when files are put into it",
        hint="Nothing to do: it takes them by itself.",
    )


def _pattern(uri: SourceUri, _limit: int | None) -> Opened:
    from agent.native.source import pattern

    options = uri.options
    rows, columns = int(options["rows"]), int(options["columns"])
    return Opened(pattern(uri.what, rows, columns, options["rate_hz"], seed=int(options["seed"])), 0)


def _replay(uri: SourceUri, limit: int | None) -> Opened:
    from agent.acquire.replay import open_frames
    from agent.native.source import replay

    path, rate_hz, repeat = uri.what, uri.options["rate_hz"], bool(uri.options["repeat"])
    found = open_frames(path, limit)
    try:
        source = replay(
            found.fd, found.offset, found.description, found.total, rate_hz, repeat=repeat, name=f"replay {path}"
        )
    finally:
        os.close(found.fd)
    return Opened(source, 0 if repeat else found.total)


def _openigtlink(uri: SourceUri, _limit: int | None) -> Opened:
    from agent.acquire.openigtlink import open_server

    return _device(open_server(uri))


def _v4l2(uri: SourceUri, _limit: int | None) -> Opened:
    from agent.acquire.v4l2 import open_v4l2

    return _device(open_v4l2(uri))


def _gige(uri: SourceUri, _limit: int | None) -> Opened:
    from agent.acquire.gige import open_gige

    return _device(open_gige(uri))


def _device(source: Source) -> Opened:
    return Opened(source, 0, stamp_late_ns=source.stamp_late_ns)


# A kind of source is a line in agent.config.source.SCHEMES and one here; what opens it is imported when it is used.
_OPENERS: Final[dict[str, Callable[[SourceUri, int | None], Opened]]] = {
    "folder": _folder,
    "pattern": _pattern,
    "replay": _replay,
    "openigtlink": _openigtlink,
    "v4l2": _v4l2,
    "gige": _gige,
}
