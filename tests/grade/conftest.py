"""Notebooks of lesson 01 with answers of any kind, and a batch of hostile ones, graded once."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsedu.grade.grading import Job
from rsedu.grade.key import Key, read_keys
from rsedu.grade.sandbox.limits import Limits

REPOSITORY = Path(__file__).resolve().parents[2]
# What is not about time gets plenty of it, so that a busy machine gives the same answers.
ROOMY = Limits(answer_s=30.0, wall_s=90.0, memory_mb=700, processes=20)
SHORT = replace(ROOMY, answer_s=1.0, wall_s=4.0)
Answers = Callable[..., bytes]


def notebook(stem: str = "01_sentinels", *, folder: str = "solutions") -> dict[str, Any]:
    """A notebook of the kit as JSON."""
    text = (REPOSITORY / folder / f"{stem}.ipynb").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def cell(content: dict[str, Any], id_: str) -> dict[str, Any]:
    """The cell of an exercise."""
    found: dict[str, Any] = next(
        each
        for each in content["cells"]
        if each["metadata"].get("rsedu", {}).get("id") == id_
        and "role" not in each["metadata"]["rsedu"]
    )
    return found


def answered(stem: str = "01_sentinels", **sources: str) -> bytes:
    """The solved notebook with other code in the cells of some exercises."""
    content = notebook(stem)
    for id_, source in sources.items():
        cell(content, id_)["source"] = source
    return json.dumps(content).encode()


@pytest.fixture(scope="session")
def all_keys() -> tuple[Key, ...]:
    return read_keys(REPOSITORY / "solutions")


@pytest.fixture(scope="session")
def job(all_keys: tuple[Key, ...]) -> Callable[..., Job]:
    """Make a job of a notebook's bytes, under limits and without a namespace unless asked for."""

    def make(content: bytes, **changes: Any) -> Job:
        facts: dict[str, Any] = {
            "file": "ana.ipynb",
            "student": "ana",
            "content": content,
            "problem": "",
            "keys": all_keys,
            "limits": ROOMY,
            "namespace": False,
            "share": 0.25,
        }
        return Job(**{**facts, **changes})

    return make
