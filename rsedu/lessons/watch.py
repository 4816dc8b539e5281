"""`rsedu build --watch`: save a source or its exercises, and the lesson is built again.

Files are looked at by their times of change, which needs no library and works on network drives
too. Each build is a process of its own: it imports the exercises as they are now, and whatever goes
wrong in it is text to print.
"""

import ast
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rsedu.lessons import build, registry

PAUSE_S = 0.5
# Every exercise is declared with it: a change of it is no change of one lesson.
_SHARED = {"exercise"}
_BUILD = "import sys; from rsedu.cli import main; main(['build', *sys.argv[1:]])"


def watched(source: Path) -> list[Path]:
    """Files whose change asks for a lesson to be built again.

    Args:
        source: of the lesson.

    Returns:
        The source, the module of its exercises, and the modules beside that which both import.
    """
    home = Path(registry.__file__).parent
    exercises = home / f"{source.stem.partition('_')[2]}.py"
    names = {name for path in (source, exercises) for name in _imported(path)} - _SHARED
    beside = sorted(home / f"{name}.py" for name in names)
    return [source, exercises, *(path for path in beside if path.is_file() and path != exercises)]


def _imported(path: Path) -> set[str]:
    """Names that a file imports from `rsedu.lessons`; none while it is broken or gone."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "rsedu.lessons":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package, _, name = node.module.rpartition(".")
            names |= {name} if package == "rsedu.lessons" else set()
    return names


def _times(sources: Sequence[Path]) -> dict[Path, dict[Path, int]]:
    """When each lesson's files were changed last; one that an editor is replacing is left out."""
    found: dict[Path, dict[Path, int]] = {}
    for source in sources:
        found[source] = {}
        for path in watched(source):
            try:
                found[source][path] = path.stat().st_mtime_ns
            except OSError:
                continue
    return found


def _build(source: Path) -> str:
    """Build one lesson in a process of its own; what it has to say, good or bad."""
    command = [sys.executable, "-c", _BUILD, source.stem]
    done = subprocess.run(command, cwd=source.parents[1], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def watch(
    lessons: Sequence[str | Path] = (), *, pause: Callable[[float], object] = time.sleep
) -> Iterator[str]:
    """Build lessons whenever they are saved, for ever.

    Args:
        lessons: as in `build`; all if empty. Sources that are added later are not noticed.
        pause: waits for a number of seconds between two looks.

    Yields:
        Lines to print: what is being built, and what came of it. An error in a lesson is such a
        line too, and watching goes on.

    Raises:
        MissingDataError: a lesson has no source, or this is no checkout.
    """
    sources = build.sources(lessons)
    yield f"Watching {', '.join(source.stem for source in sources)}: Ctrl-C ends it."
    before = _times(sources)
    while True:
        pause(PAUSE_S)
        # Taken before the build, so that what is saved meanwhile is seen at the next look.
        now = _times(sources)
        for source in sources:
            changed = [
                path for path in now[source] if now[source][path] != before[source].get(path)
            ]
            if changed:
                yield f"{', '.join(path.name for path in changed)} changed: building {source.stem}"
                yield _build(source)
        before = {source: before[source] | now[source] for source in sources}
