"""``calibrate``: typed places in, a template out; what a pixel is worth, how well that is known, and every slip."""

from __future__ import annotations

import json
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from agent.acquire.region_template import load
from agent.app.calibrate_measure import ACROSS, DOWN, chosen, compared, distance, ticks
from agent.app.calibrate_picture import MARK, PLACE, REGION, SCALE, scale, step_of
from agent.app.cli import main
from agent.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 240, 320
MM = 0.4  # of a pixel of the scanner, both ways
TICKS = range(20, 221, 25)  # a tick each centimetre, at column 300
MARK_AT = (4, 270, 10, 40)
Out = pytest.CaptureFixture[str]


def screen(seed: int = 1) -> np.ndarray[Any, Any]:
    """A dark picture with a depth scale, a mark, and two crosses 40 mm right and 60 mm down of each other."""
    rng = np.random.default_rng(seed)
    made = rng.integers(0, 40, (ROWS, COLUMNS, 3), dtype=np.uint8)
    for row in TICKS:
        made[row, 298:306] = 250
    top, left, rows, columns = MARK_AT
    made[top : top + rows, left : left + columns] = np.random.default_rng(9).integers(0, 2, (rows, columns, 1)) * 220
    made[60, 50] = made[210, 150] = 255
    return made


@pytest.fixture
def frame(tmp_path: Path) -> str:
    path = tmp_path / "frame.png"
    Image.fromarray(screen()).save(path)
    return str(path)


WHOLE = ("--region", "20,20,200,240", "--ticks-down", "20,45,70,95,120,145,170,195,220=1cm", "--square")
MARKED = ("--mark", "4,270,10,40", "--model", "SonoX 3, 9 cm")


def test_a_template_measures_what_is_known_through_a_capture(frame: str, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "9cm.toml"
    assert main(["calibrate", frame, *WHOLE, *MARKED, "-o", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "a pixel is 0.4 mm +- 0.0027 (0.67 %) wide, 0.4 mm +- 0.0027 (0.67 %) high",
        "X and Y agree within 1.3%: pixels may be square",
        "region 20,20,200,240 (tissue): 9.6 cm wide, 8 cm high",
        f"{path}: 1 region, 1 mark",
    ]
    assert err == ""
    [made] = load(str(path))
    assert (made.model, made.rows, made.columns) == ("SonoX 3, 9 cm", ROWS, COLUMNS)
    words = ["--source", f"replay:{frame}", "--sop-class", "us", "--set", f"calibration={path}"]
    assert main(["capture", *words, "-o", str(tmp_path / "a.dcm")]) == 0
    assert "regions calibrated by 9cm.toml" in capsys.readouterr().out
    ds = dcmread(tmp_path / "a.dcm")
    [region] = ds.SequenceOfUltrasoundRegions
    [first, second] = np.argwhere((ds.pixel_array == 255).all(axis=2))
    down, right = (second - first) * (region.PhysicalDeltaY, region.PhysicalDeltaX) * 10
    assert hypot(down, right) == pytest.approx(hypot(60, 40))
    assert main(["calibrate", frame, *WHOLE, *MARKED, "-o", str(path)]) == 3
    assert "already exists" in capsys.readouterr().err


def test_without_a_file_the_template_goes_to_stdout_and_the_rest_to_stderr(
    frame: str, tmp_path: Path, capsys: Out
) -> None:
    assert main(["calibrate", frame, *WHOLE]) == 0
    out, err = capsys.readouterr()
    path = tmp_path / "a.toml"
    path.write_text(out)
    with pytest.raises(ConfigError, match="has no mark"):
        load(str(path))
    path.write_text(out.replace("fixed_depth = false", "fixed_depth = true"))
    assert load(str(path))[0].marks == ()
    assert "note: there is no mark, and nobody would notice when depth or zoom are others" in err
    assert "note: --model names scanner and setting" in err
    assert main(["calibrate", frame, *WHOLE, *MARKED, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["delta_y"]["value"] == pytest.approx(MM / 10)
    assert facts["delta_y"]["unit"] == "cm"
    assert facts["square"]["agrees"] is True
    assert facts["marks"] == [{"rectangle": "4,270,10,40", "tolerance": 0}]
    assert facts["notes"] == []
    (tmp_path / "b.toml").write_text(facts["template"])
    assert load(str(tmp_path / "b.toml"))[0].regions[0].delta_x == facts["delta_x"]["value"]


def test_a_stretched_picture_is_said_and_is_not_square(frame: str, capsys: Out) -> None:
    words = ["--region", "20,20,200,240", "--across", "60,50-60,150=44", "--down", "60,50-210,50=60"]
    assert main(["calibrate", frame, *words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["delta_x"]["value"], facts["delta_y"]["value"]) == (pytest.approx(0.044), pytest.approx(0.04))
    assert facts["square"] == {"ratio": 1.1, "bound": pytest.approx(1.1 * (1 / 100 + 1 / 150), abs=1e-6),
                               "agrees": False}  # fmt: skip
    assert "X and Y differ by 10.0%, and the places explain 1.8%" in facts["notes"][0]
    assert main(["calibrate", frame, *words, "--square"]) == 2
    assert "--square: a pixel is 0.44 mm" in capsys.readouterr().err


def test_m_mode_and_spectra_are_put_to_a_template(frame: str, tmp_path: Path, capsys: Out) -> None:
    one, two, three = (str(tmp_path / f"{number}.toml") for number in range(3))
    assert main(["calibrate", frame, *WHOLE, *MARKED, "-o", one]) == 0
    strip = [
        "--region", "100,20,60,240", "--kind", "m-mode", "--across", "110,20-110,220=2s", "--down", "100,30-150,30=20",
    ]  # fmt: skip
    assert main(["calibrate", frame, "--add", one, *strip, "-o", two]) == 0
    doppler = ["--region", "160,20,60,240", "--kind", "pw-doppler", "--across", "170,20-170,220=2000ms", "--down",
               "160,30-210,30=1m/s", "--baseline", "200"]  # fmt: skip
    assert main(["calibrate", frame, "--add", two, *doppler, "-o", three]) == 0
    capsys.readouterr()
    [made] = load(three)
    assert (made.model, len(made.marks)) == ("SonoX 3, 9 cm", 1)
    flat, moving, spectral = made.regions
    assert (moving.delta_x, moving.delta_y, moving.units_x) == (pytest.approx(0.01), pytest.approx(0.04), 4)
    assert (spectral.delta_x, spectral.delta_y, spectral.units_y) == (pytest.approx(0.01), pytest.approx(-2.0), 7)
    assert (spectral.reference_y, spectral.reference_value_y) == (40, 0.0)
    assert flat.spatial_format == 1
    assert main(["calibrate", frame, *doppler[:-2], "--down", "160,30-210,30=5kHz"]) == 2
    assert main(["calibrate", frame, *doppler[:-1], "x"]) == 2
    assert main(["calibrate", frame, "--region", "160,20,60,240", "--kind", "cw-doppler", "--across",
                 "170,20-170,220=2s", "--down", "160,30-210,30=5kHz", "--baseline", "200"]) == 0  # fmt: skip
    assert 'flags = ["doppler-frequency"]' in capsys.readouterr().out
    small = tmp_path / "small.png"
    Image.fromarray(screen()[:200]).save(small)
    assert main(["calibrate", str(small), "--add", one, *strip]) == 2
    assert "is for frames of 240 rows" in capsys.readouterr().err


def test_ticks_are_suggested_and_given_back(frame: str, tmp_path: Path, capsys: Out) -> None:
    assert main(["calibrate", frame, "--find-ticks", "16,296,224,12", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["ticks"] == list(TICKS)
    picture = tmp_path / "ticks.png"
    assert main(["calibrate", frame, "--find-ticks", "16,296,224,12", "--preview", str(picture)]) == 0
    said, option = capsys.readouterr().out.splitlines()
    assert said.startswith("9 ticks, 25.00 pixels apart; compare them with the picture")
    assert option == "--ticks-down 20,45,70,95,120,145,170,195,220=LENGTH"
    assert (np.asarray(Image.open(picture))[20, 296:308] == PLACE).all()
    assert main(["calibrate", frame, "--find-ticks", "16,20,224,12"]) == 4  # speckle
    assert main(["calibrate", frame, "--find-ticks", "16,296,224,12", "-o", "x.toml"]) == 2
    turned = tmp_path / "turned.png"
    Image.fromarray(screen().transpose(1, 0, 2).copy()[..., 0]).save(turned)
    assert main(["calibrate", str(turned), "--find-ticks", "296,16,12,224"]) == 0
    assert "--ticks-across 20,45,70" in capsys.readouterr().out


@pytest.mark.parametrize("spoil", ["one is gone", "a cursor", "thick", "faint"])
def test_ticks_that_are_not_even_are_no_suggestion(tmp_path: Path, capsys: Out, spoil: str) -> None:
    made = screen()
    if spoil == "one is gone":
        made[95, 298:306] = 20
    elif spoil == "a cursor":
        made[130, 296:308] = 255
    elif spoil == "thick":
        made[95:103, 298:306] = 250
    else:
        made[:, 298:306] //= 10
    path = tmp_path / "a.png"
    Image.fromarray(made).save(path)
    assert main(["calibrate", str(path), "--find-ticks", "16,296,224,12"]) == 4
    assert "no ticks that lie evenly" in capsys.readouterr().err


def test_a_frame_is_recognised_or_how_far_it_is_off_is_said(frame: str, tmp_path: Path, capsys: Out) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    assert main(["calibrate", frame, *WHOLE, *MARKED, "-o", str(folder / "9cm.toml")]) == 0
    other = tmp_path / "other.png"
    made = screen(2)
    made[8, 280, 1] ^= 3
    Image.fromarray(made).save(other)
    capsys.readouterr()
    assert main(["calibrate", frame, "--against", str(folder)]) == 0
    assert capsys.readouterr().out == "9cm.toml: recognised: mark 1 is off by 0 (tolerance 0)\n"
    assert main(["calibrate", str(other), "--against", str(folder)]) == 4
    out, err = capsys.readouterr()
    assert out == "9cm.toml: not recognised: mark 1 is off by 3 (tolerance 0)\n"
    assert "no template is recognised: an instance of this frame would have no regions" in err
    assert main(["calibrate", frame, *WHOLE, *MARKED, "--tolerance", "5", "-o", str(tmp_path / "t5.toml")]) == 0
    capsys.readouterr()
    assert main(["calibrate", str(other), "--against", str(tmp_path / "t5.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chosen"] == "t5.toml"
    Image.fromarray(made[:100]).save(other.with_name("small.png"))
    assert main(["calibrate", str(other.with_name("small.png")), "--against", str(folder)]) == 4
    assert "9cm.toml is for frames of 240 rows" in capsys.readouterr().out


def test_the_preview_shows_regions_marks_places_and_their_scale(frame: str, tmp_path: Path) -> None:
    path = tmp_path / "preview.png"
    words = [*WHOLE[:2], *MARKED, "--down", "60,50-210,50=60", "--square", "--preview", str(path)]
    assert main(["calibrate", frame, *words, "-o", str(tmp_path / "a.toml")]) == 0
    drawn = np.asarray(Image.open(path))
    assert drawn.shape == (ROWS, COLUMNS, 3)
    assert (drawn[20, 20:44] == REGION).all()
    assert (drawn[219, 20:260:50] == REGION).all()
    assert (drawn[4, 270:310] == MARK).all()
    assert (drawn[56:65, 50] == PLACE).all()
    # 5 mm are 12.5 pixels: a tick each, every fifth long
    assert [row for row in range(21, 120) if (drawn[row, 21:26] == SCALE).all()] == [32, 45, 58, 70, 82, 95, 108]
    assert [row for row in range(21, 120) if (drawn[row, 21:31] == SCALE).all()] == [82]
    changed = (drawn != screen()).any(axis=2)
    assert not changed[225:, :].any()  # nothing is drawn where nothing is


def test_a_source_is_asked_by_name_before_its_pixel_path(tmp_path: Path, capsys: Out) -> None:
    config = tmp_path / "agent.toml"
    config.write_text('[[source]]\nname = "probe"\nuri = "pattern:us-rgb?rows=240&columns=320"\nsop_class = "us"\n'
                      'crop = "0,0,100,100"\nblackout = ["0,0,100,100"]\n')  # fmt: skip
    words = ["--region", "0,0,200,300", "--down", "10,10-210,10=50", "--square", "--config", str(config)]
    assert main(["calibrate", "probe", *words, "--mark", "0,0,40,40"]) == 0
    assert "rows = 240\ncolumns = 320\n" in capsys.readouterr().out
    assert main(["calibrate", "pattern:us-mono?rows=240&columns=320", *words]) == 0
    assert main(["calibrate", "nobody", *words]) == 4
    assert "'nobody' is no file and no configured source; there are: probe" in capsys.readouterr().err
    assert main(["calibrate", "/no/where.png", *words]) == 41
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--region", "0,0,9,9"), "--across is missing"),
        (("--region", "0,0,9,9", "--across", "0,0-0,100=5"), "--down is missing"),
        (("--region", "0,0,9,9", "--down", "0,0-100,0=5"), "--across is missing"),
        (("--down", "0,0-100,0=5", "--square"), "a template has 1 to 64 regions"),
        (("--region", "0,0,241,9", *WHOLE[2:]), "--region 0,0,241,9: leaves the frame of 240 rows and 320 columns"),
        (("--region", "0,0,9", *WHOLE[2:]), "--region 0,0,9: a region is TOP,LEFT,ROWS,COLUMNS"),
        ((*WHOLE, "--mark", "0,0,9,400"), "--mark 0,0,9,400: leaves the frame"),
        ((*WHOLE, "--mark", "0,0,200,200"), "at most 64.0 KiB are compared"),
        ((*WHOLE, "--mark", "4,270,10,40", "--tolerance", "110"), "--tolerance 110 would take for an empty place"),
        ((*WHOLE, "--mark", "4,270,10,40", "--tolerance", "-1"), "--tolerance is 0 to"),
        ((*WHOLE, "--mark", "30,30,1,1"), "--mark 30,30,1,1: its samples differ by"),
        ((*WHOLE, *(["--mark", "4,270,10,40"] * 9)), "at most 8 marks, not 9"),
        ((*WHOLE, "--kind", "m-mode"), "--kind m-mode: units_x is cm, and of m-mode it is s"),
        ((*WHOLE, "--baseline", "5"), "--baseline belongs to a spectrum"),
        ((*WHOLE, "--frame", "0"), "--frame counts from 1"),
        ((*WHOLE, "--timeout", "0"), "--timeout must be more than 0"),
        ((*WHOLE, "--model", "\x07"), "--model is no printable text"),
        ((*WHOLE, "--down", "20,50-220,50=70"), "says 0.35 mm"),
    ],
)  # fmt: skip
def test_what_is_typed_wrong_is_named(frame: str, capsys: Out, words: tuple[str, ...], said: str) -> None:
    assert main(["calibrate", frame, *words]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_a_frame_that_is_not_there(frame: str, capsys: Out) -> None:
    assert main(["calibrate", frame, *WHOLE, "--frame", "2"]) == 41
    said = capsys.readouterr().err
    assert "has 1 frame, and --frame asks for frame 2" in said
    assert "cable" not in said


def test_a_file_that_is_not_there_is_not_looked_for_in_the_configuration(capsys: Out) -> None:
    assert main(["calibrate", "nowhere.png", *WHOLE]) == 41
    assert "nowhere.png: there is no such file" in capsys.readouterr().err


# --- measures ------------------------------------------------------------------------------------


def test_the_bound_is_that_of_places_half_a_pixel_off() -> None:
    one = distance(DOWN, "10,5-110,6=40mm")
    assert (one.delta, one.unit) == (pytest.approx(0.04), 3)
    worst = max(abs(4 / (100 + off) - 0.04) for off in (-1, 1))
    assert one.bound == pytest.approx(worst, rel=0.02)
    rng = np.random.default_rng(5)
    at = np.array([20.0, 45, 70, 95, 120])
    scale_of = ticks(DOWN, ",".join(map(str, at)) + "=1cm")
    assert scale_of.delta == pytest.approx(0.04)
    found = [ticks(DOWN, ",".join(map(repr, (at + rng.uniform(-0.5, 0.5, 5)).tolist())) + "=1cm").delta
             for _ in range(500)]  # fmt: skip
    corners = [ticks(DOWN, ",".join(map(repr, (at + signs).tolist())) + "=1cm").delta
               for signs in (np.array([-0.5, -0.5, 0, 0.5, 0.5]), np.array([0.5, 0.5, 0, -0.5, -0.5]))]  # fmt: skip
    assert max(abs(delta - 0.04) for delta in found) <= scale_of.bound * 1.02
    assert max(abs(delta - 0.04) for delta in corners) == pytest.approx(scale_of.bound, rel=0.02)
    # numpy's line through the same places
    assert 1 / scale_of.delta == pytest.approx(np.polyfit(range(5), at, 1)[0])


def test_ticks_may_be_given_from_either_end() -> None:
    assert ticks(ACROSS, "90,60,30=1cm").delta == ticks(ACROSS, "30,60,90=1cm").delta


def test_of_several_measures_the_closest_counts_and_all_must_agree() -> None:
    near, far = distance(DOWN, "0,0-50,0=20.5"), distance(DOWN, "0,0-200,0=80")
    assert chosen([near, far]) == far
    with pytest.raises(UsageError, match=r"0,0-50,0=23 says 0\.46 mm"):
        chosen([distance(DOWN, "0,0-50,0=23"), far])
    with pytest.raises(UsageError, match="says"):
        chosen([distance(DOWN, "0,0-50,0=2s"), far])
    assert compared(distance(ACROSS, "0,0-0,50=2s"), far) is None


@pytest.mark.parametrize(
    ("axis", "text", "said"),
    [
        (DOWN, "1,2-3,4", "is ROW,COLUMN-ROW,COLUMN=LENGTH"),
        (DOWN, "1,2=3", "is ROW,COLUMN-ROW,COLUMN=LENGTH"),
        (DOWN, "1,2-x,4=5", "'x,4' is no place"),
        (DOWN, "1,2-99999,4=5", "'99999,4' is no place"),
        (DOWN, "1,2-9,2=5", "8 pixels apart, at least 10"),
        (DOWN, "0,0-100,3=5", "the places are 3 columns apart; of --down both lie in one column"),
        (ACROSS, "0,0-100,3=5", "pixels apart, at least 10"),
        (ACROSS, "0,0-3,100=5", "3 rows apart; of --across both lie in one row"),
        (DOWN, "0,0-100,0=0", "'0' is no length"),
        (DOWN, "0,0-100,0=5in", "'5in' is no length; it is a number above 0 with one of mm, cm, ms, s"),
        (DOWN, "0,0-100,0=nan", "no length"),
        (DOWN, "0,0-100,0=-5", "'-5' is no length"),
    ],
)
def test_distances_that_are_typed_wrong(axis: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        distance(axis, text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"--{axis} {text}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2=5", "is three ticks or more"),
        ("1,a,3=5", "is three ticks or more"),
        ("10,20,30", "is three ticks or more"),
        ("10,20,30,50=5", "the tick at 30 is 4.0 pixels off the line through all"),
        ("10,12,14=5", "the ticks span 4 pixels"),
        ("10,20,30=5x", "no length"),
    ],
)
def test_ticks_that_are_typed_wrong(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        ticks(DOWN, text)
    assert said in str(caught.value)


@pytest.mark.parametrize(("delta", "step"), [(0.04, 0.5), (0.05, 0.5), (0.0251, 0.5), (0.025, 0.2), (0.01, 0.1),
                                             (-2.0, 20.0), (1.0, 10.0), (0.0001, 0.001)])  # fmt: skip
def test_steps_of_a_drawn_scale_are_round_and_far_enough_apart(delta: float, step: float) -> None:
    assert step_of(delta) == pytest.approx(step)
    drawn = list(scale(delta, 100))
    assert all(b - a >= 8 for (a, _), (b, _) in pairwise(drawn))
