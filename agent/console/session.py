"""One terminal's session, without I/O: bytes, ends of children and ``now`` in; bytes, wishes and a deadline out.

It drives one conversation (``steps``): an answer from the user or a child is sent into it, what it yields is begun.
Whatever ends a session (hang-up, BREAK, idle time-out) closes the conversation wherever it stands, ends its child and
begins a new one at the log-in. What is typed while something runs is kept for the next prompt; ^C throws it away.

Time-outs are of three kinds: a silent child (``Run.wait_s``) is ended, because the agent it asked may hang; one that
does not end is killed, and one that cannot be killed is left behind; a user who does nothing is logged out.
"""

from __future__ import annotations

from agent.console.editor import BELL, Editor, Entered
from agent.console.history import History
from agent.console.keys import NOISE, Decoder, Key
from agent.console.output import Output
from agent.console.pasting import Pasting
from agent.console.row import OPERATIONAL
from agent.console.steps import Ask, Ended, Paste, Run, Show, Step
from agent.console.wishes import Abandon, Flush, HangUp, Send, Start, Stop
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.console.steps import Talk
    from agent.console.wishes import Wish
    from agent.console.world import World

# Keys typed ahead: a screen of configuration lines that are pasted.
AHEAD_LIMIT: Final = 8192
# More than this is not taken from a child while the line has not sent it: two seconds at 9600 baud.
OUT_LIMIT: Final = 2048
# Beyond this, messages are dropped: nobody reads the line.
STUCK_LIMIT: Final = 65_536
OUTPUT_LIMIT: Final = 65_536
# SIGINT, then SIGKILL, then it is left behind.
STOP_S: Final = 2.0
# A log-in that was begun is given up.
LOGIN_S: Final = 60.0


class Login(NamedTuple):
    """Who is logged in."""

    name: str
    role: str


class Session:
    """One session; see the module. ``user``, ``mode`` and ``length`` belong to the conversation."""

    def __init__(self, world: World, talk: Callable[[Session], Talk], now: float) -> None:
        self.world = world
        self.user: Login | None = None
        self.mode = OPERATIONAL
        self.edit: tuple[str, ...] = ()
        self.stage: Any = None
        self.length, self.width = 24, 80
        self.history = History()
        self.seen: dict[str, None] = {}  # UIDs that were on the screen, for completion
        self.now = now
        self._begin_talk = talk
        self._editor = Editor(self.width)
        self._decoder = Decoder()
        self._keys: list[Key] = []
        self._out = bytearray()
        self._wishes: list[Wish] = []
        self._lost = 0
        self._step: Step | None = None
        self._output: Output | None = None
        self._pasting: Pasting | None = None
        self._child = False
        self._why = ""
        self._until: float | None = None  # of a pause or of stopping a child
        self._stops = 0
        self.ending = ""  # what ended the session, for the record
        self.rest_until = 0.0  # nobody logs in before: what a failure costs
        self._touched = self._heard = self._moved = now
        self._talk: Talk = talk(self)
        self._advance(None)

    # --- what the loop calls ---------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the line."""
        self.now = now
        if isinstance(self._step, Run) and self._step.raw:
            self._touched = now
            self._wishes.append(Send(data))
            return
        keys = self._decoder.feed(data)
        if any(key.name != "noise" for key in keys):  # a bad line is nobody who is there
            self._touched = now
        if isinstance(self._step, Run) and self._child and any(key.name == "interrupt" for key in keys):
            self.interrupt()
            return
        room = AHEAD_LIMIT - len(self._keys)
        if room < len(keys):
            self._put(BELL)
        self._keys += keys[:room]
        self._pump()

    def disturbed(self, now: float) -> None:
        """Note a parity or framing error: the byte is not what was sent."""
        self.now = now
        if len(self._keys) < AHEAD_LIMIT:
            self._keys.append(NOISE)
        self._pump()

    def line_break(self, now: float) -> None:
        """Take BREAK: whoever is logged in is logged out."""
        self.now = now
        self._restart("BREAK", "BREAK: logged out" if self.user is not None else "")

    def closed(self, now: float) -> None:
        """The line is gone: nothing more can be said on it."""
        self.now = now
        self._restart("line closed", "")
        self._out.clear()

    def child_output(self, data: bytes, now: float, *, error: bool = False) -> None:
        """Take output of the child."""
        self.now = self._heard = now
        if not self._child or self._output is None:
            return
        self._put_bytes(self._output.raw(data)) if self._output.is_raw else self._put(self._output.take(data, error))
        self._check_quit()

    def child_ended(self, status: int, now: float) -> None:
        """The child is gone."""
        self.now = self._touched = now
        if not self._child:
            return
        self._child, self._until = False, None
        assert self._output is not None
        self._put(self._output.end(status, self._why))
        self._go_on()
        self._pump()

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.now = now
        if self._until is not None and now >= self._until:
            self._until = None
            if self._child:
                self._stop_harder()
            else:
                self._keys.clear()
                self._advance(None)
        if self._child and not self._stops and self._silent_at() is not None and now >= (self._silent_at() or 0.0):
            self.interrupt("silent")
        idle = self._idle_at()
        if idle is not None and now >= idle:
            self._restart("idle", f"idle for {_minutes(self._patience_s())}: logged out" if self.user else "")

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [self._until, self._silent_at() if self._child and not self._stops else None, self._idle_at()]
        return min((one for one in times if one is not None), default=None)

    @property
    def reading(self) -> bool:
        """Whether output of the child is wanted now."""
        return self._child and len(self._out) < OUT_LIMIT and not (self._output is not None and self._output.waiting)

    @property
    def outgoing(self) -> bytearray:
        """What is to be sent; whoever has sent a part of it says so (``sent``)."""
        return self._out

    def sent(self, count: int) -> None:
        """Take note that the line has taken the first ``count`` bytes."""
        del self._out[:count]
        if count:
            self._moved = self.now

    def wishes(self) -> list[Wish]:
        """Return what is wished since the last call."""
        found, self._wishes = self._wishes, []
        return found

    def message(self, lines: list[str]) -> None:
        """Show something that comes from elsewhere, without tearing what is typed."""
        if len(self._out) > STUCK_LIMIT:
            self._lost += len(lines)
            return
        if self._lost:
            lines, self._lost = [f"({self._lost} messages were dropped: the line took nothing)", *lines], 0
        self._editor.message(lines)
        self._drain()

    # --- what the conversation uses ---------------------------------------------------------------

    def interrupt(self, why: str = "interrupted") -> None:
        """Stop the child and what it still has to say."""
        self._keys.clear()
        if not self._child or self._stops:
            return
        self._why, self._stops = why, 1
        self._until = self.now + STOP_S
        if why == "interrupted":
            self._out.clear()
            self._wishes.append(Flush())
            self._put("^C\r\n")
        if self._output is not None:
            self._output.mute()
        self._wishes.append(Stop(hard=False))

    def set_width(self, width: int) -> None:
        """Serve a terminal of ``width`` columns."""
        self.width = self._editor.width = width

    def finish(self) -> None:
        """Give up the line when the session is that of a local terminal."""
        if self.world.local:
            self._wishes.append(HangUp())

    def note(self, event: str, outcome: str = "", text: str = "") -> None:
        """Put a line into the record."""
        name, role = self.user or ("", "")
        self.world.record.note(self.world.times.wall(), name, role, event, outcome, text)

    # --- inside ------------------------------------------------------------------------------------

    def _advance(self, answer: object) -> None:
        """Send ``answer`` into the conversation and begin what it yields."""
        while True:
            try:
                step = self._talk.send(answer)
            except StopIteration:
                self._talk = self._begin_talk(self)
                answer = None
                continue
            self._step, answer = step, None
            if self._begin(step):
                break
        self._drain()

    def _begin(self, step: Step) -> bool:
        """Begin ``step``; False when it is over already and has no answer."""
        if isinstance(step, Ask):
            if step.fresh:
                self._keys.clear()
            self._editor.length = self.length
            self._editor.begin(step.prompt, secret=step.secret, history=step.history, assist=step.assist)
        elif isinstance(step, Show):
            self._output = Output(step.filters, self.length, self.width, self.seen)
            self._put(self._output.show(step.lines))
            return self._output.waiting
        elif isinstance(step, Run):
            length = 0 if step.stream else self.length
            self._output = Output(
                step.filters, length, self.width, self.seen, shown=step.shown, raw=step.raw, wording=step.wording
            )
            self._child, self._why, self._stops, self._heard = True, "", 0, self.now
            self._wishes.append(Start(step.argv, step.data, step.raw))
        elif isinstance(step, Paste):
            self._pasting = Pasting(step.end, step.limit)
        else:
            self._until = self.now + step.seconds
        return True

    def _pump(self) -> None:
        """Give keys to whoever waits for them."""
        while self._keys:
            step = self._step
            if self._output is not None and self._output.waiting:
                self._page(self._keys.pop(0))
            elif isinstance(step, Ask):
                entered = self._editor.key(self._keys.pop(0))
                if entered is not None:
                    self._advance(entered)
            elif isinstance(step, Paste):
                entered = self._paste(self._keys.pop(0))
                if entered is not None:
                    self._advance(entered)
            else:
                break
        self._drain()

    def _page(self, key: Key) -> None:
        assert self._output is not None
        self._put(self._output.key(key.name, key.text))
        self._heard = self.now
        self._check_quit()
        if not self._child:
            self._go_on()

    def _check_quit(self) -> None:
        if self._output is not None and self._output.quit and isinstance(self._step, Run) and not self._step.whole:
            self.interrupt("quit")

    def _paste(self, key: Key) -> Entered | None:
        assert self._pasting is not None
        return self._pasting.key(key)

    def _go_on(self) -> None:
        """Answer a step whose child has ended and whose output is on the screen."""
        if self._output is None or self._output.waiting:
            self._drain()
            return
        output, self._output = self._output, None
        step, self._stops = self._step, 0
        self._advance(Ended(output.status, output.kept, self._why) if isinstance(step, Run) else None)

    def _stop_harder(self) -> None:
        self._stops += 1
        if self._stops == 2:
            self._until = self.now + STOP_S
            self._wishes.append(Stop(hard=True))
        else:
            self._wishes.append(Abandon())
            self.child_ended(-9, self.now)

    def _restart(self, event: str, text: str) -> None:
        """End the conversation where it stands and begin anew."""
        if self._child:
            self._wishes += [Stop(hard=True), Abandon()]
        self._child, self._until, self._stops, self._output, self._step = False, None, 0, None, None
        self._keys.clear()
        self._decoder = Decoder()
        self._out.clear()
        self._wishes.append(Flush())
        self._editor.give_up()
        if text:
            self._editor.message(["", text])
        self.ending = event
        self._talk.close()
        self._touched = self.now
        self._talk = self._begin_talk(self)
        self._advance(None)

    def _silent_at(self) -> float | None:
        step = self._step
        if not isinstance(step, Run) or not step.wait_s or not self.reading:
            return None
        return self._heard + step.wait_s

    def _patience_s(self) -> float:
        return self.world.manners.idle_s if self.user is not None else LOGIN_S

    def _idle_at(self) -> float | None:
        step, stuck = self._step, len(self._out) >= OUT_LIMIT
        works = isinstance(step, Run) and not step.stream and not (self._output is not None and self._output.waiting)
        if (works and not stuck) or (self.user is None and not self._editor.began):
            return None
        patience = self._patience_s()
        since = max(self._touched, self._moved) if works else self._touched
        return since + patience if patience else None

    def _put(self, text: str) -> None:
        if text:
            self._put_bytes(text.encode("utf-8", "replace"))

    def _put_bytes(self, data: bytes) -> None:
        self._drain()
        self._out += data

    def _drain(self) -> None:
        for text in self._editor.out:
            self._out += text.encode("utf-8", "replace")
        self._editor.out.clear()


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
