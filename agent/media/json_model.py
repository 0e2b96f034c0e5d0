"""A Data Set as JSON and back (PS3.18 Annex F).

``{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOE^JANE"}]}, ...}``: tags in ascending order, without group
lengths; text is Unicode, so that Specific Character Set says ISO_IR 192 where it says anything.

Read is what this page writes, and what a person would rather type: a keyword in place of a tag, no ``vr`` where the
dictionary knows it, and a bare value in place of the object, as in ``{"PatientName": "DOE^JANE", "Rows": 512}``.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64

from agent.dataset import dictionary
from agent.dataset.dataset import DataSet
from agent.dataset.tag import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET, is_group_length, is_private
from agent.dataset.values import Element, Fragments, Reference, Scalar, Value
from agent.dataset.vr import BYTES, NUMBER, TAG, VRS, choose, is_ambiguous
from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# As many sequences inside sequences as ``decode`` accepts; the parser of JSON has its own bound before this one.
MAX_DEPTH: Final = 16
_NAME_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_HEXADECIMAL: Final = frozenset("0123456789ABCDEFabcdef")
_REAL: Final = frozenset({"FL", "FD"})
_KEYWORD_HINT: Final = "Keywords are those of PS3.6, such as PatientID; 'modality-agent dump' shows them."
_HINT: Final = "PS3.18 Annex F describes the JSON of a Data Set; 'modality-agent dump --json' prints examples."


def to_json(dataset: DataSet, *, bulk_uri: Callable[[Element], str | None] | None = None) -> dict[str, Any]:
    """The Data Set as an object for ``json.dumps``.

    Args:
        dataset: What to show.
        bulk_uri: Asked for every element whose value would be ``InlineBinary`` or was left on disk; the URI that stands
            for the value, or None to have it inline. What cannot be inline (encapsulated Pixel Data, what was left on
            disk) is empty without one.
    """
    return _object_of(dataset, None, bulk_uri)


def from_json(found: Mapping[str, Any]) -> DataSet:
    """The Data Set that an object describes.

    Raises:
        DecodeError: It is not of the DICOM JSON Model; names the tag.
    """
    return _data_set_of(found, 0)


# --- writing ------------------------------------------------------------------------------------


def _object_of(dataset: DataSet, outer: Value, bulk_uri: Callable[[Element], str | None] | None) -> dict[str, Any]:
    representation = dataset.get(PIXEL_REPRESENTATION, outer)
    made: dict[str, Any] = {}
    for element in dataset:
        if is_group_length(element.tag):
            continue
        vr = element.vr
        if is_ambiguous(vr):
            vr = choose(vr, element.value, signed=representation == 1, wide=True)
        made[f"{element.tag:08X}"] = _attribute(element._replace(vr=vr), representation, bulk_uri)
    return made


def _attribute(
    element: Element, representation: Value, bulk_uri: Callable[[Element], str | None] | None
) -> dict[str, Any]:
    value, row = element.value, VRS.get(element.vr)
    if element.tag == SPECIFIC_CHARACTER_SET and element.vr == "CS" and value is not None:
        return {"vr": element.vr, "Value": ["ISO_IR 192"]}
    if element.vr == "SQ":
        items = value if isinstance(value, list) else []
        shown = [_object_of(item, representation, bulk_uri) for item in items if isinstance(item, DataSet)]
        return {"vr": "SQ", "Value": shown} if shown else {"vr": "SQ"}
    if isinstance(value, Reference):
        return _binary(element, bulk_uri)
    if row is None or row.kind is BYTES or isinstance(value, bytes | bytearray | memoryview | Fragments):
        return _binary(element if row is not None and row.kind is BYTES else element._replace(vr="UN"), bulk_uri)
    values = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return {"vr": element.vr, "Value": [_scalar(element.vr, one) for one in values]} if values else {"vr": element.vr}


def _binary(element: Element, bulk_uri: Callable[[Element], str | None] | None) -> dict[str, Any]:
    value = element.value
    if not value:
        return {"vr": element.vr}
    uri = bulk_uri(element) if bulk_uri is not None else None
    if uri is not None:
        return {"vr": element.vr, "BulkDataURI": uri}
    if not isinstance(value, bytes | bytearray | memoryview):
        return {"vr": element.vr}
    return {"vr": element.vr, "InlineBinary": b2a_base64(value, newline=False).decode()}


def _scalar(vr: str, value: object) -> Any:
    if vr == "PN":
        groups = zip(_NAME_GROUPS, str(value).split("="), strict=False)
        return {name: group for name, group in groups if group} or None
    if vr == "AT" and isinstance(value, int):
        return f"{value:08X}"
    if isinstance(value, float) and value - value != 0:  # no number: JSON has no word for it
        return {"inf": "inf", "-inf": "-inf"}.get(repr(value), "NaN")
    return None if value == "" else value


# --- reading ------------------------------------------------------------------------------------


def _data_set_of(found: object, depth: int) -> DataSet:
    if not isinstance(found, dict):
        raise DecodeError(f"a Data Set is an object, not {_kind(found)}", hint=_HINT)
    if depth > MAX_DEPTH:
        raise LimitError(f"sequences are nested more than {MAX_DEPTH} deep")
    made = DataSet()
    for key, attribute in found.items():
        tag = _tag_of(key)
        if tag in made.stored:
            raise DecodeError("the element occurs twice", tag=tag, hint=_HINT)
        try:
            made.stored[tag] = _element_of(tag, attribute, depth)
        except LimitError:
            raise
        except DecodeError as error:
            raise (error if error.tag is not None else DecodeError(error.message, tag=tag, hint=_HINT)) from None
    return made


def _tag_of(key: object) -> int:
    text = str(key)
    if len(text) == 8 and _HEXADECIMAL.issuperset(text):
        return int(text, 16)
    try:
        return dictionary.tag_for(text)
    except KeyError:
        raise DecodeError(
            f"{text[:80]!r} is neither a tag of eight hexadecimal digits nor a keyword", hint=_KEYWORD_HINT
        ) from None


def _element_of(tag: int, attribute: object, depth: int) -> Element:
    if not isinstance(attribute, dict) or not attribute.keys() <= {"vr", "Value", "InlineBinary", "BulkDataURI"}:
        attribute = {"Value": attribute if isinstance(attribute, list) else [attribute]}
    vr = attribute.get("vr") or dictionary.vr_of(tag)
    if not isinstance(vr, str) or (vr not in VRS and vr != dictionary.vr_of(tag)):
        raise DecodeError(f"{vr!r} is not a Value Representation")
    if "vr" not in attribute and is_private(tag) and vr == "UN":
        raise DecodeError('a private element needs a "vr"')
    if "BulkDataURI" in attribute:
        raise DecodeError("its value is somewhere else, behind a BulkDataURI")
    if "InlineBinary" in attribute:
        return Element(tag, vr, _bytes_of(attribute["InlineBinary"]))
    values = attribute.get("Value", [])
    if not isinstance(values, list):
        raise DecodeError(f'"Value" is an array, not {_kind(values)}')
    if vr == "SQ":
        items = [] if values == [None] else values
        return Element(tag, vr, [_data_set_of(item if item is not None else {}, depth + 1) for item in items])
    read = [_value_of(vr, one) for one in values]
    if not read or read == [""]:
        return Element(tag, vr, None)
    return Element(tag, vr, read[0] if len(read) == 1 else read)


def _bytes_of(text: object) -> bytes:
    if not isinstance(text, str):
        raise DecodeError(f'"InlineBinary" is text, not {_kind(text)}')
    try:
        return a2b_base64(text.encode("ascii"), strict_mode=True) if text else b""
    except (Base64Error, UnicodeEncodeError):
        raise DecodeError('"InlineBinary" is not base64') from None


def _value_of(vr: str, value: object) -> Scalar:
    if value is None:
        return ""
    if vr == "PN" and isinstance(value, dict):
        if not value.keys() <= set(_NAME_GROUPS) or not all(isinstance(one, str) for one in value.values()):
            raise DecodeError(f"a name has the groups {', '.join(_NAME_GROUPS)}")
        return "=".join(value.get(name, "") for name in _NAME_GROUPS).rstrip("=")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DecodeError(f"{vr} cannot hold {_kind(value)}")
    row = VRS.get(vr)
    kind = NUMBER if is_ambiguous(vr) else row.kind if row is not None else BYTES
    if kind is TAG:
        return _tag_of(value)
    if kind is BYTES:
        raise DecodeError(f'{vr} is given as "InlineBinary"')
    if kind is not NUMBER:
        return value
    if isinstance(value, float) and vr not in _REAL and not value.is_integer():
        raise DecodeError(f"{value!r} is not a number of {vr}")
    return _number_of(vr, value) if isinstance(value, str) else value


def _number_of(vr: str, text: str) -> int | float:
    """A number that JSON can only say as text: not a number, infinite, or of 64 bits."""
    try:
        return float(text) if vr in _REAL else int(text)
    except ValueError:
        raise DecodeError(f"{text[:80]!r} is not a number of {vr}") from None


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
