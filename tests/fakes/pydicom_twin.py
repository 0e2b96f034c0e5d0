"""What pydicom read from a file beside what we read: the same tags, VRs and values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pydicom

from agent.dataset.tag import is_group_length, is_private, tag_str
from agent.dataset.values import Fragments

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet


def compare(ours: DataSet, theirs: Any, where: str) -> None:
    """Compare tag by tag, with the few differences in taste written out."""
    tags = [int(element.tag) for element in theirs]
    assert ours.tags() == tags
    for tag in tags:
        element, other = ours.element(tag), theirs[tag]
        place = f"{where} {tag_str(tag)} {other.VR}"
        if element.vr == "SQ":
            assert other.VR == "SQ", place
            for item, reference in zip(ours.items_of(tag), other.value, strict=True):
                compare(item, reference, place)
        elif is_private(tag) and element.vr == "UN":
            continue  # pydicom knows some vendors' elements
        elif isinstance(element.value, Fragments):
            assert b"".join(element.value.fragments) in other.value or len(element.value.fragments) > 1, place
        else:
            assert element.vr == other.VR or (is_private(tag) and is_group_length(tag)), place  # UL (PS3.5 7.2)
            if element.vr != other.VR:
                continue
            assert normal(element.value) == normal(other.value), place


def normal(value: Any) -> Any:
    """A value without the differences of type: lists, numbers as text, insignificant spaces and empty PN groups."""
    if value is None or value == "" or value == b"":
        return None
    if isinstance(value, list | tuple | pydicom.multival.MultiValue):
        return [normal(part) for part in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, bytes):
        return value
    text = str(value).strip(" \0").rstrip("=")
    try:
        return float(text)
    except ValueError:
        return text.replace("\ufffd", "?")
