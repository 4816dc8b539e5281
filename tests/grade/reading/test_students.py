"""Whose a notebook is; each name was written down by hand."""

import unicodedata
from pathlib import Path

import pytest

from rsedu.grade.reading import students


def _students(*files: str) -> list[str]:
    return students.students([Path(file) for file in files])


def test_names_are_fit_to_be_shown() -> None:
    assert students.shown("a\nb\x1b[31m\u202ec") == "a\ufffdb\ufffd[31m\ufffdc"
    assert students.shown("é\udcff") == "é\ufffd"
    assert len(students.shown("x" * 999)) == 200


JOSE = "Jos\u00e9"
NAMES = (
    *("ana.ipynb", "ana.IPYNB", "ana_01_sentinels.ipynb", "ana_01_sentinels (1).ipynb"),
    *("ana_01_sentinels-1.ipynb", "01_sentinels-ana.ipynb", "00_start_here_ana.ipynb"),
    *("Copy of ana_01_sentinels.ipynb", "ana-Copy1.ipynb", "ana 08a_scale (2).ipynb"),
)
# Files, and whose they are; behind "/" lies a folder.
WHOSE = {
    "a number that is no copy's stays": (
        "student-1.ipynb student-2.ipynb ana_01_sentinels_ruiz.ipynb",
        ["student-1", "student-2", "ana_01_sentinels_ruiz"],
    ),
    "a folder that all share is nobody": (
        "class/hand-in/ana.ipynb class/hand-in/ben/01_sentinels.ipynb",
        ["ana", "ben"],
    ),
    "two lessons of one": ("ana/00_start_here.ipynb ana/01_sentinels.ipynb", ["ana", "ana"]),
    "a lesson's number is somebody where nothing else is": (
        "01/01_sentinels.ipynb 02/01_sentinels.ipynb",
        ["01", "02"],
    ),
    "a lesson alone": ("01_sentinels.ipynb", ["01_sentinels"]),
    "accents are equal however they are written": (
        unicodedata.normalize("NFD", "Jos\u00e9_00_start_here.ipynb")
        + " Jos\u00e9_01_sentinels.ipynb",
        [JOSE, JOSE],
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_lessons_and_marks_of_copies_are_no_part_of_a_name(name: str) -> None:
    assert _students(name, "other.ipynb")[0] == "ana"


@pytest.mark.parametrize(("files", "wanted"), WHOSE.values(), ids=WHOSE)
def test_whose_a_notebook_is(files: str, wanted: list[str]) -> None:
    assert _students(*files.split(" ")) == wanted


@pytest.mark.parametrize("folder", ["01", "lesson 01", "Lesson_01", "week-01", "01_sentinels"])
def test_a_folder_named_after_a_lesson_is_nobody(folder: str) -> None:
    files = (f"{folder}/ana.ipynb", "00/ana.ipynb", "00/ben/x.ipynb")
    assert _students(*files) == ["ana", "ana", "ben"]
