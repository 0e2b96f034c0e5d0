"""From settings to the objects of the layers below: the only place that knows both vocabularies.

Each function imports what it translates to, because ``echo`` and ``send`` need the network side only.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.config.settings import DestinationSettings, Settings
    from agent.link.timekeeping import Kept
    from agent.link.tls import TlsSettings
    from agent.spool.core import Destination
    from agent.spool.quota import Policy
    from agent.spool.store import Spool

_HOUR_S = 3600.0


def spool_policy(settings: Settings) -> Policy:
    """Translate ``[spool]``."""
    from agent.spool.quota import MIB, Policy

    spool = settings.spool
    return Policy(
        min_free_bytes=spool.min_free_mib * MIB,
        low_water_fraction=spool.keep_free_percent / 100,
        evict_after_s=spool.keep_hours * _HOUR_S,
        require_mount=spool.require_mount or None,
    )


def spool_destinations(settings: Settings) -> list[Destination]:
    """Translate ``[[destination]]`` for the spool."""
    from agent.spool.core import Destination

    return [Destination(row.name, row.commitment, row.standby) for row in settings.destination]


def open_spool(settings: Settings, *, anew: bool = False) -> Spool:
    """Open the spool for writing: takes its lock and recovers, with a new ledger if asked; raises ``SpoolError``."""
    from agent.spool.store import Spool, prepare

    if not settings.spool.require_mount:
        prepare(settings.spool.path)
    owed, policy = spool_destinations(settings), spool_policy(settings)
    spool = Spool.open(settings.spool.path, destinations=owed, policy=policy, anew=anew)
    ask_time(spool, settings)
    return spool


def ask_time(spool: Spool, settings: Settings) -> Kept | None:
    """Tell the ledger whether somebody keeps the clock right; beside all work, for who answers that may be late."""
    if spool.ledger.time is None or not (settings.source or spool.any_live()):
        return None  # a box that records nothing does without
    from agent.link.timekeeping import timekeeping

    kept = timekeeping()
    spool.ledger.time.keeping(kept.synchronised)
    return kept


def check_tls(settings: Settings, *, listener: bool = True) -> None:
    """Load every certificate once, so that a wrong one is said at start; ``ConfigError`` or ``TlsRefused``.

    Who binds the listener next need not have it checked.
    """
    for row in settings.destination:
        if row.tls:
            from agent.link.tls import client_context

            client_context(tls_settings(settings, row))
    if listener and settings.listener.enabled and settings.listener.tls:
        from agent.link.tls import server_context

        server_context(tls_settings(settings))


def tls_settings(settings: Settings, row: DestinationSettings | None = None) -> TlsSettings:
    """Translate ``[tls]`` for the listener, or for the connections to one destination."""
    from agent.link.tls import TlsSettings

    files = settings.tls
    return TlsSettings(
        (row and row.tls_ca_file) or files.ca_file,
        files.certificate_file,
        files.key_file,
        server_name=(row and row.tls_server_name) or None,
        crl_file=files.crl_file or None,
        watch_callers=row is None,
    )
