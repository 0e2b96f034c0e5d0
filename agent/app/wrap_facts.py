"""What the command line of ``wrap`` says about an instance, sorted to where building wants it.

``--attributes`` and ``--set`` name Attributes by keyword or tag. Those of patient, study, series and equipment are the
context; those that building itself decides (UIDs, Image Type, Conversion Type ...) go where it asks for them; all
others are Attributes of the source and must be in a Module of the SOP Class. What nobody said and had to be chosen is
noted in ``assumed``: it is shown to the person, who may know better. What a person did say is never replaced: a value
that building cannot take is refused, an empty one too.
"""

from __future__ import annotations

import time

from agent.acquire.clock import WallStamp, wall_stamp
from agent.acquire.identity import new_uid
from agent.app.wrap_inputs import read_bytes
from agent.dataset.dataset import DataSet
from agent.errors import DecodeError, InputError, UsageError
from agent.iod import codes, modules
from agent.iod.acquisition import Acquisition, CaptureFacts
from agent.iod.build import CHARACTER_SET, CONTEXT_ENTITIES
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.app.options import Arguments
    from agent.iod.build import Kind

MAX_JSON_BYTES: Final = 16 << 20
_JSON_HINT: Final = "Correct this file; 'modality-agent wrap --help' says which option takes it."
_WORKSTATION: Final = "WSD"
MAX_INSTANCE_NUMBER: Final = 2**31 - 1  # of an IS (PS3.5 Table 6.2-1)
_BURNED_IN: Final = {"": None, "YES": True, "NO": False}
_MAY_BE_EMPTY: Final = frozenset({"PatientOrientation", "ImageComments", "TimezoneOffsetFromUTC"})
_OPTIONS: Final = {"patient_id": "PatientID", "patient_name": "PatientName", "title": "DocumentTitle"}
_STUDY_UID, _SERIES_UID, _INSTANCE_UID = 0x0020000D, 0x0020000E, 0x00080018


class Facts(NamedTuple):
    """All that is known of an instance but its content; the last three are what a document says itself."""

    context: DataSet
    acquisition: Acquisition
    assumed: list[str]
    taken: Sequence[str] = ()
    overruled: Sequence[str] = ()
    version: str = ""


def given(args: Arguments) -> DataSet:
    """The Attributes of ``--attributes``, ``--set`` and the options that are short for one; no two contradict."""
    from agent.media.json_model import from_json

    said = [(f"--attributes {args.attributes}", _from_file(args.attributes))] if args.attributes is not None else []
    words = [(f"--{name.replace('_', '-')}", keyword, getattr(args, name)) for name, keyword in _OPTIONS.items()]
    words += [(f"--set {keyword}", keyword, value) for keyword, value in map(_split, args.set)]
    for origin, keyword, value in words:
        if value is not None:
            try:
                said.append((origin, from_json({keyword: value.split("\\")})))
            except DecodeError as error:
                raise UsageError(f"{keyword}={value}: {error.message}") from None
    found, origins = DataSet(), dict[int, str]()
    for origin, attributes in said:
        for element in attributes:
            if element.tag in found and found.get(element.tag) != element.value:
                raise _twice(found, attributes, element.tag, (origins[element.tag], origin))
            found.set(element.tag, element.value, element.vr)
            origins[element.tag] = origin
    return found


def _twice(one: DataSet, other: DataSet, tag: int, origins: tuple[str, str]) -> UsageError:
    from agent.dataset import dictionary

    values = (
        f"{ds.text(tag) or 'another value'} by {origin}" for ds, origin in zip((one, other), origins, strict=True)
    )
    keyword = dictionary.keyword_of(tag) or f"{tag:08X}"
    return UsageError(f"{keyword} is said twice: {' and '.join(values)}", hint="Which one is meant? Say it once.")


def _now(offset: str) -> WallStamp:
    """This moment in the time zone that was said, if one was."""
    from datetime import datetime

    stamp = wall_stamp(time.time())
    if offset in ("", stamp.offset):
        return stamp
    try:
        moment = datetime.fromtimestamp(stamp.wall_s, datetime.strptime(offset, "%z").tzinfo)
    except ValueError:
        return stamp  # what is no offset is refused when it is written
    return WallStamp(moment.strftime("%Y%m%d"), moment.strftime("%H%M%S.%f"), offset, stamp.wall_s)


def offset_of(found: DataSet) -> str:
    """The time zone of an instance that is made now."""
    return found.text("TimezoneOffsetFromUTC") or wall_stamp(time.time()).offset


def parsed_json(path: str, parse_float: Callable[[str], object] | None = None) -> object:
    """The JSON of a file, its fractions read by ``parse_float``; ``InputError`` for what is none or has a key twice."""
    import json

    text = read_bytes(path, MAX_JSON_BYTES)

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, value in pairs:
            if key in made:
                raise InputError(f"{path} says {key!r} twice in one object", hint="Which one is meant? Say it once.")
            made[key] = value
        return made

    try:
        return json.loads(text, parse_float=parse_float, object_pairs_hook=once)
    except UnicodeDecodeError:
        raise InputError(f"{path} is no JSON: it is no text", hint=_JSON_HINT) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", hint=_JSON_HINT) from None
    except ArithmeticError:  # of Decimal
        raise InputError(f"{path} has a number with an exponent beyond all measure", hint=_JSON_HINT) from None


def sort(row: Kind, found: DataSet, args: Arguments) -> Facts:
    """Sort Attributes for building an instance of this kind, now."""
    assumed: list[str] = []
    found = found.copy()
    stamp = _now(found.text("TimezoneOffsetFromUTC"))
    acquisition = _acquisition(found, stamp.date, stamp.time, stamp.offset, assumed)
    allowed = modules.tags_of(row.iod, CONTEXT_ENTITIES) | {CHARACTER_SET}
    context, rest = DataSet(), DataSet()
    for element in found:
        (context if element.tag in allowed else rest).set(element.tag, element.value, element.vr)
    if "Modality" in context and not context.text("Modality"):
        raise _refused("Modality", "a word such as US, DX or OT", "")
    if "Modality" not in context:
        assumed.append(f"Modality {row.modality}")
    for keyword, value in (("StudyDate", stamp.date), ("StudyTime", stamp.time), ("SeriesNumber", 1)):
        if keyword not in context:
            context[keyword] = value
            assumed.append(f"{keyword} {value}")
    if args.anatomy:
        acquisition = acquisition._replace(anatomy=codes.anatomy(args.anatomy))
    acquisition = acquisition._replace(laterality=args.laterality or "", attributes=rest if len(rest) else None)
    return Facts(context, acquisition, assumed)


def _acquisition(found: DataSet, date: str, moment: str, offset: str, assumed: list[str]) -> Acquisition:
    uids = {}
    for name, tag in (("instance", _INSTANCE_UID), ("study", _STUDY_UID), ("series", _SERIES_UID)):
        uids[name] = _taken(found, tag) or new_uid()
    conversion = _taken(found, "ConversionType")
    orientation = _taken(found, "PatientOrientation")
    row, _, column = orientation.partition("\\")
    if orientation and (not row or not column or "\\" in column):
        raise _refused("PatientOrientation", r"two values such as L\P (that of a row, that of a column)", orientation)
    burned_in = _taken(found, "BurnedInAnnotation")
    if burned_in not in _BURNED_IN:
        raise _refused("BurnedInAnnotation", "YES or NO", burned_in)
    return Acquisition(
        sop_instance_uid=uids["instance"],
        study_instance_uid=uids["study"],
        series_instance_uid=uids["series"],
        transfer_syntax_uid="",
        date=_taken(found, "ContentDate") or date,
        time=_taken(found, "ContentTime") or moment,
        timezone_offset=_taken(found, "TimezoneOffsetFromUTC") or offset,
        instance_number=_whole(_taken(found, "InstanceNumber") or "1"),
        burned_in_annotation=_BURNED_IN[burned_in],
        image_type=tuple(filter(None, _taken(found, "ImageType").split("\\"))),
        patient_orientation=(row, column) if orientation else None,
        comments=_taken(found, "ImageComments"),
        created=(date, moment),
        capture=CaptureFacts(_chosen(conversion, _WORKSTATION, "ConversionType", assumed)),
    )


def _taken(found: DataSet, key: int | str) -> str:
    """The text of an Attribute that building writes itself; it is no longer in ``found`` then."""
    text = found.text(key)
    if key in found:
        if not text and key not in _MAY_BE_EMPTY:
            raise _refused(key, "not empty; without it a value is chosen", "")
        del found[key]
    return text


def _whole(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) <= MAX_INSTANCE_NUMBER):
        raise _refused("InstanceNumber", f"a whole number up to {MAX_INSTANCE_NUMBER}", text)
    return int(text)


def _refused(key: int | str, allowed: str, value: str) -> UsageError:
    from agent.dataset import dictionary

    keyword = key if isinstance(key, str) else dictionary.keyword_of(key)
    return UsageError(
        f"{keyword} is {allowed}; {value!r} was given",
        hint=f"Give --set {keyword}=VALUE, or correct it in the file of --attributes.",
    )


def _chosen(value: str, default: str, name: str, assumed: list[str]) -> str:
    if not value:
        assumed.append(f"{name} {default}")
    return value or default


def _split(text: str) -> tuple[str, str]:
    keyword, equals, value = text.partition("=")
    if not equals or not keyword:
        raise UsageError(f"--set takes KEYWORD=VALUE, not {text!r}")
    return keyword, value


def _from_file(path: str) -> DataSet:
    from agent.media.json_model import from_json

    found = parsed_json(path)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]  # as 'dump --json' prints it
    if not isinstance(found, dict):
        raise InputError(f"{path} is no object of Attributes", hint=_JSON_HINT)
    try:
        return from_json(found)
    except DecodeError as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from None
