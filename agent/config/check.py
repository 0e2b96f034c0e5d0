"""From a parsed TOML document to values or to a list of everything that is wrong with it.

``examine`` walks the document along ``SECTIONS``: unknown sections and keys (with the nearest valid one), types,
bounds, kinds, then the rules between keys. All problems are found in one pass so that a technician corrects a file
once. It reads no file; ``agent.config.load`` does that and knows the lines.
"""

from __future__ import annotations

from agent.config.key import REQUIRED, Key, Section, Value
from agent.config.kinds import KINDS
from agent.config.nearest import close_to, nearest
from agent.config.pre_trigger import armed_problems
from agent.config.regions import REGIONS_MAX
from agent.config.schema import PANEL_INPUTS, SECTIONS
from agent.config.schema_source import GREY_WORDS
from agent.config.source import FOLDER, parse_source
from agent.config.user import user_problems
from agent.config.words import near_refusal, transfer_syntax_uid
from agent.dataset.pixels import near_excess
from agent.dataset.uid import RLE_LOSSLESS
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# A box has a handful of peers and units; a file with more is a mistake, not a plan.
MAX_DESTINATIONS: Final = 32
MAX_SOURCES: Final = 16

Document = dict[str, Any]
Values = dict[str, Any]


class Problem(NamedTuple):
    """One thing that is wrong: ``where`` is a key path such as ``destination[0].port``."""

    where: str
    message: str


def examine(document: Document) -> tuple[Values, list[Problem]]:
    """Check ``document`` against the schema; returns section values with defaults filled in, and the problems."""
    problems: list[Problem] = []
    values: Values = {}
    names = [section.name for section in SECTIONS]
    problems += [Problem(str(name), f"unknown section{nearest(name, names)}") for name in document if name not in names]
    for section in SECTIONS:
        if section.repeated:
            values[section.name] = _tables(section, document.get(section.name, []), problems)
        else:
            values[section.name] = _table(section, document.get(section.name, {}), section.name, problems)
    if not problems:
        problems += _between(values)
    return values, problems


def _tables(section: Section, given: object, problems: list[Problem]) -> list[Values]:
    if not isinstance(given, list):
        problems.append(Problem(section.name, f"is an array of tables: write [[{section.name}]]"))
        return []
    return [_table(section, table, f"{section.name}[{index}]", problems) for index, table in enumerate(given)]


def _table(section: Section, given: object, where: str, problems: list[Problem]) -> Values:
    if not isinstance(given, dict):
        where += "[0]" if isinstance(given, list) else ""
        problems.append(Problem(where, f"is a table: write [{section.name}]"))
        return {}
    names = [key.name for key in section.keys]
    problems += [
        Problem(f"{where}.{name}", f"unknown key{elsewhere(name) or nearest(name, names)}")
        for name in given
        if name not in names
    ]
    values: Values = {}
    for key in section.keys:
        if key.name in given:
            value, reason = check_value(key, given[key.name])
        elif key.default is REQUIRED:
            wanted = expected(key)
            value, reason = "", "is missing" + (f"; {wanted}" if wanted != "text" else "")
        else:
            value, reason = key.default, ""
        if reason:
            problems.append(Problem(f"{where}.{key.name}" if key.name in given else where, _say(key, given, reason)))
        values[key.name] = value
    return values


def _say(key: Key, given: Document, reason: str) -> str:
    return reason if key.name in given else f"key '{key.name}' {reason}"


def check_value(key: Key, value: object) -> tuple[Value | object, str]:
    """Check one value; returns it in its final type and the reason of a refusal, or ''. No reason tells a secret."""
    found, reason = _check_value(key, value)
    return found, f"is not {expected(key)}" if reason and key.secret else reason


def _check_value(key: Key, value: object) -> tuple[Value | object, str]:
    kind = KINDS[key.kind]
    if not isinstance(value, kind.types) or (isinstance(value, bool) and bool not in kind.types):
        as_array = f': write ["{value}"]' if kind.word == "array" and isinstance(value, str) else ""
        return value, f"{_show(value)} is not {expected(key)}{as_array}"
    if isinstance(value, list | tuple):
        return tuple(value), _check_texts(key, value)
    if isinstance(value, str) or str in kind.types:  # a kind of text may take numbers too
        return value, _check_text(key, str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        below = key.low is not None and value < key.low
        if below or (key.high is not None and value > key.high) or value != value:  # noqa: PLR0124  NaN
            return value, f"{value} is not {expected(key)}"
        return (float(value) if key.kind == "number" else value), ""
    return value, ""


def _check_text(key: Key, text: str) -> str:
    if key.choices and text not in key.choices:
        return f"'{text}' is not {expected(key)}{close_to(text, key.choices)}"
    if key.high is not None and len(text) > key.high:
        return f"has {len(text)} characters, at most {key.high:g} are allowed"
    return KINDS[key.kind].check(text)


def _check_texts(key: Key, texts: list[object] | tuple[object, ...]) -> str:
    for text in texts:
        if not isinstance(text, str):
            return f"{_show(text)} in it is not text"
        if reason := _check_text(key, text):
            return reason
    return ""


_ARTICLES: Final = {
    "array": "an array of text", "string": "text", "integer": "a whole number", "number": "a number",
    "boolean": "true or false",
}  # fmt: skip


def expected(key: Key) -> str:
    """Say what a key takes."""
    if key.choices:
        return "one of " + ", ".join(choice or "''" for choice in key.choices)
    text = _ARTICLES[KINDS[key.kind].word]
    if text != "text" and key.low is not None and key.high is not None:
        text += f" from {key.low:.16g} to {key.high:.16g}{' ' + key.unit if key.unit else ''}"
    return text


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "an array"
    return f"'{value}'" if isinstance(value, str) else str(value)


def elsewhere(name: str) -> str:
    """Say which other sections have a key of this name, or nothing."""
    homes = [f"[[{one.name}]]" if one.repeated else f"[{one.name}]"
             for one in SECTIONS if any(key.name == name for key in one.keys)]  # fmt: skip
    return f"; it belongs into {' or '.join(homes)}" if homes else ""


# --- rules between keys ------------------------------------------------------------------------


def _between(values: Values) -> list[Problem]:
    problems: list[Problem] = []
    for name, limit in (("destination", MAX_DESTINATIONS), ("source", MAX_SOURCES)):
        problems += _unique(name, values[name])
        if len(values[name]) > limit:
            problems.append(Problem(f"{name}[{limit}]", f"at most {limit} are allowed"))
    problems += _tls_files(values)
    problems += _failovers(values["destination"])
    problems += _pedals(values)
    for index, row in enumerate(values["destination"]):
        problems += [Problem(f"destination[{index}].{key}", reason) for key, reason in user_problems(row)]
        if row["retry_cap_s"] < row["retry_base_s"]:
            problems.append(Problem(f"destination[{index}].retry_cap_s", "is below retry_base_s"))
    for index, row in enumerate(values["source"]):
        reason = "" if row["burn_window"] else _mismatch(row["uri"], row["sop_class"])
        if reason:
            problems.append(Problem(f"source[{index}].sop_class", reason))
        if row["every_s"] and parse_source(row["uri"]).scheme == FOLDER:
            problems.append(Problem(f"source[{index}].every_s", "a folder captures whenever a file is put into it"))
        reason = near_refusal(transfer_syntax_uid(row["transfer_syntax"]), row["near"]) or _too_near(row)
        if reason:
            problems.append(Problem(f"source[{index}].near", reason))
        problems += [Problem(f"source[{index}].{key}", reason) for key, reason in _pixel_path(row)]
        problems += [Problem(f"source[{index}].{key}", reason) for key, reason in armed_problems(row)]
        if row["calibration"] and row["sop_class"] not in ("us", "us-mf"):
            problems.append(
                Problem(f"source[{index}].calibration", f"is for us and us-mf; '{row['sop_class']}' has no regions")
            )
        reason = _no_grey(row) if row["grey_as_monochrome"] else ""
        if reason:
            problems.append(Problem(f"source[{index}].grey_as_monochrome", reason))
    mount, path = values["spool"]["require_mount"], values["spool"]["path"]
    if mount and not (path + "/").startswith(mount.rstrip("/") + "/"):
        problems.append(Problem("spool.require_mount", f"'{mount}' does not hold spool.path '{path}'"))
    return problems


def _failovers(rows: list[Values]) -> Iterator[Problem]:
    """What cannot stand in for another destination, or has none to stand in for."""
    known = {row["name"]: row for row in rows}
    named = {row["failover"] for row in rows}
    for index, row in enumerate(rows):
        other = known.get(row["failover"])
        where = f"destination[{index}].failover"
        if row["failover"] and other is None:
            close = close_to(row["failover"], [*known])
            yield Problem(where, f"no destination is called '{row['failover']}'{close}")
        elif other is row and not row["standby"]:
            yield Problem(where, "a destination cannot stand in for itself: name another one, with standby = true")
        elif other is not None and not other["standby"]:
            yield Problem(where, f"'{other['name']}' gets every image anyway: give it standby = true")
        elif other is not None and row["standby"]:
            yield Problem(where, "a standby has no failover of its own")
        elif other is not None and row["commitment"] and not other["commitment"]:
            name = other["name"]
            yield Problem(where, f"'{name}' has commitment = false and this one has not: what is handed over to it "
                          "would leave this box though nobody has committed it")  # fmt: skip
        if row["standby"] and row["name"] not in named:
            yield Problem(f"destination[{index}].standby", "no destination names it as its failover")


def _pedals(values: Values) -> Iterator[Problem]:
    """What the panel is to capture and is not there."""
    known = [row["name"] for row in values["source"]]
    for key in PANEL_INPUTS:
        name = values["panel"][key]
        if name and name not in known:
            yield Problem(f"panel.{key}", f"no source is called '{name}'{close_to(name, known)}")


def _tls_files(values: Values) -> Iterator[Problem]:
    """What TLS is to be spoken with and no key names."""
    users = [(f"destination[{i}].tls", row["tls_ca_file"]) for i, row in enumerate(values["destination"]) if row["tls"]]
    if values["listener"]["enabled"] and values["listener"]["tls"]:
        users.append(("listener.tls", ""))
    for user, own_ca in users:
        for key in ("ca_file", "certificate_file", "key_file"):
            if not values["tls"][key] and not (key == "ca_file" and own_ca):
                yield Problem(f"tls.{key}", f"is empty, but {user} is true")


# Pictures that no instance of the SOP Class may hold (PS3.3 C.8.5.6.1, C.8.11.3, C.8.7.1, A.8, C.8.12.1).
_CANNOT_HOLD: Final = {
    "dx16": ("us", "us-mf", "sc-mf-byte", "sc-mf-color", "vl-endoscopic", "vl-photo"),
    "us-mono": ("sc-mf-word", "sc-mf-color"),
    "us-rgb": ("dx", "dx-processing", "cr", "xa", "xrf", "sc-mf-byte", "sc-mf-word"),
}
# Those that may hold what a window made of 16 bits: nobody measures in a secondary capture (PS3.3 A.8).
BURNT_WORDS: Final = ("sc", "sc-mf-byte")
_PICTURES: Final = {"dx16": "16 bit", "us-mono": "8 bit grey", "us-rgb": "colour"}


def stand_in(sop_class: str) -> str:
    """Return the pattern whose pictures an instance of the SOP Class can hold, for a source that shows none yet."""
    return next(f"pattern:{what}" for what in ("us-rgb", "us-mono", "dx16") if sop_class not in _CANNOT_HOLD[what])


def _mismatch(uri: str, sop_class: str) -> str:
    """Why the frames of a pattern cannot become instances of a SOP Class, or ''."""
    scheme, what = parse_source(uri)[:2]
    if scheme != "pattern" or sop_class not in _CANNOT_HOLD.get(what, ()):
        return ""
    return f"'{sop_class}' cannot hold the {_PICTURES[what]} pictures of pattern:{what}"


def _too_near(row: Values) -> str:
    """Why a pattern cannot differ by so much, or ''; what a replay holds is known when it is opened."""
    scheme, what = parse_source(row["uri"])[:2]
    return near_excess(row["near"], 16 if what == "dx16" else 8) if scheme == "pattern" else ""


def _no_grey(row: Values) -> str:
    """Why a source cannot have the rule, or ''."""
    if row["sop_class"] not in GREY_WORDS:
        return f"is for {', '.join(GREY_WORDS)}; '{row['sop_class']}' keeps its photometric interpretation"
    return "gives every sample back, and near does not" if row["near"] else ""


def _pixel_path(row: Values) -> Iterator[tuple[str, str]]:
    """What of the pixel path contradicts itself, or cannot be said in an instance (PS3.3 C.8.11.3, C.8.7.1)."""
    said = row["intensity_relationship"]
    if len(row["blackout"]) > REGIONS_MAX:
        yield "blackout", f"has {len(row['blackout'])} regions, at most {REGIONS_MAX} are allowed"
    if row["pedestal"] and not (row["offset_file"] or row["gain_file"]):
        yield "pedestal", "is added to corrected samples: it needs an offset_file or a gain_file"
    if row["burn_window"] and row["sop_class"] not in BURNT_WORDS:
        kinds = " and ".join(BURNT_WORDS)
        yield "burn_window", f"is for {kinds}; '{row['sop_class']}' carries its window beside the samples"
    if row["burn_window"] and not row["window_width"]:
        yield "burn_window", "needs window_center and window_width"
    if row["ybr_full"] and (reason := _no_ybr(row)):
        yield "ybr_full", reason
    if row["curve"] == "log" and said not in ("", "LOG"):
        yield "curve", f"makes the Pixel Intensity Relationship LOG, and intensity_relationship is {said}"
    if row["curve"] == "sqrt" and (said in ("LIN", "LOG") or row["sop_class"] in ("dx", "dx-processing")):
        yield "curve", "a square root is neither LIN nor LOG; of xa and xrf it is DISP, and dx has no word for it"


def _no_ybr(row: Values) -> str:
    """Why frames cannot be YBR_FULL, or ''. Of ultrasound RLE alone says so (PS3.3 C.8.5.6.1.2)."""
    kind = row["sop_class"]
    if kind in ("us", "us-mf"):
        if transfer_syntax_uid(row["transfer_syntax"]) != RLE_LOSSLESS:
            return f"'{kind}' is YBR_FULL in rle alone, and transfer_syntax is {row['transfer_syntax']}"
    elif kind not in ("sc", "sc-mf-color"):
        return f"is for us, us-mf, sc and sc-mf-color; '{kind}' keeps its photometric interpretation"
    if row["near"] or row["grey_as_monochrome"]:
        return f"and {'near' if row['near'] else 'grey_as_monochrome'} exclude each other"
    return ""


def _unique(section: str, rows: list[Values]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, row in enumerate(rows):
        if row["name"] in seen:
            problems.append(Problem(f"{section}[{index}].name", f"'{row['name']}' is used twice"))
        seen.add(row["name"])
    return problems
