"""BREAK and the loss of a carrier from a real kernel's tty; a pseudo terminal has neither (``fakes.uml.serial``).

A kernel takes a minute. The line of three wires, whose carrier nobody looks at, is left out: ``EVERY_LINE=1`` in the
environment takes it, too.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from fakes.uml.boot import boot, lacking

pytestmark = pytest.mark.slow
CARRIER = {"carrier": True} | ({"three wires": False} if os.environ.get("EVERY_LINE") else {})


def seen(*options: str) -> dict[str, Any]:
    """What a person saw at the other end of the line."""
    if missing := lacking():
        pytest.skip(missing)
    found: dict[str, Any] = {}
    for answer in boot({"do": "serial.console", "options": options}, []):
        found.update(answer)
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("carrier", CARRIER.values(), ids=CARRIER.keys())
def test_break_begins_anew_and_so_does_the_loss_of_a_carrier_that_is_looked_at(carrier: bool) -> None:
    found = seen(*(["--carrier"] if carrier else []))
    assert found["break"].endswith("box login: "), "half a name was thrown away with the session"
    if carrier:
        assert "Input/output error, then" in found["carrier"]
        assert found["carrier"].endswith("box login: ")
        assert found["log"] == "/dev/gsmtty65: gone; waiting for it\n"
    else:
        assert found["carrier"].endswith("Password: ")
        assert found["log"] == ""
