"""Exported File-sets before judges that we did not write: on a folder, a FAT image, discs, in a ZIP, and encrypted."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import exports
from fakes.peers import need as need_program
from pydicom.fileset import FileSet

from agent.dataset import uid
from agent.exchange import carrier, cms
from agent.exchange.cms import Keys
from agent.exchange.fat import marks
from agent.media.profile import PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.exchange.export import Outcome

COUNT = len(exports.KINDS)


pytestmark = pytest.mark.usefixtures("tidy_file_sets")


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exports.filled(tmp_path_factory.mktemp("spool"))


@pytest.fixture(scope="module")
def exported(spool: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("set")
    return folder, exports.run(spool, folder)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys of two who may open a set, and of another."""
    folder = tmp_path_factory.mktemp("people")
    for name in ("one", "two", "other"):
        words = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-days", "2")
        said(need_program("openssl"), "req", "-x509", *words, "-subj", f"/CN={name}", "-out", folder / f"{name}.pem")
    return folder


def said(*words: object) -> str:
    """What a judge says; it must be content."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def images(folder: Path) -> list[Path]:
    return sorted((folder / "INST").rglob("0*0*"), key=str)[1:]


def test_dcmtk_reads_the_directory(exported: tuple[Path, Outcome], need: Callable[[str], str]) -> None:
    folder, _ = exported
    shown = said(need("dcmdump"), "-E", folder / "DICOMDIR")
    assert shown.count('"Directory Record" IMAGE') == COUNT
    assert "E: " not in shown


@pytest.mark.parametrize(
    ("profile", "switch", "count"),
    [
        ("STD-GEN-USB-JPEG", "-Pfl", COUNT),
        ("STD-GEN-CD", "-Pgp", COUNT),
        ("STD-GEN-DVD-J2K", "-Pd2", COUNT),
        ("STD-GEN-BD-JPEG", "-Pbd", COUNT),
        ("STD-US-ID-MF-DVD", "-Pum", 2),
    ],
)
def test_dcmmkdir_finds_the_profile_kept(
    profile: str, switch: str, count: int, spool: Path, need: Callable[[str], str], tmp_path: Path
) -> None:
    """It refuses files that break the profile, and adds to a directory only where that is right."""
    folder = tmp_path / "set"
    folder.mkdir()
    outcome = exports.run(spool, folder, profile)
    names = [row.file_id.replace("\\", "/") for row in outcome.exported]
    assert len(names) == count
    for extra in ((), ("+A",)):
        told = said(need("dcmmkdir"), "-v", switch, *extra, "+id", folder, "+D", folder / "DICOMDIR", *names)
        assert "E: " not in told, told
        assert len(FileSet(folder / "DICOMDIR")) == count


def test_dicom3tools_find_every_record_and_every_image_in_order(
    exported: tuple[Path, Outcome], need: Callable[[str], str]
) -> None:
    folder, outcome = exported
    tree = said(need("dcdirdmp"), folder / "DICOMDIR")
    assert all(row.file_id in tree for row in outcome.exported)
    assert "Error" not in tree
    assert "Error" not in said(need("dcentvfy"), *images(folder))


def test_gdcm_reads_every_file(exported: tuple[Path, Outcome], need: Callable[[str], str]) -> None:
    folder, _ = exported
    for path in (folder / "DICOMDIR", *images(folder)):
        assert "Error" not in said(need("gdcmdump"), path)
    assert all("MediaStorage" in said(need("gdcminfo"), path) for path in images(folder))


def test_pydicom_has_the_set_with_icons_and_the_pixels_of_the_masters(
    exported: tuple[Path, Outcome], spool: Path
) -> None:
    folder, outcome = exported
    found = FileSet(folder / "DICOMDIR")
    assert len(found) == COUNT
    assert outcome.file_set_uid == found.UID
    by_uid = {str(one.SOPInstanceUID): pydicom.dcmread(one.path) for one in found}
    for holding in exports.held(spool):
        one = by_uid[holding.sop_instance_uid]
        master = pydicom.dcmread(spool / "INST" / "000000" / f"{holding.id:08X}")
        assert (one.pixel_array == master.pixel_array).all()
        assert one.file_meta.TransferSyntaxUID in (uid.EXPLICIT_VR_LE, uid.JPEG_LOSSLESS_SV1)
    directory = pydicom.dcmread(folder / "DICOMDIR")
    icons = [row.IconImageSequence[0] for row in directory.DirectoryRecordSequence if "IconImageSequence" in row]
    assert len(icons) == COUNT
    assert all((icon.Rows, icon.Columns, len(icon.PixelData)) == (64, 64, 4096) for icon in icons)
    assert {row.Rows for row in directory.DirectoryRecordSequence if "Rows" in row} == {12}


def test_a_real_fat_volume_holds_it(exported: tuple[Path, Outcome], need: Callable[[str], str], tmp_path: Path) -> None:
    folder, outcome = exported
    volume = tmp_path / "stick"
    said(need("mkfs.vfat"), "-C", "-F", "32", volume, 70_000)
    said(need("mcopy"), "-s", "-i", volume, *folder.iterdir(), "::/")
    said(need("fsck.vfat"), "-n", volume)
    back = tmp_path / "back"
    back.mkdir()
    said(need("mcopy"), "-s", "-n", "-i", volume, "::/*", back)
    assert len(FileSet(back / "DICOMDIR")) == COUNT
    assert all((back / one.path).read_bytes() == (folder / one.path).read_bytes() for one in outcome.files)
    listing = said(need("mdir"), "-/", "-b", "-i", volume)
    assert "~" not in listing  # no name needs a second, long one
    assert "::/INST/000000/00000001" in listing


@pytest.mark.parametrize("bits", ["12", "16", "32"])
def test_dirty_marks_are_those_of_fsck(bits: str, need: Callable[[str], str], tmp_path: Path) -> None:
    volume = tmp_path / "stick"
    said(need("mkfs.vfat"), "-C", "-F", bits, volume, {"12": 1440, "16": 20_000, "32": 70_000}[bits])
    data = bytearray(volume.read_bytes())

    def state() -> tuple[str, bool]:
        return marks(lambda length, offset: bytes(data[offset : offset + length]))

    assert state() == (f"FAT{bits}", False)
    data[65 if bits == "32" else 37] |= 1
    assert state().dirty
    volume.write_bytes(data)
    told = subprocess.run([need("fsck.vfat"), "-n", str(volume)], capture_output=True, text=True, check=False)
    assert "Dirty bit is set" in told.stdout
    subprocess.run([need("fsck.vfat"), "-a", str(volume)], capture_output=True, check=False)
    data[:] = volume.read_bytes()
    assert not state().dirty


@pytest.mark.parametrize("profile", ["STD-GEN-CD", "STD-GEN-DVD-JPEG"])
def test_disc_images(profile: str, exported: tuple[Path, Outcome], need: Callable[[str], str], tmp_path: Path) -> None:
    need("xorriso" if profile == "STD-GEN-CD" else "genisoimage")
    folder, outcome = exported
    disc = tmp_path / "disc.iso"
    carrier.image(outcome.files, str(folder), str(disc), outcome.label, PROFILES[profile])
    listing = said(need("isoinfo"), "-f", "-i", disc)
    assert "/INST/000000/00000001.;1" in listing
    assert "/DICOMDIR.;1" in listing
    facts = said(need("isoinfo"), "-d", "-i", disc)
    assert f"Volume id: {outcome.label}" in facts
    assert "NO Joliet present" in facts
    assert "NO Rock Ridge present" in facts
    back = tmp_path / "back"
    said(need("xorriso"), "-no_rc", "-osirrox", "on", "-indev", disc, "-extract", "/", back)
    for one in outcome.files:
        (back / one.path).parent.chmod(0o755)
        assert (back / one.path).read_bytes() == (folder / one.path).read_bytes()
    assert ("NSR0" in disc.read_bytes()[: 64 << 11].decode("latin-1")) == (profile != "STD-GEN-CD")  # UDF


def test_a_zip_to_mail(exported: tuple[Path, Outcome], need: Callable[[str], str], tmp_path: Path) -> None:
    folder, outcome = exported
    mail = tmp_path / "DICOM.ZIP"
    carrier.archive(outcome.files, str(folder), str(mail))
    assert "No errors detected" in said(need("unzip"), "-t", mail)
    with zipfile.ZipFile(mail) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "back")
    assert len(FileSet(tmp_path / "back" / "DICOMDIR")) == COUNT


@pytest.mark.parametrize("signed", [False, True])
def test_encrypted_media_open_with_openssl_for_each_recipient_and_nobody_else(
    signed: bool, exported: tuple[Path, Outcome], people: Path, need: Callable[[str], str], tmp_path: Path
) -> None:
    openssl = need("openssl")
    folder, outcome = exported
    recipients = tuple(str(people / f"{name}.pem") for name in ("one", "two"))
    signer = (str(people / "other.pem"), str(people / "other.key")) if signed else ("", "")
    keys = Keys(recipients, *signer)
    cms.check(keys)
    work, secure = tmp_path / "work", tmp_path / "secure"
    shutil.copytree(folder, work)
    secure.mkdir()
    files = carrier.encrypted(outcome.files, str(work), str(secure), keys)
    assert {one.path for one in files} == {one.path for one in outcome.files}
    sealed = secure / "INST" / "000000" / "00000001"
    assert b"DICM" not in sealed.read_bytes()
    inner, plain = tmp_path / "inner", tmp_path / "plain"
    for name in ("one", "two"):
        for path in ("DICOMDIR", "INST/000000/00000001"):
            mine = ("-recip", people / f"{name}.pem", "-inkey", people / f"{name}.key")
            said(openssl, "cms", "-decrypt", "-inform", "DER", "-in", secure / path, *mine, "-out", inner)
            verify = ("-verify", "-CAfile", people / "other.pem", "-purpose", "any") if signed else ("-digest_verify",)
            said(openssl, "cms", *verify, "-inform", "DER", "-in", inner, "-out", plain)
            assert plain.read_bytes() == (folder / path).read_bytes()
    wrong = subprocess.run(
        [openssl, "cms", "-decrypt", "-inform", "DER", "-in", str(sealed), "-recip", str(people / "other.pem"),
         "-inkey", str(people / "other.key")], capture_output=True, check=False,
    )  # fmt: skip
    assert b"DICM" not in wrong.stdout
    structure = said(openssl, "asn1parse", "-inform", "DER", "-in", sealed)
    assert "pkcs7-envelopedData" in structure
    assert ("pkcs7-signedData" if signed else "pkcs7-digestData") in structure
    assert "aes-256-cbc" in structure
