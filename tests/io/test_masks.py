from typing import Any

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.io.masks import as_mask

WANTED = np.array([[True, False, False], [True, True, False]])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "uint16", "float64"])
@pytest.mark.parametrize("yes", [1, 255])
def test_a_pixel_counts_once_whatever_stands_for_yes(dtype: str, yes: int) -> None:
    for wanted in (WANTED, np.ones_like(WANTED), np.zeros_like(WANTED)):
        found = as_mask((wanted * yes).astype(dtype))
        assert found.dtype == np.bool_
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.arange(6).reshape(2, 3), r"int64 with the values 0, 1, 2, 3, 4, 5.*labels == 3"),
        (np.array([[0.0, 0.5, 1.0]]), r"float64 with the values 0, 0.5, 1.*probability > 0.5"),
        (np.array([[0, 1, 255]]), "wanted bool, 0 and 1, or 0 and 255"),
        (np.array([[0.0, np.nan]]), "values 0, nan"),
        (np.array([[0, -1]]), "values -1, 0"),
        (np.array([["yes", "no"]]), "A mask is <U3"),
        (np.ones((3, 2, 2), dtype=bool), r"shape \(3, 2, 2\); wanted \(rows, cols\)"),
        (True, r"shape \(\)"),
    ],
)
def test_what_is_no_mask_is_refused_in_words(given: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        as_mask(given)
