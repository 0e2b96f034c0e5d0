"""The verbs of the command line, as data.

A verb is a module with two functions: ``arguments(parser)`` declares its options, ``run(args)`` does the work and
returns an exit status. Modules are imported only when their verb is used, because ``send`` on a small box must not pay
for ``demo``. To add a verb: one row here and its module; help, exit codes and the documentation test follow.
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple


class Verb(NamedTuple):
    """One verb; ``errors`` names the classes of ``agent.errors`` that can end it (``*`` = every subclass too)."""

    name: str
    module: str
    summary: str
    examples: tuple[str, ...]
    errors: tuple[str, ...] = ()


_LINK: Final = ("ConnectFailed", "LinkTimeout", "LinkClosed", "TlsRefused", "AssociationError*", "ProtocolError")
_SPOOL: Final = ("SpoolError*",)

VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "run",
        "agent.app.verb_run",
        "capture, forward and listen until stopped (the daemon)",
        ("run --config /etc/modality-agent/agent.toml",),
        ("ConfigError", "ListenFailed", *_SPOOL, "DeviceError"),
    ),
    Verb(
        "echo",
        "agent.app.verb_echo",
        "verify a peer with C-ECHO",
        ("echo --to PACS@pacs.example.org:104", "echo --to pacs --config agent.toml"),
        ("ConfigError", *_LINK, "StatusError"),
    ),
    Verb(
        "send",
        "agent.app.verb_send",
        "send DICOM files to a peer with C-STORE, now, without the queue",
        (
            "send --to PACS@pacs.example.org:104 image.dcm",
            "send --to PACS@pacs:2762 --ca ca.pem --cert me.pem --key me.key *.dcm",
            "send --to PACS@pacs:104 --parallel 4 exam/",
            "send --to PACS@pacs:104 --ae BOX --commit --listen 11112 exam/",
        ),
        (
            "FileError",
            "ConfigError",
            *_LINK,
            "StatusError",
            "DecodeError",
            "LimitError",
            "NotDelivered",
            "NotCommitted",
            "ListenFailed",
        ),
    ),
    Verb(
        "queue",
        "agent.app.verb_queue",
        "what is queued and whose it is; retry what is deferred or held; let it go first, hold it, release it",
        (
            "queue list --config agent.toml",
            "queue list --patient 4711 --state held",
            "queue studies --limit 10",
            "queue patients",
            "queue show 2.25.1234",
            "queue retry --destination pacs",
            "queue priority 2.25.77 urgent",
            "queue hold --destination pacs",
            "queue release 2.25.77",
        ),
        ("FileError", "NotFound", "ConfigError", *_SPOOL),
    ),
    Verb(
        "spool",
        "agent.app.verb_spool",
        "is the spool whole: what a start would find, every file read again, or the ledger made again of the files",
        (
            "spool check --config agent.toml",
            "spool verify --json",
            "spool rebuild --config agent.toml",
        ),
        ("FileError", "NotFound", "ConfigError", *_SPOOL),
    ),
    Verb(
        "receipt",
        "agent.app.verb_receipt",
        "print the custody receipt of an instance",
        ("receipt 2.25.1234 --config agent.toml", "receipt 2.25.1234 --json"),
        ("FileError", "NotFound", "ConfigError", *_SPOOL, "NotDelivered"),
    ),
    Verb(
        "why",
        "agent.app.verb_why",
        "explain in words what became of an instance, or how a destination is served",
        ("why 2.25.1234 --config agent.toml", "why pacs --json", "why pacs --text pacs.txt"),
        ("FileError", "NotFound", "ConfigError", *_SPOOL),
    ),
    Verb(
        "trigger",
        "agent.app.verb_trigger",
        "ask the running agent for one capture of a source, or for a clip until it is stopped",
        ("trigger probe --config agent.toml", "trigger probe --start", "trigger probe --stop", "trigger probe --still"),
        (
            "NotFound",
            "NotRunning",
            "CaptureWaiting",
            "ClipRunning",
            "NoClip",
            "NotArmed",
            "PowerFailing",
            "ConfigError",
            "SpoolError",
        ),
    ),
    Verb(
        "panel",
        "agent.app.verb_panel",
        "what the front panel is and does; another firmware for it over its line; firmware as one file",
        (
            "panel status --config agent.toml",
            "panel update",
            "panel update panel-0.2.0.fw --downgrade",
            "panel bundle -o panel.fw",
        ),
        ("FileError", "InputError", "NotFound", "NotRunning", "PanelRefused", "LinkTimeout", "ConfigError", *_SPOOL),
    ),
    Verb(
        "capture",
        "agent.app.verb_capture",
        "make one instance from a source and write it to a file",
        (
            "capture --source 'pattern:us-rgb?rate_hz=30' --frames 30 --sop-class us-mf -o clip.dcm",
            "capture --source replay:picture.png --sop-class sc --transfer-syntax rle -o sc.dcm",
            "capture --source c-arm --sop-class xa --set radiation_setting=SC -o xa.dcm",
        ),
        ("ConfigError", "DataSetError*", "NativeError*", "FileError"),
    ),
    Verb(
        "calibrate",
        "agent.app.verb_calibrate",
        "a template of calibrated regions (US) from a frame with known distances; is a frame recognised",
        (
            "calibrate probe --find-ticks 60,930,600,12 --preview ticks.png",
            "calibrate a.png --region 60,100,600,800 --ticks-down 60,160,260=20mm --square -o a.toml --preview b.png",
            "calibrate probe --region 60,100,600,800 --down 90,410-590,410=9cm --square --mark 20,900,16,60 -o a.toml",
            (
                "calibrate probe --add a.toml --region 660,100,90,800 --kind m-mode --across 700,100-700,500=2s "
                "--down 670,150-740,150=14mm -o b.toml"
            ),
            "calibrate probe --against /etc/modality-agent/calibration",
        ),
        ("FileError", "NotFound", "ConfigError", "DeviceError", "NativeError*"),
    ),
    Verb(
        "dump",
        "agent.app.verb_dump",
        "show what is in DICOM files",
        (
            "dump image.dcm",
            "dump --lenient --tag PatientID --tag 'ReferencedSeriesSequence[0].Modality' *.dcm",
            "dump --json image.dcm",
        ),
        ("FileError", "NotFound", "NotDicomError", "LimitError"),
    ),
    Verb(
        "transcode",
        "agent.app.verb_transcode",
        "write DICOM files in another transfer syntax, and prove that no sample changed",
        (
            "transcode clip.dcm --to rle -o clip-rle.dcm",
            "transcode ./study --to explicit -o ./native/",
            "transcode image.dcm --to jpeg-ls --near 2 -o image-near.dcm",
        ),
        ("FileError", "DataSetError*", "NativeError*", "NotAllDone"),
    ),
    Verb(
        "wrap",
        "agent.app.verb_wrap",
        "pictures, a PDF, a CDA document or exposure events into one DICOM instance",
        (
            "wrap photo.jpg --sop-class vl-photo --patient-id 42 -o photo.dcm",
            "wrap page1.png page2.png --set ConversionType=SD -o scan.dcm",
            "wrap clip-01.pgm clip-02.pgm --sop-class us-mf --frame-time-ms 40 -o clip.dcm",
            "wrap report.pdf --title 'Report' --attributes patient.json -o report.dcm",
            "wrap letter.xml -o letter.dcm",
            "wrap exposures.json --sop-class dose -o dose.dcm",
            "wrap image.raw --rows 512 --columns 512 --bits-stored 12 -o image.dcm",
        ),
        ("FileError", "InputError", "DataSetError*"),
    ),
    Verb(
        "check",
        "agent.app.verb_check",
        "check DICOM files against the Standard",
        ("check image.dcm", "check --warnings off *.dcm", "check --json image.dcm"),
        ("FileError", "NotDicomError", "LimitError", "NotConformant"),
    ),
    Verb(
        "media",
        "agent.app.verb_media",
        "what is on a medium, whether others can read it; instances of the spool onto media, and back",
        (
            "media list /media/stick",
            "media list --files --json ./exam",
            "media check /media/stick",
            "media export --study 2.25.77 --to /media/stick",
            "media export --all --profile STD-GEN-CD --volume-size 700M --to exam.iso",
            "media export --uid 2.25.1234 --profile STD-GEN-ZIP-MAIL --to DICOM.ZIP",
            "media import /media/stick",
            "media import /media/stick --key box.key",
            "media export --since 24h --profile STD-GEN-SEC-USB-JPEG --recipient reader.pem --to /media/stick",
        ),
        ("FileError", "DecodeError", "NotConformant", "NotAllDone", "NotFound", "ConfigError", *_SPOOL, "NotSafe"),
    ),
    Verb(
        "display",
        "agent.app.verb_display",
        "make the table that lets a display follow the GSDF, or judge one that has it",
        (
            "display calibrate measured.csv --ambient 0.5 -o table.csv",
            "display verify measured-again.csv --ambient 0.5 --tolerance 10",
        ),
        ("FileError", "NotConformant", "DisplayError"),
    ),
    Verb(
        "tls",
        "agent.app.verb_tls",
        "make key and certificate request on this box, take in what the CA returned, or show what is in use",
        (
            "tls request --config agent.toml --name unit7.example.org --name 10.0.0.7",
            "tls request --config agent.toml --same-key",
            "tls import certificate box.pem --config agent.toml",
            "tls import ca - --destination pacs --dry-run < ca.pem",
            "tls show --config agent.toml",
        ),
        ("FileError", "ConfigError"),
    ),
    Verb(
        "provision",
        "agent.app.verb_provision",
        "configure a box over its serial line, from a laptop",
        (
            "provision --port /dev/ttyUSB0 box.toml --password-file admin.pw --dry-run",
            "provision --port /dev/ttyUSB0 --baud 115200 box.set --ca ca.pem --certificate box.pem",
        ),
        ("FileError", "ConfigError", "DeviceError", "LinkTimeout", "NotLoggedIn", "BoxRefused"),
    ),
    Verb(
        "reset",
        "agent.app.verb_reset",
        "back to the first start: users, configuration, certificates and keys; images that nobody has committed stay",
        ("reset --factory --dry-run", "reset --factory --config agent.toml"),
        ("FileError", "ConfigError", *_SPOOL),
    ),
    Verb(
        "archive",
        "agent.app.verb_archive",
        "a small bench archive: Verification, Storage and Storage Commitment SCP",
        ("archive --ae-title BENCH --port 11113 --directory ./received",),
        ("ConfigError", "ListenFailed", "TlsRefused", "FileError", *_SPOOL),
    ),
    Verb(
        "demo",
        "agent.app.verb_demo",
        "the whole way once: capture, cut link, archive over mutual TLS, commitment, proof",
        ("demo", "demo --output ./demo-out --json"),
        ("NotDelivered", "FileError", *_SPOOL),
    ),
    Verb(
        "status",
        "agent.app.verb_status",
        "what the agent is doing: health, clock, disk, queue, destinations, sources, memory",
        ("status --config agent.toml", "status --associations", "status --json"),
        ("FileError", "NotFound", "ConfigError", *_SPOOL),
    ),
    Verb(
        "selftest",
        "agent.app.verb_selftest",
        "would this configuration work: C-ECHO to each destination, certificates, clock, spool",
        ("selftest --config agent.toml", "selftest pacs clock", "selftest --config candidate.toml --json"),
        ("NotFound", "ConfigError", "TlsRefused", "ChecksFailed"),
    ),
    Verb(
        "test",
        "agent.app.verb_test",
        "a marked test image to a destination and its commitment; one frame of a source on this terminal",
        (
            "test send pacs --config agent.toml",
            "test frame probe",
            "test frame probe --blocks",
            "test frame probe -o frame.png",
        ),
        ("NotFound", "ConfigError", *_LINK, "StatusError", "NotDelivered", "NotCommitted", *_SPOOL, "DeviceError"),
    ),
    Verb(
        "source",
        "agent.app.verb_source",
        "the devices that frames can come from, and what one of them offers",
        ("source list", "source show v4l2:/dev/video0", "source show gige:192.168.5.20 --json"),
        ("DeviceError",),
    ),
    Verb(
        "network",
        "agent.app.verb_network",
        "interfaces, addresses, routes and name servers of this box; how far it is to each destination",
        ("network", "network --check --config agent.toml", "network --json"),
        ("ConfigError", "ConnectFailed"),
    ),
    Verb(
        "clock",
        "agent.app.verb_clock",
        "how good the time of this box is; set it, its zone, or its time server",
        ("clock show", "clock set 10:15", "clock zone Europe/Berlin", "clock ntp ntp.example.org"),
        ("FileError", "ConfigError", "NotAllowed"),
    ),
    Verb(
        "support",
        "agent.app.verb_support",
        "one file for who helps, without patient data, keys and passwords",
        ("support --config agent.toml", "support -o bundle.tar.gz"),
        ("FileError",),
    ),
    Verb(
        "restart",
        "agent.app.verb_restart",
        "end the running agent in order and let it begin anew; says when it is ready again",
        ("restart --config agent.toml", "restart --timeout 120"),
        ("FileError", "NotRunning", "ConfigError", "TlsRefused", "NotReady", *_SPOOL),
    ),
    Verb(
        "log",
        "agent.app.verb_log",
        "what the agent said, whether it runs or not",
        ("log --config agent.toml", "log --since 2h --level warning", "log --match pacs --follow"),
        ("FileError", "NotFound", "ConfigError"),
    ),
    Verb(
        "console",
        "agent.app.verb_console",
        "the technician's console, on this terminal or on a serial line",
        ("console --config agent.toml", "console --port /dev/ttyS0 --baud 9600"),
        ("ConfigError", "DeviceError", "FileError"),
    ),
    Verb(
        "config",
        "agent.app.verb_config",
        "check, show or change a configuration: candidate, commit, confirm, roll back",
        (
            "config check agent.toml",
            "config show agent.toml",
            "config schema",
            "config example",
            "config set destination pacs port 11112",
            "config delete destination old",
            "config compare",
            "config commit --confirm 10 --comment 'new archive'",
            "config confirm",
            "config rollback 1",
            "config load box.set --replace",
        ),
        ("FileError", "NotFound", "ConfigError", "ConfigLocked", "ConfigChanged", "SelfTestFailed", "TlsRefused"),
    ),
)


def find(name: str) -> Verb | None:
    """Return the verb called ``name``."""
    return next((verb for verb in VERBS if verb.name == name), None)
