"""Factory reset: configuration, its history, users, certificates and keys back to the first start; instances are not.

Files are removed one by one, and the power may go between any two. So the decision is one rename: ``FILE.reset`` says
what goes and what FILE is to be. Before it is there nothing has changed; once it is there, whoever comes next finishes
(``finish``), and reads no configuration before. At every moment the box is the old one or a new one.

What goes are the files that FILE or a generation of it names and that lie beside FILE, and private keys wherever they
lie; a name alone makes nothing a key, so what is no PEM file stays where it is. Certificates that lie elsewhere are the
system's and stay, as does the record of sessions, which tells who did this. FILE becomes ``FILE.factory`` where the
maker of the box put one, else a configuration without anything but what is the box's own: who made it, and where its
spool is. Nothing in the spool is ever touched: an instance that no archive has committed has no other place.

Where FILE is a link, its history and the decision are beside what it points to, and relative names count from the link.

Raises ``FileError``.
"""

from __future__ import annotations

import json
import os

from agent.config.at_rest import RESET as MARK
from agent.config.at_rest import history_of, reset_waits
from agent.errors import FileError, SpoolError
from agent.spool.durable import FILE_MODE, Medium
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTORY: Final = ".factory"
CONSOLE, CERTIFICATES = ".console", "tls"
_LOCKS: Final = ("lock", "turn")  # a lock that is removed locks nobody out
_RECORD: Final = "sessions"
# Of the box, not of the site: a reset does not change who made it, and not where its images are.
_OF_THE_BOX: Final = {
    "agent": ("manufacturer", "model_name", "serial_number"),
    "spool": ("path", "require_mount"),
}
# Keys that name files of the site, and what is in such a file, as far as it can be told.
_FILES: Final = (
    ("tls", "key_file", b"PRIVATE KEY-----"),
    ("tls", "certificate_file", b"-----BEGIN "),
    ("tls", "ca_file", b"-----BEGIN "),
    ("tls", "crl_file", b"-----BEGIN "),
    ("destination", "tls_ca_file", b"-----BEGIN "),
    ("destination", "user_file", b""),
)
_MOST_BYTES: Final = 1 << 20


class Plan(NamedTuple):
    """What goes, what is named and stays because it lies elsewhere, and what FILE becomes."""

    remove: tuple[str, ...]
    stays: tuple[str, ...]
    text: str


def plan(path: str) -> Plan:
    """Say what a reset of the configuration ``path`` would do."""
    link, path = os.path.abspath(path), os.path.realpath(path)
    folder = os.path.dirname(link)
    remove: dict[str, None] = {}
    stays: dict[str, None] = {}
    for text in _texts(path):
        document = _document(text)
        spool = _absolute(document.get("spool", {}).get("path", ""), folder)
        for table, key, sign in _FILES:
            for named in _named(document, table, key):
                found = _absolute(named, folder)
                beside = os.path.dirname(found) in (folder, os.path.join(folder, CERTIFICATES))
                ours = (beside or key == "key_file") and _has(found, sign) and not found.startswith((path, link))
                inside = spool and (found + "/").startswith(spool + "/")
                (remove if ours and not inside else stays).update({found: None})
    remove.update(dict.fromkeys(_beside(link)))
    there = [one for name in remove for one in _with_relatives(name) if os.path.isfile(one) or os.path.islink(one)]
    return Plan(
        tuple(dict.fromkeys(there)),
        tuple(one for one in stays if one not in remove and os.path.exists(one)),
        first_text(path),
    )


def reset(path: str, medium: Medium | None = None) -> Plan:
    """Do it; it is decided when ``FILE.reset`` is there."""
    wanted, link, path = plan(path), path, os.path.realpath(path)
    medium = medium or Medium(os.path.dirname(path))
    folder = os.path.dirname(path)
    mark = json.dumps({"remove": [_relative(name, folder) for name in wanted.remove], "text": wanted.text})
    _put(medium, path + MARK, mark.encode(), path)
    finish(link, medium)
    return wanted


def finish(path: str, medium: Medium | None = None) -> bool:
    """Finish a reset that was decided; False when there is none."""
    link, path = os.path.abspath(path), os.path.realpath(path)
    if not reset_waits(path):
        return False
    medium = medium or Medium(os.path.dirname(path))
    remove, text = _marked(path)
    try:
        for name in dict.fromkeys((*remove, *_beside(link))):
            if os.path.lexists(name):
                medium.remove(name)
        _put(medium, path, text.encode(), path)
        medium.remove(path + MARK)
    except SpoolError as error:
        raise _failed(str(error)) from None
    return True


def first_text(path: str) -> str:
    """Return the configuration of the first start; where the spool is stays as it is."""
    document: dict[str, Any] = {}
    for text in _texts(path):
        document = _document(text)
        if document:
            break
    kept = {
        table: {key: document[table][key] for key in keys if key in document[table]}
        for table, keys in _OF_THE_BOX.items()
        if isinstance(document.get(table), dict)
    }
    factory = _read(path + FACTORY)
    if factory is not None and _same_spool(_document(factory), kept):
        return factory
    lines = ["# the configuration of the first start; 'modality-agent config example' shows every key\n"]
    for table, values in kept.items():
        if values:
            lines.append(f"\n[{table}]\n")
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()]
    return "".join(lines)


def _same_spool(factory: dict[str, Any], kept: dict[str, Any]) -> bool:
    """Whether the maker's configuration has the spool where it is: instances elsewhere would be out of sight."""
    return bool(factory) and (factory.get("spool") or {}).get("path") == kept.get("spool", {}).get("path")


def _texts(path: str) -> Iterator[str]:
    """Yield FILE and its generations, the newest first: an old one may name a key that is still there."""
    text = _read(path)
    if text is not None:
        yield text
    folder = history_of(path)
    for name in sorted(_names(folder), reverse=True):
        text = _read(os.path.join(folder, name)) if name.endswith(".toml") else None
        if text is not None:
            yield text


def _beside(path: str) -> Iterator[str]:
    """Yield what has no name in FILE: history, candidate, users, and the folder where certificates go by themselves."""
    for folder, stays in (
        (history_of(path), _LOCKS),
        (path + CONSOLE, ()),
        (os.path.join(os.path.dirname(path), CERTIFICATES), ()),
    ):
        for name in sorted(_names(folder)):
            whole = os.path.join(folder, name)
            if name not in stays and not name.startswith(_RECORD) and not os.path.isdir(whole):
                yield whole


def _with_relatives(name: str) -> tuple[str, ...]:
    """Return a file with the one before it, and the request that was made for a key."""
    return name, f"{name}.old", os.path.splitext(name)[0] + ".csr"


def _named(document: dict[str, Any], table: str, key: str) -> Iterator[str]:
    found = document.get(table)
    for row in found if isinstance(found, list) else [found]:
        value = row.get(key) if isinstance(row, dict) else None
        if isinstance(value, str) and value:
            yield value


def _document(text: str) -> dict[str, Any]:
    """Return what a text says; nothing where it is damaged, for a reset must work then most of all."""
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _has(path: str, sign: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return sign in file.read(_MOST_BYTES)
    except OSError:
        return False


def _absolute(name: object, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, os.path.expanduser(name))) if isinstance(name, str) and name else ""


def _relative(name: str, folder: str) -> str:
    """Return a path as seen from FILE: a medium that is mounted elsewhere by the next start holds the same files."""
    return os.path.relpath(name, folder)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return None


def _marked(path: str) -> tuple[list[str], str]:
    try:
        with open(path + MARK, encoding="utf-8") as file:
            said = json.load(file)
        return [os.path.join(os.path.dirname(path), name) for name in said["remove"]], str(said["text"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _failed(f"{path}{MARK} cannot be read: {error}") from None


def _put(medium: Medium, final: str, data: bytes, like: str) -> None:
    """Put ``data`` in the place of ``final``, with mode and owner of FILE."""
    part = f"{final}~"
    try:
        found = os.stat(like)
        mode, owner = found.st_mode & 0o666, (found.st_uid, found.st_gid)
    except OSError:
        mode, owner = FILE_MODE, (os.geteuid(), os.getegid())
    try:
        medium.remove(part, sync=False)
        file = medium.create(part, mode)
        try:
            file.write_at(0, data)
            file.finish()
        finally:
            file.close()
        made = os.stat(part)
        if made.st_mode & 0o666 != mode:  # the umask took from it
            os.chmod(part, mode)
        if os.geteuid() == 0 and (made.st_uid, made.st_gid) != owner:
            os.chown(part, *owner)
        medium.swap(part, final)
    except SpoolError as error:
        raise _failed(str(error)) from None


def _failed(what: str) -> FileError:
    return FileError(
        f"factory reset: {what}", hint="Run 'modality-agent reset --factory' as the agent's user, or root."
    )
