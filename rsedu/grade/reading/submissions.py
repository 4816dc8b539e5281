"""Submissions: notebooks in a folder, read with suspicion and without running anything."""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rsedu.errors import BrokenDataError, MissingDataError
from rsedu.grade.reading.students import ENDING, is_notebook, shown, students

MAX_MB = 20
_MAX_CELLS = 2000
_MAX_CODE = 1_000_000
_MAX_DEPTH = 30


@dataclass(frozen=True)
class Found:
    """One notebook that lies in the folder.

    Attributes:
        path: of the file.
        file: the same, beneath the folder, as it is shown.
        student: whose it is, see `rsedu.grade.reading.students.students`.
        problem: why it is not read; empty where nothing is in the way.
    """

    path: Path
    file: str
    student: str
    problem: str = ""


@dataclass(frozen=True)
class CodeCell:
    """One code cell, and what it can be known by.

    Attributes:
        id: of the cell; empty where the notebook gives none.
        exercise: id that its metadata names; empty where they name none.
        heading: the last heading of level 3 above it.
        source: its code.
    """

    id: str
    exercise: str
    heading: str
    source: str


def _look(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda each: each.name)


def _walk(folder: Path, depth: int = 0) -> Iterator[tuple[Path, str]]:
    """Every file below a folder, and what is in its way; links are named, not followed."""
    if depth > _MAX_DEPTH:
        yield folder, f"It lies more than {_MAX_DEPTH} folders deep: move it up."
        return
    try:
        entries = _look(folder)
    except OSError as error:
        yield folder, f"This folder cannot be read ({error.strerror}): ask for the right to."
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            yield (
                path,
                "It is a symbolic link, and links are not followed: ask for the file itself.",
            )
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(path, depth + 1)
        else:
            yield path, ""


def find(folder: Path) -> list[Found]:
    """List the notebooks below a folder, by name.

    Args:
        folder: a file per student, or a folder per student with a file per lesson, at any depth.

    Raises:
        MissingDataError: there is no such folder, or no notebook in it.
    """
    if not folder.is_dir():
        raise MissingDataError(f"There is no folder {folder}: give the one the submissions lie in.")
    walked = [each for each in _walk(folder) if each[1] or is_notebook(each[0].name)]
    if any(path == folder for path, _ in walked):
        raise MissingDataError(f"The folder {folder} cannot be read: ask for the right to.")
    if not walked:
        raise MissingDataError(f"{folder} holds no notebook (*{ENDING}): nothing to grade.")
    files = [path.relative_to(folder) for path, _ in walked]
    found = [
        Found(path, shown(str(file)), student, problem)
        for (path, problem), file, student in zip(walked, files, students(files), strict=True)
    ]
    return sorted(found, key=lambda each: each.file)


def others(folder: Path) -> list[str]:
    """Files below a folder that are no notebooks, as they are shown; nobody looks at them."""
    walked = [path for path, problem in _walk(folder) if not problem]
    return [shown(str(path.relative_to(folder))) for path in walked if not is_notebook(path.name)]


def read(found: Found) -> tuple[Found, bytes]:
    """Read a notebook's bytes.

    Returns:
        The notebook, with what was in the way as its problem, and its bytes; none where there is a
        problem. A link that was put in the file's place since `find` is not followed.
    """
    if found.problem:
        return found, b""
    try:
        handle = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                return replace(found, problem="It is no file, but a pipe or a device."), b""
            if about.st_size > MAX_MB * 1e6:
                size = f"It has {about.st_size / 1e6:.0f} MB, and {MAX_MB} are read at most"
                return replace(found, problem=f"{size}: clear its outputs and save again."), b""
            return found, file.read(int(MAX_MB * 1e6))
    except OSError as error:
        return replace(found, problem=f"It cannot be read ({error.strerror})."), b""


def cells(content: bytes) -> list[CodeCell]:
    """Take a notebook's code cells from its bytes. Stored outputs are not looked at.

    Args:
        content: of the file.

    Raises:
        BrokenDataError: it is no notebook, of another language, or absurdly long.
    """
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenDataError(
            f"It is no notebook: its JSON cannot be read ({type(error).__name__}); was the upload "
            "cut off?"
        ) from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise BrokenDataError(
            "It is no notebook of format 4: open it in Jupyter and save it again."
        )
    _check_language(notebook)
    found = notebook["cells"]
    if len(found) > _MAX_CELLS:
        raise BrokenDataError(f"It has {len(found)} cells; {_MAX_CELLS} are read at most.")
    kept = list(_code(found))
    if sum(len(cell.source) for cell in kept) > _MAX_CODE:
        raise BrokenDataError(f"It has more than {_MAX_CODE:,} letters of code.")
    return kept


def _part(value: Any, *names: str) -> Any:
    """What stands under names in nested dicts; None where something else is in between."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _check_language(notebook: dict[str, Any]) -> None:
    named = (
        _part(notebook, "metadata", "kernelspec", "language"),
        _part(notebook, "metadata", "language_info", "name"),
    )
    for language in named:
        if language is not None and str(language).lower() not in ("python", "ipython"):
            raise BrokenDataError(
                f"Its kernel speaks {shown(str(language), 40)}; wanted Python: in Jupyter choose "
                "Kernel, Change Kernel, Python 3."
            )


def _text(value: Any) -> str:
    """A cell's source: a string, or a list of lines."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    valid = value if isinstance(value, str) else ""
    return valid.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _code(found: list[Any]) -> Iterator[CodeCell]:
    heading = ""
    for cell in found:
        source = _text(_part(cell, "source"))
        if _part(cell, "cell_type") == "markdown":
            titles = [line for line in source.splitlines() if line.startswith("### ")]
            heading = titles[-1].removeprefix("###").strip() if titles else heading
        elif _part(cell, "cell_type") == "code":
            about = _part(cell, "metadata", "rsedu")
            named = "" if _part(about, "role") == "demonstration" else _part(about, "id")
            id_ = _part(cell, "id")
            yield CodeCell(_name(id_), _name(named), heading, source)


def _name(value: Any) -> str:
    return shown(value, 80) if isinstance(value, str) else ""
