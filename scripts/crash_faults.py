"""Let the medium fail at every call that changes files: by an error, half a write or a lie; once and for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import crash_points
from fakes.crash import plan

if TYPE_CHECKING:
    import argparse

    from fakes.crash.points import Found

arguments = crash_points.arguments


def run(options: argparse.Namespace) -> int:
    return crash_points.carry_out(options, plan.faults, text)


def text(found: Found) -> str:
    """The counts."""
    return f"{found.faults} faults, {len(found.wrong)} violations"
