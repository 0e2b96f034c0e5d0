"""One measured task of ``scripts/bench dataset``: prints its result as JSON.

    dataset_worker.py agent|pydicom memory FILE VALUES OUT       RSS before, and with everything imported and used once
    dataset_worker.py agent|pydicom read FOLDER REPEATS          CPU seconds per header read
    dataset_worker.py agent|pydicom values FOLDER REPEATS        the same, with every value of the header
    dataset_worker.py agent|pydicom write VALUES FOLDER REPEATS  CPU seconds per instance made from values and written
    dataset_worker.py agent copy SOURCE TARGET                   the whole process is the measurement

The same attributes are touched and the same values set, by tag and VR, on both sides. Nothing is synced but the copy.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = (0x00080018, 0x00080060, 0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00280010, 0x00280011)
UID = "1.2.826.0.1.3680043.8.498.{}"
SC = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"


def rss_kib() -> int:
    with open("/proc/self/status") as rows:
        return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS:"))


# --- the agent ----------------------------------------------------------------------------------


def agent_reader(*, everything: bool = False) -> Callable[[str], Any]:
    from agent.media.file import open_file

    def read(path: str) -> Any:
        fd = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(fd).st_size
            file = open_file(lambda length, offset: os.pread(fd, length, offset), size, header_only=True)
            if everything:
                return [element.value for element in file.dataset]
            return [file.dataset[tag] for tag in WANTED]
        finally:
            os.close(fd)

    return read


def agent_writer(values: Any) -> Callable[[int, str, bytes], None]:
    from agent.dataset.dataset import DataSet
    from agent.media.instance import encode_instance
    from agent.media.part10 import FileMeta

    def made(rows: Any) -> Any:
        dataset = DataSet()
        for tag, vr, value in rows:
            dataset.set(tag, [made(item) for item in value] if vr == "SQ" else value, vr=vr)
        return dataset

    def write(number: int, path: str, pixels: bytes) -> None:
        dataset = made(values)
        dataset.set(0x00080018, UID.format(number), vr="UI")
        parts = encode_instance(FileMeta(SC, UID.format(number), EXPLICIT), dataset, [pixels])
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.writev(fd, parts)
        os.close(fd)

    return write


def agent_copy(source: str, target: str) -> int:
    from agent.acquire.filesink import FileSink
    from agent.app.source_file import opened
    from agent.dataset.dataset import DataSet
    from agent.media.rewrite import rewrite
    from agent.transcode.part_writer import write_plan

    with opened(source, refer_above=1 << 16) as file:
        sink = FileSink(target)
        write_plan(rewrite(file, changes=DataSet({"PatientID": "CHANGED"})), sink, file.pread)
        return sink.publish()


# --- pydicom ------------------------------------------------------------------------------------


def pydicom_reader(*, everything: bool = False) -> Callable[[str], Any]:
    from pydicom import dcmread

    def read(path: str) -> Any:
        dataset = dcmread(path, stop_before_pixels=True)
        if everything:
            return [element.value for element in dataset]
        return [dataset[tag].value for tag in WANTED]

    return read


def pydicom_writer(values: Any) -> Callable[[int, str, bytes], None]:
    from pydicom.dataset import Dataset, FileMetaDataset

    def made(rows: Any) -> Any:
        dataset = Dataset()
        for tag, vr, value in rows:
            dataset.add_new(tag, vr, [made(item) for item in value] if vr == "SQ" else value)
        return dataset

    def write(number: int, path: str, pixels: bytes) -> None:
        dataset = made(values)
        dataset.add_new(0x00080018, "UI", UID.format(number))
        dataset.add_new(0x7FE00010, "OW", pixels)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = EXPLICIT
        dataset.file_meta.MediaStorageSOPClassUID = SC
        dataset.file_meta.MediaStorageSOPInstanceUID = UID.format(number)
        dataset.save_as(path, enforce_file_format=True)

    return write


# --- tasks --------------------------------------------------------------------------------------


def timed(task: Callable[[], Any], count: int) -> float:
    begun = time.process_time()
    task()
    return (time.process_time() - begun) / count


def main(who: str, what: str, *words: str) -> dict[str, float]:
    reader, writer = (agent_reader, agent_writer) if who == "agent" else (pydicom_reader, pydicom_writer)
    if what == "copy":
        return {"bytes": agent_copy(*words)}
    if what == "memory":
        with open(words[1]) as file:
            values = json.load(file)
        before = rss_kib()
        reader()(words[0])
        writer(values)(1, words[2], bytes(32))
        return {"before_kib": before, "after_kib": rss_kib()}
    if what in ("read", "values"):
        paths = [os.path.join(words[0], name) for name in sorted(os.listdir(words[0]))] * int(words[1])
        read = reader(everything=what == "values")
        read(paths[0])
        return {"cpu_s": timed(lambda: [read(path) for path in paths], len(paths))}
    with open(words[0]) as file:
        values = json.load(file)
    write, pixels, number = writer(values), bytes(20_000), 500 * int(words[2])
    write(0, os.path.join(words[1], "0"), pixels)
    return {"cpu_s": timed(lambda: [write(n, os.path.join(words[1], str(n)), pixels) for n in range(number)], number)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
