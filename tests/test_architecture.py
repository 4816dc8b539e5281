"""The house stands: layers, cycles, sizes, names, mirrored tests, what may be said where."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from importlinter import configuration
from importlinter.application.use_cases import lint_imports

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "rsedu"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = [path for path in SOURCES if path.name != "__init__.py"]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MIRRORED_LINES = 80  # a module of as many has a test file of its own
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "config", "misc"}
# Nothing below these prints; learners read what they say.
MAY_PRINT = {"cli.py", "course", "lessons", "plot", "widget"}
MAX_FILE_MB = 10
MAX_DATA_MB = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _lines_of(node: Function) -> int:
    """Lines of a function without its docstring and its decorators."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def test_the_contracts_in_pyproject_are_kept() -> None:
    configuration.configure()
    kept = lint_imports(str(REPOSITORY / "pyproject.toml"), cache_dir=None, no_logo=True)
    assert kept, "the captured output names the import that goes up or sideways"


#: Beside the layers: what nothing in a room may reach, however far down.
MAY_NOT_TOUCH = {
    "rsedu.training": ("rsedu.models", "rsedu.scenes"),
    "rsedu.models": ("rsedu.scenes",),
    "rsedu.evaluation": ("torch",),
}


@pytest.mark.parametrize(("room", "others"), MAY_NOT_TOUCH.items(), ids=list(MAY_NOT_TOUCH))
def test_a_room_does_not_touch_what_it_may_not(room: str, others: tuple[str, ...]) -> None:
    graph = grimp.build_graph("rsedu", include_external_packages=True, cache_dir=None)
    for other in others:
        assert not graph.find_shortest_chains(room, other)


def _has_tests(path: Path) -> bool:
    """Whether a module's tests are where one looks: a file of its own, one of its room if small.

    Exercises are tested by tests/course/test_exercise.py, against the oracles of their lesson.
    """
    tests = REPOSITORY / "tests" / path.relative_to(PACKAGE).parent
    own = tests / f"test_{path.name}"
    text = path.read_text(encoding="utf-8")
    if PACKAGE / "lessons" in path.parents and " = Exercise(" in text:
        return (tests / "oracles.py").is_file()
    small = len(text.splitlines()) < MIRRORED_LINES
    return own.is_file() or (small and any(tests.glob("test_*.py")))


def test_every_module_has_its_tests_in_the_same_room() -> None:
    assert not [_name(path) for path in MODULES if not _has_tests(path)]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_is_short_enough_to_be_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_function_is_short_enough_to_be_one_step(path: Path) -> None:
    long = {node.name: _lines_of(node) for node in _functions(path)}
    assert not {name: lines for name, lines in long.items() if lines > MAX_FUNCTION_LINES}


def test_the_ruler_counts_code_and_not_its_docstring() -> None:
    code = 'def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n    return a\n'
    function = ast.parse(code).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert _lines_of(function) == 3


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_name_says_what_is_inside(path: Path) -> None:
    assert not FORBIDDEN_NAMES & {part.removesuffix(".py") for part in path.parts}


def _calls_print(path: Path) -> list[int]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_the_library_returns_and_does_not_print(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] not in MAY_PRINT:
        assert not _calls_print(path)


def _attributes(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_the_device_module_names_accelerators(path: Path) -> None:
    accelerators = ("torch.cuda", "torch.backends.mps", "torch.mps")
    named = {name for name in _attributes(path) if name.startswith(accelerators)}
    assert not named or path.name == "device.py"


def test_the_picture_of_the_house_is_what_stands() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    picture = re.search(r"```text\n(rsedu/\n.*?)```", text, flags=re.DOTALL)
    assert picture is not None, "CONTRIBUTING.md has no picture that starts with rsedu/"
    drawn = set(re.findall(r"^ +(\w+/)", picture.group(1), flags=re.MULTILINE))
    # Of the lessons, which come and go, only their room is drawn.
    lessons = PACKAGE / "lessons"
    rooms = {path.parent for path in SOURCES if lessons not in path.parent.parents} - {PACKAGE}
    standing = {f"{room.name}/" for room in rooms}
    assert standing == drawn, f"draw {sorted(standing - drawn)}; gone: {sorted(drawn - standing)}"


def test_the_layers_name_every_module_once() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = re.findall(r"\w+", " ".join(layers))
    assert len(placed) == len(set(placed))
    top = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in SOURCES}
    assert top - {"__init__"} <= set(placed)


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z"], capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_the_repository_stays_small() -> None:
    sizes_mb = {path: path.stat().st_size / 1e6 for path in _tracked()}
    assert not [_name(path) for path, size_mb in sizes_mb.items() if size_mb > MAX_FILE_MB]
    data_mb = [size for path, size in sizes_mb.items() if _name(path).startswith("data/")]
    assert sum(data_mb) < MAX_DATA_MB
