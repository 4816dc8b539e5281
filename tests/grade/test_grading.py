"""One submission: solved, untouched, wrong in known ways, and hostile in all the ways we know."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from rsedu.course import registry
from rsedu.grade import batch, grading
from rsedu.grade.grading import Job, Result
from rsedu.grade.key import Key
from rsedu.grade.reading import submissions
from rsedu.grade.sandbox import bubblewrap, worker
from rsedu.grade.sandbox.limits import Limits
from rsedu.grade.sandbox.process import Ended
from rsedu.io import executor
from rsedu.io.files import sha256
from tests.grade import hostile
from tests.grade.conftest import REPOSITORY, ROOMY, SHORT, answered, notebook

NAP_S = 43_217  # found again among all processes


def _of(result: Result, id_: str = "ndvi") -> dict[str, Any]:
    assert result["problem"] == ""
    found: dict[str, Any] = next(mark for mark in result["marks"] if mark["id"] == id_)
    return found


LESSONS = [
    each.stem
    for each in registry.lessons()
    if (REPOSITORY / "solutions" / f"{each.stem}.ipynb").exists()
]


WHOLE = ("01_sentinels", "04_laplacian")  # one without torch, one with it


def _here(job: Job, key: Key, cells: Any, todo: Any, stop: Any) -> Ended:
    """The worker in this process: a lesson's imports are loaded already."""
    reply = bytearray()

    def say(event: str, exercise: str, **facts: Any) -> None:
        reply.extend(json.dumps({"event": event, "exercise": exercise, **facts}).encode() + b"\n")

    worker.work(json.loads(grading._job_text(job, key, cells, todo)), say)
    return Ended(reply=reply)


@pytest.mark.parametrize("stem", LESSONS)
def test_a_solved_notebook_earns_everything_and_a_stub_nothing(
    job: Callable[..., Job], stem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stem not in WHOLE:
        monkeypatch.setattr(grading, "_attempt", _here)
        monkeypatch.setattr(worker, "forbid_processes", lambda: True)
        monkeypatch.setattr(worker, "restrain", lambda limits, started: None)
    for folder, share, state in (("solutions", 1, "passed"), ("notebooks", 0, "not started")):
        content = json.dumps(notebook(stem, folder=folder)).encode()
        result = grading.grade(job(content, limits=Limits(answer_s=30.0, wall_s=90.0)))
        assert (result["problem"], result["lesson"]) == ("", stem[:2])
        asked = registry.exercises(stem[:2])
        found = {mark["id"]: mark["state"] for mark in result["marks"]}
        assert found == {each.id: state for each in asked}
        assert [mark["earned"] for mark in result["marks"]] == [
            share * mark["points"] for mark in result["marks"]
        ]


def test_an_answer_may_lean_on_what_the_notebook_defines(job: Callable[..., Job]) -> None:
    source = "def ndvi(red, nir):\n    return ratio(nir - red, nir + red) + OFFSET\n"
    content = notebook()
    place = next(n for n, each in enumerate(content["cells"]) if each["id"] == "01-ndvi")
    content["cells"][place]["source"] = source
    above = "%matplotlib inline\nOFFSET = 0.0\n1 / 0"
    below = ["def ratio(a, b):\n", "    return a / b"]
    above, below = (
        {"cell_type": "code", "metadata": {}, "source": code} for code in (above, below)
    )
    content["cells"][place:place] = [above]
    content["cells"].append(below)
    assert _of(grading.grade(job(json.dumps(content).encode())))["state"] == "passed"


def test_the_sealed_batch_harms_nobody(sealed: dict[str, Any]) -> None:
    assert sha256(sealed["key"]) == sealed["digest"]
    assert {each: each.read_bytes() for each in sealed["others"]} == sealed["others"]
    assert sealed["rang"] is False
    assert not _sleepers()
    assert not list(Path("/tmp").glob("trapped"))


def _sleepers() -> list[int]:
    return [
        each.pid
        for each in psutil.process_iter(["cmdline"])
        if str(NAP_S) in (each.info["cmdline"] or [])
    ]


@pytest.fixture(scope="module")
def sealed(
    tmp_path_factory: pytest.TempPathFactory, job: Callable[..., Job]
) -> Iterator[dict[str, Any]]:
    """All hostile submissions, graded two at a time, each in a namespace."""
    if bubblewrap.missing():
        pytest.skip(bubblewrap.missing())
    folder = tmp_path_factory.mktemp("submissions")
    key = REPOSITORY / "solutions" / "01_sentinels.ipynb"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        facts = {"key": str(key), "folder": str(folder), "port": server.getsockname()[1]}
        hostile.write_all(folder, {**facts, "grader": os.getpid(), "nap": NAP_S})
        others = {each: each.read_bytes() for each in folder.glob("*.ipynb") if each.is_file()}
        digest = sha256(key)
        makers = [partial(_read, each, job, folder) for each in submissions.find(folder)]
        with executor.local(2) as (pool, count):
            kept = tmp_path_factory.mktemp("results")
            results = batch.grade_all(makers, pool, kept, workers=count)
        rang = True
        try:
            server.accept()
        except TimeoutError:
            rang = False
    by_file = {each["file"].removesuffix(".ipynb"): each for each in results}
    yield {"results": by_file, "key": key, "digest": digest, "others": others, "rang": rang}


def _read(found: submissions.Found, job: Callable[..., Job], folder: Path) -> Job:
    read, content = submissions.read(found)
    about = {"file": read.file, "student": read.student, "problem": read.problem}
    asked = hostile.CODE.get(Path(found.file).stem)
    limits = asked.limits if asked else ROOMY
    hidden = (folder, REPOSITORY / "solutions")
    return job(content, **about, limits=limits, namespace=True, hidden=hidden)


@pytest.mark.parametrize("name", [*hostile.CODE, *hostile.SEALED])
def test_hostile_code_is_contained_and_named(sealed: dict[str, Any], name: str) -> None:
    wanted = {**hostile.CODE, **hostile.SEALED}[name]
    result = sealed["results"][name]
    mark = _of(result)
    said = " ".join(mark["lines"])
    assert (mark["state"], wanted.says in said) == (wanted.state, True), said
    assert mark["state"] != "passed"
    # The other answers of the same notebook count.
    others = [each for each in result["marks"] if each["id"] != "ndvi"]
    assert [each["state"] for each in others] == ["passed"] * 5


@pytest.mark.parametrize("name", hostile.FILES)
def test_a_bad_file_is_named(sealed: dict[str, Any], name: str) -> None:
    result = sealed["results"][name]
    assert hostile.FILES[name][1] in result["problem"]
    assert result["marks"] == []


def test_links_and_pipes_are_not_read(sealed: dict[str, Any]) -> None:
    assert "symbolic link" in sealed["results"]["link"]["problem"]
    assert "a pipe or a device" in sealed["results"]["pipe"]["problem"]


def test_missing_and_double_cells_are_remarked(sealed: dict[str, Any]) -> None:
    missing = _of(sealed["results"]["missing-cell"])
    assert (missing["state"], missing["earned"]) == ("not started", 0)
    assert missing["remark"] == "its cell is missing"
    double = _of(sealed["results"]["double-ids"])
    assert (double["state"], double["diagnosis"]) == ("wrong value", "not normalised")
    assert double["remark"] == "2 cells answer it: the last one that was begun counts"


def test_the_honest_one_between_them_earns_everything(sealed: dict[str, Any]) -> None:
    assert [mark["state"] for mark in sealed["results"]["honest"]["marks"]] == ["passed"] * 6


@pytest.fixture(scope="module")
def limited(job: Callable[..., Job]) -> dict[str, Result]:
    """Those that limits alone contain, graded without namespaces, two at a time."""
    jobs = [
        job(answered(ndvi=hostile.CODE[name].source), limits=hostile.CODE[name].limits)
        for name in hostile.STOPPED
    ]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(hostile.STOPPED, pool.map(grading.grade, jobs), strict=True))


@pytest.mark.parametrize("name", hostile.STOPPED)
def test_limits_alone_stop_and_name_it_too(limited: dict[str, Result], name: str) -> None:
    wanted, result = hostile.CODE[name], limited[name]
    mark = _of(result)
    assert (mark["state"], wanted.says in " ".join(mark["lines"])) == (wanted.state, True), mark
    assert [each["state"] for each in result["marks"]].count("passed") == 5


def test_a_bad_job_is_a_result_and_no_exception(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading.matching, "match", lambda key, cells: 1 / 0)
    result = grading.grade(job(answered()))
    failed = "The grader itself failed on it (ZeroDivisionError): look at it by hand."
    assert result["problem"] == failed
    assert result["final"] is False
    assert grading.grade(job(b"", problem="It is a link."))["problem"] == "It is a link."


def test_a_namespace_that_is_promised_and_not_there_runs_nothing(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading.bubblewrap, "missing", lambda: "There is none.")
    result = grading.grade(job(answered(), namespace=True))
    assert "was to be run in a namespace, and cannot: There is none." in result["problem"]


def test_a_process_knows_nothing_of_the_graders_environment(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "xyzzy")
    source = hostile.ndvi("import os\nraise ValueError(sorted(os.environ))")
    said = " ".join(_of(grading.grade(job(answered(ndvi=source))))["lines"])
    assert "PYTHONHASHSEED" in said and "SECRET" not in said


def test_nobody_is_blamed_for_the_time_that_others_took(job: Callable[..., Job]) -> None:
    # Each call takes 2 s of its 3, and three of them more than the 5 s of the process.
    slow = (
        "import time\n\n\ndef equivalent_looks(power):\n"
        "    time.sleep(2)\n    return power.mean() ** 2 / power.var()\n"
    )
    limits = replace(SHORT, answer_s=3.0, wall_s=5.0)
    result = grading.grade(job(answered(equivalent_looks=slow), limits=limits))
    mark = _of(result, "equivalent_looks")
    assert "it took more than 5 seconds" in mark["lines"][0]
    assert mark["right"] in (1, 2) and 0 < mark["earned"] < 2
    assert [each["state"] for each in result["marks"]].count("passed") == 5
