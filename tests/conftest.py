"""What every test starts from: no screen, no progress bars, a fixed seed, a folder of its own."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

# Before anything imports matplotlib, tqdm or torch.
os.environ["MPLBACKEND"] = "Agg"
os.environ["TQDM_DISABLE"] = "1"
os.environ["TZ"] = "UTC"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("RSEDU_DEVICE", "cpu")
# A debugger's message about frozen modules would count as output of a cell.
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

import numpy as np
import pytest
from hypothesis import settings

# Fixtures of several rooms.
pytest_plugins = ["tests.rasters", "tests.faulty_server"]

REPOSITORY = Path(__file__).resolve().parent.parent

# The same examples at every run, and no test that fails because a machine was slow.
settings.register_profile("rsedu", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("rsedu")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout, for tests that read the project's own files."""
    return REPOSITORY


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; a skip where there is none, a failure where one was promised."""
    from rsedu.doctor import find_chromium

    path = find_chromium()
    if path is None and os.environ.get("RSEDU_REQUIRE_BROWSER"):
        pytest.fail("no Chromium, and RSEDU_REQUIRE_BROWSER asks for one: apt install chromium")
    if path is None:
        pytest.skip("no Chromium: apt install chromium")
    return path


@pytest.fixture(autouse=True)
def _own_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Run in an empty folder, so that a learner's `.rsedu/` is neither read nor written."""
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    yield


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Seed what is loaded; torch only where some test has imported it already."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
