"""Run a notebook as nbval will: one thread, one seed of hashes, no bars, the CPU."""

import copy
import os
import tempfile
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from rsedu.course import progress
from rsedu.errors import InputError

CELL_LIMIT_S = 300
ENVIRONMENT = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
    "RSEDU_DEVICE": "cpu",
    "RSEDU_PROFILE": "small",
    "TQDM_DISABLE": "1",
    "TZ": "UTC",
}
_WIDGET = "application/vnd.jupyter.widget-view+json"


def _sockets(folder: str) -> Config:
    """Talk to the kernel through files that nobody else can open; Windows has no such sockets."""
    if os.name == "nt":
        return Config()
    connection = os.path.join(folder, "kernel.json")  # the sockets are named after it
    return Config({"KernelManager": {"transport": "ipc", "connection_file": connection}})


def execute(notebook: NotebookNode, *, limit_s: int = CELL_LIMIT_S) -> NotebookNode:
    """Run a copy of a notebook in an empty folder and keep its outputs.

    Args:
        notebook: outputs it has are replaced.
        limit_s: seconds for each cell.

    Returns:
        A new notebook with outputs and execution counts, and without what differs at each run.

    Raises:
        InputError: a cell raises, hangs, or kills its kernel; the message names the cell.
    """
    made = copy.deepcopy(notebook)
    # Progress of a build is nobody's progress: it stays in the folder that is thrown away.
    with tempfile.TemporaryDirectory(prefix="rsedu-build-") as folder:
        environment = {**os.environ, **ENVIRONMENT, progress.ENV: os.path.join(folder, ".rsedu")}
        client = NotebookClient(
            made,
            timeout=limit_s,
            kernel_name="python3",
            config=_sockets(folder),
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise InputError(_where(made, f"raises {error.ename}: {error.evalue}")) from error
        except CellTimeoutError as error:
            raise InputError(_where(made, f"takes more than {limit_s} s")) from error
        except DeadKernelError as error:
            raise InputError(_where(made, "kills its kernel")) from error
    return _cleaned(made)


def _where(notebook: NotebookNode, what: str) -> str:
    """Name the cell that was running last."""
    begun = [cell for cell in notebook.cells if cell.get("execution_count")]
    running = begun[-1] if begun else next(c for c in notebook.cells if c.cell_type == "code")
    first = running.source.strip().splitlines()[0]
    return f"The cell {running.id} ({first}) {what}: mend it in the source and build again."


def _is_noise(output: dict[str, Any]) -> bool:
    """Whether it is a progress bar, of text or a widget: its text differs at each run."""
    shown = output.get("data", {})
    if output.get("name") == "stderr":
        return "\r" in output["text"] or "it/s" in output["text"]
    return _WIDGET in shown and "it/s" in shown.get("text/plain", "it/s")


def _without_view(output: NotebookNode) -> NotebookNode:
    """Of a widget, keep what it says of itself: its view needs a kernel that is gone."""
    output.get("data", {}).pop(_WIDGET, None)
    return output


def _cleaned(notebook: NotebookNode) -> NotebookNode:
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            kept = [output for output in cell.outputs if not _is_noise(output)]
            cell.outputs = [_without_view(output) for output in kept]
    return notebook
