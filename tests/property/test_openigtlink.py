"""Whatever pyigtl packs, our source reads the same; whatever is not whole is counted and never an image."""

from __future__ import annotations

import os
import struct
import time
from typing import Any

import numpy as np
import pytest
from fakes.igtl import flipped, image, picture, see, status, string, transform
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import DeviceError
from agent.native.igtl import open_igtl

DTYPES = ["uint8", "<u2", ">u2", "<i2", ">i2"]
LETTERS = st.text("abcdefgh XYZ-_:", min_size=1, max_size=20).map(str.strip).filter(bool)
NUMBERS = st.floats(-1e6, 1e6, width=32)
AFFINE = st.lists(NUMBERS, min_size=12, max_size=12).map(
    lambda values: np.vstack([np.reshape(values, (3, 4)), [0, 0, 0, 1]]).astype(np.float32)
)
IMAGES = 6  # of one stream: the ring holds them all


def little(samples: np.ndarray[Any, Any]) -> bytes:
    return samples.astype(samples.dtype.newbyteorder("<")).tobytes()


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[np.ndarray[Any, Any]]]:
    """Messages of one device, with others between them, and the samples of its images."""
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(2, 9))
    dtype = draw(st.sampled_from(DTYPES))
    colour = dtype == "uint8" and draw(st.booleans())
    messages, samples = [], []
    for number in range(draw(st.integers(1, IMAGES))):
        for other in draw(st.lists(st.sampled_from(["string", "transform", "image"]), max_size=2)):
            if other == "string":
                messages.append(string("x" * 40, version=draw(st.integers(1, 2))))
            elif other == "transform":
                messages.append(transform(draw(AFFINE), draw(LETTERS), version=draw(st.integers(1, 2))))
            else:
                messages.append(image(picture(number, (3, 3)), "other"))
        frame = picture(draw(st.integers(0, 999)), (rows, columns, 3) if colour else (rows, columns), dtype)
        samples.append(frame)
        metadata = draw(st.dictionaries(LETTERS, LETTERS, max_size=3))
        messages.append(image(frame, matrix=draw(AFFINE), version=draw(st.integers(1, 2)), metadata=metadata))
    return messages, samples


@given(streams())
@settings(max_examples=60, deadline=None)
def test_samples_are_those_of_pyigtl(stream: tuple[list[bytes], list[np.ndarray[Any, Any]]]) -> None:
    messages, samples = stream
    seen = see(*messages, device="Probe")
    assert seen.frames == [little(frame) for frame in samples]
    assert seen.numbers == list(range(1, len(samples) + 1))
    assert "the connection ended between two messages" in seen.error
    signed = samples[0].dtype.kind == "i"
    assert seen.source.description.pixel_representation == int(signed)
    assert seen.source.description.samples_per_pixel == (3 if samples[0].ndim == 3 else 1)


@given(streams(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_bit_costs_one_frame_and_is_counted(
    stream: tuple[list[bytes], list[np.ndarray[Any, Any]]], data: st.DataObject
) -> None:
    messages, samples = stream
    ours = [place for place, message in enumerate(messages) if message[14:20] == b"Probe\0"]
    hit = data.draw(st.integers(1, len(ours))) - 1
    messages[ours[hit]] = flipped(messages[ours[hit]], data.draw(st.integers(0, 10**6)))
    if len(ours) == 1:
        with pytest.raises(DeviceError, match="the connection ended"):
            see(*messages, device="Probe")
        return
    seen = see(*messages, device="Probe")
    kept = [frame for place, frame in enumerate(samples) if place != hit]
    assert seen.frames == [little(frame) for frame in kept]
    c = seen.counters
    assert c.delivered + c.waiting + c.dropped + c.lost + c.damaged == c.last - c.first + 1
    assert c.damaged == (1 if hit else 0)  # before the first whole one there is no source to count
    assert seen.told["peer_refused_because"] == "its CRC is wrong"


@given(streams(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_stream_that_is_cut_anywhere_gives_its_whole_images(
    stream: tuple[list[bytes], list[np.ndarray[Any, Any]]], data: st.DataObject
) -> None:
    messages, samples = stream
    whole = b"".join(messages)
    cut = data.draw(st.integers(0, len(whole) - 1))
    ends = np.cumsum([len(message) for message in messages])
    complete = sum(
        1 for end, message in zip(ends, messages, strict=True) if end <= cut and message[14:20] == b"Probe\0"
    )
    if not complete:
        with pytest.raises(DeviceError, match="the connection ended"):
            see(whole[:cut], device="Probe")
        return
    seen = see(whole[:cut], device="Probe")
    assert seen.frames == [little(frame) for frame in samples[:complete]]
    where = "between two messages" if cut in ends else "inside"
    assert f"the connection ended {where}" in seen.error


@given(AFFINE, AFFINE, st.sampled_from(["ras", "lps"]), st.floats(1, 4e9), LETTERS)
@settings(max_examples=60, deadline=None)
def test_what_stands_beside_an_image_is_that_of_pyigtl(
    of_image: np.ndarray[Any, Any], of_tool: np.ndarray[Any, Any], axes: str, stamp: float, tool: str
) -> None:
    packed = image(picture(1, (4, 6)), matrix=of_image, axes=axes, stamp=stamp)
    seen = see(image(picture(0, (4, 6))), transform(of_tool, tool, stamp=stamp), packed)
    first, second = seen.beside
    assert not any(word.startswith("transform.") for word in first)  # it came later
    said = dict(word.split("=") for word in second)
    assert float(said["stamp"]) == pytest.approx(stamp, abs=1e-6)
    centre = struct.unpack(">3f", packed[58 + 48 : 58 + 60])
    numbers = np.array([float(text) for text in said[f"image.{axes}"].split(",")], np.float32)
    assert (numbers == np.concatenate([of_image[:3, :3].T.reshape(-1), np.float32(centre)])).all()
    name = next(word for word in said if word.startswith("transform.") and word != "transform.stamp")
    numbers = np.array([float(text) for text in said[name].split(",")], np.float32)
    assert (numbers == of_tool[:3].T.reshape(-1)).all()
    assert len(second) == len([word for word in second if " " not in word])


def test_a_transform_can_be_chosen() -> None:
    one, other = np.eye(4), np.diag([2, 2, 2, 1])
    stream = (image(picture(0, (4, 4))), transform(one, "A"), transform(other, "B"), image(picture(1, (4, 4))))
    assert any(word.startswith("transform.B=2,") for word in see(*stream).beside[1])
    assert any(word.startswith("transform.A=1,") for word in see(*stream, transform="A").beside[1])
    assert see(*stream, transform="A").told["peer_transforms"] == 1


def test_spacing_is_what_the_matrix_says() -> None:
    seen = see(image(picture(0, (4, 6)), matrix=np.diag([0.25, 0.5, 1, 1])))
    assert seen.source.spacing_mm == (0.5, 0.25)  # between rows, between columns


def test_arrays_of_two_dimensions_are_planes_too() -> None:
    import pyigtl

    samples = picture(3, (5, 7))
    seen = see(bytes(pyigtl.ImageMessage(samples, device_name="Probe", timestamp=0.0).pack()))
    assert (seen.source.description.rows, seen.source.description.columns) == (5, 7)
    assert seen.frames == [samples.tobytes()]


# --- losses -------------------------------------------------------------------------------------


def numbered(*numbers: int) -> list[bytes]:
    return [image(picture(number, (4, 4)), version=2, message_id=number) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [
        ((1, 2, 3), 0),
        ((1, 2, 5, 6), 2),
        ((7, 8, 9, 12), 2),
        ((0, 0, 0), 0),  # a peer that does not number
        ((1, 3, 5, 7), 0),  # one that numbers something else
        ((1, 2, 2, 9), 0),  # and this one cannot be relied on
        ((0xFFFFFFFE, 0xFFFFFFFF, 1), 1),
        ((5, 6, 1, 2, 9), 0),
    ],
)
def test_only_numbers_that_count_images_tell_losses(numbers: tuple[int, ...], lost: int) -> None:
    seen = see(*numbered(*numbers))
    assert seen.counters.lost == lost
    assert len(seen.frames) == len(numbers)
    assert seen.numbers[-1] == len(numbers) + lost


def test_numbers_that_count_every_message_tell_no_lost_images() -> None:
    one, two, _, four = numbered(1, 2, 3, 4)
    between = transform(np.eye(4), version=2, message_id=3)
    assert see(one, two, between, four).counters.lost == 0


def test_a_damaged_image_is_not_lost_as_well() -> None:
    one, two, three, four = numbered(1, 2, 3, 4)
    seen = see(one, two, flipped(three, 40), four)
    assert (seen.counters.lost, seen.counters.damaged, seen.numbers) == (0, 1, [1, 2, 4])


# --- what ends a stream -------------------------------------------------------------------------


def test_another_geometry_ends_the_source() -> None:
    seen = see(image(picture(0, (4, 6))), image(picture(1, (4, 6))), image(picture(2, (6, 4))))
    assert len(seen.frames) == 2
    assert "another size or kind (images are now 4 x 6 with 1 x 8 bits)" in seen.error


def test_another_geometry_that_is_damaged_is_a_damaged_frame() -> None:
    wrong = flipped(image(picture(2, (6, 4))), 100)
    seen = see(image(picture(0, (4, 6))), wrong, image(picture(1, (4, 6))))
    assert (len(seen.frames), seen.counters.damaged) == (2, 1)


@pytest.mark.parametrize("dtype", ["int8", "float32", "int32"])
def test_samples_that_no_image_here_can_hold_are_refused(dtype: str) -> None:
    with pytest.raises(DeviceError, match=r"cannot do what was asked for .*its samples are not uint8, uint16 or int16"):
        see(image(np.zeros((4, 4), dtype)))


def test_a_volume_is_refused() -> None:
    import pyigtl

    volume = pyigtl.ImageMessage(np.zeros((3, 4, 5), np.uint8), device_name="Probe", timestamp=0.0)
    with pytest.raises(DeviceError, match="it is no plane of pixels"):
        see(bytes(volume.pack()))


def test_a_gigabyte_is_refused_before_it_is_read() -> None:
    huge = struct.pack(">H12s20sQQQ", 1, b"IMAGE", b"Probe", 0, 1 << 30, 0)
    with pytest.raises(DeviceError, match=r"what its protocol does not allow .message 1: the message is larger than"):
        see(huge)
    seen = see(image(picture(0, (4, 6))), huge, image(picture(1, (4, 6))))
    assert len(seen.frames) == 1
    assert "message 2: the message is larger than 32 MiB" in seen.error


@pytest.mark.parametrize("rubbish", [b"HTTP/1.1 400 Bad Request\r\n" * 4, bytes(58), b"\xff" * 90])
def test_something_else_than_a_server_is_told(rubbish: bytes) -> None:
    with pytest.raises(DeviceError, match="what its protocol does not allow"):
        see(rubbish)


def test_a_server_with_other_devices_only_is_told() -> None:
    with pytest.raises(DeviceError, match="the connection ended between two messages"):
        see(image(picture(0, (4, 6))), device="Needle")


def test_without_a_name_the_first_device_stays_the_only_one() -> None:
    seen = see(image(picture(0, (4, 6)), "A"), image(picture(1, (4, 6)), "B"), image(picture(2, (4, 6)), "A"))
    assert seen.frames == [picture(0, (4, 6)).tobytes(), picture(2, (4, 6)).tobytes()]
    assert seen.told["images_of_others"] == 1


def test_what_a_server_says_of_itself_is_told() -> None:
    seen = see(status(1, "fine"), status(13, "probe unplugged"), image(picture(0, (4, 6))))
    assert seen.told["peer_status"] == "13 probe unplugged"


def test_stamps_of_the_peer_are_told_as_its_own() -> None:
    seen = see(*(image(picture(n, (4, 6)), stamp=1000 + n * 0.04 + (n == 3) * 0.02) for n in range(4)))
    assert seen.told["peer_frame_time_ms"] == pytest.approx(140 / 3, abs=0.01)
    assert seen.told["peer_longest_ms"] == pytest.approx(60, abs=0.01)


def unread(messages: list[bytes]) -> tuple[int, int]:
    """How many images of a stream that nobody takes from wait in the ring, and how many found no room."""
    fd = os.memfd_create("stream")
    os.write(fd, b"".join(messages))
    os.lseek(fd, 0, os.SEEK_SET)
    with open_igtl(fd) as source:
        os.close(fd)
        source.start()
        while source.counters().last < len(messages):
            time.sleep(0.001)
        counters = source.counters()
    return counters.waiting, counters.dropped


def test_what_came_before_the_start_is_not_lost() -> None:
    """A second of images waits in the socket while a capture gets ready, and then comes at once."""
    assert unread([image(picture(number, (8, 8))) for number in range(30)]) == (30, 0)


def test_a_peer_does_not_decide_how_much_memory_we_have() -> None:
    assert unread([image(np.zeros((4096, 4096), np.uint8))] * 6) == (4, 2)
