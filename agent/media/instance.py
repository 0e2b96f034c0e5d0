"""A whole instance at once, for what fits in memory: stills, and the Deflated transfer syntax (PS3.5 A.5).

Cines are written frame by frame instead (``stream``).
"""

from __future__ import annotations

from agent.dataset.encapsulate import fragments_of
from agent.dataset.encode import encode
from agent.dataset.tag import PIXEL_DATA
from agent.dataset.uid import is_encapsulated
from agent.media.part10 import FileMeta, encode_prefix
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.dataset.dataset import DataSet


def encode_instance(
    meta: FileMeta, dataset: DataSet, frames: Sequence[bytes | bytearray | memoryview] = ()
) -> list[bytes]:
    """The file as a list of buffers: prefix and Data Set with its Pixel Data.

    ``frames`` are in the transfer syntax of ``meta``: native bytes, or one codestream each. Without frames the Data Set
    is written as it is.

    Raises:
        EncodeError: The Data Set or its meta information breaks a rule.
    """
    body = dataset
    if frames:
        body = dataset.shallow()
        if is_encapsulated(meta.transfer_syntax_uid):
            body.set(PIXEL_DATA, fragments_of(map(bytes, frames)), vr="OB")
        else:
            body.set(PIXEL_DATA, b"".join(frames))
    return [encode_prefix(meta), encode(body, meta.transfer_syntax_uid)]
