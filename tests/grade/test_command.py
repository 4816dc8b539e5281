"""`rsedu grade` from end to end: the same bytes, killed or not, and the table of wrong answers."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rsedu.cli import main
from rsedu.course import registry
from rsedu.grade import command as commands
from rsedu.grade.reports.pages import slug
from rsedu.grade.sandbox import bubblewrap
from tests.grade.conftest import REPOSITORY, answered
from tests.grade.reports.test_tables import result as made

KEY = REPOSITORY / "solutions"
TABLE = Path(__file__).with_name("wrong_answers.csv")
REPORTS = ("grades.csv", "exercises.csv")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["grade", *map(str, arguments), "--key", str(KEY)])


def _wrong(number: int) -> bytes:
    """Lesson 01 with the wrong answer of this number in each exercise that has so many."""
    sources = {
        exercise.id: "from rsedu.course import registry\n\n"
        f"{exercise.id} = registry.exercise('{exercise.id}').misconceptions[{number}].wrong\n"
        for exercise in registry.exercises("01")
        if number < len(exercise.misconceptions)
    }
    return answered(**sources)


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight students who make every known mistake of lesson 01, and a file that is no notebook."""
    folder = tmp_path_factory.mktemp("class")
    count = max(len(each.misconceptions) for each in registry.exercises("01"))
    for number in range(count):
        (folder / f"student-{number}.ipynb").write_bytes(_wrong(number))
    (folder / "broken.ipynb").write_bytes(b"{")
    return folder


@pytest.fixture(scope="module")
def report(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    result = run(submissions, "--out", out, "--workers", "2")
    assert result.exit_code == 0, result.output
    last = f"8 of 9 submissions graded. Open {out / 'index.html'}."
    assert result.stdout.splitlines()[0] == last
    assert result.stdout.splitlines()[1].startswith("  not graded: broken.ipynb: It is no notebook")
    assert result.stderr == (f"{bubblewrap.missing()}\n" if bubblewrap.missing() else "")
    return out


def test_every_wrong_answer_is_graded_as_in_the_table(report: Path) -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        _, *wanted = list(csv.reader(file))
    text = (report / "exercises.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["state"] != "passed"]
    found = [
        [row["exercise"], row["diagnosis"], row["state"], row["right"], row["earned"]]
        for row in rows
    ]
    assert sorted(found) == sorted(
        [id_, name, state, right, earned] for id_, name, state, _, right, earned in wanted
    )


def test_all_reports_are_there(report: Path) -> None:
    assert {path.name for path in report.iterdir()} == {
        "results",
        "students",
        "index.html",
        "report.json",
        *REPORTS,
    }
    names = {slug(f"student-{number}") for number in range(8)} | {slug("broken")}
    assert {path.name for path in (report / "students").iterdir()} == names
    found = json.loads((report / "report.json").read_text(encoding="utf-8"))
    assert len(found["results"]) == 9 and found["spent_s"] > 0
    assert "no proof of who solved what" in (report / "index.html").read_text(encoding="utf-8")


def test_a_killed_run_goes_on_and_gives_the_same_bytes(
    submissions: Path, report: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["grade", str(submissions), "--out", str(out), "--key", str(KEY), "--workers", "1"]
    command = [sys.executable, "-c", "from rsedu.cli import main; main()", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(out.glob("results/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("results/*.json")}
    assert 3 <= len(kept) < 9
    assert run(submissions, "--out", out, "--workers", "2").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for name in REPORTS:
        assert (out / name).read_bytes() == (report / name).read_bytes()


def test_limits_alone_give_the_same_bytes_and_say_what_they_are(
    submissions: Path, report: Path, tmp_path: Path
) -> None:
    if bubblewrap.missing():
        pytest.skip(f"the report was made so already: {bubblewrap.missing()}")
    result = run(submissions, "--out", tmp_path, "--isolation", "limits")
    assert result.exit_code == 0
    assert result.stderr.startswith("No namespaces, as asked for. Submissions run under limits")
    assert "which are no sandbox" in result.stderr
    for name in REPORTS:
        assert (tmp_path / name).read_bytes() == (report / name).read_bytes()


def test_the_options_reach_the_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ana.ipynb").write_bytes(answered(ndvi="def ndvi(red, nir):\n    return nir - red\n"))
    seen = []
    monkeypatch.setattr(
        commands.batch,
        "grade_all",
        lambda makers, pool, folder, workers, fresh: (
            seen.append((makers[0](), workers, fresh)) or []
        ),
    )
    options = ("--kind-share", "0", "--answer-s", "2", "--wall-s", "9", "--memory-mb", "900")
    result = run(folder, "--out", tmp_path / "out", "--workers", "5", "--fresh", *options)
    assert result.exit_code == 0, result.output
    ((job, workers, fresh),) = seen
    assert (workers, fresh, job.share) == (5, True, 0)
    assert (job.limits.answer_s, job.limits.wall_s, job.limits.memory_mb) == (2, 9, 900)
    assert job.hidden == (folder, KEY, tmp_path / "out")


def test_pages_of_students_who_are_gone_are_taken_away(tmp_path: Path) -> None:
    def write(*students: str) -> set[str]:
        found = [made(each, problem="broken", lesson="") for each in students]
        commands.report(tmp_path, found, (), isolation="None.", spent_s=1.0)
        return {path.name for path in (tmp_path / "students").iterdir()}

    assert write("ana", "ben") == {slug("ana"), slug("ben")}
    (tmp_path / "students" / "notes.html").touch()
    assert write("ana", "cai") == {slug("ana"), slug("cai"), "notes.html"}


def test_files_that_are_no_notebooks_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ana.ipynb").write_bytes(answered())
    (folder / "all.zip").touch()
    monkeypatch.setattr(commands.batch, "grade_all", lambda *arguments, **options: [])
    result = run(folder, "--out", tmp_path / "out")
    assert result.stdout.splitlines()[1] == "  not looked at, no notebooks: all.zip"
    for number in range(25):
        (folder / f"b{number:02}.py").touch()
    last = run(folder, "--out", tmp_path / "out").stdout.splitlines()[1]
    assert last.endswith("b18.py and 6 more")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["none", "--out", "out"], "There is no folder none"),
        ([".", "--out", "./out"], "lies within the submissions"),
        (["in", "--out", "in/ana.ipynb"], "is a file, or lies below one: choose a folder"),
        (["in", "--out", "file/out"], "is a file, or lies below one: choose a folder"),
        (["in", "--out", "out", "--answer-s", "90"], "give the process more than the call"),
        (["in", "--out", "out", "--cluster", "nonsense://x"], "No Dask scheduler answers"),
    ],
)
def test_a_mistake_is_one_line(options: list[str], message: str) -> None:
    Path("in").mkdir()
    Path("in/ana.ipynb").write_bytes(answered())
    Path("file").touch()
    result = run(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    said = [line for line in result.stderr.splitlines() if line != bubblewrap.missing()]
    assert len(said) == 1 and said[0].startswith("rsedu: ") and message in said[0]


def test_a_namespace_that_was_asked_for_is_not_done_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("in").mkdir()
    monkeypatch.setattr(bubblewrap, "missing", lambda: "There is none.")
    result = run("in", "--out", "out", "--isolation", "namespace")
    assert result.stderr == "rsedu: --isolation namespace was asked for. There is none.\n"


def test_windows_is_told_to_use_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = type("os", (), {"name": "nt"})
    monkeypatch.setattr(commands, "os", fake)
    assert run(".", "--out", "../out").stderr.startswith("rsedu: Grading needs Linux or macOS")
