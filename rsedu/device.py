"""Where tensors live: the only module that names CUDA or MPS.

The automatic choice *probes*: it allocates a tensor and adds it up, since a driver that answers
"available" may still have no kernel for this card. `RSEDU_DEVICE` overrides every choice.
"""

import os
import random
import re
import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from rsedu.errors import InputError

ENV = "RSEDU_DEVICE"
_ACCELERATORS = ("cuda", "mps")
_SPELLING = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_MAX_SEED = 2**32 - 1


def wait_policy() -> str:
    """Tell how torch's threads wait for each other: "asleep" or "spinning", by OMP_WAIT_POLICY.

    `import rsedu` sets it, unless torch was loaded before.
    """
    passive = os.environ.get("OMP_WAIT_POLICY", "").strip().upper() == "PASSIVE"
    return "asleep" if passive else "spinning"


@dataclass(frozen=True)
class DeviceChoice:
    """A device and, in one clause, why it was chosen."""

    device: torch.device
    reason: str

    def __str__(self) -> str:
        return f"{self.device} ({self.reason})"


@cache
def _fault(name: str) -> str | None:
    """Try the device called `name`; the reason why it cannot be used, None where it can."""
    with warnings.catch_warnings(record=True) as caught:
        # torch warns, rather than raises, when a driver is too old: that is a reason as well.
        warnings.simplefilter("always")
        try:
            works = torch.ones(2, device=name).sum().item() == 2.0
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            return str(error).strip().split("\n")[0] or type(error).__name__
    warning = f": {caught[0].message}" if caught else ""
    return None if works else f"it adds 1 and 1 wrongly{warning}"


def _is_present(name: str) -> bool:
    """Whether torch claims to see such a device; says nothing of whether it works."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "cuda":
            return torch.cuda.is_available()
        return torch.backends.mps.is_available()


def _label(device: torch.device) -> str:
    """What the device is called by its maker."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else "CPU"


def _wanted(prefer: str) -> tuple[str, str]:
    """The name asked for and who asked: the environment comes before the argument."""
    override = os.environ.get(ENV, "").strip()
    name, source = (override, ENV) if override else (prefer, "prefer")
    name = name.lower()
    if not _SPELLING.fullmatch(name):
        raise InputError(
            f"{source}={name!r} names no device: wanted auto, cpu, cuda, cuda:0 (or another number)"
            f" or mps; {'unset it' if override else 'leave it out'} to let the kit choose."
        )
    return name, source


def _explicit(name: str, source: str) -> DeviceChoice:
    """The device somebody named, or an error: silently taking another would mislead."""
    fault = None if name == "cpu" else _fault(name)
    if fault is not None:
        raise InputError(
            f"{source}={name!r}, but that device cannot be used here ({fault}): "
            "say cpu, or auto to let the kit choose."
        )
    device = torch.device(name)
    return DeviceChoice(device, f"{_label(device)}, chosen by {source}={name}")


@cache
def _automatic() -> DeviceChoice:
    """The first accelerator that passes the probe, else the CPU; a broken one is told once."""
    reason = "no CUDA or MPS device found"
    for name in filter(_is_present, _ACCELERATORS):
        fault = _fault(name)
        if fault is None:
            device = torch.device(name)
            return DeviceChoice(device, f"{_label(device)}, found and probed")
        reason = f"{name} is there but failed its probe: {fault}"
        warnings.warn(f"Using the CPU: {reason}", RuntimeWarning, stacklevel=4)
    return DeviceChoice(torch.device("cpu"), reason)


def describe_device(prefer: str = "auto") -> DeviceChoice:
    """Choose a device and say why.

    Args:
        prefer: "auto", "cpu", "cuda", "cuda:N" or "mps". The environment variable
            `RSEDU_DEVICE`, with the same spellings, goes before it.

    Returns:
        The device and the reason. "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        InputError: the name is unknown, or a device named outright cannot be used.
    """
    name, source = _wanted(prefer)
    return _automatic() if name == "auto" else _explicit(name, source)


def pick_device(prefer: str = "auto") -> torch.device:
    """Choose a device; `describe_device` has the arguments, the rules and the reason."""
    return describe_device(prefer).device


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators: 0 to 2**32 - 1, which is what numpy takes."""
    if not 0 <= seed <= _MAX_SEED:
        raise InputError(f"seed={seed} is out of range: wanted 0 to {_MAX_SEED}; take a small one.")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
