"""Source URIs: ``pattern:us-rgb?rows=768&rate_hz=30``, ``replay:PATH?rate_hz=30``, ``folder:PATH``, devices.

One small grammar, ``SCHEME:WHAT?key=value&key=value``, with a table of what each scheme knows. Options have bounds here
so that a mistake is found when the configuration is read, not when the foot-switch is pressed.
Raises ``ValueError`` with a sentence; the caller says where the URI stood.
"""

from __future__ import annotations

from agent.config.address import parse_address
from agent.config.nearest import close_to
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

IGTL_PORT: Final = 18944  # that of every OpenIGTLink server that was not told otherwise
PATTERN_KINDS: Final = ("us-rgb", "us-mono", "dx16")


class Option(NamedTuple):
    """A number: its default and inclusive bounds; ``whole`` numbers only or not."""

    default: float
    low: float
    high: float
    whole: bool


_TEXT_MAX: Final = 128


class Text(NamedTuple):
    """A text: its default, and the words it must be one of (none: any of printable ASCII, ``most`` at most).

    A word that ends in ``:`` wants a name behind it (``hardware:Line1``).
    """

    default: str = ""
    words: tuple[str, ...] = ()
    most: int = _TEXT_MAX
    check: Callable[[str], object] | None = None
    """Raises ``ValueError`` for a text that is none."""


class Scheme(NamedTuple):
    """What a scheme knows: its options, the words it can begin with (none: any), and a prefix of free options."""

    options: dict[str, Option | Text]
    whats: tuple[str, ...] = ()
    noun: str = ""
    """What one of ``whats`` is called in a message."""
    prefix: str = ""
    """Options that begin so are kept as they are: names that only the device knows (``control.``); empty: none."""
    check: Callable[[str], object] | None = None
    """Raises ``ValueError`` where it cannot begin so."""


class RawLayout(NamedTuple):
    """How the samples of a file without a header lie: one unsigned frame, by pixel, little endian."""

    rows: int
    columns: int
    samples: int
    bits: int


def raw_layout(text: str) -> RawLayout:
    """Read ``ROWSxCOLUMNSxSAMPLESxBITS``; raises ``ValueError``."""
    words = text.split("x")
    numbers = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 6]
    if len(words) != 4 or len(numbers) != 4:
        raise ValueError(f"option 'raw' is ROWSxCOLUMNSxSAMPLESxBITS, for example 1024x1280x1x12, not '{text}'")
    layout = RawLayout(*numbers)
    if not (1 <= layout.rows <= 65_535 and 1 <= layout.columns <= 65_535):
        raise ValueError("option 'raw' needs rows and columns from 1 to 65535")
    if layout.samples not in (1, 3) or not 1 <= layout.bits <= (16 if layout.samples == 1 else 8):
        raise ValueError("option 'raw' needs one sample of 1 to 16 bits, or three of 1 to 8")
    return layout


# 8192 is twice the largest flat panel, 1000 frames/s is beyond every grabber: both are the bounds of the C core.
_ROWS = Option(768, 16, 8192, whole=True)
_COLUMNS = Option(1024, 16, 8192, whole=True)
SCHEMES: Final[dict[str, Scheme]] = {
    "folder": Scheme(
        {
            "pattern": Text("*"),  # names, as a shell has them, parted by commas
            "done": Text("move", ("move", "delete", "keep")),
            "repeats": Text("once", ("once", "each")),
            "marker": Text(),  # behind the name of each file, once it is whole
            "raw": Text(check=raw_layout),
            "settle_s": Option(2, 0, 3600, whole=False),
            "poll_s": Option(2, 0.05, 3600, whole=False),
            "reject_s": Option(3600, 0, 30 * 86_400, whole=False),  # 0: never
            "max_mib": Option(64, 1, 1024, whole=True),  # of a picture, in memory
            "max_file_mib": Option(4096, 1, 16_384, whole=True),
        }
    ),
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
    # 0, -1 and nothing: as the camera has it.
    "gige": Scheme(
        {
            "format": Text(),
            "columns": Option(0, 0, 65535, whole=True),
            "rows": Option(0, 0, 65535, whole=True),
            "x": Option(-1, -1, 65535, whole=True),
            "y": Option(-1, -1, 65535, whole=True),
            "rate_hz": Option(0, 0, 1000, whole=False),
            "exposure_us": Option(0, 0, 60_000_000, whole=False),
            "gain": Option(-1, -1, 1000, whole=False),
            "trigger": Text("free", ("free", "software", "hardware:", "exposure:")),
            "packet_bytes": Option(0, 0, 16_384, whole=True),
            "interface": Text(),
        }
    ),
    "replay": Scheme({"rate_hz": Option(0, 0, 1000, whole=False), "repeat": Option(0, 0, 1, whole=True)}),
    "openigtlink": Scheme(
        {
            "device": Text(most=20),
            "transform": Text(most=20),
            "rate_hz": Option(60, 0.1, 1000, whole=False),  # the most that comes: it bounds a clip of clip_s
            "wait_s": Option(5, 0.1, 60, whole=False),
            "start": Option(0, 0, 1, whole=True),
        },
        check=lambda what: parse_address(what, IGTL_PORT),
    ),
    # 0 and nothing: as the device has it.
    "v4l2": Scheme(
        {
            "format": Text(),
            "columns": Option(0, 0, 65535, whole=True),
            "rows": Option(0, 0, 65535, whole=True),
            "rate_hz": Option(0, 0, 1000, whole=False),
            "input": Text(),
        },
        prefix="control.",
    ),
}
FOLDER: Final = "folder"
OF_PATHS: Final = ("replay", FOLDER)  # those that begin with a path


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
        known = ", ".join(f"{word}:" for word in sorted(SCHEMES))
        raise ValueError(f"'{uri}' is no source; it must start with one of {known}")
    what, _, query = rest.partition("?")
    if not what:
        raise ValueError(f"'{uri}' names nothing after '{name}:'")
    if scheme.whats and what not in scheme.whats:
        close = close_to(what, scheme.whats)
        raise ValueError(f"'{what}' is no {scheme.noun}; use one of {', '.join(scheme.whats)}{close}")
    if scheme.check is not None:
        scheme.check(what)
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
    word = text[: text.find(":") + 1] or text
    if option.words and (word not in option.words or (word == text and word.endswith(":"))):
        words = ", ".join(_word_said(word) for word in option.words)
        raise ValueError(f"option '{name}' must be one of {words}, not '{text}'{close_to(text, option.words)}")
    if len(text) > option.most or not (text.isascii() and text.isprintable()):
        raise ValueError(f"option '{name}' needs printable ASCII, {option.most} characters at most")
    if option.check is not None and text:
        option.check(text)
    return text


def _word_said(word: str) -> str:
    return f"{word}NAME" if word.endswith(":") else word


def _number(name: str, text: str, option: Option) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"option '{name}' needs a number, not '{text}'") from None
    if not option.low <= value <= option.high or (option.whole and value != int(value)):
        kind = "a whole number" if option.whole else "a number"
        raise ValueError(f"option '{name}' must be {kind} from {option.low:g} to {option.high:g}, not {text}")
    return value
