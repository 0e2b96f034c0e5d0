"""Source URIs: ``pattern:us-rgb?rows=768&columns=1024&rate_hz=30`` and ``replay:PATH?rate_hz=30``.

One small grammar, ``SCHEME:WHAT?key=value&key=value``, with a table of the options each scheme knows. Options have
bounds here so that a mistake is found when the configuration is read, not when the foot-switch is pressed.
Raises ``ValueError`` with a sentence; the caller says where the URI stood.
"""

from __future__ import annotations

from agent.config.nearest import close_to
from agent.typed import Final, NamedTuple

PATTERN_KINDS: Final = ("us-rgb", "us-mono", "dx16")


class Option(NamedTuple):
    """One option of a scheme: its default and inclusive bounds; ``whole`` numbers only or not."""

    default: float
    low: float
    high: float
    whole: bool


# 8192 is twice the largest flat panel, 1000 frames/s is beyond every grabber: both are the bounds of the C core.
_ROWS = Option(768, 16, 8192, whole=True)
_COLUMNS = Option(1024, 16, 8192, whole=True)
OPTIONS: Final = {
    "pattern": {
        "rows": _ROWS,
        "columns": _COLUMNS,
        "rate_hz": Option(30, 0, 1000, whole=False),
        "seed": Option(0, 0, 2**32 - 1, whole=True),
    },
    "replay": {
        "rate_hz": Option(0, 0, 1000, whole=False),
        "repeat": Option(0, 0, 1, whole=True),
    },
}


class SourceUri(NamedTuple):
    """A parsed URI: ``scheme`` of ``OPTIONS``, ``what`` (pattern kind or path), every option with its value."""

    scheme: str
    what: str
    options: dict[str, float]


def parse_source(uri: str) -> SourceUri:
    """Read a source URI; raises ``ValueError`` saying what is wrong and what would be right."""
    scheme, colon, rest = uri.partition(":")
    known = OPTIONS.get(scheme)
    if not colon or known is None:
        raise ValueError(f"'{uri}' is no source; it must start with {' or '.join(f'{name}:' for name in OPTIONS)}")
    what, _, query = rest.partition("?")
    if not what:
        raise ValueError(f"'{uri}' names nothing after '{scheme}:'")
    if scheme == "pattern" and what not in PATTERN_KINDS:
        close = close_to(what, PATTERN_KINDS)
        raise ValueError(f"'{what}' is no pattern; use one of {', '.join(PATTERN_KINDS)}{close}")
    options = {name: option.default for name, option in known.items()}
    for part in query.split("&") if query else ():
        name, _, text = part.partition("=")
        if name not in known:
            raise ValueError(f"'{scheme}:' has no option '{name}'; it has {', '.join(known)}{close_to(name, [*known])}")
        options[name] = _number(name, text, known[name])
    return SourceUri(scheme, what, options)


def _number(name: str, text: str, option: Option) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"option '{name}' needs a number, not '{text}'") from None
    if not option.low <= value <= option.high or (option.whole and value != int(value)):
        kind = "a whole number" if option.whole else "a number"
        raise ValueError(f"option '{name}' must be {kind} from {option.low:g} to {option.high:g}, not {text}")
    return value
