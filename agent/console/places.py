"""Where a command may write a file: nowhere among what says who may do what.

Users, history, certificates and keys lie beside the configuration, and the bare presence of a file there may mean
something (``FILE.reset`` is a factory reset). Whoever may make a file must not be able to make one of these.
"""

from __future__ import annotations

import os

from agent.console.steps import Interrupted
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.console.tree import Call

PLACE: Final = "place"  # the source of arguments that name a file or a folder to be made
_CERTIFICATES: Final = "tls"


def refuse_kept(call: Call, config: str) -> None:
    """Refuse a place where this box keeps what it is; raises ``Interrupted``."""
    own = os.path.realpath(config)
    certificates = os.path.join(os.path.dirname(own), _CERTIFICATES, "")
    for argument, value in call.values:
        if argument.source == PLACE and (os.path.realpath(value) + os.sep).startswith((own, certificates)):
            raise Interrupted(f"{value} is where this box keeps its configuration, users and keys: name another place")
