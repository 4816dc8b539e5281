"""Each lesson's source becomes two notebooks, and `--check` proves that it did."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from authoring import audit
from authoring.colab import Address, address
from authoring.execute import execute
from authoring.source import Pair, pair, read, text_of
from rsedu.course import registry
from rsedu.errors import InputError, MissingDataError
from rsedu.io.files import write_atomically

SOLUTIONS, NOTEBOOKS = "solutions", "notebooks"


def find_root() -> Path:
    """The nearest folder, from the working one upwards, that has `solutions/`.

    Raises:
        MissingDataError: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / SOLUTIONS).is_dir():
            return folder
    raise MissingDataError(f"{here} is in no checkout of rsedu: go to the folder of solutions/.")


def sources(lessons: Sequence[str | Path] = ()) -> list[Path]:
    """Sources of lessons, all where none is named.

    Args:
        lessons: numbers such as "01" or "08b", stems, or paths of a source or a notebook.

    Raises:
        MissingDataError: a named lesson has no source.
    """
    found = sorted((find_root() / SOLUTIONS).glob("[0-9][0-9]*_*.py"))
    if not lessons:
        return found
    known = {path.stem: path for path in found} | {
        registry.number_of(path.stem): path for path in found
    }
    for lesson in lessons:
        if Path(lesson).stem not in known:
            stems = ", ".join(path.stem for path in found)
            raise MissingDataError(f"No lesson {lesson} has a source: wanted one of {stems}.")
    return [known[Path(lesson).stem] for lesson in lessons]


def _points(stem: str) -> dict[str, int]:
    """Points of each exercise of the lesson that a file is named after."""
    lesson = registry.lesson(registry.number_of(stem))
    if lesson.stem != stem:
        raise InputError(f"{stem}.py: lesson {lesson.number} is called {lesson.stem}: rename one.")
    return {exercise.id: exercise.points for exercise in registry.exercises(lesson.number)}


def _prepare(source: Path, published: Address) -> tuple[Pair, list[str]]:
    """Both notebooks without outputs, and what is wrong already."""
    points = _points(source.stem)
    text = source.read_text(encoding="utf-8")
    made = pair(text, stem=source.stem, published=published, points=points)
    problems = [
        *audit.of_prose(made.solution),
        *audit.of_exercises(made.solution, set(points)),
        *audit.of_student(made.student, made.solution),
    ]
    return made, [f"{source.stem}: {line}" for line in problems]


def _targets(source: Path) -> tuple[Path, Path]:
    """Paths of the solution and of the students' notebook."""
    return source.with_suffix(".ipynb"), source.parent.parent / NOTEBOOKS / f"{source.stem}.ipynb"


def _fail(problems: Iterable[str]) -> None:
    lines = list(problems)
    if lines:
        raise InputError("\n".join([f"{len(lines)} to mend in the lessons:", *lines]))


def _write(path: Path, *, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _name(path: Path) -> str:
    """How messages call a notebook."""
    return f"{path.parent.name}/{path.name}"


def _make(source: Path, published: Address) -> list[str]:
    """Write one lesson's notebooks; nothing is written where something is wrong."""
    made, problems = _prepare(source, published)
    _fail(problems)
    solution = execute(made.solution)
    _fail(f"{source.stem}: {line}" for line in audit.of_outputs(solution))
    targets = _targets(source)
    for notebook, target in zip((solution, made.student), targets, strict=True):
        write_atomically(target, partial(_write, text=text_of(notebook)))
    return [f"wrote {_name(target)}" for target in targets]


def _check(source: Path, published: Address) -> Iterator[str]:
    """What is wrong with one lesson as it lies there."""
    try:
        made, problems = _prepare(source, published)
    except InputError as error:
        yield f"{source.stem}: {error}"
        return
    yield from problems
    for fresh, target in zip((made.solution, made.student), _targets(source), strict=True):
        if not target.is_file():
            yield f"{_name(target)} is missing: python -m authoring build {source.stem}"
            continue
        stored = read(target)
        drift = audit.of_drift(stored, fresh)
        if drift:
            yield f"{_name(target)}: {drift}: python -m authoring build {source.stem}"
        links = audit.of_links(fresh, target.parent, sources=source.parent)
        own = (
            audit.of_outputs(stored)
            if fresh is made.solution
            else audit.of_student(stored, made.solution)
        )
        yield from (f"{_name(target)}: {line}" for line in (*links, *own))


def _orphans(root: Path) -> Iterator[str]:
    """Notebooks that no source gives."""
    known = {path.stem for path in (root / SOLUTIONS).glob("*.py")}
    for folder in (SOLUTIONS, NOTEBOOKS):
        for path in sorted((root / folder).glob("*.ipynb")):
            if path.stem not in known:
                yield f"{_name(path)} is an orphan: write its source, or remove it"


def build(lessons: Sequence[str | Path] = (), *, check: bool = False) -> list[str]:
    """Write the notebooks of lessons, or check that they are what their sources say.

    Args:
        lessons: numbers such as "01", stems such as "01_sentinels", or paths; all if empty.
        check: whether only to look. Compared is everything but the outputs, which nbval compares.

    Returns:
        Lines to print: the notebooks that were written or, with `check`, what is to be mended.

    Raises:
        InputError: without `check`: what is to be mended, a line for each thing.
        MissingDataError: a lesson has no source, or this is no checkout.
    """
    published = address(find_root())
    found = sources(lessons)
    if not check:
        return [line for source in found for line in _make(source, published)]
    problems = [line for source in found for line in _check(source, published)]
    return [*problems, *(() if lessons else _orphans(find_root()))]
