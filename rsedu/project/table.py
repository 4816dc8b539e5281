"""A score in words and numbers: for the screen, and for other programs."""

import math
from typing import Any

from rsedu.project.place import Place
from rsedu.project.score import LOST, Score

FEW = 5  # of a kind in a stratum; with fewer, a symmetric interval is too narrow


def render(found: Score, place: Place) -> str:
    """Return the score as a table of text; the places of its decimals are those that hold."""
    return "\n".join(
        (
            f"SYNTHETIC {place}",
            "",
            *_lines(found),
            "",
            "hectares lost",
            *_hectares(found),
            "",
            *_years(found),
            *_remarks(found),
        )
    )


def _row(name: str, value: str, remark: str) -> str:
    return f"  {name:<22}{value:>12}   {remark}".rstrip()


def _lines(found: Score) -> list[str]:
    rates = f"precision {found.precision:.3f}, recall {found.recall:.3f}"
    return [
        _row("F1 of change", f"{found.f1:.3f}", rates),
        _row("date error", _years_apart(found), f"mean of {found.found_px} pixels found"),
        _row("boundary bias", *_outlines(found.boundary_bias_m)),
    ]


def _years_apart(found: Score) -> str:
    if math.isnan(found.date_error_years):
        return "none"
    return f"{found.date_error_years:.2f} years"


def _outlines(bias_m: float) -> tuple[str, str]:
    """The bias, and what it means for patches that both map and truth show."""
    if math.isnan(bias_m):
        return "none", "no patch was found"
    bias_m = round(bias_m, 1)
    wide = "too large" if bias_m > 0 else "too small" if bias_m < 0 else "as large as they are"
    return f"{bias_m:+z.1f} m", f"patches that were found are mapped {wide}"


def _hectares(found: Score) -> list[str]:
    low, high = found.interval_ha
    first, last = found.estimate.symmetric(LOST)
    estimate = found.estimate
    total = int(found.matrix.sum())
    return [
        _row("counted on the map", f"{found.mapped_ha:.0f}", "no error is known"),
        _row(
            f"estimated, {total} px",
            f"{found.estimated_ha:.0f}",
            f"95 % interval {low:.0f} to {high:.0f}",
        ),
        _row("", "", f"symmetric, Olofsson et al. 2014: {first:.0f} to {last:.0f}"),
        _row("truth", f"{found.true_ha:.0f}", _verdict(found)),
        _row(
            "user's accuracy",
            f"{estimate.user[LOST]:.2f}",
            f"standard error {estimate.user_error[LOST]:.2f}",
        ),
        _row(
            "producer's accuracy",
            f"{estimate.producer[LOST]:.2f}",
            f"standard error {estimate.producer_error[LOST]:.2f}",
        ),
    ]


def _verdict(found: Score) -> str:
    low, high = found.interval_ha
    inside = "within" if low <= found.true_ha <= high else "outside"
    off = 100 * (found.mapped_ha / found.true_ha - 1)
    return f"{inside} the interval; the map's count is {off:+.0f} % off"


def _years(found: Score) -> list[str]:
    rows = [f"  {'year':<6}{'mapped ha':>12}{'true ha':>12}"]
    for each in found.by_year:
        rows.append(f"  {each.year:<6}{each.mapped_ha:>12.0f}{each.true_ha:>12.0f}")
    return rows


def _remarks(found: Score) -> list[str]:
    missed = int(found.matrix[0, LOST])
    if missed >= FEW:
        return []
    looked = int(found.matrix[0].sum())
    return [
        "",
        f"Only {missed} of {looked} sampled pixels outside the mapped loss were lost: the "
        "symmetric interval is too narrow here.",
    ]


def facts(found: Score, place: Place) -> dict[str, Any]:
    """Return the score as JSON knows it: None for what is not defined, six digits at most."""
    estimate = found.estimate
    low, high = found.interval_ha
    values = {
        "f1": found.f1,
        "precision": found.precision,
        "recall": found.recall,
        "date_error_years": found.date_error_years,
        "boundary_bias_m": found.boundary_bias_m,
        "mapped_ha": found.mapped_ha,
        "estimated_ha": found.estimated_ha,
        "low_ha": low,
        "high_ha": high,
        "symmetric_low_ha": estimate.symmetric(LOST)[0],
        "symmetric_high_ha": estimate.symmetric(LOST)[1],
        "true_ha": found.true_ha,
        "user": float(estimate.user[LOST]),
        "user_error": float(estimate.user_error[LOST]),
        "producer": float(estimate.producer[LOST]),
        "producer_error": float(estimate.producer_error[LOST]),
    }
    rounded = {name: float(f"{v:.6g}") if math.isfinite(v) else None for name, v in values.items()}
    by_year = {
        str(each.year): {"mapped_ha": each.mapped_ha, "true_ha": each.true_ha}
        for each in found.by_year
    }
    matrix = found.matrix.tolist()
    return {"place": str(place), **rounded, "error_matrix": matrix, "by_year": by_year}
