"""A switch without its bounces."""

from clock import since

SETTLE_US = 20000  # contacts of foot-switches bounce for up to 10 ms


class Switch:
    """A level counts once it has stood for ``SETTLE_US``; its time is that of the first moment it was seen."""

    def __init__(self, level: int) -> None:
        self.level = level  # one that is held at the start is not pressed by anybody
        self.tick = 0
        self._moving = False

    def look(self, level: int, us: int) -> bool:
        """Whether the level has changed, now that it is ``level``."""
        if level == self.level:
            self._moving = False
        elif not self._moving:
            self._moving = True
            self.tick = us
        elif since(us, self.tick) >= SETTLE_US:
            self._moving = False
            self.level = level
            return True
        return False
