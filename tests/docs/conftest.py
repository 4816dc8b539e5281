"""The site, built once from the repository as it lies there."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tables() -> ModuleType:
    """docs/site/tables.py, which is part of no package."""
    return _load("tables")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the built site; a warning of Sphinx fails it."""
    pytest.importorskip("myst_nb", reason="the extra [docs] is not installed")
    home = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHONPATH": str(SITE.parents[1])}
    for command in (
        [str(SITE / "assemble.py"), str(home / "source")],
        [*"-m sphinx -W --keep-going -q -b html".split(), str(home / "source"), str(home / "site")],
    ):
        done = subprocess.run(
            [sys.executable, *command], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return home / "site"
