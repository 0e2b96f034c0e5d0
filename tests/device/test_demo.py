"""The demo, small: everything it promises is in its JSON, and it runs twice in a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.command import run_command
from fakes.peers import need


@pytest.mark.slow
def test_the_demo_proves_itself_twice(tmp_path: Path) -> None:
    need("openssl")
    out = tmp_path / "out"
    for _ in range(2):
        done = run_command("demo", "--output", out, "--seconds", 1, "--rows", 240, "--columns", 320, "--json")
        assert done.returncode == 0, done.stderr
        result = done.json
        assert result["ok"]
        assert result["faults"] == []
        assert result["dropped"] == 0
        assert result["link_cuts"] == 1
        assert Path(result["contact_sheet"]).read_bytes()[:4] == b"\x89PNG"
        rows = {row["source"]: row for row in result["instances"]}
        assert rows["probe"]["frames"] == rows["probe"]["frames_identical"] >= 15  # 30, on an idle machine
        assert rows["panel"]["frames"] == 1
        assert max(row["attempts"] for row in rows.values()) == 2
        for row in rows.values():
            assert row["captured_at"] <= row["durable_at"] <= row["stored_at"] <= row["committed_at"]
            assert Path(row["received_file"]).is_file()


@pytest.mark.slow
def test_the_demo_speaks_to_people(tmp_path: Path) -> None:
    need("openssl")
    done = run_command("demo", "--output", tmp_path / "out", "--seconds", 1, "--rows", 240, "--columns", 320)
    assert done.returncode == 0, done.stderr
    for word in ("captured", "durable", "stored", "committed", "throughput", "drops        0", "peak memory"):
        assert word in done.stdout
    assert "it may be deleted" in done.stdout
    assert "link cut in mid-transfer" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
