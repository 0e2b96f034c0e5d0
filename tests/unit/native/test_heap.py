"""One heap for all threads: glibc itself says how many it has (malloc_info(3))."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from agent.native import heap

WORK = """
import ctypes, sys, threading
from agent.native.heap import one_heap

print(one_heap())
together = threading.Barrier(6)
def work():
    kept = [bytes(3000) for _ in range(100)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(library.fdopen(1, b"w"))
sys.stdout.flush()
library.malloc_info(0, out)
library.fflush(out)
"""


@pytest.mark.parametrize(("said", "done", "heaps"), [(None, "True", 1), ("4", "False", 4)])
def test_six_threads_at_once_have_as_many_heaps_as_they_may(said: str | None, done: str, heaps: int) -> None:
    environment = {key: value for key, value in os.environ.items() if key != heap.VARIABLE}
    environment |= {} if said is None else {heap.VARIABLE: said}
    out = subprocess.run([sys.executable, "-c", WORK], env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[0] == done
    assert out.stdout.count("<heap nr=") == heaps


def test_a_c_library_without_it_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def load_function(self, _kind: object, name: str) -> object:
            raise AttributeError(name)

    import _cffi_backend

    monkeypatch.delenv(heap.VARIABLE, raising=False)
    monkeypatch.setattr(_cffi_backend, "load_library", lambda _name: Library())
    assert heap.one_heap() is False
