"""SQLite without the dates of ``sqlite3``: a ledger has none, and they cost an idle daemon 0.2 MiB of ``datetime``.

Connections and errors are those of ``sqlite3``; whoever is no daemon imports that.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import _sqlite3 as sqlite3
    except ImportError:  # an interpreter that names it otherwise
        import sqlite3

__all__ = ["sqlite3"]
