"""The first program of a user-mode Linux that ``boot`` has started: reads its order, does it, says what came of it."""

from __future__ import annotations

import json
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    order: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    sys.path[:0] = order["path"]
    from fakes.uml import kernel
    from fakes.uml.boot import MARK

    try:
        kernel.begin()
        module, _, function = order["do"].partition(".")
        for answer in getattr(import_module(f"fakes.uml.{module}"), function)(order):
            print(MARK + json.dumps(answer) + "}", flush=True)
        print(MARK + '{"end": true}}', flush=True)
    except BaseException:  # noqa: BLE001 - the first program may not end by itself
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        kernel.power_off()


if __name__ == "__main__":
    main()
