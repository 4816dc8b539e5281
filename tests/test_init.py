import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import rsedu

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
HEAVY = {"torch", "rasterio", "matplotlib", "numpy", "scipy", "sklearn", "jupyterlab", "IPython"}


def _imported_by(statement: str) -> tuple[set[str], float]:
    """Top-level packages that a fresh interpreter loads, and the seconds it says it took."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    rows = [line.split("|") for line in report.splitlines() if line.count("|") == 2]
    loaded = {name.strip() for _, _, name in rows[1:]}
    took_us = [int(cumulative) for _, cumulative, name in rows[1:] if name.strip() == "rsedu"]
    return {name.split(".")[0] for name in loaded}, sum(took_us) / 1e6


def test_importing_the_package_loads_nothing_heavy(
    record_property: Callable[[str, object], None],
) -> None:
    loaded, seconds = _imported_by("import rsedu")
    record_property("seconds_to_import_rsedu", seconds)
    print(f"import rsedu: {seconds:.3f} s")
    assert "rsedu" in loaded
    assert not loaded & HEAVY


def test_the_command_line_loads_nothing_heavy() -> None:
    loaded, _ = _imported_by("import rsedu.cli")
    assert "click" in loaded
    assert not loaded & HEAVY


def test_a_lazy_name_is_the_one_from_its_module() -> None:
    from rsedu.device import pick_device, seed_everything

    assert rsedu.pick_device is pick_device
    assert rsedu.seed_everything is seed_everything


def test_every_room_comes_with_a_plain_import() -> None:
    home = Path(rsedu.__file__).parent
    rooms = {path.name for path in home.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {path.stem for path in home.glob("[a-z]*.py")} - {"cli"}  # a command, nothing to call
    for name in rooms:
        assert isinstance(getattr(rsedu, name), types.ModuleType)
        assert getattr(rsedu, name).__name__ == f"rsedu.{name}"
    assert rooms <= set(dir(rsedu))


def test_the_weights_and_the_zoo_are_within_reach() -> None:
    assert rsedu.weights.__name__ == "rsedu.models.weights"
    assert rsedu.load.__module__ == rsedu.list_models.__module__ == "rsedu.zoo"


def test_every_name_that_is_announced_exists() -> None:
    assert dir(rsedu) == sorted(rsedu.__all__)
    for name in rsedu.__all__:
        assert getattr(rsedu, name) is not None, name


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="'rsedu' has no attribute 'chek'"):
        _ = rsedu.chek


@pytest.mark.parametrize(
    ("first", "set_to", "policy"),
    [
        ("", None, "PASSIVE"),
        ("import torch; ", None, "None"),  # too late: it has been read
        ("", "ACTIVE", "ACTIVE"),
        ("import rsedu.cli; ", None, "PASSIVE"),
    ],
)
def test_threads_wait_asleep_where_nobody_said_otherwise(
    first: str, set_to: str | None, policy: str
) -> None:
    program = f"{first}import os, rsedu; print(*map(os.environ.get, {NAMES}))"
    environment = {key: value for key, value in os.environ.items() if key not in NAMES}
    environment |= {} if set_to is None else {"OMP_WAIT_POLICY": set_to}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [policy, "600" if policy == "PASSIVE" else "None"]
