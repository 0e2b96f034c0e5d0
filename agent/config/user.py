"""The words for who we are to a peer (PS3.7 D.3.3.7, PS3.15 B.4 to B.7), and which keys belong together."""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Word(NamedTuple):
    """User Identity Type, and what it is made of."""

    kind: int
    named: bool  # by user_name
    filed: bool  # by user_file: secret, or worth as much as one


WORDS: Final[dict[str, Word]] = {
    "username": Word(1, named=True, filed=False),
    "passcode": Word(2, named=True, filed=True),
    "kerberos": Word(3, named=False, filed=True),
    "saml": Word(4, named=False, filed=True),
    "jwt": Word(5, named=False, filed=True),
}


def user_problems(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and reason of everything that is wrong between the keys of one ``[[destination]]``."""
    chosen = row["user_identity"]
    if not chosen:
        for key in ("user_name", "user_file", "user_response", "user_in_clear"):
            if row[key]:
                yield key, "is of no use without user_identity"
        return
    word = WORDS[chosen]
    for key, wanted in (("user_name", word.named), ("user_file", word.filed)):
        if wanted and not row[key]:
            yield key, f"is empty, but user_identity is '{chosen}'"
        if row[key] and not wanted:
            yield key, f"is of no use with user_identity '{chosen}'"
    if word.filed and not row["tls"] and not row["user_in_clear"]:
        yield "user_identity", f"'{chosen}' would go over the network in clear; set tls, or user_in_clear to insist"
