"""One source, two notebooks: stubs, ids, metadata, badges."""

import copy

import nbformat
import pytest
from hypothesis import given, strategies as st

from authoring.colab import Address
from authoring.source import Pair, blocks, checked, exercise_id, outside, pair, stub, text_of
from rsedu.errors import InputError

SOURCE = '''\
# %% [markdown]
# # What is it?
#
# Some words.

# %% tags=["nbval-ignore-output"] collapsed=true
import rsedu

# %% rsedu={"id": "to_db"}
def to_db(power):
    """Convert."""
    ### BEGIN SOLUTION
    level = 10 * np.log10(power)
    return level
    ### END SOLUTION


rsedu.check("to_db", to_db)
to_db = rsedu.checkpoint("to_db", to_db)

# %% [markdown]
# Twice the same.

# %% [markdown]
# Twice the same.
'''
PLACE = Address(repository="https://github.com/someone/rsedu", tag="v1.2.3")


def _pair(text: str = SOURCE, published: Address | None = None) -> Pair:
    return pair(text, stem="00_x", published=published or Address(), points={"to_db": 7})


def test_the_student_gets_a_stub_and_the_solution_keeps_everything() -> None:
    made = _pair()
    solution, student = made.solution.cells[3], made.student.cells[3]
    assert "level = 10" in solution.source and "### BEGIN" in solution.source
    assert student.source == (
        'def to_db(power):\n    """Convert."""\n    raise NotImplementedError\n\n\n'
        'rsedu.check("to_db", to_db)\nto_db = rsedu.checkpoint("to_db", to_db)'
    )
    rest = [index for index in range(len(made.solution.cells)) if index != 3]
    assert all(made.solution.cells[i].source == made.student.cells[i].source for i in rest)


def test_metadata_keeps_what_the_kit_means_and_adds_points() -> None:
    cells = _pair().solution.cells
    assert cells[2].metadata == {"tags": ["nbval-ignore-output"]}
    assert cells[3].metadata == {"rsedu": {"id": "to_db", "points": 7}}
    assert _pair().student.metadata == _pair().solution.metadata
    assert _pair().solution.metadata.kernelspec.name == "python3"


def test_the_first_code_cell_is_the_builders() -> None:
    first = next(cell for cell in _pair().student.cells if cell.cell_type == "code")
    assert first.metadata.tags == ["colab"]
    assert '"google.colab" in sys.modules' in first.source


def test_ids_are_the_same_at_every_build_in_both_and_never_twice() -> None:
    one, other = _pair(), _pair()
    ids = [cell.id for cell in one.solution.cells]
    assert ids == [cell.id for cell in other.solution.cells]
    assert ids == [cell.id for cell in one.student.cells]
    assert len(set(ids)) == len(ids)
    assert ids[3] == "00-to_db" and ids[5] == f"{ids[4]}-2"
    assert text_of(one.solution) == text_of(other.solution)


def test_a_new_cell_leaves_the_other_ids_alone() -> None:
    before = {cell.id for cell in _pair().solution.cells}
    grown = SOURCE.replace("# %% rsedu", "# %% [markdown]\n# New.\n\n# %% rsedu")
    assert before < {cell.id for cell in _pair(grown).solution.cells}


def test_both_notebooks_are_valid() -> None:
    made = _pair(published=PLACE)
    for notebook in (made.solution, made.student):
        nbformat.validate(copy.deepcopy(notebook))
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_badges_stand_under_the_title_and_open_the_same_notebook() -> None:
    made = _pair(published=PLACE)
    lines = made.student.cells[0].source.splitlines()
    assert lines[0] == "# What is it?"
    assert "/github/someone/rsedu/blob/v1.2.3/notebooks/00_x.ipynb)" in lines[2]
    assert lines[-1] == "Some words."
    assert "solutions/00_x.ipynb" in made.solution.cells[0].source
    assert "badge" not in _pair().student.cells[0].source


def test_a_lesson_begins_with_its_title() -> None:
    with pytest.raises(InputError, match="begin with a markdown cell"):
        _pair("# %%\nimport rsedu\n")


@pytest.mark.parametrize(
    "lines",
    [["### BEGIN SOLUTION", "x"], ["### END SOLUTION"], ["### BEGIN SOLUTION"] * 2],
    ids=str,
)
def test_a_marker_without_its_partner_is_an_error(lines: list[str]) -> None:
    with pytest.raises(InputError, match="SOLUTION"):
        list(blocks("\n".join(lines)))
    with pytest.raises(InputError, match="SOLUTION"):
        stub("\n".join(f"    {line}" for line in lines))


def test_a_value_keeps_its_names_with_dots() -> None:
    source = "### BEGIN SOLUTION\nanswer = 3\nother: int = 4\n### END SOLUTION\nprint(answer)"
    assert stub(source) == "answer = ...\nother = ...\nprint(answer)"
    with pytest.raises(InputError, match="assigns no name"):
        stub("### BEGIN SOLUTION\nprint(3)\n### END SOLUTION")


def test_a_value_given_above_the_block_is_kept() -> None:
    block = "### BEGIN SOLUTION\nmethod, other = 2, 3\nmethod = 2\nthird = 4\n### END SOLUTION"
    assert stub(f"method = 1  # the baseline\n{block}\nprint(method)") == (
        "method = 1  # the baseline\nthird = ...\nprint(method)"
    )
    assert stub(f"method = 1\n{block.replace('third = 4', 'method += 1')}") == "method = 1"


WORDS = st.lists(st.sampled_from(["a = 1", "  b", "# c"]), max_size=4)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=3), WORDS)
def test_blocks_and_outside_are_the_whole_cell(
    parts: list[tuple[list[str], list[str]]], last: list[str]
) -> None:
    lines: list[str] = []
    for before, inside in parts:
        lines += [*before, "    ### BEGIN SOLUTION", *inside, "    ### END SOLUTION"]
    source = "\n".join([*lines, *last])
    assert list(blocks(source)) == [inside for _, inside in parts]
    kept = [line for before, _ in parts for line in before] + last
    assert outside(source) == kept
    assert [line for line in stub(source).splitlines() if "NotImplemented" not in line] == kept


def test_what_a_cell_checks_and_what_only_demonstrates() -> None:
    cells = _pair(SOURCE.replace('"to_db"}', '"to_db", "role": "demonstration"}')).solution.cells
    assert checked(cells[3]) == ["to_db"] and exercise_id(cells[3]) is None
    assert exercise_id(_pair().solution.cells[3]) == "to_db"
    assert checked(cells[0]) == []
