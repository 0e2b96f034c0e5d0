"""Every exception of the agent on one page.

Each class says four things a caller may rely on, so that nobody ever parses a message:

``code``         stable and unique; what logs, receipts and ``--json`` carry
``exit_status``  what the command line returns when this error ends a command
``retry``        NOW, LATER, OPERATOR or NEVER: what the forwarder does about it (promise P7)
``hint``         what the technician should do next, in one sentence

The instance adds what happened and where. Whose fault it is, is in the family:
``ConfigError`` and ``UsageError`` are the site's, ``RemoteProtocolError`` and ``StatusError`` the peer's,
``LocalProtocolError`` and ``NativeArgumentError`` ours, ``MediaError`` and ``DeviceError`` the machine's.
Programming errors (``TypeError``, ``AssertionError``) are not in this tree on purpose: they end the role.
"""

from __future__ import annotations

from enum import Enum

from agent.typed import TypeVar

_Error = TypeVar("_Error", bound=BaseException)


class Retry(Enum):
    """What may be done about a failure (promise P7)."""

    NOW = "now"
    LATER = "later"
    OPERATOR = "operator"
    NEVER = "never"


class AgentError(Exception):
    """Root of the tree; never raised itself."""

    code = "agent"
    exit_status = 1
    retry = Retry.OPERATOR
    hint = "Report this with the output of 'modality-agent status --json'."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(AgentError):
    """The command line asks for something that does not exist."""

    code = "usage"
    exit_status = 2
    retry = Retry.NEVER
    hint = "See 'modality-agent VERB --help'."


class FileError(AgentError):
    """A file or folder named on the command line cannot be read or written."""

    code = "file"
    exit_status = 3
    hint = "Check the path, its permissions and the free space."

    @classmethod
    def of(cls, path: str, error: OSError) -> FileError:
        """Return the error for a file that cannot be read, with the hint for its reason."""
        absent = isinstance(error, FileNotFoundError)
        hint = "Nothing has this name; is it spelled as it is, and this the right folder?" if absent else None
        return cls(f"{path}: {error.strerror or error}", hint=hint)


class OutsideFileSet(FileError):
    """A File ID leads out of its File-set, or is none. Code and treatment are those of ``FileError``."""

    hint = "Whoever made the File-set made a mistake or means harm; the file is not opened."


class NotFound(AgentError):
    """A name or UID is well formed, and the agent has nothing under it."""

    code = "not_found"
    exit_status = 4
    retry = Retry.NEVER
    hint = "'modality-agent status' and 'modality-agent queue list' show what there is."


class NotRunning(AgentError):
    """Only a running agent can do this, and none runs on this spool."""

    code = "not_running"
    exit_status = 5
    retry = Retry.LATER
    hint = "Start it with 'modality-agent run'."


class NotReady(AgentError):
    """The agent was told to begin anew and is not ready again in time."""

    code = "not_ready"
    exit_status = 7
    retry = Retry.LATER
    hint = "'modality-agent log --last 20' says what it does; a clip that is being sealed may take minutes."


class CaptureWaiting(AgentError):
    """A source was asked for a capture while an earlier one still waits: this one is not made."""

    code = "capture.waiting"
    exit_status = 6
    retry = Retry.LATER
    hint = "Ask again once the waiting one has begun; 'modality-agent status' shows it."


class ClipRunning(AgentError):
    """A source was asked for a clip or a still while it captures: this one is not made, and the other goes on."""

    code = "capture.running"
    exit_status = 6
    retry = Retry.LATER
    hint = "Stop the clip first ('trigger SOURCE --stop'), or wait for its end."


class NotArmed(AgentError):
    """A source that is to be open before it is asked is not: an order would make what came too late."""

    code = "capture.not_armed"
    exit_status = 6
    retry = Retry.LATER
    hint = "Is the device there, and switched on? It is opened again by itself; 'modality-agent status' shows when."


class PowerFailing(AgentError):
    """Whoever watches the supply says that it is about to fail: no capture begins now."""

    code = "capture.power"
    exit_status = 6
    retry = Retry.LATER
    hint = "Look after the supply. Captures go on when the front panel says that it is well, or is silent for a minute."


class ExposureLost(AgentError):
    """An exposure has no image: no frame of its time came, or none that is surely the one."""

    code = "capture.exposure_lost"
    exit_status = 6
    hint = "Does the detector deliver while it is exposed? Compare exposure_delay_ms and exposure_window_ms with it."


class NoClip(AgentError):
    """A clip was to be stopped and none runs: it has ended by itself, or never begun."""

    code = "capture.no_clip"
    exit_status = 6
    hint = "'modality-agent status' shows what the source does, the log how its last clip ended."


class PanelRefused(AgentError):
    """The front panel, or this agent for its sake, does not take another firmware."""

    code = "panel.refused"
    exit_status = 42
    hint = "The panel goes on with the firmware that it has."


class NotLoggedIn(AgentError):
    """A box does not let ``provision`` in, or somebody else is in the middle of something there."""

    code = "provision.login"
    exit_status = 8
    hint = "Is it the right user and password? 'show sessions' on the box lists who tried."


class BoxRefused(AgentError):
    """A box was asked by ``provision`` and does not do it; its own words are passed on."""

    code = "provision.refused"
    exit_status = 9
    hint = "What was in force before is in force."


# --- configuration ---------------------------------------------------------------------------


class ConfigError(AgentError):
    """A key, value or file of the configuration is wrong; names key path and line.

    ``problems`` holds every problem found as (line or None, key path or '', what is wrong).
    """

    code = "config"
    exit_status = 10
    hint = "Correct the configuration file; 'modality-agent config check FILE' lists every problem."
    file = ""
    problems: tuple[tuple[int | None, str, str], ...] = ()


class PemError(ConfigError):
    """A file with certificates, keys or revocation lists is wrong. Code and treatment are those of ``ConfigError``."""

    hint = "Correct that file, or name another: --ca, --cert or --key on the command line, [tls] in a configuration."


class ConfigLocked(AgentError):
    """Somebody else edits the configuration; the message says who, and since when."""

    code = "config.locked"
    exit_status = 17
    retry = Retry.LATER
    hint = "Ask who it is to end it; the lock ends with that session, however it ends."


class ConfigChanged(AgentError):
    """The configuration file is not the one that the candidate began from; nothing was overwritten.

    ``lines`` are what changed in the file since, as commands.
    """

    code = "config.changed"
    exit_status = 18
    hint = "'config update' puts the candidate's changes on top of the file as it is now; 'config discard' drops them."
    lines: list[str] = []


class SelfTestFailed(AgentError):
    """A self-test failed, so a configuration was not committed, or does not stand; ``lines``: what each test said."""

    code = "config.tests"
    exit_status = 38
    lines: list[str] = []
    hint = (
        "Correct what failed; 'config commit --confirm 10' tries it for ten minutes, 'config commit --no-tests' "
        "keeps it all the same."
    )


# --- Data Sets and files ---------------------------------------------------------------------


class DataSetError(AgentError):
    """Abstract: a Data Set is wrong. ``tag`` and ``offset`` say where, when they are known."""

    code = "dataset"
    exit_status = 30
    retry = Retry.NEVER

    def __init__(
        self, message: str, *, tag: int | None = None, offset: int | None = None, hint: str | None = None
    ) -> None:
        where = "" if tag is None else f" at ({tag >> 16:04X},{tag & 0xFFFF:04X})"
        where += "" if offset is None else f" at byte {offset}"
        super().__init__(message + where, hint=hint)
        self.tag = tag
        self.offset = offset


class DecodeError(DataSetError):
    """Bytes from a file or peer are not a Data Set."""

    code = "dataset.decode"
    hint = "The file or message is damaged or not DICOM; get it again from its source."


class LimitError(DecodeError):
    """What was read is beyond a limit of the agent; nothing says that it is damaged."""

    code = "dataset.limit"
    exit_status = 35
    hint = "This is a limit of the agent, not a fault of the file; another program may read it."


class EncodeError(DataSetError):
    """A value cannot be written as its Value Representation demands."""

    code = "dataset.encode"
    hint = "Correct the value at its source (configuration, worklist or operator entry)."


class IodError(DataSetError):
    """A Module table forbids this instance (PS3.3); ``tags`` are those of all violations, ``tag`` the first."""

    code = "iod"
    exit_status = 31
    hint = "Supply the missing attribute in the configuration of the source or the exam."

    def __init__(
        self, message: str, *, tag: int | None = None, tags: tuple[int, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, tag=tag, hint=hint)
        self.tags = tags or (() if tag is None else (tag,))


class NotConformant(AgentError):
    """A file or a display is not as the Standard says; every finding was printed."""

    code = "check"
    exit_status = 32
    retry = Retry.NEVER
    hint = "Each line names the rule; correct the file at its source."


class InputError(AgentError):
    """A file to be wrapped is damaged, or of a kind that no instance can hold; names the file and the reason."""

    code = "input"
    exit_status = 33
    retry = Retry.NEVER
    hint = "Make the file again at its source; 'modality-agent wrap --help' lists what can be wrapped."


class NotAllDone(AgentError):
    """Some of several files were done and others not; every error was printed."""

    code = "files.some"
    exit_status = 36
    hint = "The error line of each file says why; the others are done."


class DisplayError(AgentError):
    """Measured luminances or a grayscale chain do not make sense (PS3.14, PS3.3 C.11)."""

    code = "display"
    exit_status = 34
    retry = Retry.NEVER
    hint = "Measure again with a warm display, from the darkest level to the brightest."


class NotDicomError(DecodeError):
    """The file carries no DICM prefix (PS3.10 7.1)."""

    code = "media.not_dicom"
    hint = "Is it the right file? A Data Set without the head of a file is read with --lenient where a verb has it."


# --- the upper layer and DIMSE ---------------------------------------------------------------


class ProtocolError(AgentError):
    """Abstract: a rule of PS3.7 or PS3.8 was broken."""

    code = "protocol"
    exit_status = 60
    retry = Retry.LATER


class LocalProtocolError(ProtocolError):
    """We asked the association for something its state forbids."""

    code = "protocol.local"
    hint = "This is a fault of the agent; report it with this line and the agent's log."


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; the association is dead. ``reason`` is that of our A-ABORT (PS3.8 Table 9-26)."""

    code = "protocol.remote"
    hint = "The peer sent something DICOM does not allow; give its vendor this line and the agent's log."

    def __init__(self, message: str, *, reason: int = 0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class AssociationError(AgentError):
    """Abstract: no association, or no longer one."""

    code = "association"
    exit_status = 25
    retry = Retry.LATER


class AssociationRejected(AssociationError):
    """A-ASSOCIATE-RJ, transient (PS3.8 9.3.4)."""

    code = "association.rejected.transient"
    exit_status = 24
    hint = "The peer is busy; the agent tries again by itself."

    def __init__(
        self, message: str, *, result: int = 2, source: int = 3, reason: int = 1, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.result, self.source, self.reason = result, source, reason


class AssociationRefused(AssociationRejected):
    """A-ASSOCIATE-RJ, permanent: the peer does not know us or is not who we think (PS3.8 9.3.4)."""

    code = "association.rejected.permanent"
    exit_status = 23
    retry = Retry.OPERATOR
    hint = "Compare calling and called AE Title with the peer's configuration; both sides must match exactly."


class AssociationAborted(AssociationError):
    """A-ABORT or A-P-ABORT."""

    code = "association.aborted"
    hint = "The peer ended the association; its log says why."


class UserNotConfirmed(AssociationError):
    """A confirmation of the user was asked for, and the peer accepted without one (PS3.7 D.3.3.7)."""

    code = "association.user"
    exit_status = 19
    retry = Retry.OPERATOR
    hint = "It knows no user identity, or does not know the user; user_response = false goes on without proof."


class NoAcceptedContext(AssociationError):
    """The peer accepted no presentation context for this SOP Class and transfer syntax."""

    code = "association.no_context"
    exit_status = 26
    retry = Retry.OPERATOR
    hint = "The peer does not take this SOP Class or transfer syntax; ask its administrator to enable it."


class StatusError(AgentError):
    """A DIMSE response with a failure status (PS3.7 Annex C)."""

    code = "dimse.status"
    exit_status = 27
    hint = "The peer refused the operation; the status and its comment say why."

    def __init__(self, message: str, *, status: int, comment: str = "", retry: Retry | None = None) -> None:
        super().__init__(message)
        self.status, self.comment = status, comment
        if retry is not None:
            self.retry = retry


class NotDelivered(AgentError):
    """At least one instance was not delivered; the lines above say which and why."""

    code = "not_delivered"
    exit_status = 50
    retry = Retry.LATER
    hint = "See the line of each instance; 'queue retry' tries again."


class NotCommitted(AgentError):
    """Everything was stored, and not everything committed: keep the files."""

    code = "not_committed"
    exit_status = 51
    retry = Retry.LATER
    hint = "Keep the files; the archive has them, but has not said that it takes them over."


# --- the link --------------------------------------------------------------------------------


class ChecksFailed(AgentError):
    """At least one check of a self-test failed."""

    code = "selftest"
    exit_status = 52
    retry = Retry.OPERATOR
    hint = "Each check that failed says whose fault it is and what to do."


class NotAllowed(AgentError):
    """The operating system does not let us, or has no program for it; the hint says what to type."""

    code = "not_allowed"
    exit_status = 53
    retry = Retry.OPERATOR


class LinkError(AgentError):
    """Abstract: TCP or TLS failed."""

    code = "link"
    exit_status = 20
    retry = Retry.LATER


class ConnectFailed(LinkError):
    """No TCP connection: refused, unreachable, unknown host."""

    code = "link.connect"
    hint = "Check host, port and cable; 'modality-agent echo' tests the way."


class LinkTimeout(LinkError):
    """The named wait ran out (connect, tls, associate, write, response, release)."""

    code = "link.timeout"
    exit_status = 21
    hint = "The peer is reachable but too slow or stuck; the agent tries again by itself."


class LinkClosed(LinkError):
    """The connection ended in the middle of something."""

    code = "link.closed"
    exit_status = 28
    hint = "The connection was cut; the agent tries again by itself."


class TlsRefused(LinkError):
    """The TLS handshake failed: certificate, name, version or not TLS at all."""

    code = "link.tls"
    exit_status = 22
    retry = Retry.OPERATOR
    hint = "Check CA file, certificate dates and host name of both sides; is the port a TLS port?"


class ListenFailed(LinkError):
    """The listener cannot have its port."""

    code = "link.listen"
    exit_status = 29
    retry = Retry.OPERATOR
    hint = "Another program has the port, or it is privileged; choose another one in [listener]."


# --- the spool -------------------------------------------------------------------------------


class SpoolError(AgentError):
    """Abstract: local media failed."""

    code = "spool"
    exit_status = 11
    retry = Retry.OPERATOR


class SpoolFull(SpoolError):
    """No room: the instance is refused before anything is promised."""

    code = "spool.full"
    exit_status = 12
    retry = Retry.LATER
    hint = "Free space or let the queue drain; nothing already captured is affected."


class SpoolDamaged(SpoolError):
    """A file does not match its digest, or the ledger its files; the file was set aside."""

    code = "spool.damaged"
    exit_status = 13
    hint = "The file is kept in quarantine; 'queue show' names it."


class SpoolBusy(SpoolError):
    """Another process holds the spool."""

    code = "spool.busy"
    exit_status = 14
    retry = Retry.LATER
    hint = "The agent is already running on this spool; stop it first or talk to it."


class AgentSilent(SpoolError):
    """The agent that runs on this spool does not answer."""

    code = "spool.silent"
    exit_status = 39
    retry = Retry.LATER
    hint = (
        "It is stuck or very busy, and will not do this later. 'modality-agent log' shows its last words. If it stays "
        "so, restart its service (systemctl restart modality-agent) or this box; what it has captured is safe."
    )


class SpoolConflict(SpoolError):
    """Same SOP Instance UID, other digest (promise P5)."""

    code = "spool.conflict"
    exit_status = 15
    retry = Retry.NEVER
    hint = "Two different instances carry one UID; the second was quarantined. Find the device that reuses UIDs."


class MediaError(SpoolError):
    """The medium is missing, read-only or returns errors."""

    code = "spool.media"
    exit_status = 16
    hint = "Check that the medium is mounted, writable and healthy."


class NotSafe(AgentError):
    """An export medium failed, or what is on it could not be proven: it is not safe to remove, nor to hand out."""

    code = "media.not_safe"
    exit_status = 37
    hint = "Do not hand the medium out; put it in again, check it, and repeat the export: it is completed."


class FileUnreadable(MediaError):
    """One file cannot be read; nothing is said about the others. Code and treatment are those of ``MediaError``."""

    hint = "The file was left where it is; copy it off the medium with a rescue tool, then check the medium."


# --- the C core and devices ------------------------------------------------------------------


class NativeError(AgentError):
    """Abstract: the C core refused."""

    code = "native"
    exit_status = 40


class NativeArgumentError(NativeError, ValueError):
    """The caller asked the C core for something impossible."""

    code = "native.argument"
    retry = Retry.NEVER
    hint = "This is a fault of the agent; report it."


class NativeDataError(NativeError):
    """The bits given to a decoder are not what they claim to be."""

    code = "native.data"
    retry = Retry.NEVER
    hint = "The compressed frame is damaged; get it again from its source."


class EncoderFault(NativeError):
    """A frame does not come back from its own compression."""

    code = "native.encoder"
    retry = Retry.LATER
    hint = "Memory or processor may be failing: test the machine. transfer_syntax = 'explicit' does not compress."


class DeviceError(NativeError):
    """A source cannot be opened or stopped delivering."""

    code = "native.device"
    exit_status = 41
    retry = Retry.LATER
    hint = "Check the cable and the 'source' line of the configuration."


class StoppedEarly(DeviceError):
    """The agent stopped a source before its first frame: nobody is at fault, and there is nothing to keep."""

    code = "native.device.stopped"
    hint = "Nothing to do: the agent was stopping or took over new settings."


def class_of(code: str) -> type[AgentError] | None:
    """Return the class with a code, or None where no class has it."""
    kinds = [AgentError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return next((kind for kind in kinds if kind.code == code), None)


def kept(error: _Error) -> _Error:
    """Return an error that stays, in a variable or an object, without the calls that it and its causes came through.

    Their frames have all that was at work there, and those that called them, where the error is kept: a circle.
    """
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        at.__traceback__ = None
        at = at.__cause__ or at.__context__
    return error
