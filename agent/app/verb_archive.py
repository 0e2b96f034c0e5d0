"""``archive``: the bench archive of ``agent.app.archive`` as a program; not for a hospital.

Prints ``ready port N`` when it listens, then one line per stored instance and per commitment report (``--quiet``: not),
refusals on stderr, and stops on SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
import threading

from agent.app.journal import Journal
from agent.app.peers import check_pem_files
from agent.errors import ListenFailed, UsageError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.app.archive import Archive, ArchiveSettings
    from agent.app.options import Arguments, Parser
    from agent.link.tls import TlsSettings


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--directory", default="received", metavar="FOLDER", help="where instances go (received)")
    parser.add("--ae-title", default="BENCH", metavar="AET", help="its AE Title (BENCH)")
    parser.add("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    parser.add("--port", read=int, default=11113, metavar="N", help="port to listen on; 0 takes a free one (11113)")
    parser.add("--ca", metavar="PEM", help="TLS: CAs that may vouch for callers; switches TLS on")
    parser.add("--cert", metavar="PEM", help="TLS: certificate of the archive")
    parser.add("--key", metavar="PEM", help="TLS: its private key")
    parser.add(
        "--report",
        choices=("same", "new", "next"),
        default="same",
        help="association that commitment reports go out on: "
        "that of the question, a new one, or the next one of the requestor (same)",
    )
    parser.add(
        "--report-to",
        repeated=True,
        metavar="AET@HOST:PORT",
        help="where reports for a requestor go on a new association; may be repeated",
    )
    parser.add("--quiet", switch=True, help="no line per stored instance and commitment report")


def run(args: Arguments) -> int:
    """Serve until SIGTERM."""
    from agent.app.archive import ArchiveSettings
    from agent.link.peer import ae_title_problem, parse_peer

    problem = ae_title_problem(args.ae_title)
    if problem:
        raise UsageError(f"--ae-title: AE Title '{args.ae_title}' {problem}")
    if not 0 <= args.port <= 65_535:
        raise UsageError(f"--port: {args.port} is not a number from 0 to 65535")
    peers = [parse_peer(text) for text in args.report_to]
    settings = ArchiveSettings(
        folder=args.directory,
        ae_title=args.ae_title,
        host=args.host,
        port=args.port,
        tls=_tls(args),
        report=args.report,
        report_to={peer.called_ae: (peer.host, peer.port) for peer in peers},
    )
    signals = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    journal = Journal()
    archive = _open(settings, journal, quiet=args.quiet)
    _print(f"ready port {archive.port}")
    stop = threading.Event()
    thread = threading.Thread(target=archive.run, args=(stop,), name="archive")
    thread.start()
    signal.sigwait(signals)
    stop.set()
    thread.join()
    journal.flush()
    return 0


def _open(settings: ArchiveSettings, journal: Journal, *, quiet: bool) -> Archive:
    from agent.app.archive import Archive

    tell = (lambda _text: None) if quiet else _print
    try:
        return Archive(settings, lambda text: journal.say("warning", "archive", text), tell)
    except ListenFailed as error:
        error.hint = "Another program has the port, or it is privileged or not of this box; see --port and --host."
        raise


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _tls(args: Arguments) -> TlsSettings | None:
    given = (args.ca, args.cert, args.key)
    if not any(given):
        return None
    if not all(given):
        raise UsageError("TLS needs --ca, --cert and --key together")
    check_pem_files(args)
    from agent.link.tls import TlsSettings

    return TlsSettings(*given)
