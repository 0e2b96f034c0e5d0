"""Source URIs: ``pattern:us-rgb?rows=768&columns=1024&rate_hz=30`` and ``replay:PATH?rate_hz=30``.

One small grammar, ``SCHEME:WHAT?key=value&key=value``, with a table of what each scheme knows. Options have bounds here
so that a mistake is found when the configuration is read, not when the foot-switch is pressed.
Raises ``ValueError`` with a sentence; the caller says where the URI stood.
"""

from __future__ import annotations

from agent.config.nearest import close_to
from agent.typed import Final, NamedTuple

PATTERN_KINDS: Final = ("us-rgb", "us-mono", "dx16")


class Option(NamedTuple):
    """A number: its default and inclusive bounds; ``whole`` numbers only or not."""

    default: float
    low: float
    high: float
    whole: bool


class Text(NamedTuple):
    """A text: its default, and the words it must be one of (none: any of printable ASCII, 128 at most)."""

    default: str = ""
    words: tuple[str, ...] = ()


class Scheme(NamedTuple):
    """What a scheme knows: its options, the words it can begin with (none: any), and a prefix of free options."""

    options: dict[str, Option | Text]
    whats: tuple[str, ...] = ()
    noun: str = ""
    """What one of ``whats`` is called in a message."""
    prefix: str = ""
    """Options that begin so are kept as they are: names that only the device knows (``control.``); empty: none."""


# 8192 is twice the largest flat panel, 1000 frames/s is beyond every grabber: both are the bounds of the C core.
_ROWS = Option(768, 16, 8192, whole=True)
_COLUMNS = Option(1024, 16, 8192, whole=True)
SCHEMES: Final[dict[str, Scheme]] = {
    "pattern": Scheme(
        {
            "rows": _ROWS,
            "columns": _COLUMNS,
            "rate_hz": Option(30, 0, 1000, whole=False),
            "seed": Option(0, 0, 2**32 - 1, whole=True),
        },
        whats=PATTERN_KINDS,
        noun="pattern",
    ),
    "replay": Scheme({"rate_hz": Option(0, 0, 1000, whole=False), "repeat": Option(0, 0, 1, whole=True)}),
}

_TEXT_MAX: Final = 128


class SourceUri(NamedTuple):
    """A parsed URI: ``scheme`` of ``SCHEMES``, ``what`` (pattern kind, path, address), every option with its value."""

    scheme: str
    what: str
    options: dict[str, float]
    """The numbers."""
    texts: dict[str, str]
    """The texts, and the free options that were given, by their whole name."""


def parse_source(uri: str) -> SourceUri:
    """Read a source URI; raises ``ValueError`` saying what is wrong and what would be right."""
    name, colon, rest = uri.partition(":")
    scheme = SCHEMES.get(name)
    if not colon or scheme is None:
        raise ValueError(f"'{uri}' is no source; it must start with {' or '.join(f'{word}:' for word in SCHEMES)}")
    what, _, query = rest.partition("?")
    if not what:
        raise ValueError(f"'{uri}' names nothing after '{name}:'")
    if scheme.whats and what not in scheme.whats:
        close = close_to(what, scheme.whats)
        raise ValueError(f"'{what}' is no {scheme.noun}; use one of {', '.join(scheme.whats)}{close}")
    parsed = SourceUri(name, what, {}, {})
    for key, option in scheme.options.items():
        if isinstance(option, Text):
            parsed.texts[key] = option.default
        else:
            parsed.options[key] = option.default
    for part in query.split("&") if query else ():
        key, _, text = part.partition("=")
        _set(parsed, scheme, key, text)
    return parsed


def _set(parsed: SourceUri, scheme: Scheme, key: str, text: str) -> None:
    option = scheme.options.get(key)
    if option is None and scheme.prefix and key.startswith(scheme.prefix) and key != scheme.prefix:
        parsed.texts[key] = _text(key, text, Text())
    elif option is None:
        has = [*scheme.options, *((f"{scheme.prefix}NAME",) if scheme.prefix else ())]
        raise ValueError(f"'{parsed.scheme}:' has no option '{key}'; it has {', '.join(has)}{close_to(key, has)}")
    elif isinstance(option, Text):
        parsed.texts[key] = _text(key, text, option)
    else:
        parsed.options[key] = _number(key, text, option)


def _text(name: str, text: str, option: Text) -> str:
    if option.words and text not in option.words:
        close = close_to(text, option.words)
        raise ValueError(f"option '{name}' must be one of {', '.join(option.words)}, not '{text}'{close}")
    if len(text) > _TEXT_MAX or not (text.isascii() and text.isprintable()):
        raise ValueError(f"option '{name}' needs printable ASCII, {_TEXT_MAX} characters at most")
    return text


def _number(name: str, text: str, option: Option) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"option '{name}' needs a number, not '{text}'") from None
    if not option.low <= value <= option.high or (option.whole and value != int(value)):
        kind = "a whole number" if option.whole else "a number"
        raise ValueError(f"option '{name}' must be {kind} from {option.low:g} to {option.high:g}, not {text}")
    return value
