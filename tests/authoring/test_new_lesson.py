"""A scaffolded lesson in a copy of the checkout: it builds, passes, and overwrites nothing."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.new_lesson import MISTAKES, PICTURE, README, REGISTRY, new_lesson
from rsedu.course.registry import LESSONS
from rsedu.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]
LISTS = (REGISTRY, MISTAKES, PICTURE, README)
NEXT = f"{len(LESSONS):02d}"
QUESTION = "What does a cloud hide?"
_BLOCK = re.compile(
    r"```bash\n(?P<lines>.*?)```"
    r'|<!-- paste: (?P<path>\S+) (?P<where>above|below) "(?P<anchor>.*?)" -->\n'
    r"```python\n(?P<block>.*?)```",
    flags=re.DOTALL,
)


@pytest.fixture
def checkout() -> Path:
    """The files that list lessons, in a tree of their own; the working folder is its root."""
    for name in LISTS:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, name)
    Path("solutions").mkdir()
    return Path.cwd()


def _plan(line: str) -> None:
    """Put a planned lesson in place of whatever the registry and the README end with."""
    for name, last, row in (
        (REGISTRY, f'    Lesson("{LESSONS[-1].number}"', f"    {line},\n"),
        (README, f"| {LESSONS[-1].number} |", f"| {NEXT} | To come: what? | planned | |\n"),
    ):
        lines = Path(name).read_text().splitlines(keepends=True)
        (at,) = (index for index, each in enumerate(lines) if each.startswith(last))
        lines.insert(at + 1, row)
        Path(name).write_text("".join(lines))


def _tree() -> dict[str, bytes]:
    files = (path for path in Path().rglob("*") if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in files}


def test_every_list_has_the_lesson_once_and_nothing_else_changed(checkout: Path) -> None:
    before = {name: Path(name).read_text().splitlines() for name in LISTS}
    lines = new_lesson(NEXT, "clouds", question=QUESTION, minutes=30)
    assert lines[:3] == [
        f"wrote solutions/{NEXT}_clouds.py",
        "wrote rsedu/lessons/clouds.py",
        "wrote tests/lessons/test_clouds.py",
    ]
    assert lines[-1].startswith(f"next: python -m authoring build {NEXT}")
    added = {
        name: [line for line in Path(name).read_text().splitlines() if line not in before[name]]
        for name in LISTS
    }
    assert added[REGISTRY] == [f'    Lesson("{NEXT}", "clouds", "{QUESTION}", 30),']
    assert added[PICTURE] == [f"    clouds.py                         exercises of lesson {NEXT}"]
    link = f"[Clouds](notebooks/{NEXT}_clouds.ipynb): what does a cloud hide?"
    assert added[README] == [f"| {NEXT} | {link} | 30 | three things to be able to do |"]
    assert [line.strip() for line in added[MISTAKES]] == [
        f'"{NEXT}": {{',
        f'"clear_mean_{NEXT}": Mistake(wrong="return values.mean()", known="clouds counted"),',
    ]
    assert "{{" not in Path(f"solutions/{NEXT}_clouds.py").read_text()


def test_a_planned_lesson_takes_its_own_line(checkout: Path) -> None:
    _plan(f'Lesson("{NEXT}", "to_come", "What?")')
    new_lesson(NEXT, "to_come")
    assert f'    Lesson("{NEXT}", "to_come", "What?", 45),\n' in Path(REGISTRY).read_text()
    assert Path(REGISTRY).read_text().count(f'"{NEXT}"') == 1
    rows = [line for line in Path(README).read_text().splitlines() if line.startswith(f"| {NEXT} ")]
    assert len(rows) == 1 and f"notebooks/{NEXT}_to_come.ipynb" in rows[0]
    with pytest.raises(InputError, match="is to_come and written"):
        new_lesson(NEXT, "to_come")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("99", "clouds", QUESTION), f"not the next lesson: that is {NEXT}"),
        (("9", "clouds", QUESTION), "not the next lesson"),
        (("01", "sentinels", QUESTION), "Lesson 01 is sentinels and written"),
        ((NEXT, "Clouds", QUESTION), "names no lesson: small letters"),
        ((NEXT, "class", QUESTION), "names no lesson"),
        ((NEXT, "../clouds", QUESTION), "names no lesson"),
        ((NEXT, "clouds", "A statement."), "question mark at its end"),
        ((NEXT, "clouds", 'What is "hidden"?'), "without quotes"),
        ((NEXT, "clouds", None), "give --question"),
        ((NEXT, "clouds", "a" * 80 + "?"), "letters too long"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_and_nothing_written(
    checkout: Path, asked: tuple[str, str, str | None], said: str
) -> None:
    before = _tree()
    with pytest.raises(InputError, match=said):
        new_lesson(asked[0], asked[1], question=asked[2])
    assert _tree() == before


@pytest.mark.parametrize("minutes", [0, -3])
def test_a_lesson_takes_time(checkout: Path, minutes: int) -> None:
    with pytest.raises(InputError, match="a minute or more"):
        new_lesson(NEXT, "clouds", question=QUESTION, minutes=minutes)


def test_a_module_of_the_kit_is_never_overwritten(checkout: Path) -> None:
    Path("rsedu/lessons/clouds.py").write_text("mine")
    before = _tree()
    with pytest.raises(InputError, match=r"rsedu/lessons/clouds\.py is there already"):
        new_lesson(NEXT, "clouds", question=QUESTION)
    assert _tree() == before


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_gone_or_emptied_is_named(checkout: Path, name: str) -> None:
    Path(name).write_text("nothing of it is left\n")
    before = _tree()
    with pytest.raises(InputError, match=f"{name} has no"):
        new_lesson(NEXT, "clouds", question=QUESTION)
    Path(name).unlink()
    with pytest.raises(InputError, match=f"{name} is not there"):
        new_lesson(NEXT, "clouds", question=QUESTION)
    before.pop(name)
    assert _tree() == before


def _run(line: str) -> str:
    """Run a line of the guide on the copy: its package comes before the one that is installed."""
    name, *arguments = shlex.split(line)
    kit = ("-c", "from rsedu.cli import main; main()")
    start = kit if name == "rsedu" else ("-m", name)
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
    for name in ("rsedu", "tests", "solutions", "data"):
        shutil.copytree(REPOSITORY / name, name, ignore=ignored)
    for name in (PICTURE, README, "pyproject.toml"):
        shutil.copy(REPOSITORY / name, name)
    guide = (REPOSITORY / "docs" / "authoring.md").read_text().replace("09", NEXT)
    said = ""
    for found in _BLOCK.finditer(guide):
        if found["lines"]:
            said = "".join(_run(line) for line in found["lines"].splitlines())
        else:
            anchor = found["anchor"].replace('\\"', '"')
            _paste(Path(found["path"]), found["where"], anchor, found["block"])
    promised = re.search(r"(\d+) of them pass", guide)
    assert promised is not None and f"{promised[1]} passed" in said
    _run("ruff check .")
    assert Path("tests/lessons/test_clouds.py").is_file(), "the house wants a mirrored test"
