"""Atomic files, SHA-256, and a store of arrays under their settings."""

import hashlib
import json
import os
import tokenize
import uuid
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# What NumPy raises for a file that was cut short, or whose header is no header.
_DAMAGED = (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError)


class NotStoredWarning(UserWarning):
    """Arrays can't be stored on disk, so they are made again when they are needed again."""


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that `path` holds either the old or the new content, never half of one.

    Args:
        path: target; its folder is made when missing.
        write: called with a temporary path beside the target, another one at each call, so that
            threads and processes don't meet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Hash a file's content.

    Args:
        path: file to read.

    Returns:
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Name the folder of arrays that were made with some settings: 12 hexadecimal digits.

    Args:
        settings: all that decides on the numbers, as JSON knows it, with a version of the code.
    """
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def read_array(path: Path) -> np.ndarray | None:
    """Map an array that `write_array` stored into memory, read-only.

    Returns:
        None where there is none, or what is there is damaged: make it again.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except _DAMAGED:
        return None


def write_array(path: Path, array: np.ndarray) -> bool:
    """Store an array as .npy, whole or not at all.

    Returns:
        False where it can't be written; a `NotStoredWarning` says so once a folder, and the work
        can go on without.
    """

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:  # np.save would add a suffix to a path
            np.save(file, array)

    try:
        write_atomically(path, save)
    except OSError as error:
        _warn(path.parent, error.strerror or str(error))
        return False
    return True


def stored_array(path: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Read a stored array, or make and store it where it is missing or damaged."""
    stored = read_array(path)
    if stored is None:
        stored = make()
        write_array(path, stored)
    return stored


@cache
def _warn(folder: Path, reason: str) -> None:
    """Say once that nothing can be stored in a folder."""
    warnings.warn(
        f"Arrays cannot be stored in {folder} ({reason}): the work goes on without; make room, "
        "or choose another folder.",
        NotStoredWarning,
        stacklevel=3,
    )


def visible_files(folder: Path, *endings: str) -> list[Path]:
    """List a folder's files, and those of its subfolders, sorted by path.

    Hidden ones are passed over, and what macOS leaves in archives and on disks (._NAME, __MACOSX).

    Args:
        folder: may itself lie in a hidden one.
        endings: wanted, in lower case, such as ".tif"; none: all.
    """
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and (not endings or path.suffix.lower() in endings)
        and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
    )
