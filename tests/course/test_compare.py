"""Words for kinds and differences, on numbers that were written down by hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from rsedu.course import compare

YEARS = np.array([2021.5, 2022.5, 2024.0])
GRID = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 33.0]])
SQUARE = np.array([[1.0, 2.0], [5.0, 9.0]])


@dataclass(frozen=True)
class Box:
    """Stands for a Scene: several things under names."""

    array: np.ndarray
    gsd_m: float


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "a number"),
        (np.float32(3), "a number"),
        (np.array(3), "a number"),
        (True, "True or False"),
        (np.bool_(True), "True or False"),
        ("x", "text"),
        (GRID, "a numpy array"),
        (torch.zeros(2), "a torch tensor"),
        ([1], "a list"),
        ((1,), "a tuple"),
        ({}, "a dictionary"),
        (None, "nothing (None)"),
        (len, "a function"),
        (Box(GRID, 1.0), "a Box"),
    ],
    ids=str,
)
def test_kinds_in_words(value: object, words: str) -> None:
    assert compare.kind(value) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5678, "1235"),
        (0.00012345, "0.0001234"),
        (-0.0, "0"),
        (np.float32(0.1), "0.1"),
        (7, "7"),
        (np.int64(12345), "12345"),
        (True, "True"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**9, "1e+09"),
        (1 + 2j, "1+2j"),
    ],
    ids=str,
)
def test_numbers_have_four_digits(value: Any, text: str) -> None:
    assert compare.number(value) == text


def test_small_values_are_written_out_and_large_ones_described() -> None:
    assert compare.short(np.array([1.0, 2.5])) == "[1, 2.5]"
    assert compare.short(np.arange(7)) == "a numpy array of shape (7,)"
    assert compare.short(torch.zeros(2, 3)) == "a torch tensor of shape (2, 3)"
    assert compare.short((1, "VV")) == "(1, 'VV')"
    assert compare.short("x" * 50) == f"'{'x' * 37}...'"


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (GRID, GRID, ""),
        (GRID.astype("float32"), GRID, ""),
        (GRID.T, GRID, "shape (3, 2); wanted (2, 3). The axes are there, in another order"),
        (GRID[None], GRID, "Only an axis of length 1 differs"),
        (GRID[0], GRID, "It has 1 axes, not 2"),
        (GRID[:, :2], GRID, "Axis 1 is the first that differs"),
        (GRID.astype(int), GRID, "holds whole numbers (int64); wanted decimals (float64)"),
        (GRID > 3, GRID, "holds true or false (bool); wanted decimals"),
        (GRID.tolist(), GRID, "is a list; wanted a numpy array: compute on the whole array"),
        (torch.tensor(GRID), GRID, "wanted a numpy array: stay in numpy, or end with .numpy()"),
        (GRID, torch.tensor(GRID), "wanted a torch tensor: compute with torch"),
        (3.0, GRID, "is a number; wanted a numpy array: keep the axes"),
        (GRID, 3.0, "is a numpy array of shape (2, 3); wanted one number: take one element"),
        ("3", 3.0, "is text; wanted one number."),
        (True, 3.0, "is True, True or False; wanted one number."),
        (1, True, "is 1, a number; wanted True or False."),
        (np.bool_(True), True, ""),
        (torch.tensor(3.0), 3, ""),
        (None, GRID, "is nothing (None): is there a `return`"),
        ("a", "b", ""),
        (3, "b", "is a number; wanted text."),
        ((1, 2), (1, 2, 3), "has 2 parts; wanted 3."),
        ([1, 2], (1, 2), ""),
        (3, (1, 2), "is a number; wanted a tuple of 2 parts."),
        ((1, "x"), (1, 2), "Part [1] of your answer is text; wanted one number."),
        ({"a": 1}, {"b": 1}, "has the keys ['a']; wanted ['b']."),
        (GRID, Box(GRID, 1.0), "is a numpy array; wanted a Box of 2 parts."),
        (Box(GRID.T, 1.0), Box(GRID, 1.0), "Part .array of your answer has shape (3, 2)"),
    ],
)
def test_a_wrong_kind_says_what_came_and_what_to_do(got: Any, expected: Any, words: str) -> None:
    text = compare.wrong_kind(got, expected)
    assert (words in text) if words else text == ""


def test_an_exact_dtype_can_be_asked_for() -> None:
    text = compare.wrong_kind(GRID, GRID.astype("float32"), exact_dtype=True)
    assert "has dtype float64; wanted float32" in text


@pytest.mark.parametrize(
    ("got", "expected", "numbers", "pattern"),
    [
        (GRID, GRID, "", ""),
        (GRID + 1e-9, GRID, "", ""),
        (-GRID, GRID, "at [0, 0] expected 1, got -1", "Every sign is flipped."),
        (GRID / 2, GRID, "at [0, 0] expected 1, got 0.5", "Every value is 0.5 times"),
        (GRID + 3, GRID, "at [0, 0] expected 1, got 4", "Every value is 3 too large."),
        (
            YEARS - 0.25,
            YEARS,
            "at [0] expected 2021.5, got 2021.25",
            "Every value is 0.25 too small.",
        ),
        (GRID - 3, GRID, "at [0, 0] expected 1, got -2", "Every value is 3 too small."),
        (SQUARE.T, SQUARE, "at [0, 1] expected 2, got 5", "Rows and columns are swapped: your"),
        (GRID[::-1], GRID, "at [0, 0] expected 1, got 8", "The order is reversed along axis 0."),
        (GRID[:, ::-1], GRID, "at [0, 0] expected 1, got 4", "reversed along axis 1."),
        (np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 1.0]), "at [0]", "the expected ones, sor"),
        (GRID * [1, 1, 2], GRID, "at [0, 2] expected 4, got 8", ""),
        (4.0, 5.0, "expected 5, got 4", ""),
        ("A", "B", "expected 'B', got 'A'", ""),
        ((1, GRID + GRID), (1, GRID), "at [1][0, 0] expected 1, got 2", "2 times"),
        (GRID > 2, GRID > 3, "", ""),
        (GRID > 4, GRID > 2, "at [0, 2] expected True, got False", ""),
        (np.array([1, 3]), np.array([1, 2]), "at [1] expected 2, got 3", ""),
        (Box(GRID, 10.0), Box(GRID, 20.0), "at .gsd_m expected 20, got 10", ""),
        (torch.tensor(SQUARE).T, torch.tensor(SQUARE), "at [0, 1]", "Rows and columns"),
        (np.array([np.nan, 1]), np.array([np.nan, 2]), "at [1] expected 2, got 1", ""),
        (np.array([0.0, 1]), np.array([np.nan, 1]), "at [0] expected nan, got 0", ""),
    ],
)
def test_the_first_difference_and_its_pattern(
    got: Any, expected: Any, numbers: str, pattern: str
) -> None:
    found = compare.difference(got, expected, 1e-5)
    assert found[0].startswith(numbers) and bool(found[0]) == bool(numbers), found
    assert pattern in found[1] and bool(found[1]) == bool(pattern), found


@given(st.floats(-1e3, 1e3), st.floats(0.1, 10))
def test_a_factor_is_found_whatever_it_is(factor: float, scale: float) -> None:
    wanted = scale * GRID
    text = compare.difference(factor * wanted, wanted, 1e-6)[1]
    if abs(factor - 1) > 1e-3 and abs(factor + 1) > 1e-3 and abs(factor) > 1e-3:
        assert text == f"Every value is {compare.number(factor)} times what was expected."


def test_tolerance_is_relative_to_the_largest_value() -> None:
    assert compare.close(np.array([1000.0, 0.005]), np.array([1000.0, 0.0]), 1e-5)
    assert not compare.close(np.array([1.0, 0.005]), np.array([1.0, 0.0]), 1e-5)
    assert compare.close(np.array([np.nan]), np.array([np.nan]), 1e-5)
    assert not compare.close(np.array([np.inf]), np.array([-np.inf]), 1e-5)


def test_holes_are_counted_where_none_were_expected() -> None:
    holed = GRID.copy()
    holed[0, 1] = holed[1, 2] = np.nan
    assert compare.not_finite(holed, GRID).startswith(
        "2 of 6 values are NaN; the first is at [0, 1]."
    )
    assert compare.not_finite(holed, holed) == ""
    assert compare.not_finite(np.array([1, -np.inf]), np.ones(2)).startswith(
        "1 of 2 values are infinite; the first is at [1]."
    )
    assert compare.not_finite(float("nan"), 1.0).startswith("Your answer is NaN.")
    assert compare.not_finite((1, np.array([np.nan])), (1, np.ones(1))).endswith("there?")


@pytest.mark.parametrize(
    ("value", "before", "same"),
    [
        (GRID, GRID.copy(), True),
        (GRID + 1e-12, GRID, False),
        (GRID.astype("float32"), GRID, False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.array(["a"]), np.array(["b"]), False),
        (torch.zeros(2), torch.zeros(2), True),
        (torch.zeros(2), torch.ones(2), False),
        ([1, 2], [1, 3], False),
        ([1, 2], [1, 2, 3], False),
        ({"a": GRID}, {"a": GRID + 1}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        (Box(GRID, 1.0), Box(GRID.copy(), 1.0), True),
        (Box(GRID + 1, 1.0), Box(GRID, 1.0), False),
        (float("nan"), float("nan"), True),
        (np.random.default_rng(0), np.random.default_rng(1), True),
    ],
    ids=str,
)
def test_unchanged_looks_into_everything(value: Any, before: Any, same: bool) -> None:
    assert compare.unchanged(value, before) is same


def test_a_tensor_is_read_wherever_it_is() -> None:
    tensor = torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True)
    assert compare.to_array(tensor).tolist() == [1.0, 2.0]


def test_numbers_have_as_many_digits_as_tell_them_apart() -> None:
    assert compare.apart(np.array([0.5, 0.25])) == ["0.5", "0.25"]
    assert compare.apart(np.array([2022.0, 2022.2])) == ["2022", "2022.2"]
    assert compare.apart(np.array([2022.0, 2022.0])) == ["2022", "2022"]
    assert compare.short(np.array([2020.5, 2021.5, np.nan])) == "[2020.5, 2021.5, nan]"
