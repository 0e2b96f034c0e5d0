"""The commands of a field technician at work: rows of the table, all done by verbs."""

from __future__ import annotations

from agent.console.places import PLACE
from agent.console.row import Argument, Command
from agent.typed import Final

_UID: Final = Argument("UID", "SOP Instance UID or Study Instance UID", "uid", optional=True)
_TO: Final = Argument(
    "destination", "only this destination", "destination", "--destination", keyword=True, value="NAME"
)
_PAGE: Final = (
    Argument("after", "go on behind this place", "", "--after", keyword=True, value="PLACE"),
    Argument("limit", "at most so many", "", "--limit", keyword=True, value="N"),
)
OF_PATIENT: Final = (
    Argument("patient", "Patient ID, or part of the name", "", "--patient", keyword=True, value="WHO"),
    Argument("accession", "this Accession Number", "", "--accession", keyword=True, value="NUMBER"),
    Argument("study", "this study", "", "--study", keyword=True, value="UID"),
)
_LINES: Final = (
    Argument("level", "this level and what is worse", "", "--level", keyword=True, value="LEVEL",
             choices=("error", "warning", "notice", "info")),
    Argument("match", "where this regular expression is found", "", "--match", keyword=True, value="RE"),
)  # fmt: skip

SHOWING: Final = (
    Command(
        "show studies", "viewer", "whose images are on this box, study by study", (*OF_PATIENT, *_PAGE),
        verb=("queue", "studies"),
    ),
    Command(
        "show patients", "viewer", "whose images are on this box", (*OF_PATIENT[:2], *_PAGE),
        verb=("queue", "patients"),
    ),
    Command("show associations", "viewer", "what is open now, ours and of peers", verb=("status", "--associations")),
    Command(
        "show log",
        "viewer",
        "what the agent said",
        (
            Argument("since", "what is younger, as 2h or 2026-03-01", "", "--since", keyword=True, value="TIME"),
            *_LINES,
            Argument("last", "at most so many lines; 0: all", "", "--last", keyword=True, value="N"),
        ),
        verb=("log",),
    ),
    Command("show panel", "viewer", "the front panel, its firmware, and an update of it", verb=("panel", "status")),
    Command("show clock", "viewer", "the time, its zone, and how good it is", verb=("clock", "show")),
    Command("show network", "viewer", "interfaces, addresses, routes, name servers", verb=("network",)),
)  # fmt: skip

DOING: Final = (
    Command(
        "hold", "technician", "keep here what is for a destination, a study or an instance; alone: everything",
        (_UID, _TO), verb=("queue", "hold"), changes=True, wait_s=120,
    ),
    Command(
        "release", "technician", "let go what is held by hand; alone: all of it", (_UID, _TO),
        verb=("queue", "release"), changes=True, wait_s=120,
    ),
    Command(
        "panel update", "technician", "put the firmware on the front panel that belongs to this agent, or another",
        (
            Argument("FILE", "a firmware; without it, that of this agent", optional=True),
            Argument("downgrade", "also to an older one", "", "--downgrade", keyword=True),
        ),
        verb=("panel", "update"), changes=True, wait_s=700,
    ),
    Command(
        "selftest", "technician", "would everything work: destinations, certificates, clock, spool",
        (Argument("NAME", "only this: a destination, tls, clock, spool", "destination", optional=True),),
        verb=("selftest",), wait_s=120,
    ),
    Command(
        "test send", "technician", "a marked test image, with its commitment",
        (
            Argument("NAME", "the destination", "destination"),
            Argument("timeout", "wait so long", "", "--timeout", keyword=True, value="S"),
        ),
        verb=("test", "send"), changes=True, wait_s=600,
    ),
    Command(
        "test frame", "technician", "one frame of a source, on this screen",
        (
            Argument("SOURCE", "name of the source", "source"),
            Argument("blocks", "half blocks (UTF-8) instead of letters", "", "--blocks", keyword=True),
            Argument("invert", "for a terminal that is dark on light", "", "--invert", keyword=True),
            Argument("output", "write a small PNG there", PLACE, "--output", keyword=True, value="FILE"),
        ),
        verb=("test", "frame"), wait_s=120,
    ),
    Command(
        "calibrate", "technician", "a template of calibrated regions of a source, from typed places",
        (
            Argument("SOURCE", "name of the source", "source"),
            Argument("region", "what may be measured in", "", "--region", keyword=True, value="RECTANGLE"),
            Argument("kind", "what it shows", "", "--kind", keyword=True, value="WORD",
                     choices=("tissue", "colour-flow", "m-mode", "pw-doppler", "cw-doppler")),
            Argument("across", "ROW,COL-ROW,COL=LENGTH in one row", "", "--across", keyword=True, value="PLACES"),
            Argument("down", "ROW,COL-ROW,COL=LENGTH in one column", "", "--down", keyword=True, value="PLACES"),
            Argument("ticks-across", "COL,COL,COL=LENGTH", "", "--ticks-across", keyword=True, value="TICKS"),
            Argument("ticks-down", "ROW,ROW,ROW=LENGTH", "", "--ticks-down", keyword=True, value="TICKS"),
            Argument("square", "pixels are square", "", "--square", keyword=True),
            Argument("baseline", "row of velocity 0", "", "--baseline", keyword=True, value="ROW"),
            Argument("mark", "what every frame must show", "", "--mark", keyword=True, value="RECTANGLE"),
            Argument("tolerance", "most that its samples differ", "", "--tolerance", keyword=True, value="N"),
            Argument("model", "scanner and setting", "", "--model", keyword=True, value="TEXT"),
            Argument("add", "begin with this template", "", "--add", keyword=True, value="FILE"),
            Argument("find-ticks", "suggest ticks in this strip", "", "--find-ticks", keyword=True, value="RECTANGLE"),
            Argument("against", "is it recognised by these", "", "--against", keyword=True, value="PATH"),
            Argument("preview", "draw it into a PNG", PLACE, "--preview", keyword=True, value="FILE"),
            Argument("output", "write the template there", PLACE, "--output", keyword=True, value="FILE"),
        ),
        verb=("calibrate",), wait_s=120,
    ),
    Command("test worklist", "technician", "there is none to test", verb=("test", "worklist")),
    Command(
        "test network", "technician", "how far it is to each destination", verb=("network", "--check"), wait_s=60
    ),
    Command(
        "log follow", "viewer", "what the agent says from now on, until ^C", _LINES,
        verb=("log", "--follow", "--last", "10"), json=False, wait_s=0, stream=True,
    ),
    Command(
        "clock set", "technician", "set the time of this box", (Argument("TIME", "2026-03-01T10:15, or 10:15 today"),),
        verb=("clock", "set"), changes=True, wait_s=60,
    ),
    Command(
        "clock zone", "technician", "set its time zone", (Argument("ZONE", "as Europe/Berlin"),),
        verb=("clock", "zone"), changes=True, wait_s=60,
    ),
    Command(
        "clock ntp", "technician", "name its time server", (Argument("SERVER", "name or address"),),
        verb=("clock", "ntp"), changes=True, wait_s=60,
    ),
    Command(
        "support", "technician", "one file for who helps, without patient data, keys and passwords",
        (Argument("FILE", "the file to make", PLACE, "--output"),), verb=("support",), wait_s=120,
    ),
    Command(
        "restart", "technician", "end the agent in order and let it begin anew", verb=("restart",), changes=True,
        wait_s=120, question="The agent ends and begins anew",
    ),
)  # fmt: skip
