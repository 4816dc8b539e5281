"""rsedu: a teaching kit on multi-modal learning in remote sensing.

Importing the package is cheap (no torch, no rasterio, no matplotlib): submodules and the four
names a lesson uses, `setup`, `check`, `checkpoint` and `progress`, are imported when first used.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("rsedu")

_SUBMODULES = ("blocks", "device", "errors", "lessons", "models", "plot", "scenes", "segment")
_NAMES = {
    "check": "rsedu.course.check",
    "checkpoint": "rsedu.course.check",
    "progress": "rsedu.course.progress",
    "setup": "rsedu.course.setup",
    "pick_device": "rsedu.device",
    "seed_everything": "rsedu.device",
}

__all__ = ["__version__", *sorted((*_SUBMODULES, *_NAMES))]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _SUBMODULES:
        return import_module(f"rsedu.{name}")
    raise AttributeError(f"module 'rsedu' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
