"""The first cell of a lesson."""

import random

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import rsedu
from rsedu.course.setup import profile
from rsedu.errors import InputError


def test_it_says_on_what_the_lesson_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with plt.rc_context():
        rsedu.setup("01")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Lesson 01: What do two satellites see of one place?"
    assert [line.split()[0] for line in lines[1:]] == [
        "device",
        "threads",
        "memory",
        "profile",
        "seed",
    ]
    assert lines[1].startswith("  device   cpu (CPU, chosen by RSEDU_DEVICE=cpu)")


def _draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_it_seeds_everything() -> None:
    with plt.rc_context():
        rsedu.setup("00", seed=3)
        first = _draw()
        rsedu.setup("00", seed=3)
        assert _draw() == first
        rsedu.setup("00", seed=4)
        assert not set(_draw()) & set(first)


def test_figures_are_kept_small() -> None:
    with plt.rc_context():
        rsedu.setup("00")
        assert plt.rcParams["figure.dpi"] == 80


@pytest.mark.parametrize(
    ("asked", "device", "chosen"),
    [
        ("", "cpu", "small"),
        ("", "cuda", "full"),
        ("full", "cpu", "full"),
        ("SMALL", "mps", "small"),
    ],
)
def test_the_profile_follows_the_device_unless_told(
    asked: str, device: str, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSEDU_PROFILE", asked)
    assert profile(device) == chosen


def test_an_unknown_profile_or_lesson_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="wanted 00 to 08"):
        rsedu.setup("77")
    monkeypatch.setenv("RSEDU_PROFILE", "huge")
    with pytest.raises(InputError, match="wanted small or full"):
        profile("cpu")
