"""Running a notebook: alone, in a folder that is thrown away, and telling which cell failed."""

import nbformat
import pytest
from nbformat import NotebookNode

from authoring.execute import ENVIRONMENT, _cleaned, execute
from rsedu.errors import InputError

VIEW = "application/vnd.jupyter.widget-view+json"


def _notebook(*sources: str) -> NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def _printed(notebook: NotebookNode) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    return [output.text for output in outputs if output.output_type == "stream"]


@pytest.mark.lesson
def test_the_environment_is_fixed_and_the_folder_is_thrown_away() -> None:
    source = (
        "import os, pathlib\n"
        f"print([os.environ[name] for name in {sorted(ENVIRONMENT)}])\n"
        "print(os.environ['RSEDU_PROGRESS'].startswith(os.getcwd()), pathlib.Path.cwd())\n"
        "pathlib.Path('made').touch()"
    )
    given = _notebook(source, "import sys; print('a'); print('b'); hash('x')", "# nothing")
    made = execute(given)
    first, second, *_ = _printed(made)[0].splitlines()
    assert first == str([ENVIRONMENT[name] for name in sorted(ENVIRONMENT)])
    assert second.startswith("True ")
    assert made.cells[1].outputs[0].text == "a\nb\n"
    assert [cell.execution_count for cell in made.cells] == [1, 2, 3]
    assert not any(cell.metadata for cell in made.cells)
    assert given.cells[0].outputs == [] and given.cells[0].execution_count is None


@pytest.mark.lesson
def test_a_cell_that_raises_is_named() -> None:
    with pytest.raises(InputError, match=r"\(y = 1 / 0\) raises ZeroDivisionError"):
        execute(_notebook("x = 1", "y = 1 / 0"))


@pytest.mark.lesson
def test_a_cell_that_hangs_is_named() -> None:
    with pytest.raises(InputError, match="takes more than 1 s"):
        execute(_notebook("while True: pass"), limit_s=1)


def test_bars_views_and_timing_are_taken_out_and_warnings_are_not() -> None:
    notebook = _notebook("x")
    notebook.metadata["widgets"] = {}
    notebook.cells[0].metadata["execution"] = {"iopub.execute_input": "now"}
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": "\r 10%|# | 1/9 [00:01, 3.00it/s]"},
        {"output_type": "stream", "name": "stderr", "text": "UserWarning: look\n"},
        {"output_type": "stream", "name": "stdout", "text": "3 it/s\n"},
        {
            "output_type": "display_data",
            "data": {VIEW: {}, "text/plain": "  0%| | 0/9 [00:00<?, ?it/s]"},
            "metadata": {},
        },
        {
            "output_type": "display_data",
            "data": {VIEW: {}, "text/plain": "Prompter(3 x 3 px)"},
            "metadata": {},
        },
    ]
    notebook.cells[0].outputs = [nbformat.from_dict(output) for output in outputs]
    made = _cleaned(notebook)
    *told, widget = made.cells[0].outputs
    assert [output.text for output in told] == ["UserWarning: look\n", "3 it/s\n"]
    assert widget.data == {"text/plain": "Prompter(3 x 3 px)"}
    assert "widgets" not in made.metadata and not made.cells[0].metadata
