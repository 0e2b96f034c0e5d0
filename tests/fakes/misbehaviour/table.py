"""Every row of the library."""

from __future__ import annotations

from typing import Final

from fakes.misbehaviour import association, calls, calls_open, calls_tls, commitment, dimse, pdu, release, tls

SCU: Final = association.ROWS + pdu.ROWS + dimse.ROWS + release.ROWS + commitment.ROWS + tls.ROWS
LISTENER: Final = calls.ROWS + calls_open.ROWS + calls_tls.ROWS
ROWS: Final = SCU + LISTENER
