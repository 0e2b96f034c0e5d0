"""The units of configs/systemd as systemd reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.app.verbs import find

UNITS = sorted((Path(__file__).parents[2] / "configs" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    text = unit.read_text()
    command = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert find(command.split()[1]) is not None
    copy = tmp_path / unit.name.replace("@", "@ttyS0")
    copy.write_text(text.replace("/usr/bin/modality-agent", "/bin/true"))
    verify = ["systemd-analyze", "verify", str(copy)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
