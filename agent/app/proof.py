"""The proof of the demo: what the archive has is, sample by sample, what the sources delivered.

Nothing is taken from the agent's word: the archive's folder is walked, every file is opened and decoded again, each
frame is hashed and compared with the frame log (written before compression, at capture), and the number that the
pattern burnt into each picture is read back and must count on without a gap.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial

from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import is_encapsulated
from agent.display.presentation import P_MAX, VOI_LUT_SEQUENCE, WINDOW_CENTER, p_values, present
from agent.errors import AgentError
from agent.media.reader import open_instance
from agent.native import compress
from agent.native.frame import read_mark
from agent.native.picture import Window, thumbnail
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.media.reader import Instance

# Pictures of a clip on the contact sheet, and their size.
SAMPLES: Final = 11
THUMB_ROWS: Final = 120
THUMB_COLUMNS: Final = 160
PER_LINE: Final = 4
# A file that is wrong everywhere is not described frame by frame.
FAULTS: Final = 20


class Proof(NamedTuple):
    """What was found out about one received instance; ``faults`` is empty when every sample is right."""

    sop_instance_uid: str
    path: str
    size: int
    frames: int
    identical: int
    first_mark: int
    last_mark: int
    faults: tuple[str, ...]


def received_files(folder: str) -> dict[str, str]:
    """Map SOP Instance UIDs to the DICOM files below ``folder``; files that are none are left out."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                head = file.read(132)
            if head[128:] == b"DICM":
                with _Opened(path) as instance:
                    found[instance.meta.sop_instance_uid] = path
    return found


def prove(path: str, uid: str, digests: Sequence[str], pictures: list[bytes], watch: Callable[[int], None]) -> Proof:
    """Compare the file at ``path`` with the digests of its frames at capture; adds thumbnails to ``pictures``.

    ``watch`` is called with the number of frames done.
    """
    faults: list[str] = []
    identical, marks = 0, [0]
    with _Opened(path) as instance:
        if instance.meta.sop_instance_uid != uid:
            faults.append(f"holds {instance.meta.sop_instance_uid}")
        frames = instance.number_of_frames
        if frames != len(digests):
            faults.append(f"{frames} frames were received, {len(digests)} were captured")
        step = max(1, -(-frames // SAMPLES))
        for index in range(min(frames, len(digests))):
            try:
                data = _native(instance, index)
            except AgentError as error:
                faults.append(f"frame {index + 1}: {error}")
                continue
            same = hashlib.sha256(data).hexdigest() == digests[index]
            identical += same
            if not same:
                faults.append(f"frame {index + 1} is not what was captured")
            _follow(data, instance, index, marks, faults)
            if index % step == 0:
                pictures.append(_thumb(data, instance))
            watch(index + 1)
    return Proof(uid, path, os.path.getsize(path), frames, identical, marks[0], marks[-1], tuple(faults[:FAULTS]))


def _native(instance: Instance, index: int) -> bytes | bytearray:
    data = instance.read_frame(index)
    syntax = instance.meta.transfer_syntax_uid
    assert instance.pixels is not None
    return compress.decode(data, syntax, instance.pixels.description) if is_encapsulated(syntax) else data


def _follow(data: bytes | bytearray, instance: Instance, index: int, marks: list[int], faults: list[str]) -> None:
    """Read the number in the picture; it must follow the one before."""
    assert instance.pixels is not None
    mark = read_mark(data, instance.pixels.description)
    if mark is None:
        faults.append(f"frame {index + 1} carries no readable number")
        return
    if index and mark.number != marks[-1] + 1:
        faults.append(f"frame {index + 1} shows number {mark.number} after {marks[-1]}")
    if not index:
        marks[0] = mark.number
    marks.append(mark.number)


def _thumb(data: bytes | bytearray, instance: Instance) -> bytes:
    """Shrink (never enlarge) with the shape kept, centred on black; grey as its VOI presents it (P-values)."""
    assert instance.pixels is not None
    description, window = instance.pixels.description, None
    if WINDOW_CENTER in instance.dataset or VOI_LUT_SEQUENCE in instance.dataset:
        data = present(data, p_values(instance.dataset))
        description = PixelDescription(description.rows, description.columns)
        window = Window(0, P_MAX)
    scale = min(1.0, THUMB_ROWS / description.rows, THUMB_COLUMNS / description.columns)
    rows, columns = max(1, int(description.rows * scale)), max(1, int(description.columns * scale))
    small = thumbnail(data, description, rows, columns, window=window)
    channels = description.samples_per_pixel
    canvas = bytearray(THUMB_ROWS * THUMB_COLUMNS * channels)
    top, left = (THUMB_ROWS - rows) // 2, (THUMB_COLUMNS - columns) // 2
    for row in range(rows):
        at = ((top + row) * THUMB_COLUMNS + left) * channels
        canvas[at : at + columns * channels] = small[row * columns * channels : (row + 1) * columns * channels]
    return bytes(canvas)


class _Opened:
    """An instance open for reading."""

    __slots__ = ("_fd",)

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> Instance:
        return open_instance(partial(os.pread, self._fd), os.fstat(self._fd).st_size)

    def __exit__(self, *_exc: object) -> None:
        os.close(self._fd)
