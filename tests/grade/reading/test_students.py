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


@pytest.mark.parametrize(
    "name",
    [
        "ana.ipynb",
        "ana.IPYNB",
        "ana_01_sentinels.ipynb",
        "ana_01_sentinels (1).ipynb",
        "ana_01_sentinels-1.ipynb",
        "01_sentinels-ana.ipynb",
        "00_start_here_ana.ipynb",
        "Copy of ana_01_sentinels.ipynb",
        "ana-Copy1.ipynb",
        "ana 08a_scale (2).ipynb",
    ],
)
def test_lessons_and_marks_of_copies_are_no_part_of_a_name(name: str) -> None:
    assert _students(name, "other.ipynb")[0] == "ana"


def test_a_number_that_is_no_copys_stays() -> None:
    files = ("student-1.ipynb", "student-2.ipynb", "ana_01_sentinels_ruiz.ipynb")
    assert _students(*files) == ["student-1", "student-2", "ana_01_sentinels_ruiz"]


def test_a_folder_that_all_share_is_nobody() -> None:
    assert _students("class/hand-in/ana.ipynb", "class/hand-in/ben/01_sentinels.ipynb") == [
        "ana",
        "ben",
    ]
    assert _students("ana/00_start_here.ipynb", "ana/01_sentinels.ipynb") == ["ana", "ana"]


@pytest.mark.parametrize("folder", ["01", "lesson 01", "Lesson_01", "week-01", "01_sentinels"])
def test_a_folder_named_after_a_lesson_is_nobody(folder: str) -> None:
    assert _students(f"{folder}/ana.ipynb", "00/ana.ipynb", "00/ben/x.ipynb") == [
        "ana",
        "ana",
        "ben",
    ]


def test_a_folder_with_a_lessons_number_is_somebody_where_nothing_else_is() -> None:
    assert _students("01/01_sentinels.ipynb", "02/01_sentinels.ipynb") == ["01", "02"]
    assert _students("01_sentinels.ipynb") == ["01_sentinels"]


def test_accents_are_equal_however_they_are_written() -> None:
    parts = unicodedata.normalize("NFD", "Jos\u00e9_00_start_here.ipynb")
    assert _students(parts, "Jos\u00e9_01_sentinels.ipynb") == ["Jos\u00e9", "Jos\u00e9"]
