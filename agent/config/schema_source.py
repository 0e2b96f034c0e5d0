"""The keys of a source: where frames come from, what is made of them, and what is said of them.

A part of the one table of the configuration (``agent.config.schema``), in a file of its own for its length.
"""

from __future__ import annotations

from agent.config.key import REQUIRED, Key
from agent.typed import Final

SOP_CLASS_WORDS: Final = (
    "us",
    "us-mf",
    "dx",
    "dx-processing",
    "cr",
    "xa",
    "xrf",
    "sc",
    "sc-mf-byte",
    "sc-mf-word",
    "sc-mf-color",
    "vl-endoscopic",
    "vl-photo",
)
# Those whose instances hold several frames.
MULTI_FRAME_WORDS: Final = ("us-mf", "xa", "xrf", "sc-mf-byte", "sc-mf-word", "sc-mf-color")

# Those that may hold RGB and MONOCHROME2: sc-mf-color is colour by definition (PS3.3 A.8.5.4), a camera's picture stays
# in the colour space of its ICC Profile.
GREY_WORDS: Final = ("us", "us-mf", "sc")

# As the spool has them; a test compares the two.
PRIORITIES: Final = ("urgent", "normal", "low")

_DAY_S: Final = 86_400

SOURCE: Final = (
    Key("name", "name", REQUIRED, "Name of this source in commands and reports.", example="probe"),
    Key(
        "uri",
        "source",
        REQUIRED,
        "Where frames come from: pattern:KIND?rows=R&columns=C&rate_hz=F, replay:PATH?rate_hz=F, folder:PATH?done=move "
        "or a device: "
        "openigtlink:HOST:PORT?device=NAME, v4l2:DEVICE?format=F, gige:CAMERA?format=F.",
        example="pattern:us-rgb?rows=768&columns=1024&rate_hz=30",
    ),
    Key("sop_class", "choice", "us-mf", "SOP Class of the instances made.", choices=SOP_CLASS_WORDS),
    Key("transfer_syntax", "syntax", "explicit", "Transfer syntax of the instances made: a word, a UID or auto."),
    Key("near", "integer", 0, "Most that a sample may differ, of jpeg-ls-near alone: a lossy instance.", "", 0, 255),
    Key(
        "grey_as_monochrome",
        "switch",
        False,
        "RGB of us, us-mf and sc is stored as MONOCHROME2 while R = G = B in every pixel: a third, exactly reversible.",
    ),
    Key(
        "verify",
        "choice",
        "spare",
        "Compressed frames that are decoded and compared before they are written: all, none, or spare: the first and "
        "every one behind which no other waits.",
        choices=("all", "spare", "none"),
    ),
    Key(
        "priority",
        "choice",
        "",
        "What it makes goes before (urgent) or behind (low) the rest of the queue; empty: as [exam] says.",
        choices=("", *PRIORITIES),
    ),
    Key("clip_s", "number", 10.0, "A clip ends after this time.", "s", 0.01, 3600),
    Key("clip_frames", "integer", 0, "A clip ends after this many frames; 0: by time only.", "frames", 0, 1_000_000),
    Key("every_s", "number", 0.0, "Capture by itself with this period; 0: only when triggered.", "s", 0, _DAY_S),
    Key("captures", "integer", 0, "Unattended captures after start; 0: no end.", "", 0, 1_000_000_000),
    Key("pre_trigger_s", "number", 0.0, "Stay open, and begin clips so long before the pedal; 0: no.", "s", 0, 60),
    Key("pre_trigger_mib", "integer", 128, "Most memory that pre_trigger_s may take.", "MiB", 1, 1024),
    Key(
        "exposure_delay_ms",
        "number",
        0.0,
        "The frame of an exposure was begun so long after the exposure input, at the earliest.",
        "ms",
        -10_000,
        10_000,
    ),
    Key(
        "exposure_window_ms",
        "number",
        0.0,
        "And so long after that at the latest; 0: the exposure input is no more than a trigger.",
        "ms",
        0,
        60_000,
    ),
    Key(
        "anatomy",
        "anatomy",
        "",
        "Region looked at: Body Part Examined term, SNOMED CT code or meaning; empty: not known.",
    ),
    Key(
        "laterality",
        "choice",
        "",
        "Side of a paired region: R, L, U(npaired) or B(oth).",
        choices=("", "R", "L", "U", "B"),
    ),
    Key("patient_orientation", "orientation", "", "Patient Orientation (0020,0020) as ROW/COLUMN, for example L/F."),
    Key("burned_in_annotation", "choice", "", "Whether names are burnt into the picture.", choices=("", "NO", "YES")),
    Key(
        "recognizable_features",
        "choice",
        "",
        "Whether a face can be known in the picture: Recognizable Visual Features (0028,0302).",
        choices=("", "NO", "YES"),
    ),
    Key("image_type", "image-type", "", "Image Type (0008,0008) as VALUE/VALUE/..., where it is not the usual one."),
    Key(
        "lossy_history",
        "lossy",
        "",
        "Lossy steps behind the frames as RATIO METHOD, in order, parted by commas: 12.5 ISO_10918_1.",
    ),
    Key("icon", "switch", False, "Put a small picture of the first frame into each instance."),
    Key("display_rate_hz", "integer", 0, "Recommended Display Frame Rate of clips; 0: as measured.", "Hz", 0, 1000),
    Key("playback", "choice", "loop", "Preferred Playback Sequencing of clips.", choices=("loop", "sweep")),
    Key(
        "view", "view", "", "View of x-ray: AP, PA, LL, RL ... or a term of CID 4010; of us: a term of CID 12226, 4-7."
    ),
    Key("view_modifier", "view-modifier", "", "View modifier of x-ray: a term of CID 4011; of us: of CID 5, 6 or 7."),
    Key("pixel_spacing_mm", "number", 0.0, "Imager Pixel Spacing (0018,1164) of x-ray; 0: unknown.", "mm", 0, 10),
    Key(
        "intensity_relationship",
        "choice",
        "",
        "Pixel Intensity Relationship of dx, xa and xrf (DISP: not of dx).",
        choices=("", "LIN", "LOG", "DISP"),
    ),
    Key("intensity_sign", "integer", 0, "Pixel Intensity Relationship Sign of dx; 0: not stated.", "", -1, 1),
    Key(
        "detector_type", "choice", "", "Detector Type of dx.", choices=("", "DIRECT", "SCINTILLATOR", "STORAGE", "FILM")
    ),
    Key(
        "radiation_setting",
        "choice",
        "",
        "Radiation Setting of xa and xrf: SC fluoroscopy, GR diagnostic.",
        choices=("", "SC", "GR"),
    ),
    Key("window_center", "number", 0.0, "Window Center (0028,1050) in stored values.", "", -65_536, 65_536),
    Key(
        "window_width", "number", 0.0, "Window Width (0028,1051); 0: the whole range of the stored bits.", "", 0, 65_536
    ),
    Key(
        "conversion_type",
        "choice",
        "",
        "Conversion Type of sc; empty: DI, a digital interface. Frames of SD and SI are pages.",
        choices=("", "DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"),
    ),
    Key(
        "attributes_file",
        "path",
        "",
        "JSON of more Attributes of every instance, by keyword or tag: positioner angles, regions, KVP ...",
    ),
    Key("offset_file", "path", "", "Dark frame taken off each frame: raw samples of one frame, little endian."),
    Key("gain_file", "path", "", "Gain of each pixel: raw 16-bit samples of one frame, little endian, 16384 is 1.0."),
    Key("pedestal", "integer", 0, "Added to corrected samples, so that noise below 0 is kept.", "", 0, 65_535),
    Key("defects_file", "path", "", "Dead pixels, ROW COLUMN from 0 in each line: they get the mean around them."),
    Key("curve", "choice", "", "Curve that samples go through, over all their bits.", choices=("", "log", "sqrt")),
    Key(
        "burn_window",
        "switch",
        False,
        "Send samples of sc and sc-mf-byte through window_center and window_width into 8 bits, which cannot be undone.",
    ),
    Key(
        "ybr_full",
        "switch",
        False,
        "Store RGB of us and us-mf (rle alone), sc and sc-mf-color as YBR_FULL: grey stays exact, colour is rounded.",
    ),
    Key("blackout", "regions", (), "Rectangles made unreadable, each TOP,LEFT,ROWS,COLUMNS of the source's frame."),
    Key("blackout_value", "integer", 0, "Stored value, of colour in each sample, that they get.", "", 0, 65_535),
    Key(
        "calibration",
        "path",
        "",
        "Template of calibrated regions of us and us-mf, or a folder of them, made by 'calibrate'; empty: none.",
    ),
    Key("crop", "region", "", "Part of the source's frame that is stored, TOP,LEFT,ROWS,COLUMNS; empty: all."),
    Key(
        "frame_digest_file",
        "path",
        "",
        "Append the SHA-256 of every frame to this file, before compression; empty: off.",
    ),
)
