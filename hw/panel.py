"""The panel: what comes on the line and what the pins do, put together. ``main`` calls ``turn`` for ever."""

from board import EXPOSURE, KEPT, SWITCHES, Board
from clock import Clock, since
from framing import LIMIT, OVERHEAD, Decoder, encode
from heart import Heart
from lights import Lights
from messages import (
    ACK,
    BEAT,
    EVENT,
    GREET,
    HELLO,
    PING,
    PONG,
    STATE,
    STATUSES,
    TICKS,
    VERSION,
    WRITE,
    WRITTEN,
    pack,
    unpack,
)
from outbox import Outbox
from trigger import Switch

FIRMWARE = (0, 1, 0)
STATE_MS = 1000
ALARM_MS = 20  # between states while the power fails: one of them arrives


class Panel:
    """One of it, on one board."""

    def __init__(self, board: Board) -> None:
        self._kept = bytearray(KEPT)
        kept = board.kept()
        if len(kept) == KEPT and kept[KEPT - 1] < 4:  # 0.1 had something else there
            self._kept[:] = kept
        self.heart = Heart(self._kept)
        self.outbox = Outbox(self._kept, board.random())
        self._board = board
        self._clock = Clock(board)
        self._decoder = Decoder()
        self._input = bytearray(256)
        self._payload = bytearray(LIMIT)
        self._frame = bytearray(LIMIT + OVERHEAD)
        self._sequence = 0
        self._switches = [Switch(board.level(place)) for place in SWITCHES]
        self._exposed = 0
        self._lights = Lights()
        self._failing = False  # at the last turn: a failure lasts longer than one
        self._flags = 0
        self._stated = 0
        self._temperature = board.temperature()
        board.keep(self._kept)
        self._hello()

    def turn(self) -> None:
        """Look at everything once; at least every 10 ms, every millisecond if the board can."""
        self._clock.look()
        self._listen()
        self._sense()
        self._watch()
        self._speak()

    def _listen(self) -> None:
        size = self._board.read(self._input)
        at = 0
        while at < size:
            at = self._decoder.feed(self._input, at, size)
            if self._decoder.size:
                self._hear(self._decoder.payload, self._decoder.size)

    def _hear(self, payload: bytearray, size: int) -> None:
        fields = unpack(payload, size)
        if fields is None:
            return
        kind = payload[0]
        if kind == GREET:
            self._hello()
        elif kind == BEAT and fields[0] == VERSION:
            self._lights.show(fields[1], self._clock.ms)
            if self.heart.beat(self._clock.ms, fields[2]):
                self._board.keep(self._kept)
        elif kind == ACK and self.outbox.acknowledge(fields[0], fields[1], self._clock.ms):
            self._board.keep(self._kept)
        elif kind == PING:
            self._send(PONG, fields[0], self._clock.us)
        elif kind == WRITE:
            self._send(WRITTEN, 0, STATUSES.index("refused"))

    def _sense(self) -> None:
        for place in SWITCHES:
            switch = self._switches[place]
            if switch.look(self._board.level(place), self._clock.us):
                self._note(place, switch.level, switch.tick)
        edge = self._board.next_edge()
        if edge is not None:
            self._exposed = edge[1]
            self._note(EXPOSURE, edge[1], self._clock.us_of(edge[0]))

    def _note(self, place: int, level: int, tick: int) -> None:
        clock = self._clock
        if self.outbox.add(place, level, tick, clock.ms - since(clock.us, tick) // 1000 & TICKS):
            self._board.keep(self._kept)

    def _watch(self) -> None:
        heart = self.heart
        if heart.look(self._clock.ms):
            self._board.keep(self._kept)
        self._board.power_cycle(heart.cycling)
        if heart.silent:
            self._lights.show(0, self._clock.ms)
        on = self._lights.look(self._clock.ms)
        if on is not None:
            self._board.lights(*on)
        self._board.feed()

    def _speak(self) -> None:
        ms = self._clock.ms
        if not self.heart.silent:  # nobody would hear it
            place = self.outbox.due(ms)
            while place >= 0:
                self._send(EVENT, *self.outbox.event(place, ms))
                place = self.outbox.due(ms)
        fails = self._board.power_fails()
        flags = (fails and self._failing) | self.heart.armed << 1 | self.heart.cycling << 2
        self._failing = fails
        waited = since(ms, self._stated)
        if flags != self._flags or waited >= (ALARM_MS if flags & 1 else STATE_MS):
            if waited >= STATE_MS:
                self._temperature = self._board.temperature()
                self.outbox.grow_old(ms)
            self._flags = flags
            self._stated = ms
            self._state()

    def _state(self) -> None:
        inputs = self._exposed << EXPOSURE
        for place in SWITCHES:
            inputs |= self._switches[place].level << place
        box = self.outbox
        dropped = box.dropped + self._board.edges_lost & 0xFFFF
        following = box.first + box.count & 0xFFFFFFFF
        bad = self._decoder.bad
        self._send(STATE, self._clock.us, following, inputs, self._flags, self._temperature, bad, dropped)

    def _hello(self) -> None:
        board, box = self._board, self.outbox
        self._send(HELLO, VERSION, *FIRMWARE, board.cause, board.abilities, board.serial, box.run, box.first)

    def _send(self, kind: int, *fields: int) -> None:
        size = pack(self._payload, kind, self._sequence, *fields)
        self._sequence = self._sequence + 1 & 0xFF
        self._board.write(self._frame, encode(self._frame, self._payload, size))
