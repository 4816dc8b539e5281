"""Values there and back, and what a stranger may have written in their place."""

import base64
import math
import pickle
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, strategies as st

from rsedu.course import compare
from rsedu.errors import BrokenDataError
from rsedu.grade.sandbox import wire

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(type(one) is type(other) and one == other)


@given(PLAIN)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    assert _same(value, wire.decode(wire.encode(value)))


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "<i4", ">i4", "float32", "float64", "complex64"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_arrays_keep_their_bits_shape_and_dtype(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, size=shape).astype(dtype)
    back = wire.decode(wire.encode(array))
    assert isinstance(back, np.ndarray) and back.flags.writeable
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)


def test_views_strides_and_nan_survive() -> None:
    array = np.array([[1.0, np.nan, 3.0], [np.inf, -0.0, 6.0]]).T[::-1]
    np.testing.assert_array_equal(wire.decode(wire.encode(array)), array)


def test_scalars_tuples_and_complex_numbers_keep_their_kind() -> None:
    back = wire.decode(wire.encode((np.float32(0.1), np.int64(7), True, 1 + 2j)))
    assert isinstance(back, tuple)
    assert [type(each) for each in back] == [np.float32, np.int64, bool, np.complex128]
    assert back == (np.float32(0.1), 7, True, 1 + 2j)
    assert wire.decode(wire.encode(Affine(10, 0, 5, 0, -10, 6))) is not None


def test_a_tensor_comes_back_as_one() -> None:
    torch = pytest.importorskip("torch")
    back = wire.decode(wire.encode(torch.ones(2, 3, requires_grad=True)))
    assert torch.equal(back, torch.ones(2, 3))


def test_of_all_else_only_the_kind_is_kept() -> None:
    class Field:
        pass

    assert compare.kind(wire.decode(wire.encode(Field()))) == "a Field"
    assert compare.kind(wire.decode(wire.encode(len))) == "a function"
    assert compare.kind(wire.decode(wire.encode(np.array([{}, 1])))) == "a numpy array"
    assert wire.decode(wire.encode(...)) is None
    loop: list[Any] = []
    loop.append(loop)
    wire.decode(wire.encode(loop))  # ends


def test_a_huge_array_is_told_by_its_shape_and_takes_no_memory() -> None:
    told = wire.encode(np.zeros((3000, 1000)))
    assert "data" not in told
    back = wire.decode({**told, "shape": [10**9, 10**6]})
    assert back.shape == (10**9, 10**6) and back.base.nbytes <= 8


ARRAY = wire.encode(np.arange(3.0))


@pytest.mark.parametrize(
    "found",
    [
        None,
        7,
        [],
        {},
        {"is": "pickle", "data": base64.b64encode(pickle.dumps(1)).decode()},
        {"is": ["list"]},
        {**ARRAY, "dtype": "|O"},
        {**ARRAY, "dtype": "<f8,<f8"},
        {**ARRAY, "dtype": "<f99"},
        {**ARRAY, "shape": [4]},
        {**ARRAY, "shape": [-3]},
        {**ARRAY, "shape": [1] * 40},
        {**ARRAY, "data": "&&&"},
        {"is": "array", "dtype": "|b1", "shape": [1], "data": base64.b64encode(b"\x07").decode()},
        {"is": "whole", "value": 2**70},
        {"is": "whole", "value": "1"},
        {"is": "decimal", "value": "one"},
        {"is": "list", "parts": 3},
        {"is": "dict", "keys": ["a"], "parts": []},
        {"is": "dict", "keys": [[]], "parts": [{"is": "none"}]},
        {"is": "odd array", "shape": [10**30]},
    ],
)
def test_what_encode_never_writes_is_refused(found: Any) -> None:
    with pytest.raises(BrokenDataError, match="came back in no known form"):
        wire.decode(found)


def test_depth_and_size_are_limited() -> None:
    found: dict[str, Any] = {"is": "none"}
    for _ in range(20):
        found = {"is": "list", "parts": [found]}
    wire.decode(found)
    with pytest.raises(BrokenDataError):
        wire.decode({"is": "list", "parts": [found]})
    for length, has_data in ((2**22, True), (2**22 + 1, False)):
        assert ("data" in wire.encode(np.zeros(length, np.uint8))) is has_data
    for length, sort in ((100_000, "list"), (100_001, "object")):
        assert wire.encode([None] * length)["is"] == sort


@pytest.mark.parametrize("name", ["import", "a b", "<b>", "", "x" * 500])
def test_the_name_of_a_class_cannot_be_anything_but_a_name(name: str) -> None:
    kept = type(wire.decode({"is": "object", "name": name})).__name__
    assert kept.isidentifier() and len(kept) <= 60
