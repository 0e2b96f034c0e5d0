"""Lives that change a configuration: a commit, one that is confirmed, one that nobody confirms, a damaged file.

Whatever a crash, a failing medium or a power cut leaves, the file is the old configuration or the new one, byte for
byte, and its history says which; what was promised stays, and what nobody confirmed is taken back at the next start of
the machine at the latest.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.at_rest import at_rest, in_force
from agent.config.reset import first_text
from agent.config.stage import Stage
from agent.config.unconfirmed import Times
from agent.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.spool_world import World

    from agent.config.stage import Entry

OLD = '# mine\n[agent]\nae_title = "OLD" # ours\n\n[[destination]]\nname = "pacs"\ncalled_ae = "PACS"\nhost = "h"\n'
NEW = OLD.replace('"OLD"', '"NEW"')
LATER = OLD.replace('"OLD"', '"LATER"')
PATIENT = '\n[patient]\nname = "DOE^JANE"\n'
CONFIRM_S = 600.0
_ALLOWED = {"candidate.toml", "notice", "lock", "turn", "pending", "damaged-1"}


def times(running: float = 100.0, boot: str = "one") -> Times:
    """Clocks that stand still."""
    return Times(lambda: 1.8e9, lambda: running, lambda: boot, lambda _seconds: None, lambda: False)


def _file(world: World) -> str:
    return f"{world.root}/agent.toml"


def _stage(world: World, running: float = 100.0, boot: str = "one") -> Stage:
    return Stage(_file(world), times=times(running, boot))


def _text(world: World) -> str:
    return Path(_file(world)).read_text()


def _write(world: World, text: str) -> None:
    os.makedirs(world.root, exist_ok=True)
    Path(_file(world)).write_text(text)


# --- lives ---------------------------------------------------------------------------------------


def begun(world: World) -> None:
    """A history of one generation."""
    _write(world, OLD)
    _stage(world).adopt()


def by_hand(world: World) -> None:
    """A file that nobody has committed yet."""
    _write(world, OLD)


def waiting(world: World) -> None:
    """An unconfirmed generation that is in force."""
    begun(world)
    _commit(world, CONFIRM_S)


def with_a_patient(world: World) -> None:
    """The same, and then another patient came."""
    waiting(world)
    _write(world, NEW + PATIENT)


def damaged(world: World) -> None:
    """An empty file with a history."""
    begun(world)
    _commit(world, None)
    Path(_file(world)).write_bytes(b"")


def _commit(world: World, confirm_s: float | None, value: str = "NEW") -> None:
    stage = _stage(world)
    stage.set(("agent", "ae_title"), value)
    stage.commit("anna", "why", confirm_s)


def commit(world: World) -> None:
    """A candidate, and its commit."""
    _commit(world, None)
    world.promise("committed")


def nothing(world: World) -> None:
    """A box out of the carton: no configuration, and no history."""
    os.makedirs(world.root, exist_ok=True)


def first(world: World) -> None:
    """Its first configuration, to be confirmed."""
    _commit(world, CONFIRM_S)
    world.promise("waits")


def confirm(world: World) -> None:
    """A commit that is confirmed in time."""
    _commit(world, CONFIRM_S)
    world.promise("waits")
    world.promise("confirming")
    try:
        _stage(world, 200.0).confirm()
    except NotFound:  # called again: the first time it was confirmed all the same
        assert _text(world) == NEW
    world.promise("confirmed")


def again_unconfirmed(world: World) -> None:
    """Another unconfirmed one takes the place of one that waits."""
    _commit(world, CONFIRM_S, "LATER")
    world.promise("later")


def revert(world: World) -> None:
    """The time is over."""
    _stage(world, 100.0 + CONFIRM_S).revert_if_due()
    world.promise("reverted")


def settle(world: World) -> None:
    """Who comes next."""
    _stage(world).revert_if_due()


def mend(world: World) -> None:
    """Who comes first finds the file damaged."""
    _stage(world).revert_if_due()
    world.promise("mended")


# --- judges --------------------------------------------------------------------------------------


def look_at_commit(world: World) -> list[str]:
    """The old one or the new one; the new one once it was promised."""
    said = _said(world)
    wrong = _either(world, [NEW] if "committed" in said else [OLD, NEW])
    wrong += _at_rest(world, _stage(world))
    return wrong + _goes_on(world, _stage(world))


def look_at_confirmed(world: World) -> list[str]:
    """The new one only as long as it waits, or once confirming began; the old one after another start otherwise."""
    said = _said(world)
    wrong = _either(world, [NEW] if "confirmed" in said else [OLD, NEW])
    wrong += _at_rest(world, _stage(world, 200.0))
    waits = _stage(world, 200.0).pending()
    if _text(world) == NEW and waits is None and "confirming" not in said:
        wrong.append("the new one stands, and nobody confirmed it")
    if "confirmed" in said and waits is not None:
        wrong.append("it was confirmed, and waits still")
    stands = _text(world) == NEW and waits is None
    later = _stage(world, 1.0, "two")
    later.revert_if_due()
    wrong += _either(world, [NEW] if stands else [OLD])
    wrong += _at_rest(world, later)
    return wrong + _goes_on(world, _stage(world, 1.0, "two"))


def look_at_first(world: World) -> list[str]:
    """None, that of the first start, or the committed one, which goes back to that; somebody is told what came back."""
    wrong = [] if _first_of(world) in (["new"] if "waits" in _said(world) else ["", "first", "new"]) else ["I2 another"]
    _stage(world).adopt()
    was = _first_of(world)
    if was == "new" and _stage(world).pending() is None:
        wrong.append("it stands, and nobody confirmed it")
    later = _stage(world, 1.0, "two")
    later.adopt()
    if _first_of(world) != ("first" if was else ""):
        wrong.append(f"'{was}' became '{_first_of(world)}'")
    if was == "new" and not any("generation 1 is in force again" in line for line in later.notice()):
        wrong.append(f"nobody is told: {later.notice()}")
    if was:
        return wrong + _at_rest(world, later) + _goes_on(world, _stage(world, 1.0, "two"))
    _commit(world, None)
    return wrong if _first_of(world) == "new" else [*wrong, "it does not go on"]


def _first_of(world: World) -> str:
    """Which of the three it is; its text for any other."""
    known = {None: "", '[agent]\nae_title = "NEW"\n': "new", first_text(_file(world) + ".none"): "first"}
    text = _text(world) if os.path.exists(_file(world)) else None
    return known.get(text, str(text))


def look_at_later(world: World) -> list[str]:
    """Either of two unconfirmed ones, and behind another start the one before both."""
    wrong = _either(world, [LATER] if "later" in _said(world) else [NEW, LATER])
    wrong += _at_rest(world, _stage(world))
    if _stage(world).pending() is None:
        wrong.append("it stands, and nobody confirmed it")
    later = _stage(world, 1.0, "two")
    later.revert_if_due()
    wrong += _either(world, [OLD])
    wrong += _at_rest(world, later)
    return wrong + _goes_on(world, _stage(world, 1.0, "two"))


def look_at_reverted(world: World, patient: str = "") -> list[str]:
    """The new one until it is taken back, at the latest by who looks now; the patient stays."""
    wrong = _either(world, [OLD + patient] if "reverted" in _said(world) else [OLD + patient, NEW + patient])
    stage = _stage(world, 1.0, "two")
    stage.revert_if_due()
    wrong += _either(world, [OLD + patient])
    if not any("was not confirmed in time: generation 1 is in force again" in line for line in stage.notice()):
        wrong.append(f"nobody is told: {stage.notice()}")
    wrong += _at_rest(world, stage)
    return wrong + _goes_on(world, _stage(world, 1.0, "two"))


def look_at_patient(world: World) -> list[str]:
    """The same with the patient of now."""
    return look_at_reverted(world, PATIENT)


def look_at_mended(world: World) -> list[str]:
    """Damaged until it is mended; what was damaged is kept."""
    wrong = [] if "mended" not in _said(world) else _either(world, [NEW])
    stage = _stage(world)
    stage.revert_if_due()
    wrong += _either(world, [NEW])
    if Path(f"{_file(world)}.history/damaged-1").read_bytes():
        wrong.append("what was damaged is not kept")
    if not any("is empty" in line for line in stage.notice()):
        wrong.append(f"nobody is told: {stage.notice()}")
    wrong += _at_rest(world, stage)
    return wrong + _goes_on(world, _stage(world))


def _said(world: World) -> set[str]:
    return {words[0] for words in world.promises()}


def _either(world: World, texts: Iterable[str]) -> list[str]:
    text = _text(world)
    return [] if text in texts else [f"I2 the file is none that it may be: {text!r}"]


def _at_rest(world: World, stage: Stage) -> list[str]:
    """Finish what was cut off; a second look has nothing to do, and the history says which one is in force."""
    stage.adopt()
    before = _digest(world)
    told = stage.revert_if_due()
    wrong = [] if not told and _digest(world) == before else [f"I6 a second look changed something: {told}"]
    entries = stage.history()
    if not entries or not entries[0].in_force or entries[0].generation.text != _text(world):
        wrong.append(f"the history does not say which one is in force: {list(map(_short, entries))}")
    elif in_force(_file(world)) != entries[0].generation.number:
        wrong.append("a look that costs nothing finds another generation in force")
    if not at_rest(_file(world)) and stage.pending() is None:
        wrong.append("it is called not at rest, and is")
    names = [name for name in os.listdir(f"{_file(world)}.history") if name not in _ALLOWED and name[:1] != "0"]
    return wrong + [f"{name} is left" for name in names if not name.endswith("~")]


def _goes_on(world: World, stage: Stage) -> list[str]:
    """The next commit works, whatever was left."""
    before = _text(world)
    stage.discard()
    stage.set(("listener", "port"), "7")
    done = stage.commit("bob")
    wrong = [] if done is not None and _text(world) == f"{before}\n[listener]\nport = 7\n" else ["it does not go on"]
    if stage.history()[1].generation.text != before:
        wrong.append("what was in force before is not in the history")
    return wrong


def _short(entry: Entry) -> str:
    return f"{entry.back} #{entry.generation.number} {entry.generation.how} {entry.in_force}"


def _digest(world: World) -> str:
    whole = hashlib.sha256()
    for base, _, names in sorted(os.walk(world.root)):
        for name in sorted(names):
            if name not in ("lock", "turn"):
                whole.update(f"{base}/{name}\0".encode() + Path(base, name).read_bytes())
    return whole.hexdigest()
