"""Processes that run on, that write on, that leave others behind."""

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rsedu.grade.sandbox import process
from rsedu.grade.sandbox.limits import Limits
from rsedu.grade.sandbox.process import Ended

LIMITS = Limits(answer_s=1, wall_s=20, memory_mb=400, output_kb=10, reply_mb=1, processes=8)


def _run(
    command: list[str], content: bytes = b"", limits: Limits = LIMITS, **more: object
) -> Ended:
    environment = {"PATH": os.defpath}
    return process.run(
        command,
        content,
        folder="/",
        environment=environment,
        limits=limits,
        **more,  # type: ignore[arg-type]
    )


def _python(script: str, **more: object) -> Ended:
    return _run([sys.executable, "-c", script], **more)  # type: ignore[arg-type]


def _running(word: str) -> list[int]:
    found = psutil.process_iter(["cmdline"])
    return [each.pid for each in found if word in (each.info["cmdline"] or [])]


def test_input_output_and_status_come_through() -> None:
    ended = _run(["sh", "-c", "cat; echo no >&2; exit 3"], content=b"x" * 200_000)
    assert (bytes(ended.reply), bytes(ended.said)) == (b"x" * 200_000, b"no\n")
    assert (ended.stopped, ended.status) == ("", 3)


def test_the_clock_ends_what_ignores_signals() -> None:
    script = "trap '' TERM INT; while :; do sleep 77123; done"
    ended = _run(["sh", "-c", script], limits=replace(LIMITS, answer_s=0.1, wall_s=0.5))
    assert (ended.stopped, ended.status) == ("time", -9)
    assert not _running("77123")


@pytest.mark.parametrize(("stream", "stopped"), [(1, "reply"), (2, "output")])
def test_too_much_is_not_read_to_its_end(stream: int, stopped: str) -> None:
    ended = _python(f"import os\nwhile True:\n    os.write({stream}, b'x' * 65536)")
    assert ended.stopped == stopped
    assert len(ended.reply) + len(ended.said) < 2 * 2**20


def test_processes_and_memory_are_summed_over_the_family() -> None:
    many = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do sleep 77124 & done; wait"
    assert _run(["sh", "-c", many]).stopped == "processes"
    hog = "x = bytearray(%d); import time; time.sleep(20)"
    two = f"{sys.executable} -c '{hog % (250 * 2**20)}'"
    ended = _run(["sh", "-c", f"{two} & {two} & wait"])
    assert (ended.stopped, ended.memory_mb > 400) == ("memory", True)
    assert not _running("77124")


def test_what_a_process_leaves_behind_ends_with_it() -> None:
    script = "setsid sleep 77125 & (setsid sh -c 'sleep 77126 & exit' &) ; exit 0"
    ended = _run(["sh", "-c", script])
    assert (ended.stopped, ended.status) == ("", 0)
    assert not _running("77125") and not _running("77126")


def test_the_grader_can_stop_it() -> None:
    stop = threading.Event()
    stop.set()
    assert _run(["sleep", "77127"], stop=stop).stopped == "grader"
    assert not _running("77127")


def test_the_environment_is_what_was_given(tmp_path: Path) -> None:
    ended = _run(["env"])
    names = {line.split(b"=")[0] for line in bytes(ended.reply).splitlines()}
    assert names - {b"_", b"PWD", b"SHLVL"} == {b"PATH", b"RSEDU_GRADE_RUN"}
