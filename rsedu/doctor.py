"""Check of the environment, `rsedu doctor`: is everything here, and what to do where it is not.

Each check returns one `Finding` and never raises: a broken torch is a finding, not a traceback.
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
_INSTALL = "run make lab (or pip install -r requirements.lock)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name in 10 letters, a line of what was found, and what to do.

    A note is for what the lessons can do without, missing for what they need.
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
    limit = os.environ.get("OMP_NUM_THREADS")
    setting = f"OMP_NUM_THREADS={limit}" if limit else "OMP_NUM_THREADS is not set"
    passive = os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE"
    waiting = "waiting asleep" if passive else "waiting by spinning"
    return Finding("threads", "ok", f"{_cores()} processor threads usable, {waiting}, {setting}")


def _memory_gb() -> str:
    memory = psutil.virtual_memory()
    return f"{memory.available / 1e9:.1f} GB free of {memory.total / 1e9:.1f} GB"


def _memory() -> Finding:
    if psutil.virtual_memory().available / 1e9 >= _MEMORY_GB:
        return Finding("memory", "ok", _memory_gb())
    remedy = f"close programs until {_MEMORY_GB} GB are free"
    return Finding("memory", "note", _memory_gb(), remedy)


def _disk() -> Finding:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    detail = f"{free_gb:.1f} GB free in this folder"
    if free_gb >= _DISK_GB:
        return Finding("disk", "ok", detail)
    return Finding("disk", "note", detail, f"make room: lessons may write {_DISK_GB} GB")


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
    for name in ("jupyterlab", "ipykernel"):
        if not _version(name):
            return Finding("JupyterLab", "missing", f"{name} is not installed", _INSTALL)
    detail = f"{_version('jupyterlab')}, ipykernel {_version('ipykernel')}"
    return Finding("JupyterLab", "ok", detail)


def find_chromium() -> str | None:
    """Path of the first Chromium or Chrome on PATH, None where there is none."""
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)


def _browser() -> Finding:
    if path := find_chromium():
        return Finding("Chromium", "ok", f"{path}, for the browser tests")
    remedy = "only for developers: apt install chromium"
    return Finding("Chromium", "note", "not found; the browser tests will skip", remedy)


def _bubblewrap() -> Finding:
    """Whether `rsedu grade` can lock strangers' code away; nobody else needs it."""
    whose = "only for instructors, who run rsedu grade"
    if sys.platform != "linux":
        return Finding("bubblewrap", "note", f"needs Linux; {whose}")
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    try:
        subprocess.run(trial, capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=True)
    except FileNotFoundError:
        remedy = f"{whose}: apt install bubblewrap"
        return Finding("bubblewrap", "note", "not found; no sandbox when grading", remedy)
    except subprocess.CalledProcessError:
        remedy = "only for instructors: let users make namespaces, or grade elsewhere"
        return Finding("bubblewrap", "note", "may make no namespaces here", remedy)
    except (OSError, subprocess.SubprocessError):
        return Finding("bubblewrap", "note", "does not run; no sandbox when grading")
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
    """Write the findings for a screen of 80 columns and 24 lines, in words and not in colours."""
    lines = []
    for finding in findings:
        state = finding.state.replace("missing", "MISSING")
        lines.append(f"  {state:<8}{finding.name:<11}{finding.detail}")
        if finding.remedy:
            lines.append(f"{'':<21}to do: {finding.remedy}")
    missing = [finding.name for finding in findings if finding.state == "missing"]
    lines.append(
        f"Needed and missing: {', '.join(missing)}." if missing else "The lessons can run."
    )
    flat = (line.replace("\n", " ") for line in lines)
    return "\n".join(line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..." for line in flat)


def report(findings: list[Finding]) -> str:
    """Write what a facilitator needs to know before a class, to be pasted into a message.

    Details are left out, since they hold paths, and so names of people and machines.
    """
    names = {
        state: [finding.name for finding in findings if finding.state == state]
        for state in get_args(State)
    }
    devices = (finding for finding in findings if (finding.name, finding.state) == ("device", "ok"))
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) or "missing" for name in _REPORTED},
        "device": next((device.detail.split()[0] for device in devices), "missing"),
        "cores": str(_cores()),
        "memory": _memory_gb(),
        "disk": f"{shutil.disk_usage(Path.cwd()).free / 1e9:.0f} GB free",
        **{state: ", ".join(names[state]) or "-" for state in names},
        "verdict": "the lessons can run" if is_healthy(findings) else "the lessons cannot run",
    }
    lines = [f"{name:<11}{value}" for name, value in facts.items()]
    head = f"--- rsedu doctor report, format {REPORT_FORMAT} ---"
    return "\n".join([head, *lines, "--- end ---"])
