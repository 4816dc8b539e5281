"""Masks from clicks, boxes and one example: SAM, PerSAM, and how good their masks are.

Submodules are imported when first used: `sam` needs torch, `export` does not.
"""

from importlib import import_module
from typing import Any

from rsedu.segment.prompt import Prediction, Prompt

_SUBMODULES = (
    *("baselines", "embedding", "export", "learning", "oneshot", "prompt"),
    *("regions", "sam", "simulated_user", "tiles", "tiny_sam"),
)

__all__ = ["Prediction", "Prompt", *sorted(_SUBMODULES)]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"rsedu.segment.{name}")
    raise AttributeError(f"module 'rsedu.segment' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
