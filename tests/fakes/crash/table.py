"""Every scenario of ``scripts/crash``, one row each; a new one is a row and its two functions."""

from __future__ import annotations

from functools import partial

from fakes.crash.scenario import Scenario
from fakes.spool_faults import look
from fakes.spool_world import SCENARIOS as SPOOL

_WHAT = {
    "capture": "seal two instances, the same again, and another content of one",
    "capture on a used spool": "the same where three wait",
    "burst": "seal two at once: a group",
    "import": "groups with what is known, what comes twice and what is not there",
    "send": "store one by one, put back, defer, hold, retry",
    "commit": "ask, settle with every kind of answer, and drive the queue to its end",
    "unconfirmed": "questions that come to nothing, a second sending, the end of questions",
    "evict": "make room behind commitment",
    "divert": "priority, failover to the other destination, eviction",
    "migrate": "open a ledger of an older schema and go on with it",
    "recover": "start on one of everything that a crash can leave",
    "rebuild": "start on a ledger that cannot be read",
    "all": "one life from capture to eviction",
}

TABLE: dict[str, Scenario] = {
    name: Scenario(name, _WHAT[name], *SPOOL[name], look=partial(look, rebuilt=name == "rebuild")) for name in SPOOL
}
