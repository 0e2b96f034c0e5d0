"""Feeds the marked region of mga.h to cffi, nothing else: one declaration, no drift."""

from pathlib import Path

from cffi import FFI

HEADER = Path(__file__).resolve().parent / "include" / "mga.h"
BEGIN, END = "/* cffi: begin */", "/* cffi: end */"

text = HEADER.read_text(encoding="ascii")
ffibuilder = FFI()
ffibuilder.cdef(text[text.index(BEGIN) + len(BEGIN) : text.index(END)])
ffibuilder.set_source("agent.native._core", '#include "mga.h"')
