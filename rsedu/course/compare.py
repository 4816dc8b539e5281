"""Compare an answer with what was expected, and put the difference into words.

Works on numbers, text, numpy arrays, torch tensors, and tuples, lists and dicts of these. torch is
never imported: a tensor can only be there if somebody imported it before.
"""

import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Leaf = tuple[str, Any, Any]
_HARDLY = 1e-3  # a factor so near 1 is no factor
_SORTS = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "decimals"}


def is_tensor(value: object) -> bool:
    """Whether it is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_number(value: object) -> bool:
    """Whether it is one number or truth value: Python's, numpy's or torch's."""
    if isinstance(value, (int, float, complex, np.generic)):
        return not isinstance(value, (np.str_, np.bytes_))
    return (isinstance(value, np.ndarray) or is_tensor(value)) and value.ndim == 0  # type: ignore[attr-defined]


def to_array(value: Any) -> NDArray[Any]:
    """The numbers of an array, tensor or number; a tensor is detached and moved to the CPU."""
    if not is_tensor(value):
        return np.asarray(value)
    value = value.detach().cpu()
    bfloat16 = sys.modules["torch"].bfloat16  # which numpy does not have
    return np.asarray((value.float() if value.dtype == bfloat16 else value).numpy())


def kind(value: object) -> str:
    """What it is, in a learner's words."""
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if is_tensor(value):
        return "a torch tensor"
    if is_number(value):
        return "a number"
    names = {str: "text", np.ndarray: "a numpy array", list: "a list", tuple: "a tuple"}
    names |= {dict: "a dictionary", type(None): "nothing (None)"}
    for known, words in names.items():
        if isinstance(value, known):
            return words
    return "a function" if callable(value) else f"a {type(value).__name__}"


def number(value: Any, digits: int = 4) -> str:
    """One number as text, with so many significant digits."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, (bool, int)) and abs(value) < 10**6:
        return str(value)
    if isinstance(value, complex):
        return f"{value:.{digits}g}"
    return f"{float(value) + 0.0:.{digits}g}" if float(value) else "0"


def apart(values: NDArray[Any]) -> list[str]:
    """Numbers as text, with as many digits as it takes to see how far different ones are apart."""
    if values.dtype.kind != "f":
        return [number(each) for each in values]
    steps = np.diff(np.unique(values[np.isfinite(values)]))
    off = steps.min() / 20 if steps.size else np.inf
    for digits in (4, 6, 9):
        texts = [number(each, digits) for each in values]
        if all(abs(float(text) - each) <= off for text, each in zip(texts, values, strict=True)):
            break
    return texts


def short(value: Any) -> str:
    """A value on one line: all of it where it is small, else its kind and shape."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:37]}...")
    if is_number(value):
        return number(to_array(value)[()])
    if isinstance(value, np.ndarray) or is_tensor(value):
        array = to_array(value)
        if array.dtype.kind in "biuf" and array.ndim == 1 and array.size <= 6:
            return f"[{', '.join(apart(array))}]"
        return f"{kind(value)} of shape {array.shape}"
    if isinstance(value, (list, tuple)) and len(value) <= 6:
        inside = ", ".join(short(each) for each in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return kind(value)


def _parts(value: Any) -> dict[str, Any] | None:
    """What it is made of, each part under what is written to reach it; None for a whole."""
    if isinstance(value, dict):
        return {f"[{key!r}]": part for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return {f"[{index}]": part for index, part in enumerate(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {f".{field.name}": getattr(value, field.name) for field in fields(value)}
    return None


def leaves(got: Any, expected: Any, path: str = "") -> Iterator[Leaf]:
    """Walk both side by side, once their kinds agree; yields (where, got, expected)."""
    wanted = _parts(expected)
    if wanted is None:
        yield path, got, expected
        return
    came = _parts(got) or {}
    for name in wanted:
        yield from leaves(came[name], wanted[name], path + name)


def wrong_kind(got: Any, expected: Any, *, exact_dtype: bool = False, what: str = "") -> str:
    """Say what is wrong with type, shape or dtype.

    Args:
        got: the answer.
        expected: what the reference gives.
        exact_dtype: whether float32 differs from float64.
        what: the part that is looked at, such as "[1]"; empty for the whole.

    Returns:
        A sentence or two that say what to do; empty where the kind is right.
    """
    subject = f"Part {what} of your answer" if what else "Your answer"
    wanted = _parts(expected)
    if wanted is None:
        return _wrong_leaf(got, expected, subject=subject, exact_dtype=exact_dtype)
    came = _parts(got)
    if came is None or (kind(got) != kind(expected) and not _is_sequence(got, expected)):
        return f"{subject} is {kind(got)}; wanted {kind(expected)} of {len(wanted)} parts."
    if came.keys() != wanted.keys():
        if _is_sequence(got, expected):
            return f"{subject} has {len(came)} parts; wanted {len(wanted)}."
        return f"{subject} has the keys {', '.join(came)}; wanted {', '.join(wanted)}."
    inner = (
        wrong_kind(came[name], wanted[name], exact_dtype=exact_dtype, what=what + name)
        for name in wanted
    )
    return next(filter(None, inner), "")


def _is_sequence(*values: Any) -> bool:
    """Whether all are lists or tuples, which stand in for each other."""
    return all(isinstance(value, (list, tuple)) for value in values)


def _wrong_leaf(got: Any, expected: Any, *, subject: str, exact_dtype: bool) -> str:
    if got is None or got is ...:
        return f"{subject} is nothing (None): is there a `return` at the end of every path?"
    if is_number(expected):
        return _wrong_number(got, expected, subject)
    if not (isinstance(expected, np.ndarray) or is_tensor(expected)):
        right = isinstance(got, type(expected))
        return "" if right else f"{subject} is {kind(got)}; wanted {kind(expected)}."
    if is_tensor(got) != is_tensor(expected) or is_number(got) or not hasattr(got, "shape"):
        return f"{subject} is {kind(got)}; wanted {kind(expected)}: {_conversion(got, expected)}."
    return _wrong_shape(got, expected, subject) or _wrong_dtype(
        got, expected, subject=subject, exact=exact_dtype
    )


def _wrong_number(got: Any, expected: Any, subject: str) -> str:
    truth = to_array(expected).dtype.kind == "b"
    wanted = "True or False" if truth else "one number"
    if not is_number(got):
        do = ": take one element, or a mean, if that is what you mean"
        shape = f" of shape {to_array(got).shape}" if hasattr(got, "shape") else ""
        return f"{subject} is {kind(got)}{shape}; wanted {wanted}{do if shape else ''}."
    if (to_array(got).dtype.kind == "b") != truth:
        return f"{subject} is {number(got)}, {kind(got)}; wanted {wanted}."
    return ""


def _conversion(got: Any, expected: Any) -> str:
    if is_tensor(got):
        return "stay in numpy, or end with .numpy()"
    if is_tensor(expected):
        return "compute with torch, on the input's device"
    if is_number(got):
        return "keep the axes of the input; was a mean or a sum taken over all of them?"
    return "compute on the whole array at once, or wrap the result in np.array(...)"


def _wrong_shape(got: Any, expected: Any, subject: str) -> str:
    came, wanted = tuple(got.shape), tuple(expected.shape)
    if came == wanted:
        return ""
    text = f"{subject} has shape {came}; wanted {wanted}."
    if sorted(came) == sorted(wanted):
        return f"{text} The axes are there, in another order: swap them."
    if [n for n in came if n != 1] == [n for n in wanted if n != 1]:
        return f"{text} Only an axis of length 1 differs: add or remove it."
    if len(came) != len(wanted):
        return f"{text} It has {len(came)} axes, not {len(wanted)}: along which did you reduce?"
    axis = next(axis for axis in range(len(came)) if came[axis] != wanted[axis])
    return f"{text} Axis {axis} is the first that differs."


def _wrong_dtype(got: Any, expected: Any, *, subject: str, exact: bool) -> str:
    came, wanted = to_array(got).dtype, to_array(expected).dtype
    sorts = [_SORTS.get(dtype.kind, str(dtype)) for dtype in (came, wanted)]
    if sorts[0] != sorts[1]:
        return f"{subject} holds {sorts[0]} ({came}); wanted {sorts[1]} ({wanted})."
    if exact and came != wanted:
        return f"{subject} has dtype {came}; wanted {wanted}: convert the result, or the input."
    return ""


def close(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether two things of one kind agree, relative to the largest finite expected value."""
    return all(_leaf_close(one, other, tolerance) for _, one, other in leaves(got, expected))


def _leaf_close(got: Any, expected: Any, tolerance: float) -> bool:
    if is_number(expected) or hasattr(expected, "shape"):
        return not _different(to_array(got), to_array(expected), tolerance).any()
    return bool(got == expected)


def _different(got: NDArray[Any], expected: NDArray[Any], tolerance: float) -> NDArray[np.bool_]:
    """Where two arrays of one shape differ."""
    if expected.dtype.kind not in "fciu":
        return np.asarray(got != expected)
    size = np.abs(expected[np.isfinite(expected)])
    allowed = tolerance * (size.max() if size.size else 1.0) or tolerance
    same = np.isclose(got, expected, rtol=tolerance, atol=allowed, equal_nan=True)
    return np.asarray(~same)  # numpy makes a bare number of what has no axes


def equal(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether kind, shape and values agree; used to recognise a known wrong answer."""
    return not wrong_kind(got, expected) and close(got, expected, tolerance)


def unchanged(value: Any, before: Any) -> bool:
    """Whether an input is as it was, in all that it holds.

    A generator or a model may change by being used, so only numbers, text, arrays, tensors and
    containers of them are looked at.
    """
    inside, was = _parts(value), _parts(before)
    if was is not None:
        return (
            inside is not None
            and inside.keys() == was.keys()
            and all(unchanged(inside[name], was[name]) for name in was)
        )
    if isinstance(before, np.ndarray) or is_tensor(before):
        one, other = to_array(value), to_array(before)
        equal_nan = other.dtype.kind in "fc"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=equal_nan)
    if isinstance(before, (str, bytes, int, float, complex, type(None))):
        return bool(value == before) or bool(before != before)
    return True


def not_finite(got: Any, expected: Any) -> str:
    """Say where NaN or infinity stands that was not expected; empty where there is none."""
    for path, one, other in leaves(got, expected):
        if not is_number(other) and not hasattr(other, "shape"):
            continue
        values, wanted = to_array(one), to_array(other)
        if values.dtype.kind not in "fc":
            continue
        for name, found in (("NaN", np.isnan), ("infinite", np.isinf)):
            bad = np.asarray(found(values) & np.isfinite(wanted))
            if bad.any():
                where = f"{path}{_first(bad)}"
                count = f"{bad.sum()} of {bad.size} values are {name}; the first is at {where}"
                text = f"Your answer is {name}" if bad.ndim == 0 else count
                return f"{text}. Which division, logarithm or root had no answer there?"
    return ""


def _first(mask: NDArray[np.bool_]) -> str:
    """Index of the first true element, as it is written in Python."""
    if mask.ndim == 0:
        return ""
    index = np.unravel_index(int(mask.argmax()), mask.shape)
    return f"[{', '.join(str(int(each)) for each in index)}]"


def difference(got: Any, expected: Any, tolerance: float) -> tuple[str, str]:
    """Describe the first difference in values.

    Args:
        got: the answer, of the right kind.
        expected: what the reference gives.
        tolerance: as in `Exercise`.

    Returns:
        "at [0, 2] expected 4.1, got 3.9", and the pattern behind it (empty where none is seen).
    """
    for path, one, other in leaves(got, expected):
        if not is_number(other) and not hasattr(other, "shape"):
            if not _leaf_close(one, other, tolerance):
                at = f"at {path} " if path else ""
                return f"{at}expected {short(other)}, got {short(one)}", ""
            continue
        values, wanted = to_array(one), to_array(other)
        bad = _different(values, wanted, tolerance)
        if bad.any():
            where = f"{path}{_first(bad)}"
            numbers = apart(np.array([each[bad][0] for each in (wanted, values)]))
            at = f"at {where} " if where else ""
            return f"{at}expected {numbers[0]}, got {numbers[1]}", pattern(values, wanted)
    return "", ""


def pattern(got: NDArray[Any], expected: NDArray[Any], tolerance: float = 1e-4) -> str:
    """Name the pattern by which an array differs as a whole; empty where none is seen."""
    if got.dtype.kind not in "fiu" or expected.dtype.kind not in "fiu":
        return ""
    if np.unique(expected[np.isfinite(expected) & (expected != 0)]).size < 2:
        return ""  # one number fits any factor

    def same(candidate: NDArray[Any]) -> bool:
        fits = candidate.shape == got.shape
        return fits and not _different(got, candidate, tolerance).any()

    if same(-expected):
        return "Every sign is flipped."
    if expected.ndim >= 2 and same(np.swapaxes(expected, -1, -2)):
        return "Rows and columns are swapped: your [0, 1] equals the expected [1, 0]."
    for axis in range(expected.ndim):
        if same(np.flip(expected, axis)):
            return f"The order is reversed along axis {axis}."
    return _factor_or_shift(got.astype(float), expected.astype(float), same)


def _factor_or_shift(got: NDArray[Any], expected: NDArray[Any], same: Any) -> str:
    usable = np.isfinite(got) & np.isfinite(expected)
    largest = np.argmax(np.where(usable, np.abs(expected), -1.0))
    factor = got.flat[largest] / expected.flat[largest]
    if factor and abs(factor - 1) > _HARDLY and same(factor * expected):
        return f"Every value is {number(factor)} times what was expected."
    shift = got.flat[largest] - expected.flat[largest]
    if np.allclose(got, expected + shift, rtol=0, atol=_HARDLY * abs(shift), equal_nan=True):
        return f"Every value is {number(abs(shift))} too {'large' if shift > 0 else 'small'}."
    if same(np.sort(expected, axis=None).reshape(expected.shape)):
        return "The values are the expected ones, sorted."
    return ""
