"""dciodvfy on one file; HTJ2K, which Debian's takes for native, is shown to it as JPEG 2000 Lossless."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pydicom

from agent.dataset.uid import HTJ2K_LOSSLESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def iod_lines(path: Path, need: Callable[[str], str]) -> list[str]:
    """Everything that dciodvfy says."""
    read = pydicom.dcmread(path)
    if read.file_meta.TransferSyntaxUID == HTJ2K_LOSSLESS:
        read.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
        path = path.with_suffix(".j2k.dcm")
        read.save_as(path)
    judged = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, timeout=60, check=False)
    return (judged.stdout + judged.stderr).splitlines()
