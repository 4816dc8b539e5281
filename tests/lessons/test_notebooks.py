"""Every lesson under nbval: the solved one with its outputs compared, the students' as it ships.

Each notebook is one pytest of its own in a child process, so that its kernel's peak memory can be
taken, and xdist may hand notebooks to several workers. What was measured is written to artifacts/.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from authoring import audit, build
from authoring.execute import ENVIRONMENT
from rsedu.course.progress import ENV

REPOSITORY = Path(__file__).resolve().parents[2]
SANITIZE = Path(__file__).with_name("nbval_sanitize.cfg")
CELL_LIMIT_S = 120  # nbval's own default waits 2000 s for a dead kernel
# Of the lesson by its number: those from 02 on train models.
MAX_MEMORY_MB = {"00": 1500, "01": 1500}
MAX_TRAINING_MB = 2500
SOLUTIONS, STUDENTS = (
    sorted(REPOSITORY.glob(f"{folder}/[0-9][0-9]*_*.ipynb"))
    for folder in ("solutions", "notebooks")
)


def _peak_mb(process: subprocess.Popen[str]) -> float:
    """Largest resident memory of a process and all below it, sampled until it ends."""
    peak, watched = 0, psutil.Process(process.pid)
    pause = threading.Event()
    while process.poll() is None:
        try:
            family = [watched, *watched.children(recursive=True)]
            peak = max(peak, sum(each.memory_info().rss for each in family))
        except psutil.NoSuchProcess:
            pass
        pause.wait(0.1)
    return peak / 1e6


def _nbval(path: Path, mode: str, log: Path) -> tuple[int, dict[str, float]]:
    """Run one notebook; pytest's exit status, and what it took."""
    command = [sys.executable, "-m", "pytest", mode, "--nbval-current-env", "--rootdir", "."]
    command += ["--nbval-sanitize-with", str(SANITIZE), "-p", "no:cacheprovider", "-q"]
    command += [f"--nbval-cell-timeout={CELL_LIMIT_S}", "-c", os.devnull, str(path)]
    environment = {**os.environ, **ENVIRONMENT, ENV: str(Path.cwd() / ".rsedu")}
    environment.pop("PYTEST_ADDOPTS", None)
    begun = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        peak_mb = _peak_mb(process)
    took_s = time.perf_counter() - begun
    return process.returncode, {"seconds": round(took_s, 1), "peak_mb": round(peak_mb)}


def _record(name: str, figures: dict[str, float]) -> None:
    folder = REPOSITORY / "artifacts" / "lessons"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(figures) + "\n")


def _hold(path: Path, mode: str) -> None:
    log = Path("nbval.log")
    status, figures = _nbval(path, mode, log)
    _record(f"{path.parent.name}-{path.stem}", figures)
    assert status == 0, f"{path.name} under {mode}:\n{log.read_text()}"
    assert figures["peak_mb"] <= MAX_MEMORY_MB.get(path.name[:2], MAX_TRAINING_MB)


@pytest.mark.lesson
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_solution_gives_its_stored_outputs(path: Path) -> None:
    _hold(path, "--nbval")


@pytest.mark.lesson
@pytest.mark.parametrize("path", STUDENTS, ids=lambda path: path.stem)
def test_an_unfinished_notebook_runs_from_top_to_bottom(path: Path) -> None:
    _hold(path, "--nbval-lax")


@pytest.mark.lesson
def test_nbval_finds_a_changed_output(tmp_path: Path) -> None:
    text = SOLUTIONS[0].read_text()
    assert "201600 numbers" in text
    broken = tmp_path / "broken.ipynb"
    broken.write_text(text.replace("201600 numbers", "201601 numbers"))
    assert _nbval(broken, "--nbval", Path("nbval.log"))[0] == 1
    assert "201601" in Path("nbval.log").read_text()


def test_the_lessons_are_what_their_sources_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert build.build(check=True) == []


def test_there_are_lessons_and_each_has_both_notebooks() -> None:
    assert len(SOLUTIONS) >= 1
    assert [path.stem for path in SOLUTIONS] == [path.stem for path in STUDENTS]
    assert audit.MAX_NOTEBOOK_KB * 1000 > max(path.stat().st_size for path in SOLUTIONS)
