"""Wiring: the board that this is, and a panel on it. ``main`` calls it when it has chosen the folder of all this."""

from panel import Panel
from slots import Slots

try:
    from board_pico_w import PicoW as Here
except ImportError:
    from board_wasm import Simulated as Here  # type: ignore[assignment]  # no pins: a test on another machine


def run(slots: Slots) -> None:
    """Be the panel, for ever."""
    board = Here()
    panel = Panel(board, slots)
    while True:
        panel.turn()
        board.rest()
