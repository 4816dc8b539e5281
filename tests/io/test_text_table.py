import pytest

from rsedu.io.text_table import text_table


@pytest.mark.parametrize(
    ("rows", "options", "lines"),
    [
        ([["a", "1"], ["long", "100"]], {}, ["a       1", "long  100"]),
        ([["a", "b", "c"], ["", "22", "33"]], {"align": "<>"}, ["a   b   c", "   22  33"]),
        ([["a", "b", "c"], ["aa", "b", "cc"]], {"align": "><"}, [" a  b  c", "aa  b  cc"]),
        ([["a", "b"]], {"widths": (3, 2)}, ["a     b"]),
        ([["abcd", "b"]], {"widths": (3,)}, ["abcd  b"]),
        ([["", "b"], ["a"]], {"align": "<"}, ["   b", "a"]),
        ([["a", "b"], ["c", ""]], {"align": "<", "widths": (1, 5)}, ["a  b", "c"]),
        ([], {}, [""]),
    ],
    ids=[
        "the second column stands to the right",
        "the last letter holds for further columns",
        "each column has its side",
        "a width is the least",
        "a longer cell is not cut",
        "a row may stop early",
        "no space ends a line",
        "no rows are no line",
    ],
)
def test_cells_stand_below_each_other(
    rows: list[list[str]], options: dict[str, object], lines: list[str]
) -> None:
    assert text_table(rows, **options) == "\n".join(lines)  # type: ignore[arg-type]
