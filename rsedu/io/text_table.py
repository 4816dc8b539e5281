"""Text tables: rows of cells as aligned lines."""

from collections.abc import Sequence
from itertools import zip_longest


def text_table(
    rows: Sequence[Sequence[str]], *, align: str = "<>", widths: Sequence[int] = ()
) -> str:
    """Align the cells of each column, two spaces between columns, none at the end of a line.

    Args:
        rows: cells; a row may stop early.
        align: "<" for left or ">" for right, by column; the last one holds for all further ones.
        widths: letters of a column at least; a column is as wide as its longest cell.
    """
    cells = list(zip_longest(*rows, fillvalue=""))
    least = [*widths, *[0] * len(cells)]
    sides = align + align[-1] * len(cells)
    columns = [
        [f"{cell:{side}{max(width, *map(len, column))}}" for cell in column]
        for column, side, width in zip(cells, sides, least, strict=False)
    ]
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))
