"""What the first cell of a lesson does: say where it runs, seed, set the figures."""

import os

import psutil

from rsedu.course import registry
from rsedu.errors import InputError

PROFILE = "RSEDU_PROFILE"
PROFILES = ("small", "full")
_FIGURE_DPI = 80  # keeps a notebook of twenty figures under a megabyte


def profile(device_type: str) -> str:
    """Choose how much is computed.

    Args:
        device_type: "cpu", "cuda" or "mps".

    Returns:
        "small" on a CPU, "full" where there is a GPU; RSEDU_PROFILE overrides.

    Raises:
        InputError: RSEDU_PROFILE is neither.
    """
    asked = os.environ.get(PROFILE, "").strip().lower()
    if asked and asked not in PROFILES:
        raise InputError(
            f"{PROFILE}={asked!r} names no profile: wanted small or full; unset it to let the kit "
            "choose."
        )
    return asked or ("small" if device_type == "cpu" else "full")


def setup(number: str, *, seed: int = 0) -> None:
    """Prepare a lesson, and print on what it will run.

    Args:
        number: of the lesson, such as "01".
        seed: for Python's, numpy's and torch's generators.

    Raises:
        InputError: there is no such lesson, or RSEDU_DEVICE or RSEDU_PROFILE cannot be followed.
    """
    import matplotlib.pyplot as plt
    import torch

    from rsedu.device import describe_device, seed_everything, wait_policy

    lesson = registry.lesson(number)
    choice = describe_device()
    seed_everything(seed)
    plt.rcParams.update({"figure.dpi": _FIGURE_DPI, "savefig.dpi": _FIGURE_DPI})
    memory = psutil.virtual_memory()
    print(f"Lesson {lesson.number}: {lesson.question}")
    print(f"  device   {choice}")
    print(f"  threads  {torch.get_num_threads()}, waiting {wait_policy()}")
    print(f"  memory   {memory.available / 1e9:.1f} GB free of {memory.total / 1e9:.1f} GB")
    print(f"  profile  {profile(choice.device.type)}")
    print(f"  seed     {seed}")
