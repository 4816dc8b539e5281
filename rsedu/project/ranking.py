"""Who is ahead: one line per group and place, by F1 of change."""

from collections.abc import Iterable
from typing import Literal

from rsedu.project.scoreboard import Board, Submission

#: Which of a group's submissions counts: its highest F1 (the earlier of equals), or its last.
Pick = Literal["best", "newest"]
_DIGITS = 3  # of F1 that are shown; groups that look equal are equal


def _f1(line: Submission) -> float:
    return round(line.f1, _DIGITS)


def chosen(lines: Iterable[Submission], *, pick: Pick = "best") -> tuple[Submission, ...]:
    """Return the submission of each group that counts, the best first.

    Names that differ only in upper and lower case are one group. Groups of one F1, to three
    digits, stand in the order of their date errors, and share a rank.

    Args:
        lines: of one place.
        pick: see `Pick`.
    """
    kept: dict[str, Submission] = {}
    for line in sorted(lines, key=lambda line: line.submitted):
        group = line.group.casefold()
        if pick == "newest" or group not in kept or _f1(line) > _f1(kept[group]):
            kept[group] = line
    return tuple(sorted(kept.values(), key=_order))


def _order(line: Submission) -> tuple[float, bool, float, str]:
    error = line.date_error_years
    return -_f1(line), error is None, error or 0.0, line.group.casefold()


def ranks(lines: tuple[Submission, ...]) -> tuple[int, ...]:
    """Return the ranks of lines in order: equal F1 shares one, and the next is left out."""
    return tuple(1 + sum(_f1(other) > _f1(line) for other in lines) for line in lines)


def render(board: Board, *, pick: Pick = "best") -> str:
    """Return the ranking of each place as text, and which files were left out and why."""
    places = sorted({line.place for line in board.submissions})
    parts = [_table(place, board.submissions, pick) for place in places]
    if not parts:
        parts = ["No submission yet."]
    if board.broken:
        parts.append("\n".join(("Left out:", *(f"  {_shown(*each)}" for each in board.broken))))
    return "\n\n".join(parts)


def _shown(name: str, reason: str) -> str:
    """One line, whatever the file is called and whatever is in it."""
    line = f"{name}: {reason}"
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _table(place: str, submissions: Iterable[Submission], pick: Pick) -> str:
    lines = chosen((line for line in submissions if line.place == place), pick=pick)
    width = max(5, *(len(line.group) for line in lines))
    heads = ("F1", "date error", "boundary", "mapped ha", "estimated ha", "truth")
    rows = [
        f"{place} ({pick} of each group)",
        f"  rank  {'group':<{width}}" + "".join(f"{head:>14}" for head in heads),
    ]
    for rank, line in zip(ranks(lines), lines, strict=True):
        error, bias = line.date_error_years, line.boundary_bias_m
        cells = (
            f"{line.f1:.{_DIGITS}f}",
            "none" if error is None else f"{error:.2f} years",
            "none" if bias is None else f"{bias:+.1f} m",
            f"{line.mapped_ha:.0f}",
            f"{line.estimated_ha:.0f}",
            f"{line.true_ha:.0f}",
        )
        numbers = "".join(f"{cell:>14}" for cell in cells)
        rows.append(f"  {rank:>4}  {line.group:<{width}}{numbers}")
    return "\n".join(rows)
