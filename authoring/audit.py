"""What is wrong with a lesson: each finding is one line that says where and what to do."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from authoring.source import BEGIN, END, blocks, checked, exercise_id, outside, text_of

MAX_IMAGE_KB = 80
MAX_NOTEBOOK_KB = 1500
_HEADING = re.compile(r"^(#{1,6}) ", flags=re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_NO_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=[\"'][^\"']+[\"'])[^>]*>")
_ELSEWHERE = re.compile(r"^(\w+:|#)")
_CHECKPOINT = re.compile(r"rsedu\.checkpoint\(\s*[\"'](\w+)[\"']")


def _prose(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Id and text of each markdown cell, code in it left out."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield cell.id, _FENCED.sub("", cell.source)


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def of_prose(notebook: NotebookNode) -> Iterator[str]:
    """Headings that skip a level, images without alternative text."""
    level = 0
    for name, text in _prose(notebook):
        for mark in _HEADING.findall(text):
            if len(mark) > level + 1:
                yield f"{name}: a heading of level {len(mark)} follows one of {level}: skip none"
            level = len(mark)
        if _NO_ALT.search(text):
            yield f"{name}: an image has no alternative text: write ![what is to be seen](...)"


def of_links(notebook: NotebookNode, folder: Path, *, sources: Path) -> Iterator[str]:
    """Links to files that are not there.

    Args:
        notebook: whose prose is read.
        folder: where the notebook lies, or will lie.
        sources: folder of the lessons' sources; a notebook with a source counts as there.
    """
    for name, text in _prose(notebook):
        for target in _LINK.findall(text):
            if _ELSEWHERE.match(target):
                continue
            path = folder / target.split("#")[0]
            planned = path.suffix == ".ipynb" and (sources / f"{path.stem}.py").is_file()
            if not path.exists() and not planned:
                yield f"{name}: links to {target}, which is not there"


def of_exercises(notebook: NotebookNode, known: set[str]) -> Iterator[str]:
    """Checks, metadata and checkpoints that do not fit each other.

    Args:
        notebook: the solution, executed or not.
        known: ids of the lesson's exercises.
    """
    code = _code(notebook)
    handed_on = {id_ for cell in code for id_ in _CHECKPOINT.findall(cell.source)}
    for cell in code:
        called, named = checked(cell), cell.metadata.get("rsedu", {}).get("id")
        for id_ in {*called, *filter(None, [named])} - known:
            yield f"{cell.id}: exercise {id_!r} is not among those of this lesson's module"
        if called and named not in called:
            yield f'{cell.id}: checks {called[0]!r} without metadata rsedu={{"id": "{called[0]}"}}'
        if exercise_id(cell) and not called:
            yield f"{cell.id}: exercise {named!r} is not checked in its own cell"
        if exercise_id(cell) and named not in handed_on:
            yield f"{cell.id}: {named!r} has no rsedu.checkpoint: an unfinished lesson would stop"
        if exercise_id(cell) and not list(blocks(cell.source)):
            yield f"{cell.id}: exercise {named!r} has no solution between markers"
    used = {exercise_id(cell) for cell in code}
    yield from (f"exercise {id_!r} is in the module and in no cell" for id_ in sorted(known - used))


def of_outputs(notebook: NotebookNode) -> Iterator[str]:
    """What nbval could not compare, and what a reader without images would miss."""
    for cell in _code(notebook):
        if cell.execution_count is None:
            yield f"{cell.id}: was never run: build the lesson"
        kinds = [output.output_type for output in cell.outputs]
        if "error" in kinds:
            yield f"{cell.id}: its output is an error"
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{cell.id}: writes to stderr (a warning?), which differs between machines"
        yield from _of_figures(cell)
    size_kb = len(text_of(notebook).encode()) / 1000
    if size_kb > MAX_NOTEBOOK_KB:
        yield f"the notebook has {size_kb:.0f} kB; {MAX_NOTEBOOK_KB} at most"


def _of_figures(cell: NotebookNode) -> Iterator[str]:
    images = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
    printed = "".join(o.text for o in cell.outputs if o.get("name") == "stdout").splitlines()
    said = sum(line.startswith("Figure: ") and len(line) > 20 for line in printed)
    if said < len(images):
        yield f"{cell.id}: {len(images)} figures, {said} summaries: end with plot.show(...)"
    for image in images:
        size_kb = len(base64.b64decode(image)) / 1000
        if size_kb > MAX_IMAGE_KB:
            yield f"{cell.id}: a figure of {size_kb:.0f} kB; {MAX_IMAGE_KB} at most"


def of_student(student: NotebookNode, solution: NotebookNode) -> Iterator[str]:
    """Outputs, markers and lines of the solution in what learners get."""
    answers: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    for cell in _code(solution):
        answers.update(line.strip() for block in blocks(cell.source) for line in block)
        shown.update(line.strip() for line in outside(cell.source))
    for cell in _code(student):
        if cell.outputs or cell.execution_count is not None:
            yield f"{cell.id}: holds outputs, which are the learner's to make: clear them"
        lines = Counter(line.strip() for line in cell.source.splitlines())
        if lines[BEGIN] or lines[END]:
            yield f"{cell.id}: a marker of the solution is left"
        shown.subtract(lines)
    # More often there than outside of the answers: so it came from an answer.
    for line in answers:
        if line and shown[line] < 0:
            yield f"a line of the solution leaked: {line}"


def of_drift(stored: NotebookNode, fresh: NotebookNode) -> str:
    """Name the first cell in which a stored notebook differs from its source; empty for none."""
    for notebook in (stored, fresh):
        notebook.metadata.pop("widgets", None)
    for one, other in zip(stored.cells, fresh.cells, strict=False):
        parts = ("id", "cell_type", "source", "metadata")
        if any(one.get(part) != other.get(part) for part in parts):
            return f"cell {other.id} is not what the source says"
    if len(stored.cells) != len(fresh.cells):
        return f"has {len(stored.cells)} cells; the source gives {len(fresh.cells)}"
    same = stored.metadata == fresh.metadata and stored.nbformat == fresh.nbformat
    return "" if same else "its notebook metadata is not what the builder writes"
