"""Exposure events into a dose report: what is read, what is summed, what is refused."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from fakes.exposures import CONTEXT_OF_DOSE, exposures
from fakes.instances import acquisition

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import dose_events, dose_report, modules
from agent.iod.dose_report import DoseReport


def read(found: Any) -> DoseReport:
    numbers = itertools.count()
    return dose_events.read(json.loads(json.dumps(found), parse_float=Decimal), lambda: f"2.25.{next(numbers)}")


def built(found: Any) -> DataSet:
    return dose_report.build(read(found), context=CONTEXT_OF_DOSE, acquisition=acquisition("sc", anatomy=None))


def numbers_of(item: DataSet) -> dict[str, str]:
    """Meaning -> numeric value of the items below a container."""
    found = {}
    for child in item.items_of("ContentSequence"):
        name = child.items_of("ConceptNameCodeSequence")[0].text("CodeMeaning")
        for measured in child.items_of("MeasuredValueSequence"):
            found[name] = measured.text("NumericValue")
    return found


def containers(ds: DataSet, code: str) -> list[DataSet]:
    return [
        item
        for item in ds.items_of("ContentSequence")
        if item.items_of("ConceptNameCodeSequence")[0].text("CodeValue") == code
    ]


def test_the_report_has_no_finding() -> None:
    ds = built(exposures())
    assert modules.check(ds) == []
    assert ds.text("Modality") == "SR"
    assert ds.text("CompletionFlag") == "COMPLETE"
    assert ds.items_of("ContentTemplateSequence")[0].text("TemplateIdentifier") == "10001"


def test_numbers_are_those_that_came_in_in_the_units_of_the_template() -> None:
    events = containers(built(exposures()), "113706")
    first, second = numbers_of(events[0]), numbers_of(events[1])
    assert first["Dose Area Product"] == "0.0000125"  # 1.25 dGy.cm2
    assert first["Exposure"] == "1984"  # 1.984 mAs
    assert first["KVP"] == "110"
    assert second["Dose Area Product"] == "0.0000123456789"
    assert second["Dose (RP)"] == "0.000731"
    assert second["Exposure Time"] == "1234.5"


def test_totals_are_exact_sums_of_one_plane() -> None:
    total = numbers_of(containers(built(exposures()), "113702")[0])
    assert total["Dose Area Product Total"] == "0.0000248456789"
    assert total["Fluoro Dose Area Product Total"] == "0.0000123456789"
    assert total["Acquisition Dose Area Product Total"] == "0.0000125"
    assert total["Total Fluoro Time"] == "12.7"
    assert total["Total Number of Radiographic Frames"] == "1"
    assert "Dose (RP) Total" not in total  # the first event has none
    ten = exposures()
    ten["events"] = [{**ten["events"][0], "dose_area_product_dgycm2": 0.1}] * 10
    assert numbers_of(containers(built(ten), "113702")[0])["Dose Area Product Total"] == "0.00001"


def test_a_total_with_an_unknown_summand_is_unknown() -> None:
    found = exposures()
    del found["events"][0]["dose_area_product_dgycm2"]
    ds = built(found)
    assert "Dose Area Product Total" not in numbers_of(containers(ds, "113702")[0])
    assert modules.check(ds) == []


def test_each_plane_is_accumulated_alone() -> None:
    found = exposures()
    found["events"][0]["plane"], found["events"][1]["plane"] = "Plane A", "plane b"
    totals = [numbers_of(one)["Dose Area Product Total"] for one in containers(built(found), "113702")]
    assert totals == ["0.0000125", "0.0000123456789"]


def test_doses_at_different_points_do_not_add_up() -> None:
    found = exposures()
    found["events"][0].update(dose_rp_mgy=0.1, reference_point="In Detector Plane")
    assert "Dose (RP) Total" not in numbers_of(containers(built(found), "113702")[0])
    found["events"][0]["reference_point"] = found["events"][1]["reference_point"]
    assert numbers_of(containers(built(found), "113702")[0])["Dose (RP) Total"] == "0.000831"


@pytest.mark.parametrize(("key", "place"), [("kvp", "113943"), ("distance_source_to_detector_mm", "113944")])
def test_data_are_available_when_an_event_has_them(key: str, place: str) -> None:
    found = exposures()
    mandatory = {"started", "type", "target_region", "dose_area_product_dgycm2"}
    found["events"] = [{name: value for name, value in found["events"][0].items() if name in {*mandatory, key}}]

    def said() -> str:
        return containers(built(found), place)[0].items_of("ConceptCodeSequence")[0].text("CodeMeaning")

    assert said() == "Yes"
    assert modules.check(built(found)) == []
    del found["events"][0][key]
    assert said() == "No"
    assert modules.check(built(found)) == []


def test_what_a_template_demands_and_nobody_knows_is_a_number_without_value() -> None:
    found = exposures()
    found["events"] = [{**found["events"][0], "fluoro_mode": "Pulsed"}]
    for key in ("exposure_mas", "exposure_time_ms", "tube_current_ma", "number_of_pulses", "irradiation_duration_s"):
        del found["events"][0][key]
    ds = built(found)
    event, total = containers(ds, "113706")[0], containers(ds, "113702")[0]
    for item, codes in (
        (event, ("113738", "113791", "113768", "113734", "113824")),
        (total, ("113725", "113729", "113855")),
    ):
        for code in codes:
            assert containers(item, code)[0].items_of("MeasuredValueSequence") == [], code
            assert containers(item, code)[0].items_of("NumericValueQualifierCodeSequence")
        assert containers(item, "113780")[0].text("TextValue") == "Not known"
    assert modules.check(ds) == []


def test_both_planes_of_a_biplane_system_are_accumulated() -> None:
    found = exposures()
    for event in found["events"]:
        event["plane"] = "Plane B"
    ds = built(found)
    totals = [numbers_of(one) for one in containers(ds, "113702")]
    assert [total["Dose Area Product Total"] for total in totals] == ["0.0000248456789", "0"]
    assert totals[1]["Total Fluoro Time"] == "0"
    assert modules.check(ds) == []


def test_a_report_from_mpps_says_only_what_it_knows() -> None:
    found = {**exposures(), "source": "MPPS Content"}
    found["events"] = found["events"][:1]
    ds = built(found)
    assert containers(containers(ds, "113702")[0], "113725") == []
    assert containers(containers(ds, "113706")[0], "113738") == []
    assert modules.check(ds) == []


def test_the_uid_of_a_device_is_its_own_and_always_the_same() -> None:
    device = read(exposures()).device
    assert device.observer_uid() == device.observer_uid()
    assert uid.is_valid_uid(device.observer_uid())
    assert device.observer_uid() != device._replace(serial_number="78").observer_uid()
    assert device._replace(uid="1.2.3").observer_uid() == "1.2.3"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kvpp": 1}, "unknown key 'kvpp'; did you mean kvp"),
        ({"kvp": "110"}, "event 1 kvp is no number"),
        ({"kvp": True}, "event 1 kvp is no number"),
        ({"kvp": -1}, "event 1 kvp is negative"),
        ({"kvp": 1e300}, "at most 16 digits"),
        ({"kvp": 12345678901234567}, "at most 16 digits"),
        ({"kvp": 110000}, "event 1 kvp is beyond 1000 kV"),
        ({"dose_area_product_dgycm2": 125000}, "dgycm2 is beyond 1 Gy.m2"),
        ({"dose_rp_gy": 731, "reference_point": "At Surface of Patient"}, "dose_rp_gy is beyond 100 Gy"),
        ({"deviation_index": -101}, "deviation_index is beyond 100"),
        ({"number_of_pulses": 1.5}, "event 1 number_of_pulses is no whole number"),
        ({"type": "CT"}, "event 1 type: 'CT' is not in CID 10002"),
        ({"type": ""}, "event 1 lacks type"),
        ({"target_region": "ELSEWHERE"}, "event 1 target_region: body part"),
        ({"filter_material": "Wood"}, "is none of Copper"),
        ({"exposure_uas": 3}, "event 1 says exposure twice"),
        ({"dose_rp_gy": 1}, "event 1 has a dose at the reference point"),
        ({"comment": 3}, "comment is no text"),
        ({"plane": 3}, "plane: plane is no text"),
    ],
)
def test_events_that_are_refused(change: dict[str, Any], text: str) -> None:
    found = exposures()
    found["events"][0].update(change)
    with pytest.raises(IodError, match=text.replace("(", r"\(")):
        built(found)


def test_every_quantity_has_a_bound() -> None:
    assert dose_events.BOUNDS.keys() == {name for name, _ in dose_events.QUANTITIES.values()}
    found = exposures()
    found["events"][0].update(kvp=1000, number_of_pulses=2.0, tube_current_ma=10_000)
    assert read(found).events[0].kvp == 1000


def test_two_events_are_not_one() -> None:
    found = exposures()
    for event in found["events"]:
        event["uid"] = "1.2.3"
    with pytest.raises(IodError, match="event 2 has the uid of event 1"):
        read(found)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ([], "array"),
        ({}, "array"),
        ({"events": []}, "1 to 10000 exposure events, not 0"),
        ({"events": [3], "device": {}}, "event 1 is no object"),
        ({"events": [{}], "device": {}}, "event 1 lacks started, type, target_region"),
        ({**exposures(), "device": None}, "device"),
        ({**exposures(), "device": {"manufacturer": "A"}}, "device lacks model, serial_number, software_versions"),
        ({**exposures(), "intent": "Fun"}, "CID 3629"),
        ({**exposures(), "sauce": ""}, "unknown key 'sauce'; did you mean source"),
    ],
)
def test_reports_that_are_refused(found: Any, text: str) -> None:
    with pytest.raises(IodError, match=text):
        read(found)
