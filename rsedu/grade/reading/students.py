"""Students' names: whose a notebook is, by where it lies and how it is called."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from rsedu.course.registry import lessons, starters

ENDING = ".ipynb"
_STEMS = tuple(each.stem for each in (*lessons(), *starters()))
_NUMBERS = "|".join(sorted({each.number for each in (*lessons(), *starters())}))
_LESSON_FOLDER = re.compile(rf"(lesson|week)?[-_ ]?({_NUMBERS})|{'|'.join(_STEMS)}", re.IGNORECASE)
# What Colab, browsers and file managers make of a second copy.
_COPY_BEFORE = re.compile(r"(copy of |kopie von )+", re.IGNORECASE)
_COPY_BEHIND = re.compile(r"( ?\(\d{1,3}\)| - copy|-copy\d{0,3})+$", re.IGNORECASE)
_NUMBERED = re.compile(r"[-_ ]\d{1,3}")


def shown(text: str, longest: int = 200) -> str:
    """A name fit to be shown: one line without control characters, invalid bytes replaced."""
    valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in valid
    )[:longest]


def is_notebook(name: str) -> bool:
    """Whether a file's name ends as a notebook's does, in capitals or not."""
    return name.lower().endswith(ENDING)


def _without_lesson(name: str) -> str:
    """A file's name less its ending, the marks of a copy and the lesson; may be empty."""
    bare = name[: -len(ENDING)] if is_notebook(name) else name
    bare = _COPY_BEHIND.sub("", _COPY_BEFORE.sub("", bare, count=1)).strip()
    for stem in _STEMS:
        before, found, behind = bare.partition(stem)
        if _NUMBERED.fullmatch(behind):  # a second download
            behind = ""
        if found and not (before.strip("-_ .") and behind.strip("-_ .")):
            return (before + behind).strip("-_ .")
    return bare


def _rest_names_somebody(parts: Sequence[str]) -> bool:
    """Whether there still is a name without the first folder."""
    return len(parts) > 2 or (len(parts) == 2 and bool(_without_lesson(parts[1])))


def students(files: Sequence[Path]) -> list[str]:
    """Say whose each file is.

    Args:
        files: paths below the submissions' folder.

    Returns:
        For each the name of its first folder, or of the file where there is none, less the lesson's
        name and the marks of a copy. Folders that all share, and folders named after a lesson, are
        nobody's. Equal letters are equal names, however the system that packed them wrote accents.
    """
    split = [[unicodedata.normalize("NFC", shown(part)) for part in each.parts] for each in files]
    while len({parts[0] for parts in split}) == 1 and all(map(_rest_names_somebody, split)):
        split = [parts[1:] for parts in split]
    found = []
    for parts in split:
        while _LESSON_FOLDER.fullmatch(parts[0]) and _rest_names_somebody(parts):
            parts = parts[1:]
        name = parts[0] if len(parts) > 1 else _without_lesson(parts[0])
        found.append(name or parts[0][: -len(ENDING)])
    return found
