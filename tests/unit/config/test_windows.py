"""Windows of the week, as people write them."""

from __future__ import annotations

import pytest

from agent.config import load, render
from agent.config.windows import DAY_MINUTES, spans
from agent.errors import ConfigError

ROW = '[[destination]]\nname = "a"\ncalled_ae = "A"\nhost = "h"\nsend_windows = {}\n'


def hours(*windows: str) -> str:
    """Each hour of the week from Monday 00:00 as ``#`` (inside) or ``.``, a day a word."""
    found = spans(windows)
    marks = ["#" if any(a <= hour * 60 < b for a, b in found) else "." for hour in range(7 * 24)]
    return " ".join("".join(marks[day * 24 : day * 24 + 24]) for day in range(7))


def test_every_night_goes_over_midnight_and_over_the_week() -> None:
    assert hours("22:00-06:00") == " ".join(["######................##"] * 7)


def test_whole_days() -> None:
    assert hours("Sat,Sun 00:00-24:00") == " ".join(["." * 24] * 5 + ["#" * 24] * 2)


def test_a_window_belongs_to_the_day_it_begins_on() -> None:
    assert hours("Fri 20:00-02:00").split()[4:6] == ["....................####", "##......................"]
    assert hours("Sun 23:00-01:00").split()[0] == "#......................."


def test_ranges_of_days_may_go_over_the_week() -> None:
    assert hours("Sat-Mon 12:00-13:00") == hours("Sat,Sun,Mon 12:00-13:00")
    assert hours("Mon-Fri 00:00-24:00", "Sat-Sun 00:00-24:00") == " ".join(["#" * 24] * 7)
    assert spans(["Mon 00:00-24:00"]) == ((0, DAY_MINUTES),)


@pytest.mark.parametrize(
    ("windows", "why"),
    [
        ('["22-6"]', "'22-6' is no window: HH:MM-HH:MM"),
        ('["22:00-25:00"]', "a time of day that does not exist"),
        ('["24:30-25:00"]', "a time of day that does not exist"),
        ('["08:00-08:00"]', "is empty: a whole day is 00:00-24:00"),
        ('["Sam 08:00-09:00"]', "days are Mon, Tue, Wed, Thu, Fri, Sat, Sun"),
        ('["Mon- 08:00-09:00"]', "days are Mon"),
        ("[5]", "5 in it is not text"),
        ('"22:00-06:00"', "is not an array of text"),
    ],
)
def test_what_is_no_window_is_refused_in_words(windows: str, why: str) -> None:
    with pytest.raises(ConfigError, match=r"agent.toml:5: destination\[0\].send_windows") as error:
        load.parse(ROW.format(windows))
    assert why in str(error.value)


def test_windows_read_back_as_they_were_written() -> None:
    settings = load.parse(ROW.format('["22:00-06:00", "Sat,Sun 00:00-24:00"]'))
    assert settings.destination[0].send_windows == ("22:00-06:00", "Sat,Sun 00:00-24:00")
    assert load.parse(render.in_force(settings)) == settings
