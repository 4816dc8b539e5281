"""The harness itself: a notebook runs, its outputs are read, what goes wrong is told at once."""

from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.browser

PICTURE = """import matplotlib.pyplot as plt
from IPython.display import display
figure, ax = plt.subplots()
display(figure, metadata={"image/png": {"alt": "an empty plot"}})
plt.close(figure)
print("Figure: an empty plot")"""


def write_notebook(path: Path, *sources: str) -> Path:
    """Write a notebook of a title and code cells, the last of which is an exercise."""
    cells = [nbformat.v4.new_markdown_cell("# A question?\n\nSome words.")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells[-1].metadata["rsedu"] = {"id": "toy", "points": 1}
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


def test_outputs_are_read(lab, tmp_path):
    toy = "def double(x):\n    return x\nprint(double(21))"
    lab.open(write_notebook(tmp_path / "toy.ipynb", PICTURE, "6 * 7", toy))
    prose, picture, number, exercise = lab.run_all()
    assert prose.headings == [(1, "A question?")]
    assert [(image.width > 100, image.shown > 100) for image in picture.images] == [(True, True)]
    assert "Figure: an empty plot" in picture.text
    assert picture.alts == ["an empty plot"]
    assert (number.text, exercise.text) == ("42", "21")

    lab.type_over(exercise.index, "return x", "y = 2 * (x)\n    return y")
    lab.press_run()
    assert lab.exercise("toy").text == "42"
    lab.restart_kernel()
    lab.replace(number.index, "6 * 7", "double")
    with pytest.raises(Exception, match=r"cell 2: (?s:.)*NameError: name 'double' is not defined"):
        lab.run_cell(number.index)
    assert lab.hosts == {"127.0.0.1"}
    assert lab.console == []


def test_a_request_elsewhere_is_noted(lab, tmp_path):
    """Nobody listens on that port, so nothing leaves the machine here either."""
    image = "from IPython.display import HTML\nHTML('<img src=http://localhost:9/a.png>')"
    lab.open(write_notebook(tmp_path / "elsewhere.ipynb", image))
    (picture,) = lab.run_all()[1].images
    assert picture.width == 0
    assert lab.hosts == {"127.0.0.1", "localhost"}
    assert ["localhost:9" in line for line in lab.console] == [True]


def test_an_error_is_told_at_once(lab, tmp_path):
    """The cell behind it would run for ever; a second run looks past the first one's error."""
    path = write_notebook(tmp_path / "error.ipynb", "n = 0", "1 / n", "while n == 0: pass")
    lab.open(path)
    with pytest.raises(Exception, match=r"cell 2: (?s:.)*ZeroDivisionError: division by zero"):
        lab.run_all()
    lab.set_source(1, "n = 1")
    lab.run_all()


def test_a_dead_kernel_is_told(lab, tmp_path):
    lab.open(write_notebook(tmp_path / "dead.ipynb", "import os", "os._exit(1)", "1"))
    with pytest.raises(Exception, match="the kernel died"):
        lab.run_all()
