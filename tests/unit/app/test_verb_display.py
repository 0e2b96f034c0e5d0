"""``display``: measurements in, table and conformance out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent.app.cli import main
from agent.display.gsdf import luminance

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    path = tmp_path / "measured.csv"
    rows = [f"{ddl};{0.4 + 249.6 * (ddl / 255) ** 2.2:.5f}" for ddl in (*range(0, 255, 15), 255)]
    path.write_text("level;cd/m2\n\n" + "\n".join(rows) + "\n")
    return path


def test_table_to_stdout_and_conformance_to_stderr(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["display", "calibrate", str(measured), "--ambient", "0.5"]) == 0
    out, err = capsys.readouterr()
    head, *rows = out.splitlines()
    assert head == "p_value,ddl,luminance,target"
    assert len(rows) == 256
    assert rows[0].startswith("0,0,0.9000,")
    assert rows[-1].startswith("255,255,250.5000,")
    assert "JND per step" in err


def test_table_to_a_file_that_is_never_replaced(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    words = ["display", "calibrate", str(measured), "--entries", "1024", "-o", str(table)]
    assert main(words) == 0
    assert len(table.read_text().splitlines()) == 1025
    assert "JND per step" in capsys.readouterr().out
    assert main(words) == 3
    assert "already exists" in capsys.readouterr().err


def test_table_makes_a_display_better(measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["display", "calibrate", str(measured), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    again = tmp_path / "again.csv"
    again.write_text("".join(f"{p},{luminance}\n" for p, luminance in enumerate(made["luminance"])))
    assert main(["display", "verify", str(again), "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert after["verdict"] == "pass"
    again.write_text("".join(f"{ddl},{0.4 + 249.6 * (ddl / 255) ** 2.2:.5f}\n" for ddl in range(256)))
    assert main(["display", "verify", str(again)]) == 32
    out, err = capsys.readouterr()
    assert out.startswith("FAIL: contrast from P-value ")
    assert "no P-value is further than" in out
    assert "display calibrate" in err
    assert main(["display", "verify", str(again), "--json"]) == 32
    before = json.loads(capsys.readouterr().out)
    assert before["verdict"] == "fail"
    assert after["max_index_deviation"] < before["max_index_deviation"] / 10
    assert after["jnd_per_step"] == pytest.approx(before["jnd_per_step"], abs=0.001)


def test_the_tolerance_is_said_and_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.csv"
    path.write_text("".join(f"{p};{luminance(100 + 500 * (p / 255) ** 1.1)}\n" for p in range(0, 256, 15)))
    assert main(["display", "verify", str(path)]) == 32
    assert "10 % is allowed" in capsys.readouterr().out
    assert main(["display", "verify", str(path), "--tolerance", "30"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("PASS: contrast from P-value 0 to 15 is ")
    assert "30 % is allowed" in out
    assert "per step" not in out  # of single steps nothing is known


@pytest.mark.parametrize(
    ("action", "text", "words", "status", "message"),
    [
        ("calibrate", "0,1\nx\n9,2\n", (), 34, "line 2 has 1 column, not a level and a luminance: 'x'"),
        ("calibrate", "0,1\n9,2,3\n", (), 34, "line 2 can be read in more than one way"),
        ("calibrate", "0,1\n9,2,3\n", (), 34, "15,2.37"),
        ("calibrate", "0 1\n9 0.5\n", (), 34, "falls from 1 to 0.5"),
        ("calibrate", "nothing\n", (), 34, "no line of it is a measurement"),
        ("calibrate", "0 1\n9 2\n", ("--tolerance", "5"), 2, "display calibrate has no use for --tolerance"),
        ("calibrate", "0 1\n9 2\n", ("--ambient", "nan"), 2, "--ambient is 0 or more, not nan"),
        ("calibrate", "0 1\n9 2\n", ("--ambient", "-1"), 2, "--ambient is 0 or more, not -1"),
        ("calibrate", "0 1\n9 2\n", ("--entries", "1"), 2, "--entries is 2 to 4096, not 1"),
        ("verify", "0 1\n2 3\n", (), 34, "18 P-values spread evenly are wanted, near 0, 15, 30"),
        ("verify", "0 1\n300 3\n", (), 34, "P-value 300 is beyond the last of 256"),
        ("verify", "0 1\n0 3\n", (), 34, "P-value 0 was measured twice"),
        ("verify", "0 1\n2 3\n", ("-o", "x"), 2, "display verify has no use for -o"),
        ("verify", "0 1\n2 3\n", ("--tolerance", "0"), 2, "--tolerance is above 0 and up to 100 percent, not 0"),
        ("verify", "0 1\n2 3\n", ("--entries", "16"), 34, "too few to judge"),
        ("verify", "".join(f"{p} {1 + p / 99}\n" for p in range(255)), (), 34, "nothing was measured near 255"),
        ("verify", "".join(f"{p} 1\n" for p in range(256)), (), 34, "as dark as the first one"),
        ("verify", "".join(f"{p} {p / 99}\n" for p in range(256)), (), 34, "say --ambient CD_M2"),
    ],
)
def test_files_that_make_no_sense(
    action: str,
    text: str,
    words: tuple[str, ...],
    status: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "measured.txt"
    path.write_text(text)
    assert main(["display", action, str(path), *words]) == status
    assert message in capsys.readouterr().err


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["display", "calibrate", str(tmp_path / "none.csv")]) == 3
    assert "none.csv" in capsys.readouterr().err


def test_a_file_without_end_is_read_no_further_than_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["display", "calibrate", "/dev/zero"]) == 2
    assert "is larger than" in capsys.readouterr().err


def test_a_curve_of_few_levels_is_no_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, table = tmp_path / "few.csv", tmp_path / "table.csv"
    for levels in (2, 17):
        path.write_text("".join(f"{level * 15},{1 + level}\n" for level in range(levels)))
        assert main(["display", "calibrate", str(path), "-o", str(table)]) == 34
        out, err = capsys.readouterr()
        assert f"{levels} measurements; at least 18 are needed" in err
        assert (out, table.exists()) == ("", False)
