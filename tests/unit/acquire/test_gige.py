"""Agreeing with a camera: what is asked, in which order, and that nothing but what was asked for is accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.acquire import gige
from agent.acquire.gige import address_of, is_address, open_gige
from agent.config.source import parse_source
from agent.errors import DeviceError
from agent.native.gige import Found, Number


class Fake:
    """A camera in memory; `asked` is what was set, in order."""

    def __init__(self, address: str, interface: str = "", name: str = "") -> None:
        self.name = name
        self.asked: list[tuple[str, object]] = [("connect", (address, interface))]
        self.numbers = {
            "columns": Number(512, 64, 2048, 16),
            "rows": Number(512, 64, 2048, 2),
            "x": Number(0, 0, 1536, 16),
            "y": Number(0, 0, 1536, 2),
            "rate_hz": Number(25, 1, 60, 0),
            "exposure_us": Number(10000, 10, 1e6, 0),
            "packet_bytes": Number(1500, 576, 9000, 4),
        }
        self.features = {
            "PixelFormat": ("Mono8", ["Mono8", "Mono16", "Mono12Packed"]),
            "TriggerSource": ("Line0", ["Software", "Line0", "Line1"]),
            "TriggerSelector": ("FrameStart", ["FrameStart", "ExposureActive"]),
        }
        self.deaf: set[str] = set()
        FAKES.append(self)

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *_: object) -> None:
        self.asked.append(("close", None))

    def number(self, quantity: str) -> Number | None:
        return self.numbers.get(quantity)

    def set_number(self, quantity: str, value: float) -> None:
        self.asked.append((quantity, value))
        now = self.numbers[quantity]
        if quantity not in self.deaf:
            kept = min(max(value, now.low), now.high)
            self.numbers[quantity] = now._replace(value=kept - kept % now.step if now.step else kept)

    def word(self, feature: str) -> str | None:
        return self.features[feature][0] if feature in self.features else None

    def set_word(self, feature: str, text: str) -> None:
        self.asked.append((feature, text))
        if feature in self.features and feature not in self.deaf:
            self.features[feature] = (text, self.features[feature][1])

    def words(self, feature: str) -> Iterator[str]:
        yield from self.features.get(feature, ("", []))[1]

    def trigger(self, source: str = "") -> None:
        self.asked.append(("trigger", source))

    def source(self, **how: object) -> str:
        self.asked.append(("source", how))
        return "a source"


FAKES: list[Fake] = []


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    FAKES.clear()
    monkeypatch.setattr(gige, "Camera", Fake)
    cameras = [Found("Vendor-Model-77", "10.0.0.7", "02:00:00:00:00:07", "Vendor", "Model", "77")]
    monkeypatch.setattr(gige, "found", lambda: cameras)


def asked(options: str, what: str = "10.0.0.7") -> list[tuple[str, object]]:
    assert open_gige(parse_source(f"gige:{what}{options and '?'}{options}")) == "a source"  # type: ignore[comparison-overlap]
    assert FAKES[-1].asked[0] == ("connect", ("10.0.0.7", ""))
    assert FAKES[-1].asked[-1] == ("close", None)
    return FAKES[-1].asked[1:-1]


HOW = {"software_hz": 0.0, "by_line": False, "rate_hz": 0.0}


def test_what_is_not_asked_for_stays_as_it_is() -> None:
    assert asked("") == [("trigger", ""), ("source", HOW)]


def test_the_order_is_one_that_cameras_can_follow() -> None:
    assert asked("rate_hz=30&y=2&x=16&rows=1024&columns=1024&format=Mono16&packet_bytes=8000&exposure_us=500") == [
        ("PixelFormat", "Mono16"),
        ("x", 0), ("y", 0), ("columns", 1024), ("rows", 1024), ("x", 16), ("y", 2),
        ("packet_bytes", 8000),
        ("trigger", ""),
        ("rate_hz", 30),
        ("exposure_us", 500),
        ("source", {**HOW, "rate_hz": 30}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("trigger", "rate", "steps"),
    [
        ("software", "", [("trigger", "Software"), ("source", {**HOW, "software_hz": 1.0})]),
        ("software", "&rate_hz=5", [("trigger", "Software"), ("source", {**HOW, "software_hz": 5, "rate_hz": 5})]),
        ("hardware:Line1", "", [("trigger", "Line1"), ("source", {**HOW, "by_line": True})]),
        (
            "exposure:Line1",
            "",
            [
                ("trigger", "Line1"),
                ("trigger", ""),
                ("TriggerSelector", "ExposureActive"),
                ("TriggerMode", "On"),
                ("TriggerSource", "Line1"),
                ("source", {**HOW, "by_line": True}),
            ],
        ),
    ],
)
def test_triggers(trigger: str, rate: str, steps: list[tuple[str, object]]) -> None:
    assert asked(f"trigger={trigger}{rate}") == [("trigger", ""), *steps]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("format=Mono10", "it has no pixel format 'Mono10'; it has Mono8, Mono16, Mono12Packed"),
        ("columns=1000", "asked for columns=1000, it took 992; it can be 64 to 2048 in steps of 16"),
        ("rows=4000", "asked for rows=4000; it can be 64 to 2048 in steps of 2"),
        ("rate_hz=100", "asked for rate_hz=100; it can be 1 to 60"),
        ("gain=3", "asked for gain=3, it cannot be told"),
        ("trigger=hardware:Line7", "it has no trigger 'Line7'; it has Software, Line0, Line1"),
    ],
)
def test_what_does_not_come_is_refused(options: str, says: str) -> None:
    with pytest.raises(DeviceError, match=says) as error:
        asked(options)
    assert str(error.value).startswith("gige 10.0.0.7: ")
    assert FAKES[-1].asked[-1] == ("close", None)


def test_a_camera_that_says_yes_and_does_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fake, "set_word", lambda *_: None)
    with pytest.raises(DeviceError, match="asked for pixel format Mono16, it took Mono8"):
        asked("format=Mono16")


def test_an_exposure_by_line_needs_a_camera_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Fake.__init__

    def without(self: Fake, *args: str) -> None:
        plain(self, *args)
        self.features["TriggerSelector"] = ("FrameStart", ["FrameStart"])

    monkeypatch.setattr(Fake, "__init__", without)
    with pytest.raises(DeviceError, match="it cannot be exposed by a line"):
        asked("trigger=exposure:Line1")


@pytest.mark.parametrize("name", ["10.0.0.7", "Vendor-Model-77", "vendor-model-77", "77", "02:00:00:00:00:07"])
def test_a_camera_is_found_by_any_of_its_names(name: str) -> None:
    assert address_of(name) == "10.0.0.7"


def test_who_does_not_answer_is_said_with_those_who_do() -> None:
    with pytest.raises(DeviceError, match="no such camera; those that answer: Vendor-Model-77; did you mean"):
        address_of("Vendor-Model-78")


def test_addresses() -> None:
    assert [name for name in ("1.2.3.4", "1.2.3", "1.2.3.256", "1.2.3.x", "a.b.c.d") if is_address(name)] == ["1.2.3.4"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("trigger=hardware", "must be one of free, software, hardware:NAME, exposure:NAME, not 'hardware'"),
        ("trigger=hardware:", "must be one of free"),
        ("trigger=line:1", "must be one of free"),
        ("columns=70000", "from 0 to 65535"),
        ("depth=3", "'gige:' has no option 'depth'"),
    ],
)
def test_mistakes_are_found_when_the_configuration_is_read(options: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_source(f"gige:10.0.0.7?{options}")
