"""`rsedu preview`: students' and solved notebook side by side in JupyterLab.

The layout is a JupyterLab workspace of its own in a temporary folder; those of the person who looks
are neither read nor changed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsedu.errors import InputError, MissingDataError
from rsedu.lessons import build

_LAB = (sys.executable, "-m", "jupyterlab")
_FOLDER = "JUPYTERLAB_WORKSPACES_DIR"


def name_of(source: Path) -> str:
    """What the workspace of a lesson is called, in the page's address too."""
    return f"rsedu-{source.stem.partition('_')[0]}"


def workspace(paths: Sequence[str], *, name: str) -> dict[str, Any]:
    """Lay out notebooks from left to right, equally wide.

    Args:
        paths: of the notebooks, below the server's folder, with slashes.
        name: of the workspace.

    Returns:
        What `jupyter lab workspaces import` takes.
    """
    widgets = [f"notebook:{path}" for path in paths]
    areas = [{"type": "tab-area", "currentIndex": 0, "widgets": [each]} for each in widgets]
    main = {
        "type": "split-area",
        "orientation": "horizontal",
        "sizes": [1 / len(paths)] * len(paths),
        "children": areas,
    }
    closed = {"collapsed": True, "visible": True, "widgets": []}
    layout = {
        "main": {"dock": main, "current": widgets[0]},
        "down": {"size": 0, "widgets": []},
        "left": closed,
        "right": closed,
        "relativeSizes": [0, 1, 0],
    }
    opened = {
        widget: {"data": {"path": path, "factory": "Notebook"}}
        for widget, path in zip(widgets, paths, strict=True)
    }
    return {"data": {"layout-restorer:data": layout, **opened}, "metadata": {"id": name}}


def _notebooks(source: Path) -> list[str]:
    """Both notebooks of a lesson, students' first."""
    names = [f"{folder}/{source.stem}.ipynb" for folder in (build.NOTEBOOKS, build.SOLUTIONS)]
    for name in names:
        if not (source.parents[1] / name).is_file():
            raise MissingDataError(f"{name} is not there yet: rsedu build {source.stem} first.")
    return names


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def preview(lesson: str, arguments: Sequence[str] = ()) -> int:
    """Open JupyterLab on both notebooks of a lesson, and wait until it is closed.

    Args:
        lesson: number such as "01", or stem.
        arguments: for JupyterLab, such as "--no-browser".

    Returns:
        JupyterLab's exit status; 0 where Ctrl-C ended it.

    Raises:
        InputError: the layout was refused by JupyterLab.
        MissingDataError: the lesson has no source or is not built, or this is no checkout.
    """
    (source,) = build.sources([lesson])
    layout = workspace(_notebooks(source), name=name_of(source))
    with tempfile.TemporaryDirectory(prefix="rsedu-preview-") as folder:
        file = Path(folder, "layout.json")
        file.write_text(json.dumps(layout), encoding="utf-8")
        environment = {**os.environ, _FOLDER: str(Path(folder, "workspaces"))}
        done = subprocess.run(
            [*_LAB, "workspaces", "import", str(file)],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise InputError(f"JupyterLab took no layout: {done.stderr.strip()[-300:]}")
        page = f"--LabApp.default_url=/lab/workspaces/{name_of(source)}"
        # Told to end, Python would leave JupyterLab behind; an exception takes it along.
        before = signal.signal(signal.SIGTERM, _leave)
        try:
            return subprocess.run(
                [*_LAB, page, *arguments], env=environment, cwd=source.parents[1]
            ).returncode
        except KeyboardInterrupt:
            return 0
        finally:
            signal.signal(signal.SIGTERM, before)
