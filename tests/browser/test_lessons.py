"""The lessons in a browser, as a learner has them: run, read, err, mend, come back."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from rsedu.lessons import registry

pytestmark = pytest.mark.browser

STUB = "raise NotImplementedError"
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer, the name of its misconception, and the right one if it is to be typed too.

    Where `right` is empty the answer comes from the solved notebook.
    """

    wrong: str
    known: str
    right: str = ""


MISTAKES = {
    "00": {
        "to_db": Mistake(
            wrong="return np.log10(power)", known="bel", right="return 10 * np.log10(power)"
        ),
    },
    "01": {
        "reflectance": Mistake(
            wrong="return np.where(dn == 0, np.nan, dn / 10_000)", known="offset forgotten"
        ),
        "ndvi": Mistake(
            wrong="return (red - nir) / (red + nir)",
            known="bands swapped",
            right="difference = nir - red\n    return difference / (nir + red)",
        ),
        "equivalent_looks": Mistake(
            wrong="return power.mean() / power.std()", known="standard deviation"
        ),
        "multilook": Mistake(wrong="return power[::n, ::n]", known="picked, not averaged"),
        "pixel_of": Mistake(
            wrong="return int((x - transform.c) // transform.a), "
            "int((y - transform.f) // transform.e)",
            known="row and column swapped",
        ),
        "hectares": Mistake(wrong="return mask.sum() * gsd_m / 10_000", known="side, not area"),
    },
}


def words(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_unfinished_notebook_runs_and_reads_well(lab, notebook):
    lab.open(notebook)
    cells = lab.run_all()
    lab.photograph(notebook.stem)

    for cell in cells:
        assert all(min(each.width, each.height, each.shown) > 50 for each in cell.images), cell
        summaries = re.findall(r"^Figure: (.+)$", cell.text, flags=re.MULTILINE)
        assert cell.alts == summaries, f"cell {cell.index} has pictures without a sentence"
        assert len(cell.images) == len(cell.alts)
        assert cell.kind == "code" or "$" not in cell.text, f"a formula is raw:\n{cell.text}"
    levels = [level for cell in cells for level, _ in cell.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = [after - before for before, after in pairwise(levels)]
    assert max(steps) <= 1, "a heading skips a level"

    assert lab.hosts == {"127.0.0.1"}
    assert lab.console == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_mistake_is_diagnosed_mended_and_remembered(lab, notebook, repository):
    number = notebook.stem[:2]
    exercises = registry.exercises(number)
    lab.open(notebook)
    lab.run_cell(lab.holding("rsedu.setup(").index)
    for exercise in exercises:
        mistake = MISTAKES[number][exercise.id]
        cell = answer_wrongly(lab, exercise.id, mistake)
        (known,) = (each for each in exercise.misconceptions if each.name == mistake.known)
        assert cell.text.startswith(f"wrong value: {exercise.title}")
        assert words(known.message) in words(cell.text)
        if mistake.right:
            assert f"wrong value {exercise.title}" in words(progress(lab))

        cell = mend(lab, exercise.id, mistake, solved=repository / "solutions" / notebook.name)
        assert cell.text.startswith(f"passed: {exercise.title}")
        assert f"passed {exercise.title}" in words(progress(lab))

    lab.restart_kernel()
    lab.run_cell(lab.holding("rsedu.setup(").index)
    count = len(exercises)
    assert f"{count} of {count} exercises passed" in progress(lab)
    lab.screenshot(f"{notebook.stem}-progress")


def progress(lab) -> str:
    """What the lesson's last code cell sums up."""
    return lab.run_cell(lab.holding("rsedu.progress(").index).text


def answer_wrongly(lab, exercise: str, mistake: Mistake):
    """Put the wrong answer in the stub's place, with the keyboard where `right` is typed too."""
    index = lab.exercise(exercise).index
    if not mistake.right:
        lab.replace(index, STUB, mistake.wrong)
        return lab.run_cell(index)
    lab.type_over(index, STUB, mistake.wrong)
    lab.press_run()
    lab.screenshot(f"mistake-{exercise}")
    return lab.cells()[index]


def mend(lab, exercise: str, mistake: Mistake, *, solved: Path):
    """Answer rightly, with the keyboard or with the solved notebook's cell."""
    index = lab.exercise(exercise).index
    if mistake.right:
        lab.type_over(index, mistake.wrong, mistake.right)
        lab.press_run()
        return lab.cells()[index]
    cells = nbformat.read(solved, as_version=4).cells
    ids = {cell.metadata.get("rsedu", {}).get("id"): cell.source for cell in cells}
    lab.set_source(index, ids[exercise])
    return lab.run_cell(index)
