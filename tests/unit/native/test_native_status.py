"""Every status of the C core has a text and a class; the hand-written stub says what the module has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import agent.native
from agent.errors import DeviceError, NativeArgumentError, NativeDataError
from agent.native._core import ffi, lib
from agent.native.status import check, error_class

STATUSES = sorted(name for name in dir(lib) if name.startswith("MGA_ERR_"))
FAMILIES = {"ARG": NativeArgumentError, "DATA": NativeDataError, "DEV": DeviceError}


@pytest.mark.parametrize("name", STATUSES)
def test_each_status_has_its_class_and_its_own_text(name: str) -> None:
    status = getattr(lib, name)
    family = FAMILIES[name.split("_")[2]]
    assert error_class(status) is family
    text = ffi.string(lib.mga_status_text(status)).decode()
    assert text not in ("unknown status", "no error")
    with pytest.raises(family, match=r"^reading x: "):
        check(status, "reading x")


def test_statuses_and_texts_are_distinct() -> None:
    values = [getattr(lib, name) for name in STATUSES]
    assert len(set(values)) == len(values) >= 17
    assert len({ffi.string(lib.mga_status_text(value)) for value in values}) == len(values)


def test_a_count_passes_through() -> None:
    assert check(0, "x") == 0
    assert check(12, "x") == 12


def test_unknown_status_still_raises() -> None:
    with pytest.raises(Exception, match="unknown status"):
        check(-5000, "x")


def test_stub_names_what_the_module_has() -> None:
    stub = ast.parse((Path(agent.native.__file__).parent / "_core.pyi").read_text())
    body = next(node for node in stub.body if isinstance(node, ast.ClassDef) and node.name == "_Lib").body
    named = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    named |= {node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    assert named == set(dir(lib))


def test_abi_version_is_the_header_s() -> None:
    assert lib.mga_abi_version() == lib.MGA_ABI_VERSION
