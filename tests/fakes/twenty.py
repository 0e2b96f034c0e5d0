"""Twenty files of the pydicom wheel that are cut at every byte.

Every transfer syntax, all forms of sequences, nested ones, private ones, odd values, fragments, character sets.
"""

from __future__ import annotations

import os
from pathlib import Path

import pydicom

ROOT = Path(os.path.dirname(pydicom.__file__)) / "data"
FILES = [
    "charset_files/chrArab.dcm",
    "charset_files/chrH31.dcm",
    "charset_files/chrJapMultiExplicitIR6.dcm",
    "charset_files/chrKoreanMulti.dcm",
    "charset_files/chrSQEncoding.dcm",
    "charset_files/chrSQEncoding1.dcm",
    "charset_files/chrX1.dcm",
    "charset_files/chrX2.dcm",
    "test_files/693_J2KI.dcm",
    "test_files/JPGExtended.dcm",
    "test_files/MR_small_RLE.dcm",
    "test_files/MR_small_bigendian.dcm",
    "test_files/MR_small_padded.dcm",
    "test_files/SC_rgb_rle.dcm",
    "test_files/UN_sequence.dcm",
    "test_files/image_dfl.dcm",
    "test_files/priv_SQ.dcm",
    "test_files/reportsi.dcm",
    "test_files/rtplan.dcm",
    "test_files/test-SR.dcm",
]
