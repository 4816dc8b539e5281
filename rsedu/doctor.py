"""Check of the environment, `rsedu doctor`: is everything here, and what to do where it is not.

`examine` only looks; `render` and `report` only write. Each check returns one `Finding` and never
raises: a broken torch is a finding, not a traceback.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

import psutil

State = Literal["ok", "note", "missing"]

REPORT_FORMAT = 1  # one more whenever a line of the report is added, taken away or renamed

_REPORTED = ("rsedu", "torch", "numpy", "rasterio", "jupyterlab")
_PYTHONS = ((3, 11), (3, 13))
_MEMORY_GB = 3  # tests hold lessons that train to 2.5 GB; the rest is JupyterLab and a browser
_DISK_GB = 1  # room for what the lessons write; the environment is there by now
# By the lesson or starter that loads them first.
_WEIGHTS = {"mae-tiny": "02", "croma-tiny": "05", "sam-tiny": "06", "scalemae-tiny": "08a"}
_WIDTH = 80
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_COLUMNS = "  {state:<8}{name:<11}"
_INSTALL = "run make lab (or pip install -r requirements.lock)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: what it is, at most 10 letters.
        state: "ok"; "note" for what the lessons can do without; "missing" for what they need.
        detail: what was found, one line.
        remedy: what to do about it; empty where nothing needs doing.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""


def _python() -> Finding:
    detail = f"{platform.python_version()} at {sys.executable}"
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        return Finding("Python", "ok", detail)
    return Finding("Python", "missing", detail, "install Python 3.11, 3.12 or 3.13")


def _packages() -> Finding:
    needed = [line for line in metadata.requires("rsedu") or [] if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needed]
    absent = [name for name in names if not _version(name)]
    if absent:
        detail = f"{len(absent)} of {len(names)} are not installed: {', '.join(absent)}"
        return Finding("packages", "missing", detail, _INSTALL)
    return Finding("packages", "ok", f"all {len(names)} that the kit names are installed")


def _version(distribution: str) -> str:
    """The installed version, or an empty string."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _torch() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("torch", "missing", f"does not import: {error}", _INSTALL)
    build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    return Finding("torch", "ok", f"{torch.__version__}, {build}")


def _device() -> Finding:
    try:
        from rsedu.device import describe_device

        return Finding("device", "ok", str(describe_device()))
    except ValueError as error:  # what RSEDU_DEVICE asks for is nonsense or not here
        return Finding("device", "missing", str(error), "unset RSEDU_DEVICE, or set it to auto")
    except (ImportError, OSError) as error:
        return Finding("device", "missing", f"needs torch: {error}", _INSTALL)


def _cores() -> int:
    """Processor threads that this process may use."""
    usable = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    return usable or os.cpu_count() or 1


def _threads() -> Finding:
    cores = _cores()
    limit = os.environ.get("OMP_NUM_THREADS")
    setting = f"OMP_NUM_THREADS={limit}" if limit else "OMP_NUM_THREADS is not set"
    return Finding("threads", "ok", f"{cores} processor threads usable, {setting}")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    free_gb, total_gb = memory.available / 1e9, memory.total / 1e9
    detail = f"{free_gb:.1f} GB free of {total_gb:.1f} GB"
    if free_gb < _MEMORY_GB:
        return Finding("memory", "note", detail, f"close programs until {_MEMORY_GB} GB are free")
    return Finding("memory", "ok", detail)


def _disk() -> Finding:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    detail = f"{free_gb:.1f} GB free in this folder"
    if free_gb < _DISK_GB:
        return Finding("disk", "note", detail, f"make room: lessons may write {_DISK_GB} GB")
    return Finding("disk", "ok", detail)


def _samples() -> Finding:
    """Reads every real scene: half a second, and a broken file shows here, not in a lesson."""
    try:
        from rsedu.scenes.samples import clearing, pairs

        size = " x ".join(map(str, clearing().shape))
        detail = f"{len(pairs())} Sentinel-1/2 pairs and a forest scene of {size} pixels read"
    except (ImportError, OSError, ValueError) as error:
        return Finding("samples", "missing", str(error), _INSTALL)
    return Finding("samples", "ok", detail)


def _weights() -> Finding:
    try:
        from rsedu.models.weights import available, folder
    except (ImportError, OSError) as error:
        return Finding("weights", "missing", f"need torch: {error}", _INSTALL)
    names = available()
    absent = [name for name in _WEIGHTS if name not in names]
    if not absent:
        return Finding("weights", "ok", f"{len(names)} here: {', '.join(names)}")
    missing = ", ".join(f"{name} (lesson {_WEIGHTS[name]})" for name in absent)
    detail = f"not here: {missing}" if names else f"none in {folder()}"
    return Finding("weights", "missing", detail, "get data/weights of the repository again")


def _jupyterlab() -> Finding:
    version = _version("jupyterlab")
    if not version or not _version("ipykernel"):
        lacking = "ipykernel" if version else "jupyterlab"
        return Finding("JupyterLab", "missing", f"{lacking} is not installed", _INSTALL)
    return Finding("JupyterLab", "ok", f"{version}, ipykernel {_version('ipykernel')}")


def find_chromium() -> str | None:
    """Path of the first Chromium or Chrome on PATH, None where there is none."""
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)


def _browser() -> Finding:
    path = find_chromium()
    if path:
        return Finding("Chromium", "ok", f"{path}, for the browser tests")
    remedy = "only for developers: apt install chromium"
    return Finding("Chromium", "note", "not found; the browser tests will skip", remedy)


def _bubblewrap() -> Finding:
    """Whether `rsedu grade` can lock strangers' code away; nobody else needs it."""
    if sys.platform != "linux":
        detail = "needs Linux; only for instructors, who run rsedu grade"
        return Finding("bubblewrap", "note", detail)
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    try:
        done = subprocess.run(trial, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    except FileNotFoundError:
        remedy = "only for instructors, who run rsedu grade: apt install bubblewrap"
        return Finding("bubblewrap", "note", "not found; no sandbox when grading", remedy)
    except (OSError, subprocess.SubprocessError):
        return Finding("bubblewrap", "note", "does not run; no sandbox when grading")
    if done.returncode != 0:
        remedy = "only for instructors: let users make namespaces, or grade elsewhere"
        return Finding("bubblewrap", "note", "may make no namespaces here", remedy)
    return Finding("bubblewrap", "ok", "makes namespaces, in which rsedu grade runs answers")


CHECKS: tuple[Callable[[], Finding], ...] = (
    *(_python, _packages, _torch, _device, _threads, _memory, _disk),
    *(_samples, _weights, _jupyterlab, _browser, _bubblewrap),
)


def examine() -> list[Finding]:
    """Look at everything once, in the order in which it is printed; one finding per check."""
    return [check() for check in CHECKS]


def is_healthy(findings: list[Finding]) -> bool:
    """Whether the lessons can run: nothing needed is missing. Notes do not count."""
    return all(finding.state != "missing" for finding in findings)


def render(findings: list[Finding]) -> str:
    """Write the findings for a screen of 80 columns and 24 lines.

    One line per finding, one more under each that needs doing, and a verdict. The state is a word,
    never a colour.
    """
    lines = []
    for finding in findings:
        state = "MISSING" if finding.state == "missing" else finding.state
        head = _COLUMNS.format(state=state, name=finding.name)
        lines.append(_clip(head + finding.detail))
        if finding.remedy:
            lines.append(_clip(" " * len(head) + f"to do: {finding.remedy}"))
    missing = [finding.name for finding in findings if finding.state == "missing"]
    verdict = f"Needed and missing: {', '.join(missing)}." if missing else "The lessons can run."
    return "\n".join([*lines, _clip(verdict)])


def report(findings: list[Finding]) -> str:
    """Write what a facilitator needs to know before a class, to be pasted into a message.

    Lines "name value", which change with the number of the format only. Numbers and names of
    packages: details are left out, since they hold paths, and so names of people and machines.
    """
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(Path.cwd())
    states = {finding.name: finding.state for finding in findings}
    devices = (finding for finding in findings if (finding.name, finding.state) == ("device", "ok"))
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) or "missing" for name in _REPORTED},
        "device": next((device.detail.split()[0] for device in devices), "missing"),
        "cores": str(_cores()),
        "memory": f"{memory.available / 1e9:.1f} GB free of {memory.total / 1e9:.1f} GB",
        "disk": f"{disk.free / 1e9:.0f} GB free",
        **{
            state: ", ".join(name for name in states if states[name] == state) or "-"
            for state in get_args(State)
        },
        "verdict": "the lessons can run" if is_healthy(findings) else "the lessons cannot run",
    }
    lines = (f"{name:<11}{value}" for name, value in facts.items())
    return "\n".join(
        [f"--- rsedu doctor report, format {REPORT_FORMAT} ---", *lines, "--- end ---"]
    )


def _clip(line: str) -> str:
    """One line of the screen: no line breaks, cut with dots at the width."""
    flat = line.replace("\n", " ")
    return flat if len(flat) <= _WIDTH else flat[: _WIDTH - 3] + "..."
