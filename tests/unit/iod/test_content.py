"""The content tree: decimal strings, templates as data."""

from __future__ import annotations

from decimal import Decimal

import pytest

from agent.errors import IodError
from agent.iod import content
from agent.iod.codes import Code

TEMPLATE = content.rows(
    "m|CODE|DCM:113764|Acquisition Plane|plane|M\n"
    "c|NUM|DCM:122130|Dose Area Product|dap|Gy.m2|M\n"
    "c|NUM|DCM:113738|Dose (RP)|rp|Gy\n"
    "c|CONTAINER|DCM:113771|X-Ray Filters|\n"
    ">c|NUM|DCM:113758|X-Ray Filter Thickness Minimum|filter|mm\n"
    "c|TEXT|DCM:121106|Comment|comment"
)
PLANE = Code("113622", "DCM", "Single Plane")


@pytest.mark.parametrize(
    ("number", "text", "exact"),
    [
        ("0.00001250", "0.0000125", True),
        ("0", "0", True),
        ("-30", "-30", True),
        ("100", "100", True),
        ("123456789012345.6", "123456789012346", False),
        ("1234567890123456", "1234567890123456", True),
        ("12345678901234567", "1.2345678901E16", False),
        ("1E+20", "1E20", True),
        ("1.5E-20", "1.5E-20", True),
        ("0.000000123456789012", "1.23456789012E-7", True),
        ("-0.1234567890123456", "-0.1234567890123", False),
    ],
)
def test_decimal_strings(number: str, text: str, exact: bool) -> None:
    found, same = content.decimal_string(Decimal(number))
    assert len(found) <= 16
    assert (Decimal(found) == Decimal(number)) is exact is same
    if exact:
        assert found == text


def test_a_rounded_number_is_the_nearest_that_fits() -> None:
    found, _ = content.decimal_string(Decimal("0.123456789012345678"))
    assert abs(Decimal(found) - Decimal("0.123456789012345678")) <= Decimal("5E-15")
    with pytest.raises(IodError):
        content.decimal_string(Decimal("NaN"))


def test_only_known_facts_become_items() -> None:
    items = content.fill(TEMPLATE, {"plane": PLANE, "dap": Decimal("1.5")})
    assert [item.name.meaning for item in items] == ["Acquisition Plane", "Dose Area Product"]
    more = content.fill(TEMPLATE, {"plane": PLANE, "dap": Decimal(1), "filter": Decimal(2), "comment": "seen"})
    assert [item.name.meaning for item in more] == [
        "Acquisition Plane",
        "Dose Area Product",
        "X-Ray Filters",
        "Comment",
    ]
    assert more[2].children[0].value == Decimal(2)


def test_a_mandatory_number_is_unknown_and_a_mandatory_code_is_refused() -> None:
    tree = content.root(PLANE, "10001", content.fill(TEMPLATE, {"plane": PLANE}))
    item = tree.items_of("ContentSequence")[1]
    assert item["MeasuredValueSequence"] == []
    assert item.items_of("NumericValueQualifierCodeSequence")[0].text("CodeMeaning") == "Value unknown"
    with pytest.raises(IodError, match="Acquisition Plane is not known"):
        content.fill(TEMPLATE, {"dap": Decimal(1)})


def test_a_number_that_was_rounded_is_there_as_a_float_too() -> None:
    facts = {"plane": PLANE, "dap": Decimal("0.12345678901234567")}
    measured = content.root(PLANE, "1", content.fill(TEMPLATE, facts)).items_of("ContentSequence")[1]
    value = measured.items_of("MeasuredValueSequence")[0]
    assert value.get("FloatingPointValue") == 0.12345678901234567
    assert value.items_of("MeasurementUnitsCodeSequence")[0].text("CodeValue") == "Gy.m2"
    exact = content.root(PLANE, "1", content.fill(TEMPLATE, {"plane": PLANE, "dap": Decimal("0.1")}))
    item = exact.items_of("ContentSequence")[1].items_of("MeasuredValueSequence")[0]
    assert "FloatingPointValue" not in item
    assert item.text("NumericValue") == "0.1"
