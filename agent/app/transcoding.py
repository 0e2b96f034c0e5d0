"""A file named on the command line into another transfer syntax (``agent.transcode``); it appears when it is proven."""

from __future__ import annotations

import os
from contextlib import contextmanager

from agent.acquire.filesink import FileSink
from agent.app.source_file import opened
from agent.errors import EncodeError, IodError
from agent.transcode.job import REFER_BYTES, job_of
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.transcode.job import Watch

_FILE_HINT: Final = (
    "It is so in the file itself: correct it at its source; 'modality-agent check' shows what else is wrong."
)


class Done(NamedTuple):
    """What became of one file."""

    source: str
    target: str
    from_syntax: str
    to_syntax: str
    frames: int
    size_before: int
    size_after: int
    sop_instance_uid: str
    notes: tuple[str, ...]  # what was tolerated, and what stands behind frames


def transcode(
    source: str,
    target: str,
    syntax: str,
    *,
    near: int = 0,
    lenient: bool = False,
    watch: Watch = lambda _step, _done, _of: None,
) -> Done:
    """Write ``source`` as ``target``, which must not exist.

    Args:
        source: Path of a DICOM file.
        target: Path of the new one; it appears when it is complete and proven.
        syntax: Transfer Syntax UID; JPEG-LS Near-lossless exactly when ``near`` is not 0.
        near: Largest difference of a sample.
        lenient: Read a source that breaks PS3.10.
        watch: Called with the step ("frames decoded", "bytes copied" ...), how many are done, and of how many.

    Raises:
        FileError: A path cannot be read or written.
        DataSetError: The source is damaged, or the target may not hold it.
        NativeError: A compressed frame is damaged.
    """
    with _file_to_blame(), opened(source, lenient=lenient, refer_above=REFER_BYTES) as file:
        job = job_of(file, syntax, near, lenient=lenient)
        sink = FileSink(target)
        try:
            instance_uid = job.write(sink, watch)
            with opened(sink.part, refer_above=REFER_BYTES) as made:
                job.prove(made, watch)
            size = sink.publish()
        finally:
            sink.abandon()
        return Done(
            source, target, file.meta.transfer_syntax_uid, syntax, job.frames, os.stat(source).st_size, size,
            instance_uid, (*map(str, file.notes), *job.notes),
        )  # fmt: skip


@contextmanager
def _file_to_blame() -> Iterator[None]:
    """Errors of writing say what to do about the file, where they would speak of a configuration."""
    try:
        yield
    except (EncodeError, IodError) as error:
        if error.hint == type(error).hint:
            error.hint = _FILE_HINT
        raise
