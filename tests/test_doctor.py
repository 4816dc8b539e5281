import builtins
import getpass
import platform
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rsedu import doctor
from rsedu.doctor import CHECKS, Finding, examine, is_healthy, render, report
from rsedu.errors import BrokenDataError
from rsedu.scenes import samples


def _check_private(text: str) -> None:
    """A report names no person, no machine and no folder."""
    assert "/" not in text and "\\" not in text and "maria" not in text
    words = set(text.replace(",", " ").split())
    assert not {getpass.getuser(), platform.node()} & words


def test_a_working_environment_is_healthy_and_says_so() -> None:
    findings = examine()
    assert is_healthy(findings), render(findings)
    assert render(findings).endswith("\nThe lessons can run.")
    assert [finding.name for finding in findings] == [
        *("Python", "packages", "torch", "device", "threads", "memory", "disk"),
        *("samples", "weights", "JupyterLab", "Chromium", "bubblewrap"),
    ]
    assert sys.executable in findings[0].detail
    detail = "6 Sentinel-1/2 pairs and a forest scene of 300 x 300 pixels read"
    assert Finding("samples", "ok", detail) in findings
    text = report(findings)
    assert "verdict    the lessons can run" in text
    _check_private(text)


def test_the_worst_case_still_fits_one_screen() -> None:
    worst = [
        Finding("JupyterLab", "missing", "x" * 200 + "\nsecond line", "y" * 200)
        for check in CHECKS
        if check is not doctor._threads
    ]
    worst.append(doctor._threads())
    assert not worst[-1].remedy  # never has one
    lines = render(worst).split("\n")
    assert len(lines) <= 24
    assert max(map(len, lines)) == 80


def test_a_finding_is_a_line_and_its_remedy_another() -> None:
    findings = [
        Finding("disk", "ok", "5.0 GB free"),
        Finding("torch", "missing", "does not import", "run make lab"),
        Finding("Chromium", "note", "not found", "apt install chromium"),
    ]
    assert is_healthy(findings[::2]) and not is_healthy(findings)
    assert render(findings).split("\n") == [
        "  ok      disk       5.0 GB free",
        "  MISSING torch      does not import",
        "                     to do: run make lab",
        "  note    Chromium   not found",
        "                     to do: apt install chromium",
        "Needed and missing: torch.",
    ]


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 9), "missing"), ((3, 11, 0), "ok"), ((3, 13, 9), "ok"), ((3, 14, 0), "missing")],
)
def test_python_is_one_of_three(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], state: str
) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", version)
    assert doctor._python().state == state


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["numpy>=1", "no-such-thing[extra]>=2; python_version > '3'", "ruff; extra == 'dev'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: asked)
    detail = "1 of 2 are not installed: no-such-thing"
    assert doctor._packages() == Finding("packages", "missing", detail, doctor._INSTALL)
    assert "make lab" in doctor._INSTALL


def test_a_torch_that_does_not_import_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def no_torch(name: str, *rest: Any) -> Any:
        if name == "torch" or name.startswith(("torch.", "rsedu.")):
            raise OSError("libtorch.so: cannot open shared object file")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_torch)
    findings = (doctor._torch(), doctor._device(), doctor._weights())
    assert [finding.state for finding in findings] == ["missing"] * 3
    assert all("libtorch.so" in finding.detail for finding in findings)


def test_a_nonsensical_override_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSEDU_DEVICE", "toaster")
    finding = doctor._device()
    assert finding.state == "missing"
    assert "'toaster' names no device" in finding.detail
    assert finding.remedy == "unset RSEDU_DEVICE, or set it to auto"


def test_threads_says_what_limits_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert doctor._threads().detail.endswith("threads usable, waiting asleep, OMP_NUM_THREADS=3")
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    assert doctor._threads().detail.endswith("by spinning, OMP_NUM_THREADS is not set")


@pytest.mark.parametrize(
    ("name", "free_gb", "state"),
    [("memory", 2.99, "note"), ("memory", 3.0, "ok"), ("disk", 0.99, "note"), ("disk", 1.0, "ok")],
)
def test_little_memory_or_disk_is_a_note(
    monkeypatch: pytest.MonkeyPatch, name: str, free_gb: float, state: str
) -> None:
    memory = SimpleNamespace(available=free_gb * 1e9, total=8e9)
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: memory)
    disk = SimpleNamespace(free=free_gb * 1e9)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: disk)
    finding = doctor._memory() if name == "memory" else doctor._disk()
    where = "of 8.0 GB" if name == "memory" else "in this folder"
    assert (finding.state, finding.detail) == (state, f"{free_gb:.1f} GB free {where}")


@pytest.mark.parametrize("broken", ["pairs", "clearing"])
def test_a_sample_that_does_not_read_is_missing(
    monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail() -> None:
        raise BrokenDataError("the archive ends too early")

    monkeypatch.setattr(samples, broken, fail)
    finding = doctor._samples()
    assert (finding.state, finding.detail) == ("missing", "the archive ends too early")
    assert "requirements.lock" in finding.remedy


def test_weights_are_listed_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RSEDU_WEIGHTS", str(tmp_path))
    none = doctor._weights()
    assert (none.state, none.detail) == ("missing", f"none in {tmp_path}")
    assert "data/weights" in none.remedy
    for name in ("mae-tiny", "croma-tiny", "sam-tiny"):
        (tmp_path / f"{name}.safetensors").touch()
    some = doctor._weights()
    said = "not here: scalemae-tiny (lesson 08a)"
    assert (some.state, some.detail) == ("missing", said)
    for name in ("scalemae-tiny.safetensors", "notes.txt"):
        (tmp_path / name).touch()
    assert doctor._weights().detail == "4 here: croma-tiny, mae-tiny, sam-tiny, scalemae-tiny"


def test_weights_that_a_lesson_loads_are_asked_for() -> None:
    asked: dict[str, str] = {}
    for path in sorted((Path(__file__).parents[1] / "solutions").glob("0*.py")):
        text = path.read_text(encoding="utf-8")
        found = re.findall(r'weights\.load\("([\w-]+)"', text)
        found += [f"sam-{name}" for name in re.findall(r'^\w+ = sam\.load\("(tiny)"', text, re.M)]
        for name in found:
            asked.setdefault(name, path.stem.split("_")[0])
    assert asked.items() <= doctor._WEIGHTS.items() and len(asked) >= 3


@pytest.mark.parametrize("absent", ["jupyterlab", "ipykernel"])
def test_a_missing_half_of_jupyter_is_named(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == absent else "4.0")
    finding = doctor._jupyterlab()
    assert (finding.state, finding.detail) == ("missing", f"{absent} is not installed")


def test_a_missing_browser_is_only_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.find_chromium() is None
    assert doctor._browser().state == "note"
    for name in ("google-chrome", "chromium"):  # the one that comes first in the kit's own list
        (tmp_path / name).touch(mode=0o755)
        assert doctor.find_chromium() == str(tmp_path / name)
    assert str(tmp_path / "chromium") in doctor._browser().detail


@pytest.mark.parametrize(
    ("body", "state", "detail"),
    [
        ("exit 0", "ok", "makes namespaces"),
        ("exit 1", "note", "may make no namespaces"),
        ("", "note", "not found"),
    ],
)
def test_bubblewrap_is_only_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, state: str, detail: str
) -> None:
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    if body:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "bwrap").chmod(0o755)
    found = doctor._bubblewrap()
    assert (found.state, found.detail[: len(detail)]) == (state, detail)
    monkeypatch.setattr(doctor.sys, "platform", "darwin")
    assert doctor._bubblewrap().detail.startswith("needs Linux")


FINDINGS = [
    Finding("torch", "ok", "2.15 in /home/maria/.venv"),
    Finding("device", "ok", "cuda:0 (a GPU of maria-laptop)"),
    Finding("weights", "missing", "none in /home/maria/weights", "get them"),
    Finding("Chromium", "note", "not found", "apt install chromium"),
]


def test_a_report_is_the_same_lines_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.11.2")
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "rasterio" else "1.2")
    monkeypatch.setattr(doctor, "_cores", lambda: 4)
    memory = SimpleNamespace(available=5.04e9, total=8e9)
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=72.6e9))
    _check_private(report(FINDINGS))
    assert report(FINDINGS).split("\n") == [
        "--- rsedu doctor report, format 1 ---",
        "system     Linux x86_64",
        "python     3.11.2",
        "rsedu      1.2",
        "torch      1.2",
        "numpy      1.2",
        "rasterio   missing",
        "jupyterlab 1.2",
        "device     cuda:0",
        "cores      4",
        "memory     5.0 GB free of 8.0 GB",
        "disk       73 GB free",
        "ok         torch, device",
        "note       Chromium",
        "missing    weights",
        "verdict    the lessons cannot run",
        "--- end ---",
    ]
    broken = [Finding("device", "missing", "RSEDU_DEVICE='toaster'", "unset it")]
    assert "\ndevice     missing\n" in report(broken) and "\ndevice     missing\n" in report([])
