"""Lives outside the spool: verbs that write a file, key and request of the box, and the bench archive's own store.

A verb that was killed is recovered by calling it again. A file that it makes is there whole under its name or not at
all, is never replaced, and nothing but ``NAME.<8 hex digits>.part`` may be left beside it.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
from contextlib import closing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from fakes.spool_world import EXPLICIT_LE, SECONDARY_CAPTURE, data_set, uid_of

from agent.app.archive_store import ArchiveStore
from agent.errors import DataSetError, FileError
from agent.media.part10 import FileMeta
from agent.spool.draft import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fakes.spool_world import World

    from agent.app.archive_store import Incoming

PART = re.compile(r"[^/]+\.[0-9a-f]{8}\.part")


def _main(world: World, words: Sequence[str], made: str) -> None:
    """Run a verb; what it says is done is promised. A file that is there already is refused, which is right."""
    before = os.path.exists(made)
    try:
        verb(words)
    except FileError:
        if not before:
            raise
        return
    assert not before, f"{made} was there, and was made again"
    world.promise("made", made.removeprefix(world.folder), _digest(made))


def verb(words: Sequence[str]) -> None:
    """Run the command line; raises ``FileError`` with what it said when it does not end with 0."""
    from agent.app.cli import main

    said = StringIO()
    with redirect_stderr(said), redirect_stdout(StringIO()):
        status = main(list(words))
    if status:
        raise FileError(f"exit status {status}: {said.getvalue()}")


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


# --- wrap and transcode --------------------------------------------------------------------------


def with_pictures(world: World) -> None:
    os.makedirs(world.root)
    for number in (1, 2):
        pixels = bytes((number * row * column) % 251 for row in range(48) for column in range(64))
        Path(world.folder, f"{number}.pgm").write_bytes(b"P5 64 48 255\n" + pixels)


def wrap(world: World) -> None:
    out = f"{world.root}/wrapped"
    pages = (f"{world.folder}/1.pgm", f"{world.folder}/2.pgm")
    _main(world, ("wrap", *pages, "--set", "ConversionType=SD", "--transfer-syntax", "rle", "-o", out), out)


def with_instances(world: World) -> None:
    with_pictures(world)
    from fakes import masters

    from agent.dataset.uid import EXPLICIT_VR_LE

    clip = masters.write(Path(world.folder), "us-mf", EXPLICIT_VR_LE, rows=48, columns=64)
    clip.rename(Path(world.folder, "clip.dcm"))


def transcode(world: World) -> None:
    out = f"{world.root}/transcoded"
    _main(world, ("transcode", f"{world.folder}/clip.dcm", "--to", "jpeg-ls", "-o", out), out)


def look_at_files(world: World, again: Callable[[World], None]) -> list[str]:
    """Whole or not there; called again it is there, and a third time changes nothing."""
    wrong = _broken(world)
    again(world)
    wrong += _broken(world)
    before = {name: _digest(f"{world.root}/{name}") for name in os.listdir(world.root)}
    if not any(not PART.fullmatch(name) for name in before):
        wrong.append("called again, it made nothing")
    again(world)
    if {name: _digest(f"{world.root}/{name}") for name in os.listdir(world.root)} != before:
        wrong.append("I6 called a third time, it changed something")
    return wrong


def _broken(world: World) -> list[str]:
    wrong = []
    for name in os.listdir(world.root):
        path = f"{world.root}/{name}"
        if PART.fullmatch(name):
            continue
        try:
            with open(path, "rb", buffering=0) as file:
                fd = file.fileno()
                measure(lambda at, into, fd=fd: os.preadv(fd, [into], at), os.fstat(fd).st_size)
        except DataSetError as error:
            wrong.append(f"I2 {name} is not whole: {error}")
    for _made, relative, digest in (words for words in world.promises() if words[0] == "made"):
        if not os.path.exists(world.folder + relative) or _digest(world.folder + relative) != digest:
            wrong.append(f"I1 {relative} was made and is not there, or is another")
    return wrong


# --- key and request -----------------------------------------------------------------------------


def request(world: World) -> None:
    """A new key where there is none, and a request for it; after a crash, for the key that is there."""
    key, out = f"{world.root}/box.key", f"{world.root}/box.csr"
    same = ["--same-key"] if os.path.exists(key) else []
    before = _digest(key) if same else ""
    verb(["tls", "request", "--key", key, "-o", out, "--name", "box", "--subject", "box", *same])
    assert not same or _digest(key) == before, "a key was replaced"
    world.promise("made", key.removeprefix(world.folder), _digest(key))


def look_at_request(world: World) -> list[str]:
    """The key is whole and private or not there; called again there is a request that was signed with it."""
    key, out = f"{world.root}/box.key", f"{world.root}/box.csr"
    wrong = _key(world)
    request(world)
    wrong += _key(world)
    public = [_openssl("pkey", "-in", key, "-pubout"), _openssl("req", "-in", out, "-noout", "-pubkey")]
    if public[0] != public[1] or not public[0]:
        wrong.append("the request is for another key")
    rest = [name for name in os.listdir(world.root) if name not in {"box.key", "box.csr"} and not PART.fullmatch(name)]
    return wrong + [f"{name} was left" for name in rest]


def _key(world: World) -> list[str]:
    key = f"{world.root}/box.key"
    made = {words[2] for words in world.promises() if words[0] == "made"}
    if not os.path.exists(key):
        return ["I1 the key was made and is gone"] if made else []
    wrong = [] if not made or made == {_digest(key)} else ["I4 the key is another"]
    if stat.S_IMODE(os.stat(key).st_mode) & 0o077:
        wrong.append("others may read the key")
    if not _openssl("pkey", "-in", key, "-pubout"):
        wrong.append("I2 the key is not whole")
    return wrong


def _openssl(*words: str) -> bytes:
    clean = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return subprocess.run(["openssl", *words], capture_output=True, check=False, env=clean).stdout


# --- factory reset -------------------------------------------------------------------------------


def with_site(world: World) -> None:
    """A box that was configured; its spool is elsewhere."""
    for name in ("history", "console"):
        os.makedirs(f"{world.root}/agent.toml.{name}")
    for name, text in (
        ("agent.toml", '[agent]\nae_title = "SITE"\n[tls]\nkey_file = "box.key"\nca_file = "ca.pem"\n'),
        ("agent.toml.history/000001.toml", "# a\n# b\n"),
        ("agent.toml.console/users", "users"),
        ("box.key", "-----BEGIN PRIVATE KEY-----\n"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\n"),
    ):
        Path(world.root, name).write_text(text)


def reset(world: World) -> None:
    verb(["reset", "--factory", "--config", f"{world.root}/agent.toml"])
    world.promise("reset")


def finish_reset(world: World) -> None:
    """What whoever comes next does first."""
    from agent.app.common import load_config

    load_config(f"{world.root}/agent.toml")


def look_at_reset(world: World) -> list[str]:
    """The old box or the new one, and the same one each time it is looked at."""
    finish_reset(world)
    wrong = _neither(world)
    if [words for words in world.promises() if words[0] == "reset"] and os.path.exists(f"{world.root}/box.key"):
        wrong.append("I1 it was reset, and the key is there")
    before = sorted(os.walk(world.root))
    finish_reset(world)
    if sorted(os.walk(world.root)) != before:
        wrong.append("I6 the second look changed something")
    reset(world)
    return wrong + _neither(world)


def _neither(world: World) -> list[str]:
    names = ("agent.toml.history/000001.toml", "agent.toml.console/users", "box.key", "ca.pem")
    there = [os.path.exists(f"{world.root}/{name}") for name in names]
    old = "SITE" in Path(world.root, "agent.toml").read_text()
    return [] if set(there) == {old} else [f"neither the old box nor the new one: {old}, {there}"]


# --- the bench archive's store -------------------------------------------------------------------


def one_received(world: World) -> None:
    os.makedirs(world.root)
    with closing(ArchiveStore(world.root)) as store:
        _receive(world, store, 1)


def receive(world: World) -> None:
    """New ones, the same again, another content under a known UID, one that does not arrive whole."""
    with closing(ArchiveStore(world.root)) as store:
        for number in (2, 3, 2):
            _receive(world, store, number, size=20_000)
        incoming = store.begin(FileMeta(SECONDARY_CAPTURE, uid_of(3), EXPLICIT_LE, "AGENT"))
        incoming.write(data_set(3, salt=1))
        assert not store.keep(incoming, "AGENT")
        incoming = store.begin(FileMeta(SECONDARY_CAPTURE, uid_of(4), EXPLICIT_LE, "AGENT"))
        incoming.write(data_set(4)[:200])
        store.drop(incoming)


def _receive(world: World, store: ArchiveStore, number: int, size: int = 512) -> None:
    data = data_set(number, size)
    incoming = store.begin(FileMeta(SECONDARY_CAPTURE, uid_of(number), EXPLICIT_LE, "AGENT"))
    for at in range(0, len(data), 8192):
        incoming.write(data[at : at + 8192])
    assert store.keep(incoming, "AGENT")
    world.promise("kept", number, hashlib.sha256(data).hexdigest())


def receive_together(world: World) -> None:
    """A group: two that are new, one that is known, one that comes twice, another content of the known, one cut."""
    with closing(ArchiveStore(world.root)) as store:
        arrived: list[Incoming] = []
        try:
            hows = ((2, 20_000), (3, 20_000), (4, 20_000), (1,), (2, 20_000), (1, 512, 1), (5, 512, 0, 200))
            arrived.extend(_arrived(store, *how) for how in hows)  # those before one that fails are closed below
            _keep_together(world, store, arrived)
        finally:
            for incoming in arrived:
                incoming.file.close()
        _receive(world, store, 5)


def _keep_together(world: World, store: ArchiveStore, arrived: list[Incoming]) -> None:
    ends = store.keep_all(arrived, "AGENT")
    for number, (kept, error) in zip((2, 3, 4, 1, 2), ends, strict=False):
        if error is not None:
            raise error
        assert kept, "the same content was refused"
        digest = hashlib.sha256(data_set(number, 512 if number == 1 else 20_000)).hexdigest()
        world.promise("kept", number, digest)
    if ends[5][1] is not None:
        raise ends[5][1]
    assert not ends[5][0], "one UID has two contents"
    assert isinstance(ends[6][1], DataSetError)
    store.drop(arrived[6])


def receive_beside(world: World) -> None:
    """Two associations at a time, each one after the other."""
    failures: list[BaseException] = []
    with closing(ArchiveStore(world.root)) as store:
        threads = [Thread(target=_receive_some, args=(world, store, numbers, failures)) for numbers in ((2, 3), (4, 5))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


def _receive_some(world: World, store: ArchiveStore, numbers: Sequence[int], failures: list[BaseException]) -> None:
    try:
        for number in numbers:
            _receive(world, store, number)
    except BaseException as error:  # noqa: BLE001 - raised again by the life itself
        failures.append(error)


def _arrived(store: ArchiveStore, number: int, size: int = 512, salt: int = 0, cut: int = 0) -> Incoming:
    incoming = store.begin(FileMeta(SECONDARY_CAPTURE, uid_of(number), EXPLICIT_LE, "AGENT"))
    data = data_set(number, size, salt)
    incoming.write(data[: len(data) - cut])
    return incoming


def start_archive(world: World) -> None:
    ArchiveStore(world.root).close()


def look_at_store(world: World) -> list[str]:
    """Whatever was answered with 0000H is indexed and intact; a second start has nothing to do."""
    said: list[str] = []
    ArchiveStore(world.root, said.append).close()
    wrong = [f"the start set something aside: {text}" for text in said if "moved" in text or "cannot" in text]
    store = ArchiveStore(world.root, wrong.append)
    try:
        rows = store.rows()
        known = {row.sop_instance_uid: row for row in rows}
        for _kept, number, digest in (words for words in world.promises() if words[0] == "kept"):
            row = known.get(uid_of(int(number)))
            if row is None or row.data_set_sha256 != digest or not store.intact(row):
                wrong.append(f"I1 {number} was kept and is {'gone' if row is None else 'another or damaged'}")
        wrong += [f"I3 {row.path} is not what its row says" for row in rows if not store.intact(row)]
        files = {str(path) for path in Path(world.root).glob("??????/*")}
        wrong += [f"I3 {path} has no row" for path in sorted(files - {row.path for row in rows})]
    finally:
        store.close()
    return wrong
