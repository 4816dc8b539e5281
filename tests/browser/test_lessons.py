"""The lessons in a browser, as a learner has them: run, read, err, mend, come back."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from rsedu.course import registry

pytestmark = pytest.mark.browser

STUB = "raise NotImplementedError"
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer, the name of its misconception, and the right answer; both are typed."""

    wrong: str
    known: str
    right: str


# That each known wrong answer gets its message, tests/course says without a browser.
MISTAKES = {
    "to_db": Mistake(
        wrong="return np.log10(power)", known="bel", right="return 10 * np.log10(power)"
    ),
    "ndvi": Mistake(
        wrong="return (red - nir) / (red + nir)",
        known="bands swapped",
        right="difference = nir - red\n    return difference / (nir + red)",
    ),
    "iou": Mistake(
        wrong="return 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum())",
        known="Dice",
        right="return float((predicted & truth).sum() / (predicted | truth).sum())",
    ),
}
ERRING = {registry.exercise(name).lesson for name in MISTAKES}
LESSONS = [path for path in NOTEBOOKS if registry.number_of(path.stem) in ERRING]


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


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_mistake_is_diagnosed_mended_and_remembered(lab, notebook, repository):
    number = registry.number_of(notebook.stem)
    exercises = registry.exercises(number)
    lab.open(notebook)
    lab.run_cell(lab.holding("rsedu.setup(").index)
    for exercise in exercises:
        if exercise.id in MISTAKES:
            err(lab, exercise, MISTAKES[exercise.id])
        cell = answer(lab, exercise, solved=repository / "solutions" / notebook.name)
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


def err(lab, exercise, mistake: Mistake) -> None:
    """Type the wrong answer over the stub, and read the diagnosis."""
    index = lab.exercise(exercise.id).index
    lab.type_over(index, STUB, mistake.wrong)
    lab.press_run()
    lab.screenshot(f"mistake-{exercise.id}")
    text = lab.cells()[index].text
    (known,) = (one for one in exercise.misconceptions if one.name == mistake.known)
    assert text.startswith(f"wrong value: {exercise.title}")
    assert words(known.message) in words(text)
    assert f"wrong value {exercise.title}" in words(progress(lab))


def answer(lab, exercise, *, solved: Path):
    """Answer rightly: type over the mistake, or take the solved notebook's cell."""
    index = lab.exercise(exercise.id).index
    if exercise.id in MISTAKES:
        mistake = MISTAKES[exercise.id]
        lab.type_over(index, mistake.wrong, mistake.right)
        lab.press_run()
        return lab.cells()[index]
    cells = nbformat.read(solved, as_version=4).cells
    ids = {cell.metadata.get("rsedu", {}).get("id"): cell.source for cell in cells}
    lab.set_source(index, ids[exercise.id])
    return lab.run_cell(index)
