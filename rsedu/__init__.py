"""rsedu: a teaching kit on multi-modal learning in remote sensing.

Importing the package is cheap (no torch, no rasterio, no matplotlib): rooms such as
`rsedu.models`, and the functions listed here, are imported when first used.
"""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

# Threads of torch, and of whatever else uses OpenMP, wait asleep and not by spinning: beside one
# busy process on two cores, spinning makes a training step several times slower. GNU's OpenMP still
# spins for some microseconds, else waking up costs what the second thread gives
# (benchmarks/bench_threads.py). Read once, when torch is loaded; whoever sets it before decides.
if "torch" not in sys.modules:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if os.environ["OMP_WAIT_POLICY"].upper() == "PASSIVE":
        os.environ.setdefault("GOMP_SPINCOUNT", "600")

__version__ = version("rsedu")

_ROOMS = (
    "blocks",
    "course",
    "datasets",
    "device",
    "doctor",
    "errors",
    "evaluation",
    "grade",
    "io",
    "lessons",
    "models",
    "plot",
    "pretraining",
    "project",
    "scenes",
    "segment",
    "synthetic",
    "training",
    "widget",
    "zoo",
)
_NAMES = {
    "check": "rsedu.course.check",
    "checkpoint": "rsedu.course.check",
    "progress": "rsedu.course.progress",
    "setup": "rsedu.course.setup",
    "list_models": "rsedu.zoo",
    "load": "rsedu.zoo",
    "pick_device": "rsedu.device",
    "seed_everything": "rsedu.device",
    "weights": "rsedu.models",
}

__all__ = ["__version__", *sorted((*_ROOMS, *_NAMES))]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        module = import_module(_NAMES[name])
        return getattr(module, name, None) or import_module(f"{_NAMES[name]}.{name}")
    if name in _ROOMS:
        return import_module(f"rsedu.{name}")
    raise AttributeError(f"module 'rsedu' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
