"""SHA-256 of small things, as events are, without OpenSSL: loading that costs an idle daemon 3.6 MiB and 5 ms.

The same digest as ``hashlib.sha256``, which is faster for files, and is imported with the first of them.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # CPython 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # an interpreter that was built without
            from hashlib import sha256

__all__ = ["sha256"]
