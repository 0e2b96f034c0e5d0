"""Wiring: the board that this is, and a panel on it."""

from panel import Panel

try:
    from board_pico_w import PicoW as Here
except ImportError:
    from board_wasm import Simulated as Here  # type: ignore[assignment]  # no pins: a test on another machine

board = Here()
panel = Panel(board)
while True:
    panel.turn()
    board.rest()
