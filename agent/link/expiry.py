"""When the end of a certificate is told: two months to order a new one, one to install it, a week to telephone."""

from __future__ import annotations

import time

from agent.typed import Final

EXPIRES_DAYS: Final = (7, 30, 60)
_DAY_S: Final = 86_400.0


def expiry_stage(valid_until: str, now: float) -> int | None:
    """Return the fewest of ``EXPIRES_DAYS`` that a certificate is closer to its end than; None when to none.

    ``valid_until`` is ``YYYY-MM-DD HH:MM UTC`` or '' where nobody knows it, ``now`` a time in seconds.
    """
    if not valid_until:
        return None
    return next((days for days in EXPIRES_DAYS if valid_until < _text(now + days * _DAY_S)), None)


def expiry_text(valid_until: str, now: float) -> str:
    """Say that a certificate ends soon or has ended, or nothing."""
    if valid_until and valid_until < _text(now):
        return f"expired on {valid_until}"
    stage = expiry_stage(valid_until, now)
    return "" if stage is None else f"expires on {valid_until}, in less than {stage} days"


def _text(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
