"""States of an instance and of each of its deliveries, and every move between them, as data.

Two machines. A *delivery* is one (instance, destination) pair::

    queued -> active -> stored -> awaiting commitment -> committed
                 |         ^______________|   (no report in time, or "busy": ask again with a new Transaction UID)
                 |         +-> unconfirmed (asked often enough; kept here) -> committed by a late report,
                 |                          or queued by the operator
                 +-> deferred(next_at) -> active
                 +-> held(reason)      -> queued by the operator only

    queued or deferred -> held by the operator, until he releases it (holding.py)

    queued or deferred -> diverted: a destination that is down has handed it over (failover.py)
    diverted -> queued: handed back by one that refuses it for good

An *instance* is its file: live -> evicting -> evicted; damaged (file set aside) and lost (file gone) can become live
again when the same bytes come back. The walker (``ledger.move``) knows nothing but the tables below: an absent cell is
an error. A few cells keep the state on purpose: news that arrives late about something already decided is recorded in
the receipt and changes nothing.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class State(IntEnum):
    """State of one delivery; the numbers are in the ledger and never change."""

    QUEUED = 1
    ACTIVE = 2
    STORED = 3
    AWAITING = 4
    COMMITTED = 5
    DEFERRED = 6
    HELD = 7
    DAMAGED = 8
    LOST = 9
    UNCONFIRMED = 10
    DIVERTED = 11


class Life(IntEnum):
    """State of one instance's file; the numbers are in the ledger and never change."""

    LIVE = 21
    EVICTING = 22
    EVICTED = 23
    DAMAGED = 24
    LOST = 25


WORDS: dict[int, str] = {
    State.QUEUED: "queued",
    State.ACTIVE: "active",
    State.STORED: "stored",
    State.AWAITING: "awaiting commitment",
    State.COMMITTED: "committed",
    State.DEFERRED: "deferred",
    State.HELD: "held",
    State.DAMAGED: "damaged",
    State.LOST: "lost",
    State.UNCONFIRMED: "unconfirmed",
    State.DIVERTED: "diverted",
    Life.LIVE: "live",
    Life.EVICTING: "evicting",
    Life.EVICTED: "evicted",
    Life.DAMAGED: "damaged",
    Life.LOST: "lost",
}
HELD_BY_OPERATOR = "held by the operator"  # so begins the reason of what is held by hand, and not by a failure
HANDED_OVER = "handed over to "  # a destination: so begins the reason of what is diverted
STATE_OF_WORD: dict[str, State] = {WORDS[state]: state for state in State}


class Priority(IntEnum):
    """How urgent a delivery is; the numbers are in the ledger and never change, lower goes first (priority.py)."""

    URGENT = 1
    NORMAL = 2
    LOW = 3


PRIORITY_WORDS: dict[int, str] = {Priority.URGENT: "urgent", Priority.NORMAL: "normal", Priority.LOW: "low"}
PRIORITY_OF_WORD: dict[str, Priority] = {PRIORITY_WORDS[priority]: priority for priority in Priority}


class Event(Enum):
    """What can happen to a delivery or an instance; the value is the word in the custody receipt."""

    DURABLE = "durable"
    QUEUE = "queued"
    CLAIM = "active"
    ANSWER = "stored"
    PUT_BACK = "put back"
    DEFER = "deferred"
    HOLD = "held"
    ASK = "commitment asked"
    COMMIT = "committed"
    MISSING = "not at the archive"
    ASK_AGAIN = "not committed yet"
    REFUSE = "commitment refused"
    EXPIRE = "no report in time"
    UNOFFERED = "commitment not offered"
    UNLISTED = "not listed at the archive"
    GIVE_UP = "unconfirmed"
    REOPEN = "commitment offered now"
    SUSPEND = "held by the operator"
    RELEASE = "released by the operator"
    DIVERT = "diverted"
    HAND_BACK = "handed back"
    RETRY = "retried by the operator"
    RESTART = "interrupted"
    DAMAGE = "damaged"
    LOSE = "lost"
    HEAL = "file came back"
    EVICT = "evicting"
    GONE = "evicted"
    CONFLICT = "other content refused"
    DUPLICATE = "same content again"
    UNREADABLE = "unreadable"
    OUTDATED = "older report not counted"
    REBUILT = "ledger rebuilt"
    LEARNED = "peer takes"
    PRIORITY = "priority set"
    CLOCK = "clock"  # see graded.py
    EXPORT = "exported"


_S, _E, _L = State, Event, Life

MOVES: dict[tuple[State, Event], State] = {
    (_S.QUEUED, _E.CLAIM): _S.ACTIVE,
    (_S.DEFERRED, _E.CLAIM): _S.ACTIVE,
    # the answer of the peer, or none
    (_S.ACTIVE, _E.ANSWER): _S.STORED,
    (_S.ACTIVE, _E.PUT_BACK): _S.QUEUED,
    (_S.ACTIVE, _E.DEFER): _S.DEFERRED,
    (_S.ACTIVE, _E.HOLD): _S.HELD,
    (_S.ACTIVE, _E.RESTART): _S.QUEUED,
    # Storage Commitment (PS3.4 Annex J)
    (_S.STORED, _E.ASK): _S.AWAITING,
    (_S.AWAITING, _E.COMMIT): _S.COMMITTED,
    (_S.AWAITING, _E.MISSING): _S.QUEUED,
    (_S.AWAITING, _E.ASK_AGAIN): _S.STORED,
    (_S.AWAITING, _E.REFUSE): _S.HELD,
    (_S.AWAITING, _E.EXPIRE): _S.STORED,
    (_S.STORED, _E.UNOFFERED): _S.STORED,
    (_S.STORED, _E.UNLISTED): _S.QUEUED,
    (_S.STORED, _E.RETRY): _S.STORED,
    (_S.STORED, _E.GIVE_UP): _S.UNCONFIRMED,
    (_S.UNCONFIRMED, _E.REOPEN): _S.STORED,
    # a report of an older transaction: good news counts in every state that has been sent
    (_S.STORED, _E.COMMIT): _S.COMMITTED,
    (_S.QUEUED, _E.COMMIT): _S.COMMITTED,
    (_S.DEFERRED, _E.COMMIT): _S.COMMITTED,
    (_S.HELD, _E.COMMIT): _S.COMMITTED,
    (_S.ACTIVE, _E.COMMIT): _S.COMMITTED,
    (_S.DAMAGED, _E.COMMIT): _S.COMMITTED,
    (_S.LOST, _E.COMMIT): _S.COMMITTED,
    (_S.COMMITTED, _E.COMMIT): _S.COMMITTED,
    (_S.UNCONFIRMED, _E.COMMIT): _S.COMMITTED,
    (_S.DIVERTED, _E.COMMIT): _S.COMMITTED,
    # the operator
    (_S.HELD, _E.RETRY): _S.QUEUED,
    (_S.DEFERRED, _E.RETRY): _S.QUEUED,
    (_S.QUEUED, _E.RETRY): _S.QUEUED,
    (_S.UNCONFIRMED, _E.RETRY): _S.QUEUED,
    (_S.QUEUED, _E.SUSPEND): _S.HELD,
    (_S.DEFERRED, _E.SUSPEND): _S.HELD,
    (_S.HELD, _E.RELEASE): _S.QUEUED,
    # failover: another destination is owed it instead
    (_S.QUEUED, _E.DIVERT): _S.DIVERTED,
    (_S.DEFERRED, _E.DIVERT): _S.DIVERTED,
    # ... and back to who handed it over, where that other one refuses it for good
    (_S.HELD, _E.DIVERT): _S.DIVERTED,
    (_S.DIVERTED, _E.HAND_BACK): _S.QUEUED,
    # the file: what is at the archive may still be committed, so stored and awaiting stay
    (_S.QUEUED, _E.DAMAGE): _S.DAMAGED,
    (_S.ACTIVE, _E.DAMAGE): _S.DAMAGED,
    (_S.DEFERRED, _E.DAMAGE): _S.DAMAGED,
    (_S.HELD, _E.DAMAGE): _S.DAMAGED,
    (_S.QUEUED, _E.LOSE): _S.LOST,
    (_S.ACTIVE, _E.LOSE): _S.LOST,
    (_S.DEFERRED, _E.LOSE): _S.LOST,
    (_S.HELD, _E.LOSE): _S.LOST,
    (_S.DAMAGED, _E.HEAL): _S.QUEUED,
    (_S.LOST, _E.HEAL): _S.QUEUED,
    # A report whose commit was in doubt is made again: the second one is recorded, nothing moves ...
    **{
        (state, event): state
        for state in (
            _S.QUEUED,
            _S.DEFERRED,
            _S.HELD,
            _S.STORED,
            _S.AWAITING,
            _S.COMMITTED,
            _S.DAMAGED,
            _S.LOST,
            _S.UNCONFIRMED,
            _S.DIVERTED,
        )
        for event in (_E.PUT_BACK, _E.DEFER, _E.HOLD)
    },
    **{
        (state, _E.ANSWER): state
        for state in (_S.STORED, _S.AWAITING, _S.COMMITTED, _S.DAMAGED, _S.LOST, _S.UNCONFIRMED)
    },
    # ... but an answer that was read stays true whatever was noted before it.
    (_S.QUEUED, _E.ANSWER): _S.STORED,
    (_S.DEFERRED, _E.ANSWER): _S.STORED,
    (_S.HELD, _E.ANSWER): _S.STORED,
    (_S.DIVERTED, _E.ANSWER): _S.STORED,
}

LIVES: dict[tuple[Life, Event], Life] = {
    (_L.LIVE, _E.EVICT): _L.EVICTING,
    (_L.EVICTING, _E.GONE): _L.EVICTED,
    (_L.LIVE, _E.DAMAGE): _L.DAMAGED,
    (_L.LIVE, _E.LOSE): _L.LOST,
    (_L.DAMAGED, _E.LOSE): _L.LOST,
    (_L.DAMAGED, _E.HEAL): _L.LIVE,
    (_L.LOST, _E.HEAL): _L.LIVE,
}

# A failed entry of an N-EVENT-REPORT (PS3.3 C.14, Failure Reason 0008,1197) -> what happens to the delivery.
# Reasons not listed mean "ask again": nothing is given up because of a code we do not know.
FAILURE_REASONS: dict[int, Event] = {
    0x0110: Event.ASK_AGAIN,  # processing failure
    0x0112: Event.MISSING,  # no such object instance: send it again, a bounded number of times
    0x0119: Event.REFUSE,  # class / instance conflict
    0x0122: Event.REFUSE,  # SOP Class not supported
    0x0131: Event.ASK_AGAIN,  # duplicate transaction UID: the next request has a new one
    0x0213: Event.ASK_AGAIN,  # resource limitation
}
