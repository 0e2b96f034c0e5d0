"""Who is examined stands in the same file as the configuration, and is none.

``[patient]`` and ``[exam]`` change with every patient. Whoever brings an older configuration back must not bring an
older patient back with it: images of one person under the name of another are the worst that can happen here.
"""

from __future__ import annotations

from agent.config.difference import apply, difference
from agent.config.edit import same
from agent.config.load import document_of
from agent.errors import AgentError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTIONS: Final = ("patient", "exam")


def carried(text: str, now: str) -> str:
    """Return the configuration ``text`` with patient and exam of ``now``."""
    return _with(text, _only(now))


def without(text: str) -> str:
    """Return the configuration ``text`` without patient and exam."""
    return _with(text, {})


def only_another_exam(one: str, other: str) -> bool:
    """Whether two configurations differ in patient and exam alone."""
    try:
        documents: Sequence[dict[str, Any]] = [document_of(text, "") for text in (one, other)]
    except AgentError:
        return False
    rest = [{name: value for name, value in said.items() if name not in SECTIONS} for said in documents]
    return same(*rest)


def followed(text: str, began: str, now: str) -> str | None:
    """Return what the candidate ``text``, which began from ``began``, is on top of ``now``.

    None where ``now`` is another configuration, or the candidate another patient or exam, too.
    """
    if not only_another_exam(began, now) or not same(_only(text), _only(began)):
        return None
    return carried(text, now)


def _with(text: str, wanted: dict[str, Any]) -> str:
    try:
        lines = difference(_only(text), wanted, masked=False)
        return apply(text, document_of(text, ""), lines).text if lines else text
    except AgentError:
        return text  # what cannot be read is nobody's


def _only(text: str) -> dict[str, Any]:
    try:
        said = document_of(text, "")
    except AgentError:
        return {}
    return {name: said[name] for name in SECTIONS if name in said}
