"""The start: which firmware runs (``slots``), and what becomes of one that ends. Frozen: no update replaces this."""

import sys

from slots import Slots

try:
    from store_pico_w import PicoStore as Here
except ImportError:
    from store_wasm import SimulatedStore as Here  # type: ignore[assignment]  # no pins: a test on another machine

store = Here()
slots = Slots(store)
folder = slots.start()
if folder:
    sys.path.insert(0, folder)
ran = False
try:
    import firmware

    ran = True
    firmware.run(slots)
except Exception as error:  # noqa: BLE001  whatever it is, the next start is another one
    sys.print_exception(error)
    slots.failed(ran)
store.reset()
