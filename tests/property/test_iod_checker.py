"""The checker may be shown anything that a file can hold: it reports, it never raises."""

from __future__ import annotations

from fakes.instances import make
from hypothesis import given
from hypothesis import strategies as st

from agent.dataset import dictionary
from agent.dataset.dataset import DataSet
from agent.iod.build import KINDS
from agent.iod.modules import check

MADE = {kind: make(kind) for kind in KINDS}
SCALARS = st.one_of(st.text(max_size=8), st.integers(-(2**33), 2**33), st.floats(allow_nan=True), st.just(""))
VALUES = st.one_of(st.none(), SCALARS, st.lists(SCALARS, max_size=4), st.binary(max_size=8))


@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_any_value_anywhere_is_reported_not_raised(data: st.DataObject, kind: str) -> None:
    ds = MADE[kind].copy()
    for tag in data.draw(st.lists(st.sampled_from(ds.tags()), max_size=4)):
        sequence = dictionary.vr_of(tag) == "SQ"
        ds[tag] = data.draw(st.sampled_from([None, [], [DataSet()], [ds.copy()]]) if sequence else VALUES)
    for finding in check(ds, pixel_data=True):
        assert str(finding)
