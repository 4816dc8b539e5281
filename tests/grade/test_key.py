"""The key of every lesson, and how a notebook is told to belong to one."""

import json
import shutil
from pathlib import Path

import pytest

from authoring import source
from rsedu.course import registry
from rsedu.errors import InputError, MissingDataError
from rsedu.grade import key
from rsedu.grade.key import Key
from rsedu.grade.reading import submissions
from rsedu.io.files import sha256
from tests.grade.conftest import REPOSITORY, answered, cell, notebook


def test_each_key_asks_for_the_kits_exercises_and_solves_them(all_keys: tuple[Key, ...]) -> None:
    assert [each.lesson for each in all_keys][:2] == ["00", "01"]
    assert all_keys[1].digest == sha256(REPOSITORY / "solutions" / "01_sentinels.ipynb")
    assert key._MARKERS == (source.BEGIN, source.END)
    for each in all_keys:
        known = registry.exercises(each.lesson)
        assert {asked.id for asked in each.asked} == {exercise.id for exercise in known}
        assert "import rsedu" in each.setup and each.setup_cell in each.cells
        for asked in each.asked:
            assert f"def {asked.id}(" in asked.solution
            assert asked.cell == f"{each.lesson}-{asked.id}"
            assert asked.heading.startswith("Exercise: ")
            assert not {"check(", "checkpoint(", "SOLUTION"} & set(asked.solution.split())
            assert "rsedu.check" not in asked.solution and "### " not in asked.solution


def test_a_key_that_disagrees_and_a_folder_without_any_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="give --key the folder with the solved notebooks"):
        key.read_keys(tmp_path)
    content = notebook()
    cell(content, "ndvi")["metadata"] = {}
    (tmp_path / "01_sentinels.ipynb").write_text(json.dumps(content))
    disagrees = r"the kit's lesson 01 for .*ndvi.*: build the lesson again"
    with pytest.raises(InputError, match=disagrees):
        key.read_keys(tmp_path)


def test_one_key_is_enough(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "solutions" / "01_sentinels.ipynb", tmp_path)
    assert [each.lesson for each in key.read_keys(tmp_path)] == ["01"]


def test_a_notebook_is_known_by_exercises_then_cells_then_its_name(
    all_keys: tuple[Key, ...],
) -> None:
    cells = submissions.cells(answered())
    assert key.find_key(all_keys, cells, "04_laplacian.ipynb").lesson == "01"
    bare = [submissions.CodeCell(each.id, "", "", each.source) for each in cells]
    assert key.find_key(all_keys, bare, "x.ipynb").lesson == "01"
    assert key.find_key(all_keys, [], "ana_04_laplacian (1).ipynb").lesson == "04"
    with pytest.raises(InputError, match="its name tells no lesson"):
        key.find_key(all_keys, [], "homework.ipynb")


def test_a_renamed_notebook_without_ids_is_known_by_headings_then_names(
    all_keys: tuple[Key, ...],
) -> None:
    cells = submissions.cells(answered())
    titled = [submissions.CodeCell("", "", each.heading, "") for each in cells]
    assert key.find_key(all_keys, titled, "04_laplacian.ipynb").lesson == "01"
    named = [submissions.CodeCell("", "", "", each.source) for each in cells]
    assert key.find_key(all_keys, named, "homework 1.ipynb").lesson == "01"
    assert key.find_key(all_keys, named, "04_laplacian.ipynb").lesson == "04"


def test_a_starter_says_that_it_is_one(all_keys: tuple[Key, ...]) -> None:
    cells = submissions.cells(json.dumps(notebook("08a_scale", folder="notebooks")).encode())
    for found, name in ((cells, "mine.ipynb"), ([], "ana_08a_scale.ipynb")):
        with pytest.raises(InputError, match="It is 08a_scale, a starter: it has no exercises"):
            key.find_key(all_keys, found, name)


def test_exercises_of_other_lessons_are_told(all_keys: tuple[Key, ...]) -> None:
    cells = submissions.cells(answered())
    lesson = key.find_key(all_keys, cells, "")
    assert key.other_lessons(all_keys, lesson, cells) == ""
    cells += submissions.cells(answered("00_start_here"))[:6]
    said = "exercises of lesson 00 are in it too, and were not graded"
    assert key.other_lessons(all_keys, lesson, cells) == said
