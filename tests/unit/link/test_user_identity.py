"""What an association request says of a user, what is refused, and what no message ever says."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from agent.errors import AssociationRefused, AssociationRejected, ConfigError, UserNotConfirmed
from agent.link.user_identity import MOST_BYTES, User, check_answer, explain_reject, identity_of
from agent.ul.pdu import AssociateAccept, AssociateReject
from agent.ul.reasons import reject_error
from agent.ul.user import UserIdentity, UserInformation

SECRET = b"s3cret-pass"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    path.chmod(0o600)
    return str(path)


def accept(response: bytes | None) -> AssociateAccept:
    return AssociateAccept("A", "B", (), UserInformation(16384, "1.2", identity_response=response))


def test_fields_of_each_type(file: str) -> None:
    assert identity_of(User(1, "müller"), encrypted=False) == UserIdentity(1, "müller".encode())
    assert identity_of(User(2, "u", file, response=True), encrypted=True) == (2, b"u", SECRET, True)
    for kind in (3, 4):  # binary, as it is
        assert identity_of(User(kind, "", file), encrypted=True) == (kind, SECRET + b"\n", b"", False)
    assert identity_of(User(5, "", file), encrypted=True) == (5, SECRET, b"", False)


def test_nothing_secret_without_tls(file: str) -> None:
    for kind in (2, 3, 4, 5):
        with pytest.raises(ConfigError, match="is not sent over a connection without TLS"):
            identity_of(User(kind, "u", file), encrypted=False)
        identity_of(User(kind, "u", file, in_clear=True), encrypted=False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\n", "is empty"),
        (bytes(MOST_BYTES + 1), "carries 65535 at most"),
        (b"-----BEGIN EC PRIVATE KEY-----\nMHc\n", "is a private key, which is shown to nobody"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=message):
        identity_of(User(5, "", str(path)), encrypted=True)
    with pytest.raises(ConfigError, match="JWT file /none/x cannot be read: No such file"):
        identity_of(User(5, "", "/none/x"), encrypted=True)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_open_to_others_is_used_for_no_association(file: str, mode: int) -> None:
    """It may have been made anew since the configuration was checked."""
    Path(file).chmod(mode)
    with pytest.raises(ConfigError, match=rf"{file} is open to group or others \(mode {mode:04o}\)") as caught:
        identity_of(User(2, "u", file), encrypted=True)
    assert caught.value.hint == f"chmod 600 {file}"
    assert SECRET.decode() not in str(caught.value)


def test_a_confirmation_that_was_asked_for_must_come(file: str) -> None:
    user = User(2, "u", file, response=True)
    check_answer(user, accept(b""), "P@h:1")
    check_answer(user._replace(response=False), accept(None), "P@h:1")
    with pytest.raises(UserNotConfirmed, match=r"P@h:1 does not confirm the user 'u'$"):
        check_answer(user, accept(None), "P@h:1")


def test_a_rejection_that_may_be_about_the_user_says_so(file: str) -> None:
    user = User(5, "", file)
    refused = reject_error(AssociateReject(1, 2, 1))
    explain_reject(user, refused)
    assert refused.hint.startswith(f"The peer may not know the user of the JWT in {file}")
    other = reject_error(AssociateReject(1, 1, 7))
    assert isinstance(other, AssociationRefused)
    explain_reject(user, other)
    assert other.hint == AssociationRefused.hint
    busy: AssociationRejected = reject_error(AssociateReject(2, 3, 1))
    explain_reject(user, busy)
    assert busy.hint == AssociationRejected.hint


def test_nothing_shows_the_secret(file: str) -> None:
    user = User(2, "u", file, response=True)
    identity = identity_of(user, encrypted=True)
    assert SECRET.decode() not in f"{user} {user!r} {identity} {identity!r} {UserInformation(identity=identity)}"
    with pytest.raises(UserNotConfirmed) as raised:
        check_answer(user, accept(None), "P@h:1")
    assert SECRET.decode() not in "".join(traceback.format_exception(raised.value))
