import hashlib
import pickle
import sqlite3
import subprocess
import sys
import typing

import pytest

from agent import typed
from agent.spool import small_sha256, sqlite


class Ours(typed.NamedTuple):
    """A pair."""

    name: str
    size: int = 7

    @property
    def doubled(self) -> int:
        return self.size * 2


class Theirs(typing.NamedTuple):
    """A pair."""

    name: str
    size: int = 7


def test_a_named_tuple_is_what_typing_makes() -> None:
    for made in (Ours, Theirs):
        one = made("a")
        assert (one, one.size, one._replace(size=2).size) == (("a", 7), 7, 2)
        assert (made._fields, made._field_defaults, made.__doc__) == (("name", "size"), {"size": 7}, "A pair.")
        assert (made.__module__, made.__bases__, isinstance(one, tuple)) == (__name__, (tuple,), True)
        assert not hasattr(one, "__dict__")
        with pytest.raises(TypeError, match="missing 1 required"):
            made()  # type: ignore[call-arg]
    assert repr(Ours("a")) == "Ours(name='a', size=7)"
    assert Ours("a").doubled == 14
    assert pickle.loads(pickle.dumps(Ours("a"))) == Ours("a")


def test_names_that_stand_for_nothing_bear_what_is_done_with_types() -> None:
    class Base(typed.Protocol):
        def call(self) -> int: ...

    class Box(typed.Generic[typed.TypeVar("T")]):  # type: ignore[misc]
        pass

    assert Base.__bases__ == Box.__bases__ == (object,)
    assert typed.cast("int", "a") == "a"
    assert typed.Literal["a"] | None is typed.Any


def test_every_name_is_one_of_typing() -> None:
    assert set(typed.__all__) <= set(typing.__all__)
    assert all(hasattr(typed, name) for name in typed.__all__)


SEND = "agent.app.cli agent.app.verb_send agent.forward.deliver agent.spool.walk"
HEAVY = {"typing", "re", "dataclasses", "hashlib", "threading", "argparse"}


@pytest.mark.parametrize(("modules", "paid"), [(SEND, ""), (f"{SEND} agent.link.sessions", "re")], ids=["plain", "TLS"])
def test_who_sends_files_loads_nothing_heavy(modules: str, paid: str) -> None:
    code = f"import sys, {modules.replace(' ', ', ')}\nprint(*sorted({HEAVY} & set(sys.modules)))"
    # -S: what site loads of the packages of a developer is not ours. ssl brings re.
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == paid


DAEMON = "agent.app.cli agent.app.verb_run agent.app.daemon agent.app.forwarding"


def test_an_idle_daemon_does_without_openssl_and_dates() -> None:
    heavy = "{'hashlib', '_hashlib', 'ssl', 'sqlite3'}"
    code = f"import sys, {DAEMON.replace(' ', ', ')}\nprint(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_daemon_keeps_nothing_that_only_reading_its_configuration_needs(tmp_path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "agent.toml").write_text('[agent]\nae_title = "BOX"\n[spool]\npath = "spool"\n')
    code = f"""
import sys
from agent.app import verb_run
verb_run._read({str(tmp_path / "agent.toml")!r})
verb_run._forget()
import {DAEMON.replace(" ", ", ")}
print(*sorted({{"tomllib", "datetime", "_datetime", "string", "typing"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_digest_of_small_things_is_that_of_all() -> None:
    assert small_sha256.sha256 is not hashlib.sha256
    for size in (0, 1, 55, 56, 64, 1000):
        assert small_sha256.sha256(b"x" * size).digest() == hashlib.sha256(b"x" * size).digest()


def test_the_ledger_has_the_sqlite_of_everybody() -> None:
    assert sqlite.sqlite3.Connection is sqlite3.Connection
    assert sqlite.sqlite3.Error is sqlite3.Error
