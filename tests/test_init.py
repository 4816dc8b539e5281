import subprocess
import sys
import types
from collections.abc import Callable

import pytest

import rsedu

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


def test_a_submodule_comes_with_attribute_access() -> None:
    assert isinstance(rsedu.errors, types.ModuleType)
    assert rsedu.errors.__name__ == "rsedu.errors"


def test_every_name_that_is_announced_exists() -> None:
    assert dir(rsedu) == sorted(rsedu.__all__)
    for name in rsedu.__all__:
        assert getattr(rsedu, name) is not None, name


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="'rsedu' has no attribute 'chek'"):
        _ = rsedu.chek
