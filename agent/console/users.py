"""Who may log in: a file of one line per user, mode 0600, replaced whole and durable.

    # modality-agent users
    anna technician scrypt:16384:8:1:SALT:HASH

There is no file before the first password is set; then ``admin`` with ``DEFAULT_PASSWORD`` may do nothing but set one.
A file that is there and cannot be read never means that state: what a power cut or bit rot leaves must not open the
box. The file before the last change stands beside it and is taken then, which is said.
"""

from __future__ import annotations

import os

from agent.console.alone import alone
from agent.console.row import ROLES
from agent.errors import FileError, SpoolError
from agent.spool.durable import FOLDER_MODE, Medium
from agent.typed import Final, NamedTuple

FIRST_USER: Final = "admin"
DEFAULT_PASSWORD: Final = "modality"  # noqa: S105  it opens nothing but the question for a real one
MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 128
MAX_USERS: Final = 50
_HEAD: Final = "# modality-agent users\n"
_SIZE_LIMIT: Final = 65_536


class User(NamedTuple):
    """One account; ``secret`` is what ``hashing.py`` made of its password."""

    name: str
    role: str
    secret: str


class UsersDamaged(FileError):
    """The file of users is there and makes no sense. Code and treatment are those of ``FileError``."""

    hint = "Factory reset with the button of the box, or copy users.before over users as root."


class Users:
    """The file of users in the console's folder."""

    __slots__ = ("_before", "_folder", "_path", "note")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "users")
        self._before = os.path.join(folder, "users.before")
        self.note = ""  # what is to be said at the log-in

    def all(self) -> list[User]:
        """Return every user, by name; none before the first password is set. Raises ``FileError``."""
        self.note = ""
        try:
            text = _read(self._path)
            return [] if text is None else parse(text)
        except UsersDamaged:
            text = _read(self._before)
            if text is None:
                raise
            found = parse(text)
            self.note = "the file of users is damaged: the one before the last change is used"
            return found

    def find(self, name: str) -> User | None:
        """Return the user ``name``."""
        return next((user for user in self.all() if user.name == name), None)

    def begin(self, user: User) -> bool:
        """Keep the first user; False when there is one by now. Raises ``FileError``."""
        with alone(self._folder):
            if self.all():
                return False
            self._write([user])
        return True

    def put(self, user: User) -> None:
        """Add ``user`` or replace the one of his name; raises ``FileError``."""
        with alone(self._folder):
            self._write([*(one for one in self.all() if one.name != user.name), user])

    def delete(self, name: str) -> None:
        """Remove ``name``; raises ``FileError``."""
        with alone(self._folder):
            self._write([one for one in self.all() if one.name != name])

    def _write(self, users: list[User]) -> None:
        text = _HEAD + "".join(f"{one.name} {one.role} {one.secret}\n" for one in sorted(users))
        medium = Medium(self._folder)
        try:
            if not os.path.isdir(self._folder):
                medium.make_folder(self._folder, FOLDER_MODE)
            medium.renew(self._path, [text.encode()], self._before)
        except SpoolError as error:
            raise FileError(str(error)) from error


def parse(text: str) -> list[User]:
    """Read the file; raises ``UsersDamaged``."""
    rows = [line.split(" ") for line in text.splitlines()[1:]]
    if not text.startswith(_HEAD) or not text.endswith("\n") or not rows:
        raise UsersDamaged("the file of users is damaged")
    for row in rows:
        if len(row) != 3 or name_fault(row[0]) or row[1] not in ROLES or not row[2].startswith("scrypt:"):
            raise UsersDamaged("the file of users is damaged")
    return [User(*row) for row in rows]


def _read(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read(_SIZE_LIMIT).decode("ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise UsersDamaged("the file of users is damaged") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error


def name_fault(name: str) -> str:
    """Return what is wrong with the name of a user, or nothing."""
    if not name or len(name) > 32 or not name.isascii() or not name[0].isalpha() or name != name.lower():
        return "a name has 1 to 32 small letters, digits, '-' or '_' and begins with a letter"
    if not all(c.isalnum() or c in "-_" for c in name):
        return "a name has 1 to 32 small letters, digits, '-' or '_' and begins with a letter"
    return ""


def password_fault(password: str, name: str) -> str:
    """Return what is wrong with a new password, in words, or nothing."""
    if len(password) < MIN_PASSWORD:
        return f"too short: a password has at least {MIN_PASSWORD} characters"
    if len(password) > MAX_PASSWORD:
        return f"too long: a password has at most {MAX_PASSWORD} characters"
    if DEFAULT_PASSWORD in password.lower() or name.lower() in password.lower():
        return "it holds the password of the first start or the name of the user: choose another"
    if len(set(password)) < 4:
        return "it repeats itself: use at least 4 different characters"
    return ""
