"""A new lesson in a copy of the checkout: it builds, passes, and overwrites nothing."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authoring.new_lesson import new_lesson
from rsedu.course import registry
from rsedu.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]
NEXT = f"{len(registry.lessons()):02d}"
QUESTION = "What does a cloud hide?"
_BLOCK = re.compile(
    r"```bash\n(?P<lines>.*?)```"
    r'|<!-- paste: (?P<path>\S+) (?P<where>above|below) "(?P<anchor>.*?)" -->\n'
    r"```python\n(?P<block>.*?)```",
    flags=re.DOTALL,
)

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "not the next": ({"number": "99"}, f"not the next lesson: that is {NEXT}"),
    "one digit": ({"number": "9"}, "not the next lesson"),
    "a number that is taken": ({"number": "01"}, "not the next lesson"),
    "a name that is taken": ({"name": "sentinels"}, "taken by another lesson"),
    "capitals": ({"name": "Clouds"}, "names no lesson: small letters"),
    "a keyword": ({"name": "class"}, "names no lesson"),
    "a path": ({"name": "../clouds"}, "names no lesson"),
    "no question mark": ({"question": "A statement."}, "question mark at its end"),
    "quotes": ({"question": 'What is "hidden"?'}, "without quotes"),
    "61 letters": ({"question": "a" * 60 + "?"}, "61 letters: 60 at most"),
    "no minutes": ({"minutes": 0}, "a minute or more"),
}


def _new(**changes: Any) -> list[str]:
    asked: dict[str, Any] = {"number": NEXT, "name": "clouds", "question": QUESTION}
    return new_lesson(**(asked | changes))


def _files() -> set[str]:
    return {path.as_posix() for path in Path().rglob("*") if path.is_file()}


def test_five_files_are_written_and_every_word_is_filled_in() -> None:
    Path("solutions").mkdir()
    lines = _new(question="a" * 59 + "?", minutes=1)
    written = [line.removeprefix("wrote ") for line in lines if line.startswith("wrote ")]
    assert _files() == set(written)
    assert set(written) == {
        f"solutions/{NEXT}_clouds.py",
        "rsedu/lessons/clouds/__init__.py",
        "rsedu/lessons/clouds/exercises.py",
        "tests/lessons/clouds/oracles.py",
        "tests/lessons/clouds/test_exercises.py",
    }
    texts = [Path(path).read_text() for path in written]
    assert not any("{{" in text for text in texts)
    assert max(len(line) for text in texts for line in text.splitlines()) <= 100
    assert f"python -m authoring build {NEXT}" in lines[-1]


@pytest.mark.parametrize(("changes", "pattern"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_and_nothing_written(
    changes: dict[str, Any], pattern: str
) -> None:
    Path("solutions").mkdir()
    with pytest.raises(InputError, match=pattern):
        _new(**changes)
    assert _files() == set()


def test_a_file_that_is_there_is_never_overwritten() -> None:
    Path("solutions").mkdir()
    mine = Path("rsedu/lessons/clouds/exercises.py")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"clouds/exercises\.py is there already"):
        _new()
    assert _files() == {mine.as_posix()} and mine.read_text() == "mine"


def _run(line: str) -> str:
    """Run a line of the guide on the copy: its package comes before the one that is installed."""
    name, *arguments = shlex.split(line)
    start = () if name == "python" else ("-m", name)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "RUFF_NO_CACHE": "true"}
    command = [sys.executable, *start, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def _paste(path: Path, where: str, anchor: str, block: str) -> None:
    text = path.read_text()
    anchor = anchor.encode().decode("unicode_escape")
    assert text.count(anchor) == 1, f"{path} has {anchor!r} {text.count(anchor)} times"
    start, line, rest = text.partition(anchor)
    pieces = (
        (start, block, line, rest) if where == "above" else (start, line, "\n" + block, rest[1:])
    )
    path.write_text("".join(pieces))


@pytest.mark.lesson
def test_the_guide_works_to_the_letter() -> None:
    """Each block of docs/authoring.md is run or pasted where the guide says, in a copy."""
    ignored = shutil.ignore_patterns("__pycache__", "*.ipynb", ".*")
    for name in ("rsedu", "authoring", "tests", "solutions", "data"):
        shutil.copytree(REPOSITORY / name, name, ignore=ignored)
    shutil.copy(REPOSITORY / "pyproject.toml", "pyproject.toml")
    guide = (REPOSITORY / "docs" / "authoring.md").read_text().replace("09", NEXT)
    output = ""
    for found in _BLOCK.finditer(guide):
        if found["lines"]:
            output = "".join(_run(line) for line in found["lines"].splitlines())
        else:
            anchor = found["anchor"].replace('\\"', '"')
            _paste(Path(found["path"]), found["where"], anchor, found["block"])
    promised = re.search(r"(\d+) of them pass", guide)
    assert promised is not None and f"{promised[1]} passed" in output
    _run("pytest -q tests/lessons/clouds")
    _run("ruff check .")
