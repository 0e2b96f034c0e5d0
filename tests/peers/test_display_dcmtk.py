"""DCMTK works out the same luminances and nearly the same table for a measured display."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from agent.app.cli import main
from agent.display.calibration import Measurement, calibrate
from agent.display.gsdf import jnd_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# DCMTK inverts the function with the polynomial of the Standard, which misses by up to 0.092.
INVERSE_JND = 0.1


def curves(program: str, levels: list[Measurement], ambient: float, folder: Path) -> list[tuple[float, float]]:
    """Target and reached luminance of each P-value (columns GSDF and PSC)."""
    rows = "".join(f"{row.ddl} {row.luminance:.9f}\n" for row in levels)
    (folder / "monitor.lut").write_text(f"max {levels[-1].ddl}\namb {ambient}\n{rows}")
    subprocess.run([program, "+Im", "monitor.lut", "+Og", "out.txt"], cwd=folder, check=True, timeout=30)
    found = [line.split() for line in (folder / "out.txt").read_text().splitlines() if line[:1].isdigit()]
    return [(float(row[2]), float(row[3])) for row in found]


@pytest.mark.parametrize(("low", "high", "ambient"), [(0.4, 250.0, 0.5), (0.1, 800.0, 0.0), (1.0, 120.0, 10.0)])
def test_targets_and_table(low: float, high: float, ambient: float, need: Callable[[str], str], tmp_path: Path) -> None:
    levels = [Measurement(ddl, round(low + (high - low) * (ddl / 255) ** 2.2, 9)) for ddl in range(256)]
    ours = calibrate(levels, ambient=ambient)
    theirs = curves(need("dcmdspfn"), levels, ambient, tmp_path)
    assert len(theirs) == len(ours.ddl)
    other = 0
    for target, reached, (their_target, their_reached) in zip(ours.target, ours.luminance, theirs, strict=True):
        assert abs(jnd_index(target) - jnd_index(their_target)) < INVERSE_JND
        other += abs(jnd_index(reached) - jnd_index(their_reached)) > INVERSE_JND
    assert other <= len(theirs) // 20  # where a target lies between two levels, the tenth of a JND decides


@pytest.mark.parametrize("ambient", [0.0, 0.5])
def test_a_display_that_shows_what_dcmtk_wants_passes(
    ambient: float, need: Callable[[str], str], tmp_path: Path
) -> None:
    levels = [Measurement(ddl, 0.4 + 249.6 * (ddl / 255) ** 2.2) for ddl in range(256)]
    wanted = [target for target, _ in curves(need("dcmdspfn"), levels, ambient, tmp_path)]
    path = tmp_path / "shown.csv"
    for rows, status in (
        ([f"{p};{value - ambient:.6f}".replace(".", ",") for p, value in enumerate(wanted)], 0),
        ([f"{p};{value - ambient:.6f}" for p, value in enumerate(wanted) if p % 15 == 0], 0),
        ([f"{level.ddl};{level.luminance:.6f}" for level in levels], 32),  # without its table
    ):
        path.write_text("\n".join(rows))
        assert main(["display", "verify", str(path), "--ambient", str(ambient)]) == status
