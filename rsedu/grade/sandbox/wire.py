"""Serialisation of values between a student's process and the grader: JSON, never a pickle.

What comes back was written by a stranger, so nothing of it is run, and no more is made of it than
numbers, text and containers of them.
"""

import base64
import keyword
import math
import re
from typing import Any

import numpy as np

from rsedu.course import compare
from rsedu.errors import BrokenDataError

_DTYPE = re.compile(r"[<>|=][biufc]\d{1,2}")
_MAX_DEPTH = 20
_MAX_PARTS = 100_000
_MAX_AXES = 16
_MAX_BYTES = 2**22  # no answer of the kit has a hundredth of it


def encode(value: Any, depth: int = 0) -> dict[str, Any]:
    """Write a value so that JSON can carry it.

    Args:
        value: anything. Numbers, text, arrays, tensors, lists, tuples and dicts keep their content,
            very large arrays their shape; of all else only the kind is kept, which is enough to say
            that it is the wrong one.
        depth: how many containers it stands in.

    Returns:
        A dict of JSON's own types.
    """
    if value is None or value is ...:
        return {"is": "none"}
    if isinstance(value, str):
        return {"is": "text", "text": value}
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return _number(value)
    if isinstance(value, (np.ndarray, np.generic)) or compare.is_tensor(value):
        return _array(value)
    if isinstance(value, (list, tuple, dict)) and depth < _MAX_DEPTH and len(value) <= _MAX_PARTS:
        return _container(value, depth)
    return {"is": "function" if callable(value) else "object", "name": type(value).__name__}


def _number(value: complex) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"is": "truth", "value": bool(value)}
    if isinstance(value, int) and abs(value) < 2**63:
        return {"is": "whole", "value": int(value)}
    if isinstance(value, (int, float)):
        try:
            return {"is": "decimal", "value": float(value).hex()}
        except OverflowError:
            return {"is": "decimal", "value": math.copysign(math.inf, value).hex()}
    return _array(np.complex128(value))


def _array(value: Any) -> dict[str, Any]:
    sort = "tensor" if compare.is_tensor(value) else "array"
    array = np.asarray(compare.to_array(value))
    if isinstance(value, np.generic):
        sort = "scalar"
    if not _DTYPE.fullmatch(array.dtype.str):
        return {"is": "odd array", "shape": list(array.shape)}
    if array.nbytes > _MAX_BYTES:
        return {"is": "large array", "shape": list(array.shape), "dtype": array.dtype.str}
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"is": sort, "dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _container(value: Any, depth: int) -> dict[str, Any]:
    if isinstance(value, dict):
        keys = [key if isinstance(key, (str, int)) else repr(type(key)) for key in value]
        parts = [encode(part, depth + 1) for part in value.values()]
        return {"is": "dict", "keys": keys, "parts": parts}
    sort = "list" if isinstance(value, list) else "tuple"
    return {"is": sort, "parts": [encode(part, depth + 1) for part in value]}


def decode(found: Any, depth: int = 0) -> Any:
    """Read a value back.

    Args:
        found: what `encode` wrote, or what somebody wrote in its place.
        depth: how many containers it stands in.

    Returns:
        The value; an object of no use, of the same kind, where only the kind was kept.

    Raises:
        BrokenDataError: it is not what `encode` writes.
    """
    try:
        if depth > _MAX_DEPTH:
            raise ValueError("too deep")
        return _DECODERS[found["is"]](found, depth)
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
        raise BrokenDataError(
            f"An answer came back in no known form ({type(error).__name__}): its process wrote "
            "something else; read its code."
        ) from error


def _decode_array(found: dict[str, Any], depth: int) -> Any:
    text, shape = found["dtype"], tuple(int(length) for length in found["shape"])
    if not _DTYPE.fullmatch(text) or len(shape) > _MAX_AXES or min(shape, default=0) < 0:
        raise ValueError("no array of numbers")
    data = base64.b64decode(found["data"], validate=True)
    dtype = np.dtype(text)
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("shape and data disagree")
    if dtype.kind == "b" and not set(data) <= {0, 1}:
        raise ValueError("truth values are 0 or 1")
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _decode_tensor(found: dict[str, Any], depth: int) -> Any:
    import torch

    return torch.from_numpy(_decode_array(found, depth))


def _decode_object(found: dict[str, Any], depth: int) -> Any:
    """An instance of an empty class of that name: what is looked at is its name alone."""
    name = str(found["name"])[:60]
    usable = name.isidentifier() and not keyword.iskeyword(name)
    return type(name if usable else "object", (), {})()


def _decode_parts(found: dict[str, Any], depth: int) -> list[Any]:
    if not isinstance(found["parts"], list) or len(found["parts"]) > _MAX_PARTS:
        raise ValueError("no parts")
    return [decode(part, depth + 1) for part in found["parts"]]


def _decode_dict(found: dict[str, Any], depth: int) -> dict[Any, Any]:
    if not all(isinstance(key, (str, int)) for key in found["keys"]):
        raise ValueError("no keys")
    return dict(zip(found["keys"], _decode_parts(found, depth), strict=True))


def _whole(found: dict[str, Any], depth: int) -> int:
    value = found["value"]
    if not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError("no whole number")
    return int(value)


def _hollow(found: dict[str, Any], depth: int) -> Any:
    """An array of which only the shape is kept, and whether it holds numbers; takes no memory."""
    shape = tuple(int(length) for length in found["shape"])
    text = found.get("dtype", "|O")
    if len(shape) > _MAX_AXES or not (text == "|O" or _DTYPE.fullmatch(text)):
        raise ValueError("no array")
    return np.broadcast_to(np.zeros((), np.dtype(text)), shape)


def _function(found: dict[str, Any], depth: int) -> Any:
    return lambda *inputs: None


_DECODERS = {
    "none": lambda found, depth: None,
    "text": lambda found, depth: str(found["text"]),
    "truth": lambda found, depth: bool(found["value"]),
    "whole": _whole,
    "decimal": lambda found, depth: float.fromhex(found["value"]),
    "array": _decode_array,
    "scalar": lambda found, depth: _decode_array(found, depth)[()],
    "tensor": _decode_tensor,
    "odd array": _hollow,
    "large array": _hollow,
    "list": _decode_parts,
    "tuple": lambda found, depth: tuple(_decode_parts(found, depth)),
    "dict": _decode_dict,
    "object": _decode_object,
    "function": _function,
}
