"""Every scenario of ``scripts/crash``, one row each; a new one is a row and its functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fakes.crash import (
    lies,
    lives_capture,
    lives_config,
    lives_cut,
    lives_directory,
    lives_files,
    lives_folder,
    lives_forward,
    lives_ledger,
    lives_media,
)
from fakes.crash.lives_spool import LIVES, run_evict, three_stored
from fakes.crash.scenario import Scenario
from fakes.crash.site import Site
from fakes.spool_faults import look

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.spool_world import World

_SOUND, _REBUILT = partial(look, rebuilt=False), partial(look, rebuilt=True)


def _spool(name: str) -> Scenario:
    """A life that drives the spool itself."""
    return Scenario(name, *LIVES[name], look=_REBUILT if name == "rebuild" else _SOUND, lied=lies.at_spool)


def _site(
    name: str,
    what: str,
    prepare: Callable[[World], None],
    run: Callable[[World], None],
    judge: Callable[[World], list[str]] = _SOUND,
) -> Scenario:
    """A life of the agent's own roles."""
    return Scenario(name, what, prepare, run, judge, lied=lies.at_spool, world=Site)


def _file(name: str, what: str, prepare: str, run: str) -> Scenario:
    """A verb that makes a file; it is recovered by calling it again."""
    verb = getattr(lives_files, run)
    judge = partial(lives_files.look_at_files, again=verb)
    return Scenario(name, what, getattr(lives_files, prepare), verb, judge, verb, verb)


def _config(name: str, what: str, prepare: str, run: str, judge: str) -> Scenario:
    """A life of a configuration file; it is recovered by whoever comes next, before another start of the machine."""
    verb = getattr(lives_config, run)
    return Scenario(f"config {name}", what, getattr(lives_config, prepare), verb, getattr(lives_config, judge),
                    lives_config.settle, verb)  # fmt: skip


_ROWS = (
    *(_spool(name) for name in LIVES),
    _site("still", "two stills of a source, one compressed", lives_capture.used, lives_capture.still),
    _site("clip", "a compressed clip of a source", lives_capture.used, lives_capture.clip),
    _site("recolour", "a grey clip that turns to colour: coded anew through a second file", lives_capture.with_clip,
          lives_capture.recolour),
    _site("enqueue", "files are taken in, one of them known", lives_capture.with_files, lives_capture.enqueue),
    _site("threads", "three threads seal at a time", lives_capture.used, lives_capture.burst),
    _site("stills", "two sources take stills while others are made durable", lives_capture.used, lives_capture.stills),
    _site("forward", "over a socket to an archive, committed, flight record, evicted", lives_forward.three,
          lives_forward.forward, lives_forward.look_at_archive),
    _site("copy", "a transcoded copy for one sending, committed", lives_forward.compressed, lives_forward.copy,
          lives_forward.look_at_copy),
    _site("operator", "queue retry and queue priority, the agent not running", lives_forward.stuck,
          lives_forward.operate),
    _site("reconfigure", "destinations go and come while instances are captured", lives_forward.three,
          lives_forward.reconfigure),
    _site("ledger gone", "start without a ledger but with its log, and go on", lives_ledger.gone, lives_ledger.refill,
          _REBUILT),
    _site("damage", "a damaged file is found, set aside, and healed", lives_ledger.spoilt, lives_ledger.quarantine,
          lives_ledger.look_at_spoilt),
    Scenario("directory", "the DICOMDIR of the spool follows what is evicted and captured", lives_directory.listed,
             lives_directory.follow, lives_directory.look_at_directory, lives_directory.start, lives_directory.go_on,
             lies.at_spool),
    Scenario("clips", "frames are durable second by second, one clip does not come to its end", lives_capture.empty,
             lives_cut.clips, lives_cut.look_at_clips, lied=lies.at_spool, tidy=False),
    Scenario("folder", "files of a drop folder become instances, each once, and are moved away", lives_folder.dropped,
             lives_folder.work, lives_folder.look_at_folder, lives_folder.work, lives_folder.work, lies.at_spool,
             world=lives_folder.Drop, replayed=False),
    Scenario("exports", "two spools are exported to one stick", lives_cut.empty_stick, lives_cut.exports,
             lives_cut.look_at_stick, lives_cut.complete, lives_cut.complete, models=("weak", "vfat")),
    Scenario("export", "instances onto a stick, with DICOMDIR, read back", lives_media.with_stick, lives_media.export,
             lives_media.look_at_stick, lives_media.export, lives_media.export, world=lives_media.Stick,
             replayed=False),
    _file("wrap", "pictures into one compressed instance", "with_pictures", "wrap"),
    _file("transcode", "a file into another transfer syntax", "with_instances", "transcode"),
    _config("commit", "a file that a person wrote gives way to a candidate", "by_hand", "commit", "look_at_commit"),
    _config("first", "a box without a configuration gets one, to be confirmed", "nothing", "first", "look_at_first"),
    _config("confirm", "a commit is confirmed in time", "begun", "confirm", "look_at_confirmed"),
    _config("unconfirmed", "an unconfirmed generation gives way to another", "waiting", "again_unconfirmed",
            "look_at_later"),
    _config("revert", "nobody confirms in time", "waiting", "revert", "look_at_reverted"),
    _config("patient", "the same after another patient came", "with_a_patient", "revert", "look_at_patient"),
    _config("mend", "a damaged file gives way to the last good one", "damaged", "mend", "look_at_mended"),
    Scenario("tls request", "a key and a certificate request", lives_files.with_pictures, lives_files.request,
             lives_files.look_at_request, lives_files.request, lives_files.request, replayed=False),
    Scenario("reset", "factory reset", lives_files.with_site, lives_files.reset, lives_files.look_at_reset,
             lives_files.finish_reset, lives_files.reset),
    Scenario("archive", "the bench archive receives: new, again, conflicting, cut", lives_files.one_received,
             lives_files.receive, lives_files.look_at_store, lives_files.start_archive, lives_files.receive,
             lies.at_store),
    Scenario("archive group", "the bench archive receives several at once, one known, one twice, one cut",
             lives_files.one_received, lives_files.receive_together, lives_files.look_at_store,
             lives_files.start_archive, lives_files.receive_together, lies.at_store),
    Scenario("archive beside", "the bench archive receives over two associations at a time", lives_files.one_received,
             lives_files.receive_beside, lives_files.look_at_store, lives_files.start_archive,
             lives_files.receive_beside, lies.at_store),
)  # fmt: skip

TABLE: dict[str, Scenario] = {row.name: row for row in _ROWS}
assert len(TABLE) == len(_ROWS), "two scenarios of one name"
# And one that is wrong as soon as it is right that nothing may be evicted, and one that is much like another.
_MORE = (
    Scenario("evict too soon", "evict what is only stored", three_stored, run_evict),
    Scenario(
        "folder delete",
        "the same, and they are removed",
        lives_folder.dropped,
        lives_folder.work,
        lives_folder.look_at_folder,
        lives_folder.work,
        lives_folder.work,
        lies.at_spool,
        world=lives_folder.Deleting,
        replayed=False,
    ),
)
EVERY = {**TABLE, **{row.name: row for row in _MORE}}
