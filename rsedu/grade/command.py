"""The command `rsedu grade`."""

import os
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from rsedu.errors import InputError
from rsedu.grade import batch, summary
from rsedu.grade.grading import Job, Result
from rsedu.grade.judging import KIND_SHARE
from rsedu.grade.key import Key, read_keys
from rsedu.grade.reading import submissions
from rsedu.grade.reading.submissions import Found
from rsedu.grade.reports import pages, tables
from rsedu.grade.reports.pages import slug
from rsedu.grade.sandbox import bubblewrap
from rsedu.grade.sandbox.limits import Limits
from rsedu.io import executor
from rsedu.io.files import write_atomically

_PAGE = re.compile(r".+-[0-9a-f]{8}\.html")  # as `slug` names it
_SHOWN = 20  # of the files that nobody looked at
_IN_NAMESPACES = (
    "Each submission ran in a namespace of its own: no network, no file but Python's and the "
    "kit's, and those read-only."
)
_FORMATIVE = (
    "The kit is made for learning: its references can be read in the installed package, so a full "
    "score is no proof of who solved what."
)


def _isolation(wanted: str) -> tuple[bool, str]:
    """Whether to use namespaces, and a sentence about it."""
    why_not = bubblewrap.missing()
    if wanted == "namespace" and why_not:
        raise InputError(f"--isolation namespace was asked for. {why_not}")
    if wanted == "limits":
        return False, f"No namespaces, as asked for. {bubblewrap.NO_SANDBOX}"
    return not why_not, why_not or _IN_NAMESPACES


def _job(submission: Found, **settings: Any) -> Job:
    read, content = submissions.read(submission)
    return Job(
        file=read.file,
        student=read.student,
        content=content,
        problem=read.problem,
        **settings,
    )


def report(
    out: Path, results: Sequence[Result], keys: Sequence[Key], *, isolation: str, spent_s: float
) -> None:
    """Write all reports.

    Args:
        out: folder; `index.html`, `students/`, `grades.csv`, `exercises.csv`, `report.json`.
        results: by file.
        keys: lessons' keys, for the reference beside each answer.
        isolation: a sentence that says how strangers' code was kept apart.
        spent_s: seconds that this run took.
    """
    solutions = {(key.lesson, asked.id): asked.solution for key in keys for asked in key.asked}
    of_student: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        of_student[result["student"]].append(result)
    texts = {
        f"students/{slug(student)}": pages.student_page(student, theirs, solutions)
        for student, theirs in of_student.items()
    }
    again = [result["file"] for result in summary.also_handed_in(results)]
    about = {"isolation": isolation, "spent_s": round(spent_s, 1), "not_counted": again}
    texts |= {
        "grades.csv": tables.grades(results),
        "exercises.csv": tables.exercises(results),
        "report.json": tables.as_json(results, **about),
        "index.html": pages.class_page(
            results, isolation=f"{isolation} {_FORMATIVE}", spent_s=spent_s
        ),
    }
    for name, text in texts.items():
        write_atomically(out / name, partial(Path.write_text, data=text, encoding="utf-8"))
    for page in (out / "students").glob("*.html"):
        if f"students/{page.name}" not in texts and _PAGE.fullmatch(page.name):
            page.unlink()  # of a student who is no longer in the class


def _summary(results: Sequence[Result], out: Path, others: Sequence[str]) -> str:
    bad = [result for result in results if result["problem"]]
    graded = f"{len(results) - len(bad)} of {len(results)} submissions graded"
    lines = [f"{graded}. Open {out / 'index.html'}."]
    again = summary.also_handed_in(results)
    lines += [f"  {tables.NOT_COUNTED}: {result['file']}" for result in again]
    lines += [f"  not graded: {result['file']}: {result['problem']}" for result in bad]
    if others:
        more = f" and {len(others) - _SHOWN} more" if others[_SHOWN:] else ""
        lines.append(f"  not looked at, no notebooks: {', '.join(others[:_SHOWN])}{more}")
    return "\n".join(lines)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="SUBMISSIONS", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the reports."
)
@click.option(
    "--key",
    "key_folder",
    default="solutions",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the solved notebooks.",
)
@click.option(
    "--workers", type=click.IntRange(1), help="Submissions at a time.  [the cores there are]"
)
@click.option("--cluster", help="Address of a Dask scheduler; its workers grade.")
@click.option(
    "--isolation",
    type=click.Choice(["auto", "namespace", "limits"]),
    default="auto",
    show_default=True,
    help="Namespaces where there are, always, or never.",
)
@click.option(
    "--kind-share",
    type=click.FloatRange(0, 1),
    default=KIND_SHARE,
    show_default=True,
    help="What a wrong value of the right kind counts.",
)
@click.option("--answer-s", default=Limits.answer_s, show_default=True, help="Seconds of one call.")
@click.option("--wall-s", default=Limits.wall_s, show_default=True, help="Seconds of one process.")
@click.option("--memory-mb", default=Limits.memory_mb, show_default=True, help="Of one process.")
@click.option("--fresh", is_flag=True, help="Grade again what was graded before.")
def grade(
    folder: Path,
    out: Path,
    key_folder: Path,
    workers: int | None,
    cluster: str | None,
    isolation: str,
    kind_share: float,
    answer_s: float,
    wall_s: float,
    memory_mb: int,
    fresh: bool,
) -> None:
    """Grade a folder of notebooks against the key, by exercise.

    SUBMISSIONS holds a notebook per student, or a folder per student. Reports: a page of the class
    and one of each student, CSV and JSON. What was graded before is not graded again, so a run that
    was stopped goes on.
    """
    if os.name == "nt":
        raise InputError("Grading needs Linux or macOS: on Windows, run it in WSL.")
    if any(path.is_file() for path in (out, *out.parents)):
        raise InputError(f"--out {out} is a file, or lies below one: choose a folder.")
    if out.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"--out {out} lies within the submissions: choose a folder beside them.")
    start = time.monotonic()
    limits = Limits(answer_s=answer_s, wall_s=wall_s, memory_mb=memory_mb)
    namespace, sentence = _isolation(isolation)
    if not namespace:
        click.echo(sentence, err=True)
    keys = read_keys(key_folder)
    job = partial(
        _job,
        keys=keys,
        limits=limits,
        namespace=namespace,
        share=kind_share,
        hidden=(folder, key_folder, out),
    )
    makers = [partial(job, submission) for submission in submissions.find(folder)]
    with executor.chosen(cluster, workers) as (pool, count):
        results = batch.grade_all(makers, pool, out / "results", workers=count, fresh=fresh)
    report(out, results, keys, isolation=sentence, spent_s=time.monotonic() - start)
    click.echo(_summary(results, out, submissions.others(folder)))
