"""Cells are found by exercise id, then cell id, then heading, then name; never the wrong one."""

import json
from dataclasses import replace

import pytest

from rsedu.course import registry
from rsedu.grade import matching
from rsedu.grade.key import Key
from rsedu.grade.matching import Matched
from rsedu.grade.reading import submissions
from rsedu.grade.reading.submissions import CodeCell
from tests.grade.conftest import answered, notebook

STUB = "def ndvi(red, nir):\n    raise NotImplementedError"


@pytest.fixture
def cells() -> list[CodeCell]:
    return submissions.cells(answered())


@pytest.fixture
def lesson(all_keys: tuple[Key, ...]) -> Key:
    return all_keys[1]


def _ndvi(lesson: Key, cells: list[CodeCell]) -> Matched:
    return next(each for each in matching.match(lesson, cells) if each.id == "ndvi")


def _place(cells: list[CodeCell]) -> int:
    return next(number for number, cell in enumerate(cells) if cell.exercise == "ndvi")


def test_an_untouched_notebook_is_matched_by_exercise(lesson: Key, cells: list[CodeCell]) -> None:
    found = matching.match(lesson, cells)
    assert [each.id for each in found] == [each.id for each in lesson.asked]
    assert [cells[each.number or 0].exercise for each in found] == [each.id for each in found]
    assert not any(each.remark for each in found)


@pytest.mark.parametrize(
    ("gone", "remark"),
    [
        ({"exercise": ""}, "found by its cell's id"),
        ({"exercise": "", "id": "x"}, "found below its heading"),
        ({"exercise": "", "id": "", "heading": ""}, "found by the name it defines"),
    ],
)
def test_the_next_way_is_taken_and_remarked(
    lesson: Key, cells: list[CodeCell], gone: dict[str, str], remark: str
) -> None:
    place = _place(cells)
    cells[place] = replace(cells[place], **gone)
    found = _ndvi(lesson, cells)
    assert found.number == place and found.remark.startswith(remark)


def test_a_missing_cell_is_remarked(lesson: Key, cells: list[CodeCell]) -> None:
    del cells[_place(cells)]
    assert _ndvi(lesson, cells) == Matched("ndvi", None, "its cell is missing")


def test_of_two_cells_the_last_that_was_begun_counts(lesson: Key, cells: list[CodeCell]) -> None:
    first = _place(cells)
    begun = replace(cells[first], source="def ndvi(red, nir):\n    return red")
    stub = replace(cells[first], source=STUB)
    cells += [begun, stub]
    found = _ndvi(lesson, cells)
    assert found.number == len(cells) - 2
    assert found.remark == "3 cells answer it: the last one that was begun counts"
    cells[first] = stub
    assert _ndvi(lesson, [*cells[: first + 1], stub]).number == first + 1


def test_a_cell_that_claims_another_exercise_is_not_stolen_by_name(
    lesson: Key, cells: list[CodeCell]
) -> None:
    cells.append(CodeCell("", "", "", "def ndvi(red, nir):\n    return 0"))
    assert _ndvi(lesson, cells).number == _place(cells)


def test_an_answer_in_another_cell_counts_where_its_own_was_left(
    lesson: Key, cells: list[CodeCell]
) -> None:
    place = _place(cells)
    cells[place] = replace(cells[place], source=STUB)
    assert _ndvi(lesson, cells) == Matched("ndvi", place)
    cells.append(CodeCell("", "", "", "def ndvi(red, nir):\n    return red"))
    remark = "answered in another cell: its own was left"
    assert _ndvi(lesson, cells) == Matched("ndvi", len(cells) - 1, remark)


@pytest.mark.parametrize("text", ["\n", " \n", "def ", "a", "ndvi\n"])
def test_no_text_takes_long_to_look_through(lesson: Key, cells: list[CodeCell], text: str) -> None:
    place = _place(cells)
    cells[place] = replace(cells[place], source=text * (1_000_000 // len(text)))
    assert _ndvi(lesson, cells).number == place  # or this test would run for minutes


def test_a_cell_below_that_is_checked_is_an_answer_too(lesson: Key, cells: list[CodeCell]) -> None:
    place = _place(cells)
    code = "def ndvi(red, nir):\n    return red\n"
    cells.append(CodeCell("", "", "", f'{code}\nrsedu.check("ndvi", ndvi)'))
    remark = "2 cells answer it: the last one that was begun counts"
    assert _ndvi(lesson, cells) == Matched("ndvi", len(cells) - 1, remark)
    cells[-1] = CodeCell("", "", "", f"{STUB}\nrsedu.check('ndvi', ndvi)")
    assert _ndvi(lesson, cells) == Matched("ndvi", place)
    cells.insert(0, CodeCell("", "", "", f'{code}\nrsedu.check("ndvi", ndvi)'))
    assert _ndvi(lesson, cells).number == place + 1


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("def f(x):\n    'Do.'\n    raise NotImplementedError\n\nrsedu.check('f', f)", True),
        ("%%time\ndef f(x):\n    raise NotImplementedError('todo')", True),
        ("f = ...", True),
        ("def f(x):\n    return x\n    raise NotImplementedError", False),
        ("def f(x):\n    if x < 0:\n        raise NotImplementedError\n    return x", False),
        ("def g(x):\n    raise NotImplementedError\ndef f(x):\n    return x", False),
        ("def f(x):\n    raise NotImplementedError\ndef f(x):\n    return x", False),
        ("def f(x):\n    return x\nx = ...", False),
        ("def f(x:\n    raise NotImplementedError", False),
        ("def g(x):\n    raise NotImplementedError", False),
    ],
)
def test_untouched_is_the_stub_and_no_more(source: str, wanted: bool) -> None:
    assert matching.untouched("f", source) is wanted


def test_every_stub_of_the_kit_is_untouched_and_no_solution_is(all_keys: tuple[Key, ...]) -> None:
    for key in all_keys:
        stem = registry.lesson(key.lesson).stem
        for folder, wanted in (("notebooks", True), ("solutions", False)):
            found = submissions.cells(json.dumps(notebook(stem, folder=folder)).encode())
            for each in matching.match(key, found):
                assert each.number is not None and each.remark == ""
                assert matching.untouched(each.id, found[each.number].source) is wanted, each.id


def test_names_that_a_cell_defines() -> None:
    source = "%%time\ndef g(x):\n    y = 1\na = b = 2\nclass A: pass\nf = rsedu.checkpoint('f', f)"
    assert matching.names(source) == ("g", "a", "b", "A")
    assert matching.names("def (") == matching.names("x = 1\n" * 9000) == ()
