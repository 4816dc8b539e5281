"""Each thing that can be wrong with a lesson is found, and a right one has nothing to find."""

import base64
import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from authoring import audit
from authoring.colab import Address
from authoring.source import pair

SOURCE = '''\
# %% [markdown]
# # What is it?
#
# ![a forest from above](forest.png)

# %% rsedu={"id": "to_db"}
def to_db(power):
    """Convert."""
    ### BEGIN SOLUTION
    return 10 * power
    ### END SOLUTION


rsedu.check("to_db", to_db)
to_db = rsedu.checkpoint("to_db", to_db)
'''


def _solution(text: str = SOURCE) -> NotebookNode:
    return pair(text, stem="00_x", published=Address(), points={}).solution


def _markdown(*texts: str) -> NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])


def _run(*outputs: dict[str, Any], count: int | None = 1) -> NotebookNode:
    cell = nbformat.v4.new_code_cell("x", execution_count=count)
    cell.outputs = [nbformat.from_dict(output) for output in outputs]
    return nbformat.v4.new_notebook(cells=[cell])


def _figure(size: int = 100) -> dict[str, Any]:
    data = {"image/png": base64.b64encode(b"x" * size).decode()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _said(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


SUMMARY = _said("Figure: the forest is darker than the clearing, -14 against -9 dB.\n")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (("# A", "## B\n\n### C\n\n## D"), 0),
        (("# A", "### C"), 1),
        (("## A",), 1),
        (("# A\n```\n##### no heading\n```\n## B",), 0),
        (("# A\n![](x.png)",), 1),
        (("# A\n![ ](x.png)",), 1),
        (("# A\n![a map](x.png)",), 0),
        (('# A\n<img src="x.png">',), 1),
        (('# A\n<img src="x.png" alt="">',), 1),
        (('# A\n<img alt="a map" src="x.png">',), 0),
    ],
    ids=str,
)
def test_headings_and_alternative_texts(texts: tuple[str, ...], found: int) -> None:
    assert len(list(audit.of_prose(_markdown(*texts)))) == found


def test_links_lead_somewhere() -> None:
    folder = Path("notebooks")
    folder.mkdir()
    (folder / "here.md").touch()
    Path("solutions").mkdir()
    Path("solutions/01_next.py").touch()
    text = (
        "# A\n[a](here.md) [b](gone.md) [c](https://x.org) [d](#top) [e](01_next.ipynb) "
        "[f](here.md#part) [g](02_no.ipynb) ![h](image.png)"
    )
    found = list(audit.of_links(_markdown(text), folder, sources=Path("solutions")))
    assert [line.split("links to ")[1].split(",")[0] for line in found] == [
        "gone.md",
        "02_no.ipynb",
    ]


def test_a_right_exercise_has_nothing_to_find() -> None:
    assert list(audit.of_exercises(_solution(), {"to_db"})) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (' rsedu={"id": "to_db"}', "", "without metadata"),
        ('{"id": "to_db"}', '{"id": "to_bd"}', "'to_bd' is not among those"),
        ('rsedu.check("to_db"', 'rsedu.check("nobody"', "'nobody' is not among those"),
        ('rsedu.check("to_db", to_db)\n', "", "is not checked in its own cell"),
        ("rsedu.checkpoint(", "print(", "has no rsedu.checkpoint"),
        ("    ### BEGIN SOLUTION\n", "", "without its partner"),
        ("### ", "# ", "no solution between markers"),
        ('"to_db"}', '"to_db", "role": "demonstration"}', "in the module and in no cell"),
    ],
)
def test_checks_metadata_and_checkpoints_have_to_fit(old: str, new: str, words: str) -> None:
    try:
        found = list(audit.of_exercises(_solution(SOURCE.replace(old, new)), {"to_db"}))
    except ValueError as error:
        found = [str(error)]
    assert any(words in line for line in found), found


def test_a_right_run_has_nothing_to_find() -> None:
    assert list(audit.of_outputs(_run(_figure(), SUMMARY))) == []


@pytest.mark.parametrize(
    ("notebook", "words"),
    [
        (_run(count=None), "was never run"),
        (
            _run({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}),
            "its output is an error",
        ),
        (_run(_said("UserWarning", "stderr")), "writes to stderr"),
        (_run(_figure()), "1 figures, 0 summaries"),
        (_run(_figure(), _figure(), SUMMARY), "2 figures, 1 summaries"),
        (_run(_figure(), _said("Figure: short\n")), "1 figures, 0 summaries"),
        (_run(_figure(), _said("A " + SUMMARY["text"])), "1 figures, 0 summaries"),
        (_run(_figure(81_000), SUMMARY), "a figure of 81 kB; 80 at most"),
        (_run(_said("x" * 1_600_000)), "kB; 1500 at most"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_bad_output_is_found(notebook: NotebookNode, words: str) -> None:
    (line,) = audit.of_outputs(notebook)
    assert words in line


def _made() -> tuple[NotebookNode, NotebookNode]:
    made = pair(SOURCE, stem="00_x", published=Address(), points={})
    return made.student, made.solution


def test_a_students_notebook_without_leaks_has_nothing_to_find() -> None:
    assert list(audit.of_student(*_made())) == []


def test_a_leaked_line_is_found_wherever_it_stands() -> None:
    for cell in (1, 2):
        student, solution = _made()
        student.cells[cell].source += "\nif True:\n        return 10 * power"
        (line,) = audit.of_student(student, solution)
        assert line == "a line of the solution leaked: return 10 * power"


def test_a_line_that_also_stands_outside_of_the_answer_is_no_leak() -> None:
    text = SOURCE + "\n# %%\ndef shown(power):\n    return 10 * power\n"
    made = pair(text, stem="00_x", published=Address(), points={})
    assert list(audit.of_student(made.student, made.solution)) == []


def test_outputs_and_markers_left_with_students_are_found() -> None:
    student, solution = _made()
    student.cells[2].outputs = [nbformat.from_dict(SUMMARY)]
    assert "holds outputs" in next(audit.of_student(student, solution))
    student, solution = _made()
    student.cells[2].execution_count = 3
    assert "holds outputs" in next(audit.of_student(student, solution))
    student, solution = _made()
    student.cells[2].source += "\n### END SOLUTION"
    assert "a marker" in next(audit.of_student(student, solution))


def test_drift_compares_everything_but_outputs() -> None:
    fresh = _solution()
    stored = copy.deepcopy(fresh)
    stored.cells[2].outputs, stored.cells[2].execution_count = [nbformat.from_dict(SUMMARY)], 4
    assert audit.of_drift(stored, copy.deepcopy(fresh)) == ""


@pytest.mark.parametrize("change", ["source", "id", "metadata", "cell_type", "cells", "kernel"])
def test_each_kind_of_drift_is_found(change: str) -> None:
    fresh = _solution()
    stored = copy.deepcopy(fresh)
    if change == "cells":
        del stored.cells[-1]
    elif change == "kernel":
        stored.metadata.kernelspec.name = "other"
    elif change == "metadata":
        stored.cells[2].metadata["tags"] = ["x"]
    else:
        stored.cells[0][change] = "raw"
    assert audit.of_drift(stored, fresh)
