"""What the families add, judged by dciodvfy; pixels of every kind as DCMTK and GDCM read them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from fakes.instances import DESCRIPTIONS, GRAY8, GRAY12, acquisition, frames, make, with_pixels
from pydicom import dcmread

from agent.config.words import MADE, transfer_syntax_uid
from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.values import Fragments
from agent.iod import codes, modules, regions
from agent.iod.acquisition import (
    AngiographyFacts,
    CaptureFacts,
    CineFacts,
    ContextItem,
    Derivation,
    Icon,
    LossyStep,
    Reference,
    Rescale,
    UltrasoundFacts,
    VoiLut,
    Window,
    XrayFacts,
)
from agent.iod.build import KINDS
from agent.iod.syntaxes import LOSSY_METHOD
from agent.media.part10 import FileMeta, encode_prefix
from agent.native import compress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.dataset.pixels import PixelDescription

_COMPONENT = regions.PixelComponent(
    regions.RANGES,
    regions.CM_PER_SECOND,
    regions.FLOW_VELOCITY,
    bounds=(0, 127),
    break_points=((0, -40.0), (127, 40.0)),
)
_MEANINGS = regions.PixelComponent(regions.BY_CODE, meanings=(codes.anatomy("LIVER").code,))
_DERIVED = Derivation(
    "Edges enhanced",
    (codes.concept("Edge enhancement", 7203),),
    (Reference(uid.DX_PROCESSING, "2.25.77", codes.FOR_PROCESSING_PREDECESSOR),),
)
_CONTEXT = (
    ContextItem(codes.Code("122123", "DCM", "Stage"), codes.Code("128975004", "SCT", "Resting State")),
    ContextItem(codes.Code("122125", "DCM", "Note"), "at rest"),
    ContextItem(codes.Code("8867-4", "LN", "Heart rate"), 61.0, codes.Code("/min", "UCUM", "per minute")),
)

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "triplex": (
        "us-mf",
        {
            "ultrasound": UltrasoundFacts(
                "VASCULAR",
                0x19,
                (
                    regions.tissue((0, 0, 7, 5), 0.02),
                    regions.tissue((2, 2, 4, 4), 0.02, colour_flow=True)._replace(component=_COMPONENT),
                    regions.spectrum((0, 6, 15, 11), 0.005, 1.5, 9)._replace(
                        sample_volume=(3, 3), doppler_angle_degrees=60.0, pulse_repetition_hz=4000
                    ),
                ),
            )
        },
    ),
    "m-mode": (
        "us",
        {
            "ultrasound": UltrasoundFacts(
                "TTE", 3, (regions.m_mode((0, 0, 15, 11), 0.01, 0.02)._replace(line=(3, 0, 3, 5)),)
            )
        },
    ),
    "classified pixels": (
        "us",
        {
            "ultrasound": UltrasoundFacts(
                "ABDOMINAL", 1, (regions.tissue((0, 0, 15, 11), 0.02)._replace(component=_MEANINGS),)
            )
        },
    ),
    "echo view": (
        "us",
        {
            "anatomy": codes.anatomy("HEART"),
            "ultrasound": UltrasoundFacts("TTE", 1, view=codes.ultrasound_view("Apical four chamber")),
        },
    ),
    "playback": (
        "us-mf",
        {"cine": CineFacts(12, 1, trim=(1, 2), frame_delay_ms=3.5, exposure_ms=8, representative_frame=2)},
    ),
    "frames of interest": ("us-mf", {"cine": CineFacts(interesting=((1, "peak"), (3, "end")))}),
    "single xa": ("xa", {"number_of_frames": 1, "frame_time_ms": None}),
    "uneven xa": ("xa", {"frame_time_ms": None, "frame_times_ms": [0, 66.0, 133.0], "frames_dropped": 1}),
    "moving xa": (
        "xa",
        {
            "angiography": AngiographyFacts("GR", kvp=80, exposure_mas=3, primary_angle=-30, secondary_angle=10),
            "attributes": DataSet({"DistanceSourceToDetector": 1000, "DistanceSourceToPatient": 700}),
        },
    ),
    "xrf cine": ("xrf", {"number_of_frames": 3, "frame_time_ms": 66.7}),
    "xa with a window": ("xa", {"xray": XrayFacts(pixel_intensity_relationship="LIN", windows=(Window(2048, 4096),))}),
    "pages in colour": ("sc-mf-color", {"capture": CaptureFacts("SD", pages=True)}),
    "word with a window": ("sc-mf-word", {"xray": XrayFacts(windows=(Window(2048, 4096),))}),
    "word with a rescale": ("sc-mf-word", {"capture": CaptureFacts("DI", rescale=Rescale(-1024, 1, "US"))}),
    "byte with a VOI LUT": ("sc-mf-byte", {"xray": XrayFacts(voi_lut=VoiLut(0, 16, [v * 257 for v in range(256)]))}),
    "sc with a window": ("sc", {"description": GRAY12, "xray": XrayFacts(windows=(Window(2048, 4096),))}),
    "us with a window": ("us", {"description": GRAY8, "xray": XrayFacts(windows=(Window(100, 150),))}),
    "one frame": ("sc-mf-color", {"number_of_frames": 1, "frame_time_ms": None}),
    "uneven capture": ("sc-mf-color", {"frame_time_ms": None, "frame_times_ms": [0, 51.5]}),
    "context": ("vl-photo", {"context_items": _CONTEXT}),
    "compressed before": ("vl-photo", {"lossy_steps": (LossyStep(12.5, "ISO_10918_1"), LossyStep(3, "ISO_14495_1"))}),
    "grey camera": ("vl-photo", {"description": GRAY8}),
    "faces": ("vl-photo", {"recognizable_features": True}),
    "derived": ("dx", {"derivation": _DERIVED}),
    "dx with its chain": (
        "dx",
        {
            "xray": acquisition("dx").xray._replace(
                windows=(Window(8192, 16384, "FULL"),),
                view=codes.view("PA"),
                view_modifiers=(codes.view_modifier("transthoracic"),),
            )
        },
    ),
    **{f"icon of {kind}": (kind, {"icon": Icon(8, 8, bytes(range(64)))}) for kind in KINDS},
}


def write(path: Path, kind: str, ds: DataSet, syntax: str, pictures: list[bytes]) -> Path:
    full = with_pixels(ds, pictures, syntax)
    assert modules.check(full, pixel_data=True) == []
    meta = FileMeta(KINDS[kind].sop_class_uid, ds.text("SOPInstanceUID"), syntax)
    path.write_bytes(encode_prefix(meta) + encode(full, syntax))
    return path


def pictures_of(kind: str, changes: dict[str, Any]) -> list[bytes]:
    description: PixelDescription = changes.get("description", DESCRIPTIONS[kind])
    return frames(description, changes.get("number_of_frames", acquisition(kind).number_of_frames))


@pytest.mark.parametrize("name", VARIANTS)
def test_variants(name: str, need: Callable[[str], str], tmp_path: Path) -> None:
    kind, changes = VARIANTS[name]
    path = write(tmp_path / "a.dcm", kind, make(kind, **changes), uid.EXPLICIT_VR_LE, pictures_of(kind, changes))
    judged = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False, timeout=30)
    said = (judged.stdout + judged.stderr).splitlines()
    assert [line for line in said if "Error" in line or "Warning" in line] == []
    assert any("Image" in line for line in said), said


def test_icon_in_a_compressed_instance_is_native(need: Callable[[str], str], tmp_path: Path) -> None:
    ds = make("us", icon=Icon(8, 8, bytes(range(64))), transfer_syntax_uid=uid.RLE_LOSSLESS)
    path = write(tmp_path / "a.dcm", "us", ds, uid.RLE_LOSSLESS, pictures_of("us", {}))
    assert dcmread(path).IconImageSequence[0].PixelData == bytes(range(64))
    judged = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert "Error" not in judged.stdout + judged.stderr
    subprocess.run([need("dcmdrle"), path, tmp_path / "raw.dcm"], check=True, timeout=30)
    assert dcmread(tmp_path / "raw.dcm").IconImageSequence[0].PixelData == bytes(range(64))


@pytest.mark.parametrize("kind", KINDS)
def test_gdcm_and_dcmtk_read_the_same_pixels(kind: str, need: Callable[[str], str], tmp_path: Path) -> None:
    pictures = pictures_of(kind, {})
    plain = write(tmp_path / "plain.dcm", kind, make(kind), uid.EXPLICIT_VR_LE, pictures)
    subprocess.run([need("gdcmraw"), "-i", plain, "-o", tmp_path / "raw"], check=True, timeout=30)
    assert (tmp_path / "raw").read_bytes() == b"".join(pictures)
    coded = make(kind, transfer_syntax_uid=uid.RLE_LOSSLESS)
    rle = write(tmp_path / "rle.dcm", kind, coded, uid.RLE_LOSSLESS, pictures)
    for program in (["dcmdrle"], ["gdcmconv", "--raw"]):
        command = [need(program[0]), *program[1:], str(rle), str(tmp_path / "decoded.dcm")]
        subprocess.run(command, check=True, timeout=30)
        assert dcmread(tmp_path / "decoded.dcm").pixel_array.tobytes() == b"".join(pictures)


@pytest.mark.parametrize("word", [word for word in MADE if transfer_syntax_uid(word) in compress.TRANSFER_SYNTAXES])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_every_syntax_we_compress(
    kind: str, word: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    syntax, description = transfer_syntax_uid(word), DESCRIPTIONS[kind]
    method = LOSSY_METHOD.get(syntax)
    lossy = {"lossy_steps": (LossyStep(3, method),)} if method else {}
    pictures = pictures_of(kind, {})
    ds = make(kind, transfer_syntax_uid=syntax, **lossy).copy()
    coded = tuple(compress.encode(picture, syntax, description=description) for picture in pictures)
    ds.set("PixelData", Fragments(b"", coded), "OB")
    assert modules.check(ds, pixel_data=True) == []
    path = tmp_path / "a.dcm"
    meta = FileMeta(KINDS[kind].sop_class_uid, ds.text("SOPInstanceUID"), syntax)
    path.write_bytes(encode_prefix(meta) + encode(ds, syntax))
    judged = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False, timeout=30)
    said = (judged.stdout + judged.stderr).splitlines()
    assert [line for line in said if "Error" in line or "Warning" in line] == []
    subprocess.run([need("gdcmconv"), "--raw", path, tmp_path / "raw.dcm"], check=True, timeout=30)
    if not method:
        assert dcmread(tmp_path / "raw.dcm").pixel_array.tobytes() == b"".join(pictures)


@pytest.mark.parametrize("description", [GRAY8, GRAY12], ids=["8 bit", "12 bit"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_dcmtk_shows_the_same_p_values(
    description: PixelDescription, photometric: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    """DCMTK renders a DX image through its VOI and Presentation LUT Shape without a display: those are P-values."""
    from agent.display.presentation import p_values, present

    description = description._replace(photometric_interpretation=photometric)
    top = 1 << description.bits_stored
    for name, voi in (
        ("window", {"windows": (Window(top * 0.4, top * 0.5),)}),
        ("lut", {"voi_lut": VoiLut(0, 12, [round(4095 * (at / (top - 1)) ** 0.5) for at in range(top)])}),
    ):
        facts = acquisition("dx").xray._replace(**voi)
        ds = make("dx", xray=facts, description=description)
        pictures = frames(description, 1)
        path = write(tmp_path / f"{name}.dcm", "dx", ds, uid.EXPLICIT_VR_LE, pictures)
        option = ["+Wi", "1"] if name == "window" else ["+Wl", "1"]
        shown = tmp_path / f"{name}.pgm"
        subprocess.run([need("dcm2pnm"), "--write-raw-pnm", *option, path, shown], check=True, timeout=30)
        theirs = shown.read_bytes()[-description.rows * description.columns :]
        ours = present(pictures[0], p_values(ds))
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1
        assert len(set(ours)) > 20
