"""Cells are read as IPython reads them; each expectation was written down by hand."""

import ast

import pytest

from rsedu.grade.reading.magics import plain


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("%matplotlib inline\nx = 1\nif x:\n    !pip install y", "pass\nx = 1\nif x:\n    pass"),
        ("%%time\ndef f():\n    return 1", "\ndef f():\n    return 1"),
        ("\n%%capture out\n%%time\nx = 1\n%pwd", "\n\n\nx = 1\npass"),
        ("%%prun -q\nx = 1", "\nx = 1"),
        ("%%timeit\nx = 1", "\nx = 1"),
        ("%%html\n<b>", ""),
        ("to_db?\nx = 1", "pass\nx = 1"),
        ("?to_db\n??np.mean\nnp.mean??  # what\nx = 1", "pass\npass\npass\nx = 1"),
        ("t = %timeit -o f()\nfiles = !ls\nx = 1", "pass\npass\nx = 1"),
        ("!ls \\\n  -l\nx = 1", "pass\n\nx = 1"),
        ("!echo it's (\nx = 1", "pass\nx = 1"),
    ],
)
def test_what_is_for_ipython_is_blanked_and_lines_keep_their_number(
    source: str, wanted: str
) -> None:
    assert plain(source) == wanted
    ast.parse(wanted)


@pytest.mark.parametrize(
    "source",
    [
        "x = (\n    a\n    % power\n)",
        "x = a \\\n    % power",
        's = """\n%%time\n!ls\nwhat?\n"""',
        "x = [\n    '''\n    ! (''',\n    7\n    % 2,\n]",
        'print("a=%d" % x)  # really?',
    ],
)
def test_python_that_only_looks_like_it_stays(source: str) -> None:
    assert plain(source) == source
    assert plain(f"%pwd\n{source}") == f"pass\n{source}"


def test_what_is_no_python_even_so_stays_broken() -> None:
    assert plain("def f(:\n    x") == "def f(:\n    x"
    assert plain("\0") == "\0"
    assert plain("(" * 5000) == "(" * 5000
