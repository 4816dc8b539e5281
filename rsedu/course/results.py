"""What longer experiments than a lesson has time for have measured, seed by seed."""

import json
from pathlib import Path
from typing import Any

from rsedu.errors import MissingDataError


def folder() -> Path:
    """Where results are: the wheel's own copy, else the checkout's data/results."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_results"
    return installed if installed.is_dir() else package.parent / "data" / "results"


def stored(name: str) -> dict[str, Any]:
    """Read the results of a script in experiments.

    Args:
        name: of the lesson, such as "02_masked_autoencoders".

    Returns:
        What the script wrote; "command" makes it again.

    Raises:
        MissingDataError: there are none of this name.
    """
    path = folder() / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in folder().glob("*.json"))) or "none yet"
        raise MissingDataError(
            f"There are no results called {name!r} in {folder()}; there are: {known}. "
            f"Run experiments/{name}.py in the repository to make them."
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
