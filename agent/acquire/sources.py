"""Open the source that a URI names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.config.source import parse_source

if TYPE_CHECKING:
    from agent.native.source import Source


def open_source(uri: str, *, frames: int = 0) -> Source:
    """Open (do not start) the source of a checked URI; ``frames`` bounds a pattern, 0 leaves it endless.

    Raises ``DeviceError`` or ``UsageError`` when it cannot be opened.
    """
    parsed = parse_source(uri)
    options = parsed.options
    if parsed.scheme == "pattern":
        from agent.native.source import pattern

        return pattern(
            parsed.what,
            int(options["rows"]),
            int(options["columns"]),
            options["rate_hz"],
            frames=frames,
            seed=int(options["seed"]),
        )
    from agent.acquire.replay import open_replay

    return open_replay(parsed.what, rate_hz=options["rate_hz"], repeat=bool(options["repeat"]))
