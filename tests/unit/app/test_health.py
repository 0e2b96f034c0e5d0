"""Health in one word: each fact that matters makes it worse, and the worst says the word."""

from __future__ import annotations

from typing import Any

import pytest

from agent.app import verbs
from agent.app.clock_facts import clock, quality_text
from agent.app.health import CONSOLE, health
from agent.app.term import span_text
from agent.console.commands import COMMANDS
from agent.console.row import OPERATIONAL
from agent.console.tree import Tree
from agent.link.timekeeping import Kept

WELL: dict[str, Any] = {
    "running": True, "refused": None, "medium": [], "verify": None, "roles": {"keeper": {"alive": True}},
    "queue": {"pacs": {"committed": 7, "queued": 2}}, "destinations": {"pacs": {"state": "ok", "failures": 0}},
    "dicomdir": None, "clock": {"grade": "synchronised"}, "certificates": [], "holds": [], "held_by_hand": {},
    "disk": {"writable": True},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word", "reason"),
    [
        ({}, "well", ""),
        ({"running": False}, "trouble", "not running"),
        ({"running": False, "silent": "it does not answer"}, "trouble", "it does not answer"),
        ({"running": False, "disk": {"writable": False}}, "trouble", "cannot be written"),
        ({"refused": {"at": 1.0, "reason": "x"}}, "trouble", "not in force"),
        ({"medium": [{"level": "error", "text": "gone"}]}, "trouble", "gone"),
        ({"medium": [{"level": "warning", "text": "80 % full"}]}, "attention", "80 % full"),
        ({"verify": {"damaged": 1}}, "trouble", "damaged"),
        ({"roles": {"to pacs": {"alive": False, "last_error": "boom"}}}, "trouble", "boom"),
        ({"queue": {"pacs": {"held": 2}}}, "trouble", "2 instances held"),
        ({"queue": {"pacs": {"held": 2}}, "held_by_hand": {"pacs": 2}}, "attention", "2 instances held by"),
        ({"queue": {"pacs": {"unconfirmed": 1}}}, "attention", "1 instance unconfirmed"),
        ({"holds": [{"destination": "pacs", "study_uid": "", "at": 1.0}]}, "attention", "held by the operator"),
        ({"destinations": {"pacs": {"state": "resting", "failures": 3}}}, "attention", "3 failures in a row"),
        ({"destinations": {"pacs": {"state": "needs the operator", "failures": 1}}}, "trouble", "until somebody acts"),
        ({"clock": {"grade": "never set"}}, "trouble", "never set"),
        ({"clock": {"grade": "not synchronised"}}, "attention", "not synchronised"),
        ({"certificates": ["our certificate expires on 2026-04-01"]}, "attention", "expires"),
        ({"certificates": ["our certificate expired on 2026-04-01"]}, "trouble", "expired"),
        ({"dicomdir": {"reason": "no room"}}, "attention", "DICOMDIR"),
    ],
)  # fmt: skip
def test_each_fact_counts(changes, word, reason):
    said = health({**WELL, **changes})
    assert said["word"] == word
    assert any(reason in text for text in said["reasons"]) is bool(reason)


@pytest.mark.parametrize(
    ("changes", "see"),
    [
        ({"medium": [{"level": "error", "cause": "full", "text": "out of resources"}]}, "show queue"),
        ({"medium": [{"level": "error", "cause": "medium", "text": "gone"}]}, "show log"),
        ({"destinations": {"pacs": {"state": "resting", "failures": 3}}}, "why pacs"),
        ({"certificates": ["our certificate expired on 2026-04-01"]}, "show certificates"),
        ({"clock": {"grade": "never set"}}, "show clock"),
        ({"queue": {"pacs": {"held": 1}}, "held_by_hand": {"pacs": 1}}, "show queue state held"),
        ({"verify": {"damaged": 1}}, "verify spool"),
        ({"running": False, "disk": {"writable": False}}, "show log"),
    ],
)
def test_each_reason_names_the_command_that_tells_more(changes, see):
    first = health({**WELL, **changes})["see"][0]
    assert verbs.find(first.split()[0]) is not None
    shown = CONSOLE.get(first, first)
    assert shown == see
    assert Tree(COMMANDS, OPERATIONAL, "technician").find(shown.split())


def test_the_gravest_stands_first():
    said = health({**WELL, "clock": {"grade": "not synchronised"}, "refused": {"at": 1.0}})
    assert [said["word"], len(said["reasons"])] == ["trouble", 2]
    assert "not in force" in said["reasons"][0]


@pytest.mark.parametrize(
    ("kept", "now", "grade", "text"),
    [
        (Kept(True, 0.0123, "chrony"), 1.8e9, "synchronised", "by chrony, wrong by at most 12 ms"),
        (Kept(True, 0.00005, ""), 1.8e9, "synchronised", "at most 50 us"),
        (Kept(True, None, "systemd-timesyncd"), 1.8e9, "synchronised", "synchronised by systemd-timesyncd"),
        (Kept(False, None, "chrony"), 1.8e9, "not synchronised", "chrony runs and has no time yet"),
        (Kept(False, None, ""), 1.8e9, "not synchronised", "nobody knows how wrong"),
        (Kept(False, None, ""), 1000.0, "never set", "never set"),
        (Kept(None, None, ""), 1.8e9, "unknown", "the kernel does not say"),
    ],
)
def test_the_clock_is_as_good_as_its_keeper_says(monkeypatch, kept, now, grade, text):
    monkeypatch.setattr("agent.spool.grades.SYNCHRONISED", "/nonexistent")
    facts = clock(None, lambda: kept, lambda: now)
    assert facts["grade"] == grade
    assert text in quality_text(facts)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (40, "40 s"), (185, "3 min 5 s"), (3600, "1 h 0 min"), (187_200, "2 d 4 h")],
)
def test_spans_are_said_in_two_units(seconds, text):
    assert span_text(seconds) == text
