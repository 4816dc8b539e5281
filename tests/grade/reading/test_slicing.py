"""What an answer needs, by running what was chosen: it must be enough, and no more."""

import ast
import textwrap

import pytest

from rsedu.grade.reading.slicing import Cell, slice_for, statements


def _chosen(name: str, *sources: str, cell: int | None = None) -> list[str]:
    cells = [Cell(str(n), textwrap.dedent(source)) for n, source in enumerate(sources)]
    found, _ = statements(cells)
    place = len(sources) - 1 if cell is None else cell
    return [ast.unparse(each.node).splitlines()[0] for each in slice_for(found, name, place)]


NP, USE_ALL = "import numpy as np\nt = []\nu = {}", "def f():\n    return np, t, u"
APPEND = "t.append(1)\nfor k in range(3):\n    u.a.update(k=2)"
OUT = "np.multiply(2, 3, out=t[0])\nnp.show()\nother = []\nother.append(t)"
CHECKED = 'def g():\n    1\nrsedu.check("g", g)\ng = rsedu.checkpoint("g", g)'
OWN = 'def f():\n    return g()\nrsedu.check("f", f)\nf = rsedu.checkpoint("f", f)'
IMPORTS, VALUES = "import numpy as np\nimport torch", "A = 1\nB = A + 1\nC = 3\nprint(C)"
# What it shows: cells, and first lines of the statements that are chosen, parted by "|".
CHOSEN = {
    "only what is read, in the notebook's order": (
        [IMPORTS, VALUES, "def f(x):\n    return np.sum(x) + B"],
        "import numpy as np|A = 1|B = A + 1|def f(x):",
    ),
    "names of the function itself pull nothing in": (
        ["rows = slow()", "def f(rows):\n    cols = [rows for rows in 'ab']"],
        "def f(rows):",
    ),
    "an import of several is taken apart": (
        ["from rsedu.lessons import decoders, detail as d", "def f():\n    d"],
        "from rsedu.lessons import detail as d|def f():",
    ),
    "the last value before, and what it was made of": (
        ["a = slow()", "a = 1", "a += b", "b = 2", "def f():\n    a"],
        "a = 1|a += b|b = 2|def f():",
    ),
    "changes in place": (
        ["t = {}", "t['a'] = 1", "t.b[0] = 2", "u[0] = 1", "def f():\n    t"],
        "t = {}|t['a'] = 1|t.b[0] = 2|def f():",
    ),
    "changes by calls, but not of imports": (
        [NP, APPEND, OUT, USE_ALL],
        "import numpy as np|t = []|u = {}|t.append(1)|for k in range(3):"
        "|np.multiply(2, 3, out=t[0])|def f():",
    ),
    "a new value makes earlier changes idle": (
        ["t = [1]\nt.append(2)\nt = [3]", "def f():\n    return t"],
        "t = [3]|def f():",
    ),
    "a checkpoint hands over no answer but those of others": (
        ["import rsedu", CHECKED, OWN],
        "import rsedu|def g():|g = rsedu.checkpoint('g', g)|def f():",
    ),
    "a reference to itself ends": (
        ["def f(n):\n    return g(n)\ndef g(n):\n    return f(n)"],
        "def f(n):|def g(n):",
    ),
    "nothing for a name that nothing binds": (["f()\nprint(f)\nf.x(1)"], ""),
}


@pytest.mark.parametrize(("sources", "wanted"), CHOSEN.values(), ids=CHOSEN)
def test_an_answer_needs(sources: list[str], wanted: str) -> None:
    assert "|".join(_chosen("f", *sources)) == wanted


def test_a_helper_below_counts_where_there_is_none_above() -> None:
    below = ("def f():\n    return g()", "def g():\n    return 1")
    assert _chosen("f", *below, cell=0) == ["def f():", "def g():"]
    above = ("g = 1\ndef f():\n    return g", "g = slow()")
    assert _chosen("f", *above, cell=0) == ["g = 1", "def f():"]


@pytest.mark.parametrize(
    "source",
    [
        "for k in range(3):\n    f = k",
        "if True:\n    def f(): pass",
        "try:\n    import f\nexcept ImportError:\n    pass",
        "with open('x') as f:\n    pass",
        "class f:\n    pass",
        "f: int = 3",
        "(f := 3)",
        "a, (b, *f) = 1, (2, 3)",
        "from numpy import *",
    ],
)
def test_every_way_to_bind_a_name_is_known(source: str) -> None:
    assert len(_chosen("f", source)) == 1


def test_cells_that_are_no_python_are_told_and_the_others_read() -> None:
    cells = [Cell("a", "def f(:"), Cell("b", "%%bash\nls ("), Cell("c", "x = 1"), Cell("d", "\0")]
    found, broken = statements(cells)
    assert [each.cell for each in found] == [2]
    assert sorted(broken) == [0, 3]
    deep = [Cell("a", "-" * 100_000 + "1"), Cell("b", "(" * 5000)]
    assert sorted(statements(deep)[1]) == [0, 1]


def test_a_cell_with_a_magic_is_read_and_its_lines_keep_their_number() -> None:
    found, broken = statements([Cell("a", "%%time\nwhat?\nx = (\n    7\n    % 2\n)")])
    assert not broken
    assert [ast.unparse(each.node) for each in found] == ["pass", "x = 7 % 2"]
    assert found[1].node.lineno == 3
