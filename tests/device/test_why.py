"""The whole way with choices on it, and ``why`` beside the agent and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.command import QUICK_SOURCE, run_command
from fakes.site import data_set_sha256

from agent.dataset.uid import EXPLICIT_VR_LE

if TYPE_CHECKING:
    from fakes.site import Archive, Site


def test_what_was_chosen_is_explained(site: Site, archive: Archive, to_archive: dict[str, Any]) -> None:
    source = {**QUICK_SOURCE, "transfer_syntax": "auto"}
    site.configure(destinations=[{**to_archive, "transfer_syntax": "explicit", "cpu_share": 0.5}], sources=[source])
    site.start().wait_until("commitment", lambda: site.all_in("committed", 1))
    (row,) = site.rows()
    beside = run_command("why", row.uid, "--config", site.config, "--json").json
    (delivery,) = beside["destinations"]
    assert (delivery["state"], delivery["done"], delivery["do"]) == ("committed", True, [])
    assert "of the time between frames" in beside["capture"]
    assert "nobody" not in "".join(beside["says"])
    assert run_command("why", "archive", "--config", site.config).stdout.splitlines()[1] == "the way is free"
    assert site.stop() == 0
    after = run_command("why", row.uid, "--config", site.config, "--json").json
    assert after["destinations"][0]["sent"] == delivery["sent"]
    destination = run_command("why", "archive", "--config", site.config).stdout
    assert "the agent is not running" in destination
    assert row.uid in destination
    (received,) = [path for uid, path in archive.index() if uid == row.uid]
    assert delivery["sent"]["sent_as"] == EXPLICIT_VR_LE
    assert data_set_sha256(received) == delivery["sent"].get("copy_sha256", row.data_set_sha256)
